// SPDX-License-Identifier: Apache-2.0
// The table of op kinds: complete, and what its rows say together.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "runtime/graph/kinds.h"
#include "support/support.h"

namespace
{

// The attributes of a desc, from its row, as one line.
std::string described(const trib_op_desc &desc)
{
    std::string text;
    trib_fields fields = {};
    fields.context = &text;
    fields.ints = [](void *out, const char *name, const int *values, int count) {
        *static_cast<std::string *>(out) += std::string(" ") + name;
        for (int i = 0; i < count; ++i) *static_cast<std::string *>(out) += " " + std::to_string(values[i]);
    };
    fields.reals = [](void *out, const char *name, const float *values, int count) {
        *static_cast<std::string *>(out) += std::string(" ") + name;
        for (int i = 0; i < count; ++i) *static_cast<std::string *>(out) += " " + std::to_string(values[i]);
    };
    fields.word = [](void *out, const char *name, const char *value) {
        *static_cast<std::string *>(out) += std::string(" ") + name + " " + value;
    };
    trib_op_describe(&desc, &fields);
    return text;
}

trib_op_desc conv_of_avg_pool()
{
    trib_op_desc d = {};
    d.kind = TRIB_CONV2D;
    d.attributes.conv2d = { 32, 1, 7, 1, 1, { 0, 3, 0, 3 }, false };
    d.before.kind = TRIB_AVG_POOL2D;
    d.before.attributes.pool2d = { 2, 2, 2, 2, {}, false };
    d.input_count = d.output_count = 1;
    d.inputs[0] = { 0, TRIB_F32, TRIB_NHWC, 1, 16, 8, 8, 0, 16 };
    d.outputs[0] = { 1, TRIB_F32, TRIB_NHWC, 1, 32, 4, 4, 0, 32 };
    return d;
}

TEST(Kinds, EveryKindHasARowWithANameOfItsOwn)
{
    std::set<std::string> names;
    for (int kind = 0; kind < TRIB_KIND_COUNT; ++kind) {
        const trib_kind_row *row = trib_kind_row_of(trib_kind(kind));
        ASSERT_NE(row, nullptr) << kind;
        ASSERT_NE(row->name, nullptr) << kind;
        EXPECT_TRUE(names.insert(row->name).second) << row->name;
        EXPECT_STREQ(trib_kind_name(trib_kind(kind)), row->name);
        EXPECT_LE(row->least_inputs, row->most_inputs) << row->name;
        EXPECT_LE(row->most_inputs, TRIB_MAX_INPUTS) << row->name;
        EXPECT_GE(row->least_outputs, 1) << row->name;
        EXPECT_LE(row->least_outputs, row->most_outputs) << row->name;
        EXPECT_LE(row->most_outputs, TRIB_MAX_OUTPUTS) << row->name;
        EXPECT_FALSE((row->before | row->after) >> TRIB_KIND_COUNT) << row->name;
        EXPECT_FALSE((row->before | row->after) & 1u) << row->name << ": nothing is no stage to allow";
    }
    EXPECT_EQ(trib_kind_row_of(TRIB_KIND_COUNT), nullptr);
    EXPECT_EQ(trib_kind_row_of(trib_kind(-1)), nullptr);
}

// The average-pool branch of later Inceptions is a convolution with a prologue, and needs no new kind.
TEST(Kinds, PrologueAndMainKindMakeTheShapeTogether)
{
    const trib_op_desc d = conv_of_avg_pool();
    trib_extent in, out;
    ASSERT_OK(trib_op_shape(&d, &in, &out));
    EXPECT_EQ(in.c, 16);
    EXPECT_EQ(in.h, 4);
    EXPECT_EQ(out.c, 32);
    EXPECT_EQ(out.h, 4);
    EXPECT_EQ(out.w, 4);
    EXPECT_EQ(trib_op_weight_elements(&d), 32 * 16 * 7);
    EXPECT_TRUE(trib_op_has_stages(&d));
}

TEST(Kinds, WhatIsDescribedTellsOpsApart)
{
    const trib_op_desc d = conv_of_avg_pool();
    const std::string all = described(d);
    EXPECT_EQ(all, " window 1 7 stride 1 1 pad 0 3 0 3 before avg_pool2d window 2 2 stride 2 2 pad 0 0 0 0");
    trib_op_desc other = d;
    other.before.kind = TRIB_MAX_POOL2D;
    EXPECT_NE(described(other), all);
    other = d;
    other.before.attributes.pool2d.ceil_mode = true;
    EXPECT_NE(described(other), all);
    other = d;
    other.after.kind = TRIB_LRN;
    EXPECT_NE(described(other), all);
}

TEST(Kinds, OnlyStagesThatMakeSenseAreTaken)
{
    trib_extent in, out;
    for (int kind = 1; kind < TRIB_KIND_COUNT + 3; ++kind) {
        trib_op_desc d = conv_of_avg_pool();
        d.before.kind = trib_kind(kind);
        bool allowed = kind == TRIB_AVG_POOL2D || kind == TRIB_MAX_POOL2D;
        trib_status s = trib_op_shape(&d, &in, &out);
        EXPECT_EQ(!trib_failed(&s), allowed) << kind;
        d = conv_of_avg_pool();
        d.after.kind = trib_kind(kind);
        s = trib_op_shape(&d, &in, &out);
        EXPECT_TRUE(trib_failed(&s)) << kind;
    }
}

} // namespace
