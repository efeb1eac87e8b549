#include "disks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "block-timed.h"
#include "block.h"
#include "machine.h"
#include "options.h"

enum { DISKS = 16 };

struct disk {
    char id[64];
    enum disk_use use;
    struct block_port *port;  /* as the device sees it */
    struct block_port *timed; /* under a virtual clock the same, or NULL */
    struct block_port *image;
    const char *file; /* as the user wrote it */
    bool read_only, snapshot;
    bool taken;
};

struct disks {
    struct disk disk[DISKS];
    unsigned count;
};

static bool interface_of(struct keyvals *kv, enum disk_use *use, struct error *e)
{
    static const struct {
        const char *name;
        enum disk_use use;
    } known[] = { { "virtio", DISK_VIRTIO }, { "none", DISK_NONE }, { "pflash", DISK_PFLASH } };
    const char *name = keyvals_get(kv, "if");

    *use = DISK_VIRTIO;
    for (size_t i = 0; name && i < sizeof known / sizeof known[0]; i++) {
        if (!strcmp(name, known[i].name)) {
            *use = known[i].use;
            return true;
        }
    }
    return !name || keyvals_error(kv, "if", e, "if=%s: this board has virtio, pflash and none", name);
}

/* Keys that existing scripts give and that change nothing here. */
static void accept_inert(struct keyvals *kv)
{
    static const char *const inert[] = { "cache", "aio", "media", "index", "unit", "bus", "detect-zeroes", "werror",
                                         "rerror", "auto-read-only", "copy-on-read" };

    for (size_t i = 0; i < sizeof inert / sizeof inert[0]; i++)
        keyvals_get(kv, inert[i]);
}

static bool add(struct disks *d, struct machine *m, struct block_config *config, const char *id, enum disk_use use,
                struct error *e)
{
    if (d->count == DISKS)
        return error_set(e, "more than %d disks", DISKS);
    struct disk *disk = &d->disk[d->count];
    snprintf(disk->id, sizeof disk->id, "%s", id ? id : "");
    disk->use = use;
    disk->file = config->file;
    disk->read_only = config->read_only;
    disk->snapshot = config->snapshot;
    disk->image = block_open(m->loop, config, e);
    if (!disk->image)
        return false;
    if (clock_is_virtual(m->clock))
        disk->timed = block_timed_new(disk->image, m->clock);
    disk->port = disk->timed ? disk->timed : disk->image;
    d->count++;
    return true;
}

static bool open_drive(struct disks *d, struct machine *m, struct keyvals *kv, struct error *e)
{
    struct block_config config = { .snapshot = m->options->snapshot };
    const char *id = keyvals_get(kv, "id"), *discard = keyvals_get(kv, "discard");
    enum disk_use use;

    config.file = keyvals_get(kv, "file");
    config.format = keyvals_get(kv, "format");
    config.serial = keyvals_get(kv, "serial");
    config.discard = discard && (!strcmp(discard, "on") || !strcmp(discard, "unmap"));
    accept_inert(kv);
    if (!interface_of(kv, &use, e) || !keyvals_bool(kv, "readonly", &config.read_only, e) ||
        !keyvals_bool(kv, "read-only", &config.read_only, e) || !keyvals_bool(kv, "snapshot", &config.snapshot, e))
        return false;
    if (!config.file)
        return error_set(e, "-drive %s: file=FILE is missing", kv->text);
    if (use == DISK_PFLASH)
        config.snapshot = m->options->snapshot;
    static const char *const known[] = { "file",     "if",       "format",  "id", "serial",
                                         "readonly", "snapshot", "discard", NULL };
    return keyvals_finish(kv, known, e) && add(d, m, &config, id, use, e);
}

/* driver=raw or file, in one flat text: file.filename=, or filename= for driver=file. */
static bool open_blockdev(struct disks *d, struct machine *m, struct keyvals *kv, struct error *e)
{
    struct block_config config = { .snapshot = m->options->snapshot, .format = "raw" };
    const char *driver = keyvals_get(kv, "driver"), *id = keyvals_get(kv, "node-name");

    keyvals_get(kv, "file.driver");
    config.file = keyvals_get(kv, "file.filename");
    if (!config.file)
        config.file = keyvals_get(kv, "filename");
    accept_inert(kv);
    if (driver && strcmp(driver, "raw") && strcmp(driver, "file"))
        return keyvals_error(kv, "driver", e, "-blockdev: only raw images are supported so far");
    if (!config.file || !id)
        return error_set(e, "-blockdev %s: needs node-name= and filename= (or file.filename=)", kv->text);
    return keyvals_bool(kv, "read-only", &config.read_only, e) && keyvals_finish(kv, NULL, e) &&
           add(d, m, &config, id, DISK_NONE, e);
}

struct disks *disks_new(struct machine *m, struct error *e)
{
    struct disks *d = alloc_zeroed(sizeof *d);
    bool ok = true;

    for (struct option_item *i = NULL; ok && (i = options_next(m->options, OPTION_DRIVE, i));)
        ok = open_drive(d, m, &i->kv, e);
    for (struct option_item *i = NULL; ok && (i = options_next(m->options, OPTION_BLOCKDEV, i));)
        ok = open_blockdev(d, m, &i->kv, e);
    if (ok)
        return d;
    disks_free(d);
    return NULL;
}

void disks_free(struct disks *d)
{
    for (unsigned i = 0; d && i < d->count; i++) {
        if (d->disk[i].timed)
            d->disk[i].timed->drain(d->disk[i].timed);
        block_timed_free(d->disk[i].timed);
        block_close(d->disk[i].image);
    }
    free(d);
}

void disks_drain(struct disks *d)
{
    for (unsigned i = 0; i < d->count; i++)
        d->disk[i].port->drain(d->disk[i].port);
}

struct block_port *disks_next(struct disks *d, enum disk_use use)
{
    for (unsigned i = 0; i < d->count; i++) {
        if (d->disk[i].use == use && !d->disk[i].taken) {
            d->disk[i].taken = true;
            return d->disk[i].port;
        }
    }
    return NULL;
}

struct block_port *disks_take(struct disks *d, const char *id, struct error *e)
{
    for (unsigned i = 0; i < d->count; i++) {
        if (strcmp(d->disk[i].id, id) || d->disk[i].use == DISK_PFLASH)
            continue;
        if (d->disk[i].taken) {
            error_set(e, "drive %s: another device has it", id);
            return NULL;
        }
        d->disk[i].taken = true;
        return d->disk[i].port;
    }
    error_set(e, "drive=%s: there is no -drive with this id", id);
    return NULL;
}

/* Disks without an id get the names that QEMU gives them. */
static void name_disk(struct disks *d, unsigned n)
{
    static const char *const kinds[] = { [DISK_VIRTIO] = "virtio", [DISK_PFLASH] = "pflash", [DISK_NONE] = "none" };
    struct disk *disk = &d->disk[n];
    unsigned before = 0;

    for (unsigned i = 0; i < n; i++)
        before += d->disk[i].use == disk->use;
    if (!disk->id[0])
        snprintf(disk->id, sizeof disk->id, "%s%u", kinds[disk->use], before);
}

bool disks_tell(struct disks *d, unsigned n, struct control_block *out)
{
    if (n >= d->count)
        return false;
    name_disk(d, n);
    *out = (struct control_block){ d->disk[n].id, d->disk[n].file, "raw", d->disk[n].port->size, d->disk[n].read_only,
                                   d->disk[n].snapshot };
    return true;
}
