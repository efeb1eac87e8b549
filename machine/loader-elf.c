/*
 * loader-elf.c - ELF executables for RISC-V.
 *
 * System V gABI, chapters 4 (object files) and 5 (program loading); RISC-V ELF psABI, "File header".
 * Gaps: no relocation is processed (a position-independent file must relocate itself), at most 1024 program
 * headers, no extended section numbering, little-endian only.
 */
#include <string.h>

#include "loader-priv.h"

enum {
    EI_CLASS = 4, EI_DATA = 5, ELFCLASS32 = 1, ELFCLASS64 = 2, ELFDATA2LSB = 1, ET_EXEC = 2, ET_DYN = 3,
    EM_RISCV = 243, PT_LOAD = 1, SHT_SYMTAB = 2, SEGMENTS_MAX = 1024,
};

struct elf {
    struct reader r;
    unsigned width; /* bytes of an address: 4 or 8 */
    unsigned type, machine;
    uint64_t entry, phoff, shoff;
    unsigned phentsize, phnum, shentsize, shnum;
};

struct segment {
    uint32_t type;
    uint64_t offset, vaddr, paddr, filesz, memsz;
};

struct section {
    uint32_t type, link;
    uint64_t offset, size, entsize;
};

bool elf_claims(struct reader r)
{
    const uint8_t *magic = reader_bytes(&r, 4);

    return magic && memcmp(magic, "\177ELF", 4) == 0;
}

static bool read_header(struct elf *elf, unsigned xlen, struct error *e)
{
    struct reader *r = &elf->r;
    const uint8_t *ident = reader_bytes(r, 16);

    if (!ident)
        return error_set(e, "the ELF file ends inside its header");
    if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
        return error_set(e, "its ELF class is %u, neither 32 nor 64 bits", ident[EI_CLASS]);
    if (ident[EI_DATA] != ELFDATA2LSB)
        return error_set(
            e, "it is an ELF file of the other byte order (only little-endian guests are supported)");
    elf->width = ident[EI_CLASS] == ELFCLASS64 ? 8 : 4;
    elf->type = (unsigned)reader_le(r, 2);
    elf->machine = (unsigned)reader_le(r, 2);
    reader_skip(r, 4);
    elf->entry = reader_le(r, elf->width);
    elf->phoff = reader_le(r, elf->width);
    elf->shoff = reader_le(r, elf->width);
    reader_skip(r, 4 + 2);
    elf->phentsize = (unsigned)reader_le(r, 2);
    elf->phnum = (unsigned)reader_le(r, 2);
    elf->shentsize = (unsigned)reader_le(r, 2);
    elf->shnum = (unsigned)reader_le(r, 2);
    reader_skip(r, 2);
    if (r->failed)
        return error_set(e, "the ELF file ends inside its header");
    if (elf->machine != EM_RISCV)
        return error_set(e, "it is an ELF file for another kind of CPU (machine %u, RISC-V is %u)",
                         elf->machine, EM_RISCV);
    if (elf->width * 8 != xlen)
        return error_set(e, "it is a %u-bit program and this machine is %u-bit: use lyrebird-system-riscv%u",
                         elf->width * 8, xlen, elf->width * 8);
    if (elf->type != ET_EXEC && elf->type != ET_DYN)
        return error_set(e, "it is not an executable (ELF type %u): link it first", elf->type);
    return true;
}

static bool check_program_headers(struct elf *elf, struct error *e)
{
    unsigned least = elf->width == 8 ? 56 : 32;

    if (elf->phnum == 0)
        return error_set(e, "the ELF file has no program headers, so nothing of it is to be loaded");
    if (elf->phnum > SEGMENTS_MAX || elf->phentsize < least)
        return error_set(e, "its ELF program headers are malformed (%u of %u bytes)", elf->phnum,
                         elf->phentsize);
    if (!in_range(elf->phoff, (uint64_t)elf->phnum * elf->phentsize, elf->r.size))
        return error_set(e, "its ELF program headers lie outside the file (%llu bytes): is it truncated?",
                         (unsigned long long)elf->r.size);
    return true;
}

