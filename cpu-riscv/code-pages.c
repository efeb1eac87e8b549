/*
 * code-pages.c - the pages that a space's jumps lead to.
 *
 * Kernels fence what they unmap and protect, up to all of an address space, and hardly ever is it code. So a fence does
 * not forget the jumps: it looks whether each page of code would be fetched from where it was. That is as if the pages
 * had been walked right after the fence, which an implementation may do (privileged spec 4.2.1).
 */
#include "mem.h"
#include "state.h"

static unsigned first_slot(uint64_t va)
{
    return (unsigned)((va >> PAGE_BITS) * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (RV_CODE_SLOTS - 1);
}

/* The slot of va's page, or the free one where it belongs. */
static unsigned slot_of(const struct rv_code_pages *c, uint64_t va)
{
    unsigned i = first_slot(va);

    while (c->slot[i] && c->page[c->slot[i] - 1].va != va)
        i = (i + 1) & (RV_CODE_SLOTS - 1);
    return i;
}

static uint64_t page_start(uint64_t va)
{
    return va & ~(uint64_t)(PAGE_SIZE - 1);
}

void rv_code_page_add(struct rv_code_pages *c, uint64_t pc, const uint8_t *host)
{
    uint64_t va = page_start(pc);
    unsigned i = c->count > RV_CODE_PAGES ? 0 : slot_of(c, va);

    if (c->count > RV_CODE_PAGES || c->slot[i])
        return;
    if (c->count < RV_CODE_PAGES) {
        c->page[c->count] = (struct rv_code_page){ va, host - (pc - va) };
        c->slot[i] = (uint16_t)(c->count + 1);
    }
    c->count++;
}

void rv_code_pages_clear(struct rv_code_pages *c)
{
    if (c->count)
        memset(c->slot, 0, sizeof c->slot);
    c->count = 0;
}

static bool holds(struct rv *cpu, const struct rv_code_page *p, uint64_t satp, uint32_t view)
{
    return rv_fetches_from(cpu, satp, view, p->va) == p->host;
}

bool rv_code_page_holds(struct rv *cpu, const struct rv_code_pages *c, uint64_t satp, uint32_t view, uint64_t va)
{
    if (c->count > RV_CODE_PAGES)
        return false;
    unsigned i = slot_of(c, page_start(va));
    return !c->slot[i] || holds(cpu, &c->page[c->slot[i] - 1], satp, view);
}

bool rv_code_pages_hold(struct rv *cpu, const struct rv_code_pages *c, uint64_t satp, uint32_t view)
{
    bool all = c->count <= RV_CODE_PAGES;

    for (unsigned i = 0; i < c->count && all; i++)
        all = holds(cpu, &c->page[i], satp, view);
    return all;
}
