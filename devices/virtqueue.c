/*
 * virtqueue.c - split and packed virtqueues: OASIS VIRTIO 1.2, sections 2.7 and 2.8.
 *
 * Fences: a chain's descriptors are read after the index (flags) that made it available: acquire. The used
 * index (first used flags) is stored after the used elements and the buffers: release. Two places need
 * store-load order, each against its mirror image in the driver: asking for a doorbell, then looking for
 * chains once more; and publishing, then reading whether an interrupt is wanted.
 *
 * Doorbells are suppressed by the event index only; without it (VIRTQ_USED_F_NO_NOTIFY) they all come.
 *
 * Gaps: VIRTIO_F_IN_ORDER and VIRTIO_F_NOTIFICATION_DATA are not offered.
 */
#include "virtqueue.h"

#include <stdatomic.h>

#include "bits.h"

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4, DESC_AVAIL = 1 << 7, DESC_USED = 1 << 15 };
enum { DESC_SIZE = 16, AVAIL_NO_INTERRUPT = 1 };
enum { EVENT_ENABLE, EVENT_DISABLE, EVENT_DESC }; /* packed: event suppression flags, 2.8.14 */

/* Link: split, the next index; packed, the buffer id. */
struct desc {
    uint64_t gpa;
    uint32_t len;
    uint16_t flags, link;
};

static bool is_packed(const struct virtqueue *q)
{
    return q->format & VQ_PACKED;
}

static bool broke(struct virtqueue *q, const char *why)
{
    if (!q->broken)
        q->broken = why;
    return false;
}

static bool ring_read(struct virtqueue *q, uint64_t gpa, void *buf, size_t len)
{
    return dma_read(q->bus, gpa, buf, len) || broke(q, "a ring lies outside of RAM");
}

static bool ring_write(struct virtqueue *q, uint64_t gpa, const void *buf, size_t len)
{
    return dma_write(q->bus, gpa, buf, len) || broke(q, "a ring lies outside of RAM");
}

static bool ring_read16(struct virtqueue *q, uint64_t gpa, uint16_t *value)
{
    uint8_t raw[2];

    if (!ring_read(q, gpa, raw, sizeof raw))
        return false;
    *value = get_le16(raw);
    return true;
}

static bool ring_write16(struct virtqueue *q, uint64_t gpa, uint16_t value)
{
    uint8_t raw[2];

    put_le16(raw, value);
    return ring_write(q, gpa, raw, sizeof raw);
}

static struct desc decode(const struct virtqueue *q, const uint8_t *raw)
{
    struct desc d = { get_le64(raw), get_le32(raw + 8), get_le16(raw + 12), get_le16(raw + 14) };

    if (is_packed(q)) {
        uint16_t flags = d.link;
        d.link = d.flags;
        d.flags = flags;
    }
    return d;
}

static bool read_desc(struct virtqueue *q, unsigned i, struct desc *d)
{
    uint8_t raw[DESC_SIZE];

    if (!ring_read(q, q->desc + (uint64_t)i * DESC_SIZE, raw, sizeof raw))
        return false;
    *d = decode(q, raw);
    return true;
}

/* ---- registers ---- */

struct ring_layout {
    uint64_t bytes, align;
};

/* Descriptors, driver area, device area (2.7, 2.8.10). */
static void layout(const struct virtqueue *q, struct ring_layout l[3])
{
    uint64_t n = q->size;

    l[0] = (struct ring_layout){ DESC_SIZE * n, 16 };
    l[1] = is_packed(q) ? (struct ring_layout){ 4, 4 } : (struct ring_layout){ 6 + 2 * n, 2 };
    l[2] = is_packed(q) ? (struct ring_layout){ 4, 4 } : (struct ring_layout){ 6 + 8 * n, 4 };
}

static const char *check_registers(const struct virtqueue *q)
{
    uint64_t base[3] = { q->desc, q->driver, q->device };
    struct ring_layout l[3];

    if (!q->size || q->size > q->max)
        return "queue size is 0 or above the maximum";
    if (!is_packed(q) && q->size & (q->size - 1))
        return "size of a split queue is not a power of two";
    layout(q, l);
    for (unsigned i = 0; i < 3; i++) {
        if (base[i] & (l[i].align - 1))
            return "a ring is not aligned";
        if (!in_range(base[i], l[i].bytes, UINT64_MAX))
            return "a ring wraps around the address space";
    }
    return NULL;
}

