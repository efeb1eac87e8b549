// The VIRTIO devices: what each one does with the chains that it gets. OASIS VIRTIO 1.2, chapter 5.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "harness.h"

namespace {

const uint64_t NONE = 0, INDIRECT = 1ull << 28, EVENT_IDX = 1ull << 29, VERSION_1 = 1ull << 32,
               PACKED = 1ull << 34, RING_RESET = 1ull << 40;
const uint64_t BLK_RO = 1 << 5, BLK_FLUSH = 1 << 9, BLK_WCE = 1 << 11, BLK_DISCARD = 1 << 13,
               BLK_ZEROES = 1 << 14;
const uint64_t NET_MRG = 1 << 15, NET_CTRL = 1 << 17, NET_CTRL_RX = 1 << 18, NET_CTRL_MAC = 1 << 23;
enum { NEEDS_RESET = 64 };
enum { QUEUE_SEL = 0x030, ISR = 0x060, STATUS = 0x070, QUEUE_RESET = 0x0c0, GENERATION = 0x0fc };
enum { IN, OUT, FLUSH = 4, GET_ID = 8, DISCARD = 11, ZEROES = 13 };
enum { OP_READ, OP_WRITE, OP_FLUSH, OP_DISCARD, OP_ZEROES };

void put(uint8_t *p, uint64_t v, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        p[i] = static_cast<uint8_t>(v >> 8 * i);
}

uint64_t get(const uint8_t *p, unsigned width)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < width; i++)
        v |= static_cast<uint64_t>(p[i]) << 8 * i;
    return v;
}

struct Machine {
    vt *t;
    explicit Machine(vt_kind kind) : t(vt_new(kind)) {}
    explicit Machine(vt *made) : t(made) {}
    ~Machine() { vt_free(t, false); }
    operator vt *() { return t; }
    bool broken() { return vt_read(t, STATUS) & NEEDS_RESET; }
};

// ---- block ----

// One request with its data in two segments, served; the status byte, or -1 when the chain did not come back.
int block_request(vt *t, unsigned type, uint64_t sector, uint32_t in, uint32_t out, uint32_t *len = nullptr,
                  bool fail = false)
{
    uint8_t *h = vt_mem(t, VT_BUFFERS);
    uint32_t got, half = (in + out) / 2, rest = in + out - half;
    unsigned id;
    put(h, type, 4);
    put(h + 4, 0, 4);
    put(h + 8, sector, 8);
    vt_buf b[4] = { { VT_BUFFERS, 16, false } };
    unsigned n = 1;
    if (in + out) {
        b[n++] = { VT_BUFFERS + 0x1000, half, in != 0 };
        b[n++] = { VT_BUFFERS + 0x1000 + half, rest, in != 0 };
    }
    b[n++] = { VT_BUFFERS + 0x800, 1, true };
    *vt_mem(t, VT_BUFFERS + 0x800) = 0xee;
    unsigned want = vt_add(t, 0, b, n, false);
    vt_kick(t, 0);
    while (vt_serve(t, 1, fail)) {
    }
    if (!vt_get(t, 0, &id, &got) || id != want)
        return -1;
    if (len)
        *len = got;
    return *vt_mem(t, VT_BUFFERS + 0x800);
}

void pattern(uint8_t *p, size_t n, unsigned salt)
{
    for (size_t i = 0; i < n; i++)
        p[i] = static_cast<uint8_t>((i * 2654435761u >> 13) + salt); // no period that a block size shares
}

