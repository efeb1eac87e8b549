/*
 * symbols.c - see symbols.h. ELF: System V ABI, chapter 4 (symbol table), little-endian, both classes. System.map:
 * lines of "ADDRESS TYPE NAME", as nm prints them. A kernel Image has one inside.
 */
#include "symbols.h"

#include <elf.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bits.h"
#include "decompress.h"
#include "kallsyms.h"
#include "path.h"

enum { FILE_MAX = 1 << 30, FAR = 1 << 20 };

struct symbol {
    uint64_t address;
    const char *name; /* in `file` */
};

struct symbols {
    struct bytes file;
    struct symbol *item;
    size_t count, room;
};

static void add(struct symbols *s, uint64_t address, const char *name)
{
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 256;
        s->item = alloc_resize(s->item, s->room, sizeof *s->item);
    }
    s->item[s->count++] = (struct symbol){ address, name };
}

static int by_address(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;

    return (x->address > y->address) - (x->address < y->address);
}

/* ---- ELF ---- */

/* A section header, whichever the class. False when it is not inside the file. */
static bool section(const struct symbols *s, uint64_t table, unsigned n, Elf64_Shdr *out)
{
    const uint8_t *file = (const uint8_t *)s->file.data;
    bool wide = file[EI_CLASS] == ELFCLASS64;
    uint64_t size = wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
    Elf32_Shdr narrow;

    if (!in_range(table, (n + 1) * size, s->file.len))
        return false;
    if (wide) {
        memcpy(out, file + table + n * size, size);
    } else {
        memcpy(&narrow, file + table + n * size, size);
        *out = (Elf64_Shdr){ .sh_type = narrow.sh_type, .sh_offset = narrow.sh_offset, .sh_size = narrow.sh_size,
                             .sh_link = narrow.sh_link };
    }
    return out->sh_type != SHT_SYMTAB || in_range(out->sh_offset, out->sh_size, s->file.len);
}

static void read_entries(struct symbols *s, const Elf64_Shdr *table, const Elf64_Shdr *names)
{
    const char *file = s->file.data;
    bool wide = file[EI_CLASS] == ELFCLASS64;
    size_t size = wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);

    for (uint64_t at = 0; at + size <= table->sh_size; at += size) {
        const uint8_t *p = (const uint8_t *)file + table->sh_offset + at;
        uint32_t name = get_le32(p);
        uint8_t info = p[wide ? 4 : 12];
        uint16_t shndx = get_le16(p + (wide ? 6 : 14));
        bool code = ELF64_ST_TYPE(info) == STT_FUNC || ELF64_ST_TYPE(info) == STT_NOTYPE;
        if (code && shndx && shndx < SHN_LORESERVE && name < names->sh_size && file[names->sh_offset + name] &&
            file[names->sh_offset + name] != '$')
            add(s, wide ? get_le64(p + 8) : get_le32(p + 4), file + names->sh_offset + name);
    }
}

static void read_elf(struct symbols *s)
{
    const uint8_t *file = (const uint8_t *)s->file.data;
    bool wide = file[EI_CLASS] == ELFCLASS64;
    uint64_t table = wide ? get_le64(file + 40) : get_le32(file + 32);
    unsigned count = get_le16(file + (wide ? 60 : 48));
    Elf64_Shdr symtab, names;

    for (unsigned n = 0; n < count; n++) {
        if (!section(s, table, n, &symtab) || symtab.sh_type != SHT_SYMTAB || symtab.sh_link >= count ||
            !section(s, table, symtab.sh_link, &names) || !in_range(names.sh_offset, names.sh_size, s->file.len) ||
            !names.sh_size || file[names.sh_offset + names.sh_size - 1])
            continue;
        read_entries(s, &symtab, &names);
    }
}

/* ---- System.map ---- */

bool symbols_next(char **text, struct symbol_line *out)
{
    while (*text && **text) {
        char *line = *text, *end, *next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        *text = next;
        out->address = strtoull(line, &end, 16);
        if (end == line || end[0] != ' ' || !end[1] || end[2] != ' ')
            continue;
        out->type = end[1];
        out->name = end + 3;
        return true;
    }
    return false;
}

static void read_map(struct symbols *s)
{
    char *text = s->file.data;
    struct symbol_line line;

    while (symbols_next(&text, &line)) {
        if (strchr("tTwW", line.type))
            add(s, line.address, line.name);
    }
}

/* ---- both ---- */

static bool is_elf(const struct bytes *file)
{
    return file->len >= sizeof(Elf64_Ehdr) && !memcmp(file->data, ELFMAG, SELFMAG);
}

static bool is_text(const struct bytes *file)
{
    return file->len && !memchr(file->data, 0, file->len);
}

/* Puts what a kernel holds, compressed or not, in its place. */
static void unpack_kernel(struct bytes *file)
{
    const char *method = file->len ? decompress_method((const uint8_t *)file->data, file->len) : NULL;
    struct bytes out;
    struct error none;

    if (method && decompress(method, (const uint8_t *)file->data, file->len, FILE_MAX, &out, &none)) {
        bytes_free(file);
        *file = out;
    }
    if (!is_elf(file) && !is_text(file) && kallsyms_map(file->data, file->len, &out)) {
        bytes_free(file);
        *file = out;
    }
}

/* Its first line tells. */
static bool is_map(const struct bytes *file)
{
    char head[80] = "", *text = head;
    struct symbol_line line;

    memcpy(head, file->data, file->len < sizeof head ? file->len : sizeof head - 1);
    return is_text(file) && symbols_next(&text, &line) && text;
}

bool symbols_map(const char *file, struct bytes *map, struct error *e)
{
    if (!file_read(file, FILE_MAX, map, e))
        return false;
    unpack_kernel(map);
    if (is_map(map))
        return true;
    bytes_free(map);
    return error_set(e, "'%s' is neither a System.map nor a kernel Image with its symbols inside (CONFIG_KALLSYMS, "
                     "Linux 6.5 or later)", file);
}

struct symbols *symbols_read(const char *file, struct error *e)
{
    struct symbols *s = alloc_zeroed(sizeof *s);

    if (!file_read(file, FILE_MAX, &s->file, e)) {
        symbols_free(s);
        return NULL;
    }
    unpack_kernel(&s->file);
    if (is_elf(&s->file))
        read_elf(s);
    else if (is_text(&s->file))
        read_map(s);
    if (s->count)
        qsort(s->item, s->count, sizeof *s->item, by_address);
    return s;
}

void symbols_free(struct symbols *s)
{
    if (!s)
        return;
    bytes_free(&s->file);
    free(s->item);
    free(s);
}

void symbols_name(const struct symbols *s, uint64_t address, char *out, size_t size)
{
    size_t lo = 0, hi = s ? s->count : 0;

    out[0] = 0;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->item[mid].address <= address)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo && address - s->item[lo - 1].address < FAR)
        snprintf(out, size, "%.80s+%#" PRIx64, s->item[lo - 1].name, address - s->item[lo - 1].address);
}
