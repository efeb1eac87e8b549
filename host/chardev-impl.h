/* chardev-impl.h - what the chardev*.c files share; nobody else includes it. */
#ifndef HOST_CHARDEV_IMPL_H
#define HOST_CHARDEV_IMPL_H

#include "chardev.h"

/* How bytes leave without ever blocking. */
enum chardev_out {
    OUT_NONBLOCK, /* a file description of our own with O_NONBLOCK */
    OUT_SOCKET,   /* send(MSG_DONTWAIT) */
    OUT_GUARDED,  /* the description is shared with others: poll, then a chunk that fits */
};

struct chardev {
    struct char_port port; /* first */
    struct loop *loop;
    enum chardev_kind kind;
    char name[PATH_MAX + 64];
    bool terminal;
    bool open;      /* somebody is there, as far as one can tell */
    bool told_open; /* what the device was told last */
    struct loop_hook hook;

    int in_fd;  /* -1: no input, or it ended */
    int out_fd; /* -1: output is dropped (a ringbuf keeps it) */
    enum chardev_out out;
    struct loop_watch *in_watch;
    struct loop_watch *out_watch;

    uint8_t *buf; /* a ring of `room` bytes, grown up to `limit` */
    size_t head, count, room, limit;
    int log_fd;

    int listen_fd; /* servers; -1 otherwise */
    struct loop_watch *listen_watch;
    char unlink[PATH_MAX]; /* a Unix server's socket file */
    int limit_fd; /* the client's time limit; -1 until it gets one */
    struct loop_watch *limit_watch;
    int keep_fd; /* a pty's slave, kept open so that the master never hangs up */
};

/* Starts watching in_fd and out_fd, which may be the same. */
void chardev_start(struct chardev *c);

/* Closes in_fd and out_fd and tells the device; a server goes on listening. */
void chardev_hang_up(struct chardev *c);

/* Writes what it can without blocking. */
void chardev_drain(struct chardev *c);

/* A descriptor for the same thing with a file description of our own, so that O_NONBLOCK does not reach the
 * shell that shares it; falls back to a plain duplicate and OUT_GUARDED. -1 on failure. */
int chardev_own(int fd, int flags, enum chardev_out *out);

void chardev_socket_patience(struct char_port *port, unsigned seconds);
bool chardev_open_socket(struct chardev *c, const struct chardev_config *config, struct error *e);

#endif
