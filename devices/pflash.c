/*
 * pflash.c - parallel NOR flash.
 *
 * Models two 16-bit chips side by side on a 32-bit bus, each with uniform 128 KiB blocks and the Intel/Sharp
 * extended command set: Intel StrataFlash J3 data sheet, sections Bus Operations, Command Set and Status
 * Register; query data by JEDEC JESD68.01 (CFI) and Intel application note 646, primary command set 0001.
 *
 *     bus byte   0 1   2 3      Each chip decodes its own half of a 32-bit write, so drivers write
 *     chip        0     1       each command twice (0x00980098). An undriven byte lane is all ones.
 *
 * While both chips are in read-array mode the bus serves reads from memory (BUS_ROMD); any other mode sends
 * reads here.
 *
 * Inaccuracies: program and erase finish at once, so suspend and resume do nothing; block lock bits are
 * accepted and forgotten; no protection registers, no chip erase, no block-status pin.
 */
#include "pflash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bits.h"

enum {
    CHIPS = 2,
    LANE = 2, /* bytes a chip drives */
    BLOCK_WORDS = PFLASH_SECTOR / PFLASH_BANK_WIDTH,
    BUFFER_WORDS = 512,
    ALL_BUFFER_WORDS = CHIPS * BUFFER_WORDS,
    BUFFER_BYTES_LOG2 = 10,
    PAGE = 4096,
    CHUNK = 16 * PAGE, /* of write-back */
    MANUFACTURER = 0x0089,
    DEVICE_CODE = 0x0018,
};

enum {
    CMD_BLOCK_LOCK = 0x01,
    CMD_PROGRAM_ALT = 0x10,
    CMD_ERASE = 0x20,
    CMD_LOCK_DOWN = 0x2f,
    CMD_PROGRAM = 0x40,
    CMD_CLEAR_STATUS = 0x50,
    CMD_LOCK_SETUP = 0x60,
    CMD_READ_STATUS = 0x70,
    CMD_READ_ID = 0x90,
    CMD_QUERY = 0x98,
    CMD_SUSPEND = 0xb0,
    CMD_CONFIRM = 0xd0,
    CMD_BUFFER = 0xe8,
    CMD_READ_ARRAY = 0xff,
};

enum {
    SR_PROTECTED = 0x02,
    SR_PROGRAM_ERROR = 0x10,
    SR_ERASE_ERROR = 0x20,
    SR_SEQUENCE_ERROR = SR_PROGRAM_ERROR | SR_ERASE_ERROR,
    SR_READY = 0x80,
};

/* What a chip answers to a read, and what it takes the next write for. */
enum mode {
    READ_ARRAY,
    READ_STATUS,
    READ_ID,
    READ_QUERY,
    PROGRAM_DATA, /* this and the following read as status */
    BUFFER_COUNT,
    BUFFER_DATA,
    BUFFER_CONFIRM,
    ERASE_CONFIRM,
    LOCK_CONFIRM,
};

struct pflash {
    struct device dev;
    struct ram *contents;
    struct block_port *drive;

    /* One element a chip. */
    uint8_t mode[CHIPS];
    uint8_t status[CHIPS];
    uint16_t left[CHIPS];   /* words that a buffered program still waits for */
    uint8_t started[CHIPS]; /* the buffer has its first word, and so its start */
    uint32_t start[CHIPS];  /* word address of buffer[0] */
    uint16_t buffer[CHIPS][BUFFER_WORDS];

    /* Write-back; not guest state. */
    uint8_t *dirty; /* a byte per page */
    uint64_t pages;
    bool in_flight, unflushed;
    struct block_request request;
    uint8_t chunk[CHUNK];
    enum block_status result; /* of pflash_load's reads */
};

