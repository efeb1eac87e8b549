/*
 * harness-virtio-stress.c - save and load, damaged streams, two threads that race, and random input.
 */
#include "harness-virtio-impl.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- state ---- */

static void save(struct vt *t, struct state_out *out)
{
    vt_serve(t, UINT32_MAX, false);
    device_save(t->slot, out);
    if (t->backend)
        device_save(virtio_device(t->backend), out);
}

static bool load(struct vt *t, const uint8_t *data, size_t len, struct error *e)
{
    struct state_in in = { data, len, 0 };

    return device_load(t->slot, &in, e) && (!t->backend || device_load(virtio_device(t->backend), &in, e));
}

bool vt_round_trip(struct vt *t, char *text, size_t size)
{
    struct vt *other = vt_new(t->kind);
    struct state_out a = { 0 }, b = { 0 };
    struct error e = { "" };

    save(t, &a);
    bool ok = load(other, a.data, a.len, &e) || error_prefix(&e, "load");
    save(other, &b);
    if (ok && (a.len != b.len || memcmp(a.data, b.data, a.len)))
        ok = error_set(&e, "the streams differ");
    if (ok && other->irq != t->irq)
        ok = error_set(&e, "the interrupt lines differ");
    snprintf(text, size, "%s", e.text);
    state_out_free(&a);
    state_out_free(&b);
    vt_free(other, false);
    return ok;
}

