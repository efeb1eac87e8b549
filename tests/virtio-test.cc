// The VIRTIO transport and queues, driven through registers and rings as a guest does. OASIS VIRTIO 1.2.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "harness.h"

namespace {

const uint64_t NONE = 0, INDIRECT = 1ull << 28, EVENT_IDX = 1ull << 29, VERSION_1 = 1ull << 32,
               PACKED = 1ull << 34, RING_RESET = 1ull << 40;
enum { STATUS_OK = 15, NEEDS_RESET = 64 };
enum { QUEUE_SEL = 0x030, QUEUE_NUM_MAX = 0x034, QUEUE_NUM = 0x038, QUEUE_READY = 0x044, ISR = 0x060,
       STATUS = 0x070, QUEUE_DESC = 0x080, QUEUE_DRIVER = 0x090, QUEUE_RESET = 0x0c0 };

void put(uint8_t *p, uint64_t v, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        p[i] = static_cast<uint8_t>(v >> 8 * i);
}

struct Machine {
    vt *t;
    explicit Machine(vt_kind kind) : t(vt_new(kind)) {}
    explicit Machine(vt *made) : t(made) {}
    ~Machine() { vt_free(t, false); }
    operator vt *() { return t; }
    bool broken() { return vt_read(t, STATUS) & NEEDS_RESET; }
};

// ---- transport ----

TEST(VirtioMmio, EmptySlotSaysSo)
{
    Machine m(VT_EMPTY);
    EXPECT_EQ(vt_read(m, 0), 0x74726976u);
    EXPECT_EQ(vt_read(m, 4), 2u);
    EXPECT_EQ(vt_read(m, 8), 0u);
    for (unsigned off = 0x10; off < 0x1000; off += 4) {
        EXPECT_EQ(vt_read(m, off), 0u) << off;
        vt_write(m, off, 0xffffffff);
    }
    EXPECT_FALSE(vt_irq(m));
}

TEST(VirtioMmio, Identifies)
{
    const unsigned ids[] = { 0, 2, 1, 4, 3 };
    for (int kind = VT_BLK; kind < VT_KINDS; kind++) {
        Machine m(static_cast<vt_kind>(kind));
        EXPECT_EQ(vt_read(m, 8), ids[kind]);
        EXPECT_TRUE(vt_offered(m) & VERSION_1);
        EXPECT_EQ(vt_read(m, 0x0b0), 0xffffffffu); // shared memory regions: none
        EXPECT_EQ(vt_read(m, 0x0b4), 0xffffffffu);
        vt_write(m, QUEUE_SEL, 4);
        EXPECT_EQ(vt_read(m, QUEUE_NUM_MAX), 0u);
        vt_write(m, QUEUE_SEL, 0xffffffff);
        EXPECT_EQ(vt_read(m, QUEUE_NUM_MAX), 0u);
        vt_write(m, 0x014, 2);
        EXPECT_EQ(vt_read(m, 0x010), 0u);
    }
}

TEST(VirtioMmio, WidthsOfAccess)
{
    Machine m(VT_BLK);
    uint64_t v;
    EXPECT_FALSE(vt_access(m, 0, 8, false, &v));
    EXPECT_FALSE(vt_access(m, 2, 4, false, &v));
    EXPECT_TRUE(vt_access(m, 0, 2, false, &v));
    EXPECT_EQ(v, 0u); // registers take 4 bytes only
    v = 1;
    EXPECT_TRUE(vt_access(m, STATUS, 1, true, &v));
    EXPECT_EQ(vt_read(m, STATUS), 0u);
    EXPECT_EQ(vt_config(m, 0, 4), VT_DISK_SIZE / 512u);
    EXPECT_EQ(vt_config(m, 1, 1), VT_DISK_SIZE / 512u >> 8 & 0xff);
    EXPECT_EQ(vt_config(m, 20, 2), 512u);
    EXPECT_EQ(vt_config(m, 60, 4), 0u); // beyond the end
    EXPECT_EQ(vt_config(m, 0xe00, 4), 0u);
}

TEST(VirtioMmio, RefusesFeaturesThatWereNotOffered)
{
    Machine m(VT_BLK);
    EXPECT_EQ(vt_negotiate(m, VERSION_1), 11u);
    EXPECT_EQ(vt_negotiate(m, VERSION_1 | 1ull << 33), 3u);
    EXPECT_EQ(vt_negotiate(m, 1ull << 63), 3u);
    EXPECT_EQ(vt_start(m, VERSION_1, 8), unsigned{ STATUS_OK });
    vt_write(m, STATUS, 0);
    EXPECT_EQ(vt_read(m, STATUS), 0u);
    EXPECT_EQ(vt_read(m, QUEUE_READY), 0u);
}

TEST(VirtioMmio, ReadyQueueIsConstant)
{
    Machine m(VT_RNG);
    vt_start(m, VERSION_1, 8);
    vt_write(m, QUEUE_SEL, 0);
    vt_write(m, QUEUE_NUM, 4);
    vt_write(m, QUEUE_DESC, 0x1234);
    vt_buf b = { VT_BUFFERS, 16, true };
    unsigned id;
    uint32_t len;
    for (int i = 0; i < 20; i++) { // more than once around, at the old size and place
        vt_add(m, 0, &b, 1, false);
        vt_kick(m, 0);
        ASSERT_TRUE(vt_get(m, 0, &id, &len));
        EXPECT_EQ(len, 16u);
    }
    EXPECT_FALSE(m.broken());
}

TEST(VirtioMmio, QueueWithBadRegistersDoesNotGetReady)
{
    struct {
        unsigned size;
        uint64_t desc, driver;
        uint64_t features;
        bool ready;
    } rows[] = {
        { 8, VT_RAM, VT_RAM + 0x1000, VERSION_1, true },
        { 0, VT_RAM, VT_RAM + 0x1000, VERSION_1, false },
        { 7, VT_RAM, VT_RAM + 0x1000, VERSION_1, false },
        { 7, VT_RAM, VT_RAM + 0x1000, VERSION_1 | PACKED, true },
        { 65, VT_RAM, VT_RAM + 0x1000, VERSION_1 | PACKED, false },
        { 1u << 31, VT_RAM, VT_RAM + 0x1000, VERSION_1, false },
        { 8, VT_RAM + 8, VT_RAM + 0x1000, VERSION_1, false },
        { 8, VT_RAM, VT_RAM + 0x1001, VERSION_1, false },
        { 8, VT_RAM, VT_RAM + 0x1002, VERSION_1 | PACKED, false },
        { 8, ~0ull & ~15, VT_RAM + 0x1000, VERSION_1, false },
        { 8, VT_RAM, ~0ull & ~15, VERSION_1, false },
        { 8, 0, 0, VERSION_1, true }, // wrong, but found out when it is used
    };
    for (auto &r : rows) {
        Machine m(VT_RNG);
        vt_negotiate(m, r.features);
        vt_write(m, QUEUE_SEL, 0);
        vt_write(m, QUEUE_NUM, r.size);
        vt_write(m, QUEUE_DESC, static_cast<uint32_t>(r.desc));
        vt_write(m, QUEUE_DESC + 4, static_cast<uint32_t>(r.desc >> 32));
        vt_write(m, QUEUE_DRIVER, static_cast<uint32_t>(r.driver));
        vt_write(m, QUEUE_DRIVER + 4, static_cast<uint32_t>(r.driver >> 32));
        vt_write(m, QUEUE_READY, 1);
        EXPECT_EQ(vt_read(m, QUEUE_READY), r.ready) << r.size << ' ' << r.desc << ' ' << r.driver;
    }
}

TEST(VirtioMmio, QueueReset)
{
    Machine m(VT_BLK);
    vt_start(m, VERSION_1 | RING_RESET, 8);
    vt_write(m, QUEUE_SEL, 0);
    ASSERT_EQ(vt_read(m, QUEUE_READY), 1u);
    vt_write(m, QUEUE_RESET, 1);
    EXPECT_EQ(vt_read(m, QUEUE_RESET), 0u);
    EXPECT_EQ(vt_read(m, QUEUE_READY), 0u);
    vt_setup_queue(m, 0, 16);
    EXPECT_EQ(vt_read(m, QUEUE_READY), 1u);
    EXPECT_EQ(vt_read(m, STATUS), unsigned{ STATUS_OK });
}

TEST(VirtioMmio, EitherMayBeDestroyedFirst)
{
    for (int kind = VT_EMPTY; kind < VT_KINDS; kind++) {
        vt_free(vt_new(static_cast<vt_kind>(kind)), true);
        vt_free(vt_new(static_cast<vt_kind>(kind)), false);
    }
    for (bool slot_first : { false, true }) { // with a request in flight
        vt *t = vt_new(VT_BLK);
        vt_start(t, VERSION_1, 8);
        vt_buf b[] = { { VT_BUFFERS, 16, false }, { VT_BUFFERS + 512, 513, true } };
        vt_add(t, 0, b, 2, false);
        vt_kick(t, 0);
        EXPECT_EQ(vt_in_flight(t), 1u);
        vt_free(t, slot_first);
    }
}

// ---- every ring format ----

class VirtioRings : public testing::TestWithParam<uint64_t> {};

// Chains of one to three buffers, direct and indirect, so often that indices and wrap counters turn over.
TEST_P(VirtioRings, ManyChainsInOrder)
{
    Machine m(VT_RNG);
    ASSERT_EQ(vt_start(m, VERSION_1 | GetParam(), 8), unsigned{ STATUS_OK });
    unsigned id;
    uint32_t len;
    for (unsigned i = 0; i < 70001; i++) {
        unsigned n = 1 + i % 3;
        vt_buf b[3];
        for (unsigned k = 0; k < n; k++)
            b[k] = { VT_BUFFERS + 64 * k, k + 1, true };
        unsigned want = vt_add(m, 0, b, n, (GetParam() & INDIRECT) && i % 2);
        ASSERT_TRUE(vt_wants_doorbell(m, 0)) << i;
        vt_kick(m, 0);
        ASSERT_TRUE(vt_get(m, 0, &id, &len)) << i;
        ASSERT_EQ(id, want) << i;
        ASSERT_EQ(len, n * (n + 1) / 2) << i;
        ASSERT_FALSE(vt_get(m, 0, &id, &len)) << i;
    }
    // The bytes count on from buffer to buffer.
    EXPECT_EQ((*vt_mem(m, VT_BUFFERS) + 1) & 0xff, *vt_mem(m, VT_BUFFERS + 64));
    EXPECT_FALSE(m.broken());
}

TEST_P(VirtioRings, NothingBeforeDriverOk)
{
    Machine m(VT_RNG);
    unsigned status = vt_negotiate(m, VERSION_1 | GetParam());
    vt_setup_queue(m, 0, 8);
    vt_buf b = { VT_BUFFERS, 16, true };
    unsigned id;
    uint32_t len;
    vt_add(m, 0, &b, 1, false);
    vt_kick(m, 0);
    EXPECT_FALSE(vt_get(m, 0, &id, &len));
    EXPECT_FALSE(vt_irq(m));
    vt_write(m, STATUS, status | 4); // what waits is served now
    EXPECT_TRUE(vt_get(m, 0, &id, &len));
    EXPECT_TRUE(vt_irq(m));
    EXPECT_EQ(vt_read(m, ISR), 1u);
    vt_write(m, 0x064, 2);
    EXPECT_TRUE(vt_irq(m));
    vt_write(m, 0x064, 1);
    EXPECT_FALSE(vt_irq(m));
    vt_interrupt_after(m, 0, 1);
    vt_add(m, 0, &b, 1, false);
    vt_kick(m, 0);
    EXPECT_TRUE(vt_irq(m));
    vt_write(m, STATUS, 0); // a reset takes the interrupt back
    EXPECT_FALSE(vt_irq(m));
    EXPECT_EQ(vt_read(m, ISR), 0u);
}

TEST_P(VirtioRings, OneChainFillsTheRing)
{
    Machine m(VT_RNG);
    vt_start(m, VERSION_1 | GetParam(), 8);
    vt_buf b[8];
    unsigned id;
    uint32_t len;
    for (unsigned i = 0; i < 8; i++)
        b[i] = { VT_BUFFERS + 64 * i, 4, true };
    for (unsigned round = 0; round < 5; round++) {
        unsigned want = vt_add(m, 0, b, 8, false);
        vt_kick(m, 0);
        ASSERT_TRUE(vt_get(m, 0, &id, &len)) << round;
        ASSERT_EQ(id, want);
        ASSERT_EQ(len, 32u);
    }
}

TEST_P(VirtioRings, InterruptSuppression)
{
    Machine m(VT_RNG);
    vt_start(m, VERSION_1 | GetParam(), 8);
    vt_buf b = { VT_BUFFERS, 16, true };
    unsigned id;
    uint32_t len;
    auto one = [&] {
        vt_add(m, 0, &b, 1, false);
        vt_kick(m, 0);
        bool irq = vt_irq(m);
        vt_ack(m);
        EXPECT_TRUE(vt_get(m, 0, &id, &len));
        return irq;
    };
    one();
    if (!(GetParam() & EVENT_IDX)) {
        vt_no_interrupts(m, 0, true);
        EXPECT_FALSE(one());
        vt_no_interrupts(m, 0, false);
        EXPECT_TRUE(one());
        return;
    }
    for (unsigned round = 0; round < 300; round++) {
        unsigned after = 1 + round % 7;
        vt_interrupt_after(m, 0, after);
        for (unsigned i = 1; i <= after; i++)
            ASSERT_EQ(one(), i == after) << round << ' ' << i;
    }
}

// As many chains as one turn takes: the next turn comes from the main loop, and doorbells work as before.
TEST_P(VirtioRings, FullRingAtOnce)
{
    Machine m(VT_RNG);
    vt_start(m, VERSION_1 | GetParam(), 64);
    vt_buf b = { VT_BUFFERS, 16, true };
    unsigned id;
    uint32_t len;
    char text[1024];
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < 64; i++)
            vt_add(m, 0, &b, 1, false);
        ASSERT_TRUE(vt_wants_doorbell(m, 0)) << round;
        vt_kick(m, 0);
        EXPECT_TRUE(vt_round_trip(m, text, sizeof text)) << text;
        for (unsigned i = 0; i < 64; i++)
            ASSERT_TRUE(vt_get(m, 0, &id, &len)) << round << ' ' << i;
        ASSERT_FALSE(vt_get(m, 0, &id, &len));
        vt_tick(m);
    }
    EXPECT_FALSE(m.broken());
}