static const struct state_field fields[] = {
    { "mode", offsetof(struct pflash, mode), 1, CHIPS, READ_ARRAY, LOCK_CONFIRM },
    STATE_ARRAY(struct pflash, status),
    { "left", offsetof(struct pflash, left), 2, CHIPS, 0, BUFFER_WORDS },
    { "started", offsetof(struct pflash, started), 1, CHIPS, 0, 1 },
    STATE_ARRAY(struct pflash, start),
    { "buffer", offsetof(struct pflash, buffer), 2, ALL_BUFFER_WORDS, 0, UINT16_MAX },
    STATE_END,
};

/* ---- write-back: one request at a time, until no page is dirty, then a flush ---- */

static void request_done(struct block_request *req, enum block_status status);

static void submit(struct pflash *f, enum block_op op, uint64_t offset, uint64_t len)
{
    f->in_flight = true;
    f->request = (struct block_request){
        .op = op, .offset = offset, .len = len, .buf = f->chunk, .done = request_done, .dev = f
    };
    f->drive->submit(f->drive, &f->request);
}

static void write_back(struct pflash *f)
{
    uint64_t first = 0, n = 0;

    if (!f->drive || f->in_flight)
        return;
    const uint8_t *found = memchr(f->dirty, 1, f->pages);
    if (!found) {
        if (f->unflushed)
            submit(f, BLOCK_FLUSH, 0, 0);
        f->unflushed = false;
        return;
    }
    first = (uint64_t)(found - f->dirty);
    while (first + n < f->pages && n < CHUNK / PAGE && f->dirty[first + n])
        f->dirty[first + n++] = 0;
    uint64_t offset = first * PAGE, len = n * PAGE;
    if (len > f->drive->size - offset)
        len = f->drive->size - offset;
    memcpy(f->chunk, f->contents->host + offset, len);
    f->unflushed = true;
    submit(f, BLOCK_WRITE, offset, len);
}

static void request_done(struct block_request *req, enum block_status status)
{
    struct pflash *f = req->dev;

    f->in_flight = false;
    f->result = status;
    if (req->op == BLOCK_READ)
        return;
    if (status != BLOCK_OK && trace_on(f->dev.log))
        trace_log(f->dev.log, "%s: writing %llu bytes at %#llx back to the drive failed (%d)", f->dev.id,
                  (unsigned long long)req->len, (unsigned long long)req->offset, (int)status);
    write_back(f);
}

/* Pages behind the drive's end stay volatile. */
static void mark_dirty(struct pflash *f, uint64_t offset, uint64_t len)
{
    uint64_t first = offset / PAGE, end = (offset + len + PAGE - 1) / PAGE;

    if (end > f->pages)
        end = f->pages;
    if (first < end)
        memset(f->dirty + first, 1, end - first);
}

/* ---- the array ---- */

static uint8_t *word_at(const struct pflash *f, unsigned chip, uint64_t word)
{
    return f->contents->host + word * PFLASH_BANK_WIDTH + chip * LANE;
}

static bool protected(struct pflash *f, unsigned chip, uint8_t error)
{
    if (!f->drive || !f->drive->read_only)
        return false;
    f->status[chip] |= SR_PROTECTED | error;
    return true;
}

/* Programming clears bits; only an erase sets them. */
static void program(struct pflash *f, unsigned chip, uint64_t word, uint16_t value)
{
    uint8_t *p = word_at(f, chip, word);

    if (protected(f, chip, SR_PROGRAM_ERROR))
        return;
    put_le16(p, get_le16(p) & value);
    mark_dirty(f, word * PFLASH_BANK_WIDTH, PFLASH_BANK_WIDTH);
}

static void erase(struct pflash *f, unsigned chip, uint64_t word)
{
    uint64_t first = word / BLOCK_WORDS * BLOCK_WORDS;

    if (protected(f, chip, SR_ERASE_ERROR))
        return;
    for (uint64_t w = first; w < first + BLOCK_WORDS; w++)
        put_le16(word_at(f, chip, w), 0xffff);
    mark_dirty(f, first * PFLASH_BANK_WIDTH, PFLASH_SECTOR);
    if (trace_on(f->dev.log))
        trace_log(f->dev.log, "%s: chip %u erases the block at %#llx", f->dev.id, chip,
                  (unsigned long long)first * PFLASH_BANK_WIDTH);
}

