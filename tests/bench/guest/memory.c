/* memory.c - pointer chases: each load's address is the load before's value. */
#include <stdlib.h>

#include "bench.h"

enum { LINE = 64, STEPS = 8000000 };

/* One cycle through all lines, in random order (Sattolo). */
static uint64_t chase(size_t bytes, unsigned steps)
{
    size_t count = bytes / LINE;
    char *memory = bench_memory(bytes);
    uint32_t *order = bench_memory(count * sizeof *order);
    uint64_t random = 88172645463325252u;

    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (size_t i = count - 1; i > 0; i--) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        size_t k = random % i;
        uint32_t t = order[i];
        order[i] = order[k];
        order[k] = t;
    }
    for (size_t i = 0; i < count; i++)
        *(char **)(void *)&memory[(size_t)order[i] * LINE] = &memory[(size_t)order[(i + 1) % count] * LINE];
    char *p = memory;
    for (unsigned i = 0; i < steps; i++)
        p = *(char **)(void *)p;
    uint64_t result = (uint64_t)(p - memory);
    free(order);
    free(memory);
    return result;
}

uint64_t bench_chase1(void)
{
    return chase(1 << 20, 4 * STEPS);
}

uint64_t bench_chase8(void)
{
    return chase(8 << 20, STEPS);
}

uint64_t bench_chase64(void)
{
    return chase(64 << 20, STEPS / 2);
}
