/*
 * harness-riscv-walk.h - the privileged architecture's checks of an access, written from the manual and knowing nothing
 * of the emulator: page tables (4.3-4.6, Svnapot, Svpbmt, Svadu) and physical memory protection (3.7, Smepmp).
 */
#ifndef HARNESS_RISCV_WALK_H
#define HARNESS_RISCV_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WALK_READ, WALK_WRITE, WALK_EXEC };

struct pmp_model {
    unsigned entries, mseccfg;
    uint8_t cfg[16];
    uint64_t addr[16];
};

/* May all of [gpa, gpa + len) be accessed? */
bool pmp_model_allows(const struct pmp_model *pmp, uint64_t gpa, unsigned len, bool machine, unsigned access);

struct walk_mode {
    unsigned xlen, priv; /* priv: effective, 0, 1 or 3 */
    uint64_t satp;
    bool sum, mxr, adue, pbmte, napot;
    const struct pmp_model *pmp;
    void *memory;
    /* Is [gpa, gpa + len) memory that page tables and code can be in? */
    bool (*is_memory)(uint64_t gpa, uint64_t len, bool writing);
    uint64_t (*read)(void *memory, uint64_t gpa, unsigned width);
};

struct walk_result {
    int cause; /* of the exception, or -1 */
    uint64_t gpa;
    uint64_t pte_gpa, pte; /* leaf entry as it is afterwards; pte_gpa = 0: none was reached */
};

/* Translation, and PMP of the final access of `size` bytes inside a page. Whether something is there at the address is
 * the caller's question. Changes nothing. */
struct walk_result walk(const struct walk_mode *mode, uint64_t va, unsigned size, unsigned access);

#ifdef __cplusplus
}
#endif

#endif
