// SPDX-License-Identifier: Apache-2.0
// From opening the device to closing it, with a network run in between: whatever call of CUDA, cuDNN or cuBLASLt or
// host allocation fails, once, from then on, or as a fault of the device, the error says where; nothing leaks;
// and afterwards everything works, if the device does.
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <set>

#include "cuda/network.h"
#include "fakecuda/fakecuda.h"
#include "fakecuda/library.h"
#include "support/form.h"
#include "tributary/internal/fault.h"

using fakecuda::Failure;
using network::Bytes;
using network::Net;
using network::Way;

namespace
{

// Every kind of op, and not one convolution more: half of all calls are for choosing plans of convolutions.
constexpr int modules = 1;

class Scenario
{
  public:
    Scenario(const Way &way, const char *choices_path) : net_(modules), way_(way), choices_path_(choices_path)
    {
        for (int i = 0; i < 2; ++i) wanted_[i] = net_.result(way, i);
    }

    // `afterwards` is called with the device still open.
    using Afterwards = std::function<void(trib_device *device, const trib_status &status)>;
    trib_status run(const Afterwards &afterwards = nullptr)
    {
        trib_device_options options {};
        options.choices_path = choices_path_;
        trib_device *opened = nullptr;
        left_ = 0;
        TRIB_TRY(trib_device_open("cuda", &options, &opened));
        nets::Device device(opened);
        trib_status status = use(opened);
        if (afterwards) afterwards(opened, status);
        left_ = trib_device_memory(opened).current_bytes;
        return status;
    }

    trib_status use(trib_device *device)
    {
        trib_session *made = nullptr;
        TRIB_TRY(net_.create(device, way_, &made));
        nets::Session session(made);
        for (int i = 0; i < 2; ++i) TRIB_TRY(net_.run(made, i, 1, &outputs_[i]));
        return trib_success();
    }

    bool right() const { return outputs_[0] == wanted_[0] && outputs_[1] == wanted_[1]; }
    std::int64_t left() const { return left_; }

  private:
    Net net_;
    Way way_;
    const char *choices_path_;
    Bytes wanted_[2], outputs_[2];
    std::int64_t left_ = 0;
};

bool contains(const trib_status &status, const std::string &text)
{
    return std::strstr(status.message, text.c_str()) != nullptr;
}

// State of a separate machine, which is cheap to create.
fakecuda::Options machine(std::int64_t k)
{
    fakecuda::Options options;
    options.seed = std::uint64_t(k);
    options.memory = options.pinned = std::size_t(8) << 20;
    options.kernel = 3000000; // so long that measuring one takes few runs
    return options;
}

void expect_nothing_left(const Scenario &scenario)
{
    EXPECT_EQ(fakecuda::leaks(), "");
    EXPECT_EQ(fakecuda::library::leaks(), "");
    EXPECT_EQ(scenario.left(), 0);
    for (const std::string &text : fakecuda::violations()) ADD_FAILURE() << text;
}

// Whether the message names the call that failed. For what cuDNN asks CUDA, its own call; for memory, what was asked
// for.
bool names(const trib_status &status, const std::string &function)
{
    if (function == "kernel") return contains(status, "cudaLaunchKernel");
    if (status.code == TRIB_OUT_OF_MEMORY && contains(status, "bytes asked for")) return true;
    bool by_cudnn = function == "cudaGetDeviceCount" && contains(status, "cudnnBackendFinalize");
    return by_cudnn || contains(status, function);
}

void check_message(const trib_status &status, const std::string &function, Failure how)
{
    EXPECT_TRUE(status.code == TRIB_DEVICE_ERROR || status.code == TRIB_OUT_OF_MEMORY) << status.code;
    // If the failure of the first may go unnoticed, a later one is named.
    bool some = contains(status, ": cuda") || contains(status, ": cudnn") || contains(status, ": cublas");
    EXPECT_TRUE(names(status, function) || (how != Failure::once && some));
    EXPECT_TRUE(how != Failure::sticky || contains(status, "cudaErrorIllegalAddress"));
    bool of_an_op = function == "kernel" || contains(status, "conv2d") || contains(status, "linear");
    EXPECT_TRUE(!of_an_op || contains(status, "layer "));
}

struct Tally {
    std::int64_t calls = 0, reported = 0, repeated = 0;
    std::map<std::string, int> unseen; // by function
    std::set<std::string> seen;        // kinds of failures

