/*
 * emit-regs-x86_64.c - which host register has which variable.
 *
 * Between blocks the registers have the pinned globals. Inside, a variable that is used often enough takes the register
 * of one that is used later ("next use", as in L. A. Belady, "A study of replacement algorithms for a virtual-storage
 * computer", 1966); what has no register is a memory operand. A loop has a home of its own: what it uses most, at each
 * of its labels. Ways out go back to the pinned globals in cold code.
 *
 * Float globals live in xmm registers in the same way, whole: a 32-bit value with its box. Pinned are none.
 *
 * A register is dirty when its variable's slot in memory is older. Cold code stores those before it calls the guest, so
 * nothing is stored on the fast path.
 */
#include <assert.h>

#include "emit.h"

const int8_t emit_host_reg[HOST_REGS] = { RBX, R12, R13, R15, RSI, RDI, R8, R9, R10, R11,
                                          2,   3,   4,   5,   6,   7,   8,  9,  10,  11, 12, 13, 14, 15 };

enum { WINDOW = 40, NOBODY = -1 };

static bool is_dirty(const struct holding *h, unsigned i)
{
    return h->dirty >> i & 1;
}

static bool allocatable(const struct emit *e, unsigned var)
{
    return var < IR_VARS && !is_float(e, var);
}

void emit_hold(struct emit *e, const struct holding *h)
{
    memset(e->reg, NO_REG, sizeof e->reg);
    e->now = *h;
    for (unsigned i = 0; i < HOST_REGS; i++) {
        if (h->var[i] != IR_NONE)
            e->reg[h->var[i]] = emit_host_reg[i];
    }
}

/* ---- from one holding to another ---- */

static void store_one(struct emit *e, const struct holding *h, unsigned i)
{
    struct mem m = slot(e, h->var[i]);

    if (i < JIT_PINS)
        mov_store(e->s, 1, m, emit_host_reg[i]);
    else
        movs_store(e->s, 8, m, emit_host_reg[i]);
}

static void load_one(struct emit *e, const struct holding *h, unsigned i)
{
    struct mem m = slot(e, h->var[i]);

    if (i < JIT_PINS)
        mov_load(e->s, 1, emit_host_reg[i], m);
    else
        movs_load(e->s, 8, emit_host_reg[i], m);
}

/* A temporary ends with its block; uses behind a call have not been looked for. */
static bool outlives(const struct emit *e, unsigned var)
{
    return var < IR_GLOBALS || e->before_call;
}

static bool must_store(const struct emit *e, const struct holding *to, unsigned i)
{
    const struct holding *h = &e->now;

    return is_dirty(h, i) && outlives(e, h->var[i]) && (to->var[i] != h->var[i] || !is_dirty(to, i));
}

static bool must_load(const struct holding *h, const struct holding *to, unsigned i)
{
    return to->var[i] != IR_NONE && to->var[i] != h->var[i];
}

bool emit_is_already(const struct emit *e, const struct holding *to)
{
    bool same = true;

    for (unsigned i = 0; i < HOST_REGS; i++)
        same &= !must_store(e, to, i) && !must_load(&e->now, to, i);
    return same;
}

void emit_become(struct emit *e, const struct holding *to)
{
    for (unsigned i = 0; i < HOST_REGS; i++) {
        if (must_store(e, to, i))
            store_one(e, &e->now, i);
    }
    for (unsigned i = 0; i < HOST_REGS; i++) {
        if (must_load(&e->now, to, i))
            load_one(e, to, i);
    }
    emit_hold(e, to);
}

void emit_spill(struct emit *e, const struct holding *h)
{
    for (unsigned i = 0; i < HOST_REGS; i++) {
        if (is_dirty(h, i) && h->var[i] != IR_NONE)
            store_one(e, h, i);
    }
}

void emit_reload(struct emit *e, const struct holding *h)
{
    for (unsigned i = 0; i < HOST_REGS; i++) {
        if (h->var[i] != IR_NONE)
            load_one(e, h, i);
    }
}

