/*
 * gdb-target.c - what GDB is told about the target: GDB's manual, appendix G "Target Descriptions", section "Standard
 * Target Features" (RISC-V Features), and "Thread List Format".
 *
 * There is no memory map on purpose: GDB would then refuse addresses outside of it, and those of a guest with an MMU
 * are not in it.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "gdb-priv.h"

struct gdb_feature {
    const char *name;
    const char *group;
    const char *const *also; /* names of registers of other groups that belong here; NULL-terminated */
};

static const char *const riscv_fpu_csrs[] = { "fflags", "frm", "fcsr", NULL };

static const struct gdb_feature riscv_features[] = {
    { "org.gnu.gdb.riscv.cpu", "general", NULL },
    { "org.gnu.gdb.riscv.fpu", "float", riscv_fpu_csrs },
    { "org.gnu.gdb.riscv.csr", "csr", NULL },
    { "org.gnu.gdb.riscv.virtual", "virtual", NULL },
};

static const struct gdb_arch archs[] = {
    { "riscv", "hart", "pc", { "riscv:rv32", "riscv:rv64" }, riscv_features,
      sizeof riscv_features / sizeof riscv_features[0] },
};

/* Types of registers that are not plain integers of their size. */
static const struct {
    const char *name, *type;
} types[] = {
    { "pc", "code_ptr" }, { "ra", "code_ptr" }, { "sp", "data_ptr" }, { "gp", "data_ptr" },
    { "tp", "data_ptr" }, { "fp", "data_ptr" },
};

const struct gdb_arch *gdb_arch_find(const char *arch)
{
    for (size_t i = 0; i < sizeof archs / sizeof archs[0]; i++) {
        if (!strcmp(archs[i].arch, arch))
            return &archs[i];
    }
    assert(!"an architecture without a row in archs");
    return NULL;
}

static bool is_listed(const char *const *names, const char *name)
{
    for (; names && *names; names++) {
        if (!strcmp(*names, name))
            return true;
    }
    return false;
}

unsigned gdb_feature_of(const struct gdb_arch *arch, const struct cpu_reg *reg)
{
    for (unsigned i = 0; i < arch->count; i++) {
        if (is_listed(arch->features[i].also, reg->name))
            return i;
    }
    for (unsigned i = 0; i < arch->count; i++) {
        if (!strcmp(arch->features[i].group, reg->group))
            return i;
    }
    return arch->count;
}

/* ---- text ---- */

struct text {
    char *bytes;
    size_t len;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    char *more = alloc_vformat(fmt, ap);
    va_end(ap);

    size_t len = strlen(more);
    t->bytes = alloc_resize(t->bytes, t->len + len + 1, 1);
    memcpy(t->bytes + t->len, more, len + 1);
    t->len += len;
    free(more);
}

/* ---- registers ---- */

static const char *type_of(const struct cpu_reg *reg)
{
    if (!strcmp(reg->group, "float"))
        return reg->bits == 64 ? "riscv_double" : "ieee_single";
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (!strcmp(types[i].name, reg->name))
            return types[i].type;
    }
    /* GDB has no plain "int" of 8 bits. */
    return reg->bits == 8 ? "uint8" : "int";
}

static void add_register(struct text *t, const struct cpu_reg *reg, unsigned number)
{
    add(t, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\" group=\"%s\"/>", reg->name, reg->bits,
        type_of(reg), number, reg->group);
}

static void add_feature(struct text *t, const struct gdb *g, unsigned feature)
{
    bool any = false;

    for (unsigned i = 0; i < g->regs; i++) {
        if (gdb_feature_of(g->arch, g->reg[i]) != feature)
            continue;
        if (!any)
            add(t, "<feature name=\"%s\">", g->arch->features[feature].name);
        if (!any && !strcmp(g->arch->features[feature].group, "float"))
            add(t, "<union id=\"riscv_double\"><field name=\"float\" type=\"ieee_single\"/>"
                   "<field name=\"double\" type=\"ieee_double\"/></union>");
        any = true;
        add_register(t, g->reg[i], i);
    }
    if (any)
        add(t, "</feature>\n");
}

char *gdb_target_xml(const struct gdb *g)
{
    struct text t = { .len = 0 };

    add(&t, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">\n");
    add(&t, "<architecture>%s</architecture>\n", g->arch->name[g->reg[g->pc]->bits == 64]);
    /* For a Linux program GDB steps with a breakpoint of its own, which lets interrupts in. */
    add(&t, "<osabi>none</osabi>\n");
    for (unsigned i = 0; i < g->arch->count; i++)
        add_feature(&t, g, i);
    add(&t, "</target>\n");
    return t.bytes;
}

/* ---- threads ---- */

void gdb_describe_cpu(const struct gdb *g, unsigned cpu, char *out, size_t size)
{
    struct cpu *c = g->control->cpu[cpu];

    snprintf(out, size, "%s %u [%s]", g->arch->noun, cpu, c->ops->has_work(c) ? "running" : "idle");
}

char *gdb_threads_xml(const struct gdb *g)
{
    struct text t = { .len = 0 };
    char what[64];

    add(&t, "<?xml version=\"1.0\"?>\n<threads>\n");
    for (unsigned i = 0; i < g->control->cpus; i++) {
        gdb_describe_cpu(g, i, what, sizeof what);
        add(&t, "<thread id=\"%x\" core=\"%u\">%s</thread>\n", i + 1, i, what);
    }
    add(&t, "</threads>\n");
    return t.bytes;
}
