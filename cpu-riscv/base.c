/*
 * base.c - integer instructions: RV32I, RV64I, M, Zicond, Zihintpause.
 *
 * RISC-V Instruction Set Manual, volume I (20240411), chapters "RV32I", "RV64I", "M", "Zicond",
 * "Zihintpause". A handler without "w" or "32" in its name serves both XLENs unless insns.def gives RV32
 * another one: registers of RV32 are sign-extended, which keeps comparisons and bitwise operations right.
 *
 * Gaps: I/O and memory are one domain to a fence, so menvcfg.FIOM changes nothing.
 */
#include "mem.h"
#include "state.h"

static uint64_t rs1(const struct rv *cpu, const struct rv_op *op)
{
    return get_x(cpu, op->rs1);
}

static uint64_t rs2(const struct rv *cpu, const struct rv_op *op)
{
    return get_x(cpu, op->rs2);
}

static uint64_t imm(const struct rv_op *op)
{
    return (uint64_t)(int64_t)op->imm;
}

/* The low 32 bits, sign-extended: what a W instruction writes, and every RV32 one. */
static uint64_t word(uint64_t value)
{
    return (uint64_t)(int64_t)(int32_t)value;
}

static inline void finish(struct rv *cpu, const struct rv_op *op, uint64_t value)
{
    set_x(cpu, op->rd, value);
    next(cpu, op);
}

/* ---- integer computational (2.4, 4.2) ---- */

void exec_lui(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, imm(op));
}

void exec_auipc(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, to_x(cpu, op_pc(cpu, op) + imm(op)));
}

void exec_addi(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) + imm(op));
}

void exec_addiw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word(rs1(cpu, op) + imm(op)));
}

void exec_slti(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (int64_t)rs1(cpu, op) < op->imm);
}

void exec_sltiu(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) < imm(op));
}

void exec_xori(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) ^ imm(op));
}

void exec_ori(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) | imm(op));
}

void exec_andi(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) & imm(op));
}

void exec_slli(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) << (op->imm & 63));
}

void exec_srli(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) >> (op->imm & 63));
}

void exec_srai(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (uint64_t)((int64_t)rs1(cpu, op) >> (op->imm & 63)));
}

void exec_slliw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word((uint32_t)rs1(cpu, op) << (op->imm & 31)));
}

void exec_srliw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word((uint32_t)rs1(cpu, op) >> (op->imm & 31)));
}

void exec_sraiw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word((uint64_t)(int64_t)((int32_t)rs1(cpu, op) >> (op->imm & 31))));
}

void exec_add(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) + rs2(cpu, op));
}

void exec_sub(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) - rs2(cpu, op));
}

void exec_sll(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) << (rs2(cpu, op) & 63));
}

void exec_srl(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) >> (rs2(cpu, op) & 63));
}

void exec_sra(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (uint64_t)((int64_t)rs1(cpu, op) >> (rs2(cpu, op) & 63)));
}

void exec_slt(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (int64_t)rs1(cpu, op) < (int64_t)rs2(cpu, op));
}

void exec_sltu(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) < rs2(cpu, op));
}

void exec_xor(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) ^ rs2(cpu, op));
}

void exec_or(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) | rs2(cpu, op));
}

void exec_and(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) & rs2(cpu, op));
}

void exec_addw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word(rs1(cpu, op) + rs2(cpu, op)));
}

void exec_subw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word(rs1(cpu, op) - rs2(cpu, op)));
}

void exec_sllw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word((uint32_t)rs1(cpu, op) << (rs2(cpu, op) & 31)));
}

void exec_srlw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word((uint32_t)rs1(cpu, op) >> (rs2(cpu, op) & 31)));
}

void exec_sraw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word((uint64_t)(int64_t)((int32_t)rs1(cpu, op) >> (rs2(cpu, op) & 31))));
}

/* ---- control transfer (2.5) ---- */

/* Without C (IALIGN 32) an odd halfword is an exception of the jump itself. */
static inline bool is_misaligned(const struct rv *cpu, uint64_t target)
{
    return target & 2 && unlikely(!rv_has(&cpu->isa, RV_EXT_C));
}

static inline void jump(struct rv *cpu, const struct rv_op *op, uint64_t target)
{
    if (is_misaligned(cpu, target))
        rv_raise(cpu, op, CAUSE_FETCH_MISALIGNED, target);
    set_x(cpu, op->rd, to_x(cpu, op_end(cpu, op)));
    cpu->pc = target;
    next_block(cpu);
}

