/* virtio-console.h - a console on a character port. */
#ifndef VIRTIO_CONSOLE_H
#define VIRTIO_CONSOLE_H

#include "device.h"
#include "ports.h"
#include "virtio.h"

/* Attaches to `port`, which is borrowed. */
struct virtio *virtio_console_new(const char *id, const struct dev_env *env, struct char_port *port);

/* The terminal has this many columns and rows now. */
void virtio_console_resize(struct virtio *v, uint16_t cols, uint16_t rows);

#endif
