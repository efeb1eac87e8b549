/*
 * state.h - a RISC-V hart from the inside. Private to this folder (and to the tests' harness).
 *
 * Registers. x[] holds XLEN-bit values; on RV32 every x register is kept sign-extended to 64 bits, which makes most
 * RV64 "W" handlers the RV32 handlers (insns.def says which). x[RV_SINK] is written where rd is x0.
 * pc and addresses are zero-extended on RV32 (`va_mask`).
 *
 * Code. A block is a run of pre-decoded instructions inside one physical page, keyed by its place in memory, private to
 * the hart. It ends with an instruction that changes pc or the hart's mode, or with the pseudo instruction `block_end`.
 * Every handler ends by calling next() (straight on), next_block() (pc is set), leave() (pc is set; the run loop
 * looks at interrupts, mode and requests first) or go_on() (one or the other). With optimisation these are tail calls,
 * hence one indirect jump an instruction; without, the stack is bounded by RV_SLICE.
 *
 * When code may have changed, `code_epoch` moves: the blocks of a page of an older epoch are compared with memory
 * before one of them runs again. fresh.c knows when a fence.i does not need it.
 */
#ifndef RISCV_STATE_H
#define RISCV_STATE_H

#include <setjmp.h>

#include "bits.h"
#include "cpu.h"
#include "isa.h"
#include "jit.h"
#include "riscv.h"
#include "tlb.h"

enum {
    RV_SINK = 32,       /* index of x[] that swallows writes to x0 */
    RV_SLICE = 16384,    /* instructions between two looks at the request word */
    RV_BLOCK_MAX = 256, /* instructions a block */
    RV_BLOCK_UNIT = 8,  /* where a block may begin, bytes */
    RV_SPACES = 8,      /* translation contexts kept a hart */
    RV_JUMP_BITS = 16,
    RV_JUMPS = 1 << RV_JUMP_BITS,
    RV_JUMP_LIST = 4096,
    RV_GLOBALS = 4, /* views of the supervisor: SUM, MXR */
    RV_HPM = 29, /* hpmcounter3..31 */
    RV_PMP = 16,
};

#define RV_NO_LINK UINT32_MAX
#define RV_NO_EPOCH UINT32_MAX /* of jumps that nothing is linked in */

/* Variables of the IR: x registers are 0 to 31, f registers start here. */
enum { RV_IR_CSR = 33, RV_IR_F = 40 }; /* sscratch, sepc, scause, stval; f0 */

enum rv_priv { PRIV_U = 0, PRIV_S = 1, PRIV_M = 3 };

struct rv;
struct rv_op;
struct rv_insn;
struct rv_stats;

/* A decoded instruction. */
struct rv_op {
    rv_handler *fn;
    int32_t imm;  /* sign-extended; shift amounts, CSR number, uimm in the forms that have them */
    uint32_t raw; /* the instruction's 16 or 32 bits */
    uint8_t rd;   /* RV_SINK for an x0 destination; f registers as they are */
    uint8_t rs1, rs2, rs3;
    uint8_t rm;   /* rounding mode field; aq|rl bits of atomics */
    uint8_t len;  /* 2 or 4 bytes */
    uint16_t off; /* bytes from the block's start */
};

struct rv_block {
    const uint8_t *code;     /* the first instruction in host memory; with pc the key */
    uint64_t pc;
    const void *entry;       /* host code, or the way back to the run loop (native.c) */
    rv_handler *first;       /* ops[0]'s own handler */
    struct rv_block *older;  /* hash chain */
    struct rv_page *page;    /* NULL: a lone instruction */
    struct rv_block *sibling; /* on the same page */
    uint16_t bytes;
    uint16_t count; /* instructions, without block_end */
    uint8_t runs;   /* while it is not yet host code; then 0 */
    bool in_loop;   /* host code that it shares with a loop's other blocks */
    uint8_t leaves; /* of host code in the middle, counted up to a limit (native.c) */
    struct rv_op ops[];
};

/* The blocks of a page of memory as seen at one page of addresses. They may jump to each other without a look, so they
 * are valid together or not at all. */
