/*
 * virt: the memory map that OpenSBI, U-Boot, EDK2, Linux and the BSDs know as "riscv-virtio".
 *
 * The rows below are the machine: devices, wires and device tree are made from them, in this order.
 * Gaps: PCIe, APLIC and IMSIC are not here yet, and their windows are empty.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclint.h"
#include "alloc.h"
#include "bits.h"
#include "board-riscv.h"
#include "fdt.h"
#include "fw-cfg.h"
#include "goldfish-rtc.h"
#include "machine.h"
#include "ns16550.h"
#include "options.h"
#include "peripherals.h"
#include "pflash.h"
#include "plic.h"
#include "riscv.h"
#include "sifive-test.h"
#include "virtio-mmio.h"

enum {
    VIRT_RESET_ROM = 0x1000,
    VIRT_RESET_ROM_SIZE = 0xf000,
    VIRT_PLIC_SOURCES = 96,
    VIRT_UART_CLOCK = 3686400,
    VIRT_TIMEBASE = 10000000,
    VIRT_FLASH_SIZE = 0x2000000,
    VIRT_VIRTIO_SLOTS = 8,
};
#define VIRT_RAM UINT64_C(0x80000000)
#define VIRT_FLASH UINT64_C(0x20000000)

struct virt {
    struct machine *m;
    struct device *plic, *fw_cfg;
    struct ram *flash[2];
    struct riscv_boot boot;
    char ids[MACHINE_DEVICES][24];
    unsigned id_count;
};

struct row {
    const char *id;         /* of the device; the number of the copy is appended when there are several */
    const char *node;       /* in the device tree: under /soc, or under / when it begins with one; NULL: none */
    const char *compatible; /* a ';' between strings */
    uint64_t base, size;
    uint64_t stride; /* from one copy to the next */
    unsigned copies;
    unsigned irq; /* PLIC source of the first copy; 0: none */
    struct device *(*make)(struct virt *v, const char *id, unsigned n, struct error *e);
    struct line *(*line)(struct device *dev);
    void (*describe)(struct virt *v, const struct row *row, struct dt *dt);
};

static struct device *make_plic(struct virt *v, const char *id, unsigned n, struct error *e)
{
    v->plic = plic_new(id, &v->m->env, VIRT_PLIC_SOURCES - 1, 2 * v->m->cpus);
    for (unsigned i = 0; i < v->m->cpus; i++) {
        line_connect(plic_output(v->plic, 2 * i), rv_set_irq, v->m->vcpus[i].cpu, RV_IRQ_ME);
        line_connect(plic_output(v->plic, 2 * i + 1), rv_set_irq, v->m->vcpus[i].cpu, RV_IRQ_SE);
    }
    return v->plic;
}

static struct device *make_aclint(struct virt *v, const char *id, unsigned n, struct error *e)
{
    return riscv_make_aclint(v->m, id, VIRT_TIMEBASE);
}

static struct device *make_sswi(struct virt *v, const char *id, unsigned n, struct error *e)
{
    struct device *dev = aclint_sswi_new(id, &v->m->env, v->m->cpus);

    for (unsigned i = 0; i < v->m->cpus; i++)
        line_connect(aclint_ssip(dev, i), rv_set_irq, v->m->vcpus[i].cpu, RV_IRQ_SS);
    return dev;
}

static struct device *make_test(struct virt *v, const char *id, unsigned n, struct error *e)
{
    return sifive_test_new(id, &v->m->env, &v->m->port);
}

static struct device *make_rtc(struct virt *v, const char *id, unsigned n, struct error *e)
{
    return goldfish_rtc_new(id, &v->m->env);
}

static struct device *make_uart(struct virt *v, const char *id, unsigned n, struct error *e)
{
    return ns16550_new(id, &v->m->env, peripherals_serial(v->m->peripherals, n), VIRT_UART_CLOCK);
}

static struct device *make_virtio(struct virt *v, const char *id, unsigned n, struct error *e)
{
    return virtio_mmio_new(id, &v->m->env, peripherals_virtio(v->m->peripherals, n));
}

static struct device *make_fw_cfg(struct virt *v, const char *id, unsigned n, struct error *e)
{
    return v->fw_cfg = fw_cfg_new(id, &v->m->env, FW_CFG_MMIO);
}

