// SPDX-License-Identifier: Apache-2.0
// Our networks against what PyTorch computed (tests/data/infer-*.safetensors): same formula for weights and inputs on
// both sides.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "golden/golden.h"

using golden::File;
using golden::formula_input;
using golden::Model;

namespace
{

struct Golden {
    const char *variant;
    int n, size, classes;
};

// The 96-pixel files also hold the output of every module.
const Golden goldens[] = {
    { "bvlc", 1, 96, 10 },        { "bvlc", 3, 161, 10 },        { "bvlc", 2, 224, 1000 },
    { "torchvision", 1, 96, 10 }, { "torchvision", 3, 161, 10 }, { "torchvision", 2, 224, 1000 }
};

// Runs the model and returns the wanted outputs by name.
std::map<std::string, std::vector<float>> run(const trib_model *model, const char *device_spec, trib_session_options o,
                                              const std::vector<float> &input, int n, std::vector<std::string> names)
{
    std::map<std::string, std::vector<float>> results;
    trib_device *device = nullptr;
    trib_session *session = nullptr;
    std::vector<const char *> raw;
    for (auto &name : names) raw.push_back(name.c_str());
    o.plan.outputs = raw.data();
    o.plan.output_count = int(raw.size());
    o.max_batch = n;
    EXPECT_OK(support::open_device(device_spec, &device));
    if (!device) return results;
    EXPECT_OK(trib_session_create(device, trib_model_graph(model), trib_model_parameters(model), &o, &session));
    if (session) {
        const trib_plan *plan = trib_session_plan(session);
        EXPECT_OK(trib_plan_check_stream_order(plan));
        std::vector<void *> outputs;
        for (int i = 0; i < plan->output_count; ++i) {
            trib_shape shape = plan->outputs[i].shape;
            shape.dim[0] = n;
            std::int64_t count = 0;
            EXPECT_OK(trib_shape_count(&shape, &count));
            results[names[std::size_t(i)]].assign(static_cast<std::size_t>(count),
                                                  std::numeric_limits<float>::quiet_NaN());
        }
        for (auto &name : names) outputs.push_back(results[name].data());
        EXPECT_OK(trib_session_run(session, input.data(), n, outputs.data()));
    }
    trib_session_destroy(session);
    trib_device_close(device);
    return results;
}

struct Device {
    std::string spec;
    trib_device_info info;
};

// Every device that can be used here.
std::vector<Device> open_devices()
{
    std::vector<Device> all;
    for (const std::string &spec : support::devices(support::kind_under_test())) {
        trib_device *device = nullptr;
        EXPECT_OK(support::open_device(spec, &device));
        if (!device) continue;
        all.push_back({ spec, *trib_device_get_info(device) });
        trib_device_close(device);
    }
    return all;
}

// Tensor cores ignore what tf32 has no bits for; a library rounds factors before, or leaves it at that. The simulated
// ones do either (tests/fakecuda/library.h), a card does not say.
bool factors_are_rounded()
{
    const char *how = std::getenv("FAKECUDA_TF32");
    return *support::kind_under_test() && (!how || std::strcmp(how, "cut"));
}

// One small image through the torchvision network amplifies the rounding of factors. Where they are cut off, that shows
// in what a library reads from others than our 1x1 convolutions: the image and the last average.
double tf32_tolerance(const Golden &g)
{
    if (!factors_are_rounded()) return 1.5e-3;
    return g.size == 96 && !std::strcmp(g.variant, "torchvision") ? 1.3e-3 : 1e-3;
}

// How far logits may be from PyTorch's float32, relative.
double tolerance(const Golden &g, trib_precision precision)
{
    const double tolerances[] = { 1e-4, tf32_tolerance(g), 5e-3, 3e-2 };
    return tolerances[precision];
}

class Inference : public testing::TestWithParam<Golden>
{
  protected:
    void check(const Golden &g, trib_precision precision);
};

// Every schedule and launch mode of every device: close to PyTorch, and all with the same bits, since they run the same
// kernels.
void Inference::check(const Golden &g, trib_precision precision)
{
    File golden("infer-" + std::string(g.variant) + "-seed1-n" + std::to_string(g.n) + "-" + std::to_string(g.size) +
                ".safetensors");
    Model m(g.variant, g.size, g.classes);
    auto input = formula_input(g.n, g.size);
    ASSERT_FALSE(open_devices().empty());
    for (const Device &device : open_devices()) {
        std::vector<float> first;
        // On a GPU the merged products of `fused` are other products for a library, which may add in another order.
        if (!(device.info.precisions >> precision & 1u)) continue;
        for (trib_schedule schedule : { TRIB_SERIAL, TRIB_BRANCHES, TRIB_FUSED }) {
            if (!device.info.host && schedule == TRIB_FUSED) first.clear();
            for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
                trib_session_options o = trib_session_default_options();
                o.plan.schedule = schedule;
                o.plan.precision = precision;
                o.launch = launch;
                auto y = run(m.model, device.spec.c_str(), o, input, g.n, { "logits", "probabilities" });
                double error = support::relative_error(y["logits"], golden.floats("logits"));
                EXPECT_LE(error, tolerance(g, precision)) << device.spec << " " << trib_schedule_name(schedule);
                EXPECT_LE(support::relative_error(y["probabilities"], golden.floats("probabilities")),
                          10 * tolerance(g, precision));
                if (first.empty()) first = y["logits"];
                EXPECT_EQ(0, std::memcmp(first.data(), y["logits"].data(), first.size() * sizeof(float)))
                    << device.spec << ": " << trib_schedule_name(schedule) << " launch " << launch << " has other bits";
                std::printf("%s %s %s %s: relative error %.3g\n", device.spec.c_str(), trib_precision_name(precision),
                            trib_schedule_name(schedule), launch ? "graph" : "eager", error);
            }
        }
    }
}

