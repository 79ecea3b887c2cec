// SPDX-License-Identifier: Apache-2.0
// Models of other programs whose weights come from the golden files' formula, and what they compute.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/files.h"
#include "models/weights.h"

namespace imports
{

// What the formula gives for a tensor of that name in its file.
inline std::vector<float> formula(const std::string &name, const trib_shape &shape, std::uint64_t seed)
{
    std::vector<float> values(std::size_t(models::count(shape)));
    const std::string leaf = name.substr(name.rfind('.') + 1);
    double inputs = 1;
    for (int i = 1; i < shape.rank; ++i) inputs *= double(shape.dim[i]);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double u = trib_uniform(name.c_str(), seed, i);
        values[i] = float(leaf == "bias" || leaf == "running_mean"   ? (2 * u - 1) * 0.1
                          : leaf == "running_var" || shape.rank == 1 ? 0.5 + u
                                                                     : (2 * u - 1) * std::sqrt(6 / inputs));
    }
    return values;
}

inline std::vector<float> image(int size, std::uint64_t seed)
{
    std::vector<float> x(std::size_t(3 * size * size));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = float(2 * trib_uniform("input", seed, i) - 1);
    return x;
}

inline files::Model load(const std::string &path, const trib_model_options &options = {})
{
    files::Model model;
    EXPECT_OK(files::load(path, model, &options));
    return model;
}

inline std::vector<float> logits(const trib_model *model, const std::vector<float> &input)
{
    trib_device *device = nullptr;
    trib_session *session = nullptr;
    trib_session_options options = trib_session_default_options();
    const char *name = "logits";
    options.plan.outputs = &name;
    options.plan.output_count = 1;
    std::vector<float> out(std::size_t(trib_model_network(model)->classes), NAN);
    void *outputs[] = { out.data() };
    EXPECT_OK(trib_device_open("cpu", nullptr, &device));
    EXPECT_OK(trib_session_create(device, trib_model_graph(model), trib_model_parameters(model), &options, &session));
    if (session) EXPECT_OK(trib_session_run(session, input.data(), 1, outputs));
    trib_session_destroy(session);
    trib_device_close(device);
    return out;
}

// Logits of one image of 96 x 96 pixels against those in tests/data/import.
inline double error_of(const trib_model *model, const char *golden, std::uint64_t seed)
{
    files::File file = files::open(support::data_file(golden));
    const trib_tensor *wanted = trib_safetensors_find(file.get(), "logits");
    if (!wanted) return INFINITY;
    const std::vector<float> got = logits(model, image(96, seed));
    return support::relative_error(got.data(), static_cast<const float *>(wanted->data), got.size());
}

} // namespace imports
