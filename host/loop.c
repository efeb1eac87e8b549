/*
 * loop.c - the main loop over ppoll(2), with an eventfd(2) to end its sleep and a signalfd(2) for signals.
 *
 * Wake-ups cannot be lost: `asleep` is set before the posts and the `woken` flag are looked at, and who posts
 * looks at `asleep` after. What changes under the machine lock (timers, watches) is safe for the same reason.
 */
#define _GNU_SOURCE 1
#include "loop.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "alloc.h"

enum { SIGNALS = 65 };

struct loop_watch {
    struct loop *loop;
    int fd;
    int index; /* in this round's poll set, or -1 */
    bool dead;
    int (*wants)(void *owner);
    void (*ready)(void *owner, int events);
    void *owner;
    struct loop_watch *next;
};

struct loop_poll {
    struct pollfd *fds;
    int count;
    int room;
};

struct loop {
    struct machine_lock *lock;
    struct clock *clock;
    int wake_fd;
    int signal_fd; /* -1 until a signal is asked for */
    atomic_bool asleep;
    atomic_bool woken;
    struct loop_poll poll;
    struct loop_watch *watches;
    struct loop_hook *hooks;
    struct loop_hook *next_hook; /* where the walk over the hooks goes on */

    pthread_mutex_t post_mutex;
    struct loop_task *posts;
    struct loop_task **posts_end;

    sigset_t signals;
    struct {
        void (*fn)(void *owner, int signo);
        void *owner;
    } on_signal[SIGNALS];
};

static const struct {
    int ours;
    short theirs;
} event_bits[] = { { LOOP_IN, POLLIN }, { LOOP_OUT, POLLOUT }, { LOOP_PRI, POLLPRI }, { LOOP_HUP, POLLHUP },
                   { LOOP_HUP, POLLERR }, { LOOP_HUP, POLLNVAL } };

static short to_poll(int events)
{
    short bits = 0;

    for (size_t i = 0; i < 3; i++)
        if (events & event_bits[i].ours)
            bits = (short)(bits | event_bits[i].theirs);
    return bits;
}

static int from_poll(short revents)
{
    int events = 0;

    for (size_t i = 0; i < sizeof event_bits / sizeof event_bits[0]; i++)
        if (revents & event_bits[i].theirs)
            events |= event_bits[i].ours;
    return events;
}

/* With the lock, so `asleep` is the truth; an awake loop looks at the deadlines before it sleeps anyway. */
static void clock_moved(void *owner)
{
    struct loop *loop = owner;

    if (atomic_load(&loop->asleep))
        loop_wake(loop);
}

struct loop *loop_new(struct machine_lock *lock, struct clock *clock, struct error *e)
{
    struct loop *loop = alloc_zeroed(sizeof *loop);
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0) {
        error_set(e, "main loop: eventfd: %s", strerror(errno));
        free(loop);
        return NULL;
    }
    loop->lock = lock;
    loop->clock = clock;
    loop->wake_fd = fd;
    loop->signal_fd = -1;
    loop->posts_end = &loop->posts;
    pthread_mutex_init(&loop->post_mutex, NULL);
    sigemptyset(&loop->signals);
    clock_notify(clock, clock_moved, loop);
    return loop;
}

/* Dead watches are freed here and not when they are removed, because this round's walk may stand on them. */
static void bury_watches(struct loop *loop, bool all)
{
    struct loop_watch **p = &loop->watches;

    while (*p) {
        struct loop_watch *w = *p;
        if (!w->dead && !all) {
            p = &w->next;
            continue;
        }
        *p = w->next;
        free(w);
    }
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    clock_notify(loop->clock, NULL, NULL);
    bury_watches(loop, true);
    while (loop->posts) {
        struct loop_task *t = loop->posts;
        loop->posts = t->next;
        if (t->owned)
            free(t);
    }
    if (loop->signal_fd >= 0) {
        close(loop->signal_fd);
        pthread_sigmask(SIG_UNBLOCK, &loop->signals, NULL);
    }
    close(loop->wake_fd);
    pthread_mutex_destroy(&loop->post_mutex);
    free(loop->poll.fds);
    free(loop);
}

struct clock *loop_clock(struct loop *loop)
{
    return loop->clock;
}

void loop_wake(struct loop *loop)
{
    uint64_t one = 1;

    atomic_store(&loop->woken, true);
    /* A full counter, the only possible error, wakes as well. */
    if (atomic_exchange(&loop->asleep, false) && write(loop->wake_fd, &one, sizeof one) < 0)
        assert(errno == EAGAIN);
}

static void enqueue(struct loop *loop, struct loop_task *task)
{
    task->next = NULL;
    pthread_mutex_lock(&loop->post_mutex);
    *loop->posts_end = task;
    loop->posts_end = &task->next;
    pthread_mutex_unlock(&loop->post_mutex);
    loop_wake(loop);
}

void loop_post_task(struct loop *loop, struct loop_task *task)
{
    task->owned = false;
    enqueue(loop, task);
}

void loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    struct loop_task *task = alloc_zeroed(sizeof *task);

    *task = (struct loop_task){ .fn = fn, .arg = arg, .owned = true };
    enqueue(loop, task);
}

/* Only those that are there now: a post made by a post waits for the next round, so that it cannot starve the
 * rest. */
static void run_posts(struct loop *loop)
{
    pthread_mutex_lock(&loop->post_mutex);
    struct loop_task *t = loop->posts;
    loop->posts = NULL;
    loop->posts_end = &loop->posts;
    pthread_mutex_unlock(&loop->post_mutex);

    while (t) {
        struct loop_task *next = t->next;
        bool owned = t->owned; /* a task that is not ours may be posted again, or freed, by its call */
        t->fn(t->arg);
        if (owned)
            free(t);
        t = next;
    }
}

