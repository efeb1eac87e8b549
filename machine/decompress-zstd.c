/* decompress-zstd.c - RFC 8878 with libzstd. */
#include <stdlib.h>
#include <zstd.h>

#include "alloc.h"
#include "decompress.h"

static bool run(ZSTD_DStream *z, ZSTD_inBuffer *in, void *chunk, size_t chunk_size, struct sink *out)
{
    size_t left = 1;

    while (left) {
        ZSTD_outBuffer o = { .dst = chunk, .size = chunk_size };
        size_t before = in->pos;
        left = ZSTD_decompressStream(z, &o, in);
        if (ZSTD_isError(left))
            return error_set(out->e, "the data is damaged (%s)", ZSTD_getErrorName(left));
        if (o.pos && !sink_put(out, chunk, o.pos))
            return false;
        if (left && o.pos == 0 && in->pos == before)
            return error_set(out->e, "the file ends in the middle of its data: is it truncated?");
    }
    return true;
}

bool zstd_decompress(const uint8_t *in, size_t size, struct sink *out)
{
    size_t chunk_size = ZSTD_DStreamOutSize();
    ZSTD_inBuffer input = { .src = in, .size = size };
    ZSTD_DStream *z = ZSTD_createDStream();
    void *chunk = alloc_zeroed(chunk_size);

    /* 128 MiB is the window of --ultra -22, which kernels are packed with. */
    bool ok = z && !ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, 27));
    ok = ok ? run(z, &input, chunk, chunk_size, out) : error_set(out->e, "libzstd could not be started");
    ZSTD_freeDStream(z);
    free(chunk);
    return ok;
}
