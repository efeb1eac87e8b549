/* kmod.c - see kmod.h. */
#define _GNU_SOURCE 1

#include "kmod.h"

#include <elf.h>
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "deb.h"

enum { MODULE_MAX = 64 << 20 };

/* A bounded view: every offset that comes out of the file is checked against it once. */
struct view {
    const uint8_t *data;
    size_t len;
};

static const void *at(const struct view *v, uint64_t off, uint64_t len)
{
    return len <= v->len && off <= v->len - len ? v->data + off : NULL;
}

struct section {
    uint32_t name;
    uint64_t off;
    uint64_t size;
};

static bool section_header(const struct view *v, bool wide, uint64_t table, unsigned n, struct section *out)
{
    if (wide) {
        const void *p = at(v, table + (uint64_t)n * sizeof(Elf64_Shdr), sizeof(Elf64_Shdr));
        Elf64_Shdr sh;
        if (!p)
            return false;
        memcpy(&sh, p, sizeof sh);
        *out = (struct section){ sh.sh_name, sh.sh_offset, sh.sh_size };
    } else {
        const void *p = at(v, table + (uint64_t)n * sizeof(Elf32_Shdr), sizeof(Elf32_Shdr));
        Elf32_Shdr sh;
        if (!p)
            return false;
        memcpy(&sh, p, sizeof sh);
        *out = (struct section){ sh.sh_name, sh.sh_offset, sh.sh_size };
    }
    return true;
}

static bool find_modinfo(const struct view *v, struct section *out)
{
    static const char want[] = ".modinfo";
    const uint8_t *id = at(v, 0, EI_NIDENT);
    const void *head64 = at(v, 0, sizeof(Elf64_Ehdr));
    const void *head32 = at(v, 0, sizeof(Elf32_Ehdr));
    Elf64_Ehdr wide;
    Elf32_Ehdr narrow;
    struct section names;

    if (!id || memcmp(id, ELFMAG, SELFMAG) != 0 || id[EI_DATA] != ELFDATA2LSB || !head64 || !head32)
        return false;
    memcpy(&wide, head64, sizeof wide);
    memcpy(&narrow, head32, sizeof narrow);
    bool is64 = id[EI_CLASS] == ELFCLASS64;
    uint64_t table = is64 ? wide.e_shoff : narrow.e_shoff;
    unsigned count = is64 ? wide.e_shnum : narrow.e_shnum;
    if (!section_header(v, is64, table, is64 ? wide.e_shstrndx : narrow.e_shstrndx, &names))
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (!section_header(v, is64, table, i, out))
            return false;
        const char *name = out->name <= names.size ? at(v, names.off + out->name, sizeof want) : NULL;
        if (name && memcmp(name, want, sizeof want) == 0)
            return true;
    }
    return false;
}

bool kmod_info(const void *ko, size_t len, struct strings *out, struct error *e)
{
    struct view v = { ko, len };
    struct section s;

    const char *p = find_modinfo(&v, &s) ? at(&v, s.off, s.size) : NULL;
    if (!p)
        return error_set(e, "this is not a kernel module: it is no ELF file with a section .modinfo");
    for (const char *end = p + s.size; p < end;) {
        size_t n = strnlen(p, (size_t)(end - p));
        if (n)
            strings_addf(out, "%.*s", (int)n, p);
        p += n + 1;
    }
    return true;
}

static void add_names(struct strings *l, const char *list, const char *separators)
{
    char copy[4096];
    char *save = NULL;

    strncpy(copy, list, sizeof copy - 1);
    copy[sizeof copy - 1] = 0;
    for (char *s = strtok_r(copy, separators, &save); s; s = strtok_r(NULL, separators, &save)) {
        char name[128];
        kmod_name(s, name, sizeof name);
        strings_add(l, name);
    }
}

void kmod_needs(const struct strings *info, struct strings *hard, struct strings *soft)
{
    static const char depends[] = "depends=";
    static const char softdep[] = "softdep=pre:";

    for (size_t i = 0; i < info->count; i++) {
        const char *s = info->item[i];
        if (strncmp(s, depends, sizeof depends - 1) == 0)
            add_names(hard, s + sizeof depends - 1, ",");
        else if (strncmp(s, softdep, sizeof softdep - 1) == 0 && !strstr(s, "post:"))
            add_names(soft, s + sizeof softdep - 1, " ");
    }
}