TEST_P(Inference, MatchesPyTorchInFloat32) { check(GetParam(), TRIB_PRECISION_FP32); }
// Devices that compute in nothing else have nothing to check here.
TEST_P(Inference, MatchesPyTorchInTf32) { check(GetParam(), TRIB_PRECISION_TF32); }
TEST_P(Inference, MatchesPyTorchInFloat16) { check(GetParam(), TRIB_PRECISION_FP16); }
TEST_P(Inference, MatchesPyTorchInBfloat16) { check(GetParam(), TRIB_PRECISION_BF16); }

// The simulated CUDA computes a network of 224 pixels in seconds, with sanitizers in minutes.
std::vector<Golden> goldens_to_run()
{
    std::vector<Golden> list;
    for (const Golden &g : goldens)
        if (!support::sanitized || !*support::kind_under_test() || g.size == 96) list.push_back(g);
    return list;
}

INSTANTIATE_TEST_SUITE_P(Golden, Inference, testing::ValuesIn(goldens_to_run()), [](const auto &info) {
    return std::string(info.param.variant) + "_" + std::to_string(info.param.size);
});

// Also without fusion and folding, in every layout, and by the plain C reference.
class Traces : public testing::TestWithParam<const char *>
{
};

TEST_P(Traces, EveryModuleMatchesPyTorch)
{
    std::string variant = GetParam();
    bool bvlc = variant == "bvlc";
    File golden("infer-" + variant + "-seed1-n1-96.safetensors");
    Model m(GetParam(), 96, 10);
    auto input = formula_input(1, 96);
    std::vector<std::string> names = { "pool2/3x3_s2" };
    for (const char *module : { "3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b" })
        names.push_back(std::string("inception_") + module + "/output");
    struct Way {
        bool reference;
        int layout;
        unsigned disabled;
    };
    unsigned unfused = 1u << TRIB_PASS_FOLD_BATCH_NORM | 1u << TRIB_PASS_FUSE_BIAS_RELU | 1u << TRIB_PASS_ELIDE_CONCAT;
    for (const Device &device : open_devices())
        for (Way way : { Way { false, TRIB_LAYOUT_AUTO, 0 }, Way { false, TRIB_LAYOUT_AUTO, unfused },
                         Way { false, TRIB_NHWC, 0 }, Way { true, TRIB_LAYOUT_AUTO, 0 } }) {
            if (way.reference && !device.info.host) continue; // the reference is plain C
            trib_session_options o = trib_session_default_options();
            o.plan.schedule = TRIB_BRANCHES;
            o.plan.reference = way.reference;
            o.plan.layout = way.layout;
            o.plan.disabled_passes = way.disabled;
            auto y = run(m.model, device.spec.c_str(), o, input, 1, names);
            for (auto &name : names) {
                std::string theirs = bvlc                     ? name
                                     : name == "pool2/3x3_s2" ? "maxpool2"
                                                              : "inception" + name.substr(10, 2);
                EXPECT_LE(support::relative_error(y[name], golden.floats("trace/" + theirs)), 1e-4)
                    << device.spec << " " << name << " reference " << way.reference;
            }
        }
}

INSTANTIATE_TEST_SUITE_P(Golden, Traces, testing::Values("bvlc", "torchvision"),
                         [](const auto &info) { return std::string(info.param); });

// Without batch norm, the first training step's forward pass is inference: this covers the auxiliary heads.
TEST(Golden, AuxiliaryHeadsOfBvlc)
{
    ASSERT_FALSE(open_devices().empty());
    File golden("train-bvlc-seed1-n2-224.safetensors");
    Model m("bvlc", 224, 10, true);
    for (const std::string &device : support::devices(support::kind_under_test())) {
        auto y = run(m.model, device.c_str(), trib_session_default_options(), formula_input(2, 224), 2,
                     { "logits", "aux1", "aux2" });
        for (const char *name : { "logits", "aux1", "aux2" })
            EXPECT_LE(support::relative_error(y[name], golden.floats(name)), 1e-4) << device << " " << name;
    }
}

} // namespace
