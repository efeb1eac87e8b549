/*
 * goldfish-rtc.c - the Goldfish real-time clock.
 *
 * Models the RTC of the Goldfish virtual platform ("Goldfish virtual hardware", section Goldfish real-time
 * clock), as Linux's rtc-goldfish drives it: 64-bit nanoseconds since 1970 in two 32-bit halves, one alarm,
 * one interrupt.
 *
 * This file is the template for devices, in this order: registers, state, the state's table, update (what
 * changes the state), settle (what follows from the state), access, life. docs/adding-a-device.md walks
 * through it.
 *
 * Inaccuracies: none known. The time survives a reset, as in a battery-backed clock.
 */
#include "goldfish-rtc.h"

#include <stdlib.h>

#include "alloc.h"
#include "bits.h"

enum {
    TIME_LOW = 0x00,  /* R: latches the time, low half; W: sets the time, with the high half written before */
    TIME_HIGH = 0x04, /* R: high half of the latched time */
    ALARM_LOW = 0x08, /* W: sets the low half and arms the alarm */
    ALARM_HIGH = 0x0c,
    IRQ_ENABLED = 0x10,
    CLEAR_ALARM = 0x14,     /* W: disarms */
    ALARM_STATUS = 0x18,    /* R: 1 while armed */
    CLEAR_INTERRUPT = 0x1c, /* W: acknowledges */
    SPAN = 0x1000,
};

struct goldfish_rtc {
    struct device dev;
    struct line irq;
    struct timer timer;
    uint64_t offset;    /* guest's idea of the time minus the clock's, modulo 2^64 */
    uint64_t latch;     /* the time at the last read of TIME_LOW */
    uint32_t time_high; /* waits for the write of TIME_LOW */
    uint64_t alarm;
    uint8_t armed;
    uint8_t pending;
    uint8_t irq_enabled;
};

static const struct state_field fields[] = {
    STATE(struct goldfish_rtc, offset),
    STATE(struct goldfish_rtc, latch),
    STATE(struct goldfish_rtc, time_high),
    STATE(struct goldfish_rtc, alarm),
    STATE_BOOL(struct goldfish_rtc, armed),
    STATE_BOOL(struct goldfish_rtc, pending),
    STATE_BOOL(struct goldfish_rtc, irq_enabled),
    STATE_END,
};

static uint64_t now(struct goldfish_rtc *rtc)
{
    return clock_wall(rtc->dev.env.clock) + rtc->offset;
}

/* Update: an armed alarm whose time has come disarms itself and becomes a pending interrupt. */
static void expire(struct goldfish_rtc *rtc)
{
    if (!rtc->armed || now(rtc) < rtc->alarm)
        return;
    rtc->armed = 0;
    rtc->pending = 1;
}

static void settle(struct device *dev)
{
    struct goldfish_rtc *rtc = (struct goldfish_rtc *)dev;
    uint64_t deadline = CLOCK_NEVER;

    if (rtc->armed) {
        uint64_t time = now(rtc), wait = rtc->alarm > time ? rtc->alarm - time : 0;
        uint64_t start = clock_now(dev->env.clock);
        deadline = wait < CLOCK_NEVER - start ? start + wait : CLOCK_NEVER;
    }
    timer_arm(&rtc->timer, deadline);
    line_set(&rtc->irq, rtc->pending && rtc->irq_enabled);
}

static void on_timer(void *owner)
{
    expire(owner);
    device_settle(owner);
}

static uint64_t read_reg(struct device *dev, uint64_t off, unsigned width)
{
    struct goldfish_rtc *rtc = (struct goldfish_rtc *)dev;

    switch (off) {
    case TIME_LOW:
        rtc->latch = now(rtc);
        return (uint32_t)rtc->latch;
    case TIME_HIGH: return rtc->latch >> 32;
    case ALARM_LOW: return (uint32_t)rtc->alarm;
    case ALARM_HIGH: return rtc->alarm >> 32;
    case IRQ_ENABLED: return rtc->irq_enabled;
    case ALARM_STATUS: return rtc->armed;
    default:
        if (trace_on(dev->guest_error))
            trace_log(dev->guest_error, "%s: read of offset %#llx", dev->id, (unsigned long long)off);
        return 0;
    }
}

static void write_reg(struct device *dev, uint64_t off, unsigned width, uint64_t value)
{
    struct goldfish_rtc *rtc = (struct goldfish_rtc *)dev;

    switch (off) {
    case TIME_LOW: rtc->offset += ((uint64_t)rtc->time_high << 32 | value) - now(rtc); break;
    case TIME_HIGH: rtc->time_high = (uint32_t)value; break;
    case ALARM_LOW:
        rtc->alarm = bits(rtc->alarm, 32, 32) << 32 | value;
        rtc->armed = 1;
        break;
    case ALARM_HIGH: rtc->alarm = value << 32 | (uint32_t)rtc->alarm; break;
    case IRQ_ENABLED: rtc->irq_enabled = value & 1; break;
    case CLEAR_ALARM: rtc->armed = 0; break;
    case CLEAR_INTERRUPT: rtc->pending = 0; break;
    default:
        if (trace_on(dev->guest_error))
            trace_log(dev->guest_error, "%s: write of %#llx to offset %#llx", dev->id,
                      (unsigned long long)value, (unsigned long long)off);
    }
    expire(rtc);
}

static void reset(struct device *dev)
{
    struct goldfish_rtc *rtc = (struct goldfish_rtc *)dev;

    rtc->latch = rtc->alarm = 0;
    rtc->time_high = 0;
    rtc->armed = rtc->pending = rtc->irq_enabled = 0;
}

static void destroy(struct device *dev)
{
    struct goldfish_rtc *rtc = (struct goldfish_rtc *)dev;

    timer_arm(&rtc->timer, CLOCK_NEVER);
    free(rtc);
}

static const struct dev_ops ops = {
    .name = "goldfish-rtc",
    .span = SPAN,
    .widths = WIDTH_4,
    .read = read_reg,
    .write = write_reg,
    .reset = reset,
    .settle = settle,
    .destroy = destroy,
    .fields = fields,
    .size = sizeof(struct goldfish_rtc),
};

struct device *goldfish_rtc_new(const char *id, const struct dev_env *env)
{
    struct goldfish_rtc *rtc = alloc_zeroed(sizeof *rtc);

    device_init(&rtc->dev, &ops, id, env);
    timer_init(&rtc->timer, env->clock, on_timer, rtc);
    device_reset(&rtc->dev);
    return &rtc->dev;
}

struct line *goldfish_rtc_irq(struct device *dev)
{
    return &((struct goldfish_rtc *)dev)->irq;
}
