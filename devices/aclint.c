/*
 * aclint.c - RISC-V advanced core local interruptor.
 *
 * Models "RISC-V Advanced Core Local Interruptor Specification" 1.0-rc4: MTIMER (chapter 2) and MSWI (chapter
 * 3) in one window with the layout of SiFive's CLINT, and SSWI (chapter 4) as a device of its own.
 *
 * mtime is guest time x timebase / 10^9 + offset; the offset comes from writes to mtime.
 *
 * Inaccuracies: a reset makes mtime follow guest time again instead of clearing it, so that it stays equal to
 * the harts' time CSR; for the same reason a guest that writes mtime sees it differ from that CSR. mtimecmp,
 * whose reset value is left open, resets to all ones.
 */
#include "aclint.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bits.h"

enum { MSIP_END = 0x3ffc, MTIMECMP_BASE = 0x4000, MTIME_BASE = 0xbff8 };

struct aclint {
    struct device dev;
    struct line msip_lines[ACLINT_MAX_HARTS];
    struct line mtip_lines[ACLINT_MAX_HARTS];
    struct timer timer; /* the earliest mtimecmp that has not passed */
    unsigned harts;
    uint64_t timebase;
    uint64_t offset; /* modulo 2^64 */
    uint64_t mtimecmp[ACLINT_MAX_HARTS];
    uint8_t msip[ACLINT_MAX_HARTS];
};

static const struct state_field fields[] = {
    STATE(struct aclint, offset),
    STATE_ARRAY(struct aclint, mtimecmp),
    { "msip", offsetof(struct aclint, msip), 1, ACLINT_MAX_HARTS, 0, 1 },
    STATE_END,
};

/* Ticks since guest time 0, before the offset. */
static uint64_t raw_ticks(const struct aclint *a)
{
    return (uint64_t)((unsigned __int128)clock_now(a->dev.env.clock) * a->timebase / NS_PER_SEC);
}

/* The first nanosecond at which raw_ticks() is at least `ticks`. */
static uint64_t ticks_to_ns(const struct aclint *a, uint64_t ticks)
{
    unsigned __int128 ns = ((unsigned __int128)ticks * NS_PER_SEC + a->timebase - 1) / a->timebase;

    return ns < CLOCK_NEVER ? (uint64_t)ns : CLOCK_NEVER;
}

uint64_t aclint_mtime(struct device *dev)
{
    struct aclint *a = (struct aclint *)dev;

    return raw_ticks(a) + a->offset;
}

static void settle(struct device *dev)
{
    struct aclint *a = (struct aclint *)dev;
    uint64_t raw = raw_ticks(a), mtime = raw + a->offset, wait = UINT64_MAX;

    for (unsigned h = 0; h < a->harts; h++) {
        bool expired = mtime >= a->mtimecmp[h];
        if (!expired && a->mtimecmp[h] - mtime < wait)
            wait = a->mtimecmp[h] - mtime;
        line_set(&a->mtip_lines[h], expired);
        line_set(&a->msip_lines[h], a->msip[h]);
    }
    timer_arm(&a->timer, wait <= UINT64_MAX - raw ? ticks_to_ns(a, raw + wait) : CLOCK_NEVER);
}

static void on_timer(void *owner)
{
    settle(owner);
}

/* Replaces the 32-bit half of *reg that `off` selects, or all of it. */
static void write_part(uint64_t *reg, uint64_t off, unsigned width, uint64_t value)
{
    unsigned shift = off & 4 ? 32 : 0;

    if (width == 8)
        *reg = value;
    else
        *reg = (*reg & ~(UINT64_C(0xffffffff) << shift)) | value << shift;
}

static uint64_t read_part(uint64_t reg, uint64_t off)
{
    return off & 4 ? reg >> 32 : reg;
}

static uint64_t read_reg(struct device *dev, uint64_t off, unsigned width)
{
    struct aclint *a = (struct aclint *)dev;
    uint64_t hart;

    if (off < MSIP_END && (hart = off / 4) < a->harts)
        return a->msip[hart] | (uint64_t)(width == 8 && hart + 1 < a->harts ? a->msip[hart + 1] : 0) << 32;
    if (off >= MTIMECMP_BASE && (hart = (off - MTIMECMP_BASE) / 8) < a->harts)
        return read_part(a->mtimecmp[hart], off);
    if (off >= MTIME_BASE && off < MTIME_BASE + 8)
        return read_part(aclint_mtime(dev), off);
    if (trace_on(dev->guest_error))
        trace_log(dev->guest_error, "%s: read of offset %#llx", dev->id, (unsigned long long)off);
    return 0;
}