TEST(VirtioBlk, WritesAndReadsBack)
{
    for (uint64_t features : { NONE, INDIRECT | EVENT_IDX, PACKED | EVENT_IDX }) {
        Machine m(VT_BLK);
        vt_start(m, VERSION_1 | BLK_FLUSH | features, 64);
        uint8_t *data = vt_mem(m, VT_BUFFERS + 0x1000);
        for (uint32_t n : { 512u, 4096u, 1u << 20, (3u << 20) + 512 }) { // the last two in several pieces
            std::vector<uint8_t> want(n);
            uint32_t len;
            pattern(want.data(), n, n >> 9);
            std::memcpy(data, want.data(), n);
            ASSERT_EQ(block_request(m, OUT, 7, 0, n, &len), 0);
            EXPECT_EQ(len, 1u);
            EXPECT_EQ(std::memcmp(vt_disk(m) + 7 * 512, want.data(), n), 0);
            std::memset(data, 0, n);
            ASSERT_EQ(block_request(m, IN, 7, n, 0, &len), 0);
            EXPECT_EQ(len, n + 1);
            EXPECT_EQ(std::memcmp(data, want.data(), n), 0);
        }
        EXPECT_EQ(vt_served(m, OP_FLUSH), 0u);
        EXPECT_EQ(block_request(m, FLUSH, 0, 0, 0), 0);
        EXPECT_EQ(vt_served(m, OP_FLUSH), 1u);
    }
}

TEST(VirtioBlk, ChecksRequests)
{
    const uint64_t last = VT_DISK_SIZE / 512 - 1;
    struct {
        unsigned type;
        uint64_t sector;
        uint32_t in, out;
        int status;
    } rows[] = {
        { IN, last, 512, 0, 0 },
        { OUT, last, 0, 512, 0 },
        { IN, last, 1024, 0, 1 },
        { OUT, last, 0, 1024, 1 },
        { IN, last + 1, 512, 0, 1 },
        { IN, last + 1, 0, 0, 0 }, // nothing, at the end
        { IN, ~0ull, 512, 0, 1 },
        { IN, ~0ull / 512, 512, 0, 1 },
        { IN, 1ull << 55, 512, 0, 1 },
        { OUT, ~0ull, 0, 512, 1 },
        { IN, 0, 511, 0, 1 },
        { OUT, 0, 0, 513, 1 },
        { 2, 0, 512, 0, 2 },
        { 0xffffffff, 0, 0, 0, 2 },
        { 14, 0, 0, 16, 2 },
        { DISCARD, 0, 0, 15, 1 },
        { DISCARD, 0, 0, 17 * 16, 1 },
        { ZEROES, 0, 0, 0, 1 },
    };
    Machine m(VT_BLK);
    vt_start(m, VERSION_1 | BLK_FLUSH | BLK_DISCARD | BLK_ZEROES, 64);
    for (auto &r : rows)
        EXPECT_EQ(block_request(m, r.type, r.sector, r.in, r.out), r.status)
            << r.type << ' ' << r.sector << ' ' << r.in;
    EXPECT_FALSE(m.broken());
    EXPECT_EQ(vt_served(m, OP_READ), 1u);
    EXPECT_EQ(vt_served(m, OP_WRITE), 1u);
}

TEST(VirtioBlk, HostErrors)
{
    Machine m(VT_BLK);
    vt_start(m, VERSION_1 | BLK_FLUSH, 64);
    uint32_t len;
    EXPECT_EQ(block_request(m, IN, 0, 4096, 0, &len, true), 1);
    EXPECT_EQ(len, 0u);
    EXPECT_EQ(block_request(m, OUT, 0, 0, 2 << 20, &len, true), 1);
    EXPECT_EQ(block_request(m, FLUSH, 0, 0, 0, &len, true), 1);
    EXPECT_EQ(block_request(m, IN, 0, 4096, 0, &len), 0);
}

TEST(VirtioBlk, RequestWithoutHeaderOrStatusBreaks)
{
    vt_buf shorter[] = { { VT_BUFFERS, 15, false }, { VT_BUFFERS + 64, 1, true } };
    vt_buf mute = { VT_BUFFERS, 16, false };
    vt_buf status_nowhere[] = { { VT_BUFFERS, 16, false }, { 0x1000, 1, true } };
    Machine m(VT_BLK);
    for (int i = 0; i < 3; i++) {
        vt_start(m, VERSION_1, 64);
        std::memset(vt_mem(m, VT_BUFFERS), 0, 16);
        vt_add(m, 0, i == 0 ? shorter : i == 1 ? &mute : status_nowhere, i == 1 ? 1 : 2, false);
        vt_kick(m, 0);
        EXPECT_TRUE(m.broken()) << i;
        EXPECT_EQ(vt_in_flight(m), 0u);
    }
}

