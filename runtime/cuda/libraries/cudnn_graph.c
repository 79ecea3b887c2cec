/* SPDX-License-Identifier: Apache-2.0
 * A convolution as cuDNN's operation graph:
 *
 *     x, w -> convolution -> (+ bias) -> (relu) -> y
 *     y, w -> gradient of the input -> x          with beta 1: added to x
 *     x, y -> gradient of the filter -> w         to float32 from 16 bits: through a virtual tensor (without,
 * cuDNN 9.19 has no plan)
 *
 * Tensors between operations are virtual and float32: the sum is rounded once, at the end. Extents are always N,C,H,W
 * (filters K,C,R,S) with the strides of NHWC. */
#include "cuda/libraries/cudnn_library.h"
#include "device/window.h"

enum { ALIGNMENT = 16 };

typedef struct tensor {
    int64_t id;
    trib_dtype dtype;
    bool inner; /* between two operations: no memory */
    int64_t extents[4], strides[4];
} tensor;

static cudnnDataType_t data_type(trib_dtype dtype)
{
    switch (dtype) {
    case TRIB_F16: return CUDNN_DATA_HALF;
    case TRIB_BF16: return CUDNN_DATA_BFLOAT16;
    default: return CUDNN_DATA_FLOAT;
    }
}

static trib_status make_tensor(trib_cudnn_bag *bag, const tensor *t, cudnnBackendDescriptor_t *out)
{
    cudnnDataType_t type = data_type(t->dtype);
    int64_t alignment = ALIGNMENT;
    cudnnBackendDescriptor_t d;
    TRIB_TRY(trib_cudnn_make(bag, CUDNN_BACKEND_TENSOR_DESCRIPTOR, &d));
    TRIB_TRY(trib_cudnn_set(d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &t->id));
    TRIB_TRY(trib_cudnn_set(d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type));
    TRIB_TRY(trib_cudnn_set(d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment));
    TRIB_TRY(trib_cudnn_set(d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, t->extents));
    TRIB_TRY(trib_cudnn_set(d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, t->strides));
    TRIB_TRY(trib_cudnn_set(d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &t->inner));
    TRIB_TRY(trib_cudnn_finalize(d));
    *out = d;
    return trib_success();
}

static tensor image_tensor(int64_t id, trib_dtype dtype, int n, int c, int h, int w, int64_t pitch)
{
    return (tensor) { id, dtype, false, { n, c, h, w }, { h * (w * pitch), 1, w * pitch, pitch } };
}

static tensor filter_tensor(const trib_conv_desc *desc)
{
    trib_dtype dtype = desc->wide_w ? TRIB_F32 : trib_precision_dtype(desc->precision);
    return image_tensor(TRIB_CUDNN_W, dtype, desc->k, desc->c, desc->r, desc->s, desc->c);
}

static tensor result_tensor(const trib_conv_desc *desc)
{
    return image_tensor(TRIB_CUDNN_Y, trib_precision_dtype(desc->precision), desc->n, desc->k, desc->p, desc->q,
                        desc->y_pitch);
}

/* A packed, virtual y. */
static tensor inner_tensor(const trib_conv_desc *desc, int index)
{
    tensor t = image_tensor(TRIB_CUDNN_INNER + index, TRIB_F32, desc->n, desc->k, desc->p, desc->q, desc->k);
    t.inner = true;
    return t;
}

static trib_status make_convolution(trib_cudnn_bag *bag, const trib_conv_desc *desc, cudnnBackendDescriptor_t *out)
{
    cudnnDataType_t sums = CUDNN_DATA_FLOAT;
    cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    int64_t dimensions = 2, dilations[2] = { 1, 1 };
    int64_t strides[2] = { desc->stride_h, desc->stride_w }, before[2] = { desc->pad_top, desc->pad_left };
    int64_t after[2] = { trib_window_reach_behind(desc->p, desc->stride_h, desc->r, desc->pad_top, desc->h),
                         trib_window_reach_behind(desc->q, desc->stride_w, desc->s, desc->pad_left, desc->w) };
    cudnnBackendDescriptor_t d;
    TRIB_TRY(trib_cudnn_make(bag, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, &d));
    TRIB_TRY(trib_cudnn_set(d, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &sums));
    TRIB_TRY(trib_cudnn_set(d, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode));
    TRIB_TRY(trib_cudnn_set(d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &dimensions));
    TRIB_TRY(trib_cudnn_set(d, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, dilations));
    TRIB_TRY(trib_cudnn_set(d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, strides));
    TRIB_TRY(trib_cudnn_set(d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, before));
    TRIB_TRY(trib_cudnn_set(d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, after));
    TRIB_TRY(trib_cudnn_finalize(d));
    *out = d;
    return trib_success();
}

/* Names of the same things in the three directions. */
typedef struct operation_names {
    cudnnBackendDescriptorType_t type;
    cudnnBackendAttributeName_t convolution, x, w, y, alpha, beta;
} operation_names;

/* clang-format off */
static const operation_names directions[] = {
    [TRIB_CONV_FORWARD] = { CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
        CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
        CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
        CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA },
    [TRIB_CONV_DGRAD] = { CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
        CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
        CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
        CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA },
    [TRIB_CONV_WGRAD] = { CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
        CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
        CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
        CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA },
};
/* clang-format on */

