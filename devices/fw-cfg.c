/*
 * fw-cfg.c - the firmware configuration device.
 *
 * Models "QEMU Firmware Configuration (fw_cfg) Device" (the specification text, docs/specs/fw_cfg), sections
 * Hardware Interface, Firmware Configuration Items and Guest-side DMA Interface.
 *
 * Inaccuracies: every item is read-only, so a DMA write is answered with the error bit, as for an item that
 * is not writable. A DMA transfer ends before the register write that started it; one transfer is at most
 * 4 GiB of RAM.
 */
#include "fw-cfg.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bits.h"

enum {
    MMIO_DATA = 0,
    MMIO_SELECTOR = 8,
    MMIO_DMA = 16,
    MMIO_SPAN = 24,
    IO_SELECTOR = 0,
    IO_DATA = 1,
    IO_DMA = 4,
    IO_SPAN = 12,
    ID_TRADITIONAL = 1,
    ID_DMA = 2,
    DMA_ERROR = 1,
    DMA_READ = 2,
    DMA_SKIP = 4,
    DMA_SELECT = 8,
    DMA_WRITE = 16,
    KEY_WRITE = 0x4000, /* an obsolete flag, not part of the item's number */
    MAX_ITEMS = 64,
    DIR_ENTRY = 64,
};

static const char signature[] = "QEMU", dma_signature[] = "QEMU CFG";

struct item {
    uint16_t key;
    char name[FW_CFG_NAME_MAX + 1]; /* of a file */
    uint8_t *data;
    uint32_t len;
};

struct fw_cfg {
    struct device dev;
    unsigned item_count, file_count;
    struct item items[MAX_ITEMS];
    struct item files[FW_CFG_MAX_FILES]; /* by name; files[i] has the key FW_CFG_FILE_FIRST + i */
    uint8_t directory[4 + DIR_ENTRY * FW_CFG_MAX_FILES];
    uint16_t key;
    uint32_t pos; /* in the selected item; stops at its end */
    uint64_t dma_address;
};

static const struct state_field fields[] = {
    STATE(struct fw_cfg, key),
    STATE(struct fw_cfg, pos),
    STATE(struct fw_cfg, dma_address),
    STATE_END,
};

/* ---- items ---- */

static struct item *find_item(struct fw_cfg *f, uint16_t key)
{
    key &= (uint16_t)~KEY_WRITE;
    if (key >= FW_CFG_FILE_FIRST && key < FW_CFG_FILE_FIRST + f->file_count)
        return &f->files[key - FW_CFG_FILE_FIRST];
    for (unsigned i = 0; i < f->item_count; i++) {
        if (f->items[i].key == key)
            return &f->items[i];
    }
    return NULL;
}

/* What is left of the selected item; `len` 0 when it has ended or does not exist. */
static const uint8_t *remaining(struct fw_cfg *f, uint32_t *len)
{
    const struct item *item = find_item(f, f->key);

    if (!item || f->pos >= item->len) {
        *len = 0;
        return NULL;
    }
    *len = item->len - f->pos;
    return item->data + f->pos;
}

static void select_item(struct fw_cfg *f, uint16_t key)
{
    f->key = key;
    f->pos = 0;
    if (trace_on(f->dev.log)) {
        const struct item *item = find_item(f, key);
        trace_log(f->dev.log, "%s: selects %#x %s, %u bytes", f->dev.id, key, item ? item->name : "(no item)",
                  item ? item->len : 0);
    }
}

bool fw_cfg_add(struct device *dev, uint16_t key, const void *data, uint32_t len, struct error *e)
{
    struct fw_cfg *f = (struct fw_cfg *)dev;
    uint16_t number = key & (uint16_t)~FW_CFG_ARCH_LOCAL;

    if (number >= FW_CFG_FILE_FIRST || find_item(f, key))
        return error_set(e,
                         "%s: item number %#x is taken or belongs to the files: add it as a file with a name",
                         dev->id, key);
    if (f->item_count == MAX_ITEMS)
        return error_set(e, "%s: more than %d numbered items: add the others as files", dev->id, MAX_ITEMS);
    f->items[f->item_count++] = (struct item){ .key = key, .data = alloc_copy(data, len), .len = len };
    return true;
}

/* Count, then per file: size, key, two zero bytes, name; big-endian. */
static void print_directory(struct fw_cfg *f)
{
    put_be32(f->directory, f->file_count);
    for (unsigned i = 0; i < f->file_count; i++) {
        uint8_t *entry = f->directory + 4 + i * DIR_ENTRY;
        put_be32(entry, f->files[i].len);
        put_be16(entry + 4, (uint16_t)(FW_CFG_FILE_FIRST + i));
        put_be16(entry + 6, 0);
        memcpy(entry + 8, f->files[i].name, sizeof f->files[i].name);
    }
    find_item(f, FW_CFG_FILE_DIR)->len = 4 + f->file_count * DIR_ENTRY;
}

