/*
 * harness.h - all that the GoogleTest files see of Lyrebird.
 *
 * Each module has a harness-<module>.h of C functions with plain types, and a harness-<module>.c that may
 * include anything. The build lists every such header in harness-all.h: a new one needs no change here.
 * (harness-*-impl.h is for C files only.)
 */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

/* Before extern "C": the C++ versions of these hold templates. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* LYREBIRD_TEST_SEED, or else a seed of this run's own; the first call prints it, to repeat a failure. */
uint64_t harness_seed(void);

/* The next number of a generator whose whole state is *state (any value). */
uint64_t harness_random(uint64_t *state);

/* `cases` times LYREBIRD_TEST_SCALE (default 1), at least 1: how much a randomised test does. */
uint64_t harness_scale(uint64_t cases);

/* Puts the path of a file below the source tree's tests folder ("data/x.dtb") in `path`; false: not there. */
bool harness_data(const char *name, char *path, size_t size);

/* Makes an empty directory and puts its name in `path`. The caller removes what it put there, then it. */
bool harness_scratch(char *path, size_t size);

/* The text that error_set(e, "%s", text) leaves, then error_prefix(e, "%s", prefix) unless prefix is NULL. */
void harness_error_text(const char *text, const char *prefix, char *out, size_t size);

/* What the two return: one bit each, 0 when both say false. */
unsigned harness_error_returns(void);

/* The longest text that an error can hold. */
size_t harness_error_capacity(void);

/* Asks core/alloc.h for n elements of `size` bytes, of which each is 0; false when one is not. */
bool harness_alloc_is_zeroed(size_t n, size_t size);

/* The same through alloc_resize() from a few bytes, whose contents stay. */
bool harness_alloc_resize_keeps(size_t n, size_t size);

#ifdef __cplusplus
#include "harness-all.h"
}
#endif

#endif
