/*
 * harness-virtio.c - see harness-virtio.h. The driver follows OASIS VIRTIO 1.2, sections 2.7.13, 2.8.21 and
 * 3.1.1.
 */
#include "harness-virtio-impl.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "virtio-blk.h"
#include "virtio-console.h"
#include "virtio-mmio.h"
#include "virtio-net.h"
#include "virtio-rng.h"

enum { NEXT = 1, WRITE = 2, INDIRECT = 4, AVAIL = 1 << 7, USED = 1 << 15 };

#define OWNER(port, member) ((struct vt *)((char *)(port)-offsetof(struct vt, member)))

/* ---- fake host ends ---- */

static void block_submit(struct block_port *port, struct block_request *req)
{
    struct vt *t = OWNER(port, block);

    if (t->in_flight == MAX_FLIGHT || !in_range(req->offset, req->len, VT_DISK_SIZE) || req->len % 512)
        abort();
    t->flight[t->in_flight++] = req;
}

static enum block_status carry_out(struct vt *t, const struct block_request *req)
{
    switch (req->op) {
    case BLOCK_READ: memcpy(req->buf, t->disk + req->offset, req->len); break;
    case BLOCK_WRITE: memcpy(t->disk + req->offset, req->buf, req->len); break;
    case BLOCK_DISCARD: memset(t->disk + req->offset, 0xdd, req->len); break;
    case BLOCK_ZEROES: memset(t->disk + req->offset, 0, req->len); break;
    case BLOCK_FLUSH: break;
    }
    t->served[req->op]++;
    return BLOCK_OK;
}

unsigned vt_serve(struct vt *t, unsigned n, bool fail)
{
    unsigned served = 0;

    while (t->in_flight && served < n) {
        struct block_request *req = t->flight[0];
        memmove(t->flight, t->flight + 1, --t->in_flight * sizeof t->flight[0]);
        req->done(req, fail ? BLOCK_IO_ERROR : carry_out(t, req));
        served++;
    }
    return served;
}

static void block_drain(struct block_port *port)
{
    vt_serve(OWNER(port, block), UINT32_MAX, false);
}

static void net_send(struct net_port *port, const uint8_t *frame, size_t len)
{
    struct vt *t = OWNER(port, net);

    memcpy(t->sent, frame, len);
    t->sent_len = len;
    t->sent_count++;
}

static void net_poke(struct net_port *port)
{
    OWNER(port, net)->pokes++;
}

static void rng_fill(struct rng_port *port, uint8_t *buf, size_t len)
{
    struct vt *t = OWNER(port, rng);

    for (size_t i = 0; i < len; i++)
        buf[i] = ++t->rng_next;
}

static void char_write(struct char_port *port, const uint8_t *buf, size_t len)
{
    struct vt *t = OWNER(port, chars);
    size_t n = len < OUTPUT_MAX - t->output_len ? len : OUTPUT_MAX - t->output_len;

    memcpy(t->output + t->output_len, buf, n);
    t->output_len += n;
}

static void char_poke(struct char_port *port)
{
    OWNER(port, chars)->pokes++;
}

/* ---- the machine ---- */

static void set_irq(void *owner, unsigned n, bool level)
{
    ((struct vt *)owner)->irq = level;
}

static struct virtio *new_backend(struct vt *t, const struct dev_env *env)
{
    switch (t->kind) {
    case VT_BLK: return virtio_blk_new("disk0", env, &t->block);
    case VT_NET: return virtio_net_new("net0", env, &t->net);
    case VT_RNG: return virtio_rng_new("rng0", env, &t->rng);
    case VT_CONSOLE: return virtio_console_new("con0", env, &t->chars);
    default: return NULL;
    }
}

static struct vt *build(enum vt_kind kind, bool read_only)
{
    struct vt *t = calloc(1, sizeof *t);
    struct error e;

    t->kind = kind;
    t->trace = trace_new(stderr);
    t->clock = clock_new(0, 0);
    t->bus = bus_new(t->trace);
    t->ram = ram_new("ram", VT_RAM_SIZE, &e);
    t->block = (struct block_port){ VT_DISK_SIZE, read_only, true, "LYRE-0001", block_submit, block_drain };
    t->net = (struct net_port){ .send = net_send, .poke = net_poke, .mac = { 2, 0, 0, 0x12, 0x34, 0x56 } };
    t->rng.fill = rng_fill;
    t->chars = (struct char_port){ .write = char_write, .poke = char_poke };
    struct dev_env env = { t->bus, t->clock, t->trace };
    t->backend = new_backend(t, &env);
    t->slot = virtio_mmio_new("slot0", &env, t->backend);
    line_connect(virtio_mmio_irq(t->slot), set_irq, t, 0);
    if (!t->ram || !bus_add_memory(t->bus, BUS_RAM, VT_RAM, t->ram, VT_RAM_SIZE, &e) ||
        !bus_add_device(t->bus, VT_MMIO, t->slot, NULL, &e)) {
        fprintf(stderr, "%s\n", e.text);
        abort();
    }
    vt_reset_machine(t);
    return t;
}

