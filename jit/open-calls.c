/*
 * open-calls.c - the guest's open calls, which are return addresses on the stack of host code.
 *
 * During a callback stack_now points to the address where host code goes on. Above it are those of the open calls, up
 * to `stack`, which always has that of the code for lost returns. Two words below are free (emit-flow-x86_64.c).
 */
#include "emit.h"

static uint64_t **pointer(void *cpu, int32_t offset)
{
    return (uint64_t **)(void *)((char *)cpu + offset);
}

/* Host code goes on with its stack here. */
static void move_to(const struct jit *j, void *cpu, uint64_t *to)
{
    uint64_t **now = pointer(cpu, j->layout->stack_now);

    *to = **now;
    *now = to;
}

void jit_forget_calls(const struct jit *j, void *cpu)
{
    if (!*pointer(cpu, j->layout->stack_now))
        return;
    move_to(j, cpu, *pointer(cpu, j->layout->stack) - 1);
    *pointer(cpu, j->layout->stack_mark) = NULL;
}

void jit_hide_calls(const struct jit *j, void *cpu)
{
    uint64_t *now = *pointer(cpu, j->layout->stack_now);

    if (!now)
        return;
    move_to(j, cpu, now - 1);
    *now = (uintptr_t)(j->lost + j->to_exec);
    *pointer(cpu, j->layout->stack_mark) = now;
}

void jit_show_calls(const struct jit *j, void *cpu)
{
    uint64_t **mark = pointer(cpu, j->layout->stack_mark);

    if (!*pointer(cpu, j->layout->stack_now))
        return;
    if (!*mark) {
        jit_forget_calls(j, cpu);
        return;
    }
    move_to(j, cpu, *mark);
    *mark = NULL;
}
