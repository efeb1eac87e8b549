/*
 * abuse.c - a guest that does to the devices of `virt` what no driver does. M mode, every hart at once.
 *
 * It writes numbers of every width to registers and to places beside them, sets up virtqueues that are almost right, with
 * buffers anywhere, rings, resets, sleeps until a timer, and resets the whole machine while requests are under way. The
 * emulator must live through it; what devices answer is not looked at.
 *
 * PARAMETERS holds the seed and the number of rounds of hart 0 (-device loader,addr=,data=). Power-off with status 0
 * ends it.
 */
#include "abuse.h"

struct parameters {
    uint64_t seed, rounds;
};
#define PARAMETERS ((const volatile struct parameters *)0x800ff000)

/* What outlives a reset of the machine: it is not in the image, which a reset loads again. */
enum { CARRY_MAGIC = 0x61627573, RESETS = 3 };
struct carry {
    uint32_t magic, resets;
};
#define CARRY ((volatile struct carry *)0x800f0000)

/* ---- accesses ---- */

void store(uint64_t gpa, unsigned width, uint64_t value)
{
    switch (width) {
    case 1: __asm__ volatile("sb %0, 0(%1)" : : "r"(value), "r"(gpa) : "memory"); break;
    case 2: __asm__ volatile("sh %0, 0(%1)" : : "r"(value), "r"(gpa) : "memory"); break;
    case 4: __asm__ volatile("sw %0, 0(%1)" : : "r"(value), "r"(gpa) : "memory"); break;
    default: __asm__ volatile("sd %0, 0(%1)" : : "r"(value), "r"(gpa) : "memory"); break;
    }
}

/* 0 when the load faults. */
uint64_t load(uint64_t gpa, unsigned width)
{
    uint64_t value = 0;

    switch (width) {
    case 1: __asm__ volatile("lbu %0, 0(%1)" : "+r"(value) : "r"(gpa) : "memory"); break;
    case 2: __asm__ volatile("lhu %0, 0(%1)" : "+r"(value) : "r"(gpa) : "memory"); break;
    case 4: __asm__ volatile("lwu %0, 0(%1)" : "+r"(value) : "r"(gpa) : "memory"); break;
    default: __asm__ volatile("ld %0, 0(%1)" : "+r"(value) : "r"(gpa) : "memory"); break;
    }
    return value;
}

/* ---- odd numbers ---- */

/* Not in this program's megabyte nor in the one below it, from where a ring could reach it. */
static uint32_t not_ours(uint32_t half)
{
    return (half + OWN_SIZE) >> 21 == RAM >> 21 ? half ^ (uint32_t)(2 * OWN_SIZE) : half;
}

static uint32_t spare_us(uint32_t half)
{
    return swap32(not_ours(swap32(not_ours(half))));
}

uint64_t odd_number(struct abuser *a)
{
    uint64_t v = rnd(a);

    switch (below(a, 8)) {
    case 0: v &= 1; break;
    case 1: v = UINT64_C(1) << (v & 63); break;
    case 2: v = (UINT64_C(1) << (v & 63)) - 1; break;
    case 3: v &= 0xff; break;
    case 4: v = -(v & 0xff); break;
    case 5: v &= 0xffff; break;
    case 6: v = odd_address(a); break;
    default: break;
    }
    return (uint64_t)spare_us((uint32_t)(v >> 32)) << 32 | spare_us((uint32_t)v);
}

uint64_t odd_address(struct abuser *a)
{
    static const uint64_t edges[] = {
        0,     0x1000, TEST, RTC,          CLINT,          PLIC,           UART,   VIRTIO,     FW_CFG,
        FLASH, SSWI,   RAM - 2 * OWN_SIZE, RAM + RAM_SIZE, RAM + RAM_SIZE, -1ULL, 1ULL << 63, 1ULL << 32,
    };
    uint64_t v = rnd(a);

    switch (below(a, 16)) {
    case 0: return edges[v % (sizeof edges / sizeof edges[0])] + (v >> 32 & 0xfff);
    case 1: return edges[v % (sizeof edges / sizeof edges[0])] - (v >> 32 & 0xfff);
    case 2: return spare_us((uint32_t)v);
    case 3: return (v >> 32 | 1) << 32 | spare_us((uint32_t)v);
    case 4: return RINGS + (v & 0xfffff); /* a ring in a ring */
    default: return RAM + OWN_SIZE + v % (RAM_SIZE - OWN_SIZE);
    }
}

uint32_t odd_length(struct abuser *a)
{
    uint32_t v = (uint32_t)rnd(a);

    switch (below(a, 16)) {
    case 0: return v;
    case 1: return 0;
    case 2: return v & 0xfffff;
    case 3: return -(v & 0xff);
    default: return v & 0xfff;
    }
}

/* ---- any register of any device ---- */

