#include "board-riscv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclint.h"
#include "bits.h"
#include "boot-rom.h"
#include "fdt.h"
#include "machine.h"
#include "opensbi.h"
#include "options.h"
#include "path.h"
#include "peripherals.h"
#include "riscv.h"

/* ---- parts ---- */

/* -jit off=: what the JIT itself does not know are instructions. */
static bool switch_off(struct rv_config *config, const struct strings *names, struct error *e)
{
    for (size_t i = 0; i < names->count; i++) {
        if (!rv_config_off(config, names->item[i]))
            return error_set(e, "-jit off=%s: neither an instruction of this CPU nor a part of the JIT; -jit help "
                                "lists the parts", names->item[i]);
    }
    return true;
}

bool riscv_make_harts(struct machine *m, uint64_t timebase, uint64_t reset_pc, struct error *e)
{
    struct cpu_env env = machine_cpu_env(m);
    struct rv_isa isa;

    if (!rv_isa_parse(&isa, m->xlen, m->options->cpu ? m->options->cpu : m->xlen == 32 ? "rv32" : "rv64", e))
        return error_prefix(e, "-cpu");
    struct rv_config *config = rv_config_new(&isa, m->options->cpus, timebase, reset_pc);

    config->jit = m->options->accel != ACCEL_INTERP;
    config->check = m->options->accel == ACCEL_CHECK;
    config->tuning = &m->options->jit;
    m->cpu_config = config;
    if (!switch_off(config, &m->options->jit_insns, e))
        return false;
    for (unsigned i = 0; i < m->options->cpus; i++)
        machine_add_cpu(m, rv_new(config, &env, i));
    return true;
}

void riscv_free_harts(struct machine *m)
{
    rv_config_free(m->cpu_config);
}

struct ram *riscv_make_ram(struct machine *m, uint64_t base, struct error *e)
{
    uint64_t limit = m->xlen == 32 ? UINT64_C(0x80000000) : UINT64_C(1) << 40;

    if (m->options->ram_size > limit) {
        error_set(e, "-m: an RV%u board has room for at most %llu MiB", m->xlen, (unsigned long long)(limit >> 20));
        return NULL;
    }
    m->ram_base = base;
    return m->ram = machine_memory(m, "ram", m->options->ram_size, e);
}

bool riscv_make_reset_rom(struct machine *m, uint64_t base, uint64_t size, struct error *e)
{
    struct ram *rom = machine_memory(m, "reset-rom", size, e);

    return rom && bus_add_memory(m->bus, BUS_ROM, base, rom, size, e);
}

struct device *riscv_make_aclint(struct machine *m, const char *id, uint64_t timebase)
{
    struct device *dev = aclint_new(id, &m->env, m->cpus, timebase);

    for (unsigned i = 0; i < m->cpus; i++) {
        line_connect(aclint_msip(dev, i), rv_set_irq, m->vcpus[i].cpu, RV_IRQ_MS);
        line_connect(aclint_mtip(dev, i), rv_set_irq, m->vcpus[i].cpu, RV_IRQ_MT);
    }
    return dev;
}

/* ---- the device tree ---- */

void riscv_compatible(struct dt *dt, const char *list)
{
    char text[128];
    size_t size = (size_t)snprintf(text, sizeof text, "%s", list) + 1;

    for (char *p = text; (p = strchr(p, ';'));)
        *p++ = '\0';
    dt_strings(dt, "compatible", text, size);
}

void riscv_describe_hart_irqs(const struct machine *m, struct dt *dt, const uint32_t *irqs, unsigned count)
{
    uint32_t cells[MACHINE_CPUS * 4];
    unsigned n = 0;

    for (unsigned hart = 0; hart < m->cpus; hart++) {
        for (unsigned i = 0; i < count && i < 2; i++) {
            cells[n++] = RISCV_PHANDLE_INTC + hart;
            cells[n++] = irqs[i];
        }
    }
    dt_cells(dt, "interrupts-extended", cells, n);
}

void riscv_describe_syscon(struct dt *dt, const char *node, const char *compatible, uint32_t value)
{
    dt_begin(dt, "%s", node);
    dt_string(dt, "compatible", compatible);
    dt_u32(dt, "regmap", RISCV_PHANDLE_TEST);
    dt_u32(dt, "offset", 0);
    dt_u32(dt, "value", value);
    dt_end(dt);
}

