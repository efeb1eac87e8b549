/*
 * Address translation and the slow paths of loads, stores and fetches.
 * RISC-V privileged spec 4.3-4.6 (Sv32, Sv39, Sv48, Sv57), Svnapot, Svpbmt, Svade, Svadu; PMP 3.7.
 *
 * Memory that is not RAM: a misaligned access to a device is an access fault; so are atomics there.
 * Gaps: two-stage translation is not here yet; it will be a second walk for every address that `walk` produces.
 */
#include "bus.h"
#include "mem.h"

enum {
    PTE_V = 1 << 0,
    PTE_R = 1 << 1,
    PTE_W = 1 << 2,
    PTE_X = 1 << 3,
    PTE_U = 1 << 4,
    PTE_G = 1 << 5,
    PTE_A = 1 << 6,
    PTE_D = 1 << 7,
};
#define PTE_PBMT (3 * BIT(61))
#define PTE_N BIT(63)
#define PTE_RESERVED (127 * BIT(54))

struct paging {
    uint8_t levels, vpn_bits, pte_size, va_bits;
};

static const struct paging sv32 = { 2, 10, 4, 32 };
static const struct paging sv39 = { 3, 9, 8, 39 };
static const struct paging sv48 = { 4, 9, 8, 48 };
static const struct paging sv57 = { 5, 9, 8, 57 };

/* Where an address leads. */
struct place {
    uint64_t gpa;
    uint64_t span; /* size of the mapping's page */
    bool global;   /* the same in all address spaces */
    bool accessed; /* its A bit is set */
};

static const uint8_t page_cause[] = { CAUSE_LOAD_PAGE, CAUSE_STORE_PAGE, CAUSE_FETCH_PAGE };
static const uint8_t access_cause[] = { CAUSE_LOAD_ACCESS, CAUSE_STORE_ACCESS, CAUSE_FETCH_ACCESS };
static const uint8_t misaligned_cause[] = { CAUSE_LOAD_MISALIGNED, CAUSE_STORE_MISALIGNED, CAUSE_FETCH_MISALIGNED };

static const struct paging *paging_of(const struct rv *cpu, uint64_t satp)
{
    if (is_rv32(cpu))
        return &sv32;
    switch (satp >> 60) {
    case 8: return &sv39;
    case 9: return &sv48;
    default: return &sv57;
    }
}

static uint64_t load_pte(const uint8_t *p, unsigned size)
{
    return host_load(p, size);
}

static bool pte_reserved(const struct rv *cpu, uint64_t pte, bool leaf)
{
    uint64_t reserved = is_rv32(cpu) ? 0 : PTE_RESERVED;

    if (!leaf)
        reserved |= PTE_D | PTE_A | PTE_U | (is_rv32(cpu) ? 0 : PTE_N | PTE_PBMT);
    else if (!is_rv32(cpu)) {
        if (!rv_has(&cpu->isa, RV_EXT_SVNAPOT))
            reserved |= PTE_N;
        if (!(cpu->menvcfg & ENVCFG_PBMTE))
            reserved |= PTE_PBMT;
        else if ((pte & PTE_PBMT) == PTE_PBMT)
            return true;
    }
    return pte & reserved;
}

/* May an access in this view go through the leaf? Privileged spec 4.3.2 step 6. */
static bool pte_permits(uint64_t pte, uint32_t view, enum rv_access access)
{
    unsigned priv = view & RV_VIEW_PRIV;

    if (priv == PRIV_U && !(pte & PTE_U))
        return false;
    if (priv == PRIV_S && (pte & PTE_U) && (access == ACCESS_EXEC || !(view & RV_VIEW_SUM)))
        return false;
    switch (access) {
    case ACCESS_READ: return pte & (view & RV_VIEW_MXR ? PTE_R | PTE_X : PTE_R);
    case ACCESS_WRITE: return pte & PTE_W;
    default: return pte & PTE_X;
    }
}

/* Physical address from a leaf at `level`; false for a misaligned superpage or a bad NAPOT encoding. */
static bool leaf_place(const struct paging *p, uint64_t pte, unsigned level, uint64_t va, struct place *out)
{
    uint64_t ppn = p->pte_size == 4 ? pte >> 10 : bits(pte, 10, 44);
    unsigned shift = PAGE_BITS + level * p->vpn_bits;

    if (p->pte_size == 8 && (pte & PTE_N)) {
        if (level || (ppn & 15) != 8)
            return false;
        shift = PAGE_BITS + 4;
        ppn &= ~UINT64_C(15);
    }
    out->span = BIT(shift);
    uint64_t base = ppn << PAGE_BITS;
    if (base & (out->span - 1))
        return false;
    out->gpa = base | (va & (out->span - 1));
    return true;
}

