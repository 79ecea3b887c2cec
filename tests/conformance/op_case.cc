// SPDX-License-Identifier: Apache-2.0
#include "conformance/op_case.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace conformance
{

int Generator::pick(std::initializer_list<int> values) { return values.begin()[upto(0, int(values.size()) - 1)]; }

Values Generator::values(std::int64_t count, float scale)
{
    std::uniform_real_distribution<float> uniform(-scale, scale);
    Values made(static_cast<std::size_t>(count));
    for (float &value : made) value = uniform(random_);
    return made;
}

trib_view Generator::view(trib_layout layout, int n, int c, int h, int w, bool slice)
{
    trib_view v = {};
    int block = trib_layout_block(layout);
    v.dtype = TRIB_F32;
    v.layout = layout;
    v.n = n, v.c = v.c_total = c, v.h = h, v.w = w;
    if (!slice) return v;
    v.c_offset = upto(0, 2) * block;
    int behind = c % block ? 0 : upto(0, 3 * block); // a part of a block can only be the end
    v.c_total = v.c_offset + c + behind;
    return v;
}

namespace
{

int windows(int size, int window, int stride, int before, int after, bool ceil_mode)
{
    int room = size + before + after - window;
    if (room < 0) return 0;
    int count = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
    if (ceil_mode && (count - 1) * stride >= size + before) --count;
    return count;
}

} // namespace

// The windows of GoogLeNet, and odd ones.
void Generator::conv(OpCase &op)
{
    trib_conv2d &a = op.desc.attributes.conv2d;
    switch (upto(0, 7)) {
    case 0: a = { 0, 1, 1, 1, 1, {}, false }; break;
    case 1: a = { 0, 3, 3, 1, 1, { 1, 1, 1, 1 }, false }; break;
    case 2: a = { 0, 5, 5, 1, 1, { 2, 2, 2, 2 }, false }; break;
    case 3: a = { 0, 7, 7, 2, 2, { 3, 3, 3, 3 }, false }; break;
    case 4: a = { 0, 3, 3, 2, 2, { 0, 1, 1, 0 }, false }; break;
    case 5: a = { 0, 1, 1, 2, 2, {}, false }; break;
    case 6: a = { 0, 1, 3, 1, 1, { 0, 1, 0, 1 }, false }; break;
    default:
        a = { 0,    upto(1, 4), upto(1, 4), upto(1, 3), upto(1, 3), { upto(0, 3), upto(0, 3), upto(0, 3), upto(0, 3) },
              false };
    }
}

void Generator::pool(OpCase &op)
{
    trib_pool2d &a = op.desc.attributes.pool2d;
    switch (upto(0, 5)) {
    case 0: a = { 3, 3, 2, 2, {}, true }; break;
    case 1: a = { 3, 3, 1, 1, { 1, 1, 1, 1 }, false }; break;
    case 2: a = { 2, 2, 2, 2, {}, true }; break;
    case 3: a = { 3, 3, 2, 2, { 1, 1, 1, 1 }, true }; break;
    case 4: a = { 5, 5, 3, 3, {}, false }; break;
    default:
        a.r = upto(1, 4), a.s = upto(1, 4), a.stride_h = upto(1, 3), a.stride_w = upto(1, 3);
        a.pad = { upto(0, a.r - 1), upto(0, a.s - 1), upto(0, a.r - 1), upto(0, a.s - 1) };
        a.ceil_mode = chance(50);
    }
}

void Generator::shapes(OpCase &op, trib_layout source, trib_layout target)
{
    trib_op_desc &d = op.desc;
    const bool linear = d.kind == TRIB_LINEAR, softmax = d.kind == TRIB_SOFTMAX;
    int n = pick({ 1, 1, 2, 3, 8 });
    int c = d.kind == TRIB_CONV2D && source == TRIB_NCHW ? 3 : pick({ 1, 5, 8, 16, 17, 24, 32, 40, 64, 80 });
    int h = softmax ? 1 : linear ? pick({ 1, 1, 3 }) : pick({ 1, 2, 5, 7, 8, 13, 14, 21 });
    int w = softmax ? 1 : linear ? pick({ 1, 1, 2 }) : pick({ 1, 2, 5, 7, 8, 13, 14, 21 });
    int k = c, p = h, q = w;
    if (d.kind == TRIB_CONV2D) {
        trib_conv2d &a = d.attributes.conv2d;
        k = a.k = pick({ 1, 8, 16, 24, 32, 48, 50 });
        p = windows(h, a.r, a.stride_h, a.pad.top, a.pad.bottom, false);
        q = windows(w, a.s, a.stride_w, a.pad.left, a.pad.right, false);
        op.standard = a.pad.top < a.r && a.pad.left < a.s && a.pad.bottom < a.r && a.pad.right < a.s;
    } else if (d.kind == TRIB_MAX_POOL2D || d.kind == TRIB_AVG_POOL2D) {
        trib_pool2d &a = d.attributes.pool2d;
        if (d.kind == TRIB_AVG_POOL2D && chance(25)) a = { h, w, 1, 1, {}, false };
        p = windows(h, a.r, a.stride_h, a.pad.top, a.pad.bottom, a.ceil_mode);
        q = windows(w, a.s, a.stride_w, a.pad.left, a.pad.right, a.ceil_mode);
        if ((p - 1) * a.stride_h - a.pad.top >= h) p = 0;
        if ((q - 1) * a.stride_w - a.pad.left >= w) q = 0;
        op.standard = true;
    } else if (d.kind == TRIB_ADAPTIVE_AVG_POOL2D) {
        p = d.attributes.adaptive_pool2d.p = pick({ 1, 1, 2, 3, 7 });
        q = d.attributes.adaptive_pool2d.q = pick({ 1, 1, 2, 3, 7 });
    } else if (linear) {
        k = d.attributes.linear.out = pick({ 1, 10, 16, 48, 100 });
        p = q = 1;
        op.standard = true;
    }
    d.inputs[0] = view(source, n, c, h, w, chance(40));
    d.outputs[0] = view(target, n, k, p, q, chance(40));
}

OpCase Generator::make(trib_kind kind, trib_layout source, trib_layout target)
{
    OpCase op;
    trib_op_desc &d = op.desc;
    do {
        op = OpCase();
        d.kind = kind;
        d.input_count = d.output_count = 1;
        bool windowed = kind == TRIB_MAX_POOL2D || kind == TRIB_AVG_POOL2D;
        if (kind == TRIB_CONV2D) conv(op);
        if (windowed) pool(op);
        if (kind == TRIB_BATCH_NORM) d.attributes.batch_norm = { 1e-5f };
        if (kind == TRIB_LRN) d.attributes.lrn = { pick({ 3, 5, 5, 1, 4 }), 1e-1f, 0.75f, pick({ 1, 2 }) * 1.0f };
        shapes(op, source, target);
    } while (d.outputs[0].h < 1 || d.outputs[0].w < 1);
    if (kind == TRIB_CONCAT) {
        d.input_count = upto(1, 4);
        int total = d.inputs[0].c;
        for (int i = 1; i < d.input_count; ++i) {
            d.inputs[i] = view(source, d.inputs[0].n, upto(1, 40), d.inputs[0].h, d.inputs[0].w, chance(40));
            total += d.inputs[i].c;
        }
        d.outputs[0] = view(target, d.inputs[0].n, total, d.inputs[0].h, d.inputs[0].w, chance(40));
    }
    fill(op);
    return op;
}

OpCase Generator::pooled(trib_kind pool, trib_layout layout)
{
    OpCase op;
    trib_op_desc &d = op.desc;
    const int n = pick({ 1, 2, 3 }), c = pick({ 8, 16, 40, 64, 5 }), k = pick({ 8, 24, 64 });
    const int h = pick({ 1, 2, 7, 14 }), w = pick({ 1, 3, 7, 14 });
    d.kind = TRIB_CONV2D;
    d.attributes.conv2d = { k, 1, 1, 1, 1, {}, false };
    d.before.kind = pool;
    d.before.attributes.pool2d = { 3, 3, 1, 1, { 1, 1, 1, 1 }, false };
    d.input_count = d.output_count = 1;
    d.inputs[0] = view(layout, n, c, h, w, chance(40));
    d.outputs[0] = view(layout, n, k, h, w, chance(40));
    fill(op);
    return op;
}

// Values of inputs and parameters, and what comes of them.
void Generator::fill(OpCase &op)
{
    trib_op_desc &d = op.desc;
    const trib_kind kind = d.kind;
    const trib_view &x = d.inputs[0], &y = d.outputs[0];
    for (int i = 0; i < d.input_count; ++i) op.inputs.push_back(values(std::int64_t(x.n) * d.inputs[i].c * x.h * x.w));
    bool weighted = kind == TRIB_CONV2D || kind == TRIB_LINEAR;
    if (weighted) {
        int taps = kind == TRIB_LINEAR ? x.h * x.w : d.attributes.conv2d.r * d.attributes.conv2d.s;
        op.weight = values(std::int64_t(y.c) * x.c * taps, 2 / std::sqrt(float(x.c * taps)));
        d.has_bias = chance(70);
        d.relu = chance(50);
        if (d.has_bias) op.bias = values(y.c);
    }
    if (kind == TRIB_BATCH_NORM) op.weight = values(x.c), op.bias = values(x.c);
    op.expected = reference(op);
}

namespace
{

trib_window_geometry window_of(const trib_op_desc &d)
{
    const trib_view &x = d.inputs[0], &y = d.outputs[0];
    const bool conv = d.kind == TRIB_CONV2D;
    const trib_conv2d &c = d.attributes.conv2d;
    const trib_pool2d &p = d.attributes.pool2d;
    const trib_pad &pad = conv ? c.pad : p.pad;
    trib_window_geometry g = {};
    g.n = x.n, g.c = g.x_pitch = x.c, g.h = x.h, g.w = x.w;
    g.k = g.y_pitch = y.c, g.p = y.h, g.q = y.w;
    g.r = conv ? c.r : p.r, g.s = conv ? c.s : p.s;
    g.stride_h = std::max(conv ? c.stride_h : p.stride_h, 1);
    g.stride_w = std::max(conv ? c.stride_w : p.stride_w, 1);
    g.pad_top = pad.top, g.pad_left = pad.left, g.pad_bottom = pad.bottom, g.pad_right = pad.right;
    g.relu = d.relu;
    return g;
}

void reference_concat(const OpCase &op, float *y)
{
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        const trib_view &x = op.desc.inputs[i];
        trib_pixel_geometry g = { std::int64_t(x.n) * x.h * x.w, x.c, x.c, op.desc.outputs[0].c, false };
        trib_ref_copy(&g, op.inputs[i].data(), y);
        y += x.c;
    }
}

} // namespace

