/*
 * emit.h - what the parts of the emitter share. Private to this folder.
 */
#ifndef JIT_EMIT_H
#define JIT_EMIT_H

#include "asm-x86_64.h"
#include "code-memory.h"
#include "jit.h"

enum { COLD_MAX = 1024, LINKS_MAX = 1 << 20, XMM_FIRST = 2, XMM_COUNT = 14 };

/* A jump that goes to the dispatcher until its target has code. */
struct link {
    uint64_t target;
    uint32_t site; /* of the block that it is in */
    bool far;      /* to another page: FAR_... say what is in front of `at` */
    uint8_t *at;   /* its 32-bit displacement, in the writable mapping */
};

/* A far jump compares the epoch, at a displacement of 32 bits, with the one that it was linked in. */
enum { FAR_JCC = 6, FAR_EPOCH = 4 + FAR_JCC + 1, FAR_WHERE = 4 + FAR_EPOCH };

/* What the host registers for variables have (emit-regs-x86_64.c): first the integer ones, then xmm2 and up. */
enum { HOST_REGS = JIT_PINS + XMM_COUNT };
struct holding {
    uint8_t var[HOST_REGS]; /* IR_NONE: nothing */
    uint32_t dirty;         /* whose variable's slot is older */
};

enum cold_kind {
    COLD_LOAD,
    COLD_STORE,
    COLD_CALL,
    COLD_FMA,
    COLD_TOUCH, /* up to here they call the guest and come back */
    COLD_NAN,
    COLD_QUIET,
    COLD_FLAGS,
    COLD_LEAVE,
    COLD_UNREADY,
    COLD_BUDGET,
    COLD_EXIT,
    COLD_LINK,
    COLD_FAR,
    COLD_WINDOW
};

/* Code out of the way: where it is come to from, what it does, and where it goes back to. */
struct cold {
    enum cold_kind kind;
    uint8_t *from; /* displacement of the jump to it */
    uint8_t *back; /* in the writable mapping */
    const struct ir_op *op;
    const struct ir_label *label; /* that it is in */
    uint64_t target;
    int reg, other;           /* the address's register and what to add; the xmm that may have a NaN, and another one */
    struct holding held;  /* the registers at this point */
    struct holding after; /* and where it goes back to */
};

/* Where an operation's variables are used next: numbers of operations. */
struct uses {
    uint16_t dst, a, b, c;
};
enum { NO_USE = UINT16_MAX, UNDECIDED = -1 };

/* What the pass over a block needs much of. */
struct room {
    struct cold cold[COLD_MAX];
    struct fixup {
        uint8_t *from;
        unsigned label;
    } fixup[COLD_MAX]; /* jumps to labels that were to come */
    struct uses after[IR_OPS];
    uint16_t times[IR_OPS];
};

struct jit {
    const struct jit_layout *layout;
    struct jit_host host;
    struct code_memory memory;
    ptrdiff_t to_exec;    /* from the writable mapping to the executable one */
    size_t start;         /* behind the thunks */
    struct as as, cold;   /* where code is added: what usually runs stays together */
    struct jit_code last;
    const uint8_t *entry[IR_LABELS]; /* of the last code, in the executable mapping */
    const uint8_t *begin;       /* of the last code, in the writable mapping */
    uint32_t marks[IR_OPS + 1]; /* in the last block: see jit_last_marks() */
    struct link *links;
    unsigned link_count;
    struct holding pinned; /* between blocks */
    const uint8_t *box;    /* 16 bytes: what boxes a 32-bit value, or'ed to it */
    const uint8_t *sign;   /* of 64 and of 32 bits, 16 bytes each, and all but that */
    const uint8_t *flags_of, *mxcsr_of; /* bytes: the guest's flags by MXCSR's low six bits, and those by the flags */

    struct room *room;

    /* Thunks, in the writable mapping. Those of [1] are for code whose registers do not hold the pinned globals: it
     * has stored what they hold, and loads it again. */
    uint8_t *enter, *exit, *exit_pc, *exit_next, *load[2][4], *store[2][4], *call[2], *touch[2][2], *system;
    uint8_t *far, *lost;
};

