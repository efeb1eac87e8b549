/* harness-fp.h - the RISC-V floating-point instructions, one at a time on a real hart. */
#ifndef HARNESS_FP_H
#define HARNESS_FP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fpt;

enum { FPT_RAM = 0x1000 /* bytes of RAM at address 0 */, FPT_DYNAMIC = 7, FPT_TRAP_NONE = -1 };

/* A hart with every extension that is known here. */
struct fpt *fpt_new(unsigned xlen);
void fpt_free(struct fpt *t);

uint64_t *fpt_f(struct fpt *t, unsigned r);
uint64_t *fpt_x(struct fpt *t, unsigned r);
uint8_t *fpt_ram(struct fpt *t);

/* mstatus.FS: 0 off, 1 initial, 2 clean, 3 dirty. */
void fpt_set_fs(struct fpt *t, unsigned fs);
unsigned fpt_fs(const struct fpt *t);

/* Any value: reserved ones too. */
void fpt_set_frm(struct fpt *t, unsigned frm);
void fpt_set_fflags(struct fpt *t, unsigned flags);
unsigned fpt_fflags(const struct fpt *t);

/*
 * Executes one instruction, by its name in insns.def, with rd 3, rs1 1, rs2 2, rs3 4, and rm where its
 * rounding mode is an operand. Returns the cause of the exception it took, or FPT_TRAP_NONE; -2 when there is
 * no such instruction.
 */
int fpt_run(struct fpt *t, const char *name, unsigned rm);

/* The same with another rs1 field: it is fli's operand. */
int fpt_run_rs1(struct fpt *t, const char *name, unsigned rm, unsigned rs1);

/* Rows of the comparison with core/softfloat: instruction families such as "fadd". */
int fpt_row_count(void);
const char *fpt_row_name(int row);

/*
 * Executes `cases` instructions of the row in width 'h', 's' or 'd' with random operands, NaN-boxed or not,
 * under frm and rm, and compares results, flags and mstatus.FS with what core/softfloat computes. Returns the
 * number of differences; text says the first one.
 */
uint64_t fpt_check(struct fpt *t, int row, char width, unsigned frm, unsigned rm, uint64_t cases,
                   uint64_t seed, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
