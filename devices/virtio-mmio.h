/* virtio-mmio.h - a slot for one VIRTIO device, with registers in memory. */
#ifndef VIRTIO_MMIO_H
#define VIRTIO_MMIO_H

#include "device.h"
#include "virtio.h"

/* `backend` is borrowed, and the two may be destroyed in any order; NULL makes an empty slot. */
struct device *virtio_mmio_new(const char *id, const struct dev_env *env, struct virtio *backend);

struct line *virtio_mmio_irq(struct device *dev);

#endif
