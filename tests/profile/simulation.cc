// SPDX-License-Identifier: Apache-2.0
#include "profile/simulation.h"

#include <algorithm>
#include <random>

namespace simulation
{

// Adds ops to a plan and to what is known of it, at once.
class Builder
{
  public:
    Builder(Plan &plan, std::uint64_t seed) : plan_(plan), random_(seed) {}

    void build()
    {
        plan_.streams = 1 + below(5);
        plan_.latency = below(6);
        plan_.copy_rate = 1 + std::int64_t(below(40)) * 100000000;
        plan_.math_rate = 1 + std::int64_t(below(40)) * 100000000;
        beside_stream_ = chance(2) ? plan_.streams : -1;
        if (beside_stream_ >= 0) ++plan_.streams;
        shared_ = plan_.streams - (beside_stream_ >= 0);
        eager_ = chance(3);
        issued_ = chance(4) ? 0 : begin - 20;
        step_ = 1 + below(chance(2) ? 14 : 60); // a host that keeps up, and one that does not
        plan_.windows.push_back({ 0, false, 0 });
        trunk_ = add("input", 0, -1, -1, false, {}, {});
        for (int k = below(3); k > 0; --k) trunk_op("stem");
        for (int m = 1 + below(4); m > 0; --m) {
            module();
            if (chance(3)) aux();
            for (int k = below(3); k > 0; --k) trunk_op("trunk");
        }
        update();
        finish();
    }

  private:
    int below(int n) { return n > 0 ? int(random_() % unsigned(n)) : 0; }
    bool chance(int one_in) { return below(one_in) == 0; }

    // A new buffer that one op writes; `channels` of `whole`.
    static trib_view view(int buffer, int first, int channels, int whole)
    {
        return { buffer, TRIB_F32, TRIB_NHWC, 1, channels, 1, 1, first, whole };
    }

    // An op that reads what `reads` wrote. Waits are for other streams' ops among them.
    int add(const std::string &name, int stream, int fork, int branch, bool runs, const std::vector<int> &reads,
            std::vector<int> waits)
    {
        const int index = int(plan_.ops.size());
        Op op;
        op.name = name + std::to_string(index);
        op.stream = stream;
        op.branch = branch;
        op.runs = runs;
        op.window = int(plan_.windows.size()) - 1;
        waits.insert(waits.end(), reads.begin(), reads.end());
        if (index > 2 && chance(8)) waits.push_back(below(index)); // memory that is used again
        std::sort(waits.begin(), waits.end());
        waits.erase(std::unique(waits.begin(), waits.end()), waits.end());
        for (int wait : waits)
            if (plan_.ops[std::size_t(wait)].stream != stream) op.waits.push_back(wait);
        measure(op);
        plan_.ops.push_back(op);
        describe(fork, branch, reads);
        return index;
    }

    void measure(Op &op)
    {
        if (!op.runs) return;
        op.length = chance(12) ? 0 : 1 + below(30);
        op.delay = chance(4) ? 0 : below(chance(5) ? 16 : 6);
        op.alone = below(int(op.length) + 8);
        op.share = chance(5) ? 0 : below(1000001);
        op.bytes = below(200);
        op.flops = below(200);
        op.issued = issued_;
        if (eager_ && issued_) issued_ += below(step_);
    }

    void describe(int fork, int branch, const std::vector<int> &reads)
    {
        const int index = int(plan_.plan_ops_.size());
        trib_plan_op op = {};
        plan_.names_.push_back(plan_.ops.back().name);
        op.name = plan_.names_.back().c_str();
        op.fork = fork;
        op.branch = branch < 0 ? 0 : branch;
        op.part_count = 1;
        op.stream = plan_.ops.back().stream;
        op.record = op.workspace = op.parameters = op.consumer = -1;
        op.implementation = plan_.ops.back().runs ? "simulated" : nullptr;
        op.desc.kind = TRIB_CONV2D;
        op.desc.output_count = 1;
        op.desc.outputs[0] = view(index, 0, 8, 8);
        for (int read : reads)
            op.desc.inputs[op.desc.input_count++] = plan_.plan_ops_[std::size_t(read)].desc.outputs[0];
        plan_.plan_ops_.push_back(op);
    }

    void trunk_op(const std::string &name)
    {
        if (plan_.windows.back().module) plan_.windows.push_back({ 0, false, 0 });
        trunk_ = add(name, 0, -1, -1, true, { trunk_ }, {});
    }

