/*
 * net-user-slirp.c - user-mode networking on libslirp >= 4.7 (its API: libslirp.h, SlirpConfig version 4).
 *
 * libslirp calls send_packet() from inside slirp_input(), that is from inside a device's send; such frames
 * are queued and given to the device before the loop's next sleep. Its timers run on guest time. Frame
 * lengths are checked here before libslirp sees them.
 *
 * Gaps: guestfwd= only to a command (cmd:), no smb, no state in snapshots.
 */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "holder.h"
#include "socket.h"

enum { FRAME_MIN = 14, QUEUE_FRAMES = 512, MS = 1000000 };

struct frame {
    struct frame *next;
    size_t len;
    uint8_t data[];
};

struct slirp_timer {
    struct timer timer;
    struct net_user *net;
    SlirpTimerId id;
    void *opaque;
};

struct net_user {
    struct net_port port; /* first */
    struct slirp_timer timers[SLIRP_TIMER_NUM]; /* libslirp has one of each */
    struct loop *loop;
    struct clock *clock;
    Slirp *slirp;
    struct loop_hook hook;
    struct loop_poll *poll; /* during a call from the loop */
    struct timer wake;      /* when libslirp wants to be polled again */
    struct frame *first, **end;
    unsigned queued;
    struct net_user_config config;
};

/* ---- frames ---- */

static ssize_t to_guest(const void *buf, size_t len, void *opaque)
{
    struct net_user *n = opaque;

    if (n->queued == QUEUE_FRAMES || len > NET_FRAME_MAX || !n->port.receive)
        return (ssize_t)len; /* dropped: TCP sends it again */
    struct frame *f = alloc_try(1, sizeof *f + len);
    if (!f)
        return (ssize_t)len;
    f->next = NULL;
    f->len = len;
    memcpy(f->data, buf, len);
    *n->end = f;
    n->end = &f->next;
    n->queued++;
    loop_wake(n->loop);
    return (ssize_t)len;
}

static void drop_first(struct net_user *n)
{
    struct frame *f = n->first;

    n->first = f->next;
    if (!n->first)
        n->end = &n->first;
    n->queued--;
    free(f);
}

static void deliver(struct net_user *n)
{
    while (n->first && n->port.receive && n->port.can_receive(n->port.dev)) {
        n->port.receive(n->port.dev, n->first->data, n->first->len);
        drop_first(n);
    }
}

static void port_send(struct net_port *port, const uint8_t *frame, size_t len)
{
    struct net_user *n = (struct net_user *)port;

    if (len < FRAME_MIN || len > NET_FRAME_MAX)
        return;
    slirp_input(n->slirp, frame, (int)len);
    loop_wake(n->loop); /* its descriptors and time-outs changed */
}

static void port_poke(struct net_port *port)
{
    loop_wake(((struct net_user *)port)->loop);
}

/* ---- what libslirp asks for ---- */

static void guest_error(const char *msg, void *opaque)
{
}

static int64_t clock_get_ns(void *opaque)
{
    return (int64_t)clock_now(((struct net_user *)opaque)->clock);
}

static void slirp_timer_fired(void *owner)
{
    struct slirp_timer *t = owner;

    slirp_handle_timer(t->net->slirp, t->id, t->opaque);
}

static void *timer_new_opaque(SlirpTimerId id, void *cb_opaque, void *opaque)
{
    struct net_user *n = opaque;
    struct slirp_timer *t = &n->timers[id];

    t->net = n;
    t->id = id;
    t->opaque = cb_opaque;
    timer_init(&t->timer, n->clock, slirp_timer_fired, t);
    return t;
}

static void timer_free(void *timer, void *opaque)
{
    struct slirp_timer *t = timer;

    timer_arm(&t->timer, CLOCK_NEVER);
}

static void timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
    struct slirp_timer *t = timer;

    timer_arm(&t->timer, expire_ms > 0 ? (uint64_t)expire_ms * MS : 0);
}

static void register_poll_fd(int fd, void *opaque)
{
}

static void notify(void *opaque)
{
    loop_wake(((struct net_user *)opaque)->loop);
}

static const SlirpCb callbacks = {
    .send_packet = to_guest,
    .guest_error = guest_error,
    .clock_get_ns = clock_get_ns,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = register_poll_fd,
    .unregister_poll_fd = register_poll_fd,
    .notify = notify,
    .timer_new_opaque = timer_new_opaque,
};

/* ---- polling ---- */

static const struct {
    int slirp;
    int loop;
} event_bits[] = { { SLIRP_POLL_IN, LOOP_IN }, { SLIRP_POLL_OUT, LOOP_OUT }, { SLIRP_POLL_PRI, LOOP_PRI },
                   { SLIRP_POLL_ERR, LOOP_HUP }, { SLIRP_POLL_HUP, LOOP_HUP } };

