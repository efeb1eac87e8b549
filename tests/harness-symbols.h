/* harness-symbols.h - a kernel's symbols, and the files that they are read from. */
#ifndef HARNESS_SYMBOLS_H
#define HARNESS_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The System.map inside a kernel Image, or "none". The caller frees it. */
char *hsym_kallsyms(const void *image, size_t len);

/* What a symbol file that is made of this System.map says about an address: "name+0x10", or "". False when the file
 * cannot be written or read. */
bool hsym_elf_name(const char *map, const char *file, uint64_t address, char *out, size_t size);

#endif
