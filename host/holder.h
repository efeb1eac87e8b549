/* holder.h - who on this host has a port or a file, for messages that name the process in the way. */
#ifndef HOST_HOLDER_H
#define HOST_HOLDER_H

#include <stdbool.h>
#include <stddef.h>

/* "process 1234 (sshd)", or "another process" when it cannot be found (it belongs to another user). */
void holder_of_port(bool udp, unsigned port, char *text, size_t size);

/* The process that has a lock on the file which `fd` has open, other than through `fd` itself. */
void holder_of_lock(int fd, char *text, size_t size);

#endif
