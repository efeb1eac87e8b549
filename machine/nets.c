#include "nets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "machine.h"
#include "net.h"
#include "options.h"
#include "peripherals.h"

enum { NETS = 8 };

struct net {
    char id[64];
    struct net_port *port;
    bool wants_nic, taken;
    bool down; /* set_link */
};

struct nets {
    struct machine *m;
    struct net net[NETS];
    unsigned count;
    unsigned macs; /* given so far: 52:54:00:12:34:56 and up */
};

static bool parse_mac(const char *text, uint8_t mac[6])
{
    unsigned b[6];
    char rest;

    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &rest) != 6)
        return false;
    for (unsigned i = 0; i < 6; i++)
        mac[i] = (uint8_t)b[i];
    return !(mac[0] & 1);
}

static bool give_mac(struct nets *n, struct net_port *port, const char *text, struct error *e)
{
    const uint8_t next[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, (uint8_t)(0x56 + n->macs) };

    if (text)
        return parse_mac(text, port->mac) ||
               error_set(e, "mac=%s: not a unicast MAC address like 52:54:00:12:34:56", text);
    n->macs++;
    memcpy(port->mac, next, sizeof next);
    return true;
}

static struct net *open_user(struct nets *n, struct keyvals *kv, struct error *e)
{
    struct net_user_config *config = alloc_zeroed(sizeof *config);
    struct net *net = NULL;

    if (n->count == NETS) {
        error_set(e, "more than %d networks", NETS);
    } else if (net_user_parse(kv, config, e)) {
        net = &n->net[n->count];
        snprintf(net->id, sizeof net->id, "%s", config->id);
        net->port = net_user_open(n->m->loop, config, e);
        if (!net->port)
            error_prefix(e, "%s", kv->option);
        net = net->port ? net : NULL;
        n->count += net != NULL;
    }
    free(config);
    return net;
}

static bool check_type(struct keyvals *kv, const char *option, struct error *e)
{
    const char *type = keyvals_get(kv, "type");

    if (type && !strcmp(type, "user"))
        return true;
    return keyvals_error(kv, "type", e, "%s %s: user-mode networks (\"user\") are what there is so far", option,
                         type ? type : "");
}

static bool open_nic(struct nets *n, struct option_item *item, struct error *e)
{
    const char *type = keyvals_get(&item->kv, "type"), *mac = keyvals_get(&item->kv, "mac");
    const char *model = keyvals_get(&item->kv, "model");

    if (type && (!strcmp(type, "none") || !strcmp(type, "nic")))
        return true; /* the old -net nic: the NIC comes with -net user */
    if (!check_type(&item->kv, item->option, e))
        return false;
    if (model && strncmp(model, "virtio", 6))
        return keyvals_error(&item->kv, "model", e, "model=%s: this board has virtio-net-device", model);
    if (!mac)
        mac = keyvals_get(&item->kv, "macaddr");
    struct net *net = open_user(n, &item->kv, e);
    if (!net)
        return false;
    net->wants_nic = true;
    return give_mac(n, net->port, mac, e);
}

static bool open_netdev(struct nets *n, struct option_item *item, struct error *e)
{
    const char *id = keyvals_get(&item->kv, "id");

    if (!check_type(&item->kv, "-netdev", e))
        return false;
    if (!id)
        return error_set(e, "-netdev %s: id=ID is missing", item->text);
    return open_user(n, &item->kv, e);
}

/* A build without libslirp has no network to offer and nobody asked for one; nor has a board without a place for it. */
static bool open_default(struct nets *n, struct error *e)
{
    struct keyvals none;
    struct error quiet;
    struct net *net = keyvals_parse(&none, "-netdev user", "", NULL, &quiet) ? open_user(n, &none, &quiet) : NULL;

    keyvals_free(&none);
    if (!net)
        return true;
    net->wants_nic = true;
    return give_mac(n, net->port, NULL, e);
}