static uint64_t random64(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

unsigned vt_damage(struct vt *t, uint64_t seed, unsigned tries)
{
    struct state_out out = { 0 };
    struct error e;
    unsigned accepted = 0;
    uint64_t s = seed | 1;

    save(t, &out);
    for (unsigned i = 0; i < tries; i++) {
        size_t at = random64(&s) % out.len, len = random64(&s) % 8 ? out.len : at;
        uint8_t bit = (uint8_t)(1u << random64(&s) % 8);
        out.data[at] ^= bit;
        accepted += load(t, out.data, len, &e);
        out.data[at] ^= bit;
        for (unsigned q = 0; q < VIRTIO_QUEUES; q++)
            vt_kick(t, q);
        vt_serve(t, UINT32_MAX, false);
        vt_tick(t);
    }
    state_out_free(&out);
    return accepted;
}

/* ---- two threads ---- */

struct race;
typedef bool race_fn(struct race *r);

struct race {
    struct vt *t;
    unsigned frames, pokes;
    pthread_mutex_t lock; /* the machine lock */
    pthread_cond_t wake;
    race_fn *wants[2]; /* what a thread sleeps for, or NULL */
    bool lost, over;
};

enum { GUEST, NETWORK, SPINS = 50, SPIN = 5 };

/* Sleeps (after it waited awake for a moment, to keep the threads close together), with the lock held,
 * until `ready` says so; false when the other one sleeps for good too, or is gone. */
static bool sleep_until(struct race *r, int who, race_fn *ready)
{
    unsigned spins = SPINS;

    r->wants[who] = ready;
    while (!ready(r) && !r->lost) {
        race_fn *other = r->wants[!who];
        if (r->over || (other && !other(r))) {
            r->lost = true;
            pthread_cond_broadcast(&r->wake);
        } else if (spins) {
            pthread_mutex_unlock(&r->lock);
            for (unsigned i = 0; i < SPIN; i++)
                cpu_relax();
            pthread_mutex_lock(&r->lock);
            spins--;
        } else {
            pthread_cond_wait(&r->wake, &r->lock);
        }
    }
    r->wants[who] = NULL;
    return !r->lost;
}

/* A moment of no fixed length, so that the threads meet at every point. */
static void jitter(uint64_t *seed)
{
    for (uint64_t i = random64(seed) % 64; i; i--)
        cpu_relax();
}

static bool is_interrupted(struct race *r)
{
    return r->t->irq;
}

static bool is_poked(struct race *r)
{
    return r->t->pokes != r->pokes;
}

/* The guest: no lock but around register accesses. */
static void race_driver(struct race *r)
{
    struct vt *t = r->t;
    struct vt_buf b = { VT_BUFFERS, 128, true };
    unsigned id, in_ring = 0;
    uint64_t seed = 1;
    uint32_t len;

    for (unsigned added = 0, used = 0; used < r->frames;) {
        if (added < r->frames && in_ring < t->ring[0].size) {
            jitter(&seed);
            vt_add(t, 0, &b, 1, false);
            added++;
            in_ring++;
            if (vt_wants_doorbell(t, 0)) {
                pthread_mutex_lock(&r->lock);
                vt_kick(t, 0);
                pthread_cond_broadcast(&r->wake);
                pthread_mutex_unlock(&r->lock);
            }
            if (added % 3)
                continue;
        }
        while (!vt_get(t, 0, &id, &len)) {
            vt_interrupt_after(t, 0, 1);
            if (vt_get(t, 0, &id, &len))
                break;
            pthread_mutex_lock(&r->lock);
            bool ok = sleep_until(r, GUEST, is_interrupted);
            vt_ack(t);
            pthread_mutex_unlock(&r->lock);
            if (!ok)
                return;
        }
        used++;
        in_ring--;
    }
}

/* The network: always with the lock. */
static void *race_network(void *arg)
{
    struct race *r = arg;
    static const uint8_t frame[60];
    uint64_t seed = 2;
    bool ok = true;

    for (unsigned i = 0; i < r->frames && ok; i++) {
        jitter(&seed);
        pthread_mutex_lock(&r->lock);
        r->pokes = r->t->pokes;
        while (ok && !vt_can_receive(r->t)) {
            ok = sleep_until(r, NETWORK, is_poked);
            r->pokes = r->t->pokes;
        }
        if (ok)
            vt_receive(r->t, frame, sizeof frame);
        pthread_cond_broadcast(&r->wake);
        pthread_mutex_unlock(&r->lock);
    }
    pthread_mutex_lock(&r->lock);
    r->over = true;
    pthread_cond_broadcast(&r->wake);
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

bool vt_race(uint64_t features, unsigned frames)
{
    struct race r = { .t = vt_new(VT_NET), .frames = frames };
    pthread_t network;

    pthread_mutex_init(&r.lock, NULL);
    pthread_cond_init(&r.wake, NULL);
    vt_start(r.t, features, 4);
    if (pthread_create(&network, NULL, race_network, &r))
        abort();
    race_driver(&r);
    pthread_join(network, NULL);
    bool broken = vt_read(r.t, R_STATUS) & VIRTIO_NEEDS_RESET;
    vt_free(r.t, false);
    return !r.lost && !broken;
}

/* ---- fuzz ---- */

static uint64_t hash(uint64_t h, uint64_t x)
{
    return (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
}

static bool one_in(uint64_t *s, unsigned n)
{
    return random64(s) % n == 0;
}

/* Mostly in the buffers; else at the ends of RAM, in a ring, in the device, nowhere, or at the end of all. */
static uint64_t random_address(uint64_t *s)
{
    static const uint64_t odd[] = { VT_RAM, VT_RAM + VT_RAM_SIZE - 64, VT_MMIO, 0, UINT64_MAX - 63,
                                    VT_RAM - 32 };

    if (!one_in(s, 100))
        return VT_BUFFERS + 64 + random64(s) % (1 << 20);
    return odd[random64(s) % ARRAY_LEN(odd)] + random64(s) % 64;
}

static uint32_t random_length(uint64_t *s)
{
    static const uint32_t odd[] = { 0, 1, 16, 513, 4096, 17, 1 << 20, UINT32_MAX, 12 };

    if (one_in(s, 50))
        return odd[random64(s) % ARRAY_LEN(odd)];
    return one_in(s, 2) ? 512 * (1 + (uint32_t)(random64(s) % 4)) : 12 + (uint32_t)(random64(s) % 100);
}

/* What block and control requests begin with. */
static void random_header(struct vt *t, uint64_t *s)
{
    static const uint8_t block[] = { 0, 1, 4, 8, 11, 13, 2 };
    uint8_t *h = vt_mem(t, VT_BUFFERS);

    put_le64(h, t->kind == VT_BLK ? block[random64(s) % ARRAY_LEN(block)] : random64(s) & 0x101);
    put_le64(h + 8, random64(s) % (one_in(s, 8) ? VT_DISK_SIZE / 256 : 64));
}

/* Readable buffers, the first often a header, then writable ones, the last often a status. */
static void fuzz_chain(struct vt *t, uint64_t *s)
{
    struct vt_buf bufs[8];
    unsigned n = 1 + random64(s) % 5, queue = random64(s) % VIRTIO_QUEUES, reads = random64(s) % (n + 1);
    bool indirect = has(t, VIRTIO_F_INDIRECT_DESC) && one_in(s, 2);

    if (t->kind == VT_BLK && !one_in(s, 50)) { /* one that has both */
        n++;
        reads = 1 + reads % (n - 1);
    }
    if (!t->ring[queue].size)
        return;
    for (unsigned i = 0; i < n; i++)
        bufs[i] = (struct vt_buf){ random_address(s), random_length(s), i >= reads };
    if (reads && !one_in(s, 8)) {
        random_header(t, s);
        bufs[0] = (struct vt_buf){ VT_BUFFERS, t->kind == VT_BLK ? 16 : 8, false };
    }
    if (reads < n && !one_in(s, 8))
        bufs[n - 1].len = t->kind == VT_BLK || queue == 2 ? 1 : bufs[n - 1].len;
    if (n <= t->ring[queue].size)
        vt_add(t, queue, bufs, n, indirect);
}

/* A random edit of a ring, mostly of a 16-bit word near its start. */
static void fuzz_ring(struct vt *t, uint64_t *s)
{
    static const uint32_t area[] = { 0, DRIVER_OFF, DEVICE_OFF, TABLE_OFF };
    uint64_t at = vt_desc(random64(s) % VIRTIO_QUEUES) + area[random64(s) % 4] + 2 * (random64(s) % 64);

    put_le16(vt_mem(t, at), (uint16_t)(random64(s) % 3 ? random64(s) % 32 : random64(s)));
}

static uint64_t fuzz_register(struct vt *t, uint64_t *s)
{
    uint64_t off = random64(s) % 4 ? 4 * (random64(s) % 80) : random64(s) % 0x1000;
    uint64_t value = random64(s) % 3 ? random64(s) % 16 : random64(s);
    bool write = random64(s) % 2;

    if (write && (off == R_STATUS || off == R_READY) && !one_in(s, 8))
        return 0;
    vt_access(t, off, 1u << random64(s) % 4, write, &value);
    return value;
}

static void fuzz_host(struct vt *t, uint64_t *s)
{
    static const uint8_t bytes[4096];
    size_t len = random64(s) % sizeof bytes;

    vt_serve(t, random64(s) % 8, !(random64(s) % 8));
    if (t->kind == VT_NET && vt_can_receive(t))
        vt_receive(t, bytes, len);
    if (t->kind == VT_NET && !(random64(s) % 16))
        vt_link(t, random64(s) % 2);
    if (t->kind == VT_CONSOLE) {
        size_t room = vt_console_room(t);
        vt_receive(t, bytes, len < room ? len : room);
        vt_resize(t, random64(s) % 2 + 80, 24);
        t->output_len = 0;
    }
    vt_tick(t);
}

static void fuzz_start(struct vt *t, uint64_t *s)
{
    vt_start(t, vt_offered(t) & (random64(s) | BIT(VIRTIO_F_VERSION_1)), 1u << random64(s) % 9);
}

uint64_t vt_fuzz(enum vt_kind kind, uint64_t seed, unsigned steps)
{
    struct vt *t = vt_new(kind);
    uint64_t s = seed | 1, h = 0;

    fuzz_start(t, &s);
    for (unsigned i = 0; i < steps; i++) {
        switch (random64(&s) % 16) {
        case 0: h = hash(h, fuzz_register(t, &s)); break;
        case 1:
            if (one_in(&s, 16))
                fuzz_ring(t, &s);
            break;
        case 2:
        case 3:
        case 4: fuzz_host(t, &s); break;
        case 5:
        case 6:
        case 7: vt_kick(t, random64(&s) % 5); break;
        default: fuzz_chain(t, &s); break;
        }
        h = hash(h, vt_read(t, R_STATUS) | (uint64_t)t->irq << 8 | (uint64_t)t->in_flight << 16);
        if (vt_read(t, R_STATUS) & VIRTIO_NEEDS_RESET || !(random64(&s) % 512))
            fuzz_start(t, &s);
    }
    vt_free(t, seed & 2);
    return h;
}
