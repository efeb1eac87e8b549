/*
 * asm-x86_64.h - host instructions as bytes. Intel SDM volume 2, chapter 2 "Instruction Format".
 */
#ifndef JIT_ASM_X86_64_H
#define JIT_ASM_X86_64_H

#include <stdint.h>
#include <string.h>

enum reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NO_REG = -1 };

/* Condition codes of jcc, setcc, cmovcc. */
enum cc { CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE, CC_LE, CC_G };

/* The /digit or opcode column of the eight two-operand instructions. */
enum alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
enum shift { SH_ROL, SH_ROR, SH_SHL = 4, SH_SHR, SH_SAR = 7 };

/* Bytes go to p; beyond `end` nothing is written and `full` is set. */
struct as {
    uint8_t *p, *end;
    int full;
};

/* A memory operand: [base + index * scale + disp]. */
struct mem {
    int base, index, scale; /* index NO_REG: none */
    int32_t disp;
};

static inline struct mem at(int base, int32_t disp)
{
    return (struct mem){ base, NO_REG, 1, disp };
}

static inline struct mem at_index(int base, int index, int scale, int32_t disp)
{
    return (struct mem){ base, index, scale, disp };
}

static inline void b1(struct as *s, unsigned byte)
{
    if (s->p < s->end)
        *s->p++ = (uint8_t)byte;
    else
        s->full = 1;
}

static inline void b4(struct as *s, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        b1(s, v >> 8 * i & 255);
}

static inline void b8(struct as *s, uint64_t v)
{
    b4(s, (uint32_t)v);
    b4(s, (uint32_t)(v >> 32));
}

static inline int fits8(int64_t v)
{
    return v == (int8_t)v;
}

static inline int fits32(int64_t v)
{
    return v == (int32_t)v;
}

/* Legacy prefix (0: none), REX, escape (0, 0x0f, 0x0f38, 0x0f3a) and opcode. `low8`: byte registers need a REX. */
static inline void prefixes(struct as *s, unsigned prefix, int w, int reg, int index, int base, int low8)
{
    unsigned rex = (unsigned)(w << 3 | (reg >> 3 & 1) << 2 | (index > 0 ? index >> 3 & 1 : 0) << 1 | (base >> 3 & 1));

    if (prefix)
        b1(s, prefix);
    if (rex || low8)
        b1(s, 0x40 | rex);
}

static inline void opcode_bytes(struct as *s, unsigned op)
{
    if (op > 0xffff)
        b1(s, op >> 16 & 255);
    if (op > 0xff)
        b1(s, op >> 8 & 255);
    b1(s, op & 255);
}

static inline void modrm_reg(struct as *s, int reg, int rm)
{
    b1(s, (unsigned)(0xc0 | (reg & 7) << 3 | (rm & 7)));
}

static inline void modrm_mem(struct as *s, int reg, struct mem m)
{
    unsigned mod = m.disp == 0 && (m.base & 7) != RBP ? 0 : fits8(m.disp) ? 1 : 2;
    unsigned r = (unsigned)(reg & 7) << 3;

    if (m.index != NO_REG) {
        unsigned scale = m.scale == 8 ? 3 : m.scale == 4 ? 2 : m.scale == 2 ? 1 : 0;
        b1(s, mod << 6 | r | 4);
        b1(s, scale << 6 | (unsigned)(m.index & 7) << 3 | (unsigned)(m.base & 7));
    } else if ((m.base & 7) == RSP) {
        b1(s, mod << 6 | r | 4);
        b1(s, 0x24);
    } else {
        b1(s, mod << 6 | r | (unsigned)(m.base & 7));
    }
    if (mod == 1)
        b1(s, (uint8_t)m.disp);
    else if (mod == 2)
        b4(s, (uint32_t)m.disp);
}

/* OP reg, rm: both registers, or the second in memory. Opcodes with the direction "reg <- rm" unless named store. */
static inline void rr(struct as *s, unsigned prefix, int w, unsigned op, int reg, int rm)
{
    prefixes(s, prefix, w, reg, 0, rm, 0);
    opcode_bytes(s, op);
    modrm_reg(s, reg, rm);
}

