/*
 * harness-host-net.c - a guest of a few hundred lines behind the NAT: ARP (RFC 826), DHCP (RFC 2131), UDP and
 * as much of TCP (RFC 9293) as an exchange over a loss-free wire needs, against echo servers on the host's
 * loopback.
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host-rig.h"
#include "net.h"
#include "socket.h"

enum { ETH = 14, IP = 20, UDP = 8, TCP = 20, FRAMES = 32, FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

struct frame {
    uint8_t data[2048];
    size_t len;
};

struct guest {
    struct rig rig;
    struct net_port *port;
    struct frame in[FRAMES];
    unsigned count;
    bool full; /* can_receive() says no */
    uint8_t router[6];
    uint16_t want_port; /* guest port a packet must be for, see got_packet() */
    uint8_t want_proto;
    const uint8_t *found;
};

static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t guest_ip[4] = { 10, 0, 2, 15 }, router_ip[4] = { 10, 0, 2, 2 };

static bool guest_can_receive(void *dev)
{
    return !((struct guest *)dev)->full;
}

static void guest_receive(void *dev, const uint8_t *frame, size_t len)
{
    struct guest *g = dev;

    if (g->count == FRAMES || len > sizeof g->in[0].data)
        return;
    memcpy(g->in[g->count].data, frame, len);
    g->in[g->count++].len = len;
}

static bool parse(const char *text, struct net_user_config *c, struct error *e)
{
    struct keyvals kv;

    if (!keyvals_parse(&kv, "-netdev user", text, NULL, e))
        return false;
    bool ok = net_user_parse(&kv, c, e);
    keyvals_free(&kv);
    return ok;
}

static bool guest_open(struct report *r, struct guest *g, const char *options)
{
    struct net_user_config *c = malloc(sizeof *c);

    memset(g, 0, sizeof *g);
    rig_open(&g->rig, 1.0);
    g->port = parse(options, c, &g->rig.e) ? net_user_open(g->rig.loop, c, &g->rig.e) : NULL;
    free(c);
    if (!expect(r, g->port, "%s", g->rig.e.text)) {
        rig_close(&g->rig);
        return false;
    }
    g->port->dev = g;
    g->port->can_receive = guest_can_receive;
    g->port->receive = guest_receive;
    return true;
}

