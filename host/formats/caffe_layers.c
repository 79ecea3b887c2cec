/* SPDX-License-Identifier: Apache-2.0
 * What the binary and the text form of Caffe's networks share: types of layers, and the table of their numbers. */
#include <math.h>
#include <string.h>

#include "formats/caffe.h"
#include "tributary/internal/alloc.h"

/* Field numbers are those of caffe.proto. */
#define CONVOLUTION "convolution_param", 10, 106
#define POOLING "pooling_param", 19, 121
#define LRN "lrn_param", 18, 118
#define INNER_PRODUCT "inner_product_param", 17, 117
#define RELU "relu_param", 30, 123
#define CONCAT "concat_param", 9, 104
#define TRANSFORM "transform_param", 36, 100
#define ROW(message, name, number, slot) ROW_OF(message, name, number, slot)
#define ROW_OF(block, old_block, block_number, name, number, slot) \
    {                                                              \
        block, name, old_block, block_number, number, slot         \
    }

const trib_caffe_row trib_caffe_rows[] = {
    ROW(CONVOLUTION, "num_output", 1, TRIB_CAFFE_NUM_OUTPUT),
    ROW(CONVOLUTION, "bias_term", 2, TRIB_CAFFE_BIAS_TERM),
    ROW(CONVOLUTION, "pad", 3, TRIB_CAFFE_PAD),
    ROW(CONVOLUTION, "kernel_size", 4, TRIB_CAFFE_KERNEL),
    ROW(CONVOLUTION, "group", 5, TRIB_CAFFE_GROUP),
    ROW(CONVOLUTION, "stride", 6, TRIB_CAFFE_STRIDE),
    ROW(CONVOLUTION, "pad_h", 9, TRIB_CAFFE_PAD_H),
    ROW(CONVOLUTION, "pad_w", 10, TRIB_CAFFE_PAD_W),
    ROW(CONVOLUTION, "kernel_h", 11, TRIB_CAFFE_KERNEL_H),
    ROW(CONVOLUTION, "kernel_w", 12, TRIB_CAFFE_KERNEL_W),
    ROW(CONVOLUTION, "stride_h", 13, TRIB_CAFFE_STRIDE_H),
    ROW(CONVOLUTION, "stride_w", 14, TRIB_CAFFE_STRIDE_W),
    ROW(CONVOLUTION, "dilation", 18, TRIB_CAFFE_DILATION),
    ROW(POOLING, "pool", 1, TRIB_CAFFE_POOL),
    ROW(POOLING, "kernel_size", 2, TRIB_CAFFE_KERNEL),
    ROW(POOLING, "stride", 3, TRIB_CAFFE_STRIDE),
    ROW(POOLING, "pad", 4, TRIB_CAFFE_PAD),
    ROW(POOLING, "kernel_h", 5, TRIB_CAFFE_KERNEL_H),
    ROW(POOLING, "kernel_w", 6, TRIB_CAFFE_KERNEL_W),
    ROW(POOLING, "stride_h", 7, TRIB_CAFFE_STRIDE_H),
    ROW(POOLING, "stride_w", 8, TRIB_CAFFE_STRIDE_W),
    ROW(POOLING, "pad_h", 9, TRIB_CAFFE_PAD_H),
    ROW(POOLING, "pad_w", 10, TRIB_CAFFE_PAD_W),
    ROW(POOLING, "global_pooling", 12, TRIB_CAFFE_GLOBAL),
    ROW(POOLING, "round_mode", 13, TRIB_CAFFE_ROUND),
    ROW(LRN, "local_size", 1, TRIB_CAFFE_LOCAL_SIZE),
    ROW(LRN, "alpha", 2, TRIB_CAFFE_ALPHA),
    ROW(LRN, "beta", 3, TRIB_CAFFE_BETA),
    ROW(LRN, "norm_region", 4, TRIB_CAFFE_REGION),
    ROW(LRN, "k", 5, TRIB_CAFFE_K),
    ROW(INNER_PRODUCT, "num_output", 1, TRIB_CAFFE_NUM_OUTPUT),
    ROW(INNER_PRODUCT, "bias_term", 2, TRIB_CAFFE_BIAS_TERM),
    ROW(INNER_PRODUCT, "transpose", 6, TRIB_CAFFE_TRANSPOSE),
    ROW(RELU, "negative_slope", 1, TRIB_CAFFE_SLOPE),
    ROW(CONCAT, "concat_dim", 1, TRIB_CAFFE_AXIS),
    ROW(CONCAT, "axis", 2, TRIB_CAFFE_AXIS),
    ROW(TRANSFORM, "scale", 1, TRIB_CAFFE_SCALE),
    ROW(TRANSFORM, "crop_size", 3, TRIB_CAFFE_CROP),
    ROW(TRANSFORM, "mean_file", 4, TRIB_CAFFE_MEAN_FILE),
    ROW(TRANSFORM, "mean_value", 5, TRIB_CAFFE_MEAN_VALUE),
};
const size_t trib_caffe_row_count = sizeof trib_caffe_rows / sizeof *trib_caffe_rows;

