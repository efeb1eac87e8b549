/* block-port.h - the head that every block port of host/ starts with; private to the block-*.c files. */
#ifndef HOST_BLOCK_PORT_H
#define HOST_BLOCK_PORT_H

#include "block.h"

struct worker;

struct block_owner {
    struct block_port port; /* first */
    struct worker *worker;
    void (*finish)(struct block_owner *o); /* after the worker has gone: flush, close, free */
};

void block_port_init(struct block_owner *o, uint64_t size, bool read_only, const struct block_config *config);

#endif
