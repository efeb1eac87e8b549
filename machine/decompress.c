/*
 * decompress.c - see decompress.h. Magic numbers: RFC 1952, RFC 8878, the xz file format 1.2, lz4 legacy
 * frames.
 */
#include "decompress.h"

#include <string.h>

#include "bits.h"

static const struct {
    const char *name;
    uint8_t magic[6];
    uint8_t len;
    bool (*run)(const uint8_t *in, size_t size, struct sink *out);
} methods[] = {
    { "gzip", { 0x1f, 0x8b, 8 }, 3, gzip_decompress },
    { "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, zstd_decompress },
    { "zstd22", { 0 }, 0, zstd_decompress }, /* what EFI zboot files call theirs */
    { "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, lzma_decompress },
    { "xzkern", { 0 }, 0, lzma_decompress },
    { "lzma", { 0x5d, 0, 0 }, 3, lzma_decompress },
    { "lz4", { 0x02, 0x21, 0x4c, 0x18 }, 4, NULL },
    { "bzip2", { 'B', 'Z', 'h' }, 3, NULL },
    { "lzo", { 0x89, 'L', 'Z', 'O' }, 4, NULL },
};

const char *decompress_method(const uint8_t *in, size_t size)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (methods[i].len && size >= methods[i].len && memcmp(in, methods[i].magic, methods[i].len) == 0)
            return methods[i].name;
    return NULL;
}

bool sink_put(struct sink *s, const void *data, size_t len)
{
    if (len > s->max - s->out->len)
        return error_set(
            s->e,
            "it unpacks to more than %zu MiB, which is more than this machine's memory takes: give "
            "it more with -m",
            s->max >> 20);
    bytes_add(s->out, data, len);
    return true;
}

bool decompress(const char *method, const uint8_t *in, size_t size, size_t max, struct bytes *out,
                struct error *e)
{
    struct sink sink = { .out = out, .max = max, .e = e };

    *out = (struct bytes){ 0 };
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (strcmp(methods[i].name, method) != 0)
            continue;
        if (!methods[i].run)
            return error_set(e, "it is compressed with %s, which is not supported: unpack it first", method);
        if (methods[i].run(in, size, &sink))
            return true;
        bytes_free(out);
        return error_prefix(e, "%s", method);
    }
    return error_set(e, "it is compressed with '%.32s', which is not supported: unpack it first", method);
}
