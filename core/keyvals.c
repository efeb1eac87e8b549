/* keyvals.c - see keyvals.h. The form is that of QEMU's documentation, "Key-value options" of its invocation page. */
#include "keyvals.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "nearest.h"

static struct keyval_item *add_item(struct keyvals *kv)
{
    kv->item = alloc_resize(kv->item, kv->count + 1, sizeof *kv->item);
    kv->item[kv->count] = (struct keyval_item){ 0 };
    return &kv->item[kv->count++];
}

/* Copies up to the next single comma, undoing doubled ones; *at ends behind that comma or on the final 0. */
static char *take_item(const char *text, size_t *at, bool *more)
{
    char *out = alloc_zeroed(strlen(text + *at) + 1);
    size_t n = 0;

    for (; text[*at]; (*at)++) {
        if (text[*at] == ',' && text[*at + 1] != ',')
            break;
        if (text[*at] == ',')
            (*at)++;
        out[n++] = text[*at];
    }
    *more = text[*at] == ',';
    *at += *more;
    return out;
}

/* `taken` becomes the item's. */
static void split_item(struct keyval_item *item, char *taken, const char *implied, bool always)
{
    char *equal = implied && always ? NULL : strchr(taken, '=');

    item->value_at = item->at;
    item->flag = !equal && !implied;
    if (equal) {
        *equal = 0;
        item->key = taken;
        item->value = alloc_text(equal + 1);
        item->value_at += strlen(item->key) + 1;
    } else {
        item->key = implied ? alloc_text(implied) : taken;
        item->value = implied ? taken : alloc_text("on");
    }
}

static bool parse(struct keyvals *kv, const char *option, const char *text, const char *implied, bool always,
                  struct error *e)
{
    size_t at = 0;
    bool more = *text;

    *kv = (struct keyvals){ .option = option, .text = alloc_text(text) };
    while (more) {
        struct keyval_item *item = add_item(kv);
        item->at = at;
        split_item(item, take_item(text, &at, &more), kv->count == 1 ? implied : NULL, always);
        if (*item->key)
            continue;
        error_set(e, "%s has an item without a name", option);
        caret_add(e, text, item->at, 1);
        keyvals_free(kv);
        return false;
    }
    return true;
}

bool keyvals_parse(struct keyvals *kv, const char *option, const char *text, const char *implied, struct error *e)
{
    return parse(kv, option, text, implied, false, e);
}

bool keyvals_parse_first(struct keyvals *kv, const char *option, const char *text, const char *first, struct error *e)
{
    return parse(kv, option, text, first, true, e);
}

void keyvals_free(struct keyvals *kv)
{
    for (size_t i = 0; i < kv->count; i++) {
        free(kv->item[i].key);
        free(kv->item[i].value);
    }
    free(kv->item);
    free(kv->text);
    *kv = (struct keyvals){ 0 };
}

void keyvals_merge(struct keyvals *kv, const struct keyvals *from)
{
    size_t old = kv->text ? strlen(kv->text) : 0;
    size_t shift = old ? old + 1 : 0, add = strlen(from->text);

    kv->option = from->option;
    kv->text = alloc_resize(kv->text, shift + add + 1, 1);
    if (old)
        kv->text[old] = ',';
    memcpy(kv->text + shift, from->text, add + 1);
    for (size_t i = 0; i < from->count; i++) {
        const struct keyval_item *f = &from->item[i];
        struct keyval_item *item = add_item(kv);
        *item = *f;
        item->key = alloc_text(f->key);
        item->value = alloc_text(f->value);
        item->at += shift;
        item->value_at += shift;
    }
}

static const struct keyval_item *find(const struct keyvals *kv, const char *key)
{
    for (size_t i = kv->count; i-- > 0;)
        if (strcmp(kv->item[i].key, key) == 0)
            return &kv->item[i];
    return NULL;
}

const char *keyvals_peek(const struct keyvals *kv, const char *key)
{
    const struct keyval_item *item = find(kv, key);

    return item ? item->value : NULL;
}

const char *keyvals_get(struct keyvals *kv, const char *key)
{
    for (size_t i = 0; i < kv->count; i++)
        if (strcmp(kv->item[i].key, key) == 0)
            kv->item[i].used = true;
    return keyvals_peek(kv, key);
}

