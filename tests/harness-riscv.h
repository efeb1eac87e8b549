/*
 * harness-riscv.h - a small machine around RISC-V harts: RAM, a ROM, a device, lines, a virtual clock. Tests put
 * programs in RAM as words, run them for a budget, and look at registers by their names.
 */
#ifndef HARNESS_RISCV_H
#define HARNESS_RISCV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RIG_RAM UINT64_C(0x80000000)
#define RIG_RAM_SIZE UINT64_C(0x1000000)
#define RIG_ROM UINT64_C(0x2000) /* two pages */
#define RIG_ROM_SIZE UINT64_C(0x2000)
#define RIG_DEVICE UINT64_C(0x10000000) /* one page of bytes that takes aligned accesses of 1, 2, 4 bytes */
#define RIG_HANDLER RIG_RAM             /* a page of wfi: where traps to M end */
#define RIG_S_HANDLER (RIG_RAM + 0x1000) /* the same for S */
#define RIG_CODE (RIG_RAM + 0x2000)     /* where tests put their programs */

#define RIG_TIMEBASE 10000000 /* Hz of the time CSR */

enum { RIG_BUDGET, RIG_REQUEST, RIG_IDLE, RIG_FAULT }; /* why rig_run() came back */

enum { RIG_DONE = -1, RIG_LOST = -2, RIG_INTERRUPT = 0x100, RIG_TO_S = 0x200 };

struct rig;
struct cpu;

/* A machine in its reset state; `cpu` is the text of -cpu. NULL (and a message) when that is not to be had. */
struct rig *rig_new(unsigned xlen, const char *cpu, unsigned harts);

/* The same with harts that translate to host code; NULL, too, when the host has no code memory. */
struct rig *rig_new_jit(unsigned xlen, const char *cpu, unsigned harts);

/* And that compare it with the interpreter at every step. */
struct rig *rig_new_check(unsigned xlen, const char *cpu, unsigned harts);

void rig_free(struct rig *r);

/* Reset of a hart; then mtvec = RIG_HANDLER, stvec = RIG_S_HANDLER and PMP that allows everything. */
void rig_reset(struct rig *r, unsigned hart);
void rig_prepare(struct rig *r, unsigned hart);

/* A register by name: "a0", "pc", "priv", "mstatus". Without privilege checks, while the hart does not run. */
uint64_t rig_get(struct rig *r, unsigned hart, const char *name);
void rig_set(struct rig *r, unsigned hart, const char *name, uint64_t value);
bool rig_has(struct rig *r, unsigned hart, const char *name);

int rig_run(struct rig *r, unsigned hart, uint64_t budget);
uint64_t rig_retired(struct rig *r, unsigned hart);

/* Ends a wfi as an interrupt would. */
void rig_wake(struct rig *r, unsigned hart);
bool rig_waits(struct rig *r, unsigned hart);
bool rig_has_work(struct rig *r, unsigned hart);

/* Runs from pc in mode `priv` to the next wfi: RIG_DONE, or the cause when that wfi is in a handler's page
 * (| RIG_TO_S in S's; | RIG_INTERRUPT), or RIG_LOST when there is none within a few hundred instructions. */
int rig_go(struct rig *r, unsigned hart, unsigned priv, uint64_t pc);

/* Memory by guest-physical address, ROM too; `width` is 1, 2, 4 or 8. Reads outside give 0. */
uint64_t rig_peek(struct rig *r, uint64_t gpa, unsigned width);
void rig_poke(struct rig *r, uint64_t gpa, uint64_t value, unsigned width);
void rig_words(struct rig *r, uint64_t gpa, const uint32_t *words, size_t count);
void rig_fill(struct rig *r, uint64_t gpa, uint64_t size, uint32_t word);

/* For other harness files: a hart, and the host's view of RAM. */
struct cpu *rig_hart(struct rig *r, unsigned hart);
uint8_t *rig_ram(struct rig *r);

/* Memory that is RAM, or RAM or ROM. */
bool rig_is_memory(uint64_t gpa, uint64_t len, bool writing);

/* How often the device was accessed. */
unsigned rig_device_accesses(struct rig *r);

/* An interrupt input, numbered as in mip. */
void rig_irq(struct rig *r, unsigned hart, unsigned irq, bool level);

/* Moves the virtual clock to `ns` and fires timers. */
void rig_advance(struct rig *r, uint64_t ns);

