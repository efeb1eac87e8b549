#include "trace.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

struct trace {
    pthread_mutex_t mutex;
    FILE *out;
    char *enabled; /* what trace_enable() has been given so far, comma-separated */
    struct trace_cat *cats;
};

struct trace *trace_new(FILE *out)
{
    struct trace *t = alloc_zeroed(sizeof *t);

    pthread_mutex_init(&t->mutex, NULL);
    t->out = out;
    t->enabled = alloc_text("");
    return t;
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    for (struct trace_cat *c = t->cats, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    pthread_mutex_destroy(&t->mutex);
    free(t->enabled);
    free(t);
}

/* `item` (len bytes) names the category or one above it. */
static bool covers(const char *item, size_t len, const char *name)
{
    if (len == 3 && !memcmp(item, "all", 3))
        return true;
    return !strncmp(item, name, len) && (name[len] == '\0' || name[len] == '.');
}

static bool list_covers(const char *list, const char *name)
{
    for (const char *p = list; *p;) {
        size_t len = strcspn(p, ",");
        if (len && covers(p, len, name))
            return true;
        p += len + (p[len] == ',');
    }
    return false;
}

void trace_enable(struct trace *t, const char *list)
{
    pthread_mutex_lock(&t->mutex);
    char *joined = alloc_format("%s,%s", t->enabled, list);
    free(t->enabled);
    t->enabled = joined;
    for (struct trace_cat *c = t->cats; c; c = c->next)
        c->on = list_covers(t->enabled, c->name);
    pthread_mutex_unlock(&t->mutex);
}

void trace_redirect(struct trace *t, FILE *out)
{
    pthread_mutex_lock(&t->mutex);
    t->out = out;
    pthread_mutex_unlock(&t->mutex);
}

struct trace_cat *trace_category(struct trace *t, const char *name)
{
    pthread_mutex_lock(&t->mutex);
    struct trace_cat *c = t->cats;
    while (c && strcmp(c->name, name))
        c = c->next;
    if (!c) {
        c = alloc_zeroed(sizeof *c);
        *c = (struct trace_cat){ name, list_covers(t->enabled, name), t, t->cats };
        t->cats = c;
    }
    pthread_mutex_unlock(&t->mutex);
    return c;
}

static void print(struct trace_cat *c, bool line, const char *fmt, va_list ap)
{
    struct trace *t = c->trace;

    pthread_mutex_lock(&t->mutex);
    if (line)
        fprintf(t->out, "%s: ", c->name);
    vfprintf(t->out, fmt, ap);
    if (line)
        fputc('\n', t->out);
    pthread_mutex_unlock(&t->mutex);
}

void trace_log(struct trace_cat *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    print(c, true, fmt, ap);
    va_end(ap);
}

void trace_raw(struct trace_cat *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    print(c, false, fmt, ap);
    va_end(ap);
}
