// SPDX-License-Identifier: Apache-2.0
// Every allocation fails once: a clear error, nothing leaked (the sanitizers see), nothing written.
#include "tributary/internal/fault.h"

#include "weights.h"

using namespace models;

namespace
{

// Runs `call` with its k-th allocation failing, for every k, until one run meets no failure.
template <class F>
void each_allocation_fails(F call)
{
    for (std::int64_t k = 1;; ++k) {
        ASSERT_LT(k, 10000);
        trib_fault_arm(k, false);
        trib_status status = call();
        bool failed = trib_fault_disarm() >= k;
        if (!failed) {
            ASSERT_OK(status);
            ASSERT_GT(k, 1) << "nothing is ever allocated";
            return;
        }
        ASSERT_EQ(status.code, TRIB_OUT_OF_MEMORY) << "at allocation " << k << ": " << status.message;
        ASSERT_NE(std::string(status.message), "");
    }
}

TEST(OutOfMemory, Graph)
{
    trib_network_spec net = network(support::torchvision, true);
    each_allocation_fails([&] {
        trib_graph *graph = nullptr;
        trib_status status = trib_network_graph(&net, &graph);
        EXPECT_EQ(graph == nullptr, trib_failed(&status));
        trib_graph_destroy(graph);
        return status;
    });
}

TEST(OutOfMemory, Bind)
{
    Weights weights(network(support::torchvision, false, 0, 0.125, 5));
    each_allocation_fails([&] { return weights.bind(); });
}

TEST(OutOfMemory, BindPretrained)
{
    Weights weights(network(support::torchvision, false, 0, 0.125, 5));
    const trib_network_spec net = network(support::torchvision, true, 0, 0.125, 3);
    Graph graph = build(net);
    std::vector<trib_tensor> parameters(std::size_t(trib_graph_parameter_count(graph.get())));
    std::unique_ptr<bool[]> fresh(new bool[parameters.size()]);
    each_allocation_fails([&] {
        return trib_network_bind_pretrained(&net, graph.get(), trib_network_dialect(net.network),
                                            weights.tensors.data(), int(weights.tensors.size()), parameters.data(),
                                            fresh.get());
    });
}

TEST(OutOfMemory, Detect)
{
    Weights weights(network(support::bvlc, false, 0, 0.125, 5));
    each_allocation_fails([&] {
        trib_network_spec found = {};
        trib_status status = weights.detect(&found);
        EXPECT_EQ(found.classes, trib_failed(&status) ? 0 : 5);
        return status;
    });
}

TEST(OutOfMemory, RandomValues)
{
    Graph graph = build(network(support::bvlc, false, 0, 0.125, 5));
    std::vector<trib_tensor> parameters(std::size_t(trib_graph_parameter_count(graph.get())));
    each_allocation_fails([&] {
        void *storage = nullptr;
        trib_status status =
            trib_parameters_random(graph.get(), trib_dialect_find("caffe"), 1, parameters.data(), &storage);
        EXPECT_EQ(storage == nullptr, trib_failed(&status));
        trib_parameters_free(storage);
        return status;
    });
}

TEST(OutOfMemory, InitialValues)
{
    Graph graph = build(network(support::bvlc, false, 0, 0.125, 5));
    std::vector<trib_tensor> parameters(std::size_t(trib_graph_parameter_count(graph.get())));
    each_allocation_fails([&] {
        void *storage = nullptr;
        trib_status status = trib_parameters_initialise(graph.get(), trib_network_init_rule(support::bvlc), 1, nullptr,
                                                        parameters.data(), &storage);
        EXPECT_EQ(storage == nullptr, trib_failed(&status));
        trib_parameters_free(storage);
        return status;
    });
}

} // namespace
