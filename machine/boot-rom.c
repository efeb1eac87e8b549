/*
 * boot-rom.c - see boot-rom.h.
 *
 * Instructions: RISC-V ISA manual, volume I, chapters 2 (RV32I), 4 (RV64I) and 6 (Zicsr). The information
 * block: OpenSBI, docs/firmware/fw_dynamic.md; its address must be a multiple of XLEN / 8.
 */
#include "boot-rom.h"

#include <string.h>

#include "bits.h"

enum { A0 = 10, A1 = 11, A2 = 12, T0 = 5, CSR_MHARTID = 0xf14, FW_DYNAMIC_VERSION = 2 };

enum {
    AT_ENTRY = 24,
    AT_FDT = 32,
    AT_INFO = 40
}; /* in the ROM; entry and fdt are 64-bit fields for both XLENs */

#define FW_DYNAMIC_MAGIC UINT64_C(0x4942534f) /* "OSBI" */

static uint32_t auipc(unsigned rd, uint32_t imm20)
{
    return imm20 << 12 | rd << 7 | 0x17;
}

static uint32_t addi(unsigned rd, unsigned rs1, uint32_t imm12)
{
    return imm12 << 20 | rs1 << 15 | rd << 7 | 0x13;
}

/* lw for 32, ld for 64. */
static uint32_t load(unsigned xlen, unsigned rd, unsigned rs1, uint32_t imm12)
{
    return imm12 << 20 | rs1 << 15 | (xlen == 64 ? 3u : 2u) << 12 | rd << 7 | 0x03;
}

static uint32_t csrr(unsigned rd, uint32_t csr)
{
    return csr << 20 | 2u << 12 | rd << 7 | 0x73;
}

static uint32_t jr(unsigned rs1)
{
    return rs1 << 15 | 0x67;
}

void boot_rom_write(uint8_t rom[BOOT_ROM_SIZE], const struct boot_rom *b)
{
    const uint32_t code[] = {
        auipc(T0, 0),                   /* t0 = start of this ROM */
        addi(A2, T0, AT_INFO),
        csrr(A0, CSR_MHARTID),
        load(b->xlen, A1, T0, AT_FDT),
        load(b->xlen, T0, T0, AT_ENTRY),
        jr(T0),
    };
    const uint64_t info[] = {
        FW_DYNAMIC_MAGIC, FW_DYNAMIC_VERSION, b->next, b->next_mode, 0, b->boot_hart,
    };

    _Static_assert(sizeof code <= AT_ENTRY && AT_INFO + sizeof info <= BOOT_ROM_SIZE, "the parts overlap");
    memset(rom, 0, BOOT_ROM_SIZE);
    for (size_t i = 0; i < ARRAY_LEN(code); i++)
        put_le32(rom + 4 * i, code[i]);
    put_le64(rom + AT_ENTRY, b->entry);
    put_le64(rom + AT_FDT, b->fdt);
    for (size_t i = 0; i < ARRAY_LEN(info); i++)
        put_le(rom + AT_INFO + b->xlen / 8 * i, info[i], b->xlen / 8);
}
