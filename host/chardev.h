/*
 * chardev.h - the host ends of character ports: standard input and output, files, pipes, ptys, sockets,
 * memory.
 *
 * Output never stalls the guest. Every port has a buffer that the loop drains; when the reader does not keep
 * up the oldest bytes are lost (16 MiB for stdio, files and pipes, 1 MiB for sockets and ptys), and without a
 * reader (a socket that is not connected) all are. What is buffered for stdio, a file or a pipe is written
 * out at close, for as long as the other side makes progress.
 */
#ifndef HOST_CHARDEV_H
#define HOST_CHARDEV_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "loop.h"
#include "ports.h"

enum chardev_kind {
    CHARDEV_NONE, /* -serial none: there is no device at all; not for chardev_open() */
    CHARDEV_REFERENCE, /* -serial chardev:ID; not for chardev_open() */
    CHARDEV_NULL, CHARDEV_STDIO, CHARDEV_FILE, CHARDEV_PIPE, CHARDEV_PTY, CHARDEV_SOCKET, CHARDEV_RINGBUF,
};

struct chardev_config {
    enum chardev_kind kind;
    char id[64];
    char path[PATH_MAX];  /* file, pipe, Unix socket */
    char input[PATH_MAX]; /* file: read from here; may be empty */
    char host[256];       /* TCP */
    char port[32];        /* TCP, empty for a Unix socket */
    char log[PATH_MAX];   /* a copy of all output; may be empty */
    bool log_append;
    bool append;
    bool server;
    bool wait;    /* a server waits for its first client at start */
    bool signals; /* stdio: Ctrl-C and friends stay signals */
    bool mux;     /* several devices share it: see mux.h */
    bool monitor; /* `mon:`: and one of them is the monitor */
    uint64_t size; /* ringbuf: bytes */
};

/* "socket,id=c0,path=/tmp/x,server=on,wait=off": the argument of -chardev. */
bool chardev_parse(const char *text, struct chardev_config *config, struct error *e);

/* "stdio", "mon:stdio", "file:NAME", "tcp:HOST:PORT,server,nowait", ...: the argument of -serial, -monitor,
 * -qmp. */
bool chardev_parse_serial(const char *text, struct chardev_config *config, struct error *e);

/* Opens; the port is freed by chardev_close(). NULL with a message on failure. Ignores SIGPIPE for the
 * process. */
struct char_port *chardev_open(struct loop *loop, const struct chardev_config *config, struct error *e);
void chardev_close(struct char_port *port);

/* Input comes from a person at a terminal. */
bool chardev_is_terminal(const struct char_port *port);

/* "pty:/dev/pts/3", "tcp:127.0.0.1:4444,server": what it is connected to. */
const char *chardev_name(const struct char_port *port);

/* Takes up to `size` buffered bytes out of a ringbuf; returns how many. */
size_t chardev_ringbuf_read(struct char_port *port, uint8_t *buf, size_t size);

#endif
