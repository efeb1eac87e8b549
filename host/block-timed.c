/*
 * block-timed.c - see block-timed.h.
 *
 * A request goes to the inner port at once. When its time has come and the host has not finished it, the inner port is
 * drained: the main loop waits, and with it the virtual clock. Inner completions, whenever they come, only leave their
 * status.
 */
#include "block-timed.h"

#include <assert.h>
#include <stdlib.h>

#include "alloc.h"

enum { LATENCY_NS = 100000 };

struct timed_request {
    struct block_request io; /* first: the inner port's */
    struct block_request *outer;
    uint64_t due; /* guest ns */
    bool finished;
    enum block_status status;
    struct timed_request *next;
};

struct timed {
    struct block_port port; /* first */
    struct block_port *inner;
    struct clock *clock;
    struct timer timer;
    struct timed_request *first, **end;
};

static void inner_done(struct block_request *io, enum block_status status)
{
    struct timed_request *r = (struct timed_request *)io;

    r->finished = true;
    r->status = status;
}

static void finish_first(struct timed *t)
{
    struct timed_request *r = t->first;

    t->first = r->next;
    if (!t->first)
        t->end = &t->first;
    if (!r->finished)
        t->inner->drain(t->inner);
    assert(r->finished);
    r->outer->done(r->outer, r->status);
    free(r);
}

static void rearm(struct timed *t)
{
    timer_arm(&t->timer, t->first ? t->first->due : CLOCK_NEVER);
}

static void on_timer(void *owner)
{
    struct timed *t = owner;

    while (t->first && t->first->due <= clock_now(t->clock))
        finish_first(t);
    rearm(t);
}

static void submit(struct block_port *port, struct block_request *req)
{
    struct timed *t = (struct timed *)port;
    struct timed_request *r = alloc_zeroed(sizeof *r);

    r->io = *req;
    r->io.done = inner_done;
    r->io.next = NULL;
    r->outer = req;
    r->due = clock_now(t->clock) + LATENCY_NS;
    *t->end = r;
    t->end = &r->next;
    t->inner->submit(t->inner, &r->io);
    rearm(t);
}

/* done() may submit more. */
static void drain(struct block_port *port)
{
    struct timed *t = (struct timed *)port;

    while (t->first)
        finish_first(t);
    rearm(t);
}

struct block_port *block_timed_new(struct block_port *inner, struct clock *clock)
{
    struct timed *t = alloc_zeroed(sizeof *t);

    t->port = *inner;
    t->port.submit = submit;
    t->port.drain = drain;
    t->inner = inner;
    t->clock = clock;
    t->end = &t->first;
    timer_init(&t->timer, clock, on_timer, t);
    return &t->port;
}

void block_timed_free(struct block_port *port)
{
    struct timed *t = (struct timed *)port;

    if (!t)
        return;
    assert(!t->first);
    timer_arm(&t->timer, CLOCK_NEVER);
    free(t);
}
