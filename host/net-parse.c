/* net-parse.c - the options of -netdev user, spelled as in QEMU's manual page; refused: smb=, poll=,
 * ipv6-*dns lists. */
#include "net.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyval.h"

enum value_type { TEXT, BOOL, ADDRESS, ADDRESS6, NET, NET6, FORWARD, GUEST_FORWARD };

#define FIELD(name, type, member) { name, type, offsetof(struct net_user_config, member), \
                                    sizeof(((struct net_user_config *)0)->member) }

static const struct option {
    const char *name;
    enum value_type type;
    size_t offset;
    size_t size;
} options[] = {
    FIELD("id", TEXT, id),
    FIELD("ipv4", BOOL, ipv4),
    FIELD("ipv6", BOOL, ipv6),
    FIELD("restrict", BOOL, restricted),
    FIELD("net", NET, net),
    FIELD("ipv6-net", NET6, net6),
    FIELD("host", ADDRESS, host),
    FIELD("dns", ADDRESS, dns),
    FIELD("dhcpstart", ADDRESS, dhcp_start),
    FIELD("ipv6-host", ADDRESS6, host6),
    FIELD("ipv6-dns", ADDRESS6, dns6),
    FIELD("hostname", TEXT, hostname),
    FIELD("domainname", TEXT, domain),
    FIELD("tftp", TEXT, tftp),
    FIELD("tftp-server-name", TEXT, tftp_server),
    FIELD("bootfile", TEXT, bootfile),
    FIELD("hostfwd", FORWARD, forward),
    FIELD("guestfwd", GUEST_FORWARD, guest_forward),
};

static bool bad_address(const struct keyval *kv, const char *what, struct error *e)
{
    return error_set(e, "%s=%s: not an %s", kv->key, kv->value, what);
}

static bool split_length(struct keyval *kv, unsigned max, unsigned *length, struct error *e)
{
    char *slash = strchr(kv->value, '/'), *end;

    if (!slash)
        return true;
    *slash = 0;
    unsigned long n = strtoul(slash + 1, &end, 10);
    if (end == slash + 1 || *end || n > max)
        return error_set(e, "%s=%s/%s: the length after '/' is 0 to %u", kv->key, kv->value, slash + 1, max);
    *length = (unsigned)n;
    return true;
}

/* The host, DNS and DHCP addresses follow the network unless they were given. */
static bool set_net(struct net_user_config *c, struct keyval *kv, struct error *e)
{
    char *slash = strchr(kv->value, '/');
    unsigned length = 24;
    struct in_addr mask;

    if (slash && strchr(slash, '.')) {
        *slash = 0;
        if (inet_pton(AF_INET, slash + 1, &mask) != 1)
            return bad_address(kv, "IPv4 network with mask", e);
    } else {
        if (!split_length(kv, 30, &length, e))
            return false;
        mask.s_addr = length ? htonl(UINT32_MAX << (32 - length)) : 0;
    }
    if (inet_pton(AF_INET, kv->value, &c->net) != 1)
        return bad_address(kv, "IPv4 network", e);
    c->mask = mask;
    c->net.s_addr &= mask.s_addr;
    return true;
}

static bool add_text(char *list, size_t size, unsigned *count, const struct keyval *kv, struct error *e)
{
    if (*count == NET_FORWARDS_MAX)
        return error_set(e, "%s: there are more than %d", kv->key, NET_FORWARDS_MAX);
    return keyval_copy(kv, list + size * (*count)++, size, e);
}

static bool set_option(struct net_user_config *c, const struct option *o, struct keyval *kv, struct error *e)
{
    char *field = (char *)c + o->offset;

    switch (o->type) {
    case TEXT:
        return keyval_copy(kv, field, o->size, e);
    case BOOL:
        return keyval_bool(kv, (bool *)field, e);
    case ADDRESS:
        return inet_pton(AF_INET, kv->value, field) == 1 || bad_address(kv, "IPv4 address", e);
    case ADDRESS6:
        return inet_pton(AF_INET6, kv->value, field) == 1 || bad_address(kv, "IPv6 address", e);
    case NET:
        return set_net(c, kv, e);
    case NET6:
        return split_length(kv, 126, &c->prefix6, e) &&
               (inet_pton(AF_INET6, kv->value, field) == 1 || bad_address(kv, "IPv6 network", e));
    case FORWARD:
        return add_text(c->forward[0], sizeof c->forward[0], &c->forwards, kv, e);
    case GUEST_FORWARD:
        return add_text(c->guest_forward[0], sizeof c->guest_forward[0], &c->guest_forwards, kv, e);
    }
    return false;
}

static bool outside(const struct net_user_config *c, struct in_addr a)
{
    return (a.s_addr & c->mask.s_addr) != c->net.s_addr;
}

static bool fill_in(struct net_user_config *c, struct error *e)
{
    struct {
        struct in_addr *address;
        uint32_t number;
        const char *name;
    } parts[] = { { &c->host, 2, "host" }, { &c->dns, 3, "dns" }, { &c->dhcp_start, 15, "dhcpstart" } };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (!parts[i].address->s_addr)
            parts[i].address->s_addr = c->net.s_addr | (htonl(parts[i].number) & ~c->mask.s_addr);
        if (outside(c, *parts[i].address))
            return error_set(e, "-netdev user: %s= is outside of net=", parts[i].name);
    }
    if (c->host.s_addr == c->dns.s_addr)
        return error_set(e, "-netdev user: host= and dns= must differ");
    struct in6_addr *six[] = { &c->host6, &c->dns6 };
    for (int i = 0; i < 2; i++)
        if (IN6_IS_ADDR_UNSPECIFIED(six[i])) {
            *six[i] = c->net6;
            six[i]->s6_addr[15] |= (uint8_t)(2 + i);
        }
    return true;
}

bool net_user_parse(const char *text, struct net_user_config *config, struct error *e)
{
    const size_t count = sizeof options / sizeof options[0];
    struct keyval kv;

    memset(config, 0, sizeof *config);
    config->ipv4 = config->ipv6 = true;
    config->prefix6 = 64;
    config->net.s_addr = htonl(0x0a000200);
    config->mask.s_addr = htonl(0xffffff00);
    inet_pton(AF_INET6, "fec0::", &config->net6);
    while (*text) {
        size_t i = 0;
        if (!keyval_next(&text, &kv, e))
            return false;
        while (i < count && strcmp(kv.key, options[i].name) != 0)
            i++;
        if (i == count)
            return error_set(e, "-netdev user: unknown option '%s'", kv.key);
        if (!set_option(config, &options[i], &kv, e))
            return error_prefix(e, "-netdev user");
    }
    return fill_in(config, e);
}
