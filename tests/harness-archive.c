/* harness-archive.c - see harness-archive.h. */
#define _GNU_SOURCE 1

#include "harness-archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "apt.h"
#include "child.h"
#include "deb.h"
#include "initramfs.h"
#include "kmod.h"
#include "rootfs-stage.h"
#include "run-options.h"
#include "sniff.h"

static bool give(char *text, size_t size, bool ok, const struct bytes *out, const struct error *e)
{
    snprintf(text, size, "%s", ok ? out->data ? out->data : "" : e->text);
    return ok;
}

bool arc_make_dir(char *dir, size_t size)
{
    const char *base = getenv("TMPDIR");

    snprintf(dir, size, "%s/lyrebird-archive.XXXXXX", base ? base : "/tmp");
    return mkdtemp(dir) != NULL;
}

void arc_remove(const char *path)
{
    struct error e;

    path_remove_tree(path, &e);
}

bool arc_write(const char *file, const void *data, size_t len)
{
    struct error e;

    return file_write(file, data, len, &e);
}

bool arc_initramfs_sample(const char *file, char *text, size_t size)
{
    struct initramfs i;
    struct error e;
    struct bytes none = { 0 };

    bool ok = initramfs_open(&i, file, &e);
    if (ok) {
        initramfs_dir(&i, "proc");
        initramfs_device(&i, "dev/console", 5, 1);
        initramfs_file(&i, "etc/deep/hello", 0644, "hello", 5);
        initramfs_file(&i, "init", 0755, "#!/bin/sh\n", 10);
        initramfs_file(&i, "empty", 0600, NULL, 0);
        initramfs_link(&i, "bin/sh", "/usr/bin/busybox");
        ok = initramfs_close(&i, &e);
    }
    return give(text, size, ok, &none, &e);
}

static const char *type_name(mode_t type)
{
    return type == AE_IFDIR ? "dir" : type == AE_IFLNK ? "link" : type == AE_IFCHR ? "char" : "file";
}

static void describe(struct archive *a, struct archive_entry *entry, struct bytes *out)
{
    const char *link = archive_entry_symlink(entry);
    char data[100];

    bytes_addf(out, "%s %o %s", type_name(archive_entry_filetype(entry)), (unsigned)archive_entry_perm(entry),
               archive_entry_pathname(entry));
    if (link)
        bytes_addf(out, " -> %s", link);
    else if (archive_entry_filetype(entry) == AE_IFCHR)
        bytes_addf(out, " %d:%d", (int)archive_entry_rdevmajor(entry), (int)archive_entry_rdevminor(entry));
    else if (archive_entry_filetype(entry) == AE_IFREG)
        bytes_addf(out, " %d %.*s", (int)archive_entry_size(entry),
                   (int)archive_read_data(a, data, sizeof data), data);
    bytes_addf(out, "\n");
}

bool arc_list(const char *file, char *text, size_t size)
{
    struct archive *a = archive_read_new();
    struct archive_entry *entry;
    struct bytes out = { 0 };
    struct error e;
    int r;

    archive_read_support_format_all(a);
    bool ok = archive_read_open_filename(a, file, 4096) == ARCHIVE_OK;
    while (ok && (r = archive_read_next_header(a, &entry)) != ARCHIVE_EOF) {
        ok = r == ARCHIVE_OK;
        if (ok)
            describe(a, entry, &out);
    }
    if (!ok)
        error_set(&e, "%s", archive_error_string(a));
    archive_read_free(a);
    give(text, size, ok, &out, &e);
    bytes_free(&out);
    return ok;
}

static bool output_of(const struct strings *argv, char *text, size_t size)
{
    struct bytes out = { 0 };
    struct error e;

    bool ok = child_run(&(struct child){ .argv = argv, .output = &out }, &e);
    give(text, size, ok, &out, &e);
    bytes_free(&out);
    return ok;
}

