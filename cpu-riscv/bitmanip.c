/*
 * bitmanip.c - bit manipulation: Zba, Zbb, Zbc, Zbs, and what Zcb has of its own (c.not, c.zext.b).
 *
 * RISC-V Instruction Set Manual, volume I (20240411), chapters "B" and "Zc" (Zcb). insns.def says which
 * handlers RV32 shares; those that both XLENs run bring their result into XLEN's form with to_x().
 *
 * Gaps: Zbkb, Zbkc, Zbkx have no rows.
 */
#include "state.h"

static uint64_t rs1(const struct rv *cpu, const struct rv_op *op)
{
    return get_x(cpu, op->rs1);
}

static uint64_t rs2(const struct rv *cpu, const struct rv_op *op)
{
    return get_x(cpu, op->rs2);
}

static uint64_t word(uint64_t value)
{
    return (uint64_t)(int64_t)(int32_t)value;
}

static inline void finish(struct rv *cpu, const struct rv_op *op, uint64_t value)
{
    set_x(cpu, op->rd, value);
    next(cpu, op);
}

/* ---- Zba ---- */

void exec_sh1add(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, to_x(cpu, rs2(cpu, op) + (rs1(cpu, op) << 1)));
}

void exec_sh2add(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, to_x(cpu, rs2(cpu, op) + (rs1(cpu, op) << 2)));
}

void exec_sh3add(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, to_x(cpu, rs2(cpu, op) + (rs1(cpu, op) << 3)));
}

void exec_add_uw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs2(cpu, op) + (uint32_t)rs1(cpu, op));
}

void exec_sh1add_uw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs2(cpu, op) + ((uint64_t)(uint32_t)rs1(cpu, op) << 1));
}

void exec_sh2add_uw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs2(cpu, op) + ((uint64_t)(uint32_t)rs1(cpu, op) << 2));
}

void exec_sh3add_uw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs2(cpu, op) + ((uint64_t)(uint32_t)rs1(cpu, op) << 3));
}

void exec_slli_uw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (uint64_t)(uint32_t)rs1(cpu, op) << (op->imm & 63));
}

/* ---- Zbb ---- */

void exec_andn(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) & ~rs2(cpu, op));
}

void exec_orn(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) | ~rs2(cpu, op));
}

void exec_xnor(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, ~(rs1(cpu, op) ^ rs2(cpu, op)));
}

/* Of zero the count is the width. */
void exec_clz(struct rv *cpu, const struct rv_op *op)
{
    uint64_t v = rs1(cpu, op);

    finish(cpu, op, v ? (uint64_t)__builtin_clzll(v) : 64);
}

void exec_ctz(struct rv *cpu, const struct rv_op *op)
{
    uint64_t v = rs1(cpu, op);

    finish(cpu, op, v ? (uint64_t)__builtin_ctzll(v) : 64);
}

void exec_cpop(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (uint64_t)__builtin_popcountll(rs1(cpu, op)));
}

void exec_clzw(struct rv *cpu, const struct rv_op *op)
{
    uint32_t v = (uint32_t)rs1(cpu, op);

    finish(cpu, op, v ? (uint64_t)__builtin_clz(v) : 32);
}

void exec_ctzw(struct rv *cpu, const struct rv_op *op)
{
    uint32_t v = (uint32_t)rs1(cpu, op);

    finish(cpu, op, v ? (uint64_t)__builtin_ctz(v) : 32);
}

void exec_cpopw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (uint64_t)__builtin_popcount((uint32_t)rs1(cpu, op)));
}

void exec_max(struct rv *cpu, const struct rv_op *op)
{
    int64_t a = (int64_t)rs1(cpu, op), b = (int64_t)rs2(cpu, op);

    finish(cpu, op, (uint64_t)(a > b ? a : b));
}

void exec_min(struct rv *cpu, const struct rv_op *op)
{
    int64_t a = (int64_t)rs1(cpu, op), b = (int64_t)rs2(cpu, op);

    finish(cpu, op, (uint64_t)(a < b ? a : b));
}

void exec_maxu(struct rv *cpu, const struct rv_op *op)
{
    uint64_t a = rs1(cpu, op), b = rs2(cpu, op);

    finish(cpu, op, a > b ? a : b);
}

