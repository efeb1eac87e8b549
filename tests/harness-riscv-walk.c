/*
 * harness-riscv-walk.c - see harness-riscv-walk.h. Plain and slow on purpose: bit fields by number, PMP byte by byte.
 */
#include "harness-riscv-walk.h"

#include <string.h>

static unsigned bit(uint64_t x, unsigned n)
{
    return x >> n & 1;
}

static uint64_t field(uint64_t x, unsigned high, unsigned low)
{
    return (x >> low) & ((UINT64_C(2) << (high - low)) - 1);
}

/* ---- PMP ---- */

/* Privileged spec 3.7.1: does the entry match this byte? */
static bool matches(const struct pmp_model *pmp, unsigned i, uint64_t byte)
{
    uint64_t word = byte >> 2, addr = pmp->addr[i];
    unsigned ones = 0;

    switch (pmp->cfg[i] >> 3 & 3) {
    case 0: return false;
    case 1: return word >= (i ? pmp->addr[i - 1] : 0) && word < addr;
    case 2: return word == addr;
    }
    while (ones < 64 && bit(addr, ones))
        ones++;
    return ones >= 63 || word >> (ones + 1) == addr >> (ones + 1);
}

/* Smepmp 1.0, the truth table for mseccfg.MML = 1: by LRWX, what M may do and what S and U may do. */
static const struct {
    const char *lrwx, *m, *su;
} mml_table[] = {
    { "----", "", "" },   { "---x", "", "x" },   { "--w-", "rw", "r" }, { "--wx", "rw", "rw" },
    { "-r--", "", "r" },  { "-r-x", "", "rx" },  { "-rw-", "", "rw" },  { "-rwx", "", "rwx" },
    { "l---", "", "" },   { "l--x", "x", "" },   { "l-w-", "x", "x" },  { "l-wx", "rx", "x" },
    { "lr--", "r", "" },  { "lr-x", "rx", "" },  { "lrw-", "rw", "" },  { "lrwx", "r", "r" },
};

static const char *mml_rights(uint8_t cfg, bool machine)
{
    char lrwx[5] = "----";

    if (cfg & 0x80)
        lrwx[0] = 'l';
    if (cfg & 1)
        lrwx[1] = 'r';
    if (cfg & 2)
        lrwx[2] = 'w';
    if (cfg & 4)
        lrwx[3] = 'x';
    for (unsigned i = 0; i < sizeof mml_table / sizeof mml_table[0]; i++) {
        if (!strcmp(mml_table[i].lrwx, lrwx))
            return machine ? mml_table[i].m : mml_table[i].su;
    }
    return "";
}

static bool entry_allows(const struct pmp_model *pmp, unsigned i, bool machine, unsigned access)
{
    uint8_t cfg = pmp->cfg[i];

    if (pmp->mseccfg & 1)
        return strchr(mml_rights(cfg, machine), "rwx"[access]);
    if (machine && !(cfg & 0x80))
        return true;
    return bit(cfg, access);
}

static bool no_entry_allows(const struct pmp_model *pmp, bool machine, unsigned access)
{
    if (!machine)
        return pmp->entries == 0;
    if (pmp->mseccfg & 2)
        return false;
    return !(pmp->mseccfg & 1) || access != WALK_EXEC;
}

bool pmp_model_allows(const struct pmp_model *pmp, uint64_t gpa, unsigned len, bool machine, unsigned access)
{
    for (unsigned i = 0; i < pmp->entries; i++) {
        unsigned matched = 0;
        for (unsigned n = 0; n < len; n++)
            matched += matches(pmp, i, gpa + n);
        if (matched)
            return matched == len && entry_allows(pmp, i, machine, access);
    }
    return no_entry_allows(pmp, machine, access);
}

/* ---- page tables: 4.3.2, by its steps ---- */

static const int page_fault[] = { 13, 15, 12 };
static const int access_fault[] = { 5, 7, 1 };

struct format {
    unsigned levels, index_bits, pte_size, va_bits, ppn_high;
};

static struct format format_of(const struct walk_mode *m)
{
    if (m->xlen == 32)
        return (struct format){ 2, 10, 4, 32, 31 };
    switch (m->satp >> 60) {
    case 8: return (struct format){ 3, 9, 8, 39, 53 };
    case 9: return (struct format){ 4, 9, 8, 48, 53 };
    default: return (struct format){ 5, 9, 8, 57, 53 };
    }
}

