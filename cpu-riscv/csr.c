/*
 * Control and status registers: RISC-V privileged spec chapters 2-4, Sstc, Sscofpmf, Smepmp.
 * Gaps: the hpm counters are storage that counts no event; misa is read-only; SXL and UXL are fixed to XLEN.
 */
#include "csr.h"

#include <stdio.h>

#include "fpu.h"
#include "state.h"

#define MSTATUS_WRITE                                                                                             \
    (MSTATUS_SIE | MSTATUS_MIE | MSTATUS_SPIE | MSTATUS_MPIE | MSTATUS_SPP | MSTATUS_MPP | MSTATUS_FS |           \
     MSTATUS_MPRV | MSTATUS_SUM | MSTATUS_MXR | MSTATUS_TVM | MSTATUS_TW | MSTATUS_TSR)
#define SSTATUS_WRITE (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR)
#define MIP_SSIP BIT(1)
#define MIP_STIP BIT(5)
#define MIP_SEIP BIT(9)
#define MIP_LCOFIP BIT(13)
#define SIP_ALL (MIP_SSIP | MIP_STIP | MIP_SEIP | MIP_LCOFIP)
#define MIP_ALL (SIP_ALL | BIT(3) | BIT(7) | BIT(11))
#define MIP_WRITE SIP_ALL
#define SENVCFG_WRITE (ENVCFG_FIOM | ENVCFG_CBIE | ENVCFG_CBCFE | ENVCFG_CBZE)
#define MENVCFG_WRITE (SENVCFG_WRITE | ENVCFG_ADUE | ENVCFG_PBMTE | ENVCFG_STCE)
#define MHPMEVENT_WRITE (~UINT64_C(0))
#define PMPADDR_WRITE (~UINT64_C(0) >> 10)

enum { PMP_LOCKED = 0x80, MSECCFG_MML = 1, MSECCFG_MMWP = 2, MSECCFG_RLB = 4 };



static uint64_t xlen_mask(const struct rv *cpu)
{
    return ~UINT64_C(0) >> (64 - cpu->isa.xlen);
}

static uint64_t *field(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return (uint64_t *)(void *)((char *)cpu + csr->offset) + index;
}

static uint64_t merge(uint64_t old, uint64_t value, uint64_t mask)
{
    return (old & ~mask) | (value & mask);
}

/* ---- storage ---- */

static uint64_t read_plain(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return *field(cpu, csr, index);
}

static void write_plain(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    uint64_t *f = field(cpu, csr, index);

    *f = merge(*f, value, csr->mask & xlen_mask(cpu));
}

static void write_none(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
}

static uint64_t read_zero(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return 0;
}

/* RV32: the upper half of a 64-bit field. */
static uint64_t read_high(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return *field(cpu, csr, index) >> 32;
}

static void write_high(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    uint64_t *f = field(cpu, csr, index);

    *f = merge(*f, value << 32, csr->mask << 32);
}

static bool check_always(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return true;
}

/* xepc reads with bit 1 clear where instructions are 4-aligned. 3.1.14 */
static uint64_t read_epc(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return *field(cpu, csr, index) & (rv_has(&cpu->isa, RV_EXT_C) ? ~UINT64_C(1) : ~UINT64_C(3));
}

/* ---- floating point: unprivileged spec 20.2 ---- */

static bool check_fp(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return cpu->mstatus & MSTATUS_FS;
}

static uint64_t read_fflags(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return fpu_flags();
}

static void write_fflags(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    fpu_set_flags(value & 0x1f);
    fp_dirty(cpu);
}

static uint64_t read_frm(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return cpu->frm;
}

static void write_frm(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    cpu->frm = value & 7;
    fpu_set_rounding(cpu->frm);
    fp_dirty(cpu);
}

static uint64_t read_fcsr(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return (uint64_t)cpu->frm << 5 | fpu_flags();
}

static void write_fcsr(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    write_fflags(cpu, csr, index, value);
    write_frm(cpu, csr, index, value >> 5);
}

/* ---- status ---- */