TEST(VirtioBlk, DataOutsideOfRamBreaks)
{
    for (unsigned type : { IN, OUT }) {
        Machine m(VT_BLK);
        vt_start(m, VERSION_1 | BLK_FLUSH, 64);
        std::memset(vt_mem(m, VT_BUFFERS), 0, 16);
        put(vt_mem(m, VT_BUFFERS), type, 4);
        vt_buf b[] = { { VT_BUFFERS, 16, false },
                       { VT_MMIO, 512, type == IN },
                       { VT_BUFFERS + 64, 1, true } };
        vt_add(m, 0, b, 3, false);
        vt_kick(m, 0);
        vt_serve(m, 8, false);
        EXPECT_TRUE(m.broken());
        EXPECT_EQ(vt_in_flight(m), 0u);
    }
}

TEST(VirtioBlk, WriteThrough)
{
    Machine m(VT_BLK);
    vt_start(m, VERSION_1, 64); // a driver without FLUSH never asks for durability, so each write has it
    EXPECT_EQ(block_request(m, OUT, 0, 0, 512), 0);
    EXPECT_EQ(vt_served(m, OP_FLUSH), 1u);
    EXPECT_EQ(block_request(m, IN, 0, 512, 0), 0);
    EXPECT_EQ(vt_served(m, OP_FLUSH), 1u);
    vt_start(m, VERSION_1 | BLK_FLUSH | BLK_WCE, 64);
    EXPECT_EQ(vt_config(m, 32, 1), 1u);
    EXPECT_EQ(block_request(m, OUT, 0, 0, 512), 0);
    EXPECT_EQ(vt_served(m, OP_FLUSH), 1u);
    vt_config_write(m, 32, 1, 0);
    EXPECT_EQ(vt_config(m, 32, 1), 0u);
    EXPECT_EQ(block_request(m, OUT, 0, 0, 512), 0);
    EXPECT_EQ(vt_served(m, OP_FLUSH), 2u);
    vt_write(m, STATUS, 0);
    EXPECT_EQ(vt_config(m, 32, 1), 1u);
}

int range_request(vt *t, unsigned type, uint64_t sector, uint32_t n, uint32_t flags)
{
    uint8_t *p = vt_mem(t, VT_BUFFERS + 0x1000);
    put(p, sector, 8);
    put(p + 8, n, 4);
    put(p + 12, flags, 4);
    put(p + 16, 0, 8); // and a second, empty range
    put(p + 24, 0, 4);
    put(p + 28, 0, 4);
    return block_request(t, type, 0, 0, 32);
}

TEST(VirtioBlk, DiscardAndZeroes)
{
    const uint32_t sectors = VT_DISK_SIZE / 512;
    Machine m(VT_BLK);
    vt_start(m, VERSION_1 | BLK_FLUSH, 64);
    EXPECT_EQ(range_request(m, DISCARD, 0, 8, 0), 2);
    EXPECT_EQ(range_request(m, ZEROES, 0, 8, 0), 2);
    vt_start(m, VERSION_1 | BLK_FLUSH | BLK_DISCARD | BLK_ZEROES, 64);
    std::memset(vt_disk(m), 0x55, VT_DISK_SIZE);
    EXPECT_EQ(range_request(m, DISCARD, 8, 8, 0), 0);
    EXPECT_EQ(vt_disk(m)[8 * 512 - 1], 0x55);
    EXPECT_EQ(vt_disk(m)[8 * 512], 0xdd);
    EXPECT_EQ(vt_disk(m)[16 * 512], 0x55);
    EXPECT_EQ(range_request(m, ZEROES, 9, 2, 0), 0);
    EXPECT_EQ(vt_disk(m)[9 * 512], 0);
    EXPECT_EQ(vt_disk(m)[11 * 512], 0xdd);
    EXPECT_EQ(range_request(m, ZEROES, 0, sectors, 1), 0);
    EXPECT_EQ(vt_served(m, OP_ZEROES), 2u);
    EXPECT_EQ(range_request(m, ZEROES, 1, sectors, 0), 1);
    EXPECT_EQ(range_request(m, ZEROES, ~0ull, 2, 0), 1);
    EXPECT_EQ(range_request(m, ZEROES, 0, 8, 2), 2);
    EXPECT_EQ(range_request(m, DISCARD, 0, 8, 1), 2);
    EXPECT_EQ(range_request(m, DISCARD, 0, 0xffffffff, 0), 1);
    EXPECT_EQ(vt_served(m, OP_DISCARD), 1u);
    EXPECT_EQ(vt_served(m, OP_ZEROES), 2u);
}

