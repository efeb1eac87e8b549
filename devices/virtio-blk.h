/* virtio-blk.h - a disk on a block port. */
#ifndef VIRTIO_BLK_H
#define VIRTIO_BLK_H

#include "device.h"
#include "ports.h"
#include "virtio.h"

/* `port` is borrowed. The machine drains it before it saves or loads the device: requests in flight are no
 * part of the state. */
struct virtio *virtio_blk_new(const char *id, const struct dev_env *env, struct block_port *port);

/* port->size has changed. */
void virtio_blk_resized(struct virtio *v);

#endif
