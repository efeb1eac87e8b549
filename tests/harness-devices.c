/* harness-devices.c - see harness-devices.h. */
#define _GNU_SOURCE
#include "harness-devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclint.h"
#include "bus.h"
#include "clock.h"
#include "device.h"
#include "fw-cfg.h"
#include "goldfish-rtc.h"
#include "htif.h"
#include "ns16550.h"
#include "pflash.h"
#include "plic.h"
#include "ports.h"
#include "ram.h"
#include "sifive-test.h"
#include "trace.h"

enum { OUTPUT_MAX = 1 << 20 };

struct dvt {
    enum dvt_kind kind;
    struct device *dev;
    struct trace *trace;
    FILE *trace_out;
    char *trace_text;
    size_t trace_len;
    size_t trace_seen;
    struct clock *clock;
    struct bus *bus;
    struct ram *ram, *flash;
    struct dev_env env;
    bool level[DVT_LINES];
    unsigned calls[DVT_LINES];
    struct char_port chars;
    char *output;
    size_t output_len;
    unsigned pokes;
    struct machine_port machine;
    enum dvt_request request;
    int status;
    struct block_port drive;
    uint8_t *disk;
    struct block_request *queue;
    unsigned flushes;
    bool fail_drive;
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "harness-devices: %s\n", what);
    abort();
}

/* ---- fake ports ---- */

#define OWNER(port, member) ((struct dvt *)((char *)port - offsetof(struct dvt, member)))

static void char_write(struct char_port *port, const uint8_t *buf, size_t len)
{
    struct dvt *t = OWNER(port, chars);

    for (size_t i = 0; i < len && t->output_len < OUTPUT_MAX; i++)
        t->output[t->output_len++] = (char)buf[i];
}

static void char_poke(struct char_port *port)
{
    OWNER(port, chars)->pokes++;
}

static void machine_request(struct machine_port *port, enum machine_request what, int status, const char *who)
{
    static const enum dvt_request kinds[] = {
        [MACHINE_POWEROFF] = DVT_POWEROFF, [MACHINE_RESET] = DVT_RESET, [MACHINE_EXIT] = DVT_EXIT
    };
    struct dvt *t = OWNER(port, machine);

    t->request = kinds[what];
    t->status = status;
}

static void drive_submit(struct block_port *port, struct block_request *req)
{
    struct dvt *t = OWNER(port, drive);

    must(!t->queue, "the device has more than one request in flight");
    bool inside = req->len && req->len <= port->size && req->offset <= port->size - req->len;
    must(req->op == BLOCK_FLUSH || inside, "a request outside the drive");
    must(req->offset % 512 == 0 && req->len % 512 == 0, "a request that is not of whole sectors");
    t->queue = req;
}

static void carry_out(struct dvt *t, struct block_request *req)
{
    enum block_status status = BLOCK_OK;

    if (t->fail_drive)
        status = BLOCK_IO_ERROR;
    else if (req->op == BLOCK_READ)
        memcpy(req->buf, t->disk + req->offset, req->len);
    else if (req->op == BLOCK_WRITE && t->drive.read_only)
        status = BLOCK_READ_ONLY;
    else if (req->op == BLOCK_WRITE)
        memcpy(t->disk + req->offset, req->buf, req->len);
    else if (req->op == BLOCK_FLUSH)
        t->flushes++;
    req->done(req, status);
}

static void drive_drain(struct block_port *port)
{
    struct dvt *t = OWNER(port, drive);

    while (t->queue) {
        struct block_request *req = t->queue;
        t->queue = NULL;
        carry_out(t, req);
    }
}

static void on_line(void *owner, unsigned n, bool level)
{
    struct dvt *t = owner;

    t->level[n] = level;
    t->calls[n] += level;
}

/* ---- the kinds ---- */

static void connect(struct dvt *t, struct line *line, unsigned n)
{
    line_connect(line, on_line, t, n);
}

