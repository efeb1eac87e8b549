#include "tlb.h"

#include "bits.h"

static void empty(struct tlb_entry *t)
{
    t->tag[TLB_READ] = t->tag[TLB_WRITE] = t->tag[TLB_EXEC] = TLB_EMPTY;
}

void tlb_init(struct tlb *tlb)
{
    for (size_t i = 0; i < TLB_SIZE; i++)
        empty(&tlb->entries[i]);
    tlb->count = 0;
}

void tlb_clear(struct tlb *tlb)
{
    if (tlb->count > TLB_LIST) {
        tlb_init(tlb);
        return;
    }
    for (unsigned i = 0; i < tlb->count; i++)
        empty(&tlb->entries[tlb->filled[i]]);
    tlb->count = 0;
}

void tlb_clear_kind(struct tlb *tlb, enum tlb_kind kind)
{
    bool any = tlb->count > TLB_LIST;
    unsigned n = any ? TLB_SIZE : tlb->count;

    for (unsigned i = 0; i < n; i++)
        tlb->entries[any ? i : tlb->filled[i]].tag[kind] = TLB_EMPTY;
}

/* An empty tag is in no page's block but that of page 0, where it does no harm. */
static void drop_in_block(struct tlb_entry *t, uint64_t gva, uint64_t span)
{
    for (unsigned kind = 0; kind < TLB_KINDS; kind++) {
        if (!((t->tag[kind] ^ gva) & ~(span - 1)))
            t->tag[kind] = TLB_EMPTY;
    }
}

void tlb_drop(struct tlb *tlb, uint64_t gva, uint64_t span)
{
    if (span <= PAGE_SIZE) {
        drop_in_block(&tlb->entries[tlb_index(gva)], gva, PAGE_SIZE);
    } else if (tlb->count <= TLB_LIST) {
        for (unsigned i = 0; i < tlb->count; i++)
            drop_in_block(&tlb->entries[tlb->filled[i]], gva, span);
    } else {
        for (size_t i = 0; i < TLB_SIZE; i++)
            drop_in_block(&tlb->entries[i], gva, span);
    }
}

static bool is_empty(const struct tlb_entry *t)
{
    return t->tag[TLB_READ] == TLB_EMPTY && t->tag[TLB_WRITE] == TLB_EMPTY && t->tag[TLB_EXEC] == TLB_EMPTY;
}

/* What is there of the same page stays when it is at the same place. */
void tlb_fill(struct tlb *tlb, uint64_t gva, const uint8_t *host_page, enum tlb_kind kind)
{
    uint64_t page = gva & ~(uint64_t)(PAGE_SIZE - 1), addend = (uintptr_t)host_page - page;
    struct tlb_entry *t = &tlb->entries[tlb_index(gva)];

    if (is_empty(t) && tlb->count <= TLB_LIST) {
        if (tlb->count < TLB_LIST)
            tlb->filled[tlb->count] = (uint16_t)(t - tlb->entries);
        tlb->count++;
    }
    for (unsigned k = 0; k < TLB_KINDS; k++) {
        if (t->tag[k] != page || t->addend != addend)
            t->tag[k] = TLB_EMPTY;
    }
    t->tag[kind] = page;
    t->addend = addend;
}