TEST(VirtioBlk, Serial)
{
    Machine m(VT_BLK);
    vt_start(m, VERSION_1, 64);
    uint32_t len;
    std::memset(vt_mem(m, VT_BUFFERS + 0x1000), 0xaa, 64);
    ASSERT_EQ(block_request(m, GET_ID, 0, 20, 0, &len), 0);
    EXPECT_EQ(len, 21u);
    EXPECT_EQ(std::memcmp(vt_mem(m, VT_BUFFERS + 0x1000), "LYRE-0001\0\0\0\0\0\0\0\0\0\0\0\xaa", 21), 0);
    EXPECT_EQ(block_request(m, GET_ID, 0, 4, 0, &len), 0);
}

TEST(VirtioBlk, ReadOnly)
{
    Machine m(vt_new_read_only());
    EXPECT_TRUE(vt_offered(m) & BLK_RO);
    EXPECT_FALSE(vt_offered(m) & (BLK_DISCARD | BLK_ZEROES));
    vt_start(m, VERSION_1 | BLK_RO, 64);
    EXPECT_EQ(block_request(m, IN, 0, 512, 0), 0);
    EXPECT_EQ(block_request(m, OUT, 0, 0, 512), 1);
    EXPECT_EQ(vt_served(m, OP_WRITE), 0u);
}

// More requests than the device has room for wait in the ring; all are served, in order.
TEST(VirtioBlk, MoreThanThePool)
{
    Machine m(VT_BLK);
    vt_start(m, VERSION_1 | INDIRECT | BLK_FLUSH, 256);
    for (unsigned i = 0; i < 200; i++) {
        uint64_t at = VT_BUFFERS + 0x1000 * i;
        std::memset(vt_mem(m, at), 0, 16);
        put(vt_mem(m, at) + 8, i, 8);
        vt_disk(m)[i * 512] = static_cast<uint8_t>(i + 1);
        vt_buf b[] = { { at, 16, false }, { at + 0x200, 512, true }, { at + 0x400, 1, true } };
        vt_add(m, 0, b, 3, true);
    }
    vt_kick(m, 0);
    EXPECT_EQ(vt_in_flight(m), 128u);
    for (unsigned i = 0; i < 200; i++) {
        unsigned id;
        uint32_t len;
        ASSERT_EQ(vt_serve(m, 1, false), 1u);
        ASSERT_TRUE(vt_get(m, 0, &id, &len));
        ASSERT_EQ(len, 513u);
        ASSERT_EQ(*vt_mem(m, VT_BUFFERS + 0x1000 * i + 0x200), static_cast<uint8_t>(i + 1));
    }
    EXPECT_EQ(vt_in_flight(m), 0u);
}