// The state in the middle of the second lap, and what the second machine makes of it.
TEST_P(VirtioRings, SaveLoadSave)
{
    for (int kind = VT_BLK; kind < VT_KINDS; kind++) {
        Machine m(static_cast<vt_kind>(kind));
        char text[1024];
        EXPECT_TRUE(vt_round_trip(m, text, sizeof text)) << text;
        vt_start(m, (vt_offered(m) & ~(PACKED | EVENT_IDX | INDIRECT)) | GetParam(), 8);
        std::memset(vt_mem(m, VT_BUFFERS), 0, 1024);
        unsigned queue = kind == VT_NET || kind == VT_CONSOLE;
        for (unsigned i = 0; i < 11; i++) {
            vt_buf b[] = { { VT_BUFFERS, 16, false }, { VT_BUFFERS + 512, 513, true } };
            vt_add(m, queue, b, 2, false);
            vt_kick(m, queue);
            vt_serve(m, 8, false);
        }
        EXPECT_TRUE(vt_irq(m));
        EXPECT_TRUE(vt_round_trip(m, text, sizeof text)) << text;
        EXPECT_FALSE(m.broken());
    }
}

TEST_P(VirtioRings, DamagedStateIsRefusedOrHarmless)
{
    for (int kind = VT_EMPTY; kind < VT_KINDS; kind++) {
        Machine m(static_cast<vt_kind>(kind));
        if (kind != VT_EMPTY)
            vt_start(m, (vt_offered(m) & ~(PACKED | EVENT_IDX | INDIRECT)) | GetParam(), 8);
        EXPECT_LT(vt_damage(m, harness_seed(), 2000), 2000u);
    }
}

