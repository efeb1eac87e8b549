/* decompress-lzma.c - the xz file format and the older .lzma, with liblzma. */
#include <lzma.h>

#include "decompress.h"

enum { LZMA_MEMORY_LIMIT = 256 << 20 };

static const char *reason(lzma_ret rc)
{
    switch (rc) {
    case LZMA_BUF_ERROR: return "the file ends in the middle of its data: is it truncated?";
    case LZMA_MEMLIMIT_ERROR: return "it needs more than 256 MiB to unpack";
    case LZMA_FORMAT_ERROR: return "it is not in this format";
    case LZMA_OPTIONS_ERROR: return "it uses a filter that is not supported";
    default: return "the data is damaged";
    }
}

bool lzma_decompress(const uint8_t *in, size_t size, struct sink *out)
{
    lzma_stream z = LZMA_STREAM_INIT;
    lzma_ret rc = lzma_auto_decoder(&z, LZMA_MEMORY_LIMIT, 0);
    uint8_t chunk[65536];
    bool ok = true;

    z.next_in = in;
    z.avail_in = size;
    while (ok && rc == LZMA_OK) {
        z.next_out = chunk;
        z.avail_out = sizeof chunk;
        rc = lzma_code(&z, LZMA_FINISH);
        if (z.avail_out < sizeof chunk)
            ok = sink_put(out, chunk, sizeof chunk - z.avail_out);
    }
    lzma_end(&z);
    return ok && (rc == LZMA_STREAM_END || error_set(out->e, "%s", reason(rc)));
}
