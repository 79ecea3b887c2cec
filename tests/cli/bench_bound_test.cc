// SPDX-License-Identifier: Apache-2.0
// What bench concludes from three rates: which bounds which.
#include <gtest/gtest.h>

#include <string>

extern "C" {
#include "host/cli/bench_rates.h"
}

namespace
{

// 100 KB for an image.
cli_rates rates(double device, double copies, double end_to_end, double alone)
{
    cli_rates r {};
    r.images_per_second[CLI_RATE_DEVICE] = device;
    r.images_per_second[CLI_RATE_COPIES] = copies;
    r.images_per_second[CLI_RATE_END_TO_END] = end_to_end;
    r.bytes_in = 1e5;
    r.copy_alone = alone;
    return r;
}

struct Said {
    std::string bound, sentence;
};

Said say(const cli_rates &r)
{
    char sentence[256];
    std::string bound = cli_rates_bound(&r, sentence, sizeof sentence);
    return { bound, sentence };
}

void expect_part(const Said &said, const std::string &part)
{
    EXPECT_NE(said.sentence.find(part), std::string::npos) << said.sentence;
}

TEST(BenchBound, CopiesThatAreHiddenLeaveComputing)
{
    Said said = say(rates(100000, 99000, 98000, 25e9));
    EXPECT_EQ(said.bound, "computing");
    expect_part(said, "copies are hidden behind it, at 9.90 GB/s of the 25.00");
    EXPECT_EQ(said.sentence.find("end to end"), std::string::npos);
}

TEST(BenchBound, CopiesAtTheirLimit)
{
    Said said = say(rates(400000, 123000, 123000, 12.5e9));
    EXPECT_EQ(said.bound, "copies");
    expect_part(said, "bound by copies: 12.30 GB/s of the 12.50 that copies alone reach; computing could take 40.00");
}

TEST(BenchBound, NeitherAtItsLimitIsTheHandingOver)
{
    Said said = say(rates(400000, 100000, 50000, 25e9));
    EXPECT_EQ(said.bound, "submission");
    expect_part(said, "computing 25 % of its rate alone");
    expect_part(said, "end to end, bound by the host's copy out of ordinary memory: 5.00 GB/s");
}

TEST(BenchBound, NothingIsCopiedOnAHost)
{
    Said said = say(rates(100, 70, 120, 0));
    EXPECT_EQ(said.bound, "computing");
    expect_part(said, "nothing is copied");
}

TEST(BenchBound, WithoutTheRatesNothingIsSaid)
{
    EXPECT_EQ(say(rates(0, 100, 100, 25e9)).bound, "");
    EXPECT_EQ(say(rates(100, 0, 100, 25e9)).sentence, "");
    cli_rates r = rates(100, 0, 90, 0);
    EXPECT_EQ(cli_rates_main(&r), CLI_RATE_DEVICE);
    r.images_per_second[CLI_RATE_COPIES] = 95;
    EXPECT_EQ(cli_rates_main(&r), CLI_RATE_COPIES);
    r = rates(0, 0, 90, 0);
    EXPECT_EQ(cli_rates_main(&r), CLI_RATE_END_TO_END);
}

} // namespace
