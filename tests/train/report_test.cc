// SPDX-License-Identifier: Apache-2.0
#include "train/report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace
{

constexpr double infinity = std::numeric_limits<double>::infinity();

std::string duration(double seconds)
{
    char text[TRIB_DURATION_TEXT];
    return trib_duration_text(seconds, text);
}

std::string line(const trib_progress_report &report, int columns = 0)
{
    char text[TRIB_REPORT_LINE];
    return trib_progress_line(&report, columns, text);
}

std::string epoch(const trib_epoch_report &report)
{
    char text[TRIB_REPORT_LINE];
    return trib_epoch_line(&report, text);
}

const double aux[] = { 2.1, 2.05 };
const trib_progress_report full = { 3, 90, 120, 1250, 1.234, aux, 2, 45.16, 812.4, 7803, TRIB_LIMIT_DECODING };

} // namespace

TEST(Duration, TwoUnitsAtMost)
{
    EXPECT_EQ(duration(0), "0 s");
    EXPECT_EQ(duration(0.4), "0 s");
    EXPECT_EQ(duration(59.4), "59 s");
    EXPECT_EQ(duration(59.6), "1 min");
    EXPECT_EQ(duration(60), "1 min");
    EXPECT_EQ(duration(725), "12 min 5 s");
    EXPECT_EQ(duration(3599.6), "1 h");
    EXPECT_EQ(duration(7803), "2 h 10 min");
    EXPECT_EQ(duration(86399), "1 d");
    EXPECT_EQ(duration(3 * 86400 + 4 * 3600 + 5), "3 d 4 h");
}

TEST(Duration, Unknown)
{
    for (double seconds : { double(NAN), -1.0, infinity, 1e12 }) EXPECT_EQ(duration(seconds), "?");
}

TEST(Pace, IsThatOfTheLastSteps)
{
    trib_pace pace = {};
    EXPECT_TRUE(std::isnan(trib_pace_images_per_second(&pace)));
    trib_pace_add(&pace, 100, 0);
    EXPECT_TRUE(std::isnan(trib_pace_images_per_second(&pace)));
    EXPECT_TRUE(std::isnan(trib_pace_seconds_for(&pace, 10)));
    for (int i = 1; i <= 200; ++i) trib_pace_add(&pace, 100 + i, 32 * i); // slow
    EXPECT_DOUBLE_EQ(trib_pace_images_per_second(&pace), 32);
    EXPECT_DOUBLE_EQ(trib_pace_seconds_for(&pace, 10), 10);
    for (int i = 1; i <= TRIB_PACE_STEPS; ++i) trib_pace_add(&pace, 300 + 0.25 * i, 6400 + 32 * i); // then fast
    EXPECT_DOUBLE_EQ(trib_pace_images_per_second(&pace), 128);
    EXPECT_DOUBLE_EQ(trib_pace_seconds_for(&pace, 0), 0);
}

TEST(Pace, AClockThatStandsStillHasNone)
{
    trib_pace pace = {};
    trib_pace_add(&pace, 5, 0);
    trib_pace_add(&pace, 5, 32);
    EXPECT_TRUE(std::isnan(trib_pace_images_per_second(&pace)));
}

TEST(Limit, IsWhereTheTimeGoes)
{
    EXPECT_EQ(trib_limit_of(10, 0.5, 9, 50), TRIB_LIMIT_COMPUTING);
    EXPECT_EQ(trib_limit_of(10, 4, 9, 50), TRIB_LIMIT_DECODING);
    EXPECT_EQ(trib_limit_of(10, 4, 90, 50), TRIB_LIMIT_READING);
    EXPECT_EQ(trib_limit_of(10, 4, 0, 0), TRIB_LIMIT_UNKNOWN);
    EXPECT_EQ(trib_limit_of(0, 0, 1, 1), TRIB_LIMIT_UNKNOWN);
    EXPECT_EQ(trib_limit_of(NAN, NAN, NAN, NAN), TRIB_LIMIT_UNKNOWN);
    EXPECT_EQ(trib_limit_of(10, 4, NAN, 1), TRIB_LIMIT_UNKNOWN);
    EXPECT_STREQ(trib_limit_name(TRIB_LIMIT_READING), "reading");
    EXPECT_STREQ(trib_limit_name(TRIB_LIMIT_UNKNOWN), "");
    EXPECT_STREQ(trib_limit_name(trib_limit(99)), "");
}

TEST(ProgressLine, Complete)
{
    EXPECT_EQ(line(full), "epoch 3/90  step 120/1250  loss 1.234 (aux 2.100 2.050)  top-1 45.2 %  812 images/s  "
                          "limited by decoding  2 h 10 min left");
}

TEST(ProgressLine, WhatIsUnknownIsLeftOut)
{
    EXPECT_EQ(line({ 0, 0, 7, 0, NAN, nullptr, 0, NAN, NAN, NAN, TRIB_LIMIT_UNKNOWN }), "step 7");
    EXPECT_EQ(line({ 0, 0, 7, 500, 2.5, nullptr, 0, NAN, 3.25, NAN, TRIB_LIMIT_UNKNOWN }),
              "step 7/500  loss 2.500  3.2 images/s");
    EXPECT_EQ(line({ 1, 2, 7, 500, infinity, nullptr, 0, 0, 0, infinity, TRIB_LIMIT_COMPUTING }),
              "epoch 1/2  step 7/500  loss inf  top-1 0.0 %  limited by computing  ? left");
    EXPECT_EQ(line({ 1, 2, 7, 500, 123456, nullptr, 0, NAN, NAN, NAN, TRIB_LIMIT_UNKNOWN }),
              "epoch 1/2  step 7/500  loss 1.23e+05");
}