TEST(VirtioBlk, ResetWithRequestsInFlight)
{
    for (int how = 0; how < 3; how++) {
        Machine m(VT_BLK);
        vt_start(m, VERSION_1 | RING_RESET, 64);
        std::memset(vt_mem(m, VT_BUFFERS), 0, 16);
        std::memset(vt_mem(m, VT_BUFFERS + 0x1000), 0x77, 0x1000);
        vt_buf b[] = { { VT_BUFFERS, 16, false },
                       { VT_BUFFERS + 0x1000, 4096, true },
                       { VT_BUFFERS + 0x800, 1, true } };
        vt_add(m, 0, b, 3, false);
        vt_kick(m, 0);
        ASSERT_EQ(vt_in_flight(m), 1u);
        vt_write(m, QUEUE_SEL, 0);
        if (how == 0)
            vt_write(m, STATUS, 0);
        else if (how == 1)
            vt_write(m, QUEUE_RESET, 1);
        else
            vt_reset_machine(m);
        EXPECT_EQ(vt_in_flight(m), 0u);
        EXPECT_EQ(*vt_mem(m, VT_BUFFERS + 0x1000), 0x77); // nothing reached the guest
        EXPECT_FALSE(vt_irq(m));
        vt_start(m, VERSION_1, 64);
        EXPECT_EQ(block_request(m, IN, 0, 512, 0), 0);
    }
}

// ---- network ----

TEST(VirtioNet, Configuration)
{
    Machine m(VT_NET);
    EXPECT_EQ(vt_config(m, 0, 4), 0x12000002u);
    EXPECT_EQ(vt_config(m, 4, 2), 0x5634u);
    EXPECT_EQ(vt_config(m, 6, 2), 1u);
    vt_start(m, VERSION_1, 64);
    uint32_t generation = vt_read(m, GENERATION);
    vt_link(m, false);
    EXPECT_EQ(vt_config(m, 6, 2), 0u);
    EXPECT_EQ(vt_read(m, ISR), 2u);
    EXPECT_NE(vt_read(m, GENERATION), generation);
    vt_ack(m);
    vt_link(m, false);
    EXPECT_FALSE(vt_irq(m));
}

TEST(VirtioNet, Sends)
{
    for (uint64_t features : { NONE, VERSION_1, VERSION_1 | PACKED | EVENT_IDX, VERSION_1 | INDIRECT }) {
        unsigned header = features & VERSION_1 ? 12 : 10;
        Machine m(VT_NET);
        vt_start(m, features, 16);
        uint8_t *frame = vt_mem(m, VT_BUFFERS + 0x100);
        for (unsigned i = 0; i < 100; i++) {
            size_t len;
            unsigned count, id;
            uint32_t used;
            pattern(frame, 1514, i);
            vt_buf b[] = { { VT_BUFFERS, header, false }, { VT_BUFFERS + 0x100, 14, false },
                           { VT_BUFFERS + 0x100 + 14, 60 + 10 * i, false } };
            vt_add(m, 1, b, 3, features & INDIRECT);
            vt_kick(m, 1);
            const uint8_t *sent = vt_sent(m, &len, &count);
            ASSERT_EQ(count, i + 1);
            ASSERT_EQ(len, 74 + 10 * i);
            ASSERT_EQ(std::memcmp(sent, frame, len), 0);
            ASSERT_TRUE(vt_get(m, 1, &id, &used));
            ASSERT_EQ(used, 0u);
        }
    }
}

TEST(VirtioNet, DropsWhatIsNoFrame)
{
    Machine m(VT_NET);
    vt_start(m, VERSION_1, 16);
    for (uint32_t n : { 0u, 11u, 12u, 12u + 65551, 1u << 22 }) {
        vt_buf b = { VT_BUFFERS, n, false };
        size_t len;
        unsigned count, id;
        uint32_t used;
        vt_add(m, 1, &b, 1, false);
        vt_kick(m, 1);
        vt_sent(m, &len, &count);
        EXPECT_EQ(count, 0u);
        EXPECT_TRUE(vt_get(m, 1, &id, &used));
    }
    EXPECT_FALSE(m.broken());
}

