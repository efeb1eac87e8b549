/* toml.c - see toml.h. */
#include "toml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "path.h"

enum { DEPTH_MAX = 4, ENTRIES_MAX = 4096 };

struct reader {
    struct toml *t;
    const char *at, *end, *line_start;
    unsigned line;
    unsigned entries;
    struct error *e;
};

bool toml_error(const struct toml *t, unsigned line, unsigned column, struct error *e, const char *fmt, ...)
{
    char text[600];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return error_set(e, "%s:%u:%u: %s", t->file, line, column, text);
}

static unsigned column(const struct reader *r)
{
    return (unsigned)(r->at - r->line_start) + 1;
}

static bool expected(struct reader *r, const char *what)
{
    unsigned char c = r->at < r->end ? (unsigned char)*r->at : 0;
    char found[24];

    if (r->at == r->end)
        snprintf(found, sizeof found, "the end of the file");
    else if (c == '\n' || c == '\r')
        snprintf(found, sizeof found, "the end of the line");
    else
        snprintf(found, sizeof found, c >= 0x20 && c < 0x7f ? "'%c'" : "byte %#x", c);
    return toml_error(r->t, r->line, column(r), r->e, "expected %s, found %s", what, found);
}

static bool refused(struct reader *r, const char *what)
{
    return toml_error(r->t, r->line, column(r), r->e, "%s", what);
}

/* ---- blanks ---- */

static int peek(const struct reader *r)
{
    return r->at < r->end ? (unsigned char)*r->at : -1;
}

static bool take(struct reader *r, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n))
        return false;
    r->at += n;
    return true;
}

static void skip_blanks(struct reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\t')
        r->at++;
}

static bool take_newline(struct reader *r)
{
    if (!take(r, "\r\n") && !take(r, "\n"))
        return false;
    r->line++;
    r->line_start = r->at;
    return true;
}

static void skip_comment(struct reader *r)
{
    skip_blanks(r);
    if (peek(r) == '#') {
        while (r->at < r->end && *r->at != '\n')
            r->at++;
        if (r->at > r->line_start && r->at[-1] == '\r' && r->at < r->end)
            r->at--;
    }
}

static void skip_lines(struct reader *r)
{
    do
        skip_comment(r);
    while (take_newline(r));
}

static bool end_of_line(struct reader *r)
{
    skip_comment(r);
    return r->at == r->end || take_newline(r) || expected(r, "the end of the line");
}

/* ---- strings ---- */