struct rv_page {
    const uint8_t *host;
    uint64_t va;
    struct rv_page *older; /* hash chain */
    struct rv_page *alias; /* hash chain by `host` alone */
    bool watched;          /* fresh.c knows of it */
    struct rv_block *blocks;
    uint32_t epoch; /* at which all blocks were what memory held */
};

struct rv_jump {
    uint64_t pc;      /* 1: empty */
    const void *code; /* its block's entry */
};

/* Addresses [lo, hi]; empty when lo > hi. */
struct rv_hull {
    uint64_t lo, hi;
};

/* The pages that jumps were remembered for, and where they are: after a fence the jumps are good when they still are
 * there (code-pages.c). */
enum { RV_CODE_PAGES = 4096, RV_CODE_SLOTS = 2 * RV_CODE_PAGES };
struct rv_code_pages {
    struct rv_code_page {
        uint64_t va;
        const uint8_t *host;
    } page[RV_CODE_PAGES];
    uint16_t slot[RV_CODE_SLOTS]; /* a hash table of their numbers, from 1 */
    unsigned count;               /* more than RV_CODE_PAGES: any page */
};

/* One way of seeing memory: everything that a translation depends on is in the key. */
struct rv_space {
    struct tlb tlb; /* first: host code has short displacements */
    uint64_t satp;  /* as the mode and key see it: 0 when translation is off */
    uint32_t view;  /* RV_VIEW_* */
    bool used;      /* anything filled since the last clear */
    bool suspect;   /* a fence concerned the jumps: before the next one is taken the code's pages are looked at */
    uint32_t epoch; /* of the jumps: no two sets of jumps have the same, but for RV_NO_EPOCH */
    struct rv_hull large[2]; /* pages that came from superpages, by the top bit of their addresses: a fence of a user's
                              * page leaves what the kernel has cached alone */
    uint64_t span;  /* the largest superpage filled, bytes */
    struct rv_code_pages code;
    struct rv_space *global; /* what all address spaces share as seen in this view, or NULL: see space.c */
    struct rv_jump jumps[RV_JUMPS];
    uint32_t jump_block[RV_JUMPS]; /* whose code it is, by number */
    uint16_t jumps_filled[RV_JUMP_LIST]; /* since the last clear; more than RV_JUMP_LIST: any slot */
    unsigned jump_count;
};

/* rv_space.view: effective privilege, and what else decides a permission. V and two-stage bits will join. */
enum { RV_VIEW_PRIV = 3, RV_VIEW_SUM = 4, RV_VIEW_MXR = 8 };

struct rv_pmp {
    uint64_t addr[RV_PMP]; /* pmpaddr as written */
    uint8_t cfg[RV_PMP];
    /* derived: entry i covers [lo, hi]; lo > hi when it is off or empty */
    uint64_t lo[RV_PMP], hi[RV_PMP];
    unsigned active; /* one past the last entry that is not off */
};

/* What a debugger set on this hart: debug.c. */
struct rv_debug {
    uint64_t breaks[CPU_BREAKS];
    unsigned break_count;
    struct rv_watch {
        uint64_t gva, len;
        unsigned kinds; /* CPU_WATCH_* */
    } watches[CPU_WATCHES];
    unsigned watch_count;
    bool hit;         /* cpu.stop is set: leave run() */
    bool passing;     /* the breakpoint at pass_pc has been reported: let its instruction run */
    uint64_t pass_pc;
};

/* What comes by in C, with and without a JIT: native-stats.h has the rest. */
struct rv_counts {
    uint64_t walks;       /* of page tables, or of nothing when translation is off */
    uint64_t devices;     /* accesses */
    uint64_t jump_misses; /* in the run loop */
    uint64_t lookups;     /* of blocks, in the hash or decoded */
};

/* A reservation granule of the machine, shared by its harts; see atomic.c. */
struct rv_granule {
    _Atomic uint8_t owner; /* hart that stored last (index + 1) or holds the reservation (index + 1 | 0x80) */
    _Atomic uint8_t lock;  /* an SC is being decided */
};

struct rv {
    struct cpu cpu;

