/* text-out.h - text that grows up to a bound: answers of the monitor and of the machine protocol. */
#ifndef CONTROL_TEXT_OUT_H
#define CONTROL_TEXT_OUT_H

#include <stdbool.h>
#include <stddef.h>

enum { TEXT_OUT_MAX = 1 << 20 };

/* All zero is empty. */
struct text_out {
    char *data; /* NULL, or ends with a 0 behind its `len` bytes */
    size_t len, cap;
    bool full; /* something did not fit, and neither does anything behind it */
};

void text_out_add(struct text_out *t, const char *bytes, size_t len);
void text_out_put(struct text_out *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What it holds; "" when that is nothing. */
const char *text_out_get(const struct text_out *t);
void text_out_clear(struct text_out *t);
void text_out_free(struct text_out *t);

#endif
