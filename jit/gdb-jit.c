/*
 * gdb-jit.c - GDB's interface for code made at run time: "JIT Compilation Interface" in the GDB manual. Each block is
 * an object file in memory with one symbol and no bytes of its own (ELF-64 object file format).
 *
 * GDB finds the descriptor and the function by their names, in the whole process: hence the variables. GDB stops the
 * process for each block, which is slow.
 */
#include <elf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "jit-names.h"

/* ---- the manual's declarations ---- */

enum { JIT_NOACTION, JIT_REGISTER_FN, JIT_UNREGISTER_FN };

struct jit_code_entry {
    struct jit_code_entry *next_entry, *prev_entry;
    const char *symfile_addr;
    uint64_t symfile_size;
};

struct jit_descriptor {
    uint32_t version, action_flag;
    struct jit_code_entry *relevant_entry, *first_entry;
};

extern struct jit_descriptor __jit_debug_descriptor;
void __jit_debug_register_code(void);

struct jit_descriptor __jit_debug_descriptor = { 1, JIT_NOACTION, NULL, NULL };

/* GDB has a breakpoint here. */
__attribute__((noinline)) void __jit_debug_register_code(void)
{
    __asm__ volatile("" ::: "memory");
}

/* ---- an object file of one symbol ---- */

enum { S_NULL, S_TEXT, S_SYMTAB, S_STRTAB, SECTIONS };

static const char section_names[] = "\0.text\0.symtab\0.strtab";
enum { NAME_TEXT = 1, NAME_SYMTAB = 7, NAME_STRTAB = 15, STRINGS = 64 };

struct object {
    Elf64_Ehdr header;
    Elf64_Shdr section[SECTIONS];
    Elf64_Sym symbol[2];
    char strings[STRINGS]; /* names of sections, then the symbol's */
};

struct gdb_code {
    struct jit_code_entry entry;
    struct gdb_code *next;
    struct object object;
};

static void write_header(Elf64_Ehdr *h)
{
    *h = (Elf64_Ehdr){
        .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
        .e_type = ET_REL, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_shoff = offsetof(struct object, section),
        .e_ehsize = sizeof *h, .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = SECTIONS, .e_shstrndx = S_STRTAB,
    };
}

static void write_object(struct object *o, const void *code, size_t bytes, const char *name)
{
    write_header(&o->header);
    o->section[S_TEXT] = (Elf64_Shdr){
        .sh_name = NAME_TEXT, .sh_type = SHT_NOBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
        .sh_addr = (uintptr_t)code, .sh_offset = sizeof *o, .sh_size = bytes, .sh_addralign = 1,
    };
    o->section[S_SYMTAB] = (Elf64_Shdr){
        .sh_name = NAME_SYMTAB, .sh_type = SHT_SYMTAB, .sh_offset = offsetof(struct object, symbol),
        .sh_size = sizeof o->symbol, .sh_link = S_STRTAB, .sh_info = 1, .sh_addralign = 8,
        .sh_entsize = sizeof(Elf64_Sym),
    };
    o->section[S_STRTAB] = (Elf64_Shdr){
        .sh_name = NAME_STRTAB, .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct object, strings),
        .sh_size = sizeof o->strings, .sh_addralign = 1,
    };
    memcpy(o->strings, section_names, sizeof section_names);
    snprintf(o->strings + sizeof section_names, sizeof o->strings - sizeof section_names, "%s", name);
    o->symbol[1] = (Elf64_Sym){
        .st_name = sizeof section_names, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = S_TEXT,
        .st_size = bytes,
    };
}

/* ---- telling GDB ---- */

/* The list is the process's, its users are vCPU threads. */
static pthread_mutex_t gdb_jit_mutex = PTHREAD_MUTEX_INITIALIZER;

static void tell(struct jit_code_entry *entry, uint32_t action)
{
    __jit_debug_descriptor.relevant_entry = entry;
    __jit_debug_descriptor.action_flag = action;
    __jit_debug_register_code();
    __jit_debug_descriptor.action_flag = JIT_NOACTION;
}

void gdb_code_add(struct gdb_code **list, const void *code, size_t bytes, const char *name)
{
    struct gdb_code *c = alloc_zeroed(sizeof *c);
    struct jit_code_entry *e = &c->entry;

    write_object(&c->object, code, bytes, name);
    *e = (struct jit_code_entry){ .symfile_addr = (const char *)&c->object, .symfile_size = sizeof c->object };
    c->next = *list;
    *list = c;
    pthread_mutex_lock(&gdb_jit_mutex);
    e->next_entry = __jit_debug_descriptor.first_entry;
    if (e->next_entry)
        e->next_entry->prev_entry = e;
    __jit_debug_descriptor.first_entry = e;
    tell(e, JIT_REGISTER_FN);
    pthread_mutex_unlock(&gdb_jit_mutex);
}

static void drop(struct jit_code_entry *e)
{
    pthread_mutex_lock(&gdb_jit_mutex);
    if (e->next_entry)
        e->next_entry->prev_entry = e->prev_entry;
    if (e->prev_entry)
        e->prev_entry->next_entry = e->next_entry;
    else
        __jit_debug_descriptor.first_entry = e->next_entry;
    tell(e, JIT_UNREGISTER_FN);
    pthread_mutex_unlock(&gdb_jit_mutex);
}

void gdb_code_drop_all(struct gdb_code **list)
{
    for (struct gdb_code *c = *list, *next; c; c = next) {
        next = c->next;
        drop(&c->entry);
        free(c);
    }
    *list = NULL;
}
