/* harness-gdb.c - see harness-gdb.h. */
#include "harness-gdb.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "gdb.h"
#include "harness.h"
#include "ram.h"

enum { OUT = 1 << 17, REGS = 71, PAGE = 4096 };

struct fake_cpu {
    struct cpu cpu;
    struct hg *h;
    uint64_t reg[REGS];
    uint64_t breaks[CPU_BREAKS];
    unsigned break_count;
    uint64_t watches[CPU_WATCHES];
    unsigned watch_count;
    unsigned steps;
    bool idle;
    enum cpu_stop next;
    uint64_t next_address;
};

struct hg {
    struct control control;
    struct fake_cpu cpu[CONTROL_CPUS];
    struct char_port port;
    struct trace *trace;
    struct ram *ram;
    struct gdb *gdb;
    struct cpu_reg table[REGS];
    char names[REGS][8];
    bool running;
    uint32_t held;
    unsigned resumed, resets, quits, wrongs;
    char out[OUT];
    size_t out_len;
    uint64_t valid, errors;
    size_t unread;
    unsigned hang_ups, patience;
};

static struct fake_cpu *fake(struct cpu *cpu)
{
    return (struct fake_cpu *)cpu;
}

static void must_stand(const struct hg *h)
{
    ((struct hg *)h)->wrongs += h->running;
}

/* ---- the CPU ---- */

static bool has_work(struct cpu *cpu)
{
    return !fake(cpu)->idle;
}

static const struct cpu_reg *registers(struct cpu *cpu, size_t *count)
{
    *count = REGS;
    return fake(cpu)->h->table;
}

static uint64_t get_register(struct cpu *cpu, unsigned id)
{
    must_stand(fake(cpu)->h);
    return fake(cpu)->reg[id];
}

static void set_register(struct cpu *cpu, unsigned id, uint64_t value)
{
    must_stand(fake(cpu)->h);
    fake(cpu)->reg[id] = value;
}

static bool translate(struct cpu *cpu, uint64_t gva, uint64_t *gpa)
{
    must_stand(fake(cpu)->h);
    if (gva - HG_RAM < HG_RAM_SIZE)
        *gpa = gva;
    else if (gva / PAGE == 1)
        *gpa = HG_RAM + 3 * PAGE + gva % PAGE;
    else if (gva / PAGE == 2)
        *gpa = HG_RAM + PAGE + gva % PAGE;
    else
        return false;
    return true;
}

static bool set_in(uint64_t *list, unsigned *count, unsigned most, uint64_t key, bool on)
{
    unsigned i = 0;

    while (i < *count && list[i] != key)
        i++;
    if (!on) {
        if (i == *count)
            return false;
        list[i] = list[--*count];
        return true;
    }
    if (i == *count && i == most)
        return false;
    list[i] = key;
    *count += i == *count;
    return true;
}

static bool set_break(struct cpu *cpu, uint64_t gva, bool on)
{
    struct fake_cpu *f = fake(cpu);

    must_stand(f->h);
    return set_in(f->breaks, &f->break_count, CPU_BREAKS, gva, on);
}

static bool set_watch(struct cpu *cpu, uint64_t gva, uint64_t len, unsigned kinds, bool on)
{
    struct fake_cpu *f = fake(cpu);

    must_stand(f->h);
    f->h->wrongs += !len || !kinds;
    return set_in(f->watches, &f->watch_count, CPU_WATCHES, gva << 16 ^ len << 2 ^ kinds, on);
}

static const struct cpu_ops ops = {
    .arch = "riscv", .has_work = has_work, .registers = registers, .get_register = get_register,
    .set_register = set_register, .translate = translate, .set_break = set_break, .set_watch = set_watch,
};

static unsigned number_of(const struct hg *h, const char *name)
{
    unsigned i = 0;

    while (strcmp(h->table[i].name, name)) {
        i++;
        assert(i < REGS);
    }
    return i;
}

static void list_registers(struct hg *h, unsigned xlen)
{
    static const char *const others[] = { "fflags", "frm", "fcsr", "mstatus", "mepc" };
    static const char *const named[] = { "zero", "ra", "sp", "gp", "tp" };

    for (unsigned i = 0; i < REGS; i++) {
        const char *group = i < 33 ? "general" : i < 65 ? "float" : i < 70 ? "csr" : "virtual";
        unsigned bits = i == 70 ? 8 : i >= 33 && i < 65 ? 64 : xlen;
        if (i < 5)
            snprintf(h->names[i], sizeof h->names[i], "%s", named[i]);
        else if (i < 65)
            snprintf(h->names[i], sizeof h->names[i], i == 32 ? "pc" : i < 32 ? "x%u" : "f%u", i < 32 ? i : i - 33);
        else
            snprintf(h->names[i], sizeof h->names[i], "%s", i < 70 ? others[i - 65] : "priv");
        h->table[i] = (struct cpu_reg){ h->names[i], group, bits, i };
    }
}

