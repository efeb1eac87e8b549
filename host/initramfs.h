/*
 * initramfs.h - writes the archive that Linux unpacks as its first root: "newc" cpio, as
 * linux/Documentation/driver-api/early-userspace/buffer-format.rst says. It is not compressed: what is saved
 * on the host's disk would be paid by the guest's CPU.
 *
 * The same content always gives the same bytes: times are 0, inode numbers count up.
 */
#ifndef HOST_INITRAMFS_H
#define HOST_INITRAMFS_H

#include <sys/types.h>

#include "path.h"

struct initramfs {
    struct archive *cpio;
    struct path file;
    struct path tmp;
    struct strings dirs;    /* those that are in it */
    int64_t inode;
    bool ok;                /* after a failure the rest is skipped, and initramfs_close reports */
    struct error error;
};

/* Names have no leading '/'. Parents are added as needed; all belongs to root. */
bool initramfs_open(struct initramfs *i, const char *file, struct error *e);
void initramfs_dir(struct initramfs *i, const char *name);
void initramfs_file(struct initramfs *i, const char *name, mode_t mode, const void *data, size_t len);
void initramfs_link(struct initramfs *i, const char *name, const char *target);
void initramfs_device(struct initramfs *i, const char *name, unsigned major, unsigned minor);

/* Finishes the file and puts it in place; after any failure it is removed and the first message given. */
bool initramfs_close(struct initramfs *i, struct error *e);

#endif
