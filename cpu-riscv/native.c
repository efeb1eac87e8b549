/*
 * native.c - blocks that run as host code, and their ways in and out.
 *
 * A new block's first handler counts how often it runs; when it is worth it, the block is translated (translate.c,
 * jit/) and its first handler becomes exec_native. So host code is entered wherever the interpreter enters a block, and
 * what host code has no rule for goes on in the interpreter, in the middle of the block if need be.
 */
#include <assert.h>
#include <stdlib.h>

#include "alloc.h"
#include "clock.h"
#include "jit.h"
#include "jit-config.h"
#include "mem.h"
#include "native-dump.h"
#include "native-stats.h"
#include "state.h"

enum { WARM_RUNS = 3, LOOP_RUNS = 12, MANY_LEAVES = 200, PATIENCE = 32, CODE_BYTES = 192 << 20 };
enum { FIRST_FLOAT = RV_IR_F };

/* ---- what host code calls ---- */

/* The instruction of a site becomes the one that runs. */
static const struct rv_op *enter_site(struct rv *cpu, uint32_t site)
{
    unsigned i;
    const struct rv_block *b = rv_block_at(cpu, site, &i);

    cpu->block = b;
    cpu->block_pc = b->pc;
    return &b->ops[i];
}

static uint64_t native_load(void *c, uint32_t site, uint64_t va, unsigned size)
{
    struct rv *cpu = c;

    cpu->stats->loads++;
    cpu->stats->misaligned += (va & (size - 1)) != 0;
    return rv_load_slow(cpu, enter_site(cpu, site), va, size);
}

static void native_store(void *c, uint32_t site, uint64_t va, uint64_t value, unsigned size)
{
    struct rv *cpu = c;

    cpu->stats->stores++;
    cpu->stats->misaligned += (va & (size - 1)) != 0;
    rv_store_slow(cpu, enter_site(cpu, site), va, value, size);
}

/* The end of a handler that was called for one instruction. */
static void exec_return(struct rv *cpu, const struct rv_op *op)
{
    (void)cpu;
    (void)op;
}

static rv_handler *handler_of(const struct rv_block *b, const struct rv_op *op)
{
    return op == b->ops ? b->first : op->fn;
}

static void native_call(void *c, uint32_t site)
{
    struct rv *cpu = c;
    const struct rv_op *op = enter_site(cpu, site);
    struct rv_op pair[2] = { *op, { .fn = exec_return } };

    cpu->stats->calls++;
    if (unlikely(cpu->stats->called))
        rv_tally(cpu->stats->called, op, handler_of(cpu->block, op));
    pair[0].fn = handler_of(cpu->block, op);
    pair[0].fn(cpu, pair);
}

static bool touch(struct rv *cpu, uint32_t site, enum rv_access access)
{
    cpu->stats->touches++;
    return rv_touch(cpu, rv_ea(cpu, enter_site(cpu, site)), access);
}

static bool native_touch_load(void *c, uint32_t site)
{
    return touch(c, site, ACCESS_READ);
}

static bool native_touch_store(void *c, uint32_t site)
{
    return touch(c, site, ACCESS_WRITE);
}

/* The handler runs no other block behind it: nothing is left of the slice meanwhile. */
static bool native_system(void *c, uint32_t site)
{
    struct rv *cpu = c;
    const struct rv_op *op = enter_site(cpu, site);
    int64_t left = cpu->slice;

    cpu->stats->systems++;
    if (unlikely(cpu->stats->called))
        rv_tally(cpu->stats->called, op, handler_of(cpu->block, op));
    cpu->slice_size -= left;
    cpu->slice = 0;
    handler_of(cpu->block, op)(cpu, op);
    cpu->slice_size += left;
    cpu->slice += left;
    if (!rv_has_to_look(cpu))
        return false;
    leave(cpu); /* the run loop looks between slices only */
    return true;
}

/* ---- in and out ---- */

static bool link_far(struct rv *cpu, uint32_t link, const struct rv_block *b)
{
    unsigned which = rv_epoch_of(cpu, b);

    if (cpu->epochs[which] == RV_NO_EPOCH)
        return false;
    jit_link_far(cpu->jit, link, b->entry, which, cpu->epochs[which]);
    return true;
}

static bool link_near(struct rv *cpu, uint32_t link, uint32_t site, const struct rv_block *b)
{
    unsigned i;

    if (rv_block_at(cpu, site, &i)->page != b->page)
        return false;
    jit_link(cpu->jit, link, b->entry);
    return true;
}

