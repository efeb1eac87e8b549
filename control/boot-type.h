/* boot-type.h - types at a serial port at a pace that the guest keeps up with. Private to boot-*.c. */
#ifndef CONTROL_BOOT_TYPE_H
#define CONTROL_BOOT_TYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "clock.h"
#include "ports.h"

struct boot_typist {
    struct char_port *port;
    struct clock *clock;
    struct timer timer;
    char *text; /* owned */
    size_t len, at;
    bool burst;
    bool waiting; /* for the guest to read */
    size_t room;  /* what the FIFO had before the last byte */
    void (*done)(void *owner);
    void *owner;
};

void boot_typist_init(struct boot_typist *y, struct char_port *port, struct clock *clock, void (*done)(void *owner),
                      void *owner);
void boot_typist_free(struct boot_typist *y);

/* Takes over `text`. The first byte comes a moment later, and done() after the last one. */
void boot_typist_type(struct boot_typist *y, char *text, size_t len, bool burst);
void boot_typist_stop(struct boot_typist *y);

/* The port's poke: the guest has read. */
void boot_typist_poked(struct boot_typist *y);

#endif
