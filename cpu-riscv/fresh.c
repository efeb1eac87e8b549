/*
 * fresh.c - which code may have changed: what fence.i has to look at on a machine with one hart.
 *
 * The hart's own stores reach a page through a write entry of a soft TLB. A page that gets such an entry after blocks
 * were decoded from it, or that has one when they are, is "open": each fence.i compares its blocks with memory. When
 * too many are open, all write entries go. What devices and debuggers write is counted by the bus (core/code-watch.h);
 * then fence.i distrusts all blocks, as it always does with several harts, whose stores nobody sees.
 *
 * Linux executes a fence.i for each page of code that a process touches first: some 40 000 in a boot, of which next to
 * none finds that anything has changed.
 */
#include <stdlib.h>

#include "alloc.h"
#include "bus.h"
#include "code-watch.h"
#include "state.h"

enum { OPEN_MAX = 32, NEVER = 0 };

struct rv_fresh {
    struct bus *bus;
    struct code_watch code;
    uint64_t seen;                       /* writes of others up to the last fence.i */
    uint32_t round;                      /* of write entries: moves when all are dropped */
    uint32_t filled[CODE_WATCH_PAGES];   /* round in which the page last got a write entry */
    const uint8_t *open[OPEN_MAX];
    unsigned open_count;                 /* more than OPEN_MAX: any page */
};

struct rv_fresh *rv_fresh_new(struct bus *bus)
{
    struct rv_fresh *w = alloc_zeroed(sizeof *w);

    w->round = NEVER + 1;
    w->bus = bus;
    bus_set_code_watch(bus, &w->code);
    return w;
}

void rv_fresh_free(struct rv_fresh *w)
{
    if (w)
        bus_set_code_watch(w->bus, NULL);
    free(w);
}

static const uint8_t *page_start(const uint8_t *host)
{
    return host - ((uintptr_t)host & (PAGE_SIZE - 1));
}

static void open_page(struct rv_fresh *w, const uint8_t *page)
{
    for (unsigned i = 0; i < w->open_count && i < OPEN_MAX; i++) {
        if (w->open[i] == page)
            return;
    }
    if (w->open_count < OPEN_MAX)
        w->open[w->open_count] = page;
    w->open_count++;
}

void rv_fresh_write(struct rv_fresh *w, const uint8_t *host)
{
    const uint8_t *page = page_start(host);

    w->filled[code_watch_index(page)] = w->round;
    if (code_watch_has(&w->code, page))
        open_page(w, page);
}

void rv_fresh_code(struct rv_fresh *w, const uint8_t *page)
{
    code_watch_add(&w->code, page);
    if (w->filled[code_watch_index(page)] == w->round)
        open_page(w, page);
}

void rv_fresh_forget(struct rv_fresh *w, const uint8_t *page)
{
    code_watch_remove(&w->code, page);
}

/* All open pages are closed: no write entry is left. */
static void close_all(struct rv *cpu)
{
    rv_drop_write_entries(cpu);
    cpu->fresh->round++;
    cpu->fresh->open_count = 0;
}

static void distrust_all(struct rv *cpu)
{
    cpu->code_epoch++;
    rv_clear_jumps(cpu);
}

void rv_fence_code(struct rv *cpu)
{
    struct rv_fresh *w = cpu->fresh;
    bool changed = false;
    unsigned kept = 0;

    if (!w) {
        distrust_all(cpu);
        return;
    }
    uint64_t writes = atomic_load(&w->code.writes);
    if (writes != w->seen || w->open_count > OPEN_MAX) {
        w->seen = writes;
        close_all(cpu);
        distrust_all(cpu);
        return;
    }
    for (unsigned i = 0; i < w->open_count; i++) {
        changed |= rv_compare_code(cpu, w->open[i]);
        if (code_watch_has(&w->code, w->open[i]))
            w->open[kept++] = w->open[i];
    }
    w->open_count = kept;
    if (kept > OPEN_MAX / 2)
        close_all(cpu);
    if (changed)
        rv_clear_jumps(cpu);
}
