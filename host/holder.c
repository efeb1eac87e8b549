/*
 * holder.c - see holder.h. Reads /proc as proc(5) describes it: net/tcp, net/udp, PID/fd, PID/fdinfo,
 * PID/comm.
 *
 * Locks of open file descriptions (OFD) have no process id in F_GETLK or /proc/locks; fdinfo shows them.
 */
#include "holder.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TCP_LISTEN = 10 };

struct wanted {
    unsigned long inode; /* of a socket, or 0 */
    int fd;              /* ours, for a file */
    struct stat st;
};

static unsigned long socket_inode(const char *table, bool udp, unsigned port)
{
    FILE *f = fopen(table, "re");
    char line[512];
    unsigned long inode = 0;

    if (!f)
        return 0;
    while (!inode && fgets(line, sizeof line, f)) {
        unsigned local, state;
        unsigned long found;
        if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu", &local,
                   &state, &found) == 3 &&
            local == port && (udp || state == TCP_LISTEN))
            inode = found;
    }
    fclose(f);
    return inode;
}

static bool fd_has_lock(const char *pid, const char *fd)
{
    char name[600], line[256];
    bool has = false;

    snprintf(name, sizeof name, "/proc/%s/fdinfo/%s", pid, fd);
    FILE *f = fopen(name, "re");
    while (f && !has && fgets(line, sizeof line, f))
        has = !strncmp(line, "lock:", 5);
    if (f)
        fclose(f);
    return has;
}

static bool is_number(const char *text, int number)
{
    return strtol(text, NULL, 10) == number;
}

static bool fd_matches(const struct wanted *w, const char *pid, const char *fd)
{
    char name[600], link[64], expected[64];
    struct stat st;

    snprintf(name, sizeof name, "/proc/%s/fd/%s", pid, fd);
    if (!w->inode)
        return stat(name, &st) == 0 && st.st_dev == w->st.st_dev && st.st_ino == w->st.st_ino &&
               !(is_number(pid, getpid()) && is_number(fd, w->fd)) && fd_has_lock(pid, fd);
    ssize_t n = readlink(name, link, sizeof link - 1);
    snprintf(expected, sizeof expected, "socket:[%lu]", w->inode);
    return n == (ssize_t)strlen(expected) && !memcmp(link, expected, (size_t)n);
}

static bool process_matches(const struct wanted *w, const char *pid)
{
    char name[300];
    struct dirent *d;
    bool found = false;

    snprintf(name, sizeof name, "/proc/%s/fd", pid);
    DIR *dir = opendir(name);
    while (dir && !found && (d = readdir(dir)))
        found = isdigit((unsigned char)d->d_name[0]) && fd_matches(w, pid, d->d_name);
    if (dir)
        closedir(dir);
    return found;
}

static void name_process(const char *pid, char *text, size_t size)
{
    char name[300], comm[64] = "?";

    snprintf(name, sizeof name, "/proc/%s/comm", pid);
    FILE *f = fopen(name, "re");
    if (f && fgets(comm, sizeof comm, f))
        comm[strcspn(comm, "\n")] = 0;
    if (f)
        fclose(f);
    if (is_number(pid, getpid()))
        snprintf(text, size, "this process");
    else
        snprintf(text, size, "process %s (%s)", pid, comm);
}

static void find_holder(const struct wanted *w, char *text, size_t size)
{
    DIR *dir = opendir("/proc");
    struct dirent *d;

    snprintf(text, size, "another process");
    while (dir && (d = readdir(dir)))
        if (isdigit((unsigned char)d->d_name[0]) && process_matches(w, d->d_name)) {
            name_process(d->d_name, text, size);
            break;
        }
    if (dir)
        closedir(dir);
}

void holder_of_port(bool udp, unsigned port, char *text, size_t size)
{
    struct wanted w = { .inode = socket_inode(udp ? "/proc/net/udp" : "/proc/net/tcp", udp, port) };

    if (!w.inode)
        w.inode = socket_inode(udp ? "/proc/net/udp6" : "/proc/net/tcp6", udp, port);
    if (w.inode)
        find_holder(&w, text, size);
    else
        snprintf(text, size, "another process");
}

void holder_of_lock(int fd, char *text, size_t size)
{
    struct wanted w = { .fd = fd };

    if (fstat(fd, &w.st) == 0)
        find_holder(&w, text, size);
    else
        snprintf(text, size, "another process");
}
