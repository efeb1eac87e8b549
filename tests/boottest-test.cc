// Boot tests without a machine: the TOML reader, the file's meaning, and the step engine (harness-boottest.h).
#include "harness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

const uint64_t ms = 1000000;

std::string toml(const std::string &text)
{
    std::vector<char> out(1 << 16);
    hb_toml(text.data(), text.size(), out.data(), out.size());
    return out.data();
}

std::string cases(const std::string &text)
{
    std::vector<char> out(1 << 16);
    hb_cases(text.c_str(), out.data(), out.size());
    return out.data();
}

bool has(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

TEST(Toml, Values)
{
    EXPECT_EQ(toml(""), "{}");
    EXPECT_EQ(toml("a = 1 # one\n\n  b=-2\r\nc = 0x1F\nd = 1_000\n"), "{a=1;b=-2;c=31;d=1000;}");
    EXPECT_EQ(toml("a = true\nb = false"), "{a=true;b=false;}");
    EXPECT_EQ(toml("a = \"x\\ty\\\"z\\\\\"\nb = 'c:\\d'\nc = \"\""), "{a=<x\ty\"z\\>;b=<c:\\d>;c=<>;}");
    EXPECT_EQ(toml("a = \"\\u00e9\\u20ac\\U0001F600\""), "{a=<\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80>;}");
    EXPECT_EQ(toml("a = [1, [2, 3], # two\n 'x',\n]\nb = []"), "{a=[1,[2,3],<x>];b=[];}");
    EXPECT_EQ(toml("[t]\na = 1\n[[s]]\na = 2\n[[ s ]]\n"), "{}t{a=1;}s*{a=2;}s*{}");
    EXPECT_EQ(toml("\xef\xbb\xbf"
                   "a = 1"),
              "{a=1;}");
}

TEST(Toml, Errors)
{
    const struct {
        const char *text, *error;
    } rows[] = {
        { "a", "t:1:2: expected '=', found the end of the file" },
        { "\n  a = ",
          "t:2:7: expected a value: \"text\", a whole number, true, false or [...], found the end of the file" },
        { "a = 1 2", "t:1:7: expected the end of the line, found '2'" },
        { "a = 1\na = 2", "t:2:1: 'a' is already set in this table" },
        { "a = \"x", "t:1:7: expected a character, or the closing \", found the end of the file" },
        { "a = \"\\q\"", "t:1:7: expected one of b t n f r e u U \" \\ after the backslash, found 'q'" },
        { "a = \"\\u12x4\"", "t:1:10: expected a hexadecimal digit, found 'x'" },
        { "a = 99999999999999999999999", "t:1:5: expected a whole number, found '9'" },
        { "a = 1.5", "t:1:6: floating point numbers, times and dates are not supported here" },
        { "a = {b = 1}", "t:1:5: inline tables are not supported: write a [table]" },
        { "a = \"\"\"x\"\"\"", "t:1:8: strings of several lines are not supported: write \\n" },
        { "a.b = 1", "t:1:2: dotted names are not supported" },
        { "[t]\n[t]", "t:2:1: [t] is already there, in line 1" },
        { "[t", "t:1:3: expected ']', found the end of the file" },
        { "[[t]", "t:1:4: expected ']]', found ']'" },
        { "a = [1 2]", "t:1:8: expected ',' or ']', found '2'" },
        { "a = [[[[[[1]]]]]]", "t:1:10: arrays are nested too deeply" },
        { "a = tru", "t:1:5: expected a value: \"text\", a whole number, true, false or [...], found 't'" },
    };

    for (const auto &row : rows)
        EXPECT_EQ(toml(row.text), std::string("error: ") + row.error) << row.text;
    EXPECT_EQ(toml(std::string("a = \"\\u0000\"")), "error: t:1:12: no such character can be in a string");
    EXPECT_TRUE(has(toml(std::string("a = \"x\0y\"", 9)), "byte 0"));
}

// Any byte string is read or refused; run it under the sanitizers.
TEST(Toml, Storm)
{
    static const char seed_text[] =
        "[vm]\nkernel = \"a\\u0041\"\ncpus = [1, 2,\n 4]\n[[step]]\nexpect = 'x' # y\nreset = true\n";
    uint64_t state = harness_seed(), read = 0, refused = 0;

    for (uint64_t i = harness_scale(20000); i > 0; i--) {
        std::string text(seed_text);
        for (uint64_t n = harness_random(&state) % 6 + 1; n > 0 && !text.empty(); n--) {
            size_t at = harness_random(&state) % text.size();
            switch (harness_random(&state) % 3) {
            case 0: text[at] = (char)harness_random(&state); break;
            case 1: text.erase(at, harness_random(&state) % 8 + 1); break;
            default: text.insert(at, std::string("[]\"'=#\\.{\n0x"), harness_random(&state) % 12, 1); break;
            }
        }
        (has(toml(text), "error: ") ? refused : read)++;
    }
    EXPECT_GT(read, 0u);
    EXPECT_GT(refused, 0u);
}

TEST(BootFile, Matrix)
{
    std::string all = cases("name = \"m\"\n[vm]\nkernel = \"/k\"\ncpus = [1, 2]\nmemory = [\"64M\", \"1G\"]\n"
                            "[[step]]\nexpect = \"x\"\n");
    EXPECT_TRUE(
        has(all, "m[cpus=1,memory=64M]: -M virt -display none -m 64M -smp 1 -icount shift=1 -net none -kernel /k\n"));
    EXPECT_TRUE(has(all, "m[cpus=2,memory=1G]:"));
    EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 4);
    EXPECT_TRUE(has(cases("[vm]\nkernel = \"/k\"\ntime = \"real\"\n[[step]]\nexpect = \"x\"\n"), "-smp 1 -net none"));
}

