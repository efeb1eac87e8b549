/*
 * decompress.h - compressed kernels. Each method is one file; configure leaves out those whose library is
 * missing by building decompress-no-METHOD.c in its place.
 */
#ifndef MACHINE_DECOMPRESS_H
#define MACHINE_DECOMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "path.h"

/* "gzip", "zstd", "xz", "lzma", ... as the first bytes tell, or NULL for something else. */
const char *decompress_method(const uint8_t *in, size_t size);

/* At most `max` bytes of output; `out` is freed on failure. Bytes behind the stream are ignored. */
bool decompress(const char *method, const uint8_t *in, size_t size, size_t max, struct bytes *out,
                struct error *e);

/* For the methods: hands out the next part of the output. False when `max` is exceeded. */
struct sink {
    struct bytes *out;
    size_t max;
    struct error *e;
};

bool sink_put(struct sink *s, const void *data, size_t len);

bool gzip_decompress(const uint8_t *in, size_t size, struct sink *out);
bool zstd_decompress(const uint8_t *in, size_t size, struct sink *out);
bool lzma_decompress(const uint8_t *in, size_t size, struct sink *out); /* xz, and the older .lzma */

#endif