static bool translates(const struct walk_mode *m)
{
    return m->priv != 3 && (m->xlen == 32 ? m->satp >> 31 : m->satp >> 60);
}

static bool canonical(const struct format *f, uint64_t va)
{
    for (unsigned n = f->va_bits; n < 64; n++) {
        if (bit(va, n) != bit(va, f->va_bits - 1))
            return false;
    }
    return true;
}

/* Step 3: encodings that are reserved whatever the access. */
static bool reserved(const struct walk_mode *m, uint64_t pte)
{
    bool leaf = bit(pte, 1) || bit(pte, 3);

    if (!bit(pte, 1) && bit(pte, 2))
        return true;
    if (!leaf && (bit(pte, 4) || bit(pte, 6) || bit(pte, 7)))
        return true;
    if (m->xlen == 32)
        return false;
    if (field(pte, 60, 54))
        return true;
    if (bit(pte, 63) && !(leaf && m->napot))
        return true;
    return field(pte, 62, 61) && !(leaf && m->pbmte && field(pte, 62, 61) != 3);
}

static bool permitted(const struct walk_mode *m, uint64_t pte, unsigned access)
{
    bool r = bit(pte, 1), w = bit(pte, 2), x = bit(pte, 3), u = bit(pte, 4);

    if (m->priv == 0 && !u)
        return false;
    if (m->priv == 1 && u && (access == WALK_EXEC || !m->sum))
        return false;
    if (access == WALK_READ)
        return r || (x && m->mxr);
    return access == WALK_WRITE ? w : x;
}

/* Steps 5 and on: what the leaf says about the access. */
static int leaf(const struct walk_mode *m, const struct format *f, unsigned level, uint64_t va, unsigned access,
                struct walk_result *out)
{
    uint64_t pte = out->pte, ppn = field(pte, f->ppn_high, 10);
    unsigned low_bits = level * f->index_bits;

    if (!permitted(m, pte, access))
        return page_fault[access];
    if (m->xlen == 64 && bit(pte, 63)) {
        if (level > 0 || field(ppn, 3, 0) != 8)
            return page_fault[access];
        low_bits = 4;
        ppn -= 8;
    }
    if (low_bits && field(ppn, low_bits - 1, 0))
        return page_fault[access];
    out->gpa = (ppn << 12) + field(va, 11 + low_bits, 0);
    uint64_t due = pte | 1 << 6 | (access == WALK_WRITE ? 1 << 7 : 0);
    if (due == pte)
        return -1;
    if (!m->adue)
        return page_fault[access];
    if (!m->is_memory(out->pte_gpa, f->pte_size, true) ||
        !pmp_model_allows(m->pmp, out->pte_gpa, f->pte_size, false, WALK_WRITE))
        return access_fault[access];
    out->pte = due;
    return -1;
}

static int translate(const struct walk_mode *m, uint64_t va, unsigned access, struct walk_result *out)
{
    struct format f = format_of(m);
    uint64_t ppn = m->xlen == 32 ? field(m->satp, 21, 0) : field(m->satp, 43, 0);

    if (m->xlen == 64 && !canonical(&f, va))
        return page_fault[access];
    for (unsigned level = f.levels; level-- > 0;) {
        unsigned low = 12 + level * f.index_bits;
        uint64_t at = (ppn << 12) + field(va, low + f.index_bits - 1, low) * f.pte_size;
        if (!m->is_memory(at, f.pte_size, false) || !pmp_model_allows(m->pmp, at, f.pte_size, false, WALK_READ))
            return access_fault[access];
        uint64_t pte = m->read(m->memory, at, f.pte_size);
        if (!bit(pte, 0) || reserved(m, pte))
            return page_fault[access];
        if (bit(pte, 1) || bit(pte, 3)) {
            out->pte_gpa = at;
            out->pte = pte;
            return leaf(m, &f, level, va, access, out);
        }
        ppn = field(pte, f.ppn_high, 10);
    }
    return page_fault[access];
}

struct walk_result walk(const struct walk_mode *m, uint64_t va, unsigned size, unsigned access)
{
    struct walk_result out = { .cause = -1, .gpa = va };

    if (translates(m))
        out.cause = translate(m, va, access, &out);
    if (out.cause < 0 && !pmp_model_allows(m->pmp, out.gpa, size, m->priv == 3, access))
        out.cause = access_fault[access];
    return out;
}
