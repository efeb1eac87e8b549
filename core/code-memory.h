/*
 * code-memory.h - memory for generated code, mapped twice: writable in one place and executable in another, so that no
 * page is ever both.
 */
#ifndef CORE_CODE_MEMORY_H
#define CORE_CODE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code_memory {
    uint8_t *write;
    const uint8_t *exec;
    size_t size;
};

/* `size` bytes (a multiple of the host's page), zero, taken from the host when they are touched. False when the host
 * has none or forbids it. */
bool code_memory_map(struct code_memory *m, size_t size);
void code_memory_unmap(struct code_memory *m);

#endif
