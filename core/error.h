/*
 * error.h - messages for what goes wrong at start-up, or in what a user handed us.
 *
 * A function that can fail for the host's or the user's reasons takes a `struct error *`, returns false
 * and leaves a message that says what, where, why and what to do. Only main prints it and exits.
 */
#ifndef CORE_ERROR_H
#define CORE_ERROR_H

#include <stdbool.h>

struct error {
    char text[1024];
};

/* Sets the message (truncated to fit). Always returns false, so that callers write `return error_set(...)`. */
bool error_set(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "what: " in front of the message that a callee left. Always returns false. */
bool error_prefix(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
