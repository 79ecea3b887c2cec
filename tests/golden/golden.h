// SPDX-License-Identifier: Apache-2.0
// Golden files, and the formula for weights and inputs that both sides use.
#pragma once

#include <string>
#include <vector>

#include "support/support.h"

namespace golden
{

struct File {
    trib_safetensors *file = nullptr;
    explicit File(const std::string &name)
    {
        EXPECT_OK(trib_safetensors_open(support::data_file(name).c_str(), &file));
    }
    ~File() { trib_safetensors_close(file); }
    std::vector<float> floats(const std::string &name) const
    {
        const trib_tensor *t = file ? trib_safetensors_find(file, name.c_str()) : nullptr;
        std::int64_t count = 0;
        EXPECT_TRUE(t) << name;
        if (!t) return {};
        EXPECT_OK(trib_shape_count(&t->shape, &count));
        std::vector<float> v(static_cast<std::size_t>(count));
        trib_convert_to_f32(t->data, t->dtype, v.size(), v.data());
        return v;
    }
};

struct Model {
    trib_model *model = nullptr;
    Model(const char *variant, int size, int classes, bool aux = false)
    {
        trib_network_spec net {};
        net.network = trib_network_find(variant);
        net.height = net.width = size;
        net.classes = classes;
        net.aux = aux;
        EXPECT_OK(trib_model_random(&net, 1, &model));
    }
    ~Model() { trib_model_destroy(model); }
};

inline std::vector<float> formula_input(int n, int size)
{
    std::size_t image = std::size_t(3) * std::size_t(size) * std::size_t(size);
    std::vector<float> x(std::size_t(n) * image);
    for (std::size_t i = 0; i < x.size(); ++i) {
        float value = float(2 * trib_uniform("input", 1, i) - 1);
        x[i] = value * float(double(i / image + 1) / n);
    }
    return x;
}

} // namespace golden