static void describe_extensions(struct dt *dt, const struct rv_isa *isa)
{
    char list[1024];
    size_t len = 0;

    for (unsigned i = 0; i < RV_EXT_COUNT; i++) {
        if (rv_has(isa, i) && i != RV_EXT_S && i != RV_EXT_U && len + 32 < sizeof list)
            len += (size_t)snprintf(list + len, sizeof list - len, "%s", rv_ext_name(i)) + 1;
    }
    dt_string(dt, "riscv,isa-base", isa->xlen == 32 ? "rv32i" : "rv64i");
    dt_strings(dt, "riscv,isa-extensions", list, len);
}

static void describe_hart(const struct rv_config *config, struct dt *dt, unsigned hart)
{
    const struct rv_isa *isa = &config->isa;
    char text[512];

    dt_begin(dt, "cpu@%x", hart);
    dt_u32(dt, "phandle", RISCV_PHANDLE_CPU + hart);
    dt_string(dt, "device_type", "cpu");
    dt_u32(dt, "reg", hart);
    dt_string(dt, "status", "okay");
    dt_string(dt, "compatible", "riscv");
    rv_isa_string(isa, text, sizeof text);
    dt_string(dt, "riscv,isa", text);
    describe_extensions(dt, isa);
    if (rv_has(isa, RV_EXT_ZICBOM))
        dt_u32(dt, "riscv,cbom-block-size", 64);
    if (rv_has(isa, RV_EXT_ZICBOP))
        dt_u32(dt, "riscv,cbop-block-size", 64);
    if (rv_has(isa, RV_EXT_ZICBOZ))
        dt_u32(dt, "riscv,cboz-block-size", 64);
    if (isa->va_bits)
        dt_format(dt, "mmu-type", "riscv,sv%u", isa->va_bits);
    dt_begin(dt, "interrupt-controller");
    dt_u32(dt, "#address-cells", 0);
    dt_u32(dt, "#interrupt-cells", 1);
    dt_empty(dt, "interrupt-controller");
    dt_string(dt, "compatible", "riscv,cpu-intc");
    dt_u32(dt, "phandle", RISCV_PHANDLE_INTC + hart);
    dt_end(dt);
    dt_end(dt);
}

static void describe_harts(struct machine *m, struct dt *dt)
{
    const struct rv_config *config = m->cpu_config;

    dt_begin(dt, "cpus");
    dt_u32(dt, "#address-cells", 1);
    dt_u32(dt, "#size-cells", 0);
    dt_u32(dt, "timebase-frequency", (uint32_t)config->timebase);
    for (unsigned i = 0; i < m->cpus; i++)
        describe_hart(config, dt, i);
    dt_begin(dt, "cpu-map");
    dt_begin(dt, "cluster0");
    for (unsigned i = 0; i < m->cpus; i++) {
        dt_begin(dt, "core%u", i);
        dt_u32(dt, "cpu", RISCV_PHANDLE_CPU + i);
        dt_end(dt);
    }
    dt_end(dt);
    dt_end(dt);
    dt_end(dt);
}

/* A seed for the kernel's generator. */
static void describe_seed(struct machine *m, struct dt *dt)
{
    uint8_t seed[32];

    peripherals_fill(m->peripherals, seed, sizeof seed);
    dt_bytes(dt, "rng-seed", seed, sizeof seed);
}

static uint8_t *make_tree(struct machine *m, const struct riscv_tree *tree, size_t *size, struct error *e)
{
    struct dt *dt = dt_new();

    dt_u32(dt, "#address-cells", 2);
    dt_u32(dt, "#size-cells", 2);
    dt_string(dt, "compatible", tree->compatible);
    dt_format(dt, "model", "%s,lyrebird", tree->compatible);
    dt_begin(dt, "chosen");
    if (tree->console)
        dt_string(dt, "stdout-path", tree->console);
    describe_seed(m, dt);
    dt_end(dt);
    dt_begin(dt, "memory@%llx", (unsigned long long)m->ram_base);
    dt_string(dt, "device_type", "memory");
    dt_reg(dt, m->ram_base, m->ram->size);
    dt_end(dt);
    describe_harts(m, dt);
    tree->describe(m->board_data, dt);
    uint8_t *blob = dt_finish(dt, size, e);
    dt_free(dt);
    return blob;
}

/* ---- from reset to the kernel ---- */

/* The firmware: OpenSBI for `default`, a file, or none. Its entry, or 0 with a message (0 without one: none). */
static bool load_bios(struct machine *m, struct load_target *t, const struct riscv_boot *boot, uint64_t *entry,
                      struct error *e)
{
    const struct options *o = m->options;
    struct loaded out;

