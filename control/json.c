/* json.c - see json.h. Section numbers are RFC 8259's. */
#include "json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

struct reader {
    const char *start, *at, *end;
    struct error *e;
    unsigned depth;
};

static bool refuse(struct reader *r, const char *why)
{
    return error_set(r->e, "JSON parse error, %s at byte %zu", why, (size_t)(r->at - r->start));
}

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && *r->at && strchr(" \t\r\n", *r->at))
        r->at++;
}

static bool take(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

/* ---- strings (7) ---- */

/* Length of the UTF-8 sequence at p (RFC 3629, section 4), 0 when it is none. */
static size_t utf8_length(const uint8_t *p, size_t left)
{
    static const struct {
        uint8_t first, last; /* of the first byte */
        uint8_t low, high;   /* of the second */
        uint8_t length;
    } rows[] = {
        { 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
        { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (p[0] < rows[i].first || p[0] > rows[i].last)
            continue;
        if (left < rows[i].length || (rows[i].length > 1 && (p[1] < rows[i].low || p[1] > rows[i].high)))
            return 0;
        for (size_t k = 2; k < rows[i].length; k++) {
            if (p[k] < 0x80 || p[k] > 0xbf)
                return 0;
        }
        return rows[i].length;
    }
    return 0;
}

static size_t utf8_encode(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = { 0, 0xc0, 0xe0, 0xf0 };
    out[0] = (char)(lead[more] | c >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3f));
    return more + 1;
}

static bool take_hex4(struct reader *r, uint32_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < 4; i++, r->at++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *d = r->at < r->end && *r->at ? strchr(digits, *r->at) : NULL;
        if (!d)
            return refuse(r, "bad \\u escape");
        uint32_t digit = (uint32_t)(d - digits);
        *value = *value << 4 | (digit > 15 ? digit - 6 : digit);
    }
    return true;
}

/* Behind "\u". */
static bool take_unicode(struct reader *r, char *out, size_t *len)
{
    uint32_t c, low;

    if (!take_hex4(r, &c))
        return false;
    if (c - 0xd800 < 0x400) {
        if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u')
            return refuse(r, "half a surrogate pair");
        r->at += 2;
        if (!take_hex4(r, &low))
            return false;
        if (low - 0xdc00 >= 0x400)
            return refuse(r, "half a surrogate pair");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    } else if (c - 0xdc00 < 0x400 || !c) {
        return refuse(r, c ? "half a surrogate pair" : "\\u0000");
    }
    *len += utf8_encode(c, out + *len);
    return true;
}

static bool take_escape(struct reader *r, char *out, size_t *len)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char c = r->at < r->end ? *r->at++ : 0;
    const char *name = c ? strchr(names, c) : NULL;

    if (c == 'u')
        return take_unicode(r, out, len);
    if (!name)
        return refuse(r, "bad escape");
    out[(*len)++] = values[name - names];
    return true;
}

/* Decoded text never grows, so `out` has as many bytes as are left. */
static bool take_characters(struct reader *r, char *out)
{
    size_t len = 0;

    while (r->at < r->end && *r->at != '"') {
        if ((uint8_t)*r->at < ' ')
            return refuse(r, "control character in a string");
        if (*r->at == '\\') {
            r->at++;
            if (!take_escape(r, out, &len))
                return false;
            continue;
        }
        size_t n = utf8_length((const uint8_t *)r->at, (size_t)(r->end - r->at));
        if (!n)
            return refuse(r, "invalid UTF-8");
        memcpy(out + len, r->at, n);
        len += n;
        r->at += n;
    }
    out[len] = 0;
    return take(r, '"') || refuse(r, "string without an end");
}

/* Behind the quotation mark. */
static char *take_string(struct reader *r)
{
    const char *end = r->at;

    while (end < r->end && *end != '"')
        end += *end == '\\' && end + 1 < r->end ? 2 : 1;
    char *out = alloc_zeroed((size_t)(end - r->at) + 1);
    if (take_characters(r, out))
        return out;
    free(out);
    return NULL;
}

