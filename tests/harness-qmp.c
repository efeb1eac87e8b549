/* harness-qmp.c - see harness-qmp.h. */
#include "harness-qmp.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "device.h"
#include "harness.h"
#include "inspect.h"
#include "json.h"
#include "monitor.h"
#include "qmp.h"
#include "ram.h"

enum { OUT = 1 << 21, REGS = 36, PAGE = 4096 };

struct fake_cpu {
    struct cpu cpu;
    struct hq *h;
    uint64_t reg[REGS];
};

struct door {
    struct char_port port; /* first */
    char out[OUT];
    size_t len, unread;
    unsigned hang_ups, patience;
};

struct hq {
    struct control control;
    struct fake_cpu cpu[CONTROL_CPUS];
    struct cpu_reg table[REGS];
    char names[REGS][8];
    struct door door[HQ_DOORS];
    struct trace *trace;
    struct ram *ram;
    struct device dev;
    struct qmp *qmp;
    struct monitor *monitor;
    bool running, frozen, link_down;
    unsigned resets, quits, wrongs;
};

/* ---- the CPU ---- */

static struct fake_cpu *fake(struct cpu *cpu)
{
    return (struct fake_cpu *)cpu;
}

static void must_stand(struct hq *h)
{
    h->wrongs += h->running && !h->frozen;
}

