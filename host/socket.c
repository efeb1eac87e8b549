/* socket.c - see socket.h. POSIX sockets and RFC 3493 name look-up; no TLS, no vsock, no reconnecting. */
#define _GNU_SOURCE 1
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "holder.h"

enum { BACKLOG = 8 };

static bool unix_address(struct sockaddr_un *sa, const char *path, struct error *e)
{
    memset(sa, 0, sizeof *sa);
    sa->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof sa->sun_path)
        return error_set(
            e,
            "socket '%s': the name is longer than the %zu bytes that a Unix socket may have; use a "
            "shorter path",
            path, sizeof sa->sun_path - 1);
    memcpy(sa->sun_path, path, strlen(path) + 1);
    return true;
}

static int close_keeping_errno(int fd)
{
    int saved = errno;

    close(fd);
    errno = saved;
    return -1;
}

static int connect_unix(const struct sockaddr_un *sa)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)sa, sizeof *sa) < 0)
        return close_keeping_errno(fd);
    return fd;
}

int socket_connect_unix(const char *path, struct error *e)
{
    struct sockaddr_un sa;

    if (!unix_address(&sa, path, e))
        return -1;
    int fd = connect_unix(&sa);
    if (fd < 0) {
        error_set(e, "cannot connect to socket '%s': %s; is its server running?", path, strerror(errno));
        return -1;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Only a socket that nobody answers on may be replaced. */
static bool clear_stale(const struct sockaddr_un *sa, struct error *e)
{
    struct stat st;

    if (lstat(sa->sun_path, &st) < 0)
        return true;
    if (!S_ISSOCK(st.st_mode))
        return error_set(e,
                         "socket '%s': a file with this name exists and is not a socket; remove it or choose "
                         "another name",
                         sa->sun_path);
    int fd = connect_unix(sa);
    if (fd >= 0) {
        close(fd);
        return error_set(e, "socket '%s' is in use by a running program; stop it or choose another name",
                         sa->sun_path);
    }
    unlink(sa->sun_path);
    return true;
}

int socket_listen_unix(const char *path, struct error *e)
{
    struct sockaddr_un sa;

    if (!unix_address(&sa, path, e) || !clear_stale(&sa, e))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) {
        mode_t mask = umask(0177);
        bool ok = bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0;
        umask(mask);
        if (!ok || listen(fd, BACKLOG) < 0)
            fd = close_keeping_errno(fd);
    }
    if (fd < 0)
        error_set(e, "cannot listen on socket '%s': %s", path, strerror(errno));
    return fd;
}

static struct addrinfo *look_up(const char *host, const char *port, bool passive, struct error *e)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = passive ? AI_PASSIVE : 0 };
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(host[0] ? host : "127.0.0.1", port, &hints, &list);

    if (rc) {
        error_set(e, "tcp:%s:%s: %s", host, port, rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
        return NULL;
    }
    return list;
}

int socket_listen_tcp(const char *host, const char *port, struct error *e)
{
    struct addrinfo *list = look_up(host, port, true, e);
    int fd = -1, one = 1, why = 0;

    if (!list)
        return -1;
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0) {
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
            if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
                fd = close_keeping_errno(fd);
        }
        why = errno;
    }
    freeaddrinfo(list);
    if (fd < 0 && why == EADDRINUSE) {
        char holder[96];
        holder_of_port(false, (unsigned)strtoul(port, NULL, 10), holder, sizeof holder);
        error_set(e, "cannot listen on tcp:%s:%s: the port is in use by %s; choose another", host, port,
                  holder);
    } else if (fd < 0) {
        error_set(e, "cannot listen on tcp:%s:%s: %s", host, port, strerror(why));
    }
    return fd;
}

int socket_connect_tcp(const char *host, const char *port, struct error *e)
{
    struct addrinfo *list = look_up(host, port, false, e);
    int fd = -1, one = 1, why = 0;

    if (!list)
        return -1;
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) < 0)
            fd = close_keeping_errno(fd);
        why = errno;
    }
    freeaddrinfo(list);
    if (fd < 0) {
        error_set(e, "cannot connect to tcp:%s:%s: %s", host, port, strerror(why));
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

unsigned socket_local_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } sa;
    socklen_t len = sizeof sa;

    if (getsockname(fd, &sa.any, &len) < 0)
        return 0;
    return sa.any.sa_family == AF_INET ? ntohs(sa.v4.sin_port)
           : sa.any.sa_family == AF_INET6 ? ntohs(sa.v6.sin6_port) : 0;
}
