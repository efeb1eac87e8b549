/*
 * clock.h - guest time as a service.
 *
 * Two kinds behind one interface: real (host monotonic time x a rate) and virtual (advanced by whoever runs
 * the vCPUs, from their instruction count). Guest time starts at 0 when the machine is created and stands
 * still while the clock is stopped. Timers fire from clock_run(), which the main loop calls with the machine
 * lock held. All functions but clock_now() and clock_wall() need that lock.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_SEC UINT64_C(1000000000)
#define CLOCK_NEVER UINT64_MAX

struct clock;

struct timer {
    struct clock *clock;
    void (*fire)(void *owner);
    void *owner;
    uint64_t deadline; /* guest ns; CLOCK_NEVER when not armed */
    bool observer;     /* set after timer_init(): whoever waits for it watches the guest and never wakes it */
    struct timer *next;
};

/* rate: guest nanoseconds per host nanosecond, 1.0 for real time; 0 makes a virtual clock.
 * wall_base: nanoseconds since 1970 at guest time 0. */
struct clock *clock_new(double rate, uint64_t wall_base);
void clock_free(struct clock *c);
bool clock_is_virtual(const struct clock *c);

/* Guest nanoseconds since the machine was created; never goes back. Any thread. */
uint64_t clock_now(struct clock *c);

/* Guest nanoseconds since 1970-01-01T00:00Z. Any thread. */
uint64_t clock_wall(struct clock *c);

/* Stops and continues guest time. A new clock runs. Idempotent. */
void clock_stop(struct clock *c);
void clock_start(struct clock *c);

/* Virtual clocks only: moves time forward to `ns` (never back). */
void clock_advance_to(struct clock *c, uint64_t ns);

/* Sets guest time, for a snapshot that is loaded. Armed timers keep their deadlines. */
void clock_set(struct clock *c, uint64_t ns);

/* Deadline of the earliest armed timer, or CLOCK_NEVER. */
uint64_t clock_deadline(const struct clock *c);

/* The same among timers that are no observers: what the guest may be waiting for. */
uint64_t clock_guest_deadline(const struct clock *c);

/* Host nanoseconds from now until guest time `deadline` (0 when it has passed; CLOCK_NEVER when it never will). */
uint64_t clock_host_delay(struct clock *c, uint64_t deadline);

/* Fires every timer whose deadline has passed; a timer is disarmed before it fires. */
void clock_run(struct clock *c);

/* `earlier` is called when the earliest deadline has moved nearer, so that a sleeping main loop can be woken. */
void clock_notify(struct clock *c, void (*earlier)(void *owner), void *owner);

/* The host's own nanoseconds, from some moment on: for measuring the emulator, never for what a guest may see. Leaves
 * the floating-point unit alone. Any thread. */
uint64_t clock_host(void);

/* The same of the time that the calling thread has run; a system call. */
uint64_t clock_thread(void);

void timer_init(struct timer *t, struct clock *c, void (*fire)(void *owner), void *owner);

/* Arms (or moves) the timer to fire once at guest time `deadline`; CLOCK_NEVER disarms it. */
void timer_arm(struct timer *t, uint64_t deadline);

#endif
