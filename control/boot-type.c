/*
 * boot-type.c - see boot-type.h.
 *
 * Between bytes lies a character's time at 115200 baud. Of what was typed at most one byte is in the FIFO, so whatever
 * makes room there (a read, a clear, another FIFO mode) has emptied it. A timer that only waits for the guest is an
 * observer: when all else sleeps, a guest that will never read is dead.
 */
#include "boot-type.h"

#include <stdlib.h>

enum { PAUSE_BEFORE_NS = 20000000, CHARACTER_NS = 87000, LOOK_AGAIN_NS = 10000000 };

static void arm(struct boot_typist *y, uint64_t wait, bool observer)
{
    y->timer.observer = observer;
    timer_arm(&y->timer, clock_now(y->clock) + wait);
}

static size_t room(const struct boot_typist *y)
{
    return y->port->can_receive ? y->port->can_receive(y->port->dev) : 0;
}

static bool may_send(const struct boot_typist *y, size_t free)
{
    return free && (y->burst || !y->waiting || free >= y->room);
}

static void send(struct boot_typist *y, size_t free)
{
    size_t n = y->burst ? y->len - y->at : 1;

    if (n > free)
        n = free;
    y->room = free;
    y->at += n;
    y->waiting = true;
    y->port->receive(y->port->dev, (const uint8_t *)y->text + y->at - n, n);
}

static void on_timer(void *owner)
{
    struct boot_typist *y = owner;
    size_t free = room(y);

    if (may_send(y, free))
        send(y, free);
    if (y->at == y->len) {
        boot_typist_stop(y);
        y->done(y->owner);
    } else if (y->timer.deadline == CLOCK_NEVER) {
        arm(y, LOOK_AGAIN_NS, true);
    }
}

void boot_typist_init(struct boot_typist *y, struct char_port *port, struct clock *clock, void (*done)(void *owner),
                      void *owner)
{
    *y = (struct boot_typist){ .port = port, .clock = clock, .done = done, .owner = owner };
    timer_init(&y->timer, clock, on_timer, y);
}

void boot_typist_stop(struct boot_typist *y)
{
    if (y->clock)
        timer_arm(&y->timer, CLOCK_NEVER);
    free(y->text);
    y->text = NULL;
    y->len = y->at = 0;
    y->waiting = false;
}

void boot_typist_free(struct boot_typist *y)
{
    boot_typist_stop(y);
}

void boot_typist_type(struct boot_typist *y, char *text, size_t len, bool burst)
{
    boot_typist_stop(y);
    y->text = text;
    y->len = len;
    y->burst = burst;
    arm(y, PAUSE_BEFORE_NS, false);
}

void boot_typist_poked(struct boot_typist *y)
{
    if (!y->text || !y->waiting || !room(y))
        return;
    y->waiting = false;
    arm(y, CHARACTER_NS, false);
}