// Two threads ring each other only when asked to: nobody may be left asleep.
TEST(VirtioRace, NoNotificationIsLost)
{
    for (uint64_t format : { NONE, PACKED })
        EXPECT_TRUE(vt_race(VERSION_1 | EVENT_IDX | format, static_cast<unsigned>(harness_scale(40000))))
            << format;
}

// ---- malformed rings: the device stops and says so, and works again after a reset ----

struct Desc {
    uint64_t gpa;
    uint32_t len;
    unsigned flags, link; // NEXT 1, WRITE 2, INDIRECT 4; link: split next, packed id
};

void write_desc(vt *t, uint64_t at, Desc d, bool packed, bool first = false)
{
    uint8_t *p = vt_mem(t, at);
    put(p, d.gpa, 8);
    put(p + 8, d.len, 4);
    put(p + (packed ? 12 : 14), d.link, 2);
    put(p + (packed ? 14 : 12), d.flags | (packed && first ? 0x80 : 0), 2);
}

struct Malformed {
    const char *name;
    bool packed, split; // formats that it is for
    std::vector<Desc> ring, table; // table is at VT_BUFFERS + 0x10000
};

const uint64_t TABLE = VT_BUFFERS + 0x10000;

const std::vector<Malformed> malformed = {
    { "loop to itself", false, true, { { VT_BUFFERS, 16, 3, 0 } }, {} },
    { "loop of two", false, true, { { VT_BUFFERS, 16, 3, 1 }, { VT_BUFFERS, 16, 3, 0 } }, {} },
    { "next outside", false, true, { { VT_BUFFERS, 16, 3, 8 } }, {} },
    { "next far outside", false, true, { { VT_BUFFERS, 16, 3, 65535 } }, {} },
    { "all slots, no end",
      true,
      false,
      { { VT_BUFFERS, 1, 3, 0 },
        { VT_BUFFERS, 1, 3, 0 },
        { VT_BUFFERS, 1, 3, 0 },
        { VT_BUFFERS, 1, 3, 0 },
        { VT_BUFFERS, 1, 3, 0 },
        { VT_BUFFERS, 1, 3, 0 },
        { VT_BUFFERS, 1, 3, 0 },
        { VT_BUFFERS, 1, 3, 0 } },
      {} },
    { "buffer nowhere", true, true, { { 0x1000, 16, 2, 0 } }, {} },
    { "buffer in the device itself", true, true, { { VT_MMIO, 16, 2, 0 } }, {} },
    { "buffer across the end of RAM", true, true, { { VT_RAM + VT_RAM_SIZE - 8, 16, 2, 0 } }, {} },
    { "buffer wraps", true, true, { { ~0ull - 7, 16, 2, 0 } }, {} },
    { "buffers of more than 4 GiB",
      true,
      true,
      { { VT_BUFFERS, 0xffffffff, 3, 1 }, { VT_BUFFERS, 0xffffffff, 2, 0 } },
      {} },
    { "readable after writable", true, true, { { VT_BUFFERS, 16, 3, 1 }, { VT_BUFFERS, 16, 0, 0 } }, {} },
    { "indirect table of 15 bytes", true, true, { { TABLE, 15, 4, 0 } }, {} },
    { "empty indirect table", true, true, { { TABLE, 0, 4, 0 } }, {} },
    { "huge indirect table", true, true, { { TABLE, 0xfffffff0, 4, 0 } }, {} },
    { "indirect table of 1025", true, true, { { TABLE, 1025 * 16, 4, 0 } }, {} },
    { "indirect table nowhere", true, true, { { 0x2000, 16, 4, 0 } }, {} },
    { "indirect table in the device", true, true, { { VT_MMIO, 16, 4, 0 } }, {} },
    { "indirect table wraps", true, true, { { ~0ull - 15, 32, 4, 0 } }, {} },
    { "indirect and next",
      true,
      true,
      { { TABLE, 16, 5, 1 }, { VT_BUFFERS, 16, 2, 0 } },
      { { VT_BUFFERS, 16, 2, 0 } } },
    { "indirect in indirect", true, true, { { TABLE, 16, 4, 0 } }, { { TABLE, 16, 4, 0 } } },
    { "loop in an indirect table",
      false,
      true,
      { { TABLE, 32, 4, 0 } },
      { { VT_BUFFERS, 16, 3, 1 }, { VT_BUFFERS, 16, 3, 0 } } },
    { "next outside of the table",
      false,
      true,
      { { TABLE, 32, 4, 0 } },
      { { VT_BUFFERS, 16, 3, 2 }, { VT_BUFFERS, 16, 2, 0 } } },
    { "indirect after direct",
      true,
      false,
      { { VT_BUFFERS, 16, 3, 0 }, { TABLE, 16, 4, 0 } },
      { { VT_BUFFERS, 16, 2, 0 } } },
};

