/* harness-fp.c - see harness-fp.h. What an instruction has to give is worked out here from the manual by
 * core/softfloat alone, which has its own oracles (harness-softfloat.c). */
#include "harness-fp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "fpu.h"
#include "harness.h"
#include "harness-softfloat.h"
#include "ram.h"
#include "riscv.h"
#include "softfloat.h"

enum { RD = 3, RS1 = 1, RS2 = 2, RS3 = 4 };

struct fpt {
    struct trace *trace;
    struct clock *clock;
    struct bus *bus;
    struct ram *ram;
    struct rv_config *config;
    struct rv *cpu;
    struct rv_block *block; /* the instruction, and where it goes on */
};

static void arrive(struct rv *cpu, const struct rv_op *op)
{
}

struct fpt *fpt_new(unsigned xlen)
{
    struct fpt *t = calloc(1, sizeof *t);
    struct error e = { "" };
    struct rv_isa isa;

    if (!rv_isa_parse(&isa, xlen, "max", &e) || !(t->ram = ram_new("test", FPT_RAM, &e))) {
        fprintf(stderr, "harness-fp: %s\n", e.text);
        abort();
    }
    t->trace = trace_new(stderr);
    t->clock = clock_new(0, 0);
    t->bus = bus_new(t->trace);
    if (!bus_add_memory(t->bus, BUS_RAM, 0, t->ram, FPT_RAM, &e)) {
        fprintf(stderr, "harness-fp: %s\n", e.text);
        abort();
    }
    t->config = rv_config_new(&isa, 1, 10000000, 0);
    struct cpu_env env = { .bus = t->bus, .clock = t->clock, .trace = t->trace };
    t->cpu = (struct rv *)rv_new(t->config, &env, 0);
    rv_update_spaces(t->cpu);
    t->block = calloc(1, sizeof *t->block + 2 * sizeof t->block->ops[0]);
    t->block->count = 1;
    t->block->ops[1].fn = arrive;
    fpt_set_fs(t, 1);
    return t;
}

void fpt_free(struct fpt *t)
{
    t->cpu->cpu.ops->destroy(&t->cpu->cpu);
    rv_config_free(t->config);
    bus_free(t->bus);
    ram_free(t->ram);
    clock_free(t->clock);
    trace_free(t->trace);
    free(t->block);
    free(t);
}

uint64_t *fpt_f(struct fpt *t, unsigned r)
{
    return &t->cpu->f[r];
}

uint64_t *fpt_x(struct fpt *t, unsigned r)
{
    return &t->cpu->x[r];
}

uint8_t *fpt_ram(struct fpt *t)
{
    return bus_memory(t->bus, 0, FPT_RAM, true);
}

void fpt_set_fs(struct fpt *t, unsigned fs)
{
    t->cpu->mstatus = (t->cpu->mstatus & ~MSTATUS_FS) | fs * (MSTATUS_FS / 3);
}

unsigned fpt_fs(const struct fpt *t)
{
    return (unsigned)((t->cpu->mstatus & MSTATUS_FS) / (MSTATUS_FS / 3));
}

void fpt_set_frm(struct fpt *t, unsigned frm)
{
    t->cpu->frm = (uint8_t)frm;
}

void fpt_set_fflags(struct fpt *t, unsigned flags)
{
    t->cpu->fflags = (uint8_t)flags;
}

unsigned fpt_fflags(const struct fpt *t)
{
    return t->cpu->fflags;
}

static const struct rv_insn *find(unsigned xlen, const char *name)
{
    size_t count;
    const struct rv_insn *rows = rv_insn_rows(&count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0 && (rows[i].xlens & xlen))
            return &rows[i];
    return NULL;
}

/* The row's fixed bits with this harness's registers in the fields it leaves open. */
static uint32_t encode(const struct rv_insn *row, unsigned rm, unsigned rs1)
{
    uint32_t mask, match;

    rv_picture(row->picture, &mask, &match);
    uint32_t open = (uint32_t)RD << 7 | rm << 12 | rs1 << 15 | (uint32_t)RS2 << 20 | (uint32_t)RS3 << 27;
    return match | (open & ~mask);
}

