// Every scenario of harness-host is a test of its own.
#include <gtest/gtest.h>

#include <string>

#include "harness.h"

namespace {

class Host : public testing::TestWithParam<int> {};

TEST_P(Host, Scenario)
{
    char why[1024] = "";
    EXPECT_TRUE(hh_run(GetParam(), why, sizeof why)) << why;
}

INSTANTIATE_TEST_SUITE_P(All, Host, testing::Range(0, hh_count()),
                         [](const testing::TestParamInfo<int> &info) {
                             return std::string(hh_name(info.param));
                         });

}  // namespace
