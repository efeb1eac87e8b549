/* harness-riscv.c - see harness-riscv.h. */
#include "harness-riscv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "clock.h"
#include "cpu-riscv/state.h"
#include "csr.h"
#include "device.h"
#include "ram.h"

enum { MAX_HARTS = 2, NAMES = 1024, LONG_ENOUGH = 400 };

struct rig_device {
    struct device dev;
    uint8_t bytes[PAGE_SIZE];
    unsigned accesses;
};

struct rig {
    struct trace *trace;
    struct clock *clock;
    struct machine_lock lock;
    struct bus *bus;
    struct ram *ram, *rom;
    struct rv_config *config;
    struct rig_device device;
    struct cpu *hart[MAX_HARTS];
    unsigned harts;
    const struct cpu_reg *names[NAMES]; /* open hash */
};

/* ---- the device ---- */

static uint64_t device_read(struct device *d, uint64_t off, unsigned width)
{
    struct rig_device *dev = (struct rig_device *)d;

    dev->accesses++;
    return get_le(&dev->bytes[off], width);
}

static void device_write(struct device *d, uint64_t off, unsigned width, uint64_t value)
{
    struct rig_device *dev = (struct rig_device *)d;

    dev->accesses++;
    put_le(&dev->bytes[off], value, width);
}

static const struct dev_ops device_ops = {
    .name = "rig-device",
    .span = PAGE_SIZE,
    .widths = WIDTH_1 | WIDTH_2 | WIDTH_4,
    .read = device_read,
    .write = device_write,
};

/* ---- making and unmaking ---- */

static bool add_memory(struct rig *r, struct error *e)
{
    struct dev_env env = { .bus = r->bus, .clock = r->clock, .trace = r->trace };

    r->ram = ram_new("ram", RIG_RAM_SIZE, e);
    r->rom = ram_new("rom", RIG_ROM_SIZE, e);
    device_init(&r->device.dev, &device_ops, "rig", &env);
    return r->ram && r->rom && bus_add_memory(r->bus, BUS_RAM, RIG_RAM, r->ram, RIG_RAM_SIZE, e) &&
           bus_add_memory(r->bus, BUS_ROM, RIG_ROM, r->rom, RIG_ROM_SIZE, e) &&
           bus_add_device(r->bus, RIG_DEVICE, &r->device.dev, NULL, e);
}

static unsigned hash_of(const char *name)
{
    unsigned h = 2166136261u;

    while (*name)
        h = (h ^ (unsigned char)*name++) * 16777619u;
    return h;
}

static void list_names(struct rig *r)
{
    size_t count;
    const struct cpu_reg *regs = r->hart[0]->ops->registers(r->hart[0], &count);

    for (size_t i = 0; i < count; i++) {
        unsigned at = hash_of(regs[i].name) % NAMES;
        while (r->names[at])
            at = (at + 1) % NAMES;
        r->names[at] = &regs[i];
    }
}

static struct rig *new_rig(unsigned xlen, const char *cpu, unsigned harts, bool jit, bool check)
{
    struct rig *r = calloc(1, sizeof *r);
    struct error e = { "" };
    struct rv_isa isa;

    r->trace = trace_new(stderr);
    r->clock = clock_new(0, 0);
    lock_init(&r->lock);
    r->bus = bus_new(r->trace);
    if (!add_memory(r, &e) || !rv_isa_parse(&isa, xlen, cpu, &e)) {
        fprintf(stderr, "%s\n", e.text);
        rig_free(r);
        return NULL;
    }
    r->config = rv_config_new(&isa, harts, RIG_TIMEBASE, RIG_RAM);
    r->config->jit = jit;
    r->config->check = check;
    for (r->harts = 0; r->harts < harts; r->harts++) {
        struct cpu_env env = { .bus = r->bus, .clock = r->clock, .lock = &r->lock, .trace = r->trace };
        r->hart[r->harts] = rv_new(r->config, &env, r->harts);
    }
    list_names(r);
    rig_fill(r, RIG_HANDLER, PAGE_SIZE, ASM_WFI);
    rig_fill(r, RIG_S_HANDLER, PAGE_SIZE, ASM_WFI);
    return r;
}

struct rig *rig_new(unsigned xlen, const char *cpu, unsigned harts)
{
    return new_rig(xlen, cpu, harts, false, false);
}