void kmod_name(const char *file, char *name, size_t size)
{
    const char *base = path_base(file);
    const char *end = strstr(base, ".ko");
    size_t n = end ? (size_t)(end - base) : strlen(base);

    n = n < size ? n : size - 1;
    for (size_t i = 0; i < n; i++)
        name[i] = base[i] == '-' ? '_' : base[i];
    name[n] = 0;
}

size_t kmod_unsigned_length(const void *ko, size_t len)
{
    static const char mark[] = "~Module signature appended~\n";
    enum { MARK = sizeof mark - 1, TRAILER = 12 };
    const uint8_t *end = (const uint8_t *)ko + len;

    if (len < MARK + TRAILER || memcmp(end - MARK, mark, MARK) != 0)
        return len;
    /* struct module_signature ends with the signature's length, big endian. */
    const uint8_t *p = end - MARK - 4;
    size_t sig = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    return sig <= len - MARK - TRAILER ? len - MARK - TRAILER - sig : len;
}

struct walk {
    kmod_needs_fn *needs;
    void *ctx;
    struct strings path;    /* the names between the wanted one and this: a name in it again is a ring */
    struct strings *out;
};

static bool visit(struct walk *w, const char *name, struct error *e)
{
    struct strings needs = { 0 };

    if (strings_has(w->out, name))
        return true;
    if (strings_has(&w->path, name))
        return error_set(e, "the kernel module '%s' needs itself", name);
    strings_add(&w->path, name);
    bool ok = w->needs(w->ctx, name, &needs, e);
    for (size_t i = 0; i < needs.count && ok; i++)
        ok = visit(w, needs.item[i], e);
    strings_free(&needs);
    if (ok)
        strings_add(w->out, name);
    free(w->path.item[--w->path.count]);
    return ok;
}

bool kmod_closure(const struct strings *wanted, kmod_needs_fn *needs, void *ctx, struct strings *out,
                  struct error *e)
{
    struct walk w = { .needs = needs, .ctx = ctx, .out = out };
    bool ok = true;

    for (size_t i = 0; i < wanted->count && ok; i++)
        ok = visit(&w, wanted->item[i], e);
    strings_free(&w.path);
    return ok;
}

static void read_builtin(struct kmod_tree *t)
{
    struct error ignored;
    struct bytes text;
    struct path file;
    char *save = NULL;

    if (!path_set(&file, &ignored, "%s/modules.builtin", t->dir.s) ||
        !file_read(file.s, 1 << 20, &text, &ignored))
        return;
    for (char *l = strtok_r(text.data, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
        char name[128];
        kmod_name(l, name, sizeof name);
        strings_add(&t->builtin, name);
    }
    bytes_free(&text);
}

bool kmod_tree_open(struct kmod_tree *t, const char *dir, struct error *e)
{
    *t = (struct kmod_tree){ 0 };
    if (!path_set(&t->dir, e, "%s", dir))
        return false;
    char *roots[] = { t->dir.s, NULL };
    FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!fts)
        return error_set(e, "could not read the directory '%s': %s", dir, strerror(errno));
    for (FTSENT *f; (f = fts_read(fts));) {
        char name[128];
        if (f->fts_info != FTS_F || !strstr(f->fts_name, ".ko"))
            continue;
        kmod_name(f->fts_name, name, sizeof name);
        strings_add(&t->names, name);
        strings_add(&t->files, f->fts_path + strlen(t->dir.s) + 1);
    }
    fts_close(fts);
    read_builtin(t);
    return true;
}

void kmod_tree_close(struct kmod_tree *t)
{
    strings_free(&t->names);
    strings_free(&t->files);
    strings_free(&t->builtin);
}

const char *kmod_tree_file(const struct kmod_tree *t, const char *name)
{
    for (size_t i = 0; i < t->names.count; i++)
        if (strcmp(t->names.item[i], name) == 0)
            return t->files.item[i];
    return NULL;
}

bool kmod_tree_is_builtin(const struct kmod_tree *t, const char *name)
{
    return strings_has(&t->builtin, name);
}

bool kmod_tree_load(const struct kmod_tree *t, const char *name, struct bytes *out, struct error *e)
{
    const char *file = kmod_tree_file(t, name);
    struct bytes packed;
    struct path p;

    if (!file)
        return error_set(e, "this kernel has no module '%s'", name);
    if (!path_set(&p, e, "%s/%s", t->dir.s, file) || !file_read(p.s, MODULE_MAX, &packed, e))
        return false;
    bool ok = deb_decompress(packed.data, packed.len, MODULE_MAX, out, e) || error_prefix(e, "'%s'", p.s);
    bytes_free(&packed);
    return ok;
}