/* Sets A (and D for a write) by compare-and-swap: 0, the cause of a fault, or -1 when the PTE changed meanwhile. */
static int update_pte(struct rv *cpu, uint8_t *p, uint64_t gpa, unsigned size, uint64_t pte, enum rv_access access,
                      bool probe)
{
    uint64_t want = pte | PTE_A | (access == ACCESS_WRITE ? PTE_D : 0);

    if (want == pte || probe)
        return 0;
    if (!(cpu->menvcfg & ENVCFG_ADUE))
        return page_cause[access];
    if (!bus_memory(cpu->cpu.env.bus, gpa, size, true) || !rv_pmp_allows(cpu, gpa, size, PRIV_S, ACCESS_WRITE))
        return access_cause[access];
    if (unlikely(cpu->check))
        rv_check_write(cpu, gpa);
    if (cpu->fresh)
        rv_fresh_write(cpu->fresh, p);
    if (size == 4) {
        uint32_t old = (uint32_t)pte;
        return __atomic_compare_exchange_n((uint32_t *)(void *)p, &old, (uint32_t)want, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_RELAXED)
                   ? 0
                   : -1;
    }
    return __atomic_compare_exchange_n((uint64_t *)(void *)p, &pte, want, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)
               ? 0
               : -1;
}

/* One pass down the tables: 0, the cause of a fault, or -1 to start again. */
static int walk_once(struct rv *cpu, uint64_t satp, uint32_t view, uint64_t va, enum rv_access access, bool probe,
                     struct place *out)
{
    const struct paging *p = paging_of(cpu, satp);

    out->global = false;
    uint64_t table = (is_rv32(cpu) ? bits(satp, 0, 22) : bits(satp, 0, 44)) << PAGE_BITS;

    if (!is_rv32(cpu) && (uint64_t)sext(va, p->va_bits) != va)
        return page_cause[access];
    for (unsigned level = p->levels; level-- > 0;) {
        uint64_t index = bits(va, PAGE_BITS + level * p->vpn_bits, p->vpn_bits);
        uint64_t gpa = table + index * p->pte_size;
        uint8_t *host = bus_memory(cpu->cpu.env.bus, gpa, p->pte_size, false);
        if (!host || !rv_pmp_allows(cpu, gpa, p->pte_size, PRIV_S, ACCESS_READ))
            return access_cause[access];
        uint64_t pte = load_pte(host, p->pte_size);
        bool leaf = pte & (PTE_R | PTE_X);
        out->global |= (pte & PTE_G) != 0;
        if (!(pte & PTE_V) || (!(pte & PTE_R) && (pte & PTE_W)) || pte_reserved(cpu, pte, leaf))
            return page_cause[access];
        if (!leaf) {
            table = (p->pte_size == 4 ? pte >> 10 : bits(pte, 10, 44)) << PAGE_BITS;
            continue;
        }
        if (!pte_permits(pte, view, access) || !leaf_place(p, pte, level, va, out))
            return page_cause[access];
        out->accessed = pte & PTE_A;
        return update_pte(cpu, host, gpa, p->pte_size, pte, access, probe);
    }
    return page_cause[access];
}

/* Translates va as seen under satp and view: 0 or the cause of a fault. A probe changes nothing and ignores A and D. */
static int translate(struct rv *cpu, uint64_t satp, uint32_t view, uint64_t va, enum rv_access access, bool probe,
                     struct place *out)
{
    int cause;

    if (!satp) {
        *out = (struct place){ va, PAGE_SIZE, false, true };
        return 0;
    }
    do
        cause = walk_once(cpu, satp, view, va, access, probe, out);
    while (cause < 0);
    return cause;
}

/* After a miss: the host address if all address spaces know the page. */
static uint8_t *adopt(struct rv_space *space, uint64_t va, enum rv_access access)
{
    return rv_adopt_page(space, va, (enum tlb_kind)access);
}

/* The hart may write to the page from now on. */
static void watch_write(struct rv *cpu, uint64_t gpa)
{
    uint8_t *host = cpu->fresh ? bus_memory(cpu->cpu.env.bus, gpa, 1, true) : NULL;

    if (host)
        rv_fresh_write(cpu->fresh, host);
}

static void fill(struct rv *cpu, struct rv_space *space, uint64_t va, const struct place *at, enum rv_access access)
{
    uint64_t page = at->gpa & ~(uint64_t)(PAGE_SIZE - 1);
    uint8_t *host = bus_memory(cpu->cpu.env.bus, page, PAGE_SIZE, access == ACCESS_WRITE);

    if (!host || !rv_pmp_uniform(cpu, page) || (access != ACCESS_EXEC && rv_debug_watched(cpu, va)))
        return;
    tlb_fill(&space->tlb, va, host, (enum tlb_kind)access);
    rv_note_page(space, va, at->span);
    if (at->global && space->global) {
        tlb_fill(&space->global->tlb, va, host, (enum tlb_kind)access);
        rv_note_page(space->global, va, at->span);
    }
}

