// SPDX-License-Identifier: Apache-2.0
// Plans by chance, and a device that runs them in steps of a nanosecond. What each stream does in each step, and why,
// is written down while it happens; the numbers of a profile are counted from that. Shares no code with the library.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "tributary/plan.h"

namespace simulation
{

constexpr std::int64_t begin = 1000; // ns

struct Op {
    std::string name;
    int stream = 0, window = 0, branch = -1;
    bool runs = true;
    std::vector<int> waits; // other streams' ops
    // How it will run: for how long, and how long it takes to begin once it could.
    std::int64_t length = 0, delay = 0;
    std::int64_t issued = 0; // 0: unknown
    std::int64_t alone = 0;
    bool beside = false; // may reach over a window's edge: its `alone` and so on are multiples of its length
    int share = 0;
    std::int64_t bytes = 0, flops = 0;
    // How it ran.
    int before = -1; // on its stream
    std::int64_t ready = 0, start = 0, end = 0;
};

// What a stream does in a step.
enum class Does { compute, wait, host, begin, held, nothing };

struct Window {
    int last; // op
    bool module;
    int branches;
};

// A network of modules and trunk with a schedule, all by chance.
class Plan
{
  public:
    explicit Plan(std::uint64_t seed);
    Plan(const Plan &) = delete;
    Plan &operator=(const Plan &) = delete;
    const trib_plan *plan() const { return &plan_; }

    std::vector<Op> ops;
    std::vector<Window> windows;
    int streams;
    std::int64_t latency; // tau
    std::int64_t copy_rate, math_rate;

  private:
    friend class Builder;
    trib_plan plan_ = {};
    std::vector<trib_plan_op> plan_ops_;
    std::vector<trib_plan_fork> forks_;
    std::deque<std::string> names_;
};

// The steps of one run: does[s][t] and next[s][t], the op that stream s computes at begin + t or that it comes to next.
struct Log {
    std::int64_t end;
    std::vector<std::vector<Does>> does;
    std::vector<std::vector<int>> next;
};

// Runs the plan; fills in `ready`, `start` and `end` of its ops.
Log run(Plan &plan);

} // namespace simulation
