/* boot-file-keys.c - the keys of a boot test's tables, by kind. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot-file-priv.h"
#include "nearest.h"

bool boot_wrong(const struct boot_file *f, const struct toml_value *v, struct error *e, const char *fmt, ...)
{
    char text[500];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return toml_error(&f->toml, v->line, v->column, e, "%s", text);
}

static bool is_kind(struct boot_file *f, const struct toml_value *v, const char *key, enum toml_kind kind,
                    struct error *e)
{
    return v->kind == kind || boot_wrong(f, v, e, "%s takes %s, not %s", key, toml_kind_name(kind),
                                         toml_kind_name(v->kind));
}

bool boot_string(struct boot_file *f, struct toml_table *t, const char *key, const char **out, struct error *e)
{
    struct toml_value *v = toml_get(t, key);

    if (!v)
        return true;
    *out = v->text;
    return is_kind(f, v, key, TOML_STRING, e);
}

bool boot_flag(struct boot_file *f, struct toml_table *t, const char *key, bool *out, struct error *e)
{
    struct toml_value *v = toml_get(t, key);

    if (!v)
        return true;
    *out = v->truth;
    return is_kind(f, v, key, TOML_BOOLEAN, e);
}

bool boot_number(struct boot_file *f, struct toml_table *t, const char *key, int64_t min, int64_t max, int64_t *out,
                 struct error *e)
{
    struct toml_value *v = toml_get(t, key);

    if (!v)
        return true;
    if (!is_kind(f, v, key, TOML_INTEGER, e))
        return false;
    if (v->number < min || v->number > max)
        return boot_wrong(f, v, e, "%s is from %lld to %lld", key, (long long)min, (long long)max);
    *out = v->number;
    return true;
}

bool boot_duration(struct boot_file *f, struct toml_table *t, const char *key, uint64_t *out, struct error *e)
{
    static const struct {
        const char *unit;
        uint64_t ns;
    } units[] = {
        { "ms", NS_PER_SEC / 1000 }, { "s", NS_PER_SEC }, { "m", 60 * NS_PER_SEC }, { "h", 3600 * NS_PER_SEC }
    };
    struct toml_value *v = toml_get(t, key);
    char *end;

    if (!v)
        return true;
    if (!is_kind(f, v, key, TOML_STRING, e))
        return false;
    unsigned long long n = strtoull(v->text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (end != v->text && v->text[0] >= '0' && v->text[0] <= '9' && !strcmp(end, units[i].unit) && n &&
            n <= 1000000) {
            *out = n * units[i].ns;
            return true;
        }
    }
    return boot_wrong(f, v, e, "%s takes a time such as \"500ms\", \"90s\", \"10m\" or \"1h\", not \"%s\"", key,
                      v->text);
}

bool boot_texts(struct boot_file *f, struct toml_table *t, const char *key, const char **out, unsigned max,
                unsigned *count, struct error *e)
{
    struct toml_value *v = toml_get(t, key);

    *count = 0;
    if (!v)
        return true;
    if (v->kind == TOML_STRING) {
        out[(*count)++] = v->text;
        return true;
    }
    if (!is_kind(f, v, key, TOML_ARRAY, e))
        return false;
    for (size_t i = 0; i < v->items; i++) {
        if (!is_kind(f, &v->item[i], key, TOML_STRING, e))
            return false;
        if (*count == max)
            return boot_wrong(f, &v->item[i], e, "%s takes at most %u texts", key, max);
        out[(*count)++] = v->item[i].text;
    }
    return true;
}

bool boot_unused(const struct boot_file *f, const struct toml_table *t, const char *const *known, struct error *e)
{
    for (size_t i = 0; i < t->entries; i++) {
        const struct toml_entry *entry = &t->entry[i];
        struct nearest near;
        if (entry->used)
            continue;
        nearest_init(&near, entry->key);
        for (size_t k = 0; known[k]; k++)
            nearest_try(&near, known[k]);
        toml_error(&f->toml, entry->line, entry->column, e, "%s%s%s has no key '%s'", *t->name ? "[" : "",
                   *t->name ? t->name : "a boot test outside of its tables", *t->name ? "]" : "", entry->key);
        nearest_suggest(&near, "", e);
        return false;
    }
    return true;
}
