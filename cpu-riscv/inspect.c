/*
 * See inspect.h. Privileged spec 4.3-4.6 (Sv32, Sv39, Sv48, Sv57), Svnapot.
 *
 * Tables can form loops that look like 2^48 mappings; after TABLES of them the walk gives up.
 */
#include "inspect.h"

#include "decode.h"
#include "state.h"

enum { TABLES = 4096, PTE_V = 1, PTE_R = 2, PTE_X = 8, ENTRY_BITS = 12 };

struct walk {
    struct bus *bus;
    unsigned vpn_bits, pte_size, va_bits;
    unsigned tables; /* how many were read */
    bool (*take)(void *owner, const struct control_mapping *mapping);
    void *owner;
};

unsigned rv_inspect_code(const struct rv_config *config, uint64_t pc, const uint8_t *bytes, size_t len, char *text,
                         size_t size)
{
    if (len < 2 || ((bytes[0] & 3) == 3 && len < 4))
        return 0;
    uint32_t raw = (bytes[0] & 3) == 3 ? get_le32(bytes) : get_le16(bytes);
    return rv_disasm(config->decoder, pc, raw, text, size);
}

/* "rwxugad" */
static void describe(struct control_mapping *m, uint64_t pte)
{
    static const char letters[] = "rwxugad";

    for (unsigned i = 0; i < 7; i++)
        m->attributes[i] = pte >> (i + 1) & 1 ? letters[i] : '-';
    m->attributes[7] = 0;
}

static bool take_leaf(struct walk *w, uint64_t va, unsigned shift, uint64_t pte)
{
    struct control_mapping m = { .size = UINT64_C(1) << shift };
    uint64_t ppn = w->pte_size == 4 ? pte >> 10 : bits(pte, 10, 44);

    if (w->pte_size == 8 && pte >> 63) /* Svnapot: this page of its 64 KiB */
        ppn = (ppn & ~UINT64_C(15)) | (va >> ENTRY_BITS & 15);
    m.gpa = ppn << ENTRY_BITS;
    m.gva = w->pte_size == 4 ? va : (uint64_t)sext(va, w->va_bits);
    describe(&m, pte);
    return w->take(w->owner, &m);
}

/* The table at gpa, whose entries map 2^shift bytes each. Depth is that of the paging mode. */
static bool walk_table(struct walk *w, uint64_t gpa, unsigned shift, uint64_t va)
{
    unsigned count = 1u << w->vpn_bits;
    const uint8_t *table = bus_memory(w->bus, gpa, (uint64_t)count * w->pte_size, false);

    if (!table)
        return true;
    if (w->tables++ == TABLES)
        return false;
    for (unsigned i = 0; i < count; i++) {
        uint64_t pte = w->pte_size == 4 ? get_le32(table + 4 * i) : get_le64(table + 8 * i);
        uint64_t at = va | (uint64_t)i << shift;
        bool ok = true;
        if (!(pte & PTE_V))
            continue;
        if (pte & (PTE_R | PTE_X))
            ok = take_leaf(w, at, shift, pte);
        else if (shift > ENTRY_BITS)
            ok = walk_table(w, (w->pte_size == 4 ? pte >> 10 : bits(pte, 10, 44)) << ENTRY_BITS, shift - w->vpn_bits,
                            at);
        if (!ok)
            return false;
    }
    return true;
}

bool rv_inspect_mappings(struct cpu *c, bool (*take)(void *owner, const struct control_mapping *mapping), void *owner)
{
    const struct rv *cpu = (struct rv *)c;
    struct walk w = { .bus = c->env.bus, .take = take, .owner = owner };
    bool small = is_rv32(cpu);
    unsigned mode = small ? (unsigned)(cpu->satp >> 31 & 1) : (unsigned)(cpu->satp >> 60);
    unsigned levels = small ? 2 : mode - 5; /* 8: Sv39, 9: Sv48, 10: Sv57 */

    if (!mode || (!small && (mode < 8 || mode > 10)))
        return false;
    w.vpn_bits = small ? 10 : 9;
    w.pte_size = small ? 4 : 8;
    w.va_bits = ENTRY_BITS + levels * w.vpn_bits;
    walk_table(&w, (small ? bits(cpu->satp, 0, 22) : bits(cpu->satp, 0, 44)) << ENTRY_BITS,
               ENTRY_BITS + (levels - 1) * w.vpn_bits, 0);
    return true;
}
