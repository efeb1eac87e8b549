/*
 * ns16550.c - the NS16550A serial port.
 *
 * Models National Semiconductor's PC16550D data sheet (June 1995), section 8, Registers: FIFOs of 16 bytes
 * with trigger levels, interrupt priorities (8.5 and table IV), the character timeout (8.12), loopback (8.7).
 *
 * The line is infinitely fast outward: a byte written to THR goes to the port before the write returns, so
 * THR and the shift register are always empty when the guest looks, and the THRE interrupt follows each write
 * at once. What comes in waits in the port until there is room, so nothing overruns but the guest's own bytes
 * in loopback. Only the character timeout takes guest time, four characters at the programmed rate.
 *
 * Inaccuracies: no parity or framing errors; a break that the guest sends is seen in loopback only; DMA modes
 * (RXRDY, TXRDY) do nothing; the modem inputs are always CTS, DSR and DCD on. While in loopback, input waits
 * in the port instead of being lost. INTR is not gated by OUT2, which is a property of PC adapter cards.
 */
#include "ns16550.h"

#include <assert.h>
#include <stdlib.h>

#include "alloc.h"
#include "bits.h"
#include "fifo.h"

enum {
    REG_DATA, /* RBR, THR; DLL when DLAB */
    REG_IER,  /* DLM when DLAB */
    REG_IIR,  /* R; FCR on W */
    REG_LCR,
    REG_MCR,
    REG_LSR,
    REG_MSR,
    REG_SCR,
    SPAN,
};

enum {
    IER_RDA = 0x01,
    IER_THRE = 0x02,
    IER_RLS = 0x04,
    IER_MODEM = 0x08,
    IIR_MODEM = 0x00,
    IIR_NONE = 0x01,
    IIR_THRE = 0x02,
    IIR_RDA = 0x04,
    IIR_RLS = 0x06,
    IIR_TIMEOUT = 0x0c,
    IIR_FIFOS = 0xc0,
    FCR_ENABLE = 0x01,
    FCR_CLEAR_RX = 0x02,
    FCR_STORED = 0xc9, /* the enable, DMA mode and trigger bits; the clear bits clear themselves */
    LCR_BREAK = 0x40,
    LCR_DLAB = 0x80,
    MCR_DTR = 0x01,
    MCR_RTS = 0x02,
    MCR_OUT1 = 0x04,
    MCR_OUT2 = 0x08,
    MCR_LOOP = 0x10,
    MCR_STORED = 0x1f,
    LSR_DR = 0x01,
    LSR_OE = 0x02,
    LSR_BI = 0x10,
    LSR_THRE = 0x20,
    LSR_TEMT = 0x40,
    LSR_FIFO_ERROR = 0x80,
    LSR_ERRORS = 0x1e,
    MSR_DCTS = 0x01,
    MSR_DDSR = 0x02,
    MSR_TERI = 0x04,
    MSR_DDCD = 0x08,
    MSR_CTS = 0x10,
    MSR_DSR = 0x20,
    MSR_RI = 0x40,
    MSR_DCD = 0x80,
    FIFO_DEPTH = 16,
    DIVISOR_9600 = 12, /* the sheet leaves the divisor undefined after a reset */
    TIMEOUT_CHARS = 4,
};

struct ns16550 {
    struct device dev;
    struct line irq;
    struct timer timer;
    struct char_port *port;
    uint32_t clock_hz;
    uint8_t ier, fcr, lcr, mcr, scr;
    uint8_t msr;          /* as read: levels and deltas */
    uint8_t overrun;      /* LSR OE, until LSR is read */
    uint8_t thre_pending; /* THRE interrupt, until IIR shows it or THR is written */
    uint8_t timed_out;    /* character timeout interrupt, until RBR is read */
    uint16_t divisor;
    uint64_t timeout_at; /* guest ns, or CLOCK_NEVER */
    struct fifo rx;      /* characters, and in step with them */
    struct fifo rx_err;  /* their LSR bits: LSR_BI */
};

