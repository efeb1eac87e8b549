/*
 * translate-csr.c - the supervisor's trap registers as IR: plain storage, which handlers of traps access all the time.
 * Other CSRs are left to their handlers.
 */
#include "csr.h"
#include "translate.h"

enum { SWAP = 1 };

/* csrr, csrw and csrrw of a register of its own; false: not one of those. */
static bool is_plain(const struct translation *t, const struct rv_op *op)
{
    unsigned funct3 = op->raw >> 12 & 7;
    bool swaps = funct3 == SWAP, reads = (funct3 == 2 || funct3 == 3) && !op->rs1;

    return csr_is_trap_register((unsigned)op->imm) && (swaps || reads) && !is_rv32(t->cpu) &&
           rv_has(&t->cpu->isa, RV_EXT_S) && rv_has(&t->cpu->isa, RV_EXT_C);
}

static void move(struct translation *t, uint8_t to, uint8_t from)
{
    ir_add(t->ir, (struct ir_op){ .code = IR_mov, .size = 8, .dst = to, .b = from });
}

/* `from` goes to the CSR; sepc has no bit 0. */
static void write_csr(struct translation *t, unsigned number, uint8_t csr, uint8_t from)
{
    ir_add(t->ir, (struct ir_op){ .code = IR_and, .size = 8, .dst = csr, .a = from, .b = IR_IMM,
                                  .imm = number == CSR_SEPC ? -2 : -1 });
}

void rv_translate_csr(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    uint8_t csr = (uint8_t)(RV_IR_CSR + op->imm - CSR_SSCRATCH), dst = op->rd == RV_SINK ? IR_NONE : op->rd;
    unsigned number = (unsigned)op->imm;

    (void)r;
    if (!is_plain(t, op)) {
        rv_translate_system(t);
        return;
    }
    ir_add(t->ir, (struct ir_op){ .code = IR_atleast, .size = 8, .imm = PRIV_S, .site = t->site });
    if ((op->raw >> 12 & 7) != SWAP) {
        move(t, dst, csr);
    } else if (op->rd == op->rs1) {
        move(t, IR_GLOBALS, csr);
        write_csr(t, number, csr, op->rs1);
        move(t, dst, IR_GLOBALS);
    } else {
        move(t, dst, csr);
        write_csr(t, number, csr, op->rs1);
    }
    rv_translate_goes_on(t, op);
}
