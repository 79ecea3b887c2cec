// SPDX-License-Identifier: Apache-2.0
// The constants were computed once by an independent program from the same formula.
#include <cmath>
#include <cstring>

#include "weights.h"

using namespace models;

namespace
{

struct Random {
    Graph graph;
    std::vector<trib_tensor> parameters;
    void *storage = nullptr;

    Random(const trib_network_spec &net, std::uint64_t seed) : graph(build(net))
    {
        parameters.resize(std::size_t(trib_graph_parameter_count(graph.get())));
        EXPECT_OK(
            trib_parameters_random(graph.get(), trib_network_dialect(net.network), seed, parameters.data(), &storage));
    }
    ~Random() { trib_parameters_free(storage); }
    Random(const Random &) = delete;
    Random &operator=(const Random &) = delete;

    const trib_tensor &find(const char *canonical) const
    {
        int id = trib_graph_find_parameter(graph.get(), canonical);
        EXPECT_GE(id, 0) << canonical;
        return parameters[std::size_t(id < 0 ? 0 : id)];
    }
    float at(const char *canonical, std::size_t i) const
    {
        float value;
        std::memcpy(&value, static_cast<const char *>(find(canonical).data) + i * sizeof value, sizeof value);
        return value;
    }
    // First, second and last value.
    void expect(const char *canonical, float first, float second, float last) const
    {
        EXPECT_EQ(at(canonical, 0), first) << canonical;
        EXPECT_EQ(at(canonical, 1), second) << canonical;
        EXPECT_EQ(at(canonical, std::size_t(count(find(canonical).shape)) - 1), last) << canonical;
    }
};

TEST(Random, TorchvisionValues)
{
    Random r(network(support::torchvision), 1);
    r.expect("conv1/7x7_s2.weight", -0x1.6d7b8p-3f, -0x1.4b3b5p-3f, -0x1.6cffe4p-3f);
    r.expect("conv1/7x7_s2/bn.weight", 0x1.53bd44p+0f, 0x1.3445dep+0f, 0x1.27809cp-1f);
    r.expect("conv1/7x7_s2/bn.running_mean", 0x1.2a7p-11f, -0x1.272a5ap-6f, 0x1.5ffdfap-4f);
    r.expect("conv1/7x7_s2/bn.running_var", 0x1.e90d86p-1f, 0x1.2f2bb2p+0f, 0x1.53f4c8p-1f);
    r.expect("inception_4e/5x5.weight", -0x1.8bff6cp-4f, 0x1.87e5ccp-4f, -0x1.11d08cp-4f);
    r.expect("loss3/classifier.bias", 0x1.7a7cfap-4f, -0x1.136cf4p-4f, 0x1.f998a6p-6f);
}

TEST(Random, BvlcValues)
{
    Random r(network(support::bvlc), 1);
    r.expect("conv1/7x7_s2.weight", 0x1.dfffe8p-6f, 0x1.fefc54p-12f, -0x1.ec989ep-8f);
    r.expect("conv1/7x7_s2.bias", 0x1.5828f4p-4f, -0x1.f803dap-5f, 0x1.8056p-4f);
    r.expect("inception_4e/5x5.weight", 0x1.f4b63ep-5f, -0x1.3d10ecp-5f, 0x1.667a6p-5f);
    r.expect("loss3/classifier.weight", -0x1.051bdep-4f, 0x1.8b812p-7f, 0x1.ef62a8p-9f);
}

TEST(Random, SeedChangesTheValues)
{
    Random r(network(support::torchvision), 7);
    r.expect("loss3/classifier.weight", -0x1.73aadep-6f, -0x1.1e15f6p-4f, -0x1.101478p-9f);
}

TEST(Random, Uniform)
{
    EXPECT_EQ(trib_uniform("input", 1, 0), 0x1.09bfacp-1);
    EXPECT_EQ(trib_uniform("input", 1, 1), 0x1.b66ef4p-1);
    EXPECT_EQ(trib_uniform("input", 1, 2), 0x1.0927dcp-1);
    EXPECT_EQ(trib_uniform("labels", UINT64_MAX, 0), 0x1.95f8p-5);
    EXPECT_EQ(trib_uniform("labels", UINT64_MAX, std::uint64_t(1) << 40), 0x1.ff39fap-1);
    double mean = 0;
    for (int i = 0; i < 10000; ++i) {
        double u = trib_uniform("mean", 3, std::uint64_t(i));
        ASSERT_TRUE(u >= 0 && u < 1);
        mean += u / 10000;
    }
    EXPECT_NEAR(mean, 0.5, 0.02);
}

TEST(Random, CanBeBoundAndDetected)
{
    for (const trib_network *variant : { support::bvlc, support::torchvision }) {
        Random r(network(variant, true, 0, 0.25, 9), 5);
        std::deque<std::string> names;
        std::vector<trib_tensor> file = r.parameters, bound(file.size());
        for (std::size_t i = 0; i < file.size(); ++i) {
            names.push_back(file_name(r.graph.get(), variant, int(i)));
            file[i].name = names.back().c_str();
        }
        trib_network_spec found = {};
        const trib_dialect *dialect = nullptr;
        ASSERT_OK(trib_network_detect(file.data(), int(file.size()), &found, &dialect));
        EXPECT_EQ(found.classes, 9);
        ASSERT_OK(trib_network_bind(&found, r.graph.get(), dialect, file.data(), int(file.size()), bound.data()));
    }
}

TEST(Random, TooMuchForMemoryIsAnError)
{
    trib_graph_builder *b = trib_graph_begin("huge");
    const trib_linear linear = { 1 << 21, true };
    int x = trib_add_linear(b, "linear", trib_add_input(b, "input", 1024, 32768, 32768), &linear);
    trib_graph_mark_output(b, "y", x);
    trib_graph *graph = nullptr;
    ASSERT_OK(trib_graph_finish(b, &graph));
    Graph owner(graph);
    trib_tensor parameter = {};
    void *storage = nullptr;
    EXPECT_FAILS(trib_parameters_random(graph, trib_dialect_find("caffe"), 1, &parameter, &storage), TRIB_OUT_OF_MEMORY,
                 "too many");
    EXPECT_EQ(storage, nullptr);
}

TEST(Random, NoStorageIsFine) { trib_parameters_free(nullptr); }

} // namespace