/* `i` < phnum, after check_program_headers. */
static struct segment read_segment(const struct elf *elf, unsigned i)
{
    struct reader r = reader_slice(&elf->r, elf->phoff + (uint64_t)i * elf->phentsize, elf->phentsize);
    struct segment s = { .type = (uint32_t)reader_le(&r, 4) };

    if (elf->width == 8)
        reader_skip(&r, 4); /* p_flags stands here in ELF64, at the end in ELF32 */
    s.offset = reader_le(&r, elf->width);
    s.vaddr = reader_le(&r, elf->width);
    s.paddr = reader_le(&r, elf->width);
    s.filesz = reader_le(&r, elf->width);
    s.memsz = reader_le(&r, elf->width);
    return s;
}

static bool is_loaded(const struct segment *s)
{
    return s->type == PT_LOAD && s->memsz != 0;
}

static bool check_segment(const struct elf *elf, const struct segment *s, unsigned i, struct error *e)
{
    if (s->filesz > s->memsz)
        return error_set(e, "its ELF segment %u has more bytes in the file than in memory", i);
    if (!in_range(s->offset, s->filesz, elf->r.size))
        return error_set(
            e, "its ELF segment %u (offset 0x%llx, 0x%llx bytes) lies outside the file: is it truncated?", i,
            (unsigned long long)s->offset, (unsigned long long)s->filesz);
    if (s->memsz - 1 > UINT64_MAX - s->paddr)
        return error_set(e, "its ELF segment %u wraps around the end of the address space", i);
    return true;
}

/* Checks all segments, and finds the span [*low, *high] of their physical addresses. */
static bool find_span(const struct elf *elf, uint64_t *low, uint64_t *high, struct error *e)
{
    uint64_t copied = 0;

    *low = UINT64_MAX;
    *high = 0;
    for (unsigned i = 0; i < elf->phnum; i++) {
        struct segment s = read_segment(elf, i);
        if (!is_loaded(&s))
            continue;
        if (!check_segment(elf, &s, i, e))
            return false;
        if (s.paddr < *low)
            *low = s.paddr;
        if (s.paddr + (s.memsz - 1) > *high)
            *high = s.paddr + (s.memsz - 1);
        copied += s.filesz;
    }
    if (copied / 2 > elf->r.size)
        return error_set(e, "its ELF segments share their bytes in the file, over and over");
    if (*low > *high)
        return error_set(e, "the ELF file has no segment to load");
    return true;
}

static bool add_segments(struct load_target *t, const char *name, const struct elf *elf, uint64_t shift,
                         struct error *e)
{
    for (unsigned i = 0; i < elf->phnum; i++) {
        struct segment s = read_segment(elf, i);
        uint64_t gpa = s.paddr + shift;
        if (!is_loaded(&s))
            continue;
        if (!load_fits(t, gpa, s.memsz))
            return error_set(
                e,
                "its ELF segment %u (0x%llx bytes at 0x%llx) is not in the machine's memory (RAM is "
                "0x%llx bytes at 0x%llx): give it more with -m, or link it for this address",
                i, (unsigned long long)s.memsz, (unsigned long long)gpa, (unsigned long long)t->ram_size,
                (unsigned long long)t->ram_base);
        load_list_add(t->list, name, gpa, elf->r.data + s.offset, s.filesz, s.memsz - s.filesz);
    }
    return true;
}

/* The entry point is a virtual address; a boot loader jumps to the physical one. */
static bool physical_entry(const struct elf *elf, uint64_t shift, uint64_t *entry, struct error *e)
{
    for (unsigned i = 0; i < elf->phnum; i++) {
        struct segment s = read_segment(elf, i);
        if (!is_loaded(&s) || elf->entry < s.vaddr || elf->entry - s.vaddr >= s.memsz)
            continue;
        *entry = elf->entry - s.vaddr + s.paddr + shift;
        return true;
    }
    for (unsigned i = 0; i < elf->phnum; i++) {
        struct segment s = read_segment(elf, i);
        if (!is_loaded(&s) || elf->entry < s.paddr || elf->entry - s.paddr >= s.memsz)
            continue;
        *entry = elf->entry + shift;
        return true;
    }
    return error_set(e, "its ELF entry point 0x%llx lies in none of its segments",
                     (unsigned long long)elf->entry);
}

