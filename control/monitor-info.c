/* monitor-info.c - what `info` tells. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "monitor-priv.h"

enum { MAPPINGS = 8192 };

static void put_version(struct monitor_call *call)
{
    text_out_put(call->out, "9.0.0 (QEMU-compatible; Lyrebird %s)\n", call->control->about.version);
}

static void put_name(struct monitor_call *call)
{
    if (call->control->about.name)
        text_out_put(call->out, "%s\n", call->control->about.name);
}

static void put_uuid(struct monitor_call *call)
{
    const uint8_t *u = call->control->about.uuid;

    for (unsigned i = 0; i < 16; i++)
        text_out_put(call->out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
    text_out_put(call->out, "\n");
}

static void put_status(struct monitor_call *call)
{
    struct control *c = call->control;
    const char *status = c->status ? c->status(c) : c->running(c) ? "running" : "paused";
    bool plain = !strcmp(status, "running") || !strcmp(status, "paused");

    text_out_put(call->out, "VM status: %s", c->running(c) ? "running" : "paused");
    text_out_put(call->out, plain ? "\n" : " (%s)\n", status);
}

static void put_kvm(struct monitor_call *call)
{
    text_out_put(call->out, "kvm support: not compiled\n");
}

static void put_jit(struct monitor_call *call)
{
    char *text = call->control->jit ? call->control->jit(call->control) : NULL;

    text_out_put(call->out, "%s", text ? text : "no JIT: guests run in the interpreter\n");
    free(text);
}

static void put_cpus(struct monitor_call *call)
{
    struct control *c = call->control;

    for (unsigned i = 0; i < c->cpus; i++)
        text_out_put(call->out, "%c CPU #%u: thread_id=%d%s\n", i == *call->cpu ? '*' : ' ', i,
                     c->thread ? c->thread(c, i) : 0, c->cpu[i]->ops->has_work(c->cpu[i]) ? "" : " (halted)");
}

/* ---- registers ---- */

/* Control registers that say where a vCPU is; `p $NAME` has all of them. */
static const char *const main_csrs[] = {
    "mhartid", "mstatus", "hstatus",  "vsstatus", "mip",    "mie",    "mideleg", "hideleg", "medeleg",  "hedeleg",
    "mtvec",   "stvec",   "vstvec",   "mepc",     "sepc",   "vsepc",  "mcause",  "scause",  "vscause",  "mtval",
    "stval",   "htval",   "mtval2",   "mscratch", "sscratch", "satp", "fcsr",
};

static const struct cpu_reg *find_register(struct cpu *cpu, const char *name)
{
    size_t count;
    const struct cpu_reg *regs = cpu->ops->registers(cpu, &count);

    for (size_t i = 0; i < count; i++) {
        if (!strcmp(regs[i].name, name))
            return &regs[i];
    }
    return NULL;
}

static void put_register(struct text_out *out, struct cpu *cpu, const struct cpu_reg *reg, const char *name)
{
    unsigned bits = reg->bits > 8 ? reg->bits : 8;

    text_out_put(out, " %-8s %0*" PRIx64, name, (int)(bits / 4), cpu->ops->get_register(cpu, reg->id));
}

static void put_named(struct text_out *out, struct cpu *cpu, const char *name)
{
    const struct cpu_reg *reg = find_register(cpu, name);

    if (!reg)
        return;
    put_register(out, cpu, reg, name);
    text_out_put(out, "\n");
}

/* "x5/t0": number and name, four in a line. */
static void put_group(struct text_out *out, struct cpu *cpu, const char *group, char letter)
{
    size_t count;
    const struct cpu_reg *regs = cpu->ops->registers(cpu, &count);
    unsigned n = 0;
    char name[32];

    for (size_t i = 0; i < count; i++) {
        if (strcmp(regs[i].group, group) || !strcmp(regs[i].name, "pc"))
            continue;
        snprintf(name, sizeof name, "%c%u/%s", letter, n, regs[i].name);
        put_register(out, cpu, &regs[i], name);
        if (++n % 4 == 0)
            text_out_put(out, "\n");
    }
    if (n % 4)
        text_out_put(out, "\n");
}

static void put_registers_of(struct monitor_call *call, unsigned n)
{
    struct cpu *cpu = call->control->cpu[n];

    text_out_put(call->out, "\nCPU#%u\n", n);
    put_named(call->out, cpu, "pc");
    put_named(call->out, cpu, "priv");
    for (size_t i = 0; i < sizeof main_csrs / sizeof main_csrs[0]; i++)
        put_named(call->out, cpu, main_csrs[i]);
    put_group(call->out, cpu, "general", 'x');
    put_group(call->out, cpu, "float", 'f');
}

static void put_registers(struct monitor_call *call)
{
    bool all = call->words && !strcmp(call->word[0], "-a");
    unsigned n = *call->cpu;

    if (call->words && !all && !monitor_index(call->word[0], call->control->cpus, &n)) {
        text_out_put(call->out, "CPU#%s not available\n", call->word[0]);
        return;
    }
    for (unsigned i = all ? 0 : n; i < (all ? call->control->cpus : n + 1); i++)
        put_registers_of(call, i);
}

