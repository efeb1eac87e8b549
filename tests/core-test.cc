// core/error, and the parts of the harness that other tests rely on.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "harness.h"

namespace {

std::string ErrorText(const std::string &text, const char *prefix)
{
    std::vector<char> out(2 * harness_error_capacity() + 2);
    harness_error_text(text.c_str(), prefix, out.data(), out.size());
    return out.data();
}

TEST(Error, KeepsTheText)
{
    EXPECT_EQ(ErrorText("disk.img: no such file", nullptr), "disk.img: no such file");
    EXPECT_EQ(ErrorText("", nullptr), "");
}

TEST(Error, FormatsNothingTwice)
{
    EXPECT_EQ(ErrorText("100%s %n", "50%d"), "50%d: 100%s %n");
}

TEST(Error, PrefixGoesInFront)
{
    EXPECT_EQ(ErrorText("no such file", "-drive file=a"), "-drive file=a: no such file");
    EXPECT_EQ(ErrorText("", "a"), "a: ");
}

TEST(Error, BothReturnFalse)
{
    EXPECT_EQ(harness_error_returns(), 0u);
}

TEST(Error, TruncatesAtCapacity)
{
    const size_t capacity = harness_error_capacity();
    const std::string full(capacity, 'x');

    EXPECT_EQ(ErrorText(full, nullptr), full);
    EXPECT_EQ(ErrorText(full + "y", nullptr), full);
    EXPECT_EQ(ErrorText(full, "p"), ("p: " + full).substr(0, capacity));
    EXPECT_EQ(ErrorText("text", full.c_str()), full);
    EXPECT_EQ(ErrorText("text", full.substr(1).c_str()), full.substr(1) + ":");
    EXPECT_EQ(ErrorText("text", (full + full).c_str()), full);
}

TEST(Harness, RandomIsRepeatableAndSpread)
{
    uint64_t a = 0, b = 0, c = 1;
    std::set<uint64_t> seen;

    for (int i = 0; i < 1000; i++) {
        uint64_t x = harness_random(&a);
        EXPECT_EQ(x, harness_random(&b));
        EXPECT_NE(x, harness_random(&c));
        seen.insert(x);
    }
    EXPECT_EQ(seen.size(), 1000u);
}

TEST(Harness, ScratchDirectoriesAreNewAndDataIsFound)
{
    char one[256], two[256], data[512];

    ASSERT_TRUE(harness_scratch(one, sizeof one));
    ASSERT_TRUE(harness_scratch(two, sizeof two));
    EXPECT_STRNE(one, two);
    EXPECT_EQ(remove(one), 0);
    EXPECT_EQ(remove(two), 0);
    EXPECT_FALSE(harness_scratch(one, 8));
    EXPECT_TRUE(harness_data("harness.h", data, sizeof data)) << data;
    EXPECT_FALSE(harness_data("no such file", data, sizeof data));
}

TEST(Alloc, IsZeroedKeepsAndTakesNothing)
{
    EXPECT_TRUE(harness_alloc_is_zeroed(1000, 8));
    EXPECT_TRUE(harness_alloc_is_zeroed(0, 8));
    EXPECT_TRUE(harness_alloc_resize_keeps(1000, 8));
    EXPECT_TRUE(harness_alloc_resize_keeps(2, 1));
    EXPECT_TRUE(harness_alloc_resize_keeps(0, 8));
}

// A size that overflows is no small allocation. (Address sanitizer's allocator reports it before ours can.)
TEST(AllocDeathTest, ExhaustionEndsTheProcess)
{
    EXPECT_DEATH(harness_alloc_is_zeroed(SIZE_MAX / 4, 8), "no memory left|Sanitizer");
    EXPECT_DEATH(harness_alloc_resize_keeps(SIZE_MAX / 4, 8), "no memory left|Sanitizer");
}

} // namespace
