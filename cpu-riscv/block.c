/*
 * The cache of decoded blocks of one hart: a hash of host addresses over an arena that is emptied when it is full.
 */
#include <stdlib.h>

#include "alloc.h"
#include "decode.h"
#include "mem.h"
#include "state.h"

enum { HASH_BITS = 17, HASH_SIZE = 1 << HASH_BITS, ARENA = 32 << 20 };

struct rv_code {
    struct rv_block *heads[HASH_SIZE];
    uint8_t *arena;
    size_t used;
    /* An instruction across two pages, or a single step: decoded anew each time, never cached. */
    union {
        struct rv_block block;
        uint8_t bytes[sizeof(struct rv_block) + 2 * sizeof(struct rv_op)];
    } lone;
};

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

static struct rv_block **head_of(struct rv_code *code, const uint8_t *host)
{
    uint64_t h = ((uintptr_t)host >> 1) * UINT64_C(0x9e3779b97f4a7c15); /* Fibonacci hashing */

    return &code->heads[h >> (64 - HASH_BITS)];
}

static void empty(struct rv *cpu)
{
    memset(cpu->code->heads, 0, sizeof cpu->code->heads);
    cpu->code->used = 0;
    rv_clear_jumps(cpu);
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

static void finish(struct rv_block *b, unsigned count, unsigned bytes, uint32_t epoch)
{
    b->ops[count] = (struct rv_op){ .fn = exec_block_end, .off = (uint16_t)bytes };
    b->count = (uint16_t)count;
    b->bytes = (uint16_t)bytes;
    b->epoch = epoch;
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
    finish(b, n, off, cpu->code_epoch);
}

static struct rv_block *new_block(struct rv *cpu, const uint8_t *host)
{
    struct rv_code *code = cpu->code;
    size_t most = sizeof(struct rv_block) + (RV_BLOCK_MAX + 1) * sizeof(struct rv_op);

    if (ARENA - code->used < most)
        empty(cpu);
    struct rv_block *b = (struct rv_block *)(void *)(code->arena + code->used);
    decode(cpu, b, host);
    if (!b->count)
        return NULL;
    code->used += sizeof(struct rv_block) + (b->count + 1u) * sizeof(struct rv_op);
    struct rv_block **head = head_of(code, host);
    b->older = *head;
    *head = b;
    return b;
}

/* A block whose code has changed is dropped from its chain; its room comes back when the arena is emptied. */
static struct rv_block *cached(struct rv *cpu, const uint8_t *host)
{
    for (struct rv_block **p = head_of(cpu->code, host); *p; p = &(*p)->older) {
        struct rv_block *b = *p;
        if (b->code != host)
            continue;
        if (b->epoch == cpu->code_epoch)
            return b;
        if (current(b)) {
            b->epoch = cpu->code_epoch;
            return b;
        }
        *p = b->older;
        return NULL;
    }
    return NULL;
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
    finish(b, 1, b->ops[0].len, cpu->code_epoch);
    return b;
}

/* May all of pc's page be fetched? Where PMP differs inside, translations are not cached and each fetch is checked. */
static bool whole_page(struct rv *cpu)
{
    return tlb_slot(&cpu->fetch->exec, cpu->pc)->tag == tlb_tag(cpu->pc, 1);
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
    struct rv_jump *j = &cpu->fetch->jumps[cpu->pc >> 1 & (RV_JUMPS - 1)];
    *j = (struct rv_jump){ cpu->pc, b };
    rv_note_jump(cpu->fetch, cpu->pc);
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
