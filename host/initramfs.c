/* initramfs.c - see initramfs.h. */
#include "initramfs.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool initramfs_open(struct initramfs *i, const char *file, struct error *e)
{
    *i = (struct initramfs){ .ok = true };
    if (!path_set(&i->file, e, "%s", file) || !path_set(&i->tmp, e, "%s.%ld.new", file, (long)getpid()))
        return false;
    i->cpio = archive_write_new();
    archive_write_set_format_cpio_newc(i->cpio);
    archive_write_add_filter_none(i->cpio);
    if (archive_write_open_filename(i->cpio, i->tmp.s) == ARCHIVE_OK)
        return true;
    error_set(e, "could not create '%s': %s", i->tmp.s, archive_error_string(i->cpio));
    archive_write_free(i->cpio);
    return false;
}

static void fail(struct initramfs *i, const char *name)
{
    i->ok =
        error_set(&i->error, "could not add '%s' to '%s': %s", name, i->tmp.s, archive_error_string(i->cpio));
}

static struct archive_entry *new_entry(struct initramfs *i, const char *name, mode_t mode)
{
    struct archive_entry *entry = archive_entry_new();

    archive_entry_set_pathname(entry, name);
    archive_entry_set_mode(entry, mode);
    archive_entry_set_size(entry, 0);
    archive_entry_set_ino64(entry, ++i->inode);
    archive_entry_set_nlink(entry, 1);
    archive_entry_set_mtime(entry, 0, 0);
    return entry;
}

static void put(struct initramfs *i, struct archive_entry *entry, const void *data, size_t len)
{
    bool ok = archive_write_header(i->cpio, entry) == ARCHIVE_OK;

    if (ok && len)
        ok = archive_write_data(i->cpio, data, len) == (la_ssize_t)len;
    if (!ok)
        fail(i, archive_entry_pathname(entry));
    archive_entry_free(entry);
}

static void parents(struct initramfs *i, const char *name)
{
    struct path dir;

    for (const char *s = name; i->ok && (s = strchr(s, '/')); s++) {
        i->ok = path_set(&dir, &i->error, "%.*s", (int)(s - name), name);
        if (i->ok)
            initramfs_dir(i, dir.s);
    }
}

void initramfs_dir(struct initramfs *i, const char *name)
{
    if (!i->ok || strings_has(&i->dirs, name))
        return;
    parents(i, name);
    if (!i->ok)
        return;
    strings_add(&i->dirs, name);
    put(i, new_entry(i, name, S_IFDIR | 0755), NULL, 0);
}

void initramfs_file(struct initramfs *i, const char *name, mode_t mode, const void *data, size_t len)
{
    parents(i, name);
    if (!i->ok)
        return;
    struct archive_entry *entry = new_entry(i, name, S_IFREG | mode);
    archive_entry_set_size(entry, (la_int64_t)len);
    put(i, entry, data, len);
}

void initramfs_link(struct initramfs *i, const char *name, const char *target)
{
    parents(i, name);
    if (!i->ok)
        return;
    struct archive_entry *entry = new_entry(i, name, S_IFLNK | 0777);
    archive_entry_set_symlink(entry, target);
    put(i, entry, NULL, 0);
}

void initramfs_device(struct initramfs *i, const char *name, unsigned major, unsigned minor)
{
    parents(i, name);
    if (!i->ok)
        return;
    struct archive_entry *entry = new_entry(i, name, S_IFCHR | 0600);
    archive_entry_set_rdevmajor(entry, (dev_t)major);
    archive_entry_set_rdevminor(entry, (dev_t)minor);
    put(i, entry, NULL, 0);
}

bool initramfs_close(struct initramfs *i, struct error *e)
{
    if (archive_write_close(i->cpio) != ARCHIVE_OK && i->ok)
        fail(i, "the end");
    archive_write_free(i->cpio);
    strings_free(&i->dirs);
    if (i->ok && rename(i->tmp.s, i->file.s) < 0)
        i->ok = error_set(&i->error, "could not put '%s' in place: %s", i->file.s, strerror(errno));
    if (i->ok)
        return true;
    unlink(i->tmp.s);
    *e = i->error;
    return false;
}
