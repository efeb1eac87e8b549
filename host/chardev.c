/*
 * chardev.c - the byte stream behind every character port, and its closing. See chardev.h for the drop
 * policy.
 *
 * Gaps: no serial line parameters (a host tty is used as it is), no telnet, no reconnecting.
 */
#define _GNU_SOURCE 1
#include "chardev-impl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "alloc.h"
#include "terminal.h"

enum {
    READ_MAX = 4096,
    EAGER = 512,         /* so much is written at once; less waits for a newline or the loop */
    PATIENCE_MS = 2000,  /* at close: how long to wait for the reader's next sign of life */
    SOCKET_PATIENCE_MS = 200,
    MIB = 1 << 20,
};

/* ---- output ---- */

/* A terminal may take less than poll promises and then block, so it gets single bytes; a pipe that is ready
 * has room for PIPE_BUF. */
static ssize_t write_guarded(int fd, const uint8_t *p, size_t n)
{
    struct pollfd pfd = { .fd = fd, .events = POLLOUT };
    struct stat st;

    if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
        size_t chunk = S_ISFIFO(st.st_mode) ? PIPE_BUF : 1;
        n = n < chunk ? n : chunk;
    }
    if (poll(&pfd, 1, 0) <= 0) {
        errno = EAGAIN;
        return -1;
    }
    return write(fd, p, n);
}

static ssize_t write_some(struct chardev *c, const uint8_t *p, size_t n)
{
    switch (c->out) {
    case OUT_SOCKET:
        return send(c->out_fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    case OUT_GUARDED:
        return write_guarded(c->out_fd, p, n);
    case OUT_NONBLOCK:
        break;
    }
    return write(c->out_fd, p, n);
}

static void output_failed(struct chardev *c)
{
    if (c->kind != CHARDEV_SOCKET && errno != EPIPE)
        fprintf(stderr, "lyrebird: warning: %s: %s; its further output is lost\n", c->name, strerror(errno));
    chardev_hang_up(c);
}

void chardev_drain(struct chardev *c)
{
    while (c->count && c->out_fd >= 0) {
        size_t n = c->room - c->head < c->count ? c->room - c->head : c->count;
        ssize_t done = write_some(c, c->buf + c->head, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && errno == EAGAIN)
            return;
        if (done < 0) {
            output_failed(c);
            return;
        }
        c->head = (c->head + (size_t)done) % c->room;
        c->count -= (size_t)done;
    }
}

static void grow(struct chardev *c, size_t need)
{
    size_t room = c->room ? c->room : 4096;

    while (room < need && room < c->limit)
        room *= 2;
    if (room > c->limit)
        room = c->limit;
    if (room <= c->room)
        return;
    uint8_t *buf = alloc_try(1, room);
    if (!buf)
        return; /* the old one drops what does not fit */
    for (size_t i = 0; i < c->count; i++)
        buf[i] = c->buf[(c->head + i) % c->room];
    free(c->buf);
    c->buf = buf;
    c->room = room;
    c->head = 0;
}

static void put(struct chardev *c, const uint8_t *p, size_t n)
{
    if (n > c->room - c->count)
        grow(c, c->count + n);
    if (!c->room)
        return;
    if (n > c->room) {
        p += n - c->room;
        n = c->room;
    }
    if (n > c->room - c->count) {
        size_t lost = n - (c->room - c->count);
        c->head = (c->head + lost) % c->room;
        c->count -= lost;
    }
    size_t tail = (c->head + c->count) % c->room;
    size_t first = c->room - tail < n ? c->room - tail : n;
    memcpy(c->buf + tail, p, first);
    memcpy(c->buf, p + first, n - first);
    c->count += n;
}

static void write_log(struct chardev *c, const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t done = write(c->log_fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            fprintf(stderr, "lyrebird: warning: log of %s: %s; it ends here\n", c->name, strerror(errno));
            close(c->log_fd);
            c->log_fd = -1;
            return;
        }
        p += done;
        n -= (size_t)done;
    }
}

/* A line goes out with one system call and not with one a byte; what has no newline yet goes when the loop
 * wakes. */