static void make_rtc(struct dvt *t)
{
    t->dev = goldfish_rtc_new("rtc", &t->env);
    connect(t, goldfish_rtc_irq(t->dev), 0);
}

static void make_uart(struct dvt *t)
{
    t->dev = ns16550_new("uart", &t->env, &t->chars, DVT_UART_HZ);
    connect(t, ns16550_irq(t->dev), 0);
}

static void make_plic(struct dvt *t)
{
    t->dev = plic_new("plic", &t->env, DVT_SOURCES, DVT_HARTS);
    for (unsigned c = 0; c < DVT_HARTS; c++)
        connect(t, plic_output(t->dev, c), c);
}

static void make_aclint(struct dvt *t)
{
    t->dev = aclint_new("aclint", &t->env, DVT_HARTS, DVT_TIMEBASE);
    for (unsigned h = 0; h < DVT_HARTS; h++) {
        connect(t, aclint_msip(t->dev, h), h);
        connect(t, aclint_mtip(t->dev, h), DVT_HARTS + h);
    }
}

static void make_sswi(struct dvt *t)
{
    t->dev = aclint_sswi_new("sswi", &t->env, DVT_HARTS);
    for (unsigned h = 0; h < DVT_HARTS; h++)
        connect(t, aclint_ssip(t->dev, h), h);
}

static void make_test(struct dvt *t)
{
    t->dev = sifive_test_new("test", &t->env, &t->machine);
}

static void make_fw_cfg(struct dvt *t)
{
    t->dev = fw_cfg_new("fwcfg", &t->env, t->kind == DVT_FWCFG_IO ? FW_CFG_IOPORT : FW_CFG_MMIO);
    must(dvt_add_item(t, FW_CFG_NB_CPUS, "\x04\0", 2), "an item was refused");
    must(dvt_add_file(t, "opt/hello", "Hello, world", 12), "a file was refused");
    must(dvt_add_file(t, "etc/table", "0123456789abcdef", 16), "a file was refused");
}

static void make_flash(struct dvt *t)
{
    struct error e;

    t->flash = ram_new("flash", DVT_FLASH_SIZE, &e);
    must(t->flash != NULL, "no memory");
    memset(t->flash->host, 0xff, DVT_FLASH_SIZE);
    if (t->kind == DVT_PFLASH) {
        t->dev = pflash_new("flash", &t->env, DVT_FLASH_SIZE, t->flash, NULL);
        return;
    }
    t->drive.size = DVT_FLASH_SIZE / 2;
    t->drive.read_only = t->kind == DVT_PFLASH_READ_ONLY;
    t->disk = malloc(t->drive.size);
    memset(t->disk, 0xff, t->drive.size);
    t->dev = pflash_new("flash", &t->env, DVT_FLASH_SIZE, t->flash, &t->drive);
}

static void make_htif(struct dvt *t)
{
    struct htif_place place;
    struct error e;

    must(htif_place(DVT_BASE + DVT_TOHOST, DVT_BASE + DVT_FROMHOST, &place, &e), "htif has no place");
    t->dev = htif_new("htif", &t->env, &place, &t->chars, &t->machine);
}

static const struct {
    const char *name;
    void (*make)(struct dvt *t);
} kinds[DVT_KINDS] = {
    [DVT_RTC] = { "goldfish-rtc", make_rtc },
    [DVT_UART] = { "ns16550", make_uart },
    [DVT_PLIC] = { "plic", make_plic },
    [DVT_ACLINT] = { "aclint", make_aclint },
    [DVT_SSWI] = { "sswi", make_sswi },
    [DVT_TEST] = { "sifive-test", make_test },
    [DVT_FWCFG] = { "fw-cfg", make_fw_cfg },
    [DVT_FWCFG_IO] = { "fw-cfg-io", make_fw_cfg },
    [DVT_PFLASH] = { "pflash", make_flash },
    [DVT_PFLASH_DRIVE] = { "pflash-drive", make_flash },
    [DVT_PFLASH_READ_ONLY] = { "pflash-read-only", make_flash },
    [DVT_HTIF] = { "htif", make_htif },
};