TEST(VirtioNet, Receives)
{
    for (uint64_t features : { NONE, VERSION_1, VERSION_1 | PACKED | EVENT_IDX }) {
        unsigned header = features & VERSION_1 ? 12 : 10, id;
        uint32_t len;
        uint8_t frame[1514];
        Machine m(VT_NET);
        vt_start(m, features, 16);
        EXPECT_FALSE(vt_can_receive(m));
        for (unsigned i = 0; i < 40; i++) {
            vt_buf b = { VT_BUFFERS, 1526, true };
            pattern(frame, sizeof frame, i);
            std::memset(vt_mem(m, VT_BUFFERS), 0xff, 2000);
            vt_add(m, 0, &b, 1, false);
            ASSERT_TRUE(vt_wants_doorbell(m, 0));
            vt_kick(m, 0);
            ASSERT_TRUE(vt_can_receive(m));
            vt_receive(m, frame, sizeof frame);
            ASSERT_TRUE(vt_get(m, 0, &id, &len));
            ASSERT_EQ(len, header + sizeof frame);
            ASSERT_EQ(std::memcmp(vt_mem(m, VT_BUFFERS + header), frame, sizeof frame), 0);
            ASSERT_EQ(get(vt_mem(m, VT_BUFFERS), 8), 0u);
            ASSERT_EQ(get(vt_mem(m, VT_BUFFERS + 10), 2), header == 12 ? 1u : get(frame, 2));
            ASSERT_FALSE(vt_can_receive(m));
        }
        EXPECT_GE(vt_pokes(m), 40u);
        EXPECT_FALSE(m.broken());
    }
}

TEST(VirtioNet, MergesBuffers)
{
    for (uint64_t features : { NONE, EVENT_IDX, PACKED, PACKED | EVENT_IDX }) {
        Machine m(VT_NET);
        vt_start(m, VERSION_1 | NET_MRG | features, 64);
        uint8_t frame[1000];
        unsigned id;
        uint32_t len;
        pattern(frame, sizeof frame, 3);
        for (unsigned round = 0; round < 50; round++) {
            for (unsigned i = 0; i < 8; i++) { // 8 x 128 = 1024 bytes, 1012 of them needed
                vt_buf b = { VT_BUFFERS + 0x1000 * i, 128, true };
                vt_add(m, 0, &b, 1, false);
                if (i == 6) { // one too few: dropped whole, nothing used
                    vt_receive(m, frame, sizeof frame);
                    ASSERT_FALSE(vt_get(m, 0, &id, &len));
                }
            }
            vt_receive(m, frame, sizeof frame);
            std::vector<uint8_t> got;
            for (unsigned i = 0; i < 8; i++) {
                ASSERT_TRUE(vt_get(m, 0, &id, &len)) << round << ' ' << i;
                ASSERT_EQ(len, i < 7 ? 128u : 1012u - 7 * 128);
                const uint8_t *p = vt_mem(m, VT_BUFFERS + 0x1000 * i);
                got.insert(got.end(), p, p + len);
            }
            ASSERT_EQ(got[10], 8);
            ASSERT_EQ(std::memcmp(got.data() + 12, frame, sizeof frame), 0);
            ASSERT_FALSE(vt_get(m, 0, &id, &len));
        }
        EXPECT_FALSE(m.broken());
    }
}

TEST(VirtioNet, DropsWhatDoesNotFit)
{
    Machine m(VT_NET);
    vt_start(m, VERSION_1, 16);
    uint8_t frame[100] = {};
    unsigned id;
    uint32_t len;
    vt_buf b = { VT_BUFFERS, 64, true };
    vt_add(m, 0, &b, 1, false);
    vt_receive(m, frame, sizeof frame);
    EXPECT_FALSE(vt_get(m, 0, &id, &len));
    vt_receive(m, frame, 52); // fits exactly, in the same buffer
    EXPECT_TRUE(vt_get(m, 0, &id, &len));
    EXPECT_EQ(len, 64u);
    vt_add(m, 0, &b, 1, false);
    vt_link(m, false);
    vt_receive(m, frame, 52);
    EXPECT_FALSE(vt_get(m, 0, &id, &len));
    EXPECT_FALSE(m.broken());
}

int control(vt *t, std::vector<uint8_t> bytes)
{
    std::memcpy(vt_mem(t, VT_BUFFERS), bytes.data(), bytes.size());
    *vt_mem(t, VT_BUFFERS + 0x800) = 0xee;
    vt_buf b[] = { { VT_BUFFERS, 2, false },
                   { VT_BUFFERS + 2, static_cast<uint32_t>(bytes.size() - 2), false },
                   { VT_BUFFERS + 0x800, 1, true } };
    unsigned id;
    uint32_t len;
    vt_add(t, 2, b, 3, false);
    vt_kick(t, 2);
    return vt_get(t, 2, &id, &len) ? *vt_mem(t, VT_BUFFERS + 0x800) : -1;
}

