/* What those who steer a machine can ask about it, and the network and memory that they reach through it. */
#define _GNU_SOURCE 1
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disks.h"
#include "inspect.h"
#include "machine.h"
#include "nets.h"
#include "options.h"
#include "peripherals.h"
#include "serials.h"

static struct machine *machine_of(struct control *c)
{
    return (struct machine *)((char *)c - offsetof(struct machine, control));
}

static struct nets *nets_of(struct control *c)
{
    return peripherals_nets(machine_of(c)->peripherals);
}

/* Under a virtual clock the main thread runs them all. */
static int thread(struct control *c, unsigned n)
{
    struct machine *m = machine_of(c);

    return m->threads ? __atomic_load_n(&m->vcpus[n].tid, __ATOMIC_RELAXED) : (int)getpid();
}

static unsigned disassemble(struct control *c, uint64_t pc, const uint8_t *bytes, size_t len, char *text, size_t size)
{
    return rv_inspect_code(machine_of(c)->cpu_config, pc, bytes, len, text, size);
}

static bool mappings(struct control *c, struct cpu *cpu,
                     bool (*take)(void *owner, const struct control_mapping *mapping), void *owner)
{
    return rv_inspect_mappings(cpu, take, owner);
}

static char *jit(struct control *c)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool any = false;

    if (!out)
        return NULL;
    for (unsigned i = 0; i < c->cpus; i++)
        any |= rv_inspect_jit(c->cpu[i], out);
    fclose(out);
    if (any)
        return text;
    free(text);
    return NULL;
}

static bool block(struct control *c, unsigned n, struct control_block *out)
{
    return disks_tell(peripherals_disks(machine_of(c)->peripherals), n, out);
}

static bool net(struct control *c, unsigned n, struct control_net *out)
{
    return nets_tell(nets_of(c), n, out);
}

static bool character(struct control *c, unsigned n, struct control_char *out)
{
    return serials_tell(peripherals_serials(machine_of(c)->peripherals), n, out);
}

static bool board(struct control *c, unsigned n, struct control_board *out)
{
    for (unsigned i = 0; boards[i]; i++) {
        if (!(boards[i]->xlens & machine_of(c)->xlen) || n--)
            continue;
        *out = (struct control_board){ boards[i]->name, boards[i]->alias, boards[i]->summary, boards[i]->max_cpus,
                                       !i };
        return true;
    }
    return false;
}

static const struct device *device(struct control *c, unsigned n)
{
    const struct machine *m = machine_of(c);

    return n < m->device_count ? m->devices[n] : NULL;
}

static char *connections(struct control *c, unsigned n)
{
    return nets_connections(nets_of(c), n);
}

static bool set_link(struct control *c, const char *id, bool up)
{
    return nets_set_link(nets_of(c), id, up);
}

static bool forward(struct control *c, const char *id, const char *rule, unsigned *port, struct error *e)
{
    return nets_forward(nets_of(c), id, rule, port, e);
}

static bool unforward(struct control *c, const char *id, const char *rule, struct error *e)
{
    return nets_unforward(nets_of(c), id, rule, e);
}

static bool ring_read(struct control *c, const char *id, uint8_t *buf, size_t *size)
{
    return serials_ring_read(peripherals_serials(machine_of(c)->peripherals), id, buf, size);
}

static void tell_about(const struct machine *m, struct control_about *about)
{
    *about = (struct control_about){
        .name = m->options->name,
        .version = "0.1.0",
        .target = m->xlen == 32 ? "riscv32" : "riscv64",
        .board = m->board->name,
        .ram = m->options->ram_size,
    };
    memcpy(about->uuid, m->options->uuid, sizeof about->uuid);
}

void control_init_info(struct machine *m)
{
    struct control *c = &m->control;

    tell_about(m, &c->about);
    c->thread = thread;
    c->disassemble = disassemble;
    c->mappings = mappings;
    c->jit = jit;
    c->block = block;
    c->net = net;
    c->character = character;
    c->board = board;
    c->device = device;
    c->connections = connections;
    c->set_link = set_link;
    c->forward = forward;
    c->unforward = unforward;
    c->ring_read = ring_read;
}