static const struct state_field fields[] = {
    STATE_IN(struct ns16550, ier, 0, 0x0f),
    STATE(struct ns16550, fcr),
    STATE(struct ns16550, lcr),
    STATE_IN(struct ns16550, mcr, 0, MCR_STORED),
    STATE(struct ns16550, scr),
    STATE(struct ns16550, msr),
    STATE_BOOL(struct ns16550, overrun),
    STATE_BOOL(struct ns16550, thre_pending),
    STATE_BOOL(struct ns16550, timed_out),
    STATE(struct ns16550, divisor),
    STATE(struct ns16550, timeout_at),
    STATE_ARRAY(struct ns16550, rx.data),
    STATE_IN(struct ns16550, rx.head, 0, FIFO_MAX - 1),
    STATE_IN(struct ns16550, rx.len, 0, FIFO_DEPTH),
    STATE_ARRAY(struct ns16550, rx_err.data),
    STATE_IN(struct ns16550, rx_err.head, 0, FIFO_MAX - 1),
    STATE_IN(struct ns16550, rx_err.len, 0, FIFO_DEPTH),
    STATE_END,
};

static unsigned capacity(const struct ns16550 *u)
{
    return u->fcr & FCR_ENABLE ? FIFO_DEPTH : 1;
}

static unsigned trigger_level(const struct ns16550 *u)
{
    static const uint8_t levels[4] = { 1, 4, 8, 14 };

    return u->fcr & FCR_ENABLE ? levels[u->fcr >> 6] : 1;
}

/* ---- interrupts ---- */

static uint8_t read_lsr(const struct ns16550 *u)
{
    uint8_t lsr = LSR_THRE | LSR_TEMT, any = 0;

    if (u->overrun)
        lsr |= LSR_OE;
    if (u->rx.len)
        lsr |= LSR_DR | u->rx_err.data[u->rx_err.head % FIFO_MAX];
    for (unsigned i = 0; i < u->rx_err.len; i++)
        any |= u->rx_err.data[(u->rx_err.head + i) % FIFO_MAX];
    return any && (u->fcr & FCR_ENABLE) ? lsr | LSR_FIFO_ERROR : lsr;
}

/* Table IV, in order of priority. */
static uint8_t interrupt_id(const struct ns16550 *u)
{
    if ((u->ier & IER_RLS) && (read_lsr(u) & LSR_ERRORS))
        return IIR_RLS;
    if ((u->ier & IER_RDA) && u->rx.len >= trigger_level(u))
        return IIR_RDA;
    if ((u->ier & IER_RDA) && u->timed_out)
        return IIR_TIMEOUT;
    if ((u->ier & IER_THRE) && u->thre_pending)
        return IIR_THRE;
    if ((u->ier & IER_MODEM) && (u->msr & (MSR_DCTS | MSR_DDSR | MSR_TERI | MSR_DDCD)))
        return IIR_MODEM;
    return IIR_NONE;
}

static void settle(struct device *dev)
{
    struct ns16550 *u = (struct ns16550 *)dev;

    timer_arm(&u->timer, u->timeout_at);
    line_set(&u->irq, interrupt_id(u) != IIR_NONE);
}

/* ---- receiver ---- */

/* One character: start, data, parity and stop bits (1.5 counts as 2), of 16 clocks x divisor each. */
static uint64_t character_ns(const struct ns16550 *u)
{
    uint64_t frame = 1 + 5 + (u->lcr & 3) + (u->lcr >> 3 & 1) + 1 + (u->lcr >> 2 & 1);

    return frame * 16 * (u->divisor ? u->divisor : 1) * NS_PER_SEC / u->clock_hz;
}

/* The timeout counts from the last character received or read, while there are any; once it has occurred,
 * only a read clears it (8.12). */
static void restart_timeout(struct ns16550 *u)
{
    u->timed_out = 0;
    u->timeout_at = CLOCK_NEVER;
    if (u->rx.len && (u->fcr & FCR_ENABLE))
        u->timeout_at = clock_now(u->dev.env.clock) + TIMEOUT_CHARS * character_ns(u);
}

static void on_timeout(void *owner)
{
    struct ns16550 *u = owner;

    u->timeout_at = CLOCK_NEVER;
    u->timed_out = u->rx.len != 0;
    settle(&u->dev);
}

static void push_rx(struct ns16550 *u, uint8_t byte, uint8_t errors)
{
    if (!fifo_push(&u->rx, capacity(u), byte)) {
        u->overrun = 1;
        return;
    }
    fifo_push(&u->rx_err, capacity(u), errors);
    if (!u->timed_out)
        restart_timeout(u);
}