bool keyvals_error(const struct keyvals *kv, const char *key, struct error *e, const char *fmt, ...)
{
    const struct keyval_item *item = find(kv, key);
    char why[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    error_set(e, "%s: %s", kv->option, why);
    if (item)
        caret_add(e, kv->text, item->value_at, strlen(item->value));
    return false;
}

/* "noFOO" without a value is FOO=off, as for "nosnapshot" or "nowait". */
static bool negated(struct keyvals *kv, const char *key)
{
    for (size_t i = 0; i < kv->count; i++) {
        struct keyval_item *item = &kv->item[i];
        if (!item->flag || strncmp(item->key, "no", 2) != 0 || strcmp(item->key + 2, key) != 0)
            continue;
        item->used = true;
        return true;
    }
    return false;
}

bool keyvals_bool(struct keyvals *kv, const char *key, bool *out, struct error *e)
{
    const char *v = keyvals_get(kv, key);

    if (!v && negated(kv, key))
        *out = false;
    if (!v || parse_bool(v, out))
        return true;
    return keyvals_error(kv, key, e, "'%s' takes on or off, not '%.80s'", key, v);
}

bool keyvals_u64(struct keyvals *kv, const char *key, uint64_t *out, struct error *e)
{
    const char *v = keyvals_get(kv, key);

    if (!v || parse_u64(v, out))
        return true;
    return keyvals_error(kv, key, e, "'%s' takes a number (decimal, or hexadecimal with 0x), not '%.80s'", key, v);
}

bool keyvals_size(struct keyvals *kv, const char *key, uint64_t *out, struct error *e)
{
    const char *v = keyvals_get(kv, key);

    if (!v || parse_size(v, 1, out))
        return true;
    return keyvals_error(kv, key, e, "'%s' takes a size such as 512M or 4G, not '%.80s'", key, v);
}

bool keyvals_copy(struct keyvals *kv, const char *key, char *out, size_t size, struct error *e)
{
    const char *v = keyvals_get(kv, key);

    if (!v)
        return true;
    if (!*v || find(kv, key)->flag)
        return keyvals_error(kv, key, e, "'%s' needs a value: %s=...", key, key);
    if (strlen(v) >= size)
        return keyvals_error(kv, key, e, "'%s' is longer than %zu bytes", key, size - 1);
    memcpy(out, v, strlen(v) + 1);
    return true;
}

bool keyvals_finish(const struct keyvals *kv, const char *const *known, struct error *e)
{
    for (size_t i = 0; i < kv->count; i++) {
        const struct keyval_item *item = &kv->item[i];
        struct nearest near;
        if (item->used)
            continue;
        nearest_init(&near, item->key);
        for (size_t k = 0; known && known[k]; k++)
            nearest_try(&near, known[k]);
        error_set(e, "%s has no property '%.80s'", kv->option, item->key);
        nearest_suggest(&near, "", e);
        caret_add(e, kv->text, item->at, strlen(item->key));
        return false;
    }
    return true;
}

bool parse_u64(const char *text, uint64_t *out)
{
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 0);
    if (errno || *end)
        return false;
    *out = v;
    return true;
}

static bool unit_of(char suffix, uint64_t *unit)
{
    static const char order[] = "bkmgtpe";
    const char *p = suffix ? strchr(order, tolower((unsigned char)suffix)) : NULL;

    if (!p)
        return false;
    *unit = UINT64_C(1) << (10 * (p - order));
    return true;
}

/* unit * 0.DIGITS, rounded down; digits behind the ninth do not count. */
static uint64_t take_fraction(const char **p, uint64_t unit)
{
    uint64_t digits = 0, scale = 1;

    for (; isdigit((unsigned char)**p); (*p)++) {
        if (scale == 1000000000)
            continue;
        digits = digits * 10 + (uint64_t)(**p - '0');
        scale *= 10;
    }
    return (uint64_t)((unsigned __int128)unit * digits / scale);
}

bool parse_size(const char *text, uint64_t unit, uint64_t *out)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *fraction = NULL;
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    uint64_t whole = strtoull(text, &end, hex ? 16 : 10);
    if (errno)
        return false;
    if (*end == '.' && !hex) {
        fraction = end + 1;
        end += 1 + strspn(end + 1, "0123456789");
    }
    if (*end && !unit_of(*end++, &unit))
        return false;
    if (*end || (fraction && unit == 1) || whole > UINT64_MAX / unit)
        return false;
    uint64_t part = fraction ? take_fraction(&fraction, unit) : 0;
    *out = whole * unit + part;
    return *out >= part;
}

bool parse_bool(const char *text, bool *out)
{
    static const char *const words[] = { "off", "on", "no", "yes", "false", "true", "n", "y", "0", "1" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i]) != 0)
            continue;
        *out = i & 1;
        return true;
    }
    return false;
}
