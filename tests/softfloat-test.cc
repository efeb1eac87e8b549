// core/softfloat against MPFR and against the host's floating-point unit.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness.h"

namespace {

class Softfloat : public testing::TestWithParam<int> {};
class SoftfloatHost : public testing::TestWithParam<int> {};

TEST_P(Softfloat, AgreesWithMpfr)
{
    char text[256] = "";
    for (int format = 0; format < SFT_FORMATS; format++)
        for (int rounding = 0; rounding < SFT_ROUNDINGS; rounding++)
            ASSERT_EQ(sft_check_mpfr(GetParam(), format, rounding, harness_scale(10000), harness_seed(), text,
                                     sizeof text),
                      0u)
                << text;
}

TEST_P(SoftfloatHost, AgreesWithHost)
{
    char text[256] = "";
    for (int format = 2; format < SFT_FORMATS; format++)
        for (int rounding = 0; rounding < 4; rounding++)
            ASSERT_EQ(sft_check_host(GetParam(), format, rounding, harness_scale(20000), harness_seed() + 1,
                                     text, sizeof text),
                      0u)
                << text;
}

std::vector<int> host_operations()
{
    std::vector<int> list;
    for (int op = 0; op < sft_op_count(); op++)
        if (sft_host_can(op))
            list.push_back(op);
    return list;
}

std::string name(const testing::TestParamInfo<int> &i)
{
    return sft_op_name(i.param);
}

INSTANTIATE_TEST_SUITE_P(Operations, Softfloat, testing::Range(0, sft_op_count()), name);
INSTANTIATE_TEST_SUITE_P(Operations, SoftfloatHost, testing::ValuesIn(host_operations()), name);

struct Example {
    const char *op;
    int format, rounding;
    uint64_t a, b, c, result;
    unsigned flags;
};

// Worked by hand: the corners that a wrong oracle could share with wrong code.
const Example examples[] = {
    { "add", 3, 0, 0x3ff0000000000000, 0xbff0000000000000, 0, 0, 0 },                  // 1 − 1 = +0
    { "add", 3, 2, 0x3ff0000000000000, 0xbff0000000000000, 0, 0x8000000000000000, 0 }, // toward −∞: −0
    { "add", 0, 4, 0x6800, 0x3c00, 0, 0x6801, 0x01 },             // 2048 + 1 in f16, a tie: away
    { "add", 0, 0, 0x6800, 0x3c00, 0, 0x6800, 0x01 },             // the same to even
    { "mul", 2, 0, 0x7f7fffff, 0x40000000, 0, 0x7f800000, 0x05 }, // overflow
    { "mul", 2, 1, 0x7f7fffff, 0x40000000, 0, 0x7f7fffff, 0x05 }, // overflow toward zero
    { "mul", 2, 0, 0x00800000, 0x3f7fffff, 0, 0x00800000, 0x03 }, // 24 bits hold it: tiny
    { "mul", 2, 0, 0x00800001, 0x3f7ffffe, 0, 0x00800000,
      0x01 }, // rounds to the smallest normal in 24 bits: not tiny
    { "div", 3, 0, 0x3ff0000000000000, 0, 0, 0x7ff0000000000000, 0x08 },
    { "div", 3, 0, 0, 0, 0, 0x7ff8000000000000, 0x10 },
    { "sqrt", 3, 0, 0xbff0000000000000, 0, 0, 0x7ff8000000000000, 0x10 },
    { "sqrt", 3, 0, 0x8000000000000000, 0, 0, 0x8000000000000000, 0 },
    { "fma", 3, 0, 0x7ff0000000000000, 0, 0x7ff8000000000000, 0x7ff8000000000000, 0x10 }, // ∞·0 + quiet NaN
    // A sticky bit that a carry shifts out: 1 + 2^-76 (about) + 2^53 − 1 is inexact.
    { "fma", 3, 0, 0x3fece8f5a85428c0, 0x3ff1b5cb76b30a87, 0x433fffffffffffff, 0x4340000000000000, 0x01 },
    { "to_i32", 3, 0, 0x7ff8000000000000, 0, 0, 0x7fffffff, 0x10 },
    { "to_u32", 2, 1, 0xbf000000, 0, 0, 0, 0x01 }, // −0.5
    { "to_u32", 2, 2, 0xbf000000, 0, 0, 0, 0x10 }, // −0.5 rounds to −1
    { "min_num", 2, 0, 0x80000000, 0, 0, 0x80000000, 0 },
    { "max_num", 2, 0, 0x7f800001, 0x3f800000, 0, 0x3f800000,
      0x10 }, // a signalling NaN loses, and is invalid
};

TEST(SoftfloatExamples, ByHand)
{
    for (const Example &e : examples) {
        unsigned flags = 0;
        uint64_t r = sft_run(sft_op_by_name(e.op), e.format, e.rounding, e.a, e.b, e.c, &flags);
        EXPECT_EQ(r, e.result) << e.op << std::hex << " " << e.a << " " << e.b;
        EXPECT_EQ(flags, e.flags) << e.op << std::hex << " " << e.a << " " << e.b;
    }
}

// The Arm Architecture Reference Manual's FPProcessNaNs, and underflow detected before rounding.
TEST(SoftfloatExamples, ArmRules)
{
    unsigned flags = 0;
    int add = sft_op_by_name("add"), fma = sft_op_by_name("fma"), mul = sft_op_by_name("mul");

    EXPECT_EQ(sft_run_arm(add, 2, 0, 0x7fc00001, 0xff800002, 0, &flags),
              0xffc00002u); // signalling before quiet
    EXPECT_EQ(flags, 0x10u);
    EXPECT_EQ(sft_run_arm(fma, 2, 0, 0x7fc00001, 0x7fc00002, 0x7fc00003, &flags),
              0x7fc00003u); // addend first
    EXPECT_EQ(flags, 0u);
    EXPECT_EQ(sft_run_arm(fma, 2, 0, 0x7f800000, 0, 0x7fc00003, &flags), 0x7fc00000u); // ∞·0: the default NaN
    EXPECT_EQ(flags, 0x10u);
    EXPECT_EQ(sft_run_arm(mul, 2, 0, 0x00800001, 0x3f7ffffe, 0, &flags), 0x00800000u);
    EXPECT_EQ(flags, 0x03u);
}

TEST(SoftfloatExamples, Classes)
{
    const uint64_t f32[] = {0xff800000, 0xbf800000, 0x80000001, 0x80000000, 0,
                            0x007fffff, 0x00800000, 0x7f800000, 0x7f800001, 0x7fc00000};
    for (unsigned i = 0; i < 10; i++)
        EXPECT_EQ(sft_classify(2, f32[i]), 1u << i);
}

} // namespace
