/*
 * tlb.h - the software TLB: guest-virtual page to host address, one table for each kind of access.
 *
 * A lookup is one compare: the tag is the page's address, and comparing it with the address less its in-page bits but
 * with its misalignment bits left in catches a misaligned access too. Only the owning vCPU touches its tables.
 */
#ifndef CORE_TLB_H
#define CORE_TLB_H

#include <stdint.h>

enum { PAGE_BITS = 12, PAGE_SIZE = 1 << PAGE_BITS, TLB_BITS = 13, TLB_SIZE = 1 << TLB_BITS, TLB_LIST = 1024 };

#define TLB_EMPTY UINT64_C(0x800) /* no lookup produces this tag */

struct tlb_entry {
    uint64_t tag;
    uint64_t addend; /* host address = gva + addend */
};

struct tlb {
    struct tlb_entry entries[TLB_SIZE];
    /* Slots filled since the last clear, so that clearing costs what was filled; more than TLB_LIST: any slot. */
    uint16_t filled[TLB_LIST];
    unsigned count;
};

static inline struct tlb_entry *tlb_slot(struct tlb *tlb, uint64_t gva)
{
    return &tlb->entries[gva >> PAGE_BITS & (TLB_SIZE - 1)];
}

/* The tag that an access of `size` bytes at gva must find. */
static inline uint64_t tlb_tag(uint64_t gva, unsigned size)
{
    return gva & (~(uint64_t)(PAGE_SIZE - 1) | (size - 1));
}

/* Once, before anything else. */
void tlb_init(struct tlb *tlb);

void tlb_clear(struct tlb *tlb);

/* Drops every entry whose page lies in the naturally aligned block of `span` bytes (a power of two) around gva. */
void tlb_drop(struct tlb *tlb, uint64_t gva, uint64_t span);

static inline void tlb_fill(struct tlb *tlb, uint64_t gva, const uint8_t *host_page)
{
    uint64_t page = gva & ~(uint64_t)(PAGE_SIZE - 1);
    struct tlb_entry *slot = tlb_slot(tlb, gva);

    if (slot->tag == TLB_EMPTY && tlb->count <= TLB_LIST) {
        if (tlb->count < TLB_LIST)
            tlb->filled[tlb->count] = (uint16_t)(slot - tlb->entries);
        tlb->count++;
    }
    *slot = (struct tlb_entry){ page, (uintptr_t)host_page - page };
}

#endif
