// RISC-V atomics and cache-block operations, one instruction at a time, and two harts at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "harness.h"

namespace {

enum Cause {
    NONE = -1,
    ILLEGAL = 2,
    LOAD_MISALIGNED = 4,
    LOAD_ACCESS = 5,
    STORE_MISALIGNED = 6,
    STORE_ACCESS = 7
};
enum Width { W = 2, D = 3, Q = 4 };
enum Funct {
    ADD = 0,
    SWAP = 1,
    LR = 2,
    SC = 3,
    XOR = 4,
    CAS = 5,
    OR = 8,
    AND = 12,
    MIN = 16,
    MAX = 20,
    MINU = 24,
    MAXU = 28
};

// rd = x4, rs1 = x1 (address), rs2 = x6
uint32_t amo(Funct f, Width w)
{
    return uint32_t(f) << 27 | (f == LR ? 0u : 6u) << 20 | 1u << 15 | uint32_t(w) << 12 | 4u << 7 | 0x2f;
}

uint32_t store(Width w) // x6 to 0(x1)
{
    return 6u << 20 | 1u << 15 | uint32_t(w) << 12 | 0x23;
}

struct Harts {
    std::unique_ptr<at, decltype(&at_free)> t;

    explicit Harts(unsigned xlen, unsigned n = 2) : t(at_new(xlen, n), at_free) {}