/* ---- the machine ---- */

static struct hg *rig_of(struct control *c)
{
    return (struct hg *)c;
}

static bool running(struct control *c)
{
    return rig_of(c)->running;
}

static void stop(struct control *c)
{
    rig_of(c)->running = false;
}

static void resume(struct control *c, uint32_t held)
{
    rig_of(c)->running = true;
    rig_of(c)->held = held;
    rig_of(c)->resumed++;
}

static void step(struct control *c, struct cpu *cpu)
{
    struct fake_cpu *f = fake(cpu);

    must_stand(rig_of(c));
    f->reg[32] += 4;
    f->steps++;
    cpu->stop = f->next;
    cpu->stop_address = f->next_address;
    f->next = CPU_STOP_STEP;
}

static void reset(struct control *c)
{
    rig_of(c)->resets++;
}

static void quit(struct control *c, int status)
{
    rig_of(c)->quits++;
}

/* ---- the line ---- */

static bool is_packet(const char *p, size_t len)
{
    uint8_t sum = 0;
    char want[3];

    if (len < 4 || p[0] != '$' || p[len - 3] != '#' || len - 4 > 0x4000)
        return false;
    for (size_t i = 1; i < len - 3; i++) {
        if (p[i] == '$' || p[i] == '#' || p[i] < 0)
            return false;
        sum = (uint8_t)(sum + (uint8_t)p[i]);
    }
    snprintf(want, sizeof want, "%02x", sum);
    return !memcmp(want, p + len - 2, 2);
}

static struct hg *of_port(struct char_port *port)
{
    return (struct hg *)((char *)port - offsetof(struct hg, port));
}

/* Each call is one acknowledgement or one packet: how the stub does it. */
static void port_write(struct char_port *port, const uint8_t *buf, size_t len)
{
    struct hg *h = of_port(port);
    bool ack = len == 1 && (buf[0] == '+' || buf[0] == '-');

    h->wrongs += !ack && !is_packet((const char *)buf, len);
    h->valid += !ack && len > 4;
    h->errors += !ack && len > 4 && buf[1] == 'E';
    for (size_t i = 0; i < len; i++) {
        if (h->out_len < OUT - 1)
            h->out[h->out_len++] = (char)buf[i];
    }
}

static size_t port_pending(struct char_port *port)
{
    return of_port(port)->unread;
}

static void port_hang_up(struct char_port *port)
{
    of_port(port)->hang_ups++;
}

static void port_patience(struct char_port *port, unsigned seconds)
{
    of_port(port)->patience = seconds;
}

void hg_unread(struct hg *h, size_t bytes)
{
    h->unread = bytes;
}

unsigned hg_hang_ups(const struct hg *h)
{
    return h->hang_ups;
}

unsigned hg_patience(const struct hg *h)
{
    return h->patience;
}

void hg_open(struct hg *h)
{
    h->patience = 0;
    h->port.event(h->port.dev, CHAR_OPENED);
}

void hg_close(struct hg *h)
{
    h->port.event(h->port.dev, CHAR_CLOSED);
}

void hg_break_event(struct hg *h)
{
    h->port.event(h->port.dev, CHAR_BREAK);
}

void hg_send(struct hg *h, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    while (len) {
        size_t piece = h->port.can_receive(h->port.dev);
        if (!piece) {
            h->wrongs++;
            return;
        }
        piece = piece < len ? piece : len;
        h->port.receive(h->port.dev, at, piece);
        at += piece;
        len -= piece;
    }
}

void hg_output(struct hg *h, char *out, size_t size)
{
    size_t len = h->out_len < size - 1 ? h->out_len : size - 1;

    memcpy(out, h->out, len);
    out[len] = 0;
    h->out_len = 0;
}

size_t hg_frame(const void *body, size_t len, char *out, size_t size)
{
    uint8_t sum = 0;

    assert(size >= len + 5);
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)body)[i]);
    out[0] = '$';
    memcpy(out + 1, body, len);
    snprintf(out + 1 + len, size - 1 - len, "#%02x", sum);
    return len + 4;
}