bool fw_cfg_add_file(struct device *dev, const char *name, const void *data, uint32_t len, struct error *e)
{
    struct fw_cfg *f = (struct fw_cfg *)dev;
    unsigned at = 0;

    if (!*name || strlen(name) > FW_CFG_NAME_MAX)
        return error_set(e, "%s: \"%s\" cannot be a file's name: use 1 to %d bytes", dev->id, name,
                         FW_CFG_NAME_MAX);
    if (f->file_count == FW_CFG_MAX_FILES)
        return error_set(e, "%s: no room for \"%s\": there are %d files already", dev->id, name,
                         FW_CFG_MAX_FILES);
    while (at < f->file_count && strcmp(f->files[at].name, name) < 0)
        at++;
    if (at < f->file_count && !strcmp(f->files[at].name, name))
        return error_set(e, "%s: there are two files \"%s\": leave out one", dev->id, name);
    memmove(&f->files[at + 1], &f->files[at], (f->file_count - at) * sizeof f->files[0]);
    f->files[at] = (struct item){ .data = alloc_copy(data, len), .len = len };
    memcpy(f->files[at].name, name, strlen(name));
    f->file_count++;
    print_directory(f);
    return true;
}

/* ---- access ---- */

/* The data register keeps the order of a string: the next byte is at the lowest address. Zeroes follow. */
static uint64_t read_data(struct fw_cfg *f, unsigned width)
{
    uint8_t buf[8] = { 0 };
    uint32_t len;
    const uint8_t *data = remaining(f, &len);
    uint32_t n = len < width ? len : width;

    if (n)
        memcpy(buf, data, n);
    f->pos += n;
    return get_le(buf, width);
}

/* Copies `len` bytes of the item to the guest, then zeroes. */
static bool dma_read_item(struct fw_cfg *f, uint64_t gpa, uint32_t len)
{
    static const uint8_t zeroes[4096];
    uint32_t have;
    const uint8_t *data = remaining(f, &have);
    uint32_t n = have < len ? have : len;

    if (n && !dma_write(f->dev.env.bus, gpa, data, n))
        return false;
    f->pos += n;
    for (len -= n, gpa += n; len; len -= n, gpa += n) {
        n = len < sizeof zeroes ? len : (uint32_t)sizeof zeroes;
        if (!dma_write(f->dev.env.bus, gpa, zeroes, n))
            return false;
    }
    return true;
}

static bool run_command(struct fw_cfg *f, uint32_t control, uint32_t len, uint64_t gpa)
{
    uint32_t have;

    if (control & DMA_SELECT)
        select_item(f, (uint16_t)(control >> 16));
    if (control & DMA_READ)
        return dma_read_item(f, gpa, len);
    if (control & DMA_WRITE)
        return false;
    if (control & DMA_SKIP) {
        remaining(f, &have);
        f->pos += have < len ? have : len;
    }
    return true;
}

/* Runs the command block { be32 control, be32 length, be64 address } at `block`, and answers there. */
static void run_dma(struct fw_cfg *f, uint64_t block)
{
    uint8_t command[16], answer[4];

    if (!dma_read(f->dev.env.bus, block, command, sizeof command)) {
        if (trace_on(f->dev.guest_error))
            trace_log(f->dev.guest_error, "%s: the DMA command at %#llx is not in RAM", f->dev.id,
                      (unsigned long long)block);
        return;
    }
    bool ok = run_command(f, get_be32(command), get_be32(command + 4), get_be64(command + 8));
    if (!ok && trace_on(f->dev.guest_error))
        trace_log(f->dev.guest_error, "%s: DMA command %#x of %u bytes at %#llx failed", f->dev.id,
                  get_be32(command), get_be32(command + 4), (unsigned long long)get_be64(command + 8));
    put_be32(answer, ok ? 0 : DMA_ERROR);
    if (!dma_write(f->dev.env.bus, block, answer, sizeof answer) && trace_on(f->dev.guest_error))
        trace_log(f->dev.guest_error, "%s: the DMA command at %#llx was overwritten", f->dev.id,
                  (unsigned long long)block);
}