static int run_op(struct fpt *t)
{
    struct rv *cpu = t->cpu;

    cpu->block = t->block;
    cpu->block_pc = cpu->pc = 0;
    cpu->priv = PRIV_M;
    cpu->mcause = ~UINT64_C(0);
    fpu_enter(cpu->frm, cpu->fflags);
    if (setjmp(cpu->escape) == 0)
        t->block->ops[0].fn(cpu, t->block->ops);
    cpu->fflags = (uint8_t)fpu_leave();
    return cpu->mcause == ~UINT64_C(0) ? FPT_TRAP_NONE : (int)cpu->mcause;
}

int fpt_run(struct fpt *t, const char *name, unsigned rm)
{
    return fpt_run_rs1(t, name, rm, RS1);
}

int fpt_run_rs1(struct fpt *t, const char *name, unsigned rm, unsigned rs1)
{
    const struct rv_insn *row = find(t->cpu->isa.xlen, name);

    if (!row)
        return -2;
    uint32_t raw = encode(row, rm, rs1);
    rv_decode(t->config->decoder, raw, &t->block->ops[0]);
    return run_op(t);
}

/* ---- what has to come out ---- */

enum kind { BINARY, UNARY, FUSED, CHOOSE, SIGN, COMPARE, ROUND, TO_INT, FROM_INT, FROM_F, CLASS };

typedef uint64_t binary_fn(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b);

static const struct row {
    const char *before, *after; /* of the width's letter */
    enum kind kind;
    binary_fn *fn;
    int arg, arg2;
} rows[] = {
    { "fadd_", "", BINARY, sf_add, 0, 0 },
    { "fsub_", "", BINARY, sf_sub, 0, 0 },
    { "fmul_", "", BINARY, sf_mul, 0, 0 },
    { "fdiv_", "", BINARY, sf_div, 0, 0 },
    { "fsqrt_", "", UNARY, NULL, 0, 0 },
    { "fmadd_", "", FUSED, NULL, 0, 0 }, /* signs of product and addend */
    { "fmsub_", "", FUSED, NULL, 0, 1 },
    { "fnmsub_", "", FUSED, NULL, 1, 0 },
    { "fnmadd_", "", FUSED, NULL, 1, 1 },
    { "fmin_", "", CHOOSE, sf_min_num, 0, 0 },
    { "fmax_", "", CHOOSE, sf_max_num, 0, 0 },
    { "fminm_", "", CHOOSE, sf_min, 0, 0 },
    { "fmaxm_", "", CHOOSE, sf_max, 0, 0 },
    { "fsgnj_", "", SIGN, NULL, 0, 0 },
    { "fsgnjn_", "", SIGN, NULL, 1, 0 },
    { "fsgnjx_", "", SIGN, NULL, 2, 0 },
    { "feq_", "", COMPARE, NULL, 1, 0 }, /* relations that hold: 1 equal, 2 less; signalling */
    { "flt_", "", COMPARE, NULL, 2, 1 },
    { "fle_", "", COMPARE, NULL, 3, 1 },
    { "fltq_", "", COMPARE, NULL, 2, 0 },
    { "fleq_", "", COMPARE, NULL, 3, 0 },
    { "fround_", "", ROUND, NULL, 0, 0 },
    { "froundnx_", "", ROUND, NULL, 1, 0 },
    { "fcvt_w_", "", TO_INT, NULL, 32, 1 },
    { "fcvt_wu_", "", TO_INT, NULL, 32, 0 },
    { "fcvt_l_", "", TO_INT, NULL, 64, 1 },
    { "fcvt_lu_", "", TO_INT, NULL, 64, 0 },
    { "fcvt_", "_w", FROM_INT, NULL, 32, 1 },
    { "fcvt_", "_wu", FROM_INT, NULL, 32, 0 },
    { "fcvt_", "_l", FROM_INT, NULL, 64, 1 },
    { "fcvt_", "_lu", FROM_INT, NULL, 64, 0 },
    { "fcvt_", "_h", FROM_F, NULL, 'h', 0 },
    { "fcvt_", "_s", FROM_F, NULL, 's', 0 },
    { "fcvt_", "_d", FROM_F, NULL, 'd', 0 },
    { "fclass_", "", CLASS, NULL, 0, 0 },
};

int fpt_row_count(void)
{
    return (int)ARRAY_LEN(rows);
}