struct emit {
    struct jit *j;
    struct as *s;
    const struct jit_layout *l;
    const struct ir_block *b;
    const struct ir_label *label; /* that the code is in */
    unsigned at;                  /* the operation's number */
    uint8_t *label_at[IR_LABELS]; /* NULL: not yet */
    struct room *room;
    unsigned colds, fixups;

    /* registers */
    struct holding now, home; /* home: at every label */
    unsigned guards;          /* IR_FP_* that hold in all of a loop: the ways in look */
    bool windows;             /* there are any */
    int8_t reg[256];          /* of a variable, or NO_REG */
    uint16_t locked;          /* held by the operation at hand */
    unsigned in_rcx;          /* a temporary that rcx has while it lives, or IR_NONE */
    unsigned stretch_end;     /* next uses are known up to here */
    bool before_call;         /* which is a call */
    const struct ir_op *frame; /* for the jump to come, or NULL */
    uint16_t next[IR_VARS];
    struct {
        struct holding held, after;
        uint8_t *spill, *reload;
    } shared; /* what cold code calls, as it was last needed */

    int8_t decided; /* the condition code that says whether what a branch compares with zero is not, or UNDECIDED */
    uint8_t next_xmm;
    uint32_t locked_xmm; /* by the operation at hand */
    uint32_t unsure;     /* xmm registers with a result that may be a NaN other than the canonical one */
    uint8_t unsure_size; /* its bytes */
    uint32_t boxed; /* float globals (counted from layout.first_float) known to hold a boxed 32-bit value */
};

/* ---- for all parts ---- */

static inline struct mem slot(const struct emit *e, unsigned var)
{
    int32_t offset = var < IR_GLOBALS ? e->l->global[var] : e->l->temps + 8 * (int32_t)(var - IR_GLOBALS);

    return at(RBP, offset - e->l->center);
}

static inline struct mem field(const struct emit *e, int32_t offset)
{
    return at(RBP, offset - e->l->center);
}

/* The register that has the variable, or NO_REG. */
static inline int reg_of(const struct emit *e, unsigned var)
{
    return e->reg[var];
}

static inline bool is_float(const struct emit *e, unsigned var)
{
    return var < IR_GLOBALS && var >= e->l->first_float;
}

/* Where a result may be computed: var's own register or `scratch`. */
static inline int destination(const struct emit *e, unsigned var, int scratch)
{
    return var == IR_NONE || reg_of(e, var) == NO_REG ? scratch : reg_of(e, var);
}

/* The register that has var's value: its own, or `scratch` after a load. */
int emit_use(struct emit *e, unsigned var, int scratch);

/* var := reg. */
void emit_put(struct emit *e, unsigned var, int reg);

/* Flags of a compared with b. */
void emit_compare(struct emit *e, const struct ir_op *op, unsigned a);
enum cc emit_cc(unsigned cond);

/* ---- emit-regs-x86_64.c ---- */

extern const int8_t emit_host_reg[HOST_REGS];
enum { CALLEE_SAVED = 4 }; /* the first ones of emit_host_reg */

/* Which variables the registers have at labels: the pinned ones, or what a loop uses most; and a loop's guards. */
void emit_choose_home(struct emit *e);

/* At a label, and behind a call: the registers hold this. */
void emit_hold(struct emit *e, const struct holding *h);

/* Looks at the operations from e->at up to the next label or call. */
void emit_look_ahead(struct emit *e);

/* Registers for the operation's variables, as far as it is worth it; and what is known after it. */
void emit_prepare(struct emit *e, const struct ir_op *op);
void emit_settle(struct emit *e, const struct ir_op *op);

/* Moves what the registers hold to get from `now` to `to`; flags stay. */
void emit_become(struct emit *e, const struct holding *to);
bool emit_is_already(const struct emit *e, const struct holding *to);

