/* virtio.c - drivers of VIRTIO devices (OASIS VIRTIO 1.2) that are right in most things, and wrong somewhere. */
#include "abuse.h"

enum {
    DEVICE_ID = 0x008, FEATURES = 0x010, FEATURES_SEL = 0x014, DRIVER_FEATURES = 0x020, DRIVER_SEL = 0x024,
    QUEUE_SEL = 0x030, QUEUE_MAX = 0x034, QUEUE_NUM = 0x038, QUEUE_READY = 0x044, NOTIFY = 0x050, IRQ_ACK = 0x064,
    STATUS = 0x070, DESC = 0x080, DRIVER = 0x090, DEVICE = 0x0a0, QUEUE_RESET = 0x0c0,
};
enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };
enum { ID_NET = 1, ID_BLK = 2 };
enum { QUEUES = 4, RING_SPAN = 0x10000, DRIVER_AT = 0x6000, DEVICE_AT = 0x8000, DATA_AT = 0xc000 };

static uint64_t slot_base(unsigned slot)
{
    return VIRTIO + slot * UINT64_C(0x1000);
}

/* Rings are where they always are, so that chains can be added without remembering anything. */
static uint64_t ring_base(unsigned slot, unsigned queue)
{
    return RINGS + (slot * QUEUES + queue) * (uint64_t)RING_SPAN;
}

static void set_address(uint64_t reg, uint64_t gpa)
{
    store32(reg, (uint32_t)gpa);
    store32(reg + 4, (uint32_t)(gpa >> 32));
}

static void start_queue(struct abuser *a, unsigned slot, unsigned queue)
{
    uint64_t dev = slot_base(slot), at = ring_base(slot, queue);
    uint32_t size = 1u << below(a, 9);

    store32(dev + QUEUE_SEL, queue);
    if (load(dev + QUEUE_MAX, 4) == 0 && !once_in(a, 16))
        return;
    store32(dev + QUEUE_NUM, once_in(a, 16) ? (uint32_t)odd_number(a) : once_in(a, 4) ? below(a, 257) : size);
    set_address(dev + DESC, once_in(a, 16) ? odd_address(a) & ~UINT64_C(15) : at);
    set_address(dev + DRIVER, once_in(a, 16) ? odd_address(a) & ~UINT64_C(3) : at + DRIVER_AT);
    set_address(dev + DEVICE, once_in(a, 16) ? odd_address(a) & ~UINT64_C(3) : at + DEVICE_AT);
    if (!once_in(a, 8)) {
        for (uint64_t i = 0; i < 0x1000; i += 8)
            store(at + i, 8, 0);
        store(at + DRIVER_AT, 8, 0);
        store(at + DEVICE_AT, 8, 0);
    }
    store32(dev + QUEUE_READY, 1);
}

void virtio_set_up(struct abuser *a)
{
    unsigned slot = below(a, SLOTS);
    uint64_t dev = slot_base(slot);

    store32(dev + STATUS, 0);
    store32(dev + STATUS, 1);
    store32(dev + STATUS, 3);
    for (uint32_t word = 0; word < 2; word++) {
        store32(dev + FEATURES_SEL, word);
        uint32_t offered = (uint32_t)load(dev + FEATURES, 4);
        store32(dev + DRIVER_SEL, word);
        uint32_t taken = once_in(a, 4) ? offered & (uint32_t)rnd(a) : offered;
        if (word && once_in(a, 2))
            taken &= ~UINT32_C(4); /* split rings */
        store32(dev + DRIVER_FEATURES, once_in(a, 32) ? (uint32_t)rnd(a) : taken);
    }
    store32(dev + STATUS, once_in(a, 16) ? 7 : 11);
    for (unsigned queue = 0; queue < QUEUES; queue++)
        start_queue(a, slot, queue);
    store32(dev + STATUS, once_in(a, 16) ? (uint32_t)rnd(a) : 15);
}

/* ---- what goes into the buffers ---- */

static uint64_t blk_header(struct abuser *a, uint64_t at)
{
    static const uint8_t types[] = { 0, 1, 4, 8, 11, 13, 0, 1 };

    store32(at, once_in(a, 16) ? (uint32_t)rnd(a) : types[below(a, 8)]);
    store32(at + 4, 0);
    store(at + 8, 8, once_in(a, 8) ? odd_number(a) : below(a, 4096));
    store(at + 16, 8, below(a, 4096)); /* the segment of a discard */
    store(at + 24, 8, below(a, 64) | rnd(a) << 32);
    return 16;
}

/* A header of 12 bytes, then a frame: ARP, IPv4 or IPv6, or anything. */
static uint64_t net_frame(struct abuser *a, uint64_t at)
{
    static const uint16_t types[] = { 0x0608, 0x0008, 0xdd86, 0x0081 };

    for (unsigned i = 0; i < 128; i += 8)
        store(at + i, 8, rnd(a));
    store(at, 8, once_in(a, 8) ? odd_number(a) : 0);
    store32(at + 8, 0);
    store32(at + 12, UINT32_MAX);
    store(at + 24, 2, types[below(a, 4)]);
    store(at + 26, 1, once_in(a, 4) ? rnd(a) : 0x45);
    store(at + 28, 2, below(a, 1500));
    store(at + 35, 1, once_in(a, 2) ? 17 : once_in(a, 2) ? 1 : 6);
    store32(at + 42, once_in(a, 2) ? 0x0202000a : 0x0302000a);
    return 12 + below(a, 1600);
}