static void port_write(struct char_port *port, const uint8_t *buf, size_t len)
{
    struct chardev *c = (struct chardev *)port;

    if (c->log_fd >= 0)
        write_log(c, buf, len);
    if (c->out_fd < 0 && c->kind != CHARDEV_RINGBUF)
        return;
    put(c, buf, len);
    if (c->kind == CHARDEV_RINGBUF)
        return;
    if (c->count >= EAGER || memchr(buf, '\n', len))
        chardev_drain(c);
    if (c->count)
        loop_wake(c->loop);
}

static void port_poke(struct char_port *port)
{
    loop_wake(((struct chardev *)port)->loop);
}

static size_t port_pending(struct char_port *port)
{
    return ((struct chardev *)port)->count;
}

/* What is queued is sent, as far as the other side takes it at once. */
static void port_hang_up(struct char_port *port)
{
    struct chardev *c = (struct chardev *)port;

    chardev_drain(c);
    if (c->out_fd >= 0)
        chardev_hang_up(c);
    loop_wake(c->loop);
}

/* ---- input ---- */

static size_t can_receive(const struct chardev *c)
{
    return c->port.can_receive ? c->port.can_receive(c->port.dev) : 0;
}

static int in_wants(void *owner)
{
    struct chardev *c = owner;

    return c->in_fd >= 0 && can_receive(c) ? LOOP_IN : 0;
}

