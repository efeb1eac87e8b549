/*
 * htif.c - the host-target interface.
 *
 * Models the interface of the RISC-V ISA simulator and its proxy kernel (riscv-isa-sim, README and fesvr;
 * riscv-tests, env/p): a program writes a 64-bit command { device 63:56, command 55:48, payload 47:0 } to the
 * word `tohost`, the host clears it, and answers, where there is an answer, in the word `fromhost` when the
 * program has cleared that.
 *
 *     device 0, command 0   payload bit 0 set: exit with status payload >> 1; else a system call: number and
 *                           arguments are eight 64-bit words at address `payload`: write (64), exit (93)
 *     device 1, command 0   read a character; answered with 0x100 | character when there is one
 *     device 1, command 1   write a character
 *
 * Both words lie in the program's RAM. The board lays this device's window over them, so that nothing needs
 * polling: a write that covers the low byte of `tohost` is the command. RV32 programs write the high half as
 * zero, before or after.
 *
 * Inaccuracies: other system calls are answered with -ENOSYS; write goes to the console for descriptors 1
 * and 2. An exit status that is 0 in its low 8 bits but not in all of them becomes 1.
 */
#include "htif.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bits.h"
#include "fifo.h"

enum {
    DEV_SYSCALL = 0,
    DEV_CONSOLE = 1,
    CONSOLE_GETCHAR = 0,
    CONSOLE_PUTCHAR = 1,
    CHAR_READY = 0x100,
    SYS_WRITE = 64,
    SYS_EXIT = 93,
    GUEST_EBADF = 9,
    GUEST_EFAULT = 14,
    GUEST_ENOSYS = 38,
    WRITE_MAX = 1 << 20, /* bytes of one write(2), which may be short */
    ALIGN = 64,
};

struct htif {
    struct device dev;
    struct htif_place place;
    struct char_port *console;
    struct machine_port *machine;
    uint8_t memory[HTIF_SPAN_MAX]; /* the window, both words included */
    uint64_t reply;                /* waits for fromhost to be cleared; 0: none */
    uint8_t wants_char;
    struct fifo input;
};

static const struct state_field fields[] = {
    STATE_ARRAY(struct htif, memory),
    STATE(struct htif, reply),
    STATE_BOOL(struct htif, wants_char),
    STATE_ARRAY(struct htif, input.data),
    STATE_IN(struct htif, input.head, 0, FIFO_MAX - 1),
    STATE_IN(struct htif, input.len, 0, FIFO_MAX),
    STATE_END,
};

static uint64_t encode(unsigned device, unsigned command, uint64_t payload)
{
    return (uint64_t)device << 56 | (uint64_t)command << 48 | payload;
}

/* Update: fills an empty fromhost with the answer that is due, if any. */
static void deliver(struct htif *h)
{
    uint8_t *fromhost = h->memory + h->place.fromhost;

    if (get_le64(fromhost))
        return;
    if (h->reply) {
        put_le64(fromhost, h->reply);
        h->reply = 0;
    } else if (h->wants_char && h->input.len) {
        put_le64(fromhost, encode(DEV_CONSOLE, CONSOLE_GETCHAR, CHAR_READY | fifo_pop(&h->input)));
        h->wants_char = 0;
        if (h->console->poke)
            h->console->poke(h->console);
    }
}

static size_t can_receive(void *dev)
{
    return FIFO_MAX - ((struct htif *)dev)->input.len;
}

static void receive(void *dev, const uint8_t *buf, size_t len)
{
    struct htif *h = dev;

    for (size_t i = 0; i < len; i++)
        fifo_push(&h->input, FIFO_MAX, buf[i]);
    deliver(h);
}

static void request_exit(struct htif *h, uint64_t status)
{
    int code = (int)(status & 0xff);

    if (status && !code)
        code = 1;
    h->machine->request(h->machine, MACHINE_EXIT, code, h->dev.id);
}

static int64_t sys_write(struct htif *h, uint64_t fd, uint64_t gpa, uint64_t len)
{
    uint8_t buf[256];
    uint64_t done = 0;

    if (fd != 1 && fd != 2)
        return -GUEST_EBADF;
    if (len > WRITE_MAX)
        len = WRITE_MAX;
    while (done < len) {
        size_t n = len - done < sizeof buf ? (size_t)(len - done) : sizeof buf;
        if (!dma_read(h->dev.env.bus, gpa + done, buf, n))
            return done ? (int64_t)done : -GUEST_EFAULT;
        if (h->console)
            h->console->write(h->console, buf, n);
        done += n;
    }
    return (int64_t)done;
}

