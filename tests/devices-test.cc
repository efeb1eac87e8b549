// devices/: register-level tests of the simple devices, then state and random accesses of every one.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "harness.h"

namespace {

class Rig {
  public:
    explicit Rig(dt_kind kind) : t(dt_new(kind)) {}
    ~Rig() { dt_free(t); }
    Rig(const Rig &) = delete;
    Rig &operator=(const Rig &) = delete;

    uint64_t r8(uint64_t off) { return dt_read(t, off, 1); }
    uint64_t r32(uint64_t off) { return dt_read(t, off, 4); }
    uint64_t r64(uint64_t off) { return dt_read(t, off, 8); }
    void w8(uint64_t off, uint64_t v) { dt_write(t, off, 1, v); }
    void w32(uint64_t off, uint64_t v) { dt_write(t, off, 4, v); }
    void w64(uint64_t off, uint64_t v) { dt_write(t, off, 8, v); }
    bool refused(uint64_t off, unsigned width)
    {
        uint64_t v = 0;
        return !dt_access(t, off, width, false, &v);
    }
    size_t type(const std::string &s) { return dt_type(t, s.data(), s.size()); }
    std::string output()
    {
        const char *buf;
        size_t len = dt_output(t, &buf);
        return std::string(buf, len);
    }
    bool line(unsigned n = 0) { return dt_line(t, n); }

