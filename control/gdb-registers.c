/* gdb-registers.c - g, G, p, P: the CPU's table in GDB's order, little-endian. */
#include <string.h>

#include "alloc.h"
#include "gdb-priv.h"

void gdb_list_registers(struct gdb *g)
{
    struct cpu *cpu = g->control->cpu[0];
    size_t count;
    const struct cpu_reg *table = cpu->ops->registers(cpu, &count);

    g->reg = alloc_array(count, sizeof *g->reg);
    for (unsigned f = 0; f < g->arch->count; f++) {
        for (size_t i = 0; i < count; i++) {
            if (gdb_feature_of(g->arch, &table[i]) != f)
                continue;
            if (!strcmp(table[i].name, g->arch->pc))
                g->pc = g->regs;
            g->reg[g->regs++] = &table[i];
        }
        if (f == 0)
            g->general_regs = g->regs;
    }
}

uint64_t gdb_get_pc(struct gdb *g, struct cpu *cpu)
{
    const struct cpu_reg *pc = g->reg[g->pc];
    uint64_t value = cpu->ops->get_register(cpu, pc->id);

    return pc->bits < 64 ? value & ((UINT64_C(1) << pc->bits) - 1) : value;
}

void gdb_set_pc(struct gdb *g, struct cpu *cpu, uint64_t value)
{
    cpu->ops->set_register(cpu, g->reg[g->pc]->id, value);
}

static void put_register(struct gdb *g, const struct cpu_reg *reg)
{
    uint64_t value = gdb_cpu(g)->ops->get_register(gdb_cpu(g), reg->id);
    uint8_t bytes[8];

    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    gdb_put_hex(g, bytes, reg->bits / 8);
}

static bool take_register(struct gdb_text *t, const struct cpu_reg *reg, uint64_t *value)
{
    uint8_t bytes[8];

    if (!gdb_take_bytes(t, bytes, reg->bits / 8))
        return false;
    *value = 0;
    for (unsigned i = 0; i < reg->bits / 8; i++)
        *value |= (uint64_t)bytes[i] << 8 * i;
    return true;
}

void gdb_read_registers(struct gdb *g, struct gdb_text *t)
{
    for (unsigned i = 0; i < g->general_regs; i++)
        put_register(g, g->reg[i]);
}

void gdb_write_registers(struct gdb *g, struct gdb_text *t)
{
    struct gdb_text look = *t;
    uint64_t value;

    for (unsigned i = 0; i < g->general_regs; i++) {
        if (!take_register(&look, g->reg[i], &value)) {
            gdb_error(g, GDB_EINVAL);
            return;
        }
    }
    for (unsigned i = 0; i < g->general_regs && take_register(t, g->reg[i], &value); i++)
        gdb_cpu(g)->ops->set_register(gdb_cpu(g), g->reg[i]->id, value);
    gdb_ok(g);
}

void gdb_read_register(struct gdb *g, struct gdb_text *t)
{
    uint64_t n;

    if (gdb_take_number(t, &n) && gdb_at_end(t) && n < g->regs)
        put_register(g, g->reg[n]);
    else
        gdb_error(g, GDB_EINVAL);
}

void gdb_write_register(struct gdb *g, struct gdb_text *t)
{
    uint64_t n, value;

    if (!gdb_take_number(t, &n) || n >= g->regs || !gdb_take_char(t, '=') || !take_register(t, g->reg[n], &value) ||
        !gdb_at_end(t)) {
        gdb_error(g, GDB_EINVAL);
        return;
    }
    gdb_cpu(g)->ops->set_register(gdb_cpu(g), g->reg[n]->id, value);
    gdb_ok(g);
}
