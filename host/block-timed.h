/*
 * block-timed.h - a disk under virtual time: its requests are done at guest times that do not depend on the host.
 */
#ifndef HOST_BLOCK_TIMED_H
#define HOST_BLOCK_TIMED_H

#include "clock.h"
#include "ports.h"

/* A port on `inner` (borrowed), whose requests are done in their order, each a fixed guest time after it was submitted.
 * Where the host is slower than that, the guest's time stands still. */
struct block_port *block_timed_new(struct block_port *inner, struct clock *clock);

/* Nothing may be in flight. NULL is fine. */
void block_timed_free(struct block_port *port);

#endif
