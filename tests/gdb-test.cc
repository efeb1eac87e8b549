// The GDB stub: requests and replies, on a machine that is not one (harness-gdb.h).
#include "harness.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

class Gdb : public ::testing::Test {
protected:
    explicit Gdb(unsigned cpus = 2, unsigned xlen = 64) : h(hg_new(cpus, xlen)) { hg_open(h); }

    ~Gdb() override
    {
        EXPECT_EQ(hg_wrongs(h), 0u);
        hg_free(h);
    }

    std::string ask(const std::string &body)
    {
        static const size_t size = 0x8000;
        std::vector<char> reply(size);
        hg_ask(h, body.c_str(), reply.data(), size);
        return reply.data();
    }

    std::string send(const std::string &bytes)
    {
        std::vector<char> out(0x10000);
        hg_output(h, out.data(), out.size());
        hg_send(h, bytes.data(), bytes.size());
        hg_output(h, out.data(), out.size());
        return out.data();
    }

    std::string frame(const std::string &body)
    {
        std::vector<char> out(body.size() + 5);
        return std::string(out.data(), hg_frame(body.data(), body.size(), out.data(), out.size()));
    }

    std::string output()
    {
        std::vector<char> out(0x10000);
        hg_output(h, out.data(), out.size());
        return out.data();
    }

    struct hg *h;
};

class Gdb32 : public Gdb {
protected:
    Gdb32() : Gdb(1, 32) {}
};

std::string hex(const std::string &text)
{
    std::string out;
    char byte[3];

    for (unsigned char c : text) {
        snprintf(byte, sizeof byte, "%02x", c);
        out += byte;
    }
    return out;
}

TEST_F(Gdb, RequestsAndReplies)
{
    static const struct {
        const char *request, *reply;
    } rows[] = {
        { "?", "T05thread:1;" },
        { "qC", "QC1" },
        { "qAttached", "1" },
        { "qAttached:1", "1" },
        { "qfThreadInfo", "m1,2" },
        { "qsThreadInfo", "l" },
        { "T1", "OK" },
        { "T2", "OK" },
        { "T3", "E03" },
        { "T0", "E03" },
        { "T", "E03" },
        { "T1x", "E03" },
        { "Hg2", "OK" },
        { "qC", "QC2" },
        { "Hg0", "OK" },
        { "Hg-1", "OK" },
        { "qC", "QC2" },
        { "Hg1", "OK" },
        { "Hc-1", "OK" },
        { "Hc2", "OK" },
        { "Hc0", "OK" },
        { "Hg3", "E03" },
        { "Hx1", "E16" },
        { "H", "E16" },
        { "Hg1x", "E16" },
        { "vCont?", "vCont;c;C;s;S;t" },
        { "vCont", "E16" },
        { "vCont;", "E16" },
        { "vCont;x", "E16" },
        { "vCont;s:9", "E16" },
        { "vCont;s:1;", "E16" },
        { "vMustReplyEmpty", "" },
        { "qOffsets", "" },
        { "qTStatus", "" },
        { "!", "" },
        { "kk", "" },
        { "", "" },
        { "qSymbol::", "OK" },
        { "qXfer:features:read:other.xml:0,ff", "" },
        { "qXfer:features:read:target.xml:ffffff,1", "E16" },
        { "qXfer:features:read:target.xml:0", "E16" },
        { "qXfer:features:read:target.xml:0,5", "m<?xml" },
        { "qqemu.PhyMemMode", "0" },
        { "p", "E16" },
        { "pffff", "E16" },
        { "p11111111111111111", "E16" },
        { "P20", "E16" },
        { "P20=", "E16" },
        { "P20=11", "E16" },
        { "P20=112233445566778899", "E16" },
        { "P20=11223344556677zz", "E16" },
        { "G00", "E16" },
        { "m", "E16" },
        { "m1", "E16" },
        { "m1,", "E16" },
        { "m80000000,0", "" },
        { "m80000000,4", "00000000" },
        { "m3000,4", "E0e" },
        { "m0,1", "E0e" },
        { "mffffffffffffffff,2", "E16" },
        { "mffffffffffffffff,1", "E0e" },
        { "m80000000,4x", "E16" },
        { "M80000000,2:11", "E16" },
        { "M80000000,1:1122", "E16" },
        { "M80000000,1:1g", "E16" },
        { "M80000000,ffffffffffffffff:11", "E16" },
        { "M3000,1:11", "E0e" },
        { "X80000000,0:", "OK" },
        { "X80000000,1:", "E16" },
        { "X80000000,1:}", "E16" },
        { "X80000000,1:ab", "E16" },
        { "X80000000,8000:ab", "E16" },
        { "Z0", "E16" },
        { "Z5,0,4", "E16" },
        { "Z0,80000000", "E16" },
        { "Z0,80000000,4;X1,0", "E16" },
        { "Z2,80000000,0", "E16" },
        { "Z2,ffffffffffffffff,2", "E16" },
        { "z0,80000000,4", "OK" },
        { "c80000000x", "E16" },
        { "qRcmd,7", "E16" },
        { "qRcmd,", "OK" },
        { "qThreadExtraInfo,3", "E03" },
    };

    for (const auto &row : rows)
        EXPECT_EQ(ask(row.request), row.reply) << row.request;
    EXPECT_FALSE(hg_running(h));
}