/* A jump waits to go straight to this block. */
static void link_to(struct rv *cpu, const struct rv_block *b)
{
    uint32_t site, link = cpu->link;
    uint64_t target = jit_link_target(cpu->jit, link, &site);

    cpu->link = RV_NO_LINK;
    if (cpu->config->tuning->off[JIT_SWITCH_link] || target != b->pc || rv_jump_to(cpu, cpu->fetch, b->pc) != b)
        return;
    if (jit_link_is_far(cpu->jit, link) ? link_far(cpu, link, b) : link_near(cpu, link, site, b))
        cpu->stats->links++;
}

static void exec_native(struct rv *cpu, const struct rv_op *op);

/* Host code for the blocks; false when they stay with the interpreter. */
static bool translate(struct rv *cpu, const struct rv_region *r)
{
    struct ir_block *ir = cpu->ir;
    bool group = !is_rv32(cpu) && r->block[0]->leaves < MANY_LEAVES;
    unsigned at;

    (void)at;
    if (!rv_translate(cpu, r, group ? cpu->ungrouped : ir) ||
        !rv_stats_wanted(cpu->stats, cpu->config->tuning))
        return false;
    if (group)
        ir_group(cpu->ungrouped, ir, !cpu->granule_mask);
    if (!cpu->config->tuning->off[JIT_SWITCH_opt])
        ir_optimize(ir);
    assert(!LYREBIRD_DEBUG || !ir_verify(ir, &at));
    const void *code = jit_emit(cpu->jit, ir);
    if (!code)
        rv_code_is_full(cpu);
    return code;
}

static bool become_native(struct rv *cpu, const struct rv_region *r, bool loop)
{
    struct rv_stats *s = cpu->stats;
    uint64_t since = rv_stats_now(s);

    if (!translate(cpu, r)) {
        s->kept++;
        return false;
    }
    for (unsigned i = 0; i < r->count; i++) {
        r->block[i]->entry = jit_entry(cpu->jit, i);
        r->block[i]->ops[0].fn = exec_native;
        r->block[i]->in_loop = loop;
        r->block[i]->runs = 0;
    }
    rv_stats_translated(s, cpu->jit, cpu->ir, since);
    jit_name_last(&s->names, cpu->jit, r->block[0]->pc);
    rv_dump_native(cpu, cpu->ir, s->number);
    return true;
}

static struct rv_region alone(struct rv_block *b)
{
    return (struct rv_region){ 1, { b } };
}

/* Accesses that were taken for one page's seldom are: from now on each looks for itself. */
static void note_leave(struct rv *cpu, struct rv_block *b)
{
    const void *old[RV_REGION_MAX];

    if (b->leaves == MANY_LEAVES || ++b->leaves < MANY_LEAVES)
        return;
    struct rv_region r = b->in_loop ? rv_find_loop(cpu, b, true) : alone(b);
    if (!r.count)
        r = alone(b);
    for (unsigned i = 0; i < r.count; i++) {
        r.block[i]->leaves = MANY_LEAVES;
        old[i] = r.block[i]->entry;
    }
    if (!become_native(cpu, &r, r.count > 1))
        return;
    for (unsigned i = 0; i < r.count; i++) {
        if (old[i] != jit_exit_code(cpu->jit))
            jit_redirect(cpu->jit, old[i], r.block[i]->entry);
    }
}

static void exec_native(struct rv *cpu, const struct rv_op *op)
{
    const struct rv_block *b = cpu->block;
    uint32_t site;
    unsigned i;

    if (cpu->slice < 0 || cpu->interpreting) /* less is left than the block has */
        return b->first(cpu, op);
    if (cpu->link != RV_NO_LINK)
        link_to(cpu, b);
    rv_renew_jump(cpu, b);
    cpu->slice += b->count; /* host code counts for itself */
    cpu->stats->enters++;
    struct jit_result r = jit_run(cpu->jit, cpu, b->entry);
    cpu->stats->exits[r.why]++;
    switch (r.why) {
    case JIT_NEXT:
        return;
    case JIT_LINK:
        cpu->pc = jit_link_target(cpu->jit, r.what, &site);
        cpu->link = r.what;
        cpu->patience = PATIENCE;
        return;
    case JIT_BUDGET:
        cpu->pc = rv_block_at(cpu, r.what, &i)->pc;
        return;
    case JIT_SITE:
        op = enter_site(cpu, r.what);
        note_leave(cpu, (struct rv_block *)(uintptr_t)cpu->block);
        if (unlikely(cpu->stats->left))
            rv_tally(cpu->stats->left, op, handler_of(cpu->block, op));
        return handler_of(cpu->block, op)(cpu, op);
    }
}

