/*
 * rootfs.h - a disk image with a Debian root file system, made from packages without root's rights and
 * without running any of their programs.
 *
 * The packages are unpacked into a staging directory and recorded as "unpacked" in the status file of
 * dpkg(1); mke2fs(8) copies the directory into an ext4 image, and debugfs(8) sets the owners that an
 * ordinary user's files can not have. In the guest, `lyrebird-finish` has dpkg configure the packages, as
 * installers of foreign systems do.
 *
 * Gaps: preinst scripts never run; extended attributes and file capabilities of packages are dropped.
 */
#ifndef HOST_ROOTFS_H
#define HOST_ROOTFS_H

#include "path.h"
#include "progress.h"

struct rootfs {
    const struct strings *packages; /* .deb files */
    const char *work;       /* a directory for the staging tree; removed at the end */
    const char *image;      /* the file to make; it must not exist */
    uint64_t size;          /* of the image, in bytes */
    const char *arch;       /* Debian's name of it */
    const char *suite;
    const char *mirror;     /* for the guest's own apt */
    const char *security;   /* the same, or "" */
    struct progress *progress;
};

bool rootfs_make(const struct rootfs *r, struct error *e);

/* "4G", "800M", or a number of bytes: at least 1 GB and at most 16 TB. */
bool rootfs_parse_size(const char *text, uint64_t *size, struct error *e);

#endif