int arc_cpio_list(const char *file, char *text, size_t size)
{
    struct strings argv = { 0 };

    if (arc_have("busybox"))
        strings_add(&argv, "busybox");
    else if (!arc_have("cpio"))
        return -1;
    strings_add(&argv, "cpio");
    strings_add(&argv, "-t");
    strings_add(&argv, "-F");
    strings_add(&argv, file);
    bool ok = output_of(&argv, text, size);
    strings_free(&argv);
    return ok;
}

static void split(const char *text, const char *separators, struct strings *out)
{
    char *copy = strdup(text);
    char *save = NULL;

    for (char *s = strtok_r(copy, separators, &save); s; s = strtok_r(NULL, separators, &save))
        strings_add(out, s);
    free(copy);
}

static void join(const struct strings *l, const char *separator, struct bytes *out)
{
    bytes_add(out, "", 0);
    for (size_t i = 0; i < l->count; i++)
        bytes_addf(out, "%s%s", i ? separator : "", l->item[i]);
}

static bool needs_by_text(void *ctx, const char *name, struct strings *needs, struct error *e)
{
    struct strings lines = { 0 };
    size_t n = strlen(name);
    bool found = false;

    split(ctx, "\n", &lines);
    for (size_t i = 0; i < lines.count && !found; i++) {
        found = strncmp(lines.item[i], name, n) == 0 && lines.item[i][n] == ':';
        if (found)
            split(lines.item[i] + n + 1, " ", needs);
    }
    strings_free(&lines);
    return found || error_set(e, "no module %s", name);
}

bool arc_closure(const char *needs, const char *wanted, char *text, size_t size)
{
    struct strings want = { 0 };
    struct strings order = { 0 };
    struct bytes out = { 0 };
    struct error e;

    split(wanted, " ", &want);
    bool ok = kmod_closure(&want, needs_by_text, (void *)(uintptr_t)needs, &order, &e);
    join(&order, " ", &out);
    give(text, size, ok, &out, &e);
    bytes_free(&out);
    strings_free(&want);
    strings_free(&order);
    return ok;
}

bool arc_module_info(const void *ko, size_t len, char *text, size_t size)
{
    struct strings info = { 0 };
    struct bytes out = { 0 };
    struct error e;

    /* An exact copy on the heap, so that a sanitizer sees a read past the end. */
    void *copy = malloc(len ? len : 1);
    memcpy(copy, ko, len);
    bool ok = kmod_info(copy, len, &info, &e);
    free(copy);
    join(&info, "\n", &out);
    give(text, size, ok, &out, &e);
    bytes_free(&out);
    strings_free(&info);
    return ok;
}

void arc_module_needs(const char *line, char *text, size_t size)
{
    struct strings info = { 0 };
    struct strings hard = { 0 };
    struct strings soft = { 0 };
    struct bytes out = { 0 };
    struct error e;

    split(line, "\n", &info);
    kmod_needs(&info, &hard, &soft);
    join(&hard, ",", &out);
    bytes_addf(&out, "|");
    join(&soft, ",", &out);
    give(text, size, true, &out, &e);
    bytes_free(&out);
    strings_free(&info);
    strings_free(&hard);
    strings_free(&soft);
}

void arc_module_name(const char *file, char *text, size_t size)
{
    kmod_name(file, text, size);
}

size_t arc_unsigned_length(const void *ko, size_t len)
{
    return kmod_unsigned_length(ko, len);
}

static const char *kind_name(enum sniff_kind kind)
{
    static const char *const names[] = {
        [SNIFF_UNKNOWN] = "unknown",     [SNIFF_EMPTY] = "empty",          [SNIFF_KERNEL] = "kernel",
        [SNIFF_BARE] = "bare",           [SNIFF_PROGRAM] = "program",      [SNIFF_EFI_PROGRAM] = "efi",
        [SNIFF_DISK] = "disk",           [SNIFF_ROOT_FS] = "rootfs",       [SNIFF_ISO] = "iso",
        [SNIFF_QCOW2] = "qcow2",         [SNIFF_OTHER_DISK] = "otherdisk", [SNIFF_DEVICE_TREE] = "dtb",
        [SNIFF_INITRAMFS] = "initramfs", [SNIFF_BOOT_TEST] = "boottest",   [SNIFF_TEXT] = "text",
    };

    return names[kind];
}