/* A hart's saved state in memory that the caller frees. */
uint8_t *rig_save(struct rig *r, unsigned hart, size_t *size);
bool rig_load(struct rig *r, unsigned hart, const uint8_t *data, size_t size);
void rig_copy_ram(struct rig *to, struct rig *from);

/* Of a hart's saved state and of RAM. */
uint64_t rig_hash(struct rig *r, unsigned hart);

/* The rows of csrs.def: number and count of row i; false past the end. */
bool rig_csr_row(size_t i, unsigned *number, unsigned *count, unsigned *xlens);

/* ---- an assembler of a few instructions; registers by number ---- */

enum { T0 = 5, T1 = 6, T2 = 7, S1 = 9, A0 = 10, A1 = 11, A2 = 12, A3 = 13, A4 = 14, A5 = 15 };
enum { CSRRW = 1, CSRRS, CSRRC, CSRRWI = 5, CSRRSI, CSRRCI };
enum { LB = 0, LH, LW, LD, LBU, LHU, LWU, SB = 0, SH, SW, SD };

#define ASM_NOP 0x00000013u
#define ASM_ECALL 0x00000073u
#define ASM_EBREAK 0x00100073u
#define ASM_WFI 0x10500073u
#define ASM_MRET 0x30200073u
#define ASM_SRET 0x10200073u
#define ASM_FENCE_I 0x0000100fu

static inline uint32_t asm_i(unsigned opcode, unsigned f3, unsigned rd, unsigned rs1, int imm)
{
    return (uint32_t)imm << 20 | rs1 << 15 | f3 << 12 | rd << 7 | opcode;
}

static inline uint32_t asm_addi(unsigned rd, unsigned rs1, int imm)
{
    return asm_i(0x13, 0, rd, rs1, imm);
}

static inline uint32_t asm_load(unsigned kind, unsigned rd, unsigned rs1, int imm)
{
    return asm_i(0x03, kind, rd, rs1, imm);
}

static inline uint32_t asm_jalr(unsigned rd, unsigned rs1, int imm)
{
    return asm_i(0x67, 0, rd, rs1, imm);
}

static inline uint32_t asm_csr(unsigned kind, unsigned rd, unsigned csr, unsigned rs1)
{
    return csr << 20 | rs1 << 15 | kind << 12 | rd << 7 | 0x73;
}

static inline uint32_t asm_store(unsigned kind, unsigned rs2, unsigned rs1, int imm)
{
    return ((uint32_t)imm >> 5 & 0x7f) << 25 | rs2 << 20 | rs1 << 15 | kind << 12 | ((uint32_t)imm & 31) << 7 | 0x23;
}

static inline uint32_t asm_lui(unsigned rd, uint32_t page)
{
    return page << 12 | rd << 7 | 0x37;
}

static inline uint32_t asm_auipc(unsigned rd, uint32_t page)
{
    return page << 12 | rd << 7 | 0x17;
}

static inline uint32_t asm_add(unsigned rd, unsigned rs1, unsigned rs2)
{
    return rs2 << 20 | rs1 << 15 | rd << 7 | 0x33;
}

static inline uint32_t asm_jal(unsigned rd, int offset)
{
    uint32_t o = (uint32_t)offset;

    return (o >> 20 & 1) << 31 | (o >> 1 & 0x3ff) << 21 | (o >> 11 & 1) << 20 | (o >> 12 & 0xff) << 12 | rd << 7 | 0x6f;
}

static inline uint32_t asm_branch(unsigned f3, unsigned rs1, unsigned rs2, int offset)
{
    uint32_t o = (uint32_t)offset;

    return (o >> 12 & 1) << 31 | (o >> 5 & 0x3f) << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | (o >> 1 & 15) << 8 |
           (o >> 11 & 1) << 7 | 0x63;
}

static inline uint32_t asm_sfence(unsigned rs1, unsigned rs2)
{
    return 0x12000073u | rs2 << 20 | rs1 << 15;
}

static inline uint32_t asm_sinval(unsigned rs1, unsigned rs2)
{
    return 0x16000073u | rs2 << 20 | rs1 << 15;
}

static inline uint16_t asm_c_li(unsigned rd, unsigned value) /* 0..31 */
{
    return (uint16_t)(0x4001 | rd << 7 | (value & 31) << 2);
}

static inline uint16_t asm_c_addi(unsigned rd, unsigned value) /* 1..31 */
{
    return (uint16_t)(0x0001 | rd << 7 | (value & 31) << 2);
}

#define ASM_C_NOP 0x0001u
#define ASM_C_EBREAK 0x9002u

#ifdef __cplusplus
}
#endif

#endif
