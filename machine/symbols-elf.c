/*
 * symbols-elf.c - a file of symbols for debuggers. System V ABI, chapter 4; RISC-V ELF psABI (EM_RISCV = 243).
 *
 * GDB looks an address up in the section that holds it and trusts symbols of sections only, so all are in one section
 * without contents, which reaches from the first to the last of them. Sections: none, .text, .symtab, .strtab.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "symbols.h"

enum { TEXT = 1, SYMTAB, STRTAB, SECTIONS, PAGE = 4096 };

static const char section_names[] = "\0.text\0.symtab\0.strtab";

struct table {
    Elf64_Sym *item;
    size_t count, room;
    struct bytes names;
    uint64_t low, high;
};

static void add(struct table *t, const struct symbol_line *line)
{
    bool code = strchr("tTwW", line->type);

    if (t->count == t->room) {
        t->room = t->room * 2 + 1024;
        t->item = alloc_resize(t->item, t->room, sizeof *t->item);
    }
    t->item[t->count++] = (Elf64_Sym){ .st_name = (uint32_t)t->names.len, .st_shndx = TEXT, .st_value = line->address,
                                       .st_info = ELF64_ST_INFO(STB_GLOBAL, code ? STT_FUNC : STT_OBJECT) };
    bytes_add(&t->names, line->name, strlen(line->name) + 1);
    t->low = line->address < t->low ? line->address : t->low;
    t->high = line->address > t->high ? line->address : t->high;
}

/* Absolute ones are numbers and no places; what belongs to one CPU counts from 0. */
static void read_all(struct table *t, char *text)
{
    struct symbol_line line;

    *t = (struct table){ .low = UINT64_MAX };
    bytes_add(&t->names, section_names, sizeof section_names);
    add(t, &(struct symbol_line){ .name = "", .address = UINT64_MAX });
    t->item[0] = (Elf64_Sym){ 0 };
    t->high = 0;
    while (symbols_next(&text, &line)) {
        if (line.type != 'A' && line.type != 'a' && line.address >= PAGE)
            add(t, &line);
    }
}

static Elf64_Shdr section(const struct table *t, unsigned n)
{
    uint64_t table = t->count * sizeof(Elf64_Sym), at = sizeof(Elf64_Ehdr) + SECTIONS * sizeof(Elf64_Shdr);

    switch (n) {
    case TEXT:
        return (Elf64_Shdr){ .sh_name = 1, .sh_type = SHT_NOBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                             .sh_addr = t->low, .sh_offset = at, .sh_size = t->high - t->low + 1, .sh_addralign = 1 };
    case SYMTAB:
        return (Elf64_Shdr){ .sh_name = 7, .sh_type = SHT_SYMTAB, .sh_offset = at, .sh_size = table, .sh_link = STRTAB,
                             .sh_info = 1, .sh_addralign = 8, .sh_entsize = sizeof(Elf64_Sym) };
    case STRTAB:
        return (Elf64_Shdr){ .sh_name = 15, .sh_type = SHT_STRTAB, .sh_offset = at + table, .sh_size = t->names.len,
                             .sh_addralign = 1 };
    default: return (Elf64_Shdr){ 0 };
    }
}

void symbols_elf(char *text, struct bytes *elf)
{
    struct table t;
    Elf64_Ehdr head = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_EXEC,
                        .e_machine = EM_RISCV, .e_version = EV_CURRENT, .e_shoff = sizeof head,
                        .e_ehsize = sizeof head, .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = SECTIONS,
                        .e_shstrndx = STRTAB };

    read_all(&t, text);
    *elf = (struct bytes){ 0 };
    bytes_add(elf, &head, sizeof head);
    for (unsigned n = 0; n < SECTIONS; n++) {
        Elf64_Shdr s = section(&t, n);
        bytes_add(elf, &s, sizeof s);
    }
    bytes_add(elf, t.item, t.count * sizeof *t.item);
    bytes_add(elf, t.names.data, t.names.len);
    free(t.item);
    bytes_free(&t.names);
}
