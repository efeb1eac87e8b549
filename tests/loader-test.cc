// Kernels, firmware, initial RAM disks and device trees: the good ones land where they should, the bad ones
// are refused with a message, and mutated ones never take the process down or reach beyond guest memory.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "harness.h"

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint64_t kRam = 0x80000000, kMiB = 1 << 20;

bool has(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

class Board {
public:
    explicit Board(unsigned xlen = 64, uint64_t ram = 32 * kMiB) : t(lt_new(xlen, ram)) {}
    Board(const Board &) = delete;
    ~Board() { lt_free(t); }
    bool kernel(const Bytes &b) { return lt_kernel(t, b.data(), b.size(), &l); }
    bool firmware(const Bytes &b, uint64_t gpa = kRam) { return lt_firmware(t, b.data(), b.size(), gpa, &l); }
    std::string error() const { return lt_error(t); }
    Bytes peek(uint64_t gpa, size_t n) const
    {
        Bytes b(n);
        lt_peek(t, gpa, b.data(), n);
        return b;
    }
    struct lt *t;
    struct lt_loaded l = {};
};

void put(Bytes &b, size_t at, uint64_t v, unsigned width)
{
    if (b.size() < at + width)
        b.resize(at + width);
    for (unsigned i = 0; i < width; i++)
        b[at + i] = static_cast<uint8_t>(v >> 8 * i);
}

struct Segment {
    uint64_t vaddr, paddr, filesz, memsz;
    uint8_t fill;
};

struct Symbol {
    const char *name;
    uint64_t value;
};

// An executable with its segments' bytes behind the headers, then a symbol table and its strings.
Bytes elf(unsigned bits, uint64_t entry, const std::vector<Segment> &segments,
          const std::vector<Symbol> &symbols = {}, unsigned type = 2, unsigned machine = 243)
{
    const unsigned w = bits / 8, ehsize = bits == 64 ? 64 : 52, phsize = bits == 64 ? 56 : 32;
    const unsigned shsize = bits == 64 ? 64 : 40, symsize = bits == 64 ? 24 : 16;
    Bytes b(ehsize + segments.size() * phsize);
    const uint8_t ident[] = {0x7f, 'E', 'L', 'F', static_cast<uint8_t>(bits == 64 ? 2 : 1), 1, 1};
    std::memcpy(b.data(), ident, sizeof ident);
    put(b, 16, type, 2);
    put(b, 18, machine, 2);
    put(b, 20, 1, 4);
    put(b, 24, entry, w);
    put(b, 24 + w, ehsize, w);
    size_t tail = 24 + 3 * w + 4;
    put(b, tail, ehsize, 2);
    put(b, tail + 2, phsize, 2);
    put(b, tail + 4, segments.size(), 2);
    for (size_t i = 0; i < segments.size(); i++) {
        const Segment &s = segments[i];
        size_t at = ehsize + i * phsize, next = bits == 64 ? at + 8 : at + 4;
        put(b, at, 1, 4);
        for (uint64_t v : {static_cast<uint64_t>(b.size()), s.vaddr, s.paddr, s.filesz, s.memsz}) {
            put(b, next, v, w);
            next += w;
        }
        b.insert(b.end(), s.filesz, s.fill);
    }
    if (symbols.empty())
        return b;
    std::string names(1, '\0');
    size_t symtab = b.size();
    for (const Symbol &s : symbols) {
        size_t at = b.size();
        put(b, at + symsize - 1, 0, 1);
        put(b, at, names.size(), 4);
        put(b, bits == 64 ? at + 8 : at + 4, s.value, w);
        names += s.name + std::string(1, '\0');
    }
    size_t strtab = b.size();
    b.insert(b.end(), names.begin(), names.end());
    size_t sections = b.size();
    b.resize(sections + 3 * shsize);
    const struct {
        uint64_t type, offset, size, link, entsize;
    } rows[] = {{0, 0, 0, 0, 0}, {2, symtab, strtab - symtab, 2, symsize}, {3, strtab, names.size(), 0, 0}};
    for (size_t i = 0; i < 3; i++) {
        size_t at = sections + i * shsize;
        put(b, at + 4, rows[i].type, 4);
        put(b, at + 8 + 2 * w, rows[i].offset, w);
        put(b, at + 8 + 3 * w, rows[i].size, w);
        put(b, at + 8 + 4 * w, rows[i].link, 4);
        put(b, at + 8 + 4 * w + 8 + w, rows[i].entsize, w);
    }
    put(b, 24 + 2 * w, sections, w);
    put(b, tail + 6, shsize, 2);
    put(b, tail + 8, 3, 2);
    return b;
}

Bytes image(size_t size, uint64_t text_offset, uint64_t image_size)
{
    Bytes b(size);
    for (size_t i = 64; i < size; i++)
        b[i] = static_cast<uint8_t>(i * 7 >> 3);
    put(b, 0, 0x5a4d, 4);
    put(b, 8, text_offset, 8);
    put(b, 16, image_size, 8);
    put(b, 0x20, 2, 4);
    std::memcpy(&b[0x30], "RISCV\0\0\0RSC\5", 12);
    return b;
}

Bytes packed(const char *method, const Bytes &in)
{
    Bytes out(in.size() + 65536);
    out.resize(lt_compress(method, in.data(), in.size(), out.data(), out.size()));
    return out;
}

Bytes zboot(const char *method, const Bytes &payload)
{
    Bytes b(512);
    std::memcpy(b.data(), "MZ\0\0zimg", 8);
    put(b, 8, b.size(), 4);
    put(b, 12, payload.size(), 4);
    std::memcpy(&b[24], method, std::strlen(method));
    b.resize(512 + payload.size()); /* gcc 12 warns of an insert() here */
    std::copy(payload.begin(), payload.end(), b.begin() + 512);
    return b;
}

TEST(LoaderElf, SegmentsLandAtTheirPhysicalAddresses)
{
    for (unsigned bits : {64u, 32u}) {
        Board m(bits);
        lt_fill_ram(m.t, 0xee);
        ASSERT_TRUE(m.kernel(elf(bits, 0xc0000010, {{0xc0000000, kRam + 0x1000, 32, 64, 0x11},
                                                    {0xc0010000, kRam + 0x9000, 8, 8, 0x22}},
                                 {{"main", 1}, {"tohost", kRam + 0x2000}, {"fromhost", kRam + 0x2040},
                                  {"begin_signature", 5}, {"end_signature", 6}})))
            << m.error();
        EXPECT_EQ(m.l.format, LT_ELF);
        EXPECT_EQ(m.l.entry, kRam + 0x1010);
        EXPECT_EQ(m.l.start, kRam + 0x1000);
        EXPECT_EQ(m.l.end, kRam + 0x9008);
        EXPECT_EQ(m.l.tohost, kRam + 0x2000);
        EXPECT_EQ(m.l.fromhost, kRam + 0x2040);
        EXPECT_EQ(m.l.begin_signature, 5u);
        EXPECT_EQ(m.l.end_signature, 6u);
        ASSERT_TRUE(lt_commit(m.t)) << m.error();
        Bytes expected(96, 0xee);
        std::fill_n(expected.begin() + 16, 32, 0x11);
        std::fill_n(expected.begin() + 48, 32, 0);
        EXPECT_EQ(m.peek(kRam + 0x1000 - 16, 96), expected);
        EXPECT_EQ(m.peek(kRam + 0x9007, 2), (Bytes{0x22, 0xee}));
    }
}

TEST(LoaderElf, AResetPutsTheBytesBack)
{
    Board m;
    ASSERT_TRUE(m.kernel(elf(64, kRam, {{kRam, kRam, 8, 16, 0x33}})));
    ASSERT_TRUE(lt_commit(m.t));
    lt_fill_ram(m.t, 0xff);
    ASSERT_TRUE(lt_commit(m.t));
    EXPECT_EQ(m.peek(kRam + 7, 3), (Bytes{0x33, 0, 0}));
    EXPECT_EQ(m.peek(kRam + 15, 2), (Bytes{0, 0xff}));
}

TEST(LoaderElf, PositionIndependentAndZeroBasedFilesMove)
{
    Board dyn, zero;
    ASSERT_TRUE(dyn.kernel(elf(64, 0x1004, { { 0x1000, 0x1000, 8, 8, 1 } }, { { "tohost", 0x1040 } }, 3)))
        << dyn.error();
    EXPECT_EQ(dyn.l.start, kRam);
    EXPECT_EQ(dyn.l.entry, kRam + 4);
    EXPECT_EQ(dyn.l.tohost, kRam + 0x40);
    ASSERT_TRUE(zero.kernel(elf(64, 0xffffffff80000000, {{0xffffffff80000000, 0, 8, 8, 1}}))) << zero.error();
    EXPECT_EQ(zero.l.entry, kRam);
}

TEST(LoaderElf, RomIsMemoryToo)
{
    Board m;
    ASSERT_TRUE(m.firmware(elf(64, 0x20000000, {{0x20000000, 0x20000000, 8, 8, 0x44}}))) << m.error();
    ASSERT_TRUE(lt_commit(m.t)) << m.error();
    EXPECT_EQ(m.peek(0x20000007, 2), (Bytes{0x44, 0}));
}

struct BadElf {
    const char *what;
    Bytes bytes;
    const char *message;
};

Bytes changed(Bytes b, size_t at, uint64_t v, unsigned width)
{
    put(b, at, v, width);
    return b;
}

TEST(LoaderElf, BadOnesAreRefused)
{
    const Bytes good = elf(64, kRam, {{kRam, kRam, 64, 64, 1}});
    const BadElf bad[] = {
        {"empty magic only", Bytes(good.begin(), good.begin() + 4), "ends inside its header"},
        {"short header", Bytes(good.begin(), good.begin() + 63), "ends inside its header"},
        {"short program headers", Bytes(good.begin(), good.begin() + 100), "is it truncated?"},
        {"short segment", Bytes(good.begin(), good.end() - 1), "is it truncated?"},
        {"class", changed(good, 4, 3, 1), "neither 32 nor 64"},
        {"byte order", changed(good, 5, 2, 1), "byte order"},
        {"machine", changed(good, 18, 62, 2), "another kind of CPU"},
        {"relocatable", changed(good, 16, 1, 2), "not an executable"},
        {"no program headers", changed(good, 56, 0, 2), "no program headers"},
        {"too many", changed(good, 56, 0xffff, 2), "malformed"},
        {"small entries", changed(good, 54, 8, 2), "malformed"},
        {"phoff", changed(good, 32, ~0ull, 8), "outside the file"},
        {"no PT_LOAD", changed(good, 64, 2, 4), "no segment to load"},
        {"offset", changed(good, 64 + 8, ~0ull - 3, 8), "outside the file"},
        {"filesz", changed(good, 64 + 32, ~0ull, 8), "more bytes in the file"},
        {"memsz", changed(good, 64 + 40, 1ull << 40, 8), "not in the machine's memory"},
        {"memsz wraps", changed(good, 64 + 40, ~0ull, 8), "wraps around"},
        {"paddr", changed(good, 64 + 24, 0x1000, 8), "not in the machine's memory"},
        {"entry", changed(good, 24, 4, 8), "in none of its segments"},
        {"32-bit", elf(32, kRam, {{kRam, kRam, 8, 8, 1}}), "use lyrebird-system-riscv32"},
    };
    for (const BadElf &b : bad) {
        Board m;
        EXPECT_FALSE(m.kernel(b.bytes)) << b.what;
        EXPECT_TRUE(has(m.error(), "could not load kernel '/proc/")) << b.what << ": " << m.error();
        EXPECT_TRUE(has(m.error(), b.message)) << b.what << ": " << m.error();
    }
}

TEST(LoaderElf, MalformedSymbolsAreOnlyIgnored)
{
    const Bytes good = elf(64, kRam, {{kRam, kRam, 8, 8, 1}}, {{"tohost", kRam}});
    const size_t table = good.size() - 2 * 64;
    for (size_t at = 0; at < 64; at += 8) {
        Board m;
        EXPECT_TRUE(m.kernel(changed(good, table + at, ~0ull, 8))) << m.error();
    }
    Board m;
    ASSERT_TRUE(m.kernel(Bytes(good.begin(), good.end() - 1)));
    EXPECT_EQ(m.l.tohost, 0u);
}

TEST(LoaderImage, GoesBehindTheFirmware)
{
    const struct {
        unsigned xlen;
        uint64_t firmware, text_offset, expected;
    } rows[] = {
        { 64, 0, 0, kRam },
        { 64, 4096, 0, kRam + 2 * kMiB },
        { 64, 4096, 2 * kMiB, kRam + 2 * kMiB },
        { 64, 3 * kMiB, 2 * kMiB, kRam + 4 * kMiB },
        { 64, 4096, 8 * kMiB, kRam + 8 * kMiB },
        { 64, 0, ~0ull, kRam },
        { 64, 0, 12345, kRam },
        { 32, 4096, 0, kRam + 4 * kMiB },
        { 32, 0, 4 * kMiB, kRam + 4 * kMiB },
    };
    for (const auto &r : rows) {
        Board m(r.xlen);
        if (r.firmware) {
            ASSERT_TRUE(m.firmware(Bytes(r.firmware, 1)));
        }
        ASSERT_TRUE(m.kernel(image(4000, r.text_offset, 8192))) << m.error();
        EXPECT_EQ(m.l.format, LT_IMAGE);
        EXPECT_EQ(m.l.entry, r.expected);
        EXPECT_EQ(m.l.end, r.expected + 8192);
        EXPECT_TRUE(lt_commit(m.t)) << m.error();
    }
}

TEST(LoaderImage, BadOnesAreRefused)
{
    Board big, endian, cut;
    EXPECT_FALSE(big.kernel(image(4096, 0, 33 * kMiB)));
    EXPECT_TRUE(has(big.error(), "more with -m")) << big.error();
    EXPECT_FALSE(endian.kernel(changed(image(4096, 0, 0), 24, 1, 8)));
    EXPECT_TRUE(has(endian.error(), "big-endian")) << endian.error();
    Bytes b = image(4096, 0, 0);
    EXPECT_FALSE(cut.kernel(Bytes(b.begin(), b.begin() + 0x3d)));
    EXPECT_TRUE(has(cut.error(), "inside its header")) << cut.error();
}

TEST(LoaderCompressed, EveryMethodAndContainer)
{
    const Bytes plain = image(300000, 0, 400000);
    for (const char *method : {"gzip", "zstd", "xz", "lzma"}) {
        const Bytes p = packed(method, plain);
        const std::string zname = std::string(method) == "zstd" ? "zstd22"
                                  : std::string(method) == "xz" ? "xzkern"
                                                                : method;
        for (const Bytes &file : {p, zboot(zname.c_str(), p)}) {
            Board m;
            ASSERT_TRUE(m.kernel(file)) << method << ": " << m.error();
            EXPECT_EQ(m.l.format, LT_IMAGE);
            EXPECT_EQ(m.l.end - m.l.start, 400000u);
            ASSERT_TRUE(lt_commit(m.t));
            EXPECT_EQ(m.peek(m.l.start, plain.size()), plain);
        }
    }
    Board e;
    ASSERT_TRUE(e.kernel(packed("gzip", elf(64, kRam, {{kRam, kRam, 8, 8, 1}})))) << e.error();
    EXPECT_EQ(e.l.format, LT_ELF);
}

TEST(LoaderCompressed, TruncatedDamagedAndTooLargeOnesAreRefused)
{
    const Bytes plain = image(300000, 0, 300000);
    for (const char *method : {"gzip", "zstd", "xz", "lzma"}) {
        const Bytes p = packed(method, plain);
        for (size_t n : {p.size() - 1, p.size() / 2, size_t{20}}) {
            Board m;
            EXPECT_FALSE(m.kernel(Bytes(p.begin(), p.begin() + n))) << method << " " << n;
            EXPECT_TRUE(has(m.error(), method)) << m.error();
        }
        Board bomb(64, 4 * kMiB);
        EXPECT_FALSE(bomb.kernel(packed(method, Bytes(64 * kMiB))));
        EXPECT_TRUE(has(bomb.error(), "unpacks to more than 4 MiB")) << method << bomb.error();
    }
    Bytes crc = packed("gzip", plain);
    crc[crc.size() - 6] ^= 1;
    Board m, unknown, outside;
    EXPECT_FALSE(m.kernel(crc));
    EXPECT_TRUE(has(m.error(), "damaged")) << m.error();
    EXPECT_FALSE(unknown.kernel(zboot("lzo", plain)));
    EXPECT_TRUE(has(unknown.error(), "not supported")) << unknown.error();
    EXPECT_FALSE(outside.kernel(changed(zboot("gzip", plain), 8, 0xffffffff, 4)));
    EXPECT_TRUE(has(outside.error(), "outside the file")) << outside.error();
}

TEST(LoaderKernel, OtherInputs)
{
    Board raw, empty, missing, large, uimage, dtb, directory;
    ASSERT_TRUE(raw.kernel(Bytes{0x13, 0, 0, 0}));
    EXPECT_EQ(raw.l.format, LT_RAW);
    EXPECT_EQ(raw.l.entry, kRam);
    EXPECT_FALSE(empty.kernel({}));
    EXPECT_TRUE(has(empty.error(), "is empty")) << empty.error();
    EXPECT_FALSE(lt_kernel_path(missing.t, "/nonexistent/Image", &missing.l));
    EXPECT_TRUE(has(missing.error(), "could not load kernel '/nonexistent/Image': ")) << missing.error();
    EXPECT_TRUE(has(missing.error(), "No such file")) << missing.error();
    EXPECT_FALSE(lt_kernel_path(directory.t, "/", &directory.l));
    EXPECT_FALSE(large.kernel(Bytes(33 * kMiB, 1)));
    EXPECT_TRUE(has(large.error(), "with -m")) << large.error();
    EXPECT_FALSE(uimage.kernel({0x27, 0x05, 0x19, 0x56, 0}));
    EXPECT_TRUE(has(uimage.error(), "uImage"));
    EXPECT_FALSE(dtb.kernel({0xd0, 0x0d, 0xfe, 0xed}));
    EXPECT_TRUE(has(dtb.error(), "-dtb"));
}

// Large files are read again at a reset: those that were replaced are still there, those that were written to are not.
TEST(LoaderReset, LargeFilesComeFromTheirFile)
{
    char scratch[4096];
    ASSERT_TRUE(harness_scratch(scratch, sizeof scratch));
    std::string path = std::string(scratch) + "/kernel", other = std::string(scratch) + "/other";
    Bytes first(3 * kMiB + 100), second(3 * kMiB + 100, 0x77);
    for (size_t i = 0; i < first.size(); i++)
        first[i] = static_cast<uint8_t>(i * 7 + (i >> 8) * 13 + 1);
    auto write = [](const std::string &name, const Bytes &b, const char *mode) {
        FILE *f = std::fopen(name.c_str(), mode);
        std::fwrite(b.data(), 1, b.size(), f);
        std::fclose(f);
    };
    write(path, first, "w");
    Board b;
    ASSERT_TRUE(lt_kernel_path(b.t, path.c_str(), &b.l)) << b.error();
    for (int reset = 0; reset < 3; reset++) {
        lt_fill_ram(b.t, 0xee);
        ASSERT_TRUE(lt_commit(b.t)) << b.error();
        EXPECT_TRUE(b.peek(b.l.start, first.size()) == first) << reset;
        if (reset == 1) {
            write(other, second, "w");
            ASSERT_EQ(std::rename(other.c_str(), path.c_str()), 0);
        }
    }
    Board c;
    ASSERT_TRUE(lt_kernel_path(c.t, path.c_str(), &c.l)) << c.error();
    ASSERT_TRUE(lt_commit(c.t)) << c.error();
    write(path, first, "r+");
    write(path, Bytes(1), "a"); // its size tells where its time stamp is too coarse
    EXPECT_FALSE(lt_commit(c.t));
    EXPECT_TRUE(has(c.error(), "was changed while the machine ran")) << c.error();
    std::remove(path.c_str());
    std::remove(scratch);
}

TEST(LoaderList, OverlapsAreNamed)
{
    Board m;
    ASSERT_TRUE(m.firmware(Bytes(8192, 1)));
    ASSERT_TRUE(m.kernel(elf(64, kRam + 4096, {{kRam + 4096, kRam + 4096, 8, 8, 2}})));
    EXPECT_FALSE(lt_commit(m.t));
    EXPECT_TRUE(has(m.error(), "would overlap")) << m.error();
}

TEST(LoaderInitrd, StandsAboveTheKernelAndBelowTheTree)
{
    const struct {
        uint64_t ram, size, expected;
    } rows[] = {
        {128 * kMiB, kMiB, kRam + 64 * kMiB},
        {2048 * kMiB, kMiB, kRam + 512 * kMiB},
        {128 * kMiB, 100 * kMiB, kRam + 26 * kMiB},
        {16 * kMiB, 13 * kMiB, kRam + kMiB},
    };
    for (const auto &r : rows) {
        Board m(64, r.ram);
        ASSERT_TRUE(m.kernel(image(4096, 0, kMiB)));
        uint64_t start = 0, end = 0;
        Bytes disk(r.size, 0x5a);
        ASSERT_TRUE(lt_initrd(m.t, disk.data(), disk.size(), &m.l, &start, &end)) << m.error();
        EXPECT_EQ(start, r.expected);
        EXPECT_EQ(end, start + r.size);
        EXPECT_LE(end, lt_fdt_address(m.t, 2 * kMiB));
        EXPECT_TRUE(lt_commit(m.t)) << m.error();
        EXPECT_EQ(m.peek(end - 1, 1), Bytes{0x5a});
    }
    Board m(64, 16 * kMiB);
    uint64_t start, end;
    ASSERT_TRUE(m.kernel(image(4096, 0, kMiB)));
    Bytes disk(13 * kMiB + 1);
    EXPECT_FALSE(lt_initrd(m.t, disk.data(), disk.size(), &m.l, &start, &end));
    EXPECT_TRUE(has(m.error(), "13312 KiB of memory are free")) << m.error();
    EXPECT_FALSE(lt_initrd(m.t, disk.data(), 0, &m.l, &start, &end));
}

TEST(LoaderFdt, AddressIsAtTheEndOfLowRam)
{
    EXPECT_EQ(lt_fdt_address(Board(64, 128 * kMiB).t, 8000), kRam + 126 * kMiB);
    EXPECT_EQ(lt_fdt_address(Board(64, 4096 * kMiB).t, 8000), 0xc0000000u - 2 * kMiB);
    EXPECT_EQ(lt_fdt_address(Board(64, kMiB).t, 8000), kRam + kMiB - 8192);
}

TEST(LoaderDevice, FilesNumbersAndStartAddresses)
{
    Board m;
    int cpu = 7;
    uint64_t pc = 0;
    const Bytes data{1, 2, 3}, program = elf(64, kRam + 4, {{kRam, kRam, 8, 8, 9}});
    auto device = [&](const char *text, const Bytes &b) {
        return lt_device(m.t, text, b.data(), b.size(), &cpu, &pc);
    };
    ASSERT_TRUE(device("loader,file=FILE,addr=0x80100000", data)) << m.error();
    EXPECT_EQ(cpu, -1);
    ASSERT_TRUE(device("loader,file=FILE,addr=0x80100100,force-raw=on,cpu-num=2", program)) << m.error();
    EXPECT_EQ(cpu, 2);
    EXPECT_EQ(pc, 0x80100100u);
    ASSERT_TRUE(device("loader,file=FILE,cpu-num=1", program)) << m.error();
    EXPECT_EQ(pc, kRam + 4);
    ASSERT_TRUE(device("loader,addr=0x80200000,data=0x112233,data-len=4", data)) << m.error();
    ASSERT_TRUE(device("loader,addr=0x80200008,data=0x112233,data-len=3,data-be=true", data)) << m.error();
    ASSERT_TRUE(device("loader,addr=0x1234,cpu-num=3", data)) << m.error();
    EXPECT_EQ(pc, 0x1234u);
    EXPECT_EQ(cpu, 3);
    ASSERT_TRUE(lt_commit(m.t)) << m.error();
    EXPECT_EQ(m.peek(0x80100000, 3), data);
    EXPECT_EQ(m.peek(0x80100100, 4), (Bytes{0x7f, 'E', 'L', 'F'}));
    EXPECT_EQ(m.peek(kRam, 1), Bytes{9});
    EXPECT_EQ(m.peek(0x80200000, 12), (Bytes{0x33, 0x22, 0x11, 0, 0, 0, 0, 0, 0x11, 0x22, 0x33, 0}));
    for (const char *bad :
         { "loader", "loader,file=FILE", "loader,addr=1", "loader,cpu-num=4,addr=0", "loader,data=1",
           "loader,addr=0,data=256,data-len=1", "loader,addr=0,data=1,data-len=9",
           "loader,addr=0,data=1,data-len=1,file=x", "loader,adr=0", "loader,file=/nonexistent,addr=0",
           "loader,file=FILE,addr=0x1000", "loader,addr=x,cpu-num=0" })
        EXPECT_FALSE(device(bad, data)) << bad;
}

TEST(LoaderDevice, ANumberOutsideMemoryIsRefused)
{
    Board m;
    int cpu;
    uint64_t pc;
    ASSERT_TRUE(lt_device(m.t, "loader,addr=0xffffffffffffffff,data=1,data-len=8", "", 0, &cpu, &pc));
    EXPECT_FALSE(lt_commit(m.t));
    EXPECT_TRUE(has(m.error(), "there is no memory there")) << m.error();
}

// The words are what the GNU assembler makes of: auipc t0,0; addi a2,t0,40; csrr a0,mhartid; l{d,w}
// a1,32(t0); l{d,w} t0,24(t0); jr t0.
TEST(LoaderBootRom, CodeAndInformationBlock)
{
    uint32_t w[24];
    lt_boot_rom(64, 0x180000000, 0x9fe00000, 0x80200000, 1, 3, w);
    EXPECT_EQ(std::vector<uint32_t>(w, w + 22),
              (std::vector<uint32_t>{ 0x00000297, 0x02828613, 0xf1402573, 0x0202b583, 0x0182b283, 0x00028067,
                                      0x80000000, 1,          0x9fe00000, 0,          0x4942534f, 0,
                                      2,          0,          0x80200000, 0,          1,          0,
                                      0,          0,          3,          0 }));
    lt_boot_rom(32, 0x80000000, 0x9fe00000, 0x80400000, 1, ~0ull, w);
    EXPECT_EQ(
        std::vector<uint32_t>(w, w + 16),
        (std::vector<uint32_t>{ 0x00000297, 0x02828613, 0xf1402573, 0x0202a583, 0x0182a283, 0x00028067,
                                0x80000000, 0, 0x9fe00000, 0, 0x4942534f, 2, 0x80400000, 1, 0, 0xffffffff }));
}

TEST(DeviceTree, BuildsAndReadsBack)
{
    char error[1024];
    size_t size = 0;
    uint8_t *blob = lt_tree(3, &size, error, sizeof error);
    ASSERT_TRUE(blob) << error;
    uint8_t v[32] = {};
    EXPECT_EQ(lt_tree_get(blob, "/node@2", "reg", v, sizeof v), 16);
    EXPECT_EQ(Bytes(v, v + 16), (Bytes{0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0x10, 0}));
    EXPECT_EQ(lt_tree_get(blob, "/node@0", "flag", v, sizeof v), 0);
    EXPECT_EQ(lt_tree_get(blob, "/node@0", "cells", v, sizeof v), 12);
    EXPECT_EQ(Bytes(v, v + 12), (Bytes{0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff}));
    EXPECT_EQ(lt_tree_get(blob, "/", "compatible", v, sizeof v), 20);
    EXPECT_EQ(lt_tree_get(blob, "/node@1", "formatted", v, sizeof v), 5);
    EXPECT_STREQ(reinterpret_cast<char *>(v), "rv64");
    EXPECT_EQ(lt_tree_get(blob, "/plic", "phandle", v, sizeof v), 4);
    EXPECT_EQ(v[3], 1);
    std::free(blob);
}

TEST(DeviceTree, GrowsAndHasALimit)
{
    char error[1024];
    size_t size = 0;
    uint8_t *blob = lt_tree(4000, &size, error, sizeof error);
    ASSERT_TRUE(blob) << error;
    EXPECT_GT(size, 512u << 10);
    uint8_t v[8];
    EXPECT_EQ(lt_tree_get(blob, "/node@f9f", "wide", v, sizeof v), 8);
    EXPECT_EQ(v[7], 0xef);
    std::free(blob);
    EXPECT_EQ(lt_tree(40000, &size, error, sizeof error), nullptr);
    EXPECT_TRUE(has(error, "FDT_ERR_NOSPACE")) << error;
}

TEST(DeviceTree, ChosenIsPatchedIntoACopy)
{
    char error[1024];
    size_t size = 0, out_size = 0;
    uint8_t *blob = lt_tree(3, &size, error, sizeof error), *out = nullptr;
    std::string args(50000, 'a');
    ASSERT_TRUE(lt_tree_chosen(blob, size, args.c_str(), 0x84000000, 0x84100000, &out, &out_size, error,
                               sizeof error))
        << error;
    std::vector<char> text(60000);
    EXPECT_EQ(lt_tree_get(out, "/chosen", "bootargs", text.data(), text.size()), 50001);
    EXPECT_EQ(text.data(), args);
    uint8_t v[8];
    EXPECT_EQ(lt_tree_get(out, "/chosen", "linux,initrd-end", v, sizeof v), 8);
    EXPECT_EQ(Bytes(v, v + 8), (Bytes{0, 0, 0, 0, 0x84, 0x10, 0, 0}));
    EXPECT_EQ(lt_tree_get(blob, "/chosen", "bootargs", v, sizeof v), -1);
    uint8_t *again = nullptr;
    ASSERT_TRUE(lt_tree_chosen(out, out_size, "x", 0, 0, &again, &out_size, error, sizeof error)) << error;
    EXPECT_EQ(lt_tree_get(again, "/chosen", "bootargs", v, sizeof v), 2);
    EXPECT_EQ(lt_tree_get(again, "/chosen", "linux,initrd-end", v, sizeof v), 8);
    std::free(again);
    std::free(out);
    std::free(blob);
}

// Mutations, the same in every run. What still loads must lie in memory; what does not must say why.
class Mutator {
public:
    explicit Mutator(uint64_t seed) : random_(seed) {}
    Bytes operator()(Bytes b)
    {
        static const uint64_t edges[] = { 0,
                                          1,
                                          0x7f,
                                          0x80,
                                          0xff,
                                          0x7fff,
                                          0xffff,
                                          0x7fffffff,
                                          0x80000000,
                                          0xffffffff,
                                          0x7fffffffffffffff,
                                          0x8000000000000000,
                                          0xffffffffffffffff };
        for (size_t n = 1 + random_() % 4; n; n--) {
            size_t near = random_() % 2 ? std::min<size_t>(b.size(), 160) : b.size();
            size_t at = near ? random_() % near : 0;
            switch (random_() % 4) {
            case 0:
                if (at < b.size())
                    b[at] ^= static_cast<uint8_t>(1u << random_() % 8);
                break;
            case 1: b.resize(at); break;
            default:
                for (unsigned i = 0, w = 1u << random_() % 4; i < w && at + i < b.size(); i++)
                    b[at + i] = static_cast<uint8_t>(edges[random_() % 13] >> 8 * i);
            }
        }
        return b;
    }

private:
    std::mt19937_64 random_;
};

TEST(LoaderMutated, KernelsNeverCrash)
{
    const Bytes small = image(3000, 0, 5000),
                tiny = elf(64, kRam, { { kRam, kRam, 64, 128, 1 }, { kRam + 4096, kRam + 4096, 9, 9, 2 } },
                           { { "tohost", kRam }, { "x", 1 } });
    std::vector<Bytes> seeds{small, tiny, elf(32, kRam, {{kRam, kRam, 64, 128, 1}}, {{"tohost", kRam}})};
    for (const char *method : {"gzip", "zstd", "xz", "lzma"}) {
        seeds.push_back(packed(method, small));
        seeds.push_back(zboot(method, packed(method, tiny)));
    }
    Mutator mutate(42);
    size_t accepted = 0, refused = 0;
    for (int i = 0; i < 20000; i++) {
        Board m(64, kMiB);
        if (m.kernel(mutate(seeds[static_cast<size_t>(i) % seeds.size()])) && lt_commit(m.t)) {
            accepted++;
            ASSERT_LT(m.l.start, m.l.end);
        } else {
            refused++;
            ASSERT_GT(m.error().size(), 20u);
        }
    }
    EXPECT_GT(accepted, 500u);
    EXPECT_GT(refused, 5000u);
}

TEST(LoaderMutated, TreesNeverCrash)
{
    char error[1024];
    size_t size = 0, out_size = 0;
    uint8_t *blob = lt_tree(3, &size, error, sizeof error), *out = nullptr;
    const Bytes seed(blob, blob + size);
    std::free(blob);
    Mutator mutate(43);
    size_t accepted = 0, refused = 0;
    for (int i = 0; i < 20000; i++) {
        const Bytes b = mutate(seed);
        bool ok =
            lt_tree_chosen(b.data(), b.size(), "console=ttyS0", 1, 2, &out, &out_size, error, sizeof error);
        std::free(out);
        accepted += ok;
        refused += !ok;
        ASSERT_EQ(ok, !*error);
    }
    EXPECT_GT(accepted, 500u);
    EXPECT_GT(refused, 5000u);
}

}  // namespace
