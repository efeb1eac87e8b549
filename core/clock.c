#include "clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "alloc.h"

struct clock {
    double rate; /* guest ns per host ns; 0: virtual */
    uint64_t wall_base;
    _Atomic uint64_t base;  /* guest ns at host_base; the time itself while stopped or virtual */
    _Atomic uint64_t host_base; /* host ns; 0: stopped */
    struct timer *timers;   /* by deadline */
    void (*earlier)(void *owner);
    void *owner;
};

uint64_t clock_host(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_thread(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

struct clock *clock_new(double rate, uint64_t wall_base)
{
    struct clock *c = alloc_zeroed(sizeof *c);

    c->rate = rate;
    c->wall_base = wall_base;
    clock_start(c);
    return c;
}

void clock_free(struct clock *c)
{
    free(c);
}

bool clock_is_virtual(const struct clock *c)
{
    return c->rate == 0;
}

/* rate 1 is by far the most common, and must not go through floating point: the caller may be a vCPU whose host FPU
 * holds guest flags. Other rates are applied in 32.32 fixed point for the same reason. */
static uint64_t scaled(const struct clock *c, uint64_t host)
{
    if (c->rate == 1.0)
        return host;
    return (uint64_t)((unsigned __int128)host * (uint64_t)(c->rate * 4294967296.0) >> 32);
}

uint64_t clock_now(struct clock *c)
{
    uint64_t host_base = atomic_load_explicit(&c->host_base, memory_order_acquire);
    uint64_t base = atomic_load_explicit(&c->base, memory_order_relaxed);

    return host_base ? base + scaled(c, clock_host() - host_base) : base;
}

uint64_t clock_wall(struct clock *c)
{
    return c->wall_base + clock_now(c);
}

void clock_stop(struct clock *c)
{
    if (!c->host_base)
        return;
    uint64_t now = clock_now(c);
    c->base = now;
    atomic_store_explicit(&c->host_base, 0, memory_order_release);
}

void clock_start(struct clock *c)
{
    if (!clock_is_virtual(c) && !c->host_base)
        atomic_store_explicit(&c->host_base, clock_host(), memory_order_release);
}

void clock_advance_to(struct clock *c, uint64_t ns)
{
    assert(clock_is_virtual(c));
    if (ns > c->base)
        c->base = ns;
}

void clock_set(struct clock *c, uint64_t ns)
{
    c->base = ns;
    if (c->host_base)
        c->host_base = clock_host();
}

uint64_t clock_deadline(const struct clock *c)
{
    return c->timers ? c->timers->deadline : CLOCK_NEVER;
}

uint64_t clock_guest_deadline(const struct clock *c)
{
    const struct timer *t = c->timers;

    while (t && t->observer)
        t = t->next;
    return t ? t->deadline : CLOCK_NEVER;
}

uint64_t clock_host_delay(struct clock *c, uint64_t deadline)
{
    if (deadline == CLOCK_NEVER || !c->host_base)
        return CLOCK_NEVER;
    uint64_t now = clock_now(c);
    if (deadline <= now)
        return 0;
    return c->rate == 1.0 ? deadline - now : (uint64_t)((double)(deadline - now) / c->rate) + 1;
}

void clock_run(struct clock *c)
{
    uint64_t now = clock_now(c);

    while (c->timers && c->timers->deadline <= now) {
        struct timer *t = c->timers;
        c->timers = t->next;
        t->deadline = CLOCK_NEVER;
        t->fire(t->owner);
    }
}

void clock_notify(struct clock *c, void (*earlier)(void *owner), void *owner)
{
    c->earlier = earlier;
    c->owner = owner;
}

void timer_init(struct timer *t, struct clock *c, void (*fire)(void *owner), void *owner)
{
    *t = (struct timer){ .clock = c, .fire = fire, .owner = owner, .deadline = CLOCK_NEVER };
}

static void unlink_timer(struct timer *t)
{
    struct timer **p = &t->clock->timers;

    while (*p != t)
        p = &(*p)->next;
    *p = t->next;
}

void timer_arm(struct timer *t, uint64_t deadline)
{
    struct clock *c = t->clock;

    if (t->deadline == deadline)
        return;
    if (t->deadline != CLOCK_NEVER)
        unlink_timer(t);
    t->deadline = deadline;
    if (deadline == CLOCK_NEVER)
        return;
    struct timer **p = &c->timers;
    while (*p && (*p)->deadline <= deadline)
        p = &(*p)->next;
    t->next = *p;
    *p = t;
    if (c->timers == t && c->earlier)
        c->earlier(c->owner);
}
