/*
 * trace.h - run-time trace categories.
 *
 * A machine owns one `struct trace`. Whoever wants to say something asks for its category once, at creation
 * ("plic", "virtio.queue", "guest_error"), keeps the pointer, and tests trace_on() before it formats anything.
 * Categories are enabled by a comma-separated list in which a name also enables everything below it
 * ("virtio" enables "virtio.queue") and "all" enables everything.
 */
#ifndef CORE_TRACE_H
#define CORE_TRACE_H

#include <stdbool.h>
#include <stdio.h>

struct trace;

struct trace_cat {
    const char *name;
    bool on;
    struct trace *trace;
    struct trace_cat *next;
};

/* `out` is borrowed and stays open as long as the trace lives. */
struct trace *trace_new(FILE *out);
void trace_free(struct trace *t);

/* Enables the categories in `list`, also those that are asked for later. */
void trace_enable(struct trace *t, const char *list);

/* Where the lines go from now on. */
void trace_redirect(struct trace *t, FILE *out);

/* Finds or creates; `name` is a string literal; the category belongs to the trace. */
struct trace_cat *trace_category(struct trace *t, const char *name);

static inline bool trace_on(const struct trace_cat *c)
{
    return __builtin_expect(c->on, 0);
}

/* One line "category: text"; the newline is added. Thread-safe. */
void trace_log(struct trace_cat *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same without the category in front and without a newline, for disassembly and dumps. */
void trace_raw(struct trace_cat *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
