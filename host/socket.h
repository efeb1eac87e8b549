/* socket.h - Unix and TCP stream sockets of the host, with messages that say who is in the way. */
#ifndef HOST_SOCKET_H
#define HOST_SOCKET_H

#include <stdbool.h>

#include "error.h"

/* All return a non-blocking, close-on-exec descriptor, or -1 with a message. */

/* A stale socket file is replaced; one that answers is an error. The file gets mode 0600; the caller unlinks
 * it. */
int socket_listen_unix(const char *path, struct error *e);
int socket_connect_unix(const char *path, struct error *e);

/* An empty host means 127.0.0.1; port 0 takes a free one, see socket_local_port(). */
int socket_listen_tcp(const char *host, const char *port, struct error *e);
int socket_connect_tcp(const char *host, const char *port, struct error *e);

unsigned socket_local_port(int fd);

#endif
