// SPDX-License-Identifier: Apache-2.0
// A small checkpoint with tensors of every dtype, whose values depend on a number.
#pragma once

#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "support/support.h"
#include "train/checkpoint.h"

namespace checkpoints
{

using Checkpoint = std::unique_ptr<trib_checkpoint, void (*)(trib_checkpoint *)>;

inline trib_status open(const std::string &path, Checkpoint &out)
{
    trib_checkpoint *opened = nullptr;
    trib_status s = trib_checkpoint_open(path.c_str(), &opened);
    EXPECT_EQ(opened == nullptr, trib_failed(&s));
    out = Checkpoint(opened, trib_checkpoint_close);
    return s;
}

inline Checkpoint opened(const std::string &path)
{
    Checkpoint out(nullptr, trib_checkpoint_close);
    EXPECT_OK(open(path, out));
    return out;
}

struct State {
    // In another order than by size of the elements, and some are empty.
    explicit State(int step, std::size_t values = 3) : step(std::to_string(step))
    {
        add("conv/a.weight", TRIB_F32, { std::int64_t(values) }, step);
        add("training/mask", TRIB_U8, { 5 }, step + 1);
        add("training/empty", TRIB_F64, { 0, 7 }, step + 2);
        add("training/step", TRIB_U64, {}, step + 3);
        add("training/half", TRIB_BF16, { 1, 3 }, step + 4);
        add("training/scale", TRIB_F64, { 2 }, step + 5);
        add("training/signed", TRIB_I64, { 1 }, step + 6);
        metadata = { { "tributary.variant", "torchvision" }, { "training.step", this->step.c_str() } };
    }
    State(const State &) = delete;
    State &operator=(const State &) = delete;

    void add(const char *name, trib_dtype dtype, const std::vector<std::int64_t> &dims, int seed)
    {
        trib_shape shape = {};
        std::int64_t count = 1;
        for (std::int64_t dim : dims) count *= shape.dim[shape.rank++] = dim;
        bytes.emplace_back(std::size_t(count) * trib_dtype_size(dtype), '\0');
        for (std::size_t i = 0; i < bytes.back().size(); ++i) bytes.back()[i] = char(seed * 37 + int(i) * 11);
        tensors.push_back({ name, dtype, shape, bytes.back().data() });
    }

    trib_status write(const std::string &path) const
    {
        return trib_checkpoint_write(path.c_str(), tensors.data(), int(tensors.size()), metadata.data(),
                                     int(metadata.size()));
    }

    // Whether `c` holds exactly this.
    void expect_in(const trib_checkpoint *c) const
    {
        ASSERT_EQ(trib_checkpoint_count(c), int(tensors.size()));
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            const trib_tensor *found = trib_checkpoint_find(c, tensors[i].name);
            ASSERT_TRUE(found) << tensors[i].name;
            EXPECT_EQ(found->dtype, tensors[i].dtype) << tensors[i].name;
            EXPECT_TRUE(trib_shape_equal(&found->shape, &tensors[i].shape)) << tensors[i].name;
            EXPECT_EQ(std::string(static_cast<const char *>(found->data), bytes[i].size()), bytes[i]);
        }
        for (const trib_key_value &pair : metadata) EXPECT_STREQ(trib_checkpoint_metadata(c, pair.key), pair.value);
    }

    std::string step;
    std::deque<std::string> bytes; // whose addresses stay
    std::vector<trib_tensor> tensors;
    std::vector<trib_key_value> metadata;
};

inline std::string step_of(const trib_checkpoint *c)
{
    const char *text = c ? trib_checkpoint_metadata(c, "training.step") : nullptr;
    return text ? text : "none";
}

} // namespace checkpoints
