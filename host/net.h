/*
 * net.h - the host ends of network ports: user-mode networking (NAT).
 *
 * net-user-slirp.c is on libslirp; where configure does not find it, net-user-none.c has the same functions
 * and says so.
 */
#ifndef HOST_NET_H
#define HOST_NET_H

#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>

#include "error.h"
#include "keyvals.h"
#include "loop.h"
#include "ports.h"

enum { NET_FORWARDS_MAX = 64 };

struct net_user_config {
    char id[64];
    bool ipv4, ipv6;
    bool restricted; /* the guest reaches only the forwards */
    struct in_addr net, mask, host, dns, dhcp_start; /* network byte order */
    struct in6_addr net6, host6, dns6;
    unsigned prefix6;
    char hostname[256], domain[256];
    char tftp[PATH_MAX], tftp_server[256], bootfile[256];
    unsigned forwards;
    char forward[NET_FORWARDS_MAX][128];      /* "tcp:127.0.0.1:2222-10.0.2.15:22" */
    unsigned guest_forwards;
    char guest_forward[NET_FORWARDS_MAX][512]; /* "tcp:10.0.2.100:80-cmd:program" */
};

/* The keys of -netdev user: "id=n0,hostfwd=tcp::0-:22,restrict=on". Those that are not its own ("type") are marked as
 * used by the caller before. */
bool net_user_parse(struct keyvals *kv, struct net_user_config *config, struct error *e);

/* NULL with a message on failure. Forwards from host port 0 print the port they got on standard error. */
struct net_port *net_user_open(struct loop *loop, const struct net_user_config *config, struct error *e);
void net_user_close(struct net_port *port);

/* Adds "tcp:HOSTADDR:PORT-GUESTADDR:PORT" while the machine runs. *host_port, if not NULL, gets the port. */
bool net_user_hostfwd_add(struct net_port *port, const char *rule, unsigned *host_port, struct error *e);

/* Removes by the host side, "tcp:HOSTADDR:PORT" or "tcp::PORT". */
bool net_user_hostfwd_remove(struct net_port *port, const char *rule, struct error *e);

/* A text of the connections for the monitor's `info usernet`; the caller frees it. */
char *net_user_info(struct net_port *port);

#endif
