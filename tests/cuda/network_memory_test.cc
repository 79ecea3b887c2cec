// SPDX-License-Identifier: Apache-2.0
// From the memory a network needs down to none, in steps of 1 %, as a limit and as a smaller card: it runs, or reports
// what it had no memory for; once it fails, it also fails with less; and nothing leaks.
#include <algorithm>
#include <cstdio>

#include "cuda/network.h"
#include "fakecuda/fakecuda.h"
#include "fakecuda/library.h"
#include "support/form.h"

using network::Bytes;
using network::Net;
using network::Way;

namespace
{

bool contains(const trib_status &status, const char *text)
{
    return std::string(status.message).find(text) != std::string::npos;
}

// The next percentage. Near the peak each counts: only there what is not for parameters is refused.
int below(int percent) { return percent - (percent > 90 ? support::by_form(3, 1, 1) : support::by_form(9, 4, 1)); }

class Memory : public testing::TestWithParam<Way>
{
  protected:
    trib_status run(trib_device *device, int image, Bytes *bytes)
    {
        trib_session *made = nullptr;
        Way way = GetParam();
        way.max_batch = 8; // the arena needs more than the loading of parameters does
        TRIB_TRY(net_.create(device, way, &made));
        nets::Session session(made);
        return net_.run(made, image, 1, bytes);
    }

    // With no limit.
    std::int64_t peak()
    {
        nets::Device device = network::open();
        Bytes bytes;
        EXPECT_OK(run(device.get(), 0, &bytes));
        return trib_device_memory(device.get()).peak_bytes;
    }

    void check_refusal(const trib_status &status)
    {
        EXPECT_EQ(status.code, TRIB_OUT_OF_MEMORY);
        EXPECT_TRUE(contains(status, "bytes asked for"));
        bool parameters = contains(status, "the parameters of");
        bool buffer = contains(status, "the arena of") || contains(status, "input ") || contains(status, "output ");
        EXPECT_TRUE(parameters || buffer) << "for what?";
        of_parameters_ += parameters;
        of_buffers_ += buffer;
    }

    // What works at this percentage does so at every higher one.
    void check(trib_device *device, int percent)
    {
        Bytes bytes;
        trib_status status = run(device, percent % 2, &bytes);
        SCOPED_TRACE(std::to_string(percent) + " %: " + status.message);
        bool works = !trib_failed(&status);
        EXPECT_TRUE(worked_ || !works) << "it failed with more";
        if (works)
            EXPECT_EQ(bytes, wanted_[percent % 2]);
        else
            check_refusal(status);
        EXPECT_EQ(trib_device_memory(device).current_bytes, 0);
        least_ = works ? percent : least_;
        worked_ = works;
    }

    void check_end(int least)
    {
        std::printf("needs %d %%; with less there is none for parameters (%d times), for other memory (%d times)\n",
                    least_, of_parameters_, of_buffers_);
        EXPECT_EQ(least_, least);
        EXPECT_GT(of_parameters_, 0);
        EXPECT_GT(of_buffers_, 0);
    }

    Net net_;
    Bytes wanted_[2] = { net_.result(GetParam(), 0), net_.result(GetParam(), 1) };
    bool worked_ = true;
    int least_ = 101, of_parameters_ = 0, of_buffers_ = 0;
};

TEST_P(Memory, LimitFromThePeakToNothing)
{
    trib_device_options options {};
    const std::int64_t whole = peak();
    for (int percent = 100; percent >= 0 && !HasFailure(); percent = below(percent)) {
        options.memory_limit = std::max<std::int64_t>(1, whole * percent / 100); // 0 would be no limit
        nets::Device device = network::open(&options);
        ASSERT_TRUE(device);
        check(device.get(), percent);
        if (worked_) continue;
        trib_device_set_memory_limit(device.get(), 0);
        Bytes bytes;
        EXPECT_OK(run(device.get(), 0, &bytes));
        EXPECT_EQ(bytes, wanted_[0]);
    }
    check_end(100);
}

// A card gives out multiples of 512 bytes: twice the peak is enough.
TEST_P(Memory, CardFromTwiceThePeakToNothing)
{
    fakecuda::Options options;
    const std::int64_t whole = 2 * peak();
    for (int percent = 100; percent >= 0 && !HasFailure(); percent = below(percent)) {
        options.memory = std::size_t(whole * percent / 100);
        fakecuda::reset(options);
        nets::Device device = network::open();
        ASSERT_TRUE(device);
        check(device.get(), percent);
        device.reset();
        EXPECT_EQ(fakecuda::leaks(), "");
        EXPECT_EQ(fakecuda::library::leaks(), "");
        for (const std::string &text : fakecuda::violations()) ADD_FAILURE() << text;
    }
    EXPECT_LT(least_, 100);
    check_end(least_);
    fakecuda::reset();
}

INSTANTIATE_TEST_SUITE_P(Network, Memory, testing::ValuesIn(network::parallel_ways()),
                         [](const auto &info) { return network::name_of(info.param); });

} // namespace