static void poke_port(struct ns16550 *u)
{
    if (u->port && u->port->poke && !(u->mcr & MCR_LOOP))
        u->port->poke(u->port);
}

static void clear_rx(struct ns16550 *u)
{
    fifo_clear(&u->rx);
    fifo_clear(&u->rx_err);
    restart_timeout(u);
    poke_port(u);
}

static uint8_t pop_rx(struct ns16550 *u)
{
    uint8_t byte = fifo_pop(&u->rx);

    fifo_pop(&u->rx_err);
    restart_timeout(u);
    poke_port(u);
    return byte;
}

static size_t can_receive(void *dev)
{
    struct ns16550 *u = dev;

    return u->mcr & MCR_LOOP || u->rx.len >= capacity(u) ? 0 : capacity(u) - u->rx.len;
}

static void receive(void *dev, const uint8_t *buf, size_t len)
{
    struct ns16550 *u = dev;

    for (size_t i = 0; i < len; i++)
        push_rx(u, buf[i], 0);
    settle(&u->dev);
}

static void on_event(void *dev, enum char_event event)
{
    struct ns16550 *u = dev;

    if (event != CHAR_BREAK || u->mcr & MCR_LOOP)
        return;
    push_rx(u, 0, LSR_BI);
    settle(&u->dev);
}

/* ---- transmitter and modem ---- */

static void transmit(struct ns16550 *u, uint8_t byte)
{
    if (trace_on(u->dev.log))
        trace_log(u->dev.log, "%s: sends %#x", u->dev.id, byte);
    if (u->mcr & MCR_LOOP)
        push_rx(u, byte, 0);
    else if (u->port)
        u->port->write(u->port, &byte, 1);
    u->thre_pending = 1;
}

