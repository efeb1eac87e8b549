/*
 * Physical memory protection: 16 entries, granularity 4 bytes. Privileged spec 3.7; Smepmp 1.0 (mseccfg).
 */
#include "mem.h"
#include "state.h"

enum { PMP_R = 1, PMP_W = 2, PMP_X = 4, PMP_A = 3 << 3, PMP_L = 0x80 };
enum { A_OFF, A_TOR, A_NA4, A_NAPOT };
enum { MSECCFG_MML = 1, MSECCFG_MMWP = 2 };

static void derive(struct rv_pmp *pmp, unsigned i)
{
    uint64_t addr = pmp->addr[i] << 2;

    pmp->lo[i] = 1;
    pmp->hi[i] = 0;
    switch ((pmp->cfg[i] & PMP_A) >> 3) {
    case A_TOR: {
        uint64_t from = i ? pmp->addr[i - 1] << 2 : 0;
        if (from < addr) {
            pmp->lo[i] = from;
            pmp->hi[i] = addr - 1;
        }
        break;
    }
    case A_NA4:
        pmp->lo[i] = addr;
        pmp->hi[i] = addr + 3;
        break;
    case A_NAPOT: {
        /* y…y01…1: the low run of ones gives the size, 8 << ones bytes. */
        uint64_t mask = (pmp->addr[i] ^ (pmp->addr[i] + 1)) << 2 | 3;
        pmp->lo[i] = addr & ~mask;
        pmp->hi[i] = addr | mask;
        break;
    }
    }
}

void rv_pmp_derive(struct rv *cpu)
{
    cpu->pmp.active = 0;
    for (unsigned i = 0; i < cpu->isa.pmp; i++) {
        derive(&cpu->pmp, i);
        if (cpu->pmp.cfg[i] & PMP_A)
            cpu->pmp.active = i + 1;
    }
}

/* Smepmp's truth table for mseccfg.MML = 1: permissions (R, W, X) by L, R, W, X of the entry and mode. */
static unsigned mml_permissions(uint8_t cfg, bool machine)
{
    bool locked = cfg & PMP_L;
    unsigned rwx = cfg & 7;

    if (rwx == PMP_W)
        return locked ? PMP_X : machine ? PMP_R | PMP_W : PMP_R;
    if (rwx == (PMP_W | PMP_X))
        return !locked ? PMP_R | PMP_W : machine ? PMP_R | PMP_X : PMP_X;
    if (rwx == (PMP_R | PMP_W | PMP_X) && locked)
        return PMP_R;
    return locked == machine ? rwx : 0;
}

static unsigned permissions(const struct rv *cpu, unsigned i, bool machine)
{
    uint8_t cfg = cpu->pmp.cfg[i];

    if (cpu->mseccfg & MSECCFG_MML)
        return mml_permissions(cfg, machine);
    return machine && !(cfg & PMP_L) ? PMP_R | PMP_W | PMP_X : cfg & 7;
}

/* Machine mode without a matching entry: everything, unless Smepmp restricts it. */
static unsigned default_permissions(const struct rv *cpu, bool machine)
{
    if (!machine)
        return cpu->isa.pmp ? 0 : PMP_R | PMP_W | PMP_X;
    if (cpu->mseccfg & MSECCFG_MMWP)
        return 0;
    return cpu->mseccfg & MSECCFG_MML ? PMP_R | PMP_W : PMP_R | PMP_W | PMP_X;
}

bool rv_pmp_allows(const struct rv *cpu, uint64_t gpa, uint64_t len, unsigned priv, int access)
{
    static const uint8_t needed[] = { [ACCESS_READ] = PMP_R, [ACCESS_WRITE] = PMP_W, [ACCESS_EXEC] = PMP_X };
    const struct rv_pmp *pmp = &cpu->pmp;
    bool machine = priv == PRIV_M;
    uint64_t last = gpa + len - 1;

    for (unsigned i = 0; i < pmp->active; i++) {
        if (pmp->lo[i] > pmp->hi[i] || last < pmp->lo[i] || gpa > pmp->hi[i])
            continue;
        return gpa >= pmp->lo[i] && last <= pmp->hi[i] && (permissions(cpu, i, machine) & needed[access]);
    }
    return default_permissions(cpu, machine) & needed[access];
}

bool rv_pmp_uniform(const struct rv *cpu, uint64_t gpa_page)
{
    const struct rv_pmp *pmp = &cpu->pmp;
    uint64_t last = gpa_page + PAGE_SIZE - 1;

    for (unsigned i = 0; i < pmp->active; i++) {
        if (pmp->lo[i] > pmp->hi[i] || last < pmp->lo[i] || gpa_page > pmp->hi[i])
            continue;
        return gpa_page >= pmp->lo[i] && last <= pmp->hi[i];
    }
    return true;
}
