/*
 * A hart as the machine sees it: creation, reset, interrupt inputs, registers by table, save and load.
 * Reset values: privileged spec 3.4.
 */
#include "riscv.h"

#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "csr.h"
#include "decode.h"
#include "jit-config.h"
#include "mem.h"
#include "state.h"

enum { GRANULES = 1 << 14 };

struct rv_config *rv_config_new(const struct rv_isa *isa, unsigned harts, uint64_t timebase, uint64_t reset_pc)
{
    struct rv_config *config = alloc_zeroed(sizeof *config);

    config->isa = *isa;
    config->timebase = timebase;
    config->reset_pc = reset_pc;
    config->granule_mask = harts > 1 ? GRANULES - 1 : 0;
    config->granules = alloc_array(config->granule_mask + 1, sizeof *config->granules);
    config->tuning = &jit_config_plain;
    config->decoder = rv_decoder_new(isa);
    rv_csr_index(config->csr_index, isa);
    return config;
}

/* Dots of the assembler's spelling are '_' in insns.def. */
static bool spells(const char *row, const char *text)
{
    while (*row && (*row == *text || (*row == '_' && *text == '.')))
        row++, text++;
    return !*row && !*text;
}

bool rv_config_off(struct rv_config *config, const char *insn)
{
    size_t count;
    const struct rv_insn *rows = rv_insn_rows(&count);

    for (size_t i = 0; i < count && config->off_count < RV_OFF; i++) {
        if (!(rows[i].xlens & config->isa.xlen) || !spells(rows[i].name, insn))
            continue;
        config->off[config->off_count++] = rows[i].fn;
        return true;
    }
    return false;
}

void rv_config_free(struct rv_config *config)
{
    if (!config)
        return;
    rv_decoder_free(config->decoder);
    free(config->granules);
    free(config);
}

static void reset(struct cpu *c)
{
    struct rv *cpu = (struct rv *)c;

    memset(cpu->x, 0, sizeof cpu->x);
    memset(cpu->f, 0, sizeof cpu->f);
    memset(cpu->pmp.cfg, 0, sizeof cpu->pmp.cfg);
    rv_csr_reset(cpu);
    cpu->mstatus = rv_has(&cpu->isa, RV_EXT_U) ? 0 : MSTATUS_MPP;
    cpu->menvcfg = cpu->mseccfg = cpu->satp = cpu->seip_soft = 0;
    /* Without Svade, Svadu alone: hardware updates A and D from reset on. */
    if (rv_has(&cpu->isa, RV_EXT_SVADU) && !rv_has(&cpu->isa, RV_EXT_SVADE))
        cpu->menvcfg |= ENVCFG_ADUE;
    atomic_fetch_and(&cpu->mip, BIT(3) | BIT(7) | BIT(9) | BIT(11));
    cpu->retired = cpu->traps = 0;
    cpu->slice = cpu->slice_size = 0;
    cpu->priv = PRIV_M;
    cpu->frm = cpu->fflags = 0;
    cpu->waiting = cpu->reserved = false;
    cpu->pc = cpu->config->reset_pc;
    cpu->code_epoch++;
    rv_pmp_derive(cpu);
    rv_flush_all(cpu);
    rv_update_spaces(cpu);
    timer_arm(&cpu->stimer, CLOCK_NEVER);
}

void rv_set_irq(void *c, unsigned irq, bool level)
{
    struct rv *cpu = c;

    if (level)
        atomic_fetch_or(&cpu->mip, BIT(irq));
    else if (irq != RV_IRQ_SS) /* SSIP is set by the SSWI device and cleared by software alone. */
        atomic_fetch_and(&cpu->mip, ~BIT(irq));
    if (level)
        cpu_kick(&cpu->cpu, CPU_REQUEST_INTERRUPT);
}

static bool has_work(struct cpu *c)
{
    struct rv *cpu = (struct rv *)c;

    return !cpu->waiting || (rv_mip(cpu) & cpu->mie);
}

static uint64_t retired(struct cpu *c)
{
    return __atomic_load_n(&((struct rv *)c)->retired, __ATOMIC_RELAXED);
}

/* ---- registers ---- */

enum { REG_X = 0, REG_PC = 32, REG_F = 33, REG_PRIV = 65, REG_CSR = 0x1000 };

struct rv_registers {
    struct cpu_reg regs[66 + 4096];
    char names[4096][24];
    size_t count;
};

