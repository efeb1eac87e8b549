/* nets.h - networks of the command line: -netdev, -nic, -net. */
#ifndef MACHINE_NETS_H
#define MACHINE_NETS_H

#include <stdint.h>

#include "control.h"
#include "error.h"
#include "ports.h"

struct machine;
struct nets;

/* Opens every network; without any option, one user-mode network with a NIC. NULL with a message. */
struct nets *nets_new(struct machine *m, struct error *e);
void nets_free(struct nets *n);

/* The next network that wants a NIC made for it, or NULL. */
struct net_port *nets_next(struct nets *n);

/* The network of this id for a -device; mac may be NULL for the next free one. NULL with a message. */
struct net_port *nets_take(struct nets *n, const char *id, const char *mac, struct error *e);

/* The n-th network, and a text about its connections that the caller frees; false, NULL when there is none. */
bool nets_tell(struct nets *n, unsigned i, struct control_net *out);
char *nets_connections(struct nets *n, unsigned i);

/* See core/control.h. `id` is the network's or its device's. */
bool nets_set_link(struct nets *n, const char *id, bool up);
bool nets_forward(struct nets *n, const char *id, const char *rule, unsigned *port, struct error *e);
bool nets_unforward(struct nets *n, const char *id, const char *rule, struct error *e);

#endif
