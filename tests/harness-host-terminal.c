/*
 * harness-host-terminal.c - a child process with a pty as its terminal, and we as the person in front of it.
 *
 * The child runs stdio with the mux and a device that echoes in capitals; it says over a pipe what it has
 * reached.
 */
#define _GNU_SOURCE 1
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "chardev.h"
#include "host-rig.h"
#include "mux.h"
#include "terminal.h"

struct child {
    pid_t pid;
    int master;
    int slave; /* ours, so that the terminal outlives the child */
    int says;
    struct termios before;
};

struct echo {
    struct char_port *port;
    bool quit;
};

static size_t echo_room(void *dev)
{
    return 64;
}

static void echo_receive(void *dev, const uint8_t *buf, size_t len)
{
    struct echo *d = dev;

    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)toupper(buf[i]);
        d->port->write(d->port, &c, 1);
    }
}

static void echo_quit(void *owner)
{
    ((struct echo *)owner)->quit = true;
}

static bool echo_done(void *arg)
{
    return ((struct echo *)arg)->quit;
}

enum { FLOOD = 8 << 20 };

/* What the child does: 'e' echoes until Ctrl-A x, 'f' floods the terminal, 'a' aborts. */
static void child_main(int says, char what)
{
    struct rig rig;
    struct chardev_config c;
    struct echo d = { .quit = false };

    rig_open(&rig, 1.0);
    if (!chardev_parse_serial("mon:stdio", &c, &rig.e))
        _exit(90);
    struct char_port *back = chardev_open(rig.loop, &c, &rig.e);
    if (!back || !terminal_job_control(rig.loop, &rig.e))
        _exit(91);
    struct mux *mux = mux_new(rig.loop, back, MUX_ESCAPE, chardev_is_terminal(back), echo_quit, &d);
    d.port = mux_add(mux, "serial0", &rig.e);
    d.port->dev = &d;
    d.port->can_receive = echo_room;
    d.port->receive = echo_receive;
    bool shared = fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK || fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK;
    if (shared || write(says, "r", 1) != 1)
        _exit(92);
    if (what == 'f')
        for (int i = 0; i < FLOOD / 64; i++)
            d.port->write(d.port,
                          (const uint8_t *)"0123456789012345678901234567890123456789012345678901234567890\n",
                          62);
    if (what == 'f' && write(says, "f", 1) != 1)
        _exit(93);
    if (what == 'a')
        abort();
    bool ok = rig_until(&rig, echo_done, &d);
    mux_free(mux);
    chardev_close(back);
    exit(ok ? 0 : 94);
}

static bool start(struct report *r, struct child *c, char what)
{
    int pipe_fd[2];
    char slave[64];

    c->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (!expect(r,
                c->master >= 0 && grantpt(c->master) == 0 && unlockpt(c->master) == 0 &&
                    ptsname_r(c->master, slave, sizeof slave) == 0 && pipe(pipe_fd) == 0,
                "pty: %s", strerror(errno)))
        return false;
    c->slave = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC);
    tcgetattr(c->slave, &c->before);
    fflush(NULL);
    c->pid = fork();
    if (c->pid == 0) {
        for (int signo = 1; signo < 32; signo++)
            signal(signo, SIG_DFL); /* a sanitizer's handlers are not what a program starts with */
        setsid();
        ioctl(c->slave, TIOCSCTTY, 0);
        for (int fd = 0; fd < 3; fd++)
            dup2(c->slave, fd);
        child_main(pipe_fd[1], what);
    }
    close(pipe_fd[1]);
    c->says = pipe_fd[0];
    return true;
}

static char child_says(struct child *c)
{
    struct pollfd p = { .fd = c->says, .events = POLLIN };
    char said = 0;

    return poll(&p, 1, 10000) == 1 && read(c->says, &said, 1) == 1 ? said : 0;
}

/* Reads what the terminal shows until `text` appears. */
static bool shows(struct child *c, const char *text)
{
    char screen[4096] = "";
    size_t n = 0;

    while (!strstr(screen, text)) {
        struct pollfd p = { .fd = c->master, .events = POLLIN };
        if (n == sizeof screen - 1 || poll(&p, 1, 5000) != 1)
            return false;
        ssize_t k = read(c->master, screen + n, sizeof screen - 1 - n);
        n += k > 0 ? (size_t)k : 0;
        screen[n] = 0;
    }
    return true;
}

static bool is_cooked(struct child *c)
{
    struct termios now;

    return tcgetattr(c->slave, &now) == 0 && now.c_lflag == c->before.c_lflag &&
           now.c_iflag == c->before.c_iflag && now.c_oflag == c->before.c_oflag;
}

static bool is_raw(struct child *c)
{
    struct termios now;

    return tcgetattr(c->slave, &now) == 0 && !(now.c_lflag & (ICANON | ECHO | ISIG)) &&
           !(now.c_iflag & (ICRNL | IXON));
}

