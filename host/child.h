/*
 * child.h - runs a program of the host with an argument vector (never through a shell) and waits for it.
 */
#ifndef HOST_CHILD_H
#define HOST_CHILD_H

#include "path.h"

/* The file descriptor on which a child that was given `on_status` may write lines of its own. */
enum { CHILD_STATUS_FD = 3 };

struct child {
    const struct strings *argv;     /* argv[0] is looked up in PATH, then in /usr/sbin and /sbin */
    const char *env;                /* one "NAME=value" to add, or NULL */
    const char *cwd;                /* where it runs, or NULL for here */
    struct bytes *output;           /* collects its standard output, or NULL to drop it */
    void (*on_status)(void *ctx, const char *line);
    void *ctx;
};

/*
 * True when the program ran and exited with 0. Otherwise the message has its name, its status and the last
 * of what it wrote on standard error. Standard input is /dev/null and LC_ALL is C.
 */
bool child_run(const struct child *c, struct error *e);

/* Whether a program is in PATH, /usr/sbin or /sbin; if so its full name is in `out`. */
bool child_find(const char *program, struct path *out);

#endif