TEST_F(Gdb, APacketStopsAndGoingResumes)
{
    EXPECT_TRUE(hg_running(h));
    EXPECT_EQ(ask("Z0,80000000,4"), "OK");
    EXPECT_EQ(ask("Z2,80000000,4"), "OK");
    EXPECT_EQ(hg_breaks(h, 0), 1u);
    EXPECT_EQ(hg_breaks(h, 1), 1u);
    EXPECT_EQ(hg_watches(h, 1), 1u);
    hg_close(h);
    EXPECT_TRUE(hg_running(h));
    EXPECT_EQ(hg_breaks(h, 0) + hg_breaks(h, 1) + hg_watches(h, 0) + hg_watches(h, 1), 0u);
    hg_open(h);
    EXPECT_TRUE(hg_running(h));
    EXPECT_EQ(ask("?"), "T05thread:1;");
    EXPECT_FALSE(hg_running(h));
}

TEST_F(Gdb, TimeToBeginAndToEndAPacket)
{
    EXPECT_EQ(hg_patience(h), 10u);
    send("$qC#00");
    EXPECT_EQ(hg_patience(h), 10u); // not put off
    EXPECT_EQ(ask("qC"), "QC1");
    EXPECT_EQ(hg_patience(h), 0u); // now the user thinks
    send("$q");
    EXPECT_EQ(hg_patience(h), 10u);
    send("C#b4");
    EXPECT_EQ(hg_patience(h), 0u);
    send("$qC#xx");
    EXPECT_EQ(hg_patience(h), 0u);
    send("$qC#00");
    EXPECT_EQ(hg_patience(h), 0u);
    EXPECT_EQ(ask("D"), "OK");
    EXPECT_EQ(hg_patience(h), 10u);
    EXPECT_EQ(ask("?"), "T05thread:1;");
    EXPECT_EQ(hg_patience(h), 0u);
    EXPECT_EQ(hg_hang_ups(h), 0u);
}

TEST_F(Gdb, StrangersAreHungUpOn)
{
    for (const char *bytes : { "GET / HTTP/1.1\r\n\r\n$qC#b4", "\x16\x03\x01$qC#b4", "qC", "\x80" }) {
        hg_close(h);
        hg_open(h);
        unsigned before = hg_hang_ups(h);
        EXPECT_EQ(send(bytes), "");
        EXPECT_EQ(hg_hang_ups(h), before + 1) << bytes;
        EXPECT_TRUE(hg_running(h));
    }
    hg_close(h);
    hg_open(h);
    EXPECT_EQ(send("+$qC#b4"), "+$QC1#c5");
}

