/* rootfs.c - see rootfs.h. */
#define _GNU_SOURCE 1

#include "rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "guest-init.h"
#include "keyvals.h"
#include "rootfs-stage.h"

bool rootfs_parse_size(const char *text, uint64_t *size, struct error *e)
{
    if (parse_size(text, 1, size) && *size >= UINT64_C(1000000000) && *size <= UINT64_C(16) << 40)
        return true;
    return error_set(e, "'%s' is not a size for a root disk: give 1G to 16T, such as 4G", text);
}

struct file {
    const char *name;
    unsigned mode;
    const char *text;
};

/* What the packages' scripts would have made from these, and a shell needs before they have run. */
static const char *const copies[][2] = {
    { "usr/share/base-passwd/passwd.master", "etc/passwd" },
    { "usr/share/base-passwd/group.master", "etc/group" },
    { "usr/share/base-files/nsswitch.conf", "etc/nsswitch.conf" },
    { "usr/share/base-files/profile", "etc/profile" },
    { "usr/share/base-files/dot.profile", "root/.profile" },
    { "usr/share/base-files/dot.bashrc", "root/.bashrc" },
};

static const struct file files[] = {
    { "usr/sbin/lyrebird-init", 0755, guest_root_init },
    { "usr/sbin/lyrebird-finish", 0755, guest_root_finish },
    { "etc/profile.d/lyrebird.sh", 0644, guest_root_profile },
    { "usr/share/lyrebird/udhcpc.script", 0755, guest_dhcp_script },
    { "etc/hostname", 0644, "debian\n" },
    { "etc/hosts", 0644, "127.0.0.1 localhost debian\n::1 localhost\n" },
    { "etc/fstab", 0644, "/dev/vda / ext4 defaults 0 1\n" },
    { "etc/resolv.conf", 0644, "" },
};

static const char *const power[][2] = { { "poweroff", "USR2" }, { "halt", "USR1" }, { "reboot", "TERM" } };

static bool put(const struct stage *s, const char *name, unsigned mode, const void *data, size_t len,
                struct error *e)
{
    struct path p, dir;

    if (!path_set(&p, e, "%s/%s", s->root.s, name) ||
        !path_set(&dir, e, "%.*s", (int)(path_base(p.s) - p.s - 1), p.s) || !path_make_dirs(dir.s, e) ||
        !file_write(p.s, data, len, e))
        return false;
    return chmod(p.s, mode) == 0 || error_set(e, "could not set the mode of '%s': %s", p.s, strerror(errno));
}

static bool put_copy(const struct stage *s, const char *from, const char *to, struct error *e)
{
    struct bytes data;
    struct path p;

    if (!path_set(&p, e, "%s/%s", s->root.s, from))
        return false;
    if (!path_exists(p.s))
        return true;
    if (!file_read(p.s, 1 << 20, &data, e))
        return false;
    bool ok = put(s, to, 0644, data.data, data.len, e);
    bytes_free(&data);
    return ok;
}

static bool put_sources(const struct stage *s, const struct rootfs *r, struct error *e)
{
    struct bytes text = { 0 };

    bytes_addf(&text, "deb %s %s main\n", r->mirror, r->suite);
    if (r->security[0])
        bytes_addf(&text, "deb %s %s-security main\n", r->security, r->suite);
    bool ok = put(s, "etc/apt/sources.list", 0644, text.data, text.len, e);
    bytes_free(&text);
    return ok;
}

static bool put_files(const struct stage *s, const struct rootfs *r, struct error *e)
{
    bool ok = true;

    for (size_t i = 0; i < sizeof copies / sizeof copies[0] && ok; i++)
        ok = put_copy(s, copies[i][0], copies[i][1], e);
    for (size_t i = 0; i < sizeof files / sizeof files[0] && ok; i++)
        ok = put(s, files[i].name, files[i].mode, files[i].text, strlen(files[i].text), e);
    for (size_t i = 0; i < sizeof power / sizeof power[0] && ok; i++) {
        struct bytes text = { 0 };
        struct path name;
        bytes_addf(&text, "#!/bin/sh\n# Asks process 1 (see signal handling in lyrebird-init).\nkill -%s 1\n",
                   power[i][1]);
        ok = path_set(&name, e, "usr/local/sbin/%s", power[i][0]) &&
             put(s, name.s, 0755, text.data, text.len, e);
        bytes_free(&text);
    }
    return ok && put_sources(s, r, e);
}

