/*
 * plic.c - the RISC-V platform-level interrupt controller.
 *
 * Models "RISC-V Platform-Level Interrupt Controller Specification" 1.0.0, chapters 3 (memory map) to 9
 * (completion), with level-triggered gateways and priorities 0..7.
 *
 *     level --> gateway --> pending --> enable[context], priority > threshold[context] --> output[context]
 *                 ^                                       |
 *                 +---- complete <-- in service <-- claim-+
 *
 * A request that the gateway has forwarded stays pending when its wire drops (chapter 5). The levels belong
 * to the sources, so a reset keeps them: reset a PLIC after the devices wired to it, or a wire that was high
 * is latched.
 *
 * Inaccuracies: edge-triggered sources are not modelled; contexts stop at PLIC_MAX_CONTEXTS of the specified
 * 15872.
 */
#include "plic.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bits.h"

enum {
    PRIORITY_BASE = 0x0,
    PENDING_BASE = 0x1000,
    PENDING_END = 0x1080,
    ENABLE_BASE = 0x2000,
    ENABLE_STRIDE = 0x80,
    CONTEXT_BASE = 0x200000,
    CONTEXT_STRIDE = 0x1000,
    CONTEXT_THRESHOLD = 0x0,
    CONTEXT_CLAIM = 0x4,
    PRIORITY_MAX = 7,
    WORDS = (PLIC_MAX_SOURCES + 1) / 32,
    ENABLE_WORDS = PLIC_MAX_CONTEXTS * WORDS,
};

struct plic {
    struct device dev;
    struct line outputs[PLIC_MAX_CONTEXTS];
    unsigned sources, contexts, words;
    uint32_t exists[WORDS]; /* the configured sources */
    uint8_t priority[PLIC_MAX_SOURCES + 1];
    uint32_t level[WORDS];
    uint32_t pending[WORDS];
    uint32_t service[WORDS]; /* claimed, not completed: the gateway forwards nothing */
    uint32_t enable[PLIC_MAX_CONTEXTS][WORDS];
    uint8_t threshold[PLIC_MAX_CONTEXTS];
};

static const struct state_field fields[] = {
    { "priority", offsetof(struct plic, priority), 1, PLIC_MAX_SOURCES + 1, 0, PRIORITY_MAX },
    STATE_ARRAY(struct plic, level),
    STATE_ARRAY(struct plic, pending),
    STATE_ARRAY(struct plic, service),
    { "enable", offsetof(struct plic, enable), 4, ENABLE_WORDS, 0, UINT32_MAX },
    { "threshold", offsetof(struct plic, threshold), 1, PLIC_MAX_CONTEXTS, 0, PRIORITY_MAX },
    STATE_END,
};

/* Gateways: forward every level that is neither pending nor in service. */
static void forward(struct plic *p, unsigned word)
{
    p->pending[word] |= p->level[word] & ~p->service[word];
}

/* The pending and enabled source of highest priority above `floor`, lowest number first; or 0. */
static unsigned best_source(const struct plic *p, unsigned context, unsigned floor)
{
    unsigned best = 0;

    for (unsigned w = 0; w < p->words; w++) {
        uint32_t ready = p->pending[w] & p->enable[context][w];
        for (; ready; ready &= ready - 1) {
            unsigned source = w * 32 + (unsigned)__builtin_ctz(ready);
            if (p->priority[source] > floor) {
                best = source;
                floor = p->priority[source];
            }
        }
    }
    return best;
}

static void settle(struct device *dev)
{
    struct plic *p = (struct plic *)dev;

    for (unsigned c = 0; c < p->contexts; c++)
        line_set(&p->outputs[c], best_source(p, c, p->threshold[c]) != 0);
}

void plic_set_input(void *plic, unsigned source, bool level)
{
    struct plic *p = plic;

    assert(source >= 1 && source <= p->sources);
    unsigned w = source / 32;
    uint32_t bit = UINT32_C(1) << source % 32, before = p->pending[w];
    p->level[w] = level ? p->level[w] | bit : p->level[w] & ~bit;
    forward(p, w);
    if (p->pending[w] != before)
        settle(&p->dev);
}

/* Chapter 8. The threshold does not affect claims. */
static unsigned claim(struct plic *p, unsigned context)
{
    unsigned source = best_source(p, context, 0);
    uint32_t bit = UINT32_C(1) << source % 32;

    if (source) {
        p->pending[source / 32] &= ~bit;
        p->service[source / 32] |= bit;
        settle(&p->dev);
    }
    if (trace_on(p->dev.log))
        trace_log(p->dev.log, "%s: context %u claims %u", p->dev.id, context, source);
    return source;
}

/* Chapter 9: a completion of a source that is not enabled for the context is ignored. */
static void complete(struct plic *p, unsigned context, uint64_t source)
{
    if (source > p->sources || !(p->enable[context][source / 32] >> source % 32 & 1)) {
        if (trace_on(p->dev.guest_error))
            trace_log(p->dev.guest_error, "%s: context %u completes %llu, which it has not enabled",
                      p->dev.id, context, (unsigned long long)source);
        return;
    }
    p->service[source / 32] &= ~(UINT32_C(1) << source % 32);
    forward(p, (unsigned)source / 32);
    if (trace_on(p->dev.log))
        trace_log(p->dev.log, "%s: context %u completes %llu", p->dev.id, context,
                  (unsigned long long)source);
}

enum reg_kind { REG_NONE, REG_PRIORITY, REG_PENDING, REG_ENABLE, REG_THRESHOLD, REG_CLAIM };