/* SD, and the read-only UXL and SXL of RV64: 3.1.6 */
static uint64_t status_view(const struct rv *cpu, uint64_t visible, bool machine)
{
    uint64_t s = cpu->mstatus & visible;

    if ((cpu->mstatus & MSTATUS_FS) == MSTATUS_FS)
        s |= BIT(cpu->isa.xlen - 1);
    if (!is_rv32(cpu) && rv_has(&cpu->isa, RV_EXT_U))
        s |= BIT(33);
    if (!is_rv32(cpu) && machine && rv_has(&cpu->isa, RV_EXT_S))
        s |= BIT(35);
    return s;
}

static uint64_t legal_status_bits(const struct rv *cpu, uint64_t mask)
{
    if (!rv_has(&cpu->isa, RV_EXT_F))
        mask &= ~MSTATUS_FS;
    if (!rv_has(&cpu->isa, RV_EXT_S))
        mask &= ~(MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_SUM | MSTATUS_MXR | MSTATUS_TVM | MSTATUS_TSR);
    if (!rv_has(&cpu->isa, RV_EXT_U))
        mask &= ~(MSTATUS_MPRV | MSTATUS_TW | MSTATUS_MPP);
    if (!cpu->isa.va_bits)
        mask &= ~MSTATUS_SUM;
    return mask;
}

/* MPP keeps its value when a write names a mode that does not exist. */
static uint64_t legal_mpp(const struct rv *cpu, uint64_t value)
{
    unsigned mpp = (unsigned)bits(value, 11, 2);

    if (mpp == 2 || (mpp == PRIV_S && !rv_has(&cpu->isa, RV_EXT_S)))
        return merge(value, cpu->mstatus, MSTATUS_MPP);
    return value;
}

static void write_status(struct rv *cpu, uint64_t value, uint64_t mask)
{
    uint64_t old = cpu->mstatus;

    cpu->mstatus = merge(cpu->mstatus, legal_mpp(cpu, value), legal_status_bits(cpu, mask));
    if ((old ^ cpu->mstatus) & (MSTATUS_MPRV | MSTATUS_MPP | MSTATUS_SUM | MSTATUS_MXR))
        rv_update_spaces(cpu);
}

static uint64_t read_mstatus(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return status_view(cpu, ~UINT64_C(0), true);
}

static void write_mstatus(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    write_status(cpu, value, csr->mask);
}

static uint64_t read_sstatus(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return status_view(cpu, csr->mask, false);
}

#define write_sstatus write_mstatus

static uint64_t read_misa(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    static const struct {
        uint8_t ext;
        char letter;
    } letters[] = {
        { RV_EXT_A, 'a' }, { RV_EXT_C, 'c' }, { RV_EXT_D, 'd' }, { RV_EXT_F, 'f' },
        { RV_EXT_I, 'i' }, { RV_EXT_M, 'm' }, { RV_EXT_S, 's' }, { RV_EXT_U, 'u' },
    };
    uint64_t misa = is_rv32(cpu) ? BIT(30) : BIT(63);

    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (rv_has(&cpu->isa, letters[i].ext))
            misa |= BIT(letters[i].letter - 'a');
    }
    return misa;
}

static uint64_t read_mhartid(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return cpu->cpu.index;
}

/* ---- interrupts: 3.1.9, 4.1.3 ---- */

static uint64_t read_mip(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return rv_mip(cpu);
}

/* Bits of mie, mip and mideleg that belong to what is not there read as zero. */
static uint64_t legal_interrupts(const struct rv *cpu, uint64_t mask)
{
    if (!rv_has(&cpu->isa, RV_EXT_S))
        mask &= ~(MIP_SSIP | MIP_STIP | MIP_SEIP);
    return rv_has(&cpu->isa, RV_EXT_SSCOFPMF) ? mask : mask & ~MIP_LCOFIP;
}

/* mie, mideleg */
static void write_interrupts(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    uint64_t *f = field(cpu, csr, index);

    *f = merge(*f, value, legal_interrupts(cpu, csr->mask));
}

static void write_pending(struct rv *cpu, uint64_t value, uint64_t mask)
{
    uint64_t wires = mask & ~MIP_SEIP;

    if (mask & MIP_SEIP)
        cpu->seip_soft = value & MIP_SEIP;
    atomic_fetch_and(&cpu->mip, ~(wires & ~value));
    atomic_fetch_or(&cpu->mip, wires & value);
}

