/* net-parse.c - the options of -netdev user, spelled as in QEMU's manual page. Refused: smb=, poll=, lists of DNS. */
#include "net.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

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

static bool bad_address(const struct keyvals *kv, const char *key, const char *what, struct error *e)
{
    return keyvals_error(kv, key, e, "%s= is not an %s", key, what);
}

/* Copies the address in front of a '/' and reads the length behind it. */
static bool split_length(const struct keyvals *kv, const char *key, const char *value, char *address, size_t size,
                         unsigned max, unsigned *length, struct error *e)
{
    size_t n = strcspn(value, "/");
    uint64_t bits;

    if (n >= size)
        return bad_address(kv, key, "address", e);
    memcpy(address, value, n);
    address[n] = 0;
    if (!value[n])
        return true;
    if (!parse_u64(value + n + 1, &bits) || bits > max)
        return keyvals_error(kv, key, e, "%s=: the length after '/' is 0 to %u", key, max);
    *length = (unsigned)bits;
    return true;
}

/* ADDRESS, ADDRESS/LENGTH or ADDRESS/MASK. */
static bool set_net(struct net_user_config *c, const struct keyvals *kv, const char *value, struct error *e)
{
    const char *slash = strchr(value, '/');
    char address[INET_ADDRSTRLEN];
    unsigned length = 24;
    struct in_addr mask;

    if (slash && strchr(slash, '.')) {
        if (inet_pton(AF_INET, slash + 1, &mask) != 1 || slash - value >= (ptrdiff_t)sizeof address)
            return bad_address(kv, "net", "IPv4 network with mask", e);
        memcpy(address, value, (size_t)(slash - value));
        address[slash - value] = 0;
    } else {
        if (!split_length(kv, "net", value, address, sizeof address, 30, &length, e))
            return false;
        mask.s_addr = length ? htonl(UINT32_MAX << (32 - length)) : 0;
    }
    if (inet_pton(AF_INET, address, &c->net) != 1)
        return bad_address(kv, "net", "IPv4 network", e);
    c->mask = mask;
    c->net.s_addr &= mask.s_addr;
    return true;
}

static bool set_net6(struct net_user_config *c, const struct keyvals *kv, const char *value, struct error *e)
{
    char address[INET6_ADDRSTRLEN];

    return split_length(kv, "ipv6-net", value, address, sizeof address, 126, &c->prefix6, e) &&
           (inet_pton(AF_INET6, address, &c->net6) == 1 || bad_address(kv, "ipv6-net", "IPv6 network", e));
}

/* Every item of that key is one more. */
static bool add_texts(char *list, size_t size, unsigned *count, struct keyvals *kv, const char *key, struct error *e)
{
    for (size_t i = 0; i < kv->count; i++) {
        const struct keyval_item *item = &kv->item[i];
        if (strcmp(item->key, key))
            continue;
        if (*count == NET_FORWARDS_MAX)
            return error_set(e, "%s: there are more than %d", key, NET_FORWARDS_MAX);
        if (item->flag || !*item->value || strlen(item->value) >= size)
            return keyvals_error(kv, key, e, "%s= is a text of 1 to %zu bytes", key, size - 1);
        memcpy(list + size * (*count)++, item->value, strlen(item->value) + 1);
    }
    return true;
}

static bool set_option(struct net_user_config *c, const struct option *o, struct keyvals *kv, struct error *e)
{
    char *field = (char *)c + o->offset;
    const char *value = o->type == BOOL ? NULL : keyvals_get(kv, o->name);

    switch (o->type) {
    case TEXT:
        return keyvals_copy(kv, o->name, field, o->size, e);
    case BOOL:
        return keyvals_bool(kv, o->name, (bool *)field, e);
    case ADDRESS:
        return !value || inet_pton(AF_INET, value, field) == 1 || bad_address(kv, o->name, "IPv4 address", e);
    case ADDRESS6:
        return !value || inet_pton(AF_INET6, value, field) == 1 || bad_address(kv, o->name, "IPv6 address", e);
    case NET:
        return !value || set_net(c, kv, value, e);
    case NET6:
        return !value || set_net6(c, kv, value, e);
    case FORWARD:
        return add_texts(c->forward[0], sizeof c->forward[0], &c->forwards, kv, o->name, e);
    case GUEST_FORWARD:
        return add_texts(c->guest_forward[0], sizeof c->guest_forward[0], &c->guest_forwards, kv, o->name, e);
    }
    return false;
}

static bool outside(const struct net_user_config *c, struct in_addr a)
{
    return (a.s_addr & c->mask.s_addr) != c->net.s_addr;
}

static bool fill_in(struct net_user_config *c, const char *option, struct error *e)
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
            return error_set(e, "%s: %s= is outside of net=", option, parts[i].name);
    }
    if (c->host.s_addr == c->dns.s_addr)
        return error_set(e, "%s: host= and dns= must differ", option);
    struct in6_addr *six[] = { &c->host6, &c->dns6 };
    for (int i = 0; i < 2; i++)
        if (IN6_IS_ADDR_UNSPECIFIED(six[i])) {
            *six[i] = c->net6;
            six[i]->s6_addr[15] |= (uint8_t)(2 + i);
        }
    return true;
}

bool net_user_parse(struct keyvals *kv, struct net_user_config *config, struct error *e)
{
    const char *known[sizeof options / sizeof options[0] + 1] = { NULL };

    memset(config, 0, sizeof *config);
    config->ipv4 = config->ipv6 = true;
    config->prefix6 = 64;
    config->net.s_addr = htonl(0x0a000200);
    config->mask.s_addr = htonl(0xffffff00);
    inet_pton(AF_INET6, "fec0::", &config->net6);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        known[i] = options[i].name;
        if (!set_option(config, &options[i], kv, e))
            return false;
    }
    return keyvals_finish(kv, known, e) && fill_in(config, kv->option, e);
}