void vq_init(struct virtqueue *q, struct bus *bus, uint16_t max)
{
    *q = (struct virtqueue){ .bus = bus, .max = max, .size = max };
}

const char *vq_start(struct virtqueue *q, unsigned format)
{
    q->format = (uint8_t)format;
    const char *wrong = check_registers(q);

    if (wrong)
        return wrong;
    q->avail = q->used = q->unsignalled = 0;
    q->avail_wrap = q->used_wrap = 1;
    q->puts = 0;
    q->broken = NULL;
    q->ready = 1;
    return NULL;
}

void vq_stop(struct virtqueue *q)
{
    vq_init(q, q->bus, q->max);
}

bool vq_valid(const struct virtqueue *q, struct error *e)
{
    if (!q->ready)
        return true;
    const char *wrong = check_registers(q);
    if (!wrong && is_packed(q) && (q->avail >= q->size || q->used >= q->size))
        wrong = "a position lies outside of the ring";
    return wrong ? error_set(e, "virtqueue: %s", wrong) : true;
}

/* ---- taking chains ---- */

static bool add_segment(struct virtqueue *q, struct vq_chain *c, const struct desc *d)
{
    bool writable = d->flags & DESC_WRITE;
    unsigned n = c->readable + c->writable;

    if (n == VQ_MAX_SIZE)
        return broke(q, "a chain is too long");
    if (!writable && c->writable)
        return broke(q, "a readable descriptor follows a writable one");
    if (!in_range(d->gpa, d->len, UINT64_MAX))
        return broke(q, "a buffer wraps around the address space");
    if (c->read_len + c->write_len + d->len > UINT32_MAX)
        return broke(q, "a chain has more than 4 GiB");
    c->seg[n] = (struct vq_segment){ d->gpa, d->len };
    if (writable) {
        c->writable++;
        c->write_len += d->len;
    } else {
        c->readable++;
        c->read_len += d->len;
    }
    return true;
}

/* The chain inside an indirect table (2.7.5.3, 2.8.7): split tables are linked by index, packed ones are
 * in order. */
static bool walk_indirect(struct virtqueue *q, struct vq_chain *c, const struct desc *table)
{
    uint8_t raw[VQ_MAX_SIZE * DESC_SIZE];
    unsigned count = table->len / DESC_SIZE, i = 0;

    if (!(q->format & VQ_INDIRECT) || table->flags & DESC_NEXT)
        return broke(q, "an indirect descriptor where none may be");
    if (!count || count > VQ_MAX_SIZE || table->len % DESC_SIZE)
        return broke(q, "an indirect table has a bad length");
    if (!in_range(table->gpa, table->len, UINT64_MAX) || !dma_read(q->bus, table->gpa, raw, table->len))
        return broke(q, "an indirect table lies outside of RAM");
    for (unsigned n = 0; n < count; n++) {
        struct desc d = decode(q, raw + i * DESC_SIZE);
        if (d.flags & DESC_INDIRECT)
            return broke(q, "an indirect table in an indirect table");
        if (!add_segment(q, c, &d))
            return false;
        if (!is_packed(q) && !(d.flags & DESC_NEXT))
            return true;
        i = is_packed(q) ? i + 1 : d.link;
        if (i >= count && !is_packed(q))
            return broke(q, "a descriptor's next lies outside of its table");
    }
    return is_packed(q) || broke(q, "a chain loops");
}

static bool split_walk(struct virtqueue *q, struct vq_chain *c)
{
    unsigned i = c->id;

    for (unsigned n = 0; n < q->size; n++) {
        struct desc d;
        if (i >= q->size)
            return broke(q, "a descriptor index lies outside of the ring");
        if (!read_desc(q, i, &d))
            return false;
        if (d.flags & DESC_INDIRECT)
            return walk_indirect(q, c, &d);
        if (!add_segment(q, c, &d))
            return false;
        if (!(d.flags & DESC_NEXT))
            return true;
        i = d.link;
    }
    return broke(q, "a chain loops");
}

static bool split_pop(struct virtqueue *q, struct vq_chain *c)
{
    if (!ring_read16(q, q->driver + 4 + 2 * (uint64_t)(q->avail & (q->size - 1)), &c->id) ||
        !split_walk(q, c))
        return false;
    q->avail++;
    return true;
}

