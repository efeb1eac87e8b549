/*
 * loader.h - brings files into guest memory: kernels, firmware, initial RAM disks, -device loader.
 *
 * A loader reads and checks a file and adds what belongs into memory to a list of blobs; load_list_write
 * puts them there, at the first start and again at every reset. Nothing of a file is believed before it
 * was compared with the file's size and with the guest's memory.
 */
#ifndef MACHINE_LOADER_H
#define MACHINE_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "error.h"
#include "keyvals.h"

struct load_origin;

/* Bytes that a reset puts back: `len` from `data`, then `zeros` zero bytes. Once they are in guest memory, `data` is
 * NULL when the file at `origin` begins with them. */
struct load_blob {
    char *name; /* for messages */
    uint64_t gpa;
    uint8_t *data;
    uint64_t len;
    uint64_t zeros;
    struct load_origin *origin; /* or NULL */
};

struct load_list {
    struct load_blob *item;
    size_t count;
};

/* Where things may go. */
struct load_target {
    struct bus *bus; /* ELF segments outside RAM are checked against it; NULL: RAM only */
    uint64_t ram_base;
    uint64_t ram_size;
    unsigned xlen;         /* 32 or 64 */
    uint64_t firmware_end; /* first free address behind the firmware; ram_base (or 0) when there is none */
    struct load_list *list;
    struct bytes *file; /* what is being loaded, when the list may take it over: then it is empty */
};

enum load_format { LOAD_RAW, LOAD_ELF, LOAD_IMAGE };

/* Guest addresses; 0 when the file does not define them. */
struct load_symbols {
    uint64_t tohost, fromhost, begin_signature, end_signature;
};

struct loaded {
    enum load_format format;
    uint64_t entry;
    uint64_t start, end; /* what the file takes in memory, with its zero-initialised part */
    struct load_symbols symbols;
};

/* Copies `data`. */
void load_list_add(struct load_list *list, const char *name, uint64_t gpa, const void *data, uint64_t len,
                   uint64_t zeros);

/* Fails when two blobs overlap, or one lies where there is no memory. */
bool load_list_check(const struct load_list *list, struct bus *bus, struct error *e);

/* After load_list_check; false when the memory map has changed since. */
bool load_list_write(struct load_list *list, struct bus *bus, struct error *e);
void load_list_free(struct load_list *list);

/*
 * -kernel: ELF for this XLEN (at its physical addresses; when these begin at 0 or it is
 * position-independent and they are not in memory, at load_kernel_base), RISC-V Image, any of them
 * compressed or as an EFI zboot file; anything else is a flat binary for load_kernel_base. The message of
 * a failure begins "could not load kernel 'PATH'".
 */
bool load_kernel(struct load_target *t, const char *path, struct loaded *out, struct error *e);

/* -bios: ELF, or a flat binary for `gpa`. Sets t->firmware_end when it lies in RAM. */
bool load_firmware(struct load_target *t, const char *path, uint64_t gpa, struct loaded *out,
                   struct error *e);

/* The same from memory, for the firmware that is linked into the emulator. */
bool load_firmware_bytes(struct load_target *t, const char *name, const void *data, size_t size, uint64_t gpa,
                         struct loaded *out, struct error *e);

/* -initrd: far enough above the kernel for it to unpack itself, below the device tree. [*start, *end). */
bool load_initrd(struct load_target *t, const char *path, const struct loaded *kernel, uint64_t *start,
                 uint64_t *end, struct error *e);

/* First address behind the firmware that is aligned as Linux wants it: 2 MiB for RV64, 4 MiB for RV32. */
uint64_t load_kernel_base(const struct load_target *t);

/* Where a device tree of `size` bytes goes: at the end of the RAM below 3 GiB, 2 MiB aligned (4 KiB in a
 * small RAM). */
uint64_t load_fdt_address(const struct load_target *t, uint64_t size);

/* -device loader,...: one text. `sets_pc` is true when the CPU with number `cpu` shall start at `pc`. */
struct load_device {
    bool sets_pc;
    unsigned cpu;
    uint64_t pc;
};

bool load_device(struct load_target *t, struct keyvals *kv, unsigned cpus, struct load_device *out,
                 struct error *e);

#endif
