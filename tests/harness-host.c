/* harness-host.c - the rig, the list of scenarios, and those of the loop and of the generators. */
#define _GNU_SOURCE 1
#include "harness-host.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "host-rig.h"
#include "rng.h"

#define MS UINT64_C(1000000)

static const struct scenario *const groups[] = { loop_scenarios, char_scenarios, terminal_scenarios,
                                                 block_scenarios, net_scenarios };

static const struct scenario *find(int number)
{
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++)
        for (const struct scenario *s = groups[g]; s->name; s++)
            if (number-- == 0)
                return s;
    return NULL;
}

int hh_count(void)
{
    int n = 0;

    while (find(n))
        n++;
    return n;
}

const char *hh_name(int scenario)
{
    return find(scenario)->name;
}

bool hh_run(int scenario, char *why, size_t size)
{
    struct report r = { .why = why, .size = size };

    find(scenario)->run(&r);
    return !r.failed;
}

bool expect(struct report *r, bool ok, const char *fmt, ...)
{
    va_list ap;

    if (ok || r->failed)
        return ok;
    r->failed = true;
    va_start(ap, fmt);
    vsnprintf(r->why, r->size, fmt, ap);
    va_end(ap);
    return ok;
}

/* ---- the rig ---- */

uint64_t host_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

void rig_open(struct rig *rig, double rate)
{
    memset(rig, 0, sizeof *rig);
    lock_init(&rig->lock);
    rig->clock = clock_new(rate, 0);
    lock_take(&rig->lock);
    rig->loop = loop_new(&rig->lock, rig->clock, &rig->e);
}

void rig_close(struct rig *rig)
{
    rig_settle(rig); /* posts of workers that were freed */
    loop_free(rig->loop);
    lock_drop(&rig->lock);
    clock_free(rig->clock);
    lock_destroy(&rig->lock);
}

bool rig_until(struct rig *rig, bool (*done)(void *arg), void *arg)
{
    uint64_t end = host_now() + 10 * NS_PER_SEC;

    while (!done(arg)) {
        uint64_t now = host_now();
        if (now >= end)
            return false;
        loop_run_once(rig->loop, end - now);
    }
    return true;
}

void rig_settle(struct rig *rig)
{
    for (int i = 0; i < 20; i++)
        loop_run_once(rig->loop, 0);
}

/* ---- the loop ---- */

struct fired {
    struct rig *rig;
    struct timer timer[3];
    char order[16];
    int count;
    bool early;
};

struct one_timer {
    struct fired *all;
    char name;
    uint64_t due;
};

static void note(void *owner)
{
    struct one_timer *t = owner;

    t->all->early |= clock_now(t->all->rig->clock) < t->due;
    t->all->order[t->all->count++] = t->name;
}

static bool three_fired(void *arg)
{
    return ((struct fired *)arg)->count == 3;
}

static void arm_three(struct fired *f, struct one_timer *t, uint64_t unit)
{
    static const int due[3] = { 2, 1, 3 };

    for (int i = 0; i < 3; i++) {
        t[i] = (struct one_timer){ .all = f, .name = (char)('a' + i) };
        t[i].due = clock_now(f->rig->clock) + (uint64_t)due[i] * unit;
        timer_init(&f->timer[i], f->rig->clock, note, &t[i]);
        timer_arm(&f->timer[i], t[i].due);
    }
}

static void timers_fire_in_order(struct report *r)
{
    struct rig rig;
    struct one_timer t[3];

    rig_open(&rig, 1.0);
    struct fired f = { .rig = &rig };
    arm_three(&f, t, 2 * MS);
    expect(r, rig_until(&rig, three_fired, &f), "only %d timers fired", f.count);
    expect(r, !strcmp(f.order, "bac"), "order %s", f.order);
    expect(r, !f.early, "a timer fired before its deadline");
    rig_close(&rig);
}

static void virtual_timers_wait_for_their_clock(struct report *r)
{
    struct rig rig;
    struct one_timer t[3];

    rig_open(&rig, 0);
    struct fired f = { .rig = &rig };
    arm_three(&f, t, 1000);
    rig_settle(&rig);
    expect(r, f.count == 0, "%d fired at time 0", f.count);
    clock_advance_to(rig.clock, 2000);
    loop_run_once(rig.loop, 0);
    expect(r, !strcmp(f.order, "ba"), "order %s at 2000", f.order);
    clock_advance_to(rig.clock, 3000);
    loop_run_once(rig.loop, 0);
    expect(r, !strcmp(f.order, "bac"), "order %s at 3000", f.order);
    rig_close(&rig);
}

enum { POSTS = 5000 };

struct one_post {
    struct posts *all;
    unsigned number;
};

struct posts {
    struct loop *loop;
    unsigned next;
    bool disorder;
    struct one_post args[POSTS];
};

static void on_post(void *arg)
{
    struct one_post *p = arg;

    p->all->disorder |= p->all->next++ != p->number;
}

static bool all_posted(void *arg)
{
    return ((struct posts *)arg)->next == POSTS;
}

static void *poster(void *arg)
{
    struct posts *p = arg;

    for (unsigned i = 0; i < POSTS; i++) {
        p->args[i] = (struct one_post){ .all = p, .number = i };
        loop_post(p->loop, on_post, &p->args[i]);
    }
    return NULL;
}

static void posts_from_a_thread_arrive_in_order(struct report *r)
{
    struct rig rig;
    pthread_t thread;

    rig_open(&rig, 1.0);
    struct posts p = { .loop = rig.loop };
    pthread_create(&thread, NULL, poster, &p);
    expect(r, rig_until(&rig, all_posted, &p), "%u of %d posts arrived", p.next, POSTS);
    expect(r, !p.disorder, "posts came out of order");
    pthread_join(thread, NULL);
    rig_close(&rig);
}

