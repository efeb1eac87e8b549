// every simple device: state, random accesses, damaged states.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness.h"

namespace {

// Where a device's registers are, so that random offsets meet them.
const struct Range {
    uint32_t start, size;
} ranges[DVT_KINDS][5] = {
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
    { { 0, 128 }, { DVT_TOHOST, 8 }, { DVT_FROMHOST, 8 } },
};

// Values that mean something to some device.
uint64_t InterestingValue(uint64_t &seed)
{
    const uint64_t values[] = {
        0, 1, 2, 3, 0xff, 0x80, 0x10, 0x1f, UINT64_MAX, 0xffffffff, 0x00400040, 0x00e800e8, 0x00200020,
        0x00d000d0, 0x00ff00ff, 0x00980098, 0x00700070, 0x00500050, 0x000f000f, DVT_RAM,
        UINT64_C(0x0101) << 48 | 'x',
        UINT64_C(0x0100) << 48, UINT64_C(0x8000), UINT64_C(0x80000000000000), 0x2000, 0x1900, DVT_WALL >> 32,
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

Step RandomStep(dvt_kind kind, uint64_t span, uint64_t &seed)
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
std::vector<uint64_t> DoStep(dvt *t, dvt_kind kind, const Step &s)
{
    std::vector<uint64_t> seen;
    uint64_t value = s.value;
    uint8_t bytes[4] = { uint8_t(value), 2, 3, 4 };
    int status = 0;

    if (s.what < 40) {
        seen.push_back(dvt_access(t, s.off, s.width, true, &value));
    } else if (s.what < 85) {
        seen.push_back(dvt_access(t, s.off, s.width, false, &value));
        seen.push_back(value);
    } else if (s.what < 90) {
        dvt_advance(t, s.value & 0xffffff);
    } else if (s.what < 95) {
        if (kind == DVT_PLIC)
            dvt_input(t, unsigned(1 + s.off % DVT_SOURCES), s.value & 1);
        if (kind == DVT_UART || kind == DVT_HTIF)
            seen.push_back(dvt_type(t, bytes, 1 + s.width % 4));
    } else if (s.what < 98) {
        dvt_drain(t);
        if (kind == DVT_UART)
            dvt_break(t);
    } else if (s.what == 98 && s.off % 8 == 0) {
        dvt_reset(t);
    }
    for (unsigned n = 0; n < DVT_LINES; n++)
        seen.push_back(dvt_line(t, n));
    seen.push_back(dvt_take_request(t, &status));
    return seen;
}

std::vector<uint8_t> Saved(dvt *t)
{
    std::vector<uint8_t> buf(64 * 1024);
    buf.resize(dvt_save(t, buf.data(), buf.size()));
    return buf;
}

class EveryDevice : public testing::TestWithParam<int> {
  protected:
    dvt_kind kind() const { return dvt_kind(GetParam()); }
};

std::string KindName(const testing::TestParamInfo<int> &info)
{
    std::string name = dvt_name(dvt_kind(info.param));
    for (char &c : name)
        c = c == '-' ? '_' : c;
    return name;
}

// A clone made at a random point saves the same bytes, and behaves the same from there on.
TEST_P(EveryDevice, SaveLoadSaveIsEqualAndContinues)
{
    uint64_t seed = harness_seed() + uint64_t(GetParam());

    for (uint64_t round = 0; round < harness_scale(10); round++) {
        DeviceRig a(kind()), b(kind());
        for (uint64_t n = harness_random(&seed) % 2000; n; n--) {
            DoStep(a.t, kind(), RandomStep(kind(), dvt_span(a.t), seed));
            DoStep(b.t, kind(), RandomStep(kind(), dvt_span(b.t), seed));
        }
        ASSERT_TRUE(dvt_clone(a.t, b.t));
        ASSERT_EQ(Saved(a.t), Saved(b.t));
        for (unsigned n = 0; n < 500; n++) {
            Step s = RandomStep(kind(), dvt_span(a.t), seed);
            std::vector<uint64_t> one = DoStep(a.t, kind(), s), two = DoStep(b.t, kind(), s);
            if (kind() == DVT_SSWI) // its lines are edges that the hart latches, not state
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
    DeviceRig a(kind());

    for (uint64_t n = harness_scale(100000); n; n--)
        DoStep(a.t, kind(), RandomStep(kind(), dvt_span(a.t), seed));
    dvt_reset(a.t);
    std::vector<uint8_t> once = Saved(a.t);
    dvt_reset(a.t);
    EXPECT_EQ(Saved(a.t), once) << "a reset of a reset device changes nothing";
}

// A damaged stream is refused and leaves the device as it was, or is a state that the device can live with.
TEST_P(EveryDevice, SurvivesDamagedStates)
{
    uint64_t seed = harness_seed() * 17 + uint64_t(GetParam());
    DeviceRig a(kind());

    for (uint64_t round = 0; round < harness_scale(300); round++) {
        std::vector<uint8_t> before = Saved(a.t), damaged = before;
        char message[256];
        for (uint64_t n = 1 + harness_random(&seed) % 4; n && !damaged.empty(); n--)
            damaged[harness_random(&seed) % damaged.size()] = uint8_t(harness_random(&seed));
        if (harness_random(&seed) % 4 == 0)
            damaged.resize(harness_random(&seed) % (damaged.size() + 1));
        if (!dvt_load(a.t, damaged.data(), damaged.size(), message, sizeof message)) {
            EXPECT_EQ(Saved(a.t), before);
            EXPECT_STRNE(message, "");
        }
        for (unsigned n = 0; n < 50; n++)
            DoStep(a.t, kind(), RandomStep(kind(), dvt_span(a.t), seed));
    }
}

INSTANTIATE_TEST_SUITE_P(Devices, EveryDevice, testing::Range(0, int(DVT_KINDS)), KindName);

} // namespace