/* The big-endian address register: the low half, or all of it, starts the transfer; then it is 0. */
static void write_dma(struct fw_cfg *f, uint64_t off, unsigned width, uint64_t value)
{
    if (width == 8) {
        f->dma_address = __builtin_bswap64(value);
    } else if (off == 0) {
        f->dma_address = (uint64_t)__builtin_bswap32((uint32_t)value) << 32;
        return;
    } else {
        f->dma_address |= __builtin_bswap32((uint32_t)value);
    }
    uint64_t block = f->dma_address;
    f->dma_address = 0;
    run_dma(f, block);
}

static uint64_t refuse(const struct device *dev, const char *what, uint64_t off, unsigned width)
{
    if (trace_on(dev->guest_error))
        trace_log(dev->guest_error, "%s: %s of %u bytes at offset %#llx", dev->id, what, width,
                  (unsigned long long)off);
    return 0;
}

static uint64_t mmio_read(struct device *dev, uint64_t off, unsigned width)
{
    if (off < MMIO_SELECTOR)
        return read_data((struct fw_cfg *)dev, width);
    if (off >= MMIO_DMA)
        return get_le(dma_signature + (off - MMIO_DMA), width);
    return refuse(dev, "read", off, width);
}

static void mmio_write(struct device *dev, uint64_t off, unsigned width, uint64_t value)
{
    struct fw_cfg *f = (struct fw_cfg *)dev;

    if (off == MMIO_SELECTOR && width == 2)
        select_item(f, __builtin_bswap16((uint16_t)value));
    else if (off >= MMIO_DMA && width >= 4)
        write_dma(f, off - MMIO_DMA, width, value);
    else
        refuse(dev, "write", off, width);
}

static uint64_t io_read(struct device *dev, uint64_t off, unsigned width)
{
    if (off == IO_DATA && width == 1)
        return read_data((struct fw_cfg *)dev, 1);
    if (off >= IO_DMA)
        return get_le(dma_signature + (off - IO_DMA), width);
    return refuse(dev, "read", off, width);
}

static void io_write(struct device *dev, uint64_t off, unsigned width, uint64_t value)
{
    struct fw_cfg *f = (struct fw_cfg *)dev;

    if (off == IO_SELECTOR && width == 2)
        select_item(f, (uint16_t)value);
    else if (off >= IO_DMA && width == 4)
        write_dma(f, off - IO_DMA, width, value);
    else
        refuse(dev, "write", off, width);
}

/* ---- life ---- */

static void reset(struct device *dev)
{
    struct fw_cfg *f = (struct fw_cfg *)dev;

    f->key = FW_CFG_SIGNATURE;
    f->pos = 0;
    f->dma_address = 0;
}

static void destroy(struct device *dev)
{
    struct fw_cfg *f = (struct fw_cfg *)dev;

    for (unsigned i = 0; i < f->item_count; i++) {
        if (f->items[i].data != f->directory)
            free(f->items[i].data);
    }
    for (unsigned i = 0; i < f->file_count; i++)
        free(f->files[i].data);
    free(f);
}

/* By layout. */
static const struct dev_ops ops[] = {
    [FW_CFG_MMIO] = {
        .name = "fw_cfg",
        .span = MMIO_SPAN,
        .widths = WIDTH_1 | WIDTH_2 | WIDTH_4 | WIDTH_8,
        .read = mmio_read,
        .write = mmio_write,
        .reset = reset,
        .destroy = destroy,
        .fields = fields,
        .size = sizeof(struct fw_cfg),
    },
    [FW_CFG_IOPORT] = {
        .name = "fw_cfg-io",
        .span = IO_SPAN,
        .widths = WIDTH_1 | WIDTH_2 | WIDTH_4,
        .read = io_read,
        .write = io_write,
        .reset = reset,
        .destroy = destroy,
        .fields = fields,
        .size = sizeof(struct fw_cfg),
    },
};

static void add_built_in(struct fw_cfg *f, uint16_t key, uint8_t *data, uint32_t len)
{
    f->items[f->item_count++] = (struct item){ .key = key, .data = data, .len = len };
}

struct device *fw_cfg_new(const char *id, const struct dev_env *env, enum fw_cfg_layout layout)
{
    struct fw_cfg *f = alloc_zeroed(sizeof *f);
    uint8_t features[4];

    device_init(&f->dev, &ops[layout], id, env);
    put_le32(features, ID_TRADITIONAL | ID_DMA);
    add_built_in(f, FW_CFG_SIGNATURE, alloc_copy(signature, 4), 4);
    add_built_in(f, FW_CFG_ID, alloc_copy(features, sizeof features), sizeof features);
    add_built_in(f, FW_CFG_FILE_DIR, f->directory, 0);
    print_directory(f);
    device_reset(&f->dev);
    return &f->dev;
}