static int add_poll(int fd, int events, void *opaque)
{
    struct net_user *n = opaque;
    int mine = 0;

    for (size_t i = 0; i < 3; i++)
        if (events & event_bits[i].slirp)
            mine |= event_bits[i].loop;
    return loop_poll_add(n->poll, fd, mine);
}

static int get_revents(int index, void *opaque)
{
    struct net_user *n = opaque;
    int mine = loop_poll_ready(n->poll, index);
    int events = 0;

    for (size_t i = 0; i < sizeof event_bits / sizeof event_bits[0]; i++)
        if (mine & event_bits[i].loop)
            events |= event_bits[i].slirp;
    return events;
}

static void prepare(void *owner, struct loop_poll *poll)
{
    struct net_user *n = owner;
    uint32_t timeout = UINT32_MAX;

    deliver(n);
    n->poll = poll;
    slirp_pollfds_fill(n->slirp, &timeout, add_poll, n);
    timer_arm(&n->wake, timeout == UINT32_MAX ? CLOCK_NEVER : clock_now(n->clock) + (uint64_t)timeout * MS);
}

static void dispatch(void *owner, struct loop_poll *poll)
{
    struct net_user *n = owner;

    n->poll = poll;
    slirp_pollfds_poll(n->slirp, 0, get_revents, n);
}

/* The wake-up is all: dispatch() follows in the same round. */
static void wake_fired(void *owner)
{
}

/* ---- forwards ---- */

struct rule {
    bool udp;
    struct in_addr host, guest;
    unsigned host_port, guest_port;
};

/* "[ADDR]:PORT", up to `stop`. */
static bool parse_side(const char **text, char stop, struct in_addr *address, unsigned *port)
{
    const char *colon = strchr(*text, ':');
    char ip[INET_ADDRSTRLEN], *end;

    if (!colon || (size_t)(colon - *text) >= sizeof ip)
        return false;
    memcpy(ip, *text, (size_t)(colon - *text));
    ip[colon - *text] = 0;
    if (ip[0] && inet_pton(AF_INET, ip, address) != 1)
        return false;
    unsigned long n = strtoul(colon + 1, &end, 10);
    if (end == colon + 1 || *end != stop || n > 65535)
        return false;
    *port = (unsigned)n;
    *text = end + (stop != 0);
    return true;
}

static bool parse_protocol(const char **text, bool *udp)
{
    *udp = !strncmp(*text, "udp:", 4);
    if (*udp || !strncmp(*text, "tcp:", 4)) {
        *text += 4;
        return true;
    }
    if (**text != ':')
        return false;
    *text += 1; /* ":2222-:22" is TCP */
    return true;
}

static bool parse_rule(const struct net_user *n, const char *text, struct rule *r, struct error *e)
{
    const char *p = text;

    *r = (struct rule){ .guest = n->config.dhcp_start };
    r->host.s_addr = htonl(INADDR_ANY);
    if (parse_protocol(&p, &r->udp) && parse_side(&p, '-', &r->host, &r->host_port) &&
        parse_side(&p, 0, &r->guest, &r->guest_port) && r->guest_port)
        return true;
    return error_set(
        e,
        "hostfwd=%s: write tcp:HOSTADDR:PORT-GUESTADDR:PORT (or udp:), where the addresses may be empty "
        "and a host port of 0 takes a free one",
        text);
}

