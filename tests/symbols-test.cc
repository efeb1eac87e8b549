// A kernel's symbols: those inside an Image, and the file that is made of them for a debugger.
#include "harness.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace {

using Symbols = std::vector<std::pair<uint32_t, std::string>>; // an offset; a type and a name

void put(std::string &out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        out += static_cast<char>(value >> 8 * i);
}

void align(std::string &out)
{
    out.resize((out.size() + 7) / 8 * 8);
}

// The tables of a kernel: a token is its character, but for number 1, which is "sys_".
std::string image(const Symbols &symbols, uint64_t base)
{
    std::string out(0x100, '\x5a'), names, markers, tokens, index;

    for (size_t i = 0; i < symbols.size(); i++) {
        std::string name = symbols[i].second;
        size_t at = name.find("sys_");
        if (at != std::string::npos)
            name.replace(at, 4, "\1");
        if (i % 256 == 0)
            put(markers, names.size(), 4);
        if (name.size() > 127)
            names += static_cast<char>(name.size() | 128);
        put(names, name.size() > 127 ? name.size() >> 7 : name.size(), 1);
        names += name;
    }
    for (int c = 0; c < 256; c++) {
        put(index, tokens.size(), 2);
        if (c == 1)
            tokens += "sys_";
        else if (c > ' ' && c < 127)
            tokens += static_cast<char>(c);
        tokens += '\0';
    }
    put(out, symbols.size(), 8);
    for (const std::string &table : { names, markers, tokens, index }) {
        out += table;
        align(out);
    }
    for (const auto &symbol : symbols)
        put(out, symbol.first, 4);
    align(out);
    put(out, base, 8);
    return out;
}

std::string map_of(const std::string &image)
{
    char *text = hsym_kallsyms(image.data(), image.size());
    std::string map = text;

    free(text);
    return map;
}

Symbols many(unsigned count)
{
    Symbols symbols;

    for (unsigned i = 0; i < count; i++)
        symbols.push_back({ i * 16, "Tsys_" + std::to_string(i) });
    return symbols;
}

const uint64_t BASE = UINT64_C(0xffffffff80000000);

TEST(Symbols, InsideAnImage)
{
    EXPECT_EQ(map_of(image({ { 0, "T_start" }, { 0x40, "tsys_one" }, { 0x1000, "Djiffies" } }, BASE)),
              "ffffffff80000000 T _start\nffffffff80000040 t sys_one\nffffffff80001000 D jiffies\n");
    std::string wide = "T" + std::string(200, 'x');
    EXPECT_EQ(map_of(image({ { 0, wide } }, BASE)), "ffffffff80000000 T " + std::string(200, 'x') + "\n");
}

TEST(Symbols, AsManyAsThereAre)
{
    for (unsigned count : { 1u, 255u, 256u, 257u, 512u, 513u, 1000u }) {
        std::string map = map_of(image(many(count), BASE));
        EXPECT_EQ(std::count(map.begin(), map.end(), '\n'), count);
        EXPECT_NE(map.find("T sys_" + std::to_string(count - 1) + "\n"), std::string::npos);
    }
}

TEST(Symbols, ImagesWithoutThem)
{
    std::string good = image(many(300), BASE);

    EXPECT_EQ(map_of(""), "none");
    EXPECT_EQ(map_of(std::string(10000, '\0')), "none");
    EXPECT_EQ(map_of(std::string("0\0001\0002\0003\0004\0005\0006\0007\0008\0009", 20)), "none");
    EXPECT_EQ(map_of(image({ { 16, "Ttwo" }, { 0, "Tone" } }, BASE)), "none"); // not in order
    for (size_t len = 0; len < good.size(); len += 7)
        EXPECT_EQ(map_of(good.substr(0, len)), "none") << len;
}

TEST(Symbols, DamagedImages)
{
    const std::string good = image(many(600), BASE);
    uint64_t seed = harness_seed();

    for (uint64_t i = 0; i < harness_scale(2000); i++) {
        std::string bad = good;
        for (uint64_t n = harness_random(&seed) % 3 + 1; n > 0; n--)
            bad[harness_random(&seed) % bad.size()] = static_cast<char>(harness_random(&seed));
        std::string map = map_of(bad);
        if (map != "none") {
            EXPECT_EQ(std::count(map.begin(), map.end(), '\n'), 600);
        }
    }
}

TEST(Symbols, FileForADebugger)
{
    std::string file = testing::TempDir() + "symbols-XXXXXX";
    char name[128] = "";
    const char *map = "0000000000000000 A nothing\n0000000000000010 D per_cpu\nffffffff80000000 T _start\n"
                      "ffffffff80000040 t second\nffffffff80001000 D jiffies\nnoise\n";
    int fd = mkstemp(&file[0]);

    ASSERT_GE(fd, 0);
    close(fd);
    ASSERT_TRUE(hsym_elf_name(map, file.c_str(), BASE + 0x48, name, sizeof name));
    EXPECT_STREQ(name, "second+0x8");
    ASSERT_TRUE(hsym_elf_name(map, file.c_str(), BASE - 8, name, sizeof name));
    EXPECT_STREQ(name, "");
    ASSERT_TRUE(hsym_elf_name("", file.c_str(), BASE, name, sizeof name));
    EXPECT_STREQ(name, "");
    unlink(file.c_str());
}

} // namespace