static void add_register(struct rv_registers *r, const char *name, const char *group, unsigned width, unsigned id)
{
    r->regs[r->count++] = (struct cpu_reg){ name, group, width, id };
}

static struct rv_registers *list_registers(struct rv *cpu)
{
    struct rv_registers *r = alloc_zeroed(sizeof *r);
    unsigned flen = rv_has(&cpu->isa, RV_EXT_D) ? 64 : rv_has(&cpu->isa, RV_EXT_F) ? 32 : 0;
    unsigned names = 0;

    for (unsigned i = 0; i < 32; i++)
        add_register(r, rv_x_names[i], "general", cpu->isa.xlen, REG_X + i);
    add_register(r, "pc", "general", cpu->isa.xlen, REG_PC);
    for (unsigned i = 0; flen && i < 32; i++)
        add_register(r, rv_f_names[i], "float", flen, REG_F + i);
    for (unsigned n = 0; n < 4096; n++) {
        char name[32];
        if (!cpu->config->csr_index[n] || !rv_csr_name(n, name))
            continue;
        snprintf(r->names[names], sizeof r->names[names], "%.23s", name);
        add_register(r, r->names[names++], "csr", cpu->isa.xlen, REG_CSR + n);
    }
    add_register(r, "priv", "virtual", 8, REG_PRIV);
    return r;
}

static const struct cpu_reg *registers(struct cpu *c, size_t *count)
{
    struct rv *cpu = (struct rv *)c;

    if (!cpu->registers)
        cpu->registers = list_registers(cpu);
    *count = cpu->registers->count;
    return cpu->registers->regs;
}

static uint64_t get_register(struct cpu *c, unsigned id)
{
    struct rv *cpu = (struct rv *)c;

    if (id >= REG_CSR)
        return rv_csr_peek(cpu, id - REG_CSR);
    if (id < REG_PC)
        return cpu->x[id] & cpu->va_mask;
    if (id == REG_PC)
        return cpu->pc;
    return id == REG_PRIV ? cpu->priv : cpu->f[id - REG_F];
}

static void set_register(struct cpu *c, unsigned id, uint64_t value)
{
    struct rv *cpu = (struct rv *)c;

    if (id >= REG_CSR) {
        rv_csr_poke(cpu, id - REG_CSR, value);
    } else if (id < REG_PC) {
        cpu->x[id ? id : RV_SINK] = to_x(cpu, value);
    } else if (id == REG_PC) {
        cpu->pc = value & cpu->va_mask & ~UINT64_C(1);
    } else if (id == REG_PRIV) {
        if (value == PRIV_U || value == PRIV_S || value == PRIV_M)
            cpu->priv = (uint8_t)value;
        rv_update_spaces(cpu);
    } else {
        cpu->f[id - REG_F] = value;
    }
}

/* ---- state ---- */

const struct state_field rv_fields[] = {
    STATE_ARRAY(struct rv, x), STATE_ARRAY(struct rv, f), STATE(struct rv, pc), STATE_IN(struct rv, priv, 0, 3),
    STATE_IN(struct rv, frm, 0, 7), STATE_IN(struct rv, fflags, 0, 31), STATE_BOOL(struct rv, waiting),
    STATE(struct rv, retired), STATE(struct rv, mstatus), STATE(struct rv, mtvec), STATE(struct rv, medeleg),
    STATE(struct rv, mideleg), STATE(struct rv, mie), STATE(struct rv, mip), STATE(struct rv, seip_soft),
    STATE(struct rv, mcounteren), STATE(struct rv, mscratch), STATE(struct rv, mepc), STATE(struct rv, mcause),
    STATE(struct rv, mtval), STATE(struct rv, menvcfg), STATE_IN(struct rv, mseccfg, 0, 7),
    STATE(struct rv, mcountinhibit), STATE(struct rv, mcycle_base), STATE(struct rv, minstret_base),
    STATE_ARRAY(struct rv, mhpmcounter), STATE_ARRAY(struct rv, mhpmevent), STATE_ARRAY(struct rv, pmp.addr),
    STATE_ARRAY(struct rv, pmp.cfg), STATE(struct rv, stvec), STATE(struct rv, scounteren),
    STATE(struct rv, sscratch), STATE(struct rv, sepc), STATE(struct rv, scause), STATE(struct rv, stval),
    STATE(struct rv, satp), STATE(struct rv, senvcfg), STATE(struct rv, stimecmp), STATE_END,
};