/* ---- what is used when ---- */

static bool is_label(const struct ir_block *b, unsigned at_)
{
    bool found = false;

    for (unsigned i = 0; i < b->label_count; i++)
        found |= b->labels[i].at == at_;
    return found;
}

static uint16_t note(struct emit *e, bool has, unsigned var, unsigned i)
{
    uint16_t later = NO_USE;

    if (has && var < IR_VARS) {
        later = e->next[var];
        e->next[var] = (uint16_t)i;
    }
    return later;
}

void emit_look_ahead(struct emit *e)
{
    const struct ir_block *b = e->b;
    unsigned end = e->at;

    while (end < b->count && b->ops[end].code != IR_call && (end == e->at || !is_label(b, end)))
        end++;
    e->stretch_end = end;
    e->before_call = end < b->count && b->ops[end].code == IR_call;
    memset(e->next, 0xff, sizeof e->next);
    for (unsigned i = end; i-- > e->at;) {
        const struct ir_op *op = &b->ops[i];
        unsigned has = ir_operands(op->code);
        e->room->after[i].dst = note(e, has & IR_HAS_DST, op->dst, i);
        e->room->after[i].a = note(e, has & IR_HAS_A, op->a, i);
        e->room->after[i].b = note(e, has & IR_HAS_B, op->b, i);
        e->room->after[i].c = note(e, has & IR_HAS_C, op->c, i);
    }
}

/* The reverse of how they were noted. */
static void pass(struct emit *e, const struct ir_op *op)
{
    unsigned has = ir_operands(op->code);
    const struct uses *u = &e->room->after[e->at];

    if ((has & IR_HAS_C) && op->c < IR_VARS)
        e->next[op->c] = u->c;
    if ((has & IR_HAS_B) && op->b < IR_VARS)
        e->next[op->b] = u->b;
    if ((has & IR_HAS_A) && op->a < IR_VARS)
        e->next[op->a] = u->a;
    if ((has & IR_HAS_DST) && op->dst < IR_VARS)
        e->next[op->dst] = u->dst;
}

struct tally {
    unsigned reads, writes;
    bool read_first;
};

/* How var is used from here until `end`. */
static struct tally count_uses(const struct emit *e, unsigned var, unsigned end)
{
    struct tally t = { 0, 0, false };

    for (unsigned i = e->at; i < end; i++) {
        const struct ir_op *op = &e->b->ops[i];
        unsigned reads = ir_reads(op, var);
        t.read_first |= reads && !t.writes;
        t.reads += reads;
        t.writes += (ir_operands(op->code) & IR_HAS_DST) && op->dst == var;
    }
    return t;
}

/* ---- taking registers ---- */

static int index_of(int reg)
{
    int i = 0;

    while (emit_host_reg[i] != reg)
        i++;
    return i;
}

static bool is_home(const struct emit *e, unsigned i)
{
    return e->now.var[i] != IR_NONE && e->home.var[i] == e->now.var[i];
}

/* The register whose variable is used last; free ones first, and of those var's own. */
static int victim(const struct emit *e, unsigned var)
{
    int best = NOBODY;
    unsigned best_next = 0;

    for (int i = 0; i < JIT_PINS; i++) {
        if (e->locked >> i & 1)
            continue;
        if (e->now.var[i] == IR_NONE && e->home.var[i] == var)
            return i;
        unsigned next = e->now.var[i] == IR_NONE ? 2u * NO_USE : e->next[e->now.var[i]];
        next += next == NO_USE && !is_home(e, (unsigned)i);
        if (best == NOBODY || next > best_next) {
            best = i;
            best_next = next;
        }
    }
    return best;
}

/* Loads and stores that a register for var saves, less those that it costs. */
static int gain(const struct emit *e, unsigned var, unsigned i)
{
    unsigned old = e->now.var[i], end = e->stretch_end;

    if (old != IR_NONE && e->next[old] < end)
        end = e->next[old];
    if (end > e->at + WINDOW)
        end = e->at + WINDOW;
    struct tally t = count_uses(e, var, end);
    int saved = (int)(t.reads + t.writes) - t.read_first;
    if (var < IR_GLOBALS)
        saved -= t.writes > 0;
    if (old == IR_NONE)
        return saved;
    bool again = e->next[old] != NO_USE || is_home(e, i);
    return saved - is_dirty(&e->now, i) - again;
}

