/* others.c - sequences that reach deeper into the devices other than VIRTIO's than single writes do. */
#include "abuse.h"

static void put_be(uint64_t gpa, unsigned width, uint64_t value)
{
    uint64_t swapped = (uint64_t)swap32((uint32_t)value) << 32 | swap32((uint32_t)(value >> 32));

    store(gpa, width, swapped >> (64 - 8 * width));
}

/* fw_cfg's DMA: control, length, address, all big-endian. */
void fw_cfg_dma(struct abuser *a)
{
    uint64_t at = once_in(a, 16) ? odd_address(a) : RINGS + 0x3f0000 + 16 * (uint64_t)below(a, 64);
    uint32_t control = (uint32_t)rnd(a) & 0x1f;

    if (once_in(a, 2))
        control |= 8 | (uint32_t)(once_in(a, 2) ? 0x19 + below(a, 16) : rnd(a)) << 16;
    if (at >= RAM + OWN_SIZE && at < RAM + RAM_SIZE) {
        put_be(at, 4, control);
        put_be(at + 4, 4, odd_length(a));
        put_be(at + 8, 8, odd_address(a));
    }
    if (once_in(a, 2)) {
        put_be(FW_CFG + 16, 8, at);
    } else {
        put_be(FW_CFG + 16, 4, at >> 32);
        put_be(FW_CFG + 20, 4, at);
    }
    put_be(FW_CFG + 8, 2, below(a, 64));
    for (unsigned n = below(a, 16); n; n--)
        load(FW_CFG, 1u << below(a, 4));
}

/* Intel's command set: program, buffered program, erase, lock, queries; on one chip of the pair or on both. */
void flash_commands(struct abuser *a)
{
    static const uint8_t first[] = { 0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0x90, 0x98, 0xe8, 0xe8, 0xff, 0xb0 };
    uint64_t at = FLASH + (once_in(a, 2) ? FLASH_SIZE : 0) + (rnd(a) % FLASH_SIZE & ~UINT64_C(3));
    uint32_t lanes = once_in(a, 4) ? 0x00010000 : 0x00010001;
    uint32_t command = first[below(a, sizeof first)] * lanes;
    unsigned count = below(a, 40);

    store32(at, command);
    if ((command & 0xff) == 0xe8) {
        store32(at, count * lanes);
        for (unsigned i = 0; i <= count; i++)
            store32(at + 4 * (uint64_t)(once_in(a, 64) ? below(a, 1024) : i), (uint32_t)rnd(a));
    }
    store32(at, once_in(a, 4) ? (uint32_t)rnd(a) : 0xd0 * lanes);
    load(at, 1u << below(a, 4));
    if (once_in(a, 2))
        store32(at, 0x00ff00ff);
}

void uart_play(struct abuser *a)
{
    store(UART + 4, 1, rnd(a)); /* MCR: loopback comes and goes */
    store(UART + 1, 1, rnd(a));
    store(UART + 2, 1, rnd(a));
    for (unsigned n = below(a, 40); n; n--)
        store(UART, 1, rnd(a));
    for (unsigned n = below(a, 40); n; n--)
        load(UART + below(a, 8), 1);
}

void plic_play(struct abuser *a)
{
    unsigned context = below(a, 2 * HARTS);
    uint64_t claim = PLIC + 0x200004 + context * UINT64_C(0x1000);

    store32(PLIC + 4 * (uint64_t)below(a, 96), (uint32_t)rnd(a));
    store32(PLIC + 0x2000 + 0x80 * context + 4 * below(a, 3), (uint32_t)rnd(a));
    store32(claim - 4, below(a, 8));
    uint32_t source = (uint32_t)load(claim, 4);
    store32(claim, once_in(a, 8) ? (uint32_t)rnd(a) : source);
}

/* One hart at a time: whoever sets mtime while both fall asleep would leave nobody to wake them. */
static void sleep_alone(void)
{
    static unsigned asleep;

    if (__atomic_exchange_n(&asleep, 1, __ATOMIC_ACQUIRE))
        return;
    __asm__ volatile("csrs mie, %0\n\twfi" : : "r"(0x80) : "memory");
    __atomic_store_n(&asleep, 0, __ATOMIC_RELEASE);
}

/*
 * Sleeps until the timer. All harts' timers are set: another one may have lost its own to a random write. Interrupts are
 * off: one that is taken before the sleep would put the timer off.
 */
void timers(struct abuser *a)
{
    __asm__ volatile("csrci mstatus, 8" ::: "memory");
    uint64_t now = load(CLINT + MTIME, 8);

    if (once_in(a, 8) || now >> 63) /* not near its end: it would wrap before it reaches the comparand */
        store(CLINT + MTIME, 8, now = odd_number(a) >> 1);
    for (unsigned hart = 0; hart < HARTS; hart++)
        store(CLINT + MTIMECMP + 8 * hart, 8, now + below(a, 1000));
    store32(CLINT + 4 * below(a, HARTS), 1);
    if (once_in(a, 4))
        sleep_alone();
}

void rtc_play(struct abuser *a)
{
    uint64_t now = load(RTC, 4) | load(RTC + 4, 4) << 32, alarm = once_in(a, 4) ? odd_number(a) : now + below(a, 1000000);

    if (once_in(a, 8)) {
        store32(RTC + 4, (uint32_t)rnd(a));
        store32(RTC, (uint32_t)rnd(a));
    }
    store32(RTC + 0x10, below(a, 2));
    store32(RTC + 0x0c, (uint32_t)(alarm >> 32));
    store32(RTC + 0x08, (uint32_t)alarm);
    store32(RTC + (once_in(a, 2) ? 0x14 : 0x1c), 1);
}
