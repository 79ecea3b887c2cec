// SPDX-License-Identifier: Apache-2.0
// Gradients of whole networks, by the trainer with the C references, against central differences in double: one module
// with batch norm, one with LRN, the nested forks of later Inceptions, and both GoogLeNets narrowed, with their heads.
#include <cmath>
#include <cstdio>
#include <memory>

#include "runtime/nets.h"
#include "support/central_differences.h"
#include "support/double_network.h"
#include "support/form.h"

namespace
{

std::vector<std::vector<double>> values_of(const trib_graph *graph, const trib_tensor *parameters)
{
    std::vector<std::vector<double>> all;
    for (int i = 0; i < trib_graph_parameter_count(graph); ++i) {
        std::int64_t count = 0;
        EXPECT_OK(trib_shape_count(&parameters[i].shape, &count));
        const float *from = static_cast<const float *>(parameters[i].data);
        all.emplace_back(from, from + count);
    }
    return all;
}

// One step without update; of the trained parameters, each `every`th is checked at `coordinates` places.
void check(const trib_graph *graph, const trib_tensor *parameters, std::vector<trib_loss> losses, int batch,
           int coordinates, double tolerance, int every = 1)
{
    auto device = nets::cpu();
    std::vector<std::int32_t> labels;
    for (int i = 0; i < batch; ++i) labels.push_back(i % 3);
    const std::vector<float> input = nets::input_for(graph, batch);
    trib_training training = {};
    training.losses = losses.data();
    training.loss_count = int(losses.size());
    training.no_dropout = training.no_update = true;
    trib_trainer_options o = {};
    o.plan = trib_plan_default_options();
    o.plan.batch = batch;
    o.plan.reference = true;
    o.plan.training = &training;
    trib_trainer *made = nullptr;
    ASSERT_OK(trib_trainer_create(device.get(), graph, parameters, &o, &made));
    std::unique_ptr<trib_trainer, void (*)(trib_trainer *)> trainer(made, trib_trainer_destroy);
    const trib_plan *plan = trib_trainer_plan(made);
    std::vector<std::vector<float>> outputs;
    std::vector<void *> rows;
    for (int i = 0; i < plan->output_count; ++i) {
        std::int64_t count = 0;
        ASSERT_OK(trib_shape_count(&plan->outputs[i].shape, &count));
        outputs.emplace_back(count, NAN);
        rows.push_back(outputs.back().data());
    }
    trib_step_controls controls = {};
    controls.loss_scale = 1;
    ASSERT_OK(trib_trainer_step(made, input.data(), labels.data(), &controls, rows.data()));

    support::DoubleNetwork network(graph, losses, input, labels);
    auto values = values_of(graph, parameters);
    network.loss(values);
    std::printf("%d parameters; the nearest kink is %.1e away\n", trib_graph_parameter_count(graph),
                network.distance_to_kink());
    int checked = 0;
    for (int i = 0; i < trib_graph_parameter_count(graph); i += every) {
        const trib_parameter *p = trib_graph_parameter(graph, i);
        int tensor = trib_trainer_find(made, TRIB_TENSOR_GRADIENT, p->name);
        if (tensor < 0) continue;
        std::vector<float> gradient(values[std::size_t(i)].size());
        ASSERT_OK(trib_trainer_read(made, tensor, gradient.data()));
        support::DifferenceOptions options;
        options.coordinates = coordinates;
        options.step = 1e-7;           // kinks are near in a network
        options.tolerance = tolerance; // of float32 activations and that step
        support::expect_central_differences(
            p->name, values[std::size_t(i)], std::vector<double>(gradient.begin(), gradient.end()),
            [&](const std::vector<double> &w) {
                auto changed = values;
                changed[std::size_t(i)] = w;
                return network.loss(changed);
            },
            options);
        ++checked;
    }
    EXPECT_GT(checked, 5);
}

void check_net(const trib_graph *graph)
{
    nets::Parameters parameters(graph);
    check(graph, parameters.data(), { { "logits", 1 } }, 3, support::by_form(1, 6), 1e-4);
}

TEST(NetworkGradient, ModuleWithBatchNorm) { check_net(nets::inception(true).get()); }
TEST(NetworkGradient, ModuleWithLrn) { check_net(nets::inception(false).get()); }
TEST(NetworkGradient, NestedForks) { check_net(nets::nested().get()); }

void check_googlenet(const trib_network *variant, int size, bool aux)
{
    trib_network_spec spec = {};
    spec.network = variant;
    spec.classes = 4;
    spec.height = spec.width = size;
    spec.aux = aux;
    spec.width_multiplier = 0.06;
    trib_model *model = nullptr;
    ASSERT_OK(trib_model_random(&spec, 1, &model));
    std::vector<trib_loss> losses = { { "logits", 1 } };
    if (aux) losses.insert(losses.end(), { { "aux1", 0.3f }, { "aux2", 0.3f } });
    check(trib_model_graph(model), trib_model_parameters(model), losses, 2, 1, 1e-3,
          support::by_form(3, 1)); // of a layer's two or five parameters each is met
    trib_model_destroy(model);
}

TEST(NetworkGradient, NarrowBvlc) { check_googlenet(support::bvlc, 64, false); }
TEST(NetworkGradient, NarrowTorchvisionWithHeads) { check_googlenet(support::torchvision, 64, true); }

} // namespace