const char *arc_sniff(const void *data, size_t len, char *arch, size_t arch_size, char *what,
                      size_t what_size)
{
    struct sniff s;

    void *copy = malloc(len ? len : 1);
    memcpy(copy, data, len);
    sniff_bytes(copy, len, &s);
    free(copy);
    snprintf(arch, arch_size, "%s", s.arch ? s.arch : "");
    snprintf(what, what_size, "%s", s.what);
    return kind_name(s.kind);
}

const char *arc_sniff_file(const char *file, bool *compressed, char *text, size_t size)
{
    struct error e = { .text = "" };
    struct sniff s;

    bool ok = sniff_file(file, &s, &e);
    *compressed = s.compressed;
    snprintf(text, size, "%s", ok ? s.what : e.text);
    return ok ? kind_name(s.kind) : "error";
}

bool arc_site(const char *targets, char *site, char *security, size_t size)
{
    struct apt_site s;

    bool ok = apt_site_parse(targets, &s);
    snprintf(site, size, "%s", s.main);
    snprintf(security, size, "%s", s.security);
    return ok;
}

double arc_status_share(const char *line)
{
    return apt_status_share(line);
}

size_t arc_plan(const char *uris, uint64_t *bytes, char *text, size_t size)
{
    struct apt_plan plan = { 0 };
    struct bytes out = { 0 };
    struct error e;

    apt_plan_parse(uris, &plan);
    join(&plan.files, " ", &out);
    give(text, size, true, &out, &e);
    *bytes = plan.bytes;
    size_t n = plan.files.count;
    bytes_free(&out);
    strings_free(&plan.files);
    return n;
}

void arc_progress_line(char *text, size_t size, const char *label, double share, uint64_t total,
                       double seconds)
{
    progress_line(text, size, label, share, total, seconds);
}

void arc_progress_log(const double *shares, size_t count, bool quiet, char *text, size_t size)
{
    struct progress p;
    FILE *log = tmpfile();

    progress_init(&p, log, quiet);
    progress_begin(&p, "job", 0);
    for (size_t i = 0; i < count; i++)
        progress_update(&p, shares[i]);
    progress_end(&p, true);
    rewind(log);
    text[fread(text, 1, size - 1, log)] = 0;
    fclose(log);
}

bool arc_size(const char *word, uint64_t *bytes)
{
    struct error e;

    return rootfs_parse_size(word, bytes, &e);
}

void arc_status(const char *control, const char *conffiles, char *text, size_t size)
{
    struct bytes out = { 0 };
    struct error e;

    stage_status(control, conffiles, &out);
    give(text, size, true, &out, &e);
    bytes_free(&out);
}

void arc_merged_name(const char *name, bool directory, char *text, size_t size)
{
    struct error e;
    struct path p;

    snprintf(text, size, "%s", stage_merged_name(name, directory, &p, &e) ? p.s : e.text);
}

static void add_entry(struct archive *a, const struct arc_entry *from)
{
    struct archive_entry *entry = archive_entry_new();
    bool link = S_ISLNK(from->mode);
    size_t len = from->text && !link ? strlen(from->text) : 0;

    archive_entry_set_pathname(entry, from->name);
    archive_entry_set_mode(entry, from->mode);
    archive_entry_set_uid(entry, from->uid);
    archive_entry_set_gid(entry, from->gid);
    archive_entry_set_size(entry, (la_int64_t)len);
    archive_entry_set_mtime(entry, 1000000000, 0);
    if (link)
        archive_entry_set_symlink(entry, from->text);
    archive_write_header(a, entry);
    if (len)
        archive_write_data(a, from->text, len);
    archive_entry_free(entry);
}