void check_malformed(const Malformed &row, bool packed, uint64_t features)
{
    Machine m(VT_RNG);
    vt_start(m, VERSION_1 | features, 8);
    for (size_t i = 0; i < row.table.size(); i++)
        write_desc(m, TABLE + 16 * i, row.table[i], packed);
    for (size_t i = 0; i < row.ring.size(); i++)
        write_desc(m, vt_desc(0) + 16 * i, row.ring[i], packed, i == 0);
    if (!packed)
        put(vt_mem(m, vt_driver(0)) + 2, 1, 2);
    vt_kick(m, 0);
    EXPECT_TRUE(m.broken()) << row.name;
    EXPECT_EQ(vt_read(m, ISR), 2u) << row.name; // a configuration interrupt (2.1.2)
    EXPECT_TRUE(vt_irq(m)) << row.name;
    vt_kick(m, 0);
    vt_start(m, VERSION_1 | features, 8);
    vt_buf b = { VT_BUFFERS, 16, true };
    unsigned id;
    uint32_t len;
    vt_add(m, 0, &b, 1, false);
    vt_kick(m, 0);
    EXPECT_TRUE(vt_get(m, 0, &id, &len)) << row.name;
    EXPECT_FALSE(m.broken()) << row.name;
}

TEST_P(VirtioRings, Malformed)
{
    bool packed = GetParam() & PACKED;
    for (auto &row : malformed) {
        if (packed ? row.packed : row.split)
            check_malformed(row, packed, GetParam());
    }
}

