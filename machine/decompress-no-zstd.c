/* decompress-no-zstd.c - built in the place of decompress-zstd.c where the library is missing. */
#include "decompress.h"

bool zstd_decompress(const uint8_t *in, size_t size, struct sink *out)
{
    return error_set(out->e, "this build has no support for it: unpack it first");
}
