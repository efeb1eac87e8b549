// The checker: what is right passes and is counted, what is wrong is told.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "harness.h"

namespace {

constexpr unsigned long long at(unsigned insn) { return RIG_CODE + 4 * insn; }

struct Checked {
    std::unique_ptr<rig, decltype(&rig_free)> owner;

    explicit Checked(unsigned xlen = 64) : owner(rig_new_check(xlen, "max", 1), rig_free) { rig_prepare(get(), 0); }
    rig *get() { return owner.get(); }
    std::string fault() { return check_fault(get()); }

    void load(const std::vector<uint32_t> &words)
    {
        rig_words(get(), RIG_CODE, words.data(), words.size());
        rig_set(get(), 0, "pc", RIG_CODE);
    }
};

bool has(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

// A0 counts down; each round adds to T0 and stores it at A1.
std::vector<uint32_t> loop(int rounds)
{
    return { asm_addi(A0, 0, rounds), asm_auipc(A1, 4),          asm_addi(T0, T0, 3), asm_store(SW, T0, A1, 16),
             asm_addi(A0, A0, -1),    asm_branch(1, A0, 0, -12), ASM_WFI };
}

TEST(Check, ComparesEveryInstruction)
{
    for (unsigned xlen : { 64, 32 }) {
        Checked c(xlen);
        uint64_t compared, left_out;
        c.load(loop(2000));
        EXPECT_EQ(rig_run(c.get(), 0, 100000), RIG_IDLE) << c.fault();
        EXPECT_EQ(rig_get(c.get(), 0, "t0"), 6000u);
        EXPECT_EQ(rig_peek(c.get(), RIG_CODE + 0x4014, 4), 6000u);
        check_counts(c.get(), &compared, &left_out);
        EXPECT_EQ(compared, rig_retired(c.get(), 0));
        EXPECT_EQ(compared, 8003u);
        EXPECT_EQ(left_out, 0u);
    }
}

TEST(Check, LeavesDevicesToTheInterpreter)
{
    Checked c;
    uint64_t compared, left_out;

    c.load({ asm_addi(A0, 0, 100), asm_lui(A1, RIG_DEVICE >> 12), asm_addi(T0, T0, 1), asm_store(SB, T0, A1, 8),
             asm_load(LBU, T1, A1, 8), asm_addi(A0, A0, -1), asm_branch(1, A0, 0, -16), ASM_WFI });
    EXPECT_EQ(rig_run(c.get(), 0, 100000), RIG_IDLE) << c.fault();
    EXPECT_EQ(rig_device_accesses(c.get()), 200u);
    EXPECT_EQ(rig_get(c.get(), 0, "t1"), 100u);
    check_counts(c.get(), &compared, &left_out);
    EXPECT_EQ(left_out, 502u);
    EXPECT_EQ(compared + left_out, rig_retired(c.get(), 0));
}

TEST(Check, TellsAWrongRegister)
{
    Checked c;

    c.load(loop(2000));
    rig_run(c.get(), 0, 4000);
    uint64_t pc = rig_get(c.get(), 0, "pc");
    ASSERT_EQ(c.fault(), "");
    ASSERT_TRUE(check_spoil(c.get(), at(2), 5));
    rig_set(c.get(), 0, "pc", pc);
    EXPECT_EQ(rig_run(c.get(), 0, 100000), RIG_FAULT);
    EXPECT_TRUE(has(c.fault(), "host code and the interpreter differ")) << c.fault();
    EXPECT_TRUE(has(c.fault(), "0x80002008:  00328293  addi\tt0,t0,3")) << c.fault();
    EXPECT_TRUE(has(c.fault(), "add64 g5 g5 #0x8")) << c.fault();
    EXPECT_TRUE(has(c.fault(), "\n  x[5] ")) << c.fault();
    EXPECT_FALSE(has(c.fault(), "does not happen again")) << c.fault();
}

TEST(Check, TellsAWrongStore)
{
    Checked c;

    c.load(loop(2000));
    rig_run(c.get(), 0, 4000);
    uint64_t pc = rig_get(c.get(), 0, "pc");
    ASSERT_EQ(c.fault(), "");
    ASSERT_TRUE(check_spoil(c.get(), at(3), 8));
    rig_set(c.get(), 0, "pc", pc);
    EXPECT_EQ(rig_run(c.get(), 0, 100000), RIG_FAULT);
    EXPECT_TRUE(has(c.fault(), "\n  [0x80006010] ")) << c.fault();
    EXPECT_TRUE(has(c.fault(), "\n  [0x80006018] ")) << c.fault();
    EXPECT_GT(c.fault().find("\n  x[5] "), c.fault().find("the same in both")) << c.fault();
}

TEST(Check, TellsADeviceThatOnlyHostCodeTouches)
{
    Checked c;

    // The base is set anew in each round: host code does not take it for one that stays in RAM.
    c.load({ asm_addi(A0, 0, 2000), asm_auipc(A1, 4), asm_addi(T0, T0, 3), asm_addi(A2, A1, 0),
             asm_store(SW, T0, A2, 16), asm_addi(A0, A0, -1), asm_branch(1, A0, 0, -16), ASM_WFI });
    rig_run(c.get(), 0, 4000);
    ASSERT_EQ(c.fault(), "");
    ASSERT_TRUE(check_spoil(c.get(), at(4), RIG_RAM + 0x5000 - RIG_DEVICE)); // the interpreter stores to RAM
    rig_set(c.get(), 0, "a1", RIG_DEVICE);
    rig_set(c.get(), 0, "pc", at(2));
    EXPECT_EQ(rig_run(c.get(), 0, 100000), RIG_FAULT);
    EXPECT_TRUE(has(c.fault(), "host code: it accesses a device, and the interpreter does not")) << c.fault();
    EXPECT_EQ(rig_device_accesses(c.get()), 0u);
}

} // namespace
