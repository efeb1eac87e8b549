/*
 * keyvals.h - texts of the form "first,key=value,flag,other=a,,b": comma-separated, a doubled comma stands for one.
 *
 * Whoever reads a text asks for its keys by name and then calls keyvals_finish, which refuses what nobody asked for.
 * Errors show the text with the culprit underlined.
 */
#ifndef CORE_KEYVALS_H
#define CORE_KEYVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct keyval_item {
    char *key;
    char *value;     /* "on" for a flag; asking for FOO as a bool also finds a flag noFOO */
    size_t at;       /* byte offset of the item in the text */
    size_t value_at; /* byte offset of the value; == at for a flag or an implied key */
    bool flag;       /* a key without '=' */
    bool used;
};

struct keyvals {
    const char *option; /* "-device", for messages; borrowed */
    char *text;         /* as the user wrote it */
    struct keyval_item *item;
    size_t count;
};

/* `implied` (or NULL) is the key of a first item without '='. */
bool keyvals_parse(struct keyvals *kv, const char *option, const char *text, const char *implied, struct error *e);

/* The same for a text whose first item is a value in any case, as in "unix:/tmp/a=b,server=on": its key is `first`. */
bool keyvals_parse_first(struct keyvals *kv, const char *option, const char *text, const char *first, struct error *e);
void keyvals_free(struct keyvals *kv);

/* Appends the items of `from`, which stays as it is: for options that add up, such as -machine. */
void keyvals_merge(struct keyvals *kv, const struct keyvals *from);

/* The last value of `key`, or NULL. All items of that key count as used. */
const char *keyvals_get(struct keyvals *kv, const char *key);

/* The same, without marking: for a look ahead. */
const char *keyvals_peek(const struct keyvals *kv, const char *key);

/* These leave *out alone when the key is absent, and fail when its value does not fit. */
bool keyvals_bool(struct keyvals *kv, const char *key, bool *out, struct error *e); /* see parse_bool */
bool keyvals_u64(struct keyvals *kv, const char *key, uint64_t *out, struct error *e);
bool keyvals_size(struct keyvals *kv, const char *key, uint64_t *out, struct error *e); /* k M G T suffix; bytes */
bool keyvals_copy(struct keyvals *kv, const char *key, char *out, size_t size, struct error *e); /* a text, not empty */

/* An error about the value of `key`: the message, then the text with that value underlined. Returns false. */
bool keyvals_error(const struct keyvals *kv, const char *key, struct error *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Fails at the first item that nobody asked for; `known` (NULL-terminated, or NULL) feeds the suggestion. */
bool keyvals_finish(const struct keyvals *kv, const char *const *known, struct error *e);

/* A whole text as a number: decimal, 0x hexadecimal or 0 octal; no sign, nothing behind. */
bool parse_u64(const char *text, uint64_t *out);

/* A number with an optional suffix b k M G T P E in either case, or in `unit` bytes when there is none.
 * Fractions are allowed with a suffix ("1.5G"). */
bool parse_size(const char *text, uint64_t unit, uint64_t *out);

/* on yes true y 1 / off no false n 0. */
bool parse_bool(const char *text, bool *out);

#endif