    int64_t slice;          /* instructions left before the run loop looks around; here, host code reaches it as x[] */
    uint64_t x[RV_SINK + 1];
    uint64_t f[32];
    uint64_t pc;            /* of the block while it runs; of the next instruction when a handler has ended it */
    uint64_t block_pc;      /* address of the running block */
    const struct rv_block *block;
    uint64_t va_mask;
    struct rv_space *data;  /* loads and stores */
    struct rv_space *fetch; /* instructions */
    struct rv_granule *granules;
    uint64_t granule_mask;  /* 0 on a machine with one hart */
    uint32_t code_epoch;
    uint8_t priv;           /* enum rv_priv */
    uint8_t frm;
    bool waiting;           /* in wfi */
    bool stepping;          /* one instruction at a time: blocks are not cached */
    struct rv_debug debug;

    uint64_t retired;       /* before the current slice: see rv_count() */
    uint64_t traps;         /* taken since reset */
    uint64_t run_until;     /* value of retired + traps at which run() has used its budget */
    int64_t slice_size;

    /* LR/SC */
    bool reserved;
    uint64_t reserved_hva, reserved_value;

    /* machine mode */
    uint64_t mstatus, mtvec, medeleg, mideleg, mie, mcounteren, mscratch, mepc, mcause, mtval, menvcfg, mseccfg;
    _Atomic uint64_t mip;   /* wires, SSIP, STIP, LCOFIP; SEIP here is the wire alone */
    uint64_t seip_soft;     /* what M-mode wrote to mip.SEIP; the bit that reads is the OR */
    uint64_t mcountinhibit;
    uint64_t mcycle_base, minstret_base; /* counter = base + retired */
    uint64_t mhpmcounter[RV_HPM], mhpmevent[RV_HPM];
    struct rv_pmp pmp;
    /* supervisor mode */
    uint64_t stvec, scounteren, sscratch, sepc, scause, stval, satp, senvcfg, stimecmp;
    uint64_t none;          /* the field of csrs.def's rows that have no storage */
    uint8_t fflags;         /* sticky flags while the hart does not run; live in the host FPU while it does */

    struct timer stimer;    /* Sstc */
    struct rv_isa isa;
    const struct rv_config *config;
    const struct rv_decoder *decoder;
    struct rv_space *spaces;  /* RV_SPACES of them */
    struct rv_space *globals; /* RV_GLOBALS of them, by view */
    uint64_t global_mode;     /* the paging mode that they are of */
    /* Their satp and view, kept together: the spaces themselves are far apart. */
    struct rv_space_key {
        uint64_t satp;
        uint32_t view;
        uint64_t tick; /* last use */
    } space_keys[RV_SPACES];
    uint64_t tick;
    struct rv_code *code;    /* block cache: block.c */
    uint8_t *blocks;         /* where its blocks are */
    struct rv_fresh *fresh;  /* NULL: there are other harts */
    struct jit *jit;         /* NULL: interpreter only; with it, native.c */
    struct ir_block *ir, *ungrouped; /* room for a block on its way to host code */
    struct rv_stats *stats;  /* with jit */
    struct rv_counts counts;
    /* Of the jumps of `fetch`, and of the global space behind it: what jumps between pages were linked in. */
    uint32_t epochs[2];
    uint32_t last_epoch;
    void *host_stack, *host_stack_now, *host_stack_mark; /* of host code while it runs */
    int32_t patience;        /* jumps with an epoch of old that are taken before one is linked anew */
    uint32_t link;           /* jump that waits to be linked to the block that runs next, or RV_NO_LINK */
    struct rv_check *check;  /* NULL but with -accel check: check.c */
    bool interpreting;       /* the checker's interpreter has its turn: no host code */
    struct jit_layout layout;
    uint64_t jit_temps[IR_TEMPS], jit_windows[IR_WINDOWS][2];
    uint32_t fp_saved; /* host code's */
    struct rv_registers *registers; /* riscv.c's list, made when first asked for */
    jmp_buf escape;          /* rv_raise() lands in the run loop */
    struct trace_cat *log_int, *log_asm, *log_exec, *log_op, *log_out, *log_check, *guest_error;
};

