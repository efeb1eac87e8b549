/*
 * board-riscv.h - what the RISC-V boards share: harts, memory, reset ROM, their part of the device tree, and the way
 * from reset to the first instruction of a kernel.
 */
#ifndef MACHINE_BOARD_RISCV_H
#define MACHINE_BOARD_RISCV_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "loader.h"

struct device;
struct dt;
struct machine;

/* phandles: interrupt controller of hart i, then the rest. */
enum { RISCV_PHANDLE_INTC = 1, RISCV_PHANDLE_CPU = 0x20, RISCV_PHANDLE_PLIC = 0x40, RISCV_PHANDLE_TEST };

/* What is loaded, and put back at every reset. */
struct riscv_boot {
    struct load_list list;
    bool bare;             /* no firmware unless -bios asks for it */
    uint64_t flash;        /* address of the flash bank that a user filled, or 0 */
    struct load_symbols symbols; /* of an ELF kernel */
};

/* The root of the device tree, and the board's own nodes in it. */
struct riscv_tree {
    const char *compatible;
    const char *console; /* path, or NULL */
    void (*describe)(void *board_data, struct dt *dt);
};

bool riscv_make_harts(struct machine *m, uint64_t timebase, uint64_t reset_pc, struct error *e);
void riscv_free_harts(struct machine *m);

/* -m bytes of RAM for `base`, not mapped yet: m->ram and m->ram_base. */
struct ram *riscv_make_ram(struct machine *m, uint64_t base, struct error *e);
bool riscv_make_reset_rom(struct machine *m, uint64_t base, uint64_t size, struct error *e);

/* The CLINT with its wires to every hart. */
struct device *riscv_make_aclint(struct machine *m, const char *id, uint64_t timebase);

/* "compatible" from strings with ';' between them. */
void riscv_compatible(struct dt *dt, const char *list);

/* "interrupts-extended": each of these interrupts of each hart. */
void riscv_describe_hart_irqs(const struct machine *m, struct dt *dt, const uint32_t *irqs, unsigned count);

/* /poweroff and /reboot by a write to the test device. */
void riscv_describe_syscon(struct dt *dt, const char *node, const char *compatible, uint32_t value);

/* Reads everything that the options name into boot->list. */
bool riscv_load(struct machine *m, struct riscv_boot *boot, const struct riscv_tree *tree, struct error *e);

/* Puts it into memory: at the start and after every reset. */
bool riscv_restart(struct machine *m, struct riscv_boot *boot, struct error *e);
void riscv_boot_free(struct riscv_boot *boot);

#endif