void exec_minu(struct rv *cpu, const struct rv_op *op)
{
    uint64_t a = rs1(cpu, op), b = rs2(cpu, op);

    finish(cpu, op, a < b ? a : b);
}

void exec_sext_b(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (uint64_t)sext(rs1(cpu, op), 8));
}

void exec_sext_h(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (uint64_t)sext(rs1(cpu, op), 16));
}

void exec_zext_b(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (uint8_t)rs1(cpu, op));
}

void exec_zext_h(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (uint16_t)rs1(cpu, op));
}

void exec_not(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, ~rs1(cpu, op));
}

static uint64_t rotate_right(uint64_t v, uint64_t n)
{
    return v >> (n & 63) | v << (-n & 63);
}

static uint64_t rotate_right_word(uint64_t v, uint64_t n)
{
    return word((uint32_t)v >> (n & 31) | (uint32_t)v << (-n & 31));
}

void exec_ror(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rotate_right(rs1(cpu, op), rs2(cpu, op)));
}

void exec_rol(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rotate_right(rs1(cpu, op), -rs2(cpu, op)));
}

void exec_rori(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rotate_right(rs1(cpu, op), (uint64_t)op->imm));
}

void exec_rorw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rotate_right_word(rs1(cpu, op), rs2(cpu, op)));
}

void exec_rolw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rotate_right_word(rs1(cpu, op), -rs2(cpu, op)));
}

void exec_roriw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rotate_right_word(rs1(cpu, op), (uint64_t)op->imm));
}

/* Each byte that is not zero becomes 0xff. */
void exec_orc_b(struct rv *cpu, const struct rv_op *op)
{
    const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t v = rs1(cpu, op);
    uint64_t top = (((v & low7) + low7) | v) & ~low7;

    finish(cpu, op, to_x(cpu, (top >> 7) * 0xff));
}

void exec_rev8(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, __builtin_bswap64(rs1(cpu, op)));
}

void exec_rev8_32(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word(__builtin_bswap32((uint32_t)rs1(cpu, op))));
}

/* ---- Zbc: products of polynomials over GF(2) ---- */

static unsigned __int128 carryless_multiply(uint64_t a, uint64_t b)
{
    unsigned __int128 product = 0, shifted = a;

    for (; b; b >>= 1, shifted <<= 1)
        product ^= b & 1 ? shifted : 0;
    return product;
}

void exec_clmul(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, to_x(cpu, (uint64_t)carryless_multiply(rs1(cpu, op), rs2(cpu, op))));
}

void exec_clmulh(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (uint64_t)(carryless_multiply(rs1(cpu, op), rs2(cpu, op)) >> 64));
}

void exec_clmulr(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (uint64_t)(carryless_multiply(rs1(cpu, op), rs2(cpu, op)) >> 63));
}

void exec_clmulh32(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word((uint64_t)carryless_multiply((uint32_t)rs1(cpu, op), (uint32_t)rs2(cpu, op)) >> 32));
}

void exec_clmulr32(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word((uint64_t)carryless_multiply((uint32_t)rs1(cpu, op), (uint32_t)rs2(cpu, op)) >> 31));
}

/* ---- Zbs: the bit's index is taken modulo XLEN ---- */

static unsigned index_of(const struct rv *cpu, uint64_t n)
{
    return (unsigned)n & (cpu->isa.xlen - 1);
}

void exec_bset(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, to_x(cpu, rs1(cpu, op) | BIT(index_of(cpu, rs2(cpu, op)))));
}

void exec_bclr(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, to_x(cpu, rs1(cpu, op) & ~BIT(index_of(cpu, rs2(cpu, op)))));
}

void exec_binv(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, to_x(cpu, rs1(cpu, op) ^ BIT(index_of(cpu, rs2(cpu, op)))));
}

void exec_bext(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) >> index_of(cpu, rs2(cpu, op)) & 1);
}

void exec_bseti(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, to_x(cpu, rs1(cpu, op) | BIT(op->imm & 63)));
}

void exec_bclri(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, to_x(cpu, rs1(cpu, op) & ~BIT(op->imm & 63)));
}

void exec_binvi(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, to_x(cpu, rs1(cpu, op) ^ BIT(op->imm & 63)));
}

void exec_bexti(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) >> (op->imm & 63) & 1);
}