/* ---- handlers ---- */

/* Every handler of insns.def is `void exec_NAME(struct rv *, const struct rv_op *)`. */
#define INSN(name, handler, ...) void exec_##handler(struct rv *cpu, const struct rv_op *op);
#include "insns.def"
#undef INSN
void exec_block_end(struct rv *cpu, const struct rv_op *op);
void exec_illegal(struct rv *cpu, const struct rv_op *op);
void exec_fflags(struct rv *cpu, const struct rv_op *op); /* csrr* of fflags */

static inline uint64_t get_x(const struct rv *cpu, unsigned r)
{
    return cpu->x[r];
}

static inline void set_x(struct rv *cpu, unsigned rd, uint64_t value)
{
    cpu->x[rd] = value;
}

static inline bool is_rv32(const struct rv *cpu)
{
    return cpu->isa.xlen == 32;
}

/* A value as an x register holds it. */
static inline uint64_t to_x(const struct rv *cpu, uint64_t value)
{
    return is_rv32(cpu) ? (uint64_t)(int32_t)value : value;
}

/* Address of this instruction, and of the one after it. */
static inline uint64_t op_pc(const struct rv *cpu, const struct rv_op *op)
{
    return (cpu->block_pc + op->off) & cpu->va_mask;
}

static inline uint64_t op_end(const struct rv *cpu, const struct rv_op *op)
{
    return (cpu->block_pc + op->off + op->len) & cpu->va_mask;
}

/* Straight on. */
static inline void next(struct rv *cpu, const struct rv_op *op)
{
    return op[1].fn(cpu, op + 1);
}

/* Blocks have numbers, which are less than 2^24. */
static inline uint32_t rv_block_number(const struct rv *cpu, const struct rv_block *b)
{
    return (uint32_t)((size_t)((const uint8_t *)b - cpu->blocks) / RV_BLOCK_UNIT);
}

static inline struct rv_block *rv_block_numbered(const struct rv *cpu, uint32_t number)
{
    return (struct rv_block *)(void *)(cpu->blocks + (size_t)number * RV_BLOCK_UNIT);
}

/* The block at this pc when the space's jump cache has it, or NULL. */
static inline const struct rv_block *rv_jump_to(const struct rv *cpu, const struct rv_space *space, uint64_t pc)
{
    unsigned slot = pc >> 1 & (RV_JUMPS - 1);

    return likely(space->jumps[slot].pc == pc) ? rv_block_numbered(cpu, space->jump_block[slot]) : NULL;
}

/* pc is set: run the block there if it is at hand and the slice is not used up. */
static inline void next_block(struct rv *cpu)
{
    const struct rv_block *b = rv_jump_to(cpu, cpu->fetch, cpu->pc);

    if (unlikely(!b || cpu->slice <= 0))
        return;
    cpu->block = b;
    cpu->block_pc = cpu->pc;
    cpu->slice -= b->count;
    return b->ops[0].fn(cpu, b->ops);
}

/* pc is set: back to the run loop, which looks at interrupts and requests before it goes on. */
static inline void leave(struct rv *cpu)
{
    cpu->slice_size -= cpu->slice;
    cpu->slice = 0;
}

/* Does something wait for the run loop: a request, a debugger, an interrupt? */
bool rv_has_to_look(struct rv *cpu);

/* pc is set, and what decides about interrupts may have changed. */
static inline void go_on(struct rv *cpu)
{
    if (unlikely(rv_has_to_look(cpu)))
        leave(cpu);
    else
        next_block(cpu);
}

/* Instructions retired since reset, counted to the end of the running block: exact in handlers that end one. */
static inline uint64_t rv_count(const struct rv *cpu)
{
    return cpu->retired + (uint64_t)(cpu->slice_size - cpu->slice);
}

/* ---- exceptions (trap.c) ---- */

