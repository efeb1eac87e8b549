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

struct dt {
    enum dt_kind kind;
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
    bool level[DT_LINES];
    unsigned calls[DT_LINES];
    struct char_port chars;
    char *output;
    size_t output_len;
    unsigned pokes;
    struct machine_port machine;
    enum dt_request request;
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

#define OWNER(port, member) ((struct dt *)((char *)(port) - offsetof(struct dt, member)))

static void char_write(struct char_port *port, const uint8_t *buf, size_t len)
{
    struct dt *t = OWNER(port, chars);

    for (size_t i = 0; i < len && t->output_len < OUTPUT_MAX; i++)
        t->output[t->output_len++] = (char)buf[i];
}

static void char_poke(struct char_port *port)
{
    OWNER(port, chars)->pokes++;
}

static void machine_request(struct machine_port *port, enum machine_request what, int status, const char *who)
{
    static const enum dt_request kinds[] = {
        [MACHINE_POWEROFF] = DT_POWEROFF, [MACHINE_RESET] = DT_RESET, [MACHINE_EXIT] = DT_EXIT
    };
    struct dt *t = OWNER(port, machine);

    t->request = kinds[what];
    t->status = status;
}

static void drive_submit(struct block_port *port, struct block_request *req)
{
    struct dt *t = OWNER(port, drive);

    must(!t->queue, "the device has more than one request in flight");
    bool inside = req->len && req->len <= port->size && req->offset <= port->size - req->len;
    must(req->op == BLOCK_FLUSH || inside, "a request outside the drive");
    must(req->offset % 512 == 0 && req->len % 512 == 0, "a request that is not of whole sectors");
    t->queue = req;
}

static void carry_out(struct dt *t, struct block_request *req)
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
    struct dt *t = OWNER(port, drive);

    while (t->queue) {
        struct block_request *req = t->queue;
        t->queue = NULL;
        carry_out(t, req);
    }
}

static void on_line(void *owner, unsigned n, bool level)
{
    struct dt *t = owner;

    t->level[n] = level;
    t->calls[n] += level;
}

/* ---- the kinds ---- */

static void connect(struct dt *t, struct line *line, unsigned n)
{
    line_connect(line, on_line, t, n);
}

static void make_rtc(struct dt *t)
{
    t->dev = goldfish_rtc_new("rtc", &t->env);
    connect(t, goldfish_rtc_irq(t->dev), 0);
}

static void make_uart(struct dt *t)
{
    t->dev = ns16550_new("uart", &t->env, &t->chars, DT_UART_HZ);
    connect(t, ns16550_irq(t->dev), 0);
}

static void make_plic(struct dt *t)
{
    t->dev = plic_new("plic", &t->env, DT_SOURCES, DT_HARTS);
    for (unsigned c = 0; c < DT_HARTS; c++)
        connect(t, plic_output(t->dev, c), c);
}

static void make_aclint(struct dt *t)
{
    t->dev = aclint_new("aclint", &t->env, DT_HARTS, DT_TIMEBASE);
    for (unsigned h = 0; h < DT_HARTS; h++) {
        connect(t, aclint_msip(t->dev, h), h);
        connect(t, aclint_mtip(t->dev, h), DT_HARTS + h);
    }
}

static void make_sswi(struct dt *t)
{
    t->dev = aclint_sswi_new("sswi", &t->env, DT_HARTS);
    for (unsigned h = 0; h < DT_HARTS; h++)
        connect(t, aclint_ssip(t->dev, h), h);
}

static void make_test(struct dt *t)
{
    t->dev = sifive_test_new("test", &t->env, &t->machine);
}

static void make_fw_cfg(struct dt *t)
{
    t->dev = fw_cfg_new("fwcfg", &t->env, t->kind == DT_FWCFG_IO ? FW_CFG_IOPORT : FW_CFG_MMIO);
    must(dt_add_item(t, FW_CFG_NB_CPUS, "\x04\0", 2), "an item was refused");
    must(dt_add_file(t, "opt/hello", "Hello, world", 12), "a file was refused");
    must(dt_add_file(t, "etc/table", "0123456789abcdef", 16), "a file was refused");
}