struct loop_watch *loop_watch_add(struct loop *loop, int fd, int (*wants)(void *owner),
                                  void (*ready)(void *owner, int events), void *owner)
{
    struct loop_watch *w = alloc_zeroed(sizeof *w);

    *w = (struct loop_watch){ .loop = loop,
                              .fd = fd,
                              .index = -1,
                              .wants = wants,
                              .ready = ready,
                              .owner = owner,
                              .next = loop->watches };
    loop->watches = w;
    loop_wake(loop);
    return w;
}

void loop_watch_remove(struct loop_watch *watch)
{
    if (!watch)
        return;
    watch->dead = true;
    loop_wake(watch->loop);
}

void loop_hook_add(struct loop *loop, struct loop_hook *hook)
{
    hook->prepared = false;
    hook->next = loop->hooks;
    loop->hooks = hook;
    loop_wake(loop);
}

void loop_hook_remove(struct loop *loop, struct loop_hook *hook)
{
    struct loop_hook **p = &loop->hooks;

    while (*p != hook)
        p = &(*p)->next;
    *p = hook->next;
    if (loop->next_hook == hook)
        loop->next_hook = hook->next;
}

int loop_poll_add(struct loop_poll *poll, int fd, int events)
{
    if (poll->count == poll->room) {
        int room = poll->room ? poll->room * 2 : 16;
        poll->fds = alloc_resize(poll->fds, (size_t)room, sizeof *poll->fds);
        poll->room = room;
    }
    poll->fds[poll->count] = (struct pollfd){ .fd = fd, .events = to_poll(events) };
    return poll->count++;
}

int loop_poll_ready(const struct loop_poll *poll, int index)
{
    return index >= 0 && index < poll->count ? from_poll(poll->fds[index].revents) : 0;
}

static void gather(struct loop *loop)
{
    bury_watches(loop, false);
    loop->poll.count = 0;
    for (struct loop_hook *h = loop->hooks; h; h = loop->next_hook) {
        loop->next_hook = h->next;
        h->prepared = true;
        h->prepare(h->owner, &loop->poll);
    }
    for (struct loop_watch *w = loop->watches; w; w = w->next) {
        int events = w->dead ? 0 : w->wants(w->owner);
        w->index = events ? loop_poll_add(&loop->poll, w->fd, events) : -1;
    }
}

static int sleep_unlocked(struct loop *loop, uint64_t max_wait)
{
    int wake = loop_poll_add(&loop->poll, loop->wake_fd, LOOP_IN);
    uint64_t wait = clock_host_delay(loop->clock, clock_deadline(loop->clock));
    uint64_t count;

    int signals = loop_poll_add(&loop->poll, loop->signal_fd, LOOP_IN);
    if (wait > max_wait)
        wait = max_wait;
    atomic_store(&loop->asleep, true);
    if (atomic_exchange(&loop->woken, false))
        wait = 0;
    struct timespec ts = { .tv_sec = (time_t)(wait / NS_PER_SEC), .tv_nsec = (long)(wait % NS_PER_SEC) };

    lock_drop(loop->lock);
    int n = ppoll(loop->poll.fds, (nfds_t)loop->poll.count, wait == CLOCK_NEVER ? NULL : &ts, NULL);
    lock_take(loop->lock);

    atomic_store(&loop->asleep, false);
    atomic_store(&loop->woken, false);
    if (n < 0)
        for (int i = 0; i < loop->poll.count; i++)
            loop->poll.fds[i].revents = 0;
    if (loop_poll_ready(&loop->poll, wake) && read(loop->wake_fd, &count, sizeof count) < 0)
        assert(errno == EAGAIN);
    return loop_poll_ready(&loop->poll, signals);
}

static void run_signals(struct loop *loop)
{
    struct signalfd_siginfo info;

    if (loop->signal_fd < 0)
        return;
    while (read(loop->signal_fd, &info, sizeof info) == sizeof info) {
        int signo = (int)info.ssi_signo;
        if (loop->on_signal[signo].fn)
            loop->on_signal[signo].fn(loop->on_signal[signo].owner, signo);
    }
}

void loop_run_once(struct loop *loop, uint64_t max_wait)
{
    assert(lock_held(loop->lock));
    gather(loop);
    bool signalled = sleep_unlocked(loop, max_wait);
    clock_run(loop->clock);
    if (signalled)
        run_signals(loop);
    run_posts(loop);
    for (struct loop_watch *w = loop->watches; w; w = w->next) {
        int events = w->dead ? 0 : loop_poll_ready(&loop->poll, w->index);
        w->index = -1;
        if (events)
            w->ready(w->owner, events);
    }
    for (struct loop_hook *h = loop->hooks; h; h = loop->next_hook) {
        loop->next_hook = h->next;
        if (h->dispatch && h->prepared)
            h->dispatch(h->owner, &loop->poll);
    }
}

bool loop_signal(struct loop *loop, int signo, void (*fn)(void *owner, int signo), void *owner,
                 struct error *e)
{
    assert(signo > 0 && signo < SIGNALS);
    sigaddset(&loop->signals, signo);
    int fd = signalfd(loop->signal_fd, &loop->signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return error_set(e, "main loop: signalfd: %s", strerror(errno));
    loop->signal_fd = fd;
    loop->on_signal[signo].fn = fn;
    loop->on_signal[signo].owner = owner;
    pthread_sigmask(SIG_BLOCK, &loop->signals, NULL);
    loop_wake(loop);
    return true;
}
