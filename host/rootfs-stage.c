/* rootfs-stage.c - see rootfs-stage.h. */
#define _GNU_SOURCE 1

#include "rootfs-stage.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "deb.h"

enum { CONTROL_MAX = 16 << 20 };

/* One package on its way in. */
struct incoming {
    struct stage *stage;
    const char *deb;
    struct bytes control;
    struct bytes conffiles;     /* "/etc/x\n/etc/y\n" */
    struct strings members;     /* names of the other control files ... */
    struct bytes *data;         /* ... and in step their contents */
    struct bytes list;          /* info/NAME.list */
    char name[200];             /* as info files are called: "gcc", or "libc6:riscv64" */
    struct archive *disk;
};

bool stage_field(const char *control, const char *field, char *value, size_t size)
{
    size_t n = strlen(field);

    for (const char *l = control; l && *l; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL) {
        if (strncasecmp(l, field, n) != 0 || l[n] != ':')
            continue;
        l += n + 1 + strspn(l + n + 1, " \t");
        snprintf(value, size, "%.*s", (int)strcspn(l, "\n"), l);
        return true;
    }
    return false;
}

void stage_status(const char *control, const char *conffiles, struct bytes *out)
{
    const char *end = strchrnul(control, '\n');
    size_t len = strlen(control);

    while (len && control[len - 1] == '\n')
        len--;
    size_t first = (size_t)(end - control) < len ? (size_t)(end - control) : len;
    bytes_addf(out, "%.*s\nStatus: install ok unpacked", (int)first, control);
    bytes_addf(out, "%.*s\n", (int)(len - first), control + first);
    bool any = false;
    for (const char *l = conffiles; l && *l;) {
        size_t n = strcspn(l, "\n");
        /* A line may begin with a flag such as "remove-on-upgrade": that file is not there. */
        if (n && l[0] == '/') {
            bytes_addf(out, "%s %.*s newconffile\n", any ? "" : "Conffiles:\n", (int)n, l);
            any = true;
        }
        l += n + (l[n] == '\n');
    }
    bytes_addf(out, "\n");
}

bool stage_merged_name(const char *name, bool directory, struct path *out, struct error *e)
{
    static const char *const merged[] = { "bin", "sbin", "lib", "lib64" };

    for (size_t i = 0; i < sizeof merged / sizeof merged[0]; i++) {
        size_t n = strlen(merged[i]);
        if (strncmp(name, merged[i], n) != 0 || (name[n] != '/' && name[n] != 0))
            continue;
        if (name[n] == '/' && name[n + 1])
            return path_set(out, e, "usr/%s", name);
        if (directory)
            return path_set(out, e, "usr/%.*s", (int)n, name);
    }
    return path_set(out, e, "%s", name);
}

static bool take_control(void *ctx, const char *name, struct archive *tar, struct archive_entry *entry,
                         struct error *e)
{
    struct incoming *in = ctx;
    struct bytes data;

    if (archive_entry_filetype(entry) != AE_IFREG || strchr(name, '/'))
        return true;
    if (!deb_entry_data(tar, CONTROL_MAX, &data, e))
        return false;
    if (strcmp(name, "control") == 0) {
        in->control = data;
        return true;
    }
    if (strcmp(name, "conffiles") == 0)
        bytes_add(&in->conffiles, data.data, data.len);
    strings_add(&in->members, name);
    in->data = alloc_resize(in->data, in->members.count, sizeof *in->data);
    in->data[in->members.count - 1] = data;
    return true;
}

static bool is_conffile(const struct incoming *in, const char *name)
{
    size_t n = strlen(name);

    for (const char *l = in->conffiles.data; l && *l; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL)
        if (l[0] == '/' && strncmp(l + 1, name, n) == 0 && (l[1 + n] == '\n' || !l[1 + n]))
            return true;
    return false;
}

