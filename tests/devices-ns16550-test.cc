// NS16550A: registers, FIFOs, timeout, interrupts.
#include <gtest/gtest.h>

#include <string>

#include "harness.h"

namespace {

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

TEST(Ns16550, ResetValues)
{
    DeviceRig u(DVT_UART);

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
    DeviceRig u(DVT_UART);

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
    DeviceRig u(DVT_UART);

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
    DeviceRig u(DVT_UART);

    u.w8(IER, 1);
    EXPECT_EQ(u.type("xy"), 1u);
    EXPECT_EQ(u.type("y"), 0u);
    EXPECT_TRUE(u.line());
    EXPECT_EQ(u.r8(IIR), 4u);
    EXPECT_EQ(u.r8(LSR), 0x61u);
    unsigned pokes = dvt_pokes(u.t);
    EXPECT_EQ(u.r8(DATA), unsigned('x'));
    EXPECT_EQ(dvt_pokes(u.t), pokes + 1);
    EXPECT_FALSE(u.line());
    EXPECT_EQ(u.type("y"), 1u);
}

TEST(Ns16550, TriggerLevels)
{
    const unsigned levels[] = { 1, 4, 8, 14 };

    for (unsigned i = 0; i < 4; i++) {
        DeviceRig u(DVT_UART);
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
    DeviceRig u(DVT_UART);

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
    DeviceRig u(DVT_UART);
    const uint64_t character = uint64_t(10) * 16 * 12 * 1000000000 / DVT_UART_HZ; // 8N1 at 9600 baud

    u.w8(LCR, 3);
    u.w8(IER, 1);
    u.w8(FCR, 0x81);
    u.type("ab");
    dvt_advance(u.t, 4 * character - 10);
    EXPECT_FALSE(u.line());
    u.type("c");
    dvt_advance(u.t, 4 * character - 10);
    EXPECT_FALSE(u.line()) << "the third character restarted it";
    dvt_advance(u.t, 10);
    EXPECT_TRUE(u.line());
    EXPECT_EQ(u.r8(IIR), 0xccu);
    u.r8(DATA);
    EXPECT_FALSE(u.line());
    dvt_advance(u.t, 4 * character);
    EXPECT_TRUE(u.line()) << "again, for what is left";
    u.r8(DATA);
    u.r8(DATA);
    dvt_advance(u.t, 100 * character);
    EXPECT_FALSE(u.line()) << "nothing is left";
}

TEST(Ns16550, CharacterTimeoutIsSaved)
{
    DeviceRig u(DVT_UART), copy(DVT_UART);

    u.w8(IER, 1);
    u.w8(FCR, 0x81);
    u.type("a");
    ASSERT_TRUE(dvt_clone(u.t, copy.t));
    EXPECT_FALSE(copy.line());
    dvt_advance(copy.t, 1000000000);
    EXPECT_TRUE(copy.line());
}

TEST(Ns16550, PriorityOfInterrupts)
{
    DeviceRig u(DVT_UART);

    u.w8(MCR, 0x10);
    u.w8(MCR, 0x00); // the modem levels went away and came back
    u.w8(IER, 0x0f);
    dvt_break(u.t);
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
    DeviceRig u(DVT_UART);

    u.w8(FCR, 1);
    u.type("a");
    dvt_break(u.t);
    EXPECT_EQ(u.r8(LSR), 0xe1u) << "an error in the FIFO, but not at its top";
    EXPECT_EQ(u.r8(DATA), unsigned('a'));
    EXPECT_EQ(u.r8(LSR), 0xf1u);
    EXPECT_EQ(u.r8(LSR), 0x61u);
}

TEST(Ns16550, Loopback)
{
    DeviceRig u(DVT_UART);

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
    unsigned pokes = dvt_pokes(u.t);
    u.w8(MCR, 0);
    EXPECT_EQ(dvt_pokes(u.t), pokes + 1);
    EXPECT_EQ(u.type("x"), 1u);
}

} // namespace