static int hex_digit(int c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static void add_utf8(struct bytes *b, uint32_t c)
{
    char out[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(n == 1 ? c : (0xf0U << (4 - n) & 0xff) | c);
    bytes_add(b, out, n);
}

static bool read_unicode(struct reader *r, unsigned digits, struct bytes *b)
{
    uint32_t c = 0;

    for (unsigned i = 0; i < digits; i++, r->at++) {
        int d = hex_digit(peek(r));
        if (d < 0)
            return expected(r, "a hexadecimal digit");
        c = c << 4 | (uint32_t)d;
    }
    if (!c || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return refused(r, "no such character can be in a string");
    add_utf8(b, c);
    return true;
}

static bool read_escape(struct reader *r, struct bytes *b)
{
    static const char from[] = "btnfre\"\\", to[] = "\b\t\n\f\r\033\"\\";
    int c = peek(r);
    const char *at = c > 0 ? strchr(from, c) : NULL;

    if (at) {
        r->at++;
        bytes_add(b, &to[at - from], 1);
        return true;
    }
    if (c != 'u' && c != 'U')
        return expected(r, "one of b t n f r e u U \" \\ after the backslash");
    r->at++;
    return read_unicode(r, c == 'u' ? 4 : 8, b);
}

static bool read_string(struct reader *r, char **out)
{
    char quote = *r->at++;
    struct bytes b = { 0 };
    bool ok = true;

    bytes_add(&b, "", 0);
    while (ok && peek(r) != quote) {
        int c = peek(r);
        if (c < 0 || (c < 0x20 && c != '\t') || c == 0x7f) {
            ok = expected(r, quote == '"' ? "a character, or the closing \"" : "a character, or the closing '");
        } else if (c == '\\' && quote == '"') {
            r->at++;
            ok = read_escape(r, &b);
        } else {
            bytes_add(&b, r->at++, 1);
        }
    }
    r->at += ok;
    if (ok)
        *out = alloc_text(b.data ? b.data : "");
    bytes_free(&b);
    return ok;
}

/* ---- values ---- */

static bool is_word(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool read_integer(struct reader *r, int64_t *out)
{
    const char *start = r->at;
    char digits[24];
    size_t n = 0;

    if (peek(r) == '-' || peek(r) == '+')
        digits[n++] = *r->at++;
    int base = take(r, "0x") ? 16 : 10;
    for (; r->at < r->end && (hex_digit(peek(r)) >= 0 || *r->at == '_') && n < sizeof digits - 1; r->at++) {
        if (*r->at != '_')
            digits[n++] = *r->at;
    }
    digits[n] = 0;
    char *end;
    long long value = strtoll(digits, &end, base);
    if (!n || *end || end == digits || is_word(peek(r)) || n == sizeof digits - 1) {
        r->at = start;
        return expected(r, "a whole number");
    }
    if (peek(r) == '.' || peek(r) == ':')
        return refused(r, "floating point numbers, times and dates are not supported here");
    *out = value;
    return true;
}

static bool read_value(struct reader *r, struct toml_value *v, unsigned depth);

static bool read_items(struct reader *r, struct toml_value *v, unsigned depth)
{
    for (skip_lines(r); peek(r) != ']'; skip_lines(r)) {
        if (++r->entries > ENTRIES_MAX)
            return refused(r, "too many values in one file");
        v->item = alloc_resize(v->item, v->items + 1, sizeof *v->item);
        v->item[v->items] = (struct toml_value){ 0 };
        if (!read_value(r, &v->item[v->items++], depth + 1))
            return false;
        skip_lines(r);
        if (!take(r, ",") && peek(r) != ']')
            return expected(r, "',' or ']'");
    }
    r->at++;
    return true;
}

static bool read_value(struct reader *r, struct toml_value *v, unsigned depth)
{
    v->line = r->line;
    v->column = column(r);
    if (depth > DEPTH_MAX)
        return refused(r, "arrays are nested too deeply");
    if (take(r, "\"\"\"") || take(r, "'''"))
        return refused(r, "strings of several lines are not supported: write \\n");
    switch (peek(r)) {
    case '"':
    case '\'':
        v->kind = TOML_STRING;
        return read_string(r, &v->text);
    case '[':
        v->kind = TOML_ARRAY;
        r->at++;
        return read_items(r, v, depth);
    case '{': return refused(r, "inline tables are not supported: write a [table]");
    default: break;
    }
    v->kind = TOML_BOOLEAN;
    v->truth = take(r, "true");
    if ((v->truth || take(r, "false")) && !is_word(peek(r)))
        return true;
    v->kind = TOML_INTEGER;
    if (!strchr("+-0123456789", peek(r) < 1 ? 'x' : peek(r)))
        return expected(r, "a value: \"text\", a whole number, true, false or [...]");
    return read_integer(r, &v->number);
}

/* ---- lines ---- */

static bool read_word(struct reader *r, const char *what, char **out)
{
    const char *start = r->at;

    while (is_word(peek(r)))
        r->at++;
    if (r->at == start)
        return expected(r, what);
    if (peek(r) == '.')
        return refused(r, "dotted names are not supported");
    *out = alloc_format("%.*s", (int)(r->at - start), start);
    return true;
}

static struct toml_table *add_table(struct toml *t, char *name, bool array, unsigned line, unsigned col)
{
    t->table = alloc_resize(t->table, t->tables + 1, sizeof *t->table);
    t->table[t->tables] = (struct toml_table){ .name = name, .array = array, .line = line, .column = col };
    return &t->table[t->tables++];
}

static bool read_header(struct reader *r)
{
    unsigned col = column(r);
    char *name = NULL;

    r->at++;
    bool array = take(r, "[");
    skip_blanks(r);
    if (!read_word(r, "a table's name", &name))
        return false;
    for (size_t i = 0; i < r->t->tables; i++) {
        if (!strcmp(r->t->table[i].name, name) && !(array && r->t->table[i].array)) {
            toml_error(r->t, r->line, col, r->e, "[%s] is already there, in line %u", name, r->t->table[i].line);
            free(name);
            return false;
        }
    }
    add_table(r->t, name, array, r->line, col);
    skip_blanks(r);
    if (!take(r, array ? "]]" : "]"))
        return expected(r, array ? "']]'" : "']'");
    return ++r->entries <= ENTRIES_MAX ? end_of_line(r) : refused(r, "too many tables in one file");
}

static bool read_entry(struct reader *r)
{
    struct toml_table *table = &r->t->table[r->t->tables - 1];
    struct toml_entry entry = { .line = r->line, .column = column(r) };

    if (peek(r) == '"' || peek(r) == '\'')
        return refused(r, "quoted keys are not supported");
    if (!read_word(r, "a key, or a [table]", &entry.key))
        return false;
    const struct toml_entry *old = NULL;
    for (size_t i = 0; i < table->entries; i++)
        old = strcmp(table->entry[i].key, entry.key) ? old : &table->entry[i];
    table->entry = alloc_resize(table->entry, table->entries + 1, sizeof *table->entry);
    table->entry[table->entries++] = entry;
    if (old)
        return toml_error(r->t, entry.line, entry.column, r->e, "'%s' is already set in this table", entry.key);
    skip_blanks(r);
    if (!take(r, "="))
        return expected(r, "'='");
    skip_blanks(r);
    if (++r->entries > ENTRIES_MAX)
        return refused(r, "too many values in one file");
    return read_value(r, &table->entry[table->entries - 1].value, 0) && end_of_line(r);
}

bool toml_parse(struct toml *t, const char *file, const char *text, size_t len, struct error *e)
{
    struct reader r = { .t = t, .at = text, .end = text + len, .line_start = text, .line = 1, .e = e };

    *t = (struct toml){ .file = file };
    add_table(t, alloc_text(""), false, 1, 1);
    take(&r, "\xef\xbb\xbf");
    for (skip_lines(&r); r.at < r.end; skip_lines(&r)) {
        if (!(peek(&r) == '[' ? read_header(&r) : read_entry(&r)))
            return false;
    }
    return true;
}

/* ---- afterwards ---- */

static void free_value(struct toml_value *v)
{
    for (size_t i = 0; i < v->items; i++)
        free_value(&v->item[i]);
    free(v->item);
    free(v->text);
}

void toml_free(struct toml *t)
{
    for (size_t i = 0; i < t->tables; i++) {
        for (size_t k = 0; k < t->table[i].entries; k++) {
            free(t->table[i].entry[k].key);
            free_value(&t->table[i].entry[k].value);
        }
        free(t->table[i].entry);
        free(t->table[i].name);
    }
    free(t->table);
    *t = (struct toml){ 0 };
}

struct toml_value *toml_get(struct toml_table *table, const char *key)
{
    for (size_t i = 0; i < table->entries; i++) {
        if (!strcmp(table->entry[i].key, key)) {
            table->entry[i].used = true;
            return &table->entry[i].value;
        }
    }
    return NULL;
}

const char *toml_kind_name(enum toml_kind kind)
{
    static const char *const names[] = { "a string", "a whole number", "true or false", "an array" };

    return names[kind];
}