static bool open_all(struct nets *n, struct error *e)
{
    struct options *o = n->m->options;
    bool any = false;

    for (struct option_item *i = NULL; (i = options_next(o, OPTION_NETDEV, i)); any = true) {
        if (!open_netdev(n, i, e))
            return false;
    }
    for (struct option_item *i = NULL; (i = options_next(o, OPTION_NIC, i)); any = true) {
        if (!open_nic(n, i, e))
            return false;
    }
    for (struct option_item *i = NULL; (i = options_next(o, OPTION_NET, i)); any = true) {
        if (!open_nic(n, i, e))
            return false;
    }
    return any || o->nodefaults || !n->m->board->virtio_slots || open_default(n, e);
}

struct nets *nets_new(struct machine *m, struct error *e)
{
    struct nets *n = alloc_zeroed(sizeof *n);

    n->m = m;
    if (open_all(n, e))
        return n;
    nets_free(n);
    return NULL;
}

void nets_free(struct nets *n)
{
    for (unsigned i = 0; n && i < n->count; i++)
        net_user_close(n->net[i].port);
    free(n);
}

struct net_port *nets_next(struct nets *n)
{
    for (unsigned i = 0; i < n->count; i++) {
        if (n->net[i].wants_nic && !n->net[i].taken) {
            n->net[i].taken = true;
            return n->net[i].port;
        }
    }
    return NULL;
}

struct net_port *nets_take(struct nets *n, const char *id, const char *mac, struct error *e)
{
    for (unsigned i = 0; i < n->count; i++) {
        struct net *net = &n->net[i];
        if (strcmp(net->id, id))
            continue;
        if (net->taken || net->wants_nic) {
            error_set(e, "netdev=%s: another device has it", id);
            return NULL;
        }
        net->taken = true;
        return give_mac(n, net->port, mac, e) ? net->port : NULL;
    }
    error_set(e, "netdev=%s: there is no -netdev with this id", id);
    return NULL;
}

/* ---- while the machine runs ---- */

bool nets_tell(struct nets *n, unsigned i, struct control_net *out)
{
    if (i >= n->count)
        return false;
    struct net *net = &n->net[i];
    if (!net->id[0])
        snprintf(net->id, sizeof net->id, "#net%u", i); /* nobody can have given it this one */
    *out = (struct control_net){ net->id, "user", peripherals_device_at(n->m->peripherals, net->port->dev), { 0 },
                                 !net->down };
    memcpy(out->mac, net->port->mac, sizeof out->mac);
    return true;
}

char *nets_connections(struct nets *n, unsigned i)
{
    return i < n->count ? net_user_info(n->net[i].port) : NULL;
}

/* By its own id, by its device's, or the first. */
static struct net *find(struct nets *n, const char *id)
{
    struct control_net what;

    for (unsigned i = 0; nets_tell(n, i, &what); i++) {
        if (!id || !strcmp(what.id, id) || (what.device && !strcmp(what.device, id)))
            return &n->net[i];
    }
    return NULL;
}

bool nets_set_link(struct nets *n, const char *id, bool up)
{
    struct net *net = find(n, id);

    if (!net)
        return false;
    net->down = !up;
    if (net->port->link)
        net->port->link(net->port->dev, up);
    return true;
}

static bool has_network(const struct net *net, const char *id, struct error *e)
{
    return net || error_set(e, "there is no network%s%s", id ? " " : "", id ? id : "");
}

bool nets_forward(struct nets *n, const char *id, const char *rule, unsigned *port, struct error *e)
{
    struct net *net = find(n, id);

    return has_network(net, id, e) && net_user_hostfwd_add(net->port, rule, port, e);
}

bool nets_unforward(struct nets *n, const char *id, const char *rule, struct error *e)
{
    struct net *net = find(n, id);

    return has_network(net, id, e) && net_user_hostfwd_remove(net->port, rule, e);
}
