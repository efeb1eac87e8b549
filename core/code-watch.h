/*
 * code-watch.h - which pages of memory one vCPU has decoded code from, and whether others wrote to them.
 *
 * Pages share an entry when there are more than CODE_WATCH_PAGES of them: then a write to one counts for the other.
 */
#ifndef CORE_CODE_WATCH_H
#define CORE_CODE_WATCH_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "tlb.h"

enum { CODE_WATCH_PAGES = 1 << 18 };

struct code_watch {
    _Atomic uint16_t users[CODE_WATCH_PAGES]; /* how often the vCPU has added the page */
    _Atomic uint64_t writes;                  /* by others, to such a page */
};

static inline unsigned code_watch_index(const uint8_t *host)
{
    return (unsigned)((uintptr_t)host >> PAGE_BITS) & (CODE_WATCH_PAGES - 1);
}

/* The vCPU's: before it decodes from the page, and when it has forgotten what it decoded. */
static inline void code_watch_add(struct code_watch *w, const uint8_t *host)
{
    atomic_fetch_add(&w->users[code_watch_index(host)], 1);
}

static inline void code_watch_remove(struct code_watch *w, const uint8_t *host)
{
    atomic_fetch_sub(&w->users[code_watch_index(host)], 1);
}

/* May code have been decoded from the page? Any thread. */
static inline int code_watch_has(const struct code_watch *w, const uint8_t *host)
{
    return atomic_load_explicit(&w->users[code_watch_index(host)], memory_order_relaxed) != 0;
}

/* After a write of len > 0 bytes by somebody else. Either this sees that code was decoded from there, or the vCPU
 * decodes what was written. Any thread. */
static inline void code_watch_wrote(struct code_watch *w, const uint8_t *host, size_t len)
{
    uintptr_t last = ((uintptr_t)host + len - 1) >> PAGE_BITS;

    atomic_thread_fence(memory_order_seq_cst);
    for (uintptr_t page = (uintptr_t)host >> PAGE_BITS; page <= last; page++) {
        if (atomic_load(&w->users[page & (CODE_WATCH_PAGES - 1)])) {
            atomic_fetch_add(&w->writes, 1);
            return;
        }
    }
}

#endif
