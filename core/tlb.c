#include "tlb.h"

#include "bits.h"

void tlb_clear(struct tlb *tlb)
{
    for (size_t i = 0; i < TLB_SIZE; i++)
        tlb->entries[i].tag = TLB_EMPTY;
}

void tlb_drop(struct tlb *tlb, uint64_t gva, uint64_t span)
{
    if (span <= PAGE_SIZE) {
        struct tlb_entry *t = tlb_slot(tlb, gva);
        if (t->tag == tlb_tag(gva, 1))
            t->tag = TLB_EMPTY;
        return;
    }
    for (size_t i = 0; i < TLB_SIZE; i++) {
        if (!((tlb->entries[i].tag ^ gva) & ~(span - 1)))
            tlb->entries[i].tag = TLB_EMPTY;
    }
}