void trib_caffe_set(trib_caffe_layer *layer, int slot, double value)
{
    if (slot == TRIB_CAFFE_MEAN_FILE) {
        layer->mean_file = true;
    } else if (slot == TRIB_CAFFE_MEAN_VALUE) {
        if (layer->mean_count < 3) layer->mean[layer->mean_count] = value;
        if (layer->mean_count < 4) ++layer->mean_count;
    } else {
        /* kernel_size: 3 kernel_size: 5 is height and width */
        if (!isnan(layer->numbers[slot]) && layer->numbers[slot] != value) layer->uneven = true;
        layer->numbers[slot] = value;
    }
}

typedef struct type_row {
    const char *name, *old_name;
    uint64_t old_number;
    trib_kind kind;
} type_row;

static const type_row types[] = {
    { "Convolution", "CONVOLUTION", 4, TRIB_CONV2D },
    { "InnerProduct", "INNER_PRODUCT", 14, TRIB_LINEAR },
    { "Pooling", "POOLING", 17, TRIB_MAX_POOL2D },
    { "LRN", "LRN", 15, TRIB_LRN },
    { "ReLU", "RELU", 18, TRIB_RELU },
    { "Concat", "CONCAT", 3, TRIB_CONCAT },
    { "Dropout", "DROPOUT", 6, TRIB_DROPOUT },
    { "Split", "SPLIT", 22, TRIB_DROPOUT },
    { "Flatten", "FLATTEN", 8, TRIB_DROPOUT },
    { "Reshape", "RESHAPE", UINT64_MAX, TRIB_DROPOUT },
    { "Data", "DATA", 5, TRIB_INPUT },
    { "ImageData", "IMAGE_DATA", 12, TRIB_INPUT },
    { "Input", "INPUT", UINT64_MAX, TRIB_INPUT },
};

trib_kind trib_caffe_kind(const char *type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; ++i)
        if (!strcmp(type, types[i].name) || !strcmp(type, types[i].old_name)) return types[i].kind;
    return TRIB_KIND_COUNT;
}

trib_kind trib_caffe_old_kind(uint64_t type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; ++i)
        if (type == types[i].old_number) return types[i].kind;
    return TRIB_KIND_COUNT;
}

trib_caffe_layer *trib_caffe_add_layer(trib_caffe_net *net, trib_status *status)
{
    if (net->count == TRIB_CAFFE_MAX_LAYERS) {
        *status = TRIB_ERROR(TRIB_BAD_DATA, "more than %d layers", TRIB_CAFFE_MAX_LAYERS);
        return NULL;
    }
    if (trib_grow((void **)&net->layers, &net->capacity, net->count + 1, sizeof *net->layers)) {
        *status = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its layers");
        return NULL;
    }
    trib_caffe_layer *layer = &net->layers[net->count++];
    *layer = (trib_caffe_layer) { .kind = TRIB_KIND_COUNT };
    for (int i = 0; i < TRIB_CAFFE_NUMBERS; ++i) layer->numbers[i] = NAN;
    return layer;
}

trib_status trib_caffe_add_value(trib_names *values, char *name)
{
    if (values->count < TRIB_CAFFE_MAX_VALUES) return trib_names_add(values, name, "values");
    trib_free(name);
    return TRIB_ERROR(TRIB_BAD_DATA, "reads or gives more than %d values", TRIB_CAFFE_MAX_VALUES);
}

void trib_caffe_release(trib_caffe_net *net)
{
    for (size_t i = 0; i < net->count; ++i) {
        trib_free(net->layers[i].name);
        trib_names_free(&net->layers[i].bottoms);
        trib_names_free(&net->layers[i].tops);
    }
    trib_free(net->layers);
    *net = (trib_caffe_net) { 0 };
}
