#include "tlb.h"

#include "bits.h"

void tlb_init(struct tlb *tlb)
{
    for (size_t i = 0; i < TLB_SIZE; i++)
        tlb->entries[i].tag = TLB_EMPTY;
    tlb->count = 0;
}

void tlb_clear(struct tlb *tlb)
{
    if (tlb->count > TLB_LIST) {
        tlb_init(tlb);
        return;
    }
    for (unsigned i = 0; i < tlb->count; i++)
        tlb->entries[tlb->filled[i]].tag = TLB_EMPTY;
    tlb->count = 0;
}

static void drop_in_block(struct tlb_entry *t, uint64_t gva, uint64_t span)
{
    if (!((t->tag ^ gva) & ~(span - 1)))
        t->tag = TLB_EMPTY;
}

void tlb_drop(struct tlb *tlb, uint64_t gva, uint64_t span)
{
    if (span <= PAGE_SIZE) {
        drop_in_block(tlb_slot(tlb, gva), gva, PAGE_SIZE);
    } else if (tlb->count <= TLB_LIST) {
        for (unsigned i = 0; i < tlb->count; i++)
            drop_in_block(&tlb->entries[tlb->filled[i]], gva, span);
    } else {
        for (size_t i = 0; i < TLB_SIZE; i++)
            drop_in_block(&tlb->entries[i], gva, span);
    }
}