static void write_mip(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    uint64_t mask = legal_interrupts(cpu, csr->mask);

    if (cpu->menvcfg & ENVCFG_STCE)
        mask &= ~MIP_STIP;
    write_pending(cpu, value, mask);
}

static uint64_t read_sip(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return rv_mip(cpu) & cpu->mideleg;
}

static void write_sip(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    write_pending(cpu, value, csr->mask & cpu->mideleg);
}

static uint64_t read_sie(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return cpu->mie & cpu->mideleg;
}

static void write_sie(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    cpu->mie = merge(cpu->mie, value, cpu->mideleg & csr->mask);
}

/* ---- environment configuration: 3.1.18 ---- */

/* The enables of cbo.* are there with their instructions; CBIE = 2 is reserved and leaves the field as it was. */
static uint64_t legal_envcfg(const struct rv *cpu, uint64_t value, uint64_t mask)
{
    if (!rv_has(&cpu->isa, RV_EXT_ZICBOM))
        mask &= ~(ENVCFG_CBIE | ENVCFG_CBCFE);
    if (!rv_has(&cpu->isa, RV_EXT_ZICBOZ))
        mask &= ~ENVCFG_CBZE;
    return bits(value, 4, 2) == 2 ? mask & ~ENVCFG_CBIE : mask;
}

static void write_senvcfg(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    cpu->senvcfg = merge(cpu->senvcfg, value, legal_envcfg(cpu, value, csr->mask));
}

/* A change of ADUE or PBMTE changes what page tables mean. */
static void set_menvcfg(struct rv *cpu, uint64_t value, uint64_t mask)
{
    uint64_t old = cpu->menvcfg;

    if (!rv_has(&cpu->isa, RV_EXT_SSTC))
        mask &= ~ENVCFG_STCE;
    if (!rv_has(&cpu->isa, RV_EXT_SVPBMT))
        mask &= ~ENVCFG_PBMTE;
    if (!rv_has(&cpu->isa, RV_EXT_SVADU))
        mask &= ~ENVCFG_ADUE;
    cpu->menvcfg = merge(old, value, legal_envcfg(cpu, value, mask));
    if ((old ^ cpu->menvcfg) & (ENVCFG_ADUE | ENVCFG_PBMTE))
        rv_flush_all(cpu);
    if ((old ^ cpu->menvcfg) & ENVCFG_STCE)
        rv_settle_stimecmp(cpu);
}

static uint64_t read_menvcfg(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return cpu->menvcfg;
}

static void write_menvcfg(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    set_menvcfg(cpu, value, csr->mask & xlen_mask(cpu));
}

static uint64_t read_menvcfgh(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return cpu->menvcfg >> 32;
}

static void write_menvcfgh(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    set_menvcfg(cpu, value << 32 | (cpu->menvcfg & 0xffffffff), csr->mask << 32);
}

/* ---- counters: 3.1.10-3.1.12 ---- */

/* mcountinhibit bit of mcycle and minstret; the fields hold counter - retired while counting, the counter else. */
static unsigned inhibit_bit(const struct rv_csr *csr)
{
    return csr->number & 3;
}

static uint64_t counter_value(struct rv *cpu, const struct rv_csr *csr)
{
    uint64_t base = *field(cpu, csr, 0);

    /* Without the instruction that reads it. */
    return cpu->mcountinhibit >> inhibit_bit(csr) & 1 ? base : base + rv_count(cpu) - 1;
}

/* The instruction that writes does not count itself: 3.1.11. */
static void set_counter(struct rv *cpu, const struct rv_csr *csr, uint64_t value)
{
    bool stopped = cpu->mcountinhibit >> inhibit_bit(csr) & 1;

    *field(cpu, csr, 0) = stopped ? value : value - rv_count(cpu);
}

static uint64_t read_counter(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return counter_value(cpu, csr);
}

static void write_counter(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    uint64_t old = counter_value(cpu, csr);

    set_counter(cpu, csr, merge(old, value, xlen_mask(cpu)));
}

static uint64_t read_counterh(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return counter_value(cpu, csr) >> 32;
}

static void write_counterh(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    set_counter(cpu, csr, merge(counter_value(cpu, csr), value << 32, ~UINT64_C(0) << 32));
}