// Rings that lie nowhere, in the device, or across the end of RAM: found out when they are used.
TEST_P(VirtioRings, RingOutsideOfRam)
{
    for (uint64_t where :
         { NONE, uint64_t{ VT_MMIO }, uint64_t{ VT_RAM } + VT_RAM_SIZE - 16, ~uint64_t{ 0xfff } }) {
        for (unsigned reg : { 0x080u, 0x090u, 0x0a0u }) {
            Machine m(VT_RNG);
            vt_start(m, VERSION_1 | GetParam(), 8);
            vt_write(m, QUEUE_SEL, 0);
            vt_write(m, QUEUE_READY, 0);
            vt_setup_queue(m, 0, 8);
            uint64_t base[] = { vt_desc(0), vt_driver(0), vt_device(0) };
            base[(reg - 0x080) / 16] = where;
            vt_write(m, QUEUE_READY, 0);
            vt_write(m, QUEUE_NUM, 8);
            for (unsigned i = 0; i < 3; i++) {
                vt_write(m, 0x080 + 16 * i, static_cast<uint32_t>(base[i]));
                vt_write(m, 0x084 + 16 * i, static_cast<uint32_t>(base[i] >> 32));
            }
            vt_write(m, QUEUE_READY, 1);
            vt_buf b = { VT_BUFFERS, 16, true };
            for (unsigned i = 0; i < 8; i++)
                vt_add(m, 0, &b, 1, false);
            vt_kick(m, 0);
            // Zeros say that there is nothing to do; a packed ring's device area is written with
            // the event index only.
            bool packed = GetParam() & PACKED,
                 in_ram = where > VT_RAM && where < VT_RAM + uint64_t{ VT_RAM_SIZE };
            bool quiet =
                (in_ram && (packed || reg == 0x090)) || (packed && reg == 0x0a0 && !(GetParam() & EVENT_IDX));
            EXPECT_EQ(m.broken(), !quiet) << std::hex << where << ' ' << reg;
        }
    }
}

