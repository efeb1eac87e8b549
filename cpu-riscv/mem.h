/*
 * mem.h - loads and stores of a hart. The fast path is a hit of the software TLB on an aligned access; everything else
 * (miss, misaligned, device, PMP inside a page) is in mmu.c. A fault does not return.
 */
#ifndef RISCV_MEM_H
#define RISCV_MEM_H

#include "state.h"

enum rv_access { ACCESS_READ = TLB_READ, ACCESS_WRITE = TLB_WRITE, ACCESS_EXEC = TLB_EXEC };

uint64_t rv_load_slow(struct rv *cpu, const struct rv_op *op, uint64_t va, unsigned size);
void rv_store_slow(struct rv *cpu, const struct rv_op *op, uint64_t va, uint64_t value, unsigned size);

/* Host address of a naturally aligned `size`-byte (1..64) RAM access, or a fault: misaligned → address-misaligned,
 * not RAM → access fault. For atomics and cbo.zero; WRITE also checks read permission where the manual says so. */
uint8_t *rv_atomic_address(struct rv *cpu, const struct rv_op *op, uint64_t va, unsigned size, enum rv_access access);

/* Checks an access of `size` bytes inside one page without performing it (cbo.*, prefetch faults): 0, or the cause. */
int rv_check_access(struct rv *cpu, uint64_t va, unsigned size, enum rv_access access);

/* Host address of the instruction bytes at va (2 of them, 2-aligned), or NULL with the cause of the fault. */
const uint8_t *rv_fetch_address(struct rv *cpu, uint64_t va, int *cause);

/* The host page that va's page would be fetched from under satp and view, if that is as plain as the jump cache takes
 * it for; NULL: a fault, a device, or the page table would be written (its A bit). Changes nothing. */
const uint8_t *rv_fetches_from(struct rv *cpu, uint64_t satp, uint32_t view, uint64_t va);

/* cpu_ops.translate. */
bool rv_translate_debug(struct cpu *cpu, uint64_t gva, uint64_t *gpa);

/* Before an access to va: brings its page into the TLB. False when it is there already, or cannot be; whatever there
 * is to be done, the instruction does. */
bool rv_touch(struct rv *cpu, uint64_t va, enum rv_access access);

/* Effective address of a load or store. */
static inline uint64_t rv_ea(const struct rv *cpu, const struct rv_op *op)
{
    return (cpu->x[op->rs1] + (uint64_t)(int64_t)op->imm) & cpu->va_mask;
}

static inline uint64_t host_load(const uint8_t *p, unsigned size)
{
    switch (size) {
    case 1: return __atomic_load_n(p, __ATOMIC_RELAXED);
    case 2: return __atomic_load_n((const uint16_t *)(const void *)p, __ATOMIC_RELAXED);
    case 4: return __atomic_load_n((const uint32_t *)(const void *)p, __ATOMIC_RELAXED);
    default: return __atomic_load_n((const uint64_t *)(const void *)p, __ATOMIC_RELAXED);
    }
}

static inline void host_store(uint8_t *p, uint64_t v, unsigned size)
{
    switch (size) {
    case 1: __atomic_store_n(p, (uint8_t)v, __ATOMIC_RELAXED); break;
    case 2: __atomic_store_n((uint16_t *)(void *)p, (uint16_t)v, __ATOMIC_RELAXED); break;
    case 4: __atomic_store_n((uint32_t *)(void *)p, (uint32_t)v, __ATOMIC_RELAXED); break;
    default: __atomic_store_n((uint64_t *)(void *)p, v, __ATOMIC_RELAXED); break;
    }
}

/* The granule that a host address belongs to: 64 bytes. */
static inline struct rv_granule *rv_granule_of(const struct rv *cpu, const uint8_t *hva)
{
    return &cpu->granules[(uintptr_t)hva >> 6 & cpu->granule_mask];
}

/* Every store breaks other harts' reservations on its granule: the owner byte goes first, and no store slips in while
 * an SC on the granule is being decided. */
static inline void rv_break_reservation(struct rv *cpu, const uint8_t *hva)
{
    struct rv_granule *g = rv_granule_of(cpu, hva);

    if (!cpu->granule_mask) /* no other hart */
        return;
    while (unlikely(atomic_load_explicit(&g->lock, memory_order_acquire)))
        cpu_relax();
    atomic_store_explicit(&g->owner, (uint8_t)(cpu->cpu.index + 1), memory_order_release);
}

/* Zero-extended load of 1, 2, 4 or 8 bytes. */
static inline uint64_t rv_load(struct rv *cpu, const struct rv_op *op, uint64_t va, unsigned size)
{
    const uint8_t *hva = tlb_find(&cpu->data->tlb, va, size, TLB_READ);

    return likely(hva) ? host_load(hva, size) : rv_load_slow(cpu, op, va, size);
}

static inline void rv_store(struct rv *cpu, const struct rv_op *op, uint64_t va, uint64_t value, unsigned size)
{
    uint8_t *hva = tlb_find(&cpu->data->tlb, va, size, TLB_WRITE);

    if (unlikely(!hva))
        return rv_store_slow(cpu, op, va, value, size);
    rv_break_reservation(cpu, hva);
    host_store(hva, value, size);
}

#endif
