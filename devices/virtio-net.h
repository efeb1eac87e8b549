/* virtio-net.h - a network card on a frame port. */
#ifndef VIRTIO_NET_H
#define VIRTIO_NET_H

#include "device.h"
#include "ports.h"
#include "virtio.h"

/* Attaches to `port`, which is borrowed. */
struct virtio *virtio_net_new(const char *id, const struct dev_env *env, struct net_port *port);

#endif