const char *dvt_name(enum dvt_kind kind)
{
    return kinds[kind].name;
}

struct dvt *dvt_new(enum dvt_kind kind)
{
    struct dvt *t = calloc(1, sizeof *t);
    struct error e;

    t->kind = kind;
    t->trace_out = open_memstream(&t->trace_text, &t->trace_len);
    t->trace = trace_new(t->trace_out);
    trace_enable(t->trace, "guest_error");
    t->clock = clock_new(0, DVT_WALL);
    t->bus = bus_new(t->trace);
    t->ram = ram_new("ram", DVT_RAM_SIZE, &e);
    must(t->ram != NULL, "no memory");
    must(bus_add_memory(t->bus, BUS_RAM, DVT_RAM, t->ram, DVT_RAM_SIZE, &e), e.text);
    t->env = (struct dev_env){ .bus = t->bus, .clock = t->clock, .trace = t->trace };
    t->output = malloc(OUTPUT_MAX);
    t->chars.write = char_write;
    t->chars.poke = char_poke;
    t->machine.request = machine_request;
    t->drive.submit = drive_submit;
    t->drive.drain = drive_drain;
    kinds[kind].make(t);
    must(bus_add_device(t->bus, DVT_BASE, t->dev, t->flash, &e), e.text);
    device_reset(t->dev);
    return t;
}

void dvt_free(struct dvt *t)
{
    device_destroy(t->dev);
    must(clock_deadline(t->clock) == CLOCK_NEVER, "a destroyed device left a timer");
    bus_free(t->bus);
    clock_free(t->clock);
    trace_free(t->trace);
    fclose(t->trace_out);
    free(t->trace_text);
    ram_free(t->ram);
    if (t->flash)
        ram_free(t->flash);
    free(t->disk);
    free(t->output);
    free(t);
}

uint64_t dvt_span(const struct dvt *t)
{
    return t->dev->ops->span ? t->dev->ops->span : t->dev->span;
}

/* ---- the guest ---- */

bool dvt_access(struct dvt *t, uint64_t off, unsigned width, bool write, uint64_t *value)
{
    if (write)
        return bus_write(t->bus, DVT_BASE + off, width, *value) == BUS_OK;
    return bus_read(t->bus, DVT_BASE + off, width, value) == BUS_OK;
}

uint64_t dvt_read(struct dvt *t, uint64_t off, unsigned width)
{
    uint64_t value = 0;

    must(dvt_access(t, off, width, false, &value), "a read was refused");
    return value;
}

void dvt_write(struct dvt *t, uint64_t off, unsigned width, uint64_t value)
{
    must(dvt_access(t, off, width, true, &value), "a write was refused");
}

uint8_t *dvt_ram(struct dvt *t, uint64_t gpa)
{
    must(gpa >= DVT_RAM && gpa < DVT_RAM + (uint64_t)DVT_RAM_SIZE, "no RAM there");
    return t->ram->host + (gpa - DVT_RAM);
}

bool dvt_direct(const struct dvt *t)
{
    return bus_find(t->bus, DVT_BASE)->kind == BUS_ROMD;
}

void dvt_reset(struct dvt *t)
{
    device_reset(t->dev);
}

unsigned dvt_guest_errors(struct dvt *t)
{
    unsigned lines = 0;

    fflush(t->trace_out);
    for (; t->trace_seen < t->trace_len; t->trace_seen++)
        lines += t->trace_text[t->trace_seen] == '\n';
    return lines;
}

/* ---- wires and time ---- */

bool dvt_line(const struct dvt *t, unsigned n)
{
    return t->level[n];
}

unsigned dvt_calls(const struct dvt *t, unsigned n)
{
    return t->calls[n];
}

