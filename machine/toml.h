/*
 * toml.h - a strict reader of a subset of TOML 1.0 (toml.io): comments, bare keys, [tables], [[arrays of tables]],
 * and as values strings ("..." with escapes, '...'), integers, booleans, and arrays of these. What TOML has beyond
 * that is refused by name. Messages say FILE:LINE:COLUMN and what was expected there.
 */
#ifndef MACHINE_TOML_H
#define MACHINE_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum toml_kind { TOML_STRING, TOML_INTEGER, TOML_BOOLEAN, TOML_ARRAY };

struct toml_value {
    enum toml_kind kind;
    char *text; /* without NULs inside */
    int64_t number;
    bool truth;
    struct toml_value *item;
    size_t items;
    unsigned line, column;
};

struct toml_entry {
    char *key;
    unsigned line, column;
    struct toml_value value;
    bool used; /* for the reader of the tables: see toml_unused() */
};

/* The first table, named "", holds what comes before the first header. */
struct toml_table {
    char *name;
    bool array; /* [[name]] */
    unsigned line, column;
    struct toml_entry *entry;
    size_t entries;
};

struct toml {
    const char *file; /* for messages; borrowed */
    struct toml_table *table;
    size_t tables;
};

/* `text` is len bytes. Fails with a message; `t` must be freed in either case. */
bool toml_parse(struct toml *t, const char *file, const char *text, size_t len, struct error *e);
void toml_free(struct toml *t);

/* The value of a key, marked as used, or NULL. */
struct toml_value *toml_get(struct toml_table *table, const char *key);

/* "string", "integer", ... */
const char *toml_kind_name(enum toml_kind kind);

/* Sets "FILE:LINE:COLUMN: ..." and returns false. */
bool toml_error(const struct toml *t, unsigned line, unsigned column, struct error *e, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#endif