static void guest_close(struct guest *g)
{
    net_user_close(g->port);
    rig_close(&g->rig);
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static unsigned sum16(uint32_t sum, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)p[i] << (i % 2 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* `l4` is a finished transport header with its payload, checksum field 0 (at `check`). */
static void send_ip(struct guest *g, const uint8_t *src, const uint8_t *dst, unsigned proto,
                    const uint8_t *l4, size_t n, unsigned check)
{
    uint8_t f[ETH + IP + 1600] = { 0 }, *ip = f + ETH, *body = ip + IP;

    memcpy(f, dst[0] == 255 ? everybody : g->router, 6);
    memcpy(f + 6, mac, 6);
    put16(f + 12, 0x0800);
    ip[0] = 0x45;
    put16(ip + 2, (unsigned)(IP + n));
    ip[8] = 64;
    ip[9] = (uint8_t)proto;
    memcpy(ip + 12, src, 4);
    memcpy(ip + 16, dst, 4);
    put16(ip + 10, ~sum16(0, ip, IP) & 0xffff);
    memcpy(body, l4, n);
    put16(body + check, ~sum16(sum16(proto + (uint32_t)n, ip + 12, 8), body, n) & 0xffff);
    g->port->send(g->port, f, ETH + IP + n);
}

static void send_udp(struct guest *g, const uint8_t *src, const uint8_t *dst, unsigned from, unsigned to,
                     const void *data, size_t n)
{
    uint8_t l4[UDP + 1024] = { 0 };

    put16(l4, from);
    put16(l4 + 2, to);
    put16(l4 + 4, (unsigned)(UDP + n));
    memcpy(l4 + UDP, data, n);
    send_ip(g, src, dst, IPPROTO_UDP, l4, UDP + n, 6);
}

static void send_tcp(struct guest *g, unsigned from, unsigned to, uint32_t seq, uint32_t ack, int flags,
                     const char *data)
{
    uint8_t l4[TCP + 256] = { 0 };

    put16(l4, from);
    put16(l4 + 2, to);
    put32(l4 + 4, seq);
    put32(l4 + 8, ack);
    l4[12] = TCP / 4 << 4;
    l4[13] = (uint8_t)flags;
    put16(l4 + 14, 8192);
    memcpy(l4 + TCP, data, strlen(data));
    send_ip(g, guest_ip, router_ip, IPPROTO_TCP, l4, TCP + strlen(data), 16);
}

/* Takes frames until one is an IPv4 packet of the wanted kind; a TCP segment without data, SYN, FIN or RST is
 * no news. */
static bool got_packet(void *arg)
{
    struct guest *g = arg;

    for (unsigned i = 0; i < g->count; i++) {
        const uint8_t *f = g->in[i].data, *l4 = f + ETH + IP;
        if (g->in[i].len < ETH + IP + UDP || get16(f + 12) != 0x0800 || f[ETH + 9] != g->want_proto ||
            get16(l4 + 2) != g->want_port)
            continue;
        if (g->want_proto == IPPROTO_TCP && get16(f + ETH + 2) <= IP + TCP && !(l4[13] & 7))
            continue;
        g->found = l4;
        return true;
    }
    g->count = 0;
    return false;
}

static const uint8_t *packet(struct guest *g, unsigned proto, unsigned port)
{
    g->want_proto = (uint8_t)proto;
    g->want_port = (uint16_t)port;
    return rig_until(&g->rig, got_packet, g) ? g->found : NULL;
}

static bool got_arp_reply(void *arg)
{
    struct guest *g = arg;

    for (unsigned i = 0; i < g->count; i++)
        if (get16(g->in[i].data + 12) == 0x0806 && get16(g->in[i].data + 20) == 2) {
            memcpy(g->router, g->in[i].data + 22, 6);
            return true;
        }
    return false;
}

static void make_arp(uint8_t f[ETH + 28])
{
    memcpy(f, everybody, 6);
    memcpy(f + 6, mac, 6);
    memcpy(f + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
    memcpy(f + 22, mac, 6);
    memcpy(f + 28, guest_ip, 4);
    memset(f + 32, 0, 6);
    memcpy(f + 38, router_ip, 4);
}

/* Also teaches the other side our address, without which it holds packets back. */
static bool arp(struct guest *g)
{
    uint8_t f[ETH + 28];

    make_arp(f);
    g->count = 0;
    g->port->send(g->port, f, sizeof f);
    bool ok = g->count == 0 && rig_until(&g->rig, got_arp_reply, g); /* never from inside send() */
    g->count = 0;
    return ok;
}

static void dhcp_offers_the_usual_address(struct report *r)
{
    struct guest g;
    uint8_t d[300] = { 1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78 };
    static const uint8_t nowhere[4] = { 0 };

    if (!guest_open(r, &g, "id=n0,ipv6=off"))
        return;
    memcpy(d + 28, mac, 6);
    memcpy(d + 236, "\x63\x82\x53\x63\x35\x01\x01\xff", 8); /* cookie, DISCOVER, end */
    send_udp(&g, nowhere, everybody, 68, 67, d, sizeof d);
    const uint8_t *u = packet(&g, IPPROTO_UDP, 68);
    if (expect(r, u, "no answer to DISCOVER")) {
        const uint8_t *o = u + UDP;
        expect(r, o[0] == 2 && !memcmp(o + 4, d + 4, 4), "not a reply to us");
        expect(r, !memcmp(o + 16, guest_ip, 4), "offered %u.%u.%u.%u", o[16], o[17], o[18], o[19]);
        expect(r, !memcmp(o + 240, "\x35\x01\x02", 3), "not an OFFER");
    }
    guest_close(&g);
}

static int udp_server(unsigned *port)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof sa) < 0)
        return -1;
    *port = socket_local_port(fd);
    return fd;
}

static void udp_reaches_the_host_and_comes_back(struct report *r)
{
    struct guest g;
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    char buf[64] = "";
    unsigned port = 0;
    int fd = udp_server(&port);

    if (!guest_open(r, &g, "id=n0"))
        return;
    expect(r, fd >= 0 && arp(&g), "no answer to ARP, or one from inside send()");
    send_udp(&g, guest_ip, router_ip, 5000, port, "ping over udp", 13);
    expect(r,
           recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&peer, &len) == 13 &&
               !memcmp(buf, "ping over udp", 13),
           "the host got '%s'", buf);
    expect(r, sendto(fd, "pong", 4, 0, (struct sockaddr *)&peer, len) == 4, "sendto");
    const uint8_t *u = packet(&g, IPPROTO_UDP, 5000);
    expect(r, u && get16(u + 4) == UDP + 4 && !memcmp(u + UDP, "pong", 4), "no answer in the guest");
    guest_close(&g);
    close(fd);
}