TEST_F(Gdb, AClientThatDoesNotReadIsHungUpOn)
{
    EXPECT_EQ(ask("qC"), "QC1");
    hg_unread(h, 100000);
    EXPECT_EQ(ask("qC"), "QC1");
    hg_unread(h, 1 << 20);
    EXPECT_EQ(send("$qC#b4$qC#b4"), "");
    EXPECT_EQ(hg_hang_ups(h), 1u);
    hg_close(h);
    EXPECT_TRUE(hg_running(h));
    hg_unread(h, 0);
    hg_open(h);
    EXPECT_EQ(ask("qC"), "QC1");
}

TEST_F(Gdb, DetachDropsPointsAndAnyPacketAttachesAgain)
{
    EXPECT_EQ(ask("Z1,80000000,4"), "OK");
    EXPECT_EQ(ask("D"), "OK");
    EXPECT_TRUE(hg_running(h));
    EXPECT_EQ(hg_breaks(h, 0), 0u);
    unsigned resumed = hg_resumed(h);
    hg_close(h);
    EXPECT_EQ(hg_resumed(h), resumed);
    EXPECT_EQ(ask("?"), "T05thread:1;");
    EXPECT_FALSE(hg_running(h));
    EXPECT_EQ(ask("D;1"), "OK");
    EXPECT_TRUE(hg_running(h));
}

TEST_F(Gdb, BreakpointHitAfterDetachDoesNotHoldTheGuest)
{
    EXPECT_EQ(ask("D"), "OK");
    hg_stops(h, 1, HG_BREAK, 0);
    EXPECT_TRUE(hg_running(h));
    EXPECT_EQ(output(), "");
}

TEST_F(Gdb, Features)
{
    EXPECT_EQ(ask("qSupported:multiprocess+;xmlRegisters=i386"),
              "PacketSize=4000;qXfer:features:read+;qXfer:threads:read+;vContSupported+;QStartNoAckMode+");
    EXPECT_EQ(ask("qSupported:swbreak+;hwbreak+"), "PacketSize=4000;qXfer:features:read+;qXfer:threads:read+;"
                                                   "vContSupported+;QStartNoAckMode+;swbreak+;hwbreak+");
}

TEST_F(Gdb, TargetXmlInPiecesOfAnySize)
{
    std::string whole = ask("qXfer:features:read:target.xml:0,3fff"), pieces;

    ASSERT_EQ(whole[0], 'l');
    whole.erase(0, 1);
    for (size_t at = 0, n = 1; at < whole.size() + 1; at += n, n = n % 97 + 1) {
        char request[80];
        snprintf(request, sizeof request, "qXfer:features:read:target.xml:%zx,%zx", at, n);
        std::string piece = ask(request);
        pieces += piece.substr(1);
        if (piece[0] == 'l')
            break;
        ASSERT_EQ(piece[0], 'm');
        ASSERT_EQ(piece.size(), n + 1);
    }
    EXPECT_EQ(pieces, whole);
    for (const char *part : {
             "<architecture>riscv:rv64</architecture>\n<osabi>none</osabi>",
             "<feature name=\"org.gnu.gdb.riscv.cpu\"><reg name=\"zero\" bitsize=\"64\" type=\"int\" regnum=\"0\"",
             "<reg name=\"pc\" bitsize=\"64\" type=\"code_ptr\" regnum=\"32\" group=\"general\"/></feature>",
             "<feature name=\"org.gnu.gdb.riscv.fpu\"><union id=\"riscv_double\">",
             "<reg name=\"fcsr\" bitsize=\"64\" type=\"int\" regnum=\"67\" group=\"csr\"/></feature>",
             "<feature name=\"org.gnu.gdb.riscv.csr\"><reg name=\"mstatus\" bitsize=\"64\" type=\"int\" regnum=\"68\"",
             "<feature name=\"org.gnu.gdb.riscv.virtual\"><reg name=\"priv\" bitsize=\"8\" type=\"uint8\" ",
         })
        EXPECT_NE(whole.find(part), std::string::npos) << part << " is not in " << whole;
}

