/*
 * symbols.h - names for a guest's addresses: the symbol table of an ELF file, a kernel's System.map, or the one that a
 * kernel Image has inside.
 */
#ifndef MACHINE_SYMBOLS_H
#define MACHINE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "path.h"

struct symbols;

/* Never fails for what is in the file: one without symbols gives an empty table. NULL only if it cannot be read. */
struct symbols *symbols_read(const char *file, struct error *e);
void symbols_free(struct symbols *s);

/* "name+0x10", or "" when nothing is known near the address. `s` may be NULL. */
void symbols_name(const struct symbols *s, uint64_t address, char *out, size_t size);

/* The text of a System.map, or of the one inside a kernel Image, compressed or not. */
bool symbols_map(const char *file, struct bytes *map, struct error *e);

/* Its next line; *text moves on. Lines end up with a 0 in place of the line feed. */
struct symbol_line {
    uint64_t address;
    char type; /* nm's */
    const char *name;
};

bool symbols_next(char **text, struct symbol_line *out);

/* A RISC-V ELF file that has these symbols and nothing else, for debuggers; `text` is changed. Of 64 bits. */
void symbols_elf(char *text, struct bytes *elf);

#endif