static bool packed_pop(struct virtqueue *q, struct vq_chain *c)
{
    unsigned i = q->avail;

    for (unsigned n = 1; n <= q->size; n++) {
        struct desc d;
        if (!read_desc(q, i, &d))
            return false;
        if (d.flags & DESC_INDIRECT ? n > 1 || !walk_indirect(q, c, &d) : !add_segment(q, c, &d))
            return broke(q, "an indirect descriptor where none may be");
        i = i + 1 == q->size ? 0 : i + 1;
        if (d.flags & DESC_NEXT)
            continue;
        c->id = d.link;
        c->slots = (uint16_t)n;
        q->avail_wrap ^= i <= q->avail;
        q->avail = (uint16_t)i;
        return true;
    }
    return broke(q, "a chain is longer than its ring");
}

static bool split_ready(struct virtqueue *q, bool *ready)
{
    uint16_t idx;

    if (!ring_read16(q, q->driver + 2, &idx))
        return false;
    if ((uint16_t)(idx - q->avail) > q->size)
        return broke(q, "the available index ran ahead by more than the ring");
    *ready = idx != q->avail;
    return true;
}

static bool packed_ready(struct virtqueue *q, bool *ready)
{
    uint16_t flags;

    if (!ring_read16(q, q->desc + (uint64_t)q->avail * DESC_SIZE + 14, &flags))
        return false;
    *ready = !!(flags & DESC_AVAIL) == q->avail_wrap && !!(flags & DESC_USED) != q->avail_wrap;
    return true;
}

static bool look(struct virtqueue *q)
{
    bool ready = false;

    if (!(is_packed(q) ? packed_ready(q, &ready) : split_ready(q, &ready)))
        return false;
    atomic_thread_fence(memory_order_acquire);
    return ready;
}

/* Without the event index the driver rings for every chain anyway. */
static bool ask_for_doorbell(struct virtqueue *q)
{
    uint8_t raw[4];

    if (!is_packed(q))
        return ring_write16(q, q->device + 4 + 8 * (uint64_t)q->size, q->avail);
    put_le16(raw, (uint16_t)(q->avail | q->avail_wrap << 15));
    put_le16(raw + 2, EVENT_DESC);
    return ring_write(q, q->device, raw, sizeof raw);
}

bool vq_available(struct virtqueue *q)
{
    if (!q->ready || q->broken)
        return false;
    if (look(q))
        return true;
    if (q->broken || !(q->format & VQ_EVENT_IDX) || !ask_for_doorbell(q))
        return false;
    atomic_thread_fence(memory_order_seq_cst);
    return look(q);
}

bool vq_pop(struct virtqueue *q, struct vq_chain *c)
{
    if (!vq_available(q))
        return false;
    c->id = c->slots = c->readable = c->writable = 0;
    c->read_len = c->write_len = 0;
    return is_packed(q) ? packed_pop(q, c) : split_pop(q, c);
}

struct vq_mark vq_mark(const struct virtqueue *q)
{
    return (struct vq_mark){ q->avail, q->avail_wrap };
}

void vq_rewind(struct virtqueue *q, struct vq_mark mark)
{
    q->avail = mark.avail;
    q->avail_wrap = mark.wrap;
    q->puts = 0;
}

/* ---- buffers ---- */

/* The next piece of [off, off + len) in the segments: its address and length. */
static uint64_t piece(const struct vq_segment **seg, const struct vq_segment *end, uint64_t *off,
                      uint64_t len, uint64_t *gpa)
{
    while (*seg < end && *off >= (*seg)->len)
        *off -= (*seg)++->len;
    if (*seg == end)
        return 0;
    uint64_t room = (*seg)->len - *off;
    *gpa = (*seg)->gpa + *off;
    return room < len ? room : len;
}

bool vq_read(struct virtqueue *q, const struct vq_chain *c, uint64_t off, void *buf, uint64_t len)
{
    const struct vq_segment *seg = c->seg;
    uint8_t *to = buf;

    while (len) {
        uint64_t gpa, n = piece(&seg, c->seg + c->readable, &off, len, &gpa);
        if (!n || !dma_read(q->bus, gpa, to, n))
            return broke(q, n ? "a buffer lies outside of RAM" : "a request is too short");
        to += n;
        off += n;
        len -= n;
    }
    return true;
}