static void toggle_counter(struct rv *cpu, uint64_t *base, bool was_stopped, bool stop)
{
    if (stop && !was_stopped)
        *base += rv_count(cpu);
    else if (!stop && was_stopped)
        *base -= rv_count(cpu);
}

static void write_mcountinhibit(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    uint64_t old = cpu->mcountinhibit;

    cpu->mcountinhibit = value & csr->mask;
    toggle_counter(cpu, &cpu->mcycle_base, old & 1, value & 1);
    toggle_counter(cpu, &cpu->minstret_base, old & 4, value & 4);
}

static uint64_t read_time(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return rv_time(cpu);
}

static uint64_t read_timeh(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return rv_time(cpu) >> 32;
}

/* mcounteren gates S and U, scounteren U: 3.1.11, 4.1.5 */
static bool check_counter(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    uint64_t bit = BIT((csr->number + index) & 31);

    if (cpu->priv < PRIV_M && !(cpu->mcounteren & bit))
        return false;
    return cpu->priv > PRIV_U || !rv_has(&cpu->isa, RV_EXT_S) || (cpu->scounteren & bit);
}

static uint64_t read_scountovf(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < RV_HPM; i++)
        v |= (cpu->mhpmevent[i] >> 63) << (i + 3);
    return cpu->priv == PRIV_M ? v : v & cpu->mcounteren;
}

/* ---- Sstc ---- */

static bool check_stimecmp(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return cpu->priv == PRIV_M || ((cpu->menvcfg & ENVCFG_STCE) && (cpu->mcounteren & 2));
}

static void write_stimecmp(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    write_plain(cpu, csr, index, value);
    rv_settle_stimecmp(cpu);
}

static void write_stimecmph(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    write_high(cpu, csr, index, value);
    rv_settle_stimecmp(cpu);
}

/* ---- satp: 4.1.11 ---- */

static bool check_satp(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return cpu->priv == PRIV_M || !(cpu->mstatus & MSTATUS_TVM);
}

static uint64_t read_satp(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return cpu->satp;
}

static bool satp_mode_exists(const struct rv *cpu, uint64_t satp)
{
    static const uint8_t va_bits[16] = { [8] = 39, [9] = 48, [10] = 57 };

    if (is_rv32(cpu))
        return !(satp >> 31) || cpu->isa.va_bits >= 32;
    return !(satp >> 60) || (va_bits[satp >> 60] && va_bits[satp >> 60] <= cpu->isa.va_bits);
}

static void write_satp(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    value &= xlen_mask(cpu);
    if (!satp_mode_exists(cpu, value))
        return;
    cpu->satp = value;
    rv_update_spaces(cpu);
}

/* ---- PMP: 3.7.1, Smepmp ---- */

static bool check_pmp(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return index < cpu->isa.pmp;
}

static bool check_pmpcfg(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return index * 4 < cpu->isa.pmp && (is_rv32(cpu) || !(index & 1));
}

static bool pmp_locked(const struct rv *cpu, unsigned i)
{
    return (cpu->pmp.cfg[i] & PMP_LOCKED) && !(cpu->mseccfg & MSECCFG_RLB);
}

static uint64_t read_pmpcfg(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return get_le(&cpu->pmp.cfg[index * 4], cpu->isa.xlen / 8);
}

/* R = 0 with W = 1 is reserved unless mseccfg.MML gives it a meaning; then a new M-mode executable rule is refused. */
static bool legal_pmpcfg(const struct rv *cpu, uint8_t cfg)
{
    if (!(cpu->mseccfg & MSECCFG_MML))
        return (cfg & 3) != 2;
    bool m_executable = (cfg & PMP_LOCKED) && ((cfg & 7) == 2 || (cfg & 7) == 4 || (cfg & 7) == 5 || (cfg & 7) == 6);
    return !m_executable || (cpu->mseccfg & MSECCFG_RLB);
}

static void pmp_changed(struct rv *cpu)
{
    rv_pmp_derive(cpu);
    rv_flush_all(cpu);
}

static void write_pmpcfg(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    for (unsigned i = index * 4, n = 0; n < cpu->isa.xlen / 8; i++, n++) {
        uint8_t cfg = (uint8_t)(value >> 8 * n) & 0x9f;
        if (i < cpu->isa.pmp && !pmp_locked(cpu, i) && legal_pmpcfg(cpu, cfg))
            cpu->pmp.cfg[i] = cfg;
    }
    pmp_changed(cpu);
}

