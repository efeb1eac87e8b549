/* rng.h - entropy ports: the host's, and a generator with a seed for runs that must repeat. */
#ifndef HOST_RNG_H
#define HOST_RNG_H

#include "error.h"
#include "ports.h"

/* From getrandom(2). Freed by rng_close(). NULL with a message on failure, here and below. */
struct rng_port *rng_open_host(struct error *e);

/* The same bytes for the same seed, whatever the sizes of the calls. Not for secrets. */
struct rng_port *rng_open_seeded(uint64_t seed);

void rng_close(struct rng_port *port);

#endif