static bool type(struct child *c, const char *keys)
{
    return write(c->master, keys, strlen(keys)) == (ssize_t)strlen(keys);
}

/* The status once the child has ended; drains the terminal meanwhile. */
static int finish(struct child *c)
{
    char junk[4096];
    int status = -1;
    uint64_t end = host_now() + 20 * NS_PER_SEC;

    while (waitpid(c->pid, &status, WNOHANG) == 0 && host_now() < end) {
        struct pollfd p = { .fd = c->master, .events = POLLIN };
        if (poll(&p, 1, 20) == 1 && read(c->master, junk, sizeof junk) < 0)
            break;
    }
    if (host_now() >= end) {
        kill(c->pid, SIGKILL);
        waitpid(c->pid, &status, 0);
    }
    return status;
}

static void end(struct child *c)
{
    close(c->master);
    close(c->slave);
    close(c->says);
}

static void raw_while_it_runs_and_restored_by_ctrl_a_x(struct report *r)
{
    struct child c;

    if (!start(r, &c, 'e'))
        return;
    expect(r, child_says(&c) == 'r', "the child did not start, or O_NONBLOCK reached the shared description");
    expect(r, is_raw(&c), "the terminal is not raw");
    expect(r, type(&c, "hello\3") && shows(&c, "HELLO\3"),
           "no echo from the guest, or Ctrl-C did not reach it");
    expect(r, type(&c, "\1h") && shows(&c, "Ctrl-A x  quit"), "no help");
    expect(r, type(&c, "\1x"), "type");
    int status = finish(&c);
    expect(r, status == 0, "status %x", status);
    expect(r, is_cooked(&c), "the terminal was not restored");
    end(&c);
}

static void killed_by(struct report *r, int signo, char what)
{
    struct child c;

    if (!start(r, &c, what))
        return;
    expect(r, child_says(&c) == 'r', "the child did not start");
    expect(r, what == 'a' || is_raw(&c), "the terminal is not raw");
    if (what != 'a')
        kill(c.pid, signo);
    int status = finish(&c);
    expect(r, WIFSIGNALED(status) && WTERMSIG(status) == signo, "signal %d: status %x", signo, status);
    expect(r, is_cooked(&c), "signal %d: the terminal was not restored", signo);
    end(&c);
}

static void restored_when_signals_kill(struct report *r)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGSEGV };

    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        killed_by(r, signals[i], 'e');
    killed_by(r, SIGABRT, 'a');
}

static void restored_while_stopped(struct report *r)
{
    struct child c;
    int status = 0;

    if (!start(r, &c, 'e'))
        return;
    expect(r, child_says(&c) == 'r', "the child did not start");
    kill(c.pid, SIGTSTP);
    expect(r, waitpid(c.pid, &status, WUNTRACED) == c.pid && WIFSTOPPED(status), "not stopped: %x", status);
    expect(r, is_cooked(&c), "raw while stopped");
    kill(c.pid, SIGCONT);
    expect(r, type(&c, "x") && shows(&c, "X"), "dead after SIGCONT");
    expect(r, is_raw(&c), "cooked after SIGCONT");
    expect(r, type(&c, "\1x") && finish(&c) == 0 && is_cooked(&c), "end");
    end(&c);
}

/* Nobody reads the terminal (Ctrl-S) while the guest writes 8 MiB; nothing of it is lost once somebody
 * does. */
static void stalled_terminal_does_not_stall_the_guest(struct report *r)
{
    struct child c;
    char junk[65536];
    size_t total = 0, want = (size_t)(FLOOD / 64) * 63; /* the terminal makes CR LF of each newline */

    if (!start(r, &c, 'f'))
        return;
    expect(r, child_says(&c) == 'r', "the child did not start");
    expect(r, child_says(&c) == 'f', "the guest was stalled");
    while (total < want) {
        struct pollfd p = { .fd = c.master, .events = POLLIN };
        ssize_t k = poll(&p, 1, 5000) == 1 ? read(c.master, junk, sizeof junk) : -1;
        if (k <= 0)
            break;
        total += (size_t)k;
    }
    expect(r, total == want, "%zu of %zu bytes were shown", total, want);
    expect(r, type(&c, "\1x") && finish(&c) == 0 && is_cooked(&c), "end");
    end(&c);
}

const struct scenario terminal_scenarios[] = {
    { "raw_while_it_runs_and_restored_by_ctrl_a_x", raw_while_it_runs_and_restored_by_ctrl_a_x },
    { "restored_when_signals_kill", restored_when_signals_kill },
    { "restored_while_stopped", restored_while_stopped },
    { "stalled_terminal_does_not_stall_the_guest", stalled_terminal_does_not_stall_the_guest },
    { NULL, NULL },
};