void emit_evict(struct emit *e, unsigned i)
{
    unsigned old = e->now.var[i];

    if (old == IR_NONE)
        return;
    if (is_dirty(&e->now, i) && (outlives(e, old) || e->next[old] != NO_USE))
        store_one(e, &e->now, i);
    e->reg[old] = NO_REG;
    e->now.var[i] = IR_NONE;
    e->now.dirty &= ~(1u << i);
}

static void bring(struct emit *e, unsigned var, bool read)
{
    if (!allocatable(e, var))
        return;
    if (reg_of(e, var) == NO_REG) {
        int i = victim(e, var);
        if (i == NOBODY || gain(e, var, (unsigned)i) <= 0)
            return;
        emit_evict(e, (unsigned)i);
        e->now.var[i] = (uint8_t)var;
        e->reg[var] = emit_host_reg[i];
        if (read)
            mov_load(e->s, 1, emit_host_reg[i], slot(e, var));
    }
    e->locked |= (uint16_t)(1u << index_of(reg_of(e, var)));
}

/* Code that leaves rcx alone, or finds `temp` there. */
static bool spares_rcx(const struct emit *e, const struct ir_op *op, unsigned temp)
{
    switch ((enum ir_code)op->code) {
    case IR_mov:
    case IR_add:
    case IR_sub:
    case IR_and:
    case IR_or:
    case IR_xor:
    case IR_set:
    case IR_mul:
    case IR_ext:
    case IR_branch: return true;
    case IR_shl:
    case IR_shr:
    case IR_sar:
    case IR_rol:
    case IR_ror: return op->b == IR_IMM;
    case IR_pload:
    case IR_pstore: return op->c == temp;
    default: return false;
    }
}

/* What `page` finds stays in rcx when nothing else needs that while it is used. */
static bool lives_in_rcx(const struct emit *e, const struct ir_op *page)
{
    unsigned last = e->at;

    for (unsigned i = e->at + 1; i < e->stretch_end; i++) {
        const struct ir_op *op = &e->b->ops[i];
        if ((op->code == IR_pload || op->code == IR_pstore) && op->c == page->dst)
            last = i;
    }
    for (unsigned i = e->at + 1; i < last; i++) {
        if (!spares_rcx(e, &e->b->ops[i], page->dst))
            return false;
    }
    return true;
}

void emit_prepare(struct emit *e, const struct ir_op *op)
{
    unsigned has = ir_operands(op->code);

    e->locked = 0;
    if (op->code == IR_call)
        return;
    const uint8_t reads[] = { op->a, op->b, op->c };
    for (unsigned i = 0; i < 3; i++) { /* those that are there first, lest they make room for each other */
        if ((has & (IR_HAS_A << i)) && allocatable(e, reads[i]) && reg_of(e, reads[i]) != NO_REG)
            e->locked |= (uint16_t)(1u << index_of(reg_of(e, reads[i])));
    }
    if (has & IR_HAS_A)
        bring(e, op->a, true);
    if (has & IR_HAS_B)
        bring(e, op->b, true);
    if ((has & IR_HAS_C) && e->in_rcx != op->c)
        bring(e, op->c, true);
    bool page = op->code == IR_page || op->code == IR_window;
    if (page)
        e->in_rcx = lives_in_rcx(e, op) ? op->dst : IR_NONE;
    if ((has & IR_HAS_DST) && !(page && e->in_rcx == op->dst))
        bring(e, op->dst, ir_reads(op, op->dst));
}

