/* SPDX-License-Identifier: Apache-2.0 */
#include "device/op_check.h"

#include "graph/kinds.h"

#define INVALID(...) TRIB_ERROR(TRIB_INVALID_ARGUMENT, __VA_ARGS__)

/* Far above any activation, and far from overflow in the sums and products that follow. */
static const int64_t most_elements = (int64_t)1 << 40;

static trib_status check_size(const trib_view *v)
{
    int64_t elements = 1;
    const int extents[] = { v->n, v->c_total, v->h, v->w };
    for (int i = 0; i < 4; ++i) {
        if (extents[i] < 1) return INVALID("an extent of %dx%dx%dx%d is not positive", v->n, v->c_total, v->h, v->w);
        if (elements > most_elements / extents[i])
            return INVALID("a tensor of %dx%dx%dx%d is too large", v->n, v->c_total, v->h, v->w);
        elements *= extents[i];
    }
    return trib_success();
}

static trib_status check_view(const trib_view *v)
{
    if ((unsigned)v->dtype >= TRIB_DTYPE_COUNT) return INVALID("there is no dtype %d", (int)v->dtype);
    if ((int)v->layout < 0 || v->layout >= TRIB_LAYOUT_COUNT) return INVALID("there is no layout %d", (int)v->layout);
    TRIB_TRY(check_size(v));
    if (v->c < 1 || v->c_offset < 0 || v->c > v->c_total - v->c_offset)
        return INVALID("channels %d to %d do not lie within %d", v->c_offset, v->c_offset + v->c - 1, v->c_total);
    int block = trib_layout_block(v->layout);
    bool last = v->c_offset + v->c == v->c_total;
    if (v->c_offset % block || (v->c % block && !last))
        return INVALID("a slice of channels %d to %d of %d does not fit blocks of %d", v->c_offset,
                       v->c_offset + v->c - 1, v->c_total, block);
    return trib_success();
}

static trib_status check_counts(const trib_op_desc *desc, const trib_kind_row *row)
{
    if (desc->input_count < row->least_inputs || desc->input_count > row->most_inputs)
        return INVALID("%d inputs; %d to %d are possible", desc->input_count, row->least_inputs, row->most_inputs);
    if (desc->output_count < row->least_outputs || desc->output_count > row->most_outputs)
        return INVALID("%d outputs; %d to %d are possible", desc->output_count, row->least_outputs, row->most_outputs);
    if (desc->threads < 0 || desc->chunk < 0) return INVALID("%d threads, chunks of %d", desc->threads, desc->chunk);
    if (desc->accumulate && !row->accumulates) return INVALID("it cannot add to its output");
    if ((unsigned)desc->precision >= TRIB_PRECISION_COUNT)
        return INVALID("there is no precision %d", (int)desc->precision);
    return trib_success();
}

/* Inputs with a batch's images; parameters may follow them. */
static int activations(const trib_op_desc *desc, const trib_kind_row *row)
{
    return row->operands && row->operands < desc->input_count ? row->operands : desc->input_count;
}

/* ---- element types ---- */

static trib_status expect_dtype(const trib_view *v, trib_dtype dtype)
{
    if (v->dtype == dtype) return trib_success();
    return INVALID("%s where %s is needed", trib_dtype_name(v->dtype), trib_dtype_name(dtype));
}

/* Element types of the outputs for these inputs. */
static trib_status check_output_dtypes(const trib_op_desc *desc, trib_gives gives)
{
    if (gives == TRIB_GIVES_TOP_K) {
        TRIB_TRY(expect_dtype(&desc->outputs[0], TRIB_F32));
        return expect_dtype(&desc->outputs[1], TRIB_I32);
    }
    for (int i = 0; i < desc->output_count; ++i) {
        trib_dtype dtype = desc->outputs[i].dtype;
        if (!trib_dtype_is_float(dtype)) return INVALID("an output of %s", trib_dtype_name(dtype));
        if (gives == TRIB_GIVES_FLOATS || (gives == TRIB_GIVES_SAME_OR_F32 && dtype == TRIB_F32)) continue;
        TRIB_TRY(expect_dtype(&desc->outputs[i], desc->inputs[0].dtype));
    }
    return trib_success();
}

static trib_status check_dtypes(const trib_op_desc *desc, const trib_kind_row *row)
{
    if (row->own_extents) return trib_success();
    for (int i = 0; i < activations(desc, row); ++i) {
        const trib_view *x = &desc->inputs[i];
        if (row->takes == TRIB_TAKES_PIXELS || row->takes == TRIB_TAKES_REGIONS)
            TRIB_TRY(expect_dtype(x, TRIB_U8));
        else if (row->takes == TRIB_TAKES_FACTORS)
            TRIB_TRY(expect_dtype(x, trib_precision_dtype(desc->precision)));
        else if (!trib_dtype_is_float(x->dtype))
            return INVALID("an input of %s", trib_dtype_name(x->dtype));
        if (i > 0) TRIB_TRY(expect_dtype(x, desc->inputs[0].dtype));
    }
    return check_output_dtypes(desc, row->gives);
}

