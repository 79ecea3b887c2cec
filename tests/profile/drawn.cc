// SPDX-License-Identifier: Apache-2.0
#include "profile/drawn.h"

#include <algorithm>

namespace drawn
{

static trib_view view_of(int buffer)
{
    trib_view v = {};
    v.buffer = buffer;
    return v;
}

static trib_plan_op plan_op_of(const Op &o)
{
    trib_plan_op op = {};
    op.name = o.name.c_str();
    op.stream = o.stream;
    op.record = op.workspace = op.parameters = op.consumer = -1;
    op.fork = -1;
    op.implementation = o.to ? "native" : nullptr;
    op.desc.input_count = int(o.reads.size());
    op.desc.output_count = int(o.writes.size());
    for (std::size_t i = 0; i < o.reads.size(); ++i) op.desc.inputs[i] = view_of(o.reads[i]);
    for (std::size_t i = 0; i < o.writes.size(); ++i) op.desc.outputs[i] = view_of(o.writes[i]);
    op.flops = 1000000;
    op.bytes = 5000;
    return op;
}

static trib_profile_op graph_op_of(const Op &o)
{
    trib_profile_op op = {};
    op.name = o.name.c_str();
    op.stream = o.stream;
    op.window = o.window;
    op.branch = o.branch;
    op.runs = o.to != 0;
    op.wait_count = int(o.waits.size());
    op.waits = o.waits.data();
    return op;
}

static trib_profile_op_result result_of(const Op &o)
{
    trib_profile_op_result r = {};
    r.from = o.from;
    r.to = o.to ? o.to : o.from;
    r.predecessor = -1;
    return r;
}

void Profile::make_window(std::size_t i, int streams)
{
    const Part &part = parts_[i];
    trib_profile_window w = {};
    w.from = part.from;
    w.to = part.to;
    w.wall = part.to - part.from;
    w.streams = streams;
    streams_.emplace_back(std::size_t(streams));
    at_.emplace_back(std::size_t(streams) + 1);
    branches_.emplace_back(part.branches.size());
    w.stream = streams_.back().data();
    w.at = at_.back().data();
    w.branches = branches_.back().data();
    w.branch_count = int(part.branches.size());
    windows_.push_back(w);
    branch_names_.emplace_back();
    for (const std::string &b : part.branches) branch_names_.back().push_back(b.c_str());
    trib_profile_part p = {};
    p.name = part.name.c_str();
    p.kind = part.kind;
    p.fork = -1;
    p.branches = branch_names_.back().data();
    p.branch_count = w.branch_count;
    graph_parts_.push_back(p);
}

Profile::Profile(std::vector<Op> list, std::vector<Part> parts, std::vector<std::int64_t> buffers, int lane)
    : ops(std::move(list)), parts_(std::move(parts))
{
    int streams = 1;
    std::int64_t from = INT64_MAX, to = 0;
    for (const Op &o : ops) {
        plan_ops_.push_back(plan_op_of(o));
        graph_ops_.push_back(graph_op_of(o));
        results.push_back(result_of(o));
        times.push_back({ o.to ? o.from - 5 : 0, o.to ? o.from : 0, o.to });
        streams = std::max(streams, o.stream + 1);
        if (!o.to) continue;
        from = std::min(from, o.from);
        to = std::max(to, o.to);
    }
    for (std::int64_t bytes : buffers) plan_buffers_.push_back({ "buffer", TRIB_BUFFER_ACTIVATION, bytes, 0 });
    for (std::size_t i = 0; i < parts_.size(); ++i) make_window(i, streams);
    plan.op_count = graph.op_count = profile.op_count = int(ops.size());
    plan.ops = plan_ops_.data();
    plan.buffer_count = int(plan_buffers_.size());
    plan.buffers = plan_buffers_.data();
    plan.stream_count = graph.stream_count = profile.stream_count = streams;
    graph.ops = graph_ops_.data();
    graph.parts = graph_parts_.data();
    graph.part_count = int(graph_parts_.size());
    profile.window_count = graph.part_count;
    profile.windows = windows_.data();
    profile.ops = results.data();
    profile.lane = lane;
    profile.total.from = from;
    profile.total.to = to;
    profile.total.wall = to - from;
}

void Profile::set_path()
{
    profile.total.path.steps = steps.data();
    profile.total.path.step_count = int(steps.size());
}

std::vector<Op> two_branches()
{
    return { { "input", 0, 0, -1, 1000, 0, {}, { 0 }, {} },
             { "conv", 0, 0, -1, 1000, 2000, {}, { 1 }, { 0 } },
             { "in/1x1", 0, 1, 0, 2000, 3000, {}, { 3 }, { 1 } },
             { "in/3x3_reduce", 1, 1, 1, 2100, 2500, { 1 }, { 2 }, { 1 } },
             { "in/3x3", 1, 1, 1, 2500, 4400, {}, { 3 }, { 2 } },
             { "in/output", 0, 1, -1, 4400, 0, { 4 }, {}, {} },
             { "fc", 0, 2, -1, 4500, 5000, {}, { 4 }, { 3 } } };
}

std::vector<Part> two_branch_parts()
{
    return { { "conv", TRIB_PROFILE_TRUNK, 1000, 2000, {} },
             { "in", TRIB_PROFILE_FORWARD, 2000, 4400, { "1x1", "3x3" } },
             { "fc", TRIB_PROFILE_TRUNK, 4400, 5000, {} } };
}

std::vector<std::int64_t> two_branch_buffers() { return { 100, 2000, 300, 4000, 50 }; }

} // namespace drawn