static void note_owner(struct stage *s, const char *name, struct archive_entry *entry)
{
    unsigned uid = (unsigned)archive_entry_uid(entry);
    unsigned gid = (unsigned)archive_entry_gid(entry);

    if (!uid && !gid)
        return;
    s->owner = alloc_resize(s->owner, s->owners + 1, sizeof *s->owner);
    s->owner[s->owners++] = (struct owner){ alloc_text(name), uid, gid };
}

static bool copy_data(struct archive *from, struct archive *to)
{
    const void *buf;
    la_int64_t off;
    size_t n;
    int r;

    while ((r = archive_read_data_block(from, &buf, &n, &off)) == ARCHIVE_OK)
        if (archive_write_data_block(to, buf, n, off) < ARCHIVE_OK)
            return false;
    return r == ARCHIVE_EOF;
}

/*
 * dpkg wants a configuration file that it has not yet seen under its name with ".dpkg-new"; it is also put
 * in its place, so that the system can be used before dpkg has run.
 */
static bool double_conffile(const char *file, struct error *e)
{
    struct path twin;

    if (!path_set(&twin, e, "%s.dpkg-new", file))
        return false;
    unlink(twin.s);
    return link(file, twin.s) == 0 || error_set(e, "could not create '%s': %s", twin.s, strerror(errno));
}

static bool take_file(void *ctx, const char *name, struct archive *tar, struct archive_entry *entry,
                      struct error *e)
{
    struct incoming *in = ctx;
    struct path plain, where, full;
    bool directory = archive_entry_filetype(entry) == AE_IFDIR;
    const char *hard = archive_entry_hardlink(entry);
    int len = (int)strlen(name);

    while (len && name[len - 1] == '/')
        len--;
    if (!path_set(&plain, e, "%.*s", len, name) || !stage_merged_name(plain.s, directory, &where, e) ||
        !path_set(&full, e, "%s/%s", in->stage->root.s, where.s))
        return false;
    bytes_addf(&in->list, "/%s\n", plain.s);
    note_owner(in->stage, where.s, entry);
    if (hard) {
        struct path target;
        hard += strspn(hard, "./");
        if (strstr(hard, "..") || !stage_merged_name(hard, false, &target, e) ||
            !path_set(&where, e, "%s/%s", in->stage->root.s, target.s))
            return error_set(e, "the package '%s' has a bad link '%s'", in->deb, hard);
        archive_entry_set_hardlink(entry, where.s);
    }
    archive_entry_set_pathname(entry, full.s);
    /* libarchive drops set-id bits of files that it believes to be someone else's. */
    archive_entry_set_uid(entry, geteuid());
    archive_entry_set_gid(entry, getegid());
    if (archive_write_header(in->disk, entry) < ARCHIVE_WARN || !copy_data(tar, in->disk) ||
        archive_write_finish_entry(in->disk) < ARCHIVE_WARN)
        return error_set(e, "could not unpack '%s' of '%s': %s", name, in->deb,
                         archive_error_string(in->disk));
    return directory || !is_conffile(in, plain.s) || double_conffile(full.s, e);
}

static bool unpack_data(struct incoming *in, struct error *e)
{
    in->disk = archive_write_disk_new();
    archive_write_disk_set_options(in->disk, ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
                                                 ARCHIVE_EXTRACT_UNLINK | ARCHIVE_EXTRACT_SECURE_NODOTDOT);
    bytes_addf(&in->list, "/.\n");
    bool ok = deb_read(in->deb, DEB_DATA, take_file, in, e);
    if (archive_write_free(in->disk) != ARCHIVE_OK && ok)
        ok = error_set(e, "could not finish unpacking '%s'", in->deb);
    return ok;
}

static bool name_package(struct incoming *in, struct error *e)
{
    char package[100];
    char multi[20] = "";
    char arch[40];

    if (!in->control.data || !stage_field(in->control.data, "Package", package, sizeof package) ||
        !stage_field(in->control.data, "Architecture", arch, sizeof arch) || strpbrk(package, "/ "))
        return error_set(e, "the package '%s' does not say what it is", in->deb);
    stage_field(in->control.data, "Multi-Arch", multi, sizeof multi);
    bool same = strcmp(multi, "same") == 0;
    snprintf(in->name, sizeof in->name, "%s%s%s", package, same ? ":" : "", same ? arch : "");
    return true;
}

