// SPDX-License-Identifier: Apache-2.0
// Plans by chance on the simulated device: every number of a profile against what is counted nanosecond by nanosecond.
#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "profile/flows.h"
#include "profile/simulation.h"
#include "support/form.h"

namespace
{

using Counts = std::map<std::string, std::int64_t>;

// What lies in one window, or in the run.
class Counter
{
  public:
    Counter(const simulation::Plan &plan, const simulation::Log &log, const std::vector<std::int64_t> &cuts, int window)
        : plan_(plan), log_(log), cuts_(cuts), window_(window), from_(cuts[std::size_t(window)]),
          to_(cuts[std::size_t(window) + 1])
    {
        for (int i = 0; i < int(plan.ops.size()); ++i)
            if (is_here(i)) here_.push_back(i);
    }

    std::int64_t from() const { return from_; }
    std::int64_t to() const { return to_; }
    const std::vector<int> &here() const { return here_; }

    // Steps that op i computes here; an op of no length is here or not.
    std::int64_t steps(int i) const
    {
        return std::max<std::int64_t>(0, std::min(op(i).end, to_) - std::max(op(i).start, from_));
    }
    // Of an op that reaches over an edge, `whole` is a multiple of its length.
    std::int64_t part(int i, std::int64_t whole) const
    {
        return op(i).length == 0 || steps(i) == op(i).length ? whole : whole / op(i).length * steps(i);
    }

    bool has_ops(int stream) const
    {
        return std::any_of(here_.begin(), here_.end(), [&](int i) { return op(i).stream == stream && op(i).runs; });
    }

    // Streams' busy and idle steps, and how many are busy at a time.
    Counts streams(std::vector<std::string> *pieces) const
    {
        Counts counts;
        for (int s = 0; s < plan_.streams; ++s) {
            counts["K"] += has_ops(s);
            stream(s, counts, pieces);
        }
        for (std::int64_t t = from_; t < to_; ++t) {
            int busy = 0;
            for (int s = 0; s < plan_.streams; ++s)
                busy += does(s, t) == simulation::Does::compute && next_is_busy(s, t);
            ++counts["at " + std::to_string(busy)];
            counts["U"] += busy > 0;
            counts["overlap"] += busy > 1;
        }
        return counts;
    }

    // Longest path of times alone through what is here, found by letting ends grow until none does any more.
    std::int64_t longest_path() const
    {
        std::map<int, std::int64_t> end;
        for (int i : here_) end[i] = 0;
        for (bool grew = true; grew;) {
            grew = false;
            for (int i : here_) {
                std::int64_t start = 0;
                for (int wait : op(i).waits) start = std::max(start, end.count(wait) ? end[wait] : 0);
                if (end.count(op(i).before)) start = std::max(start, end[op(i).before]);
                const std::int64_t now = start + (op(i).runs ? part(i, op(i).alone) : 0);
                grew |= now > end[i];
                end[i] = std::max(end[i], now);
            }
        }
        std::int64_t longest = 0;
        for (const auto &[i, time] : end) longest = std::max(longest, time);
        return longest;
    }

    std::int64_t sum(std::int64_t simulation::Op::*field) const
    {
        std::int64_t total = 0;
        for (int i : here_) total += op(i).runs ? part(i, op(i).*field) : 0;
        return total;
    }

    // Millionths of the device times ns.
    std::int64_t filled() const
    {
        std::int64_t total = 0;
        for (int i : here_) total += op(i).runs ? part(i, op(i).alone) * op(i).share : 0;
        return total;
    }

    // By the run: the host, if it issued the op after all that it follows had ended.
    int predecessor(int i) const { return op(i).runs && op(i).issued > followed_end(i) ? -1 : followed(i); }

    // What each step of the window is on the critical path, from the last one back.
    std::vector<std::string> path(int last) const
    {
        std::vector<std::string> steps;
        for (std::int64_t t = to_ - 1; t >= from_; --t) {
            while (t < followed_end(last) && t < op(last).start && t < ready(last)) last = followed(last);
            const std::string &name = op(last).name;
            if (t >= op(last).start)
                steps.push_back(name);
            else if (t >= ready(last))
                steps.push_back("before " + name);
            else
                steps.push_back("host for " + name);
        }
        std::reverse(steps.begin(), steps.end());
        return steps;
    }

