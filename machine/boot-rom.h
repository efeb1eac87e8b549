/*
 * boot-rom.h - what a RISC-V board's vCPUs execute after reset, and what they tell the firmware.
 *
 * Every hart jumps to `entry` with a0 = mhartid, a1 = address of the device tree, a2 = address of OpenSBI's
 * struct fw_dynamic_info (version 2: magic, version, next_addr, next_mode, options, boot_hart; one XLEN
 * each).
 */
#ifndef MACHINE_BOOT_ROM_H
#define MACHINE_BOOT_ROM_H

#include <stddef.h>
#include <stdint.h>

enum { BOOT_ROM_SIZE = 96 };

enum boot_mode { BOOT_MODE_U = 0, BOOT_MODE_S = 1, BOOT_MODE_M = 3 };

struct boot_rom {
    unsigned xlen;            /* 32 or 64 */
    uint64_t entry;           /* firmware, or the program itself under -bios none */
    uint64_t fdt;             /* 0: none */
    uint64_t next;            /* where the firmware continues: the kernel; 0: nowhere */
    enum boot_mode next_mode; /* in which mode */
    uint64_t boot_hart;       /* which hart shall do so; ~0: any */
};

/* Fills the bytes for the reset vector. They are position-independent; their address must be a multiple of
 * 8. */
void boot_rom_write(uint8_t rom[BOOT_ROM_SIZE], const struct boot_rom *b);

#endif
