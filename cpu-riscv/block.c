/*
 * The cache of decoded blocks of one hart: a hash of host and guest addresses over an arena that is emptied when it is
 * full.
 */
#include <stdlib.h>

#include "alloc.h"
#include "decode.h"
#include "mem.h"
#include "state.h"

enum { HASH_BITS = 17, HASH_SIZE = 1 << HASH_BITS, PAGE_HASH_BITS = 12, ARENA = 128 << 20 };

struct rv_code {
    struct rv_block *heads[HASH_SIZE];
    struct rv_page *pages[1 << PAGE_HASH_BITS];
    struct rv_page *aliases[1 << PAGE_HASH_BITS];
    uint8_t *arena;
    size_t used;
    bool full;
    /* An instruction across two pages, or a single step: decoded anew each time, never cached. */
    union {
        struct rv_block block;
        uint8_t bytes[sizeof(struct rv_block) + 2 * sizeof(struct rv_op)];
    } lone;
};

uint8_t *rv_code_blocks(const struct rv_code *code)
{
    return code->arena;
}

struct rv_code *rv_code_new(void)
{
    struct rv_code *code = alloc_zeroed(sizeof *code);

    code->arena = alloc_zeroed(ARENA);
    return code;
}

void rv_code_free(struct rv_code *code)
{
    free(code->arena);
    free(code);
}

/* Fibonacci hashing. */
static uint64_t hash(const uint8_t *host, uint64_t va, unsigned bits)
{
    return ((uintptr_t)host + va) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - bits);
}

static struct rv_block **head_of(struct rv_code *code, const uint8_t *host, uint64_t pc)
{
    return &code->heads[hash(host, pc, HASH_BITS)];
}

static void unwatch(struct rv *cpu, struct rv_page *page)
{
    if (cpu->fresh && page->watched)
        rv_fresh_forget(cpu->fresh, page->host);
    page->watched = false;
}

static void unwatch_all(struct rv *cpu)
{
    for (unsigned i = 0; i < 1 << PAGE_HASH_BITS; i++) {
        for (struct rv_page *p = cpu->code->aliases[i]; p; p = p->alias)
            unwatch(cpu, p);
    }
}

static void empty(struct rv *cpu)
{
    struct rv_code *code = cpu->code;

    unwatch_all(cpu);
    memset(code->heads, 0, sizeof code->heads);
    memset(code->pages, 0, sizeof code->pages);
    memset(code->aliases, 0, sizeof code->aliases);
    code->used = 0;
    rv_clear_jumps(cpu);
    if (cpu->jit)
        rv_native_forget(cpu);
    cpu->link = RV_NO_LINK;
    rv_restart_epochs(cpu);
    code->full = false;
}

void rv_code_is_full(struct rv *cpu)
{
    cpu->code->full = true;
}

static void *take(struct rv_code *code, size_t size)
{
    void *p = code->arena + code->used;

    code->used += (size + RV_BLOCK_UNIT - 1) & ~(size_t)(RV_BLOCK_UNIT - 1);
    return p;
}

uint32_t rv_site(const struct rv *cpu, const struct rv_block *b, unsigned index)
{
    return rv_block_number(cpu, b) * RV_BLOCK_MAX + index;
}

struct rv_block *rv_block_at(struct rv *cpu, uint32_t site, unsigned *index)
{
    *index = site % RV_BLOCK_MAX;
    return rv_block_numbered(cpu, site / RV_BLOCK_MAX);
}

/* 16 bits at p, and the 16 after them unless p is the last halfword of its page. */
static uint32_t fetch(const uint8_t *p)
{
    bool last = ((uintptr_t)p & (PAGE_SIZE - 1)) == PAGE_SIZE - 2;

    return last ? get_le16(p) : get_le32(p);
}

static bool is_long(uint32_t raw)
{
    return (raw & 3) == 3;
}

/* Does memory still hold what the block was decoded from? */
static bool current(const struct rv_block *b)
{
    for (unsigned i = 0; i < b->count; i++) {
        const struct rv_op *op = &b->ops[i];
        const uint8_t *p = b->code + op->off;
        if ((op->len == 2 ? get_le16(p) : get_le32(p)) != op->raw)
            return false;
    }
    return true;
}

