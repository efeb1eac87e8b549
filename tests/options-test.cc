// The command line of the QEMU-named doors: fields, lists, refusals with a caret, and random words that must
// not crash.
#include <gtest/gtest.h>

#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "harness.h"

namespace {

class Options {
public:
    explicit Options(std::vector<std::string> words) : words_(std::move(words))
    {
        words_.insert(words_.begin(), "/usr/bin/lyrebird-system-riscv64");
        for (auto &w : words_)
            argv_.push_back(w.data());
        argv_.push_back(nullptr);
        opt_ = opt_parse(static_cast<int>(words_.size()), argv_.data());
    }
    Options(std::initializer_list<const char *> words)
        : Options(std::vector<std::string>(words.begin(), words.end()))
    {
    }
    Options(const Options &) = delete;
    ~Options() { opt_free(opt_); }

    bool ok() const { return opt_ok(opt_); }
    std::string error() const { return opt_error(opt_); }
    uint64_t number(const char *f) const { return opt_number(opt_, f); }
    std::string text(const char *f) const { return opt_text(opt_, f); }
    std::string item(const char *kind, unsigned n, const char *key = nullptr)
    {
        const char *s = opt_item(opt_, kind, n, key);
        return s ? s : "(none)";
    }
    std::string machine(const char *key)
    {
        const char *s = opt_machine(opt_, key);
        return s ? s : "(none)";
    }
    std::vector<std::string> warnings() const
    {
        std::vector<std::string> all;
        for (size_t i = 0; i < opt_warnings(opt_); i++)
            all.push_back(opt_warning(opt_, i));
        return all;
    }
    struct opt *get() const { return opt_; }

private:
    std::vector<std::string> words_;
    std::vector<char *> argv_;
    struct opt *opt_;
};

bool has(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

std::string take(char *s)
{
    std::string out = s;
    std::free(s);
    return out;
}

TEST(Options, Defaults)
{
    Options o{};
    ASSERT_TRUE(o.ok()) << o.error();
    EXPECT_EQ(o.number("cpus"), 1u);
    EXPECT_EQ(o.number("ram_size"), 128u << 20);
    EXPECT_EQ(o.number("echr"), 1u);
    EXPECT_EQ(o.text("guest"), "riscv64");
    EXPECT_EQ(o.machine("type"), "(none)");
    EXPECT_TRUE(o.warnings().empty());
}

TEST(Options, ScriptLine)
{
    Options o{ "-machine",
               "virt,aclint=on",
               "--cpu",
               "rv64,h=true",
               "-smp",
               "4",
               "-m",
               "2G",
               "-nographic",
               "-kernel",
               "Image",
               "-initrd",
               "rd.gz",
               "-append",
               "console=ttyS0 root=/dev/vda, ro",
               "-bios",
               "none",
               "-no-reboot",
               "-drive",
               "file=a,,b.img,if=none,id=d0",
               "-device",
               "virtio-blk-device,drive=d0",
               "-device",
               "virtio-rng-device",
               "-serial",
               "mon:stdio",
               "-serial",
               "none",
               "-M",
               "aia=aplic",
               "-fw_cfg",
               "opt/x,string=1",
               "-hda",
               "x,y.img",
               "last.img" };
    ASSERT_TRUE(o.ok()) << o.error();
    EXPECT_EQ(o.machine("type"), "virt");
    EXPECT_EQ(o.machine("aclint"), "on");
    EXPECT_EQ(o.machine("aia"), "aplic");
    EXPECT_EQ(o.text("cpu"), "rv64,h=true");
    EXPECT_EQ(o.number("cpus"), 4u);
    EXPECT_EQ(o.number("ram_size"), UINT64_C(2) << 30);
    EXPECT_EQ(o.number("nographic"), 1u);
    EXPECT_EQ(o.text("kernel"), "Image");
    EXPECT_EQ(o.text("append"), "console=ttyS0 root=/dev/vda, ro");
    EXPECT_EQ(o.number("on_reboot"), 1u);
    EXPECT_EQ(o.item("drive", 0, "file"), "a,b.img");
    EXPECT_EQ(o.item("drive", 1, "file"), "x,y.img");
    EXPECT_EQ(o.item("drive", 1, "index"), "0");
    EXPECT_EQ(o.item("drive", 2, "file"), "last.img");
    EXPECT_EQ(o.item("device", 0, "driver"), "virtio-blk-device");
    EXPECT_EQ(o.item("device", 1, "driver"), "virtio-rng-device");
    EXPECT_EQ(o.item("device", 2), "(none)");
    EXPECT_EQ(o.item("serial", 0), "mon:stdio");
    EXPECT_EQ(o.item("serial", 1), "none");
    EXPECT_EQ(o.item("fw_cfg", 0, "name"), "opt/x");
    EXPECT_STREQ(opt_finish(o.get()), "");
}

TEST(Options, ItemsThatNobodyTookAreReported)
{
    Options o{"-netdev", "user,id=n0"};
    ASSERT_TRUE(o.ok());
    EXPECT_TRUE(has(opt_finish(o.get()), "-netdev is not built in yet"));
    o.item("netdev", 0);
    EXPECT_STREQ(opt_finish(o.get()), "");
}

struct Refusal {
    std::vector<std::string> words;
    const char *message;
};

class OptionsRefused : public testing::TestWithParam<Refusal> {};

TEST_P(OptionsRefused, WithTheRightWords)
{
    Options o(GetParam().words);
    EXPECT_FALSE(o.ok());
    EXPECT_TRUE(has(o.error(), GetParam().message)) << o.error();
}

INSTANTIATE_TEST_SUITE_P(All, OptionsRefused, testing::Values(
    Refusal{{"-kernal", "x"}, "did you mean '-kernel'?"},
    Refusal{{"--machin", "x"}, "did you mean '-machine'?"},
    Refusal{{"-"}, "unknown option '-'"},
    Refusal{{"-qqqqqqqq"}, "unknown option '-qqqqqqqq'"},
    Refusal{{"-m", "1G", "-kernel"}, "-kernel: needs an argument"},
    Refusal{{"-smp", "9"}, "1 to 8"},
    Refusal{{"-smp", "0"}, "1 to 8"},
    Refusal{{"-smp", "-1"}, "takes a number"},
    Refusal{{"-smp", "cpus=4,cores=1"}, "1 places for 4 CPUs"},
    Refusal{{"-smp", "4,maxcpus=2"}, "smaller"},
    Refusal{{"-smp", "4,core=4"}, "did you mean 'cores'?"},
    Refusal{{"-smp", "sockets=99999999999"}, "1 to 4096"},
    Refusal{{"-m", "0"}, "more than 0"},
    Refusal{{"-m", "99999999T"}, "is needed"},
    Refusal{{"-m", "1X"}, "is needed"},
    Refusal{{"-m", ""}, "is needed"},
    Refusal{{"-accel", "kvm"}, "not available"},
    Refusal{{"-M", "virt,accel=kvm:xen"}, "not available"},
    Refusal{{"-accel", "intrep"}, "did you mean 'interp'?"},
    Refusal{{"-accel", "tcg,threads=multi"}, "did you mean 'thread'?"},
    Refusal{{"-vnc", ":1"}, "-vnc is not built in yet"},
    Refusal{{"-loadvm", "a"}, "-loadvm is not built in yet"},
    Refusal{{"-device", "{\"driver\":\"x\"}"}, "JSON"},
    Refusal{{"-device", "x,=3"}, "without a name"},
    Refusal{{"-rtc", "base=2020-02-30"}, "base takes"},
    Refusal{{"-rtc", "base=2020-01-01T00:00"}, "base takes"},
    Refusal{{"-rtc", "clock=hots"}, "did you mean 'host'?"},
    Refusal{{"-icount", "11"}, "0 to 10"},
    Refusal{{"-icount", "auto,rr=record"}, "not built in yet"},
    Refusal{{"-action", "panic=reboot"}, "'reboot' is not known"},
    Refusal{{"-action", "rebot=reset"}, "did you mean 'reboot'?"},
    Refusal{{"-watchdog-action", "rest"}, "did you mean 'reset'?"},
    Refusal{{"-uuid", "550e8400-e29b-41d4-a716-44665544000g"}, "looks like"},
    Refusal{{"-echr", "256"}, "0 to 255"}));

TEST(Options, CaretStandsUnderTheCulprit)
{
    Options o{"-m", "1G", "-kernal", "Image"};
    std::string expected = "unknown option '-kernal': did you mean '-kernel'?\n"
                           "    lyrebird-system-riscv64 -m 1G -kernal Image\n"
                           "                                  ^~~~~~~";
    EXPECT_EQ(o.error(), expected);
}

TEST(Options, CaretInALongLineAndWithControlBytes)
{
    Options o{ "-append",
               std::string(3000, 'a').c_str(),
               "-name",
               "\x1b[31m\n",
               "-echr",
               "b\x07"
               "ad",
               "-append",
               std::string(3000, 'b').c_str() };
    EXPECT_FALSE(o.ok());
    for (char c : o.error())
        EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
    size_t line = o.error().find("\n    ..."), marks = o.error().rfind('\n');
    ASSERT_NE(line, std::string::npos);
    EXPECT_EQ(o.error()[line + o.error().size() - marks - 4], 'b') << o.error();
}

TEST(Options, HelpVersionAndLists)
{
    Options h{"-h"}, v{"--version"}, m{"-M", "help"}, d{"-device", "?"}, a{"-accel", "help"};
    EXPECT_EQ(h.number("action"), 1u);
    EXPECT_EQ(v.number("action"), 2u);
    EXPECT_EQ(m.number("action"), 3u);
    EXPECT_EQ(m.text("list"), "machine");
    EXPECT_EQ(d.text("list"), "device");
    EXPECT_EQ(a.text("list"), "accel");
    std::string first = "Lyrebird emulator version 9.0.0 (QEMU-compatible; Lyrebird 0.1.0)\n";
    EXPECT_EQ(take(opt_version()), first);
    std::string help = take(opt_help(h.get()));
    EXPECT_EQ(help.substr(0, first.size()), first);
    EXPECT_TRUE(has(help, "QEMU's"));
    EXPECT_TRUE(has(help, "\n  -kernel FILE "));
    EXPECT_FALSE(has(help, "(null)"));
}

TEST(Options, CheckingNeedsVirtualTime)
{
    Options plain{"-accel", "jit"}, checking{"-accel", "check"}, older{"-machine", "virt,accel=check"};

    EXPECT_EQ(plain.number("icount.on"), 0u);
    EXPECT_EQ(checking.number("icount.on"), 1u);
    EXPECT_EQ(older.number("icount.on"), 1u);
    EXPECT_EQ(checking.warnings().size(), 0u);
}

TEST(Options, InertOptionsWarn)
{
    Options o{"-usb", "-vga", "std", "-vga", "none"};
    ASSERT_TRUE(o.ok()) << o.error();
    ASSERT_EQ(o.warnings().size(), 2u);
    EXPECT_TRUE(has(o.warnings()[0], "-usb has no effect"));
    Options m{"-M", "virt,acpi=off,pflash0=code", "-machine", "usb=off"};
    ASSERT_TRUE(m.ok()) << m.error();
    ASSERT_EQ(m.warnings().size(), 2u);
    EXPECT_TRUE(has(m.warnings()[0], "-machine acpi=off changes nothing"));
    EXPECT_TRUE(has(m.warnings()[1], "-machine usb=off changes nothing"));
}

TEST(Options, QuietForms)
{
    Options o{ "-monitor",    "none",
               "-display",    "none",
               "-gdb",        "none",
               "-parallel",   "none",
               "-net",        "none",
               "-accel",      "kvm",
               "-accel",      "tcg,thread=multi",
               "-nodefaults", "-no-user-config",
               "-S" };
    ASSERT_TRUE(o.ok()) << o.error();
    EXPECT_TRUE(o.warnings().empty());
    EXPECT_STREQ(opt_finish(o.get()), "");
    EXPECT_EQ(o.number("nodefaults"), 1u);
    EXPECT_EQ(o.number("start_paused"), 1u);
}

TEST(Options, TimeAndActions)
{
    Options o{"-rtc", "base=2006-06-17T16:01:21,clock=vm", "-icount", "shift=7,sleep=off", "-action",
              "panic=exit-failure,shutdown=pause,reboot=shutdown,watchdog=none", "-uuid",
              "550e8400-e29b-41d4-a716-446655440001", "-echr", "0x14", "-name", "guest=vm1,debug-threads=on"};
    ASSERT_TRUE(o.ok()) << o.error();
    EXPECT_EQ(o.number("rtc.base"), 2u);
    EXPECT_EQ(o.number("rtc.clock"), 2u);
    EXPECT_EQ(o.number("rtc.date"), 1150560081u);
    EXPECT_EQ(o.number("icount.on"), 1u);
    EXPECT_EQ(o.number("icount.shift"), 7u);
    EXPECT_EQ(o.number("icount.sleep"), 0u);
    EXPECT_EQ(o.number("on_panic"), 2u);
    EXPECT_EQ(o.number("on_shutdown"), 1u);
    EXPECT_EQ(o.number("on_reboot"), 1u);
    EXPECT_EQ(o.number("on_watchdog"), 5u);
    EXPECT_EQ(o.number("uuid.first"), 0x55u);
    EXPECT_EQ(o.number("uuid.last"), 1u);
    EXPECT_EQ(o.number("echr"), 0x14u);
    EXPECT_EQ(o.text("name"), "vm1");
}

TEST(Options, CpuCounts)
{
    EXPECT_EQ((Options{"-smp", "cores=2,threads=2"}).number("cpus"), 4u);
    EXPECT_EQ((Options{"-smp", "8,sockets=1,cores=8,threads=1"}).number("cpus"), 8u);
    EXPECT_EQ((Options{"-smp", "cpus=2,maxcpus=4"}).number("cpus"), 2u);
}

TEST(Keyvals, UnknownKeyNamesTheNearest)
{
    const char *known[] = {"driver", "drive", "id", nullptr};
    const char *asked[] = {"driver", "id", nullptr};
    char out[1024];
    EXPECT_STREQ(kv_check("driver=a,id=3", asked, known, out, sizeof out), "");
    EXPECT_STREQ(kv_check("", asked, known, out, sizeof out), "");
    EXPECT_STREQ(kv_check("driver=a,drvie=3", asked, known, out, sizeof out),
                 "-test has no property 'drvie': did you mean 'drive'?\n"
                 "    driver=a,drvie=3\n"
                 "             ^~~~~");
    EXPECT_TRUE(has(kv_check("a,", asked, known, out, sizeof out), "without a name"));
}

TEST(Keyvals, FirstItemIsAValue)
{
    char out[8];
    EXPECT_TRUE(kv_first("/a=b,,c,server=on", out, sizeof out));
    EXPECT_STREQ(out, "/a=b,c");
    EXPECT_TRUE(kv_first("1234567,server", out, sizeof out));
    EXPECT_FALSE(kv_first("12345678,server", out, sizeof out)) << "too long";
    EXPECT_FALSE(kv_first(",server", out, sizeof out)) << "empty";
    EXPECT_FALSE(kv_first("/a,server,noserver", out, sizeof out)) << "nobody asked for that";
}

TEST(Keyvals, Sizes)
{
    uint64_t v = 0;
    EXPECT_TRUE(kv_size("512", 1 << 20, &v) && v == 512u << 20);
    EXPECT_TRUE(kv_size("1.5G", 1, &v) && v == 3u << 29);
    EXPECT_TRUE(kv_size("0x10k", 1, &v) && v == 16384);
    EXPECT_TRUE(kv_size("15E", 1, &v) && v == UINT64_C(15) << 60);
    EXPECT_TRUE(kv_size("7b", 4, &v) && v == 7);
    for (const char *bad :
         { "16E", "99999999999999999999", "1.5", "1.5.5G", "-1", " 1", "1GG", "G", "", "0x", "15.99999X" })
        EXPECT_FALSE(kv_size(bad, 1, &v)) << bad;
}

TEST(Nearest, Distances)
{
    EXPECT_EQ(kv_distance("", ""), 0u);
    EXPECT_EQ(kv_distance("", "abc"), 3u);
    EXPECT_EQ(kv_distance("kernel", "kernal"), 1u);
    EXPECT_EQ(kv_distance("drvie", "drive"), 1u);
    EXPECT_EQ(kv_distance("kitten", "sitting"), 3u);
    std::string many(500, 'x');
    EXPECT_EQ(kv_distance(many.c_str(), many.c_str()), 0u);
}

// Words from a pool, cut and joined at random: parsing succeeds, or fails with a message.
TEST(Options, RandomWordsNeverCrash)
{
    const char *pool[] = { "-m",      "-smp", "-M",     "-device",  "-drive",  "file=",      "=",
                           ",",       ",,",   "virt",   "-hda",     "-rtc",    "base=",      "utc",
                           "-icount", "auto", "-accel", "tcg",      "-h",      "4",          "1G",
                           "-",       "--",   "",       "\x80\xff", "-action", "panic=none", "-fw_cfg",
                           "-kernel", "help", "-uuid",  "-name",    "-cpu",    "-t",         "-d" };
    std::mt19937_64 random(20240607);
    size_t failures = 0;
    for (int i = 0; i < 20000; i++) {
        std::vector<std::string> words;
        for (size_t n = random() % 8; n; n--) {
            std::string w;
            for (size_t k = 1 + random() % 3; k; k--)
                w += pool[random() % (sizeof pool / sizeof *pool)];
            words.push_back(random() % 2 ? w : pool[random() % (sizeof pool / sizeof *pool)]);
        }
        Options o(words);
        failures += !o.ok();
        ASSERT_EQ(o.ok(), o.error().empty());
    }
    EXPECT_GT(failures, 1000u);
    EXPECT_LT(failures, 20000u);
}

}  // namespace
