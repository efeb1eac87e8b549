/*
 * harness-jit-privileged.c - what random programs do to their own privilege and view of memory: mret and sret, SUM, MXR
 * and MPRV, page-table entries of their data with a fence behind. In a mode that may not, it is an exception.
 */
#include "bits.h"
#include "harness-jit-cook-impl.h"
#include "tlb.h"

enum { SSTATUS = 0x100, SSCRATCH = 0x140, SEPC, SCAUSE, STVAL, MSTATUS = 0x300, MEPC = 0x341, MCAUSE, MTVAL };
enum { X5 = 5, X6, X7, GP = 3 };

/* rd := value, of at most 32 bits. */
static void load_number(struct cook *c, unsigned rd, uint32_t value)
{
    cook_put(c, asm_lui(rd, (value + 0x800) >> 12 & 0xfffff));
    cook_put(c, asm_addi(rd, rd, (int)((value & 0xfff) ^ 0x800) - 0x800));
}

static void set_bits(struct cook *c, unsigned csr, uint32_t bits, bool on)
{
    load_number(c, X6, bits);
    cook_put(c, asm_csr(on ? CSRRS : CSRRC, 0, csr, X6));
}

/* To S only where S can go on: pages of programs in U are U's. */
static void choose_mpp(struct cook *c)
{
    unsigned to = cook_roll(c, 3);

    set_bits(c, MSTATUS, 0x1800, false);
    if (to == 0 && c->p->paged)
        to = 1;
    if (to)
        set_bits(c, MSTATUS, to == 1 ? 0x800 : 0x1800, true);
}

/* mret or sret to what follows it. */
static void go_back(struct cook *c)
{
    bool m = cook_roll(c, 2);
    struct program *p = c->p;

    cook_put(c, asm_auipc(X5, 0));
    unsigned from = p->bytes - 4, addi = p->bytes;
    cook_put(c, ASM_NOP);
    cook_put(c, asm_csr(CSRRW, 0, m ? MEPC : SEPC, X5));
    if (m)
        choose_mpp(c);
    else
        set_bits(c, SSTATUS, 0x100, c->p->paged || cook_roll(c, 2));
    cook_put(c, m ? ASM_MRET : ASM_SRET);
    if (!c->full)
        put_le(&p->code[addi], asm_addi(X5, X5, (int)(p->bytes - from)), 4);
}

/* In M: accesses as S or U makes them. */
static void borrow_view(struct cook *c)
{
    choose_mpp(c);
    set_bits(c, MSTATUS, 1 << 17, cook_roll(c, 4));
}

static void change_view(struct cook *c)
{
    set_bits(c, cook_roll(c, 4) ? SSTATUS : MSTATUS, cook_roll(c, 2) ? 1 << 18 : 1 << 19, cook_roll(c, 2));
}

static void supervisor_csr(struct cook *c)
{
    static const uint16_t numbers[] = { SSCRATCH, SEPC, SCAUSE, STVAL, SSTATUS, MCAUSE, MTVAL, MEPC };
    unsigned n = cook_roll(c, ARRAY_LEN(numbers));
    bool reads = numbers[n] == SSTATUS || numbers[n] >= MEPC;

    cook_put(c, asm_csr(reads ? CSRRS : CSRRW, 8 + cook_roll(c, 8), numbers[n], reads ? 0 : 8 + cook_roll(c, 8)));
}

/* Turns bits of the PTE of a data page over, and fences. */
static void edit_page(struct cook *c)
{
    static const uint8_t changes[] = { 0x80, 0x40, 0xc0, 0x04, 0x84, 0x02, 0x01, 0x10, 0x08 };
    unsigned page = cook_roll(c, PROGRAM_DATA_BYTES / PAGE_SIZE), width = c->p->xlen / 8;
    uint64_t pte = PROGRAM_PTES(0) + ((PROGRAM_DATA - RIG_RAM) / PAGE_SIZE + page) * width;

    load_number(c, X5, (uint32_t)(pte - PROGRAM_GP));
    cook_put(c, asm_add(X5, X5, GP));
    load_number(c, X7, (uint32_t)(PROGRAM_DATA + page * PAGE_SIZE - PROGRAM_GP));
    cook_put(c, asm_add(X7, X7, GP));
    cook_put(c, asm_load(width == 8 ? LD : LW, X6, X5, 0));
    cook_put(c, asm_i(0x13, 4, X6, X6, changes[cook_roll(c, ARRAY_LEN(changes))]));
    cook_put(c, asm_store(width == 8 ? SD : SW, X6, X5, 0));
    cook_put(c, asm_sfence(cook_roll(c, 2) ? X7 : 0, 0));
    cook_put(c, asm_load(LBU, X6, X7, (int)cook_roll(c, 2048)));
    if (cook_roll(c, 2))
        cook_put(c, asm_store(SB, X6, X7, (int)cook_roll(c, 2048)));
}

void cook_privileged(struct cook *c)
{
    bool user_pages = c->p->paged && c->p->priv == PRIV_U;

    switch (user_pages ? 3 + cook_roll(c, 2) : cook_roll(c, 9)) {
    case 0:
    case 1: go_back(c); return;
    case 2: borrow_view(c); return;
    case 3: change_view(c); return;
    case 4: supervisor_csr(c); return;
    default: edit_page(c); return;
    }
}
