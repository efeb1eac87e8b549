/*
 * keyval.h - reads "key=value,key=value" the way the command line writes it: ",," is a comma in a value, a
 * key without a value is "on", and "nokey" without a value is "off".
 */
#ifndef HOST_KEYVAL_H
#define HOST_KEYVAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct keyval {
    char key[64];
    char value[PATH_MAX];
    bool bare; /* there was no '=': `value` is "on" */
};

/* Copies up to the next single comma into `out` and moves past it. Fails when it does not fit. */
bool keyval_word(const char **text, char *out, size_t size, struct error *e);

/* Reads one pair and moves `*text` past it and its comma. At the end of the text `key` is empty. */
bool keyval_next(const char **text, struct keyval *kv, struct error *e);

/* on/off, yes/no, true/false, y/n. */
bool keyval_bool(const struct keyval *kv, bool *out, struct error *e);

bool keyval_copy(const struct keyval *kv, char *out, size_t size, struct error *e);

/* A number with an optional K, M or G (powers of 1024). */
bool keyval_size(const struct keyval *kv, uint64_t *out, struct error *e);

#endif
