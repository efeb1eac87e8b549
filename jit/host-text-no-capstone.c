#include "host-text.h"

bool host_text_here(void)
{
    return false;
}

bool host_text(const uint8_t *code, size_t len, uint64_t address,
               void (*line)(void *owner, size_t at, unsigned bytes, const char *text), void *owner)
{
    return false;
}