TEST_F(Gdb32, RegistersHave32Bits)
{
    EXPECT_NE(ask("qXfer:features:read:target.xml:0,3fff").find("riscv:rv32"), std::string::npos);
    hg_set_register(h, 0, "ra", UINT64_C(0xffffffff80000004));
    EXPECT_EQ(ask("p1"), "04000080");
    EXPECT_EQ(ask("g").size(), 33u * 8);
    EXPECT_EQ(ask("P20=78563412"), "OK");
    EXPECT_EQ(hg_register(h, 0, "pc"), 0x12345678u);
    EXPECT_EQ(ask("P20=7856341200000000"), "E16");
    EXPECT_EQ(ask("P21=8877665544332211"), "OK");
    EXPECT_EQ(hg_register(h, 0, "f0"), UINT64_C(0x1122334455667788));
}

TEST_F(Gdb, Registers)
{
    hg_set_register(h, 0, "sp", UINT64_C(0x1122334455667788));
    hg_set_register(h, 1, "sp", 7);
    EXPECT_EQ(ask("p2"), "8877665544332211");
    std::string all = ask("g");
    EXPECT_EQ(all.size(), 33u * 16);
    EXPECT_EQ(all.substr(32, 16), "8877665544332211");
    EXPECT_EQ(ask("Hg2"), "OK");
    EXPECT_EQ(ask("p2"), "0700000000000000");
    EXPECT_EQ(ask("G" + all), "OK");
    EXPECT_EQ(hg_register(h, 1, "sp"), UINT64_C(0x1122334455667788));
    EXPECT_EQ(ask("P44=0102000000000000"), "OK"); /* 68 is mstatus */
    EXPECT_EQ(hg_register(h, 1, "mstatus"), 0x201u);
    EXPECT_EQ(hg_register(h, 0, "mstatus"), 0u);
    EXPECT_EQ(ask("P46=03"), "OK");
    EXPECT_EQ(ask("p46"), "03");
}

TEST_F(Gdb, BadGChangesNothing)
{
    hg_set_register(h, 0, "sp", 5);
    EXPECT_EQ(ask("G" + std::string(33 * 16 - 1, '1')), "E16");
    EXPECT_EQ(ask("G" + std::string(33 * 16 - 1, '1') + "x"), "E16");
    EXPECT_EQ(hg_register(h, 0, "sp"), 5u);
}

TEST_F(Gdb, MemoryPageByPage)
{
    uint8_t bytes[4];

    EXPECT_EQ(ask("M1ffe,4:aabbccdd"), "OK");
    hg_peek(h, HG_RAM + 0x3ffe, bytes, 2);
    hg_peek(h, HG_RAM + 0x1000, bytes + 2, 2);
    EXPECT_EQ(std::string((char *)bytes, 4), "\xaa\xbb\xcc\xdd");
    EXPECT_EQ(ask("m1ffe,4"), "aabbccdd");
    EXPECT_TRUE(hg_flush_requested(h, 0));
    EXPECT_TRUE(hg_flush_requested(h, 1));
    /* The part that is there is read; a write that does not fit writes nothing. */
    EXPECT_EQ(ask("m2fff,4"), "00");
    EXPECT_EQ(ask("M2ffe,4:01020304"), "E0e");
    EXPECT_EQ(ask("m2ffe,2"), "0000");
    EXPECT_EQ(ask("m8000ffff,2"), "00");
    EXPECT_EQ(ask("M8000ffff,2:0102"), "E0e");
    EXPECT_EQ(ask("m80000000,ffffffff").size(), 0x4000u);
}

