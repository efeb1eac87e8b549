/* harness-jit-impl.h - random programs: what harness-jit-program.c makes and harness-jit-pair.c runs. */
#ifndef HARNESS_JIT_IMPL_H
#define HARNESS_JIT_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "decode.h"
#include "harness-riscv.h"

/* Where things are in RAM: two pages of code, data (as the program's gp and sp see it), page tables. */
#define PROGRAM_CODE RIG_CODE
#define PROGRAM_DATA (RIG_RAM + 0x4000)
#define PROGRAM_GP (PROGRAM_DATA + 0x1000)
#define PROGRAM_SP (PROGRAM_DATA + 0x1f00)
#define PROGRAM_TABLES (RIG_RAM + 0x8000)
#define PROGRAM_PTES(user) (PROGRAM_TABLES + ((user) ? 0x9000 : 0x4000)) /* the last level: S's, U's */

enum {
    PROGRAM_PAGES = 18, /* all of the above */
    PROGRAM_CODE_BYTES = 0x2000,
    PROGRAM_DATA_BYTES = 0x4000, /* the third page is read-only and the fourth not there where pages are in use */
    PROGRAM_INSNS = 320,
    PROGRAM_RUNS = 6,
};

struct program {
    uint8_t code[PROGRAM_CODE_BYTES];
    struct {
        uint16_t at;
        uint8_t len;
    } insn[PROGRAM_INSNS];
    unsigned count, bytes;
    uint64_t x[32], f[32];
    uint64_t data[PROGRAM_DATA_BYTES / 8];
    uint8_t xlen, priv, frm, fflags, fs;
    uint8_t levels;                        /* of page tables */
    uint8_t lost[PROGRAM_DATA_BYTES >> 12]; /* flags that the PTEs of data lack at first */
    bool adue;                             /* hardware sets A and D */
    bool paged, alias; /* alias: it starts at its code's second address */
    unsigned runs[PROGRAM_RUNS]; /* budgets */
};

/* The rows that programs are made of, for one decoder. */
struct recipe;
struct recipe *recipe_new(const struct rv_decoder *decoder, const struct rv_isa *isa);
void recipe_free(struct recipe *r);

/* The same seed gives the same program. */
void program_make(struct program *p, const struct recipe *r, uint64_t seed);

/* The page of traps: skips the instruction that trapped, or starts the program again after a wild jump. Then, at
 * *start, a way into the program that makes its code visible. */
void program_handler(struct rig *r, uint64_t *start);

#endif