TEST(BootFile, Errors)
{
    const std::string vm = "[vm]\nkernel = \"/k\"\n";
    const struct {
        const char *text, *error;
    } rows[] = {
        { "[[step]]\nexpect = \"\"\n", "t.toml:4:10: an empty text is always there" },
        { "[[step]]\nexpect = \"a\"\nregex = \"b\"\n", "t.toml:5:9: a step has either expect (a text) or regex" },
        { "[[step]]\nrun = \"a\\nb\"\n", "t.toml:4:7: run takes one line" },
        { "[[step]]\nexpect = \"a\"\nstatus = 1\n", "t.toml:5:10: status goes with run" },
        { "[[step]]\nsend = \"a\"\npace = \"fast\"\n", "pace is \"uart\" or \"burst\", not \"fast\"" },
        { "[[step]]\nexit = 256\n", "t.toml:4:8: exit is from 0 to 255" },
        { "[step]\nexpect = \"a\"\n", "a boot test has [vm], [limits] and [[step]], not [step]" },
        { "[limits]\nguests = \"1s\"\n", "[limits] has no key 'guests': did you mean 'guest'?" },
        { "[limits]\nhost = \"0s\"\n", "host takes a time" },
        { "[[step]]\nfail_on = [1]\nexpect = \"x\"\n", "t.toml:4:12: fail_on takes a string, not a whole number" },
    };

    for (const auto &row : rows)
        EXPECT_TRUE(has(cases(vm + row.text), row.error)) << cases(vm + row.text);
    EXPECT_TRUE(has(cases("[vm]\nsystem = \"minix\"\n"), "system is debian, not \"minix\""));
    EXPECT_TRUE(has(cases("[vm]\ncpus = []\nkernel = \"/k\"\n"), "cpus = [] makes no case"));
}

class Engine : public ::testing::Test {
protected:
    void start(const std::string &steps)
    {
        char message[1024] = "";
        h = hb_new(("[vm]\nkernel = \"/k\"\n" + steps).c_str(), message, sizeof message);
        ASSERT_NE(h, nullptr) << message;
    }

    ~Engine() override
    {
        if (h)
            hb_free(h);
    }

    void says(const std::string &text)
    {
        hb_guest_writes(h, text.c_str());
        hb_pass(h, 5 * ms);
    }

    // The guest reads a character whenever one is there, until nothing more comes.
    std::string reads()
    {
        std::string got;
        for (int idle = 0; idle < 200; idle++) {
            hb_pass(h, ms);
            for (int c; (c = hb_guest_reads(h)) >= 0; idle = 0)
                got += (char)c;
        }
        return got;
    }

    void ends(const char *verdict, const char *why)
    {
        EXPECT_STREQ(hb_verdict(h), verdict) << hb_why(h);
        EXPECT_TRUE(has(hb_why(h), why)) << hb_why(h);
        EXPECT_EQ(hb_quits(h), std::string(verdict) == "running" ? 0u : 1u);
    }