/* The descriptors of w and y are the caller's: one of them may be virtual. */
static trib_status add_convolution(trib_cudnn_bag *bag, const trib_conv_desc *desc, cudnnBackendDescriptor_t w,
                                   cudnnBackendDescriptor_t y, cudnnBackendDescriptor_t *operation)
{
    const operation_names *names = &directions[desc->direction];
    trib_dtype dtype = trib_precision_dtype(desc->precision);
    tensor x = image_tensor(TRIB_CUDNN_X, dtype, desc->n, desc->c, desc->h, desc->w, desc->x_pitch);
    float alpha = 1, beta = desc->add ? 1 : 0;
    cudnnBackendDescriptor_t xd, convolution, d;
    TRIB_TRY(make_tensor(bag, &x, &xd));
    TRIB_TRY(make_convolution(bag, desc, &convolution));
    TRIB_TRY(trib_cudnn_make(bag, names->type, &d));
    TRIB_TRY(trib_cudnn_set_descriptor(d, names->convolution, convolution));
    TRIB_TRY(trib_cudnn_set_descriptor(d, names->x, xd));
    TRIB_TRY(trib_cudnn_set_descriptor(d, names->w, w));
    TRIB_TRY(trib_cudnn_set_descriptor(d, names->y, y));
    TRIB_TRY(trib_cudnn_set(d, names->alpha, CUDNN_TYPE_FLOAT, 1, &alpha));
    TRIB_TRY(trib_cudnn_set(d, names->beta, CUDNN_TYPE_FLOAT, 1, &beta));
    TRIB_TRY(trib_cudnn_finalize(d));
    *operation = d;
    return trib_success();
}

/* out = mode(in) or mode(in, other). */
static trib_status add_pointwise(trib_cudnn_bag *bag, cudnnPointwiseMode_t mode, cudnnBackendDescriptor_t in,
                                 cudnnBackendDescriptor_t other, cudnnBackendDescriptor_t out,
                                 cudnnBackendDescriptor_t *operation)
{
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    cudnnBackendDescriptor_t what, d;
    TRIB_TRY(trib_cudnn_make(bag, CUDNN_BACKEND_POINTWISE_DESCRIPTOR, &what));
    TRIB_TRY(trib_cudnn_set(what, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode));
    TRIB_TRY(trib_cudnn_set(what, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &type));
    TRIB_TRY(trib_cudnn_finalize(what));
    TRIB_TRY(trib_cudnn_make(bag, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, &d));
    TRIB_TRY(trib_cudnn_set_descriptor(d, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, what));
    TRIB_TRY(trib_cudnn_set_descriptor(d, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, in));
    if (other) TRIB_TRY(trib_cudnn_set_descriptor(d, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, other));
    TRIB_TRY(trib_cudnn_set_descriptor(d, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, out));
    TRIB_TRY(trib_cudnn_finalize(d));
    *operation = d;
    return trib_success();
}

/* The gradient of the filter, in float32 whatever the precision of x and y. */
static trib_status add_wide_gradient(trib_cudnn_bag *bag, const trib_conv_desc *desc,
                                     cudnnBackendDescriptor_t operations[2])
{
    tensor y = result_tensor(desc), w = filter_tensor(desc), inner = w;
    cudnnBackendDescriptor_t yd, wd, innerd;
    inner.id = TRIB_CUDNN_INNER;
    inner.inner = true;
    TRIB_TRY(make_tensor(bag, &y, &yd));
    TRIB_TRY(make_tensor(bag, &w, &wd));
    TRIB_TRY(make_tensor(bag, &inner, &innerd));
    TRIB_TRY(add_convolution(bag, desc, innerd, yd, &operations[0]));
    return add_pointwise(bag, CUDNN_POINTWISE_IDENTITY, innerd, NULL, wd, &operations[1]);
}

/* All others. */
static trib_status add_stages(trib_cudnn_bag *bag, const trib_conv_desc *desc, trib_dtype bias,
                              cudnnBackendDescriptor_t operations[3])
{
    tensor y = result_tensor(desc), w = filter_tensor(desc);
    tensor b = image_tensor(TRIB_CUDNN_BIAS, bias, 1, desc->k, 1, 1, desc->k);
    int steps = desc->has_bias + desc->relu; /* operations left after the current one */
    tensor stage = steps ? inner_tensor(desc, steps) : y;
    cudnnBackendDescriptor_t wd, now, next, bd;
    TRIB_TRY(make_tensor(bag, &w, &wd));
    TRIB_TRY(make_tensor(bag, &stage, &now));
    TRIB_TRY(add_convolution(bag, desc, wd, now, operations++));
    if (desc->has_bias) {
        stage = --steps ? inner_tensor(desc, steps) : y;
        TRIB_TRY(make_tensor(bag, &b, &bd));
        TRIB_TRY(make_tensor(bag, &stage, &next));
        TRIB_TRY(add_pointwise(bag, CUDNN_POINTWISE_ADD, now, bd, next, operations++));
        now = next;
    }
    if (!desc->relu) return trib_success();
    TRIB_TRY(make_tensor(bag, &y, &next));
    return add_pointwise(bag, CUDNN_POINTWISE_RELU_FWD, now, NULL, next, operations++);
}

trib_status trib_cudnn_conv_graph(trib_cudnn_bag *bag, const trib_conv_desc *desc, trib_dtype bias,
                                  cudnnBackendDescriptor_t *graph)
{
    const bool widened = desc->wide_w && trib_precision_dtype(desc->precision) != TRIB_F32;
    const int64_t count = 1 + (desc->has_bias + desc->relu) + widened;
    cudnnBackendDescriptor_t operations[3], d;
    TRIB_TRY(widened ? add_wide_gradient(bag, desc, operations) : add_stages(bag, desc, bias, operations));
    TRIB_TRY(trib_cudnn_make(bag, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, &d));
    TRIB_TRY(trib_cudnn_set(d, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, count, operations));
    TRIB_TRY(trib_cudnn_finalize(d));
    *graph = d;
    return trib_success();
}