    void print(const char *what) const
    {
        std::printf("%lld %s, %lld failures reported, %lld times all was done again\n", static_cast<long long>(calls),
                    what, static_cast<long long>(reported), static_cast<long long>(repeated));
        for (const auto &entry : unseen)
            std::printf("  unseen, and the result right: %s, %d times\n", entry.first.c_str(), entry.second);
    }
};

// The next one works, or reports that the device is lost until the program is restarted.
void again(Scenario &scenario, bool lost)
{
    trib_status status = scenario.run();
    SCOPED_TRACE(std::string("the next: ") + status.message);
    EXPECT_EQ(status.code, lost ? TRIB_DEVICE_ERROR : TRIB_OK);
    EXPECT_TRUE(lost || scenario.right());
    expect_nothing_left(scenario);
}

// What fails once leaves a device that works.
void use_again(Scenario &scenario, trib_device *device)
{
    trib_status status = scenario.use(device);
    EXPECT_EQ(status.code, TRIB_OK) << "on the same device: " << status.message;
    EXPECT_TRUE(scenario.right());
}

void fail_call(Scenario &scenario, std::int64_t k, Failure how, Tally &tally)
{
    fakecuda::reset(machine(k));
    fakecuda::fail(k, how);
    bool worth_it = k % 20 == 0;
    trib_status status = scenario.run([&](trib_device *device, const trib_status &failure) {
        const std::string function = fakecuda::failed_function();
        if (function.empty()) return; // it is yet to come, in closing the device
        SCOPED_TRACE("call " + std::to_string(k) + ", " + function + ": " + failure.message);
        EXPECT_TRUE(trib_failed(&failure) || scenario.right());
        // Once for all failures of the same kind, and now and then.
        worth_it = tally.seen.insert(function + failure.message).second || worth_it;
        if (worth_it && how == Failure::once) use_again(scenario, device);
    });
    fakecuda::stop_failing();
    const std::string function = fakecuda::failed_function();
    SCOPED_TRACE("call " + std::to_string(k) + ", " + function + ": " + status.message);
    expect_nothing_left(scenario);
    tally.reported += trib_failed(&status);
    if (trib_failed(&status))
        check_message(status, function, how);
    else if (!function.empty())
        ++tally.unseen[function];
    if (!worth_it) return;
    ++tally.repeated;
    again(scenario, how == Failure::sticky && !function.empty());
}

std::int64_t count_calls(Scenario &scenario)
{
    fakecuda::reset(machine(1));
    fakecuda::fail(0, Failure::once);
    EXPECT_OK(scenario.run());
    EXPECT_TRUE(scenario.right());
    return fakecuda::stop_failing();
}

void torture(const Way &way, Failure how, const char *choices_path = nullptr, std::int64_t step = 1)
{
    Scenario scenario(way, choices_path);
    Tally tally;
    tally.calls = count_calls(scenario);
    ASSERT_GT(tally.calls, 1000);
    step *= support::by_form(97, 13, 1); // primes: calls come in rounds of the same kinds
    for (std::int64_t k = 1; k <= tally.calls + 3 && !testing::Test::HasFailure(); k += step)
        fail_call(scenario, k, how, tally);
    tally.print("calls");
    EXPECT_GT(tally.reported, tally.calls / step / 2);
    fakecuda::reset();
}

Way branches()
{
    Way way;
    way.schedule = TRIB_BRANCHES;
    return way;
}

Way fused()
{
    Way way;
    way.schedule = TRIB_FUSED;
    way.launch = TRIB_GRAPH;
    way.pixels = true;
    return way;
}

TEST(NetworkTorture, EachCallFailsOnceInBranches) { torture(branches(), Failure::once); }
TEST(NetworkTorture, EachCallFailsOnceInAFusedGraph) { torture(fused(), Failure::once); }
TEST(NetworkTorture, EachCallFailsAndEveryLaterOneInBranches) { torture(branches(), Failure::forever); }
TEST(NetworkTorture, EachCallFailsAndEveryLaterOneInAFusedGraph) { torture(fused(), Failure::forever); }
TEST(NetworkTorture, TheDeviceFaultsAtEachCallInBranches) { torture(branches(), Failure::sticky); }
TEST(NetworkTorture, TheDeviceFaultsAtEachCallInAFusedGraph) { torture(fused(), Failure::sticky); }

// Choices and compiled plans come from a file: a plan that cannot be loaded is made again.
TEST(NetworkTorture, EachCallFailsOnceWithRememberedPlans)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("choices");
    Way way = fused();
    way.precision = TRIB_PRECISION_FP16;
    Scenario first(way, path.c_str());
    ASSERT_OK(first.run());
    ASSERT_NE(support::read_file(path), "");
    torture(way, Failure::once, path.c_str());
}

TEST(NetworkTorture, EverySeventhCallFailsOnceWhileCandidatesAreMeasured)
{
    Way way = fused();
    way.measure = true;
    torture(way, Failure::once, nullptr, 7);
}

void torture_host_memory(const Way &way, bool forever)
{
    Scenario scenario(way, nullptr);
    fakecuda::reset(machine(1));
    trib_fault_arm(0, false);
    ASSERT_OK(scenario.run());
    Tally tally;
    tally.calls = trib_fault_disarm();
    ASSERT_GT(tally.calls, 300);
    const std::int64_t step = support::by_form(5, 1);
    for (std::int64_t k = 1; k <= tally.calls && !testing::Test::HasFailure(); k += step) {
        fakecuda::reset(machine(k));
        trib_fault_arm(k, forever);
        trib_status status = scenario.run();
        trib_fault_disarm();
        SCOPED_TRACE("allocation " + std::to_string(k) + ": " + status.message);
        expect_nothing_left(scenario);
        bool failed = trib_failed(&status);
        tally.reported += failed;
        EXPECT_TRUE(failed ? status.code == TRIB_OUT_OF_MEMORY : scenario.right());
        again(scenario, false);
        ++tally.repeated;
    }
    tally.print("allocations");
    EXPECT_GT(tally.reported, tally.calls / step / 2);
    fakecuda::reset();
}

TEST(NetworkTorture, EachHostAllocationFailsOnceInBranches) { torture_host_memory(branches(), false); }
TEST(NetworkTorture, EachHostAllocationFailsOnceInAFusedGraph) { torture_host_memory(fused(), false); }
TEST(NetworkTorture, EachHostAllocationFailsAndEveryLaterOneInBranches) { torture_host_memory(branches(), true); }
TEST(NetworkTorture, EachHostAllocationFailsAndEveryLaterOneInAFusedGraph) { torture_host_memory(fused(), true); }

} // namespace
