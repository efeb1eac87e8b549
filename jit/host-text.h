/*
 * host-text.h - host code as assembler text, for people and for tests.
 */
#ifndef JIT_HOST_TEXT_H
#define JIT_HOST_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is the disassembler built in? */
bool host_text_here(void);

/* Calls line() for each instruction of `len` bytes of code that run at `address`; `at` counts bytes from the start.
 * What is no instruction ends it. False: not built in. */
bool host_text(const uint8_t *code, size_t len, uint64_t address,
               void (*line)(void *owner, size_t at, unsigned bytes, const char *text), void *owner);

#endif