  private:
    const simulation::Op &op(int i) const { return plan_.ops[std::size_t(i)]; }
    simulation::Does does(int s, std::int64_t t) const
    {
        return log_.does[std::size_t(s)][std::size_t(t - simulation::begin)];
    }
    int next(int s, std::int64_t t) const { return log_.next[std::size_t(s)][std::size_t(t - simulation::begin)]; }
    bool next_is_busy(int s, std::int64_t t) const { return next(s, t) >= 0; }

    // An op of no length is in its own window, if that touches it, or else in the first that goes on behind it.
    bool is_here(int i) const
    {
        if (op(i).start < op(i).end) return steps(i) > 0;
        const std::size_t own = std::size_t(op(i).window), here = std::size_t(window_);
        const auto touches = [&](std::size_t w) { return cuts_[w] <= op(i).end && op(i).end <= cuts_[w + 1]; };
        if (cuts_.size() == 2 || touches(own)) return cuts_.size() == 2 || own == here;
        std::size_t first = 0;
        while (first + 2 < cuts_.size() && cuts_[first + 1] <= op(i).end) ++first;
        return first == here;
    }

    // Of the stream's own op and of those waited for, the one that ended last.
    int followed(int i) const
    {
        int last = op(i).before;
        for (int wait : op(i).waits)
            if (last < 0 || op(wait).end > op(last).end) last = wait;
        return last;
    }
    std::int64_t followed_end(int i) const { return followed(i) < 0 ? INT64_MIN : op(followed(i)).end; }
    std::int64_t ready(int i) const { return op(i).ready; }

    // What really ran where streams only meet.
    int really(int i) const
    {
        while (!op(i).runs && followed(i) >= 0) i = followed(i);
        return i;
    }
    int waited_for(int i) const
    {
        std::vector<int> all = op(i).waits;
        if (op(i).before >= 0 && !op(op(i).before).runs) all.push_back(op(i).before);
        std::sort(all.begin(), all.end());
        int last = -1;
        for (int wait : all)
            if (last < 0 || op(wait).end > op(last).end) last = wait;
        return last < 0 ? -1 : really(last);
    }

    bool is_first_of_branch(int i) const
    {
        if (op(i).branch < 0) return false;
        for (int other : here_)
            if (op(other).runs && op(other).window == op(i).window && op(other).branch == op(i).branch)
                return other == i;
        return false;
    }

    int ended_last() const
    {
        int last = -1;
        for (const bool branches : { true, false })
            for (int i : here_) {
                if (!op(i).runs || (branches && (op(i).window != window_ || op(i).branch < 0))) continue;
                if (last < 0 || (std::min(op(i).end, to_) > std::min(op(last).end, to_) && !was_branch(last, branches)))
                    last = i;
            }
        return last;
    }
    // In the second round only if the first found nothing.
    bool was_branch(int last, bool branches) const
    {
        return !branches && op(last).window == window_ && op(last).branch >= 0;
    }

    void stream(int s, Counts &counts, std::vector<std::string> *pieces) const
    {
        const bool used = std::any_of(plan_.ops.begin(), plan_.ops.end(),
                                      [&](const simulation::Op &o) { return o.stream == s && o.runs; });
        if (!used) return;
        std::int64_t behind = INT64_MIN; // where the last op here ends
        for (int i : here_)
            if (op(i).stream == s && op(i).runs) behind = std::max(behind, op(i).end);
        std::string piece;
        for (std::int64_t t = from_; t < to_; ++t) {
            const std::string now = cause(s, t, behind);
            ++counts["stream " + std::to_string(s) + " " + now.substr(0, now.find(' '))];
            if (now != piece && now != "busy") pieces->push_back(std::to_string(s) + ": " + now);
            piece = now;
        }
    }