/* ---- address spaces ---- */

struct listing {
    struct text_out *out;
    struct control_mapping last;
    bool any, merge;
    unsigned lines;
};

static void put_header(const struct listing *l)
{
    if (l->merge)
        text_out_put(l->out, "vaddr            paddr            size             attr\n"
                             "---------------- ---------------- ---------------- -------\n");
}

static void put_mapping(struct listing *l)
{
    const struct control_mapping *m = &l->last;

    if (!l->any)
        return;
    l->lines++;
    if (l->merge)
        text_out_put(l->out, "%016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %s\n", m->gva, m->gpa, m->size,
                     m->attributes);
    else
        text_out_put(l->out, "%016" PRIx64 ": %016" PRIx64 " %s\n", m->gva, m->gpa, m->attributes);
}

static bool take_mapping(void *owner, const struct control_mapping *m)
{
    struct listing *l = owner;

    if (l->any && l->merge && m->gva == l->last.gva + l->last.size && m->gpa == l->last.gpa + l->last.size &&
        !strcmp(m->attributes, l->last.attributes)) {
        l->last.size += m->size;
        return true;
    }
    if (!l->any)
        put_header(l);
    put_mapping(l);
    l->last = *m;
    l->any = true;
    return l->lines < MAPPINGS && !l->out->full;
}

static void put_mappings(struct monitor_call *call, bool merge)
{
    struct control *c = call->control;
    struct listing l = { .out = call->out, .merge = merge };

    if (!c->mappings) {
        text_out_put(call->out, "not known for this CPU\n");
        return;
    }
    bool translated = c->mappings(c, monitor_cpu(call), take_mapping, &l);
    if (l.lines < MAPPINGS)
        put_mapping(&l);
    if (!l.any)
        text_out_put(call->out, translated ? "no mappings\n" : "No translation or protection\n");
    else if (l.lines >= MAPPINGS)
        text_out_put(call->out, "... (no more than %d lines)\n", MAPPINGS);
}

static void put_mem(struct monitor_call *call)
{
    put_mappings(call, true);
}

static void put_tlb(struct monitor_call *call)
{
    put_mappings(call, false);
}

static const char *range_name(const struct bus_range *r)
{
    if (r->dev)
        return r->dev->id;
    return r->kind == BUS_RAM ? "ram" : "rom";
}

static void put_mtree(struct monitor_call *call)
{
    static const char *const kinds[] = { [BUS_RAM] = "ram", [BUS_ROM] = "rom", [BUS_DEVICE] = "i/o",
                                         [BUS_ROMD] = "romd" };
    size_t count;
    const struct bus_range *r = bus_ranges(call->control->bus, &count);

    text_out_put(call->out, "address-space: memory\n"
                            "  0000000000000000-ffffffffffffffff (prio 0, i/o): system\n");
    for (size_t i = 0; i < count; i++)
        text_out_put(call->out, "    %016" PRIx64 "-%016" PRIx64 " (prio 0, %s): %s\n", r[i].base,
                     r[i].base + (r[i].size - 1), kinds[r[i].kind], range_name(&r[i]));
}

/* ---- devices ---- */

static void put_devices(struct monitor_call *call)
{
    struct control *c = call->control;
    const struct device *dev;

    for (unsigned n = 0; c->device && (dev = c->device(c, n)); n++)
        text_out_put(call->out, "%s: %s\n", dev->id, dev->ops->name);
}

static const struct device *find_device(struct control *c, const char *id)
{
    const struct device *dev;

    for (unsigned n = 0; c->device && (dev = c->device(c, n)); n++) {
        if (!strcmp(dev->id, id))
            return dev;
    }
    return NULL;
}

/* Long arrays are mostly idle: only elements that are neither all zeros nor all ones. */
static void put_field(struct text_out *out, const struct state_field *f, const void *obj)
{
    if (f->count == 1) {
        text_out_put(out, "  %s = %#" PRIx64 "\n", f->name, state_get(f, obj, 0));
        return;
    }
    text_out_put(out, "  %s[%u]:", f->name, f->count);
    for (uint32_t i = 0; i < f->count && !out->full; i++) {
        uint64_t value = state_get(f, obj, i);
        if (value && value != STATE_MAX(f->width))
            text_out_put(out, " [%u]=%#" PRIx64, i, value);
    }
    text_out_put(out, "\n");
}

static void put_device(struct monitor_call *call)
{
    const struct device *dev = call->words ? find_device(call->control, call->word[0]) : NULL;

    if (!call->words) {
        put_devices(call);
        return;
    }
    if (!dev) {
        text_out_put(call->out, "no device '%s'; `info device` lists them\n", call->word[0]);
        return;
    }
    text_out_put(call->out, "%s: %s\n", dev->id, dev->ops->name);
    for (const struct state_field *f = dev->ops->fields; f && f->count; f++)
        put_field(call->out, f, dev);
}

