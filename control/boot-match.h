/* boot-match.h - the last part of a serial line's output, and what is looked for in it. Private to boot-*.c. */
#ifndef CONTROL_BOOT_MATCH_H
#define CONTROL_BOOT_MATCH_H

#include <regex.h>

#include "boot-test.h"

enum { BOOT_WINDOW = 1 << 18 };

/* Output, of which text[seen..len) has not been used up by a match. When it is full, the older half goes. */
struct boot_window {
    char *text; /* BOOT_WINDOW bytes; NULs of the guest's are blanks here */
    size_t len, seen;
    size_t line;   /* the start of the first line that a regular expression has not been tried on as a whole */
    size_t dropped; /* bytes that have gone */
};

void boot_window_init(struct boot_window *w);
void boot_window_free(struct boot_window *w);
void boot_window_add(struct boot_window *w, const uint8_t *buf, size_t len);

/* What is before `at` has been used up. */
void boot_window_use(struct boot_window *w, size_t at);

/* Where `text` begins in [from, len), or SIZE_MAX. */
size_t boot_window_find(const struct boot_window *w, size_t from, const char *text);

/* Where the first match after `seen` begins and ends. `compiled` is the pattern's when it is a regular expression. */
bool boot_window_match(struct boot_window *w, const struct boot_pattern *p, const regex_t *compiled, size_t *begin,
                       size_t *end);

/* The line around `at`, without its end, cut to fit, unprintable bytes as dots. */
void boot_window_line(const struct boot_window *w, size_t at, char *out, size_t size);

/* The last bytes that fit, from the start of a line, with ends of line as they are and other controls as dots. */
void boot_window_tail(const struct boot_window *w, char *out, size_t size);

#endif
