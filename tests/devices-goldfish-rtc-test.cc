// Goldfish RTC: the clock and its alarm.
#include <gtest/gtest.h>

#include "harness.h"

namespace {

uint64_t RtcTime(DeviceRig &rtc)
{
    uint64_t low = rtc.r32(0x00);
    return rtc.r32(0x04) << 32 | low;
}

void RtcAlarm(DeviceRig &rtc, uint64_t at)
{
    rtc.w32(0x0c, at >> 32);
    rtc.w32(0x08, at & 0xffffffff);
}

TEST(GoldfishRtc, TellsAndTakesTheTime)
{
    DeviceRig rtc(DVT_RTC);

    EXPECT_EQ(RtcTime(rtc), DVT_WALL);
    dvt_advance(rtc.t, 123456789);
    EXPECT_EQ(RtcTime(rtc), DVT_WALL + 123456789);
    rtc.r32(0x00);
    dvt_advance(rtc.t, 10000000000);
    EXPECT_EQ(rtc.r32(0x04), (DVT_WALL + 123456789) >> 32) << "the high half is latched by the low one";
    rtc.w32(0x04, 5);
    rtc.w32(0x00, 7);
    EXPECT_EQ(RtcTime(rtc), (uint64_t(5) << 32) + 7);
    dvt_reset(rtc.t);
    dvt_advance(rtc.t, 1);
    EXPECT_EQ(RtcTime(rtc), (uint64_t(5) << 32) + 8);
}

TEST(GoldfishRtc, AlarmInterruptsOnce)
{
    DeviceRig rtc(DVT_RTC);

    rtc.w32(0x10, 1);
    RtcAlarm(rtc, DVT_WALL + 1000);
    EXPECT_EQ(rtc.r32(0x18), 1u);
    dvt_advance(rtc.t, 999);
    EXPECT_FALSE(rtc.line());
    dvt_advance(rtc.t, 1);
    EXPECT_TRUE(rtc.line());
    EXPECT_EQ(rtc.r32(0x18), 0u);
    rtc.w32(0x1c, 1);
    EXPECT_FALSE(rtc.line());
    dvt_advance(rtc.t, 1000000);
    EXPECT_FALSE(rtc.line());
}

TEST(GoldfishRtc, AlarmFollowsTheSetTimeAndTheMask)
{
    DeviceRig rtc(DVT_RTC);

    RtcAlarm(rtc, DVT_WALL + 1000000);
    rtc.w32(0x04, (DVT_WALL + 999990) >> 32);
    rtc.w32(0x00, (DVT_WALL + 999990) & 0xffffffff);
    dvt_advance(rtc.t, 10);
    EXPECT_FALSE(rtc.line()) << "masked";
    EXPECT_EQ(rtc.r32(0x18), 0u);
    rtc.w32(0x10, 1);
    EXPECT_TRUE(rtc.line());
    rtc.w32(0x1c, 1);
    RtcAlarm(rtc, 5);
    EXPECT_TRUE(rtc.line()) << "an alarm in the past";
    rtc.w32(0x1c, 1);
    RtcAlarm(rtc, DVT_WALL + 2000000);
    rtc.w32(0x14, 1);
    dvt_advance(rtc.t, 3000000);
    EXPECT_FALSE(rtc.line()) << "disarmed";
}

} // namespace
