/*
 * sifive-test.c - the SiFive test finisher.
 *
 * Models the one-register device that the RISC-V `virt` platform, Linux's syscon-poweroff/-reboot and OpenSBI
 * know as "sifive,test0": a write to offset 0 with a command in bits 15:0 and an exit code in bits 31:16.
 * PASS powers the machine off, FAIL ends it with the code, RESET resets it. There is no state.
 *
 * Inaccuracies: a FAIL whose code is 0 in its low 8 bits, which a host's exit status cannot carry, ends with
 * status 1, so that a failure never looks like success.
 */
#include "sifive-test.h"

#include <stdlib.h>

#include "alloc.h"
#include "bits.h"

enum {
    FINISH_FAIL = 0x3333,
    FINISH_PASS = 0x5555,
    FINISH_RESET = 0x7777,
    SPAN = 0x1000,
};

struct sifive_test {
    struct device dev;
    struct machine_port *machine;
};

static const struct state_field fields[] = { STATE_END };

static uint64_t read_reg(struct device *dev, uint64_t off, unsigned width)
{
    return 0;
}

static void write_reg(struct device *dev, uint64_t off, unsigned width, uint64_t value)
{
    struct machine_port *machine = ((struct sifive_test *)dev)->machine;
    int code = (int)bits(value, 16, 16);

    if (off == 0) {
        switch (value & 0xffff) {
        case FINISH_PASS: machine->request(machine, MACHINE_POWEROFF, 0, dev->id); return;
        case FINISH_FAIL: machine->request(machine, MACHINE_EXIT, code & 0xff ? code : 1, dev->id); return;
        case FINISH_RESET: machine->request(machine, MACHINE_RESET, 0, dev->id); return;
        }
    }
    if (trace_on(dev->guest_error))
        trace_log(dev->guest_error, "%s: write of %#llx to offset %#llx", dev->id, (unsigned long long)value,
                  (unsigned long long)off);
}

static void destroy(struct device *dev)
{
    free(dev);
}

static const struct dev_ops ops = {
    .name = "sifive-test",
    .span = SPAN,
    .widths = WIDTH_2 | WIDTH_4,
    .read = read_reg,
    .write = write_reg,
    .destroy = destroy,
    .fields = fields,
    .size = sizeof(struct sifive_test),
};

struct device *sifive_test_new(const char *id, const struct dev_env *env, struct machine_port *machine)
{
    struct sifive_test *t = alloc_zeroed(sizeof *t);

    device_init(&t->dev, &ops, id, env);
    t->machine = machine;
    return &t->dev;
}