/* Interrupt controllers by their state tables, and each vCPU's own pending and enabled bits. */
static void put_irq(struct monitor_call *call)
{
    static const char *const controllers[] = { "plic", "aplic", "imsic", "aclint", "clint" };
    static const char *const bits[] = { "mip", "mie", "mideleg" };
    struct control *c = call->control;
    const struct device *dev;

    for (unsigned i = 0; i < c->cpus; i++) {
        text_out_put(call->out, "CPU#%u:", i);
        for (size_t k = 0; k < sizeof bits / sizeof bits[0]; k++) {
            const struct cpu_reg *reg = find_register(c->cpu[i], bits[k]);
            if (reg)
                text_out_put(call->out, " %s=%#" PRIx64, bits[k], c->cpu[i]->ops->get_register(c->cpu[i], reg->id));
        }
        text_out_put(call->out, "\n");
    }
    for (unsigned n = 0; c->device && (dev = c->device(c, n)); n++) {
        for (size_t i = 0; i < sizeof controllers / sizeof controllers[0]; i++) {
            if (strcmp(dev->ops->name, controllers[i]))
                continue;
            text_out_put(call->out, "%s: %s\n", dev->id, dev->ops->name);
            for (const struct state_field *f = dev->ops->fields; f && f->count; f++)
                put_field(call->out, f, dev);
        }
    }
}

static void put_block(struct monitor_call *call)
{
    struct control *c = call->control;
    struct control_block b;

    for (unsigned n = 0; c->block && c->block(c, n, &b); n++) {
        text_out_put(call->out, "%s%s: %s (%s%s%s)\n", n ? "\n" : "", b.id, b.file, b.format,
                     b.read_only ? ", read-only" : "", b.snapshot ? ", snapshot" : "");
        text_out_put(call->out, "    Size:             %" PRIu64 " bytes\n", b.size);
    }
}

static void put_network(struct monitor_call *call)
{
    struct control *c = call->control;
    struct control_net n;

    for (unsigned i = 0; c->net && c->net(c, i, &n); i++) {
        if (!n.device) {
            text_out_put(call->out, "%s: index=0,type=%s\n", n.id, n.type);
            continue;
        }
        const uint8_t *mac = n.mac;
        text_out_put(call->out, "%s: index=0,type=nic,model=virtio-net-device,macaddr=%02x:%02x:%02x:%02x:%02x:%02x",
                     n.device, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
        text_out_put(call->out, n.up ? "\n" : ",link=down\n");
        text_out_put(call->out, " \\ %s: index=0,type=%s\n", n.id, n.type);
    }
}

static void put_usernet(struct monitor_call *call)
{
    struct control *c = call->control;
    struct control_net n;

    for (unsigned i = 0; c->net && c->net(c, i, &n); i++) {
        char *text = c->connections ? c->connections(c, i) : NULL;
        if (text)
            text_out_put(call->out, "Hub -1 (%s):\n%s", n.id, text);
        free(text);
    }
}

static void put_chardev(struct monitor_call *call)
{
    struct control *c = call->control;
    struct control_char ch;

    for (unsigned n = 0; c->character && c->character(c, n, &ch); n++)
        text_out_put(call->out, "%s: filename=%s%s%s\n", ch.id, ch.target, ch.user ? ",user=" : "",
                     ch.user ? ch.user : "");
}

const struct monitor_command monitor_infos[] = {
    { "block", NULL, "", "disks", 0, 0, false, put_block },
    { "chardev", NULL, "", "character devices", 0, 0, false, put_chardev },
    { "cpus", NULL, "", "vCPUs; the star is at the one that commands are about", 0, 0, true, put_cpus },
    { "device", "qtree", "[ID]", "devices, or what one of them holds", 0, 1, true, put_device },
    { "irq", "pic", "", "interrupt controllers", 0, 0, true, put_irq },
    { "jit", NULL, "", "what the JIT did so far", 0, 0, true, put_jit },
    { "kvm", NULL, "", "whether KVM is in use", 0, 0, false, put_kvm },
    { "mem", NULL, "", "the vCPU's address space, runs of pages in one line", 0, 0, true, put_mem },
    { "mtree", NULL, "", "the board's address space", 0, 1, false, put_mtree },
    { "name", NULL, "", "the guest's name", 0, 0, false, put_name },
    { "network", NULL, "", "networks and their devices", 0, 0, false, put_network },
    { "registers", NULL, "[-a|CPU]", "registers of this, of all or of another vCPU", 0, 1, true, put_registers },
    { "status", NULL, "", "whether the guest runs", 0, 0, false, put_status },
    { "tlb", NULL, "", "the vCPU's address space, each page in its line", 0, 0, true, put_tlb },
    { "usernet", NULL, "", "connections of user-mode networks", 0, 0, false, put_usernet },
    { "uuid", NULL, "", "the machine's UUID", 0, 0, false, put_uuid },
    { "version", NULL, "", "the emulator's version", 0, 0, false, put_version },
};
const unsigned monitor_info_count = sizeof monitor_infos / sizeof monitor_infos[0];
