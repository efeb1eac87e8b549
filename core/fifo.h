/* fifo.h - a byte queue of fixed capacity that saturates: a push into a full one is refused, never written. */
#ifndef CORE_FIFO_H
#define CORE_FIFO_H

#include <stdbool.h>
#include <stdint.h>

enum { FIFO_MAX = 256 };

/* In device state: save all fields; `head` < FIFO_MAX, `len` <= FIFO_MAX. */
struct fifo {
    uint8_t data[FIFO_MAX];
    uint16_t head;
    uint16_t len;
};

static inline void fifo_clear(struct fifo *f)
{
    f->head = f->len = 0;
}

static inline bool fifo_push(struct fifo *f, unsigned capacity, uint8_t byte)
{
    if (f->len >= capacity || f->len >= FIFO_MAX)
        return false;
    f->data[(f->head + f->len++) % FIFO_MAX] = byte;
    return true;
}

/* 0 when empty. */
static inline uint8_t fifo_pop(struct fifo *f)
{
    if (!f->len)
        return 0;
    uint8_t byte = f->data[f->head % FIFO_MAX];
    f->head = (uint16_t)((f->head + 1) % FIFO_MAX);
    f->len--;
    return byte;
}

#endif