enum rv_cause {
    CAUSE_FETCH_MISALIGNED = 0,
    CAUSE_FETCH_ACCESS = 1,
    CAUSE_ILLEGAL = 2,
    CAUSE_BREAKPOINT = 3,
    CAUSE_LOAD_MISALIGNED = 4,
    CAUSE_LOAD_ACCESS = 5,
    CAUSE_STORE_MISALIGNED = 6,
    CAUSE_STORE_ACCESS = 7,
    CAUSE_ECALL_U = 8,
    CAUSE_ECALL_S = 9,
    CAUSE_ECALL_M = 11,
    CAUSE_FETCH_PAGE = 12,
    CAUSE_LOAD_PAGE = 13,
    CAUSE_STORE_PAGE = 15,
};

/* Ends the instruction with an exception from any depth: nothing of it has been committed. Privileged spec 3.1.15. */
_Noreturn void rv_raise(struct rv *cpu, const struct rv_op *op, enum rv_cause cause, uint64_t tval);

/* The same for an illegal instruction; tval is its bits. */
_Noreturn void rv_illegal(struct rv *cpu, const struct rv_op *op);

/* Takes the trap: CSRs, mode and pc. cpu->pc is the address for xepc. Does not leave the handler. */
void rv_trap(struct rv *cpu, uint64_t cause, bool interrupt, uint64_t tval);

/* The highest-priority interrupt that would be taken now, as a cause, or -1. Privileged spec 3.1.9. */
int rv_pending_interrupt(struct rv *cpu);

/* mip as software reads it. */
static inline uint64_t rv_mip(const struct rv *cpu)
{
    return atomic_load_explicit(&cpu->mip, memory_order_acquire) | cpu->seip_soft;
}

/* cpu_ops.run (run.c). */
enum cpu_exit rv_run(struct cpu *cpu, uint64_t budget);

/* Runs n instructions, or to where the run loop has to look around. The unit has the guest's environment. */
void rv_run_slice(struct rv *cpu, int64_t n);

/* One instruction, or the exception that it raises; interrupts wait. */
void rv_run_one(struct rv *cpu);

/* ---- translation contexts (space.c) ---- */

/* Selects data and fetch spaces after a change of priv, mstatus or satp. */
void rv_update_spaces(struct rv *cpu);

/* Drops every cached translation and jump. */
void rv_flush_all(struct rv *cpu);

/* sfence.vma with its operands: of one address, of one ASID, both, or (neither) everything. */
void rv_fence_vma(struct rv *cpu, const uint64_t *va, const uint64_t *asid);

/* For whoever fills a space: the page of gva came from a page of `span` bytes; pc leads to this block. */
void rv_note_page(struct rv_space *space, uint64_t gva, uint64_t span);
void rv_remember_jump(const struct rv *cpu, struct rv_space *space, uint64_t pc, const struct rv_block *block);

/* The block may have got another entry: what has the old one comes by here to be told, each space for itself. */
void rv_renew_jump(struct rv *cpu, const struct rv_block *block);

/* After a miss in a space's TLB: takes the page of va over from the global space, if that has it; its host address, or
 * NULL. The same for the block at pc. */
uint8_t *rv_adopt_page(struct rv_space *space, uint64_t va, enum tlb_kind kind);
const struct rv_block *rv_adopt_jump(struct rv *cpu, struct rv_space *space, uint64_t pc);

/* Which of cpu->epochs tells how long its pc leads to this block, which the jump cache has. */
unsigned rv_epoch_of(const struct rv *cpu, const struct rv_block *block);

/* A hart's spaces, empty. */
void rv_spaces_init(struct rv *cpu);
void rv_spaces_free(struct rv *cpu);

/* Forgets where blocks are, not the blocks. */
void rv_clear_jumps(struct rv *cpu);

/* All code has been forgotten: nothing is linked in any epoch. */
void rv_restart_epochs(struct rv *cpu);

/* All write entries of all TLBs. */
void rv_drop_write_entries(struct rv *cpu);

/* ---- where code is (code-pages.c) ---- */

/* Jumps lead to `host`, which the hart fetches from at pc. */
void rv_code_page_add(struct rv_code_pages *c, uint64_t pc, const uint8_t *host);
void rv_code_pages_clear(struct rv_code_pages *c);