static inline void branch(struct rv *cpu, const struct rv_op *op, bool taken)
{
    uint64_t target = (op_pc(cpu, op) + imm(op)) & cpu->va_mask;

    if (!taken)
        target = op_end(cpu, op);
    else if (is_misaligned(cpu, target))
        rv_raise(cpu, op, CAUSE_FETCH_MISALIGNED, target);
    cpu->pc = target;
    next_block(cpu);
}

void exec_jal(struct rv *cpu, const struct rv_op *op)
{
    jump(cpu, op, (op_pc(cpu, op) + imm(op)) & cpu->va_mask);
}

void exec_jalr(struct rv *cpu, const struct rv_op *op)
{
    jump(cpu, op, (rs1(cpu, op) + imm(op)) & ~UINT64_C(1) & cpu->va_mask);
}

void exec_beq(struct rv *cpu, const struct rv_op *op)
{
    branch(cpu, op, rs1(cpu, op) == rs2(cpu, op));
}

void exec_bne(struct rv *cpu, const struct rv_op *op)
{
    branch(cpu, op, rs1(cpu, op) != rs2(cpu, op));
}

void exec_blt(struct rv *cpu, const struct rv_op *op)
{
    branch(cpu, op, (int64_t)rs1(cpu, op) < (int64_t)rs2(cpu, op));
}

void exec_bge(struct rv *cpu, const struct rv_op *op)
{
    branch(cpu, op, (int64_t)rs1(cpu, op) >= (int64_t)rs2(cpu, op));
}

void exec_bltu(struct rv *cpu, const struct rv_op *op)
{
    branch(cpu, op, rs1(cpu, op) < rs2(cpu, op));
}

void exec_bgeu(struct rv *cpu, const struct rv_op *op)
{
    branch(cpu, op, rs1(cpu, op) >= rs2(cpu, op));
}

/*
 * ---- loads and stores (2.6, 4.3) ----
 *
 * The miss is a function of its own that finishes the instruction, so that a hit needs no stack frame.
 */

/* What rd gets from `value` of `size` bytes. */
static inline uint64_t extend(uint64_t value, unsigned size, bool is_signed)
{
    return is_signed ? (uint64_t)sext(value, 8 * size) : value;
}

__attribute__((noinline, cold)) static void load_missed(struct rv *cpu, const struct rv_op *op, uint64_t va,
                                                        unsigned size, bool is_signed)
{
    finish(cpu, op, extend(rv_load_slow(cpu, op, va, size), size, is_signed));
}

static inline void load(struct rv *cpu, const struct rv_op *op, unsigned size, bool is_signed)
{
    uint64_t va = rv_ea(cpu, op);
    const uint8_t *hva = tlb_find(&cpu->data->tlb, va, size, TLB_READ);

    if (unlikely(!hva))
        return load_missed(cpu, op, va, size, is_signed);
    finish(cpu, op, extend(host_load(hva, size), size, is_signed));
}

__attribute__((noinline, cold)) static void store_missed(struct rv *cpu, const struct rv_op *op, uint64_t va,
                                                         unsigned size)
{
    rv_store_slow(cpu, op, va, rs2(cpu, op), size);
    next(cpu, op);
}

static inline void store(struct rv *cpu, const struct rv_op *op, unsigned size)
{
    uint64_t va = rv_ea(cpu, op);
    uint8_t *hva = tlb_find(&cpu->data->tlb, va, size, TLB_WRITE);

    if (unlikely(!hva))
        return store_missed(cpu, op, va, size);
    rv_break_reservation(cpu, hva);
    host_store(hva, rs2(cpu, op), size);
    next(cpu, op);
}

void exec_lb(struct rv *cpu, const struct rv_op *op)
{
    load(cpu, op, 1, true);
}

void exec_lh(struct rv *cpu, const struct rv_op *op)
{
    load(cpu, op, 2, true);
}

void exec_lw(struct rv *cpu, const struct rv_op *op)
{
    load(cpu, op, 4, true);
}

void exec_ld(struct rv *cpu, const struct rv_op *op)
{
    load(cpu, op, 8, false);
}

void exec_lbu(struct rv *cpu, const struct rv_op *op)
{
    load(cpu, op, 1, false);
}

void exec_lhu(struct rv *cpu, const struct rv_op *op)
{
    load(cpu, op, 2, false);
}

void exec_lwu(struct rv *cpu, const struct rv_op *op)
{
    load(cpu, op, 4, false);
}

void exec_sb(struct rv *cpu, const struct rv_op *op)
{
    store(cpu, op, 1);
}

