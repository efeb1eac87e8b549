/* nearest.h - help for mistyped words: the nearest known word, and the culprit underlined in its line. */
#ifndef CORE_NEAREST_H
#define CORE_NEAREST_H

#include <stddef.h>

#include "error.h"

struct nearest {
    const char *word;
    const char *best; /* NULL while nothing near enough was tried; borrowed from nearest_try */
    unsigned distance;
};

void nearest_init(struct nearest *n, const char *word);
void nearest_try(struct nearest *n, const char *known);

/* Edits (insert, delete, replace, swap neighbours) that turn `a` into `b`; words are compared up to 63 bytes. */
unsigned nearest_distance(const char *a, const char *b);

/* Appends ": did you mean 'X'?" with `dash` in front of the word, or nothing. */
void nearest_suggest(const struct nearest *n, const char *dash, struct error *e);

/*
 * Appends two lines: `line` (shortened around the culprit when long; bytes that a terminal would obey
 * become '?'), and ^~~~ under its bytes [at, at + len).
 */
void caret_add(struct error *e, const char *line, size_t at, size_t len);

#endif