static struct section read_section(const struct elf *elf, unsigned i)
{
    struct reader r = reader_slice(&elf->r, elf->shoff + (uint64_t)i * elf->shentsize, elf->shentsize);
    struct section s;

    reader_skip(&r, 4);
    s.type = (uint32_t)reader_le(&r, 4);
    reader_skip(&r, 2 * elf->width);
    s.offset = reader_le(&r, elf->width);
    s.size = reader_le(&r, elf->width);
    s.link = (uint32_t)reader_le(&r, 4);
    reader_skip(&r, 4 + elf->width);
    s.entsize = reader_le(&r, elf->width);
    if (r.failed)
        s.type = 0;
    return s;
}

static void note_symbol(struct load_symbols *out, const struct reader *names, uint32_t name, uint64_t value)
{
    const struct {
        const char *name;
        uint64_t *value;
    } wanted[] = {
        { "tohost", &out->tohost }, { "fromhost", &out->fromhost },
        { "begin_signature", &out->begin_signature }, { "end_signature", &out->end_signature },
    };

    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        size_t len = strlen(wanted[i].name) + 1;
        if (in_range(name, len, names->size) && memcmp(names->data + name, wanted[i].name, len) == 0)
            *wanted[i].value = value;
    }
}

static void read_symbol_table(const struct elf *elf, const struct section *table, uint64_t shift,
                              struct load_symbols *out)
{
    const unsigned least = elf->width == 8 ? 24 : 16;
    struct section strings = { 0 };

    if (table->link < elf->shnum)
        strings = read_section(elf, table->link);
    struct reader names = reader_slice(&elf->r, strings.offset, strings.size);
    struct reader symbols = reader_slice(&elf->r, table->offset, table->size);
    if (table->entsize < least || names.failed || symbols.failed)
        return;
    for (uint64_t at = 0; in_range(at, least, symbols.size); at += table->entsize) {
        struct reader r = reader_slice(&symbols, at, least);
        uint32_t name = (uint32_t)reader_le(&r, 4);
        if (elf->width == 8)
            reader_skip(&r, 4); /* st_info, st_other and st_shndx stand here in ELF64 */
        note_symbol(out, &names, name, reader_le(&r, elf->width) + shift);
        if (table->entsize > symbols.size - at)
            break;
    }
}

/* A file without symbols, or with malformed ones, still loads: its symbols are just not known. */
static void read_symbols(const struct elf *elf, uint64_t shift, struct load_symbols *out)
{
    if (!in_range(elf->shoff, (uint64_t)elf->shnum * elf->shentsize, elf->r.size))
        return;
    for (unsigned i = 0; i < elf->shnum; i++) {
        struct section s = read_section(elf, i);
        if (s.type == SHT_SYMTAB) {
            read_symbol_table(elf, &s, shift, out);
            return;
        }
    }
}

bool elf_load(struct load_target *t, const char *name, struct reader r, uint64_t base, struct loaded *out,
              struct error *e)
{
    struct elf elf = { .r = r };
    uint64_t low, high, shift = 0;

    if (!read_header(&elf, t->xlen, e) || !check_program_headers(&elf, e) || !find_span(&elf, &low, &high, e))
        return false;
    if ((elf.type == ET_DYN || low == 0) && !load_fits(t, low, 1))
        shift = base - low;
    *out = (struct loaded){ .format = LOAD_ELF, .start = low + shift, .end = high + shift + 1 };
    if (!physical_entry(&elf, shift, &out->entry, e) || !add_segments(t, name, &elf, shift, e))
        return false;
    read_symbols(&elf, shift, &out->symbols);
    return true;
}
