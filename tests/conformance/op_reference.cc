// SPDX-License-Identifier: Apache-2.0
// What the C reference makes of an op of any kind and precision.
#include <algorithm>
#include <cmath>

#include "conformance/op_case.h"

namespace conformance
{

trib_window_geometry window_of(const trib_op_desc &d)
{
    const bool of_dy = d.kind == TRIB_CONV2D_BACKWARD_DATA || d.kind == TRIB_MAX_POOL2D_BACKWARD ||
                       d.kind == TRIB_AVG_POOL2D_BACKWARD || d.kind == TRIB_ADAPTIVE_AVG_POOL2D_BACKWARD;
    const trib_view &x = of_dy ? d.outputs[0] : d.inputs[0];
    const trib_view &y = of_dy ? d.inputs[0] : d.kind == TRIB_CONV2D_BACKWARD_WEIGHT ? d.inputs[1] : d.outputs[0];
    const bool conv =
        d.kind == TRIB_CONV2D || d.kind == TRIB_CONV2D_BACKWARD_DATA || d.kind == TRIB_CONV2D_BACKWARD_WEIGHT;
    const trib_conv2d &c = d.attributes.conv2d;
    const trib_pool2d &p = d.attributes.pool2d;
    const trib_pad &pad = conv ? c.pad : p.pad;
    trib_window_geometry g = {};
    g.n = x.n, g.c = g.x_pitch = x.c, g.h = x.h, g.w = x.w;
    g.k = g.y_pitch = conv ? c.k : y.c, g.p = y.h, g.q = y.w;
    g.r = conv ? c.r : p.r, g.s = conv ? c.s : p.s;
    g.stride_h = std::max(conv ? c.stride_h : p.stride_h, 1);
    g.stride_w = std::max(conv ? c.stride_w : p.stride_w, 1);
    g.pad_top = pad.top, g.pad_left = pad.left, g.pad_bottom = pad.bottom, g.pad_right = pad.right;
    g.relu = d.relu;
    return g;
}

namespace
{

void reference_concat(const OpCase &op, float *y)
{
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        const trib_view &x = op.desc.inputs[i];
        trib_pixel_geometry g = { std::int64_t(x.n) * x.h * x.w, x.c, x.c, op.desc.outputs[0].c, false };
        trib_ref_copy(&g, op.inputs[i].data(), y);
        y += x.c;
    }
}

// Of a pooling stage, or of none that changes the extent.
trib_view behind(const trib_op_stage &stage, trib_view v)
{
    if (stage.kind != TRIB_MAX_POOL2D && stage.kind != TRIB_AVG_POOL2D) return v;
    const trib_pool2d &pool = stage.attributes.pool2d;
    v.h = windows(v.h, pool.r, pool.stride_h, pool.pad.top, pool.pad.bottom, pool.ceil_mode);
    v.w = windows(v.w, pool.s, pool.stride_w, pool.pad.left, pool.pad.right, pool.ceil_mode);
    return v;
}

// `desc` without prologue and epilogue, and both of them as ops of their own.
std::vector<Values> reference_in_steps(const OpCase &op)
{
    OpCase before = op, middle = op, after = op;
    trib_op_desc &m = middle.desc;
    m.before = m.after = {};
    if (op.desc.before.kind != TRIB_NO_STAGE) {
        before.desc.kind = op.desc.before.kind;
        before.desc.attributes = op.desc.before.attributes;
        before.desc.before = before.desc.after = {};
        before.desc.relu = false;
        before.desc.output_count = 1;
        before.desc.outputs[0] = m.inputs[0] = behind(op.desc.before, op.desc.inputs[0]);
        middle.inputs = reference(before);
    }
    if (op.desc.after.kind == TRIB_NO_STAGE) return reference(middle);
    after.desc.kind = op.desc.after.kind;
    after.desc.attributes = op.desc.after.attributes;
    after.desc.before = after.desc.after = {};
    after.desc.inputs[0] = op.desc.outputs[0];
    after.inputs = reference(middle);
    return reference(after);
}

// Channels of the outputs, one after the other.
std::vector<Values> split(const trib_op_desc &d, const Values &whole)
{
    std::vector<Values> parts(std::size_t(d.output_count));
    for (std::size_t next = 0; next < whole.size();)
        for (int i = 0; i < d.output_count; ++i)
            for (int c = 0; c < d.outputs[i].c; ++c) parts[std::size_t(i)].push_back(whole[next++]);
    return parts;
}

std::vector<Values> reference_top_k(const OpCase &op)
{
    const int rows = op.desc.inputs[0].n, count = op.desc.inputs[0].c, k = op.desc.attributes.top_k.k;
    const trib_pixel_geometry one = { 1, count, count, count, false };
    Values probabilities, indices, row;
    row.resize(std::size_t(count));
    std::vector<int> best(static_cast<std::size_t>(k));
    for (int n = 0; n < rows; ++n) {
        const float *x = op.inputs[0].data() + n * count;
        trib_ref_softmax(&one, x, row.data());
        trib_top_k(x, count, k, best.data());
        for (int index : best) probabilities.push_back(row[std::size_t(index)]), indices.push_back(float(index));
    }
    return { probabilities, indices };
}

Values reference_preprocess(const OpCase &op)
{
    const trib_view &x = op.desc.inputs[0], &y = op.desc.outputs[0];
    const trib_normalise &a = op.desc.attributes.preprocess;
    const trib_normalise_geometry one = { 1, 1, x.c, x.c, a.bgr, false };
    Values result(std::size_t(y.n) * y.h * y.w * y.c, 0.0f);
    for (std::size_t i = 0; i < op.inputs[0].size() / std::size_t(x.c); ++i) {
        std::uint8_t pixel[3];
        for (int c = 0; c < x.c; ++c) pixel[c] = std::uint8_t(op.inputs[0][i * std::size_t(x.c) + std::size_t(c)]);
        trib_normalise_u8(&one, pixel, a.scale, a.shift, result.data() + i * std::size_t(y.c));
    }
    return result;
}

// An op of one output, without prologue and epilogue.
Values reference_alone(const OpCase &op)
{
    const trib_op_desc &d = op.desc;
    const trib_view &in = d.inputs[0], &out = d.outputs[0];
    trib_window_geometry g = window_of(d);
    const int channels = d.kind == TRIB_CONV2D ? g.k : out.c;
    Values result(std::size_t(out.n) * std::size_t(channels) * std::size_t(out.h) * std::size_t(out.w));
    const float *x = op.inputs[0].data(), *bias = op.bias.empty() ? nullptr : op.bias.data();
    float *y = result.data();
    trib_pixel_geometry p = { std::int64_t(in.n) * in.h * in.w, in.c, in.c, out.c, d.kind == TRIB_RELU };
    trib_linear_geometry l = { in.n, in.c, in.h, in.w, out.c, in.c, out.c, d.relu };
    const trib_lrn &lrn = d.attributes.lrn;
    switch (d.kind) {
    case TRIB_CONV2D: trib_ref_conv2d(&g, x, op.weight.data(), bias, y); break;
    case TRIB_MAX_POOL2D: trib_ref_max_pool2d(&g, x, y); break;
    case TRIB_AVG_POOL2D: trib_ref_avg_pool2d(&g, x, y); break;
    case TRIB_ADAPTIVE_AVG_POOL2D: trib_ref_adaptive_avg_pool2d(&g, x, y); break;
    case TRIB_LRN: trib_ref_lrn(&p, lrn.size, lrn.alpha, lrn.beta, lrn.k, x, y); break;
    case TRIB_BATCH_NORM: trib_ref_scale_shift(&p, op.weight.data(), bias, x, y); break;
    case TRIB_LINEAR: trib_ref_linear(&l, x, op.weight.data(), bias, y); break;
    case TRIB_SOFTMAX: trib_ref_softmax(&p, x, y); break;
    case TRIB_PREPROCESS: return reference_preprocess(op);
    default: reference_concat(op, y);
    }
    if (d.kind == TRIB_RELU) trib_ref_copy(&p, x, y);
    return result;
}

} // namespace