// The prologue as a separate op, then the rest.
Values reference_in_steps(const OpCase &op)
{
    OpCase first = op, second = op;
    const trib_pool2d &pool = op.desc.before.attributes.pool2d;
    trib_view between = op.desc.inputs[0];
    between.h = windows(between.h, pool.r, pool.stride_h, pool.pad.top, pool.pad.bottom, pool.ceil_mode);
    between.w = windows(between.w, pool.s, pool.stride_w, pool.pad.left, pool.pad.right, pool.ceil_mode);
    first.desc.kind = op.desc.before.kind;
    first.desc.attributes = op.desc.before.attributes;
    first.desc.relu = false;
    first.desc.outputs[0] = second.desc.inputs[0] = between;
    first.desc.before = second.desc.before = {};
    second.inputs[0] = reference(first);
    return reference(second);
}

Values reference(const OpCase &op)
{
    const trib_op_desc &d = op.desc;
    if (d.before.kind != TRIB_NO_STAGE) return reference_in_steps(op);
    const trib_view &in = d.inputs[0], &out = d.outputs[0];
    Values result(std::size_t(out.n) * std::size_t(out.c) * std::size_t(out.h) * std::size_t(out.w));
    const float *x = op.inputs[0].data(), *bias = op.bias.empty() ? nullptr : op.bias.data();
    float *y = result.data();
    trib_window_geometry g = window_of(d);
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
    default: reference_concat(op, y);
    }
    if (d.kind == TRIB_RELU) trib_ref_copy(&p, x, y);
    return result;
}