static void save(struct cpu *c, struct state_out *out)
{
    state_save(out, "hart", rv_fields, c);
}

/* What the ranges of single fields do not say. */
static bool possible(const struct rv *cpu)
{
    bool mode = cpu->priv == PRIV_M || (cpu->priv == PRIV_U && rv_has(&cpu->isa, RV_EXT_U)) ||
                (cpu->priv == PRIV_S && rv_has(&cpu->isa, RV_EXT_S));
    bool canonical = true;

    for (unsigned i = 0; i < 32; i++)
        canonical &= cpu->x[i] == to_x(cpu, cpu->x[i]);
    return mode && canonical && !cpu->x[0] && !(cpu->pc & 1) && !(cpu->pc & ~cpu->va_mask);
}

/* A reservation and everything cached is dropped; x0's sink and the derived PMP ranges are made anew. */
static bool load(struct cpu *c, struct state_in *in, struct error *e)
{
    struct rv *cpu = (struct rv *)c, *scratch = alloc_copy(cpu, sizeof *cpu);

    bool ok = state_load(in, "hart", rv_fields, scratch, sizeof *scratch, e);
    if (ok && !possible(scratch))
        ok = error_set(e, "state: hart %u has a privilege mode, x register or pc that this CPU cannot have", c->index);
    if (ok) {
        state_copy(rv_fields, cpu, scratch);
        cpu->reserved = false;
        cpu->code_epoch++;
        rv_pmp_derive(cpu);
        rv_flush_all(cpu);
        rv_update_spaces(cpu);
        rv_stimer_fired(cpu);
    }
    free(scratch);
    return ok;
}

static void destroy(struct cpu *c)
{
    struct rv *cpu = (struct rv *)c;

    timer_arm(&cpu->stimer, CLOCK_NEVER);
    rv_check_free(cpu);
    rv_native_free(cpu);
    rv_code_free(cpu->code);
    rv_fresh_free(cpu->fresh);
    free(cpu->registers);
    rv_spaces_free(cpu);
    cpu_fini(c);
    free(cpu);
}

static const struct cpu_ops ops = {
    .arch = "riscv",
    .reset = reset,
    .run = rv_run,
    .has_work = has_work,
    .retired = retired,
    .registers = registers,
    .get_register = get_register,
    .set_register = set_register,
    .translate = rv_translate_debug,
    .set_break = rv_set_break,
    .set_watch = rv_set_watch,
    .step = rv_step,
    .plight = rv_plight,
    .save = save,
    .load = load,
    .destroy = destroy,
};

struct cpu *rv_new(const struct rv_config *config, const struct cpu_env *env, unsigned index)
{
    struct rv *cpu = alloc_zeroed(sizeof *cpu);

    cpu_init(&cpu->cpu, &ops, env, index);
    cpu->config = config;
    cpu->isa = config->isa;
    cpu->decoder = config->decoder;
    cpu->granules = config->granules;
    cpu->granule_mask = config->granule_mask;
    cpu->va_mask = ~UINT64_C(0) >> (64 - config->isa.xlen);
    rv_spaces_init(cpu);
    cpu->code = rv_code_new();
    cpu->blocks = rv_code_blocks(cpu->code);
    /* The checker puts memory back behind everybody's back. */
    cpu->fresh = cpu->granule_mask || config->check ? NULL : rv_fresh_new(env->bus);
    cpu->log_int = trace_category(env->trace, "int");
    cpu->log_asm = trace_category(env->trace, "in_asm");
    cpu->log_op = trace_category(env->trace, "op");
    cpu->log_out = trace_category(env->trace, "out_asm");
    cpu->log_exec = trace_category(env->trace, "exec");
    cpu->log_check = trace_category(env->trace, "check");
    cpu->guest_error = trace_category(env->trace, "guest_error");
    /* A trace of blocks needs the interpreter; so does a host that gives no code memory. */
    if (config->jit && !trace_on(cpu->log_exec))
        rv_native_init(cpu);
    if (config->check && cpu->jit)
        cpu->check = rv_check_new();
    timer_init(&cpu->stimer, env->clock, rv_stimer_fired, cpu);
    reset(&cpu->cpu);
    return &cpu->cpu;
}
