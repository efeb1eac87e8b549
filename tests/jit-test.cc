// The IR, host code of single operations against plain C, and random RISC-V programs against the interpreter.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "harness.h"

namespace {

// ---- the IR ----

std::string built(std::vector<jit_op> ops)
{
    char text[4096];

    jit_ir_text(ops.data(), static_cast<unsigned>(ops.size()), text, sizeof text);
    return text;
}

jit_op op(const char *name, unsigned size, unsigned dst, unsigned a, unsigned b, int64_t imm = 0)
{
    return { name, size, dst, a, b, 0, 0, 0, imm };
}

jit_op leave()
{
    return op("leave", 8, 0, 0, 0);
}

TEST(JitIr, BuilderFoldsConstants)
{
    EXPECT_EQ(built({ op("mov", 8, 5, 0, JIT_IMM, 0x12345000), op("add", 8, 5, 5, JIT_IMM, 0x678),
                      op("shl", 8, 6, 5, JIT_IMM, 12), op("add", 8, 7, 8, 6), op("mov", 8, 9, 0, 5), leave() }),
              "block 0x1000, 6 instructions\n"
              "  mov64 g5 #0x12345000\n"
              "  mov64 g5 #0x12345678\n"
              "  mov64 g6 #0x12345678000\n"
              "  add64 g7 g8 #0x12345678000\n"
              "  mov64 g9 #0x12345678\n"
              "  leave64\n");
}

TEST(JitIr, BuilderExtendsNarrowConstants)
{
    jit_op zero = op("add", 4, 7, 5, JIT_IMM, 1);

    zero.flags = JIT_ZERO;
    EXPECT_EQ(built({ op("mov", 8, 5, 0, JIT_IMM, 0x7fffffff), op("add", 4, 6, 5, JIT_IMM, 1), zero, leave() }),
              "block 0x1000, 4 instructions\n"
              "  mov64 g5 #0x7fffffff\n"
              "  mov64 g6 #0xffffffff80000000\n"
              "  mov64 g7 #0x80000000\n"
              "  leave64\n");
}

TEST(JitIr, BuilderForgetsWhatMayHaveChanged)
{
    EXPECT_EQ(built({ op("mov", 8, 5, 0, JIT_IMM, 1), op("call", 8, 0, 0, 0), op("add", 8, 6, 6, 5),
                      op("mov", 8, 5, 0, JIT_IMM, 2), op("load", 8, 5, 1, 0), op("add", 8, 6, 6, 5), leave() }),
              "block 0x1000, 7 instructions\n"
              "  mov64 g5 #0x1\n"
              "  call64\n"
              "  add64 g6 g6 g5\n"
              "  mov64 g5 #0x2\n"
              "  load64 g5 g1 0\n"
              "  add64 g6 g6 g5\n"
              "  leave64\n");
}

TEST(JitIr, BuilderDropsWhatNobodySees)
{
    EXPECT_EQ(built({ op("add", 8, JIT_NONE, 1, 2), op("load", 4, JIT_NONE, 1, 0, 8), leave() }),
              "block 0x1000, 3 instructions\n"
              "  load32 - g1 0x8\n"
              "  leave64\n");
}

TEST(JitIr, DumpHasConditionsAndFlags)
{
    jit_op set = op("set", 8, 3, 4, 5), load = op("load", 4, 40, 2, 0, 16), branch = op("branch", 8, 0, 1, 2, 0x1010);

    set.cond = JIT_LTU;
    load.flags = JIT_BOX;
    branch.cond = JIT_GE;
    EXPECT_EQ(built({ set, load, op("mov", 8, JIT_T + 2, 0, 1), branch, op("jump", 8, 0, 0, 0, 0x1004) }),
              "block 0x1000, 5 instructions\n"
              "  set64.ltu g3 g4 g5\n"
              "  load32.box g40 g2 0x10\n"
              "  mov64 t2 g1\n"
              "  branch64.ge g1 g2 0x1010\n"
              "  jump64 0x1004\n");
}

TEST(JitIr, DumpStaysInItsBuffer)
{
    std::vector<jit_op> ops(20, op("add", 8, 1, 2, 3));
    char text[64];

    memset(text, '!', sizeof text);
    jit_ir_text(ops.data(), 20, text, 50);
    EXPECT_EQ(strlen(text), 49u);
    EXPECT_EQ(text[50], '!');
}

TEST(JitIr, VerifierFindsEachFault)
{
    struct {
        std::vector<jit_op> ops;
        unsigned insns;
        const char *fault;
        unsigned at;
    } cases[] = {
        { { op("add", 8, 1, 2, 3), leave() }, 1, nullptr, 2 },
        { { op("nothing", 8, 1, 2, 3), leave() }, 1, "no such operation", 0 },
        { { leave(), op("add", 3, 1, 2, 3), leave() }, 1, "operations after the end", 0 },
        { { op("add", 3, 1, 2, 3), leave() }, 1, "no such size", 0 },
        { { op("add", 8, 1, 2, 3) }, 1, "the block has no end", 0 },
        { { op("add", 8, 0xf0, 2, 3), leave() }, 1, "dst is no variable", 0 },
        { { op("add", 8, 1, 0xf0, 3), leave() }, 1, "an operand is no variable", 0 },
        { { op("add", 8, 1, JIT_IMM, 3), leave() }, 1, "an operand is no variable", 0 },
        { { op("add", 8, 1, 2, JIT_NONE), leave() }, 1, "an operand is no variable", 0 },
        { { leave() }, 0, "the block is empty", 1 },
        { {}, 1, "the block is empty", 0 },
        { { op("mov", 8, JIT_T, 0, 1), op("add", 8, 1, JIT_T, JIT_T + 1), leave() },
          1,
          "a temporary is read before it is written",
          1 },
    };

    for (auto &c : cases) {
        unsigned at;
        EXPECT_STREQ(jit_ir_fault(c.ops.data(), static_cast<unsigned>(c.ops.size()), c.insns, &at), c.fault);
        EXPECT_EQ(at, c.at) << (c.fault ? c.fault : "none");
    }
    jit_op set = op("set", 8, 1, 2, 3);
    set.cond = 8;
    jit_op bad[] = { set, leave() };
    unsigned at;
    EXPECT_STREQ(jit_ir_fault(bad, 2, 1, &at), "no such condition");
}

// ---- host code of single operations ----

struct Lab {
    std::unique_ptr<jit_lab, decltype(&jit_lab_free)> owner;
    char text[8192];