/* ---- numbers (6) ---- */

static size_t take_digits(struct reader *r)
{
    const char *from = r->at;

    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return (size_t)(r->at - from);
}

/* Fraction and exponent. */
static bool take_rest(struct reader *r, struct json *value)
{
    if (r->at < r->end && *r->at == '.') {
        r->at++;
        value->kind = JSON_REAL;
        if (!take_digits(r))
            return refuse(r, "number without digits");
    }
    if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
        r->at++;
        value->kind = JSON_REAL;
        if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
            r->at++;
        if (!take_digits(r))
            return refuse(r, "number without digits");
    }
    return true;
}

static bool take_number(struct reader *r, struct json *value)
{
    const char *from = r->at;

    value->kind = JSON_INT;
    value->negative = *r->at == '-';
    r->at += value->negative;
    const char *digits = r->at;
    size_t count = take_digits(r);
    if (!count || (*digits == '0' && count > 1))
        return refuse(r, "bad number");
    for (size_t i = 0; i < count && value->kind == JSON_INT; i++) {
        if (__builtin_mul_overflow(value->magnitude, UINT64_C(10), &value->magnitude) ||
            __builtin_add_overflow(value->magnitude, (uint64_t)(digits[i] - '0'), &value->magnitude))
            value->kind = JSON_REAL;
    }
    if (!take_rest(r, value))
        return false;
    value->text = alloc_format("%.*s", (int)(r->at - from), from);
    return true;
}

/* ---- values (3) ---- */

static struct json *take_value(struct reader *r);

static bool take_word(struct reader *r, struct json *value)
{
    static const struct {
        const char *word;
        enum json_kind kind;
        bool on;
    } words[] = { { "true", JSON_BOOL, true }, { "false", JSON_BOOL, false }, { "null", JSON_NULL, false } };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t len = strlen(words[i].word);
        if ((size_t)(r->end - r->at) < len || memcmp(r->at, words[i].word, len))
            continue;
        r->at += len;
        value->kind = words[i].kind;
        value->on = words[i].on;
        return true;
    }
    return refuse(r, "expecting value");
}

static bool take_element(struct reader *r, struct json ***end)
{
    **end = take_value(r);
    if (!**end)
        return false;
    *end = &(**end)->next;
    return true;
}

static bool take_member(struct reader *r, const struct json *object, struct json ***end)
{
    if (!take(r, '"'))
        return refuse(r, "expecting a member's name");
    char *key = take_string(r);
    if (!key)
        return false;
    bool twice = json_get(object, key), ok = !twice && take(r, ':');
    struct json **place = *end;
    if (ok && take_element(r, end)) {
        (*place)->key = key;
        return true;
    }
    free(key);
    return ok ? false : refuse(r, twice ? "a member twice" : "expecting ':'");
}

/* Behind the bracket. */
static bool take_list(struct reader *r, struct json *value)
{
    bool is_object = value->kind == JSON_OBJECT;
    char close = is_object ? '}' : ']';
    struct json **end = &value->first;
    unsigned count = 0;

    if (++r->depth > JSON_DEPTH)
        return refuse(r, "nested too deeply");
    if (!take(r, close)) {
        do {
            if (is_object && ++count > JSON_MEMBERS)
                return refuse(r, "too many members");
            if (is_object ? !take_member(r, value, &end) : !take_element(r, &end))
                return false;
        } while (take(r, ','));
        if (!take(r, close))
            return refuse(r, is_object ? "expecting ',' or '}'" : "expecting ',' or ']'");
    }
    r->depth--;
    return true;
}

