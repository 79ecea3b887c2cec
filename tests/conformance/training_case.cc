// SPDX-License-Identifier: Apache-2.0
// Random ops of training: what they read and write is the table in tributary/op.h.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "conformance/op_case.h"
#include "tributary/training_kernels.h"

namespace conformance
{

namespace
{

trib_kind forward_of(trib_kind kind)
{
    switch (kind) {
    case TRIB_CONV2D:
    case TRIB_CONV2D_BACKWARD_DATA:
    case TRIB_CONV2D_BACKWARD_WEIGHT: return TRIB_CONV2D;
    case TRIB_LINEAR:
    case TRIB_LINEAR_BACKWARD_DATA:
    case TRIB_LINEAR_BACKWARD_WEIGHT: return TRIB_LINEAR;
    case TRIB_MAX_POOL2D_INDEXED:
    case TRIB_MAX_POOL2D_BACKWARD: return TRIB_MAX_POOL2D;
    case TRIB_AVG_POOL2D_BACKWARD: return TRIB_AVG_POOL2D;
    case TRIB_ADAPTIVE_AVG_POOL2D_BACKWARD: return TRIB_ADAPTIVE_AVG_POOL2D;
    default: return TRIB_RELU; // y is like x
    }
}

trib_view weight_view(const trib_op_desc &forward, trib_layout layout)
{
    const trib_view &x = forward.inputs[0];
    const trib_conv2d &conv = forward.attributes.conv2d;
    trib_view w = forward.kind == TRIB_CONV2D ? dense_view(layout, conv.k, x.c, conv.r, conv.s)
                                              : dense_view(layout, forward.attributes.linear.out, x.c, x.h, x.w);
    w.dtype = TRIB_F32;
    return w;
}

std::int64_t elements(const trib_view &v) { return std::int64_t(v.n) * v.c * v.h * v.w; }

void set(trib_op_desc &d, std::initializer_list<trib_view> inputs, std::initializer_list<trib_view> outputs)
{
    std::copy(inputs.begin(), inputs.end(), d.inputs);
    std::copy(outputs.begin(), outputs.end(), d.outputs);
    d.input_count = int(inputs.size());
    d.output_count = int(outputs.size());
}

trib_view of_type(trib_view v, trib_dtype dtype)
{
    v.dtype = dtype;
    return v;
}

trib_view controls_view() { return of_type(dense_view(TRIB_NCHW, 1, sizeof(trib_step_controls), 1, 1), TRIB_U8); }

} // namespace

trib_view Generator::vector(int c) { return view(TRIB_NCHW, 1, c, 1, 1, chance(40)); }

Values Generator::controls()
{
    trib_step_controls controls = {};
    controls.seed = random_();
    controls.step = random_();
    controls.lr = 0.1f, controls.momentum = 0.9f, controls.weight_decay = 0.01f;
    controls.average_decay = 0.75f, controls.loss_scale = 8, controls.clip_norm = 0.5f;
    controls.add_to_sum = chance(50), controls.no_update = chance(30);
    std::array<std::uint8_t, sizeof controls> bytes;
    std::memcpy(bytes.data(), &controls, sizeof controls);
    return Values(bytes.begin(), bytes.end());
}

// Of convolutions, linear layers and pools.
void Generator::gradients(OpCase &op, const OpCase &forward, trib_layout weights)
{
    trib_op_desc &d = op.desc;
    const trib_view x = forward.desc.inputs[0], y = forward.desc.outputs[0];
    const trib_view index = of_type(view(y.layout, y.n, y.c, y.h, y.w, chance(40)), TRIB_U8);
    const bool weighted = forward.desc.kind == TRIB_CONV2D || forward.desc.kind == TRIB_LINEAR;
    const trib_view w = weighted ? weight_view(forward.desc, weights) : trib_view {};
    d.attributes = forward.desc.attributes;
    op.standard = forward.standard || !weighted;
    switch (d.kind) {
    case TRIB_CONV2D:
    case TRIB_LINEAR:
        d.has_bias = chance(50);
        d.relu = chance(30);
        set(d, { x, w, vector(y.c) }, { y });
        d.input_count = 2 + d.has_bias;
        break;
    case TRIB_CONV2D_BACKWARD_DATA:
    case TRIB_LINEAR_BACKWARD_DATA: set(d, { y, w }, { x }); break;
    case TRIB_CONV2D_BACKWARD_WEIGHT:
    case TRIB_LINEAR_BACKWARD_WEIGHT: set(d, { x, y }, { w }); break;
    case TRIB_MAX_POOL2D_INDEXED: set(d, { x }, { y, index }); break;
    case TRIB_MAX_POOL2D_BACKWARD: set(d, { y, index }, { x }); break;
    default: set(d, { y }, { x });
    }
    const bool gives_dx = d.kind != forward.desc.kind && d.kind != TRIB_CONV2D_BACKWARD_WEIGHT &&
                          d.kind != TRIB_LINEAR_BACKWARD_WEIGHT && d.kind != TRIB_MAX_POOL2D_INDEXED;
    d.accumulate = gives_dx && chance(40);
}

// Ops whose y is like their x.
void Generator::pixels(OpCase &op, const OpCase &forward)
{
    trib_op_desc &d = op.desc;
    const trib_view x = forward.desc.inputs[0], y = forward.desc.outputs[0];
    const trib_view third = view(x.layout, x.n, x.c, x.h, x.w, chance(40));
    const bool in_place = chance(50);
    op.standard = true;
    switch (d.kind) {
    case TRIB_BIAS_BACKWARD: set(d, { x }, { vector(x.c) }); return;
    case TRIB_RELU_BACKWARD:
        set(d, { x, third }, { y, vector(x.c) });
        d.output_count = upto(1, 2);
        break;
    case TRIB_LRN_BACKWARD:
        d.attributes.lrn = { pick({ 3, 5, 5, 1, 4 }), 1e-1f, 0.75f, pick({ 1, 2 }) * 1.0f };
        set(d, { x, third }, { y });
        return;
    default:
        d.attributes.dropout = { pick({ 0, 2, 5, 7 }) / 10.0f, std::uint32_t(upto(0, 100)) };
        set(d, { x, controls_view() }, { y });
    }
    if (!in_place) return;
    d.outputs[0] = d.inputs[0];
    op.updates[0] = 0;
}

void Generator::batch_norm(OpCase &op)
{
    trib_op_desc &d = op.desc;
    const trib_view x = d.inputs[0], y = d.outputs[0], third = view(x.layout, x.n, x.c, x.h, x.w, chance(40));
    const trib_view saved = of_type(dense_view(TRIB_NCHW, 4, x.c, 1, 1), TRIB_F32);
    op.standard = true;
    d.relu = d.kind != TRIB_BATCH_STATISTICS && chance(50);
    switch (d.kind) {
    case TRIB_BATCH_STATISTICS: {
        const trib_view mean = vector(x.c), var = vector(x.c);
        d.attributes.batch_statistics = { 1e-3f, 0.1f };
        set(d, { x, vector(x.c), vector(x.c), mean, var }, { saved, mean, var });
        op.updates = { -1, 3, 4, -1 };
        return;
    }
    case TRIB_BATCH_NORM_APPLY: set(d, { x, saved }, { y }); break;
    default: set(d, { x, third, saved }, { y, vector(x.c), vector(x.c) });
    }
    if (!chance(50)) return;
    d.outputs[0] = d.inputs[0];
    op.updates[0] = 0;
}

void Generator::loss(OpCase &op)
{
    trib_op_desc &d = op.desc;
    const int n = pick({ 1, 2, 3, 8 }), classes = pick({ 2, 10, 100, 1000 });
    const auto logits = [&] { return view(TRIB_NCHW, n, classes, 1, 1, chance(40)); };
    const trib_view one = of_type(dense_view(TRIB_NCHW, n, 1, 1, 1), TRIB_F32);
    op.standard = true;
    d.attributes.cross_entropy = { pick({ 10, 3 }) / 10.0f, pick({ 0, 1 }) / 10.0f };
    set(d, { logits(), of_type(one, TRIB_I32), controls_view() }, { logits(), one });
}

void Generator::update(OpCase &op)
{
    trib_op_desc &d = op.desc;
    const int count = pick({ 1, 7, 64, 1000, 70001 });
    const trib_view w = vector(count), g = vector(count), v = vector(count);
    op.standard = true;
    if (d.kind == TRIB_SGD) {
        d.attributes.sgd = { pick({ 1, 2 }) * 1.0f, pick({ 0, 1 }) * 1.0f, chance(50) };
        set(d, { w, g, v, controls_view() }, { w, v });
        op.updates = { 0, 2, -1, -1 };
    } else if (d.kind == TRIB_CLIP_GRADIENTS) {
        const trib_view more = vector(pick({ 1, 100, 65536 }));
        if (chance(50)) {
            set(d, { g, controls_view() }, { g });
            op.updates[0] = 0;
        } else {
            set(d, { g, more, controls_view() }, { g, more });
            op.updates = { 0, 1, -1, -1 };
        }
    } else if (d.kind == TRIB_SCALE_CONTROLS) {
        set(d, { controls_view(), vector(4) }, { controls_view() });
    } else if (d.kind == TRIB_CHECK_GRADIENTS) {
        set(d, { g, controls_view() }, { controls_view() });
        op.updates[0] = 1;
    } else if (d.kind == TRIB_ADJUST_LOSS_SCALE) {
        const trib_view scale = vector(4);
        d.attributes.adjust_loss_scale.growth_interval = pick({ 1, 2000 });
        set(d, { controls_view(), scale }, { scale });
        op.updates[0] = 1;
    } else { // a sum or an average
        set(d, { v, w, controls_view() }, { v });
        op.updates[0] = 0;
    }
}

namespace
{

// Results of sums are of the order of 1: errors of float32 are then those of tolerance_of.
float scale_of(const trib_op_desc &d, int input)
{
    const trib_view &first = d.inputs[0];
    switch (d.kind) {
    case TRIB_CONV2D:
    case TRIB_LINEAR: return input == 1 ? 2 / std::sqrt(float(elements(d.inputs[1]) / d.inputs[1].n)) : 1;
    case TRIB_CONV2D_BACKWARD_DATA:
    case TRIB_LINEAR_BACKWARD_DATA: return input == 1 ? 2 / std::sqrt(float(elements(d.inputs[1]) / d.inputs[1].c)) : 1;
    case TRIB_CONV2D_BACKWARD_WEIGHT:
    case TRIB_LINEAR_BACKWARD_WEIGHT:
        return input == 1 ? 2 / std::sqrt(float(elements(d.inputs[1]) / d.inputs[1].c)) : 1;
    case TRIB_BIAS_BACKWARD:
    case TRIB_RELU_BACKWARD:
    case TRIB_BATCH_NORM_BACKWARD: return input == 0 ? 2 / std::sqrt(float(elements(first) / first.c)) : 1;
    case TRIB_CROSS_ENTROPY: return 4;
    default: return 1;
    }
}

// Maxima are often equal: all are multiples of 1/4.
void coarsen(Values &x)
{
    for (float &value : x) value = std::round(value * 4) / 4;
}

// Weights away from 0, and variances positive.
void fit_parameters(Values &weight, Values &var)
{
    for (float &value : weight) value += value < 0 ? -0.3f : 0.3f;
    for (float &value : var) value = 0.5f + std::fabs(value);
}

// The statistics of x, with its values moved away from where scale * x + shift is 0: rounding decides there.
Values statistics_of(const trib_view &view, Values &x, Values weight, const Values &bias)
{
    const std::size_t channels = std::size_t(view.c);
    Values saved(4 * channels), mean(channels), var(channels, 1);
    fit_parameters(weight, var);
    const trib_pixel_geometry g = { elements(view) / view.c, view.c, view.c, view.c, false };
    const trib_batch_norm_parameters p = { weight.data(), bias.data(), 1e-1f, 0.1f };
    trib_ref_batch_statistics(&g, x.data(), &p, saved.data(), mean.data(), var.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double scale = saved[i % channels], shift = saved[channels + i % channels];
        if (std::fabs(x[i] * scale + shift) < 0.02) x[i] = float((0.05 - shift) / scale);
    }
    return saved;
}

} // namespace

void Generator::training_values(OpCase &op)
{
    const trib_op_desc &d = op.desc;
    for (int i = 0; i < d.input_count; ++i) {
        const bool controls_here = d.inputs[i].dtype == TRIB_U8 && d.inputs[i].c == int(sizeof(trib_step_controls)) &&
                                   d.kind != TRIB_MAX_POOL2D_BACKWARD;
        op.inputs.push_back(controls_here ? controls() : values(elements(d.inputs[i]), scale_of(d, i)));
    }
    if (d.accumulate) op.initial = values(elements(d.outputs[0]));
    switch (d.kind) {
    case TRIB_MAX_POOL2D_INDEXED: coarsen(op.inputs[0]); break;
    case TRIB_MAX_POOL2D_BACKWARD: {
        OpCase forward = op;
        forward.desc.kind = TRIB_MAX_POOL2D_INDEXED;
        set(forward.desc, { d.outputs[0] }, { d.inputs[0], d.inputs[1] });
        forward.inputs = { values(elements(d.outputs[0])) };
        coarsen(forward.inputs[0]);
        op.inputs[1] = reference(forward)[1];
        break;
    }
    case TRIB_CHECK_GRADIENTS:
        if (chance(50)) op.inputs[0][std::size_t(upto(0, d.inputs[0].c - 1))] = chance(50) ? INFINITY : NAN;
        break;
    case TRIB_RELU_BACKWARD:
        for (float &value : op.inputs[1]) value = std::max(value, 0.0f);
        break;
    case TRIB_BATCH_STATISTICS: fit_parameters(op.inputs[1], op.inputs[4]); break;
    case TRIB_BATCH_NORM_APPLY:
    case TRIB_BATCH_NORM_BACKWARD: {
        const std::size_t x = d.kind == TRIB_BATCH_NORM_APPLY ? 0 : 1;
        op.inputs[x + 1] = statistics_of(d.inputs[x], op.inputs[x], values(d.inputs[x].c), values(d.inputs[x].c));
        break;
    }
    case TRIB_CROSS_ENTROPY:
        for (float &label : op.inputs[1]) label = float(upto(0, d.inputs[0].c - 1));
        break;
    default: break;
    }
    op.expected = reference(op);
}

OpCase Generator::training(trib_kind kind, trib_layout source, trib_layout target, trib_layout weights)
{
    const OpCase forward = shaped(forward_of(kind), source, target);
    OpCase op;
    op.desc.kind = kind;
    switch (kind) {
    case TRIB_BATCH_STATISTICS:
    case TRIB_BATCH_NORM_APPLY:
    case TRIB_BATCH_NORM_BACKWARD:
        op.desc.inputs[0] = forward.desc.inputs[0];
        op.desc.outputs[0] = forward.desc.outputs[0];
        batch_norm(op);
        break;
    case TRIB_CROSS_ENTROPY: loss(op); break;
    case TRIB_SCALE_CONTROLS:
    case TRIB_SUM_GRADIENTS:
    case TRIB_CHECK_GRADIENTS:
    case TRIB_ADJUST_LOSS_SCALE:
    case TRIB_CLIP_GRADIENTS:
    case TRIB_SGD:
    case TRIB_MOVING_AVERAGE: update(op); break;
    default: forward_of(kind) == TRIB_RELU ? pixels(op, forward) : gradients(op, forward, weights);
    }
    op.desc.chunk = upto(0, 2);
    training_values(op);
    return op;
}

} // namespace conformance