static void tcp_connects_to_the_host(struct report *r)
{
    struct guest g;
    struct error e;
    char buf[64] = "";
    int listener = socket_listen_tcp("127.0.0.1", "0", &e), fd = -1;
    unsigned port = socket_local_port(listener);

    if (!guest_open(r, &g, "id=n0,hostname=lyre"))
        return;
    expect(r, arp(&g), "no answer to ARP");
    send_tcp(&g, 6000, port, 1000, 0, SYN, "");
    const uint8_t *t = packet(&g, IPPROTO_TCP, 6000);
    if (expect(r, t && t[13] == (SYN | ACK) && get32(t + 8) == 1001, "no SYN+ACK")) {
        uint32_t seq = get32(t + 4) + 1;
        g.count = 0;
        send_tcp(&g, 6000, port, 1001, seq, ACK, "");
        send_tcp(&g, 6000, port, 1001, seq, ACK | PSH, "hello");
        rig_settle(&g.rig);
        fd = accept(listener, NULL, NULL);
        expect(r, fd >= 0 && read(fd, buf, sizeof buf) == 5 && !memcmp(buf, "hello", 5), "the host got '%s'",
               buf);
        expect(r, write(fd, "world", 5) == 5, "write");
        t = packet(&g, IPPROTO_TCP, 6000);
        expect(r, t && get32(t + 4) == seq && !memcmp(t + (t[12] >> 4) * 4, "world", 5),
               "no data in the guest");
    }
    if (fd >= 0)
        close(fd);
    close(listener);
    guest_close(&g);
}

static void forward_takes_a_free_port_and_reaches_the_guest(struct report *r)
{
    struct guest g;
    char text[64], port_text[16];
    unsigned port = 0;

    if (!guest_open(r, &g, "id=n0,restrict=on"))
        return;
    expect(r, arp(&g), "no answer to ARP");
    expect(r, net_user_hostfwd_add(g.port, "tcp:127.0.0.1:0-:22", &port, &g.rig.e) && port, "%s",
           g.rig.e.text);
    snprintf(port_text, sizeof port_text, "%u", port);
    int fd = socket_connect_tcp("127.0.0.1", port_text, &g.rig.e);
    const uint8_t *t = fd >= 0 ? packet(&g, IPPROTO_TCP, 22) : NULL;
    expect(r, t && t[13] == SYN, "the connection did not reach the guest's port 22");
    snprintf(text, sizeof text, "tcp:127.0.0.1:%u-:23", port);
    expect(r, !net_user_hostfwd_add(g.port, text, NULL, &g.rig.e), "the port was taken twice");
    expect(r, strstr(g.rig.e.text, "in use by this process") != NULL, "message: %s", g.rig.e.text);
    char *info = net_user_info(g.port);
    snprintf(text, sizeof text, "%u", port);
    expect(r, strstr(info, text) != NULL, "info: %s", info);
    free(info);
    snprintf(text, sizeof text, "tcp:127.0.0.1:%u", port);
    expect(r, net_user_hostfwd_remove(g.port, text, &g.rig.e), "%s", g.rig.e.text);
    expect(r, !net_user_hostfwd_remove(g.port, text, &g.rig.e), "removed twice");
    if (fd >= 0)
        close(fd);
    guest_close(&g);
}

/* Frames that are too short or too long never reach libslirp; random ones do, and must do no harm. */
static void bad_frames_do_no_harm(struct report *r)
{
    struct guest g;
    uint8_t *f = calloc(1, NET_FRAME_MAX + 100);
    uint64_t x = 88172645463325252u;

    if (!guest_open(r, &g, "id=n0"))
        return;
    g.port->send(g.port, f, 0);
    g.port->send(g.port, f, 13);
    make_arp(f); /* which would be answered */
    g.port->send(g.port, f, NET_FRAME_MAX + 1);
    rig_settle(&g.rig);
    expect(r, g.count == 0, "a frame beyond the limit was answered");
    for (int i = 0; i < 2000; i++) {
        for (int k = 0; k < 96; k++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            f[k] = (uint8_t)(x >> 24);
        }
        put16(f + 12, i % 3 == 0 ? 0x0806 : i % 3 == 1 ? 0x0800 : 0x86dd);
        if (i % 3 == 1)
            memcpy(f + ETH, "\x45\x00\x00\x3c", 4);
        f[ETH + 16] = 127; /* whatever it is, it stays on this host */
        g.port->send(g.port, f, ETH + x % 82);
    }
    rig_settle(&g.rig);
    expect(r, arp(&g), "no answer to ARP afterwards");
    free(f);
    guest_close(&g);
}

