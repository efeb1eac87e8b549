/*
 * terminal.c - see terminal.h. POSIX.1-2017 General Terminal Interface (XBD chapter 11).
 *
 * Handlers are installed only for signals whose disposition is still the default, so a JIT's SIGSEGV handler
 * stays in place; SIGKILL cannot be helped. A stopped background process does not touch the terminal of the
 * foreground one.
 */
#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static struct {
    volatile sig_atomic_t raw; /* the terminal is raw because of us */
    bool wanted;               /* and should be raw whenever we are in the foreground */
    bool installed;
    int fd;
    struct termios cooked;
    struct termios mode;
} term = { .fd = -1 };

static const int deadly[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGSEGV, SIGBUS,
                              SIGILL, SIGFPE, SIGABRT, SIGXFSZ, SIGXCPU, SIGSYS };

/* A background process would be stopped by SIGTTOU here. */
static void set_mode(const struct termios *mode)
{
    sigset_t ttou, old;

    sigemptyset(&ttou);
    sigaddset(&ttou, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &ttou, &old);
    while (tcsetattr(term.fd, TCSANOW, mode) < 0 && errno == EINTR)
        continue;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void cook(void)
{
    if (!term.raw)
        return;
    int saved = errno;
    term.raw = 0;
    set_mode(&term.cooked);
    errno = saved;
}

void terminal_restore(void)
{
    term.wanted = false;
    cook();
}

/* SA_RESETHAND has put the default back, so the second coming of the signal kills as the first would have. */
static void die_restored(int signo)
{
    terminal_restore();
    raise(signo);
}

static void install(void)
{
    struct sigaction now,
        handler = { .sa_handler = die_restored, .sa_flags = (int)SA_RESETHAND | SA_ONSTACK };

    if (term.installed)
        return;
    term.installed = true;
    atexit(terminal_restore);
    sigemptyset(&handler.sa_mask);
    for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++)
        if (sigaction(deadly[i], NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
            now.sa_handler == SIG_DFL)
            sigaction(deadly[i], &handler, NULL);
}

static bool in_foreground(void)
{
    pid_t group = tcgetpgrp(term.fd);

    return group < 0 || group == getpgrp();
}

static void make_raw(void)
{
    if (!term.wanted || term.raw || !in_foreground())
        return;
    term.raw = 1;
    set_mode(&term.mode);
}

bool terminal_raw(int fd, bool signals, struct error *e)
{
    struct termios cooked;

    if (!isatty(fd))
        return true;
    terminal_restore();
    if (tcgetattr(fd, &cooked) < 0)
        return error_set(e, "terminal: cannot read its settings: %s", strerror(errno));
    install();
    term.fd = fd;
    term.cooked = cooked;
    term.mode = cooked;
    term.mode.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    term.mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN | (signals ? 0 : ISIG));
    term.mode.c_cflag = (term.mode.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    term.mode.c_cc[VMIN] = 1;
    term.mode.c_cc[VTIME] = 0;
    term.wanted = true;
    make_raw();
    return true;
}

static void on_stop(void *owner, int signo)
{
    cook();
    raise(SIGSTOP);
    make_raw();
}

/* After SIGSTOP and `fg` the shell has put its own modes on the terminal. */
static void on_continue(void *owner, int signo)
{
    term.raw = 0;
    make_raw();
}

bool terminal_job_control(struct loop *loop, struct error *e)
{
    return loop_signal(loop, SIGTSTP, on_stop, NULL, e) && loop_signal(loop, SIGCONT, on_continue, NULL, e);
}