static void finish(struct rv_block *b, unsigned count, unsigned bytes)
{
    b->ops[count] = (struct rv_op){ .fn = exec_block_end, .off = (uint16_t)bytes };
    b->count = (uint16_t)count;
    b->bytes = (uint16_t)bytes;
}

/* Decodes from `host` to the end of the block or of the page; 0 instructions when the first crosses the page. */
static void decode(struct rv *cpu, struct rv_block *b, const uint8_t *host)
{
    unsigned room = PAGE_SIZE - (unsigned)((uintptr_t)host & (PAGE_SIZE - 1));
    unsigned n = 0, off = 0;
    bool end = false;

    b->code = host;
    while (!end && n < RV_BLOCK_MAX && off < room) {
        uint32_t raw = fetch(host + off);
        if (is_long(raw) && room - off < 4)
            break;
        end = rv_decode(cpu->decoder, raw, &b->ops[n]);
        b->ops[n].off = (uint16_t)off;
        off += b->ops[n++].len;
    }
    finish(b, n, off);
}

/* ---- pages ---- */

/* Before anything is decoded from it. */
static void watch(struct rv *cpu, struct rv_page *page)
{
    if (cpu->fresh && !page->watched)
        rv_fresh_code(cpu->fresh, page->host);
    page->watched = true;
}

static struct rv_page *page_of(struct rv *cpu, const uint8_t *host)
{
    const uint8_t *start = host - ((uintptr_t)host & (PAGE_SIZE - 1));
    uint64_t va = cpu->pc & ~(uint64_t)(PAGE_SIZE - 1);
    struct rv_page **head = &cpu->code->pages[hash(start, va, PAGE_HASH_BITS)];

    for (struct rv_page *p = *head; p; p = p->older) {
        if (p->host == start && p->va == va)
            return p;
    }
    struct rv_page **alias = &cpu->code->aliases[hash(start, 0, PAGE_HASH_BITS)];
    struct rv_page *p = take(cpu->code, sizeof *p);
    *p = (struct rv_page){ .host = start, .va = va, .older = *head, .alias = *alias, .epoch = cpu->code_epoch };
    *head = *alias = p;
    return p;
}

static void unlink_block(struct rv_code *code, struct rv_block *b)
{
    struct rv_block **p = head_of(code, b->code, b->pc);

    while (*p != b)
        p = &(*p)->older;
    *p = b->older;
}

/* After a fence.i: keeps the page's blocks when all are what memory holds, else none. Their room comes back when the
 * arena is emptied. */
static void validate(struct rv *cpu, struct rv_page *page)
{
    const struct rv_block *b = page->blocks;

    page->epoch = cpu->code_epoch;
    while (b && current(b))
        b = b->sibling;
    if (!b)
        return;
    for (struct rv_block *dead = page->blocks; dead; dead = dead->sibling)
        unlink_block(cpu->code, dead);
    page->blocks = NULL;
    unwatch(cpu, page);
}

bool rv_compare_code(struct rv *cpu, const uint8_t *host)
{
    bool forgot = false;

    for (struct rv_page *p = cpu->code->aliases[hash(host, 0, PAGE_HASH_BITS)]; p; p = p->alias) {
        if (p->host != host || !p->blocks)
            continue;
        validate(cpu, p);
        forgot |= !p->blocks;
    }
    return forgot;
}

static struct rv_block *new_block(struct rv *cpu, const uint8_t *host)
{
    struct rv_code *code = cpu->code;
    size_t most = sizeof(struct rv_page) + sizeof(struct rv_block) + (RV_BLOCK_MAX + 1) * sizeof(struct rv_op);

    if (code->full || ARENA - code->used < most + 2 * RV_BLOCK_UNIT)
        empty(cpu);
    struct rv_page *page = page_of(cpu, host);
    if (page->epoch != cpu->code_epoch)
        validate(cpu, page);
    watch(cpu, page);
    struct rv_block *b = (struct rv_block *)(void *)(code->arena + code->used);
    decode(cpu, b, host);
    if (!b->count)
        return NULL;
    take(code, sizeof(struct rv_block) + (b->count + 1u) * sizeof(struct rv_op));
    b->pc = cpu->pc;
    b->page = page;
    b->sibling = page->blocks;
    page->blocks = b;
    struct rv_block **head = head_of(code, host, cpu->pc);
    b->older = *head;
    *head = b;
    b->first = b->ops[0].fn;
    if (cpu->jit)
        rv_native_adopt(cpu, b);
    return b;
}