static void make_flash(struct dt *t)
{
    struct error e;

    t->flash = ram_new("flash", DT_FLASH_SIZE, &e);
    must(t->flash != NULL, "no memory");
    memset(t->flash->host, 0xff, DT_FLASH_SIZE);
    if (t->kind == DT_PFLASH) {
        t->dev = pflash_new("flash", &t->env, DT_FLASH_SIZE, t->flash, NULL);
        return;
    }
    t->drive.size = DT_FLASH_SIZE / 2;
    t->drive.read_only = t->kind == DT_PFLASH_READ_ONLY;
    t->disk = malloc(t->drive.size);
    memset(t->disk, 0xff, t->drive.size);
    t->dev = pflash_new("flash", &t->env, DT_FLASH_SIZE, t->flash, &t->drive);
}

static void make_htif(struct dt *t)
{
    struct htif_place place;
    struct error e;

    must(htif_place(DT_BASE + DT_TOHOST, DT_BASE + DT_FROMHOST, &place, &e), "htif has no place");
    t->dev = htif_new("htif", &t->env, &place, &t->chars, &t->machine);
}

static const struct {
    const char *name;
    void (*make)(struct dt *t);
} kinds[DT_KINDS] = {
    [DT_RTC] = { "goldfish-rtc", make_rtc },
    [DT_UART] = { "ns16550", make_uart },
    [DT_PLIC] = { "plic", make_plic },
    [DT_ACLINT] = { "aclint", make_aclint },
    [DT_SSWI] = { "sswi", make_sswi },
    [DT_TEST] = { "sifive-test", make_test },
    [DT_FWCFG] = { "fw-cfg", make_fw_cfg },
    [DT_FWCFG_IO] = { "fw-cfg-io", make_fw_cfg },
    [DT_PFLASH] = { "pflash", make_flash },
    [DT_PFLASH_DRIVE] = { "pflash-drive", make_flash },
    [DT_PFLASH_READ_ONLY] = { "pflash-read-only", make_flash },
    [DT_HTIF] = { "htif", make_htif },
};

const char *dt_name(enum dt_kind kind)
{
    return kinds[kind].name;
}

struct dt *dt_new(enum dt_kind kind)
{
    struct dt *t = calloc(1, sizeof *t);
    struct error e;

    t->kind = kind;
    t->trace_out = open_memstream(&t->trace_text, &t->trace_len);
    t->trace = trace_new(t->trace_out);
    trace_enable(t->trace, "guest_error");
    t->clock = clock_new(0, DT_WALL);
    t->bus = bus_new(t->trace);
    t->ram = ram_new("ram", DT_RAM_SIZE, &e);
    must(t->ram != NULL, "no memory");
    must(bus_add_memory(t->bus, BUS_RAM, DT_RAM, t->ram, DT_RAM_SIZE, &e), e.text);
    t->env = (struct dev_env){ .bus = t->bus, .clock = t->clock, .trace = t->trace };
    t->output = malloc(OUTPUT_MAX);
    t->chars.write = char_write;
    t->chars.poke = char_poke;
    t->machine.request = machine_request;
    t->drive.submit = drive_submit;
    t->drive.drain = drive_drain;
    kinds[kind].make(t);
    must(bus_add_device(t->bus, DT_BASE, t->dev, t->flash, &e), e.text);
    device_reset(t->dev);
    return t;
}

void dt_free(struct dt *t)
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

uint64_t dt_span(const struct dt *t)
{
    return t->dev->ops->span ? t->dev->ops->span : t->dev->span;
}

/* ---- the guest ---- */

bool dt_access(struct dt *t, uint64_t off, unsigned width, bool write, uint64_t *value)
{
    if (write)
        return bus_write(t->bus, DT_BASE + off, width, *value) == BUS_OK;
    return bus_read(t->bus, DT_BASE + off, width, value) == BUS_OK;
}

uint64_t dt_read(struct dt *t, uint64_t off, unsigned width)
{
    uint64_t value = 0;

    must(dt_access(t, off, width, false, &value), "a read was refused");
    return value;
}

void dt_write(struct dt *t, uint64_t off, unsigned width, uint64_t value)
{
    must(dt_access(t, off, width, true, &value), "a write was refused");
}

uint8_t *dt_ram(struct dt *t, uint64_t gpa)
{
    must(gpa >= DT_RAM && gpa < DT_RAM + (uint64_t)DT_RAM_SIZE, "no RAM there");
    return t->ram->host + (gpa - DT_RAM);
}