const char *fpt_row_name(int row)
{
    static const char *const from[] = { "fcvt_f_w", "fcvt_f_wu", "fcvt_f_l", "fcvt_f_lu",
                                        "fcvt_f_h", "fcvt_f_s",  "fcvt_f_d" };

    for (int first = row; *rows[row].after;) {
        while (first > 0 && *rows[first - 1].after)
            first--;
        return from[row - first];
    }
    return rows[row].before;
}

static const struct sf_format *format_of(int width)
{
    return width == 'h' ? &sf_f16 : width == 's' ? &sf_f32 : &sf_f64;
}

static int generator_of(int width)
{
    return width == 'h' ? 0 : width == 's' ? 2 : 3;
}

static unsigned bits_of(int width)
{
    return width == 'h' ? 16 : width == 's' ? 32 : 64;
}

static uint64_t boxed(uint64_t v, int width)
{
    return width == 'd' ? v : v | ~UINT64_C(0) << bits_of(width);
}

static uint64_t unboxed(uint64_t v, int width)
{
    if (width == 'd')
        return v;
    uint64_t upper = ~UINT64_C(0) << bits_of(width);
    return (v & upper) == upper ? v & ~upper : sf_default_nan(format_of(width), SF_RULES_RISCV);
}

static uint64_t expect_arithmetic(const struct row *r, struct sf_ctx *ctx, const struct sf_format *f,
                                  const uint64_t v[3])
{
    uint64_t sign = 1ull << (f->exp_bits + f->frac_bits);

    switch (r->kind) {
    case UNARY: return sf_sqrt(ctx, f, v[0]);
    case FUSED: return sf_fma(ctx, f, v[0] ^ (r->arg ? sign : 0), v[1], v[2] ^ (r->arg2 ? sign : 0));
    case ROUND: return sf_round_int(ctx, f, v[0], r->arg);
    case SIGN: return (v[0] & ~sign) | ((r->arg == 0 ? v[1] : r->arg == 1 ? ~v[1] : v[0] ^ v[1]) & sign);
    default: return r->fn(ctx, f, v[0], v[1]);
    }
}

/* The result in register rd's terms; `to_x` says which file. */
static uint64_t expect(const struct row *r, struct sf_ctx *ctx, char width, const uint64_t raw[3], uint64_t x,
                       bool *to_x)
{
    const struct sf_format *f = format_of(width);
    uint64_t v[3] = { unboxed(raw[0], width), unboxed(raw[1], width), unboxed(raw[2], width) }, n;

    *to_x = r->kind == COMPARE || r->kind == TO_INT || r->kind == CLASS;
    switch (r->kind) {
    case COMPARE: {
        enum sf_relation q = sf_compare(ctx, f, v[0], v[1], r->arg2);
        return (q == SF_EQUAL && (r->arg & 1)) || (q == SF_LESS && (r->arg & 2));
    }
    case TO_INT:
        n = sf_to_int(ctx, f, v[0], r->arg, r->arg2);
        return r->arg == 32 ? (uint64_t)(int32_t)n : n;
    case CLASS:
        return 1ull << sf_classify(f, v[0]);
    case FROM_INT:
        if (r->arg2)
            return boxed(sf_from_i64(ctx, f, r->arg == 32 ? (int32_t)x : (int64_t)x), width);
        return boxed(sf_from_u64(ctx, f, r->arg == 32 ? (uint32_t)x : x), width);
    case FROM_F:
        return boxed(sf_convert(ctx, format_of(r->arg), f, unboxed(raw[0], r->arg)), width);
    default:
        return boxed(expect_arithmetic(r, ctx, f, v), width);
    }
}

static uint64_t random_integer(uint64_t *seed)
{
    uint64_t r = harness_random(seed);
    uint64_t v = harness_random(seed) >> (r & 63);

    return r >> 6 & 1 ? -v : v;
}