static trib_status check_views(const trib_op_desc *desc, const trib_kind_row *row)
{
    TRIB_TRY(check_counts(desc, row));
    for (int i = 0; i < desc->input_count; ++i) {
        trib_status status = check_view(&desc->inputs[i]);
        bool images = i < activations(desc, row) && !row->own_extents;
        if (!trib_failed(&status) && images && desc->inputs[i].n != desc->outputs[0].n)
            status = INVALID("%d images in, %d out", desc->inputs[i].n, desc->outputs[0].n);
        trib_add_context(&status, "input %d", i);
        if (trib_failed(&status)) return status;
    }
    for (int i = 0; i < desc->output_count; ++i) {
        trib_status status = check_view(&desc->outputs[i]);
        if (!trib_failed(&status) && !row->own_extents && desc->outputs[i].n != desc->outputs[0].n)
            status = INVALID("%d images and %d images", desc->outputs[i].n, desc->outputs[0].n);
        trib_add_context(&status, "output");
        if (trib_failed(&status)) return status;
    }
    return check_dtypes(desc, row);
}

/* ---- shapes ---- */

/* Several outputs share the channels, or each has all of them. */
static trib_status check_shape(const trib_op_desc *desc, const trib_kind_row *row)
{
    trib_extent in, wanted;
    int64_t channels = 0;
    bool divided = row->most_outputs > row->least_outputs;
    TRIB_TRY(trib_op_shape(desc, &in, &wanted));
    if (row->own_extents) return trib_success();
    for (int i = 0; i < desc->output_count; ++i) {
        const trib_view *y = &desc->outputs[i];
        channels = divided ? channels + y->c : y->c;
        if (y->h != wanted.h || y->w != wanted.w)
            return INVALID("an output of %dx%d where its input gives %dx%d", y->h, y->w, wanted.h, wanted.w);
        bool last = i + 1 == desc->output_count;
        bool fits = channels == wanted.c || (divided && !last) || (row->may_widen && channels > wanted.c);
        if (!fits) return INVALID("%lld output channels instead of %d", (long long)channels, wanted.c);
    }
    return trib_success();
}

/* The product of the weight's extents, which are positive ints, might not fit in 64 bits. */
static trib_status check_weight(const trib_op_desc *desc, const trib_kind_row *row)
{
    trib_extent in, out;
    trib_shape shape;
    TRIB_TRY(trib_op_shape(desc, &in, &out));
    if (!row->parameter || !row->parameter(&desc->attributes, in, TRIB_WEIGHT, &shape)) return trib_success();
    int64_t left = most_elements;
    for (int i = 0; i < shape.rank; ++i) left /= shape.dim[i];
    return left > 0 ? trib_success() : INVALID("its weight is too large");
}

static trib_status check(const trib_op_desc *desc, const trib_kind_row *row)
{
    if (row->nothing_to_run) return INVALID("a device does not run this kind of layer");
    TRIB_TRY(check_views(desc, row));
    TRIB_TRY(check_shape(desc, row));
    TRIB_TRY(check_weight(desc, row));
    return row->check_op ? row->check_op(desc) : trib_success();
}

trib_status trib_op_check(const trib_op_desc *desc)
{
    const trib_kind_row *row = trib_kind_row_of(desc->kind);
    if (!row) return INVALID("there is no op kind %d", (int)desc->kind);
    trib_status status = check(desc, row);
    trib_add_context(&status, "%s", row->name);
    return status;
}

bool trib_op_weights_are_inputs(const trib_op_desc *desc)
{
    const trib_kind_row *row = trib_kind_row_of(desc->kind);
    return row->operands && desc->input_count > row->operands;
}

trib_status trib_op_check_parameters(const trib_op_desc *desc, const trib_op_parameters *parameters)
{
    const trib_kind_row *row = trib_kind_row_of(desc->kind);
    int channels = desc->inputs[0].c;
    if (!parameters->weight) return INVALID("%s: its weight is missing", row->name);
    if (parameters->channels < 0 || parameters->channels > channels ||
        (parameters->channels && parameters->channels < channels && !row->ignores_zeros))
        return INVALID("%s: a weight of %d channels for an input of %d", row->name, parameters->channels, channels);
    if ((row->scales_and_shifts || desc->has_bias) && !parameters->bias)
        return INVALID("%s: its %s is missing", row->name, row->scales_and_shifts ? "shift" : "bias");
    return trib_success();
}
