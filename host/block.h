/*
 * block.h - disk images of the host as block ports.
 *
 * Only raw images for now; other formats are recognised and refused with a message.
 */
#ifndef HOST_BLOCK_H
#define HOST_BLOCK_H

#include <stdbool.h>

#include "error.h"
#include "loop.h"
#include "ports.h"

struct block_config {
    const char *file;
    const char *format; /* "raw", or NULL: raw, and the guest may not turn it into another format's image */
    bool read_only;
    bool snapshot; /* writes go to a temporary file; the image is opened for reading only */
    bool discard;  /* discarded space goes back to the host */
    const char *serial; /* borrowed; or NULL */
};

/* NULL with a message on failure. The image is locked against a second writer until it is closed. */
struct block_port *block_open(struct loop *loop, const struct block_config *config, struct error *e);

/* Drains, flushes and closes. NULL is fine. */
void block_close(struct block_port *port);

#endif
