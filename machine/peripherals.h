/*
 * peripherals.h - what the command line plugs into a board: serial lines, disks, networks, entropy, and the VIRTIO
 * devices on them. Owns the host ends and frees them after the devices.
 */
#ifndef MACHINE_PERIPHERALS_H
#define MACHINE_PERIPHERALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"
#include "ports.h"

struct device;
struct disks;
struct machine;
struct nets;
struct peripherals;
struct serials;
struct virtio;

/* Opens what the options name, as m->peripherals: also on failure, for devices that were made before it use them. */
bool peripherals_open(struct machine *m, struct error *e);
void peripherals_free(struct peripherals *p);

/* Waits until no disk request is in flight. */
void peripherals_drain(struct peripherals *p);

/* Tells a person at a terminal how to leave, when the machine is about to run. */
void peripherals_greet(struct peripherals *p);

/* Host end of serial line n, or NULL for `none`. */
struct char_port *peripherals_serial(struct peripherals *p, unsigned n);

/* A character port for something that is no device, in the words of -serial. NULL with a message. */
struct char_port *peripherals_open_port(struct peripherals *p, const char *text, const char *device, struct error *e);

/* For control-info.c. */
struct serials *peripherals_serials(struct peripherals *p);
struct disks *peripherals_disks(struct peripherals *p);
struct nets *peripherals_nets(struct peripherals *p);

/* The id of the VIRTIO device that a port's device end belongs to, or NULL. */
const char *peripherals_device_at(struct peripherals *p, const void *dev);

/* The VIRTIO device for transport slot n, or NULL. */
struct virtio *peripherals_virtio(struct peripherals *p, unsigned n);

/* Disk of flash bank n (-drive if=pflash), or NULL. */
struct block_port *peripherals_flash(struct peripherals *p, unsigned n);

/* Random bytes, from the source that the guest's own have; the same in every run under a virtual clock. */
void peripherals_fill(struct peripherals *p, uint8_t *buf, size_t len);

/* -fw_cfg items. */
bool peripherals_fill_fw_cfg(struct peripherals *p, struct device *fw_cfg, struct error *e);

/* Fails when something was asked for that the board had no place for. */
bool peripherals_finish(struct peripherals *p, struct error *e);

/* -device help. */
void peripherals_list(FILE *out);

#endif
