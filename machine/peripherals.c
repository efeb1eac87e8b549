#include "peripherals.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "disks.h"
#include "fw-cfg.h"
#include "machine.h"
#include "nets.h"
#include "options.h"
#include "path.h"
#include "rng.h"
#include "serials.h"
#include "virtio-blk.h"
#include "virtio-console.h"
#include "virtio-net.h"
#include "virtio-rng.h"

enum { SLOTS = 8 };

struct peripherals {
    struct machine *m;
    struct serials *serials;
    struct disks *disks;
    struct nets *nets;
    struct rng_port *rng;
    struct virtio *slot[SLOTS];
    char id[SLOTS][64];
    struct block_port *flash[2];
};

typedef struct virtio *make_fn(struct peripherals *p, const char *id, struct keyvals *kv, struct error *e);

/* What -device can make. */
struct driver {
    const char *name, *alias;
    const char *summary;
    make_fn *make;
    const char *const *keys;
};

static struct virtio *make_blk(struct peripherals *p, const char *id, struct keyvals *kv, struct error *e)
{
    const char *drive = keyvals_get(kv, "drive");

    if (!drive) {
        error_set(e, "-device %s: drive=ID is missing; it names a -drive", kv->text);
        return NULL;
    }
    struct block_port *port = disks_take(p->disks, drive, e);
    if (port && keyvals_peek(kv, "serial"))
        port->serial = keyvals_get(kv, "serial");
    return port ? virtio_blk_new(id, &p->m->env, port) : NULL;
}

static struct virtio *make_net(struct peripherals *p, const char *id, struct keyvals *kv, struct error *e)
{
    const char *netdev = keyvals_get(kv, "netdev"), *mac = keyvals_get(kv, "mac");

    if (!netdev) {
        error_set(e, "-device %s: netdev=ID is missing; it names a -netdev", kv->text);
        return NULL;
    }
    struct net_port *port = nets_take(p->nets, netdev, mac, e);
    return port ? virtio_net_new(id, &p->m->env, port) : NULL;
}

static struct virtio *make_rng(struct peripherals *p, const char *id, struct keyvals *kv, struct error *e)
{
    keyvals_get(kv, "rng"); /* every -object rng-* is the same source here */
    return virtio_rng_new(id, &p->m->env, p->rng);
}

static struct virtio *make_console(struct peripherals *p, const char *id, struct keyvals *kv, struct error *e)
{
    const char *chardev = keyvals_get(kv, "chardev");

    if (!chardev) {
        error_set(e, "-device %s: chardev=ID is missing; it names a -chardev", kv->text);
        return NULL;
    }
    struct char_port *port = serials_chardev(p->serials, chardev, id, e);
    return port ? virtio_console_new(id, &p->m->env, port) : NULL;
}

static const char *const blk_keys[] = { "drive", "serial", "id", "bus", "packed", "event_idx", "indirect_desc", NULL };
static const char *const net_keys[] = { "netdev", "mac", "id", "bus", "packed", "event_idx", "indirect_desc", NULL };
static const char *const rng_keys[] = { "rng", "id", "bus", "packed", "event_idx", "indirect_desc", NULL };
static const char *const console_keys[] = { "chardev", "id", "bus", "packed", "event_idx", "indirect_desc", NULL };

static const struct driver drivers[] = {
    { "virtio-blk-device", "virtio-blk", "disk", make_blk, blk_keys },
    { "virtio-net-device", "virtio-net", "network card", make_net, net_keys },
    { "virtio-rng-device", "virtio-rng", "source of entropy", make_rng, rng_keys },
    { "virtio-console-device", "virtconsole", "console on a -chardev", make_console, console_keys },
};

void peripherals_list(FILE *out)
{
    fprintf(out, "name \"loader\", desc \"puts a file or a value into memory\"\n");
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
        fprintf(out, "name \"%s\", bus virtio-bus, alias \"%s\", desc \"%s\"\n", drivers[i].name, drivers[i].alias,
                drivers[i].summary);
}

/* Accepted because scripts give them; they need no device of their own. */
static bool is_inert(const char *name)
{
    return !strcmp(name, "loader") || !strncmp(name, "virtio-serial", 13);
}