static void owner_line(struct bytes *script, const char *name, unsigned uid, unsigned gid)
{
    /* debugfs has no escape for a quote; no Debian package has such a name. */
    if (!strchr(name, '"') && !strchr(name, '\n'))
        bytes_addf(script, "sif \"/%s\" uid %u\nsif \"/%s\" gid %u\n", name, uid, name, gid);
}

/* debugfs commands that give the image's files to those whose they are. */
static bool owner_script(const struct stage *s, struct bytes *script, struct error *e)
{
    char *roots[] = { (char *)s->root.s, NULL };
    size_t skip = strlen(s->root.s);

    bytes_add(script, "", 0);
    if (geteuid() != 0 || getegid() != 0) {
        FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        if (!fts)
            return error_set(e, "could not read '%s': %s", s->root.s, strerror(errno));
        for (FTSENT *f; (f = fts_read(fts));)
            if (f->fts_info != FTS_DP && f->fts_level > 0)
                owner_line(script, f->fts_path + skip + 1, 0, 0);
        fts_close(fts);
    }
    for (size_t i = 0; i < s->owners; i++)
        owner_line(script, s->owner[i].name, s->owner[i].uid, s->owner[i].gid);
    return true;
}

static bool set_owners(const struct stage *s, const struct rootfs *r, const char *image, struct error *e)
{
    struct strings argv = { 0 };
    struct bytes script = { 0 };
    struct path file;

    bool ok = path_set(&file, e, "%s/owners", r->work) && owner_script(s, &script, e) &&
              file_write(file.s, script.data, script.len, e);
    strings_add(&argv, "debugfs");
    strings_add(&argv, "-w");
    strings_add(&argv, "-f");
    strings_add(&argv, file.s);
    strings_add(&argv, image);
    ok = ok && (!script.len || child_run(&(struct child){ .argv = &argv }, e));
    strings_free(&argv);
    bytes_free(&script);
    return ok;
}

static bool make_file_system(const struct stage *s, const struct rootfs *r, const char *image,
                             struct error *e)
{
    static const char *const options[] = {
        "mke2fs", "-q", "-F", "-t", "ext4", "-m", "1", "-L", "debian",
        /* Tables that are left for later would be zeroed by the guest. */
        "-E", "root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0", "-d",
    };
    struct strings argv = { 0 };

    int fd = open(image, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_set(e, "could not create '%s': %s", image, strerror(errno));
    bool ok = ftruncate(fd, (off_t)r->size) == 0 ||
              error_set(e, "could not make '%s' %llu bytes large: %s", image, (unsigned long long)r->size,
                        strerror(errno));
    close(fd);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        strings_add(&argv, options[i]);
    strings_add(&argv, s->root.s);
    strings_add(&argv, image);
    ok = ok && child_run(&(struct child){ .argv = &argv }, e);
    strings_free(&argv);
    return ok;
}

static bool make_image(const struct stage *s, const struct rootfs *r, struct error *e)
{
    struct path tmp;

    if (!path_set(&tmp, e, "%s.%ld.new", r->image, (long)getpid()))
        return false;
    progress_begin(r->progress, "making the disk image", 0);
    bool ok = make_file_system(s, r, tmp.s, e) && set_owners(s, r, tmp.s, e);
    /* link, unlike rename, never replaces a disk that appeared meanwhile. */
    if (ok && link(tmp.s, r->image) < 0)
        ok = error_set(e, "could not put '%s' in place: %s", r->image, strerror(errno));
    unlink(tmp.s);
    progress_end(r->progress, ok);
    return ok;
}

bool rootfs_make(const struct rootfs *r, struct error *e)
{
    struct stage s = { 0 };
    struct error ignored;
    struct path root;

    if (!path_remove_tree(r->work, e) || !path_set(&root, e, "%s/root", r->work) ||
        !path_make_dirs(root.s, e))
        return false;
    bool ok = realpath(root.s, s.root.s) || error_set(e, "could not find '%s': %s", root.s, strerror(errno));
    ok = ok && stage_unpack(&s, r, e) && put_files(&s, r, e) && make_image(&s, r, e);
    if (ok)
        progress_note(r->progress, "%u packages are in '%s'", s.packages, r->image);
    stage_free(&s);
    path_remove_tree(r->work, ok ? e : &ignored);
    return ok;
}