void exec_sh(struct rv *cpu, const struct rv_op *op)
{
    store(cpu, op, 2);
}

void exec_sw(struct rv *cpu, const struct rv_op *op)
{
    store(cpu, op, 4);
}

void exec_sd(struct rv *cpu, const struct rv_op *op)
{
    store(cpu, op, 8);
}

/* ---- memory ordering (2.7) ---- */

enum { FENCE_W = 1, FENCE_R = 2, FENCE_O = 4, FENCE_I = 8 };

/* Only store-to-load order may cost a host instruction; the rest binds the compiler and weaker hosts. */
void exec_fence(struct rv *cpu, const struct rv_op *op)
{
    unsigned succ = op->imm & 15, pred = op->imm >> 4 & 15;

    if (pred & (FENCE_W | FENCE_O) && succ & (FENCE_R | FENCE_I))
        atomic_thread_fence(memory_order_seq_cst);
    else
        atomic_thread_fence(memory_order_acq_rel);
    next(cpu, op);
}

void exec_fence_tso(struct rv *cpu, const struct rv_op *op)
{
    atomic_thread_fence(memory_order_acq_rel);
    next(cpu, op);
}

void exec_pause(struct rv *cpu, const struct rv_op *op)
{
    cpu_relax();
    next(cpu, op);
}

/* ---- M: multiplication ---- */

void exec_mul(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs1(cpu, op) * rs2(cpu, op));
}

void exec_mulh(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (uint64_t)((__int128)(int64_t)rs1(cpu, op) * (int64_t)rs2(cpu, op) >> 64));
}

void exec_mulhsu(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (uint64_t)((__int128)(int64_t)rs1(cpu, op) * (__int128)rs2(cpu, op) >> 64));
}

void exec_mulhu(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (uint64_t)((unsigned __int128)rs1(cpu, op) * rs2(cpu, op) >> 64));
}

void exec_mulw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word(rs1(cpu, op) * rs2(cpu, op)));
}

void exec_mulh32(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (uint64_t)((int64_t)(int32_t)rs1(cpu, op) * (int32_t)rs2(cpu, op) >> 32));
}

void exec_mulhsu32(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, (uint64_t)((int64_t)(int32_t)rs1(cpu, op) * (int64_t)(uint32_t)rs2(cpu, op) >> 32));
}

void exec_mulhu32(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word((uint64_t)(uint32_t)rs1(cpu, op) * (uint32_t)rs2(cpu, op) >> 32));
}

/* ---- M: division (by zero: all ones, and the dividend; overflow: the dividend, and 0) ---- */

static uint64_t divide(int64_t a, int64_t b)
{
    if (b == 0)
        return ~UINT64_C(0);
    return b == -1 ? -(uint64_t)a : (uint64_t)(a / b);
}

static uint64_t remainder_of(int64_t a, int64_t b)
{
    if (b == 0)
        return (uint64_t)a;
    return b == -1 ? 0 : (uint64_t)(a % b);
}

static uint64_t divide_unsigned(uint64_t a, uint64_t b)
{
    return b ? a / b : ~UINT64_C(0);
}

static uint64_t remainder_unsigned(uint64_t a, uint64_t b)
{
    return b ? a % b : a;
}

void exec_div(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, divide((int64_t)rs1(cpu, op), (int64_t)rs2(cpu, op)));
}

void exec_rem(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, remainder_of((int64_t)rs1(cpu, op), (int64_t)rs2(cpu, op)));
}

void exec_divu(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, divide_unsigned(rs1(cpu, op), rs2(cpu, op)));
}

void exec_remu(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, remainder_unsigned(rs1(cpu, op), rs2(cpu, op)));
}

void exec_divw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word(divide((int32_t)rs1(cpu, op), (int32_t)rs2(cpu, op))));
}

void exec_remw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word(remainder_of((int32_t)rs1(cpu, op), (int32_t)rs2(cpu, op))));
}

void exec_divuw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word(divide_unsigned((uint32_t)rs1(cpu, op), (uint32_t)rs2(cpu, op))));
}

void exec_remuw(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, word(remainder_unsigned((uint32_t)rs1(cpu, op), (uint32_t)rs2(cpu, op))));
}

/* ---- Zicond ---- */

void exec_czero_eqz(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs2(cpu, op) == 0 ? 0 : rs1(cpu, op));
}

void exec_czero_nez(struct rv *cpu, const struct rv_op *op)
{
    finish(cpu, op, rs2(cpu, op) != 0 ? 0 : rs1(cpu, op));
}