    // Beside the way to the next module: nobody reads what it writes, and the next module may begin before it ends.
    void aux()
    {
        if (plan_.windows.back().module) plan_.windows.push_back({ 0, false, 0 });
        int last = trunk_;
        for (int k = 1 + below(3); k > 0; --k) last = beside(add("aux", 0, -1, -1, true, { last }, {}));
    }

    int beside(int index)
    {
        Op &op = plan_.ops[std::size_t(index)];
        op.beside = true;
        op.alone = op.length * below(3);
        op.bytes = op.length * below(3);
        op.flops = op.length * below(3);
        return index;
    }

    void module()
    {
        const int fork = int(plan_.forks_.size());
        plan_.names_.push_back("module" + std::to_string(fork));
        plan_.forks_.push_back({ plan_.names_.back().c_str(), -1, TRIB_BRANCHES, nullptr });
        if (plan_.windows.back().module) plan_.windows.push_back({ 0, false, 0 });
        plan_.windows.back().last = trunk_;
        plan_.windows.push_back({ 0, true, 0 });
        int input = trunk_;
        if (chance(4)) {
            input = add("merged", 0, fork, -1, true, { trunk_ }, {});
            plan_.plan_ops_.back().part_count = 2;
        }
        std::vector<int> ends, weights;
        const int branches = 2 + below(3);
        for (int b = 0; b < branches; ++b) ends.push_back(branch(fork, b, chance(3) ? trunk_ : input, weights));
        slices(ends);
        trunk_ = add("join", 0, -1, -1, chance(6), ends, {});
        plan_.plan_ops_.back().desc.outputs[0] = view(trunk_, 0, branches * 8, branches * 8);
        plan_.windows.back().last = trunk_;
        plan_.windows.back().branches = branches;
        // In the list they come behind the join, as the module's own or not.
        const bool own = chance(2);
        for (int of : weights) weight(of, own ? fork : -1);
    }

    int branch(int fork, int b, int input, std::vector<int> &weights)
    {
        const int stream = below(shared_);
        int last = input;
        for (int k = 1 + below(3); k > 0; --k) {
            const bool meets = chance(8); // streams only meet there, with what the stream may have been given before
            std::vector<int> waits;
            if (meets) waits.push_back(below(int(plan_.ops.size())));
            last = add("branch" + std::to_string(b) + "_", stream, fork, b, !meets, { last }, waits);
            if (beside_stream_ >= 0 && !meets && chance(4)) weights.push_back(last);
        }
        return last;
    }

    // The ends of the branches write side by side what the join reads.
    void slices(const std::vector<int> &ends)
    {
        const int buffer = int(plan_.plan_ops_.size());
        for (std::size_t b = 0; b < ends.size(); ++b)
            plan_.plan_ops_[std::size_t(ends[b])].desc.outputs[0] = view(buffer, int(b) * 8, 8, int(ends.size()) * 8);
    }

    void weight(int of, int fork)
    {
        if (fork < 0 && plan_.windows.back().module) plan_.windows.push_back({ 0, false, 0 });
        const int branch = fork < 0 ? -1 : plan_.ops[std::size_t(of)].branch;
        beside(add("weight", beside_stream_, fork, branch, true, { of }, {}));
        plan_.plan_ops_.back().desc.kind = TRIB_CONV2D_BACKWARD_WEIGHT;
    }

    // Waits for all that nobody has waited for.
    void update()
    {
        if (plan_.windows.back().module) plan_.windows.push_back({ 0, false, 0 });
        std::vector<int> last(std::size_t(plan_.streams), -1);
        for (int i = 0; i < int(plan_.ops.size()); ++i) last[std::size_t(plan_.ops[std::size_t(i)].stream)] = i;
        last.erase(std::remove(last.begin(), last.end(), -1), last.end());
        add("update", 0, -1, -1, !chance(4), { trunk_ }, last);
        plan_.windows.back().last = int(plan_.ops.size()) - 1;
    }

