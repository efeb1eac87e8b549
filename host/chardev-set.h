/*
 * chardev-set.h - a machine's character devices by name: what -chardev makes and -serial, -monitor, -device refer to.
 *
 * Puts the mux in where a character device has mux=on, opens standard input and output only once, and closes all.
 */
#ifndef HOST_CHARDEV_SET_H
#define HOST_CHARDEV_SET_H

#include <stdio.h>

#include "chardev.h"

struct chardev_set;

/* `escape` is the mux's key (MUX_ESCAPE unless -echr). quit(owner) is called when the user typed escape x. */
struct chardev_set *chardev_set_new(struct loop *loop, int escape, void (*quit)(void *owner), void *owner);

/* Flushes and closes every character device; the devices must be gone. NULL is fine. */
void chardev_set_free(struct chardev_set *set);

/* -chardev: opens it; its id must be new. */
bool chardev_set_add(struct chardev_set *set, const struct chardev_config *config, struct error *e);

/* The port for a device that was told chardev=ID. With mux=on any number up to MUX_FRONTS, otherwise one.
 * `device` is what the user sees when the focus changes. NULL with a message on failure. */
struct char_port *chardev_set_attach(struct chardev_set *set, const char *id, const char *device,
                                     struct error *e);

/* The same for -serial and its like: a reference is attached to, anything else is opened first (without an id
 * it gets the device's name). Not for CHARDEV_NONE. */
struct char_port *chardev_set_attach_config(struct chardev_set *set, const struct chardev_config *config,
                                            const char *device, struct error *e);

/* The port for the monitor on the character device that was opened by a "mon:", or NULL without a message
 * when there is none; call it after that device's own attach, which takes the focus. */
struct char_port *chardev_set_monitor(struct chardev_set *set, struct error *e);

/* The character device itself, for the monitor: ringbuf-read and the like. NULL when there is no such id. */
struct char_port *chardev_set_find(struct chardev_set *set, const char *id);

/* The n-th one in the order they were made: its id, what it is connected to, and who has it (or NULL). */
bool chardev_set_tell(const struct chardev_set *set, unsigned n, const char **id, const char **target,
                      const char **user);

/* Takes up to *size bytes out of a ringbuf; false when no ringbuf has this id. */
bool chardev_set_ring_read(struct chardev_set *set, const char *id, uint8_t *buf, size_t *size);

/* Standard input and output belong to one of them. */
bool chardev_set_has_stdio(const struct chardev_set *set);

/* One line about the mux's keys, when a person at a terminal types them. */
void chardev_set_greet(const struct chardev_set *set, FILE *out);

#endif