TEST_F(Gdb, PhysicalMemory)
{
    EXPECT_EQ(ask("M1000,1:77"), "OK");
    EXPECT_EQ(ask("Qqemu.PhyMemMode:1"), "OK");
    EXPECT_EQ(ask("qqemu.PhyMemMode"), "1");
    EXPECT_EQ(ask("m1000,1"), "E0e");
    EXPECT_EQ(ask("m80003000,1"), "77");
    EXPECT_EQ(ask("Qqemu.PhyMemMode:"), "E16");
    EXPECT_EQ(ask("Qqemu.PhyMemMode:0"), "OK");
    EXPECT_EQ(ask("m1000,1"), "77");
}

TEST_F(Gdb, BinaryMemory)
{
    uint8_t bytes[5];

    EXPECT_EQ(send(frame(std::string("X80000000,5:a}\x03}\x04\xff\x03", 19))), "+$OK#9a");
    hg_peek(h, HG_RAM, bytes, 5);
    EXPECT_EQ(std::string((char *)bytes, 5), "a#$\xff\x03");
    EXPECT_EQ(send(frame("m80000000,\xff")), "+$E16#ac");
    EXPECT_EQ(send(frame("m80000000\x01,1")), "+$E16#ac");
}

TEST_F(Gdb, OversizedPacketIsRefusedAndTheNextServed)
{
    std::string room = "M80000000,1:" + std::string(0x4000 - 12, '0');

    EXPECT_EQ(send(frame(room)), "+$E16#ac");
    EXPECT_EQ(send(frame(room + "0")), "+$E07#ac");
    EXPECT_EQ(send(frame(std::string(1 << 20, 'm'))), "+$E07#ac");
    EXPECT_EQ(ask("qC"), "QC1");
}

TEST_F(Gdb, SplitAndMergedDeliveries)
{
    std::string one = frame("qC"), two = frame("T1");

    EXPECT_EQ(send(one + "+" + two + "+"), "+$QC1#c5+$OK#9a");
    for (size_t cut = 0; cut < one.size(); cut++) {
        EXPECT_EQ(send(one.substr(0, cut)), "") << cut;
        EXPECT_EQ(send(one.substr(cut) + "+"), "+$QC1#c5") << cut;
    }
    EXPECT_EQ(send("noise" + one), "+$QC1#c5");
    EXPECT_EQ(send("$lost" + one), "+$QC1#c5");
}

TEST_F(Gdb, ChecksumsAndAcknowledgements)
{
    EXPECT_EQ(send("$qC#00"), "-");
    EXPECT_EQ(send("$qC#b4"), "+$QC1#c5");
    EXPECT_EQ(send("-"), "$QC1#c5");
    EXPECT_EQ(send("+"), "");
    EXPECT_EQ(send("-"), "");
    EXPECT_EQ(send("$qC#xx"), "-");
    send("$qC#b4");
    std::string again = send(std::string(1000, '-'));
    EXPECT_LE(again.size(), 8 * 7u);
    EXPECT_EQ(send(frame("QStartNoAckMode")), "+$OK#9a");
    EXPECT_EQ(send("+$qC#b4"), "$QC1#c5");
    EXPECT_EQ(send("$qC#00"), "");
    EXPECT_EQ(send("-"), "");
    hg_close(h);
    hg_open(h);
    EXPECT_EQ(send("$qC#b4"), "+$QC1#c5");
}

TEST_F(Gdb, ContinueAndStop)
{
    ask("qSupported:swbreak+;hwbreak+");
    EXPECT_EQ(ask("Z0,80000010,4"), "OK");
    EXPECT_EQ(ask("Z1,80000020,4"), "OK");
    EXPECT_EQ(ask("vCont;c"), "(none)");
    EXPECT_TRUE(hg_running(h));
    hg_set_register(h, 1, "pc", 0x80000010);
    hg_stops(h, 1, HG_BREAK, 0);
    EXPECT_EQ(output(), frame("T05thread:2;swbreak:;"));
    EXPECT_EQ(ask("qC"), "QC2");
    EXPECT_EQ(ask("?"), "T05thread:2;swbreak:;");
    EXPECT_EQ(ask("c"), "(none)");
    hg_set_register(h, 0, "pc", 0x80000020);
    hg_stops(h, 0, HG_BREAK, 0);
    EXPECT_EQ(output(), frame("T05thread:1;hwbreak:;"));
    EXPECT_EQ(ask("c80000044"), "(none)");
    EXPECT_EQ(hg_register(h, 0, "pc"), 0x80000044u);
    hg_stops(h, 0, HG_BREAK, 0);
}

