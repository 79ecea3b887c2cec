// SPDX-License-Identifier: Apache-2.0
#include "conformance/op_case.h"

#include <algorithm>
#include <cmath>

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

int windows(int size, int window, int stride, int before, int after, bool ceil_mode)
{
    int room = size + before + after - window;
    if (room < 0) return 0;
    int count = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
    if (ceil_mode && (count - 1) * stride >= size + before) --count;
    return count;
}

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

OpCase Generator::shaped(trib_kind kind, trib_layout source, trib_layout target)
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
    return op;
}

OpCase Generator::make(trib_kind kind, trib_layout source, trib_layout target)
{
    OpCase op = shaped(kind, source, target);
    trib_op_desc &d = op.desc;
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

OpCase Generator::pool_and_lrn(bool lrn_first, trib_layout layout)
{
    OpCase op;
    trib_op_desc &d = op.desc;
    const int n = pick({ 1, 2 }), c = pick({ 8, 16, 40, 64 }), h = pick({ 3, 7, 14 }), w = pick({ 3, 8, 13 });
    trib_op_stage &stage = lrn_first ? d.before : d.after;
    d.kind = TRIB_MAX_POOL2D;
    d.attributes.pool2d = { 3, 3, 2, 2, { 1, 1, 1, 1 }, true };
    stage.kind = TRIB_LRN;
    stage.attributes.lrn = { pick({ 3, 5 }), 1e-1f, 0.75f, 1 };
    d.input_count = d.output_count = 1;
    d.inputs[0] = view(layout, n, c, h, w, chance(40));
    d.outputs[0] = view(layout, n, c, windows(h, 3, 2, 1, 1, true), windows(w, 3, 2, 1, 1, true), chance(40));
    fill(op);
    return op;
}

OpCase Generator::convolutions(trib_layout layout)
{
    OpCase op;
    trib_op_desc &d = op.desc;
    const int n = pick({ 1, 2, 3 }), c = pick({ 8, 24, 64 }), h = pick({ 1, 2, 7, 14 }), w = pick({ 1, 3, 7, 14 });
    d.kind = TRIB_CONV2D;
    d.attributes.conv2d = { 0, 1, 1, 1, 1, {}, false };
    d.input_count = 1;
    d.output_count = upto(2, TRIB_MAX_OUTPUTS);
    d.inputs[0] = view(layout, n, c, h, w, chance(40));
    for (int i = 0; i < d.output_count; ++i) {
        d.outputs[i] = view(layout, n, pick({ 8, 16, 24, 64 }), h, w, chance(40));
        d.attributes.conv2d.k += d.outputs[i].c;
    }
    fill(op);
    return op;
}

OpCase Generator::top_k()
{
    OpCase op;
    trib_op_desc &d = op.desc;
    const int n = pick({ 1, 2, 5 }), c = pick({ 2, 10, 100, 1000 });
    d.kind = TRIB_TOP_K;
    d.attributes.top_k.k = upto(1, std::min(c, 10));
    d.input_count = 1;
    d.output_count = 2;
    d.inputs[0] = view(TRIB_NCHW, n, c, 1, 1, false);
    for (trib_view *y : { &d.outputs[0], &d.outputs[1] }) *y = view(TRIB_NCHW, n, d.attributes.top_k.k, 1, 1, false);
    d.outputs[1].dtype = TRIB_I32;
    fill(op);
    return op;
}

OpCase Generator::preprocess()
{
    OpCase op;
    trib_op_desc &d = op.desc;
    const int n = pick({ 1, 2 }), c = pick({ 1, 3 }), h = pick({ 1, 7, 32 }), w = pick({ 1, 5, 31 });
    d.kind = TRIB_PREPROCESS;
    d.attributes.preprocess = { chance(50), { 1 / 64.0f, 1 / 70.0f, 1 / 80.0f }, { -2, -1.5f, -1 } };
    d.input_count = d.output_count = 1;
    d.inputs[0] = view(TRIB_NHWC, n, c, h, w, false);
    d.inputs[0].dtype = TRIB_U8;
    d.outputs[0] = view(TRIB_NHWC, n, 8, h, w, false); // the channels beyond 3 are 0
    op.inputs.push_back(values(std::int64_t(n) * c * h * w, 1));
    for (float &value : op.inputs[0]) value = std::floor(std::fabs(value) * 255);
    op.expected = reference(op);
    return op;
}

// Values of inputs and parameters, and what comes of them.
void Generator::fill(OpCase &op)
{
    trib_op_desc &d = op.desc;
    const trib_kind kind = d.kind;
    const trib_view &x = d.inputs[0];
    int k = 0;
    for (int i = 0; i < d.output_count; ++i) k += d.outputs[i].c;
    for (int i = 0; i < d.input_count; ++i) op.inputs.push_back(values(std::int64_t(x.n) * d.inputs[i].c * x.h * x.w));
    bool weighted = kind == TRIB_CONV2D || kind == TRIB_LINEAR;
    if (weighted) {
        int taps = kind == TRIB_LINEAR ? x.h * x.w : d.attributes.conv2d.r * d.attributes.conv2d.s;
        op.weight = values(std::int64_t(k) * x.c * taps, 2 / std::sqrt(float(x.c * taps)));
        d.has_bias = chance(70);
        d.relu = chance(50);
        if (d.has_bias) op.bias = values(k);
    }
    if (kind == TRIB_BATCH_NORM) op.weight = values(x.c), op.bias = values(x.c);
    op.expected = reference(op);
}

trib_view dense_view(trib_layout layout, int n, int c, int h, int w)
{
    trib_view v = {};
    v.layout = layout;
    v.n = n, v.c = v.c_total = c, v.h = h, v.w = w;
    return v;
}

trib_op_desc conv_desc(trib_layout source, trib_layout target, int n, int c, int h, int k, int r, int stride, int pad)
{
    trib_op_desc d = {};
    d.kind = TRIB_CONV2D;
    d.input_count = d.output_count = 1;
    d.attributes.conv2d = { k, r, r, stride, stride, { pad, pad, pad, pad }, false };
    int p = (h + 2 * pad - r) / stride + 1;
    d.inputs[0] = dense_view(source, n, c, h, h);
    d.outputs[0] = dense_view(target, n, k, p, p);
    d.has_bias = d.relu = true;
    return d;
}

} // namespace conformance
