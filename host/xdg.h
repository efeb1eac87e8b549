/*
 * xdg.h - where a user's files belong, by the XDG Base Directory Specification 0.8.
 *
 * Gaps: the search lists (XDG_DATA_DIRS, XDG_CONFIG_DIRS) are not read; nothing of ours lives there.
 */
#ifndef HOST_XDG_H
#define HOST_XDG_H

#include "path.h"

/* $XDG_CACHE_HOME/lyrebird or ~/.cache/lyrebird: everything in it can be deleted and fetched again. */
bool xdg_cache_dir(struct path *out, struct error *e);

/* $XDG_DATA_HOME/lyrebird or ~/.local/share/lyrebird: the user's disks; never written over by us. */
bool xdg_data_dir(struct path *out, struct error *e);

#endif
