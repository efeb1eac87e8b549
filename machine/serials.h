/* serials.h - the host ends of character devices: -chardev, -serial, -nographic, and the keys of a mux. */
#ifndef MACHINE_SERIALS_H
#define MACHINE_SERIALS_H

#include "control.h"
#include "error.h"
#include "ports.h"

struct machine;
struct serials;

/* Opens every -chardev and -serial. NULL with a message. */
struct serials *serials_new(struct machine *m, struct error *e);
void serials_free(struct serials *s);

/* Serial line n, or NULL for `none`. */
struct char_port *serials_line(struct serials *s, unsigned n);

/* A port for `device` on the -chardev of this id. NULL with a message when there is none, or it is taken. */
struct char_port *serials_chardev(struct serials *s, const char *id, const char *device, struct error *e);

/* Tells a person at a terminal how to leave, when the machine is about to run. */
void serials_greet(struct serials *s);

/* A port for something else that was told where to go in the words of -serial. NULL with a message. */
struct char_port *serials_open(struct serials *s, const char *text, const char *device, struct error *e);

/* The monitor's place on the terminal that -serial mon:... shares; NULL when there is none. */
struct char_port *serials_monitor(struct serials *s);

/* The n-th character device; false when there is none. */
bool serials_tell(struct serials *s, unsigned n, struct control_char *out);

/* Takes up to *size bytes out of a ringbuf; false when no ringbuf has this id. */
bool serials_ring_read(struct serials *s, const char *id, uint8_t *buf, size_t *size);

#endif