/* Do all of them, or that of va if it is one, lead where they led, as seen under satp and view? */
bool rv_code_pages_hold(struct rv *cpu, const struct rv_code_pages *c, uint64_t satp, uint32_t view);
bool rv_code_page_holds(struct rv *cpu, const struct rv_code_pages *c, uint64_t satp, uint32_t view, uint64_t va);

/* ---- what fence.i has to look at (fresh.c) ---- */

/* For the only hart of a machine. */
struct rv_fresh *rv_fresh_new(struct bus *bus);
void rv_fresh_free(struct rv_fresh *w);

/* The page of `host` can be written from now on without a look. */
void rv_fresh_write(struct rv_fresh *w, const uint8_t *host);

/* Blocks will be decoded from the page that starts here; all have been forgotten. */
void rv_fresh_code(struct rv_fresh *w, const uint8_t *page);
void rv_fresh_forget(struct rv_fresh *w, const uint8_t *page);

/* fence.i, unprivileged spec 6: later fetches see earlier stores. */
void rv_fence_code(struct rv *cpu);

/* ---- decoded code (block.c) ---- */

struct rv_code *rv_code_new(void);

/* Forgets the blocks decoded from a page (its start in host memory) unless they are what memory holds; true when any
 * were. */
bool rv_compare_code(struct rv *cpu, const uint8_t *page);
void rv_code_free(struct rv_code *code);
uint8_t *rv_code_blocks(const struct rv_code *code);

/* The block at cpu->pc, decoded if need be, or NULL after its fetch has trapped or a debugger's breakpoint was hit. */
const struct rv_block *rv_find_block(struct rv *cpu);

/* A block of the cache by the number that host code knows its instructions by, and that number. */
struct rv_block *rv_block_at(struct rv *cpu, uint32_t site, unsigned *index);
uint32_t rv_site(const struct rv *cpu, const struct rv_block *b, unsigned index);

/* The decoded block at another address of b's page, or NULL. */
struct rv_block *rv_block_beside(struct rv *cpu, const struct rv_block *b, uint64_t pc);

/* The cache is emptied as soon as no block is in use. */
void rv_code_is_full(struct rv *cpu);

/* ---- blocks as host code (native.c, translate.c) ---- */

/* False when the host gives no code memory. */
bool rv_native_init(struct rv *cpu);
void rv_native_free(struct rv *cpu);

/* All code is forgotten; none is running. */
void rv_native_forget(struct rv *cpu);

/* A new block: counts its runs, and becomes host code when it is worth it. */
void rv_native_adopt(struct rv *cpu, struct rv_block *b);

/* Blocks of one page that become host code together, each with a way in. */
enum { RV_REGION_MAX = 16, RV_REGION_INSNS = 480 };
struct rv_region {
    unsigned count;
    struct rv_block *block[RV_REGION_MAX];
};

/* As IR, a label for each block; false when host code would be no gain. */
bool rv_translate(struct rv *cpu, const struct rv_region *region, struct ir_block *ir);

/* The loop that b is part of: blocks of its page from which direct jumps lead to b and back, in order of their
 * addresses. No blocks: there is none, or it is too large. `again`: also those that are translated as part of a
 * loop. */
struct rv_region rv_find_loop(struct rv *cpu, struct rv_block *b, bool again);

/* b and what has most often run behind it, block after block, as long as it is of no loop and not yet host code
 * (chain.c). */
struct rv_region rv_find_chain(struct rv *cpu, struct rv_block *b);

/* Where a block goes by direct jumps, and where the call that it ends with returns to. Of `which` bit 1 << RV_TAKEN and
 * so on is set when there is such a way. */
enum { RV_TAKEN, RV_ON, RV_BACK, RV_WAYS };
struct rv_ways {
    unsigned which;
    uint64_t to[RV_WAYS];
};
struct rv_ways rv_ways(const struct rv *cpu, const struct rv_block *b);

/* The registers that calls and returns use, unprivileged spec 2.5.1. */
static inline bool rv_is_link(unsigned reg)
{
    return reg == 1 || reg == 5;
}

