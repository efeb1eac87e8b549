/* keyval.c - see keyval.h. */
#include "keyval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool keyval_word(const char **text, char *out, size_t size, struct error *e)
{
    const char *p = *text;
    size_t n = 0;

    for (; *p; p++) {
        if (*p == ',' && *++p != ',')
            break;
        if (n + 1 >= size)
            return error_set(e, "an option value is longer than %zu bytes: '%.40s...'", size - 1, *text);
        out[n++] = *p;
    }
    out[n] = 0;
    *text = p;
    return true;
}

bool keyval_next(const char **text, struct keyval *kv, struct error *e)
{
    size_t n = strcspn(*text, "=,");

    kv->bare = (*text)[n] != '=';
    if (n >= sizeof kv->key)
        return error_set(e, "an option name is longer than %zu bytes: '%.40s...'", sizeof kv->key - 1, *text);
    memcpy(kv->key, *text, n);
    kv->key[n] = 0;
    *text += n;
    if (kv->bare) {
        snprintf(kv->value, sizeof kv->value, "on");
        *text += **text == ',';
        return n || !**text ? true : error_set(e, "an option is empty before '%s'", *text);
    }
    if (!n)
        return error_set(e, "an option has no name: '%s'", *text);
    *text += 1;
    return keyval_word(text, kv->value, sizeof kv->value, e);
}

bool keyval_bool(const struct keyval *kv, bool *out, struct error *e)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = { { "on", true }, { "yes", true }, { "true", true }, { "y", true },
                  { "off", false }, { "no", false }, { "false", false }, { "n", false } };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strcmp(kv->value, words[i].word)) {
            *out = words[i].value;
            return true;
        }
    return error_set(e, "%s=%s: write %s=on or %s=off", kv->key, kv->value, kv->key, kv->key);
}

bool keyval_copy(const struct keyval *kv, char *out, size_t size, struct error *e)
{
    if (kv->bare || !kv->value[0])
        return error_set(e, "%s needs a value: %s=...", kv->key, kv->key);
    if (strlen(kv->value) >= size)
        return error_set(e, "%s: the value is longer than %zu bytes", kv->key, size - 1);
    snprintf(out, size, "%s", kv->value);
    return true;
}

bool keyval_size(const struct keyval *kv, uint64_t *out, struct error *e)
{
    static const char units[] = "KMG";
    char *end;

    errno = 0;
    unsigned long long n = strtoull(kv->value, &end, 0);
    const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    if (kv->bare || errno || end == kv->value || kv->value[0] == '-' || (*end && (!unit || end[1])) ||
        n << shift >> shift != n)
        return error_set(e, "%s=%s: not a size; write a number, or one with K, M or G", kv->key, kv->value);
    *out = n << shift;
    return true;
}
