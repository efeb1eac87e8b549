/* nearest.c - see nearest.h. The distance is Damerau and Levenshtein's in its "optimal string alignment" form. */
#include "nearest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 63, LINE_COLUMNS = 96 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;

    return ab < c ? ab : c;
}

unsigned nearest_distance(const char *a, const char *b)
{
    size_t na = strnlen(a, WORD_MAX), nb = strnlen(b, WORD_MAX);
    unsigned char rows[3][WORD_MAX + 1];
    unsigned char *before = rows[0], *prev = rows[1], *row = rows[2];

    for (size_t j = 0; j <= nb; j++)
        row[j] = (unsigned char)j;
    for (size_t i = 1; i <= na; i++) {
        unsigned char *oldest = before;
        before = prev;
        prev = row;
        row = oldest;
        row[0] = (unsigned char)i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned best = min3(prev[j] + 1u, row[j - 1] + 1u, prev[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = min3(best, before[j - 2] + 1u, best);
            row[j] = (unsigned char)best;
        }
    }
    return row[nb];
}

void nearest_init(struct nearest *n, const char *word)
{
    size_t len = strlen(word);

    /* A third of the word may be wrong; beyond that a suggestion confuses more than it helps. */
    *n = (struct nearest){ .word = word, .distance = (unsigned)(len < 3 ? 1 : len / 3) + 1 };
}

void nearest_try(struct nearest *n, const char *known)
{
    unsigned d = nearest_distance(n->word, known);

    if (d < n->distance && d < strlen(known)) {
        n->distance = d;
        n->best = known;
    }
}

static void __attribute__((format(printf, 2, 3))) append(struct error *e, const char *fmt, ...)
{
    size_t used = strnlen(e->text, sizeof e->text);
    va_list ap;

    if (used >= sizeof e->text)
        return;
    va_start(ap, fmt);
    vsnprintf(e->text + used, sizeof e->text - used, fmt, ap);
    va_end(ap);
}

void nearest_suggest(const struct nearest *n, const char *dash, struct error *e)
{
    if (n->best)
        append(e, ": did you mean '%s%s'?", dash, n->best);
}

/* What the user wrote, and so its own bytes, may stand in the message. */
static void clean(struct error *e)
{
    for (unsigned char *p = (unsigned char *)e->text; *p; p++)
        if (*p < 0x20 || *p == 0x7f)
            *p = '?';
}

/* One column a character in UTF-8; the bytes after the first of a character take none. */
static bool starts_column(unsigned char c)
{
    return (c & 0xc0) != 0x80;
}

void caret_add(struct error *e, const char *line, size_t at, size_t len)
{
    size_t size = strlen(line);
    size_t from = size > LINE_COLUMNS && at > LINE_COLUMNS / 2 ? at - LINE_COLUMNS / 2 : 0;
    size_t to = size - from > LINE_COLUMNS ? from + LINE_COLUMNS : size;
    char marks[LINE_COLUMNS + 1], text[LINE_COLUMNS + 1];
    size_t columns = 0;

    if (at > size)
        return;
    clean(e);
    for (size_t i = from; i < to; i++) {
        unsigned char c = (unsigned char)line[i];
        text[i - from] = c < 0x20 || c == 0x7f ? '?' : (char)c;
        if (starts_column(c) && i < at + (len ? len : 1))
            marks[columns++] = i < at ? ' ' : i == at ? '^' : '~';
    }
    if (at == to && columns < LINE_COLUMNS)
        marks[columns++] = '^';
    text[to - from] = 0;
    marks[columns] = 0;
    append(e, "\n    %s%s%s\n    %s%s", from ? "..." : "", text, to < size ? "..." : "", from ? "   " : "",
           marks);
}
