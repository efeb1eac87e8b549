// fw_cfg: items, directory, both layouts, DMA.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "harness.h"

namespace {

void put_be32_at(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = uint8_t(v >> (24 - 8 * i));
}

uint32_t be32_at(const uint8_t *p)
{
    return uint32_t(p[0]) << 24 | uint32_t(p[1]) << 16 | uint32_t(p[2]) << 8 | p[3];
}

void FwSelect(DeviceRig &f, uint16_t key) { dvt_write(f.t, 8, 2, uint16_t(key << 8 | key >> 8)); }

std::string FwRead(DeviceRig &f, size_t n)
{
    std::string s;
    while (n--)
        s += char(f.r8(0));
    return s;
}

// Runs a DMA command at the start of RAM; its control word afterwards.
uint32_t FwDma(DeviceRig &f, uint32_t control, uint32_t len, uint64_t gpa)
{
    uint8_t *p = dvt_ram(f.t, DVT_RAM);
    put_be32_at(p, control);
    put_be32_at(p + 4, len);
    put_be32_at(p + 8, uint32_t(gpa >> 32));
    put_be32_at(p + 12, uint32_t(gpa));
    f.w64(16, __builtin_bswap64(DVT_RAM));
    return be32_at(p);
}

TEST(FwCfg, ItemsAndDirectory)
{
    DeviceRig f(DVT_FWCFG);

    EXPECT_EQ(FwRead(f, 6), std::string("QEMU\0\0", 6)) << "selected after reset, zeroes behind the end";
    FwSelect(f, 1);
    EXPECT_EQ(f.r32(0), 3u);
    FwSelect(f, 5);
    EXPECT_EQ(dvt_read(f.t, 0, 2), 4u);
    FwSelect(f, 0x19);
    EXPECT_EQ(f.r32(0), 0x02000000u);
    std::string dir = FwRead(f, 128);
    EXPECT_EQ(dir.substr(0, 18), std::string("\0\0\0\x10\0\x20\0\0etc/table\0", 18)) << "sorted by name";
    EXPECT_EQ(dir.substr(64, 18), std::string("\0\0\0\x0c\0\x21\0\0opt/hello\0", 18));
    FwSelect(f, 0x21);
    EXPECT_EQ(f.r64(0), UINT64_C(0x77202c6f6c6c6548)) << "the order of a string";
    EXPECT_EQ(FwRead(f, 5), std::string("orld\0", 5));
    FwSelect(f, 0x22);
    EXPECT_EQ(f.r64(0), 0u);
    EXPECT_EQ(f.r64(16), UINT64_C(0x47464320554d4551)) << "QEMU CFG";
}

TEST(FwCfg, IoPortLayout)
{
    DeviceRig f(DVT_FWCFG_IO);

    dvt_write(f.t, 0, 2, 0x20);
    EXPECT_EQ(dvt_read(f.t, 1, 1), unsigned('0'));
    EXPECT_EQ(dvt_read(f.t, 1, 1), unsigned('1'));
    put_be32_at(dvt_ram(f.t, DVT_RAM), 2);
    put_be32_at(dvt_ram(f.t, DVT_RAM + 4), 3);
    put_be32_at(dvt_ram(f.t, DVT_RAM + 12), DVT_RAM + 64);
    f.w32(4, 0);
    f.w32(8, __builtin_bswap32(DVT_RAM));
    EXPECT_EQ(be32_at(dvt_ram(f.t, DVT_RAM)), 0u);
    EXPECT_EQ(memcmp(dvt_ram(f.t, DVT_RAM + 64), "234", 3), 0);
}

TEST(FwCfg, Dma)
{
    DeviceRig f(DVT_FWCFG);
    uint8_t *buf = dvt_ram(f.t, DVT_RAM + 0x100);

    memset(buf, 0xee, 32);
    EXPECT_EQ(FwDma(f, 0x20 << 16 | 8 | 4, 3, 0), 0u);
    EXPECT_EQ(FwDma(f, 2, 20, DVT_RAM + 0x100), 0u);
    EXPECT_EQ(memcmp(buf, "3456789abcdef\0\0\0\0\0\0\0\xee", 21), 0);
    EXPECT_EQ(FwDma(f, 0x21 << 16 | 8 | 2, 5, DVT_RAM + 0x100), 0u);
    EXPECT_EQ(FwDma(f, 2, 4, DVT_RAM + 0x100), 0u);
    EXPECT_EQ(memcmp(buf, ", wo", 4), 0) << "it goes on where it was";
    EXPECT_EQ(FwDma(f, 0x20 << 16 | 8 | 16, 3, DVT_RAM + 0x100), 1u) << "items cannot be written";
    EXPECT_EQ(dvt_guest_errors(f.t), 1u);
}

TEST(FwCfg, DmaToBadAddresses)
{
    DeviceRig f(DVT_FWCFG);

    EXPECT_EQ(FwDma(f, 0x20 << 16 | 8 | 2, 16, 0x1000), 1u);
    EXPECT_EQ(FwDma(f, 0x20 << 16 | 8 | 2, 16, DVT_RAM + DVT_RAM_SIZE - 8), 1u);
    EXPECT_EQ(FwDma(f, 0x20 << 16 | 8 | 2, 16, UINT64_MAX - 4), 1u);
    EXPECT_EQ(FwDma(f, 0x20 << 16 | 8 | 2, 16, DVT_BASE), 1u) << "a device, this one even";
    EXPECT_EQ(FwDma(f, 0x20 << 16 | 8 | 2, 0xffffffff, DVT_RAM + 0x100), 1u);
    EXPECT_EQ(dvt_guest_errors(f.t), 5u);
    f.w64(16, __builtin_bswap64(DVT_RAM + DVT_RAM_SIZE - 8));
    f.w64(16, 0);
    f.w64(16, UINT64_MAX);
    EXPECT_EQ(dvt_guest_errors(f.t), 3u);
}

TEST(FwCfg, RefusesBadItems)
{
    DeviceRig f(DVT_FWCFG);

    EXPECT_FALSE(dvt_add_file(f.t, "opt/hello", "", 0));
    EXPECT_FALSE(dvt_add_file(f.t, "", "", 0));
    EXPECT_FALSE(dvt_add_file(f.t, std::string(56, 'n').c_str(), "", 0));
    EXPECT_TRUE(dvt_add_file(f.t, std::string(55, 'n').c_str(), "", 0));
    EXPECT_FALSE(dvt_add_item(f.t, 5, "", 0));
    EXPECT_FALSE(dvt_add_item(f.t, 0x20, "", 0));
    EXPECT_TRUE(dvt_add_item(f.t, 0x8005, "", 0));
    unsigned added = 0;
    while (added < 100 && dvt_add_file(f.t, ("f" + std::to_string(added)).c_str(), "x", 1))
        added++;
    EXPECT_EQ(added, 61u) << "64 files";
}

} // namespace