/* The block at this address, when it is decoded and of b's page. */
struct rv_block *rv_block_near(struct rv *cpu, const struct rv_block *b, uint64_t pc);

/* ---- host code against the interpreter (check.c) ---- */

/* What a hart saves (riscv.c). */
extern const struct state_field rv_fields[];

struct rv_check *rv_check_new(void);
void rv_check_free(struct rv *cpu);

/* A slice of at most this size on both. When they differ, cpu->cpu.fault says in what. */
void rv_check_slice(struct rv *cpu, int64_t most);

/* For whoever writes RAM: to the page of gpa; or accesses a device. Before anything of it is done. */
void rv_check_write(struct rv *cpu, uint64_t gpa);
void rv_check_device(struct rv *cpu);

/* ---- for a debugger (debug.c) ---- */

bool rv_set_break(struct cpu *cpu, uint64_t gva, bool on);
bool rv_set_watch(struct cpu *cpu, uint64_t gva, uint64_t len, unsigned kinds, bool on);
void rv_step(struct cpu *cpu);

/* death.c: cpu_ops.plight. */
void rv_plight(struct cpu *cpu, struct cpu_plight *out);

/* Is anything set that pc has to be looked at for, one instruction at a time? */
bool rv_debug_close_look(const struct rv *cpu, uint64_t pc);

/* True when run() is to stop before the instruction at pc. */
bool rv_debug_stops(struct rv *cpu, uint64_t pc);

/* A data access that has passed all checks; `write`: a store or an atomic. */
void rv_debug_access(struct rv *cpu, uint64_t va, unsigned size, bool write);

/* Must accesses to the page of va stay out of the soft TLB? */
bool rv_debug_watched(const struct rv *cpu, uint64_t va);

/* ---- the timer of Sstc (timer.c) ---- */

uint64_t rv_time(struct rv *cpu);
void rv_stimer_fired(void *cpu);

/* Derives mip.STIP and the timer from stimecmp. Takes the machine lock. */
void rv_settle_stimecmp(struct rv *cpu);

/* ---- PMP (pmp.c) ---- */

/* Recomputes ranges from cfg and addr. */
void rv_pmp_derive(struct rv *cpu);

/* May an access of `access` kind (enum rv_access) at effective privilege `priv` touch [gpa, gpa + len)? */
bool rv_pmp_allows(const struct rv *cpu, uint64_t gpa, uint64_t len, unsigned priv, int access);

/* One answer for all of the page? */
bool rv_pmp_uniform(const struct rv *cpu, uint64_t gpa_page);

/* ---- mstatus ---- */

#define MSTATUS_SIE BIT(1)
#define MSTATUS_MIE BIT(3)
#define MSTATUS_SPIE BIT(5)
#define MSTATUS_UBE BIT(6)
#define MSTATUS_MPIE BIT(7)
#define MSTATUS_SPP BIT(8)
#define MSTATUS_VS (3 * BIT(9))
#define MSTATUS_MPP (3 * BIT(11))
#define MSTATUS_FS (3 * BIT(13))
#define MSTATUS_MPRV BIT(17)
#define MSTATUS_SUM BIT(18)
#define MSTATUS_MXR BIT(19)
#define MSTATUS_TVM BIT(20)
#define MSTATUS_TW BIT(21)
#define MSTATUS_TSR BIT(22)

#define ENVCFG_FIOM BIT(0)
#define ENVCFG_CBIE (3 * BIT(4))
#define ENVCFG_CBCFE BIT(6)
#define ENVCFG_CBZE BIT(7)
#define ENVCFG_ADUE BIT(61)
#define ENVCFG_PBMTE BIT(62)
#define ENVCFG_STCE BIT(63)

/* Floating-point instructions: illegal when mstatus.FS is Off. */
static inline void fp_enter(struct rv *cpu, const struct rv_op *op)
{
    if (unlikely(!(cpu->mstatus & MSTATUS_FS)))
        rv_illegal(cpu, op);
}

/* After a write of an f register, fflags or frm. */
static inline void fp_dirty(struct rv *cpu)
{
    cpu->mstatus |= MSTATUS_FS;
}

#endif