/* Where an offset leads: what, which context, and which word or source; every index is inside its array. */
struct reg {
    enum reg_kind kind;
    unsigned context, index;
};

static struct reg locate(const struct plic *p, uint64_t off)
{
    struct reg none = { REG_NONE, 0, 0 };

    if (off < PENDING_BASE) {
        unsigned source = (unsigned)(off - PRIORITY_BASE) / 4;
        return source <= p->sources ? (struct reg){ REG_PRIORITY, 0, source } : none;
    }
    if (off < PENDING_END)
        return (struct reg){ REG_PENDING, 0, (unsigned)(off - PENDING_BASE) / 4 };
    if (off >= CONTEXT_BASE) {
        uint64_t context = (off - CONTEXT_BASE) / CONTEXT_STRIDE, reg = (off - CONTEXT_BASE) % CONTEXT_STRIDE;
        if (context >= p->contexts || reg > CONTEXT_CLAIM)
            return none;
        return (struct reg){ reg == CONTEXT_CLAIM ? REG_CLAIM : REG_THRESHOLD, (unsigned)context, 0 };
    }
    if (off >= ENABLE_BASE) {
        uint64_t context = (off - ENABLE_BASE) / ENABLE_STRIDE;
        unsigned word = (unsigned)(off - ENABLE_BASE) % ENABLE_STRIDE / 4;
        return context < p->contexts ? (struct reg){ REG_ENABLE, (unsigned)context, word } : none;
    }
    return none;
}

static uint64_t read_reg(struct device *dev, uint64_t off, unsigned width)
{
    struct plic *p = (struct plic *)dev;
    struct reg r = locate(p, off);

    switch (r.kind) {
    case REG_PRIORITY: return p->priority[r.index];
    case REG_PENDING: return p->pending[r.index];
    case REG_ENABLE: return p->enable[r.context][r.index];
    case REG_THRESHOLD: return p->threshold[r.context];
    case REG_CLAIM: return claim(p, r.context);
    case REG_NONE: break;
    }
    if (trace_on(dev->guest_error))
        trace_log(dev->guest_error, "%s: read of offset %#llx", dev->id, (unsigned long long)off);
    return 0;
}

static void write_reg(struct device *dev, uint64_t off, unsigned width, uint64_t value)
{
    struct plic *p = (struct plic *)dev;
    struct reg r = locate(p, off);

    switch (r.kind) {
    case REG_PRIORITY:
        if (r.index)
            p->priority[r.index] = value & PRIORITY_MAX;
        return;
    case REG_PENDING: return;
    case REG_ENABLE: p->enable[r.context][r.index] = (uint32_t)value & p->exists[r.index]; return;
    case REG_THRESHOLD: p->threshold[r.context] = value & PRIORITY_MAX; return;
    case REG_CLAIM: complete(p, r.context, value); return;
    case REG_NONE: break;
    }
    if (trace_on(dev->guest_error))
        trace_log(dev->guest_error, "%s: write of %#llx to offset %#llx", dev->id, (unsigned long long)value,
                  (unsigned long long)off);
}

static void reset(struct device *dev)
{
    struct plic *p = (struct plic *)dev;

    memset(p->priority, 0, sizeof p->priority);
    memset(p->pending, 0, sizeof p->pending);
    memset(p->service, 0, sizeof p->service);
    memset(p->enable, 0, sizeof p->enable);
    memset(p->threshold, 0, sizeof p->threshold);
    for (unsigned w = 0; w < p->words; w++)
        forward(p, w);
}

/* No bit of a source that this instance has not got. */
static bool valid(const struct device *dev, struct error *e)
{
    const struct plic *p = (const struct plic *)dev;

    for (unsigned w = 0; w < WORDS; w++) {
        uint32_t used = p->level[w] | p->pending[w] | p->service[w];
        for (unsigned c = 0; c < PLIC_MAX_CONTEXTS; c++)
            used |= p->enable[c][w];
        if (used & ~p->exists[w])
            return error_set(
                e,
                "%s: the saved state uses interrupt source %u, but this machine has %u sources: load it "
                "into a machine with the options it was saved with",
                dev->id, w * 32 + 31 - (unsigned)__builtin_clz(used & ~p->exists[w]), p->sources);
    }
    return true;
}

static void destroy(struct device *dev)
{
    free(dev);
}

static const struct dev_ops ops = {
    .name = "plic",
    .span = PLIC_SPAN,
    .widths = WIDTH_4,
    .read = read_reg,
    .write = write_reg,
    .reset = reset,
    .settle = settle,
    .valid = valid,
    .destroy = destroy,
    .fields = fields,
    .size = sizeof(struct plic),
};

struct device *plic_new(const char *id, const struct dev_env *env, unsigned sources, unsigned contexts)
{
    struct plic *p = alloc_zeroed(sizeof *p);

    assert(sources <= PLIC_MAX_SOURCES && contexts <= PLIC_MAX_CONTEXTS);
    device_init(&p->dev, &ops, id, env);
    p->sources = sources;
    p->contexts = contexts;
    p->words = sources / 32 + 1;
    for (unsigned source = 1; source <= sources; source++)
        p->exists[source / 32] |= UINT32_C(1) << source % 32;
    device_reset(&p->dev);
    return &p->dev;
}

struct line *plic_output(struct device *dev, unsigned context)
{
    struct plic *p = (struct plic *)dev;

    assert(context < p->contexts);
    return &p->outputs[context];
}