static struct device *make_flash(struct virt *v, const char *id, unsigned n, struct error *e)
{
    v->flash[n] = machine_memory(v->m, "flash", VIRT_FLASH_SIZE, e);
    if (!v->flash[n])
        return NULL;
    if (peripherals_flash(v->m->peripherals, n) && !n)
        v->boot.flash = VIRT_FLASH;
    struct device *dev =
        pflash_new(id, &v->m->env, VIRT_FLASH_SIZE, v->flash[n], peripherals_flash(v->m->peripherals, n));
    if (pflash_load(dev, e))
        return dev;
    device_destroy(dev);
    return NULL;
}

/* ---- what a node has besides compatible, reg and interrupts ---- */

static void describe_plic(struct virt *v, const struct row *row, struct dt *dt)
{
    static const uint32_t irqs[] = { RV_IRQ_ME, RV_IRQ_SE };

    dt_u32(dt, "phandle", RISCV_PHANDLE_PLIC);
    dt_u32(dt, "#address-cells", 0);
    dt_u32(dt, "#interrupt-cells", 1);
    dt_empty(dt, "interrupt-controller");
    dt_u32(dt, "riscv,ndev", VIRT_PLIC_SOURCES - 1);
    riscv_describe_hart_irqs(v->m, dt, irqs, 2);
}

static void describe_clint(struct virt *v, const struct row *row, struct dt *dt)
{
    static const uint32_t irqs[] = { RV_IRQ_MS, RV_IRQ_MT };

    riscv_describe_hart_irqs(v->m, dt, irqs, 2);
}

static void describe_sswi(struct virt *v, const struct row *row, struct dt *dt)
{
    static const uint32_t irqs[] = { RV_IRQ_SS };

    dt_u32(dt, "#address-cells", 0);
    dt_u32(dt, "#interrupt-cells", 0);
    dt_empty(dt, "interrupt-controller");
    riscv_describe_hart_irqs(v->m, dt, irqs, 1);
}

static void describe_test(struct virt *v, const struct row *row, struct dt *dt)
{
    dt_u32(dt, "phandle", RISCV_PHANDLE_TEST);
}

static void describe_uart(struct virt *v, const struct row *row, struct dt *dt)
{
    dt_u32(dt, "clock-frequency", VIRT_UART_CLOCK);
}

static void describe_fw_cfg(struct virt *v, const struct row *row, struct dt *dt)
{
    dt_empty(dt, "dma-coherent");
}

/* Both banks are one node. */
static void describe_flash(struct virt *v, const struct row *row, struct dt *dt)
{
    dt_u32(dt, "bank-width", 4);
}

// clang-format off
static const struct row rows[] = {
    { "plic", "plic", "sifive,plic-1.0.0;riscv,plic0", 0xc000000, PLIC_SPAN, 0, 1, 0, make_plic, NULL, describe_plic },
    { "clint", "clint", "sifive,clint0;riscv,clint0", 0x2000000, ACLINT_SPAN, 0, 1, 0, make_aclint, NULL,
      describe_clint },
    { "sswi", "interrupt-controller", "riscv,aclint-sswi", 0x2f00000, ACLINT_SSWI_SPAN, 0, 1, 0, make_sswi,
      NULL, describe_sswi },
    { "test", "test", "sifive,test1;sifive,test0;syscon", 0x100000, 0x1000, 0, 1, 0, make_test, NULL, describe_test },
    { "rtc", "rtc", "google,goldfish-rtc", 0x101000, 0x1000, 0, 1, 11, make_rtc, goldfish_rtc_irq, NULL },
    { "uart0", "serial", "ns16550a", 0x10000000, 0x100, 0, 1, 10, make_uart, ns16550_irq, describe_uart },
    { "virtio-mmio", "virtio_mmio", "virtio,mmio", 0x10001000, 0x1000, 0x1000, VIRT_VIRTIO_SLOTS, 1, make_virtio,
      virtio_mmio_irq, NULL },
    { "fw-cfg", "/fw-cfg", "qemu,fw-cfg-mmio", 0x10100000, 0x18, 0, 1, 0, make_fw_cfg, NULL, describe_fw_cfg },
    { "flash", "/flash", "cfi-flash", VIRT_FLASH, VIRT_FLASH_SIZE, VIRT_FLASH_SIZE, 2, 0, make_flash, NULL,
      describe_flash },
};
// clang-format on

/* ---- building ---- */

static const char *device_id(struct virt *v, const struct row *row, unsigned n)
{
    char *id = v->ids[v->id_count++];

    if (row->copies > 1)
        snprintf(id, sizeof v->ids[0], "%s%u", row->id, n);
    else
        snprintf(id, sizeof v->ids[0], "%s", row->id);
    return id;
}