static const struct driver *find_driver(const struct keyvals *kv, struct error *e)
{
    const char *name = keyvals_peek(kv, "driver");
    size_t len = name ? strlen(name) : 0;

    for (size_t i = 0; name && i < sizeof drivers / sizeof drivers[0]; i++) {
        if (!strcmp(name, drivers[i].name) || !strcmp(name, drivers[i].alias))
            return &drivers[i];
    }
    if (len > 4 && !strcmp(name + len - 4, "-pci"))
        keyvals_error(kv, "driver", e, "-device %s: this board has no PCI yet; take %.*s-device", name, (int)len - 4,
                      name);
    else
        keyvals_error(kv, "driver", e, "-device %s: no such device; -device help lists them", name ? name : "");
    return NULL;
}

/* Puts the device into the slot that bus= names, or the first free one. */
static bool place(struct peripherals *p, struct keyvals *kv, unsigned *slot, struct error *e)
{
    static const char bus_name[] = "virtio-mmio-bus.";
    const char *bus = kv ? keyvals_get(kv, "bus") : NULL;

    *slot = 0;
    if (bus && (strncmp(bus, bus_name, strlen(bus_name)) || !strchr("01234567", bus[strlen(bus_name)]) ||
                strlen(bus) != strlen(bus_name) + 1))
        return keyvals_error(kv, "bus", e, "bus=%s: there are virtio-mmio-bus.0 to .%d", bus, SLOTS - 1);
    if (bus)
        *slot = (unsigned)(bus[strlen(bus_name)] - '0');
    while (!bus && *slot < SLOTS && p->slot[*slot])
        ++*slot;
    if (*slot == SLOTS || p->slot[*slot])
        return error_set(e, "-device: %s", bus ? "another device is on that bus" : "all 8 VIRTIO slots are taken");
    return true;
}

static bool withhold(struct virtio *v, struct keyvals *kv, struct error *e)
{
    static const struct {
        const char *key;
        unsigned bit;
    } features[] = { { "packed", VIRTIO_F_RING_PACKED },
                     { "event_idx", VIRTIO_F_EVENT_IDX },
                     { "indirect_desc", VIRTIO_F_INDIRECT_DESC } };

    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++) {
        bool on = true;
        if (!keyvals_bool(kv, features[i].key, &on, e))
            return false;
        if (!on)
            virtio_withhold(v, UINT64_C(1) << features[i].bit);
    }
    return true;
}

static bool plug(struct peripherals *p, struct virtio *v, unsigned slot)
{
    p->slot[slot] = v;
    machine_adopt(p->m, virtio_device(v));
    return true;
}

static const char *slot_id(struct peripherals *p, unsigned slot, const char *kind)
{
    snprintf(p->id[slot], sizeof p->id[slot], "%.40s%u", kind, slot);
    return p->id[slot];
}

static bool make_device(struct peripherals *p, struct keyvals *kv, struct error *e)
{
    const char *name = keyvals_get(kv, "driver"), *id = keyvals_get(kv, "id");
    unsigned slot;

    if (name && is_inert(name))
        return true;
    const struct driver *driver = find_driver(kv, e);
    if (!driver || !place(p, kv, &slot, e))
        return false;
    struct virtio *v = driver->make(p, slot_id(p, slot, id ? id : driver->alias), kv, e);
    return v && plug(p, v, slot) && withhold(v, kv, e) && keyvals_finish(kv, driver->keys, e);
}

/* Disks and NICs that the command line did not give a -device. */
static bool make_implied(struct peripherals *p, struct error *e)
{
    struct block_port *disk;
    struct net_port *net;
    unsigned slot;

    while ((disk = disks_next(p->disks, DISK_VIRTIO))) {
        if (!place(p, NULL, &slot, e) ||
            !plug(p, virtio_blk_new(slot_id(p, slot, "virtio-blk"), &p->m->env, disk), slot))
            return false;
    }
    while ((net = nets_next(p->nets))) {
        if (!place(p, NULL, &slot, e) ||
            !plug(p, virtio_net_new(slot_id(p, slot, "virtio-net"), &p->m->env, net), slot))
            return false;
    }
    return true;
}

static bool make_objects(struct peripherals *p, struct error *e)
{
    for (struct option_item *i = NULL; (i = options_next(p->m->options, OPTION_OBJECT, i));) {
        const char *type = keyvals_get(&i->kv, "qom-type");
        if (!type || (strcmp(type, "rng-random") && strcmp(type, "rng-builtin")))
            return keyvals_error(&i->kv, "qom-type", e, "-object %s: only rng-random and rng-builtin are there",
                                 type ? type : "");
    }
    return true;
}