/* The result replaces the number in the first word. */
static void system_call(struct htif *h, uint64_t block)
{
    uint8_t words[64], result[8];
    int64_t value = -GUEST_ENOSYS;

    if (!dma_read(h->dev.env.bus, block, words, sizeof words)) {
        if (trace_on(h->dev.guest_error))
            trace_log(h->dev.guest_error, "%s: the system call at %#llx is not in RAM", h->dev.id,
                      (unsigned long long)block);
        return;
    }
    switch (get_le64(words)) {
    case SYS_WRITE:
        value = sys_write(h, get_le64(words + 8), get_le64(words + 16), get_le64(words + 24));
        break;
    case SYS_EXIT: request_exit(h, get_le64(words + 8)); return;
    default:
        if (trace_on(h->dev.guest_error))
            trace_log(h->dev.guest_error, "%s: system call %llu", h->dev.id,
                      (unsigned long long)get_le64(words));
    }
    put_le64(result, (uint64_t)value);
    if (!dma_write(h->dev.env.bus, block, result, sizeof result) && trace_on(h->dev.guest_error))
        trace_log(h->dev.guest_error, "%s: no RAM at %#llx for a result", h->dev.id,
                  (unsigned long long)block);
    h->reply = encode(DEV_SYSCALL, 0, 1);
}

static void put_char(struct htif *h, uint8_t byte)
{
    if (h->console)
        h->console->write(h->console, &byte, 1);
}

static void run_command(struct htif *h, uint64_t command)
{
    uint64_t payload = bits(command, 0, 48);

    if (trace_on(h->dev.log))
        trace_log(h->dev.log, "%s: command %#llx", h->dev.id, (unsigned long long)command);
    switch (command >> 48) {
    case DEV_SYSCALL << 8:
        if (payload & 1)
            request_exit(h, payload >> 1);
        else
            system_call(h, payload);
        break;
    case DEV_CONSOLE << 8 | CONSOLE_GETCHAR: h->wants_char = 1; break;
    case DEV_CONSOLE << 8 | CONSOLE_PUTCHAR: put_char(h, (uint8_t)payload); break;
    default:
        if (trace_on(h->dev.guest_error))
            trace_log(h->dev.guest_error, "%s: unknown command %#llx", h->dev.id,
                      (unsigned long long)command);
    }
}

static uint64_t read_window(struct device *dev, uint64_t off, unsigned width)
{
    return get_le(((struct htif *)dev)->memory + off, width);
}

static void write_window(struct device *dev, uint64_t off, unsigned width, uint64_t value)
{
    struct htif *h = (struct htif *)dev;
    uint8_t *tohost = h->memory + h->place.tohost;

    put_le(h->memory + off, value, width);
    if (off == h->place.tohost && get_le64(tohost)) {
        uint64_t command = get_le64(tohost);
        put_le64(tohost, 0);
        run_command(h, command);
    }
    deliver(h);
}

static void reset(struct device *dev)
{
    struct htif *h = (struct htif *)dev;

    memset(h->memory, 0, sizeof h->memory);
    fifo_clear(&h->input);
    h->reply = 0;
    h->wants_char = 0;
    if (h->console && h->console->poke)
        h->console->poke(h->console);
}

static void destroy(struct device *dev)
{
    struct htif *h = (struct htif *)dev;

    if (h->console)
        h->console->dev = NULL;
    free(h);
}

static const struct dev_ops ops = {
    .name = "htif",
    .widths = WIDTH_1 | WIDTH_2 | WIDTH_4 | WIDTH_8,
    .read = read_window,
    .write = write_window,
    .reset = reset,
    .destroy = destroy,
    .fields = fields,
    .size = sizeof(struct htif),
};

bool htif_place(uint64_t tohost, uint64_t fromhost, struct htif_place *place, struct error *e)
{
    uint64_t low = tohost < fromhost ? tohost : fromhost, high = tohost < fromhost ? fromhost : tohost;

    if ((tohost | fromhost) % 8 || low == high)
        return error_set(
            e,
            "htif: tohost at %#llx and fromhost at %#llx must be two words at multiples of 8: align them in "
            "the program's linker script",
            (unsigned long long)tohost, (unsigned long long)fromhost);
    place->base = low & ~(uint64_t)(ALIGN - 1);
    place->span = (high - place->base + 8 + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
    place->tohost = tohost - place->base;
    place->fromhost = fromhost - place->base;
    if (high - place->base > HTIF_SPAN_MAX - 8)
        return error_set(
            e,
            "htif: tohost at %#llx and fromhost at %#llx are more than %d bytes apart: put them into one "
            "section, as riscv-tests do with .tohost",
            (unsigned long long)tohost, (unsigned long long)fromhost, (int)HTIF_SPAN_MAX);
    return true;
}

struct device *htif_new(const char *id, const struct dev_env *env, const struct htif_place *place,
                        struct char_port *console, struct machine_port *machine)
{
    struct htif *h = alloc_zeroed(sizeof *h);

    assert(place->span <= HTIF_SPAN_MAX && in_range(place->tohost, 8, place->span) &&
           in_range(place->fromhost, 8, place->span));
    device_init(&h->dev, &ops, id, env);
    h->dev.span = place->span;
    h->place = *place;
    h->console = console;
    h->machine = machine;
    if (console) {
        console->can_receive = can_receive;
        console->receive = receive;
        console->event = NULL;
        console->dev = h;
    }
    device_reset(&h->dev);
    return &h->dev;
}