    Lab(unsigned address_bits = 64, bool stamps = false) : owner(jit_lab_new(address_bits, stamps), jit_lab_free) {}
    jit_lab *get() { return owner.get(); }
};

TEST(JitEmit, EachOperation)
{
    uint64_t seed = harness_seed();
    Lab lab;

    for (unsigned row = 0; jit_lab_name(row); row++) {
        if (!jit_lab_has(lab.get(), row))
            continue;
        EXPECT_EQ(jit_lab_check(lab.get(), row, harness_scale(1000), seed, lab.text, sizeof lab.text), 0u)
            << jit_lab_name(row) << "\n"
            << lab.text;
    }
}

TEST(JitEmit, BlocksOfAnything)
{
    uint64_t seed = harness_seed(), loads, stores, calls;

    for (unsigned bits : { 64, 32 }) {
        for (bool stamps : { false, true }) {
            Lab lab(bits, stamps);
            EXPECT_EQ(jit_lab_check(lab.get(), UINT32_MAX, harness_scale(5000), seed, lab.text, sizeof lab.text), 0u)
                << bits << (stamps ? " stamps" : "") << "\n"
                << lab.text;
            jit_lab_callbacks(lab.get(), &loads, &stores, &calls);
            EXPECT_GT(loads, 1000u);
            EXPECT_GT(stores, 1000u);
            EXPECT_GT(calls, 1000u);
        }
    }
}

TEST(JitEmit, BranchesBothWays)
{
    Lab lab;

    EXPECT_EQ(jit_lab_branches(lab.get(), harness_scale(5000), harness_seed(), lab.text, sizeof lab.text), 0u)
        << lab.text;
}

TEST(JitEmit, BranchesOnComparisons)
{
    Lab lab;

    EXPECT_EQ(jit_lab_decisions(lab.get(), harness_scale(5000), harness_seed(), lab.text, sizeof lab.text), 0u)
        << lab.text;
}

TEST(JitEmit, LinkedLoopEndsWithItsBudget)
{
    Lab lab;
    int64_t left;

    EXPECT_EQ(jit_lab_loop(lab.get(), 7, 100, &left), 14u);
    EXPECT_EQ(left, 2);
    EXPECT_EQ(jit_lab_loop(lab.get(), 64, 63, &left), 0u);
    EXPECT_EQ(left, 63);
    EXPECT_EQ(jit_lab_loop(lab.get(), 1, 1000000, &left), 1000000u);
    EXPECT_EQ(left, 0);
}

TEST(JitEmit, IndirectJumps)
{
    Lab lab, narrow(32);
    uint64_t pc;

    for (bool there : { false, true }) {
        EXPECT_EQ(jit_lab_jump(lab.get(), 0x123456789000, -7, there, &pc), there);
        EXPECT_EQ(pc, there ? 0x123456788ff8u ^ 0x100000 : 0x123456788ff8u);
        EXPECT_EQ(jit_lab_jump(narrow.get(), 0xffffffff80000001, 0x10, there, &pc), there);
        EXPECT_EQ(pc, there ? 0x80000010u ^ 0x100000 : 0x80000010u);
        EXPECT_EQ(jit_lab_jump(narrow.get(), 0xfffffffffffffffe, 0x10, there, &pc), there);
        EXPECT_EQ(pc, there ? 0xeu ^ 0x100000 : 0xeu);
    }
}

TEST(JitEmit, JumpsToOtherPagesInTheirEpoch)
{
    Lab lab;

    jit_lab_epochs(lab.get(), 5, 9);
    for (bool cached : { false, true }) {
        for (int32_t patience : { 0, 1, 2 }) {
            EXPECT_TRUE(jit_lab_far(lab.get(), true, 0, 5, patience, cached));
            EXPECT_TRUE(jit_lab_far(lab.get(), true, 1, 9, patience, cached));
            for (uint32_t epoch : { 4u, 6u, 9u, UINT32_MAX })
                EXPECT_EQ(jit_lab_far(lab.get(), true, 0, epoch, patience, cached), cached && patience) << epoch;
            EXPECT_EQ(jit_lab_far(lab.get(), true, 1, 5, patience, cached), cached && patience);
            EXPECT_EQ(jit_lab_far(lab.get(), false, 0, 5, patience, cached), cached && patience);
        }
    }
}

TEST(JitEmit, CallsReturnToWhereTheGuestWants)
{
    Lab lab;

    for (bool far : { false, true }) {
        for (bool linked : { false, true }) {
            for (bool pointer : { false, true }) {
                EXPECT_EQ(jit_lab_call(lab.get(), far, pointer, 0, true, linked || !far), 0x101u);
                EXPECT_EQ(jit_lab_call(lab.get(), far, pointer, 0x2000, true, linked), 0x101u);
                EXPECT_EQ(jit_lab_call(lab.get(), far, pointer, 1, true, linked || !far), 0x101u); /* not bit 0 */
            }
            EXPECT_EQ(jit_lab_call(lab.get(), far, false, 0, false, linked), 0x101u);
        }
    }
}

TEST(JitEmit, OpenCalls)
{
    Lab lab;

    for (int round = 0; round < 2; round++) {
        EXPECT_EQ(jit_lab_open_calls(lab.get(), JIT_LAB_NOTHING), 0x101u);
        EXPECT_EQ(jit_lab_open_calls(lab.get(), JIT_LAB_FORGET), 1u);
        EXPECT_EQ(jit_lab_open_calls(lab.get(), JIT_LAB_HIDE), 1u);
        EXPECT_EQ(jit_lab_open_calls(lab.get(), JIT_LAB_SHOW), 1u); /* which are hidden? */
        EXPECT_EQ(jit_lab_open_calls(lab.get(), JIT_LAB_HIDE_SHOW), 0x101u);
        EXPECT_EQ(jit_lab_open_calls(lab.get(), JIT_LAB_HIDE_FORGET), 1u);
    }
}

TEST(JitEmit, GuardsOfFloatingPoint)
{
    enum { ON = 1, ROUNDS = 2 };
    Lab lab;

    EXPECT_TRUE(jit_lab_guard(lab.get(), ON, 0x6000, 4));
    EXPECT_TRUE(jit_lab_guard(lab.get(), ON, ~uint64_t(0), 4));
    for (uint64_t status : { 0x0, 0x2000, 0x4000, 0x1f9fff })
        EXPECT_FALSE(jit_lab_guard(lab.get(), ON, status, 0));
    for (unsigned rounding = 0; rounding < 8; rounding++)
        EXPECT_EQ(jit_lab_guard(lab.get(), ROUNDS, 0, rounding), rounding < 4);
}

TEST(JitEmit, NoPageIsWritableAndExecutable)
{
    Lab lab;
    int64_t left;
    std::ifstream maps("/proc/self/maps");
    std::string line;
    unsigned executable = 0, code = 0;

    jit_lab_loop(lab.get(), 1, 10, &left);
    while (std::getline(maps, line)) {
        std::string mode = line.substr(line.find(' ') + 1, 4);
        EXPECT_FALSE(mode[1] == 'w' && mode[2] == 'x') << line;
        executable += mode[2] == 'x';
        code += line.find("lyrebird-code") != std::string::npos;
    }
    EXPECT_GT(executable, 0u);
    EXPECT_GE(code, 2u);
}

// ---- random programs ----

struct Pair {
    std::unique_ptr<jit_pair, decltype(&jit_pair_free)> owner;

