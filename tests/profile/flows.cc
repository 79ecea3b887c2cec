// SPDX-License-Identifier: Apache-2.0
#include "profile/flows.h"

#include <numeric>

namespace flows
{

Flow &Flow::window(const std::string &name, trib_profile_kind kind, std::vector<std::string> branches)
{
    parts_.push_back({ name, kind, std::move(branches), -1 });
    return *this;
}

Flow &Flow::op(Op op)
{
    op.window = parts_.empty() ? 0 : int(parts_.size()) - 1;
    if (!parts_.empty()) parts_.back().last = int(ops.size());
    ops.push_back(std::move(op));
    return *this;
}

Flow &Flow::ends_with(int op)
{
    parts_.back().last = op;
    return *this;
}

const trib_profile_graph *Flow::graph()
{
    graph_ops_.clear();
    graph_parts_.clear();
    names_.clear();
    for (const Op &op : ops)
        graph_ops_.push_back({ op.name.c_str(), op.stream, op.window, op.branch, op.start != 0 || op.end != 0, op.bytes,
                               op.flops, op.share, int(op.waits.size()), op.waits.data() });
    for (const Part &part : parts_) {
        names_.emplace_back();
        for (const std::string &branch : part.branches) names_.back().push_back(branch.c_str());
        graph_parts_.push_back(
            { part.name.c_str(), part.kind, -1, part.last, int(part.branches.size()), names_.back().data() });
    }
    graph_ = { int(ops.size()), int(parts_.size()), streams_, graph_ops_.data(), graph_parts_.data(), nullptr };
    return &graph_;
}

trib_profile_run Flow::run()
{
    times_.clear();
    alone_.clear();
    for (const Op &op : ops) {
        times_.push_back({ op.issued, op.start, op.end });
        alone_.push_back(op.alone);
    }
    return { times_.data(),
             clock_step,
             lane,
             0,
             alone_is_known ? alone_.data() : nullptr,
             serial.empty() ? nullptr : serial.data() };
}

trib_status analyse(Flow &flow, Profile &out, const trib_profile_limits &limits, trib_contradiction *found)
{
    const trib_profile_run run = flow.run();
    trib_profile profile;
    trib_status status = trib_profile_analyse(flow.graph(), &run, &limits, &profile, found);
    if (!trib_failed(&status)) {
        trib_profile_release(&out);
        static_cast<trib_profile &>(out) = profile;
    }
    return status;
}

static std::int64_t sum_of(const std::int64_t *values, int count)
{
    return std::accumulate(values, values + count, std::int64_t { 0 });
}

static void expect_window_closed(const trib_profile &p, const trib_profile_window &w, bool run)
{
    EXPECT_EQ(w.wall, w.to - w.from);
    EXPECT_EQ(w.busy + sum_of(w.idle, TRIB_IDLE_CAUSE_COUNT), w.streams * w.wall);
    EXPECT_EQ(sum_of(w.at, p.stream_count + 1), w.wall);
    EXPECT_EQ(w.any, w.wall - w.at[0]);
    EXPECT_EQ(w.busy, w.sum);
    std::int64_t weighted = 0, above = 0;
    for (int k = 0; k <= p.stream_count; ++k) {
        weighted += k * w.at[k];
        above += k >= 2 ? w.at[k] : 0;
    }
    EXPECT_EQ(weighted, w.busy);
    EXPECT_EQ(above, w.overlap);
    EXPECT_EQ(w.path.busy + w.path.gaps + w.path.host, w.wall);
    std::int64_t now = w.from;
    for (int k = 0; k < w.path.step_count; ++k) {
        EXPECT_EQ(w.path.steps[k].from - w.path.steps[k].gap, now);
        EXPECT_GE(w.path.steps[k].gap, 0);
        EXPECT_GE(w.path.steps[k].to, w.path.steps[k].from);
        now = w.path.steps[k].to;
    }
    EXPECT_EQ(now, w.to);
    std::int64_t streams = 0, pieces = 0;
    for (int s = 0; s < p.stream_count; ++s) {
        const trib_profile_stream &stream = w.stream[s];
        streams += stream.has_ops;
        const std::int64_t all = stream.busy + sum_of(stream.idle, TRIB_IDLE_CAUSE_COUNT);
        EXPECT_TRUE(all == w.wall || (!stream.has_ops && all == 0)) << "stream " << s;
        pieces += sum_of(stream.idle, TRIB_IDLE_CAUSE_COUNT);
    }
    EXPECT_EQ(streams, w.streams);
    for (int k = 0; k < w.idle_count; ++k) {
        EXPECT_LT(w.pieces[k].from, w.pieces[k].to);
        pieces -= w.pieces[k].to - w.pieces[k].from;
        if (k && w.pieces[k - 1].stream == w.pieces[k].stream) {
            EXPECT_LE(w.pieces[k - 1].to, w.pieces[k].from);
        }
    }
    EXPECT_EQ(pieces, 0);
    if (run) return;
    trib_profile_branch sum = w.trunk;
    for (int b = 0; b < w.branch_count; ++b) {
        sum.busy += w.branches[b].busy;
        sum.alone += w.branches[b].alone;
        sum.path += w.branches[b].path;
        sum.gaps += w.branches[b].gaps;
    }
    EXPECT_EQ(sum.busy, w.sum);
    EXPECT_EQ(sum.alone, w.alone);
    EXPECT_EQ(sum.path, w.path.busy);
    EXPECT_EQ(sum.gaps, w.path.gaps + w.path.host);
}

static void expect_factors(const trib_profile_window &w)
{
    const trib_profile_gain g = trib_profile_gain_of(&w);
    if (!(w.serial > 0 && w.alone > 0 && w.sum > 0)) return;
    EXPECT_NEAR(g.serial_gaps * g.stretch * g.concurrency * g.device_busy, g.gain, 1e-12 * g.gain);
}

void expect_closed(const trib_profile &p, const std::vector<std::int64_t> &durations)
{
    std::int64_t wall = 0, busy = 0, any = 0, overlap = 0, alone = 0, now = p.total.from;
    for (int w = 0; w < p.window_count; ++w) {
        SCOPED_TRACE("window " + std::to_string(w));
        const trib_profile_window &window = p.windows[w];
        expect_window_closed(p, window, false);
        expect_factors(window);
        EXPECT_EQ(window.from, now);
        now = window.to;
        wall += window.wall;
        busy += window.busy;
        any += window.any;
        overlap += window.overlap;
        alone += window.alone;
    }
    SCOPED_TRACE("the run");
    expect_window_closed(p, p.total, true);
    expect_factors(p.total);
    EXPECT_EQ(now, p.total.to);
    EXPECT_EQ(wall, p.total.wall);
    EXPECT_EQ(busy, p.total.busy);
    EXPECT_EQ(any, p.total.any);
    EXPECT_EQ(overlap, p.total.overlap);
    EXPECT_EQ(alone, p.total.alone);
    if (!durations.empty()) {
        EXPECT_EQ(busy, std::accumulate(durations.begin(), durations.end(), std::int64_t { 0 }));
    }
}

std::string text_of(const trib_profile_path &path, const trib_profile_graph &graph)
{
    std::string text;
    for (int k = 0; k < path.step_count; ++k) {
        const trib_profile_step &step = path.steps[k];
        if (k) text += ", ";
        const std::string name = graph.ops[step.op].name, length = std::to_string(step.to - step.from);
        text += step.host ? "host:" + name + " " + length : name + " " + std::to_string(step.gap) + "+" + length;
    }
    return text;
}

std::vector<std::string> text_of_idle(const trib_profile_window &window, const trib_profile_graph &graph, int stream)
{
    std::vector<std::string> texts;
    const auto name = [&](int op) { return op < 0 ? std::string("-") : std::string(graph.ops[op].name); };
    for (int k = 0; k < window.idle_count; ++k) {
        const trib_profile_idle &piece = window.pieces[k];
        if (piece.stream != stream) continue;
        std::string text = trib_idle_cause_name(piece.cause);
        text += "[" + std::to_string(piece.from) + "," + std::to_string(piece.to) + ") " + name(piece.next);
        if (piece.op >= 0) text += ":" + name(piece.op);
        texts.push_back(text);
    }
    return texts;
}

} // namespace flows
