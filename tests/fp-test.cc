// The RISC-V floating-point instructions: host's unit against softfloat, and the rules around them.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>

#include "harness.h"

namespace {

uint64_t f64(double v)
{
    uint64_t b;
    std::memcpy(&b, &v, sizeof b);
    return b;
}

uint64_t f32(float v)
{
    uint32_t b;
    std::memcpy(&b, &v, sizeof b);
    return 0xffffffff00000000 | b;
}

class RiscvFp : public testing::Test {
protected:
    void SetUp() override { rv64 = fpt_new(64), rv32 = fpt_new(32); }
    void TearDown() override { fpt_free(rv64), fpt_free(rv32); }

    // f1 op f2 → f3, all flags clear before.
    uint64_t run(const char *name, uint64_t a, uint64_t b = 0, unsigned rm = 0)
    {
        *fpt_f(rv64, 1) = a;
        *fpt_f(rv64, 2) = b;
        fpt_set_fflags(rv64, 0);
        EXPECT_EQ(fpt_run(rv64, name, rm), FPT_TRAP_NONE) << name;
        return *fpt_f(rv64, 3);
    }

    fpt *rv64, *rv32;
};

class RiscvFpRow : public testing::TestWithParam<int> {};

TEST_P(RiscvFpRow, AgreesWithSoftfloat)
{
    char text[400] = "";
    for (unsigned xlen : {64u, 32u}) {
        fpt *t = fpt_new(xlen);
        uint64_t wrong = 0;
        for (char width : {'h', 's', 'd'})
            for (unsigned frm = 0; frm < 8 && !wrong; frm++)
                for (unsigned rm = 0; rm < 8 && !wrong; rm++)
                    wrong = fpt_check(t, GetParam(), width, frm, rm, harness_scale(xlen == 64 ? 300 : 50),
                                      harness_seed() + rm, text, sizeof text);
        fpt_free(t);
        ASSERT_EQ(wrong, 0u) << "RV" << xlen << " " << text;
    }
}

INSTANTIATE_TEST_SUITE_P(Rows, RiscvFpRow, testing::Range(0, fpt_row_count()),
                         [](const testing::TestParamInfo<int> &i) {
                             return std::string(fpt_row_name(i.param));
                         });

TEST_F(RiscvFp, OffIsIllegalForAll)
{
    for (const char *name :
         { "fadd_d", "fmadd_s", "fsgnj_d", "feq_s", "fclass_d", "fcvt_w_d", "fcvt_d_w", "flw", "fsd",
           "fmv_x_w", "fmv_w_x", "fli_s", "fround_d", "fcvtmod_w_d", "fadd_h", "flh", "fsh" }) {
        fpt_set_fs(rv64, 0);
        uint64_t before = *fpt_f(rv64, 3);
        EXPECT_EQ(fpt_run(rv64, name, 0), 2) << name;
        EXPECT_EQ(*fpt_f(rv64, 3), before) << name;
        EXPECT_EQ(fpt_fs(rv64), 0u) << name;
    }
}

TEST_F(RiscvFp, WhatMakesFsDirty)
{
    *fpt_x(rv64, 1) = 0x100;
    for (const char *name : {"fadd_d", "fsgnj_s", "fmv_w_x", "flw", "fld", "fli_d", "fcvt_d_w"}) {
        fpt_set_fs(rv64, 2);
        EXPECT_EQ(fpt_run(rv64, name, 0), FPT_TRAP_NONE) << name;
        EXPECT_EQ(fpt_fs(rv64), 3u) << name;
    }
    for (const char *name : {"fsw", "fsd", "fmv_x_w", "fmv_x_d", "fclass_s"}) {
        fpt_set_fs(rv64, 2);
        EXPECT_EQ(fpt_run(rv64, name, 0), FPT_TRAP_NONE) << name;
        EXPECT_EQ(fpt_fs(rv64), 2u) << name;
    }
}

TEST_F(RiscvFp, LoadsBoxAndStoresDoNot)
{
    const uint64_t pattern = 0x8877665544332211;
    std::memcpy(fpt_ram(rv64) + 0x100, &pattern, 8);
    struct { const char *name; uint64_t value; } loads[] = {
        {"flh", 0xffffffffffff2211}, {"flw", 0xffffffff44332211}, {"fld", pattern}};
    for (const auto &l : loads) {
        // The harness's registers fill the immediate's bits: rs2 and rs3 are part of it.
        *fpt_x(rv64, 1) = 0x100 - ((4 << 7 | 2) & 0xfff);
        EXPECT_EQ(fpt_run(rv64, l.name, 0), FPT_TRAP_NONE);
        EXPECT_EQ(*fpt_f(rv64, 3), l.value) << l.name;
    }
    struct { const char *name; unsigned bytes; } stores[] = {{"fsh", 2}, {"fsw", 4}, {"fsd", 8}};
    for (const auto &s : stores) {
        uint64_t out = 0x0102030405060708, expected = out;
        std::memcpy(fpt_ram(rv64) + 0x200, &out, 8);
        *fpt_f(rv64, 2) = pattern;
        std::memcpy(&expected, &pattern, s.bytes);
        *fpt_x(rv64, 1) = 0x200 - (4 << 7 | 3);
        EXPECT_EQ(fpt_run(rv64, s.name, 0), FPT_TRAP_NONE);
        std::memcpy(&out, fpt_ram(rv64) + 0x200, 8);
        EXPECT_EQ(out, expected) << s.name;
    }
}

TEST_F(RiscvFp, FaultingLoadLeavesTheRegister)
{
    *fpt_x(rv64, 1) = 0x40000000;
    *fpt_f(rv64, 3) = 42;
    fpt_set_fs(rv64, 1);
    EXPECT_EQ(fpt_run(rv64, "fld", 0), 5);
    EXPECT_EQ(*fpt_f(rv64, 3), 42u);
    EXPECT_EQ(fpt_fs(rv64), 1u);
}

TEST_F(RiscvFp, Moves)
{
    *fpt_f(rv64, 1) = 0x12345678f0009abc;
    fpt_run(rv64, "fmv_x_h", 0);
    EXPECT_EQ(*fpt_x(rv64, 3), 0xffffffffffff9abc);
    fpt_run(rv64, "fmv_x_w", 0);
    EXPECT_EQ(*fpt_x(rv64, 3), 0xfffffffff0009abc);
    fpt_run(rv64, "fmv_x_d", 0);
    EXPECT_EQ(*fpt_x(rv64, 3), 0x12345678f0009abc);
    *fpt_x(rv64, 1) = 0x12345678f0009abc;
    fpt_run(rv64, "fmv_h_x", 0);
    EXPECT_EQ(*fpt_f(rv64, 3), 0xffffffffffff9abc);
    fpt_run(rv64, "fmv_w_x", 0);
    EXPECT_EQ(*fpt_f(rv64, 3), 0xfffffffff0009abc);
    fpt_run(rv64, "fmv_d_x", 0);
    EXPECT_EQ(*fpt_f(rv64, 3), 0x12345678f0009abc);
}

TEST_F(RiscvFp, Rv32MovesHalvesOfDoubles)
{
    *fpt_f(rv32, 1) = 0x8000000112345678;
    EXPECT_EQ(fpt_run(rv32, "fmvh_x_d", 0), FPT_TRAP_NONE);
    EXPECT_EQ(*fpt_x(rv32, 3), 0xffffffff80000001);
    *fpt_x(rv32, 1) = 0xffffffff89abcdef;
    *fpt_x(rv32, 2) = 0x01234567;
    EXPECT_EQ(fpt_run(rv32, "fmvp_d_x", 0), FPT_TRAP_NONE);
    EXPECT_EQ(*fpt_f(rv32, 3), 0x0123456789abcdefu);
    EXPECT_EQ(fpt_run(rv64, "fmvh_x_d", 0), -2);
    EXPECT_EQ(fpt_run(rv32, "fmv_x_d", 0), -2);
}

// Worked by hand from the manual's text.
TEST_F(RiscvFp, NanBoxing)
{
    EXPECT_EQ(run("fadd_s", 0x3f800000, f32(1)), 0xffffffff7fc00000); // no box: the canonical NaN
    EXPECT_EQ(run("fsgnj_s", 0x3f800000, f32(-1)), 0xffffffffffc00000);
    EXPECT_EQ(run("fadd_s", f32(1), f32(2)), f32(3));
    EXPECT_EQ(run("fcvt_d_s", 0xfffffffe3f800000), 0x7ff8000000000000u);
    EXPECT_EQ(fpt_fflags(rv64), 0u);
}

TEST_F(RiscvFp, FlagsAccumulate)
{
    *fpt_f(rv64, 1) = f64(1);
    *fpt_f(rv64, 2) = f64(3);
    fpt_set_fflags(rv64, 0x08);
    EXPECT_EQ(fpt_run(rv64, "fdiv_d", FPT_DYNAMIC), FPT_TRAP_NONE);
    EXPECT_EQ(fpt_fflags(rv64), 0x09u);
    fpt_run(rv64, "fsub_h", FPT_DYNAMIC); // softfloat's flags join the host's: quiet NaNs raise none
    EXPECT_EQ(fpt_fflags(rv64), 0x09u);
}

TEST_F(RiscvFp, FusedInfinityTimesZeroPlusQuietNan)
{
    *fpt_f(rv64, 4) = 0x7ff8000000000123;
    EXPECT_EQ(run("fmadd_d", f64(INFINITY), f64(0)), 0x7ff8000000000000u);
    EXPECT_EQ(fpt_fflags(rv64), 0x10u);
}

// The binary16 column of the Zfa specification's table, and samples of the others.
TEST_F(RiscvFp, Immediates)
{
    const uint16_t h[32] = { 0xbc00, 0x0400, 0x0100, 0x0200, 0x1c00, 0x2000, 0x2c00, 0x3000,
                             0x3400, 0x3500, 0x3600, 0x3700, 0x3800, 0x3900, 0x3a00, 0x3b00,
                             0x3c00, 0x3d00, 0x3e00, 0x3f00, 0x4000, 0x4100, 0x4200, 0x4400,
                             0x4800, 0x4c00, 0x5800, 0x5c00, 0x7800, 0x7c00, 0x7c00, 0x7e00 };
    fpt_set_fflags(rv64, 0);
    for (unsigned i = 0; i < 32; i++) {
        ASSERT_EQ(fpt_run_rs1(rv64, "fli_h", 0, i), FPT_TRAP_NONE);
        EXPECT_EQ(*fpt_f(rv64, 3), 0xffffffffffff0000 | h[i]) << i;
    }
    struct {
        unsigned i;
        float s;
        double d;
    } samples[] = {
        { 0, -1, -1 },       { 1, 0x1p-126f, 0x1p-1022 }, { 2, 0x1p-16f, 0x1p-16 },  { 9, 0.3125f, 0.3125 },
        { 19, 1.75f, 1.75 }, { 29, 65536, 65536 },        { 30, INFINITY, INFINITY }
    };
    for (const auto &e : samples) {
        ASSERT_EQ(fpt_run_rs1(rv64, "fli_s", 0, e.i), FPT_TRAP_NONE);
        EXPECT_EQ(*fpt_f(rv64, 3), f32(e.s)) << e.i;
        ASSERT_EQ(fpt_run_rs1(rv64, "fli_d", 0, e.i), FPT_TRAP_NONE);
        EXPECT_EQ(*fpt_f(rv64, 3), f64(e.d)) << e.i;
    }
    fpt_run_rs1(rv64, "fli_d", 0, 31);
    EXPECT_EQ(*fpt_f(rv64, 3), 0x7ff8000000000000u);
    EXPECT_EQ(fpt_fflags(rv64), 0u);
}

TEST_F(RiscvFp, ModularConversion)
{
    struct {
        double in;
        int32_t out;
        unsigned flags;
    } cases[] = { { 0.0, 0, 0 },
                  { -1.75, -1, 1 },
                  { 2147483647.0, INT32_MAX, 0 },
                  { 2147483648.0, INT32_MIN, 0x10 },
                  { 4294967297.0, 1, 0x10 },
                  { -4294967298.5, -2, 0x10 },
                  { 0x1p83, 0, 0x10 },
                  { 0x1.0000000000001p83, INT32_MIN, 0x10 },
                  { 0x1p84, 0, 0x10 },
                  { NAN, 0, 0x10 },
                  { -INFINITY, 0, 0x10 },
                  { -2147483648.0, INT32_MIN, 0 },
                  { 0.25, 0, 1 } };
    for (const auto &c : cases) {
        run("fcvtmod_w_d", f64(c.in), 0, 1);
        EXPECT_EQ(*fpt_x(rv64, 3), static_cast<uint64_t>(static_cast<int64_t>(c.out))) << c.in;
        EXPECT_EQ(fpt_fflags(rv64), c.flags) << c.in;
    }
}

} // namespace