static struct rv_block *search(struct rv *cpu, const uint8_t *host, uint64_t pc)
{
    struct rv_block *b = *head_of(cpu->code, host, pc);

    while (b && (b->code != host || b->pc != pc))
        b = b->older;
    return b;
}

struct rv_block *rv_block_beside(struct rv *cpu, const struct rv_block *b, uint64_t pc)
{
    return search(cpu, b->code + (ptrdiff_t)(pc - b->pc), pc);
}

static struct rv_block *cached(struct rv *cpu, const uint8_t *host)
{
    struct rv_block *b = search(cpu, host, cpu->pc);

    if (!b || b->page->epoch == cpu->code_epoch)
        return b;
    validate(cpu, b->page);
    return b->page->blocks ? b : NULL;
}

/* One instruction at pc, each half fetched for itself: it may cross into the next page, or into another PMP entry. */
static const struct rv_block *lone_block(struct rv *cpu, const uint8_t *host)
{
    struct rv_block *b = &cpu->code->lone.block;
    uint32_t raw = get_le16(host);

    if (is_long(raw)) {
        uint64_t va = (cpu->pc + 2) & cpu->va_mask;
        int cause;
        const uint8_t *second = rv_fetch_address(cpu, va, &cause);
        if (!second) {
            rv_trap(cpu, (uint64_t)cause, false, va);
            return NULL;
        }
        raw |= (uint32_t)get_le16(second) << 16;
    }
    b->code = host;
    rv_decode(cpu->decoder, raw, &b->ops[0]);
    b->ops[0].off = 0;
    finish(b, 1, b->ops[0].len);
    return b;
}

/* May all of pc's page be fetched? Where PMP differs inside, translations are not cached and each fetch is checked. */
static bool whole_page(struct rv *cpu)
{
    return tlb_find(&cpu->fetch->tlb, cpu->pc, 1, TLB_EXEC);
}

static void trace_block(struct rv *cpu, const struct rv_block *b)
{
    trace_raw(cpu->log_asm, "----------------\nIN: hart %u\n", cpu->cpu.index);
    for (unsigned i = 0; i < b->count; i++) {
        char text[96];
        uint64_t pc = cpu->pc + b->ops[i].off;
        rv_disasm(cpu->decoder, pc, b->ops[i].raw, text, sizeof text);
        trace_raw(cpu->log_asm, "0x%08llx:  %0*x  %s\n", (unsigned long long)pc, b->ops[i].len * 2, b->ops[i].raw,
                  text);
    }
}

/* A trace of every block needs every block to come by here again. */
static void remember(struct rv *cpu, const struct rv_block *b)
{
    if (trace_on(cpu->log_exec))
        return;
    struct rv_space *g = cpu->fetch->global;
    rv_remember_jump(cpu, cpu->fetch, cpu->pc, b);
    if (g && tlb_find(&g->tlb, cpu->pc, 1, TLB_EXEC))
        rv_remember_jump(cpu, g, cpu->pc, b);
}

const struct rv_block *rv_find_block(struct rv *cpu)
{
    int cause;
    bool close_look = rv_debug_close_look(cpu, cpu->pc);

    if (close_look && rv_debug_stops(cpu, cpu->pc))
        return NULL;
    const uint8_t *host = rv_fetch_address(cpu, cpu->pc, &cause);

    if (!host) {
        rv_trap(cpu, (uint64_t)cause, false, cpu->pc);
        return NULL;
    }
    if (close_look || !whole_page(cpu))
        return lone_block(cpu, host);
    struct rv_block *b = cached(cpu, host);
    if (!b) {
        b = new_block(cpu, host);
        if (!b)
            return lone_block(cpu, host);
        if (trace_on(cpu->log_asm))
            trace_block(cpu, b);
    }
    remember(cpu, b);
    return b;
}