static void random_operands(struct fpt *t, const struct row *r, char width, uint64_t *seed)
{
    int from = r->kind == FROM_F ? r->arg : width;
    int g = generator_of(from);
    uint64_t v[3];

    v[0] = sft_random_value(g, seed);
    v[1] = sft_random_related(g, r->fn == sf_div, v[0], seed);
    v[2] = sft_random_value(g, seed);
    for (int i = 0; i < 3; i++) {
        uint64_t k = harness_random(seed);
        v[i] = boxed(v[i], from);
        if (k % 32 == 0)
            v[i] ^= UINT64_C(1) << (k >> 8 & 63); /* often no box any more */
    }
    *fpt_f(t, RS1) = v[0];
    *fpt_f(t, RS2) = v[1];
    *fpt_f(t, RS3) = v[2];
    *fpt_x(t, RS1) = random_integer(seed);
}

/* Instructions without an rm operand keep their funct3; the rounding that softfloat gets does not matter
 * to them. */
static bool has_rounding(const struct rv_insn *row)
{
    uint32_t mask, match;

    rv_picture(row->picture, &mask, &match);
    return (mask >> 12 & 7) == 0;
}

/* One instruction from the random generator's state; false when anything differs, with a message in text. */
static bool check_one(struct fpt *t, const struct row *r, const char *name, char width, unsigned rounding,
                      uint64_t *seed, char *text, size_t size)
{
    unsigned before = harness_random(seed) & (harness_random(seed) & 1 ? 31 : 0);
    bool illegal = rounding > SF_RMM, to_x;

    random_operands(t, r, width, seed);
    uint64_t old_x = *fpt_x(t, RD) = harness_random(seed);
    uint64_t old_f = *fpt_f(t, RD) = harness_random(seed);
    fpt_set_fflags(t, before);
    fpt_set_fs(t, 1);

    struct sf_ctx ctx = { .rounding = (uint8_t)(illegal ? 0 : rounding), .flags = (uint8_t)before };
    uint64_t v[3] = { *fpt_f(t, RS1), *fpt_f(t, RS2), *fpt_f(t, RS3) }, x = *fpt_x(t, RS1);
    uint64_t want = expect(r, &ctx, width, v, x, &to_x);
    int cause = run_op(t);
    uint64_t got = to_x ? *fpt_x(t, RD) : *fpt_f(t, RD);

    bool kept_x = *fpt_x(t, RD) == old_x, kept_f = *fpt_f(t, RD) == old_f;
    bool dirty = fpt_fs(t) == 3 || (fpt_fs(t) == 1 && to_x && ctx.flags == before);
    bool right = got == want && fpt_fflags(t) == ctx.flags && cause == FPT_TRAP_NONE && dirty &&
                 (to_x ? kept_f : kept_x);
    if (illegal)
        right = cause == CAUSE_ILLEGAL && kept_x && kept_f && fpt_fs(t) == 1 && fpt_fflags(t) == before;
    if (!right)
        snprintf(text, size,
                 "%s frm %u rm %u, flags %02x, %" PRIx64 " %" PRIx64 " %" PRIx64 " x %" PRIx64
                 ": got %" PRIx64 " flags %02x FS %u cause %d, expected %" PRIx64 " flags %02x",
                 name, t->cpu->frm, t->block->ops[0].rm, before, v[0], v[1], v[2], x, got, fpt_fflags(t),
                 fpt_fs(t), cause, want, ctx.flags);
    return right;
}

uint64_t fpt_check(struct fpt *t, int row, char width, unsigned frm, unsigned rm, uint64_t cases,
                   uint64_t seed, char *text, size_t size)
{
    const struct row *r = &rows[row];
    struct rv_op *op = &t->block->ops[0];
    char name[32], other[400];
    uint64_t wrong = 0;

    snprintf(name, sizeof name, "%s%c%s", r->before, width, r->after);
    const struct rv_insn *insn = find(t->cpu->isa.xlen, name);
    if (!insn) /* fcvt_s_s and the like */
        return 0;
    rv_decode(t->config->decoder, encode(insn, rm, RS1), op);
    if (op->fn != insn->fn) {
        snprintf(text, size, "%s: its own bits do not decode to it", name);
        return 1;
    }
    unsigned rounding = !has_rounding(insn) ? 0 : rm == FPT_DYNAMIC ? frm : rm;

    fpt_set_frm(t, frm);
    for (uint64_t i = 0; i < cases; i++)
        wrong +=
            !check_one(t, r, name, width, rounding, &seed, wrong ? other : text, wrong ? sizeof other : size);
    return wrong;
}