void dvt_input(struct dvt *t, unsigned source, bool level)
{
    plic_set_input(t->dev, source, level);
}

uint64_t dvt_now(const struct dvt *t)
{
    return clock_now(t->clock);
}

void dvt_advance(struct dvt *t, uint64_t ns)
{
    uint64_t target = clock_now(t->clock) + ns;

    while (clock_deadline(t->clock) <= target) {
        clock_advance_to(t->clock, clock_deadline(t->clock));
        clock_run(t->clock);
    }
    clock_advance_to(t->clock, target);
}

/* ---- the host ---- */

size_t dvt_type(struct dvt *t, const void *buf, size_t len)
{
    must(t->chars.dev != NULL, "nothing is attached");
    size_t room = t->chars.can_receive(t->chars.dev);
    size_t n = len < room ? len : room;

    if (n)
        t->chars.receive(t->chars.dev, buf, n);
    return n;
}

void dvt_break(struct dvt *t)
{
    t->chars.event(t->chars.dev, CHAR_BREAK);
}

size_t dvt_output(const struct dvt *t, const char **buf)
{
    *buf = t->output;
    return t->output_len;
}

unsigned dvt_pokes(const struct dvt *t)
{
    return t->pokes;
}

enum dvt_request dvt_take_request(struct dvt *t, int *status)
{
    enum dvt_request request = t->request;

    *status = t->status;
    t->request = DVT_NO_REQUEST;
    return request;
}

bool dvt_add_file(struct dvt *t, const char *name, const void *data, uint32_t len)
{
    struct error e;

    return fw_cfg_add_file(t->dev, name, data, len, &e);
}

bool dvt_add_item(struct dvt *t, uint16_t key, const void *data, uint32_t len)
{
    struct error e;

    return fw_cfg_add(t->dev, key, data, len, &e);
}

uint8_t *dvt_drive(struct dvt *t)
{
    return t->disk;
}

void dvt_drain(struct dvt *t)
{
    drive_drain(&t->drive);
}

unsigned dvt_flushes(const struct dvt *t)
{
    return t->flushes;
}

void dvt_fail_drive(struct dvt *t, bool fail)
{
    t->fail_drive = fail;
}

bool dvt_load_flash(struct dvt *t)
{
    struct error e;

    return pflash_load(t->dev, &e);
}

bool dvt_htif_place(uint64_t tohost, uint64_t fromhost, uint64_t *base, uint64_t *span)
{
    struct htif_place place;
    struct error e;

    if (!htif_place(tohost, fromhost, &place, &e))
        return false;
    *base = place.base;
    *span = place.span;
    return place.base + place.tohost == tohost && place.base + place.fromhost == fromhost;
}

/* ---- state ---- */

size_t dvt_save(const struct dvt *t, uint8_t *buf, size_t capacity)
{
    struct state_out out = { 0 };

    device_save(t->dev, &out);
    must(out.len <= capacity, "the state is larger than the test's buffer");
    size_t len = out.len;
    memcpy(buf, out.data, len);
    state_out_free(&out);
    return len;
}

bool dvt_load(struct dvt *t, const uint8_t *buf, size_t len, char *message, size_t size)
{
    struct state_in in = { buf, len, 0 };
    struct error e = { "" };
    bool ok = device_load(t->dev, &in, &e);

    snprintf(message, size, "%s", e.text);
    return ok;
}

bool dvt_clone(const struct dvt *from, struct dvt *to)
{
    struct state_out out = { 0 };
    struct error e;

    clock_set(to->clock, clock_now(from->clock));
    memcpy(to->ram->host, from->ram->host, DVT_RAM_SIZE);
    if (from->flash)
        memcpy(to->flash->host, from->flash->host, DVT_FLASH_SIZE);
    device_save(from->dev, &out);
    struct state_in in = { out.data, out.len, 0 };
    bool ok = device_load(to->dev, &in, &e);
    state_out_free(&out);
    return ok;
}