static void full_guest_gets_its_frames_later(struct report *r)
{
    struct guest g;

    if (!guest_open(r, &g, "id=n0,ipv6=off"))
        return;
    g.full = true;
    struct rig *rig = &g.rig;
    uint8_t f[ETH + 28];
    make_arp(f);
    g.port->send(g.port, f, sizeof f);
    rig_settle(rig);
    expect(r, g.count == 0, "a frame came although there was no room");
    g.full = false;
    g.port->poke(g.port);
    expect(r, rig_until(rig, got_arp_reply, &g), "the frame was lost");
    guest_close(&g);
}

static void idle_network_does_not_wake_the_loop(struct report *r)
{
    struct guest g;

    if (!guest_open(r, &g, "id=n0,ipv6=off"))
        return;
    expect(r, arp(&g), "no answer to ARP");
    rig_settle(&g.rig);
    uint64_t start = host_now();
    loop_run_once(g.rig.loop, 50000000);
    expect(r, host_now() - start >= 50000000, "woken after %llu us",
           (unsigned long long)(host_now() - start) / 1000);
    guest_close(&g);
}

static const struct {
    const char *text;
    const char *message; /* NULL: accepted */
} net_cases[] = {
    { "id=n0", NULL },
    { "id=n0,net=192.168.76.0/24,dhcpstart=192.168.76.9,host=192.168.76.2,dns=192.168.76.3", NULL },
    { "net=10.1.0.0/255.255.0.0,tftp=/srv,bootfile=pxe.0,domainname=a.b", NULL },
    { "ipv6-net=fd00::/64,ipv6-host=fd00::2,ipv6=on,ipv4=off", NULL },
    { "hostfwd=tcp::2222-:22,hostfwd=udp:127.0.0.1:53-10.0.2.15:53", NULL },
    { "net=10.0.3.0/24,host=10.0.2.2", "outside of net=" },
    { "net=10.0.3.0/99", "the length after '/'" },
    { "dns=10.0.2.300", "not an IPv4 address" },
    { "host=10.0.2.3", "must differ" },
    { "colour=red", "no property 'colour'" },
};

static const char *const bad_rules[] = {
    "tcp:2222", "tcp::2222-22", "tcp::99999-:22", "sctp::1-:1", "tcp:x:1-:1", "tcp::1-:0", ""
};

static void options_are_understood(struct report *r)
{
    struct net_user_config *c = malloc(sizeof *c);
    struct error e;
    struct guest g;

    for (size_t i = 0; i < sizeof net_cases / sizeof net_cases[0]; i++) {
        bool ok = parse(net_cases[i].text, c, &e);
        expect(r, ok == !net_cases[i].message, "'%s': %s", net_cases[i].text, ok ? "accepted" : e.text);
        expect(r, ok || !net_cases[i].message || strstr(e.text, net_cases[i].message), "'%s': message %s",
               net_cases[i].text, e.text);
    }
    expect(r,
           parse("net=192.168.7.0/24", c, &e) && ntohl(c->host.s_addr) == 0xc0a80702 &&
               ntohl(c->dns.s_addr) == 0xc0a80703 && ntohl(c->dhcp_start.s_addr) == 0xc0a8070f,
           "addresses follow net=");
    free(c);
    if (!guest_open(r, &g, ""))
        return;
    for (size_t i = 0; i < sizeof bad_rules / sizeof bad_rules[0]; i++)
        expect(r, !net_user_hostfwd_add(g.port, bad_rules[i], NULL, &e) && strstr(e.text, "HOSTADDR"),
               "rule '%s'", bad_rules[i]);
    guest_close(&g);
}

const struct scenario net_scenarios[] = {
    { "dhcp_offers_the_usual_address", dhcp_offers_the_usual_address },
    { "udp_reaches_the_host_and_comes_back", udp_reaches_the_host_and_comes_back },
    { "tcp_connects_to_the_host", tcp_connects_to_the_host },
    { "forward_takes_a_free_port_and_reaches_the_guest", forward_takes_a_free_port_and_reaches_the_guest },
    { "bad_frames_do_no_harm", bad_frames_do_no_harm },
    { "full_guest_gets_its_frames_later", full_guest_gets_its_frames_later },
    { "idle_network_does_not_wake_the_loop", idle_network_does_not_wake_the_loop },
    { "options_are_understood", options_are_understood },
    { NULL, NULL },
};