bool dt_direct(const struct dt *t)
{
    return bus_find(t->bus, DT_BASE)->kind == BUS_ROMD;
}

void dt_reset(struct dt *t)
{
    device_reset(t->dev);
}

unsigned dt_guest_errors(struct dt *t)
{
    unsigned lines = 0;

    fflush(t->trace_out);
    for (; t->trace_seen < t->trace_len; t->trace_seen++)
        lines += t->trace_text[t->trace_seen] == '\n';
    return lines;
}

/* ---- wires and time ---- */

bool dt_line(const struct dt *t, unsigned n)
{
    return t->level[n];
}

unsigned dt_calls(const struct dt *t, unsigned n)
{
    return t->calls[n];
}

void dt_input(struct dt *t, unsigned source, bool level)
{
    plic_set_input(t->dev, source, level);
}

uint64_t dt_now(const struct dt *t)
{
    return clock_now(t->clock);
}

void dt_advance(struct dt *t, uint64_t ns)
{
    uint64_t target = clock_now(t->clock) + ns;

    while (clock_deadline(t->clock) <= target) {
        clock_advance_to(t->clock, clock_deadline(t->clock));
        clock_run(t->clock);
    }
    clock_advance_to(t->clock, target);
}

/* ---- the host ---- */

size_t dt_type(struct dt *t, const void *buf, size_t len)
{
    must(t->chars.dev != NULL, "nothing is attached");
    size_t room = t->chars.can_receive(t->chars.dev);
    size_t n = len < room ? len : room;

    if (n)
        t->chars.receive(t->chars.dev, buf, n);
    return n;
}

void dt_break(struct dt *t)
{
    t->chars.event(t->chars.dev, CHAR_BREAK);
}

size_t dt_output(const struct dt *t, const char **buf)
{
    *buf = t->output;
    return t->output_len;
}

unsigned dt_pokes(const struct dt *t)
{
    return t->pokes;
}

enum dt_request dt_take_request(struct dt *t, int *status)
{
    enum dt_request request = t->request;

    *status = t->status;
    t->request = DT_NO_REQUEST;
    return request;
}

bool dt_add_file(struct dt *t, const char *name, const void *data, uint32_t len)
{
    struct error e;

    return fw_cfg_add_file(t->dev, name, data, len, &e);
}

bool dt_add_item(struct dt *t, uint16_t key, const void *data, uint32_t len)
{
    struct error e;

    return fw_cfg_add(t->dev, key, data, len, &e);
}

uint8_t *dt_drive(struct dt *t)
{
    return t->disk;
}

void dt_drain(struct dt *t)
{
    drive_drain(&t->drive);
}

unsigned dt_flushes(const struct dt *t)
{
    return t->flushes;
}

void dt_fail_drive(struct dt *t, bool fail)
{
    t->fail_drive = fail;
}

bool dt_load_flash(struct dt *t)
{
    struct error e;

    return pflash_load(t->dev, &e);
}

bool dt_htif_place(uint64_t tohost, uint64_t fromhost, uint64_t *base, uint64_t *span)
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

size_t dt_save(const struct dt *t, uint8_t *buf, size_t capacity)
{
    struct state_out out = { 0 };

    device_save(t->dev, &out);
    must(out.len <= capacity, "the state is larger than the test's buffer");
    size_t len = out.len;
    memcpy(buf, out.data, len);
    state_out_free(&out);
    return len;
}

bool dt_load(struct dt *t, const uint8_t *buf, size_t len, char *message, size_t size)
{
    struct state_in in = { buf, len, 0 };
    struct error e = { "" };
    bool ok = device_load(t->dev, &in, &e);

    snprintf(message, size, "%s", e.text);
    return ok;
}

bool dt_clone(const struct dt *from, struct dt *to)
{
    struct state_out out = { 0 };
    struct error e;

    clock_set(to->clock, clock_now(from->clock));
    memcpy(to->ram->host, from->ram->host, DT_RAM_SIZE);
    if (from->flash)
        memcpy(to->flash->host, from->flash->host, DT_FLASH_SIZE);
    device_save(from->dev, &out);
    struct state_in in = { out.data, out.len, 0 };
    bool ok = device_load(to->dev, &in, &e);
    state_out_free(&out);
    return ok;
}