/* Translates and checks one access inside a page: 0 with the place, or the cause. */
static int resolve(struct rv *cpu, struct rv_space *space, uint64_t va, unsigned size, enum rv_access access,
                   struct place *at)
{
    int cause = translate(cpu, space->satp, space->view, va, access, false, at);

    cpu->counts.walks++;
    if (cause)
        return cause;
    if (!rv_pmp_allows(cpu, at->gpa, size, space->view & RV_VIEW_PRIV, access))
        return access_cause[access];
    if (unlikely(cpu->check) && access == ACCESS_WRITE)
        rv_check_write(cpu, at->gpa);
    fill(cpu, space, va, at, access);
    if (access == ACCESS_WRITE)
        watch_write(cpu, at->gpa);
    if (unlikely(cpu->debug.watch_count) && access != ACCESS_EXEC)
        rv_debug_access(cpu, va, size, access == ACCESS_WRITE);
    return 0;
}

int rv_check_access(struct rv *cpu, uint64_t va, unsigned size, enum rv_access access)
{
    struct place at;
    int cause = resolve(cpu, cpu->data, va, size, access, &at);

    return !cause && !bus_find(cpu->cpu.env.bus, at.gpa) ? access_cause[access] : cause;
}

bool rv_touch(struct rv *cpu, uint64_t va, enum rv_access access)
{
    if (tlb_find(&cpu->data->tlb, va, 1, (enum tlb_kind)access) || cpu->debug.watch_count)
        return false;
    if (!adopt(cpu->data, va, access))
        (void)rv_check_access(cpu, va, 1, access);
    return tlb_find(&cpu->data->tlb, va, 1, (enum tlb_kind)access);
}

static enum bus_status device_access(struct rv *cpu, uint64_t gpa, unsigned size, enum rv_access access,
                                     uint64_t *value)
{
    struct cpu_env *env = &cpu->cpu.env;
    enum bus_status status;

    if (unlikely(cpu->check))
        rv_check_device(cpu);
    cpu->counts.devices++;
    lock_take(env->lock);
    if (access == ACCESS_READ)
        status = bus_read(env->bus, gpa, size, value);
    else
        status = bus_write(env->bus, gpa, size, *value);
    lock_drop(env->lock);
    return status;
}

/* The host address of data whose page is cached, or NULL. */
static uint8_t *cached(struct rv *cpu, uint64_t va, enum rv_access access)
{
    uint8_t *host = tlb_find(&cpu->data->tlb, va, 1, (enum tlb_kind)access);

    return host ? host : adopt(cpu->data, va, access);
}

/* Bytes of a misaligned access in the pages it touches: host addresses of both parts, or a fault before any of it is
 * done. */
static void split(struct rv *cpu, const struct rv_op *op, uint64_t va, unsigned size, enum rv_access access,
                  uint8_t *part[2], unsigned *first)
{
    unsigned room = PAGE_SIZE - (unsigned)(va & (PAGE_SIZE - 1));

    *first = size < room ? size : room;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t at_va = i ? (va + *first) & cpu->va_mask : va;
        unsigned len = i ? size - *first : *first;
        struct place at;
        if (!len)
            break;
        part[i] = cached(cpu, at_va, access);
        if (part[i])
            continue;
        int cause = resolve(cpu, cpu->data, at_va, len, access, &at);
        if (cause)
            rv_raise(cpu, op, cause, at_va);
        part[i] = bus_memory(cpu->cpu.env.bus, at.gpa, len, access == ACCESS_WRITE);
        if (!part[i])
            rv_raise(cpu, op, access_cause[access], at_va);
    }
}

static uint64_t load_misaligned(struct rv *cpu, const struct rv_op *op, uint64_t va, unsigned size)
{
    uint8_t *part[2] = { NULL, NULL };
    uint8_t bytes[8] = { 0 };
    unsigned first;

    split(cpu, op, va, size, ACCESS_READ, part, &first);
    memcpy(bytes, part[0], first);
    if (size > first)
        memcpy(bytes + first, part[1], size - first);
    return get_le64(bytes);
}

static void store_misaligned(struct rv *cpu, const struct rv_op *op, uint64_t va, uint64_t value, unsigned size)
{
    uint8_t *part[2] = { NULL, NULL };
    uint8_t bytes[8];
    unsigned first;

    split(cpu, op, va, size, ACCESS_WRITE, part, &first);
    put_le64(bytes, value);
    rv_break_reservation(cpu, part[0]);
    rv_break_reservation(cpu, part[0] + first - 1);
    memcpy(part[0], bytes, first);
    if (size > first) {
        rv_break_reservation(cpu, part[1]);
        memcpy(part[1], bytes + first, size - first);
    }
}