TEST(VirtioNet, Control)
{
    Machine m(VT_NET);
    vt_start(m, VERSION_1 | NET_CTRL | NET_CTRL_RX | NET_CTRL_MAC, 16);
    EXPECT_EQ(control(m, { 0, 0, 1 }), 0);
    EXPECT_EQ(control(m, { 0, 1, 0 }), 0);
    EXPECT_EQ(control(m, { 0, 1, 2 }), 1);
    EXPECT_EQ(control(m, { 0, 0 }), 1);
    EXPECT_EQ(control(m, { 9, 0, 1 }), 1);
    EXPECT_EQ(control(m, { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0 }), 0);
    EXPECT_EQ(control(m, { 1, 0, 1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0 }), 0);
    EXPECT_EQ(control(m, { 1, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0 }), 1);
    EXPECT_EQ(control(m, { 1, 0, 0, 0, 0, 0 }), 1);
    EXPECT_EQ(control(m, { 1, 1, 2, 4, 6, 8, 10, 12 }), 0);
    EXPECT_EQ(vt_config(m, 0, 4), 0x08060402u);
    EXPECT_EQ(control(m, { 1, 1, 2, 4, 6, 8, 10 }), 1);
    vt_write(m, STATUS, 0);
    EXPECT_EQ(vt_config(m, 0, 4), 0x12000002u); // the port's again
    vt_start(m, VERSION_1 | NET_CTRL, 16);
    EXPECT_EQ(control(m, { 0, 0, 1 }), 1); // not negotiated
    EXPECT_EQ(control(m, { 1, 1, 2, 4, 6, 8, 10, 12 }), 1);
    vt_buf b = { VT_BUFFERS, 1, false };
    vt_add(m, 2, &b, 1, false);
    vt_kick(m, 2);
    EXPECT_TRUE(m.broken());
}

// ---- entropy and console ----

TEST(VirtioRng, FillsPartsOfHugeBuffers)
{
    Machine m(VT_RNG);
    vt_start(m, VERSION_1, 8);
    vt_buf b = { VT_BUFFERS, 1 << 20, true };
    unsigned id;
    uint32_t len;
    vt_add(m, 0, &b, 1, false);
    vt_kick(m, 0);
    ASSERT_TRUE(vt_get(m, 0, &id, &len));
    EXPECT_EQ(len, 4096u);
    EXPECT_EQ(*vt_mem(m, VT_BUFFERS), 1);
    EXPECT_EQ(*vt_mem(m, VT_BUFFERS + 254), 255);
    b.writable = false; // nothing to write to: comes back empty
    vt_add(m, 0, &b, 1, false);
    vt_kick(m, 0);
    ASSERT_TRUE(vt_get(m, 0, &id, &len));
    EXPECT_EQ(len, 0u);
}

