/* symbols.h - names for a guest's addresses: the symbol table of an ELF file, or a kernel's System.map. */
#ifndef MACHINE_SYMBOLS_H
#define MACHINE_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct symbols;

/* Never fails for what is in the file: one without symbols gives an empty table. NULL only if it cannot be read. */
struct symbols *symbols_read(const char *file, struct error *e);
void symbols_free(struct symbols *s);

/* "name+0x10", or "" when nothing is known near the address. `s` may be NULL. */
void symbols_name(const struct symbols *s, uint64_t address, char *out, size_t size);

#endif
