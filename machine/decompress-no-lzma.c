/* decompress-no-lzma.c - built in the place of decompress-lzma.c where the library is missing. */
#include "decompress.h"

bool lzma_decompress(const uint8_t *in, size_t size, struct sink *out)
{
    return error_set(out->e, "this build has no support for it: unpack it first");
}
