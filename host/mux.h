/*
 * mux.h - several devices, and the monitor, on one character port; and the keys that the user steers it with.
 *
 * After the escape key (Ctrl-A): h help, x quit, c next device, b break, and the escape key once more sends
 * it. Input goes to the device that has the focus. Output of the one in focus is shown as it comes; that of
 * the others line by line, so that lines are never torn. What is typed faster than a device takes waits in a
 * small queue; when that is full a terminal's keys are dropped (so that the escape key still works), and
 * other input waits at its source.
 */
#ifndef HOST_MUX_H
#define HOST_MUX_H

#include <stdbool.h>

#include "loop.h"
#include "ports.h"

enum { MUX_ESCAPE = 1 /* Ctrl-A */, MUX_FRONTS = 8 };

struct mux;

/* The backend is borrowed. `terminal`: a person types, see above. quit(owner) is called from the loop. */
struct mux *mux_new(struct loop *loop, struct char_port *backend, int escape, bool terminal,
                    void (*quit)(void *owner), void *owner);
void mux_free(struct mux *mux);

/* A port for one more device; the first gets the focus. `name` is copied. NULL with a message when
 * there are MUX_FRONTS. */
struct char_port *mux_add(struct mux *mux, const char *name, struct error *e);

/* Moves the focus to this front. */
void mux_focus(struct mux *mux, struct char_port *front);

#endif
