/* host-names.c - see host-names.h: looks for the forms that the emitter's addresses take, and leaves the rest alone. */
#include "host-names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "tlb.h"

/* ---- fields of the CPU structure ---- */

static bool name_variable(const struct jit_layout *l, int32_t offset, char *out, size_t size)
{
    for (unsigned i = 0; i < IR_GLOBALS; i++) {
        /* unused numbers have offset 0 */
        if (l->global[i] && offset >= l->global[i] && offset < l->global[i] + 8) {
            int n = snprintf(out, size, "g%u", i);
            if (offset > l->global[i])
                snprintf(out + n, size - (size_t)n, "+%d", offset - l->global[i]);
            return true;
        }
    }
    if (offset < l->temps || offset >= l->temps + 8 * IR_TEMPS)
        return false;
    snprintf(out, size, "t%d", (offset - l->temps) / 8);
    return true;
}

static bool name_field(const struct jit_layout *l, int32_t offset, char *out, size_t size)
{
    const struct {
        int32_t offset;
        const char *name;
    } fields[] = {
        { l->pc, "pc" }, { l->budget, "budget" }, { l->data, "data" }, { l->fetch, "fetch" },
        { l->epochs[0], "epoch" }, { l->epochs[1], "global_epoch" }, { l->patience, "patience" },
        { l->fp_status, "fp_status" }, { l->fp_rounding, "fp_rounding" }, { l->fp_saved, "fp_saved" },
        { l->stamps, "stamps" },
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].offset != offset)
            continue;
        snprintf(out, size, "%s", fields[i].name);
        return true;
    }
    if (offset >= l->windows && offset < l->windows + 16 * IR_WINDOWS) {
        int32_t in = offset - l->windows;
        snprintf(out, size, "window%d.%s", in / 16, in % 16 ? "addend" : "limit");
        return true;
    }
    return name_variable(l, offset, out, size);
}

/* ---- tables ---- */

static bool name_tlb(const struct jit_layout *l, int32_t offset, char *out, size_t size)
{
    static const char *const fields[] = { "read", "write", "exec", "addend" };
    int32_t in = offset - l->tlb;

    if (in < 0 || in >= (int32_t)sizeof(struct tlb_entry))
        return false;
    snprintf(out, size, "tlb.%s", fields[in / 8]);
    return true;
}

static bool name_table(const struct jit_layout *l, int32_t offset, char *out, size_t size)
{
    const struct {
        int32_t offset;
        int64_t bytes;
        const char *name;
    } tables[] = {
        { l->jumps, INT64_C(16) << l->jump_bits, "jumps" },
    };

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        int64_t in = (int64_t)offset - tables[i].offset;
        if (in < 0 || in >= tables[i].bytes)
            continue;
        int n = snprintf(out, size, "%s", tables[i].name);
        if (in)
            snprintf(out + n, size - (size_t)n, " + %#" PRIx64, (uint64_t)in);
        return true;
    }
    return false;
}

/* ---- operands ---- */

/* The displacement at the end of what is between brackets: " + 0x10]", " - 8]" or "]". */
static bool displacement(const char *p, int32_t *value, const char **end)
{
    *value = 0;
    *end = p;
    if (*p == ']')
        return true;
    if (strncmp(p, " + ", 3) && strncmp(p, " - ", 3))
        return false;
    long n = strtol(p + 3, (char **)(uintptr_t)end, 0);
    *value = (int32_t)(p[1] == '-' ? -n : n);
    return **end == ']';
}

/* At a '[': the whole operand's name. */
static bool name_memory(const struct host_scope *s, const char *p, char *out, size_t size, const char **end)
{
    static const char *const bases[] = { "[rdx", "[rdx + rcx*8" };
    const struct jit_layout *l = s->jit->layout;
    int32_t d;

    if (!strncmp(p, "[rbp", 4) && displacement(p + 4, &d, end))
        return name_field(l, d + l->center, out, size);
    if (!strncmp(p, "[rip", 4) && displacement(p + 4, &d, end)) { /* how far away they are says nothing */
        snprintf(out, size, "constants");
        return true;
    }
    if (!strncmp(p, "[r14 + rcx", 10) && displacement(p + 10, &d, end) && name_tlb(l, d, out, size))
        return true;
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        size_t len = strlen(bases[i]);
        char table[40];
        if (strncmp(p, bases[i], len) || !displacement(p + len, &d, end) || !name_table(l, d, table, sizeof table))
            continue;
        snprintf(out, size, "%s + %s", bases[i] + 1, table);
        return true;
    }
    return false;
}

size_t host_place(const struct jit_code *c, uint64_t address)
{
    uint64_t hot = address - (uintptr_t)c->hot, cold = address - (uintptr_t)c->cold;

    if (hot < c->hot_bytes)
        return hot;
    return cold <= c->cold_bytes ? c->hot_bytes + cold : SIZE_MAX;
}

static bool name_target(const struct host_scope *s, uint64_t address, char *out, size_t size)
{
    size_t at = host_place(&s->code, address);

    if (at != SIZE_MAX) {
        snprintf(out, size, "+%#zx", at);
        return true;
    }
    const char *name = jit_thunk_name(s->jit, (const uint8_t *)(uintptr_t)address);
    if (name)
        snprintf(out, size, "%s", name);
    return name;
}

/* Sites are counted through all guest blocks. */
static bool find_site(const struct ir_block *ir, uint32_t value, unsigned *site)
{
    *site = 0;
    for (const struct ir_label *l = ir->labels; l < ir->labels + ir->label_count; l++) {
        if (value >= l->site && value - l->site < l->insns) {
            *site += value - l->site;
            return true;
        }
        *site += l->insns;
    }
    return false;
}

/* What the way out says, and where the guest is. */
static bool name_constant(const struct host_scope *s, uint64_t value, char *out, size_t size)
{
    static const char *const whys[] = { "", "link", "leave ", "budget " };
    uint64_t why = value >> 32;
    unsigned site;

    if (why == JIT_LINK)
        snprintf(out, size, "%s", whys[why]);
    else if (why <= JIT_BUDGET && find_site(s->ir, (uint32_t)value, &site))
        snprintf(out, size, "%ssite %u", whys[why], site);
    else
        return false;
    return true;
}

static bool is_jump(const char *text)
{
    return *text == 'j' || !strncmp(text, "call ", 5);
}

/* At a number behind a blank: an operand of its own. */
static bool name_number(const struct host_scope *s, const char *text, const char *p, char *out, size_t size,
                        const char **end)
{
    if (strncmp(p, "0x", 2))
        return false;
    uint64_t value = strtoull(p, (char **)(uintptr_t)end, 16);
    if (**end)
        return false;
    if (is_jump(text))
        return name_target(s, value, out, size);
    return !strncmp(text, "mov", 3) && !strchr(text, '[') && name_constant(s, value, out, size);
}

void host_names(const struct host_scope *s, const char *text, char *out, size_t size)
{
    size_t len = 0;

    for (const char *p = text; *p && len + 1 < size;) {
        char name[64];
        const char *end = p;
        bool memory = *p == '[' && name_memory(s, p, name, sizeof name, &end);
        if (memory || (p > text && p[-1] == ' ' && name_number(s, text, p, name, sizeof name, &end))) {
            int n = snprintf(out + len, size - len, memory ? "[%s" : "%s", name);
            len = (size_t)n < size - len ? len + (size_t)n : size - 1;
            p = end;
        } else {
            out[len++] = *p++;
        }
    }
    out[len] = 0;
}