    // "busy", or why not: the cause, the next op, the op to blame.
    std::string cause(int s, std::int64_t t, std::int64_t behind) const
    {
        const int op_next = next(s, t);
        if (behind == INT64_MIN) return "no_work";
        if (t >= behind) return "imbalance - " + plan_.ops[std::size_t(ended_last())].name;
        const std::string name = plan_.ops[std::size_t(op_next)].name;
        switch (does(s, t)) {
        case simulation::Does::compute: return "busy";
        case simulation::Does::wait:
            return (is_first_of_branch(op_next) ? "fork " : "dependency ") + name + " " +
                   plan_.ops[std::size_t(waited_for(op_next))].name;
        case simulation::Does::host: return "launch " + name;
        case simulation::Does::begin: return "latency " + name;
        case simulation::Does::held: return "contention " + name;
        default: return "?";
        }
    }

    const simulation::Plan &plan_;
    const simulation::Log &log_;
    const std::vector<std::int64_t> &cuts_;
    const int window_;
    const std::int64_t from_, to_;
    std::vector<int> here_;
};

// ---- the same of a profile ----

Counts counts_of(const trib_profile &p, const trib_profile_window &w)
{
    Counts counts;
    counts["K"] = w.streams;
    counts["U"] = w.any;
    counts["overlap"] = w.overlap;
    for (int k = 0; k <= p.stream_count; ++k) counts["at " + std::to_string(k)] = w.at[k];
    for (int s = 0; s < p.stream_count; ++s) {
        const std::string stream = "stream " + std::to_string(s) + " ";
        counts[stream + "busy"] = w.stream[s].busy;
        for (int c = 0; c < TRIB_IDLE_CAUSE_COUNT; ++c) {
            std::string name = trib_idle_cause_name(trib_idle_cause(c));
            std::replace(name.begin(), name.end(), ' ', '_');
            counts[stream + name] = w.stream[s].idle[c];
        }
    }
    for (auto i = counts.begin(); i != counts.end();) i = i->second ? std::next(i) : counts.erase(i);
    return counts;
}

void drop_zeros(Counts &counts)
{
    for (auto i = counts.begin(); i != counts.end();) i = i->second ? std::next(i) : counts.erase(i);
}

std::vector<std::string> pieces_of(const trib_profile_window &w, const trib_profile_graph &g)
{
    std::vector<std::string> pieces;
    for (int k = 0; k < w.idle_count; ++k) {
        const trib_profile_idle &piece = w.pieces[k];
        std::string text = std::to_string(piece.stream) + ": ";
        if (piece.cause == TRIB_IDLE_NO_WORK)
            text += "no_work";
        else {
            text +=
                std::string(trib_idle_cause_name(piece.cause)) + " " + (piece.next < 0 ? "-" : g.ops[piece.next].name);
            if (piece.op >= 0) text += std::string(" ") + g.ops[piece.op].name;
        }
        pieces.push_back(text);
    }
    return pieces;
}

std::vector<std::string> path_of(const trib_profile_path &path, const trib_profile_graph &g)
{
    std::vector<std::string> steps;
    for (int k = 0; k < path.step_count; ++k) {
        const trib_profile_step &step = path.steps[k];
        const std::string name = g.ops[step.op].name;
        steps.insert(steps.end(), std::size_t(step.gap), "before " + name);
        steps.insert(steps.end(), std::size_t(step.to - step.from), (step.host ? "host for " : "") + name);
    }
    return steps;
}

std::int64_t rounded_up(std::int64_t value, std::int64_t by) { return (value + by - 1) / by; }

void expect_bounds(const simulation::Plan &plan, const Counter &counter, std::int64_t streams,
                   const trib_profile_window &w)
{
    const std::int64_t alone = counter.sum(&simulation::Op::alone), second = 1000000000;
    const std::int64_t copies = rounded_up(counter.sum(&simulation::Op::bytes) * second, plan.copy_rate);
    const std::int64_t math = rounded_up(counter.sum(&simulation::Op::flops) * second, plan.math_rate);
    const std::int64_t terms[] = { counter.longest_path(), streams ? rounded_up(alone, streams) : 0,
                                   rounded_up(counter.filled(), 1000000), std::max(copies, math) };
    EXPECT_EQ(w.alone, alone);
    EXPECT_EQ(w.bounds.path, terms[0]);
    EXPECT_EQ(w.bounds.streams, terms[1]);
    EXPECT_EQ(w.bounds.device, terms[2]);
    EXPECT_EQ(w.bounds.copies, copies);
    EXPECT_EQ(w.bounds.math, math);
    const std::int64_t *best = std::max_element(std::begin(terms), std::end(terms));
    EXPECT_EQ(w.bounds.best, *best);
    EXPECT_EQ(w.bounds.binding, *best ? trib_bound_term(1 + (best - std::begin(terms))) : TRIB_BOUND_NONE);
}

// ---- slack: the run is tried again with an op that ends later ----

// Ends of all ops if op `late` ends later. Those that are not `passed_on` end as they did.
std::vector<std::int64_t> delayed(const simulation::Plan &plan, int late, std::int64_t by,
                                  const std::function<bool(int)> &passed_on)
{
    std::vector<std::int64_t> ends;
    for (int i = 0; i < int(plan.ops.size()); ++i) {
        const simulation::Op &op = plan.ops[std::size_t(i)];
        std::int64_t ready = std::max(op.issued, simulation::begin);
        if (op.before >= 0) ready = std::max(ready, ends[std::size_t(op.before)]);
        for (int wait : op.waits) ready = std::max(ready, ends[std::size_t(wait)]);
        ends.push_back(passed_on(i) ? ready + op.delay + op.length + (i == late ? by : 0) : op.end);
    }
    return ends;
}

// The window in which an op ends.
int window_of_end(const simulation::Plan &plan, const trib_profile &p, int i)
{
    const simulation::Op &op = plan.ops[std::size_t(i)];
    const trib_profile_window &own = p.windows[op.window];
    if (op.start == op.end && own.from <= op.end && op.end <= own.to) return op.window;
    const std::int64_t within = op.start == op.end ? op.end : op.end - 1;
    int w = 0;
    while (w + 1 < p.window_count && p.windows[w].to <= within) ++w;
    return w;
}

// Whether what ends in a window still ends in it: an op that ends in another one does not count.
bool stays_within(const simulation::Plan &plan, const trib_profile &p, int i, std::int64_t by)
{
    const int w = window_of_end(plan, p, i);
    const auto here = [&](int k) { return window_of_end(plan, p, k) == w; };
    const std::vector<std::int64_t> ends = delayed(plan, i, by, here);
    for (int k = 0; k < int(ends.size()); ++k)
        if (here(k) && ends[std::size_t(k)] > p.windows[w].to) return false;
    return true;
}

void expect_slack(const simulation::Plan &plan, const trib_profile &p, int i)
{
    const auto end = [&](std::int64_t by) {
        const std::vector<std::int64_t> ends = delayed(plan, i, by, [](int) { return true; });
        return *std::max_element(ends.begin(), ends.end());
    };
    SCOPED_TRACE("slack of " + plan.ops[std::size_t(i)].name);
    EXPECT_EQ(end(p.ops[i].slack), p.total.to);
    EXPECT_GT(end(p.ops[i].slack + 1), p.total.to);
    EXPECT_GE(p.ops[i].slack, 0);
    EXPECT_GE(p.ops[i].window_slack, 0);
    EXPECT_TRUE(stays_within(plan, p, i, p.ops[i].window_slack));
    EXPECT_FALSE(stays_within(plan, p, i, p.ops[i].window_slack + 1));
    if (p.ops[i].critical) {
        EXPECT_TRUE(p.ops[i].slack == 0 || p.total.path.host > 0);
    }
}

struct Graph : trib_profile_graph {
    explicit Graph(const trib_plan *plan) : trib_profile_graph()
    {
        EXPECT_OK(trib_profile_graph_of_plan(plan, 0, this));
    }
    ~Graph() { trib_profile_graph_release(this); }
    Graph(const Graph &) = delete;
    Graph &operator=(const Graph &) = delete;
};

void expect_as_simulated(std::uint64_t seed)
{
    simulation::Plan plan(seed);
    const simulation::Log log = simulation::run(plan);
    Graph graph(plan.plan());
    ASSERT_EQ(graph.part_count, int(plan.windows.size()));
    std::vector<trib_op_time> times;
    std::vector<std::int64_t> alone, durations, cuts = { log.end };
    std::vector<trib_profile_op> ops(graph.ops, graph.ops + graph.op_count);
    for (std::size_t i = 0; i < plan.ops.size(); ++i) {
        const simulation::Op &op = plan.ops[i];
        times.push_back(op.runs ? trib_op_time { op.issued, op.start, op.end } : trib_op_time {});
        alone.push_back(op.alone);
        durations.push_back(op.length);
        ops[i].share = op.share;
        if (op.runs) cuts[0] = std::min(cuts[0], op.start);
        EXPECT_EQ(ops[i].window, op.window) << op.name;
        EXPECT_EQ(ops[i].branch, op.branch) << op.name;
        EXPECT_EQ(ops[i].wait_count, int(op.waits.size())) << op.name;
    }
    std::vector<std::int64_t> serial;
    for (std::size_t w = 0; w < plan.windows.size(); ++w) {
        const std::int64_t end =
            w + 1 < plan.windows.size() ? plan.ops[std::size_t(plan.windows[w].last)].end : log.end;
        cuts.push_back(std::max(cuts.back(), std::max(end, cuts[0])));
        serial.push_back(std::int64_t(w) * 10);
        EXPECT_EQ(graph.parts[w].branch_count, plan.windows[w].branches);
        if (w + 1 < plan.windows.size()) {
            EXPECT_EQ(graph.parts[w].last, plan.windows[w].last) << w;
        }
    }
    trib_profile_graph shared = graph;
    shared.ops = ops.data();
    const trib_profile_run run = { times.data(), 0, 0, 0, alone.data(), serial.data() };
    const trib_profile_limits limits = { double(plan.copy_rate), double(plan.math_rate), plan.latency };
    flows::Profile p;
    ASSERT_OK(trib_profile_analyse(&shared, &run, &limits, &p, nullptr));
    flows::expect_closed(p, durations);
    EXPECT_EQ(p.negative_gaps + p.trimmed, 0);
    std::vector<std::string> all_pieces;
    Counts all;
    for (int w = 0; w < p.window_count; ++w) {
        SCOPED_TRACE("window " + std::to_string(w));
        const Counter counter(plan, log, cuts, w);
        const trib_profile_window &window = p.windows[w];
        ASSERT_EQ(window.from, counter.from());
        ASSERT_EQ(window.to, counter.to());
        std::vector<std::string> pieces;
        Counts counts = counter.streams(&pieces);
        for (const auto &[name, count] : counts)
            if (name != "K") all[name] += count;
        drop_zeros(counts);
        EXPECT_EQ(counts_of(p, window), counts);
        EXPECT_EQ(pieces_of(window, graph), pieces);
        expect_bounds(plan, counter, window.streams, window);
        EXPECT_EQ(window.serial, w * 10);
        if (window.wall > 0) {
            int last = plan.windows[std::size_t(w)].last;
            if (w + 1 == p.window_count)
                for (last = 0; plan.ops[std::size_t(last)].end < log.end;) ++last;
            EXPECT_EQ(path_of(window.path, graph), counter.path(last));
        }
    }
    SCOPED_TRACE("the run");
    const std::vector<std::int64_t> ends = { cuts.front(), cuts.back() };
    const Counter counter(plan, log, ends, 0);
    std::set<int> used;
    for (const simulation::Op &op : plan.ops)
        if (op.runs) used.insert(op.stream);
    all["K"] = std::int64_t(used.size());
    drop_zeros(all);
    EXPECT_EQ(counts_of(p, p.total), all);
    expect_bounds(plan, counter, p.total.streams, p.total);
    int last = 0;
    while (plan.ops[std::size_t(last)].end < log.end) ++last;
    EXPECT_EQ(path_of(p.total.path, graph), counter.path(last));
    for (int i = 0; i < p.op_count; ++i) {
        const simulation::Op &op = plan.ops[std::size_t(i)];
        EXPECT_EQ(p.ops[i].from, op.start) << op.name;
        EXPECT_EQ(p.ops[i].to, op.end) << op.name;
        EXPECT_EQ(p.ops[i].ready, op.ready) << op.name;
        EXPECT_EQ(p.ops[i].predecessor, counter.predecessor(i)) << op.name;
    }
    for (std::size_t k = 0; k < plan.ops.size(); k += 5) expect_slack(plan, p, int(k));
}

} // namespace

