// HTIF: exit, console, system calls.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "harness.h"

namespace {

TEST(Htif, Exit)
{
    const struct {
        uint64_t value;
        int status;
    } rows[] = { { 1, 0 }, { 3, 1 }, { 0x54f, 0xa7 }, { 0x201, 1 } };

    for (const auto &row : rows) {
        DeviceRig h(DVT_HTIF);
        int status = -1;
        h.w64(DVT_TOHOST, row.value);
        EXPECT_EQ(dvt_take_request(h.t, &status), DVT_EXIT);
        EXPECT_EQ(status, row.status);
        EXPECT_EQ(h.r64(DVT_TOHOST), 0u);
    }
    DeviceRig h(DVT_HTIF);
    int status = -1;
    h.w32(DVT_TOHOST + 4, 0);
    EXPECT_EQ(dvt_take_request(h.t, &status), DVT_NO_REQUEST);
    h.w32(DVT_TOHOST, 5);
    h.w32(DVT_TOHOST + 4, 0);
    EXPECT_EQ(dvt_take_request(h.t, &status), DVT_EXIT);
    EXPECT_EQ(status, 2);
}

TEST(Htif, ConsoleOutput)
{
    DeviceRig h(DVT_HTIF);

    for (char c : std::string("hi\n"))
        h.w64(DVT_TOHOST, UINT64_C(0x0101) << 48 | uint8_t(c));
    EXPECT_EQ(h.output(), "hi\n");
    EXPECT_EQ(h.r64(DVT_FROMHOST), 0u);
    h.w64(DVT_TOHOST, UINT64_C(0x0707) << 48);
    EXPECT_EQ(dvt_guest_errors(h.t), 1u);
}

TEST(Htif, ConsoleInput)
{
    DeviceRig h(DVT_HTIF);

    h.w64(DVT_TOHOST, UINT64_C(0x0100) << 48);
    EXPECT_EQ(h.r64(DVT_FROMHOST), 0u);
    EXPECT_EQ(h.type("ab"), 2u);
    EXPECT_EQ(h.r64(DVT_FROMHOST), UINT64_C(0x0100) << 48 | 0x100 | 'a');
    h.w64(DVT_TOHOST, UINT64_C(0x0100) << 48);
    EXPECT_EQ(h.r64(DVT_FROMHOST) & 0xff, unsigned('a')) << "until the program clears it";
    h.w64(DVT_FROMHOST, 0);
    EXPECT_EQ(h.r64(DVT_FROMHOST) & 0xff, unsigned('b'));
}

TEST(Htif, SystemCalls)
{
    DeviceRig h(DVT_HTIF);
    uint64_t words[8] = { 64, 1, DVT_RAM + 0x100, 300 };
    std::string text(300, '.');
    int status;

    memcpy(dvt_ram(h.t, DVT_RAM + 0x100), text.data(), text.size());
    auto call = [&]() {
        memcpy(dvt_ram(h.t, DVT_RAM), words, sizeof words);
        h.w64(DVT_TOHOST, DVT_RAM);
        EXPECT_EQ(h.r64(DVT_FROMHOST), 1u);
        h.w64(DVT_FROMHOST, 0);
        int64_t result;
        memcpy(&result, dvt_ram(h.t, DVT_RAM), 8);
        return result;
    };
    EXPECT_EQ(call(), 300);
    EXPECT_EQ(h.output(), text);
    words[1] = 7;
    EXPECT_EQ(call(), -9);
    words[1] = 1, words[2] = 0x40;
    EXPECT_EQ(call(), -14);
    words[0] = 9999;
    EXPECT_EQ(call(), -38);
    words[0] = 93, words[1] = 6;
    memcpy(dvt_ram(h.t, DVT_RAM), words, sizeof words);
    h.w64(DVT_TOHOST, DVT_RAM);
    EXPECT_EQ(dvt_take_request(h.t, &status), DVT_EXIT);
    EXPECT_EQ(status, 6);
    dvt_guest_errors(h.t);
    h.w64(DVT_TOHOST, 0x1000);
    EXPECT_EQ(dvt_guest_errors(h.t), 1u);
    EXPECT_EQ(h.r64(DVT_FROMHOST), 0u);
}

TEST(Htif, TheRestOfTheWindowIsMemory)
{
    DeviceRig h(DVT_HTIF);

    h.w8(9, 0x5a);
    dvt_write(h.t, 10, 2, 0x1234);
    EXPECT_EQ(h.r64(8), UINT64_C(0x12345a00));
}

TEST(Htif, Place)
{
    uint64_t base, span;

    EXPECT_TRUE(dvt_htif_place(0x80001000, 0x80001040, &base, &span));
    EXPECT_EQ(base, 0x80001000u);
    EXPECT_EQ(span, 128u);
    EXPECT_TRUE(dvt_htif_place(0x80001048, 0x80001040, &base, &span));
    EXPECT_EQ(base, 0x80001040u);
    EXPECT_EQ(span, 64u);
    EXPECT_TRUE(dvt_htif_place(0, 0xff8, &base, &span));
    EXPECT_FALSE(dvt_htif_place(0, 0x1000, &base, &span));
    EXPECT_FALSE(dvt_htif_place(4, 0x40, &base, &span));
    EXPECT_FALSE(dvt_htif_place(8, 8, &base, &span));
}

} // namespace