    *entry = 0;
    if (o->bios ? !strcmp(o->bios, "none") : boot->bare)
        return true;
    if (o->bios && strcmp(o->bios, "default")) {
        if (!load_firmware(t, o->bios, m->ram_base, &out, e))
            return false;
    } else {
        size_t size;
        const void *blob = opensbi_fw_dynamic(m->xlen, &size);
        if (!blob)
            return error_set(e, "-bios default: this build has no OpenSBI for RV%u; install the package opensbi and "
                                "build again, or give -bios FILE or -bios none",
                             m->xlen);
        if (!load_firmware_bytes(t, "OpenSBI", blob, size, m->ram_base, &out, e))
            return false;
    }
    *entry = out.entry;
    return true;
}

struct payload {
    uint64_t entry; /* 0: none */
    struct dt_chosen chosen;
};

static bool load_payload(struct machine *m, struct load_target *t, struct riscv_boot *boot, struct payload *p,
                         struct error *e)
{
    const struct options *o = m->options;
    struct loaded kernel = { 0 };

    p->chosen.bootargs = o->append;
    p->entry = boot->flash;
    if (!o->kernel && (o->initrd || o->append))
        return error_set(e, "%s needs -kernel", o->initrd ? "-initrd" : "-append");
    if (!o->kernel)
        return true;
    if (!load_kernel(t, o->kernel, &kernel, e))
        return false;
    p->entry = kernel.entry;
    boot->symbols = kernel.symbols;
    return !o->initrd || load_initrd(t, o->initrd, &kernel, &p->chosen.initrd_start, &p->chosen.initrd_end, e);
}

/* -device loader: more files, and perhaps where hart 0 starts. */
static bool load_extras(struct machine *m, struct load_target *t, uint64_t *start, bool *any, struct error *e)
{
    for (struct option_item *i = NULL; (i = options_next(m->options, OPTION_DEVICE, i));) {
        const char *driver = keyvals_peek(&i->kv, "driver");
        struct load_device out = { 0 };
        if (!driver || strcmp(driver, "loader"))
            continue;
        if (!load_device(t, &i->kv, m->cpus, &out, e))
            return false;
        *any = true;
        if (out.sets_pc)
            *start = out.pc;
    }
    return true;
}

static bool load_tree(struct machine *m, struct load_target *t, const struct payload *p,
                      const struct riscv_tree *tree, uint64_t *at, struct error *e)
{
    size_t size;
    uint8_t *blob = m->options->dtb ? dt_load(m->options->dtb, &size, e)
                                    : make_tree(m, tree, &size, e);

    const char *dump = keyvals_get(&m->options->machine, "dumpdtb");

    if (!blob || !dt_set_chosen(&blob, &size, &p->chosen, e) || (dump && !file_write(dump, blob, size, e))) {
        free(blob);
        return false;
    }
    m->done = dump;
    *at = load_fdt_address(t, size);
    load_list_add(t->list, "device tree", *at, blob, size, 0);
    free(blob);
    return true;
}

bool riscv_load(struct machine *m, struct riscv_boot *boot, const struct riscv_tree *tree, struct error *e)
{
    struct load_target t = { m->bus, m->ram_base, m->ram->size, m->xlen, m->ram_base, &boot->list, NULL };
    struct boot_rom rom = { .xlen = m->xlen, .next_mode = BOOT_MODE_S, .boot_hart = ~UINT64_C(0) };
    struct payload payload = { 0 };
    uint8_t bytes[BOOT_ROM_SIZE];
    uint64_t start = 0;
    bool extras = false;

    if (!load_bios(m, &t, boot, &rom.entry, e) || !load_payload(m, &t, boot, &payload, e) ||
        !load_extras(m, &t, &start, &extras, e) || !load_tree(m, &t, &payload, tree, &rom.fdt, e))
        return false;
    if (!payload.entry && !extras && !m->options->bios && !m->done)
        return error_set(e, "nothing to boot: give -kernel FILE, -bios FILE or -device loader,...; "
                            "`lyrebird run debian` boots a ready-made system");
    rom.next = payload.entry;
    if (!rom.entry)
        rom.entry = payload.entry ? payload.entry : m->ram_base;
    if (start)
        rom.entry = start;
    boot_rom_write(bytes, &rom);
    load_list_add(&boot->list, "reset vector", ((const struct rv_config *)m->cpu_config)->reset_pc, bytes,
                  sizeof bytes, 0);
    return true;
}

bool riscv_restart(struct machine *m, struct riscv_boot *boot, struct error *e)
{
    return load_list_check(&boot->list, m->bus, e) && load_list_write(&boot->list, m->bus, e);
}

void riscv_boot_free(struct riscv_boot *boot)
{
    load_list_free(&boot->list);
}