struct vt *vt_new(enum vt_kind kind)
{
    return build(kind, false);
}

struct vt *vt_new_read_only(void)
{
    return build(VT_BLK, true);
}

void vt_free(struct vt *t, bool slot_first)
{
    if (slot_first)
        device_destroy(t->slot);
    if (t->backend)
        device_destroy(virtio_device(t->backend));
    if (!slot_first)
        device_destroy(t->slot);
    bus_free(t->bus);
    clock_free(t->clock);
    ram_free(t->ram);
    trace_free(t->trace);
    free(t);
}

void vt_reset_machine(struct vt *t)
{
    device_reset(t->slot);
    if (t->backend)
        device_reset(virtio_device(t->backend));
}

void vt_tick(struct vt *t)
{
    clock_advance_to(t->clock, clock_now(t->clock) + 1000);
    clock_run(t->clock);
}

/* ---- registers ---- */

bool vt_access(struct vt *t, uint64_t off, unsigned width, bool write, uint64_t *value)
{
    return (write ? bus_write(t->bus, VT_MMIO + off, width, *value)
                  : bus_read(t->bus, VT_MMIO + off, width, value)) == BUS_OK;
}

uint32_t vt_read(struct vt *t, uint64_t off)
{
    uint64_t value = 0;

    return vt_access(t, off, 4, false, &value) ? (uint32_t)value : 0xdeadbeef;
}

void vt_write(struct vt *t, uint64_t off, uint32_t value)
{
    uint64_t wide = value;

    if (!vt_access(t, off, 4, true, &wide))
        abort();
}

uint32_t vt_config(struct vt *t, unsigned off, unsigned width)
{
    uint64_t value = 0;

    return vt_access(t, R_CONFIG + off, width, false, &value) ? (uint32_t)value : 0xdeadbeef;
}

void vt_config_write(struct vt *t, unsigned off, unsigned width, uint32_t value)
{
    uint64_t wide = value;

    if (!vt_access(t, R_CONFIG + off, width, true, &wide))
        abort();
}

bool vt_irq(const struct vt *t)
{
    return t->irq;
}

void vt_ack(struct vt *t)
{
    vt_write(t, R_ISR_ACK, vt_read(t, R_ISR));
}

uint8_t *vt_mem(struct vt *t, uint64_t gpa)
{
    return bus_memory(t->bus, gpa, 1, true);
}

/* ---- the driver: set-up ---- */

uint64_t vt_offered(struct vt *t)
{
    vt_write(t, R_FEATURES_SEL, 1);
    uint64_t high = vt_read(t, R_FEATURES);
    vt_write(t, R_FEATURES_SEL, 0);
    return high << 32 | vt_read(t, R_FEATURES);
}