static void in_ready(void *owner, int events)
{
    struct chardev *c = owner;
    uint8_t buf[READ_MAX];
    size_t max = can_receive(c);

    if (c->in_fd < 0 || !max)
        return;
    ssize_t n = read(c->in_fd, buf, max < sizeof buf ? max : sizeof buf);
    if (n > 0) {
        c->port.receive(c->port.dev, buf, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        if (c->kind == CHARDEV_SOCKET) {
            chardev_hang_up(c);
            return;
        }
        loop_watch_remove(c->in_watch); /* end of input: output goes on */
        c->in_watch = NULL;
        if (c->in_fd != c->out_fd)
            close(c->in_fd);
        c->in_fd = -1;
    }
}

static int out_wants(void *owner)
{
    struct chardev *c = owner;

    return c->out_fd >= 0 && c->count ? LOOP_OUT : 0;
}

static void out_ready(void *owner, int events)
{
    chardev_drain(owner);
}

void chardev_start(struct chardev *c)
{
    c->open = true;
    if (c->in_fd >= 0)
        c->in_watch = loop_watch_add(c->loop, c->in_fd, in_wants, in_ready, c);
    if (c->out_fd >= 0)
        c->out_watch = loop_watch_add(c->loop, c->out_fd, out_wants, out_ready, c);
}

/* Before each sleep, because opening and hanging up may happen inside a call of the device, and before it
 * attached. */
static void tell_device(void *owner, struct loop_poll *poll)
{
    struct chardev *c = owner;

    if (!c->port.event || c->told_open == c->open)
        return;
    c->told_open = c->open;
    c->port.event(c->port.dev, c->open ? CHAR_OPENED : CHAR_CLOSED);
}

static void close_streams(struct chardev *c)
{
    loop_watch_remove(c->in_watch);
    loop_watch_remove(c->out_watch);
    loop_watch_remove(c->limit_watch);
    c->in_watch = c->out_watch = c->limit_watch = NULL;
    if (c->in_fd >= 0 && c->in_fd != c->out_fd)
        close(c->in_fd);
    if (c->out_fd >= 0)
        close(c->out_fd);
    if (c->limit_fd >= 0)
        close(c->limit_fd);
    c->in_fd = c->out_fd = c->limit_fd = -1;
}

void chardev_hang_up(struct chardev *c)
{
    close_streams(c);
    c->count = 0;
    c->open = false;
}

int chardev_own(int fd, int flags, enum chardev_out *out)
{
    char name[32];
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -1;
    if (S_ISSOCK(st.st_mode)) {
        *out = OUT_SOCKET;
        return fcntl(fd, F_DUPFD_CLOEXEC, 3);
    }
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    int own = S_ISREG(st.st_mode) ? -1 : open(name, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    *out = own >= 0 ? OUT_NONBLOCK : OUT_GUARDED;
    return own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* ---- opening and closing ---- */

static bool open_null(struct chardev *c, const struct chardev_config *config, struct error *e)
{
    return true;
}

static bool open_ringbuf(struct chardev *c, const struct chardev_config *config, struct error *e)
{
    c->limit = config->size ? config->size : 65536;
    if (config->size > 256 * (uint64_t)MIB)
        return error_set(e, "ringbuf: size=%llu is more than 256M", (unsigned long long)config->size);
    return true;
}

static bool open_stdio(struct chardev *c, const struct chardev_config *config, struct error *e)
{
    enum chardev_out unused;

    c->terminal = isatty(STDIN_FILENO);
    c->out_fd = chardev_own(STDOUT_FILENO, O_WRONLY, &c->out);
    c->in_fd = chardev_own(STDIN_FILENO, O_RDONLY, &unused); /* none is fine: a closed standard input */
    if (c->out_fd < 0)
        return error_set(e, "stdio: standard output: %s", strerror(errno));
    return terminal_raw(STDIN_FILENO, config->signals, e);
}

static bool open_file(struct chardev *c, const struct chardev_config *config, struct error *e)
{
    c->out_fd = open(config->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
                     (config->append ? O_APPEND : O_TRUNC), 0666);
    if (c->out_fd < 0)
        return error_set(e, "cannot write file '%s': %s", config->path, strerror(errno));
    if (config->input[0]) {
        c->in_fd = open(config->input, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (c->in_fd < 0)
            return error_set(e, "cannot read file '%s': %s", config->input, strerror(errno));
    }
    return true;
}

/* O_RDWR, so that opening does not wait for the other side and its coming and going is no end of file. */
static int open_fifo(const char *path, const char *suffix)
{
    char name[PATH_MAX + 8];

    snprintf(name, sizeof name, "%s%s", path, suffix);
    return open(name, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static bool open_pipe(struct chardev *c, const struct chardev_config *config, struct error *e)
{
    struct stat st;

    c->in_fd = open_fifo(config->path, ".in");
    c->out_fd = c->in_fd >= 0 ? open_fifo(config->path, ".out") : -1;
    if (c->out_fd >= 0)
        return true;
    if (c->in_fd >= 0)
        return error_set(e, "pipe: '%s.in' exists but '%s.out' does not open: %s; mkfifo both", config->path,
                         config->path, strerror(errno));
    c->out_fd = open_fifo(config->path, "");
    if (c->out_fd < 0 || fstat(c->out_fd, &st) < 0)
        return error_set(
            e, "pipe: neither '%s.in' and '%s.out' nor '%s' can be opened: %s; make them with mkfifo",
            config->path, config->path, config->path, strerror(errno));
    if (S_ISCHR(st.st_mode))
        c->in_fd = c->out_fd; /* a FIFO alone would give us back our own output */
    return true;
}

static bool open_pty(struct chardev *c, const struct chardev_config *config, struct error *e)
{
    char slave[64];
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return error_set(e, "pty: cannot get a pseudo-terminal: %s", strerror(errno));
    c->in_fd = c->out_fd = fd;
    if (grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, slave, sizeof slave) != 0)
        return error_set(e, "pty: cannot unlock the pseudo-terminal: %s", strerror(errno));
    c->keep_fd = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios mode;
    if (c->keep_fd < 0 || tcgetattr(c->keep_fd, &mode) < 0)
        return error_set(e, "pty: cannot open '%s': %s", slave, strerror(errno));
    cfmakeraw(&mode);
    tcsetattr(c->keep_fd, TCSANOW, &mode);
    snprintf(c->name, sizeof c->name, "pty:%s", slave);
    fprintf(stderr, "char device redirected to %s (label %s)\n", slave, config->id[0] ? config->id : "pty");
    return true;
}

static const struct kind {
    const char *name;
    bool (*open)(struct chardev *c, const struct chardev_config *config, struct error *e);
    size_t limit;
} kinds[] = {
    [CHARDEV_NULL] = { "null", open_null, 0 },
    [CHARDEV_STDIO] = { "stdio", open_stdio, 16 * MIB },
    [CHARDEV_FILE] = { "file", open_file, 16 * MIB },
    [CHARDEV_PIPE] = { "pipe", open_pipe, 16 * MIB },
    [CHARDEV_PTY] = { "pty", open_pty, MIB },
    [CHARDEV_SOCKET] = { "socket", chardev_open_socket, MIB },
    [CHARDEV_RINGBUF] = { "ringbuf", open_ringbuf, 0 },
};

static bool open_log(struct chardev *c, const struct chardev_config *config, struct error *e)
{
    if (!config->log[0])
        return true;
    c->log_fd =
        open(config->log, O_WRONLY | O_CREAT | O_CLOEXEC | (config->log_append ? O_APPEND : O_TRUNC), 0666);
    return c->log_fd >= 0 || error_set(e, "cannot write log file '%s': %s", config->log, strerror(errno));
}

struct char_port *chardev_open(struct loop *loop, const struct chardev_config *config, struct error *e)
{
    struct chardev *c = alloc_zeroed(sizeof *c);
    const struct kind *kind = &kinds[config->kind];
    struct sigaction now;

    assert(kind->open);
    c->port.write = port_write;
    c->port.poke = port_poke;
    c->port.pending = port_pending;
    c->port.hang_up = config->kind == CHARDEV_SOCKET ? port_hang_up : NULL;
    c->port.patience = config->kind == CHARDEV_SOCKET ? chardev_socket_patience : NULL;
    c->loop = loop;
    c->kind = config->kind;
    c->limit = kind->limit;
    c->in_fd = c->out_fd = c->log_fd = c->listen_fd = c->keep_fd = c->limit_fd = -1;
    snprintf(c->name, sizeof c->name, "%s%s%s", kind->name, config->path[0] ? ":" : "", config->path);
    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        signal(SIGPIPE, SIG_IGN);
    c->hook = (struct loop_hook){ .prepare = tell_device, .owner = c };
    loop_hook_add(loop, &c->hook);
    if (!kind->open(c, config, e) || !open_log(c, config, e)) {
        chardev_close(&c->port);
        return NULL;
    }
    if (c->kind != CHARDEV_SOCKET)
        chardev_start(c);
    return &c->port;
}

static void flush(struct chardev *c)
{
    int patience = c->kind == CHARDEV_SOCKET || c->kind == CHARDEV_PTY ? SOCKET_PATIENCE_MS : PATIENCE_MS;

    chardev_drain(c);
    while (c->count && c->out_fd >= 0) {
        struct pollfd pfd = { .fd = c->out_fd, .events = POLLOUT };
        if (poll(&pfd, 1, patience) <= 0)
            return;
        chardev_drain(c);
    }
}

void chardev_close(struct char_port *port)
{
    struct chardev *c = (struct chardev *)port;

    if (!c)
        return;
    if (c->kind != CHARDEV_RINGBUF && c->kind != CHARDEV_PTY)
        flush(c);
    close_streams(c);
    loop_watch_remove(c->listen_watch);
    if (c->listen_fd >= 0)
        close(c->listen_fd);
    if (c->keep_fd >= 0)
        close(c->keep_fd);
    if (c->log_fd >= 0)
        close(c->log_fd);
    if (c->unlink[0])
        unlink(c->unlink);
    if (c->kind == CHARDEV_STDIO)
        terminal_restore();
    loop_hook_remove(c->loop, &c->hook);
    free(c->buf);
    free(c);
}

bool chardev_is_terminal(const struct char_port *port)
{
    return ((const struct chardev *)port)->terminal;
}

const char *chardev_name(const struct char_port *port)
{
    return ((const struct chardev *)port)->name;
}

size_t chardev_ringbuf_read(struct char_port *port, uint8_t *buf, size_t size)
{
    struct chardev *c = (struct chardev *)port;
    size_t n = size < c->count ? size : c->count;

    assert(c->kind == CHARDEV_RINGBUF);
    for (size_t i = 0; i < n; i++)
        buf[i] = c->buf[(c->head + i) % c->room];
    if (n) {
        c->head = (c->head + n) % c->room;
        c->count -= n;
    }
    return n;
}