TEST(VirtioConsole, WritesAndReads)
{
    for (uint64_t features : { NONE, EVENT_IDX | INDIRECT, PACKED | EVENT_IDX }) {
        Machine m(VT_CONSOLE);
        vt_start(m, VERSION_1 | features, 8);
        std::memcpy(vt_mem(m, VT_BUFFERS), "hello, world", 12);
        vt_buf out[] = { { VT_BUFFERS, 7, false }, { VT_BUFFERS + 7, 5, false } };
        unsigned id;
        uint32_t used;
        size_t len;
        vt_add(m, 1, out, 2, false);
        vt_kick(m, 1);
        ASSERT_TRUE(vt_get(m, 1, &id, &used));
        const uint8_t *text = vt_output(m, &len);
        EXPECT_EQ(std::string(text, text + len), "hello, world");

        EXPECT_EQ(vt_console_room(m), 0u);
        vt_receive(m, "lost", 4);
        for (unsigned i = 0; i < 30; i++) {
            vt_buf in[] = { { VT_BUFFERS + 0x100, 0, true }, { VT_BUFFERS + 0x200, 3, true } };
            vt_add(m, 0, in, 2, false);
            vt_add(m, 0, in + 1, 1, false);
            ASSERT_EQ(vt_console_room(m), 3u);
            ASSERT_EQ(vt_console_room(m), 3u); // asking takes nothing
            vt_receive(m, "abcd", 4); // over two buffers, though it promised less
            ASSERT_TRUE(vt_get(m, 0, &id, &used));
            ASSERT_EQ(used, 3u);
            ASSERT_TRUE(vt_get(m, 0, &id, &used));
            ASSERT_EQ(used, 1u);
            ASSERT_EQ(*vt_mem(m, VT_BUFFERS + 0x200), 'd');
            ASSERT_FALSE(vt_get(m, 0, &id, &used));
        }
        EXPECT_FALSE(m.broken());
    }
}

// A buffer without room comes back empty.
TEST(VirtioConsole, EmptyReceiveBuffer)
{
    Machine m(VT_CONSOLE);
    vt_start(m, VERSION_1, 8);
    vt_buf none = { VT_BUFFERS, 0, true }, some = { VT_BUFFERS, 9, true };
    unsigned id;
    uint32_t len;
    vt_add(m, 0, &none, 1, false);
    vt_add(m, 0, &some, 1, false);
    EXPECT_EQ(vt_console_room(m), 9u);
    EXPECT_TRUE(vt_get(m, 0, &id, &len));
    EXPECT_FALSE(vt_get(m, 0, &id, &len));
}

TEST(VirtioConsole, LongOutputIsServedInTurns)
{
    Machine m(VT_CONSOLE);
    vt_start(m, VERSION_1, 8);
    vt_buf b = { VT_BUFFERS, 600 << 10, false };
    unsigned id;
    uint32_t used;
    for (unsigned i = 0; i < 3; i++)
        vt_add(m, 1, &b, 1, false);
    vt_kick(m, 1);
    EXPECT_TRUE(vt_get(m, 1, &id, &used));
    EXPECT_TRUE(vt_get(m, 1, &id, &used));
    EXPECT_FALSE(vt_get(m, 1, &id, &used)); // the rest from the main loop
    vt_tick(m);
    EXPECT_TRUE(vt_get(m, 1, &id, &used));
}

TEST(VirtioConsole, ConfigurationAndEmergencyWrite)
{
    Machine m(VT_CONSOLE);
    size_t len;
    EXPECT_EQ(vt_config(m, 0, 2), 80u);
    EXPECT_EQ(vt_config(m, 2, 2), 24u);
    vt_config_write(m, 8, 4, '!'); // before any set-up
    const uint8_t *text = vt_output(m, &len);
    ASSERT_EQ(len, 1u);
    EXPECT_EQ(*text, '!');
    vt_start(m, VERSION_1, 8);
    vt_resize(m, 132, 50);
    EXPECT_EQ(vt_config(m, 0, 2), 132u);
    EXPECT_EQ(vt_config(m, 2, 2), 50u);
    EXPECT_EQ(vt_read(m, ISR), 2u);
}

// ---- fuzz ----

class VirtioFuzz : public testing::TestWithParam<int> {};

TEST_P(VirtioFuzz, NeitherCrashesNorHangsAndRepeats)
{
    auto kind = static_cast<vt_kind>(GetParam());
    vt_fuzz(kind, harness_seed() + GetParam(), static_cast<unsigned>(harness_scale(100000)));
    EXPECT_EQ(vt_fuzz(kind, 4711, 5000), vt_fuzz(kind, 4711, 5000));
    EXPECT_NE(vt_fuzz(kind, 4711, 5000), vt_fuzz(kind, 42, 5000));
}

INSTANTIATE_TEST_SUITE_P(All, VirtioFuzz, testing::Values(VT_BLK, VT_NET, VT_RNG, VT_CONSOLE));

} // namespace