static bool build_row(struct virt *v, const struct row *row, struct error *e)
{
    for (unsigned n = 0; n < row->copies; n++) {
        struct device *dev = row->make(v, device_id(v, row, n), n, e);
        struct ram *rom = row->make == make_flash ? v->flash[n] : NULL;
        if (!machine_add(v->m, dev, row->base + n * row->stride, rom, e))
            return false;
        if (row->irq)
            line_connect(row->line(dev), plic_set_input, v->plic, row->irq + n);
    }
    return true;
}

/* ---- the device tree ---- */

static const uint32_t flash_cells[] = {
    0, VIRT_FLASH, 0, VIRT_FLASH_SIZE, 0, VIRT_FLASH + VIRT_FLASH_SIZE, 0, VIRT_FLASH_SIZE,
};

static void describe_row(struct virt *v, const struct row *row, unsigned n, struct dt *dt)
{
    uint64_t base = row->base + n * row->stride;

    dt_begin(dt, "%s@%llx", row->node + (row->node[0] == '/'), (unsigned long long)base);
    riscv_compatible(dt, row->compatible);
    if (row->make == make_flash)
        dt_cells(dt, "reg", flash_cells, 8);
    else
        dt_reg(dt, base, row->size);
    if (row->irq) {
        dt_u32(dt, "interrupt-parent", RISCV_PHANDLE_PLIC);
        dt_u32(dt, "interrupts", row->irq + n);
    }
    if (row->describe)
        row->describe(v, row, dt);
    dt_end(dt);
}

static void describe_rows(struct virt *v, struct dt *dt, bool in_soc)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned nodes = rows[i].make == make_flash ? 1 : rows[i].copies;
        for (unsigned n = 0; n < nodes && (rows[i].node[0] != '/') == in_soc; n++)
            describe_row(v, &rows[i], n, dt);
    }
}

static void describe(void *board_data, struct dt *dt)
{
    struct virt *v = board_data;

    describe_rows(v, dt, false);
    riscv_describe_syscon(dt, "poweroff", "syscon-poweroff", 0x5555);
    riscv_describe_syscon(dt, "reboot", "syscon-reboot", 0x7777);
    dt_begin(dt, "soc");
    dt_u32(dt, "#address-cells", 2);
    dt_u32(dt, "#size-cells", 2);
    dt_string(dt, "compatible", "simple-bus");
    dt_empty(dt, "ranges");
    describe_rows(v, dt, true);
    dt_end(dt);
}

static const struct riscv_tree tree = { "riscv-virtio", "/soc/serial@10000000", describe };

/* What firmware and kernels find by name: -fw_cfg, and the numbers of the machine. */
static bool fill_fw_cfg(struct virt *v, struct error *e)
{
    uint8_t cpus[2];

    put_le16(cpus, (uint16_t)v->m->cpus);
    if (!fw_cfg_add(v->fw_cfg, FW_CFG_NB_CPUS, cpus, sizeof cpus, e) ||
        !fw_cfg_add(v->fw_cfg, FW_CFG_MAX_CPUS, cpus, sizeof cpus, e))
        return false;
    return peripherals_fill_fw_cfg(v->m->peripherals, v->fw_cfg, e);
}

static bool build(struct machine *m, struct error *e)
{
    struct virt *v = alloc_zeroed(sizeof *v);

    m->board_data = v;
    v->m = m;
    if (!riscv_make_harts(m, VIRT_TIMEBASE, VIRT_RESET_ROM, e) || !riscv_make_ram(m, VIRT_RAM, e) ||
        !bus_add_memory(m->bus, BUS_RAM, VIRT_RAM, m->ram, m->ram->size, e) ||
        !riscv_make_reset_rom(m, VIRT_RESET_ROM, VIRT_RESET_ROM_SIZE, e))
        return false;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!build_row(v, &rows[i], e))
            return false;
    }
    return fill_fw_cfg(v, e) && riscv_load(m, &v->boot, &tree, e);
}

static bool restart(struct machine *m, struct error *e)
{
    struct virt *v = m->board_data;

    return riscv_restart(m, &v->boot, e);
}

static void dismantle(struct machine *m)
{
    struct virt *v = m->board_data;

    if (v)
        riscv_boot_free(&v->boot);
    riscv_free_harts(m);
    free(v);
}

const struct board board_virt = {
    .name = "virt",
    .summary = "RISC-V virtual board with VIRTIO devices (\"riscv-virtio\")",
    .xlens = 32 | 64,
    .max_cpus = MACHINE_CPUS,
    .virtio_slots = VIRT_VIRTIO_SLOTS,
    .build = build,
    .restart = restart,
    .dismantle = dismantle,
};
