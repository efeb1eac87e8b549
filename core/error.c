#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct error *e, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    return false;
}

bool error_prefix(struct error *e, const char *fmt, ...)
{
    char old[2 + sizeof e->text] = ": ";
    va_list ap;

    memcpy(old + 2, e->text, sizeof e->text);
    va_start(ap, fmt);
    int n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof e->text)
        return false;
    /* Not snprintf(): gcc warns of the truncation that is wanted here. */
    size_t room = sizeof e->text - 1 - (size_t)n, len = strlen(old);
    len = len < room ? len : room;
    memcpy(e->text + n, old, len);
    e->text[(size_t)n + len] = 0;
    return false;
}
