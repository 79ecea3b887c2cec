// SPDX-License-Identifier: Apache-2.0
#include "runtime/nets.h"

#include <algorithm>
#include <cmath>

namespace nets
{

namespace
{

struct Builder {
    trib_graph_builder *b;
    bool batch_norm;

    int conv(const std::string &name, int input, int k, int size) const
    {
        trib_conv2d c {};
        c.k = k;
        c.r = c.s = size;
        c.pad = { size / 2, size / 2, size / 2, size / 2 };
        c.no_bias = batch_norm;
        int x = trib_add_conv2d(b, name.c_str(), input, &c);
        if (batch_norm) x = trib_add_batch_norm(b, (name + "/bn").c_str(), x, 1e-3f);
        return trib_add_relu(b, (name + "/relu").c_str(), x);
    }

    int shrink(const char *name, int input) const
    {
        trib_pool2d pool {};
        pool.r = pool.s = 3;
        pool.stride_h = pool.stride_w = 2;
        pool.ceil_mode = true;
        return trib_add_max_pool2d(b, name, input, &pool);
    }

    int norm(const char *name, int input) const
    {
        trib_lrn lrn { 5, 1e-4f, 0.75f, 1.0f };
        return trib_add_lrn(b, name, input, &lrn);
    }

    // Four branches: the 3x3 convolution has 2 * width output channels, all others have `width`.
    int module(const std::string &name, int x, int width) const
    {
        trib_fork f = trib_fork_open(b, name.c_str(), x);
        int ends[4];
        trib_fork_branch(&f);
        ends[0] = conv(name + "/1x1", x, width, 1);
        trib_fork_branch(&f);
        ends[1] = conv(name + "/3x3", conv(name + "/3x3_reduce", x, width, 1), 2 * width, 3);
        trib_fork_branch(&f);
        ends[2] = conv(name + "/5x5", conv(name + "/5x5_reduce", x, width, 1), width, 5);
        trib_fork_branch(&f);
        trib_pool2d pool {};
        pool.r = pool.s = 3;
        pool.pad = { 1, 1, 1, 1 };
        int pooled = trib_add_max_pool2d(b, (name + "/pool").c_str(), x, &pool);
        ends[3] = conv(name + "/pool_proj", pooled, width, 1);
        return trib_fork_join_concat(&f, (name + "/output").c_str(), ends, 4);
    }

    Graph classify(int x) const
    {
        trib_pool2d global {};
        x = trib_add_avg_pool2d(b, "global", x, &global);
        x = trib_add_dropout(b, "drop", x, 0.4f);
        trib_linear fc { 10, false };
        x = trib_add_linear(b, "fc", x, &fc);
        trib_graph_mark_output(b, "logits", x);
        trib_graph_mark_output(b, "probabilities", trib_add_softmax(b, "prob", x));
        trib_graph *g = nullptr;
        EXPECT_OK(trib_graph_finish(b, &g));
        return Graph(g);
    }
};

// What later Inceptions are made of.
struct NestedNet {
    trib_graph_builder *b = trib_graph_begin("nested");