unsigned vt_negotiate(struct vt *t, uint64_t features)
{
    vt_write(t, R_STATUS, 0);
    vt_write(t, R_STATUS, VIRTIO_ACKNOWLEDGE);
    vt_write(t, R_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    for (unsigned word = 0; word < 2; word++) {
        vt_write(t, R_ACCEPT_SEL, word);
        vt_write(t, R_ACCEPT, (uint32_t)(features >> 32 * word));
    }
    vt_write(t, R_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    t->features = features;
    return vt_read(t, R_STATUS);
}

uint64_t vt_desc(unsigned queue)
{
    return VT_RAM + (uint64_t)queue * QUEUE_BYTES;
}

uint64_t vt_driver(unsigned queue)
{
    return vt_desc(queue) + DRIVER_OFF;
}

uint64_t vt_device(unsigned queue)
{
    return vt_desc(queue) + DEVICE_OFF;
}

static void write_address(struct vt *t, uint64_t reg, uint64_t gpa)
{
    vt_write(t, reg, (uint32_t)gpa);
    vt_write(t, reg + 4, (uint32_t)(gpa >> 32));
}

void vt_setup_queue(struct vt *t, unsigned queue, unsigned size)
{
    memset(vt_mem(t, vt_desc(queue)), 0, QUEUE_BYTES);
    t->ring[queue] = (struct ring){ .size = size, .avail_wrap = true, .used_wrap = true };
    vt_write(t, R_QUEUE_SEL, queue);
    vt_write(t, R_NUM, size);
    write_address(t, R_DESC, vt_desc(queue));
    write_address(t, R_DRIVER, vt_driver(queue));
    write_address(t, R_DEVICE, vt_device(queue));
    vt_write(t, R_READY, 1);
}

unsigned vt_start(struct vt *t, uint64_t features, unsigned size)
{
    unsigned status = vt_negotiate(t, features);

    for (unsigned n = 0; n < VIRTIO_QUEUES; n++) {
        vt_write(t, R_QUEUE_SEL, n);
        unsigned max = vt_read(t, R_NUM_MAX);
        if (max)
            vt_setup_queue(t, n, size < max ? size : max);
    }
    vt_write(t, R_STATUS, status | VIRTIO_DRIVER_OK);
    return vt_read(t, R_STATUS);
}

/* ---- the driver: rings ---- */

/* What another thread may read at the same time is stored and loaded whole. */
static void store16(uint8_t *p, unsigned v)
{
    atomic_thread_fence(memory_order_release);
    __atomic_store_n((uint16_t *)(void *)p, (uint16_t)v, __ATOMIC_RELAXED);
}

static uint16_t load16(const uint8_t *p)
{
    uint16_t v = __atomic_load_n((const uint16_t *)(const void *)p, __ATOMIC_RELAXED);

    atomic_thread_fence(memory_order_acquire);
    return v;
}

static void put_desc(struct vt *t, uint64_t at, const struct vt_buf *b, unsigned flags, unsigned link)
{
    uint8_t *d = vt_mem(t, at);
    bool packed = has(t, VIRTIO_F_RING_PACKED);

    put_le64(d, b->gpa);
    put_le32(d + 8, b->len);
    put_le16(d + (packed ? 12 : 14), (uint16_t)link);
    store16(d + (packed ? 14 : 12), flags | (b->writable ? WRITE : 0));
}

/* Writes the buffers as an indirect table; the descriptor that refers to it. */
static struct vt_buf put_table(struct vt *t, unsigned queue, unsigned id, const struct vt_buf *bufs,
                               unsigned n)
{
    uint64_t table = vt_desc(queue) + TABLE_OFF + (uint64_t)id * TABLE_BYTES;
    bool packed = has(t, VIRTIO_F_RING_PACKED);

    for (unsigned i = 0; i < n; i++)
        put_desc(t, table + 16 * i, &bufs[i], i + 1 < n && !packed ? NEXT : 0, packed ? 0 : i + 1);
    return (struct vt_buf){ table, 16 * n, false };
}

static unsigned add_split(struct vt *t, unsigned queue, const struct vt_buf *bufs, unsigned n, unsigned flags)
{
    struct ring *r = &t->ring[queue];
    unsigned head = r->next_free;

    for (unsigned i = 0; i < n; i++) {
        unsigned at = r->next_free, next = (at + 1) % r->size;
        put_desc(t, vt_desc(queue) + 16 * at, &bufs[i], flags | (i + 1 < n ? NEXT : 0), next);
        r->next_free = (uint16_t)next;
    }
    put_le16(vt_mem(t, vt_driver(queue) + 4 + 2 * (r->avail & (r->size - 1))), (uint16_t)head);
    r->added++;
    store16(vt_mem(t, vt_driver(queue) + 2), ++r->avail);
    return head;
}

static unsigned add_packed(struct vt *t, unsigned queue, const struct vt_buf *bufs, unsigned n,
                           unsigned flags)
{
    struct ring *r = &t->ring[queue];
    unsigned id = r->next_free, first = r->avail, first_flags = 0;

    for (unsigned i = 0; i < n; i++) {
        unsigned f =
            flags | (i + 1 < n ? NEXT : 0) | (bufs[i].writable ? WRITE : 0) | (r->avail_wrap ? AVAIL : USED);
        if (i)
            put_desc(t, vt_desc(queue) + 16 * r->avail, &bufs[i], f, id);
        else
            first_flags = f;
        r->avail++;
        if (r->avail == r->size) {
            r->avail = 0;
            r->avail_wrap = !r->avail_wrap;
        }
    }
    put_desc(t, vt_desc(queue) + 16 * first, &bufs[0], first_flags, id);
    r->slots[id] = (uint16_t)n;
    r->added += n;
    r->next_free = (uint16_t)((id + 1) % r->size);
    return id;
}

unsigned vt_add(struct vt *t, unsigned queue, const struct vt_buf *bufs, unsigned n, bool indirect)
{
    struct vt_buf table;

    if (indirect) {
        table = put_table(t, queue, t->ring[queue].next_free, bufs, n);
        bufs = &table;
        n = 1;
    }
    return (has(t, VIRTIO_F_RING_PACKED) ? add_packed : add_split)(t, queue, bufs, n,
                                                                   indirect ? INDIRECT : 0);
}

/* Packed: is the device's event, a slot of this lap or the one before, among the last `added`? One word
 * has it and the flags. */
static bool packed_wants(const struct ring *r, const uint8_t *area, unsigned added)
{
    uint32_t word = __atomic_load_n((const uint32_t *)(const void *)area, __ATOMIC_RELAXED);
    int at = (int)(word & 0x7fff) - ((word >> 15 & 1) != r->avail_wrap ? (int)r->size : 0);

    return word >> 16 == 2 ? r->avail - (int)added <= at && at < r->avail : word >> 16 == 0;
}

/* 2.7.10.1, 2.8.14: without the event index the device always wants one, unless it says otherwise. */
bool vt_wants_doorbell(struct vt *t, unsigned queue)
{
    struct ring *r = &t->ring[queue];
    const uint8_t *area = vt_mem(t, vt_device(queue));
    unsigned added = r->added;

    r->added = 0;
    atomic_thread_fence(memory_order_seq_cst);
    if (has(t, VIRTIO_F_RING_PACKED))
        return packed_wants(r, area, added);
    if (!has(t, VIRTIO_F_EVENT_IDX))
        return !(load16(area) & 1);
    return (uint16_t)(r->avail - load16(area + 4 + 8 * r->size) - 1) < added;
}

void vt_kick(struct vt *t, unsigned queue)
{
    vt_write(t, R_NOTIFY, queue);
}

static bool get_split(struct vt *t, unsigned queue, unsigned *id, uint32_t *len)
{
    struct ring *r = &t->ring[queue];
    const uint8_t *area = vt_mem(t, vt_device(queue));

    if (load16(area + 2) == r->used)
        return false;
    const uint8_t *element = area + 4 + 8 * (r->used++ & (r->size - 1));
    *id = get_le32(element);
    *len = get_le32(element + 4);
    return true;
}

static bool get_packed(struct vt *t, unsigned queue, unsigned *id, uint32_t *len)
{
    struct ring *r = &t->ring[queue];
    const uint8_t *d = vt_mem(t, vt_desc(queue) + 16 * r->used);
    unsigned flags = load16(d + 14);

    if (!!(flags & AVAIL) != r->used_wrap || !!(flags & USED) != r->used_wrap)
        return false;
    *id = get_le16(d + 12);
    *len = get_le32(d + 8);
    r->used = (uint16_t)(r->used + r->slots[*id % MAX_IDS]);
    if (r->used >= r->size) {
        r->used = (uint16_t)(r->used - r->size);
        r->used_wrap = !r->used_wrap;
    }
    return true;
}

bool vt_get(struct vt *t, unsigned queue, unsigned *id, uint32_t *len)
{
    return (has(t, VIRTIO_F_RING_PACKED) ? get_packed : get_split)(t, queue, id, len);
}

/* Packed: n slots of one descriptor each. */
void vt_interrupt_after(struct vt *t, unsigned queue, unsigned n)
{
    struct ring *r = &t->ring[queue];
    uint8_t *area = vt_mem(t, vt_driver(queue));
    unsigned at = r->used + n - 1;

    if (!has(t, VIRTIO_F_RING_PACKED)) {
        store16(area + 4 + 2 * r->size, at);
    } else {
        uint32_t event = at % r->size | (uint32_t)(r->used_wrap ^ (at >= r->size)) << 15;
        __atomic_store_n((uint32_t *)(void *)area, 2u << 16 | event, __ATOMIC_RELAXED);
    }
    atomic_thread_fence(memory_order_seq_cst);
}

void vt_no_interrupts(struct vt *t, unsigned queue, bool none)
{
    put_le16(vt_mem(t, vt_driver(queue)) + (has(t, VIRTIO_F_RING_PACKED) ? 2 : 0), none);
}

/* ---- the host's side ---- */

uint8_t *vt_disk(struct vt *t)
{
    return t->disk;
}

unsigned vt_in_flight(const struct vt *t)
{
    return t->in_flight;
}

unsigned vt_served(const struct vt *t, int op)
{
    return t->served[op];
}

const uint8_t *vt_sent(const struct vt *t, size_t *len, unsigned *count)
{
    *len = t->sent_len;
    *count = t->sent_count;
    return t->sent;
}

bool vt_can_receive(struct vt *t)
{
    return t->net.can_receive(t->net.dev);
}

void vt_receive(struct vt *t, const void *buf, size_t len)
{
    if (t->kind == VT_NET)
        t->net.receive(t->net.dev, buf, len);
    else
        t->chars.receive(t->chars.dev, buf, len);
}

void vt_link(struct vt *t, bool up)
{
    t->net.link(t->net.dev, up);
}

unsigned vt_pokes(const struct vt *t)
{
    return t->pokes;
}

const uint8_t *vt_output(const struct vt *t, size_t *len)
{
    *len = t->output_len;
    return t->output;
}

size_t vt_console_room(struct vt *t)
{
    return t->chars.can_receive(t->chars.dev);
}

void vt_resize(struct vt *t, unsigned cols, unsigned rows)
{
    virtio_console_resize(t->backend, (uint16_t)cols, (uint16_t)rows);
}
