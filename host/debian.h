/*
 * debian.h - a Debian guest from Debian's own signed archive: its kernel, an initramfs with busybox and the
 * modules that our machines need, and the packages of a root file system.
 *
 * Under the user's cache directory, debian-SUITE-ARCH/ holds:
 *   apt/            apt's private state and the packages
 *   kernel.txt      the version in use; as long as it is there, nothing is asked of the network
 *   kernel-VERSION/ Image, busybox, modules/, initrd-KEY.cpio
 *   root.txt        the package files of a root file system
 */
#ifndef HOST_DEBIAN_H
#define HOST_DEBIAN_H

#include "apt.h"

struct debian {
    const char *arch;           /* as Debian names it; "riscv64" */
    const char *mirror;         /* a URL instead of the host's own archive, or NULL */
    bool refresh;               /* look for newer packages even if there are some */
    struct progress *progress;

    struct path dir;            /* set by debian_open */
    int lock;
    struct apt apt;
    bool apt_ready;
};

struct debian_kernel {
    char version[128];
    struct path image;
    struct path initrd;
};

extern const char debian_suite[];

/* The caller has filled in the first four fields. Waits for another lyrebird that is fetching the same. */
bool debian_open(struct debian *d, struct error *e);
void debian_close(struct debian *d);

/* The kernel and its initramfs, fetched and built unless they are in the cache. */
bool debian_kernel(struct debian *d, struct debian_kernel *out, struct error *e);

/* The package files (full names) of a root file system, fetched unless they are in the cache. */
bool debian_root_packages(struct debian *d, struct strings *files, struct error *e);

/* apt with fresh lists; done once. */
bool debian_apt(struct debian *d, struct error *e);

#endif