bool vq_write(struct virtqueue *q, const struct vq_chain *c, uint64_t off, const void *buf, uint64_t len)
{
    const struct vq_segment *seg = c->seg + c->readable;
    const uint8_t *from = buf;

    while (len) {
        uint64_t gpa, n = piece(&seg, c->seg + c->readable + c->writable, &off, len, &gpa);
        if (!n || !dma_write(q->bus, gpa, from, n))
            return broke(q, n ? "a buffer lies outside of RAM" : "a request has no room for the answer");
        from += n;
        off += n;
        len -= n;
    }
    return true;
}

/* ---- giving them back ---- */

bool vq_put(struct virtqueue *q, const struct vq_chain *c, uint32_t written)
{
    if (!q->ready || q->broken || q->puts == VQ_BATCH)
        return false;
    q->put[q->puts++] = (struct vq_used){ c->id, c->slots, written };
    return true;
}

static void split_publish(struct virtqueue *q)
{
    uint8_t raw[8];

    for (unsigned i = 0; i < q->puts; i++) {
        unsigned slot = (q->used + i) & (q->size - 1u);
        put_le32(raw, q->put[i].id);
        put_le32(raw + 4, q->put[i].written);
        ring_write(q, q->device + 4 + 8 * (uint64_t)slot, raw, sizeof raw);
    }
    atomic_thread_fence(memory_order_release);
    q->used = (uint16_t)(q->used + q->puts);
    ring_write16(q, q->device + 2, q->used);
}

/* The flags of the first slot come last: the driver looks at no later slot before (2.8.6). Slots
 * published. */
static unsigned packed_publish(struct virtqueue *q)
{
    uint64_t first = q->desc + (uint64_t)q->used * DESC_SIZE;
    uint16_t first_flags = 0;
    unsigned slots = 0;
    uint8_t raw[8];

    for (unsigned i = 0; i < q->puts; i++) {
        const struct vq_used *u = &q->put[i];
        unsigned wrap = q->used_wrap ? DESC_AVAIL | DESC_USED : 0;
        uint16_t flags = (uint16_t)(wrap | (u->written ? DESC_WRITE : 0));
        put_le32(raw, u->written);
        put_le16(raw + 4, u->id);
        put_le16(raw + 6, flags);
        ring_write(q, q->desc + (uint64_t)q->used * DESC_SIZE + 8, raw, i ? 8 : 6);
        if (!i)
            first_flags = flags;
        slots += u->slots;
        q->used_wrap ^= q->used + u->slots >= q->size;
        q->used = (uint16_t)((q->used + u->slots) % q->size);
    }
    atomic_thread_fence(memory_order_release);
    ring_write16(q, first + 14, first_flags);
    return slots;
}

void vq_publish(struct virtqueue *q)
{
    unsigned n = q->puts;

    if (!n || !q->ready || q->broken)
        return;
    if (is_packed(q))
        n = packed_publish(q);
    else
        split_publish(q);
    q->puts = 0;
    n += q->unsignalled;
    q->unsignalled = (uint16_t)(n < UINT16_MAX ? n : UINT16_MAX);
}

static bool split_wants(struct virtqueue *q, uint16_t published)
{
    uint16_t word;

    if (!(q->format & VQ_EVENT_IDX))
        return ring_read16(q, q->driver, &word) && !(word & AVAIL_NO_INTERRUPT);
    return ring_read16(q, q->driver + 4 + 2 * (uint64_t)q->size, &word) &&
           (uint16_t)(q->used - word - 1) < published;
}

/* Is the driver's event slot among those that were passed? Slots of two laps are numbered in one row. */
static bool packed_wants(struct virtqueue *q, uint16_t published)
{
    uint8_t raw[4];
    uint32_t laps = 2u * q->size;

    if (!ring_read(q, q->driver, raw, sizeof raw))
        return false;
    unsigned mode = raw[2] & 3;
    if (mode != EVENT_DESC || !(q->format & VQ_EVENT_IDX))
        return mode != EVENT_DISABLE;
    uint16_t event = get_le16(raw);
    uint32_t event_pos = (event & 0x7fffu) % q->size + (event >> 15 ? 0 : q->size);
    uint32_t pos = q->used + (q->used_wrap ? 0u : q->size);
    uint32_t passed = (pos + laps - event_pos) % laps;
    return published >= laps || (passed && passed <= published);
}

bool vq_wants_interrupt(struct virtqueue *q)
{
    uint16_t published = q->unsignalled;

    if (!published || !q->ready || q->broken)
        return false;
    q->unsignalled = 0;
    atomic_thread_fence(memory_order_seq_cst);
    return is_packed(q) ? packed_wants(q, published) : split_wants(q, published);
}