/* All that is dirty to memory; all from memory. */
void emit_spill(struct emit *e, const struct holding *h);
void emit_reload(struct emit *e, const struct holding *h);

/* Empties a register; its variable's value goes to memory if need be. */
void emit_evict(struct emit *e, unsigned i);

/* ---- emit-mem-x86_64.c ---- */

void emit_load(struct emit *e, const struct ir_op *op);
void emit_store(struct emit *e, const struct ir_op *op);
void emit_page(struct emit *e, const struct ir_op *op);
void emit_window(struct emit *e, const struct ir_op *op);
void emit_cold_window(struct emit *e, const struct cold *c);

/* A window is of where its base is now, or empty; all that the block has. */
void emit_renew(struct emit *e, const struct ir_op *op);
void emit_renew_all(struct emit *e);
void emit_exchange(struct emit *e, const struct ir_op *op);
void emit_clear(struct emit *e, const struct ir_op *op);
void emit_cold_load(struct emit *e, const struct cold *c);
void emit_cold_store(struct emit *e, const struct cold *c);

/* ---- emit-flow-x86_64.c ---- */

struct cold *emit_cold(struct emit *e, enum cold_kind kind, uint8_t *from, const struct ir_op *op);
void emit_cold_parts(struct emit *e);

/* A call of a thunk in cold code: `which` is one of load, store or call. Registers are as they were, and may have
 * changed in memory. */
void emit_thunk_call(struct emit *e, const struct cold *c, uint8_t *const which[2]);

/* The guest's own code for the operation's instruction. */
void emit_cold_call(struct emit *e, const struct cold *c);

void emit_label(struct emit *e, const struct ir_label *label);
void emit_branch(struct emit *e, const struct ir_op *op);
void emit_jump(struct emit *e, uint64_t pc);
void emit_jumpi(struct emit *e, const struct ir_op *op);
void emit_leave(struct emit *e, uint32_t site);
void emit_call(struct emit *e, const struct ir_op *op);
void emit_system(struct emit *e, const struct ir_op *op);
void emit_thunks(struct jit *j);

/* ---- emit-fp-x86_64.c ---- */

/* True when the operation was one of its own. */
bool emit_float(struct emit *e, const struct ir_op *op);

/* The xmm register that has a float global's value. */
int emit_use_float(struct emit *e, unsigned var);

/* A free xmm register for a new value, which then becomes var's, `size` bytes of it. */
int emit_new_xmm(struct emit *e);
void emit_put_float(struct emit *e, unsigned var, unsigned size, int x);

/* The same for var's new value: the register that has the old one, or its home. */
int emit_result_xmm(struct emit *e, unsigned var);

/* The 32 bits in x, the upper half of which is zero, get their box. */
void emit_box(struct emit *e, int x);

/* Looks whether the unit is as fast code needs it: if not, goes to cold code of this kind. */
void emit_guard(struct emit *e, unsigned what, enum cold_kind otherwise, uint32_t site);

/* Every NaN in a register becomes canonical. Would the operation show one that is not? */
void emit_make_sure(struct emit *e);
bool emit_shows_nan(const struct emit *e, const struct ir_op *op);

void emit_cold_nan(struct emit *e, const struct cold *c);
void emit_cold_fma(struct emit *e, const struct cold *c);
void emit_cold_quiet(struct emit *e, const struct cold *c);
void emit_cold_flags(struct emit *e, const struct cold *c);

/* MXCSR becomes what it was at the last fgetflags. */
void emit_restore_flags(struct emit *e);

/* Those of struct jit. */
void emit_constants(struct emit *e);

/* ---- jit.c ---- */

/* A new link; its number, or LINKS_MAX when there is no room. */
uint32_t emit_new_link(struct jit *j, struct link link);

/* The thunk that begins at this address of the executable mapping, or "thunk" for another place among them; NULL:
 * elsewhere. */
const char *jit_thunk_name(const struct jit *j, const uint8_t *code);

/* ---- emit-x86_64.c ---- */

bool emit_block(struct jit *j, const struct ir_block *b);

#endif