TEST_F(Gdb, Watchpoints)
{
    EXPECT_EQ(ask("Z2,80000100,8"), "OK");
    EXPECT_EQ(ask("Z3,80000200,4"), "OK");
    EXPECT_EQ(ask("Z4,80000300,1"), "OK");
    EXPECT_EQ(hg_watches(h, 0), 3u);
    ask("c");
    hg_stops(h, 0, HG_WATCH_WRITE, 0x80000104);
    EXPECT_EQ(output(), frame("T05thread:1;watch:80000104;"));
    ask("c");
    hg_stops(h, 1, HG_WATCH_READ, 0x80000200);
    EXPECT_EQ(output(), frame("T05thread:2;rwatch:80000200;"));
    ask("c");
    hg_stops(h, 1, HG_WATCH_ACCESS, 0x800002fc); /* an 8-byte access that reaches into it */
    EXPECT_EQ(output(), frame("T05thread:2;awatch:80000300;"));
    EXPECT_EQ(ask("z2,80000100,8"), "OK");
    EXPECT_EQ(ask("z3,80000200,4"), "OK");
    EXPECT_EQ(ask("z4,80000300,1"), "OK");
    EXPECT_EQ(hg_watches(h, 0) + hg_watches(h, 1), 0u);
    hg_next_step(h, 0, HG_WATCH_WRITE, 0x80000104);
    EXPECT_EQ(ask("vCont;s:1"), "T05thread:1;");
    EXPECT_EQ(ask("Z2,80000100,8"), "OK");
    hg_next_step(h, 0, HG_WATCH_WRITE, 0x80000104);
    EXPECT_EQ(ask("vCont;s:1"), "T05thread:1;watch:80000104;");
}

TEST_F(Gdb, PointsAreIdempotentAndShared)
{
    for (int i = 0; i < 2; i++)
        EXPECT_EQ(ask("Z0,80000000,4"), "OK");
    EXPECT_EQ(ask("Z1,80000000,4"), "OK");
    EXPECT_EQ(hg_breaks(h, 1), 1u);
    EXPECT_EQ(ask("z0,80000000,4"), "OK");
    EXPECT_EQ(hg_breaks(h, 1), 1u);
    EXPECT_EQ(ask("z1,80000000,4"), "OK");
    EXPECT_EQ(ask("z1,80000000,4"), "OK");
    EXPECT_EQ(hg_breaks(h, 1), 0u);
}

TEST_F(Gdb, FullTablesAreAnError)
{
    char request[64];

    for (unsigned i = 0; i < 200; i++) {
        snprintf(request, sizeof request, "Z%u,%x,4", i & 1, 0x80000000 + 4 * i);
        EXPECT_EQ(ask(request), i < 64 ? "OK" : "E1c") << i;
    }
    for (unsigned i = 0; i < 40; i++) {
        snprintf(request, sizeof request, "Z2,%x,4", 0x80000000 + 4 * i);
        EXPECT_EQ(ask(request), i < 16 ? "OK" : "E1c") << i;
    }
    for (unsigned i = 0; i < 64; i++) {
        snprintf(request, sizeof request, "Z%u,%x,4", ~i & 1, 0x80000000 + 4 * i);
        EXPECT_EQ(ask(request), "OK") << i;
    }
    EXPECT_EQ(hg_breaks(h, 0), 64u);
    EXPECT_EQ(ask("D"), "OK");
    EXPECT_EQ(hg_breaks(h, 0) + hg_watches(h, 0) + hg_breaks(h, 1) + hg_watches(h, 1), 0u);
}