/* The modem inputs: those of the line, or in loopback the modem outputs (8.7). */
static uint8_t modem_levels(const struct ns16550 *u)
{
    if (!(u->mcr & MCR_LOOP))
        return MSR_CTS | MSR_DSR | MSR_DCD;
    return (uint8_t)((u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
                     (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static void update_modem(struct ns16550 *u)
{
    uint8_t levels = modem_levels(u), changed = (u->msr ^ levels) & 0xf0;
    uint8_t deltas = (uint8_t)(changed >> 4);

    if (levels & MSR_RI)
        deltas &= (uint8_t)~MSR_TERI; /* the trailing edge only */
    u->msr = levels | (u->msr & 0x0f) | deltas;
}

static void write_mcr(struct ns16550 *u, uint8_t value)
{
    bool was_loop = u->mcr & MCR_LOOP;

    u->mcr = value & MCR_STORED;
    update_modem(u);
    if (was_loop)
        poke_port(u);
}

static void write_lcr(struct ns16550 *u, uint8_t value)
{
    bool breaks = ~u->lcr & value & LCR_BREAK;

    u->lcr = value;
    if (breaks && u->mcr & MCR_LOOP)
        push_rx(u, 0, LSR_BI);
}

/* 8.4: changing the enable bit clears the FIFOs; the other bits count only when it is written as 1. */
static void write_fcr(struct ns16550 *u, uint8_t value)
{
    bool clear = ((u->fcr ^ value) & FCR_ENABLE) || (value & FCR_ENABLE && value & FCR_CLEAR_RX);

    u->fcr = value & FCR_ENABLE ? value & FCR_STORED : 0;
    if (clear)
        clear_rx(u);
}

/* Enabling the THRE interrupt while THR is empty raises it (8.5). */
static void write_ier(struct ns16550 *u, uint8_t value)
{
    if (~u->ier & value & IER_THRE)
        u->thre_pending = 1;
    u->ier = value & 0x0f;
}

/* ---- access ---- */

static uint64_t read_data(struct ns16550 *u)
{
    if (u->lcr & LCR_DLAB)
        return u->divisor & 0xff;
    uint8_t byte = pop_rx(u);
    settle(&u->dev);
    return byte;
}

static uint64_t read_iir(struct ns16550 *u)
{
    uint8_t iir = interrupt_id(u);

    if (iir == IIR_THRE) {
        u->thre_pending = 0;
        settle(&u->dev);
    }
    return iir | (u->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

/* Reading clears the overrun and the errors of the character at the top (8.3). */
static uint64_t consume_lsr(struct ns16550 *u)
{
    uint8_t lsr = read_lsr(u);

    if (lsr & LSR_ERRORS) {
        u->overrun = 0;
        if (u->rx_err.len)
            u->rx_err.data[u->rx_err.head % FIFO_MAX] = 0;
        settle(&u->dev);
    }
    return lsr;
}

static uint64_t consume_msr(struct ns16550 *u)
{
    uint8_t msr = u->msr;

    if (msr & 0x0f) {
        u->msr &= 0xf0;
        settle(&u->dev);
    }
    return msr;
}

static uint64_t read_reg(struct device *dev, uint64_t off, unsigned width)
{
    struct ns16550 *u = (struct ns16550 *)dev;

    switch (off) {
    case REG_DATA: return read_data(u);
    case REG_IER: return u->lcr & LCR_DLAB ? u->divisor >> 8 : u->ier;
    case REG_IIR: return read_iir(u);
    case REG_LCR: return u->lcr;
    case REG_MCR: return u->mcr;
    case REG_LSR: return consume_lsr(u);
    case REG_MSR: return consume_msr(u);
    default: return u->scr;
    }
}

static void write_reg(struct device *dev, uint64_t off, unsigned width, uint64_t value)
{
    struct ns16550 *u = (struct ns16550 *)dev;
    uint8_t byte = (uint8_t)value;

    if (u->lcr & LCR_DLAB && off <= REG_IER) {
        u->divisor =
            off == REG_DATA ? (u->divisor & 0xff00) | byte : (uint16_t)(byte << 8 | (u->divisor & 0xff));
        return;
    }
    switch (off) {
    case REG_DATA: transmit(u, byte); break;
    case REG_IER: write_ier(u, byte); break;
    case REG_IIR: write_fcr(u, byte); break;
    case REG_LCR: write_lcr(u, byte); break;
    case REG_MCR: write_mcr(u, byte); break;
    case REG_SCR: u->scr = byte; break;
    default: break; /* LSR is for factory tests; MSR's writable deltas are of no use to anybody */
    }
}

/* ---- life ---- */

/* Table III. SCR keeps its value. */
static void reset(struct device *dev)
{
    struct ns16550 *u = (struct ns16550 *)dev;

    u->ier = u->fcr = u->lcr = u->mcr = 0;
    u->overrun = u->thre_pending = 0;
    u->divisor = DIVISOR_9600;
    u->msr = modem_levels(u);
    clear_rx(u);
}

static bool valid(const struct device *dev, struct error *e)
{
    const struct ns16550 *u = (const struct ns16550 *)dev;

    if (u->rx.len != u->rx_err.len || u->rx.len > capacity(u))
        return error_set(e,
                         "%s: the saved receive FIFO holds %u characters and %u marks of at most %u: "
                         "the state is damaged",
                         dev->id, u->rx.len, u->rx_err.len, capacity(u));
    return true;
}

static void destroy(struct device *dev)
{
    struct ns16550 *u = (struct ns16550 *)dev;

    timer_arm(&u->timer, CLOCK_NEVER);
    if (u->port)
        u->port->dev = NULL;
    free(u);
}

static const struct dev_ops ops = {
    .name = "ns16550",
    .span = SPAN,
    .widths = WIDTH_1,
    .read = read_reg,
    .write = write_reg,
    .reset = reset,
    .settle = settle,
    .valid = valid,
    .destroy = destroy,
    .fields = fields,
    .size = sizeof(struct ns16550),
};

struct device *ns16550_new(const char *id, const struct dev_env *env, struct char_port *port,
                           uint32_t clock_hz)
{
    struct ns16550 *u = alloc_zeroed(sizeof *u);

    assert(clock_hz);
    device_init(&u->dev, &ops, id, env);
    timer_init(&u->timer, env->clock, on_timeout, u);
    u->port = port;
    u->clock_hz = clock_hz;
    if (port) {
        port->can_receive = can_receive;
        port->receive = receive;
        port->event = on_event;
        port->dev = u;
    }
    device_reset(&u->dev);
    return &u->dev;
}

struct line *ns16550_irq(struct device *dev)
{
    return &((struct ns16550 *)dev)->irq;
}
