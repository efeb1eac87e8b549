/*
 * line.h - a wire from one output to one input. It carries a level; nobody pulses it.
 */
#ifndef CORE_LINE_H
#define CORE_LINE_H

#include <stdbool.h>
#include <stddef.h>

typedef void line_fn(void *owner, unsigned n, bool level);

/* Lives in the device that drives it; the machine connects it. */
struct line {
    line_fn *set;
    void *owner;
    unsigned n;
};

static inline void line_connect(struct line *line, line_fn *set, void *owner, unsigned n)
{
    *line = (struct line){ set, owner, n };
}

/* Drives the wire. Idempotent; a wire that leads nowhere is fine. The caller holds the machine lock. */
static inline void line_set(const struct line *line, bool level)
{
    if (line->set)
        line->set(line->owner, line->n, level);
}

#endif