static void write_reg(struct device *dev, uint64_t off, unsigned width, uint64_t value)
{
    struct aclint *a = (struct aclint *)dev;
    uint64_t hart;

    if (off < MSIP_END && (hart = off / 4) < a->harts) {
        a->msip[hart] = value & 1;
        if (width == 8 && hart + 1 < a->harts)
            a->msip[hart + 1] = value >> 32 & 1;
    } else if (off >= MTIMECMP_BASE && (hart = (off - MTIMECMP_BASE) / 8) < a->harts) {
        write_part(&a->mtimecmp[hart], off, width, value);
    } else if (off >= MTIME_BASE && off < MTIME_BASE + 8) {
        uint64_t mtime = aclint_mtime(dev), set = mtime;
        write_part(&set, off, width, value);
        a->offset += set - mtime;
    } else if (trace_on(dev->guest_error)) {
        trace_log(dev->guest_error, "%s: write of %#llx to offset %#llx", dev->id, (unsigned long long)value,
                  (unsigned long long)off);
    }
}

static void reset(struct device *dev)
{
    struct aclint *a = (struct aclint *)dev;

    a->offset = 0;
    memset(a->mtimecmp, 0xff, sizeof a->mtimecmp);
    memset(a->msip, 0, sizeof a->msip);
}

static void destroy(struct device *dev)
{
    timer_arm(&((struct aclint *)dev)->timer, CLOCK_NEVER);
    free(dev);
}

static const struct dev_ops ops = {
    .name = "aclint",
    .span = ACLINT_SPAN,
    .widths = WIDTH_4 | WIDTH_8,
    .read = read_reg,
    .write = write_reg,
    .reset = reset,
    .settle = settle,
    .destroy = destroy,
    .fields = fields,
    .size = sizeof(struct aclint),
};

struct device *aclint_new(const char *id, const struct dev_env *env, unsigned harts, uint64_t timebase)
{
    struct aclint *a = alloc_zeroed(sizeof *a);

    assert(harts <= ACLINT_MAX_HARTS && timebase);
    device_init(&a->dev, &ops, id, env);
    timer_init(&a->timer, env->clock, on_timer, a);
    a->harts = harts;
    a->timebase = timebase;
    device_reset(&a->dev);
    return &a->dev;
}

struct line *aclint_msip(struct device *dev, unsigned hart)
{
    struct aclint *a = (struct aclint *)dev;

    assert(hart < a->harts);
    return &a->msip_lines[hart];
}

struct line *aclint_mtip(struct device *dev, unsigned hart)
{
    struct aclint *a = (struct aclint *)dev;

    assert(hart < a->harts);
    return &a->mtip_lines[hart];
}

/* ---- SSWI: registers that read 0 and remember nothing; the pending bit is the hart's ---- */

struct sswi {
    struct device dev;
    struct line lines[ACLINT_MAX_HARTS];
    unsigned harts;
};

static const struct state_field sswi_fields[] = { STATE_END };

static uint64_t sswi_read(struct device *dev, uint64_t off, unsigned width)
{
    return 0;
}

static void sswi_write(struct device *dev, uint64_t off, unsigned width, uint64_t value)
{
    struct sswi *s = (struct sswi *)dev;

    if (off / 4 >= s->harts) {
        if (trace_on(dev->guest_error))
            trace_log(dev->guest_error, "%s: write of %#llx to offset %#llx", dev->id,
                      (unsigned long long)value, (unsigned long long)off);
        return;
    }
    if (value & 1)
        line_set(&s->lines[off / 4], true);
}

static void sswi_destroy(struct device *dev)
{
    free(dev);
}

static const struct dev_ops sswi_ops = {
    .name = "aclint-sswi",
    .span = ACLINT_SSWI_SPAN,
    .widths = WIDTH_4,
    .read = sswi_read,
    .write = sswi_write,
    .destroy = sswi_destroy,
    .fields = sswi_fields,
    .size = sizeof(struct sswi),
};

struct device *aclint_sswi_new(const char *id, const struct dev_env *env, unsigned harts)
{
    struct sswi *s = alloc_zeroed(sizeof *s);

    assert(harts <= ACLINT_MAX_HARTS);
    device_init(&s->dev, &sswi_ops, id, env);
    s->harts = harts;
    return &s->dev;
}

struct line *aclint_ssip(struct device *dev, unsigned hart)
{
    struct sswi *s = (struct sswi *)dev;

    assert(hart < s->harts);
    return &s->lines[hart];
}