static inline void rr8(struct as *s, int w, unsigned op, int reg, int rm)
{
    prefixes(s, 0, w, reg, 0, rm, 1);
    opcode_bytes(s, op);
    modrm_reg(s, reg, rm);
}

static inline void rm(struct as *s, unsigned prefix, int w, unsigned op, int reg, struct mem m)
{
    prefixes(s, prefix, w, reg, m.index, m.base, 0);
    opcode_bytes(s, op);
    modrm_mem(s, reg, m);
}

static inline void rm8(struct as *s, unsigned op, int reg, struct mem m)
{
    prefixes(s, 0, 0, reg, m.index, m.base, 1);
    opcode_bytes(s, op);
    modrm_mem(s, reg, m);
}

/* ---- moves ---- */

static inline void mov(struct as *s, int w, int d, int r)
{
    rr(s, 0, w, 0x8b, d, r);
}

static inline void mov_load(struct as *s, int w, int d, struct mem m)
{
    rm(s, 0, w, 0x8b, d, m);
}

static inline void mov_store(struct as *s, int w, struct mem m, int r)
{
    rm(s, 0, w, 0x89, r, m);
}

/* The shortest way to a 64-bit constant that leaves the flags alone. */
static inline void mov_imm(struct as *s, int d, uint64_t v)
{
    if (v == (uint32_t)v) {
        prefixes(s, 0, 0, 0, 0, d, 0);
        b1(s, 0xb8u | (unsigned)(d & 7));
        b4(s, (uint32_t)v);
    } else if (fits32((int64_t)v)) {
        prefixes(s, 0, 1, 0, 0, d, 0);
        b1(s, 0xc7);
        modrm_reg(s, 0, d);
        b4(s, (uint32_t)v);
    } else {
        prefixes(s, 0, 1, 0, 0, d, 0);
        b1(s, 0xb8u | (unsigned)(d & 7));
        b8(s, v);
    }
}

static inline void mov_store_imm(struct as *s, int w, struct mem m, int32_t v)
{
    rm(s, 0, w, 0xc7, 0, m);
    b4(s, (uint32_t)v);
}

static inline void lea(struct as *s, int w, int d, struct mem m)
{
    rm(s, 0, w, 0x8d, d, m);
}

static inline void movsxd(struct as *s, int d, int r)
{
    rr(s, 0, 1, 0x63, d, r);
}

/* ---- arithmetic ---- */

static inline void alu(struct as *s, int w, enum alu op, int d, int r)
{
    rr(s, 0, w, op * 8u + 3, d, r);
}

static inline void alu_load(struct as *s, int w, enum alu op, int d, struct mem m)
{
    rm(s, 0, w, op * 8u + 3, d, m);
}

static inline void alu_imm(struct as *s, int w, enum alu op, int d, int32_t v)
{
    prefixes(s, 0, w, 0, 0, d, 0);
    b1(s, fits8(v) ? 0x83 : 0x81);
    modrm_reg(s, (int)op, d);
    if (fits8(v))
        b1(s, (uint8_t)v);
    else
        b4(s, (uint32_t)v);
}

static inline void alu_mem_imm(struct as *s, int w, enum alu op, struct mem m, int32_t v)
{
    rm(s, 0, w, fits8(v) ? 0x83 : 0x81, (int)op, m);
    if (fits8(v))
        b1(s, (uint8_t)v);
    else
        b4(s, (uint32_t)v);
}

/* cmp dword [base + displacement], v, both of 32 bits: they will be patched. */
static inline void cmp_wide_imm(struct as *s, int base, int32_t displacement, uint32_t v)
{
    b1(s, 0x81);
    b1(s, 0xb8u | (unsigned)base);
    b4(s, (uint32_t)displacement);
    b4(s, v);
}

static inline void test(struct as *s, int w, int a, int b)
{
    rr(s, 0, w, 0x85, b, a);
}

static inline void shift_imm(struct as *s, int w, enum shift op, int d, unsigned count)
{
    prefixes(s, 0, w, 0, 0, d, 0);
    b1(s, 0xc1);
    modrm_reg(s, (int)op, d);
    b1(s, count);
}