    Pair(unsigned xlen, const char *cpu, unsigned harts) : owner(jit_pair_new(xlen, cpu, harts), jit_pair_free) {}
    jit_pair *get() { return owner.get(); }
};

void compare(unsigned xlen, const char *cpu, unsigned harts, uint64_t programs)
{
    uint64_t seed = harness_seed(), blocks, insns, traps;
    Pair pair(xlen, cpu, harts);
    std::vector<char> text(1 << 16);
    int wrong = 0;

    ASSERT_TRUE(pair.get()) << "no code memory";
    for (uint64_t i = 0; i < programs && wrong < 5; i++) {
        uint64_t state = seed + i, one = harness_random(&state);
        bool same = jit_pair_agrees(pair.get(), one, text.data(), text.size());
        wrong += !same;
        EXPECT_TRUE(same) << "program " << i << " (" << one << ") of seed " << seed << ", rv" << xlen << " " << cpu
                          << ", " << harts << " harts\n"
                          << text.data();
    }
    jit_pair_counts(pair.get(), &blocks, &insns, &traps);
    printf("rv%u %s: %llu programs, %llu blocks, %llu instructions, %llu traps\n", xlen, cpu,
           static_cast<unsigned long long>(programs), static_cast<unsigned long long>(blocks),
           static_cast<unsigned long long>(insns), static_cast<unsigned long long>(traps));
    EXPECT_GT(blocks, 2 * programs);
}

// `make check-random BLOCKS=...`: all machines in turn until that many blocks became host code.
TEST(JitRandom, Blocks)
{
    const char *wanted = std::getenv("LYREBIRD_TEST_BLOCKS");
    uint64_t target = wanted ? std::strtoull(wanted, nullptr, 10) : harness_scale(5000), programs = 0, blocks = 0;
    uint64_t seed = harness_seed(), insns = 0, traps = 0, state = seed;
    Pair pairs[] = { { 64, "max", 1 }, { 32, "max", 1 }, { 64, "max", 2 }, { 64, "max,-c", 1 }, { 32, "max,-c", 1 } };
    std::vector<char> text(1 << 16);
    auto start = std::chrono::steady_clock::now();
    int wrong = 0;

    for (Pair &p : pairs)
        ASSERT_TRUE(p.get()) << "no code memory";
    while (blocks < target && wrong < 5) {
        uint64_t one = harness_random(&state), b, i, t;
        blocks = insns = traps = 0;
        for (Pair &p : pairs) {
            bool same = jit_pair_agrees(p.get(), one, text.data(), text.size());
            wrong += !same;
            EXPECT_TRUE(same) << "program " << programs << " (" << one << ") of seed " << seed << ", machine "
                              << &p - pairs << "\n"
                              << text.data();
            jit_pair_counts(p.get(), &b, &i, &t);
            blocks += b, insns += i, traps += t, programs++;
        }
    }
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    printf("%llu programs, %llu blocks (%.0f a second), %llu instructions, %llu traps, %d differences\n",
           static_cast<unsigned long long>(programs), static_cast<unsigned long long>(blocks),
           static_cast<double>(blocks) / took.count(), static_cast<unsigned long long>(insns),
           static_cast<unsigned long long>(traps), wrong);
}

TEST(JitRandom, Rv64)
{
    compare(64, "max", 1, harness_scale(3000));
}

TEST(JitRandom, Rv32)
{
    compare(32, "max", 1, harness_scale(3000));
}

TEST(JitRandom, WithStamps)
{
    compare(64, "max", 2, harness_scale(1000));
}

TEST(JitRandom, WithoutC)
{
    compare(64, "max,-c", 1, harness_scale(1000));
    compare(32, "max,-c", 1, harness_scale(1000));
}

} // namespace
