/* decompress-gzip.c - RFC 1952 with zlib, one member after the other. */
#include <zlib.h>

#include "decompress.h"

static bool failed(struct sink *out, const z_stream *z, int rc)
{
    if (rc == Z_BUF_ERROR || rc == Z_OK)
        return error_set(out->e, "the file ends in the middle of its data: is it truncated?");
    return error_set(out->e, "the data is damaged (%s)", z->msg ? z->msg : "zlib refused it");
}

static bool inflate_member(z_stream *z, struct sink *out)
{
    uint8_t chunk[65536];
    int rc = Z_OK;

    while (rc != Z_STREAM_END) {
        z->next_out = chunk;
        z->avail_out = sizeof chunk;
        rc = inflate(z, Z_NO_FLUSH);
        size_t got = sizeof chunk - z->avail_out;
        if (got && !sink_put(out, chunk, got))
            return false;
        if ((rc != Z_OK && rc != Z_STREAM_END) || (rc == Z_OK && got == 0 && z->avail_in == 0))
            return failed(out, z, rc);
    }
    return true;
}

bool gzip_decompress(const uint8_t *in, size_t size, struct sink *out)
{
    z_stream z = { .next_in = (Bytef *)in, .avail_in = (uInt)size };

    if (size > UINT32_MAX || inflateInit2(&z, 15 + 16) != Z_OK)
        return error_set(out->e, "zlib could not be started");
    bool ok = inflate_member(&z, out);
    while (ok && z.avail_in >= 2 && z.next_in[0] == 0x1f && z.next_in[1] == 0x8b)
        ok = inflateReset(&z) == Z_OK && inflate_member(&z, out);
    inflateEnd(&z);
    return ok;
}