    int conv(const std::string &name, int x, int k, int r, int s, int stride = 1, bool padded = true) const
    {
        trib_conv2d c {};
        c.k = k, c.r = r, c.s = s, c.stride_h = c.stride_w = stride;
        if (padded) c.pad = { r / 2, s / 2, r / 2, s / 2 };
        return trib_add_relu(b, (name + "/relu").c_str(), trib_add_conv2d(b, name.c_str(), x, &c));
    }
    // 1x1; 1x7 and 7x1; 3x3 that forks into 1x3 and 3x1; average pool and 1x1
    int module(int x) const
    {
        trib_fork outer = trib_fork_open(b, "module", x);
        int ends[4], inner_ends[2];
        trib_fork_branch(&outer);
        ends[0] = conv("module/1x1", x, 16, 1, 1);
        trib_fork_branch(&outer);
        ends[1] = conv("module/7x1", conv("module/1x7", conv("module/7_reduce", x, 8, 1, 1), 8, 1, 7), 16, 7, 1);
        trib_fork_branch(&outer);
        int stem = conv("module/3x3", conv("module/3_reduce", x, 8, 1, 1), 16, 3, 3);
        trib_fork inner = trib_fork_open(b, "module/split", stem);
        trib_fork_branch(&inner);
        inner_ends[0] = conv("module/split/1x3", stem, 8, 1, 3);
        trib_fork_branch(&inner);
        inner_ends[1] = conv("module/split/3x1", stem, 8, 3, 1);
        ends[2] = trib_fork_join_concat(&inner, "module/split/output", inner_ends, 2);
        trib_fork_branch(&outer);
        trib_pool2d average {};
        average.r = average.s = 3, average.pad = { 1, 1, 1, 1 };
        ends[3] = conv("module/pool_proj", trib_add_avg_pool2d(b, "module/pool", x, &average), 16, 1, 1);
        return trib_fork_join_concat(&outer, "module/output", ends, 4);
    }
    // Half the size: both branches end in a stride, without padding.
    int reduction(int x) const
    {
        trib_fork fork = trib_fork_open(b, "reduction", x);
        int ends[2];
        trib_fork_branch(&fork);
        ends[0] = conv("reduction/3x3", conv("reduction/reduce", x, 8, 1, 1), 32, 3, 3, 2, false);
        trib_fork_branch(&fork);
        trib_pool2d pool {};
        pool.r = pool.s = 3, pool.stride_h = pool.stride_w = 2;
        ends[1] = trib_add_max_pool2d(b, "reduction/pool", x, &pool);
        return trib_fork_join_concat(&fork, "reduction/output", ends, 2);
    }
    Graph finish() const
    {
        int x = conv("stem", trib_add_input(b, "input", 3, 29, 27), 16, 3, 3, 2, false);
        x = reduction(module(x));
        trib_pool2d whole {};
        trib_linear classes { 7, false };
        x = trib_add_linear(b, "classes", trib_add_avg_pool2d(b, "mean", x, &whole), &classes);
        trib_graph_mark_output(b, "logits", x);
        trib_graph *graph = nullptr;
        EXPECT_OK(trib_graph_finish(b, &graph));
        return Graph(graph);
    }
};

} // namespace

Graph inception(bool batch_norm, int size)
{
    Builder n { trib_graph_begin("tiny"), batch_norm };
    int x = n.conv("stem", trib_add_input(n.b, "input", 3, size, size), 32, 3);
    if (!batch_norm) x = n.norm("norm", x);
    return n.classify(n.shrink("down", n.module("module", x, 16)));
}

Graph little_googlenet(int modules, int size, int width)
{
    Builder n { trib_graph_begin("little"), false };
    int x = n.conv("conv1", trib_add_input(n.b, "input", 3, size, size), width, 3);
    x = n.norm("norm1", n.shrink("pool1", x));
    x = n.conv("conv2", n.conv("conv2_reduce", x, width, 1), 2 * width, 3);
    x = n.shrink("pool2", n.norm("norm2", x));
    for (int i = 0; i < modules; ++i) x = n.module(std::string("inception_") + char('a' + i), x, width);
    return n.classify(x);
}

Graph nested() { return NestedNet().finish(); }

Graph googlenet(const trib_network *variant, int size, int classes, bool aux)
{
    trib_network_spec net {};
    net.network = variant;
    net.classes = classes;
    net.height = net.width = size;
    net.aux = aux;
    trib_graph *g = nullptr;
    EXPECT_OK(trib_network_graph(&net, &g));
    return Graph(g);
}

Device cpu(int threads)
{
    trib_device_options o {};
    o.threads = threads;
    trib_device *d = nullptr;
    EXPECT_OK(trib_device_open("cpu", &o, &d));
    return Device(d);
}

Parameters::Parameters(const trib_graph *graph)
{
    for (int i = 0; i < trib_graph_parameter_count(graph); ++i) {
        const trib_parameter *p = trib_graph_parameter(graph, i);
        std::int64_t count = 0;
        EXPECT_OK(trib_shape_count(&p->shape, &count));
        bool positive = p->role == TRIB_BN_VAR || p->role == TRIB_BN_WEIGHT;
        double scale = p->shape.rank > 1 ? 2.0 * double(p->shape.dim[0]) / double(count) : 1.0;
        std::vector<float> v;
        for (std::int64_t k = 0; k < count; ++k) {
            double u = trib_uniform(p->name, 7, std::uint64_t(k));
            v.push_back(float(positive            ? 0.5 + u
                              : p->shape.rank > 1 ? (2 * u - 1) * std::min(1.0, std::sqrt(3 * scale))
                                                  : 0.2 * u - 0.1));
        }
        values_.push_back(v);
        tensors_.push_back(trib_tensor { p->name, TRIB_F32, p->shape, nullptr });
    }
    for (std::size_t i = 0; i < tensors_.size(); ++i) tensors_[i].data = values_[i].data();
}

std::vector<int> layers_of_branches(const trib_graph *graph, int fork)
{
    std::vector<int> layers(std::size_t(trib_graph_fork(graph, fork)->branch_count));
    for (int i = 0; i < trib_graph_layer_count(graph); ++i) {
        const trib_layer *l = trib_graph_layer(graph, i);
        const bool counts = l->kind == TRIB_CONV2D || l->kind == TRIB_MAX_POOL2D || l->kind == TRIB_AVG_POOL2D ||
                            l->kind == TRIB_CONCAT;
        if (l->fork == fork && counts) ++layers[std::size_t(l->branch)];
    }
    for (int &count : layers) count = std::max(count, 1);
    return layers;
}

std::string any_stages(const std::vector<int> &layers, std::uint64_t seed, bool barriers)
{
    std::vector<int> left = layers;
    std::string text;
    for (std::uint64_t k = 0; std::any_of(left.begin(), left.end(), [](int n) { return n > 0; });) {
        std::string stage;
        for (int &n : left) {
            const int take = int(trib_uniform("take", seed, k++) * (n + 1));
            n -= take;
            stage += char('0' + take);
        }
        if (stage.find_first_not_of('0') == std::string::npos) continue;
        if (!text.empty()) text += barriers && trib_uniform("barrier", seed, k++) < 0.5 ? '/' : '-';
        text += stage;
    }
    return text;
}

Schedules::Schedules(const trib_graph *graph, std::uint64_t seed)
{
    auto any = [&](std::uint64_t k) { return trib_schedule(TRIB_SCHEDULE_COUNT * trib_uniform("schedule", seed, k)); };
    all_ = any(0);
    for (int f = 0; f < trib_graph_fork_count(graph); ++f)
        if (trib_uniform("named", seed, std::uint64_t(f)) < 0.8) {
            const trib_schedule schedule = any(std::uint64_t(f) + 1);
            const bool staged = schedule != TRIB_SERIAL && trib_uniform("staged", seed, std::uint64_t(f)) < 0.5;
            if (staged) stages_.push_back(any_stages(layers_of_branches(graph, f), seed + std::uint64_t(f), false));
            forks_.push_back({ trib_graph_fork(graph, f)->name, schedule, staged ? stages_.back().c_str() : nullptr });
        }
}

trib_plan_options Schedules::options() const
{
    trib_plan_options o = trib_plan_default_options();
    o.schedule = all_;
    o.fork_schedules = forks_.data();
    o.fork_schedule_count = int(forks_.size());
    return o;
}

std::vector<float> input_for(const trib_graph *graph, int images)
{
    const trib_layer *in = trib_graph_layer(graph, 0);
    std::vector<float> v(std::size_t(images) * std::size_t(in->c) * std::size_t(in->h) * std::size_t(in->w));
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = float(2 * trib_uniform("input", 3, i) - 1);
    return v;
}

Plan plan(const trib_graph *graph, trib_device *device, const trib_plan_options &options)
{
    trib_plan *p = nullptr;
    EXPECT_OK(trib_plan_create(graph, device, &options, &p));
    return Plan(p);
}

Session session(const trib_graph *graph, trib_device *device, const trib_session_options &options)
{
    Parameters parameters(graph);
    trib_session *s = nullptr;
    EXPECT_OK(trib_session_create(device, graph, parameters.data(), &options, &s));
    return Session(s);
}

} // namespace nets