/* ---- commands ---- */

static void sequence_error(struct pflash *f, unsigned chip, uint16_t value)
{
    if (trace_on(f->dev.guest_error))
        trace_log(f->dev.guest_error, "%s: chip %u: %#x does not follow in mode %u", f->dev.id, chip, value,
                  f->mode[chip]);
    f->status[chip] |= SR_SEQUENCE_ERROR;
    f->mode[chip] = READ_STATUS;
}

static void command(struct pflash *f, unsigned chip, uint8_t value)
{
    /* The mode that each command leads to. */
    static const struct {
        uint8_t command, mode;
    } modes[] = {
        { CMD_READ_ARRAY, READ_ARRAY }, { CMD_READ_STATUS, READ_STATUS }, { CMD_READ_ID, READ_ID },
        { CMD_QUERY, READ_QUERY },      { CMD_PROGRAM, PROGRAM_DATA },    { CMD_PROGRAM_ALT, PROGRAM_DATA },
        { CMD_BUFFER, BUFFER_COUNT },   { CMD_ERASE, ERASE_CONFIRM },     { CMD_LOCK_SETUP, LOCK_CONFIRM },
        { CMD_SUSPEND, READ_STATUS },   { CMD_CONFIRM, READ_STATUS },
    };

    if (value == CMD_CLEAR_STATUS) {
        f->status[chip] = SR_READY;
        return;
    }
    for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
        if (modes[i].command == value) {
            f->mode[chip] = modes[i].mode;
            return;
        }
    }
    f->mode[chip] = READ_ARRAY;
    if (trace_on(f->dev.guest_error))
        trace_log(f->dev.guest_error, "%s: chip %u: unknown command %#x", f->dev.id, chip, value);
}

static void buffer_count(struct pflash *f, unsigned chip, uint16_t value)
{
    if (value >= BUFFER_WORDS) {
        sequence_error(f, chip, value);
        return;
    }
    f->left[chip] = value + 1;
    f->started[chip] = 0;
    memset(f->buffer[chip], 0xff, sizeof f->buffer[chip]);
    f->mode[chip] = BUFFER_DATA;
}

/* The first word sets the start; the others lie behind it, in the buffer and the block. */
static void buffer_data(struct pflash *f, unsigned chip, uint64_t word, uint16_t value)
{
    if (!f->started[chip]) {
        f->started[chip] = 1;
        f->start[chip] = (uint32_t)word;
    }
    uint64_t start = f->start[chip];
    if (word < start || word - start >= BUFFER_WORDS || word / BLOCK_WORDS != start / BLOCK_WORDS ||
        !f->left[chip]) {
        sequence_error(f, chip, value);
        return;
    }
    f->buffer[chip][word - start] = value;
    if (--f->left[chip] == 0)
        f->mode[chip] = BUFFER_CONFIRM;
}

/* Unwritten words of the buffer are ones and program nothing. */
static void buffer_confirm(struct pflash *f, unsigned chip)
{
    uint64_t words = f->dev.span / PFLASH_BANK_WIDTH;

    for (uint64_t i = 0; i < BUFFER_WORDS && f->start[chip] + i < words; i++) {
        if (f->buffer[chip][i] != 0xffff)
            program(f, chip, f->start[chip] + i, f->buffer[chip][i]);
    }
}

static void confirm(struct pflash *f, unsigned chip, uint64_t word, uint8_t value)
{
    bool lock = f->mode[chip] == LOCK_CONFIRM && (value == CMD_BLOCK_LOCK || value == CMD_LOCK_DOWN);

    if (value != CMD_CONFIRM && !lock) {
        sequence_error(f, chip, value);
        return;
    }
    if (f->mode[chip] == BUFFER_CONFIRM)
        buffer_confirm(f, chip);
    else if (f->mode[chip] == ERASE_CONFIRM)
        erase(f, chip, word);
    f->mode[chip] = READ_STATUS;
}