TEST(Random, PlansAreWhatTheSimulationSays)
{
    const int count = support::by_form(200, 10000);
    for (int seed = 0; seed < count && !testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        expect_as_simulated(std::uint64_t(seed));
    }
}

// Clocks that are wrong by up to 400 ns from op to op, and by less than a step on one stream.
TEST(Random, SumsCloseWhateverTheClocksSay)
{
    const int count = support::by_form(100, 3000);
    std::mt19937 random(7);
    int negative = 0, trimmed = 0;
    for (int seed = 0; seed < count && !testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        simulation::Plan plan(std::uint64_t(10000 + seed));
        simulation::run(plan);
        Graph graph(plan.plan());
        std::vector<trib_op_time> times;
        const auto wrong = [&](std::int64_t time) { return 100 * time + std::int64_t(random() % 401); };
        for (const simulation::Op &op : plan.ops) {
            const std::int64_t start = op.runs ? wrong(op.start) : 0, end = op.runs ? wrong(op.end) : 0;
            times.push_back({ op.issued ? wrong(op.issued) : 0, start, std::max(start, end) });
        }
        const trib_profile_run run = { times.data(), 400, 0, 0, nullptr, nullptr };
        const trib_profile_limits limits = { 0, 0, 250 };
        flows::Profile p;
        ASSERT_OK(trib_profile_analyse(&graph, &run, &limits, &p, nullptr));
        flows::expect_closed(p);
        for (int i = 0; i < p.op_count; ++i) {
            EXPECT_GE(p.ops[i].slack, 0);
            EXPECT_GE(p.ops[i].window_slack, 0);
            EXPECT_LE(p.ops[i].from, p.ops[i].to);
        }
        negative += p.negative_gaps;
        trimmed += p.trimmed;
    }
    EXPECT_GT(negative, count);
    EXPECT_GT(trimmed, count);
}

