/* initramfs-debian.h - the initramfs of a Debian guest, from an unpacked kernel and busybox. */
#ifndef HOST_INITRAMFS_DEBIAN_H
#define HOST_INITRAMFS_DEBIAN_H

#include "path.h"
#include "progress.h"

/*
 * `dir` has busybox and modules/. The archive is built into it as initrd-KEY.cpio unless it is there; the key
 * covers the scripts and the list of modules, so a newer lyrebird builds a new one and removes the old.
 */
bool initramfs_debian(const char *dir, const char *version, struct path *out, struct progress *progress,
                      struct error *e);

#endif