static bool fill(struct reader *r, struct json *value)
{
    if (take(r, '{') || take(r, '[')) {
        value->kind = r->at[-1] == '{' ? JSON_OBJECT : JSON_ARRAY;
        return take_list(r, value);
    }
    if (take(r, '"')) {
        value->kind = JSON_STRING;
        value->text = take_string(r);
        return value->text;
    }
    if (r->at < r->end && (*r->at == '-' || (*r->at >= '0' && *r->at <= '9')))
        return take_number(r, value);
    return take_word(r, value);
}

static struct json *take_value(struct reader *r)
{
    struct json *value = alloc_zeroed(sizeof *value);

    if (fill(r, value))
        return value;
    json_free(value);
    return NULL;
}

struct json *json_parse(const char *text, size_t len, struct error *e)
{
    struct reader r = { text, text, text + len, e, 0 };
    struct json *value = take_value(&r);

    skip_blanks(&r);
    if (!value || r.at == r.end)
        return value;
    refuse(&r, "something behind the value");
    json_free(value);
    return NULL;
}

void json_free(struct json *value)
{
    while (value) {
        struct json *next = value->next;
        json_free(value->first); /* at most JSON_DEPTH deep */
        free(value->key);
        free(value->text);
        free(value);
        value = next;
    }
}

const struct json *json_get(const struct json *object, const char *key)
{
    if (!object || object->kind != JSON_OBJECT)
        return NULL;
    for (const struct json *m = object->first; m; m = m->next) {
        if (m->key && !strcmp(m->key, key))
            return m;
    }
    return NULL;
}

/* ---- writing ---- */

/* Before a value or a member's name: a comma, unless it is the first, or the value of a member. */
static void separate(struct text_out *out)
{
    const char *end = out->len ? &out->data[out->len - 1] : NULL;

    if (end && !strchr("{[ ", *end))
        text_out_add(out, ", ", 2);
}

void json_begin(struct text_out *out, char bracket)
{
    separate(out);
    text_out_add(out, &bracket, 1);
}

void json_end(struct text_out *out, char bracket)
{
    text_out_add(out, &bracket, 1);
}

static void put_escaped(struct text_out *out, const char *text)
{
    static const char names[] = "\"\\bfnrt", values[] = "\"\\\b\f\n\r\t";
    const uint8_t *p = (const uint8_t *)text;
    size_t left = strlen(text);

    while (left) {
        const char *special = strchr(values, *p);
        size_t n = utf8_length(p, left);
        if (special)
            text_out_put(out, "\\%c", names[special - values]);
        else if (*p < ' ' || *p == 0x7f || !n)
            text_out_put(out, "\\u%04x", n ? *p : 0xfffdu);
        else
            text_out_add(out, (const char *)p, n);
        n = n ? n : 1;
        p += n;
        left -= n;
    }
}

void json_string(struct text_out *out, const char *text)
{
    separate(out);
    text_out_add(out, "\"", 1);
    put_escaped(out, text);
    text_out_add(out, "\"", 1);
}

void json_key(struct text_out *out, const char *key)
{
    json_string(out, key);
    text_out_add(out, ": ", 2);
}

static void put_word(struct text_out *out, const char *word)
{
    separate(out);
    text_out_add(out, word, strlen(word));
}

void json_bool(struct text_out *out, bool on)
{
    put_word(out, on ? "true" : "false");
}

void json_u64(struct text_out *out, uint64_t value)
{
    separate(out);
    text_out_put(out, "%" PRIu64, value);
}

void json_put(struct text_out *out, const struct json *value)
{
    if (value->key)
        json_key(out, value->key);
    switch (value->kind) {
    case JSON_NULL: put_word(out, "null"); return;
    case JSON_BOOL: json_bool(out, value->on); return;
    case JSON_INT:
    case JSON_REAL: put_word(out, value->text); return;
    case JSON_STRING: json_string(out, value->text); return;
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    json_begin(out, value->kind == JSON_OBJECT ? '{' : '[');
    for (const struct json *v = value->first; v; v = v->next)
        json_put(out, v);
    json_end(out, value->kind == JSON_OBJECT ? '}' : ']');
}
