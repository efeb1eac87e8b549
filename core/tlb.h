/*
 * tlb.h - the software TLB: guest-virtual page to host address.
 *
 * An entry is of one page, with a tag for each kind of access that was granted. A lookup is one compare: the tag is
 * the page's address, and comparing it with the address less its in-page bits but with its misalignment bits left in
 * catches a misaligned access too. Only the owning vCPU touches its tables. Host code of the JIT knows the entries.
 */
#ifndef CORE_TLB_H
#define CORE_TLB_H

#include <stddef.h>
#include <stdint.h>

enum { PAGE_BITS = 12, PAGE_SIZE = 1 << PAGE_BITS, TLB_BITS = 13, TLB_SIZE = 1 << TLB_BITS, TLB_LIST = 1024 };
enum tlb_kind { TLB_READ, TLB_WRITE, TLB_EXEC, TLB_KINDS };

#define TLB_EMPTY UINT64_C(0x800) /* no lookup produces this tag */

struct tlb_entry {
    uint64_t tag[TLB_KINDS];
    uint64_t addend; /* host address = gva + addend */
};

struct tlb {
    struct tlb_entry entries[TLB_SIZE];
    /* Slots filled since the last clear, so that clearing costs what was filled; more than TLB_LIST: any slot. */
    uint16_t filled[TLB_LIST];
    unsigned count;
};

/* The tag that an access of `size` bytes at gva must find. */
static inline uint64_t tlb_tag(uint64_t gva, unsigned size)
{
    return gva & (~(uint64_t)(PAGE_SIZE - 1) | (size - 1));
}

static inline unsigned tlb_index(uint64_t gva)
{
    return gva >> PAGE_BITS & (TLB_SIZE - 1);
}

/* The host address of `size` bytes at gva, a multiple of size; NULL when the TLB has not got it. */
static inline uint8_t *tlb_find(const struct tlb *tlb, uint64_t gva, unsigned size, enum tlb_kind kind)
{
    const struct tlb_entry *t = &tlb->entries[tlb_index(gva)];

    return __builtin_expect(t->tag[kind] == tlb_tag(gva, size), 1) ? (uint8_t *)(uintptr_t)(gva + t->addend) : NULL;
}

/* Once, before anything else. */
void tlb_init(struct tlb *tlb);

void tlb_clear(struct tlb *tlb);
void tlb_clear_kind(struct tlb *tlb, enum tlb_kind kind);

/* Drops every entry whose page lies in the naturally aligned block of `span` bytes (a power of two) around gva. */
void tlb_drop(struct tlb *tlb, uint64_t gva, uint64_t span);

/* gva's page is at host_page for this kind of access. */
void tlb_fill(struct tlb *tlb, uint64_t gva, const uint8_t *host_page, enum tlb_kind kind);

#endif