    // Runs it with x1 and x6; the cause, or NONE.
    int run(unsigned hart, uint32_t raw, uint64_t address, uint64_t value = 0)
    {
        at_set_x(t.get(), hart, 1, address);
        at_set_x(t.get(), hart, 6, value);
        return at_run(t.get(), hart, raw);
    }
    uint64_t result(unsigned hart = 0) { return at_x(t.get(), hart, 4); }
    uint64_t peek(uint64_t address, unsigned width = 8) { return at_peek(t.get(), address, width); }
    void poke(uint64_t address, uint64_t value, unsigned width = 8)
    {
        at_poke(t.get(), address, value, width);
    }
    // lr.d on hart 0, what comes between, sc.d of `value`: true when it stored.
    template <class F> bool conditional(uint64_t address, uint64_t value, F between)
    {
        EXPECT_EQ(run(0, amo(LR, D), address), NONE);
        between();
        EXPECT_EQ(run(0, amo(SC, D), address, value), NONE);
        EXPECT_LE(result(), 1u);
        return result() == 0;
    }
};

constexpr uint64_t A = AT_RAM + 0x100, SAME = A + 56, OTHER = A + 64;

TEST(Atomic, ReservationHolds)
{
    Harts h(64);
    h.poke(A, 7);
    EXPECT_TRUE(h.conditional(A, 8, [] {}));
    EXPECT_EQ(h.peek(A), 8u);
    EXPECT_TRUE(h.conditional(A, 9, [&] { h.run(1, store(D), OTHER, 1); }));
    EXPECT_TRUE(h.conditional(A, 10, [&] { h.run(1, amo(SC, D), A, 1); })) << "an SC that fails is no store";
    EXPECT_EQ(h.peek(A), 10u);
    EXPECT_EQ(h.run(0, amo(SC, D), A, 11), NONE);
    EXPECT_EQ(h.result(), 1u) << "the first SC took the reservation";
    EXPECT_EQ(h.peek(A), 10u);
}

TEST(Atomic, ReservationIsBroken)
{
    Harts h(64);
    h.poke(A, 7);
    EXPECT_FALSE(h.conditional(A, 8, [&] { h.run(1, store(D), A, 5); }));
    h.poke(A, 7);
    EXPECT_FALSE(h.conditional(A, 8, [&] { h.run(1, store(D), A, 7); })) << "the same value is a store too";
    EXPECT_FALSE(h.conditional(A, 8, [&] {
        h.run(1, store(D), A, 5);
        h.run(1, store(D), A, 7);
    })) << "ABA";
    EXPECT_FALSE(h.conditional(A, 8, [&] { h.run(1, store(W), SAME, 1); })) << "same granule";
    EXPECT_FALSE(h.conditional(A, 8, [&] { h.run(1, amo(OR, D), A, 0); }));
    EXPECT_FALSE(h.conditional(A, 8, [&] { h.run(1, amo(LR, D), A); })) << "one owner a granule";
    EXPECT_FALSE(h.conditional(A, 8, [&] {
        h.run(1, amo(LR, D), A);
        h.run(1, amo(SC, D), A, 7);
    }));
    EXPECT_FALSE(h.conditional(A, 8, [&] { h.run(1, 0x0040a00fu, A); })) << "cbo.zero";
    EXPECT_EQ(h.peek(A), 0u);
}

TEST(Atomic, StoreConditionalNeedsItsOwnAddressAndSize)
{
    Harts h(64);
    h.run(0, amo(LR, D), A);
    h.run(0, amo(SC, D), A + 8, 1);
    EXPECT_EQ(h.result(), 1u);
    h.run(0, amo(LR, W), A);
    h.run(0, amo(SC, D), A, 1);
    EXPECT_EQ(h.result(), 1u);
    h.run(0, amo(SC, D), A, 1);
    EXPECT_EQ(h.result(), 1u);
    EXPECT_EQ(h.peek(A) | h.peek(A + 8), 0u);
    h.run(0, amo(LR, W), A + 4);
    h.run(0, amo(SC, W), A + 4, 0xfedcba98);
    EXPECT_EQ(h.result(), 0u);
    EXPECT_EQ(h.peek(A), 0xfedcba9800000000);
    h.run(0, amo(LR, W), A + 4);
    EXPECT_EQ(h.result(), 0xfffffffffedcba98);
}

TEST(Atomic, OneHart)
{
    Harts h(32, 1);
    h.run(0, amo(LR, W), A);
    h.run(0, amo(SC, W), A, 3);
    EXPECT_EQ(h.result(), 0u);
    EXPECT_EQ(h.peek(A, 4), 3u);
}

TEST(Atomic, TwoThreadsLoseNoIncrement)
{
    unsigned times = static_cast<unsigned>(harness_scale(500000));
    for (bool amo : {false, true})
        for (bool busy : {false, true}) {
            Harts h(64);
            EXPECT_EQ(at_count_together(h.t.get(), times, amo, busy), 2u * times) << amo << busy;
        }
}

uint64_t reference(Funct f, uint64_t m, uint64_t v)
{
    int64_t sm = static_cast<int64_t>(m), sv = static_cast<int64_t>(v);
    switch (f) {
    case ADD: return m + v;
    case SWAP: return v;
    case XOR: return m ^ v;
    case OR: return m | v;
    case AND: return m & v;
    case MIN: return sm < sv ? m : v;
    case MAX: return sm > sv ? m : v;
    case MINU: return m < v ? m : v;
    default: return m > v ? m : v;
    }
}

TEST(Atomic, MemoryOperations)
{
    const uint64_t values[] = { 0,
                                1,
                                0x7fffffff,
                                0x80000000,
                                0xffffffff,
                                0x7fffffffffffffff,
                                0x8000000000000000,
                                ~UINT64_C(0),
                                0x123456789abcdef0 };
    for (unsigned xlen : {32u, 64u}) {
        Harts h(xlen);
        for (Funct f : {ADD, SWAP, XOR, OR, AND, MIN, MAX, MINU, MAXU})
            for (Width w : {W, D}) {
                if (w == D && xlen == 32)
                    continue;
                for (uint64_t m : values)
                    for (uint64_t v : values) {
                        uint64_t old = w == W ? static_cast<uint64_t>(static_cast<int32_t>(m)) : m;
                        uint64_t operand = w == W ? static_cast<uint64_t>(static_cast<int32_t>(v)) : v;
                        uint64_t expected = reference(f, old, operand);
                        h.poke(A, 0x5555555555555555);
                        h.poke(A, m, 1u << w);
                        ASSERT_EQ(h.run(0, amo(f, w), A, xlen == 32 ? operand : v), NONE);
                        ASSERT_EQ(h.result(), old) << f << std::hex << " " << m << " " << v;
                        ASSERT_EQ(h.peek(A), w == D ? expected : (expected & 0xffffffff) | 0x5555555500000000)
                            << f << std::hex << " " << m << " " << v;
                    }
            }
    }
}

TEST(Atomic, CompareAndSwap)
{
    Harts h(64);
    h.poke(A, 0x1111111180000000);
    at_set_x(h.t.get(), 0, 4, 0x80000000); // only the low word counts
    EXPECT_EQ(h.run(0, amo(CAS, W), A, 0x22222222), NONE);
    EXPECT_EQ(h.result(), 0xffffffff80000000);
    EXPECT_EQ(h.peek(A), 0x1111111122222222u);
    EXPECT_EQ(h.run(0, amo(CAS, D), A, 5), NONE); // x4 differs now
    EXPECT_EQ(h.result(), 0x1111111122222222u);
    EXPECT_EQ(h.peek(A), 0x1111111122222222u);
    EXPECT_EQ(h.run(0, amo(CAS, D), A, 5), NONE);
    EXPECT_EQ(h.peek(A), 5u);
}

TEST(Atomic, CompareAndSwapOfPairs)
{
    Harts h(64);
    at *t = h.t.get();
    h.poke(A, 1), h.poke(A + 8, 2);
    at_set_x(t, 0, 4, 1), at_set_x(t, 0, 5, 3), at_set_x(t, 0, 7, 20);
    EXPECT_EQ(h.run(0, amo(CAS, Q), A, 10), NONE); // the high half differs
    EXPECT_EQ(at_x(t, 0, 4), 1u);
    EXPECT_EQ(at_x(t, 0, 5), 2u);
    EXPECT_EQ(h.peek(A), 1u);
    EXPECT_EQ(h.run(0, amo(CAS, Q), A, 10), NONE);
    EXPECT_EQ(h.peek(A), 10u);
    EXPECT_EQ(h.peek(A + 8), 20u);
    EXPECT_EQ(h.run(0, amo(CAS, Q), A + 8, 10), STORE_MISALIGNED);
    // x0 as a pair: expects 0, writes nothing
    uint32_t to_x0 = amo(CAS, Q) & ~(31u << 7);
    EXPECT_EQ(h.run(0, to_x0, A + 16, 10), NONE);
    EXPECT_EQ(h.peek(A + 16), 10u);
    EXPECT_EQ(h.peek(A + 24), 20u);
    EXPECT_EQ(at_x(t, 0, 0) | at_x(t, 0, 1), A + 16);
    EXPECT_EQ(h.run(0, to_x0, A + 16, 11), NONE);
    EXPECT_EQ(h.peek(A + 16), 10u);
    uint32_t from_x0 = amo(CAS, Q) & ~(31u << 20);
    at_set_x(t, 0, 4, 10), at_set_x(t, 0, 5, 20);
    EXPECT_EQ(h.run(0, from_x0, A + 16), NONE);
    EXPECT_EQ(h.peek(A + 16) | h.peek(A + 24), 0u);
    EXPECT_EQ(h.run(0, amo(CAS, Q) | 1u << 7, A), ILLEGAL);
    EXPECT_EQ(h.run(0, amo(CAS, Q) | 1u << 20, A), ILLEGAL);
}

TEST(Atomic, CompareAndSwapOfPairsOnRv32)
{
    Harts h(32);
    at *t = h.t.get();
    h.poke(A, 0x80000001fffffffe);
    at_set_x(t, 0, 4, 0xfffffffffffffffe), at_set_x(t, 0, 5, 0xffffffff80000001), at_set_x(t, 0, 7, 7);
    EXPECT_EQ(h.run(0, amo(CAS, D), A, 0xffffffff80000000), NONE);
    EXPECT_EQ(at_x(t, 0, 4), 0xfffffffffffffffe);
    EXPECT_EQ(at_x(t, 0, 5), 0xffffffff80000001);
    EXPECT_EQ(h.peek(A), 0x0000000780000000u);
    EXPECT_EQ(h.run(0, amo(CAS, D) | 1u << 7, A), ILLEGAL);
    EXPECT_EQ(h.run(0, amo(CAS, Q), A), ILLEGAL);
}

TEST(Atomic, Exceptions)
{
    Harts h(64);
    EXPECT_EQ(h.run(0, amo(LR, D), A + 4), LOAD_MISALIGNED);
    EXPECT_EQ(at_tval(h.t.get(), 0), A + 4);
    EXPECT_EQ(h.run(0, amo(SC, W), A + 2), STORE_MISALIGNED);
    EXPECT_EQ(h.run(0, amo(ADD, W), A + 1), STORE_MISALIGNED);
    EXPECT_EQ(h.run(0, amo(LR, W), 0x1000), LOAD_ACCESS);
    EXPECT_EQ(h.run(0, amo(SC, W), 0x1000), STORE_ACCESS) << "also without a reservation";
    EXPECT_EQ(h.run(0, amo(CAS, D), 0x1000), STORE_ACCESS);
    EXPECT_EQ(at_tval(h.t.get(), 0), 0x1000u);
}

constexpr uint32_t INVAL = 0x0000a00f, CLEAN = 0x0010a00f, FLUSH = 0x0020a00f, ZERO = 0x0040a00f; // (x1)
constexpr uint64_t CBIE = 1 << 4, CBIE_INVAL = 3 << 4, CBCFE = 1 << 6, CBZE = 1 << 7;

TEST(CacheBlocks, ZeroClearsTheBlock)
{
    Harts h(64);
    for (uint64_t at = A - 8; at < A + 72; at += 8)
        h.poke(at, ~UINT64_C(0));
    EXPECT_EQ(h.run(0, ZERO, A + 13), NONE);
    EXPECT_EQ(h.peek(A - 8), ~UINT64_C(0));
    for (uint64_t at = A; at < A + 64; at += 8)
        EXPECT_EQ(h.peek(at), 0u);
    EXPECT_EQ(h.peek(A + 64), ~UINT64_C(0));
    EXPECT_EQ(h.run(0, ZERO, 0x1003), STORE_ACCESS);
}

TEST(CacheBlocks, OthersLeaveMemoryAlone)
{
    Harts h(64);
    h.poke(A, 0x1234);
    for (uint32_t raw : {INVAL, CLEAN, FLUSH}) {
        EXPECT_EQ(h.run(0, raw, A + 1), NONE);
        EXPECT_EQ(h.peek(A), 0x1234u);
        EXPECT_EQ(h.run(0, raw, 0x1003), STORE_ACCESS) << std::hex << raw;
        EXPECT_EQ(at_tval(h.t.get(), 0), 0x1003u);
    }
    for (uint32_t raw : {0x0000e013u, 0x0010e013u, 0x0030e013u}) // prefetch.i, .r, .w
        EXPECT_EQ(h.run(0, raw, 0x1000), NONE);
}

TEST(CacheBlocks, Enables)
{
    const struct {
        uint32_t raw;
        uint64_t enable;
    } rows[] = {{INVAL, CBIE}, {INVAL, CBIE_INVAL}, {CLEAN, CBCFE}, {FLUSH, CBCFE}, {ZERO, CBZE}};
    for (const auto &r : rows)
        for (unsigned bits = 0; bits < 4; bits++)
            for (unsigned priv : {0u, 1u, 3u}) {
                Harts h(64);
                uint64_t menvcfg = bits & 1 ? r.enable : ~r.enable & (CBIE_INVAL | CBCFE | CBZE);
                uint64_t senvcfg = bits & 2 ? r.enable : 0;
                if (r.enable == CBIE && !(bits & 1))
                    menvcfg = CBCFE | CBZE;
                bool allowed = priv == 3 || (bits & 1 && (priv == 1 || bits & 2));
                at_set_mode(h.t.get(), 0, priv, menvcfg, senvcfg);
                EXPECT_EQ(h.run(0, r.raw, A), allowed ? NONE : ILLEGAL)
                    << std::hex << r.raw << " " << bits << priv;
            }
}

} // namespace
