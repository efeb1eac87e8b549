/* child.c - see child.h. */
#define _GNU_SOURCE 1

#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"

enum { OUT, ERR, STATUS, STREAMS };

/* Administrators' programs such as mke2fs are not in every user's PATH. */
static const char extra_path[] = "/usr/sbin:/sbin";

bool child_find(const char *program, struct path *out)
{
    const char *path = getenv("PATH");
    struct error ignored;
    struct bytes all = { 0 };
    char *save = NULL;
    bool found = false;

    bytes_addf(&all, "%s:%s", path ? path : "/usr/bin:/bin", extra_path);
    for (char *dir = strtok_r(all.data, ":", &save); dir && !found; dir = strtok_r(NULL, ":", &save))
        found = path_set(out, &ignored, "%s/%s", dir, program) && access(out->s, X_OK) == 0;
    bytes_free(&all);
    return found;
}

/* Moves `fd` to its number in the child. The pipes were opened above STATUS, so none lands on another. */
static void place(int fd, int target)
{
    if (fd < 0 || dup2(fd, target) < 0)
        _exit(127);
}

static void exec_child(const struct child *c, const char *file, int pipes[STREAMS][2])
{
    place(open("/dev/null", O_RDONLY), 0);
    place(pipes[OUT][1], 1);
    if (c->on_status)
        place(pipes[STATUS][1], CHILD_STATUS_FD);
    setenv("LC_ALL", "C", 1);
    if (c->env)
        putenv(alloc_text(c->env));
    if (c->cwd && chdir(c->cwd) < 0) {
        dprintf(pipes[ERR][1], "could not enter '%s': %s\n", c->cwd, strerror(errno));
        _exit(127);
    }
    place(pipes[ERR][1], 2);
    execv(file, c->argv->item);
    dprintf(2, "could not execute '%s': %s\n", file, strerror(errno));
    _exit(127);
}

static void emit_lines(const struct child *c, struct bytes *part)
{
    char *line = part->data;
    char *end;

    while ((end = memchr(line, '\n', part->len - (size_t)(line - part->data)))) {
        *end = 0;
        c->on_status(c->ctx, line);
        line = end + 1;
    }
    part->len -= (size_t)(line - part->data);
    memmove(part->data, line, part->len + 1);
}

/* Keeps what an error message needs: the tail. */
static void keep_tail(struct bytes *b, const char *data, size_t len)
{
    enum { TAIL = 600 };

    bytes_add(b, data, len);
    if (b->len > TAIL) {
        memmove(b->data, b->data + b->len - TAIL, TAIL + 1);
        b->len = TAIL;
    }
}

static void pump(const struct child *c, struct pollfd *fds, struct bytes *err)
{
    struct bytes status = { 0 };
    char buf[4096];
    int open_fds = STREAMS;

    while (open_fds && (poll(fds, STREAMS, -1) >= 0 || errno == EINTR)) {
        for (int i = 0; i < STREAMS; i++) {
            if (fds[i].fd < 0 || !fds[i].revents)
                continue;
            ssize_t n = read(fds[i].fd, buf, sizeof buf);
            if (n <= 0) {
                close(fds[i].fd);
                fds[i].fd = -1;
                open_fds--;
            } else if (i == ERR) {
                keep_tail(err, buf, (size_t)n);
            } else if (i == OUT && c->output) {
                bytes_add(c->output, buf, (size_t)n);
            } else if (i == STATUS && c->on_status) {
                bytes_add(&status, buf, (size_t)n);
                emit_lines(c, &status);
            }
        }
    }
    bytes_free(&status);
}

static bool report(const struct child *c, int status, const struct bytes *err, struct error *e)
{
    const char *said = err->len ? err->data : "it gave no reason";

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFSIGNALED(status))
        return error_set(e, "%s was ended by signal %d: %s", c->argv->item[0], WTERMSIG(status), said);
    return error_set(e, "%s failed with status %d: %s", c->argv->item[0], WEXITSTATUS(status), said);
}

static bool open_pipes(int pipes[STREAMS][2], struct error *e)
{
    for (int i = 0; i < STREAMS; i++) {
        int raw[2];
        if (pipe(raw) < 0)
            return error_set(e, "could not create a pipe: %s", strerror(errno));
        for (int k = 0; k < 2; k++) {
            pipes[i][k] = fcntl(raw[k], F_DUPFD_CLOEXEC, 16);
            close(raw[k]);
            if (pipes[i][k] < 0)
                return error_set(e, "could not create a pipe: %s", strerror(errno));
        }
    }
    return true;
}

static void close_pipes(int pipes[STREAMS][2], int k)
{
    for (int i = 0; i < STREAMS; i++)
        if (pipes[i][k] >= 0)
            close(pipes[i][k]);
}

static bool run(const struct child *c, const char *file, int pipes[STREAMS][2], struct error *e)
{
    struct pollfd fds[STREAMS];
    struct bytes err = { 0 };
    int status;

    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return error_set(e, "could not start %s: %s", c->argv->item[0], strerror(errno));
    if (pid == 0)
        exec_child(c, file, pipes);
    close_pipes(pipes, 1);
    for (int i = 0; i < STREAMS; i++) {
        fds[i] = (struct pollfd){ .fd = pipes[i][0], .events = POLLIN };
        pipes[i][0] = pipes[i][1] = -1;
    }
    pump(c, fds, &err);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    bool ok = report(c, status, &err, e);
    bytes_free(&err);
    return ok;
}

bool child_run(const struct child *c, struct error *e)
{
    int pipes[STREAMS][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
    struct path file;

    if (!child_find(c->argv->item[0], &file))
        return error_set(e, "the program '%s' is not installed: `lyrebird doctor` names the package",
                         c->argv->item[0]);
    bool ok = open_pipes(pipes, e) && run(c, file.s, pipes, e);
    close_pipes(pipes, 0);
    close_pipes(pipes, 1);
    return ok;
}
