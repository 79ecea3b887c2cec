// SPDX-License-Identifier: Apache-2.0
// Runs written down op by op, and what is expected of their numbers.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "profile/profile.h"
#include "support/support.h"

namespace flows
{

struct Op {
    std::string name;
    int stream = 0;
    std::int64_t start = 0, end = 0; // both 0: it runs nothing
    std::vector<int> waits = {};
    int branch = -1;
    std::int64_t alone = 0;
    int share = 0;
    std::int64_t bytes = 0, flops = 0;
    std::int64_t issued = 50;
    int window = 0;
};

// A graph with one run of it.
class Flow
{
  public:
    explicit Flow(int streams) : streams_(streams) {}
    // Ops that follow are in this window, which ends with its last op.
    Flow &window(const std::string &name, trib_profile_kind kind = TRIB_PROFILE_TRUNK,
                 std::vector<std::string> branches = {});
    Flow &op(Op op);
    // The window ends with this op, and not with its last one.
    Flow &ends_with(int op);

    const trib_profile_graph *graph();
    trib_profile_run run();
    std::vector<Op> ops;
    std::vector<std::int64_t> serial;
    std::int64_t clock_step = 0;
    int lane = 0;
    bool alone_is_known = true;

  private:
    struct Part {
        std::string name;
        trib_profile_kind kind;
        std::vector<std::string> branches;
        int last;
    };
    int streams_;
    std::deque<Part> parts_;
    std::vector<trib_profile_op> graph_ops_;
    std::vector<trib_profile_part> graph_parts_;
    std::deque<std::vector<const char *>> names_;
    std::vector<trib_op_time> times_;
    std::vector<std::int64_t> alone_;
    trib_profile_graph graph_ = {};
};

// Released at the end.
struct Profile : trib_profile {
    Profile() : trib_profile() {}
    ~Profile() { trib_profile_release(this); }
    Profile(const Profile &) = delete;
    Profile &operator=(const Profile &) = delete;
};

trib_status analyse(Flow &flow, Profile &out, const trib_profile_limits &limits = {},
                    trib_contradiction *found = nullptr);

// What holds for every profile: sums close to the nanosecond, in each window and over all of them.
void expect_closed(const trib_profile &profile, const std::vector<std::int64_t> &durations = {});

// "3x3 2+100" is an op with the gap before it and its duration, "host:3x3 30" time of the host; in order of time.
std::string text_of(const trib_profile_path &path, const trib_profile_graph &graph);
// "latency[200,204) 1x1", "dependency[1030,1060) d:b", "imbalance[235,352) -:3x3": next op, and the op to blame.
std::vector<std::string> text_of_idle(const trib_profile_window &window, const trib_profile_graph &graph, int stream);

} // namespace flows