    struct hb *h = nullptr;
};

TEST_F(Engine, ExpectsInOrder)
{
    start("[[step]]\nexpect = \"one\"\n[[step]]\nexpect = \"two\"\n[[step]]\nexpect = \"one\"\n");
    says("two o");
    EXPECT_EQ(hb_steps_passed(h), 0u);
    says("ne tw");
    EXPECT_EQ(hb_steps_passed(h), 1u);
    says("o");
    EXPECT_EQ(hb_steps_passed(h), 2u);
    ends("running", "");
    says("one");
    ends("passed", "all steps passed");
}

TEST_F(Engine, RegexStaysInALine)
{
    start("[[step]]\nregex = '^a.*z$'\n[[step]]\nregex = '^prompt> $'\n");
    says("a\nz\nba z\r\n");
    EXPECT_EQ(hb_steps_passed(h), 0u);
    says("a to z\r\nmore\r\n");
    EXPECT_EQ(hb_steps_passed(h), 1u);
    says("prompt> ");
    ends("passed", "");
}

TEST_F(Engine, RefusesABadRegex)
{
    char message[1024] = "";
    EXPECT_EQ(hb_new("[vm]\nkernel = \"/k\"\n[[step]]\nregex = '('\n", message, sizeof message), nullptr);
    EXPECT_TRUE(has(message, "step 1: '(' is no regular expression")) << message;
}

TEST_F(Engine, FailOnCountsBeforeTheMatchOnly)
{
    start("[[step]]\nexpect = \"ready\"\nfail_on = [\"bad\"]\n[[step]]\nexpect = \"x\"\n");
    says("ready, then bad");
    EXPECT_EQ(hb_steps_passed(h), 1u);
    ends("running", "");
}

TEST_F(Engine, FailOn)
{
    start("[[step]]\nexpect = \"ready\"\nfail_on = [\"bad\", \"worse\"]\n");
    says("first\nit is worse now\nready");
    ends("failed", "the guest wrote 'worse', which fail_on forbids: it is worse now");
}

TEST_F(Engine, FindsAcrossALotOfOutput)
{
    start("[[step]]\nexpect = \"needle\"\n");
    for (int i = 0; i < 20000; i++)
        hb_guest_writes(h, "a line of hay that is of no use to anybody\n");
    hb_guest_writes(h, "need");
    hb_pass(h, 5 * ms);
    ends("running", "");
    says("le");
    ends("passed", "");
}

TEST_F(Engine, TypesWhenTheFifoIsEmpty)
{
    start("[[step]]\nsend = \"hello\\n\"\n");
    hb_pass(h, 1000 * ms);
    EXPECT_EQ(hb_steps_passed(h), 0u); // one byte is in the FIFO, and nobody reads it
    EXPECT_EQ(reads(), "hello\n");
    EXPECT_EQ(hb_most_in_fifo(h), 1u);
    ends("passed", "");
}

TEST_F(Engine, TypesInBursts)
{
    start("[[step]]\nsend = \"0123456789abcdefghij\"\npace = \"burst\"\n");
    EXPECT_EQ(reads(), "0123456789abcdefghij");
    EXPECT_EQ(hb_most_in_fifo(h), 16u);
    ends("passed", "");
}

TEST_F(Engine, RunsCommands)
{
    start("[[step]]\nrun = \"uname -m\"\nexpect = \"riscv64\"\n[[step]]\nrun = \"false\"\nstatus = 1\n");
    std::string typed = reads();
    EXPECT_TRUE(has(typed, "uname -m") && typed.back() == '\n') << typed;
    says("~# " + typed + "lyrebird:begin\r\nriscv64\r\nlyrebird:end:0\r\n~# ");
    EXPECT_EQ(hb_steps_passed(h), 1u) << hb_why(h);
    typed = reads();
    says(typed + "lyrebird:begin\r\nlyrebird:end:1\r\n");
    ends("passed", "");
}

TEST_F(Engine, ACommandFails)
{
    start("[[step]]\nrun = \"ls x\"\n");
    std::string typed = reads();
    says(typed + "lyrebird:begin\r\nls: x: No such file\r\nlyrebird:end:1\r\n");
    ends("failed", "status is 1 instead of 0; its output begins: ls: x: No such file");
}

