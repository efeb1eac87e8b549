// CFI flash: query, commands, drive.
#include <gtest/gtest.h>

#include <cstring>

#include "harness.h"

namespace {

void FlashProgram(DeviceRig &f, uint64_t off, uint32_t value)
{
    f.w32(off, 0x00400040);
    f.w32(off, value);
}

void FlashErase(DeviceRig &f, uint64_t off)
{
    f.w32(off, 0x00200020);
    f.w32(off, 0x00d000d0);
}

TEST(Pflash, QueryAndIdentity)
{
    DeviceRig f(DVT_PFLASH);

    EXPECT_TRUE(dvt_direct(f.t));
    f.w32(0x154, 0x00980098);
    EXPECT_FALSE(dvt_direct(f.t));
    const uint32_t expected[] = { 'Q', 'R', 'Y', 1, 0, 0x31, 0 };
    for (unsigned i = 0; i < 7; i++)
        EXPECT_EQ(f.r32((0x10 + i) * 4), expected[i] * 0x00010001u);
    EXPECT_EQ(f.r32(0x27 * 4), 0x00140014u) << "1 MiB a chip";
    EXPECT_EQ(f.r32(0x2d * 4), 0x00070007u) << "8 blocks";
    EXPECT_EQ(f.r32(0x30 * 4), 0x00020002u) << "of 128 KiB a chip";
    EXPECT_EQ(f.r32(0x31 * 4), 'P' * 0x00010001u);
    EXPECT_EQ(dvt_read(f.t, 0x10 * 4, 8), UINT64_C(0x0052005200510051));
    EXPECT_EQ(f.r32(DVT_FLASH_SIZE - 4), 0u);
    f.w32(0, 0x00900090);
    EXPECT_EQ(f.r32(0), 0x00890089u);
    EXPECT_EQ(f.r32(4), 0x00180018u);
    EXPECT_EQ(f.r32(8), 0u);
    f.w32(0, 0x00ff00ff);
    EXPECT_TRUE(dvt_direct(f.t));
    EXPECT_EQ(f.r32(0), 0xffffffffu);
}

TEST(Pflash, ProgramAndErase)
{
    DeviceRig f(DVT_PFLASH);
    const uint64_t at = 0x40000 + 0x1234 * 4;

    FlashProgram(f, at, 0x12345678);
    EXPECT_EQ(f.r32(at), 0x00800080u) << "status";
    f.w32(0, 0x00ff00ff);
    EXPECT_EQ(f.r32(at), 0x12345678u);
    EXPECT_EQ(f.r8(at + 1), 0x56u);
    FlashProgram(f, at, 0xffff00ff);
    f.w32(0, 0x00ff00ff);
    EXPECT_EQ(f.r32(at), 0x12340078u) << "programming only clears bits";
    FlashProgram(f, 0x3fffc, 1);
    FlashProgram(f, 0x80000, 2);
    FlashErase(f, 0x7fffc);
    EXPECT_EQ(f.r32(0), 0x00800080u);
    f.w32(0, 0x00ff00ff);
    EXPECT_EQ(f.r32(at), 0xffffffffu);
    EXPECT_EQ(f.r32(0x3fffc), 1u);
    EXPECT_EQ(f.r32(0x80000), 2u);
}

TEST(Pflash, BufferedProgram)
{
    DeviceRig f(DVT_PFLASH);

    f.w32(0x1000, 0x00e800e8);
    EXPECT_EQ(f.r32(0x1000), 0x00800080u) << "the buffer is free";
    f.w32(0x1000, 0x001f001f);
    for (unsigned i = 0; i < 32; i++)
        f.w32(0x1000 + 4 * i, 0xabcd0000 + i);
    EXPECT_EQ(dvt_ram(f.t, DVT_RAM)[0], 0u);
    f.w32(0x1000, 0x00d000d0);
    f.w32(0, 0x00ff00ff);
    for (unsigned i = 0; i < 32; i++)
        EXPECT_EQ(f.r32(0x1000 + 4 * i), 0xabcd0000 + i);
    EXPECT_EQ(f.r32(0x1000 + 4 * 32), 0xffffffffu);
}

TEST(Pflash, SequenceErrors)
{
    DeviceRig f(DVT_PFLASH);

    f.w32(0, 0x00200020);
    f.w32(0, 0x00ff00ff);
    EXPECT_EQ(f.r32(0), 0x00b000b0u) << "an erase without its confirmation";
    f.w32(0, 0x00500050);
    f.w32(0, 0x00700070);
    EXPECT_EQ(f.r32(0), 0x00800080u);
    f.w32(0, 0x00e800e8);
    f.w32(0, 0x02000200);
    EXPECT_EQ(f.r32(0), 0x00b000b0u) << "more words than the buffer has";
    f.w32(0, 0x00500050);
    f.w32(0, 0x00e800e8);
    f.w32(0, 0x00010001);
    f.w32(0x1000, 1);
    f.w32(0x0ffc, 1);
    EXPECT_EQ(f.r32(0), 0x00b000b0u) << "before the start";
    f.w32(0, 0x00ff00ff);
    EXPECT_EQ(f.r32(0x1000), 0xffffffffu);
    f.w32(0, 0x00600060);
    f.w32(0, 0x00d000d0);
    f.w32(0, 0x00500050);
    EXPECT_EQ(f.r32(0), 0x00800080u) << "unlocking is accepted";
}

TEST(Pflash, ChipsAreIndependent)
{
    DeviceRig f(DVT_PFLASH);

    dvt_write(f.t, 2, 2, 0x90);
    EXPECT_FALSE(dvt_direct(f.t));
    EXPECT_EQ(f.r32(0), 0x0089ffffu);
    dvt_write(f.t, 2, 2, 0xff);
    EXPECT_TRUE(dvt_direct(f.t));
}

TEST(Pflash, DriveKeepsTheContents)
{
    DeviceRig f(DVT_PFLASH_DRIVE);

    memcpy(dvt_drive(f.t) + 0x2000, "kept", 4);
    ASSERT_TRUE(dvt_load_flash(f.t));
    EXPECT_EQ(f.r32(0x2000), 0x7470656bu);
    EXPECT_EQ(f.r32(DVT_FLASH_SIZE - 4), 0xffffffffu);
    FlashProgram(f, 0x2004, 0x44434241);
    FlashErase(f, 0x40000);
    FlashProgram(f, DVT_FLASH_SIZE - 4, 0);
    dvt_drain(f.t);
    EXPECT_EQ(memcmp(dvt_drive(f.t) + 0x2000, "keptABCD", 8), 0);
    EXPECT_EQ(dvt_flushes(f.t), 1u);
    dvt_fail_drive(f.t, true);
    EXPECT_FALSE(dvt_load_flash(f.t));
    FlashProgram(f, 0x2008, 0);
    dvt_drain(f.t);
    EXPECT_EQ(f.r32(0), 0x00800080u) << "the guest does not notice";
}

TEST(Pflash, ReadOnlyDriveProtects)
{
    DeviceRig f(DVT_PFLASH_READ_ONLY);

    FlashProgram(f, 0, 0);
    EXPECT_EQ(f.r32(0), 0x00920092u);
    f.w32(0, 0x00500050);
    FlashErase(f, 0);
    EXPECT_EQ(f.r32(0), 0x00a200a2u);
    f.w32(0, 0x00ff00ff);
    EXPECT_EQ(f.r32(0), 0xffffffffu);
}

} // namespace