uint64_t rv_load_slow(struct rv *cpu, const struct rv_op *op, uint64_t va, unsigned size)
{
    struct place at;
    uint64_t value;

    if (va & (size - 1))
        return load_misaligned(cpu, op, va, size);
    const uint8_t *host = adopt(cpu->data, va, ACCESS_READ);
    if (host)
        return host_load(host, size);
    int cause = resolve(cpu, cpu->data, va, size, ACCESS_READ, &at);
    if (cause)
        rv_raise(cpu, op, cause, va);
    host = bus_memory(cpu->cpu.env.bus, at.gpa, size, false);
    if (host)
        return host_load(host, size);
    if (device_access(cpu, at.gpa, size, ACCESS_READ, &value) != BUS_OK)
        rv_raise(cpu, op, CAUSE_LOAD_ACCESS, va);
    return value;
}

void rv_store_slow(struct rv *cpu, const struct rv_op *op, uint64_t va, uint64_t value, unsigned size)
{
    struct place at;

    if (va & (size - 1))
        return store_misaligned(cpu, op, va, value, size);
    uint8_t *host = adopt(cpu->data, va, ACCESS_WRITE);
    if (!host) {
        int cause = resolve(cpu, cpu->data, va, size, ACCESS_WRITE, &at);
        if (cause)
            rv_raise(cpu, op, cause, va);
        host = bus_memory(cpu->cpu.env.bus, at.gpa, size, true);
    }
    if (host) {
        rv_break_reservation(cpu, host);
        host_store(host, value, size);
    } else if (device_access(cpu, at.gpa, size, ACCESS_WRITE, &value) != BUS_OK) {
        rv_raise(cpu, op, CAUSE_STORE_ACCESS, va);
    }
}

uint8_t *rv_atomic_address(struct rv *cpu, const struct rv_op *op, uint64_t va, unsigned size, enum rv_access access)
{
    uint8_t *host = tlb_find(&cpu->data->tlb, va, size, (enum tlb_kind)access);
    struct place at;

    if (likely(host))
        return host;
    if (va & (size - 1))
        rv_raise(cpu, op, misaligned_cause[access], va);
    host = adopt(cpu->data, va, access);
    if (host)
        return host;
    int cause = resolve(cpu, cpu->data, va, size, access, &at);
    if (cause)
        rv_raise(cpu, op, cause, va);
    host = bus_memory(cpu->cpu.env.bus, at.gpa, size, access == ACCESS_WRITE);
    if (!host)
        rv_raise(cpu, op, access_cause[access], va);
    return host;
}

const uint8_t *rv_fetch_address(struct rv *cpu, uint64_t va, int *cause)
{
    const uint8_t *host = tlb_find(&cpu->fetch->tlb, va, 1, TLB_EXEC);
    struct place at;

    *cause = 0;
    if (likely(host))
        return host;
    host = adopt(cpu->fetch, va, ACCESS_EXEC);
    if (host)
        return host;
    *cause = resolve(cpu, cpu->fetch, va, 2, ACCESS_EXEC, &at);
    if (*cause)
        return NULL;
    host = bus_memory(cpu->cpu.env.bus, at.gpa, 2, false);
    if (!host)
        *cause = CAUSE_FETCH_ACCESS;
    return host;
}

const uint8_t *rv_fetches_from(struct rv *cpu, uint64_t satp, uint32_t view, uint64_t va)
{
    struct place at;

    if (translate(cpu, satp, view, va, ACCESS_EXEC, true, &at) || !at.accessed)
        return NULL;
    uint64_t page = at.gpa & ~(uint64_t)(PAGE_SIZE - 1);
    return rv_pmp_uniform(cpu, page) ? bus_memory(cpu->cpu.env.bus, page, PAGE_SIZE, false) : NULL;
}

bool rv_translate_debug(struct cpu *c, uint64_t gva, uint64_t *gpa)
{
    static const uint32_t views[] = { PRIV_S | RV_VIEW_SUM | RV_VIEW_MXR, PRIV_U | RV_VIEW_MXR };
    struct rv *cpu = (struct rv *)c;
    struct place at;

    for (size_t i = 0; i < ARRAY_LEN(views); i++) {
        if (!translate(cpu, cpu->data->satp, views[i], gva & cpu->va_mask, ACCESS_READ, true, &at)) {
            *gpa = at.gpa;
            return true;
        }
    }
    return false;
}
