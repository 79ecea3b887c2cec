/* SPDX-License-Identifier: Apache-2.0
 * Where the elements of a view lie in memory. */
#include "tributary/op.h"

const char *trib_layout_name(trib_layout layout)
{
    switch (layout) {
    case TRIB_NCHW: return "nchw";
    case TRIB_NHWC: return "nhwc";
    case TRIB_NCHW8C: return "nChw8c";
    case TRIB_NCHW16C: return "nChw16c";
    case TRIB_LAYOUT_COUNT: break;
    }
    return "unknown";
}

int trib_layout_block(trib_layout layout) { return layout == TRIB_NCHW8C ? 8 : layout == TRIB_NCHW16C ? 16 : 1; }

const char *trib_precision_name(trib_precision precision)
{
    static const char *const names[TRIB_PRECISION_COUNT] = { "fp32", "tf32", "fp16", "bf16" };
    return (unsigned)precision < TRIB_PRECISION_COUNT ? names[precision] : "unknown";
}

trib_dtype trib_precision_dtype(trib_precision precision)
{
    return precision == TRIB_PRECISION_FP16 ? TRIB_F16 : precision == TRIB_PRECISION_BF16 ? TRIB_BF16 : TRIB_F32;
}

bool trib_op_has_stages(const trib_op_desc *desc)
{
    return desc->before.kind != TRIB_NO_STAGE || desc->after.kind != TRIB_NO_STAGE;
}

static int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

int64_t trib_view_bytes(const trib_view *v)
{
    int64_t channels = round_up(v->c_total, trib_layout_block(v->layout));
    return (int64_t)v->n * channels * v->h * v->w * (int64_t)trib_dtype_size(v->dtype);
}

int64_t trib_view_offset(const trib_view *v)
{
    int64_t elements = v->layout == TRIB_NHWC ? v->c_offset : (int64_t)v->c_offset * v->h * v->w;
    return elements * (int64_t)trib_dtype_size(v->dtype);
}
