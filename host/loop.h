/*
 * loop.h - the main loop: file descriptors, guest timers, posts from other threads, signals.
 *
 * A loop belongs to one machine and runs on one thread. Every callback is made with the machine lock held;
 * the lock is dropped while the loop sleeps. Nothing polls: an idle guest causes no wake-up. All functions
 * need the lock unless they say "any thread".
 */
#ifndef HOST_LOOP_H
#define HOST_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "error.h"
#include "lock.h"

/* What a descriptor is watched for, and what it is ready for. LOOP_HUP is only reported: hang-up or error. */
enum { LOOP_IN = 1, LOOP_OUT = 2, LOOP_PRI = 4, LOOP_HUP = 8 };

struct loop;
struct loop_watch;
struct loop_poll;

/* Lock and clock are borrowed. Takes over the clock's clock_notify(). Returns NULL on failure. */
struct loop *loop_new(struct machine_lock *lock, struct clock *clock, struct error *e);
void loop_free(struct loop *loop);
struct clock *loop_clock(struct loop *loop);

/* One round: sleeps until something is ready, at most `max_wait` host nanoseconds (CLOCK_NEVER: no limit),
 * then calls whoever is concerned. The lock is held on entry and on return. */
void loop_run_once(struct loop *loop, uint64_t max_wait);

/* Ends the sleep that goes on, or the next one. Any thread; costs a system call only while the loop
 * sleeps. */
void loop_wake(struct loop *loop);

/* Calls fn(arg) from the loop, in the order of the posts. Any thread. */
void loop_post(struct loop *loop, void (*fn)(void *arg), void *arg);

/* The same without an allocation: the task is the loop's until fn is called. Any thread. */
struct loop_task {
    void (*fn)(void *arg);
    void *arg;
    struct loop_task *next; /* the loop's own */
    bool owned;             /* the loop's own: it frees the task */
};

void loop_post_task(struct loop *loop, struct loop_task *task);

/* Watches `fd`. wants() is asked before each sleep which of LOOP_IN and LOOP_OUT matter now (0: none, not even a
 * hang-up); ready() gets what happened. Whoever changes the answer of wants() outside the loop calls loop_wake(). */
struct loop_watch *loop_watch_add(struct loop *loop, int fd, int (*wants)(void *owner),
                                  void (*ready)(void *owner, int events), void *owner);

/* No call is made after this returned. Does not close the descriptor. NULL is fine. */
void loop_watch_remove(struct loop_watch *watch);

/* For those who have work before each sleep, or a set of descriptors of their own (libslirp). */
struct loop_hook {
    void (*prepare)(void *owner, struct loop_poll *poll);  /* before the sleep; may loop_poll_add() */
    void (*dispatch)(void *owner, struct loop_poll *poll); /* after it; may loop_poll_ready(); or NULL */
    void *owner;
    bool prepared; /* the loop's own: prepare() was called in this round */
    struct loop_hook *next;
};

/* The hook stays the caller's and stays linked until it is removed. Not from inside a hook's own call. */
void loop_hook_add(struct loop *loop, struct loop_hook *hook);
void loop_hook_remove(struct loop *loop, struct loop_hook *hook);

/* Adds a descriptor to the coming sleep; the index is for loop_poll_ready() in the same round. */
int loop_poll_add(struct loop_poll *poll, int fd, int events);
int loop_poll_ready(const struct loop_poll *poll, int index);

/* Turns a signal into a call from the loop. The signal is blocked in the calling thread, so this comes
 * before other threads are started; loop_free() unblocks it. One owner per signal: a second call replaces
 * the first. */
bool loop_signal(struct loop *loop, int signo, void (*fn)(void *owner, int signo), void *owner,
                 struct error *e);

#endif
