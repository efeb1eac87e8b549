/* rootfs-stage.h - the staging tree of rootfs.c: packages unpacked and recorded for dpkg. */
#ifndef HOST_ROOTFS_STAGE_H
#define HOST_ROOTFS_STAGE_H

#include "rootfs.h"

struct owner {
    char *name;             /* no leading '/' */
    unsigned uid, gid;
};

struct stage {
    struct path root;
    struct bytes status;    /* dpkg's status file as it grows */
    struct owner *owner;    /* the entries that are not root's */
    size_t owners;
    unsigned packages;
};

/* Unpacks all packages under `root`, an empty directory that exists, and writes dpkg's records. */
bool stage_unpack(struct stage *s, const struct rootfs *r, struct error *e);
void stage_free(struct stage *s);

/*
 * The status paragraph of a package that is unpacked but not configured: `control` with a Status field, and
 * the configuration files in `conffiles` (one a line, or NULL) as new. dpkg(1), deb822(5).
 */
void stage_status(const char *control, const char *conffiles, struct bytes *out);

/* The value of a field of a control paragraph, without continuation lines. */
bool stage_field(const char *control, const char *field, char *value, size_t size);

/*
 * Where a package's file lies in a system with merged /usr: "lib/x" is "usr/lib/x". False for the
 * directories that are links there.
 */
bool stage_merged_name(const char *name, bool directory, struct path *out, struct error *e);

#endif
