/*
 * atomic.c - atomic instructions: A (LR/SC and AMOs), Zacas.
 *
 * RISC-V Instruction Set Manual, volume I (20240411), chapter "A"; Zacas specification 1.0. Guest
 * atomics are host atomics on the guest's memory, all sequentially consistent: locked instructions on x86, so
 * aq and rl are not looked at. Misaligned ones and those outside RAM are exceptions (rv_atomic_address).
 *
 * LR/SC. Memory is divided into granules of 64 bytes; each hashes to a `struct rv_granule` {owner, lock}.
 *
 *   LR     owner := hart | 0x80; barrier; wait while locked; value := memory
 *   SC     lock; owner still hart | 0x80?  memory: value -> new by compare-and-swap; unlock
 *   store  wait while locked; owner := hart; memory := new          (stores, AMOs, cbo.zero)
 *
 * Why an SC never succeeds over another hart's store S to the granule, even one that puts the old value back:
 *   - S's owner byte becomes visible before its data (release; TSO). If it is visible when the SC looks, the
 *     SC fails.
 *   - Otherwise S's data is not visible at that moment either. If it becomes visible before the
 *     compare-and-swap and changes the value, the swap fails; if later, S comes after the SC in coherence
 *     order, as if S had waited.
 *   - Another hart's SC: LR writes the owner, then reads the lock; SC takes the lock, then reads the owner,
 *     all sequentially consistent. So either that SC sees the new owner and fails, or the LR sees the lock
 *     and reads the value after it.
 * A granule has one owner: the reservation that was made last. When two harts spin in the same loop, the
 * later LR wins unless the loser is back at its LR before the winner's SC; nothing but timing rules out that
 * they go on like that.
 *
 * Not covered:
 *   - A store that has passed `wait while locked` and sits in the host's store buffer when the SC looks at
 *     the owner, and then drains between the look and the swap, is only seen by its value. A silent store
 *     there, or two that restore the value, do not fail the SC. Only a third hart that saw the value in
 *     between could tell.
 *   - A hart's own store to the granule between its LR and SC fails the SC, which the manual allows. With one
 *     hart (granule_mask 0) stores leave no stamps, and only one that changes the word does.
 *   - A host thread that is descheduled while it holds the lock (a few instructions) delays the stores to
 *     that granule.
 */
#include "mem.h"
#include "state.h"

enum { RESERVED = 0x80 }; /* leaves room for 127 harts */

static uint64_t word(uint64_t value)
{
    return (uint64_t)(int64_t)(int32_t)value;
}

static uint8_t reservation_of(const struct rv *cpu)
{
    return (uint8_t)((cpu->cpu.index + 1) | RESERVED);
}

/* What an LR remembers of its address: the size is part of it, so that an SC of the other size fails. */
static uint64_t reservation_address(const uint8_t *hva, unsigned size)
{
    return (uintptr_t)hva | (size == 8);
}

