/* disks.h - disk images of the command line: -drive, -blockdev and their shorthands. */
#ifndef MACHINE_DISKS_H
#define MACHINE_DISKS_H

#include "control.h"
#include "error.h"
#include "ports.h"

struct disks;
struct machine;

enum disk_use { DISK_VIRTIO, DISK_PFLASH, DISK_NONE };

/* Opens every image. NULL with a message. */
struct disks *disks_new(struct machine *m, struct error *e);
void disks_free(struct disks *d);
void disks_drain(struct disks *d);

/* The next disk that nobody took and that the command line wants attached in this way, or NULL. */
struct block_port *disks_next(struct disks *d, enum disk_use use);

/* The disk of this id for a -device. NULL with a message. */
struct block_port *disks_take(struct disks *d, const char *id, struct error *e);

/* The n-th disk; false when there is none. */
bool disks_tell(struct disks *d, unsigned n, struct control_block *out);

#endif
