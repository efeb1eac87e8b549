/*
 * chardev-socket.c - character ports over Unix and TCP stream sockets, as server or client.
 *
 * A server has one client at a time; the next one waits in the backlog until the first has gone.
 */
#define _GNU_SOURCE 1
#include "chardev-impl.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "socket.h"

/* A peer whose computer or network is gone is given up after two minutes. Refused by Unix sockets, which need nothing
 * of this. */
static void set_tcp_options(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        { IPPROTO_TCP, TCP_NODELAY, 1 },    { SOL_SOCKET, SO_KEEPALIVE, 1 }, { IPPROTO_TCP, TCP_KEEPIDLE, 60 },
        { IPPROTO_TCP, TCP_KEEPINTVL, 15 }, { IPPROTO_TCP, TCP_KEEPCNT, 4 },
    };

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof options[i].value);
}

static int limit_wants(void *owner)
{
    return LOOP_IN;
}

static void limit_reached(void *owner, int events)
{
    struct chardev *c = owner;
    uint64_t count;

    /* Put off in the meantime, there is nothing to read. */
    if (c->limit_fd >= 0 && read(c->limit_fd, &count, sizeof count) == sizeof count)
        chardev_hang_up(c);
}

void chardev_socket_patience(struct char_port *port, unsigned seconds)
{
    struct chardev *c = (struct chardev *)port;
    struct itimerspec when = { .it_value.tv_sec = seconds };

    if (c->out_fd >= 0 && c->limit_fd < 0 && seconds) {
        c->limit_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (c->limit_fd >= 0)
            c->limit_watch = loop_watch_add(c->loop, c->limit_fd, limit_wants, limit_reached, c);
    }
    if (c->limit_fd >= 0)
        timerfd_settime(c->limit_fd, 0, &when, NULL);
}

static void connected(struct chardev *c, int fd)
{
    set_tcp_options(fd);
    c->in_fd = c->out_fd = fd;
    c->out = OUT_SOCKET;
    chardev_start(c);
}

static void accept_client(struct chardev *c)
{
    int fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0)
        connected(c, fd);
}

static int listen_wants(void *owner)
{
    struct chardev *c = owner;

    return c->out_fd < 0 ? LOOP_IN : 0;
}

static void listen_ready(void *owner, int events)
{
    accept_client(owner);
}

/* At start, before the loop runs; blocked signals are let through so that Ctrl-C ends the wait. */
static bool wait_for_client(struct chardev *c, struct error *e)
{
    struct pollfd pfd = { .fd = c->listen_fd, .events = POLLIN };
    sigset_t none;

    fprintf(stderr, "lyrebird: waiting for a connection on %s\n", c->name);
    sigemptyset(&none);
    while (c->out_fd < 0) {
        if (ppoll(&pfd, 1, NULL, &none) < 0 && errno != EINTR)
            return error_set(e, "%s: waiting for a client: %s", c->name, strerror(errno));
        accept_client(c);
    }
    return true;
}

static bool open_server(struct chardev *c, const struct chardev_config *config, struct error *e)
{
    if (config->port[0]) {
        c->listen_fd = socket_listen_tcp(config->host, config->port, e);
    } else {
        c->listen_fd = socket_listen_unix(config->path, e);
        if (c->listen_fd >= 0)
            snprintf(c->unlink, sizeof c->unlink, "%s", config->path);
    }
    if (c->listen_fd < 0)
        return false;
    if (config->port[0])
        snprintf(c->name, sizeof c->name, "tcp:%s:%u,server", config->host[0] ? config->host : "127.0.0.1",
                 socket_local_port(c->listen_fd));
    if (!strcmp(config->port, "0"))
        fprintf(stderr, "lyrebird: %s listens on %s\n", config->id[0] ? config->id : "a character device",
                c->name);
    c->listen_watch = loop_watch_add(c->loop, c->listen_fd, listen_wants, listen_ready, c);
    return !config->wait || wait_for_client(c, e);
}

bool chardev_open_socket(struct chardev *c, const struct chardev_config *config, struct error *e)
{
    if (config->port[0])
        snprintf(c->name, sizeof c->name, "tcp:%s:%s", config->host, config->port);
    else
        snprintf(c->name, sizeof c->name, "unix:%s", config->path);
    if (config->server)
        return open_server(c, config, e);
    int fd = config->port[0] ? socket_connect_tcp(config->host, config->port, e)
                             : socket_connect_unix(config->path, e);
    if (fd < 0)
        return false;
    connected(c, fd);
    return true;
}