void hg_ask(struct hg *h, const char *body, char *reply, size_t size)
{
    size_t len = strlen(body);
    char *packet = malloc(len + 5), *got = malloc(OUT);

    h->out_len = 0;
    hg_send(h, packet, hg_frame(body, len, packet, len + 5));
    hg_output(h, got, OUT);
    len = strlen(got);
    bool acked = got[0] == '+';
    if (acked && len == 1) {
        snprintf(reply, size, "(none)");
    } else if (is_packet(got + acked, len - acked)) {
        snprintf(reply, size, "%.*s", (int)(len - acked - 4), got + acked + 1);
        if (acked)
            hg_send(h, "+", 1);
    } else {
        snprintf(reply, size, "(bad)");
    }
    free(packet);
    free(got);
}

/* ---- life, and what is seen ---- */

struct hg *hg_new(unsigned cpus, unsigned xlen)
{
    struct hg *h = alloc_zeroed(sizeof *h);
    struct error e;

    h->trace = trace_new(stderr);
    h->ram = ram_new("ram", HG_RAM_SIZE, &e);
    h->control = (struct control){ .cpus = cpus, .bus = bus_new(h->trace), .running = running, .stop = stop,
                                   .resume = resume, .step = step, .reset = reset, .quit = quit };
    bool ok = h->ram && bus_add_memory(h->control.bus, BUS_RAM, HG_RAM, h->ram, HG_RAM_SIZE, &e);
    assert(ok);
    list_registers(h, xlen);
    for (unsigned i = 0; i < cpus; i++) {
        struct cpu_env env = { .bus = h->control.bus, .trace = h->trace };
        cpu_init(&h->cpu[i].cpu, &ops, &env, i);
        h->cpu[i].h = h;
        h->cpu[i].next = CPU_STOP_STEP;
        h->control.cpu[i] = &h->cpu[i].cpu;
    }
    h->running = ok;
    h->port = (struct char_port){ .write = port_write, .pending = port_pending, .hang_up = port_hang_up,
                                  .patience = port_patience };
    h->gdb = gdb_new(&h->control, &h->port, &e);
    assert(h->gdb);
    return h;
}

void hg_free(struct hg *h)
{
    gdb_free(h->gdb);
    for (unsigned i = 0; i < h->control.cpus; i++)
        cpu_fini(&h->cpu[i].cpu);
    bus_free(h->control.bus);
    ram_free(h->ram);
    trace_free(h->trace);
    free(h);
}

void hg_stops(struct hg *h, unsigned cpu, enum hg_stop why, uint64_t address)
{
    h->cpu[cpu].cpu.stop = (enum cpu_stop)why;
    h->cpu[cpu].cpu.stop_address = address;
    h->running = false;
    for (unsigned i = 0; i < h->control.listeners; i++)
        h->control.listener[i].stopped(h->control.listener[i].owner, &h->cpu[cpu].cpu);
}

void hg_next_step(struct hg *h, unsigned cpu, enum hg_stop why, uint64_t address)
{
    h->cpu[cpu].next = (enum cpu_stop)why;
    h->cpu[cpu].next_address = address;
}

bool hg_running(const struct hg *h)
{
    return h->running;
}

uint32_t hg_held(const struct hg *h)
{
    return h->held;
}

unsigned hg_resumed(const struct hg *h)
{
    return h->resumed;
}

unsigned hg_stepped(const struct hg *h, unsigned cpu)
{
    return h->cpu[cpu].steps;
}

unsigned hg_breaks(const struct hg *h, unsigned cpu)
{
    return h->cpu[cpu].break_count;
}

unsigned hg_watches(const struct hg *h, unsigned cpu)
{
    return h->cpu[cpu].watch_count;
}

unsigned hg_resets(const struct hg *h)
{
    return h->resets;
}

unsigned hg_quits(const struct hg *h)
{
    return h->quits;
}

unsigned hg_wrongs(const struct hg *h)
{
    return h->wrongs;
}

bool hg_flush_requested(const struct hg *h, unsigned cpu)
{
    return h->cpu[cpu].cpu.request & CPU_REQUEST_FLUSH;
}

void hg_set_idle(struct hg *h, unsigned cpu, bool idle)
{
    h->cpu[cpu].idle = idle;
}

uint64_t hg_register(const struct hg *h, unsigned cpu, const char *name)
{
    return h->cpu[cpu].reg[number_of(h, name)];
}

void hg_set_register(struct hg *h, unsigned cpu, const char *name, uint64_t value)
{
    h->cpu[cpu].reg[number_of(h, name)] = value;
}