static void write_chip(struct pflash *f, unsigned chip, uint64_t word, uint16_t value)
{
    switch (f->mode[chip]) {
    case PROGRAM_DATA:
        program(f, chip, word, value);
        f->mode[chip] = READ_STATUS;
        break;
    case BUFFER_COUNT: buffer_count(f, chip, value); break;
    case BUFFER_DATA: buffer_data(f, chip, word, value); break;
    case BUFFER_CONFIRM:
    case ERASE_CONFIRM:
    case LOCK_CONFIRM: confirm(f, chip, word, (uint8_t)value); break;
    default: command(f, chip, (uint8_t)value); break;
    }
}

/* ---- reads ---- */

/* CFI query from word 0x10; what depends on the size is computed. */
enum { QUERY_BASE = 0x10, QUERY_SIZE = 0x27, QUERY_BLOCKS = 0x2d };
static const uint8_t query[] = {
    'Q', 'R', 'Y', 0x01, 0x00, 0x31, 0x00,          /* 10: command set 0001, extended table at 0x31 */
    0x00, 0x00, 0x00, 0x00,                         /* 17: no alternate set */
    0x27, 0x36, 0x00, 0x00,                         /* 1b: Vcc 2.7 to 3.6 V, no Vpp */
    0x07, 0x07, 0x0a, 0x00, 0x04, 0x04, 0x04, 0x00, /* 1f: typical times, factors to maximum */
    0x00, 0x01, 0x00, BUFFER_BYTES_LOG2, 0x00,      /* 27: size (computed), x16, buffer */
    0x01, 0x00, 0x00, 0x00, 0x02,                   /* 2c: one region: blocks - 1 (computed), block / 256 */
    'P', 'R', 'I', '1', '0', 0x00, 0x00, 0x00, 0x00, /* 31: version 1.0, no optional features */
    0x00, 0x00, 0x00, 0x30, 0x00, 0x00,             /* 3a: no suspend, no status, Vcc 3.0 V */
};

static uint16_t query_word(const struct pflash *f, uint64_t word)
{
    uint64_t chip_bytes = f->dev.span / CHIPS, blocks = f->dev.span / PFLASH_SECTOR - 1;

    switch (word) {
    case QUERY_SIZE: return (uint16_t)__builtin_ctzll(chip_bytes);
    case QUERY_BLOCKS: return blocks & 0xff;
    case QUERY_BLOCKS + 1: return blocks >> 8 & 0xff;
    }
    return word >= QUERY_BASE && word - QUERY_BASE < sizeof query ? query[word - QUERY_BASE] : 0;
}

static uint16_t id_word(uint64_t word)
{
    switch (word % BLOCK_WORDS) {
    case 0: return MANUFACTURER;
    case 1: return DEVICE_CODE;
    default: return 0; /* 2 is the block's lock status: unlocked */
    }
}

static uint16_t read_chip(const struct pflash *f, unsigned chip, uint64_t word)
{
    switch (f->mode[chip]) {
    case READ_ARRAY: return get_le16(word_at(f, chip, word));
    case READ_ID: return id_word(word);
    case READ_QUERY: return query_word(f, word);
    default: return f->status[chip];
    }
}

static uint32_t read_word(const struct pflash *f, uint64_t word)
{
    return read_chip(f, 0, word) | (uint32_t)read_chip(f, 1, word) << 16;
}

static uint64_t read_flash(struct device *dev, uint64_t off, unsigned width)
{
    const struct pflash *f = (const struct pflash *)dev;
    uint64_t word = off / PFLASH_BANK_WIDTH;

    if (width == 8)
        return read_word(f, word) | (uint64_t)read_word(f, word + 1) << 32;
    return read_word(f, word) >> off % PFLASH_BANK_WIDTH * 8;
}

