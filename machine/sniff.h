/*
 * sniff.h - says what a file is that a user wants to run, from its first bytes.
 *
 * Formats: ELF (System V ABI, gABI 4.1 chapter 4), the RISC-V and arm64 Image header
 * (linux/Documentation/arch/riscv/boot-image-header.rst), bzImage (linux/Documentation/arch/x86/boot.rst),
 * PE (Microsoft PE/COFF), MBR and GPT (UEFI 2.10 chapter 5), ext4 (linux/Documentation/filesystems/ext4),
 * qcow2 (qemu docs/interop/qcow2.txt), ISO 9660 (ECMA-119), flattened device tree 0.4 chapter 5, newc cpio.
 *
 * Gaps: a disk's architecture is a guess from its boot code and GPT type GUIDs; what is inside its file
 * systems is not looked at.
 */
#ifndef MACHINE_SNIFF_H
#define MACHINE_SNIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum sniff_kind {
    SNIFF_UNKNOWN,
    SNIFF_EMPTY,
    SNIFF_KERNEL,           /* -kernel FILE, under the default firmware */
    SNIFF_BARE,             /* -bios none -kernel FILE: an ELF file that takes the machine over at reset */
    SNIFF_PROGRAM,          /* an ELF file that needs an operating system */
    SNIFF_EFI_PROGRAM,
    SNIFF_DISK,             /* a partitioned disk */
    SNIFF_ROOT_FS,          /* a file system without a partition table */
    SNIFF_ISO,
    SNIFF_QCOW2,
    SNIFF_OTHER_DISK,       /* vmdk, vdi, vhdx */
    SNIFF_DEVICE_TREE,
    SNIFF_INITRAMFS,
    SNIFF_BOOT_TEST,
    SNIFF_TEXT,
};

struct sniff {
    enum sniff_kind kind;
    bool compressed;
    const char *arch; /* "riscv64", "riscv32", "x86_64", "i386"; another's name; or NULL if any or unknown */
    char what[160];         /* "a Linux kernel Image for RISC-V", for messages */
};

/* How much of a file is enough; sniff_bytes never looks further. */
enum { SNIFF_HEAD = 0x9000 };

/* Looks at the first `len` bytes of a file. */
void sniff_bytes(const void *data, size_t len, struct sniff *out);

/* The same for a file, and for what is inside if it is gzip, xz, zstd or bzip2. */
bool sniff_file(const char *path, struct sniff *out, struct error *e);

/* Whether our machines run this architecture. */
bool sniff_arch_ours(const char *arch);

#endif