// The plans above have what could go wrong.
TEST(Random, PlansAreOfManyKinds)
{
    int straddling = 0, points = 0, unknown = 0, eager = 0, merged = 0, empty = 0, late = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        simulation::Plan plan(seed);
        simulation::run(plan);
        std::set<std::int64_t> issued;
        for (const simulation::Op &op : plan.ops) {
            for (const simulation::Window &window : plan.windows) {
                const std::int64_t edge = plan.ops[std::size_t(window.last)].end;
                straddling += op.start < edge && edge < op.end;
            }
            points += op.runs && op.length == 0;
            late += op.runs && op.ready == op.issued;
            merged += op.name.rfind("merged", 0) == 0;
            if (op.runs) issued.insert(op.issued);
        }
        unknown += issued.count(0) > 0;
        eager += issued.size() > 1;
        for (std::size_t w = 1; w < plan.windows.size(); ++w)
            empty +=
                plan.ops[std::size_t(plan.windows[w].last)].end == plan.ops[std::size_t(plan.windows[w - 1].last)].end;
    }
    EXPECT_GT(straddling, 10);
    EXPECT_GT(points, 50);
    EXPECT_GT(unknown, 10);
    EXPECT_GT(eager, 15);
    EXPECT_GT(late, 50);
    EXPECT_GT(merged, 10);
    EXPECT_GT(empty, 10);
}
