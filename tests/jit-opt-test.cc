// ir_optimize(): exact operations, and random blocks with and without it.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "harness.h"

namespace {

jit_op op(const char *name, unsigned size, unsigned dst, unsigned a, unsigned b, int64_t imm = 0)
{
    return { name, size, dst, a, b, 0, 0, 0, imm };
}

jit_op imm(const char *name, unsigned size, unsigned dst, unsigned a, int64_t value)
{
    return op(name, size, dst, a, JIT_IMM, value);
}

// What is left of the operations, without the head and the `leave` that ends them.
std::string optimized(std::vector<jit_op> ops)
{
    char text[4096];

    ops.push_back(op("leave", 8, 0, 0, 0));
    jit_ir_optimized(ops.data(), static_cast<unsigned>(ops.size()), text, sizeof text);
    std::string all = text, head = all.substr(0, all.find('\n') + 1), end = "  leave64\n";
    EXPECT_EQ(head.compare(0, 6, "block "), 0);
    EXPECT_EQ(all.substr(all.size() - end.size()), end);
    return all.substr(head.size(), all.size() - head.size() - end.size());
}

TEST(JitOpt, DropsWhatIsWrittenAgain)
{
    EXPECT_EQ(optimized({ op("add", 8, 5, 6, 7), op("mul", 8, 5, 6, 7) }), "  mul64 g5 g6 g7\n");
    EXPECT_EQ(optimized({ op("add", 8, JIT_T, 6, 7), op("mov", 8, 6, 0, 6) }), "");
    EXPECT_EQ(optimized({ op("add", 8, 5, 6, 7), op("div", 8, 8, 5, 7), op("mul", 8, 8, 6, 7),
                          op("mul", 8, 5, 6, 7) }),
              "  mul64 g8 g6 g7\n"
              "  mul64 g5 g6 g7\n");
}

TEST(JitOpt, KeepsWhatMayBeSeenInBetween)
{
    jit_op load = op("load", 8, 9, 1, 0), store = op("store", 8, 0, 1, 2), branch = op("branch", 8, 0, 1, 2, 0x1010);
    jit_op page = op("page", 8, JIT_T + 5, 1, 0), call = op("call", 8, 0, 0, 0), fadd = op("fadd", 8, 40, 41, 42);

    for (const jit_op &stop : { load, store, branch, page, call, fadd }) {
        std::string text = optimized({ op("add", 4, 5, 6, 7), stop, op("mul", 8, 5, 6, 7) });
        EXPECT_EQ(text.compare(0, 17, "  add32 g5 g6 g7\n"), 0) << text;
        EXPECT_EQ(optimized({ op("add", 8, JIT_T, 6, 7), stop }).find("add64 t0"), std::string::npos) << stop.name;
    }
    EXPECT_NE(optimized({ load, op("mul", 8, 9, 6, 7) }).find("load64 g9"), std::string::npos);
}

TEST(JitOpt, DropsGroupedLoads)
{
    jit_op page = op("page", 8, JIT_T + 5, 1, 0), load = op("pload", 8, 9, 1, 0), store = op("pstore", 8, 0, 1, 9);

    load.c = store.c = JIT_T + 5;
    EXPECT_EQ(optimized({ page, load, op("mul", 8, 9, 6, 7) }), "  page64 t5 g1 0\n  mul64 g9 g6 g7\n");
    EXPECT_EQ(optimized({ page, load, store, op("mul", 8, 9, 6, 7) }),
              "  page64 t5 g1 0\n"
              "  pload64 g9 g1 t5 0\n"
              "  pstore64 g1 g9 t5 0\n"
              "  mul64 g9 g6 g7\n");
}

TEST(JitOpt, HalvesAreEnough)
{
    EXPECT_EQ(optimized({ op("add", 4, 5, 6, 7), op("xor", 8, 5, 5, 8), imm("ext", 4, 5, 5, 0),
                          op("mul", 8, 9, 5, 5), op("add", 4, 5, 5, 9), op("sub", 4, 9, 5, 9) }),
              "  add32.low g5 g6 g7\n"
              "  xor32.low g5 g5 g8\n"
              "  mul32.low g9 g5 g5\n"
              "  add32 g5 g5 g9\n"
              "  sub32 g9 g5 g9\n");
    EXPECT_EQ(optimized({ op("add", 4, 5, 6, 7), op("set", 8, 5, 5, 8) }), "  add32 g5 g6 g7\n  set64.eq g5 g5 g8\n");
    EXPECT_EQ(optimized({ op("add", 4, 5, 6, 7), imm("shr", 8, 5, 5, 40) }),
              "  add32 g5 g6 g7\n"
              "  shr64 g5 g5 #0x28\n");
}

TEST(JitOpt, UpperHalvesThatAreZero)
{
    EXPECT_EQ(optimized({ imm("and", 8, 5, 6, 0xff), imm("shr", 4, 7, 6, 3), imm("shr", 4, 8, 6, 0),
                          imm("and", 8, 9, 6, -4) }),
              "  and32.zero g5 g6 #0xff\n"
              "  shr32.zero g7 g6 #0x3\n"
              "  shr32 g8 g6 #0\n"
              "  and64 g9 g6 #0xfffffffffffffffc\n");
}

TEST(JitOpt, FindsRotations)
{
    for (const char *join : { "or", "xor", "add" }) {
        EXPECT_EQ(optimized({ imm("shl", 4, 5, 6, 7), imm("shr", 4, 7, 6, 25), op(join, 8, 8, 5, 7),
                              op("mov", 8, 5, 0, 1), op("mov", 8, 7, 0, 1) }),
                  "  ror32 g8 g6 #0x19\n  mov64 g5 g1\n  mov64 g7 g1\n");
        EXPECT_EQ(optimized({ imm("shr", 8, 7, 6, 20), imm("shl", 8, 5, 6, 44), op(join, 8, 5, 7, 5),
                              op("mov", 8, 7, 0, 1) }),
                  "  ror64 g5 g6 #0x14\n  mov64 g7 g1\n");
    }
    // The shifted variable is overwritten: the rotation is where it still is there.
    EXPECT_EQ(optimized({ imm("shl", 4, 5, 6, 7), imm("shr", 4, 6, 6, 25), op("sub", 8, 9, 1, 2),
                          op("or", 8, 6, 6, 5), op("mov", 8, 5, 0, 1) }),
              "  ror32 g6 g6 #0x19\n  sub64 g9 g1 g2\n  mov64 g5 g1\n");
    EXPECT_EQ(optimized({ imm("shl", 4, 5, 6, 7), imm("shr", 4, 6, 6, 25), op("or", 8, 5, 6, 5),
                          op("mov", 8, 6, 0, 1) }),
              "  ror32 g5 g6 #0x19\n  mov64 g6 g1\n");
}

TEST(JitOpt, FindsNoRotationWhereThereIsNone)
{
    std::vector<std::vector<jit_op>> cases = {
        { imm("shl", 4, 5, 6, 7), imm("shr", 4, 7, 6, 24), op("or", 8, 5, 5, 7) },
        { imm("shl", 4, 5, 6, 7), imm("shr", 4, 7, 8, 25), op("or", 8, 5, 5, 7) },
        { imm("shl", 4, 5, 6, 7), imm("sar", 4, 7, 6, 25), op("or", 8, 5, 5, 7) },
        { imm("shl", 8, 5, 6, 7), imm("shr", 4, 7, 6, 25), op("or", 8, 5, 5, 7) },
        { imm("shl", 4, 5, 6, 7), imm("shr", 4, 7, 6, 25), op("and", 8, 5, 5, 7) },
        { imm("shl", 4, 5, 6, 7), op("call", 8, 0, 0, 0), imm("shr", 4, 7, 6, 25), op("or", 8, 5, 5, 7) },
        { imm("shl", 4, 5, 6, 7), imm("add", 8, 6, 6, 1), imm("shr", 4, 7, 6, 25), op("or", 8, 5, 5, 7) },
        { imm("shl", 4, 5, 6, 7), imm("shr", 4, 6, 6, 25), op("load", 8, 9, 1, 0), op("or", 8, 6, 6, 5) },
        { imm("shl", 4, 5, 6, 7), imm("shr", 4, 6, 6, 25), op("add", 8, 9, 6, 1), op("or", 8, 6, 6, 5) },
        { imm("shl", 4, 5, 6, 7), imm("shr", 4, 6, 6, 25), op("or", 8, 7, 6, 5) },
    };

    for (size_t i = 0; i < cases.size(); i++)
        EXPECT_EQ(optimized(cases[i]).find("ror"), std::string::npos) << i;
}

TEST(JitOpt, FindsExtensions)
{
    EXPECT_EQ(optimized({ imm("shl", 8, 5, 5, 32), imm("shr", 8, 5, 5, 32), imm("shl", 8, 6, 6, 48),
                          imm("sar", 8, 6, 6, 48), imm("shl", 8, 7, 8, 56), imm("shr", 8, 7, 7, 56) }),
              "  ext32.zero g5 g5\n"
              "  ext16 g6 g6\n"
              "  ext8.zero g7 g8\n");
    EXPECT_EQ(optimized({ imm("shl", 8, 5, 5, 32), imm("shr", 8, 5, 5, 37), imm("shl", 8, 6, 6, 32),
                          imm("sar", 8, 6, 6, 37), imm("shl", 8, 7, 7, 40), imm("shr", 8, 7, 7, 48) }),
              "  shr32.zero g5 g5 #0x5\n"
              "  sar32 g6 g6 #0x5\n"
              "  shl64 g7 g7 #0x28\n"
              "  shr64 g7 g7 #0x30\n");
}

TEST(JitOpt, FindsComplements)
{
    EXPECT_EQ(optimized({ imm("xor", 8, 5, 6, -1), op("and", 8, 7, 5, 8), op("and", 8, 5, 9, 5) }),
              "  andn64 g7 g8 g6\n"
              "  andn64 g5 g9 g6\n");
    EXPECT_EQ(optimized({ imm("xor", 8, 6, 6, -1), op("and", 8, 6, 6, 8) }),
              "  xor64 g6 g6 #0xffffffffffffffff\n"
              "  and64 g6 g6 g8\n");
}

TEST(JitOpt, BlocksDoTheSame)
{
    uint64_t seed = harness_seed(), cases = harness_scale(5000), dropped, merged;
    std::vector<char> text(1 << 15);

    for (unsigned bits : { 64, 32 }) {
        std::unique_ptr<jit_lab, decltype(&jit_lab_free)> lab(jit_lab_new(bits, false), jit_lab_free);
        EXPECT_EQ(jit_lab_optimize(lab.get(), cases, seed, &dropped, &merged, text.data(), text.size()), 0u)
            << "seed " << seed << "\n"
            << text.data();
        EXPECT_GT(dropped, cases);
        EXPECT_GT(merged, cases / 8);
    }
}

TEST(JitGroup, LoopsDoTheSame)
{
    uint64_t seed = harness_seed(), cases = harness_scale(5000);
    std::vector<char> text(1 << 15);
    std::unique_ptr<jit_lab, decltype(&jit_lab_free)> lab(jit_lab_new(64, false), jit_lab_free);
    jit_lab_loops found;

    EXPECT_EQ(jit_lab_run_loops(lab.get(), cases, seed, &found, text.data(), text.size()), 0u)
        << "seed " << seed << "\n"
        << text.data();
    EXPECT_GT(found.windows, cases);
    EXPECT_GT(found.renewals, cases / 2);
    EXPECT_GT(found.touches, cases / 4);
    EXPECT_LT(found.left, cases / 2);
}

} // namespace
