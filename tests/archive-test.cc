// What `lyrebird run` stands on: archives, needs of kernel modules, apt's texts, kinds of files. No network.
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstring>
#include <string>
#include <vector>

#include "harness.h"

namespace {

constexpr size_t TEXT = 16384;

struct Archive : ::testing::Test {
    char dir[300];
    char text[TEXT];

    void SetUp() override { ASSERT_TRUE(arc_make_dir(dir, sizeof dir)); }
    void TearDown() override { arc_remove(dir); }
    std::string at(const char *name) const { return std::string(dir) + "/" + name; }
};

void put(std::string &s, size_t off, uint64_t value, unsigned bytes)
{
    if (s.size() < off + bytes)
        s.resize(off + bytes);
    for (unsigned i = 0; i < bytes; i++)
        s[off + i] = static_cast<char>(value >> (8 * i));
}

void put(std::string &s, size_t off, const std::string &bytes)
{
    if (s.size() < off + bytes.size())
        s.resize(off + bytes.size());
    s.replace(off, bytes.size(), bytes);
}

TEST_F(Archive, InitramfsReadsBack)
{
    std::string file = at("sample.cpio");
    ASSERT_TRUE(arc_initramfs_sample(file.c_str(), text, sizeof text)) << text;
    ASSERT_TRUE(arc_list(file.c_str(), text, sizeof text)) << text;
    EXPECT_STREQ(text, "dir 755 proc\n"
                       "dir 755 dev\n"
                       "char 600 dev/console 5:1\n"
                       "dir 755 etc\n"
                       "dir 755 etc/deep\n"
                       "file 644 etc/deep/hello 5 hello\n"
                       "file 755 init 10 #!/bin/sh\n\n"
                       "file 600 empty 0 \n"
                       "dir 755 bin\n"
                       "link 777 bin/sh -> /usr/bin/busybox\n");
}

TEST_F(Archive, InitramfsIsReadByCpio)
{
    std::string file = at("sample.cpio");
    ASSERT_TRUE(arc_initramfs_sample(file.c_str(), text, sizeof text)) << text;
    int r = arc_cpio_list(file.c_str(), text, sizeof text);
    if (r < 0)
        GTEST_SKIP() << "neither cpio nor busybox is installed";
    ASSERT_EQ(r, 1) << text;
    EXPECT_STREQ(text, "proc\ndev\ndev/console\netc\netc/deep\netc/deep/hello\ninit\nempty\nbin\nbin/sh\n");
}

TEST_F(Archive, InitramfsIsTheSameEachTime)
{
    std::string all[2];
    for (int i = 0; i < 2; i++) {
        std::string file = at(i ? "b.cpio" : "a.cpio");
        ASSERT_TRUE(arc_initramfs_sample(file.c_str(), text, sizeof text)) << text;
        FILE *f = fopen(file.c_str(), "rb");
        ASSERT_NE(f, nullptr);
        all[i].assign(text, fread(text, 1, sizeof text, f));
        fclose(f);
    }
    EXPECT_GT(all[0].size(), 1000u);
    EXPECT_EQ(all[0], all[1]);
}

TEST_F(Archive, InitramfsThatCanNotBeMadeSaysWhere)
{
    std::string file = at("missing/sample.cpio");
    EXPECT_FALSE(arc_initramfs_sample(file.c_str(), text, sizeof text));
    EXPECT_NE(strstr(text, "missing/sample.cpio"), nullptr) << text;
}

TEST(Modules, NeedsComeFirstAndOnce)
{
    char out[400];
    const char *needs = "ext4: jbd2 mbcache crc16\njbd2:\nmbcache:\ncrc16:\n"
                        "virtio_net: net_failover\nnet_failover: failover\nfailover:\nocfs2: jbd2 ext4\n";
    ASSERT_TRUE(arc_closure(needs, "virtio_net ext4 ocfs2 jbd2", out, sizeof out)) << out;
    EXPECT_STREQ(out, "failover net_failover virtio_net jbd2 mbcache crc16 ext4 ocfs2");
}

TEST(Modules, RingAndHoleAreErrors)
{
    char out[400];
    EXPECT_FALSE(arc_closure("a: b\nb: c\nc: a\n", "a", out, sizeof out));
    EXPECT_STREQ(out, "the kernel module 'a' needs itself");
    EXPECT_FALSE(arc_closure("a: b\n", "a", out, sizeof out));
    EXPECT_STREQ(out, "no module b");
}

TEST(Modules, Names)
{
    char out[40];
    arc_module_name("kernel/drivers/char/hw_random/virtio-rng.ko.xz", out, sizeof out);
    EXPECT_STREQ(out, "virtio_rng");
    arc_module_name("loop", out, sizeof out);
    EXPECT_STREQ(out, "loop");
}

// An ELF file with the sections null, .modinfo and .shstrtab.
std::string module_file(const std::string &modinfo, bool wide)
{
    std::string names("\0.modinfo\0.shstrtab\0", 20);
    size_t head = wide ? 64 : 52, row = wide ? 64 : 40;
    std::string s("\x7f" "ELF");
    put(s, 4, wide ? 2 : 1, 1);
    put(s, 5, 1, 1);
    size_t info = head, str = info + modinfo.size(), table = str + names.size();
    put(s, info, modinfo);
    put(s, str, names);
    put(s, wide ? 40 : 32, table, wide ? 8 : 4);
    put(s, wide ? 60 : 48, 3, 2);
    put(s, wide ? 62 : 50, 2, 2);
    auto section = [&](size_t n, uint64_t name, size_t off, size_t size) {
        size_t p = table + n * row;
        put(s, p, name, 4);
        put(s, p + (wide ? 24 : 16), off, wide ? 8 : 4);
        put(s, p + (wide ? 32 : 20), size, wide ? 8 : 4);
        put(s, p + row - 1, 0, 1);
    };
    section(0, 0, 0, 0);
    section(1, 1, info, modinfo.size());
    section(2, 10, str, names.size());
    return s;
}

TEST(Modules, InfoOfBothWidths)
{
    std::string info("license=GPL\0alias=fs-ext4\0\0depends=jbd2,crc-16\0softdep=pre: crypto-crc32c x\0", 75);
    for (bool wide : { true, false }) {
        std::string ko = module_file(info, wide);
        char out[400], needs[100];
        ASSERT_TRUE(arc_module_info(ko.data(), ko.size(), out, sizeof out)) << out;
        EXPECT_STREQ(out, "license=GPL\nalias=fs-ext4\ndepends=jbd2,crc-16\nsoftdep=pre: crypto-crc32c x");
        arc_module_needs(out, needs, sizeof needs);
        EXPECT_STREQ(needs, "jbd2,crc_16|crypto_crc32c,x");
    }
}

// Every cut and every changed byte: an answer or an error, never a read outside (sanitizers see those).
TEST(Modules, DamagedFilesAreRefused)
{
    std::string ko = module_file(std::string("depends=\0", 9), true);
    char out[400];
    for (size_t n = 0; n < ko.size(); n++)
        EXPECT_FALSE(arc_module_info(ko.data(), n, out, sizeof out)) << n;
    for (size_t i = 0; i < ko.size(); i++) {
        std::string bad = ko;
        bad[i] = static_cast<char>(0xff);
        arc_module_info(bad.data(), bad.size(), out, sizeof out);
    }
}

TEST(Modules, SignatureIsFound)
{
    std::string ko(1000, 'k'), mark("~Module signature appended~\n");
    EXPECT_EQ(arc_unsigned_length(ko.data(), ko.size()), 1000u);
    std::string trailer(12, '\0');
    trailer[10] = 0x02, trailer[11] = 0x01;
    std::string s = ko + std::string(0x201, 's') + trailer + mark;
    EXPECT_EQ(arc_unsigned_length(s.data(), s.size()), 1000u);
    trailer[8] = 0x7f;
    s = ko + trailer + mark;
    EXPECT_EQ(arc_unsigned_length(s.data(), s.size()), s.size());
}

struct Case {
    const char *name;
    std::string bytes;
    const char *kind, *arch;
};

std::string elf(bool wide, unsigned machine, unsigned type, uint64_t address, unsigned segment = 1)
{
    std::string s("\x7f" "ELF");
    put(s, 4, wide ? 2 : 1, 1);
    put(s, 5, 1, 1);
    put(s, 16, type, 2);
    put(s, 18, machine, 2);
    size_t table = wide ? 64 : 52;
    put(s, wide ? 32 : 28, table, wide ? 8 : 4);
    put(s, wide ? 54 : 42, wide ? 56 : 32, 2);
    put(s, wide ? 56 : 44, 1, 2);
    put(s, table, segment, 4);
    put(s, table + (wide ? 24 : 12), address, wide ? 8 : 4);
    put(s, table + 56, 0, 1);
    return s;
}

std::string pe(unsigned machine, unsigned magic)
{
    std::string s("MZ");
    put(s, 0x3c, 0x80, 4);
    put(s, 0x80, std::string("PE\0\0", 4));
    put(s, 0x84, machine, 2);
    put(s, 0x98, magic, 2);
    return s;
}

std::string with(size_t off, const std::string &bytes, std::string s = "")
{
    put(s, off, bytes);
    return s;
}

TEST(Sniff, Kinds)
{
    std::string boot = with(510, "\x55\xaa"), code = with(0, "\xfa\x31\xc0", boot);
    std::string root("\xa6\x70\xec\x72\x74\xcf\xe6\x40\xbd\x49\x4b\xda\x08\xe8\xf2\x24", 16);
    const std::vector<Case> cases = {
        { "nothing", "", "empty", "" },
        { "virtual kernel", elf(true, 243, 2, 0x80200000), "kernel", "riscv64" },
        { "bare metal", elf(false, 243, 2, 0x80000000), "bare", "riscv32" },
        { "static program", elf(true, 243, 2, 0x10000), "program", "riscv64" },
        { "dynamic program", elf(true, 62, 3, 0), "program", "x86_64" },
        { "with an interpreter", elf(true, 243, 2, 0x80200000, 3), "program", "riscv64" },
        { "object file", elf(true, 243, 1, 0), "program", "riscv64" },
        { "multiboot kernel", elf(false, 3, 2, 0x100000), "kernel", "i386" },
        { "arm64 kernel", elf(true, 183, 2, 0x40000000), "kernel", "aarch64" },
        { "Image", with(0x38, "RSC\x05"), "kernel", "riscv64" },
        { "Image with EFI stub", with(0x38, "RSC\x05", with(0, "MZ")), "kernel", "riscv64" },
        { "bzImage", with(0x202, "HdrS", with(0, "MZ", boot)), "kernel", "x86_64" },
        { "EFI program", pe(0x5064, 0x20b), "efi", "riscv64" },
        { "zboot kernel", with(4, "zimg", pe(0x5064, 0x20b)), "kernel", "riscv64" },
        { "qcow2", std::string("QFI\xfb\0\0\0\x03", 8), "qcow2", "" },
        { "vmdk", "KDMV\x01", "otherdisk", "" },
        { "ISO", with(0x8001, "CD001"), "iso", "" },
        { "MBR, PC", code, "disk", "x86_64" },
        { "MBR, no boot code", boot, "disk", "" },
        { "GPT", with(512, "EFI PART", boot), "disk", "" },
        { "GPT of RISC-V", with(4096, "x", with(1024 + 128, root, with(512, "EFI PART", code))), "disk",
          "riscv64" },
        { "ext4", with(0x438, "\x53\xef"), "rootfs", "" },
        { "squashfs", "hsqs....", "rootfs", "" },
        { "device tree", "\xd0\x0d\xfe\xed....", "dtb", "" },
        { "cpio", "07070100000001", "initramfs", "" },
        { "boot test", "[vm]\nkernel = \"Image\"\n[[step]]\nexpect = \"login:\"\n", "boottest", "" },
        { "script", "#!/bin/sh\n", "text", "" },
        { "UTF-8", "Gr\xc3\xbc\xc3\x9f\n", "text", "" },
        { "noise", std::string("\x01\x02\x00\x03", 4), "unknown", "" },
    };
    for (const Case &c : cases) {
        char arch[40], what[200];
        EXPECT_STREQ(arc_sniff(c.bytes.data(), c.bytes.size(), arch, sizeof arch, what, sizeof what), c.kind)
            << c.name;
        EXPECT_STREQ(arch, c.arch) << c.name;
        EXPECT_NE(what[0], 0) << c.name;
        // Cut anywhere it must not read on; what it is then called does not matter.
        for (size_t n = 0; n < c.bytes.size(); n += n < 700 ? 1 : 61)
            arc_sniff(c.bytes.data(), n, arch, sizeof arch, what, sizeof what);
    }
}

TEST_F(Archive, SniffsFilesAndRefusesDirectories)
{
    bool compressed;
    std::string file = at("kernel");
    std::string image = with(0x38, "RSC\x05");
    ASSERT_TRUE(arc_write(file.c_str(), image.data(), image.size()));
    EXPECT_STREQ(arc_sniff_file(file.c_str(), &compressed, text, sizeof text), "kernel") << text;
    EXPECT_FALSE(compressed);
    ASSERT_TRUE(arc_write(file.c_str(), "", 0));
    EXPECT_STREQ(arc_sniff_file(file.c_str(), &compressed, text, sizeof text), "empty") << text;
    EXPECT_STREQ(arc_sniff_file(dir, &compressed, text, sizeof text), "error");
    EXPECT_NE(strstr(text, "is a directory"), nullptr) << text;
    EXPECT_STREQ(arc_sniff_file(at("none").c_str(), &compressed, text, sizeof text), "error");
}

TEST_F(Archive, SniffsInsideGzip)
{
    // gzip of the 4-byte word "#!/x": a stored deflate block, written by hand (RFC 1952, RFC 1951).
    const unsigned char gz[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 4, 0, 0xfb, 0xff, '#', '!', '/', 'x',
                                 0x78, 0x32, 0x8e, 0xe6, 4, 0, 0, 0 };
    bool compressed;
    std::string file = at("x.gz");
    ASSERT_TRUE(arc_write(file.c_str(), gz, sizeof gz));
    EXPECT_STREQ(arc_sniff_file(file.c_str(), &compressed, text, sizeof text), "text") << text;
    EXPECT_TRUE(compressed);
}

// Captured from `apt-get indextargets`, with other host names.
TEST(Apt, SiteOfTheHost)
{
    char site[200], security[200];
    EXPECT_TRUE(
        arc_site("https://other.example.org/node|Node|Node|nodistro\n"
                 "http://archive.example.org/debian|Debian|Debian|bookworm-updates\n"
                 "http://mirror.example.org/debian|Debian|Debian|bookworm\n"
                 "http://security.example.org/debian-security|Debian|Debian-Security|bookworm-security\n",
                 site, security, sizeof site));
    EXPECT_STREQ(site, "http://mirror.example.org/debian");
    EXPECT_STREQ(security, "http://security.example.org/debian-security");
}

TEST(Apt, SiteBeforeTheFirstUpdate)
{
    char site[200], security[200];
    EXPECT_TRUE(arc_site("http://a.example.org/notdebian|||\nhttp://b.example.org/debian/|||\n"
                         "http://b.example.org/debian-security|||", site, security, sizeof site));
    EXPECT_STREQ(site, "http://b.example.org/debian/");
    EXPECT_STREQ(security, "http://b.example.org/debian-security");
}

TEST(Apt, NoSite)
{
    char site[200], security[200];
    EXPECT_FALSE(arc_site("", site, security, sizeof site));
    EXPECT_FALSE(arc_site("http://a.example.org/ubuntu|Ubuntu|Ubuntu|noble\n", site, security, sizeof site));
    EXPECT_FALSE(arc_site("cdrom://[Debian]/debian|Debian|Debian|bookworm\n", site, security, sizeof site));
    EXPECT_FALSE(arc_site("rubbish\n||\n|||||\n", site, security, sizeof site));
    EXPECT_FALSE(arc_site(("http://" + std::string(3000, 'x') + "/debian|Debian|Debian|bookworm\n").c_str(),
                          site, security, sizeof site));
}

TEST(Apt, Status)
{
    EXPECT_DOUBLE_EQ(arc_status_share("dlstatus:3:14.5000:Retrieving file 3 of 3"), 0.145);
    EXPECT_DOUBLE_EQ(arc_status_share("dlstatus:1:100:x"), 1);
    EXPECT_LT(arc_status_share("pmstatus:dpkg:10:x"), 0);
    EXPECT_LT(arc_status_share("dlstatus:1:200:x"), 0);
    EXPECT_LT(arc_status_share("dlstatus:1"), 0);
    EXPECT_LT(arc_status_share(""), 0);
}

TEST(Apt, Plan)
{
    char out[400];
    uint64_t bytes;
    EXPECT_EQ(arc_plan("Reading package lists...\n"
                       "'http://m.example.org/a%7e1.deb' a_1%3a1~1_riscv64.deb 100 SHA256:0\n"
                       "'http://m.example.org/b.deb' b_2_all.deb 23 \n"
                       "'http://m.example.org/c.deb' ../../c.deb 7 \n'broken\n",
                       &bytes, out, sizeof out),
              2u);
    EXPECT_STREQ(out, "a_1%3a1~1_riscv64.deb b_2_all.deb");
    EXPECT_EQ(bytes, 123u);
}

TEST(Progress, Line)
{
    char out[100];
    arc_progress_line(out, sizeof out, "kernel", 0.42, 112000000, 4.7);
    EXPECT_STREQ(out, "kernel: 42 %  47.0 of 112.0 MB  10.0 MB/s  0:06 left");
    arc_progress_line(out, sizeof out, "unpacking", 0.5, 0, 90);
    EXPECT_STREQ(out, "unpacking: 50 %  1:30 left");
    arc_progress_line(out, sizeof out, "x", 0, 1000000, 100);
    EXPECT_STREQ(out, "x: 0 %  0.0 of 1.0 MB");
    arc_progress_line(out, sizeof out, "x", 7, 0, 0);
    EXPECT_STREQ(out, "x: 100 %");
    char tiny[5];
    arc_progress_line(tiny, sizeof tiny, "kernel", 0.5, 5, 5);
    EXPECT_STREQ(tiny, "kern");
}

TEST(Progress, LogHasALineForEachTenth)
{
    const double shares[] = { 0.01, 0.05, 0.11, 0.12, 0.19, 0.2, 0.55, 0.56, 1 };
    char out[1000];
    arc_progress_log(shares, 9, false, out, sizeof out);
    std::string s(out);
    EXPECT_EQ(s.substr(0, s.find("job: done")), "job: 0 %\njob: 11 %\njob: 20 %\njob: 55 %\njob: 100 %\n");
    EXPECT_NE(s.find("job: done, 0.0 s\n"), std::string::npos) << s;
    arc_progress_log(shares, 9, true, out, sizeof out);
    EXPECT_STREQ(out, "");
}

TEST(Rootfs, Sizes)
{
    uint64_t n = 0;
    EXPECT_TRUE(arc_size("4G", &n));
    EXPECT_EQ(n, 4ull << 30);
    EXPECT_TRUE(arc_size("2000m", &n));
    EXPECT_EQ(n, 2000ull << 20);
    for (const char *bad :
         { "", "G", "-4G", "4X", "4GB", "100M", "99999999T", "18446744073709551615G", "1e9" })
        EXPECT_FALSE(arc_size(bad, &n)) << bad;
}

TEST(Rootfs, Status)
{
    char out[400];
    arc_status("Package: x\nVersion: 1\nDescription: short\n long\n\n",
               "/etc/x\nremove-on-upgrade /etc/y\n/etc/z", out, sizeof out);
    EXPECT_STREQ(out, "Package: x\nStatus: install ok unpacked\nVersion: 1\nDescription: short\n long\n"
                      "Conffiles:\n /etc/x newconffile\n /etc/z newconffile\n\n");
    arc_status("Package: x\nVersion: 1", nullptr, out, sizeof out);
    EXPECT_STREQ(out, "Package: x\nStatus: install ok unpacked\nVersion: 1\n\n");
}

TEST(Rootfs, MergedNames)
{
    const struct { const char *name; bool directory; const char *expected;
    } cases[] = {
        { "lib/x.so", false, "usr/lib/x.so" },
        { "bin", false, "bin" },
        { "bin", true, "usr/bin" },
        { "library/x", false, "library/x" },
        { "usr/bin/x", false, "usr/bin/x" },
        { "lib64/x", false, "usr/lib64/x" },
    };
    for (const auto &c : cases) {
        char out[100];
        arc_merged_name(c.name, c.directory, out, sizeof out);
        EXPECT_STREQ(out, c.expected) << c.name;
    }
}

const arc_entry base_control[] = { { "./control", 0100644, 0, 0,
                                     "Package: base-files\nVersion: 1\nArchitecture: riscv64\n" } };
const arc_entry base_data[] = {
    { "./", 040755, 0, 0, nullptr },
    { "./bin", 0120777, 0, 0, "usr/bin" },
    { "./usr/", 040755, 0, 0, nullptr },
    { "./usr/bin/", 040755, 0, 0, nullptr },
    { "./tmp/", 041777, 0, 0, nullptr },
};
const arc_entry tool_control[] = {
    { "./control", 0100644, 0, 0, "Package: libtool\nVersion: 2\nArchitecture: riscv64\nMulti-Arch: same\n" },
    { "./conffiles", 0100644, 0, 0, "/etc/tool.conf\n" },
    { "./postinst", 0100755, 0, 0, "#!/bin/sh\n" },
};
const arc_entry tool_data[] = {
    { "./bin/tool", 0104755, 0, 42, "tool" },
    { "./etc/tool.conf", 0100640, 0, 0, "conf" },
    { "./var/mail/", 042775, 0, 8, nullptr },
};

TEST_F(Archive, PackageNamesAreContained)
{
    std::string deb = at("x.deb");
    ASSERT_TRUE(arc_make_deb(deb.c_str(), tool_control, 3, tool_data, 3, text, sizeof text)) << text;
    ASSERT_TRUE(arc_deb_names(deb.c_str(), text, sizeof text)) << text;
    EXPECT_STREQ(text, "bin/tool\netc/tool.conf\nvar/mail/\n");
    const arc_entry evil[] = { { "./usr/../../etc/passwd", 0100644, 0, 0, "x" } };
    ASSERT_TRUE(arc_make_deb(deb.c_str(), tool_control, 3, evil, 1, text, sizeof text)) << text;
    EXPECT_FALSE(arc_deb_names(deb.c_str(), text, sizeof text));
    EXPECT_NE(strstr(text, "leads out of it"), nullptr) << text;
    ASSERT_TRUE(arc_write(deb.c_str(), "!<arch>\n", 8));
    EXPECT_FALSE(arc_deb_names(deb.c_str(), text, sizeof text));
}

// The image has the files, modes, owners and dpkg records of its packages, whoever made it.
TEST_F(Archive, RootImage)
{
    if (!arc_have("mke2fs") || !arc_have("debugfs"))
        GTEST_SKIP() << "mke2fs and debugfs (e2fsprogs) are not installed";
    std::string tool = at("libtool_2_riscv64.deb"), base = at("base-files_1_riscv64.deb"),
                image = at("root.img");
    ASSERT_TRUE(arc_make_deb(tool.c_str(), tool_control, 3, tool_data, 3, text, sizeof text)) << text;
    ASSERT_TRUE(arc_make_deb(base.c_str(), base_control, 1, base_data, 5, text, sizeof text)) << text;
    std::string packages = tool + "\n" + base;
    ASSERT_TRUE(arc_rootfs(packages.c_str(), at("work").c_str(), image.c_str(), text, sizeof text)) << text;

    auto ask = [&](const char *command) {
        EXPECT_TRUE(arc_debugfs(image.c_str(), command, text, sizeof text)) << text;
        return std::string(text);
    };
    std::string stat = ask("stat /usr/bin/tool");
    EXPECT_NE(stat.find("Mode:  04755"), std::string::npos) << stat;
    EXPECT_NE(stat.find("User:     0   Group:    42"), std::string::npos) << stat;
    stat = ask("stat /var/mail");
    EXPECT_NE(stat.find("Mode:  02775"), std::string::npos) << stat;
    EXPECT_NE(stat.find("Group:     8"), std::string::npos) << stat;
    EXPECT_NE(ask("stat /bin").find("usr/bin"), std::string::npos);
    EXPECT_EQ(ask("cat /etc/tool.conf"), "conf");
    EXPECT_EQ(ask("cat /etc/tool.conf.dpkg-new"), "conf");
    EXPECT_EQ(ask("cat /var/lib/dpkg/info/libtool:riscv64.list"),
              "/.\n/bin/tool\n/etc/tool.conf\n/var/mail\n");
    EXPECT_EQ(ask("cat /var/lib/dpkg/info/libtool:riscv64.postinst"), "#!/bin/sh\n");
    EXPECT_NE(ask("cat /var/lib/dpkg/status").find("Package: libtool\nStatus: install ok unpacked\n"),
              std::string::npos);
    EXPECT_EQ(ask("cat /etc/apt/sources.list"), "deb http://archive.example.org/debian trixie main\n");
    EXPECT_NE(ask("stat /usr/sbin/lyrebird-init").find("Mode:  0755"), std::string::npos);

    // A disk that exists is never made again.
    EXPECT_FALSE(arc_rootfs(packages.c_str(), at("work").c_str(), image.c_str(), text, sizeof text));
    EXPECT_NE(strstr(text, "File exists"), nullptr) << text;
}

bool options(std::vector<const char *> words, char *text)
{
    words.insert(words.begin(), "run");
    return arc_run_options(static_cast<int>(words.size()), const_cast<char **>(words.data()), text, TEXT);
}

TEST(RunOptions, Accepted)
{
    char text[TEXT];
    EXPECT_TRUE(
        options({ "-smp", "2", "debian", "--m=512M", "-q", "--append", "a b", "--", "-s", "-S" }, text));
    EXPECT_STREQ(text, "what=debian smp=2 m=512M append=a b quiet=1 persist=0 rest=2");
}

TEST(RunOptions, Refused)
{
    char text[TEXT];
    EXPECT_FALSE(options({ "debian", "--persits" }, text));
    EXPECT_NE(strstr(text, "did you mean '--persist'"), nullptr) << text;
    EXPECT_NE(strstr(text, "^~"), nullptr) << text;
    EXPECT_FALSE(options({}, text));
    EXPECT_FALSE(options({ "a", "b" }, text));
    EXPECT_FALSE(options({ "debian", "-smp" }, text));
    EXPECT_FALSE(options({ "debian", "--persist=1" }, text));
    EXPECT_FALSE(options({ "debian", "--persist", "--snapshot" }, text));
    EXPECT_FALSE(options({ "disk.img", "--root", "4G" }, text));
}

} // namespace
