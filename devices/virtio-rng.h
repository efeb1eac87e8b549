/* virtio-rng.h - an entropy source. */
#ifndef VIRTIO_RNG_H
#define VIRTIO_RNG_H

#include "device.h"
#include "ports.h"
#include "virtio.h"

/* `port` is borrowed. */
struct virtio *virtio_rng_new(const char *id, const struct dev_env *env, struct rng_port *port);

#endif