TEST_F(Engine, ACommandSaysSomethingElse)
{
    start("[[step]]\nrun = \"uname -m\"\nexpect = \"riscv64\"\n");
    std::string typed = reads();
    says("riscv64" + typed + "lyrebird:begin\r\nsparc\r\nlyrebird:end:0\r\nriscv64\r\n");
    ends("failed", "'riscv64' is not in the command's output, which begins: sparc");
}

TEST_F(Engine, PanicWaitsForItsTrace)
{
    start("[[step]]\nexpect = \"login\"\n");
    says("Kernel panic - not syncing: no init\n");
    ends("running", "");
    says("Call Trace:\nlogin\n---[ end Kernel panic - not syncing: no init ]---\n");
    ends("panic", "Kernel panic - not syncing: no init");
}

TEST_F(Engine, OopsEndsAfterAMoment)
{
    start("[[step]]\nexpect = \"login\"\n");
    says("[ 1.0] Oops [#1]\n");
    ends("running", "");
    hb_pass(h, 1000 * ms);
    ends("panic", "stumbled: [ 1.0] Oops [#1]");
}

TEST_F(Engine, ExpectedPanic)
{
    start("[[step]]\nexpect = \"Kernel panic - not syncing\"\n");
    says("Kernel panic - not syncing: as wished\n");
    ends("passed", "");
}

TEST_F(Engine, PanicMayBeIgnored)
{
    start("[limits]\npanic = false\noops = false\n[[step]]\nexpect = \"login\"\n");
    says("Oops [#1] Kernel panic - not syncing: never mind\n");
    hb_pass(h, 2000 * ms);
    says("login");
    ends("passed", "");
}

TEST_F(Engine, ResetLoop)
{
    start("[limits]\nresets = 2\n[[step]]\nexpect = \"a\"\n[[step]]\nexpect = \"b\"\n");
    hb_guest_resets(h);
    says("a"); // progress
    hb_guest_resets(h);
    ends("running", "");
    hb_guest_resets(h);
    ends("reset loop", "2 resets without progress in step 2 (expect b)");
}

TEST_F(Engine, EndOfTheGuest)
{
    start("[[step]]\nexpect = \"a\"\n[[step]]\nexit = 7\n");
    hb_guest_writes(h, "a"); // and ends before anybody has looked
    hb_guest_ends(h, 7);
    ends("passed", "");
}

TEST_F(Engine, EndWithAnotherStatus)
{
    start("[[step]]\nexit = 7\n");
    hb_guest_ends(h, 6);
    ends("failed", "the guest ended with status 6");
}

TEST_F(Engine, EndTooEarly)
{
    start("[[step]]\nexpect = \"a\"\n");
    hb_guest_ends(h, 0);
    ends("failed", "the guest ended, with status 0, in step 1 (expect a)");
}

TEST_F(Engine, Limits)
{
    start("[limits]\nguest = \"10s\"\nsilence = \"2s\"\n[[step]]\nexpect = \"a\"\n");
    for (int i = 0; i < 9; i++) {
        hb_pass(h, 1000 * ms);
        hb_guest_writes(h, ".");
    }
    ends("running", "");
    hb_pass(h, 1500 * ms);
    ends("time limit", "the limit of 10 s of guest time is reached in step 1 (expect a)");
}

TEST_F(Engine, Silence)
{
    start("[limits]\nsilence = \"2s\"\n[[step]]\nexpect = \"a\"\n");
    hb_pass(h, 1500 * ms);
    says("x");
    hb_pass(h, 1900 * ms);
    ends("running", "");
    hb_pass(h, 200 * ms);
    ends("time limit", "silent for 2 s");
}

TEST_F(Engine, StepLimit)
{
    start("[[step]]\nexpect = \"a\"\nlimit = \"1s\"\n[[step]]\nexpect = \"b\"\n");
    says("a");
    hb_pass(h, 5000 * ms);
    ends("running", "");
}

TEST_F(Engine, Death)
{
    start("[[step]]\nexpect = \"a\"\n");
    hb_guest_dies(h);
    ends("dead", "the guest is dead in step 1 (expect a): it is");
    hb_guest_dies(h);
    ends("dead", "it is");
}

} // namespace
