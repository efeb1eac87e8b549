/*
 * jit.c - code memory, and what ties blocks together: links are jumps inside a guest page that go to the dispatcher at
 * first.
 */
#include <assert.h>
#include <cpuid.h>
#include <stdlib.h>

#include "alloc.h"
#include "emit.h"

enum { LZCNT = 1 << 5 }; /* AMD64 manual volume 3, E.4.2 */

/* Not every compiler's __builtin_cpu_supports() knows it. */
static bool has_lzcnt(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(0x80000001, &a, &b, &c, &d) && (c & LZCNT);
}

struct jit *jit_new(const struct jit_layout *layout, size_t size)
{
    struct jit *j = alloc_zeroed(sizeof *j);

    j->layout = layout;
    if (!code_memory_map(&j->memory, size)) {
        free(j);
        return NULL;
    }
    j->to_exec = j->memory.exec - j->memory.write;
    __builtin_cpu_init();
    j->host = (struct jit_host){
        .lzcnt = has_lzcnt(),
        .bmi = __builtin_cpu_supports("bmi"),
        .bmi2 = __builtin_cpu_supports("bmi2"),
        .popcnt = __builtin_cpu_supports("popcnt"),
        .fma = __builtin_cpu_supports("fma"),
    };
    j->links = alloc_array(LINKS_MAX, sizeof *j->links);
    j->room = alloc_zeroed(sizeof *j->room);
    j->as = (struct as){ j->memory.write, j->memory.write + size, 0 };
    emit_thunks(j);
    j->start = (size_t)(j->as.p - j->memory.write);
    jit_forget(j);
    return j;
}

void jit_free(struct jit *j)
{
    if (!j)
        return;
    code_memory_unmap(&j->memory);
    free(j->links);
    free(j->room);
    free(j);
}

const struct jit_host *jit_host(const struct jit *j)
{
    return &j->host;
}

void jit_set_host(struct jit *j, const struct jit_host *host)
{
    j->host = *host;
}

void jit_forget(struct jit *j)
{
    uint8_t *start = j->memory.write, *cold = start + j->memory.size / 2; /* both grow alike */

    j->as = (struct as){ start + j->start, cold, 0 };
    j->cold = (struct as){ cold, start + j->memory.size, 0 };
    j->link_count = 0;
}

const void *jit_emit(struct jit *j, const struct ir_block *b)
{
    struct as hot = j->as, cold = j->cold;
    unsigned links = j->link_count;

    if (emit_block(j, b)) {
        j->last = (struct jit_code){ hot.p + j->to_exec, cold.p + j->to_exec, (size_t)(j->as.p - hot.p),
                                     (size_t)(j->cold.p - cold.p) };
        return j->entry[0];
    }
    j->as = hot;
    j->cold = cold;
    j->link_count = links;
    return NULL;
}

const void *jit_entry(const struct jit *j, unsigned n)
{
    return j->entry[n];
}

struct jit_code jit_last(const struct jit *j)
{
    return j->last;
}

const void *jit_thunks(const struct jit *j, size_t *bytes)
{
    *bytes = j->start;
    return j->memory.exec;
}

const char *jit_thunk_name(const struct jit *j, const uint8_t *code)
{
    static const char *const loads[] = { "load8", "load16", "load32", "load64" };
    static const char *const stores[] = { "store8", "store16", "store32", "store64" };
    const uint8_t *at = code - j->to_exec;

    if (code < j->memory.exec || code >= j->memory.exec + j->start)
        return NULL;
    for (unsigned i = 0; i < 8; i++) {
        if (at == j->load[i / 4][i % 4] || at == j->store[i / 4][i % 4])
            return at == j->load[i / 4][i % 4] ? loads[i % 4] : stores[i % 4];
    }
    if (at == j->call[0] || at == j->call[1])
        return "handler";
    return at == j->exit        ? "exit"
           : at == j->exit_pc   ? "exit_pc"
           : at == j->exit_next ? "exit_next"
           : at == j->system    ? "system"
           : at == j->far       ? "far"
                                : "thunk";
}

const uint32_t *jit_last_marks(const struct jit *j)
{
    return j->marks;
}

struct jit_result jit_run(struct jit *j, void *cpu, const void *code)
{
    uint64_t (*enter)(void *, const void *);
    const void *at = j->enter + j->to_exec;

    memcpy(&enter, &at, sizeof enter);
    uint64_t result = enter(cpu, code);
    return (struct jit_result){ (enum jit_exit)(result >> 32), (uint32_t)result };
}

void jit_redirect(struct jit *j, const void *entry, const void *to)
{
    uint8_t *at = (uint8_t *)(uintptr_t)entry - j->to_exec;
    struct as s = { at, at + 5, 0 };

    jump_to(&s, (const uint8_t *)to - j->to_exec);
}

const void *jit_exit_code(const struct jit *j)
{
    return j->exit_pc + j->to_exec;
}

uint32_t emit_new_link(struct jit *j, struct link link)
{
    if (j->link_count == LINKS_MAX)
        return LINKS_MAX;
    j->links[j->link_count] = link;
    return j->link_count++;
}

uint64_t jit_link_target(const struct jit *j, uint32_t slot, uint32_t *site)
{
    assert(slot < j->link_count);
    *site = j->links[slot].site;
    return j->links[slot].target;
}

static void patch(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

void jit_link(struct jit *j, uint32_t slot, const void *code)
{
    uint8_t *at = j->links[slot].at;

    assert(slot < j->link_count);
    patch(at, (uint32_t)((const uint8_t *)code - (at + 4 + j->to_exec)));
}

bool jit_link_is_far(const struct jit *j, uint32_t slot)
{
    return j->links[slot].far;
}

void jit_link_far(struct jit *j, uint32_t slot, const void *code, unsigned which, uint32_t epoch)
{
    uint8_t *at = j->links[slot].at;

    jit_link(j, slot, code);
    patch(at - FAR_EPOCH, epoch);
    patch(at - FAR_WHERE, (uint32_t)(j->layout->epochs[which] - j->layout->center));
}