    void finish()
    {
        // The run begins with its first op.
        std::find_if(plan_.ops.begin(), plan_.ops.end(), [](const Op &op) { return op.runs; })->delay = 0;
        trib_plan &p = plan_.plan_;
        for (std::size_t i = 0; i < plan_.ops.size(); ++i)
            for (int wait : plan_.ops[i].waits) {
                trib_plan_op &from = plan_.plan_ops_[std::size_t(wait)], &to = plan_.plan_ops_[i];
                if (from.record < 0) from.record = p.event_count++;
                to.waits[to.wait_count++] = from.record;
            }
        for (std::size_t i = 0; i < plan_.ops.size(); ++i) {
            plan_.plan_ops_[i].bytes = plan_.ops[i].bytes;
            plan_.plan_ops_[i].flops = plan_.ops[i].flops;
        }
        p.graph_name = "simulated";
        p.op_count = int(plan_.ops.size());
        p.fork_count = int(plan_.forks_.size());
        p.stream_count = plan_.streams;
        p.ops = plan_.plan_ops_.data();
        p.forks = plan_.forks_.data();
        std::vector<int> before(std::size_t(plan_.streams), -1);
        for (std::size_t i = 0; i < plan_.ops.size(); ++i) {
            int &last = before[std::size_t(plan_.ops[i].stream)];
            plan_.ops[i].before = last;
            last = int(i);
        }
    }

    Plan &plan_;
    std::mt19937_64 random_;
    int trunk_ = 0, shared_ = 1, beside_stream_ = -1, step_ = 1;
    bool eager_ = false;
    std::int64_t issued_ = 0;
};

Plan::Plan(std::uint64_t seed) : streams(0), latency(0), copy_rate(0), math_rate(0) { Builder(*this, seed).build(); }

namespace
{

enum class State { waiting, ready, computing, done };

// One device, from step to step.
class Device
{
  public:
    explicit Device(Plan &plan)
        : plan_(plan), state_(plan.ops.size(), State::waiting), queue_(std::size_t(plan.streams))
    {
        for (int i = 0; i < int(plan.ops.size()); ++i)
            queue_[std::size_t(plan.ops[std::size_t(i)].stream)].push_back(i);
        log_.does.resize(std::size_t(plan.streams));
        log_.next.resize(std::size_t(plan.streams));
    }

    Log run()
    {
        for (now_ = begin;; ++now_) {
            while (advance_all()) {}
            bool idle = true;
            for (const std::deque<int> &queue : queue_) idle &= queue.empty();
            if (idle) break;
            for (std::size_t s = 0; s < queue_.size(); ++s) write_down(s);
        }
        log_.end = now_;
        return log_;
    }

  private:
    bool advance_all()
    {
        bool moved = false;
        for (std::deque<int> &queue : queue_) moved |= !queue.empty() && advance(queue);
        return moved;
    }

    bool waits_for_ops(const Op &op) const
    {
        for (int wait : op.waits)
            if (state_[std::size_t(wait)] != State::done) return true;
        return false;
    }

    bool advance(std::deque<int> &queue)
    {
        const int i = queue.front();
        Op &op = plan_.ops[std::size_t(i)];
        State &state = state_[std::size_t(i)];
        if (state == State::waiting && !waits_for_ops(op) && op.issued <= now_) {
            state = State::ready;
            op.ready = now_;
            return true;
        }
        if (state == State::ready && now_ == op.ready + op.delay) {
            state = State::computing;
            op.start = now_;
            return true;
        }
        if (state == State::computing && now_ == op.start + op.length) {
            state = State::done;
            op.end = now_;
            queue.pop_front();
            return true;
        }
        return false;
    }

    void write_down(std::size_t s)
    {
        Does does = Does::nothing;
        int next = -1;
        if (!queue_[s].empty()) {
            const Op &op = plan_.ops[std::size_t(queue_[s].front())];
            for (auto i = queue_[s].rbegin(); i != queue_[s].rend(); ++i)
                if (plan_.ops[std::size_t(*i)].runs) next = *i;
            switch (state_[std::size_t(queue_[s].front())]) {
            case State::waiting: does = waits_for_ops(op) ? Does::wait : Does::host; break;
            case State::ready: does = now_ - op.ready < plan_.latency ? Does::begin : Does::held; break;
            default: does = Does::compute;
            }
        }
        log_.does[s].push_back(does);
        log_.next[s].push_back(next);
    }

    Plan &plan_;
    std::int64_t now_ = 0;
    std::vector<State> state_;
    std::vector<std::deque<int>> queue_;
    Log log_;
};

} // namespace

Log run(Plan &plan) { return Device(plan).run(); }

} // namespace simulation