static struct rig *with_code_memory(struct rig *r)
{
    if (r && !((struct rv *)r->hart[0])->jit) {
        rig_free(r);
        return NULL;
    }
    return r;
}

struct rig *rig_new_jit(unsigned xlen, const char *cpu, unsigned harts)
{
    return with_code_memory(new_rig(xlen, cpu, harts, true, false));
}

struct rig *rig_new_check(unsigned xlen, const char *cpu, unsigned harts)
{
    return with_code_memory(new_rig(xlen, cpu, harts, true, true));
}

struct cpu *rig_hart(struct rig *r, unsigned hart)
{
    return r->hart[hart];
}

uint8_t *rig_ram(struct rig *r)
{
    return r->ram->host;
}

void rig_free(struct rig *r)
{
    if (!r)
        return;
    for (unsigned i = 0; i < r->harts; i++)
        r->hart[i]->ops->destroy(r->hart[i]);
    rv_config_free(r->config);
    bus_free(r->bus);
    ram_free(r->ram);
    ram_free(r->rom);
    clock_free(r->clock);
    lock_destroy(&r->lock);
    trace_free(r->trace);
    free(r);
}

void rig_reset(struct rig *r, unsigned hart)
{
    r->hart[hart]->ops->reset(r->hart[hart]);
}

void rig_prepare(struct rig *r, unsigned hart)
{
    rig_reset(r, hart);
    rig_set(r, hart, "mtvec", RIG_HANDLER);
    if (rig_has(r, hart, "stvec"))
        rig_set(r, hart, "stvec", RIG_S_HANDLER);
    if (rig_has(r, hart, "pmpcfg0")) {
        rig_set(r, hart, "pmpaddr0", UINT64_MAX);
        rig_set(r, hart, "pmpcfg0", 0x1f);
    }
}

/* ---- registers ---- */

static const struct cpu_reg *find(struct rig *r, const char *name)
{
    for (unsigned at = hash_of(name) % NAMES; r->names[at]; at = (at + 1) % NAMES) {
        if (!strcmp(r->names[at]->name, name))
            return r->names[at];
    }
    return NULL;
}

bool rig_has(struct rig *r, unsigned hart, const char *name)
{
    return find(r, name);
}

/* A test that names a register wrongly must not pass by comparing zeros. */
static const struct cpu_reg *must_find(struct rig *r, const char *name)
{
    const struct cpu_reg *reg = find(r, name);

    if (!reg) {
        fprintf(stderr, "rig: there is no register '%s'\n", name);
        abort();
    }
    return reg;
}

uint64_t rig_get(struct rig *r, unsigned hart, const char *name)
{
    return r->hart[hart]->ops->get_register(r->hart[hart], must_find(r, name)->id);
}

void rig_set(struct rig *r, unsigned hart, const char *name, uint64_t value)
{
    r->hart[hart]->ops->set_register(r->hart[hart], must_find(r, name)->id, value);
}

/* ---- running ---- */

int rig_run(struct rig *r, unsigned hart, uint64_t budget)
{
    switch (r->hart[hart]->ops->run(r->hart[hart], budget)) {
    case CPU_EXIT_IDLE: return RIG_IDLE;
    case CPU_EXIT_BUDGET: return RIG_BUDGET;
    case CPU_EXIT_FAULT: return RIG_FAULT;
    default: return RIG_REQUEST;
    }
}

uint64_t rig_retired(struct rig *r, unsigned hart)
{
    return r->hart[hart]->ops->retired(r->hart[hart]);
}

void rig_wake(struct rig *r, unsigned hart)
{
    ((struct rv *)r->hart[hart])->waiting = false;
}

bool rig_waits(struct rig *r, unsigned hart)
{
    return ((struct rv *)r->hart[hart])->waiting;
}

bool rig_has_work(struct rig *r, unsigned hart)
{
    return r->hart[hart]->ops->has_work(r->hart[hart]);
}

static int cause_of(struct rig *r, unsigned hart, const char *csr)
{
    uint64_t cause = rig_get(r, hart, csr);
    bool interrupt = cause >> (r->config->isa.xlen - 1) & 1;

    return (int)(cause & 63) | (interrupt ? RIG_INTERRUPT : 0);
}