/* Compare-and-swap of 4 or 8 bytes. */
static bool swap(uint8_t *hva, unsigned size, uint64_t expected, uint64_t desired)
{
    uint32_t expected32 = (uint32_t)expected;

    if (size == 4)
        return __atomic_compare_exchange_n((uint32_t *)(void *)hva, &expected32, (uint32_t)desired, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return __atomic_compare_exchange_n((uint64_t *)(void *)hva, &expected, desired, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

static uint64_t load_reserved(struct rv *cpu, const struct rv_op *op, unsigned size)
{
    uint8_t *hva = rv_atomic_address(cpu, op, rv_ea(cpu, op), size, ACCESS_READ);
    struct rv_granule *g = rv_granule_of(cpu, hva);

    atomic_store(&g->owner, reservation_of(cpu));
    while (unlikely(atomic_load(&g->lock)))
        cpu_relax();
    cpu->reserved_value = host_load(hva, size);
    cpu->reserved_hva = reservation_address(hva, size);
    cpu->reserved = true;
    return cpu->reserved_value;
}

/* The SC itself, once the hart knows that it holds a reservation on hva. */
static bool store_reserved(struct rv *cpu, uint8_t *hva, uint64_t value, unsigned size)
{
    struct rv_granule *g = rv_granule_of(cpu, hva);
    uint8_t unlocked = 0;
    bool done;

    while (!atomic_compare_exchange_weak(&g->lock, &unlocked, 1)) {
        unlocked = 0;
        cpu_relax();
    }
    done = atomic_load(&g->owner) == reservation_of(cpu) && swap(hva, size, cpu->reserved_value, value);
    atomic_store_explicit(&g->lock, 0, memory_order_release);
    return done;
}

/* 0 when the store was done, else 1. The reservation is gone either way, but an exception leaves it. */
static uint64_t store_conditional(struct rv *cpu, const struct rv_op *op, unsigned size)
{
    uint8_t *hva = rv_atomic_address(cpu, op, rv_ea(cpu, op), size, ACCESS_WRITE);
    bool held = cpu->reserved && cpu->reserved_hva == reservation_address(hva, size);

    cpu->reserved = false;
    return !(held && store_reserved(cpu, hva, get_x(cpu, op->rs2), size));
}

void exec_lr_w(struct rv *cpu, const struct rv_op *op)
{
    set_x(cpu, op->rd, word(load_reserved(cpu, op, 4)));
    next(cpu, op);
}

void exec_lr_d(struct rv *cpu, const struct rv_op *op)
{
    set_x(cpu, op->rd, load_reserved(cpu, op, 8));
    next(cpu, op);
}

void exec_sc_w(struct rv *cpu, const struct rv_op *op)
{
    set_x(cpu, op->rd, store_conditional(cpu, op, 4));
    next(cpu, op);
}

void exec_sc_d(struct rv *cpu, const struct rv_op *op)
{
    set_x(cpu, op->rd, store_conditional(cpu, op, 8));
    next(cpu, op);
}

/* ---- AMOs ---- */

/* Address of an AMO's operand, whose reservations it breaks. */
static uint8_t *amo_address(struct rv *cpu, const struct rv_op *op, unsigned size)
{
    uint8_t *hva = rv_atomic_address(cpu, op, rv_ea(cpu, op), size, ACCESS_WRITE);

    rv_break_reservation(cpu, hva);
    return hva;
}

static uint32_t *amo_w(struct rv *cpu, const struct rv_op *op)
{
    return (uint32_t *)(void *)amo_address(cpu, op, 4);
}

static uint64_t *amo_d(struct rv *cpu, const struct rv_op *op)
{
    return (uint64_t *)(void *)amo_address(cpu, op, 8);
}

static void finish_w(struct rv *cpu, const struct rv_op *op, uint32_t old)
{
    set_x(cpu, op->rd, word(old));
    next(cpu, op);
}

static void finish_d(struct rv *cpu, const struct rv_op *op, uint64_t old)
{
    set_x(cpu, op->rd, old);
    next(cpu, op);
}

void exec_amoswap_w(struct rv *cpu, const struct rv_op *op)
{
    finish_w(cpu, op, __atomic_exchange_n(amo_w(cpu, op), (uint32_t)get_x(cpu, op->rs2), __ATOMIC_SEQ_CST));
}

void exec_amoswap_d(struct rv *cpu, const struct rv_op *op)
{
    finish_d(cpu, op, __atomic_exchange_n(amo_d(cpu, op), get_x(cpu, op->rs2), __ATOMIC_SEQ_CST));
}

void exec_amoadd_w(struct rv *cpu, const struct rv_op *op)
{
    finish_w(cpu, op, __atomic_fetch_add(amo_w(cpu, op), (uint32_t)get_x(cpu, op->rs2), __ATOMIC_SEQ_CST));
}

void exec_amoadd_d(struct rv *cpu, const struct rv_op *op)
{
    finish_d(cpu, op, __atomic_fetch_add(amo_d(cpu, op), get_x(cpu, op->rs2), __ATOMIC_SEQ_CST));
}

void exec_amoxor_w(struct rv *cpu, const struct rv_op *op)
{
    finish_w(cpu, op, __atomic_fetch_xor(amo_w(cpu, op), (uint32_t)get_x(cpu, op->rs2), __ATOMIC_SEQ_CST));
}

void exec_amoxor_d(struct rv *cpu, const struct rv_op *op)
{
    finish_d(cpu, op, __atomic_fetch_xor(amo_d(cpu, op), get_x(cpu, op->rs2), __ATOMIC_SEQ_CST));
}

void exec_amoand_w(struct rv *cpu, const struct rv_op *op)
{
    finish_w(cpu, op, __atomic_fetch_and(amo_w(cpu, op), (uint32_t)get_x(cpu, op->rs2), __ATOMIC_SEQ_CST));
}

void exec_amoand_d(struct rv *cpu, const struct rv_op *op)
{
    finish_d(cpu, op, __atomic_fetch_and(amo_d(cpu, op), get_x(cpu, op->rs2), __ATOMIC_SEQ_CST));
}

void exec_amoor_w(struct rv *cpu, const struct rv_op *op)
{
    finish_w(cpu, op, __atomic_fetch_or(amo_w(cpu, op), (uint32_t)get_x(cpu, op->rs2), __ATOMIC_SEQ_CST));
}

void exec_amoor_d(struct rv *cpu, const struct rv_op *op)
{
    finish_d(cpu, op, __atomic_fetch_or(amo_d(cpu, op), get_x(cpu, op->rs2), __ATOMIC_SEQ_CST));
}

/* Hosts have no atomic minimum and maximum: retry until nothing came between. */

typedef bool keep_fn(uint64_t memory, uint64_t value);

static bool keep_min(uint64_t memory, uint64_t value)
{
    return (int64_t)memory <= (int64_t)value;
}

static bool keep_max(uint64_t memory, uint64_t value)
{
    return (int64_t)memory >= (int64_t)value;
}

static bool keep_minu(uint64_t memory, uint64_t value)
{
    return memory <= value;
}

static bool keep_maxu(uint64_t memory, uint64_t value)
{
    return memory >= value;
}

/* Sign-extended words keep both orders. */
static uint32_t select_w(uint32_t *p, uint32_t value, keep_fn *keep)
{
    uint32_t old = __atomic_load_n(p, __ATOMIC_SEQ_CST);

    while (!__atomic_compare_exchange_n(p, &old, keep(word(old), word(value)) ? old : value, true,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
    return old;
}

static uint64_t select_d(uint64_t *p, uint64_t value, keep_fn *keep)
{
    uint64_t old = __atomic_load_n(p, __ATOMIC_SEQ_CST);

    while (!__atomic_compare_exchange_n(p, &old, keep(old, value) ? old : value, true, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
        ;
    return old;
}

void exec_amomin_w(struct rv *cpu, const struct rv_op *op)
{
    finish_w(cpu, op, select_w(amo_w(cpu, op), (uint32_t)get_x(cpu, op->rs2), keep_min));
}

void exec_amomin_d(struct rv *cpu, const struct rv_op *op)
{
    finish_d(cpu, op, select_d(amo_d(cpu, op), get_x(cpu, op->rs2), keep_min));
}

void exec_amomax_w(struct rv *cpu, const struct rv_op *op)
{
    finish_w(cpu, op, select_w(amo_w(cpu, op), (uint32_t)get_x(cpu, op->rs2), keep_max));
}

void exec_amomax_d(struct rv *cpu, const struct rv_op *op)
{
    finish_d(cpu, op, select_d(amo_d(cpu, op), get_x(cpu, op->rs2), keep_max));
}

void exec_amominu_w(struct rv *cpu, const struct rv_op *op)
{
    finish_w(cpu, op, select_w(amo_w(cpu, op), (uint32_t)get_x(cpu, op->rs2), keep_minu));
}

void exec_amominu_d(struct rv *cpu, const struct rv_op *op)
{
    finish_d(cpu, op, select_d(amo_d(cpu, op), get_x(cpu, op->rs2), keep_minu));
}

void exec_amomaxu_w(struct rv *cpu, const struct rv_op *op)
{
    finish_w(cpu, op, select_w(amo_w(cpu, op), (uint32_t)get_x(cpu, op->rs2), keep_maxu));
}

void exec_amomaxu_d(struct rv *cpu, const struct rv_op *op)
{
    finish_d(cpu, op, select_d(amo_d(cpu, op), get_x(cpu, op->rs2), keep_maxu));
}

/* ---- Zacas: rd is compared and gets the old value. Pairs are even registers; x0 is zeros. ---- */

/* A register of the pair that starts at r, as a source. */
static uint64_t pair(const struct rv *cpu, unsigned r, unsigned half)
{
    return r == 0 || r == RV_SINK ? 0 : get_x(cpu, r + half);
}

static void set_pair(struct rv *cpu, unsigned rd, uint64_t low, uint64_t high)
{
    if (rd == RV_SINK)
        return;
    set_x(cpu, rd, low);
    set_x(cpu, rd + 1, high);
}

/* The old value; memory becomes `desired` when it was `expected`. */
static uint64_t compare_and_swap_d(uint64_t *p, uint64_t expected, uint64_t desired)
{
    __atomic_compare_exchange_n(p, &expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return expected;
}

static uint32_t compare_and_swap_w(uint32_t *p, uint32_t expected, uint32_t desired)
{
    __atomic_compare_exchange_n(p, &expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return expected;
}

static unsigned __int128 compare_and_swap_q(unsigned __int128 *p, unsigned __int128 expected,
                                            unsigned __int128 desired)
{
#if defined(__x86_64__)
    /* Every x86-64 host but the first ones has it; without -mcx16 compilers call a library instead. */
    uint64_t low = (uint64_t)expected, high = (uint64_t)(expected >> 64);

    __asm__ volatile("lock cmpxchg16b %0"
                     : "+m"(*p), "+a"(low), "+d"(high)
                     : "b"((uint64_t)desired), "c"((uint64_t)(desired >> 64))
                     : "cc", "memory");
    return (unsigned __int128)high << 64 | low;
#else
    return __sync_val_compare_and_swap(p, expected, desired);
#endif
}

void exec_amocas_w(struct rv *cpu, const struct rv_op *op)
{
    uint32_t expected = (uint32_t)pair(cpu, op->rd, 0);

    finish_w(cpu, op, compare_and_swap_w(amo_w(cpu, op), expected, (uint32_t)get_x(cpu, op->rs2)));
}

void exec_amocas_d(struct rv *cpu, const struct rv_op *op)
{
    uint64_t expected = pair(cpu, op->rd, 0);

    finish_d(cpu, op, compare_and_swap_d(amo_d(cpu, op), expected, get_x(cpu, op->rs2)));
}

void exec_amocas_d32(struct rv *cpu, const struct rv_op *op)
{
    uint64_t expected = (uint32_t)pair(cpu, op->rd, 0) | pair(cpu, op->rd, 1) << 32;
    uint64_t desired = (uint32_t)pair(cpu, op->rs2, 0) | pair(cpu, op->rs2, 1) << 32;
    uint64_t old = compare_and_swap_d(amo_d(cpu, op), expected, desired);

    set_pair(cpu, op->rd, word(old), word(old >> 32));
    next(cpu, op);
}

void exec_amocas_q(struct rv *cpu, const struct rv_op *op)
{
    unsigned __int128 expected = (unsigned __int128)pair(cpu, op->rd, 1) << 64 | pair(cpu, op->rd, 0);
    unsigned __int128 desired = (unsigned __int128)pair(cpu, op->rs2, 1) << 64 | pair(cpu, op->rs2, 0);
    unsigned __int128 *p = (unsigned __int128 *)(void *)amo_address(cpu, op, 16);
    unsigned __int128 old = compare_and_swap_q(p, expected, desired);

    set_pair(cpu, op->rd, (uint64_t)old, (uint64_t)(old >> 64));
    next(cpu, op);
}