TEST(VirtioSplit, BadIndices)
{
    vt_buf b = { VT_BUFFERS, 16, true };
    Machine m(VT_RNG);
    vt_start(m, VERSION_1, 8);
    vt_add(m, 0, &b, 1, false);
    put(vt_mem(m, vt_driver(0)) + 2, 9, 2); // ahead by more than the ring
    vt_kick(m, 0);
    EXPECT_TRUE(m.broken());
    vt_start(m, VERSION_1, 8);
    vt_add(m, 0, &b, 1, false);
    put(vt_mem(m, vt_driver(0)) + 4, 8, 2); // head outside
    vt_kick(m, 0);
    EXPECT_TRUE(m.broken());
    vt_start(m, VERSION_1, 8);
    write_desc(m, vt_desc(0), { VT_BUFFERS, 16, 4, 0 }, false); // indirect without having been negotiated
    put(vt_mem(m, vt_driver(0)) + 2, 1, 2);
    vt_kick(m, 0);
    EXPECT_TRUE(m.broken());
}

// 2.7.5.3.2: direct descriptors, then an indirect one that ends the chain.
TEST(VirtioSplit, DirectThenIndirect)
{
    Machine m(VT_RNG);
    vt_start(m, VERSION_1 | INDIRECT, 8);
    write_desc(m, TABLE, { VT_BUFFERS + 64, 5, 2, 0 }, false);
    write_desc(m, vt_desc(0), { VT_BUFFERS, 3, 3, 1 }, false);
    write_desc(m, vt_desc(0) + 16, { TABLE, 16, 4, 0 }, false);
    put(vt_mem(m, vt_driver(0)) + 2, 1, 2);
    vt_kick(m, 0);
    unsigned id;
    uint32_t len;
    ASSERT_TRUE(vt_get(m, 0, &id, &len));
    EXPECT_EQ(len, 8u);
}

std::string ring_name(const testing::TestParamInfo<uint64_t> &info)
{
    return std::string(info.param & PACKED ? "Packed" : "Split") + (info.param & EVENT_IDX ? "Event" : "");
}

INSTANTIATE_TEST_SUITE_P(All, VirtioRings,
                         testing::Values(INDIRECT, INDIRECT | EVENT_IDX, INDIRECT | PACKED,
                                         INDIRECT | PACKED | EVENT_IDX),
                         ring_name);

} // namespace