static bool write_info(struct incoming *in, const char *ext, const struct bytes *data, struct error *e)
{
    static const char *const scripts[] = { "preinst", "postinst", "prerm", "postrm", "config" };
    struct path p;

    if (!path_set(&p, e, "%s/var/lib/dpkg/info/%s.%s", in->stage->root.s, in->name, ext) ||
        !file_write(p.s, data->data, data->len, e))
        return false;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
        if (strcmp(scripts[i], ext) == 0 && chmod(p.s, 0755) < 0)
            return error_set(e, "could not make '%s' executable: %s", p.s, strerror(errno));
    return true;
}

static bool take_package(struct stage *s, const char *deb, struct error *e)
{
    struct incoming in = { .stage = s, .deb = deb };

    bool ok = deb_read(deb, DEB_CONTROL, take_control, &in, e) && name_package(&in, e) &&
              unpack_data(&in, e) && write_info(&in, "list", &in.list, e);
    for (size_t i = 0; i < in.members.count; i++) {
        ok = ok && write_info(&in, in.members.item[i], &in.data[i], e);
        bytes_free(&in.data[i]);
    }
    if (ok)
        stage_status(in.control.data, in.conffiles.data, &s->status);
    s->packages++;
    free(in.data);
    bytes_free(&in.control);
    bytes_free(&in.conffiles);
    bytes_free(&in.list);
    strings_free(&in.members);
    return ok;
}

static bool put_database(struct stage *s, struct error *e)
{
    static const char *const empty[] = { "available", "diversions", "statoverride" };
    struct path p;

    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++)
        if (!path_set(&p, e, "%s/var/lib/dpkg/%s", s->root.s, empty[i]) || !file_write(p.s, "", 0, e))
            return false;
    return path_set(&p, e, "%s/var/lib/dpkg/info/format", s->root.s) && file_write(p.s, "1\n", 2, e) &&
           path_set(&p, e, "%s/var/lib/dpkg/status", s->root.s) &&
           file_write(p.s, s->status.data, s->status.len, e);
}

static bool make_dirs(struct stage *s, struct error *e)
{
    static const char *const dirs[] = { "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers",
                                        "usr/bin", "usr/sbin", "usr/lib" };
    struct path p;

    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++)
        if (!path_set(&p, e, "%s/%s", s->root.s, dirs[i]) || !path_make_dirs(p.s, e))
            return false;
    return true;
}

/* base-files goes first: it has the links /bin -> usr/bin, through which others are unpacked. */
static bool is_base_files(const char *deb)
{
    return strncmp(path_base(deb), "base-files_", 11) == 0;
}

bool stage_unpack(struct stage *s, const struct rootfs *r, struct error *e)
{
    int64_t total = 0, done = 0;
    bool ok = make_dirs(s, e);

    for (size_t i = 0; i < r->packages->count; i++)
        total += path_size(r->packages->item[i]);
    progress_begin(r->progress, "unpacking", 0);
    for (int pass = 0; pass < 2 && ok; pass++) {
        for (size_t i = 0; i < r->packages->count && ok; i++) {
            const char *deb = r->packages->item[i];
            if (is_base_files(deb) != (pass == 0))
                continue;
            ok = take_package(s, deb, e);
            done += path_size(deb);
            progress_update(r->progress, (double)done / (double)(total > 0 ? total : 1));
        }
    }
    ok = ok && put_database(s, e);
    progress_end(r->progress, ok);
    return ok;
}

void stage_free(struct stage *s)
{
    for (size_t i = 0; i < s->owners; i++)
        free(s->owner[i].name);
    free(s->owner);
    bytes_free(&s->status);
}
