/* block-format.h - tells image formats by their magic. */
#ifndef HOST_BLOCK_FORMAT_H
#define HOST_BLOCK_FORMAT_H

#include <stddef.h>
#include <stdint.h>

enum { BLOCK_FORMAT_HEAD = 512 }; /* the magics are in these first bytes */

/* The name of the format whose magic is in the first bytes of an image, or NULL. */
const char *block_format_of(const uint8_t *head, size_t len);

#endif
