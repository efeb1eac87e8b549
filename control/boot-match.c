/* boot-match.c - see boot-match.h. */
#define _GNU_SOURCE 1
#include "boot-match.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

void boot_window_init(struct boot_window *w)
{
    *w = (struct boot_window){ .text = alloc_zeroed(BOOT_WINDOW) };
}

void boot_window_free(struct boot_window *w)
{
    free(w->text);
}

static size_t less(size_t at, size_t gone)
{
    return at > gone ? at - gone : 0;
}

static void drop_half(struct boot_window *w)
{
    size_t gone = w->len / 2;

    memmove(w->text, w->text + gone, w->len - gone);
    w->len -= gone;
    w->seen = less(w->seen, gone);
    w->line = less(w->line, gone);
    w->dropped += gone;
}

void boot_window_add(struct boot_window *w, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (w->len == BOOT_WINDOW)
            drop_half(w);
        w->text[w->len++] = buf[i] ? (char)buf[i] : ' ';
    }
}

void boot_window_use(struct boot_window *w, size_t at)
{
    w->seen = at;
    w->line = at;
}

size_t boot_window_find(const struct boot_window *w, size_t from, const char *text)
{
    const char *at = from < w->len ? memmem(w->text + from, w->len - from, text, strlen(text)) : NULL;

    return at ? (size_t)(at - w->text) : SIZE_MAX;
}

static bool match_plain(const struct boot_window *w, const char *text, size_t *begin, size_t *end)
{
    *begin = boot_window_find(w, w->seen, text);
    *end = *begin + strlen(text);
    return *begin != SIZE_MAX;
}

/* One line, [start, stop). */
static bool match_line(const struct boot_window *w, const regex_t *compiled, size_t start, size_t stop, size_t *begin,
                       size_t *end)
{
    regmatch_t m = { .rm_so = 0, .rm_eo = (regoff_t)(stop - start) };
    bool inside = start > 0 && w->text[start - 1] != '\n';

    if (stop > start && w->text[stop - 1] == '\r')
        m.rm_eo--;
    if (regexec(compiled, w->text + start, 1, &m, REG_STARTEND | (inside ? REG_NOTBOL : 0)))
        return false;
    *begin = start + (size_t)m.rm_so;
    *end = start + (size_t)m.rm_eo;
    return true;
}

/* The last line is tried although it may grow: prompts have no end of line. */
static bool match_regex(struct boot_window *w, const regex_t *compiled, size_t *begin, size_t *end)
{
    for (;;) {
        const char *newline = memchr(w->text + w->line, '\n', w->len - w->line);
        size_t stop = newline ? (size_t)(newline - w->text) : w->len;
        size_t start = w->line > w->seen ? w->line : w->seen;
        if (match_line(w, compiled, start, stop, begin, end))
            return true;
        if (!newline)
            return false;
        w->line = stop + 1;
    }
}

bool boot_window_match(struct boot_window *w, const struct boot_pattern *p, const regex_t *compiled, size_t *begin,
                       size_t *end)
{
    return p->regex ? match_regex(w, compiled, begin, end) : match_plain(w, p->text, begin, end);
}

static char shown(char c)
{
    return (unsigned char)c >= 0x20 && c != 0x7f ? c : '.';
}

void boot_window_line(const struct boot_window *w, size_t at, char *out, size_t size)
{
    size_t start = at, n = 0;

    while (start > 0 && w->text[start - 1] != '\n')
        start--;
    for (; start < w->len && w->text[start] != '\n' && n + 1 < size; start++) {
        if (w->text[start] != '\r')
            out[n++] = shown(w->text[start]);
    }
    out[n] = 0;
}

void boot_window_tail(const struct boot_window *w, char *out, size_t size)
{
    size_t start = w->len > size - 1 ? w->len - (size - 1) : 0, n = 0;

    while (start && start < w->len && w->text[start - 1] != '\n')
        start++;
    for (; start < w->len; start++) {
        char c = w->text[start];
        if (c != '\r')
            out[n++] = c == '\n' || c == '\t' ? c : shown(c);
    }
    out[n] = 0;
}
