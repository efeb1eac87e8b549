/* alloc.c - see alloc.h: the one place that calls malloc() and its kind, and the one that may end the process for it */
#define _GNU_SOURCE
#include "alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void exhausted(size_t n, size_t size)
{
    fprintf(stderr, "lyrebird: the host has no memory left (asked for %zu x %zu bytes)\n", n, size);
    abort();
}

void *alloc_try(size_t n, size_t size)
{
    return calloc(n ? n : 1, size ? size : 1);
}

void *alloc_array(size_t n, size_t size)
{
    void *p = alloc_try(n, size);

    if (!p)
        exhausted(n, size);
    return p;
}

void *alloc_zeroed(size_t size)
{
    return alloc_array(1, size);
}

void *alloc_resize(void *old, size_t n, size_t size)
{
    void *p = n && size ? reallocarray(old, n, size) : realloc(old, 1);

    if (!p)
        exhausted(n, size);
    return p;
}

void *alloc_copy(const void *data, size_t size)
{
    void *p = alloc_resize(NULL, size, 1);

    if (size)
        memcpy(p, data, size);
    return p;
}

char *alloc_text(const char *text)
{
    return alloc_copy(text, strlen(text) + 1);
}

char *alloc_vformat(const char *fmt, va_list ap)
{
    char *text;

    if (vasprintf(&text, fmt, ap) < 0)
        exhausted(1, strlen(fmt));
    return text;
}

char *alloc_format(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    char *text = alloc_vformat(fmt, ap);
    va_end(ap);
    return text;
}
