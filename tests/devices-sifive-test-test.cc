// SiFive test finisher.
#include <gtest/gtest.h>

#include "harness.h"

namespace {

TEST(SifiveTest, EndsTheMachine)
{
    const struct {
        uint32_t value;
        dvt_request request;
        int status;
    } rows[] = {
        { 0x5555, DVT_POWEROFF, 0 },    { 0x7777, DVT_RESET, 0 }, { 0x00033333, DVT_EXIT, 3 },
        { 0x01003333, DVT_EXIT, 1 },    { 0x3333, DVT_EXIT, 1 },  { 0x1234, DVT_NO_REQUEST, 0 },
    };

    for (const auto &row : rows) {
        DeviceRig d(DVT_TEST);
        int status;
        d.w32(0, row.value);
        EXPECT_EQ(dvt_take_request(d.t, &status), row.request) << row.value;
        EXPECT_EQ(status, row.status) << row.value;
        EXPECT_EQ(dvt_guest_errors(d.t), row.request == DVT_NO_REQUEST ? 1u : 0u);
    }
    DeviceRig d(DVT_TEST);
    int status;
    d.w32(4, 0x5555);
    EXPECT_EQ(dvt_take_request(d.t, &status), DVT_NO_REQUEST);
}

} // namespace