void hg_peek(struct hg *h, uint64_t gpa, void *buf, size_t len)
{
    h->wrongs += !bus_peek(h->control.bus, gpa, buf, len);
}

/* ---- the storm ---- */

/* Packets to start from, good ones among them. */
static const char *const seeds[] = {
    "?", "g", "G00", "p20", "P5=1122334455667788", "m80000000,40", "m1ffe,4", "M80000010,2:aabb", "X80000020,3:a}\003b",
    "Z0,80000000,4", "z0,80000000,4", "Z1,80000004,2", "Z2,80000100,8", "z2,80000100,8", "Z3,80000200,1", "Z4,0,1",
    "vCont?", "vCont;c", "vCont;s:1;c", "vCont;s:2", "vCont;t", "c", "s", "c80000000", "Hg1", "Hc-1", "T2", "qC", "D",
    "qfThreadInfo", "qsThreadInfo", "qThreadExtraInfo,1", "qXfer:features:read:target.xml:0,fff", "qAttached",
    "qXfer:threads:read::0,100", "qSupported:swbreak+;hwbreak+", "QStartNoAckMode", "qRcmd,7265736574",
    "Qqemu.PhyMemMode:1", "qqemu.PhyMemMode", "k", "vKill;1", "qOffsets", "m0,ffffffffffffffff",
    "Z2,ffffffffffffffff,2",
};

static size_t make_body(uint64_t *rng, char *body, size_t size)
{
    uint64_t kind = harness_random(rng) % 8;
    size_t len;

    if (kind == 0) { /* nothing but noise */
        len = harness_random(rng) % 64;
        for (size_t i = 0; i < len; i++)
            body[i] = (char)harness_random(rng);
        return len;
    }
    const char *seed = seeds[harness_random(rng) % (sizeof seeds / sizeof seeds[0])];
    len = strlen(seed);
    memcpy(body, seed, len);
    for (uint64_t i = harness_random(rng) % 4; kind >= 3 && i > 0 && len; i--) {
        static const char letters[] = "0123456789abcdef,;:-=+#$}\003\200";
        size_t at = harness_random(rng) % len;
        uint64_t how = harness_random(rng) % 4;
        if (how == 0)
            len = at;
        else if (how == 1)
            body[at] = (char)harness_random(rng);
        else
            body[at] = letters[harness_random(rng) % (sizeof letters - 1)];
    }
    if (harness_random(rng) % 1024 == 0) { /* too long */
        memset(body + len, 'a', size - len);
        len = size - 1;
    }
    return len;
}

/* Mostly right, sometimes without its head, its sum, or with noise around. */
static size_t make_packet(uint64_t *rng, char *packet, size_t size)
{
    static char const noise[] = "+-\003$#x\377";
    char body[0x5000];
    size_t len = hg_frame(body, make_body(rng, body, sizeof body), packet, size);

    switch (harness_random(rng) % 16) {
    case 0: packet[harness_random(rng) % len] = (char)harness_random(rng); break;
    case 1: len -= harness_random(rng) % len; break;
    case 2: packet[len++] = noise[harness_random(rng) % (sizeof noise - 1)]; break;
    default: break;
    }
    return len;
}

/* The guest's part in it. */
static void guest_acts(struct hg *h, uint64_t *rng)
{
    uint64_t r = harness_random(rng);

    if (h->running && r % 4 == 0)
        hg_stops(h, (r >> 8) % h->control.cpus, (enum hg_stop)((r >> 16) % 5), HG_RAM + (r >> 32) % 0x200);
    else if (r % 64 == 1)
        hg_close(h);
    else if (r % 64 == 2)
        hg_open(h);
    else if (r % 64 == 3)
        hg_next_step(h, (r >> 8) % h->control.cpus, HG_WATCH_WRITE, HG_RAM + 0x100);
}

void hg_storm(struct hg *h, uint64_t seed, uint64_t packets, uint64_t counts[2])
{
    char packet[0x5100];
    uint64_t rng = seed;
    unsigned hung_up = h->hang_ups;

    h->valid = h->errors = 0;
    for (uint64_t n = 0; n < packets; n++) {
        size_t len = make_packet(&rng, packet, sizeof packet);
        size_t cut = harness_random(&rng) % (len + 1);
        h->out_len = 0;
        hg_send(h, packet, cut);
        guest_acts(h, &rng);
        hg_send(h, packet + cut, len - cut);
        if (h->hang_ups != hung_up) { /* what it began with was nothing */
            hung_up = h->hang_ups;
            hg_close(h);
            hg_open(h);
        }
    }
    counts[0] = h->valid;
    counts[1] = h->errors;
}