    dt *t;
};

void put_be32_at(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = uint8_t(v >> (24 - 8 * i));
}

uint32_t be32_at(const uint8_t *p)
{
    return uint32_t(p[0]) << 24 | uint32_t(p[1]) << 16 | uint32_t(p[2]) << 8 | p[3];
}

// ---- goldfish-rtc ----

uint64_t RtcTime(Rig &rtc)
{
    uint64_t low = rtc.r32(0x00);
    return rtc.r32(0x04) << 32 | low;
}

void RtcAlarm(Rig &rtc, uint64_t at)
{
    rtc.w32(0x0c, at >> 32);
    rtc.w32(0x08, at & 0xffffffff);
}

TEST(GoldfishRtc, TellsAndTakesTheTime)
{
    Rig rtc(DT_RTC);

    EXPECT_EQ(RtcTime(rtc), DT_WALL);
    dt_advance(rtc.t, 123456789);
    EXPECT_EQ(RtcTime(rtc), DT_WALL + 123456789);
    rtc.r32(0x00);
    dt_advance(rtc.t, 10000000000);
    EXPECT_EQ(rtc.r32(0x04), (DT_WALL + 123456789) >> 32) << "the high half is latched by the low one";
    rtc.w32(0x04, 5);
    rtc.w32(0x00, 7);
    EXPECT_EQ(RtcTime(rtc), (uint64_t(5) << 32) + 7);
    dt_reset(rtc.t);
    dt_advance(rtc.t, 1);
    EXPECT_EQ(RtcTime(rtc), (uint64_t(5) << 32) + 8);
}

TEST(GoldfishRtc, AlarmInterruptsOnce)
{
    Rig rtc(DT_RTC);

    rtc.w32(0x10, 1);
    RtcAlarm(rtc, DT_WALL + 1000);
    EXPECT_EQ(rtc.r32(0x18), 1u);
    dt_advance(rtc.t, 999);
    EXPECT_FALSE(rtc.line());
    dt_advance(rtc.t, 1);
    EXPECT_TRUE(rtc.line());
    EXPECT_EQ(rtc.r32(0x18), 0u);
    rtc.w32(0x1c, 1);
    EXPECT_FALSE(rtc.line());
    dt_advance(rtc.t, 1000000);
    EXPECT_FALSE(rtc.line());
}

TEST(GoldfishRtc, AlarmFollowsTheSetTimeAndTheMask)
{
    Rig rtc(DT_RTC);

    RtcAlarm(rtc, DT_WALL + 1000000);
    rtc.w32(0x04, (DT_WALL + 999990) >> 32);
    rtc.w32(0x00, (DT_WALL + 999990) & 0xffffffff);
    dt_advance(rtc.t, 10);
    EXPECT_FALSE(rtc.line()) << "masked";
    EXPECT_EQ(rtc.r32(0x18), 0u);
    rtc.w32(0x10, 1);
    EXPECT_TRUE(rtc.line());
    rtc.w32(0x1c, 1);
    RtcAlarm(rtc, 5);
    EXPECT_TRUE(rtc.line()) << "an alarm in the past";
    rtc.w32(0x1c, 1);
    RtcAlarm(rtc, DT_WALL + 2000000);
    rtc.w32(0x14, 1);
    dt_advance(rtc.t, 3000000);
    EXPECT_FALSE(rtc.line()) << "disarmed";
}

// ---- ns16550 ----

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

TEST(Ns16550, ResetValues)
{
    Rig u(DT_UART);

    EXPECT_EQ(u.r8(IER), 0u);
    EXPECT_EQ(u.r8(IIR), 1u);
    EXPECT_EQ(u.r8(LCR), 0u);
    EXPECT_EQ(u.r8(MCR), 0u);
    EXPECT_EQ(u.r8(LSR), 0x60u);
    EXPECT_EQ(u.r8(MSR), 0xb0u);
    EXPECT_FALSE(u.line());
    EXPECT_TRUE(u.refused(0, 4));
    u.w8(SCR, 0xa5);
    EXPECT_EQ(u.r8(SCR), 0xa5u);
    u.w8(MCR, 0xef);
    EXPECT_EQ(u.r8(MCR), 0x0fu);
}

TEST(Ns16550, DivisorHidesDataAndIer)
{
    Rig u(DT_UART);

    u.w8(IER, 5);
    u.w8(LCR, 0x83);
    u.w8(DATA, 0x34);
    u.w8(IER, 0x12);
    EXPECT_EQ(u.r8(DATA), 0x34u);
    EXPECT_EQ(u.r8(IER), 0x12u);
    u.w8(LCR, 0x03);
    EXPECT_EQ(u.r8(IER), 5u);
    EXPECT_EQ(u.output(), "");
}

TEST(Ns16550, TransmitInterrupt)
{
    Rig u(DT_UART);

    u.w8(IER, 2);
    EXPECT_TRUE(u.line()) << "enabling it with THR empty raises it";
    EXPECT_EQ(u.r8(IIR), 2u);
    EXPECT_FALSE(u.line()) << "reading IIR clears it";
    EXPECT_EQ(u.r8(IIR), 1u);
    u.w8(DATA, 'A');
    EXPECT_EQ(u.output(), "A");
    EXPECT_TRUE(u.line());
    EXPECT_EQ(u.r8(LSR), 0x60u);
    u.w8(IER, 0);
    EXPECT_FALSE(u.line());
}

TEST(Ns16550, SingleCharacterWithoutFifos)
{
    Rig u(DT_UART);

    u.w8(IER, 1);
    EXPECT_EQ(u.type("xy"), 1u);
    EXPECT_EQ(u.type("y"), 0u);
    EXPECT_TRUE(u.line());
    EXPECT_EQ(u.r8(IIR), 4u);
    EXPECT_EQ(u.r8(LSR), 0x61u);
    unsigned pokes = dt_pokes(u.t);
    EXPECT_EQ(u.r8(DATA), unsigned('x'));
    EXPECT_EQ(dt_pokes(u.t), pokes + 1);
    EXPECT_FALSE(u.line());
    EXPECT_EQ(u.type("y"), 1u);
}

TEST(Ns16550, TriggerLevels)
{
    const unsigned levels[] = { 1, 4, 8, 14 };

    for (unsigned i = 0; i < 4; i++) {
        Rig u(DT_UART);
        u.w8(IER, 1);
        u.w8(FCR, i << 6 | 1);
        for (unsigned n = 1; n < levels[i]; n++) {
            EXPECT_EQ(u.type("a"), 1u);
            EXPECT_FALSE(u.line()) << levels[i];
        }
        u.type("b");
        EXPECT_TRUE(u.line());
        EXPECT_EQ(u.r8(IIR), 0xc4u);
        u.r8(DATA);
        EXPECT_FALSE(u.line()) << "below the level again";
    }
}

TEST(Ns16550, FifoHoldsSixteenInOrder)
{
    Rig u(DT_UART);

    u.w8(FCR, 1);
    EXPECT_EQ(u.type("0123456789abcdefXYZ"), 16u);
    std::string got;
    while (u.r8(LSR) & 1)
        got += char(u.r8(DATA));
    EXPECT_EQ(got, "0123456789abcdef");
    u.type("zz");
    u.w8(FCR, 3);
    EXPECT_EQ(u.r8(LSR), 0x60u) << "cleared by FCR";
    u.type("zz");
    u.w8(FCR, 0);
    EXPECT_EQ(u.r8(LSR), 0x60u) << "cleared by the change of mode";
}

TEST(Ns16550, CharacterTimeout)
{
    Rig u(DT_UART);
    const uint64_t character = uint64_t(10) * 16 * 12 * 1000000000 / DT_UART_HZ; // 8N1 at 9600 baud

    u.w8(LCR, 3);
    u.w8(IER, 1);
    u.w8(FCR, 0x81);
    u.type("ab");
    dt_advance(u.t, 4 * character - 10);
    EXPECT_FALSE(u.line());
    u.type("c");
    dt_advance(u.t, 4 * character - 10);
    EXPECT_FALSE(u.line()) << "the third character restarted it";
    dt_advance(u.t, 10);
    EXPECT_TRUE(u.line());
    EXPECT_EQ(u.r8(IIR), 0xccu);
    u.r8(DATA);
    EXPECT_FALSE(u.line());
    dt_advance(u.t, 4 * character);
    EXPECT_TRUE(u.line()) << "again, for what is left";
    u.r8(DATA);
    u.r8(DATA);
    dt_advance(u.t, 100 * character);
    EXPECT_FALSE(u.line()) << "nothing is left";
}

TEST(Ns16550, CharacterTimeoutIsSaved)
{
    Rig u(DT_UART), copy(DT_UART);

    u.w8(IER, 1);
    u.w8(FCR, 0x81);
    u.type("a");
    ASSERT_TRUE(dt_clone(u.t, copy.t));
    EXPECT_FALSE(copy.line());
    dt_advance(copy.t, 1000000000);
    EXPECT_TRUE(copy.line());
}

TEST(Ns16550, PriorityOfInterrupts)
{
    Rig u(DT_UART);

    u.w8(MCR, 0x10);
    u.w8(MCR, 0x00); // the modem levels went away and came back
    u.w8(IER, 0x0f);
    dt_break(u.t);
    EXPECT_EQ(u.r8(IIR), 6u);
    EXPECT_EQ(u.r8(LSR), 0x71u);
    EXPECT_EQ(u.r8(LSR), 0x61u);
    EXPECT_EQ(u.r8(IIR), 4u);
    EXPECT_EQ(u.r8(DATA), 0u);
    EXPECT_EQ(u.r8(IIR), 2u);
    EXPECT_EQ(u.r8(IIR), 0u);
    EXPECT_EQ(u.r8(MSR), 0xbbu);
    EXPECT_EQ(u.r8(MSR), 0xb0u);
    EXPECT_EQ(u.r8(IIR), 1u);
    EXPECT_FALSE(u.line());
}

TEST(Ns16550, BreakBelongsToItsCharacter)
{
    Rig u(DT_UART);

    u.w8(FCR, 1);
    u.type("a");
    dt_break(u.t);
    EXPECT_EQ(u.r8(LSR), 0xe1u) << "an error in the FIFO, but not at its top";
    EXPECT_EQ(u.r8(DATA), unsigned('a'));
    EXPECT_EQ(u.r8(LSR), 0xf1u);
    EXPECT_EQ(u.r8(LSR), 0x61u);
}

TEST(Ns16550, Loopback)
{
    Rig u(DT_UART);

    u.w8(MCR, 0x1a);
    EXPECT_EQ(u.r8(MSR) & 0xf0, 0x90u) << "RTS and OUT2 come back as CTS and DCD";
    u.w8(MCR, 0x15);
    EXPECT_EQ(u.r8(MSR) & 0xf0, 0x60u);
    u.w8(MCR, 0x11);
    EXPECT_EQ(u.r8(MSR), 0x24u) << "the trailing edge of RI";
    u.w8(DATA, 'q');
    EXPECT_EQ(u.output(), "");
    u.w8(DATA, 'r');
    EXPECT_EQ(u.r8(LSR), 0x63u) << "overrun";
    EXPECT_EQ(u.r8(DATA), unsigned('q'));
    EXPECT_EQ(u.type("x"), 0u) << "the line is cut off";
    unsigned pokes = dt_pokes(u.t);
    u.w8(MCR, 0);
    EXPECT_EQ(dt_pokes(u.t), pokes + 1);
    EXPECT_EQ(u.type("x"), 1u);
}

// ---- plic ----

uint64_t PlicEnable(unsigned context) { return 0x2000 + 0x80 * context; }
uint64_t PlicThreshold(unsigned context) { return 0x200000 + 0x1000 * context; }
uint64_t PlicClaim(unsigned context) { return PlicThreshold(context) + 4; }

TEST(Plic, RegistersAndTheirEdges)
{
    Rig p(DT_PLIC);

    p.w32(0, 7);
    EXPECT_EQ(p.r32(0), 0u) << "source 0 does not exist";
    p.w32(4, 0xff);
    EXPECT_EQ(p.r32(4), 7u);
    p.w32(PlicEnable(1), 0xffffffff);
    p.w32(PlicEnable(1) + 4, 0xffffffff);
    EXPECT_EQ(p.r32(PlicEnable(1)), 0xfffffffeu);
    EXPECT_EQ(p.r32(PlicEnable(1) + 4), 0x1ffu) << "40 sources";
    p.w32(PlicThreshold(3), 9);
    EXPECT_EQ(p.r32(PlicThreshold(3)), 1u);
    EXPECT_EQ(dt_guest_errors(p.t), 0u);
    EXPECT_EQ(p.r32(4 * (DT_SOURCES + 1)), 0u);
    EXPECT_EQ(p.r32(PlicEnable(DT_HARTS)), 0u);
    EXPECT_EQ(p.r32(PlicClaim(DT_HARTS)), 0u);
    p.w32(PlicClaim(0), 0xffffffff);
    p.w32(0x5ffffc, 1);
    EXPECT_EQ(dt_guest_errors(p.t), 5u);
    EXPECT_TRUE(p.refused(0, 8));
    EXPECT_TRUE(p.refused(0, 1));
}

TEST(Plic, ClaimAndComplete)
{
    Rig p(DT_PLIC);

    p.w32(4 * 10, 1);
    p.w32(PlicEnable(1), 1 << 10);
    dt_input(p.t, 10, true);
    EXPECT_FALSE(p.line(0));
    EXPECT_TRUE(p.line(1));
    EXPECT_EQ(p.r32(0x1000), 1u << 10);
    EXPECT_EQ(p.r32(PlicClaim(0)), 0u) << "not enabled there";
    EXPECT_EQ(p.r32(PlicClaim(1)), 10u);
    EXPECT_FALSE(p.line(1));
    EXPECT_EQ(p.r32(0x1000), 0u);
    EXPECT_EQ(p.r32(PlicClaim(1)), 0u);
    dt_input(p.t, 11, true);
    dt_input(p.t, 10, true);
    EXPECT_EQ(p.r32(0x1000), 1u << 11) << "the gateway of a source in service forwards nothing";
    p.w32(PlicClaim(0), 10);
    EXPECT_FALSE(p.line(1)) << "the completion of a context that has not enabled it is ignored";
    p.w32(PlicClaim(1), 10);
    EXPECT_TRUE(p.line(1)) << "the wire is still high";
    EXPECT_EQ(p.r32(PlicClaim(1)), 10u);
    dt_input(p.t, 10, false);
    p.w32(PlicClaim(1), 10);
    EXPECT_FALSE(p.line(1));
    dt_input(p.t, 10, true);
    dt_input(p.t, 10, false);
    EXPECT_TRUE(p.line(1)) << "a forwarded request stays";
    EXPECT_EQ(p.r32(PlicClaim(1)), 10u);
    p.w32(PlicClaim(1), 10);
    EXPECT_FALSE(p.line(1));
}

TEST(Plic, PrioritiesAndThreshold)
{
    Rig p(DT_PLIC);

    for (unsigned s = 1; s <= DT_SOURCES; s++) {
        p.w32(4 * s, s == 33 ? 7 : s == 5 ? 0 : s % 3 + 1);
        dt_input(p.t, s, true);
    }
    p.w32(PlicEnable(0), 1 << 4 | 1 << 5 | 1 << 8 | 1 << 11);
    p.w32(PlicEnable(0) + 4, 1 << 1);
    p.w32(PlicThreshold(0), 7);
    EXPECT_FALSE(p.line(0));
    p.w32(PlicThreshold(0), 6);
    EXPECT_TRUE(p.line(0));
    EXPECT_EQ(p.r32(PlicClaim(0)), 33u);
    EXPECT_FALSE(p.line(0));
    EXPECT_EQ(p.r32(PlicClaim(0)), 8u) << "the threshold does not affect claims; the lower number wins";
    EXPECT_EQ(p.r32(PlicClaim(0)), 11u);
    EXPECT_EQ(p.r32(PlicClaim(0)), 4u);
    EXPECT_EQ(p.r32(PlicClaim(0)), 0u) << "priority 0 never interrupts";
    p.w32(PlicThreshold(0), 0);
    EXPECT_FALSE(p.line(0));
}

// ---- aclint, sswi ----

TEST(Aclint, SoftwareInterrupts)
{
    Rig a(DT_ACLINT);

    a.w32(4 * 2, 0xffffffff);
    EXPECT_EQ(a.r32(8), 1u);
    EXPECT_TRUE(a.line(2));
    EXPECT_FALSE(a.line(1));
    a.w64(0, UINT64_C(1) << 32);
    EXPECT_TRUE(a.line(1));
    EXPECT_EQ(a.r64(0), UINT64_C(1) << 32);
    a.w32(8, 2);
    EXPECT_FALSE(a.line(2));
    EXPECT_EQ(dt_guest_errors(a.t), 0u);
    a.w32(4 * DT_HARTS, 1);
    a.w32(0x4000 + 8 * DT_HARTS, 1);
    EXPECT_EQ(dt_guest_errors(a.t), 2u);
}

TEST(Aclint, TimerFiresOnTheTick)
{
    Rig a(DT_ACLINT);

    EXPECT_EQ(a.r64(0xbff8), 0u);
    EXPECT_EQ(a.r64(0x4000), UINT64_MAX);
    dt_advance(a.t, 1000);
    EXPECT_EQ(a.r64(0xbff8), 10u);
    a.w64(0x4000, 25);
    a.w32(0x4000 + 8, 20);
    a.w32(0x4000 + 12, 0);
    dt_advance(a.t, 999);
    EXPECT_FALSE(a.line(DT_HARTS + 1));
    dt_advance(a.t, 1);
    EXPECT_TRUE(a.line(DT_HARTS + 1));
    EXPECT_FALSE(a.line(DT_HARTS));
    dt_advance(a.t, 500);
    EXPECT_TRUE(a.line(DT_HARTS));
    a.w64(0x4000, UINT64_MAX);
    EXPECT_FALSE(a.line(DT_HARTS));
    EXPECT_TRUE(a.line(DT_HARTS + 1));
}

TEST(Aclint, TimeCanBeSet)
{
    Rig a(DT_ACLINT);

    a.w64(0x4000, 1000);
    a.w32(0xbffc, 1);
    EXPECT_TRUE(a.line(DT_HARTS));
    EXPECT_EQ(a.r32(0xbffc), 1u);
    a.w64(0xbff8, 999);
    EXPECT_FALSE(a.line(DT_HARTS));
    dt_advance(a.t, 99);
    EXPECT_FALSE(a.line(DT_HARTS));
    dt_advance(a.t, 1);
    EXPECT_TRUE(a.line(DT_HARTS));
    dt_reset(a.t);
    EXPECT_EQ(a.r64(0xbff8), 1u);
    EXPECT_FALSE(a.line(DT_HARTS));
}

TEST(AclintSswi, EachWriteOfOneIsAnEdge)
{
    Rig s(DT_SSWI);

    s.w32(4, 0);
    EXPECT_EQ(dt_calls(s.t, 1), 0u);
    s.w32(4, 1);
    s.w32(4, 0xffffffff);
    EXPECT_EQ(dt_calls(s.t, 1), 2u);
    EXPECT_EQ(dt_calls(s.t, 0), 0u);
    EXPECT_EQ(s.r32(4), 0u);
    s.w32(4 * DT_HARTS, 1);
    EXPECT_EQ(dt_guest_errors(s.t), 1u);
}

// ---- sifive-test ----

TEST(SifiveTest, EndsTheMachine)
{
    const struct {
        uint32_t value;
        dt_request request;
        int status;
    } rows[] = {
        { 0x5555, DT_POWEROFF, 0 },    { 0x7777, DT_RESET, 0 }, { 0x00033333, DT_EXIT, 3 },
        { 0x01003333, DT_EXIT, 1 },    { 0x3333, DT_EXIT, 1 },  { 0x1234, DT_NO_REQUEST, 0 },
    };

    for (const auto &row : rows) {
        Rig d(DT_TEST);
        int status;
        d.w32(0, row.value);
        EXPECT_EQ(dt_take_request(d.t, &status), row.request) << row.value;
        EXPECT_EQ(status, row.status) << row.value;
        EXPECT_EQ(dt_guest_errors(d.t), row.request == DT_NO_REQUEST ? 1u : 0u);
    }
    Rig d(DT_TEST);
    int status;
    d.w32(4, 0x5555);
    EXPECT_EQ(dt_take_request(d.t, &status), DT_NO_REQUEST);
}

// ---- fw_cfg ----

void FwSelect(Rig &f, uint16_t key) { dt_write(f.t, 8, 2, uint16_t(key << 8 | key >> 8)); }

std::string FwRead(Rig &f, size_t n)
{
    std::string s;
    while (n--)
        s += char(f.r8(0));
    return s;
}

// Runs a DMA command at the start of RAM; its control word afterwards.
uint32_t FwDma(Rig &f, uint32_t control, uint32_t len, uint64_t gpa)
{
    uint8_t *p = dt_ram(f.t, DT_RAM);
    put_be32_at(p, control);
    put_be32_at(p + 4, len);
    put_be32_at(p + 8, uint32_t(gpa >> 32));
    put_be32_at(p + 12, uint32_t(gpa));
    f.w64(16, __builtin_bswap64(DT_RAM));
    return be32_at(p);
}

TEST(FwCfg, ItemsAndDirectory)
{
    Rig f(DT_FWCFG);

    EXPECT_EQ(FwRead(f, 6), std::string("QEMU\0\0", 6)) << "selected after reset, zeroes behind the end";
    FwSelect(f, 1);
    EXPECT_EQ(f.r32(0), 3u);
    FwSelect(f, 5);
    EXPECT_EQ(dt_read(f.t, 0, 2), 4u);
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
    Rig f(DT_FWCFG_IO);

    dt_write(f.t, 0, 2, 0x20);
    EXPECT_EQ(dt_read(f.t, 1, 1), unsigned('0'));
    EXPECT_EQ(dt_read(f.t, 1, 1), unsigned('1'));
    put_be32_at(dt_ram(f.t, DT_RAM), 2);
    put_be32_at(dt_ram(f.t, DT_RAM + 4), 3);
    put_be32_at(dt_ram(f.t, DT_RAM + 12), DT_RAM + 64);
    f.w32(4, 0);
    f.w32(8, __builtin_bswap32(DT_RAM));
    EXPECT_EQ(be32_at(dt_ram(f.t, DT_RAM)), 0u);
    EXPECT_EQ(memcmp(dt_ram(f.t, DT_RAM + 64), "234", 3), 0);
}

TEST(FwCfg, Dma)
{
    Rig f(DT_FWCFG);
    uint8_t *buf = dt_ram(f.t, DT_RAM + 0x100);

    memset(buf, 0xee, 32);
    EXPECT_EQ(FwDma(f, 0x20 << 16 | 8 | 4, 3, 0), 0u);
    EXPECT_EQ(FwDma(f, 2, 20, DT_RAM + 0x100), 0u);
    EXPECT_EQ(memcmp(buf, "3456789abcdef\0\0\0\0\0\0\0\xee", 21), 0);
    EXPECT_EQ(FwDma(f, 0x21 << 16 | 8 | 2, 5, DT_RAM + 0x100), 0u);
    EXPECT_EQ(FwDma(f, 2, 4, DT_RAM + 0x100), 0u);
    EXPECT_EQ(memcmp(buf, ", wo", 4), 0) << "it goes on where it was";
    EXPECT_EQ(FwDma(f, 0x20 << 16 | 8 | 16, 3, DT_RAM + 0x100), 1u) << "items cannot be written";
    EXPECT_EQ(dt_guest_errors(f.t), 1u);
}

TEST(FwCfg, DmaToBadAddresses)
{
    Rig f(DT_FWCFG);

    EXPECT_EQ(FwDma(f, 0x20 << 16 | 8 | 2, 16, 0x1000), 1u);
    EXPECT_EQ(FwDma(f, 0x20 << 16 | 8 | 2, 16, DT_RAM + DT_RAM_SIZE - 8), 1u);
    EXPECT_EQ(FwDma(f, 0x20 << 16 | 8 | 2, 16, UINT64_MAX - 4), 1u);
    EXPECT_EQ(FwDma(f, 0x20 << 16 | 8 | 2, 16, DT_BASE), 1u) << "a device, this one even";
    EXPECT_EQ(FwDma(f, 0x20 << 16 | 8 | 2, 0xffffffff, DT_RAM + 0x100), 1u);
    EXPECT_EQ(dt_guest_errors(f.t), 5u);
    f.w64(16, __builtin_bswap64(DT_RAM + DT_RAM_SIZE - 8));
    f.w64(16, 0);
    f.w64(16, UINT64_MAX);
    EXPECT_EQ(dt_guest_errors(f.t), 3u);
}

TEST(FwCfg, RefusesBadItems)
{
    Rig f(DT_FWCFG);

    EXPECT_FALSE(dt_add_file(f.t, "opt/hello", "", 0));
    EXPECT_FALSE(dt_add_file(f.t, "", "", 0));
    EXPECT_FALSE(dt_add_file(f.t, std::string(56, 'n').c_str(), "", 0));
    EXPECT_TRUE(dt_add_file(f.t, std::string(55, 'n').c_str(), "", 0));
    EXPECT_FALSE(dt_add_item(f.t, 5, "", 0));
    EXPECT_FALSE(dt_add_item(f.t, 0x20, "", 0));
    EXPECT_TRUE(dt_add_item(f.t, 0x8005, "", 0));
    unsigned added = 0;
    while (added < 100 && dt_add_file(f.t, ("f" + std::to_string(added)).c_str(), "x", 1))
        added++;
    EXPECT_EQ(added, 61u) << "64 files";
}

// ---- pflash ----

void FlashProgram(Rig &f, uint64_t off, uint32_t value)
{
    f.w32(off, 0x00400040);
    f.w32(off, value);
}

void FlashErase(Rig &f, uint64_t off)
{
    f.w32(off, 0x00200020);
    f.w32(off, 0x00d000d0);
}

TEST(Pflash, QueryAndIdentity)
{
    Rig f(DT_PFLASH);

    EXPECT_TRUE(dt_direct(f.t));
    f.w32(0x154, 0x00980098);
    EXPECT_FALSE(dt_direct(f.t));
    const uint32_t expected[] = { 'Q', 'R', 'Y', 1, 0, 0x31, 0 };
    for (unsigned i = 0; i < 7; i++)
        EXPECT_EQ(f.r32((0x10 + i) * 4), expected[i] * 0x00010001u);
    EXPECT_EQ(f.r32(0x27 * 4), 0x00140014u) << "1 MiB a chip";
    EXPECT_EQ(f.r32(0x2d * 4), 0x00070007u) << "8 blocks";
    EXPECT_EQ(f.r32(0x30 * 4), 0x00020002u) << "of 128 KiB a chip";
    EXPECT_EQ(f.r32(0x31 * 4), 'P' * 0x00010001u);
    EXPECT_EQ(dt_read(f.t, 0x10 * 4, 8), UINT64_C(0x0052005200510051));
    EXPECT_EQ(f.r32(DT_FLASH_SIZE - 4), 0u);
    f.w32(0, 0x00900090);
    EXPECT_EQ(f.r32(0), 0x00890089u);
    EXPECT_EQ(f.r32(4), 0x00180018u);
    EXPECT_EQ(f.r32(8), 0u);
    f.w32(0, 0x00ff00ff);
    EXPECT_TRUE(dt_direct(f.t));
    EXPECT_EQ(f.r32(0), 0xffffffffu);
}

TEST(Pflash, ProgramAndErase)
{
    Rig f(DT_PFLASH);
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
    Rig f(DT_PFLASH);

    f.w32(0x1000, 0x00e800e8);
    EXPECT_EQ(f.r32(0x1000), 0x00800080u) << "the buffer is free";
    f.w32(0x1000, 0x001f001f);
    for (unsigned i = 0; i < 32; i++)
        f.w32(0x1000 + 4 * i, 0xabcd0000 + i);
    EXPECT_EQ(dt_ram(f.t, DT_RAM)[0], 0u);
    f.w32(0x1000, 0x00d000d0);
    f.w32(0, 0x00ff00ff);
    for (unsigned i = 0; i < 32; i++)
        EXPECT_EQ(f.r32(0x1000 + 4 * i), 0xabcd0000 + i);
    EXPECT_EQ(f.r32(0x1000 + 4 * 32), 0xffffffffu);
}

TEST(Pflash, SequenceErrors)
{
    Rig f(DT_PFLASH);

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
    Rig f(DT_PFLASH);

    dt_write(f.t, 2, 2, 0x90);
    EXPECT_FALSE(dt_direct(f.t));
    EXPECT_EQ(f.r32(0), 0x0089ffffu);
    dt_write(f.t, 2, 2, 0xff);
    EXPECT_TRUE(dt_direct(f.t));
}

TEST(Pflash, DriveKeepsTheContents)
{
    Rig f(DT_PFLASH_DRIVE);

    memcpy(dt_drive(f.t) + 0x2000, "kept", 4);
    ASSERT_TRUE(dt_load_flash(f.t));
    EXPECT_EQ(f.r32(0x2000), 0x7470656bu);
    EXPECT_EQ(f.r32(DT_FLASH_SIZE - 4), 0xffffffffu);
    FlashProgram(f, 0x2004, 0x44434241);
    FlashErase(f, 0x40000);
    FlashProgram(f, DT_FLASH_SIZE - 4, 0);
    dt_drain(f.t);
    EXPECT_EQ(memcmp(dt_drive(f.t) + 0x2000, "keptABCD", 8), 0);
    EXPECT_EQ(dt_flushes(f.t), 1u);
    dt_fail_drive(f.t, true);
    EXPECT_FALSE(dt_load_flash(f.t));
    FlashProgram(f, 0x2008, 0);
    dt_drain(f.t);
    EXPECT_EQ(f.r32(0), 0x00800080u) << "the guest does not notice";
}

TEST(Pflash, ReadOnlyDriveProtects)
{
    Rig f(DT_PFLASH_READ_ONLY);

    FlashProgram(f, 0, 0);
    EXPECT_EQ(f.r32(0), 0x00920092u);
    f.w32(0, 0x00500050);
    FlashErase(f, 0);
    EXPECT_EQ(f.r32(0), 0x00a200a2u);
    f.w32(0, 0x00ff00ff);
    EXPECT_EQ(f.r32(0), 0xffffffffu);
}

// ---- htif ----

TEST(Htif, Exit)
{
    const struct {
        uint64_t value;
        int status;
    } rows[] = { { 1, 0 }, { 3, 1 }, { 0x54f, 0xa7 }, { 0x201, 1 } };

    for (const auto &row : rows) {
        Rig h(DT_HTIF);
        int status = -1;
        h.w64(DT_TOHOST, row.value);
        EXPECT_EQ(dt_take_request(h.t, &status), DT_EXIT);
        EXPECT_EQ(status, row.status);
        EXPECT_EQ(h.r64(DT_TOHOST), 0u);
    }
    Rig h(DT_HTIF);
    int status = -1;
    h.w32(DT_TOHOST + 4, 0);
    EXPECT_EQ(dt_take_request(h.t, &status), DT_NO_REQUEST);
    h.w32(DT_TOHOST, 5);
    h.w32(DT_TOHOST + 4, 0);
    EXPECT_EQ(dt_take_request(h.t, &status), DT_EXIT);
    EXPECT_EQ(status, 2);
}

TEST(Htif, ConsoleOutput)
{
    Rig h(DT_HTIF);

    for (char c : std::string("hi\n"))
        h.w64(DT_TOHOST, UINT64_C(0x0101) << 48 | uint8_t(c));
    EXPECT_EQ(h.output(), "hi\n");
    EXPECT_EQ(h.r64(DT_FROMHOST), 0u);
    h.w64(DT_TOHOST, UINT64_C(0x0707) << 48);
    EXPECT_EQ(dt_guest_errors(h.t), 1u);
}

TEST(Htif, ConsoleInput)
{
    Rig h(DT_HTIF);

    h.w64(DT_TOHOST, UINT64_C(0x0100) << 48);
    EXPECT_EQ(h.r64(DT_FROMHOST), 0u);
    EXPECT_EQ(h.type("ab"), 2u);
    EXPECT_EQ(h.r64(DT_FROMHOST), UINT64_C(0x0100) << 48 | 0x100 | 'a');
    h.w64(DT_TOHOST, UINT64_C(0x0100) << 48);
    EXPECT_EQ(h.r64(DT_FROMHOST) & 0xff, unsigned('a')) << "until the program clears it";
    h.w64(DT_FROMHOST, 0);
    EXPECT_EQ(h.r64(DT_FROMHOST) & 0xff, unsigned('b'));
}

TEST(Htif, SystemCalls)
{
    Rig h(DT_HTIF);
    uint64_t words[8] = { 64, 1, DT_RAM + 0x100, 300 };
    std::string text(300, '.');
    int status;

    memcpy(dt_ram(h.t, DT_RAM + 0x100), text.data(), text.size());
    auto call = [&]() {
        memcpy(dt_ram(h.t, DT_RAM), words, sizeof words);
        h.w64(DT_TOHOST, DT_RAM);
        EXPECT_EQ(h.r64(DT_FROMHOST), 1u);
        h.w64(DT_FROMHOST, 0);
        int64_t result;
        memcpy(&result, dt_ram(h.t, DT_RAM), 8);
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
    memcpy(dt_ram(h.t, DT_RAM), words, sizeof words);
    h.w64(DT_TOHOST, DT_RAM);
    EXPECT_EQ(dt_take_request(h.t, &status), DT_EXIT);
    EXPECT_EQ(status, 6);
    dt_guest_errors(h.t);
    h.w64(DT_TOHOST, 0x1000);
    EXPECT_EQ(dt_guest_errors(h.t), 1u);
    EXPECT_EQ(h.r64(DT_FROMHOST), 0u);
}

TEST(Htif, TheRestOfTheWindowIsMemory)
{
    Rig h(DT_HTIF);

    h.w8(9, 0x5a);
    dt_write(h.t, 10, 2, 0x1234);
    EXPECT_EQ(h.r64(8), UINT64_C(0x12345a00));
}

TEST(Htif, Place)
{
    uint64_t base, span;

    EXPECT_TRUE(dt_htif_place(0x80001000, 0x80001040, &base, &span));
    EXPECT_EQ(base, 0x80001000u);
    EXPECT_EQ(span, 128u);
    EXPECT_TRUE(dt_htif_place(0x80001048, 0x80001040, &base, &span));
    EXPECT_EQ(base, 0x80001040u);
    EXPECT_EQ(span, 64u);
    EXPECT_TRUE(dt_htif_place(0, 0xff8, &base, &span));
    EXPECT_FALSE(dt_htif_place(0, 0x1000, &base, &span));
    EXPECT_FALSE(dt_htif_place(4, 0x40, &base, &span));
    EXPECT_FALSE(dt_htif_place(8, 8, &base, &span));
}

// ---- every device: state, and random accesses ----

// Where a device's registers are, so that random offsets meet them.
const struct Range {
    uint32_t start, size;
} ranges[DT_KINDS][5] = {
    { { 0, 0x24 } },
    { { 0, 8 } },
    { { 0, 0x100 }, { 0x1000, 16 }, { 0x2000, 0x280 }, { 0x200000, 8 }, { 0x203000, 8 } },
    { { 0, 0x20 }, { 0x4000, 0x30 }, { 0xbff8, 8 } },
    { { 0, 0x20 } },
    { { 0, 8 } },
    { { 0, 8 }, { 8, 8 }, { 16, 8 } },
    { { 0, 12 } },
    { { 0, 0x100 }, { 0x40000, 0x40 } },
    { { 0, 0x100 }, { 0x40000, 0x40 } },
    { { 0, 0x100 }, { 0x40000, 0x40 } },
    { { 0, 128 }, { DT_TOHOST, 8 }, { DT_FROMHOST, 8 } },
};

// Values that mean something to some device.
uint64_t InterestingValue(uint64_t &seed)
{
    const uint64_t values[] = {
        0, 1, 2, 3, 0xff, 0x80, 0x10, 0x1f, UINT64_MAX, 0xffffffff, 0x00400040, 0x00e800e8, 0x00200020,
        0x00d000d0, 0x00ff00ff, 0x00980098, 0x00700070, 0x00500050, 0x000f000f, DT_RAM,
        UINT64_C(0x0101) << 48 | 'x',
        UINT64_C(0x0100) << 48, UINT64_C(0x8000), UINT64_C(0x80000000000000), 0x2000, 0x1900, DT_WALL >> 32,
    };
    uint64_t pick = harness_random(&seed) % 40;
    uint64_t any = harness_random(&seed);

    return pick < sizeof values / sizeof *values ? values[pick] : any >> (any & 63);
}

struct Step {
    unsigned what;
    uint64_t off, value;
    unsigned width;
};

Step RandomStep(dt_kind kind, uint64_t span, uint64_t &seed)
{
    Step s;

    s.what = unsigned(harness_random(&seed) % 100);
    s.width = 1u << harness_random(&seed) % 4;
    const Range &range = ranges[kind][harness_random(&seed) % 5];
    s.off = range.size ? range.start + harness_random(&seed) % range.size : harness_random(&seed) % span;
    s.off &= ~uint64_t(s.width - 1);
    s.value = InterestingValue(seed);
    return s;
}

// Carries out a step; what the guest and the host saw of it.
std::vector<uint64_t> DoStep(dt *t, dt_kind kind, const Step &s)
{
    std::vector<uint64_t> seen;
    uint64_t value = s.value;
    uint8_t bytes[4] = { uint8_t(value), 2, 3, 4 };
    int status = 0;

    if (s.what < 40) {
        seen.push_back(dt_access(t, s.off, s.width, true, &value));
    } else if (s.what < 85) {
        seen.push_back(dt_access(t, s.off, s.width, false, &value));
        seen.push_back(value);
    } else if (s.what < 90) {
        dt_advance(t, s.value & 0xffffff);
    } else if (s.what < 95) {
        if (kind == DT_PLIC)
            dt_input(t, unsigned(1 + s.off % DT_SOURCES), s.value & 1);
        if (kind == DT_UART || kind == DT_HTIF)
            seen.push_back(dt_type(t, bytes, 1 + s.width % 4));
    } else if (s.what < 98) {
        dt_drain(t);
        if (kind == DT_UART)
            dt_break(t);
    } else if (s.what == 98 && s.off % 8 == 0) {
        dt_reset(t);
    }
    for (unsigned n = 0; n < DT_LINES; n++)
        seen.push_back(dt_line(t, n));
    seen.push_back(dt_take_request(t, &status));
    return seen;
}

std::vector<uint8_t> Saved(dt *t)
{
    std::vector<uint8_t> buf(64 * 1024);
    buf.resize(dt_save(t, buf.data(), buf.size()));
    return buf;
}

class EveryDevice : public testing::TestWithParam<int> {
  protected:
    dt_kind kind() const { return dt_kind(GetParam()); }
};

std::string KindName(const testing::TestParamInfo<int> &info)
{
    std::string name = dt_name(dt_kind(info.param));
    for (char &c : name)
        c = c == '-' ? '_' : c;
    return name;
}

// A clone made at a random point saves the same bytes, and behaves the same from there on.
TEST_P(EveryDevice, SaveLoadSaveIsEqualAndContinues)
{
    uint64_t seed = harness_seed() + uint64_t(GetParam());

    for (uint64_t round = 0; round < harness_scale(10); round++) {
        Rig a(kind()), b(kind());
        for (uint64_t n = harness_random(&seed) % 2000; n; n--) {
            DoStep(a.t, kind(), RandomStep(kind(), dt_span(a.t), seed));
            DoStep(b.t, kind(), RandomStep(kind(), dt_span(b.t), seed));
        }
        ASSERT_TRUE(dt_clone(a.t, b.t));
        ASSERT_EQ(Saved(a.t), Saved(b.t));
        for (unsigned n = 0; n < 500; n++) {
            Step s = RandomStep(kind(), dt_span(a.t), seed);
            std::vector<uint64_t> one = DoStep(a.t, kind(), s), two = DoStep(b.t, kind(), s);
            if (kind() == DT_SSWI) // its lines are edges that the hart latches, not state
                continue;
            ASSERT_EQ(one, two) << "step " << n << " what " << s.what << " offset " << s.off << " width "
                                << s.width << " value " << s.value;
        }
        ASSERT_EQ(Saved(a.t), Saved(b.t));
    }
}

TEST_P(EveryDevice, SurvivesRandomAccesses)
{
    uint64_t seed = harness_seed() * 31 + uint64_t(GetParam());
    Rig a(kind());

    for (uint64_t n = harness_scale(100000); n; n--)
        DoStep(a.t, kind(), RandomStep(kind(), dt_span(a.t), seed));
    dt_reset(a.t);
    std::vector<uint8_t> once = Saved(a.t);
    dt_reset(a.t);
    EXPECT_EQ(Saved(a.t), once) << "a reset of a reset device changes nothing";
}

// A damaged stream is refused and leaves the device as it was, or is a state that the device can live with.
TEST_P(EveryDevice, SurvivesDamagedStates)
{
    uint64_t seed = harness_seed() * 17 + uint64_t(GetParam());
    Rig a(kind());

    for (uint64_t round = 0; round < harness_scale(300); round++) {
        std::vector<uint8_t> before = Saved(a.t), damaged = before;
        char message[256];
        for (uint64_t n = 1 + harness_random(&seed) % 4; n && !damaged.empty(); n--)
            damaged[harness_random(&seed) % damaged.size()] = uint8_t(harness_random(&seed));
        if (harness_random(&seed) % 4 == 0)
            damaged.resize(harness_random(&seed) % (damaged.size() + 1));
        if (!dt_load(a.t, damaged.data(), damaged.size(), message, sizeof message)) {
            EXPECT_EQ(Saved(a.t), before);
            EXPECT_STRNE(message, "");
        }
        for (unsigned n = 0; n < 50; n++)
            DoStep(a.t, kind(), RandomStep(kind(), dt_span(a.t), seed));
    }
}

INSTANTIATE_TEST_SUITE_P(Devices, EveryDevice, testing::Range(0, int(DT_KINDS)), KindName);

} // namespace