/* libslirp does not tell which port it got, so a free one is found first. */
static unsigned free_port(const struct rule *r)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = r->host };
    int fd = socket(AF_INET, (r->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    unsigned port = fd >= 0 && bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0 ? socket_local_port(fd) : 0;

    if (fd >= 0)
        close(fd);
    return port;
}

static bool forward_failed(const struct rule *r, const char *text, int why, struct error *e)
{
    char holder[96];

    if (why != EADDRINUSE)
        return error_set(e, "hostfwd=%s: cannot listen on port %u: %s", text, r->host_port, strerror(why));
    holder_of_port(r->udp, r->host_port, holder, sizeof holder);
    return error_set(e, "hostfwd=%s: %s port %u is in use by %s; choose another, or 0 for a free one", text,
                     r->udp ? "UDP" : "TCP", r->host_port, holder);
}

bool net_user_hostfwd_add(struct net_port *port, const char *text, unsigned *host_port, struct error *e)
{
    struct net_user *n = (struct net_user *)port;
    struct rule r;
    int tries = 0, rc;

    if (!parse_rule(n, text, &r, e))
        return false;
    bool any = !r.host_port;
    do {
        if (any)
            r.host_port = free_port(&r);
        rc = slirp_add_hostfwd(n->slirp, r.udp, r.host, (int)r.host_port, r.guest, (int)r.guest_port);
    } while (rc < 0 && any && errno == EADDRINUSE && ++tries < 10);
    if (rc < 0)
        return forward_failed(&r, text, errno, e);
    if (host_port)
        *host_port = r.host_port;
    if (any)
        fprintf(stderr, "lyrebird: forwarding %s:%u -> :%u\n",
                r.host.s_addr ? inet_ntoa(r.host) : "127.0.0.1", r.host_port, r.guest_port);
    loop_wake(n->loop);
    return true;
}

bool net_user_hostfwd_remove(struct net_port *port, const char *text, struct error *e)
{
    struct net_user *n = (struct net_user *)port;
    struct rule r = { .host.s_addr = htonl(INADDR_ANY) };
    const char *p = text;

    if (!parse_protocol(&p, &r.udp) || !parse_side(&p, 0, &r.host, &r.host_port))
        return error_set(e, "hostfwd_remove %s: write tcp:HOSTADDR:PORT or udp:HOSTADDR:PORT", text);
    if (slirp_remove_hostfwd(n->slirp, r.udp, r.host, (int)r.host_port) < 0)
        return error_set(e, "hostfwd_remove %s: there is no such forward", text);
    loop_wake(n->loop);
    return true;
}

static bool add_guest_forward(struct net_user *n, const char *text, struct error *e)
{
    struct in_addr address = { 0 };
    unsigned port;
    const char *p = text;
    bool udp;

    if (!parse_protocol(&p, &udp) || udp || !parse_side(&p, '-', &address, &port) ||
        strncmp(p, "cmd:", 4) != 0)
        return error_set(e, "guestfwd=%s: write tcp:GUESTADDR:PORT-cmd:COMMAND", text);
    if (slirp_add_exec(n->slirp, p + 4, &address, (int)port) < 0)
        return error_set(e, "guestfwd=%s: the address is in use, or outside of net=", text);
    return true;
}

char *net_user_info(struct net_port *port)
{
    /* From g_strdup(), which since GLib 2.46 is malloc()'s memory. */
    return slirp_connection_info(((struct net_user *)port)->slirp);
}

/* ---- opening and closing ---- */

static const char *or_null(const char *s)
{
    return s[0] ? s : NULL;
}

static Slirp *start_slirp(struct net_user *n)
{
    const struct net_user_config *c = &n->config;
    SlirpConfig config = {
        .version = 4,
        .restricted = c->restricted,
        .in_enabled = c->ipv4,
        .vnetwork = c->net,
        .vnetmask = c->mask,
        .vhost = c->host,
        .in6_enabled = c->ipv6,
        .vprefix_addr6 = c->net6,
        .vprefix_len = (uint8_t)c->prefix6,
        .vhost6 = c->host6,
        .vhostname = or_null(c->hostname),
        .tftp_server_name = or_null(c->tftp_server),
        .tftp_path = or_null(c->tftp),
        .bootfile = or_null(c->bootfile),
        .vdhcp_start = c->dhcp_start,
        .vnameserver = c->dns,
        .vnameserver6 = c->dns6,
        .vdomainname = or_null(c->domain),
    };

    return slirp_new(&config, &callbacks, n);
}

static bool add_forwards(struct net_user *n, struct error *e)
{
    for (unsigned i = 0; i < n->config.forwards; i++)
        if (!net_user_hostfwd_add(&n->port, n->config.forward[i], NULL, e))
            return false;
    for (unsigned i = 0; i < n->config.guest_forwards; i++)
        if (!add_guest_forward(n, n->config.guest_forward[i], e))
            return false;
    return true;
}

struct net_port *net_user_open(struct loop *loop, const struct net_user_config *config, struct error *e)
{
    static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
    struct net_user *n = alloc_zeroed(sizeof *n);

    n->port.send = port_send;
    n->port.poke = port_poke;
    memcpy(n->port.mac, mac, sizeof mac);
    n->loop = loop;
    n->clock = loop_clock(loop);
    n->end = &n->first;
    n->config = *config;
    timer_init(&n->wake, n->clock, wake_fired, n);
    n->hook = (struct loop_hook){ .prepare = prepare, .dispatch = dispatch, .owner = n };
    loop_hook_add(loop, &n->hook);
    n->slirp = start_slirp(n);
    if (n->slirp && add_forwards(n, e))
        return &n->port;
    if (!n->slirp)
        error_set(e, "-netdev user: libslirp refused its settings");
    net_user_close(&n->port);
    return NULL;
}

void net_user_close(struct net_port *port)
{
    struct net_user *n = (struct net_user *)port;

    if (!n)
        return;
    loop_hook_remove(n->loop, &n->hook);
    timer_arm(&n->wake, CLOCK_NEVER);
    if (n->slirp)
        slirp_cleanup(n->slirp);
    while (n->first)
        drop_first(n);
    free(n);
}