/* -machine pflash0=NODE names a -blockdev; otherwise a bank takes the next -drive if=pflash. */
static bool take_flash(struct peripherals *p, struct error *e)
{
    static const char *const keys[] = { "pflash0", "pflash1" };

    for (unsigned i = 0; i < 2; i++) {
        const char *node = keyvals_get(&p->m->options->machine, keys[i]);
        p->flash[i] = node ? disks_take(p->disks, node, e) : disks_next(p->disks, DISK_PFLASH);
        if (node && !p->flash[i])
            return error_prefix(e, "-machine %s=%s", keys[i], node);
    }
    return true;
}

static bool open_all(struct peripherals *p, struct error *e)
{
    struct options *o = p->m->options;

    p->rng = o->icount.on ? rng_open_seeded(1) : rng_open_host(e);
    p->serials = p->rng ? serials_new(p->m, e) : NULL;
    p->disks = p->serials ? disks_new(p->m, e) : NULL;
    p->nets = p->disks ? nets_new(p->m, e) : NULL;
    if (!p->nets || !make_objects(p, e))
        return false;
    if (!take_flash(p, e))
        return false;
    for (struct option_item *i = NULL; (i = options_next(o, OPTION_DEVICE, i));) {
        if (!make_device(p, &i->kv, e))
            return false;
    }
    return make_implied(p, e);
}

bool peripherals_open(struct machine *m, struct error *e)
{
    m->peripherals = alloc_zeroed(sizeof *m->peripherals);
    m->peripherals->m = m;
    return open_all(m->peripherals, e);
}

void peripherals_free(struct peripherals *p)
{
    if (!p)
        return;
    if (p->nets)
        nets_free(p->nets);
    if (p->disks)
        disks_free(p->disks);
    if (p->serials)
        serials_free(p->serials);
    if (p->rng)
        rng_close(p->rng);
    free(p);
}

void peripherals_drain(struct peripherals *p)
{
    if (p->disks)
        disks_drain(p->disks);
}

void peripherals_greet(struct peripherals *p)
{
    serials_greet(p->serials);
}

struct char_port *peripherals_serial(struct peripherals *p, unsigned n)
{
    return serials_line(p->serials, n);
}

struct char_port *peripherals_open_port(struct peripherals *p, const char *text, const char *device, struct error *e)
{
    return serials_open(p->serials, text, device, e);
}

struct serials *peripherals_serials(struct peripherals *p)
{
    return p->serials;
}

struct disks *peripherals_disks(struct peripherals *p)
{
    return p->disks;
}

struct nets *peripherals_nets(struct peripherals *p)
{
    return p->nets;
}

const char *peripherals_device_at(struct peripherals *p, const void *dev)
{
    for (unsigned i = 0; dev && i < SLOTS; i++) {
        if (p->slot[i] == dev)
            return p->id[i];
    }
    return NULL;
}

struct virtio *peripherals_virtio(struct peripherals *p, unsigned n)
{
    return n < SLOTS ? p->slot[n] : NULL;
}

struct block_port *peripherals_flash(struct peripherals *p, unsigned n)
{
    return p->flash[n];
}

void peripherals_fill(struct peripherals *p, uint8_t *buf, size_t len)
{
    p->rng->fill(p->rng, buf, len);
}

static bool add_fw_cfg(struct keyvals *kv, struct device *fw_cfg, struct error *e)
{
    const char *name = keyvals_get(kv, "name"), *file = keyvals_get(kv, "file"), *string = keyvals_get(kv, "string");
    struct bytes b = { 0 };

    if (!name || !file == !string)
        return error_set(e, "-fw_cfg %s: needs name=NAME and either file=FILE or string=TEXT", kv->text);
    if (string)
        return fw_cfg_add_file(fw_cfg, name, string, (uint32_t)strlen(string), e);
    bool ok = file_read(file, 64 << 20, &b, e) && fw_cfg_add_file(fw_cfg, name, b.data, (uint32_t)b.len, e);
    bytes_free(&b);
    return ok;
}

bool peripherals_finish(struct peripherals *p, struct error *e)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        if (p->slot[i] && !p->m->board->virtio_slots)
            return error_set(e, "board %s has no place for %s", p->m->board->name, p->id[i]);
    }
    return true;
}

bool peripherals_fill_fw_cfg(struct peripherals *p, struct device *fw_cfg, struct error *e)
{
    for (struct option_item *i = NULL; (i = options_next(p->m->options, OPTION_FW_CFG, i));) {
        if (!add_fw_cfg(&i->kv, fw_cfg, e))
            return false;
    }
    return true;
}
