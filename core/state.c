/*
 * The stream: section = u16 name length, name, u16 number of fields; field = u16 name length, name, u8 width, u32
 * count, elements. Everything is little-endian.
 */
#include "state.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bits.h"

static uint8_t *grow(struct state_out *out, size_t n)
{
    if (out->cap - out->len < n) {
        out->cap = (out->len + n) * 2;
        out->data = alloc_resize(out->data, out->cap, 1);
    }
    out->len += n;
    return out->data + out->len - n;
}

static void put_name(struct state_out *out, const char *name)
{
    size_t len = strlen(name);

    put_le16(grow(out, 2), (uint16_t)len);
    memcpy(grow(out, len), name, len);
}

void state_out_free(struct state_out *out)
{
    free(out->data);
    *out = (struct state_out){ 0 };
}

/* Fields are host-endian in memory; the hosts are little-endian, which the stream is too. */
uint64_t state_get(const struct state_field *field, const void *obj, uint32_t index)
{
    return get_le((const uint8_t *)obj + field->offset + (size_t)index * field->width, field->width);
}

void state_put(const struct state_field *field, void *obj, uint32_t index, uint64_t value)
{
    put_le((uint8_t *)obj + field->offset + (size_t)index * field->width, value, field->width);
}

static uint16_t count_fields(const struct state_field *fields)
{
    uint16_t n = 0;

    while (fields[n].count)
        n++;
    return n;
}

void state_save(struct state_out *out, const char *section, const struct state_field *fields, const void *obj)
{
    put_name(out, section);
    put_le16(grow(out, 2), count_fields(fields));
    for (const struct state_field *f = fields; f->count; f++) {
        size_t bytes = (size_t)f->width * f->count;
        put_name(out, f->name);
        *grow(out, 1) = f->width;
        put_le32(grow(out, 4), f->count);
        memcpy(grow(out, bytes), (const uint8_t *)obj + f->offset, bytes);
    }
}

static const uint8_t *take(struct state_in *in, size_t n)
{
    if (in->len - in->pos < n)
        return NULL;
    in->pos += n;
    return in->data + in->pos - n;
}

static bool take_name(struct state_in *in, const char *name, const char *where, struct error *e)
{
    size_t at = in->pos;
    const uint8_t *p = take(in, 2);
    size_t len = p ? get_le16(p) : 0;
    const uint8_t *text = p ? take(in, len) : NULL;

    if (!text)
        return error_set(e, "state: %s ends at byte %zu, where \"%s\" is expected", where, at, name);
    if (len != strlen(name) || memcmp(text, name, len))
        return error_set(e, "state: %s has \"%.*s\" at byte %zu, where \"%s\" is expected; "
                            "was it saved by another version or another machine?",
                         where, (int)(len < 64 ? len : 64), (const char *)text, at, name);
    return true;
}

static bool load_field(struct state_in *in, const char *section, const struct state_field *f, void *obj,
                       struct error *e)
{
    if (!take_name(in, f->name, section, e))
        return false;
    const uint8_t *head = take(in, 5);
    if (!head || head[0] != f->width || get_le32(head + 1) != f->count)
        return error_set(e, "state: %s.%s has another width or count than this version's %u x %u bytes", section,
                         f->name, f->count, f->width);
    for (uint32_t i = 0; i < f->count; i++) {
        const uint8_t *p = take(in, f->width);
        if (!p)
            return error_set(e, "state: the stream ends inside %s.%s", section, f->name);
        uint64_t v = get_le(p, f->width);
        if (v < f->min || v > f->max)
            return error_set(e, "state: %s.%s[%u] is %#llx, outside of %#llx..%#llx", section, f->name, i,
                             (unsigned long long)v, (unsigned long long)f->min, (unsigned long long)f->max);
        state_put(f, obj, i, v);
    }
    return true;
}

bool state_load(struct state_in *in, const char *section, const struct state_field *fields, void *obj, size_t size,
                struct error *e)
{
    if (!take_name(in, section, "the stream", e))
        return false;
    const uint8_t *n = take(in, 2);
    if (!n || get_le16(n) != count_fields(fields))
        return error_set(e, "state: %s has %d fields, this version has %u", section, n ? get_le16(n) : 0,
                         count_fields(fields));
    void *scratch = alloc_copy(obj, size);
    bool ok = true;
    for (const struct state_field *f = fields; ok && f->count; f++)
        ok = load_field(in, section, f, scratch, e);
    if (ok)
        state_copy(fields, obj, scratch);
    free(scratch);
    return ok;
}

const char *state_diff(const struct state_field *fields, const void *a, const void *b, uint32_t *index)
{
    for (const struct state_field *f = fields; f->count; f++) {
        for (*index = 0; *index < f->count; ++*index) {
            if (state_get(f, a, *index) != state_get(f, b, *index))
                return f->name;
        }
    }
    return NULL;
}

void state_copy(const struct state_field *fields, void *to, const void *from)
{
    for (const struct state_field *f = fields; f->count; f++)
        memcpy((uint8_t *)to + f->offset, (const uint8_t *)from + f->offset, (size_t)f->width * f->count);
}
