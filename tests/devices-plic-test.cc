// PLIC: registers, gateways, claims.
#include <gtest/gtest.h>

#include "harness.h"

namespace {

uint64_t PlicEnable(unsigned context) { return 0x2000 + 0x80 * context; }
uint64_t PlicThreshold(unsigned context) { return 0x200000 + 0x1000 * context; }
uint64_t PlicClaim(unsigned context) { return PlicThreshold(context) + 4; }

TEST(Plic, RegistersAndTheirEdges)
{
    DeviceRig p(DVT_PLIC);

    p.w32(0, 7);
    EXPECT_EQ(p.r32(0), 0u) << "source 0 does not exist";
    p.w32(4, 0xff);
    EXPECT_EQ(p.r32(4), 7u);
    p.w32(PlicEnable(1), 0xffffffff);
    p.w32(PlicEnable(1) + 4, 0xffffffff);
    EXPECT_EQ(p.r32(PlicEnable(1)), 0xfffffffeu);
    EXPECT_EQ(p.r32(PlicEnable(1) + 4), 0x1ffu) << "40 sources";
    p.w32(PlicThreshold(3), 9);
    EXPECT_EQ(p.r32(PlicThreshold(3)), 1u);
    EXPECT_EQ(dvt_guest_errors(p.t), 0u);
    EXPECT_EQ(p.r32(4 * (DVT_SOURCES + 1)), 0u);
    EXPECT_EQ(p.r32(PlicEnable(DVT_HARTS)), 0u);
    EXPECT_EQ(p.r32(PlicClaim(DVT_HARTS)), 0u);
    p.w32(PlicClaim(0), 0xffffffff);
    p.w32(0x5ffffc, 1);
    EXPECT_EQ(dvt_guest_errors(p.t), 5u);
    EXPECT_TRUE(p.refused(0, 8));
    EXPECT_TRUE(p.refused(0, 1));
}

TEST(Plic, ClaimAndComplete)
{
    DeviceRig p(DVT_PLIC);

    p.w32(4 * 10, 1);
    p.w32(PlicEnable(1), 1 << 10);
    dvt_input(p.t, 10, true);
    EXPECT_FALSE(p.line(0));
    EXPECT_TRUE(p.line(1));
    EXPECT_EQ(p.r32(0x1000), 1u << 10);
    EXPECT_EQ(p.r32(PlicClaim(0)), 0u) << "not enabled there";
    EXPECT_EQ(p.r32(PlicClaim(1)), 10u);
    EXPECT_FALSE(p.line(1));
    EXPECT_EQ(p.r32(0x1000), 0u);
    EXPECT_EQ(p.r32(PlicClaim(1)), 0u);
    dvt_input(p.t, 11, true);
    dvt_input(p.t, 10, true);
    EXPECT_EQ(p.r32(0x1000), 1u << 11) << "the gateway of a source in service forwards nothing";
    p.w32(PlicClaim(0), 10);
    EXPECT_FALSE(p.line(1)) << "the completion of a context that has not enabled it is ignored";
    p.w32(PlicClaim(1), 10);
    EXPECT_TRUE(p.line(1)) << "the wire is still high";
    EXPECT_EQ(p.r32(PlicClaim(1)), 10u);
    dvt_input(p.t, 10, false);
    p.w32(PlicClaim(1), 10);
    EXPECT_FALSE(p.line(1));
    dvt_input(p.t, 10, true);
    dvt_input(p.t, 10, false);
    EXPECT_TRUE(p.line(1)) << "a forwarded request stays";
    EXPECT_EQ(p.r32(PlicClaim(1)), 10u);
    p.w32(PlicClaim(1), 10);
    EXPECT_FALSE(p.line(1));
}

TEST(Plic, PrioritiesAndThreshold)
{
    DeviceRig p(DVT_PLIC);

    for (unsigned s = 1; s <= DVT_SOURCES; s++) {
        p.w32(4 * s, s == 33 ? 7 : s == 5 ? 0 : s % 3 + 1);
        dvt_input(p.t, s, true);
    }
    p.w32(PlicEnable(0), 1 << 4 | 1 << 5 | 1 << 8 | 1 << 11);
    p.w32(PlicEnable(0) + 4, 1 << 1);
    p.w32(PlicThreshold(0), 7);
    EXPECT_FALSE(p.line(0));
    p.w32(PlicThreshold(0), 6);
    EXPECT_TRUE(p.line(0));
    EXPECT_EQ(p.r32(PlicClaim(0)), 33u);
    EXPECT_FALSE(p.line(0));
    EXPECT_EQ(p.r32(PlicClaim(0)), 8u) << "the threshold does not affect claims; the lower number wins";
    EXPECT_EQ(p.r32(PlicClaim(0)), 11u);
    EXPECT_EQ(p.r32(PlicClaim(0)), 4u);
    EXPECT_EQ(p.r32(PlicClaim(0)), 0u) << "priority 0 never interrupts";
    p.w32(PlicThreshold(0), 0);
    EXPECT_FALSE(p.line(0));
}

} // namespace
