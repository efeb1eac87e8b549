/*
 * spike: RAM, a CLINT and the host-target interface, for bare-metal ISA programs that end by writing `tohost`.
 *
 * The interface has no fixed place: its words are where the program's symbols `tohost` and `fromhost` say. A window
 * over them is cut out of RAM. There is no firmware unless -bios names one.
 */
#include <stdlib.h>
#include <string.h>

#include "aclint.h"
#include "alloc.h"
#include "board-riscv.h"
#include "fdt.h"
#include "htif.h"
#include "machine.h"
#include "peripherals.h"
#include "ram.h"
#include "riscv.h"

enum { SPIKE_RESET_ROM = 0x1000, SPIKE_RESET_ROM_SIZE = 0xf000, SPIKE_CLINT = 0x2000000, SPIKE_TIMEBASE = 10000000 };
#define SPIKE_RAM UINT64_C(0x80000000)

struct spike {
    struct machine *m;
    struct riscv_boot boot;
    struct htif_place place;
};

static void describe(void *board_data, struct dt *dt)
{
    static const uint32_t irqs[] = { RV_IRQ_MS, RV_IRQ_MT };
    struct spike *s = board_data;

    dt_begin(dt, "htif");
    dt_string(dt, "compatible", "ucb,htif0");
    dt_end(dt);
    dt_begin(dt, "soc");
    dt_u32(dt, "#address-cells", 2);
    dt_u32(dt, "#size-cells", 2);
    riscv_compatible(dt, "ucbbar,spike-bare-soc;simple-bus");
    dt_empty(dt, "ranges");
    dt_begin(dt, "clint@%x", SPIKE_CLINT);
    riscv_compatible(dt, "sifive,clint0;riscv,clint0");
    dt_reg(dt, SPIKE_CLINT, ACLINT_SPAN);
    riscv_describe_hart_irqs(s->m, dt, irqs, 2);
    dt_end(dt);
    dt_end(dt);
}

static const struct riscv_tree tree = { "ucbbar,spike-bare-dev", "/htif", describe };

/* Takes [base, base + span) out of what is loaded: those words belong to the device. */
static void cut_window(struct load_list *list, uint64_t base, uint64_t span)
{
    size_t count = list->count;

    for (size_t i = 0; i < count; i++) {
        struct load_blob *b = &list->item[i];
        uint64_t end = b->gpa + b->len + b->zeros;
        if (b->gpa >= base + span || end <= base)
            continue;
        uint64_t head = base > b->gpa ? base - b->gpa : 0;
        uint64_t skip = base + span - b->gpa;
        if (end > base + span) {
            uint64_t data = b->len > skip ? b->len - skip : 0;
            load_list_add(list, b->name, base + span, b->data + skip, data, end - (base + span) - data);
            b = &list->item[i];
        }
        b->zeros = head > b->len ? head - b->len : 0;
        b->len = head < b->len ? head : b->len;
    }
}

/* RAM with the window cut out, and the window. */
static bool map_ram(struct spike *s, struct error *e)
{
    struct machine *m = s->m;
    uint64_t low = s->place.base - m->ram_base, high = low + s->place.span;

    cut_window(&s->boot.list, s->place.base, s->place.span);
    struct device *htif =
        htif_new("htif", &m->env, &s->place, peripherals_serial(m->peripherals, 0), &m->port);
    return (!low || bus_add_memory(m->bus, BUS_RAM, m->ram_base, m->ram, low, e)) &&
           machine_add(m, htif, s->place.base, NULL, e) &&
           (high == m->ram->size ||
            bus_add_memory_part(m->bus, BUS_RAM, m->ram_base + high, m->ram, high, m->ram->size - high, e));
}

static bool build(struct machine *m, struct error *e)
{
    struct spike *s = alloc_zeroed(sizeof *s);

    m->board_data = s;
    s->m = m;
    s->boot.bare = true;
    if (!riscv_make_ram(m, SPIKE_RAM, e) || !riscv_make_harts(m, SPIKE_TIMEBASE, SPIKE_RESET_ROM, e) ||
        !riscv_make_reset_rom(m, SPIKE_RESET_ROM, SPIKE_RESET_ROM_SIZE, e) ||
        !machine_add(m, riscv_make_aclint(m, "clint", SPIKE_TIMEBASE), SPIKE_CLINT, NULL, e) ||
        !riscv_load(m, &s->boot, &tree, e))
        return false;
    const struct load_symbols *sym = &s->boot.symbols;
    if (!sym->tohost)
        return bus_add_memory(m->bus, BUS_RAM, m->ram_base, m->ram, m->ram->size, e);
    return htif_place(sym->tohost, sym->fromhost ? sym->fromhost : sym->tohost + 8, &s->place, e) && map_ram(s, e);
}

static bool restart(struct machine *m, struct error *e)
{
    struct spike *s = m->board_data;

    return riscv_restart(m, &s->boot, e);
}

static void dismantle(struct machine *m)
{
    struct spike *s = m->board_data;

    if (s)
        riscv_boot_free(&s->boot);
    riscv_free_harts(m);
    free(s);
}

const struct board board_spike = {
    .name = "spike",
    .summary = "RAM, CLINT and HTIF, for bare-metal ISA programs",
    .xlens = 32 | 64,
    .max_cpus = MACHINE_CPUS,
    .build = build,
    .restart = restart,
    .dismantle = dismantle,
};