TEST_F(Gdb, Steps)
{
    hg_set_register(h, 0, "pc", 0x80000000);
    hg_set_register(h, 1, "pc", 0x80000100);
    EXPECT_EQ(ask("s"), "T05thread:1;");
    EXPECT_EQ(hg_stepped(h, 0), 1u);
    EXPECT_EQ(hg_stepped(h, 1), 1u); /* the others go along */
    EXPECT_EQ(ask("vCont;s:2"), "T05thread:2;");
    EXPECT_EQ(hg_stepped(h, 0), 1u); /* unless they are not to */
    EXPECT_EQ(hg_stepped(h, 1), 2u);
    hg_set_idle(h, 0, true);
    EXPECT_EQ(ask("vCont;s:2;c"), "T05thread:2;");
    EXPECT_EQ(hg_stepped(h, 0), 1u); /* or have nothing to do */
    EXPECT_EQ(ask("vCont;s:1;c:-1"), "T05thread:1;");
    EXPECT_EQ(hg_stepped(h, 0), 2u);
    EXPECT_EQ(ask("vCont;S05:2;t:1"), "T05thread:2;");
    EXPECT_EQ(ask("Hc1"), "OK");
    EXPECT_EQ(ask("s80000040"), "T05thread:1;");
    EXPECT_FALSE(hg_running(h));
    EXPECT_EQ(hg_resumed(h), 0u);
}

TEST_F(Gdb, StoppingIsAnswered)
{
    EXPECT_EQ(ask("vCont;t"), "T00thread:1;");
    EXPECT_FALSE(hg_running(h));
}

TEST_F(Gdb, SomeRunWhileOthersAreHeld)
{
    EXPECT_EQ(ask("vCont;c:1"), "(none)");
    EXPECT_TRUE(hg_running(h));
    EXPECT_EQ(hg_held(h), 2u);
}

TEST_F(Gdb, AllRunWhenEachIsNamed)
{
    EXPECT_EQ(ask("vCont;c:1;c:2"), "(none)");
    EXPECT_TRUE(hg_running(h));
    EXPECT_EQ(hg_held(h), 0u);
}

TEST_F(Gdb, SecondStopIsToldLater)
{
    ask("qSupported:swbreak+");
    EXPECT_EQ(ask("Z0,80000010,4"), "OK");
    ask("c");
    hg_set_register(h, 0, "pc", 0x80000010);
    hg_set_register(h, 1, "pc", 0x80000010);
    hg_stops(h, 0, HG_BREAK, 0);
    hg_stops(h, 1, HG_BREAK, 0);
    EXPECT_EQ(output(), frame("T05thread:1;swbreak:;"));
    /* GDB steps over it with the breakpoint away, and puts it back. */
    EXPECT_EQ(ask("z0,80000010,4"), "OK");
    EXPECT_EQ(ask("vCont;s:1"), "T05thread:1;");
    EXPECT_EQ(ask("Z0,80000010,4"), "OK");
    EXPECT_EQ(ask("vCont;c"), "T05thread:2;swbreak:;");
    EXPECT_FALSE(hg_running(h));
    EXPECT_EQ(ask("vCont;c"), "(none)");
    /* The same, and the reason goes away. */
    hg_set_register(h, 0, "pc", 0x80000010);
    hg_stops(h, 0, HG_BREAK, 0);
    hg_stops(h, 1, HG_BREAK, 0);
    EXPECT_EQ(ask("z0,80000010,4"), "OK");
    EXPECT_EQ(ask("vCont;c"), "(none)");
    EXPECT_TRUE(hg_running(h));
}

TEST_F(Gdb, OneThatStepsAlongStopsAtItsBreakpoint)
{
    EXPECT_EQ(ask("Z0,80000104,4"), "OK");
    hg_set_register(h, 1, "pc", 0x80000100);
    EXPECT_EQ(ask("vCont;s:1;c"), "T05thread:1;");
    EXPECT_EQ(ask("vCont;s:1;c"), "T05thread:1;");
    EXPECT_EQ(hg_register(h, 1, "pc"), 0x80000104u);
    EXPECT_EQ(ask("vCont;c"), "T05thread:2;");
    EXPECT_EQ(ask("vCont;c"), "(none)");
}