/* The first, readable buffer of a chain: its length, with the address in *gpa. */
static uint64_t request(struct abuser *a, unsigned slot, uint64_t *gpa)
{
    uint64_t id = load(slot_base(slot) + DEVICE_ID, 4);

    *gpa = ring_base(slot, 0) + DATA_AT + 0x100 * (uint64_t)below(a, 32);
    if (id == ID_BLK)
        return blk_header(a, *gpa);
    if (id == ID_NET)
        return net_frame(a, *gpa);
    return odd_length(a);
}

/* ---- chains ---- */

struct desc {
    uint64_t gpa;
    uint32_t len;
    uint16_t flags, other;
};

/* In a packed ring the last two fields change places. */
static void put_desc(uint64_t at, const struct desc *d, bool packed)
{
    store(at, 8, d->gpa);
    store32(at + 8, d->len);
    store(at + 12, 2, packed ? d->other : d->flags);
    store(at + 14, 2, packed ? d->flags : d->other);
}

static struct desc any_desc(struct abuser *a, unsigned slot, bool first, bool last, bool writable)
{
    struct desc d = { odd_address(a), odd_length(a), 0, 0 };

    if (first && !writable)
        d.len = (uint32_t)request(a, slot, &d.gpa);
    else if (last && writable && once_in(a, 2))
        d.len = 1; /* a disk's status */
    else if (once_in(a, 2))
        d.len &= ~511u;
    d.flags = (uint16_t)((last ? 0 : NEXT) | (writable ? WRITE : 0));
    if (once_in(a, 64))
        d.flags |= INDIRECT;
    if (once_in(a, 128))
        d.flags = (uint16_t)rnd(a);
    return d;
}

/* A chain of descriptors from slot `i` of a table of `size`; they are numbered on. */
static unsigned put_chain(struct abuser *a, unsigned slot, uint64_t table, unsigned size, unsigned i, bool packed,
                          uint16_t marks)
{
    unsigned count = 1 + below(a, once_in(a, 16) ? size + 1 : 4), split = below(a, count + 1);

    for (unsigned n = 0; n < count; n++, i = (i + 1) % size) {
        struct desc d = any_desc(a, slot, n == 0, n + 1 == count, n >= split);
        d.flags |= marks;
        d.other = (uint16_t)(packed ? i : once_in(a, 64) ? rnd(a) : (i + 1) % size);
        put_desc(table + 16 * (uint64_t)i, &d, packed);
    }
    return count;
}

static void indirect_chain(struct abuser *a, unsigned slot, uint64_t ring, unsigned i, bool packed, uint16_t marks)
{
    uint64_t table = ring + DATA_AT + 0x2000;
    unsigned count = put_chain(a, slot, table, 16, 0, packed, 0);
    struct desc d = { table, 16 * (once_in(a, 8) ? below(a, 300) : count), (uint16_t)(INDIRECT | marks), 0 };

    put_desc(ring + 16 * (uint64_t)i, &d, packed);
}

/* Makes `i` available in the split ring and lets the index run, sometimes too far. */
static void split_offer(struct abuser *a, uint64_t ring, unsigned size, unsigned i)
{
    uint64_t avail = ring + DRIVER_AT;
    uint16_t idx = (uint16_t)load(avail + 2, 2);

    store(avail + 4 + 2 * (uint64_t)(idx % size), 2, once_in(a, 64) ? rnd(a) : i);
    store(avail, 2, below(a, 2));
    if (once_in(a, 8))
        store(avail + 4 + 2 * (uint64_t)size, 2, rnd(a)); /* the event index */
    __asm__ volatile("fence" ::: "memory");
    store(avail + 2, 2, once_in(a, 64) ? rnd(a) : idx + 1u);
}

/* The size and the format of the ring are guesses, as are positions and wrap bits: some are right. */
void virtio_chains(struct abuser *a)
{
    unsigned slot = below(a, SLOTS), queue = below(a, once_in(a, 4) ? QUEUES : 2);
    uint64_t ring = ring_base(slot, queue);
    unsigned size = once_in(a, 2) ? 1u << below(a, 9) : 256;
    bool packed = once_in(a, 2);
    unsigned i = packed && once_in(a, 2) ? 0 : below(a, size);
    uint16_t marks = packed ? (uint16_t)(once_in(a, 4) ? 1u << 15 : 1u << 7) : 0;

    if (once_in(a, 4))
        indirect_chain(a, slot, ring, i, packed, marks);
    else
        put_chain(a, slot, ring, size, i, packed, marks);
    if (packed)
        store32(ring + DRIVER_AT, (uint32_t)rnd(a) & 0x3ffff);
    else
        split_offer(a, ring, size, i);
    store32(slot_base(slot) + NOTIFY, once_in(a, 32) ? (uint32_t)rnd(a) : queue);
    if (once_in(a, 4))
        store32(slot_base(slot) + IRQ_ACK, (uint32_t)rnd(a));
}

/* Stops a device or one of its queues with requests under way. */
void virtio_stop(struct abuser *a)
{
    uint64_t dev = slot_base(below(a, SLOTS));

    store32(dev + QUEUE_SEL, below(a, QUEUES));
    switch (below(a, 4)) {
    case 0: store32(dev + STATUS, 0); break;
    case 1: store32(dev + QUEUE_READY, 0); break;
    case 2: store32(dev + QUEUE_RESET, 1); break;
    default: store32(dev + STATUS, (uint32_t)rnd(a)); break;
    }
}