/* By cl. */
static inline void shift_cl(struct as *s, int w, enum shift op, int d)
{
    prefixes(s, 0, w, 0, 0, d, 0);
    b1(s, 0xd3);
    modrm_reg(s, (int)op, d);
}

/* not /2, neg /3, mul /4, imul /5, div /6, idiv /7 */
static inline void group3(struct as *s, int w, int digit, int r)
{
    prefixes(s, 0, w, 0, 0, r, 0);
    b1(s, 0xf7);
    modrm_reg(s, digit, r);
}

/* ---- jumps ---- */

/* jmp or jcc with a 32-bit displacement; returns where it is, for land(). */
static inline uint8_t *jump32(struct as *s)
{
    b1(s, 0xe9);
    b4(s, 0);
    return s->p - 4;
}

static inline uint8_t *call32(struct as *s)
{
    b1(s, 0xe8);
    b4(s, 0);
    return s->p - 4;
}

static inline uint8_t *jcc32(struct as *s, enum cc cc)
{
    b1(s, 0x0f);
    b1(s, 0x80u | cc);
    b4(s, 0);
    return s->p - 4;
}

static inline uint8_t *jcc8(struct as *s, enum cc cc)
{
    b1(s, 0x70u | cc);
    b1(s, 0);
    return s->p - 1;
}

static inline uint8_t *jump8(struct as *s)
{
    b1(s, 0xeb);
    b1(s, 0);
    return s->p - 1;
}

/* The jump's displacement becomes: here. */
static inline void land32(struct as *s, uint8_t *at_)
{
    int32_t d = (int32_t)(s->p - (at_ + 4));

    if (!s->full)
        memcpy(at_, &d, 4);
}

static inline void land8(struct as *s, uint8_t *at_)
{
    if (!s->full)
        *at_ = (uint8_t)(s->p - (at_ + 1));
}

/* To a place in the same mapping. */
static inline void jump_to(struct as *s, const uint8_t *target)
{
    b1(s, 0xe9);
    b4(s, (uint32_t)(target - (s->p + 4)));
}

static inline void call_to(struct as *s, const uint8_t *target)
{
    b1(s, 0xe8);
    b4(s, (uint32_t)(target - (s->p + 4)));
}

static inline void push(struct as *s, int r)
{
    prefixes(s, 0, 0, 0, 0, r, 0);
    b1(s, 0x50u | (unsigned)(r & 7));
}

static inline void pop(struct as *s, int r)
{
    prefixes(s, 0, 0, 0, 0, r, 0);
    b1(s, 0x58u | (unsigned)(r & 7));
}

/* ---- scalar floats ---- */

/* The prefix that says how wide a scalar operation is. */
static inline unsigned scalar(unsigned size)
{
    return size == 8 ? 0xf2 : 0xf3;
}

/* movss, movsd */
static inline void movs_load(struct as *s, unsigned size, int x, struct mem m)
{
    rm(s, scalar(size), 0, 0x0f10, x, m);
}

static inline void movs_store(struct as *s, unsigned size, struct mem m, int x)
{
    rm(s, scalar(size), 0, 0x0f11, x, m);
}

/* movd, movq */
static inline void mov_to_xmm(struct as *s, int w, int x, int r)
{
    rr(s, 0x66, w, 0x0f6e, x, r);
}

static inline void mov_from_xmm(struct as *s, int w, int r, int x)
{
    rr(s, 0x66, w, 0x0f7e, x, r);
}

/* ---- VEX ---- */

/* map: 1 0F, 2 0F38, 3 0F3A; pp: 0 none, 1 66, 2 F3, 3 F2; reg, vvvv, rm are registers. */
static inline void vex(struct as *s, unsigned map, unsigned pp, int w, unsigned op, int reg, int v, int rm_)
{
    b1(s, 0xc4);
    b1(s, (unsigned)((~reg >> 3 & 1) << 7 | 1 << 6 | (~rm_ >> 3 & 1) << 5) | map);
    b1(s, (unsigned)(w << 7 | (~v & 15) << 3) | pp);
    b1(s, op);
    modrm_reg(s, reg, rm_);
}

#endif