static void fire_once(void *owner)
{
    *(bool *)owner = true;
}

static bool is_true(void *arg)
{
    return *(bool *)arg;
}

struct arm_job {
    struct rig *rig;
    struct timer timer;
    bool fired;
};

/* The lock is free only while the loop sleeps. */
static void *arm_from_vcpu(void *arg)
{
    struct arm_job *j = arg;

    lock_take(&j->rig->lock);
    timer_arm(&j->timer, clock_now(j->rig->clock) + MS);
    lock_drop(&j->rig->lock);
    return NULL;
}

static void timer_armed_by_another_thread_ends_the_sleep(struct report *r)
{
    struct rig rig;
    pthread_t thread;

    rig_open(&rig, 1.0);
    struct arm_job j = { .rig = &rig };
    timer_init(&j.timer, rig.clock, fire_once, &j.fired);
    pthread_create(&thread, NULL, arm_from_vcpu, &j);
    uint64_t start = host_now();
    rig_until(&rig, is_true, &j.fired);
    expect(r, j.fired && host_now() - start < 5 * NS_PER_SEC, "the loop slept on");
    pthread_join(thread, NULL);
    rig_close(&rig);
}

static void idle_loop_sleeps_through(struct report *r)
{
    struct rig rig;

    rig_open(&rig, 1.0);
    rig_settle(&rig);
    uint64_t start = host_now();
    loop_run_once(rig.loop, 30 * MS);
    expect(r, host_now() - start >= 30 * MS, "it woke after %llu us",
           (unsigned long long)(host_now() - start) / 1000);
    rig_close(&rig);
}

static void on_signal(void *owner, int signo)
{
    *(bool *)owner = signo == SIGUSR1;
}

static void signals_become_calls(struct report *r)
{
    struct rig rig;
    bool got = false;

    rig_open(&rig, 1.0);
    expect(r, loop_signal(rig.loop, SIGUSR1, on_signal, &got, &rig.e), "%s", rig.e.text);
    pthread_kill(pthread_self(), SIGUSR1);
    expect(r, !got, "called before the loop ran");
    expect(r, rig_until(&rig, is_true, &got), "the signal was lost");
    rig_close(&rig);
}

struct two_watches {
    struct loop_watch *watch[2];
    int fd[2];
    int calls;
};

static int wants_in(void *owner)
{
    return LOOP_IN;
}

/* Whoever is first removes both. */
static void remove_both(void *owner, int events)
{
    struct two_watches *t = owner;

    t->calls++;
    loop_watch_remove(t->watch[0]);
    loop_watch_remove(t->watch[1]);
}

static void removed_watch_is_not_called(struct report *r)
{
    struct rig rig;
    struct two_watches t = { .calls = 0 };

    rig_open(&rig, 1.0);
    for (int i = 0; i < 2; i++) {
        t.fd[i] = eventfd(1, EFD_CLOEXEC);
        t.watch[i] = loop_watch_add(rig.loop, t.fd[i], wants_in, remove_both, &t);
    }
    rig_settle(&rig);
    expect(r, t.calls == 1, "%d calls", t.calls);
    close(t.fd[0]);
    close(t.fd[1]);
    rig_close(&rig);
}

static void seeded_generator_repeats(struct report *r)
{
    struct error e;
    struct rng_port *a = rng_open_seeded(7), *b = rng_open_seeded(7), *c = rng_open_seeded(8);
    struct rng_port *h = rng_open_host(&e);
    uint8_t x[64], y[64], z[64];

    a->fill(a, x, 64);
    for (size_t at = 0, n = 1; at < 64; at += n, n = n % 7 + 1 < 64 - at ? n % 7 + 1 : 64 - at)
        b->fill(b, y + at, n < 64 - at ? n : 64 - at);
    c->fill(c, z, 64);
    expect(r, !memcmp(x, y, 64), "the same seed gave other bytes in smaller pieces");
    expect(r, memcmp(x, z, 64) != 0, "another seed gave the same bytes");
    /* The first output of SplitMix64 from state 0 + 7, computed by hand from the definition. */
    uint64_t w = 7 + UINT64_C(0x9e3779b97f4a7c15), first;
    w = (w ^ w >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    w = (w ^ w >> 27) * UINT64_C(0x94d049bb133111eb);
    w ^= w >> 31;
    memcpy(&first, x, 8);
    expect(r, first == w, "first word %llx", (unsigned long long)first);
    h->fill(h, x, 64);
    h->fill(h, y, 64);
    expect(r, memcmp(x, y, 64) != 0, "the host's generator repeats itself");
    rng_close(a);
    rng_close(b);
    rng_close(c);
    rng_close(h);
}

const struct scenario loop_scenarios[] = {
    { "timers_fire_in_order", timers_fire_in_order },
    { "virtual_timers_wait_for_their_clock", virtual_timers_wait_for_their_clock },
    { "posts_from_a_thread_arrive_in_order", posts_from_a_thread_arrive_in_order },
    { "timer_armed_by_another_thread_ends_the_sleep", timer_armed_by_another_thread_ends_the_sleep },
    { "idle_loop_sleeps_through", idle_loop_sleeps_through },
    { "signals_become_calls", signals_become_calls },
    { "removed_watch_is_not_called", removed_watch_is_not_called },
    { "seeded_generator_repeats", seeded_generator_repeats },
    { NULL, NULL },
};