/* Windows, and how far their registers lie apart. */
static const struct window {
    uint64_t base, used, size;
    unsigned step, weight;
} windows[] = {
    { 0x1000, 0x100, 0xf000, 4, 1 },
    { TEST, 0x10, 0x1000, 4, 1 },
    { RTC, 0x20, 0x1000, 4, 4 },
    { CLINT, 0x40, 0x10000, 4, 2 },
    { CLINT + MTIMECMP, 0x40, 0xc000, 8, 2 },
    { CLINT + 0xbff0, 0x10, 0x10, 4, 1 },
    { SSWI, 0x40, 0x4000, 4, 1 },
    { PLIC, 0x180, 0x600000, 4, 2 },
    { PLIC + 0x1000, 0x10, 0x100, 4, 1 },
    { PLIC + 0x2000, 0x400, 0x1000, 4, 2 },
    { PLIC + 0x200000, 0x4000, 0x10000, 4, 2 },
    { UART, 8, 0x100, 1, 6 },
    { VIRTIO, 0x110, 0x1000, 4, 3 },
    { VIRTIO + 0x1000, 0x110, 0x1000, 4, 3 },
    { VIRTIO + 0x2000, 0x110, 0x1000, 4, 3 },
    { VIRTIO + 0x3000, 0x110, 0x1000, 4, 3 },
    { VIRTIO + 0x4000, 0x110, 0x1000, 4, 3 },
    { VIRTIO + 0x5000, 0x110, 0x1000, 4, 3 },
    { VIRTIO + 0x6000, 0x110, 0x1000, 4, 3 },
    { VIRTIO + 0x7000, 0x110, 0x1000, 4, 3 },
    { FW_CFG, 0x18, 0x20, 2, 5 },
    { FLASH, 0x100, FLASH_SIZE, 2, 2 },
    { FLASH + FLASH_SIZE, 0x100, FLASH_SIZE + 0x100, 2, 2 },
    { 0x3000000, 0x1000, 0x10000, 4, 1 },  /* nothing is there */
    { 0x30000000, 0x1000, 0x10000000, 4, 1 },
    { RAM + RAM_SIZE - 8, 16, 0x1000, 1, 1 },
};
enum { WINDOWS = sizeof windows / sizeof windows[0] };

static const struct window *any_window(struct abuser *a)
{
    unsigned total = 0;

    for (unsigned i = 0; i < WINDOWS; i++)
        total += windows[i].weight;
    unsigned pick = below(a, total), i = 0;
    while (pick >= windows[i].weight)
        pick -= windows[i++].weight;
    return &windows[i];
}

/* The finisher ends the run before its time, so only its neighbourhood is written. */
static bool ends_the_run(uint64_t gpa)
{
    return gpa + 8 > TEST && gpa < TEST + 4;
}

static void poke(struct abuser *a)
{
    const struct window *w = any_window(a);
    uint64_t gpa = w->base + (once_in(a, 8) ? rnd(a) % w->size : rnd(a) % w->used / w->step * w->step);
    unsigned width = once_in(a, 2) ? 4 : 1u << below(a, 4);

    if (!once_in(a, 16))
        gpa &= ~(uint64_t)(width - 1);
    if (once_in(a, 3) || ends_the_run(gpa))
        load(gpa, width);
    else
        store(gpa, width, odd_number(a));
}

/* ---- interrupts ---- */

void interrupt(uint64_t cause)
{
    uint64_t hart, number = cause & 63;
    uint32_t source;

    __asm__ volatile("csrr %0, mhartid" : "=r"(hart));
    __asm__ volatile("csrc mie, %0" : : "r"(UINT64_C(1) << number));
    switch (number) {
    case 1: __asm__ volatile("csrci mip, 2"); break;
    case 3: store32(CLINT + 4 * hart, 0); break;
    case 7: store(CLINT + MTIMECMP + 8 * hart, 8, UINT64_MAX); break;
    case 11:
        source = (uint32_t)load(PLIC + 0x200004 + 0x2000 * hart, 4);
        if (source >= 1 && source <= SLOTS)
            store32(VIRTIO + 0x1000 * (source - 1) + 0x64, UINT32_MAX);
        if (source % 4) /* the others stay in service until somebody guesses their number */
            store32(PLIC + 0x200004 + 0x2000 * hart, source);
        break;
    default: break;
    }
}

static void interrupts_on_or_off(struct abuser *a)
{
    uint64_t bits = rnd(a) & 0xaaa;

    __asm__ volatile("csrw mie, %0" : : "r"(bits));
    if (once_in(a, 2))
        __asm__ volatile("csrsi mstatus, 8" ::: "memory");
    else
        __asm__ volatile("csrci mstatus, 8" ::: "memory");
}

/* ---- the run ---- */

static void (*const actions[])(struct abuser *) = {
    poke, poke, poke, poke, poke, poke, poke, poke, virtio_set_up, virtio_set_up, virtio_chains, virtio_chains,
    virtio_chains, virtio_chains, virtio_chains, virtio_stop, fw_cfg_dma, flash_commands, uart_play, plic_play, timers,
    rtc_play, interrupts_on_or_off,
};

static void reset_machine(void)
{
    CARRY->resets++;
    for (;;)
        store32(TEST, 0x7777);
}

void abuse(unsigned hart)
{
    struct abuser a = { .hart = hart };

    if (hart == 0 && CARRY->magic != CARRY_MAGIC) {
        CARRY->magic = CARRY_MAGIC;
        CARRY->resets = 0;
    }
    uint32_t lap = hart == 0 ? CARRY->resets : 0;
    a.state = PARAMETERS->seed + hart * UINT64_C(0x100000001) + lap * UINT64_C(0x10001000100);
    for (uint64_t i = 0; hart != 0 || i < PARAMETERS->rounds / (RESETS + 1); i++) /* hart 0 says when it is over */
        actions[below(&a, sizeof actions / sizeof actions[0])](&a);
    if (CARRY->resets < RESETS)
        reset_machine();
    for (;;)
        store32(TEST, 0x5555);
}