std::vector<Values> reference(const OpCase &op)
{
    const trib_op_desc &d = op.desc;
    if (is_training(d)) return training_reference(op);
    if (d.before.kind != TRIB_NO_STAGE || d.after.kind != TRIB_NO_STAGE) return reference_in_steps(op);
    if (d.kind == TRIB_TOP_K) return reference_top_k(op);
    return split(d, reference_alone(op));
}

namespace
{

void round_to(Values &values, trib_precision precision)
{
    const trib_dtype dtype = trib_precision_dtype(precision);
    for (float &value : values)
        value = precision == TRIB_PRECISION_TF32 ? trib_f32_to_tf32(value) : loaded(stored({ value }, dtype), dtype)[0];
}

// Inputs and outputs of an op of training that have the precision's type, as bits; all others are float32 or integers.
struct Precise {
    trib_kind kind;
    unsigned inputs, outputs;
};
const Precise precise[] = {
    { TRIB_CONV2D, 3, 1 },
    { TRIB_LINEAR, 3, 0 },
    { TRIB_CONV2D_BACKWARD_DATA, 3, 1 },
    { TRIB_CONV2D_BACKWARD_WEIGHT, 3, 0 },
    { TRIB_LINEAR_BACKWARD_DATA, 3, 1 },
    { TRIB_LINEAR_BACKWARD_WEIGHT, 3, 0 },
    { TRIB_BIAS_BACKWARD, 1, 0 },
    { TRIB_RELU_BACKWARD, 3, 1 },
    { TRIB_BATCH_STATISTICS, 1, 0 },
    { TRIB_BATCH_NORM_APPLY, 1, 1 },
    { TRIB_BATCH_NORM_BACKWARD, 3, 1 },
    { TRIB_MAX_POOL2D_INDEXED, 1, 1 },
    { TRIB_MAX_POOL2D_BACKWARD, 1, 1 },
    { TRIB_AVG_POOL2D_BACKWARD, 1, 1 },
    { TRIB_ADAPTIVE_AVG_POOL2D_BACKWARD, 1, 1 },
    { TRIB_LRN_BACKWARD, 3, 1 },
    { TRIB_DROPOUT_TRAINING, 1, 1 },
    { TRIB_CROSS_ENTROPY, 0, 1 },
};

// Of linear layers, only logits stay float32: here, those of an odd number of images.
bool is_hidden(const trib_op_desc &d) { return d.kind == TRIB_LINEAR && d.inputs[0].n % 2 == 0; }

OpCase training_in_precision(OpCase op, trib_precision precision)
{
    trib_op_desc &d = op.desc;
    d.precision = precision;
    for (const Precise &p : precise) {
        if (p.kind != d.kind) continue;
        for (int i = 0; i < d.input_count; ++i) {
            if (!(p.inputs >> i & 1u)) continue;
            d.inputs[i].dtype = trib_precision_dtype(precision);
            round_to(op.inputs[std::size_t(i)], precision);
        }
        if (p.outputs & 1u || is_hidden(d))
            d.outputs[0].dtype = trib_precision_dtype(precision), round_to(op.initial, precision);
    }
    op.expected = reference(op);
    return op;
}

} // namespace

OpCase in_precision(OpCase op, trib_precision precision)
{
    if (is_training(op.desc)) return training_in_precision(op, precision);
    const trib_dtype dtype = trib_precision_dtype(precision);
    trib_op_desc &d = op.desc;
    d.precision = precision;
    for (int i = 0; i < d.input_count; ++i) {
        if (d.inputs[i].dtype != TRIB_F32) continue; // pixels
        d.inputs[i].dtype = dtype;
        round_to(op.inputs[std::size_t(i)], precision);
    }
    // Logits and what comes of them stay float32.
    const bool results = d.kind == TRIB_LINEAR || d.kind == TRIB_TOP_K;
    for (int i = 0; i < d.output_count && !results; ++i) d.outputs[i].dtype = dtype;
    if (d.kind != TRIB_BATCH_NORM) round_to(op.weight, precision), round_to(op.bias, precision);
    op.expected = reference(op);
    return op;
}

double tolerance_of(trib_precision precision)
{
    switch (precision) {
    case TRIB_PRECISION_TF32: return 1e-3;
    case TRIB_PRECISION_FP16: return 2e-3;
    case TRIB_PRECISION_BF16: return 1.6e-2;
    default: return 2e-5;
    }
}

} // namespace conformance
