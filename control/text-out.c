#include "text-out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

static void make_room(struct text_out *t, size_t len)
{
    size_t cap = t->cap ? t->cap : 256;

    while (cap < t->len + len + 1)
        cap *= 2;
    if (cap == t->cap)
        return;
    t->data = alloc_resize(t->data, cap, 1);
    t->cap = cap;
}

void text_out_add(struct text_out *t, const char *bytes, size_t len)
{
    t->full = t->full || len > TEXT_OUT_MAX - t->len;
    if (t->full)
        return;
    make_room(t, len);
    memcpy(t->data + t->len, bytes, len);
    t->len += len;
    t->data[t->len] = 0;
}

void text_out_put(struct text_out *t, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    char *text = alloc_vformat(fmt, ap);
    va_end(ap);
    text_out_add(t, text, strlen(text));
    free(text);
}

const char *text_out_get(const struct text_out *t)
{
    return t->data ? t->data : "";
}

void text_out_clear(struct text_out *t)
{
    t->len = 0;
    t->full = false;
    if (t->data)
        t->data[0] = 0;
}

void text_out_free(struct text_out *t)
{
    free(t->data);
    *t = (struct text_out){ 0 };
}