int rig_go(struct rig *r, unsigned hart, unsigned priv, uint64_t pc)
{
    rig_wake(r, hart);
    rig_set(r, hart, "priv", priv);
    rig_set(r, hart, "pc", pc);
    if (rig_run(r, hart, LONG_ENOUGH) != RIG_IDLE)
        return RIG_LOST;
    rig_wake(r, hart);
    uint64_t page = rig_get(r, hart, "pc") & ~(uint64_t)(PAGE_SIZE - 1);
    if (page == RIG_HANDLER)
        return cause_of(r, hart, "mcause");
    return page == RIG_S_HANDLER ? cause_of(r, hart, "scause") | RIG_TO_S : RIG_DONE;
}

/* ---- memory ---- */

uint64_t rig_peek(struct rig *r, uint64_t gpa, unsigned width)
{
    uint8_t bytes[8] = { 0 };

    return bus_peek(r->bus, gpa, bytes, width) ? get_le(bytes, width) : 0;
}

void rig_poke(struct rig *r, uint64_t gpa, uint64_t value, unsigned width)
{
    uint8_t bytes[8];

    put_le64(bytes, value);
    if (!bus_poke(r->bus, gpa, bytes, width)) {
        fprintf(stderr, "rig: there is no memory at %#llx\n", (unsigned long long)gpa);
        abort();
    }
}

void rig_words(struct rig *r, uint64_t gpa, const uint32_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rig_poke(r, gpa + 4 * i, words[i], 4);
}

void rig_fill(struct rig *r, uint64_t gpa, uint64_t size, uint32_t word)
{
    for (uint64_t at = 0; at < size; at += 4)
        rig_poke(r, gpa + at, word, 4);
}

static bool inside(uint64_t gpa, uint64_t len, uint64_t base, uint64_t size)
{
    return gpa >= base && gpa - base < size && len <= size - (gpa - base);
}

bool rig_is_memory(uint64_t gpa, uint64_t len, bool writing)
{
    return inside(gpa, len, RIG_RAM, RIG_RAM_SIZE) || (!writing && inside(gpa, len, RIG_ROM, RIG_ROM_SIZE));
}

unsigned rig_device_accesses(struct rig *r)
{
    return r->device.accesses;
}

/* ---- lines, time, state ---- */

void rig_irq(struct rig *r, unsigned hart, unsigned irq, bool level)
{
    lock_take(&r->lock);
    rv_set_irq(r->hart[hart], irq, level);
    lock_drop(&r->lock);
}

void rig_advance(struct rig *r, uint64_t ns)
{
    lock_take(&r->lock);
    clock_advance_to(r->clock, ns);
    clock_run(r->clock);
    lock_drop(&r->lock);
}

uint8_t *rig_save(struct rig *r, unsigned hart, size_t *size)
{
    struct state_out out = { 0 };

    r->hart[hart]->ops->save(r->hart[hart], &out);
    *size = out.len;
    return out.data;
}

bool rig_load(struct rig *r, unsigned hart, const uint8_t *data, size_t size)
{
    struct state_in in = { data, size, 0 };
    struct error e = { "" };

    lock_take(&r->lock);
    bool ok = r->hart[hart]->ops->load(r->hart[hart], &in, &e);
    lock_drop(&r->lock);
    if (!ok)
        fprintf(stderr, "%s\n", e.text);
    return ok;
}

void rig_copy_ram(struct rig *to, struct rig *from)
{
    memcpy(to->ram->host, from->ram->host, RIG_RAM_SIZE);
}

static uint64_t hash_bytes(uint64_t h, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 8 <= size; i += 8)
        h = (h ^ get_le64(data + i)) * UINT64_C(0x9e3779b97f4a7c15) + (h >> 29);
    for (size_t i = size & ~(size_t)7; i < size; i++)
        h = (h ^ data[i]) * UINT64_C(0x9e3779b97f4a7c15) + (h >> 29);
    return h;
}

uint64_t rig_hash(struct rig *r, unsigned hart)
{
    size_t size;
    uint8_t *state = rig_save(r, hart, &size);
    uint64_t h = hash_bytes(1, state, size);

    free(state);
    return hash_bytes(h, r->ram->host, RIG_RAM_SIZE);
}

bool rig_csr_row(size_t i, unsigned *number, unsigned *count, unsigned *xlens)
{
    size_t rows;
    const struct rv_csr *row = rv_csr_rows(&rows);

    if (i >= rows)
        return false;
    *number = row[i].number;
    *count = row[i].count;
    *xlens = row[i].xlens;
    return true;
}
