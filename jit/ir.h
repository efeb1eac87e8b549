/*
 * ir.h - the intermediate representation: runs of three-address operations on variables, one for each guest block.
 *
 * A variable is a global (a guest register: it lives in the CPU structure and may be pinned to a host register) or a
 * temporary of one block. Guests describe their registers and memory to the emitter in a struct jit_layout (jit.h);
 * the IR itself knows no guest. Operations are the rows of ir-ops.def.
 */
#ifndef JIT_IR_H
#define JIT_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IR_GLOBALS = 80,
    IR_TEMPS = 16, /* variables IR_GLOBALS .. IR_GLOBALS + IR_TEMPS - 1 */
    IR_VARS = IR_GLOBALS + IR_TEMPS,
    IR_NONE = 0xfe, /* no destination */
    IR_IMM = 0xff,  /* as b: the immediate */
    IR_OPS = 1024,
    IR_LABELS = 16,
    IR_WINDOWS = 12,
};

enum ir_code {
#define OP(name, operands, flags) IR_##name,
#include "ir-ops.def"
#undef OP
    IR_CODES
};

enum ir_cond { IR_EQ, IR_NE, IR_LT, IR_GE, IR_LTU, IR_GEU, IR_LE, IR_GT };

/* ir_op.flags. LOW is ir_optimize()'s: the upper half of a 32-bit result is anybody's. */
enum { IR_ZERO = 1, IR_BOX = 2, IR_WRITE = 4, IR_QUIET = 8, IR_RETURN = 16, IR_LOW = 32, IR_DOWN = 64 };
enum { IR_FP_ON = 1, IR_FP_ROUNDS = 2 };            /* fguard: the unit is on and dirty; it rounds as the host can */
enum { IR_FMA_NEG_PRODUCT = 1, IR_FMA_NEG_ADDEND = 2 };

struct ir_op {
    uint8_t code; /* enum ir_code */
    uint8_t size; /* 1, 2, 4 or 8 bytes */
    uint8_t cond; /* enum ir_cond */
    uint8_t flags;
    uint8_t dst, a, b, c;
    uint32_t site; /* the guest's name for the instruction: what its callbacks get */
    uint32_t where; /* site of the guest instruction that it is of: for people */
    int64_t imm;
};

/* Where a guest block starts. Jumps to its address stay inside. */
struct ir_label {
    uint64_t pc;    /* guest address of the first instruction */
    uint32_t site;  /* of the first instruction */
    uint16_t insns; /* guest instructions: what the budget is charged */
    uint16_t at;    /* its first operation */
    uint16_t runs;  /* how often it ran lately; 0: not known */
};

/* What is translated together: a guest block, or the blocks of a loop, all of one guest page. */
struct ir_block {
    unsigned label_count, count;
    uint32_t where; /* site of the instruction that operations are added for */
    struct ir_label labels[IR_LABELS];
    struct ir_op ops[IR_OPS];

    /* builder's: what globals are known to hold */
    uint64_t known_value[IR_GLOBALS];
    bool known[IR_GLOBALS];
};

void ir_begin(struct ir_block *b);

/* A guest block of `insns` instructions starts. */
void ir_label(struct ir_block *b, uint64_t pc, uint32_t site, unsigned insns);

/* Room for an instruction's operations? */
static inline bool ir_has_room(const struct ir_block *b)
{
    return b->count + 24 <= IR_OPS / 4 * 3; /* ir_group() needs the rest */
}

/* Appends an operation, folding constants; drops a pure one without a destination. */
void ir_add(struct ir_block *b, struct ir_op op);

/* The block with accesses that are near each other sharing a look into the TLB; stores, too, when wanted. In a loop
 * also those that are near where they were the last time. `b` leaves a quarter of IR_OPS free. */
void ir_group(const struct ir_block *b, struct ir_block *out, bool stores);

/* Drops what nobody reads, and says where 32 bits are enough. Each label's operations end with one that ENDS. */
void ir_optimize(struct ir_block *b);

/* NULL, or what is wrong with the block (a static string); *at is the operation. */
const char *ir_verify(const struct ir_block *b, unsigned *at);

/* The block as text, a line an operation. Returns the length without the final NUL; never writes beyond size. */
size_t ir_dump(const struct ir_block *b, char *out, size_t size);

/* One operation, without a newline. */
size_t ir_dump_op(const struct ir_op *op, char *out, size_t size);

/* How often each operation is guessed to run: what a jump backwards encloses runs IR_LOOP_TIMES as often, up to a
 * limit. False: no loop without calls. */
enum { IR_LOOP_TIMES = 8 };
bool ir_guess_times(const struct ir_block *b, uint16_t times[IR_OPS]);

/* Rows of ir-ops.def. */
enum { IR_HAS_DST = 1, IR_HAS_A = 2, IR_HAS_B = 4, IR_HAS_C = 8 };
enum { IR_PURE = 1, IR_ENDS = 2, IR_STOPS = 4, IR_HALVES = 8 };
extern const struct ir_row {
    const char *name, *operands;
    uint8_t flags, has; /* IR_PURE and so on; IR_HAS_* */
} ir_rows[IR_CODES];

static inline const char *ir_name(enum ir_code code)
{
    return ir_rows[code].name;
}

/* Which operands it has. */
static inline unsigned ir_operands(enum ir_code code)
{
    return ir_rows[code].has;
}

static inline bool ir_ends(enum ir_code code)
{
    return ir_rows[code].flags & IR_ENDS;
}

/* Or ends. */
static inline bool ir_stops(enum ir_code code)
{
    return ir_rows[code].flags & (IR_STOPS | IR_ENDS);
}

static inline bool ir_pure(enum ir_code code)
{
    return ir_rows[code].flags & IR_PURE;
}

static inline bool ir_halves(enum ir_code code)
{
    return ir_rows[code].flags & IR_HALVES;
}

/* Does the operation's row have this letter? */
bool ir_has(enum ir_code code, char letter);

/* Is there such an operation in the block? */
bool ir_contains(const struct ir_block *b, enum ir_code code);

/* How often the operation reads the variable. */
static inline unsigned ir_reads(const struct ir_op *op, unsigned var)
{
    unsigned has = ir_operands(op->code);

    return ((has & IR_HAS_A) && op->a == var) + ((has & IR_HAS_B) && op->b == var) +
           ((has & IR_HAS_C) && op->c == var);
}

#endif