TEST(ProgressLine, FitsTheTerminal)
{
    const int whole = int(line(full).size());
    EXPECT_EQ(line(full, whole), line(full));
    EXPECT_EQ(line(full, whole - 1), "epoch 3/90  step 120/1250  loss 1.234 (aux 2.100 2.050)  top-1 45.2 %  "
                                     "limited by decoding  2 h 10 min left");
    EXPECT_EQ(line(full, 80), "epoch 3/90  step 120/1250  loss 1.234  limited by decoding  2 h 10 min left");
    trib_progress_report computing = full;
    computing.limit = TRIB_LIMIT_COMPUTING;
    EXPECT_EQ(line(computing, whole - 1), "epoch 3/90  step 120/1250  loss 1.234 (aux 2.100 2.050)  top-1 45.2 %  "
                                          "812 images/s  2 h 10 min left");
    EXPECT_EQ(line(computing, 80), "epoch 3/90  step 120/1250  loss 1.234  top-1 45.2 %  2 h 10 min left");
    EXPECT_EQ(line(full, 40), "epoch 3/90  step 120/1250");
    EXPECT_EQ(line(full, 12), "epoch 3/90");
    for (int columns = 10; columns < 200; ++columns) EXPECT_LE(int(line(full, columns).size()), columns);
}

TEST(ProgressLine, LargeNumbersAreNoOverflow)
{
    const std::vector<double> many(100, -1e300);
    const std::int64_t most = std::numeric_limits<std::int64_t>::max();
    EXPECT_LT(
        line({ most, most, most, most, -1e300, many.data(), 100, -1e300, 1e300, 8e7, TRIB_LIMIT_COMPUTING }).size(),
        std::size_t(TRIB_REPORT_LINE));
}

TEST(EpochLine, Complete)
{
    EXPECT_EQ(epoch({ 3, 90, 1.234, 1.31, 45.2, 47, 0.01, 725, true }),
              "epoch 3/90: loss 1.234, validation 1.310, top-1 45.2 % (averaged 47.0 %), the best so far; lr 0.01; "
              "12 min 5 s");
    EXPECT_EQ(epoch({ 3, 0, 1.234, NAN, NAN, NAN, NAN, NAN, false }), "epoch 3: loss 1.234");
}

// ---- plateaus ----

namespace
{

// Feeds `count` steps in which the heads' losses are `losses`; returns all warnings.
unsigned feed(trib_plateau &p, std::int64_t &step, int count, const std::vector<double> &losses)
{
    unsigned heads = 0;
    for (int i = 0; i < count; ++i) heads |= trib_plateau_add(&p, ++step, losses.data());
    return heads;
}

} // namespace

TEST(Plateau, EachHeadIsWarnedOfOnce)
{
    const double u = std::log(1000);
    trib_plateau p = trib_plateau_begin(1000, 3, 500);
    std::int64_t step = 0;
    EXPECT_EQ(feed(p, step, 499, { u, 3, u * 1.009 }), 0u); // every run begins there
    EXPECT_EQ(feed(p, step, 1, { u, 3, u * 1.009 }), 5u);
    EXPECT_EQ(feed(p, step, 1000, { u, 3, u }), 0u);
    EXPECT_EQ(feed(p, step, 99, { u, u, u }), 0u); // the second head falls back: its mean gets there with the 100th
    EXPECT_EQ(feed(p, step, 1, { u, u, u }), 2u);
}

TEST(Plateau, ALossThatFallsOrSwingsIsNone)
{
    const double u = std::log(10);
    trib_plateau p = trib_plateau_begin(10, 1, 0);
    std::int64_t step = 0;
    EXPECT_EQ(feed(p, step, 1000, { u * 0.985 }), 0u);
    EXPECT_EQ(feed(p, step, 1000, { u * 1.02 }), 0u);
    EXPECT_EQ(feed(p, step, 1000, { NAN }), 0u);
    EXPECT_EQ(feed(p, step, 1000, { infinity }), 0u);
    EXPECT_EQ(feed(p, step, TRIB_PLATEAU_STEPS, { u }), 1u);
}

TEST(Plateau, NotBeforeTheWindowIsFull)
{
    trib_plateau p = trib_plateau_begin(10, 9, 0);
    EXPECT_EQ(p.heads, TRIB_PLATEAU_HEADS);
    std::int64_t step = 5000; // resumed
    const std::vector<double> losses(9, std::log(10));
    EXPECT_EQ(feed(p, step, TRIB_PLATEAU_STEPS - 1, losses), 0u);
    EXPECT_EQ(feed(p, step, 1, losses), 15u);
}

TEST(Plateau, OneClassHasNone)
{
    trib_plateau p = trib_plateau_begin(1, 1, 0);
    std::int64_t step = 0;
    EXPECT_EQ(feed(p, step, 1000, { 0 }), 0u);
}

TEST(Plateau, WarningNamesHeadAndReason)
{
    char text[TRIB_REPORT_LINE];
    const trib_plateau p = trib_plateau_begin(1000, 1, 0);
    EXPECT_STREQ(
        trib_plateau_warning(&p, 1200, "loss2", text),
        "loss2 sits at 6.91, ln(1000), after 1200 steps: this head knows nothing yet; a lower learning rate, a "
        "warm-up or another seed may let it begin to learn");
    EXPECT_LT(std::string(trib_plateau_warning(&p, 1200, std::string(500, 'x').c_str(), text)).size(),
              std::size_t(TRIB_REPORT_LINE - 1));
}
