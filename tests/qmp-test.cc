// The machine protocol, the monitor and JSON, on a machine that is not one (harness-qmp.h).
#include "harness.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace {

std::string json(const std::string &text)
{
    char out[4096];
    hq_json(text.data(), text.size(), out, sizeof out);
    return out;
}

bool is_json(const std::string &text)
{
    char out[4096];
    return hq_json(text.data(), text.size(), out, sizeof out);
}

TEST(Json, RoundTrips)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        { "null", "null" },
        { " [ ] ", "[]" },
        { "{}", "{}" },
        { "[1,-2,0,3.5e+7,18446744073709551615,18446744073709551616]",
          "[1, -2, 0, 3.5e+7, 18446744073709551615, 18446744073709551616]" },
        { "{\"a\":{\"b\":[true,false]},\"c\":\"\"}", "{\"a\": {\"b\": [true, false]}, \"c\": \"\"}" },
        { R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00\u0001")",
          "\"\\\"\\\\/\\b\\f\\n\\r\\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\\u0001\"" },
        { "\"ends with [\"", "\"ends with [\"" },
        { "[\"[\",\"{ \",1]", "[\"[\", \"{ \", 1]" },
    };

    for (const auto &row : rows) {
        EXPECT_EQ(json(row.in), row.out) << row.in;
        EXPECT_EQ(json(row.out), row.out) << row.out;
    }
}

