/* xdg.c - see xdg.h. */
#include "xdg.h"

#include <stdlib.h>

/* The specification says that a relative name is to be ignored. */
static bool xdg_dir(struct path *out, const char *variable, const char *fallback, struct error *e)
{
    const char *dir = getenv(variable);
    const char *home = getenv("HOME");

    if (dir && dir[0] == '/')
        return path_set(out, e, "%s/lyrebird", dir);
    if (home && home[0] == '/')
        return path_set(out, e, "%s/%s/lyrebird", home, fallback);
    return error_set(e, "neither %s nor HOME is set to an absolute directory: set one of them", variable);
}

bool xdg_cache_dir(struct path *out, struct error *e)
{
    return xdg_dir(out, "XDG_CACHE_HOME", ".cache", e);
}

bool xdg_data_dir(struct path *out, struct error *e)
{
    return xdg_dir(out, "XDG_DATA_HOME", ".local/share", e);
}