static bool has_work(struct cpu *cpu)
{
    must_stand(fake(cpu)->h);
    return cpu->index == 0;
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

static bool translate(struct cpu *cpu, uint64_t gva, uint64_t *gpa)
{
    must_stand(fake(cpu)->h);
    *gpa = gva - HQ_HIGH < PAGE ? HQ_RAM + (gva - HQ_HIGH) : gva;
    return gva - HQ_HIGH < PAGE || gva - HQ_RAM < HQ_RAM_SIZE || gva - HQ_DEVICE < PAGE;
}

static const struct cpu_ops cpu_ops = {
    .arch = "riscv",
    .has_work = has_work,
    .registers = registers,
    .get_register = get_register,
    .translate = translate,
};

static void list_registers(struct hq *h)
{
    static const char *const others[] = { "pc", "mstatus", "satp", "ft0" };

    for (unsigned i = 0; i < REGS; i++) {
        if (i < 32)
            snprintf(h->names[i], sizeof h->names[i], "r%u", i);
        else
            snprintf(h->names[i], sizeof h->names[i], "%s", others[i - 32]);
        h->table[i] = (struct cpu_reg){ h->names[i], i <= 32 ? "general" : i == 35 ? "float" : "csr", 64, i };
    }
}

/* ---- the machine ---- */

static struct hq *of(struct control *c)
{
    return (struct hq *)c;
}

static bool running(struct control *c)
{
    return of(c)->running;
}

static void stop(struct control *c)
{
    of(c)->running = false;
}

static void resume(struct control *c, uint32_t held)
{
    of(c)->running = true;
}

static void reset(struct control *c)
{
    of(c)->resets++;
}

static void quit(struct control *c, int status)
{
    of(c)->quits++;
}

static void freeze(struct control *c)
{
    of(c)->wrongs += of(c)->frozen;
    of(c)->frozen = true;
}

static void thaw(struct control *c)
{
    of(c)->wrongs += !of(c)->frozen;
    of(c)->frozen = false;
}

static const char *status(struct control *c)
{
    return of(c)->running ? "running" : "paused";
}

static unsigned disassemble(struct control *c, uint64_t pc, const uint8_t *bytes, size_t len, char *text, size_t size)
{
    snprintf(text, size, "op %02x", len ? bytes[0] : 0);
    return len < 4 ? 0 : 4;
}

static bool mappings(struct control *c, struct cpu *cpu,
                     bool (*take)(void *owner, const struct control_mapping *mapping), void *owner)
{
    static const struct control_mapping rows[] = {
        { 0x1000, 0x80001000, 0x1000, "rwxu-ad" },
        { 0x2000, 0x80002000, 0x1000, "rwxu-ad" },
        { 0x3000, 0x80000000, 0x1000, "r--u-a-" },
    };

    if (!fake(cpu)->reg[34])
        return false;
    for (unsigned i = 0; i < 3 && take(owner, &rows[i]); i++)
        ;
    return true;
}

static bool block(struct control *c, unsigned n, struct control_block *out)
{
    *out = (struct control_block){ "d0", "disk \"one\".img", "raw", 1 << 20, true, false };
    return n == 0;
}

static bool net(struct control *c, unsigned n, struct control_net *out)
{
    *out = (struct control_net){ "n0", "user", "nic0", { 0x52, 0x54, 0, 0x12, 0x34, 0x56 }, !of(c)->link_down };
    return n == 0;
}

static bool character(struct control *c, unsigned n, struct control_char *out)
{
    *out = (struct control_char){ "serial0", "stdio", n ? NULL : "uart0" };
    return n < 2;
}

static bool board(struct control *c, unsigned n, struct control_board *out)
{
    *out = (struct control_board){ "virt", NULL, "a board", 8, true };
    return n == 0;
}

static const struct device *device(struct control *c, unsigned n)
{
    return n == 0 ? &of(c)->dev : NULL;
}

static bool set_link(struct control *c, const char *id, bool up)
{
    of(c)->link_down = !up;
    return !strcmp(id, "n0");
}

static bool forward(struct control *c, const char *id, const char *rule, unsigned *port, struct error *e)
{
    *port = 4242;
    return !strncmp(rule, "tcp:", 4) || error_set(e, "write tcp:");
}

static bool ring_read(struct control *c, const char *id, uint8_t *buf, size_t *size)
{
    *size = *size < 3 ? *size : 3;
    memcpy(buf, "a\n\377", *size);
    return !strcmp(id, "ring");
}

static uint64_t device_read(struct device *dev, uint64_t off, unsigned width)
{
    struct hq *h = (struct hq *)((char *)dev - offsetof(struct hq, dev));

    h->wrongs++;
    return 0;
}

static void device_write(struct device *dev, uint64_t off, unsigned width, uint64_t value)
{
    device_read(dev, off, width);
}

static const struct state_field fields[] = { STATE(struct device, span), STATE_END };

static const struct dev_ops dev_ops = {
    .name = "plic", .span = PAGE, .widths = 15, .read = device_read, .write = device_write, .fields = fields,
};

/* ---- the doors ---- */

static void port_write(struct char_port *port, const uint8_t *buf, size_t len)
{
    struct door *d = (struct door *)port;
    size_t room = OUT - d->len;

    memcpy(d->out + d->len, buf, len < room ? len : room);
    d->len += len < room ? len : room;
}

static size_t port_pending(struct char_port *port)
{
    return ((struct door *)port)->unread;
}

static void port_patience(struct char_port *port, unsigned seconds)
{
    ((struct door *)port)->patience = seconds;
}

static void port_hang_up(struct char_port *port)
{
    ((struct door *)port)->hang_ups++;
}

static void make_control(struct hq *h, unsigned cpus)
{
    h->control = (struct control){
        .cpus = cpus,
        .about = { .name = "guest", .version = "1.2.3", .target = "riscv64", .board = "virt", .ram = HQ_RAM_SIZE },
        .bus = bus_new(h->trace),
        .running = running,
        .stop = stop,
        .resume = resume,
        .reset = reset,
        .quit = quit,
        .freeze = freeze,
        .thaw = thaw,
        .status = status,
        .disassemble = disassemble,
        .mappings = mappings,
        .block = block,
        .net = net,
        .character = character,
        .board = board,
        .device = device,
        .set_link = set_link,
        .forward = forward,
        .ring_read = ring_read,
    };
}

struct hq *hq_new(unsigned cpus, bool shared)
{
    struct hq *h = alloc_zeroed(sizeof *h);
    struct error e;

    h->trace = trace_new(stderr);
    h->ram = ram_new("ram", HQ_RAM_SIZE, &e);
    make_control(h, cpus);
    struct dev_env env = { h->control.bus, NULL, h->trace };
    device_init(&h->dev, &dev_ops, "intc0", &env);
    bool ok = h->ram && bus_add_memory(h->control.bus, BUS_RAM, HQ_RAM, h->ram, HQ_RAM_SIZE, &e) &&
              bus_add_device(h->control.bus, HQ_DEVICE, &h->dev, NULL, &e);
    list_registers(h);
    for (unsigned i = 0; i < cpus; i++) {
        struct cpu_env cpu_env = { .bus = h->control.bus, .trace = h->trace };
        cpu_init(&h->cpu[i].cpu, &cpu_ops, &cpu_env, i);
        h->cpu[i].h = h;
        h->control.cpu[i] = &h->cpu[i].cpu;
    }
    for (unsigned i = 0; i < HQ_DOORS; i++) {
        h->door[i].port.write = port_write;
        h->door[i].port.pending = port_pending;
        h->door[i].port.hang_up = port_hang_up;
        h->door[i].port.patience = port_patience;
    }
    h->door[HQ_MONITOR].port.shared = shared;
    h->running = true;
    h->qmp = ok ? qmp_new(&h->control, &h->door[HQ_QMP].port, &e) : NULL;
    assert(h->qmp);
    h->monitor = monitor_new(&h->control, &h->door[HQ_MONITOR].port);
    return h;
}

void hq_free(struct hq *h)
{
    monitor_free(h->monitor);
    qmp_free(h->qmp);
    for (unsigned i = 0; i < h->control.cpus; i++)
        cpu_fini(&h->cpu[i].cpu);
    bus_free(h->control.bus);
    ram_free(h->ram);
    trace_free(h->trace);
    free(h);
}

void hq_bare(struct hq *h)
{
    struct control *c = &h->control;

    c->freeze = c->thaw = NULL;
    c->status = NULL;
    c->disassemble = NULL;
    c->mappings = NULL;
    c->block = NULL;
    c->net = NULL;
    c->character = NULL;
    c->board = NULL;
    c->device = NULL;
    c->set_link = NULL;
    c->forward = NULL;
    c->ring_read = NULL;
    h->running = false;
}

static void event(struct hq *h, enum hq_door door, enum char_event what)
{
    struct char_port *port = &h->door[door].port;

    port->event(port->dev, what);
}

void hq_open(struct hq *h, enum hq_door door)
{
    event(h, door, CHAR_OPENED);
}

void hq_close(struct hq *h, enum hq_door door)
{
    event(h, door, CHAR_CLOSED);
}

void hq_focus(struct hq *h)
{
    event(h, HQ_MONITOR, CHAR_FOCUSED);
}

size_t hq_send(struct hq *h, enum hq_door door, const void *bytes, size_t len)
{
    struct char_port *port = &h->door[door].port;
    size_t done = 0;

    while (done < len) {
        size_t n = port->can_receive(port->dev);
        n = n < len - done ? n : len - done;
        if (!n)
            break;
        port->receive(port->dev, (const uint8_t *)bytes + done, n);
        done += n;
        h->wrongs += h->frozen;
    }
    return done;
}

void hq_output(struct hq *h, enum hq_door door, char *out, size_t size)
{
    struct door *d = &h->door[door];
    size_t n = d->len < size - 1 ? d->len : size - 1;

    memcpy(out, d->out, n);
    out[n] = 0;
    d->len = 0;
}

void hq_unread(struct hq *h, enum hq_door door, size_t bytes)
{
    h->door[door].unread = bytes;
}

unsigned hq_patience(const struct hq *h, enum hq_door door)
{
    return h->door[door].patience;
}

unsigned hq_hang_ups(const struct hq *h, enum hq_door door)
{
    return h->door[door].hang_ups;
}

void hq_happens(struct hq *h, enum hq_event what, bool by_guest, const char *reason)
{
    control_tell(&h->control, (enum control_event)what, by_guest, reason);
}

void hq_poke(struct hq *h, uint64_t gpa, const void *buf, size_t len)
{
    h->wrongs += !bus_poke(h->control.bus, gpa, buf, len);
}

void hq_set_register(struct hq *h, unsigned cpu, const char *name, uint64_t value)
{
    for (unsigned i = 0; i < REGS; i++) {
        if (!strcmp(h->names[i], name))
            h->cpu[cpu].reg[i] = value;
    }
}

bool hq_running(const struct hq *h)
{
    return h->running;
}

unsigned hq_resets(const struct hq *h)
{
    return h->resets;
}

unsigned hq_quits(const struct hq *h)
{
    return h->quits;
}

unsigned hq_wrongs(const struct hq *h)
{
    return h->wrongs;
}

bool hq_json(const char *text, size_t len, char *out, size_t size)
{
    struct text_out t = { 0 };
    struct error e;
    struct json *value = json_parse(text, len, &e);

    if (value)
        json_put(&t, value);
    snprintf(out, size, "%s", value ? text_out_get(&t) : e.text);
    text_out_free(&t);
    json_free(value);
    return value;
}

/* ---- a hart that is looked at ---- */

struct listing {
    struct text_out text;
    unsigned took, most;
};

static bool take_mapping(void *owner, const struct control_mapping *m)
{
    struct listing *l = owner;

    text_out_put(&l->text, "%#llx %#llx %#llx %s\n", (unsigned long long)m->gva, (unsigned long long)m->gpa,
                 (unsigned long long)m->size, m->attributes);
    return ++l->took < l->most;
}

static struct rv_config *make_config(unsigned xlen)
{
    struct rv_isa isa;
    struct error e;
    bool ok = rv_isa_parse(&isa, xlen, xlen == 32 ? "rv32" : "rv64", &e);

    assert(ok);
    return ok ? rv_config_new(&isa, 1, 10000000, HQ_RAM) : NULL;
}

static void set_satp(struct cpu *cpu, uint64_t value)
{
    size_t count;
    const struct cpu_reg *regs = cpu->ops->registers(cpu, &count);

    for (size_t i = 0; i < count; i++) {
        if (!strcmp(regs[i].name, "satp"))
            cpu->ops->set_register(cpu, regs[i].id, value);
    }
}

void hq_mappings(unsigned xlen, uint64_t satp, const uint64_t (*entries)[2], size_t count, unsigned most,
                 unsigned *took, char *out, size_t size)
{
    struct hq *h = hq_new(1, false);
    struct machine_lock lock;
    struct clock *clock = clock_new(0, 0);
    struct cpu_env env = { h->control.bus, clock, &lock, h->trace };
    struct rv_config *config = make_config(xlen);
    struct cpu *cpu = rv_new(config, &env, 0);
    struct listing l = { .most = most };

    lock_init(&lock);
    for (size_t i = 0; i < count; i++)
        hq_poke(h, entries[i][0], &entries[i][1], xlen / 8); /* a little-endian host's */
    set_satp(cpu, satp);
    if (!rv_inspect_mappings(cpu, take_mapping, &l))
        text_out_put(&l.text, "off");
    snprintf(out, size, "%s", text_out_get(&l.text));
    *took = l.took;
    text_out_free(&l.text);
    cpu->ops->destroy(cpu);
    rv_config_free(config);
    lock_destroy(&lock);
    clock_free(clock);
    hq_free(h);
}

unsigned hq_disassemble(const void *bytes, size_t len, char *out, size_t size)
{
    struct rv_config *config = make_config(64);
    unsigned length = rv_inspect_code(config, HQ_RAM, bytes, len, out, size);

    rv_config_free(config);
    return length;
}

/* ---- the storm ---- */

/* None of them writes a file, however it is changed. */
static const char *const requests[] = {
    "{\"execute\":\"qmp_capabilities\"}", "{\"execute\":\"query-status\",\"id\":{\"a\":[1,2.5e3,null,true]}}\n",
    "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"info registers\",\"cpu-index\":1}}",
    "{\"execute\":\"memsave\",\"arguments\":{\"val\":2147483648,\"size\":-1}}", "{\"execute\":\"query-qmp-schema\"}",
    "{\"execute\":\"ringbuf-read\",\"arguments\":{\"device\":\"ring\",\"size\":10}}", "{\"execute\":\"stop\"}",
    "{ \"execute\" : \"cont\" , \"id\" : \"\\u00e9\\ud83d\\ude00\\n\" }\r\n", "[[[[{}]]],\"x\"]\n", "\"text\"\n",
    "{\"execute\":\"set_link\",\"arguments\":{\"name\":\"n0\",\"up\":false}}", "{\"execute\":\"query-block\"}",
    "{\"execute\":\"system_reset\"}", "-12.5e-3\n", "{\"execute\":\"quit\",\"id\":18446744073709551616}",
};
static const char *const lines[] = {
    "help\n", "info registers -a\n", "info mem\r\n", "info tlb\n", "info mtree\n", "info irq\n", "info device intc0\n",
    "x /12xw 0x80000000\n", "x/3i $pc\n", "xp /5c 0x80003ff0\n", "x /9999999999gx 0\n", "p/d ((1+2)*3-$r5)/0x10%7\n",
    "p ~-(~(+-1))|2^3&4\n", "cpu 1\n", "stop\n", "cont\n", "system_reset\n", "info\n", "hostfwd_add tcp::1-:2\n",
    "set_link n0 off\n", "ringbuf_read ring 20\n", "gva2gpa $satp\n",
    "\033[A\033[B\033[A\n", "abc\b\b\bhelp x\025p 1\n",
    "memsave 1 2\n", "print 'a'\n", "x\n", "help info mem\n", "info block\n",
};

static size_t change(uint64_t *rng, char *text, size_t len)
{
    static const char letters[] = "{}[]\",:\\u0159.eE+-\n\r\t /$(')~\377\200\001\033x";

    for (uint64_t i = harness_random(rng) % 4; i > 0 && len; i--) {
        size_t at = harness_random(rng) % len;
        uint64_t how = harness_random(rng) % 8;
        if (how == 0)
            len = at;
        else if (how == 1)
            text[at] = (char)harness_random(rng);
        else
            text[at] = letters[harness_random(rng) % (sizeof letters - 1)];
    }
    return len;
}

static size_t make_input(uint64_t *rng, enum hq_door door, char *text, size_t size)
{
    static const unsigned counts[] = { sizeof requests / sizeof requests[0], sizeof lines / sizeof lines[0] };
    const char *const *seeds = door == HQ_QMP ? requests : lines;
    uint64_t kind = harness_random(rng) % 16;
    size_t len = 0;

    if (kind == 0) {
        for (len = harness_random(rng) % 64; kind < len; kind++)
            text[kind] = (char)harness_random(rng);
        return len;
    }
    if (kind == 1 && harness_random(rng) % 64 == 0) { /* long, or deep, without an end */
        memset(text, "[{\"a \\("[harness_random(rng) % 7], size);
        return size;
    }
    const char *seed = seeds[harness_random(rng) % counts[door]];
    len = strlen(seed);
    memcpy(text, seed, len);
    return kind < 6 ? len : change(rng, text, len);
}

/* Counts the lines that were sent, and those with an error; what is no JSON is a wrong. */
static void count_lines(struct hq *h, uint64_t counts[2])
{
    struct door *d = &h->door[HQ_QMP];
    char *at = d->out, *end = d->out + d->len;

    while (at < end) {
        char *next = memchr(at, '\n', (size_t)(end - at));
        struct error e;
        struct json *value = next ? json_parse(at, (size_t)(next - at), &e) : NULL;
        h->wrongs += !value;
        counts[0]++;
        counts[1] += json_get(value, "error") != NULL;
        json_free(value);
        at = next ? next + 1 : end;
    }
    d->len = 0;
}

static void others_act(struct hq *h, enum hq_door door, uint64_t *rng)
{
    uint64_t r = harness_random(rng);

    switch (r % 64) {
    case 0:
        hq_close(h, door);
        hq_open(h, door);
        break;
    case 1: hq_happens(h, (enum hq_event)(r >> 8 & 3), r >> 16 & 1, "guest-reset"); break;
    case 2: hq_unread(h, door, r >> 8 & 0xfffff); break;
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 8: hq_unread(h, door, 0); break;
    case 9: hq_set_register(h, 0, "satp", r >> 32); break;
    default: break;
    }
}

void hq_storm(struct hq *h, enum hq_door door, uint64_t seed, uint64_t count, uint64_t counts[2])
{
    static const size_t size = 70000;
    char *text = alloc_zeroed(size);
    uint64_t rng = seed;

    counts[0] = counts[1] = 0;
    hq_open(h, door);
    for (uint64_t n = 0; n < count; n++) {
        size_t len = make_input(&rng, door, text, size), cut = harness_random(&rng) % (len + 1);
        hq_send(h, door, text, cut);
        others_act(h, door, &rng);
        hq_send(h, door, text + cut, len - cut);
        if (door == HQ_QMP)
            count_lines(h, counts);
        else
            counts[0] += h->door[door].len;
        h->door[door].len = 0;
    }
    free(text);
}
