// SPDX-License-Identifier: Apache-2.0
// A profile of a few ops, written down by hand, for what draws profiles: nothing here is measured or analysed.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "profile/profile.h"

namespace drawn
{

struct Op {
    std::string name;
    int stream, window, branch;
    std::int64_t from, to; // to = 0: it runs nothing
    std::vector<int> waits;
    std::vector<int> writes = {}, reads = {}; // buffers
};

struct Part {
    std::string name;
    trib_profile_kind kind;
    std::int64_t from, to;
    std::vector<std::string> branches;
};

// Keeps what its members point to.
class Profile
{
  public:
    Profile(std::vector<Op> ops, std::vector<Part> parts, std::vector<std::int64_t> buffers = {}, int lane = 0);
    Profile(const Profile &) = delete;
    Profile &operator=(const Profile &) = delete;

    trib_plan plan = {};
    trib_profile_graph graph = {};
    trib_profile profile = {};
    std::vector<trib_op_time> times;
    std::vector<Op> ops;
    std::vector<trib_profile_op_result> results;
    std::vector<trib_profile_step> steps; // of the critical path: call set_path after a change

    void set_path();

  private:
    void make_window(std::size_t i, int streams);
    std::vector<Part> parts_;
    std::vector<trib_plan_op> plan_ops_;
    std::vector<trib_plan_buffer> plan_buffers_;
    std::vector<trib_profile_op> graph_ops_;
    std::vector<trib_profile_part> graph_parts_;
    std::deque<std::vector<const char *>> branch_names_;
    std::deque<std::vector<trib_profile_stream>> streams_;
    std::deque<std::vector<std::int64_t>> at_;
    std::deque<std::vector<trib_profile_branch>> branches_;
    std::vector<trib_profile_window> windows_;
};

// A module of two branches between two ops of the trunk, on two streams:
//
//     stream 0   conv 1000..2000, in/1x1 2000..3000, (in/output), fc 4500..5000
//     stream 1                    in/3x3_reduce 2100..2500, in/3x3 2500..4400
//
// The join runs nothing.
std::vector<Op> two_branches();
std::vector<Part> two_branch_parts();
std::vector<std::int64_t> two_branch_buffers();

} // namespace drawn