/* A locked TOR entry locks the address below it too. */
static void write_pmpaddr(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    bool top_locked = index + 1 < cpu->isa.pmp && pmp_locked(cpu, index + 1) && (cpu->pmp.cfg[index + 1] & 0x18) == 8;

    if (pmp_locked(cpu, index) || top_locked)
        return;
    cpu->pmp.addr[index] = value & csr->mask & xlen_mask(cpu);
    pmp_changed(cpu);
}

static uint64_t read_mseccfg(struct rv *cpu, const struct rv_csr *csr, unsigned index)
{
    return cpu->mseccfg;
}

/* MML and MMWP are sticky; RLB can be set only while no entry is locked. */
static void write_mseccfg(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value)
{
    bool any_locked = false;

    for (unsigned i = 0; i < cpu->isa.pmp; i++)
        any_locked |= cpu->pmp.cfg[i] & PMP_LOCKED;
    uint64_t sticky = cpu->mseccfg & (MSECCFG_MML | MSECCFG_MMWP);
    uint64_t rlb = any_locked && !(cpu->mseccfg & MSECCFG_RLB) ? 0 : value & MSECCFG_RLB;
    cpu->mseccfg = sticky | (value & (MSECCFG_MML | MSECCFG_MMWP)) | rlb;
    pmp_changed(cpu);
}

/* ---- the table ---- */

static const struct rv_csr rows[] = {
#define CSR(number, count, name, xlens, needs, field, mask, reset, rd, wr, ck)                                    \
    { number, count, #name, xlens, RV_EXT_##needs, offsetof(struct rv, field), (uint64_t)(mask),                  \
      (uint64_t)(reset), read_##rd, write_##wr, check_##ck },
#include "csrs.def"
#undef CSR
};

const struct rv_csr *rv_csr_rows(size_t *count)
{
    *count = ARRAY_LEN(rows);
    return rows;
}

void rv_csr_index(uint8_t index[4096], const struct rv_isa *isa)
{
    memset(index, 0, 4096);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!(rows[i].xlens & isa->xlen) || !rv_has(isa, rows[i].needs))
            continue;
        memset(&index[rows[i].number], (int)i + 1, rows[i].count);
    }
}

const struct rv_csr *rv_csr_find(const struct rv *cpu, unsigned number)
{
    uint8_t row = cpu->config->csr_index[number & 4095];

    return row ? &rows[row - 1] : NULL;
}

/* fflags and frm live in the host's FPU while a hart runs: lend them to it for the access. */
uint64_t rv_csr_peek(struct rv *cpu, unsigned number)
{
    const struct rv_csr *csr = rv_csr_find(cpu, number);

    if (!csr)
        return 0;
    fpu_enter(cpu->frm, cpu->fflags);
    uint64_t value = csr->read(cpu, csr, number - csr->number) & xlen_mask(cpu);
    fpu_leave();
    return value;
}

void rv_csr_poke(struct rv *cpu, unsigned number, uint64_t value)
{
    const struct rv_csr *csr = rv_csr_find(cpu, number);

    if (!csr)
        return;
    fpu_enter(cpu->frm, cpu->fflags);
    csr->write(cpu, csr, number - csr->number, value & xlen_mask(cpu));
    cpu->fflags = (uint8_t)fpu_leave();
}

void rv_csr_reset(struct rv *cpu)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned n = 0; rows[i].offset != offsetof(struct rv, none) && n < rows[i].count; n++)
            *field(cpu, &rows[i], n) = rows[i].reset;
    }
}

const char *rv_csr_name(unsigned number, char *buf)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned n = number - rows[i].number;
        if (n >= rows[i].count)
            continue;
        unsigned first = rows[i].count == 29 ? 3 : 0;
        if (rows[i].count == 1)
            snprintf(buf, 32, "%s", rows[i].name);
        else if (rows[i].name[strlen(rows[i].name) - 1] == 'h' && first)
            snprintf(buf, 32, "%.*s%uh", (int)strlen(rows[i].name) - 1, rows[i].name, n + first);
        else
            snprintf(buf, 32, "%s%u", rows[i].name, n + first);
        return buf;
    }
    return NULL;
}