TEST_F(Gdb, Interrupts)
{
    EXPECT_EQ(send("\x03"), ""); /* it stands already */
    ask("c");
    EXPECT_EQ(send("\x03"), frame("T02thread:1;"));
    EXPECT_FALSE(hg_running(h));
    EXPECT_EQ(ask("?"), "T02thread:1;");
    EXPECT_EQ(ask("c"), "(none)");
    hg_break_event(h);
    EXPECT_EQ(output(), frame("T02thread:1;"));
    /* A stop that comes late is not told twice. */
    hg_stops(h, 1, HG_BREAK, 0);
    EXPECT_EQ(output(), "");
    EXPECT_EQ(ask("c"), "(none)");
}

TEST_F(Gdb, PacketWhileTheGuestRunsStopsIt)
{
    ask("c");
    EXPECT_TRUE(hg_running(h));
    EXPECT_EQ(ask("qC"), "QC1");
    EXPECT_FALSE(hg_running(h));
    ask("c");
    EXPECT_EQ(ask("D"), "OK");
    EXPECT_TRUE(hg_running(h));
}

TEST_F(Gdb, Threads)
{
    hg_set_idle(h, 1, true);
    EXPECT_EQ(ask("qThreadExtraInfo,1"), hex("hart 0 [running]"));
    EXPECT_EQ(ask("qThreadExtraInfo,2"), hex("hart 1 [idle]"));
    EXPECT_EQ(ask("qXfer:threads:read::0,1000"),
              "l<?xml version=\"1.0\"?>\n<threads>\n<thread id=\"1\" core=\"0\">hart 0 [running]</thread>\n"
              "<thread id=\"2\" core=\"1\">hart 1 [idle]</thread>\n</threads>\n");
}

TEST_F(Gdb, Monitor)
{
    EXPECT_EQ(ask("qRcmd," + hex("reset")), "OK");
    EXPECT_EQ(hg_resets(h), 1u);
    EXPECT_EQ(ask("qRcmd," + hex("help")).substr(0, 8), hex("cont"));
    EXPECT_EQ(ask("qRcmd," + hex("nonsense")), hex("unknown command: 'nonsense'\n"));
    EXPECT_EQ(ask("qRcmd," + hex("cont")), hex("use GDB's own continue and interrupt\n"));
    EXPECT_EQ(ask("qRcmd," + hex(std::string(1024, 'x'))), "E16");
    EXPECT_FALSE(hg_running(h));
    EXPECT_EQ(ask("qRcmd," + hex("quit")), "OK");
    EXPECT_EQ(hg_quits(h), 1u);
}

TEST_F(Gdb, Kills)
{
    EXPECT_EQ(ask("k"), "(none)");
    EXPECT_EQ(hg_quits(h), 1u);
    EXPECT_EQ(ask("vKill;1"), "OK");
    EXPECT_EQ(hg_quits(h), 2u);
}

TEST_F(Gdb, StormOfMalformedPackets)
{
    uint64_t counts[2];

    hg_storm(h, harness_seed(), harness_scale(200000), counts);
    /* Neither all refused nor all taken: the storm reached what it is to reach. */
    EXPECT_GT(counts[0], harness_scale(200000) / 4);
    EXPECT_GT(counts[1], harness_scale(200000) / 100);
    EXPECT_LT(counts[1], counts[0]);
    hg_close(h);
    EXPECT_TRUE(hg_running(h));
    for (unsigned i = 0; i < 2; i++)
        EXPECT_EQ(hg_breaks(h, i) + hg_watches(h, i), 0u);
    hg_open(h);
    EXPECT_EQ(ask("?"), "T05thread:1;");
}

} // namespace