/* A tar archive in memory, with gzip or xz around it. */
static void pack(const struct arc_entry *entries, size_t count, bool xz, struct bytes *out)
{
    enum { ROOM = 1 << 20 };
    struct archive *a = archive_write_new();
    char *buf = malloc(ROOM);
    size_t used = 0;

    archive_write_set_format_gnutar(a);
    if (xz)
        archive_write_add_filter_xz(a);
    else
        archive_write_add_filter_gzip(a);
    archive_write_open_memory(a, buf, ROOM, &used);
    for (size_t i = 0; i < count; i++)
        add_entry(a, &entries[i]);
    archive_write_close(a);
    archive_write_free(a);
    bytes_add(out, buf, used);
    free(buf);
}

static void add_member(struct bytes *ar, const char *name, const void *data, size_t len)
{
    bytes_addf(ar, "%-16s%-12d%-6d%-6d%-8s%-10zu`\n", name, 0, 0, 0, "100644", len);
    bytes_add(ar, data, len);
    if (len % 2)
        bytes_addf(ar, "\n");
}

bool arc_make_deb(const char *file, const struct arc_entry *control, size_t controls,
                  const struct arc_entry *data, size_t datas, char *text, size_t size)
{
    struct bytes c = { 0 };
    struct bytes d = { 0 };
    struct bytes ar = { 0 };
    struct bytes none = { 0 };
    struct error e;

    pack(control, controls, false, &c);
    pack(data, datas, true, &d);
    bytes_addf(&ar, "!<arch>\n");
    add_member(&ar, "debian-binary", "2.0\n", 4);
    add_member(&ar, "control.tar.gz", c.data, c.len);
    add_member(&ar, "data.tar.xz", d.data, d.len);
    bool ok = file_write(file, ar.data, ar.len, &e);
    bytes_free(&c);
    bytes_free(&d);
    bytes_free(&ar);
    return give(text, size, ok, &none, &e);
}

static bool take_name(void *ctx, const char *name, struct archive *tar, struct archive_entry *entry,
                      struct error *e)
{
    bytes_addf(ctx, "%s\n", name);
    return true;
}

bool arc_deb_names(const char *file, char *text, size_t size)
{
    struct bytes out = { 0 };
    struct error e;

    bool ok = deb_read(file, DEB_DATA, take_name, &out, &e);
    give(text, size, ok, &out, &e);
    bytes_free(&out);
    return ok;
}

bool arc_rootfs(const char *packages, const char *work, const char *image, char *text, size_t size)
{
    struct strings files = { 0 };
    struct progress progress;
    struct bytes none = { 0 };
    struct error e;

    progress_init(&progress, stderr, true);
    split(packages, "\n", &files);
    struct rootfs r = { .packages = &files, .work = work, .image = image, .size = UINT64_C(1) << 30,
                        .arch = "riscv64", .suite = "trixie", .mirror = "http://archive.example.org/debian",
                        .security = "", .progress = &progress };
    bool ok = rootfs_make(&r, &e);
    strings_free(&files);
    return give(text, size, ok, &none, &e);
}

bool arc_have(const char *program)
{
    struct path p;

    return child_find(program, &p);
}

bool arc_debugfs(const char *image, const char *command, char *text, size_t size)
{
    struct strings argv = { 0 };

    strings_add(&argv, "debugfs");
    strings_add(&argv, "-R");
    strings_add(&argv, command);
    strings_add(&argv, image);
    bool ok = output_of(&argv, text, size);
    strings_free(&argv);
    return ok;
}

bool arc_run_options(int argc, char **argv, char *text, size_t size)
{
    struct run_options o;
    struct bytes out = { 0 };
    struct error e;

    bool ok = run_options_parse(&o, argc, argv, &e);
    if (ok)
        bytes_addf(&out, "what=%s smp=%s m=%s append=%s quiet=%d persist=%d rest=%d", o.what ? o.what : "-",
                   o.smp ? o.smp : "-", o.memory ? o.memory : "-", o.append ? o.append : "-", o.quiet,
                   o.persist, o.rest_count);
    give(text, size, ok, &out, &e);
    bytes_free(&out);
    return ok;
}