/* A loop waits until all of it has been seen. */
static void exec_warm(struct rv *cpu, const struct rv_op *op)
{
    struct rv_block *b = (struct rv_block *)(uintptr_t)cpu->block;

    b->runs += !cpu->interpreting;
    if (cpu->interpreting || (b->runs != WARM_RUNS && b->runs != LOOP_RUNS))
        return b->first(cpu, op);
    struct rv_region r = rv_find_loop(cpu, b, false);
    if (r.count > 1 && b->runs < LOOP_RUNS)
        return b->first(cpu, op);
    if (r.count > 1 && become_native(cpu, &r, true))
        return exec_native(cpu, op);
    r = r.count || cpu->config->tuning->off[JIT_SWITCH_chains] ? alone(b) : rv_find_chain(cpu, b);
    if (become_native(cpu, &r, false))
        return exec_native(cpu, op);
    b->ops[0].fn = b->first;
    return b->first(cpu, op);
}

void rv_native_adopt(struct rv *cpu, struct rv_block *b)
{
    b->entry = jit_exit_code(cpu->jit);
    b->runs = 0;
    b->in_loop = false;
    b->leaves = 0;
    b->ops[0].fn = exec_warm;
}

/* ---- set-up ---- */

#define AT(member) ((int32_t)offsetof(struct rv, member))
#define SPACE_AT(member) ((int32_t)offsetof(struct rv_space, member))

static void describe(struct rv *cpu, struct jit_layout *l)
{
    /* sp ra s0 s1 a0-a5: some 84 % of all uses in compiled code */
    static const uint8_t pins[JIT_PINS] = { 2, 8, 9, 1, 10, 11, 12, 13, 14, 15 };

    static const int32_t csrs[] = { AT(sscratch), AT(sepc), AT(scause), AT(stval) };

    *l = (struct jit_layout){
        .center = AT(x[15]), .temps = AT(jit_temps), .windows = AT(jit_windows),
        .first_float = FIRST_FLOAT, .pc = AT(pc), .budget = AT(slice), .stack = AT(host_stack),
        .stack_now = AT(host_stack_now), .stack_mark = AT(host_stack_mark),
        .data = AT(data), .fetch = AT(fetch), .tlb = SPACE_AT(tlb.entries),
        .epochs = { AT(epochs[0]), AT(epochs[1]) }, .patience = AT(patience),
        .tlb_bits = TLB_BITS, .jumps = SPACE_AT(jumps), .jump_bits = RV_JUMP_BITS,
        .address_mask = cpu->va_mask,
        .fp_status = AT(mstatus), .fp_mask = MSTATUS_FS, .fp_rounding = AT(frm), .fp_saved = AT(fp_saved),
        .privilege = AT(priv), .enables = AT(menvcfg),
        .stamp = cpu->granule_mask ? (uint8_t)(cpu->cpu.index + 1) : 0, .stamps = AT(granules),
        .stamp_mask = (uint32_t)cpu->granule_mask,
        .load = native_load, .store = native_store, .call = native_call,
        .touch = { native_touch_load, native_touch_store },
         .system = native_system,
    };
    for (unsigned i = 0; i <= RV_SINK; i++)
        l->global[i] = AT(x) + 8 * (int32_t)i;
    for (unsigned i = 0; i < sizeof csrs / sizeof csrs[0]; i++)
        l->global[RV_IR_CSR + i] = csrs[i];
    for (unsigned i = 0; i < 32; i++)
        l->global[FIRST_FLOAT + i] = AT(f) + 8 * (int32_t)i;
    memcpy(l->pins, pins, sizeof pins);
}

bool rv_native_init(struct rv *cpu)
{
    describe(cpu, &cpu->layout);
    cpu->link = RV_NO_LINK;
    cpu->stats = rv_stats_new(cpu->config->tuning);
    cpu->jit = jit_new(&cpu->layout, CODE_BYTES);
    cpu->ir = alloc_zeroed(sizeof *cpu->ir);
    cpu->ungrouped = alloc_zeroed(sizeof *cpu->ungrouped);
    if (cpu->jit)
        jit_name_thunks(&cpu->stats->names, cpu->jit);
    return cpu->jit;
}

void rv_native_forget(struct rv *cpu)
{
    jit_forget(cpu->jit);
    jit_names_forget(&cpu->stats->names);
    jit_name_thunks(&cpu->stats->names, cpu->jit);
    cpu->stats->forgotten++;
}

void rv_native_free(struct rv *cpu)
{
    jit_free(cpu->jit);
    free(cpu->ir);
    free(cpu->ungrouped);
    rv_stats_free(cpu->stats);
}
