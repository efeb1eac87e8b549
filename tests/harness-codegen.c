/* harness-codegen.c - see harness-codegen.h. */
#define _GNU_SOURCE 1
#include "harness-codegen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu-riscv/state.h"
#include "harness-riscv.h"
#include "host-text.h"
#include "trace.h"

#define DATA (RIG_RAM + 0x10000)

enum { DATA_BYTES = 0x2000, PASSES = 8, STEPS = 400, RETURN = 0x8082, LOOPS = 20 };

static const char cpu_text[] = "max";

bool codegen_has_text(void)
{
    return host_text_here();
}

static void set_registers(struct rv *cpu)
{
    for (unsigned i = 1; i < 32; i++)
        cpu->x[i] = to_x(cpu, DATA + DATA_BYTES / 2);
    cpu->x[1] = to_x(cpu, RIG_HANDLER);
    cpu->x[5] = LOOPS;
    cpu->x[11] += 512;
    cpu->mstatus |= MSTATUS_FS;
}

/* With a budget of less than a block the interpreter runs it, but still finds that it is worth translating. */
static void run(struct rig *r)
{
    for (unsigned pass = 0; pass < PASSES; pass++) {
        rig_prepare(r, 0);
        set_registers((struct rv *)rig_hart(r, 0));
        rig_set(r, 0, "pc", RIG_CODE);
        for (unsigned step = 0; step < STEPS && rig_run(r, 0, 1) != RIG_IDLE; step++)
            ;
        rig_wake(r, 0);
    }
}

static void load(struct rig *r, unsigned xlen, const uint8_t *code, size_t len)
{
    memcpy(rig_ram(r) + (RIG_CODE - RIG_RAM), code, len);
    rig_poke(r, RIG_CODE + len, RETURN, 2);
    for (uint64_t at = DATA; at < DATA + DATA_BYTES; at += xlen / 8)
        rig_poke(r, at, DATA + DATA_BYTES / 2, xlen / 8);
}

char *codegen_log(unsigned xlen, const uint8_t *code, size_t len, bool old)
{
    static const struct jit_host hosts[] = {
        { .lzcnt = true, .bmi = true, .bmi2 = true, .popcnt = true, .fma = true },
        { .popcnt = true },
    };
    struct rig *r = rig_new_jit(xlen, cpu_text, 1);
    char *text = NULL;
    size_t size;

    if (!r)
        return NULL;
    struct cpu *cpu = rig_hart(r, 0);
    FILE *out = open_memstream(&text, &size);
    trace_enable(cpu->env.trace, "out_asm");
    trace_redirect(cpu->env.trace, out);
    jit_set_host(((struct rv *)cpu)->jit, &hosts[old]);
    load(r, xlen, code, len);
    run(r);
    rig_free(r);
    fclose(out);
    return text;
}