void emit_settle(struct emit *e, const struct ir_op *op)
{
    unsigned has = ir_operands(op->code);

    if ((has & IR_HAS_DST) && allocatable(e, op->dst) && reg_of(e, op->dst) != NO_REG)
        e->now.dirty |= 1u << index_of(reg_of(e, op->dst));
    if (op->code == IR_call)
        return;
    pass(e, op);
    for (unsigned i = 0; i < JIT_PINS; i++) {
        unsigned var = e->now.var[i];
        if (var != IR_NONE && var >= IR_GLOBALS && e->next[var] == NO_USE)
            emit_evict(e, i);
    }
}

/* ---- loops ---- */

enum { TIMES = IR_LOOP_TIMES };

struct use_count {
    unsigned uses, writes;
};

static void count_all(const struct ir_block *b, const uint16_t *times, struct use_count *t)
{
    for (unsigned i = 0; i < b->count; i++) {
        const struct ir_op *op = &b->ops[i];
        unsigned has = ir_operands(op->code);
        if ((has & IR_HAS_A) && op->a < IR_VARS)
            t[op->a].uses += times[i];
        if ((has & IR_HAS_B) && op->b < IR_VARS)
            t[op->b].uses += times[i];
        if ((has & IR_HAS_C) && op->c < IR_VARS)
            t[op->c].uses += times[i];
        if ((has & IR_HAS_DST) && op->dst < IR_VARS) {
            t[op->dst].uses += times[i];
            t[op->dst].writes++;
        }
    }
}

/* The place of the variable at home that is used least, when that is clearly less than `uses`. */
static int least_used(const struct emit *e, const struct use_count *t, unsigned uses)
{
    int best = NOBODY;

    for (int i = 0; i < JIT_PINS; i++) {
        unsigned n = t[e->home.var[i]].uses + TIMES / 4;
        if (n < uses) {
            best = i;
            uses = n;
        }
    }
    return best;
}

static unsigned most_used(const struct emit *e, const struct use_count *t, const bool *placed)
{
    unsigned best = IR_NONE, most = 0;

    for (unsigned v = 0; v < e->l->first_float; v++) {
        if (!placed[v] && t[v].uses > most) {
            best = v;
            most = t[v].uses;
        }
    }
    return best;
}

/* The float globals that are used most have registers at home. */
static void choose_floats(struct emit *e, const struct use_count *t)
{
    bool placed[IR_VARS] = { false };

    for (unsigned i = JIT_PINS; i < HOST_REGS; i++) {
        unsigned best = IR_NONE, most = 0;
        for (unsigned v = e->l->first_float; v < IR_GLOBALS; v++) {
            if (!placed[v] && t[v].uses > most) {
                best = v;
                most = t[v].uses;
            }
        }
        if (best == IR_NONE)
            return;
        placed[best] = true;
        e->home.var[i] = (uint8_t)best;
        e->home.dirty |= t[best].writes ? 1u << i : 0;
    }
}

/* Nothing in a loop changes what guards look at: what does ends a block, and comes back by a way in. */
static unsigned all_guards(const struct ir_block *b)
{
    unsigned what = 0;

    for (const struct ir_op *op = b->ops; op < b->ops + b->count; op++)
        what |= op->code == IR_fguard ? (unsigned)op->imm : 0;
    return what;
}

void emit_choose_home(struct emit *e)
{
    struct use_count t[IR_VARS] = { 0 };
    bool placed[IR_VARS] = { false };
    unsigned best;
    int i;

    e->home = e->j->pinned;
    e->guards = 0;
    e->windows = ir_contains(e->b, IR_window);
    if (!ir_guess_times(e->b, e->room->times))
        return;
    e->guards = all_guards(e->b);
    count_all(e->b, e->room->times, t);
    choose_floats(e, t);
    for (unsigned k = 0; k < JIT_PINS; k++)
        placed[e->home.var[k]] = true;
    while ((best = most_used(e, t, placed)) != IR_NONE && (i = least_used(e, t, t[best].uses)) != NOBODY) {
        placed[best] = true;
        e->home.var[i] = (uint8_t)best;
        if (!t[best].writes)
            e->home.dirty &= ~(1u << i);
    }
}