TEST(Json, Refuses)
{
    static const char *const rows[] = {
        "",        " ",         "nul",     "truex",   "[",        "]",       "[1,]",    "[,1]",        "[1 2]",
        "{",       "{\"a\"}",   "{a:1}",   "{\"a\":1,}", "{\"a\":}", "01",   "-",       "+1",          "1.",
        ".5",      "1e",        "1e+",     "\"",      "\"\\\"",   "\"\\x\"", "\"\n\"",  "\"\\u12g4\"", "\"\\u0000\"",
        "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "1 2", "{\"a\":1,\"a\":2}", "'a'", "NaN",
    };

    for (const char *row : rows) {
        EXPECT_FALSE(is_json(row)) << row;
        EXPECT_EQ(json(row).substr(0, 17), "JSON parse error,") << row;
    }
    EXPECT_FALSE(is_json(std::string("1\0", 2)));
}

TEST(Json, Bounds)
{
    auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    auto members = [](int count) {
        std::string text = "{";
        for (int i = 0; i < count; i++)
            text += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
        return text + "}";
    };

    EXPECT_TRUE(is_json(nested(32)));
    EXPECT_FALSE(is_json(nested(33)));
    EXPECT_FALSE(is_json(nested(100000)));
    EXPECT_TRUE(is_json(members(128)));
    EXPECT_FALSE(is_json(members(129)));
}

class Door : public ::testing::Test {
protected:
    explicit Door(hq_door door, bool shared = false) : h(hq_new(2, shared)), door(door) {}

    ~Door() override
    {
        EXPECT_EQ(hq_wrongs(h), 0u);
        hq_free(h);
    }

    std::string output()
    {
        std::vector<char> out(1 << 21);
        hq_output(h, door, out.data(), out.size());
        return out.data();
    }

    std::string send(const std::string &bytes)
    {
        EXPECT_EQ(hq_send(h, door, bytes.data(), bytes.size()), bytes.size());
        return output();
    }

    struct hq *h;
    hq_door door;
};

class Qmp : public Door {
protected:
    Qmp() : Door(HQ_QMP) {}

    void negotiate()
    {
        hq_open(h, door);
        EXPECT_EQ(output(), "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 0, \"major\": 9}, "
                            "\"package\": \"Lyrebird 1.2.3\"}, \"capabilities\": []}}\r\n");
        EXPECT_EQ(send("{\"execute\": \"qmp_capabilities\"}\n"), "{\"return\": {}}\r\n");
    }

    static std::string request(const std::string &name, const std::string &args = "")
    {
        return "{\"execute\": \"" + name + "\"" + (args.empty() ? "" : ", \"arguments\": {" + args + "}") + "}\n";
    }

    std::string ask(const std::string &name, const std::string &args = "") { return send(request(name, args)); }

    static std::string failure(const std::string &kind, const std::string &why)
    {
        return "{\"error\": {\"class\": \"" + kind + "\", \"desc\": \"" + why + "\"}}\r\n";
    }

    static std::string generic(const std::string &why) { return failure("GenericError", why); }
};

TEST_F(Qmp, NegotiatesFirst)
{
    static const char expecting[] = "Expecting capabilities negotiation with 'qmp_capabilities'";

    EXPECT_EQ(output(), "");
    hq_open(h, door);
    output();
    EXPECT_EQ(ask("quit"), failure("CommandNotFound", expecting));
    EXPECT_EQ(hq_quits(h), 0u);
    EXPECT_EQ(ask("qmp_capabilities", "\"enable\": [\"oob\"]"),
              generic("there is no capability to enable: the greeting lists none"));
    hq_happens(h, HQ_STOP, false, nullptr);
    EXPECT_EQ(output(), "");
    EXPECT_EQ(ask("qmp_capabilities", "\"enable\": []"), "{\"return\": {}}\r\n");
    EXPECT_EQ(ask("qmp_capabilities"), failure("CommandNotFound", "Capabilities negotiation is already complete, "
                                                                  "command ignored"));
    hq_close(h, door);
    hq_open(h, door);
    output();
    EXPECT_EQ(ask("stop"), failure("CommandNotFound", expecting));
    EXPECT_TRUE(hq_running(h));
}

TEST_F(Qmp, EchoesIds)
{
    negotiate();
    EXPECT_EQ(send("{\"id\": {\"a\": [1, 2.50, null, \"\\u00e9\"]}, \"execute\": \"stop\"}"),
              "{\"return\": {}, \"id\": {\"a\": [1, 2.50, null, \"\xc3\xa9\"]}}\r\n");
    EXPECT_EQ(send("{\"execute\": \"nonsense\", \"id\": 7}"),
              "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command nonsense has not been found\"}, "
              "\"id\": 7}\r\n");
    EXPECT_EQ(send("{\"id\": false}"), "{\"error\": {\"class\": \"GenericError\", \"desc\": \"QMP input lacks member "
                                       "'execute'\"}, \"id\": false}\r\n");
}

TEST_F(Qmp, RequestsNeedNoLineFeeds)
{
    negotiate();
    EXPECT_EQ(send("{\"execute\":\"stop\"}{\"execute\":\"cont\"} \r\n\t{\n\"execute\"\n:\"stop\"}"),
              "{\"return\": {}}\r\n{\"return\": {}}\r\n{\"return\": {}}\r\n");
    EXPECT_FALSE(hq_running(h));
    EXPECT_EQ(send("{\"execute\":\"co"), "");
    EXPECT_EQ(send("nt\"}"), "{\"return\": {}}\r\n");
    EXPECT_TRUE(hq_running(h));
    EXPECT_EQ(send("{\"execute\":\"stop\", \"id\":\"}{\\\"\"}"), "{\"return\": {}, \"id\": \"}{\\\"\"}\r\n");
}

TEST_F(Qmp, Malformed)
{
    negotiate();
    EXPECT_EQ(send("[1]"), generic("QMP input must be a JSON object"));
    EXPECT_EQ(send("12\n"), generic("QMP input must be a JSON object"));
    EXPECT_EQ(send("abc\n"), generic("JSON parse error, expecting value at byte 0"));
    EXPECT_EQ(send("}"), generic("JSON parse error, expecting value at byte 0"));
    EXPECT_EQ(send("{]"), generic("JSON parse error, expecting a member's name at byte 1"));
    EXPECT_EQ(send("{\"execute\": \"sto\n"), generic("JSON parse error, control character in a string at byte 16"));
    EXPECT_EQ(send("{\"execute\": 5}"), generic("QMP input member 'execute' must be a string"));
    EXPECT_EQ(send("{\"execute\": \"stop\", \"arguments\": []}"),
              generic("QMP input member 'arguments' must be an object"));
    EXPECT_EQ(send("{\"execute\": \"stop\", \"argument\": {}}"), generic("QMP input member 'argument' is unexpected"));
    EXPECT_TRUE(hq_running(h));
    EXPECT_EQ(send("{\"exec\xff{\"execute\": \"stop\"}"), "{\"return\": {}}\r\n");
    EXPECT_FALSE(hq_running(h));
}

TEST_F(Qmp, ChecksArguments)
{
    negotiate();
    EXPECT_EQ(ask("stop", "\"x\": 1"), generic("Parameter 'x' is unexpected"));
    EXPECT_EQ(ask("pmemsave", "\"val\": \"0\""), generic("Invalid parameter type for 'val', expected: integer"));
    EXPECT_EQ(ask("pmemsave", "\"val\": 1.5"), generic("Invalid parameter type for 'val', expected: integer"));
    EXPECT_EQ(ask("pmemsave", "\"val\": 0"), generic("Parameter 'size' is missing"));
    EXPECT_EQ(ask("pmemsave", "\"val\": -1, \"size\": 1, \"filename\": \"x\""),
              generic("Parameter 'val' expects a number that is not negative"));
    EXPECT_EQ(ask("memsave", "\"val\": 0, \"size\": 1, \"filename\": \"x\", \"cpu-index\": 2"),
              generic("Parameter 'cpu-index' expects a CPU number"));
    EXPECT_EQ(ask("set_link", "\"name\": \"no\", \"up\": true"),
              failure("DeviceNotFound", "Device 'no' not found"));
    EXPECT_TRUE(hq_running(h));
}

TEST_F(Qmp, Steers)
{
    negotiate();
    EXPECT_EQ(ask("stop"), "{\"return\": {}}\r\n");
    EXPECT_FALSE(hq_running(h));
    EXPECT_EQ(ask("query-status"),
              "{\"return\": {\"status\": \"paused\", \"singlestep\": false, \"running\": false}}\r\n");
    EXPECT_EQ(ask("cont"), "{\"return\": {}}\r\n");
    EXPECT_TRUE(hq_running(h));
    EXPECT_EQ(ask("system_reset"), "{\"return\": {}}\r\n");
    EXPECT_EQ(hq_resets(h), 1u);
    EXPECT_EQ(ask("quit"), "{\"return\": {}}\r\n");
    EXPECT_EQ(hq_quits(h), 1u);
    EXPECT_NE(ask("system_powerdown").find("no power button"), std::string::npos);
}

TEST_F(Qmp, Events)
{
    negotiate();
    hq_happens(h, HQ_STOP, false, nullptr);
    std::string stop = output();
    EXPECT_EQ(stop.substr(0, 26), "{\"timestamp\": {\"seconds\": ");
    EXPECT_EQ(stop.substr(stop.find("}, ")), "}, \"event\": \"STOP\"}\r\n");
    hq_happens(h, HQ_SHUTDOWN, true, "guest-shutdown");
    std::string down = output();
    EXPECT_EQ(down.substr(down.find("}, ")),
              "}, \"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-shutdown\"}}\r\n");
    EXPECT_TRUE(is_json(down));
    hq_close(h, door);
    hq_happens(h, HQ_RESET, true, "guest-reset");
    EXPECT_EQ(output(), "");
}

TEST_F(Qmp, Queries)
{
    static const struct {
        const char *name, *value;
    } rows[] = {
        { "query-name", "{\"name\": \"guest\"}" },
        { "query-uuid", "{\"UUID\": \"00000000-0000-0000-0000-000000000000\"}" },
        { "query-kvm", "{\"enabled\": false, \"present\": false}" },
        { "query-target", "{\"arch\": \"riscv64\"}" },
        { "query-memory-size-summary", "{\"base-memory\": 16384}" },
        { "query-iothreads", "[]" },
        { "query-events", "[{\"name\": \"STOP\"}, {\"name\": \"RESUME\"}, {\"name\": \"RESET\"}, {\"name\": "
                          "\"SHUTDOWN\"}]" },
        { "query-chardev", "[{\"label\": \"serial0\", \"filename\": \"stdio\", \"frontend-open\": true}, {\"label\": "
                           "\"serial0\", \"filename\": \"stdio\", \"frontend-open\": false}]" },
        { "query-cpus-fast", "[{\"thread-id\": 0, \"props\": {\"core-id\": 0}, \"qom-path\": "
                             "\"/machine/unattached/cpu[0]\", \"cpu-index\": 0, \"target\": \"riscv64\"}, "
                             "{\"thread-id\": 0, \"props\": {\"core-id\": 1}, \"qom-path\": "
                             "\"/machine/unattached/cpu[1]\", \"cpu-index\": 1, \"target\": \"riscv64\"}]" },
    };

    negotiate();
    for (const auto &row : rows)
        EXPECT_EQ(ask(row.name), std::string("{\"return\": ") + row.value + "}\r\n");
    EXPECT_NE(ask("query-block").find("\"filename\": \"disk \\\"one\\\".img\""), std::string::npos);
    EXPECT_NE(ask("query-machines").find("\"is-default\": true"), std::string::npos);
    EXPECT_EQ(ask("ringbuf-read", "\"device\": \"ring\", \"size\": 9"), "{\"return\": \"a\\n\\ufffd\"}\r\n");
}

// Every command of the table can be asked for, answers in JSON, and is in the schema.
TEST_F(Qmp, TableAndSchema)
{
    negotiate();
    std::string commands = ask("query-commands"), schema = ask("query-qmp-schema");
    unsigned count = 0;
    for (size_t at = 0; (at = commands.find("\"name\": \"", at)) != std::string::npos; count++) {
        at += 9;
        std::string name = commands.substr(at, commands.find('"', at) - at);
        EXPECT_NE(schema.find("{\"name\": \"" + name + "\", \"meta-type\": \"command\""), std::string::npos) << name;
        std::string answer = ask(name);
        std::vector<char> out(1 << 20);
        EXPECT_TRUE(hq_json(answer.data(), answer.size(), out.data(), out.size())) << name << ": " << out.data();
        EXPECT_EQ(answer.find("has not been found"), std::string::npos) << name;
    }
    EXPECT_GT(count, 20u);
    EXPECT_NE(schema.find("{\"name\": \"memsave-arg\", \"meta-type\": \"object\", \"members\": [{\"name\": \"val\", "
                          "\"type\": \"int\"}, {\"name\": \"size\", \"type\": \"int\"}, {\"name\": \"filename\", "
                          "\"type\": \"str\"}, {\"name\": \"cpu-index\", \"type\": \"int\", \"default\": null}]}"),
              std::string::npos);
}

TEST_F(Qmp, BareMachine)
{
    static const char *const lists[] = { "query-block", "query-chardev", "query-machines" };

    negotiate();
    hq_bare(h);
    for (const char *name : lists)
        EXPECT_EQ(ask(name), "{\"return\": []}\r\n") << name;
    EXPECT_NE(ask("query-status").find("\"paused\""), std::string::npos);
    EXPECT_NE(ask("set_link", "\"name\": \"n0\", \"up\": true").find("DeviceNotFound"), std::string::npos);
    EXPECT_NE(ask("ringbuf-read", "\"device\": \"ring\", \"size\": 1").find("DeviceNotFound"), std::string::npos);
}

TEST_F(Qmp, MonitorCommand)
{
    negotiate();
    EXPECT_EQ(ask("human-monitor-command", "\"command-line\": \"info status\""),
              "{\"return\": \"VM status: running\\r\\n\"}\r\n");
    EXPECT_EQ(ask("human-monitor-command", "\"command-line\": \"stop\""), "{\"return\": \"\"}\r\n");
    EXPECT_FALSE(hq_running(h));
    hq_set_register(h, 1, "r5", 0x1234);
    EXPECT_EQ(ask("human-monitor-command", "\"command-line\": \"p $r5\", \"cpu-index\": 1"),
              "{\"return\": \"0x1234\\r\\n\"}\r\n");
    EXPECT_EQ(ask("human-monitor-command", "\"command-line\": \"p $r5\", \"cpu-index\": 2"),
              generic("Parameter 'cpu-index' expects a CPU number"));
}

TEST_F(Qmp, SavesMemory)
{
    char dir[4096];
    ASSERT_TRUE(harness_scratch(dir, sizeof dir));
    std::string file = std::string(dir) + "/m";
    auto args = [&](const std::string &val, const std::string &size) {
        return "\"val\": " + val + ", \"size\": " + size + ", \"filename\": \"" + file + "\"";
    };
    auto contents = [&] {
        std::string bytes(64, 0);
        FILE *f = fopen(file.c_str(), "rb");
        bytes.resize(f ? fread(&bytes[0], 1, bytes.size(), f) : 0);
        if (f)
            fclose(f);
        return bytes;
    };

    negotiate();
    hq_poke(h, HQ_RAM + 16, "Lyrebird", 8);
    EXPECT_EQ(ask("pmemsave", args("2147483664", "8")), "{\"return\": {}}\r\n");
    EXPECT_EQ(contents(), "Lyrebird");
    EXPECT_EQ(ask("memsave", args("18446744071562067984", "4")), "{\"return\": {}}\r\n");
    EXPECT_EQ(contents(), "Lyre");
    EXPECT_EQ(ask("pmemsave", args("2147500030", "8")),
              generic("Invalid addr 0x0000000080003ffe/size 8 specified"));
    EXPECT_NE(ask("pmemsave", args("268435456", "4")).find("Invalid addr"), std::string::npos);
    EXPECT_NE(ask("pmemsave", args("18446744073709551615", "18446744073709551615")).find("Invalid addr"),
              std::string::npos);
    remove(file.c_str());
    file = dir;
    EXPECT_NE(ask("pmemsave", args("2147483664", "8")).find("cannot write"), std::string::npos);
    file = "/dev/null";
    EXPECT_NE(ask("pmemsave", args("2147483664", "8")).find("not a regular file"), std::string::npos);
    remove(dir);
}

TEST_F(Qmp, Caps)
{
    negotiate();
    std::string deep = send(std::string(40, '['));
    EXPECT_EQ(deep, generic("JSON parse error, nested too deeply"));
    EXPECT_EQ(send("{\"execute\": \"stop\"}"), ""); // still what could not be read
    EXPECT_EQ(send("\n" + request("stop")), "{\"return\": {}}\r\n");

    EXPECT_EQ(send("{\"execute\": \"" + std::string(70000, 'x') + "\n"),
              generic("JSON parse error, a request has at most 65536 bytes"));
    EXPECT_EQ(ask("cont"), "{\"return\": {}}\r\n");
    EXPECT_EQ(ask("human-monitor-command", "\"command-line\": \"" + std::string(2000, 'x') + "\""),
              "{\"return\": \"Error: a command has at most 1023 characters\\r\\n\"}\r\n");
}

TEST_F(Qmp, ClientThatDoesNotRead)
{
    negotiate();
    hq_unread(h, door, 1 << 18);
    EXPECT_EQ(hq_send(h, door, "{", 1), 0u); // its requests wait
    hq_happens(h, HQ_STOP, false, nullptr);
    EXPECT_NE(output(), "");
    EXPECT_EQ(hq_hang_ups(h, door), 0u);
    hq_unread(h, door, 1 << 20);
    hq_happens(h, HQ_STOP, false, nullptr);
    EXPECT_EQ(output(), "");
    EXPECT_EQ(hq_hang_ups(h, door), 1u);
    hq_happens(h, HQ_STOP, false, nullptr);
    EXPECT_EQ(hq_hang_ups(h, door), 1u);
    hq_close(h, door);
    hq_unread(h, door, 0);
    negotiate();
}

TEST_F(Qmp, TimeToNegotiateAndToEndARequest)
{
    hq_open(h, door);
    EXPECT_EQ(hq_patience(h, door), 60u);
    send("{\"execute\": \"quit\"}"); // which it may not yet
    EXPECT_EQ(hq_patience(h, door), 60u);
    send("{\"execute\": \"qmp_capabilities\"}\n");
    EXPECT_EQ(hq_patience(h, door), 0u); // from now on it may be quiet
    send("{\"exec");
    EXPECT_EQ(hq_patience(h, door), 60u);
    send("ute\": \"query-status\"}");
    EXPECT_EQ(hq_patience(h, door), 0u);
    send("  \n");
    EXPECT_EQ(hq_patience(h, door), 0u);
    send("noise");
    EXPECT_EQ(hq_patience(h, door), 60u);
    send("\n");
    EXPECT_EQ(hq_patience(h, door), 0u);
    hq_close(h, door);
    hq_open(h, door);
    EXPECT_EQ(hq_patience(h, door), 60u);
}

TEST_F(Qmp, BrowserIsSentAway)
{
    hq_open(h, door);
    output();
    EXPECT_EQ(send("POST / HTTP/1.1\r\nHost: x\r\n\r\n{\"execute\": \"qmp_capabilities\"}\n" + request("quit")), "");
    EXPECT_EQ(hq_hang_ups(h, door), 1u);
    EXPECT_EQ(hq_quits(h), 0u);
}

// A storm finds commands that write files: it runs in a directory of its own, which goes with it.
class OwnDirectory {
public:
    OwnDirectory() : before(std::filesystem::current_path())
    {
        std::string name = testing::TempDir() + "lyrebird-XXXXXX";
        EXPECT_NE(mkdtemp(&name[0]), nullptr);
        own = name;
        std::filesystem::current_path(own);
    }
    ~OwnDirectory()
    {
        std::filesystem::current_path(before);
        std::filesystem::remove_all(own);
    }

private:
    std::filesystem::path before, own;
};

TEST_F(Qmp, Storm)
{
    OwnDirectory here;
    uint64_t counts[2];
    hq_storm(h, door, harness_seed(), harness_scale(100000), counts);
    EXPECT_GT(counts[0], 10000u);
    EXPECT_GT(counts[1], 10000u);
    hq_unread(h, door, 0);
    hq_close(h, door);
    negotiate();
}

class Monitor : public Door {
protected:
    Monitor() : Door(HQ_MONITOR) {}

    void SetUp() override
    {
        hq_open(h, door);
        EXPECT_EQ(output(), "Lyrebird 1.2.3 monitor - type 'help' for more information\r\n(qemu) ");
    }

    // What a command prints, without echo and prompt.
    std::string ask(const std::string &line)
    {
        std::string out = send(line + "\n"), echo = line + "\r\n", prompt = "(qemu) ";
        EXPECT_EQ(out.substr(0, echo.size()), echo);
        EXPECT_EQ(out.substr(out.size() - prompt.size()), prompt);
        return out.substr(echo.size(), out.size() - echo.size() - prompt.size());
    }
};

TEST_F(Monitor, Answers)
{
    static const struct {
        const char *line, *answer;
    } rows[] = {
        { "", "" },
        { "   ", "" },
        { "info version", "9.0.0 (QEMU-compatible; Lyrebird 1.2.3)\r\n" },
        { "  info   status ", "VM status: running\r\n" },
        { "info name", "guest\r\n" },
        { "info kvm", "kvm support: not compiled\r\n" },
        { "info cpus", "* CPU #0: thread_id=0\r\n  CPU #1: thread_id=0 (halted)\r\n" },
        { "info block", "d0: disk \"one\".img (raw, read-only)\r\n    Size:             1048576 bytes\r\n" },
        { "info network", "nic0: index=0,type=nic,model=virtio-net-device,macaddr=52:54:00:12:34:56\r\n"
                          " \\ n0: index=0,type=user\r\n" },
        { "info chardev", "serial0: filename=stdio,user=uart0\r\nserial0: filename=stdio\r\n" },
        { "info mtree", "address-space: memory\r\n  0000000000000000-ffffffffffffffff (prio 0, i/o): system\r\n"
                        "    0000000010000000-0000000010000fff (prio 0, i/o): intc0\r\n"
                        "    0000000080000000-0000000080003fff (prio 0, ram): ram\r\n" },
        { "info device", "intc0: plic\r\n" },
        { "info device intc0", "intc0: plic\r\n  span = 0\r\n" },
        { "info qtree none", "no device 'none'; `info device` lists them\r\n" },
        { "info mem", "No translation or protection\r\n" },
        { "p 1+2*3", "0x7\r\n" },
        { "print/d (1-2)*3", "-3\r\n" },
        { "p/u -1", "18446744073709551615\r\n" },
        { "p/o 8", "010\r\n" },
        { "p/c 'A'+1", "'B'\r\n" },
        { "p ~0&0xff|0x100^3", "0x1ff\r\n" },
        { "p -~-5", "0xfffffffffffffffc\r\n" },
        { "p 7/2%2", "0x1\r\n" },
        { "p $PC+$r0", "0x80000004\r\n" },
        { "p 1/0", "division by zero\r\nTry \"help print\" for more information\r\n" },
        { "p $nope", "unknown register\r\nTry \"help print\" for more information\r\n" },
        { "p (1", "')' expected\r\nTry \"help print\" for more information\r\n" },
        { "p 1 2", "unexpected '2'\r\nTry \"help print\" for more information\r\n" },
        { "p foo", "invalid char 'f' in expression\r\nTry \"help print\" for more information\r\n" },
        { "p 99999999999999999999", "number too large\r\nTry \"help print\" for more information\r\n" },
        { "p /4z 0", "invalid char in format: 'z'\r\nTry \"help print\" for more information\r\n" },
        { "p", "print: too few arguments: /FMT EXPR\r\nTry \"help print\" for more information\r\n" },
        { "stop now", "stop: too many arguments: none\r\nTry \"help stop\" for more information\r\n" },
        { "nonsense", "unknown command: 'nonsense'\r\n" },
        { "info statsu", "unknown command: 'info statsu': did you mean 'status'?\r\n" },
        { "help stop", "stop|s -- stop the guest\r\n" },
        { "help info kvm", "info kvm -- whether KVM is in use\r\n" },
        { "hostfwd_add tcp::0-:22", "host port 4242\r\n" },
        { "hostfwd_add n0 tcp::1-:22", "" },
        { "hostfwd_add bad", "invalid host forwarding rule 'bad': write tcp:\r\n" },
        { "hostfwd_remove tcp::1", "host forwarding rule for tcp::1 not found\r\n" },
        { "set_link n0 off", "" },
        { "set_link n0 perhaps", "Error: Parameter 'up' expects 'on' or 'off'\r\n" },
        { "set_link n1 on", "Error: Device 'n1' not found\r\n" },
        { "system_powerdown", "Error: this board has no power button\r\n" },
        { "ringbuf_read ring 9", "a\r\n\\u00FF\r\n" },
        { "ringbuf_read ring 99999", "Error: at most 4096 bytes at once\r\n" },
        { "cpu 2", "invalid CPU index\r\n" },
        { "gva2gpa 0xffffffff80000010", "gpa: 0x80000010\r\n" },
        { "gva2gpa 0x1000", "Unmapped\r\n" },
        { "memsave 0 10", "memsave: too few arguments: ADDR SIZE FILE\r\nTry \"help memsave\" for more "
                          "information\r\n" },
    };

    hq_set_register(h, 0, "pc", 0x80000004);
    for (const auto &row : rows)
        EXPECT_EQ(ask(row.line), row.answer) << row.line;
    EXPECT_TRUE(hq_running(h));
}

TEST_F(Monitor, Memory)
{
    static const struct {
        const char *line, *answer;
    } rows[] = {
        { "x /4xw 0x80000000", "0000000080000000: 0x03020100 0x07060504 0x0b0a0908 0x0f0e0d0c\r\n" },
        { "x/3xg 0xffffffff80000000", "ffffffff80000000: 0x0706050403020100 0x0f0e0d0c0b0a0908\r\n"
                                      "ffffffff80000010: 0x1716151413121110\r\n" },
        { "xp /2xb 0x80000041", "0000000080000041: 0x41 0x42\r\n" },
        { "xp/3c 0x80000041", "0000000080000041: 'A' 'B' 'C'\r\n" },
        { "xp/2dh 0x800000f0", "00000000800000f0:  -3600  -3086\r\n" },
        { "xp/2ub 0x800000f0", "00000000800000f0: 240 241\r\n" },
        { "xp /1ow 0x80000000", "0000000080000000:   0300400400\r\n" },
        { "x /2i 0x80000000", "0x0000000080000000:  03020100          op 00\r\n"
                              "0x0000000080000004:  07060504          op 04\r\n" },
        { "x 0x80000000", "0000000080000000: 0x03020100\r\n" },
        { "x /1xw 0x1000", "0000000000001000: Cannot access memory\r\n" },
        { "x /1i 0x1000", "0x0000000000001000:  Cannot access memory\r\n" },
        { "x /4xw 0x80003ff8", "0000000080003ff8: 0x00000000 0x00000000 Cannot access memory\r\n" },
        { "xp /1xw 0x10000000", "0000000010000000: Cannot access memory\r\n" },
        { "x /99999xw 0x80000000", "no more than 32768 at once\r\n" },
        { "xp /1xg 0xfffffffffffffff8", "fffffffffffffff8: Cannot access memory\r\n" },
    };
    uint8_t bytes[256];

    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    hq_poke(h, HQ_RAM, bytes, sizeof bytes);
    for (const auto &row : rows)
        EXPECT_EQ(ask(row.line), row.answer) << row.line;
}

TEST_F(Monitor, AddressSpace)
{
    hq_set_register(h, 0, "satp", 1);
    EXPECT_EQ(ask("info mem"), "vaddr            paddr            size             attr\r\n"
                               "---------------- ---------------- ---------------- -------\r\n"
                               "0000000000001000 0000000080001000 0000000000002000 rwxu-ad\r\n"
                               "0000000000003000 0000000080000000 0000000000001000 r--u-a-\r\n");
    EXPECT_EQ(ask("info tlb"), "0000000000001000: 0000000080001000 rwxu-ad\r\n"
                               "0000000000002000: 0000000080002000 rwxu-ad\r\n"
                               "0000000000003000: 0000000080000000 r--u-a-\r\n");
    EXPECT_EQ(ask("cpu 1"), "");
    EXPECT_EQ(ask("info tlb"), "No translation or protection\r\n");
    EXPECT_EQ(ask("info cpus").substr(0, 5), "  CPU");
}

TEST_F(Monitor, Registers)
{
    hq_set_register(h, 1, "r3", 0xabc);
    std::string one = ask("info registers 1"), all = ask("info registers -a");
    EXPECT_EQ(one.substr(0, 10), "\r\nCPU#1\r\n ");
    EXPECT_NE(one.find(" x3/r3    0000000000000abc\r\n"), std::string::npos);
    EXPECT_NE(one.find(" mstatus  0000000000000000\r\n"), std::string::npos);
    EXPECT_NE(all.find("CPU#0"), std::string::npos);
    EXPECT_NE(all.find("CPU#1"), std::string::npos);
    EXPECT_EQ(ask("info registers 7"), "CPU#7 not available\r\n");
}

TEST_F(Monitor, Steers)
{
    ask("stop");
    EXPECT_FALSE(hq_running(h));
    EXPECT_EQ(ask("info status"), "VM status: paused\r\n");
    ask("c");
    EXPECT_TRUE(hq_running(h));
    ask("system_reset");
    EXPECT_EQ(hq_resets(h), 1u);
    ask("q");
    EXPECT_EQ(hq_quits(h), 1u);
}

// Each command and each topic that help lists is one, and has a line of help.
TEST_F(Monitor, HelpIsComplete)
{
    static const struct {
        const char *ask;
        size_t skip; // of each line, until the name may end
    } lists[] = { { "help", 0 }, { "help info", 5 } };
    unsigned count = 0;

    for (const auto &list : lists) {
        std::string help = ask(list.ask);
        for (size_t at = 0; at < help.size(); count++) {
            std::string line = help.substr(at, help.find("\r\n", at) - at);
            std::string name = line.substr(0, line.find_first_of("| ", list.skip));
            EXPECT_NE(line.find(" -- "), std::string::npos) << line;
            if (name != "info") {
                EXPECT_EQ(ask("help " + name), line + "\r\n");
            }
            at += line.size() + 2;
        }
    }
    EXPECT_GT(count, 30u);
}

TEST_F(Monitor, BareMachine)
{
    static const char *const topics[] = { "block", "network", "usernet", "chardev", "device" };

    hq_bare(h);
    for (const char *topic : topics)
        EXPECT_EQ(ask(std::string("info ") + topic), "") << topic;
    EXPECT_EQ(ask("info mem"), "not known for this CPU\r\n");
    EXPECT_EQ(ask("x /i 0x80000000"), "0x0000000080000000:  no disassembler\r\n");
    EXPECT_EQ(ask("info irq"), "CPU#0:\r\nCPU#1:\r\n");
    EXPECT_EQ(ask("hostfwd_add tcp::1-:2"), "invalid host forwarding rule 'tcp::1-:2'\r\n");
}

TEST_F(Monitor, Editing)
{
    EXPECT_EQ(send("p 12\b3\r\n"), "p 12\b \b3\r\n0xd\r\n(qemu) ");
    EXPECT_EQ(send("xyz\x15p 2\r"), "xyz\b \b\b \b\b \bp 2\r\n0x2\r\n(qemu) ");
    EXPECT_EQ(send("\n"), ""); // belongs to the carriage return
    EXPECT_EQ(send("\n"), "\r\n(qemu) ");
    EXPECT_EQ(send("\x1b[A"), "p 2");
    EXPECT_EQ(send("\x1b[A"), "\b \b\b \b\b \bp 13");
    EXPECT_EQ(send("\x1b[B\x1b[B"), "\b \b\b \b\b \b\b \bp 2\b \b\b \b\b \b");
    EXPECT_EQ(send("\x1b[1;5C\x1bx\b\x7f\x01\x04"), "");
    EXPECT_EQ(send("p 1\x03"), "p 1\b \b\b \b\b \b");
    std::string line(2000, 'x');
    EXPECT_EQ(send(line), line.substr(0, 1023));
    EXPECT_EQ(send("\n").substr(0, 24), "\r\nunknown command: 'xxxx");
}

TEST_F(Monitor, ClientThatDoesNotRead)
{
    hq_unread(h, door, 1 << 20);
    EXPECT_EQ(hq_send(h, door, "stop\n", 5), 0u);
    hq_unread(h, door, 0);
    EXPECT_EQ(ask("stop"), "");
    EXPECT_FALSE(hq_running(h));
}

TEST_F(Monitor, TimeToEndALine)
{
    EXPECT_EQ(hq_patience(h, door), 0u); // it may be quiet for as long as it likes
    send("info");
    EXPECT_EQ(hq_patience(h, door), 600u);
    send(" status\r");
    EXPECT_EQ(hq_patience(h, door), 0u);
    send("x\177");
    EXPECT_EQ(hq_patience(h, door), 0u);
    send("\033");
    EXPECT_EQ(hq_patience(h, door), 600u);
    send("[A\r");
    EXPECT_EQ(hq_patience(h, door), 0u);
}

TEST_F(Monitor, BrowserIsSentAway)
{
    send("GET / HTTP/1.1\r\nquit\r\n\r\nquit\r\n");
    EXPECT_EQ(hq_hang_ups(h, door), 1u);
    EXPECT_EQ(hq_quits(h), 0u);
}

TEST_F(Monitor, Storm)
{
    OwnDirectory here;
    uint64_t counts[2];
    hq_storm(h, door, harness_seed(), harness_scale(100000), counts);
    EXPECT_GT(counts[0], 1000000u); // bytes printed
    hq_unread(h, door, 0);
    hq_close(h, door);
    hq_open(h, door);
    output();
    EXPECT_EQ(ask("p 1"), "0x1\r\n");
}

class SharedMonitor : public Door {
protected:
    SharedMonitor() : Door(HQ_MONITOR, true) {}
};

TEST_F(SharedMonitor, SpeaksWhenItsTurnComes)
{
    hq_open(h, door);
    EXPECT_EQ(output(), "");
    hq_focus(h);
    EXPECT_EQ(output(), "Lyrebird 1.2.3 monitor - type 'help' for more information\r\n(qemu) ");
    EXPECT_EQ(send("p 1"), "p 1");
    hq_focus(h);
    EXPECT_EQ(output(), "(qemu) p 1");
}

std::string mappings(unsigned xlen, uint64_t satp, const std::vector<std::pair<uint64_t, uint64_t>> &entries,
                     unsigned most = 1000, unsigned *took = nullptr)
{
    std::vector<uint64_t> words;
    std::vector<char> out(1 << 20);
    unsigned count;

    for (const auto &entry : entries) {
        words.push_back(entry.first);
        words.push_back(entry.second);
    }
    hq_mappings(xlen, satp, reinterpret_cast<const uint64_t(*)[2]>(words.data()), entries.size(), most,
                took ? took : &count, out.data(), out.size());
    return out.data();
}

uint64_t pte(uint64_t gpa, unsigned flags)
{
    return gpa >> 12 << 10 | flags;
}

const uint64_t sv39 = UINT64_C(8) << 60 | HQ_RAM >> 12, sv48 = UINT64_C(9) << 60 | HQ_RAM >> 12;

TEST(Inspect, AddressSpaces)
{
    EXPECT_EQ(mappings(64, 0, {}), "off");
    EXPECT_EQ(mappings(64, sv39, {}), "");
    // A page, a 2 MiB page and a 1 GiB page in the upper half; an entry that is not valid between them.
    EXPECT_EQ(mappings(64, sv39, { { HQ_RAM, pte(HQ_RAM + 0x1000, 1) },
                                   { HQ_RAM + 8 * 511, pte(0x40000000, 0xef) },
                                   { HQ_RAM + 0x1000, pte(HQ_RAM + 0x2000, 1) },
                                   { HQ_RAM + 0x1000 + 8, pte(0x80200000, 0xe) },
                                   { HQ_RAM + 0x1000 + 16, pte(0x80400000, 0xcb) },
                                   { HQ_RAM + 0x2000 + 24, pte(0x80123000, 0xd7) } }),
              "0x3000 0x80123000 0x1000 rw-u-ad\n"
              "0x400000 0x80400000 0x200000 r-x--ad\n"
              "0xffffffffc0000000 0x40000000 0x40000000 rwx-gad\n");
    EXPECT_EQ(mappings(32, UINT64_C(1) << 31 | HQ_RAM >> 12, { { HQ_RAM + 4 * 1023, pte(HQ_RAM + 0x1000, 1) },
                                                               { HQ_RAM + 0x1000, pte(0x80002000, 0x43) } }),
              "0xffc00000 0x80002000 0x1000 r----a-\n");
    // Svnapot: the page of its 64 KiB, by the low bits of the address.
    EXPECT_EQ(mappings(64, sv39, { { HQ_RAM, pte(HQ_RAM + 0x1000, 1) },
                                   { HQ_RAM + 0x1000, pte(HQ_RAM + 0x2000, 1) },
                                   { HQ_RAM + 0x2000 + 8 * 5, UINT64_C(1) << 63 | pte(0x80108000, 3) } }),
              "0x5000 0x80105000 0x1000 r------\n");
}

TEST(Inspect, TablesOutsideOfMemoryAndInLoops)
{
    unsigned took;

    EXPECT_EQ(mappings(64, UINT64_C(8) << 60 | 0x12345, {}), "");
    EXPECT_EQ(mappings(64, sv39, { { HQ_RAM, pte(0x1000, 1) } }), "");
    // A table all of whose entries are itself, at every level: 2^27 leaves that are no leaves.
    std::vector<std::pair<uint64_t, uint64_t>> loop;
    for (unsigned i = 0; i < 511; i++)
        loop.push_back({ HQ_RAM + 8 * i, pte(HQ_RAM, 1) });
    EXPECT_EQ(mappings(64, sv48, loop), "");
    loop.push_back({ HQ_RAM + 8 * 511, pte(0x80000000, 3) });
    mappings(64, sv48, loop, 100000, &took);
    EXPECT_GT(took, 0u);
    EXPECT_LT(took, 5000u);
    mappings(64, sv48, loop, 3, &took);
    EXPECT_EQ(took, 3u);
}

TEST(Inspect, Code)
{
    char text[64];

    EXPECT_EQ(hq_disassemble("\x93\x82\x12\x00", 4, text, sizeof text), 4u);
    EXPECT_STREQ(text, "addi\tt0,t0,1");
    EXPECT_EQ(hq_disassemble("\x85\x02", 2, text, sizeof text), 2u);
    EXPECT_STREQ(text, "c.addi\tt0,1");
    EXPECT_EQ(hq_disassemble("\x93\x82", 2, text, sizeof text), 0u);
    EXPECT_EQ(hq_disassemble("\x85", 1, text, sizeof text), 0u);
}

} // namespace
