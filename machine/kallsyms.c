/*
 * kallsyms.c - see kallsyms.h. Linux, CONFIG_KALLSYMS, 64-bit little-endian: what scripts/kallsyms.c writes, each table
 * aligned to 8 bytes.
 *
 *     u32 count
 *     u8  names[]      for each symbol: a length (1 byte; 2 bytes with 7 bits each from 128 on), and so many tokens
 *     u32 markers[]    where in names every 256th symbol is
 *     char tokens[]    256 texts, each with its 0; the first character of a symbol is nm's type
 *     u16 index[256]   where in tokens each is
 *     s32 offsets[count]
 *     u64 base         what offsets count from
 *
 * Nothing points at them from outside: they are found by the tokens, of which those of the digits are themselves.
 */
#define _GNU_SOURCE 1 /* memmem, memrchr */
#include "kallsyms.h"

#include <inttypes.h>
#include <string.h>

#include "reader.h"

enum { TOKENS = 256, RUN = 256, COUNT_MAX = 1 << 22, NAME_MAX_LEN = 1024, ALIGN = 8 };

struct tables {
    const uint8_t *image;
    size_t size;
    size_t tokens, index, markers, names;
    uint32_t runs, count;
};

static size_t align(size_t at)
{
    return (at + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static uint32_t word(const struct tables *t, size_t at)
{
    return in_range(at, 4, t->size) ? get_le32(t->image + at) : UINT32_MAX;
}

/* Is there a table of tokens at t->tokens, with its index behind it? */
static bool tokens_fit(struct tables *t)
{
    size_t start[TOKENS], at = t->tokens;

    for (unsigned i = 0; i < TOKENS; i++) {
        const uint8_t *end = memchr(t->image + at, 0, t->size - at < 256 ? t->size - at : 256);
        start[i] = at - t->tokens;
        if (!end)
            return false;
        at = (size_t)(end - t->image) + 1;
    }
    t->index = align(at);
    if (!in_range(t->index, TOKENS * 2, t->size))
        return false;
    for (unsigned i = 0; i < TOKENS; i++) {
        if (get_le16(t->image + t->index + 2 * i) != start[i])
            return false;
    }
    return true;
}

/* From the digits, which are tokens 48 to 57, back to the first token. */
static bool find_tokens(struct tables *t)
{
    static const char digits[] = "0\0001\0002\0003\0004\0005\0006\0007\0008\0009";
    const uint8_t *at = t->image;

    while ((at = memmem(at, t->size - (size_t)(at - t->image), digits, sizeof digits))) {
        size_t back = (size_t)(at - t->image);
        for (unsigned i = 0; i < '0' && back; i++) {
            const uint8_t *end = memrchr(t->image, 0, back - 1);
            back = end ? (size_t)(end - t->image) + 1 : 0;
        }
        t->tokens = back; /* the upper byte of the last marker, or filling, is the 0 in front of it */
        if (back % ALIGN == 0 && tokens_fit(t))
            return true;
        at++;
    }
    return false;
}

/* They grow, from 0, and end in front of the tokens. */
static bool find_markers(struct tables *t)
{
    size_t at = t->tokens - 4;

    if (t->tokens < 16)
        return false;
    if (!word(t, at))
        at -= 4;
    for (t->runs = 1; word(t, at) && t->runs < COUNT_MAX / RUN; t->runs++, at -= 4) {
        if (at < 4 || word(t, at - 4) >= word(t, at))
            return false;
    }
    t->markers = at;
    return !word(t, at);
}

static bool is_printable(const char *text)
{
    for (; *text; text++) {
        if (*text <= ' ' || *text > '~')
            return false;
    }
    return true;
}

/* The symbol at *at, which moves on; false when it reaches into what follows the names, or has no name. */
static bool take_name(const struct tables *t, size_t *at, char name[NAME_MAX_LEN])
{
    size_t n = t->image[(*at)++], used = 0;

    if (n >= 128 && *at < t->markers)
        n = (n & 127) | (size_t)t->image[(*at)++] << 7;
    if (!in_range(*at, n, t->markers))
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *token = (const char *)t->image + t->tokens + get_le16(t->image + t->index + 2 * t->image[*at + i]);
        size_t len = strlen(token);
        if (len > NAME_MAX_LEN - 1 - used)
            return false;
        memcpy(name + used, token, len);
        used += len;
    }
    name[used] = 0;
    *at += n;
    return used > 1 && is_printable(name);
}

/* Do `count` names from here end where the markers begin, and is each 256th where its marker says? */
static bool names_fit(const struct tables *t)
{
    char name[NAME_MAX_LEN];
    size_t at = t->names;

    for (uint32_t i = 0; i < t->count; i++) {
        if (at >= t->markers || (i % RUN == 0 && at - t->names != word(t, t->markers + i / RUN * 4)) ||
            !take_name(t, &at, name))
            return false;
    }
    return align(at) == t->markers;
}

/* The count in front of the names fits the number of markers; few other words do. */
static bool find_names(struct tables *t)
{
    size_t last = word(t, t->markers + (t->runs - 1) * 4), high = t->markers - last;

    if (last > t->markers)
        return false;
    for (t->names = high & ~(size_t)(ALIGN - 1); t->names >= ALIGN && high - t->names < RUN * NAME_MAX_LEN;
         t->names -= ALIGN) {
        t->count = word(t, t->names - ALIGN);
        if (t->count && (t->count - 1) / RUN + 1 == t->runs && names_fit(t))
            return true;
    }
    return false;
}

static bool put_map(const struct tables *t, struct bytes *map)
{
    size_t at = t->names, offsets = t->index + TOKENS * 2, base_at = align(offsets + (size_t)t->count * 4);
    char name[NAME_MAX_LEN];
    uint64_t before = 0;

    if (!in_range(base_at, 8, t->size))
        return false;
    uint64_t base = get_le64(t->image + base_at);
    for (uint32_t i = 0; i < t->count; i++) {
        uint64_t address = base + word(t, offsets + i * 4);
        if (address < before || !take_name(t, &at, name))
            return false;
        bytes_addf(map, "%016" PRIx64 " %c %.400s\n", address, name[0], name + 1);
        before = address;
    }
    return true;
}

bool kallsyms_map(const void *image, size_t len, struct bytes *map)
{
    struct tables t = { .image = image, .size = len };

    *map = (struct bytes){ 0 };
    if (find_tokens(&t) && find_markers(&t) && find_names(&t) && put_map(&t, map))
        return true;
    bytes_free(map);
    return false;
}