namespace
{

void write_view(std::ostream &out, const trib_view &v)
{
    out << trib_layout_name(v.layout) << ' ' << v.n << 'x' << v.c << 'x' << v.h << 'x' << v.w;
    if (v.c != v.c_total) out << " (channels " << v.c_offset << ".. of " << v.c_total << ')';
}

} // namespace

std::string describe(const trib_op_desc &d)
{
    std::ostringstream out;
    if (d.before.kind != TRIB_NO_STAGE) out << trib_kind_name(d.before.kind) << " before ";
    out << trib_kind_name(d.kind) << ' ';
    for (int i = 0; i < d.input_count; ++i)
        write_view(out, d.inputs[i]), out << (i + 1 < d.input_count ? ", " : " -> ");
    write_view(out, d.outputs[0]);
    trib_window_geometry g = window_of(d);
    if (d.kind == TRIB_CONV2D || d.kind == TRIB_MAX_POOL2D || d.kind == TRIB_AVG_POOL2D)
        out << ", window " << g.r << 'x' << g.s << " stride " << g.stride_h << ',' << g.stride_w << " pad " << g.pad_top
            << ',' << g.pad_left << ',' << g.pad_bottom << ',' << g.pad_right;
    out << (d.has_bias ? ", bias" : "") << (d.relu ? ", relu" : "");
    return out.str();
}

namespace
{

// Index of channel c of the whole tensor.
std::size_t place(const trib_view &v, int n, int c, int h, int w)
{
    const int block = trib_layout_block(v.layout), channels = (v.c_total + block - 1) / block * block;
    if (v.layout == TRIB_NHWC) return ((std::size_t(n) * v.h + h) * v.w + w) * v.c_total + c;
    return (((std::size_t(n) * (channels / block) + c / block) * v.h + h) * v.w + w) * block + c % block;
}

} // namespace

std::vector<float> pack(const trib_view &v, const Values &values, float canary)
{
    std::vector<float> whole(std::size_t(trib_view_bytes(&v)) / sizeof(float), canary);
    const int block = trib_layout_block(v.layout), channels = (v.c_total + block - 1) / block * block;
    std::size_t next = 0;
    for (int n = 0; n < v.n; ++n)
        for (int h = 0; h < v.h; ++h)
            for (int w = 0; w < v.w; ++w) {
                for (int c = 0; c < v.c; ++c) whole[place(v, n, v.c_offset + c, h, w)] = values[next++];
                for (int c = v.c_total; c < channels; ++c) whole[place(v, n, c, h, w)] = 0;
            }
    return whole;
}

Values unpack(const trib_view &v, const std::vector<float> &whole)
{
    Values values;
    for (int n = 0; n < v.n; ++n)
        for (int h = 0; h < v.h; ++h)
            for (int w = 0; w < v.w; ++w)
                for (int c = 0; c < v.c; ++c) values.push_back(whole[place(v, n, v.c_offset + c, h, w)]);
    return values;
}

} // namespace conformance
