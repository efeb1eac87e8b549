/* abuse.h - what the parts of the abuse program share: random numbers, accesses, the map of the board. */
#ifndef ABUSE_H
#define ABUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAM UINT64_C(0x80000000)
#define RAM_SIZE UINT64_C(0x4000000)
#define OWN_SIZE UINT64_C(0x100000)        /* at the bottom of RAM: this program */
#define RINGS UINT64_C(0x80200000)         /* for virtqueues and requests */
#define VIRTIO UINT64_C(0x10001000)
#define FW_CFG UINT64_C(0x10100000)
#define CLINT UINT64_C(0x2000000)
#define PLIC UINT64_C(0xc000000)
#define UART UINT64_C(0x10000000)
#define RTC UINT64_C(0x101000)
#define TEST UINT64_C(0x100000)
#define FLASH UINT64_C(0x20000000)
#define FLASH_SIZE UINT64_C(0x2000000)
#define SSWI UINT64_C(0x2f00000)
enum { SLOTS = 8, HARTS = 8, MTIMECMP = 0x4000, MTIME = 0xbff8 };

/* One a hart; `state` is the whole generator. */
struct abuser {
    uint64_t state;
    unsigned hart;
};

static inline uint64_t rnd(struct abuser *a)
{
    uint64_t z = a->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* 0 to n - 1. */
static inline unsigned below(struct abuser *a, unsigned n)
{
    return (unsigned)(rnd(a) >> 33) % n;
}

static inline bool once_in(struct abuser *a, unsigned n)
{
    return below(a, n) == 0;
}

/* __builtin_bswap32 would be a call of libgcc, whose floating-point ABI is another one. */
static inline uint32_t swap32(uint32_t v)
{
    v = (v & 0x00ff00ff) << 8 | (v >> 8 & 0x00ff00ff);
    return v << 16 | v >> 16;
}

void store(uint64_t gpa, unsigned width, uint64_t value);
uint64_t load(uint64_t gpa, unsigned width);

static inline void store32(uint64_t gpa, uint32_t value)
{
    store(gpa, 4, value);
}

/* A number that devices may stumble over; never an address in this program, in either byte order. */
uint64_t odd_number(struct abuser *a);

/* An address for DMA: RAM above this program, devices, ends of RAM, the end of the address space, or anything. */
uint64_t odd_address(struct abuser *a);

/* A length: mostly small. */
uint32_t odd_length(struct abuser *a);

/* virtio.c */
void virtio_set_up(struct abuser *a);
void virtio_chains(struct abuser *a);
void virtio_stop(struct abuser *a);

/* others.c */
void fw_cfg_dma(struct abuser *a);
void flash_commands(struct abuser *a);
void uart_play(struct abuser *a);
void plic_play(struct abuser *a);
void timers(struct abuser *a);
void rtc_play(struct abuser *a);

#endif
