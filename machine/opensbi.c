#include "opensbi.h"

#include <stdint.h>

/* Made by the build from the files that configure found; start == end when there was none. */
extern const uint8_t opensbi_fw_dynamic_start[], opensbi_fw_dynamic_end[];
extern const uint8_t opensbi_fw_dynamic32_start[], opensbi_fw_dynamic32_end[];

const void *opensbi_fw_dynamic(unsigned xlen, size_t *size)
{
    const uint8_t *start = xlen == 32 ? opensbi_fw_dynamic32_start : opensbi_fw_dynamic_start;
    const uint8_t *end = xlen == 32 ? opensbi_fw_dynamic32_end : opensbi_fw_dynamic_end;

    *size = (size_t)(end - start);
    return *size ? start : NULL;
}