static void write_flash(struct device *dev, uint64_t off, unsigned width, uint64_t value)
{
    struct pflash *f = (struct pflash *)dev;

    if (width == 1) {
        value = off & 1 ? value << 8 | 0x00ff : value | 0xff00;
        off &= ~UINT64_C(1);
    }
    for (unsigned done = 0; done < width; done += LANE, value >>= 16) {
        uint64_t at = off + done;
        write_chip(f, at / LANE % CHIPS, at / PFLASH_BANK_WIDTH, (uint16_t)value);
    }
    write_back(f);
}

/* ---- life ---- */

static void settle(struct device *dev)
{
    struct pflash *f = (struct pflash *)dev;

    bus_set_direct(dev->env.bus, dev, f->mode[0] == READ_ARRAY && f->mode[1] == READ_ARRAY);
}

static void reset(struct device *dev)
{
    struct pflash *f = (struct pflash *)dev;

    for (unsigned chip = 0; chip < CHIPS; chip++) {
        f->mode[chip] = READ_ARRAY;
        f->status[chip] = SR_READY;
        f->left[chip] = 0;
        f->started[chip] = 0;
        f->start[chip] = 0;
    }
    memset(f->buffer, 0xff, sizeof f->buffer);
}

static bool valid(const struct device *dev, struct error *e)
{
    const struct pflash *f = (const struct pflash *)dev;

    for (unsigned chip = 0; chip < CHIPS; chip++) {
        if (f->start[chip] >= f->dev.span / PFLASH_BANK_WIDTH)
            return error_set(
                e,
                "%s: the saved buffer starts at word %#x, behind the end of the flash: load the state "
                "into a machine with the options it was saved with",
                dev->id, f->start[chip]);
    }
    return true;
}

static void destroy(struct device *dev)
{
    struct pflash *f = (struct pflash *)dev;

    if (f->drive)
        f->drive->drain(f->drive);
    free(f->dirty);
    free(f);
}

static const struct dev_ops ops = {
    .name = "pflash",
    .widths = WIDTH_1 | WIDTH_2 | WIDTH_4 | WIDTH_8,
    .read = read_flash,
    .write = write_flash,
    .reset = reset,
    .settle = settle,
    .valid = valid,
    .destroy = destroy,
    .fields = fields,
    .size = sizeof(struct pflash),
};

bool pflash_load(struct device *dev, struct error *e)
{
    struct pflash *f = (struct pflash *)dev;
    uint64_t end = f->pages * PAGE;

    if (!f->drive)
        return true;
    memset(f->contents->host, 0xff, dev->span);
    for (uint64_t at = 0; at < end && at < f->drive->size; at += CHUNK) {
        uint64_t size = f->drive->size < end ? f->drive->size : end;
        uint64_t n = size - at < CHUNK ? size - at : CHUNK;
        submit(f, BLOCK_READ, at, n);
        f->drive->drain(f->drive);
        if (f->in_flight || f->result != BLOCK_OK)
            return error_set(e, "%s: reading %llu bytes at %#llx of its drive failed: check the image file",
                             dev->id, (unsigned long long)n, (unsigned long long)at);
        memcpy(f->contents->host + at, f->chunk, n);
    }
    return true;
}

struct device *pflash_new(const char *id, const struct dev_env *env, uint64_t span, struct ram *contents,
                          struct block_port *drive)
{
    struct pflash *f = alloc_zeroed(sizeof *f);

    assert(span >= 2 * PFLASH_SECTOR && !(span & (span - 1)) && contents->size >= span);
    device_init(&f->dev, &ops, id, env);
    f->dev.span = span;
    f->contents = contents;
    f->drive = drive;
    if (drive)
        f->pages = ((drive->size < span ? drive->size : span) + PAGE - 1) / PAGE;
    f->dirty = alloc_zeroed(f->pages);
    device_reset(&f->dev);
    return &f->dev;
}
