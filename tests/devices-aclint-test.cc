// ACLINT: software interrupts, timer, SSWI.
#include <gtest/gtest.h>

#include "harness.h"

namespace {

TEST(Aclint, SoftwareInterrupts)
{
    DeviceRig a(DVT_ACLINT);

    a.w32(4 * 2, 0xffffffff);
    EXPECT_EQ(a.r32(8), 1u);
    EXPECT_TRUE(a.line(2));
    EXPECT_FALSE(a.line(1));
    a.w64(0, UINT64_C(1) << 32);
    EXPECT_TRUE(a.line(1));
    EXPECT_EQ(a.r64(0), UINT64_C(1) << 32);
    a.w32(8, 2);
    EXPECT_FALSE(a.line(2));
    EXPECT_EQ(dvt_guest_errors(a.t), 0u);
    a.w32(4 * DVT_HARTS, 1);
    a.w32(0x4000 + 8 * DVT_HARTS, 1);
    EXPECT_EQ(dvt_guest_errors(a.t), 2u);
}

TEST(Aclint, TimerFiresOnTheTick)
{
    DeviceRig a(DVT_ACLINT);

    EXPECT_EQ(a.r64(0xbff8), 0u);
    EXPECT_EQ(a.r64(0x4000), UINT64_MAX);
    dvt_advance(a.t, 1000);
    EXPECT_EQ(a.r64(0xbff8), 10u);
    a.w64(0x4000, 25);
    a.w32(0x4000 + 8, 20);
    a.w32(0x4000 + 12, 0);
    dvt_advance(a.t, 999);
    EXPECT_FALSE(a.line(DVT_HARTS + 1));
    dvt_advance(a.t, 1);
    EXPECT_TRUE(a.line(DVT_HARTS + 1));
    EXPECT_FALSE(a.line(DVT_HARTS));
    dvt_advance(a.t, 500);
    EXPECT_TRUE(a.line(DVT_HARTS));
    a.w64(0x4000, UINT64_MAX);
    EXPECT_FALSE(a.line(DVT_HARTS));
    EXPECT_TRUE(a.line(DVT_HARTS + 1));
}

TEST(Aclint, TimeCanBeSet)
{
    DeviceRig a(DVT_ACLINT);

    a.w64(0x4000, 1000);
    a.w32(0xbffc, 1);
    EXPECT_TRUE(a.line(DVT_HARTS));
    EXPECT_EQ(a.r32(0xbffc), 1u);
    a.w64(0xbff8, 999);
    EXPECT_FALSE(a.line(DVT_HARTS));
    dvt_advance(a.t, 99);
    EXPECT_FALSE(a.line(DVT_HARTS));
    dvt_advance(a.t, 1);
    EXPECT_TRUE(a.line(DVT_HARTS));
    dvt_reset(a.t);
    EXPECT_EQ(a.r64(0xbff8), 1u);
    EXPECT_FALSE(a.line(DVT_HARTS));
}

TEST(AclintSswi, EachWriteOfOneIsAnEdge)
{
    DeviceRig s(DVT_SSWI);

    s.w32(4, 0);
    EXPECT_EQ(dvt_calls(s.t, 1), 0u);
    s.w32(4, 1);
    s.w32(4, 0xffffffff);
    EXPECT_EQ(dvt_calls(s.t, 1), 2u);
    EXPECT_EQ(dvt_calls(s.t, 0), 0u);
    EXPECT_EQ(s.r32(4), 0u);
    s.w32(4 * DVT_HARTS, 1);
    EXPECT_EQ(dvt_guest_errors(s.t), 1u);
}

} // namespace
