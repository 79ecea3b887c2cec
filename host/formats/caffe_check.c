/* SPDX-License-Identifier: Apache-2.0
 * Compares the layers of a Caffe file with a network's: where they differ the same weights compute something else. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "formats/caffe.h"
#include "formats/needed.h"
#include "tributary/internal/alloc.h"

/* caffe.proto's defaults. */
static double number(const trib_caffe_layer *layer, trib_caffe_number slot, double otherwise)
{
    return isnan(layer->numbers[slot]) ? otherwise : layer->numbers[slot];
}

/* Along an axis: of its own field if it is given, otherwise of the field for both. */
static double axis(const trib_caffe_layer *layer, trib_caffe_number own, trib_caffe_number both, double otherwise)
{
    return number(layer, own, number(layer, both, otherwise));
}

/* A number in the file, and in the network. */
typedef struct pair {
    const char *what;
    double found, wanted;
} pair;

static trib_status compare(const pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        if (!((float)pairs[i].found == (float)pairs[i].wanted))
            return TRIB_ERROR(TRIB_BAD_DATA, "%s is %g where the network has %g", pairs[i].what, pairs[i].found,
                              pairs[i].wanted);
    return trib_success();
}

static trib_status check_conv(const trib_caffe_layer *l, const trib_conv2d *c)
{
    const pair pairs[] = {
        { "num_output", number(l, TRIB_CAFFE_NUM_OUTPUT, 0), c->k },
        { "bias_term", number(l, TRIB_CAFFE_BIAS_TERM, 1), !c->no_bias },
        { "the kernel's height", axis(l, TRIB_CAFFE_KERNEL_H, TRIB_CAFFE_KERNEL, 0), c->r },
        { "the kernel's width", axis(l, TRIB_CAFFE_KERNEL_W, TRIB_CAFFE_KERNEL, 0), c->s },
        { "the vertical stride", axis(l, TRIB_CAFFE_STRIDE_H, TRIB_CAFFE_STRIDE, 1), c->stride_h },
        { "the horizontal stride", axis(l, TRIB_CAFFE_STRIDE_W, TRIB_CAFFE_STRIDE, 1), c->stride_w },
        { "the vertical pad", axis(l, TRIB_CAFFE_PAD_H, TRIB_CAFFE_PAD, 0), c->pad.top },
        { "the horizontal pad", axis(l, TRIB_CAFFE_PAD_W, TRIB_CAFFE_PAD, 0), c->pad.left },
        { "group", number(l, TRIB_CAFFE_GROUP, 1), 1 },
        { "dilation", number(l, TRIB_CAFFE_DILATION, 1), 1 },
    };
    return compare(pairs, sizeof pairs / sizeof *pairs);
}

static trib_status check_linear(const trib_caffe_layer *l, const trib_linear *x)
{
    const pair pairs[] = {
        { "num_output", number(l, TRIB_CAFFE_NUM_OUTPUT, 0), x->out },
        { "bias_term", number(l, TRIB_CAFFE_BIAS_TERM, 1), !x->no_bias },
        { "transpose", number(l, TRIB_CAFFE_TRANSPOSE, 0), 0 },
    };
    return compare(pairs, sizeof pairs / sizeof *pairs);
}

static trib_status check_pool(const trib_caffe_layer *l, const trib_layer *layer, bool whole_map)
{
    const trib_pool2d *p = &layer->attributes.pool2d;
    const pair kind = { "pool (0: MAX, 1: AVE)", number(l, TRIB_CAFFE_POOL, 0), layer->kind == TRIB_AVG_POOL2D };
    const pair pairs[] = {
        { "the kernel's height", axis(l, TRIB_CAFFE_KERNEL_H, TRIB_CAFFE_KERNEL, 0), p->r },
        { "the kernel's width", axis(l, TRIB_CAFFE_KERNEL_W, TRIB_CAFFE_KERNEL, 0), p->s },
        { "the vertical stride", axis(l, TRIB_CAFFE_STRIDE_H, TRIB_CAFFE_STRIDE, 1), p->stride_h },
        { "the horizontal stride", axis(l, TRIB_CAFFE_STRIDE_W, TRIB_CAFFE_STRIDE, 1), p->stride_w },
        { "the vertical pad", axis(l, TRIB_CAFFE_PAD_H, TRIB_CAFFE_PAD, 0), p->pad.top },
        { "the horizontal pad", axis(l, TRIB_CAFFE_PAD_W, TRIB_CAFFE_PAD, 0), p->pad.left },
        { "round_mode (0: CEIL, 1: FLOOR)", number(l, TRIB_CAFFE_ROUND, 0), p->ceil_mode ? 0 : 1 },
    };
    const pair global = { "global_pooling", number(l, TRIB_CAFFE_GLOBAL, 0), 0 };
    TRIB_TRY(compare(&kind, 1));
    if (whole_map) return trib_success(); /* one window: its size in the file is that of another size of images */
    TRIB_TRY(compare(&global, 1));
    return compare(pairs, sizeof pairs / sizeof *pairs);
}

static trib_status check_lrn(const trib_caffe_layer *l, const trib_lrn *n)
{
    const pair pairs[] = {
        { "local_size", number(l, TRIB_CAFFE_LOCAL_SIZE, 5), n->size },
        { "alpha", number(l, TRIB_CAFFE_ALPHA, 1), (double)n->alpha },
        { "beta", number(l, TRIB_CAFFE_BETA, 0.75), (double)n->beta },
        { "k", number(l, TRIB_CAFFE_K, 1), (double)n->k },
        { "norm_region (0: ACROSS_CHANNELS)", number(l, TRIB_CAFFE_REGION, 0), 0 },
    };
    return compare(pairs, sizeof pairs / sizeof *pairs);
}

static trib_kind kind_in_caffe(trib_kind kind)
{
    const bool pool = kind == TRIB_AVG_POOL2D || kind == TRIB_ADAPTIVE_AVG_POOL2D;
    return pool ? TRIB_MAX_POOL2D : kind;
}

static trib_status check_layer(const trib_caffe_layer *l, const trib_graph *graph, const trib_layer *layer)
{
    if (l->kind != kind_in_caffe(layer->kind))
        return TRIB_ERROR(TRIB_BAD_DATA, "has another type; the network has a %s there", trib_kind_name(layer->kind));
    if (l->uneven)
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "its kernel, stride, pad or dilation has several values; the network's are square");
    switch (layer->kind) {
    case TRIB_CONV2D: return check_conv(l, &layer->attributes.conv2d);
    case TRIB_LINEAR: return check_linear(l, &layer->attributes.linear);
    case TRIB_LRN: return check_lrn(l, &layer->attributes.lrn);
    case TRIB_MAX_POOL2D:
    case TRIB_AVG_POOL2D: {
        const trib_layer *input = trib_graph_layer(graph, layer->inputs[0]);
        const trib_pool2d *p = &layer->attributes.pool2d;
        return check_pool(l, layer, layer->kind == TRIB_AVG_POOL2D && p->r == input->h && p->s == input->w);
    }
    default: return trib_success();
    }
}

/* Every layer of that name: there may be one for training and one for testing, or none of an auxiliary classifier. */
static trib_status check_all(const trib_caffe_net *net, const trib_graph *graph, const trib_layer *layer, bool needed)
{
    bool found = false;
    for (size_t i = 0; i < net->count; ++i) {
        if (strcmp(net->layers[i].name, layer->name) != 0) continue;
        found = true;
        TRIB_TRY(check_layer(&net->layers[i], graph, layer));
    }
    return found || !needed ? trib_success() : TRIB_ERROR(TRIB_BAD_DATA, "is missing");
}

static trib_status check_layers(const trib_caffe_net *net, const trib_graph *graph, const bool *needed)
{
    for (int i = 0; i < trib_graph_layer_count(graph); ++i) {
        const trib_layer *layer = trib_graph_layer(graph, i);
        const trib_kind kind = kind_in_caffe(layer->kind);
        if (kind != TRIB_CONV2D && kind != TRIB_LINEAR && kind != TRIB_MAX_POOL2D && kind != TRIB_LRN) continue;
        trib_status s = check_all(net, graph, layer, needed[i]);
        trib_add_context(&s, "layer %s", layer->name);
        if (trib_failed(&s)) return s;
    }
    return trib_success();
}

trib_status trib_caffe_check(const trib_caffe_net *net, const trib_graph *graph)
{
    bool *needed = NULL;
    TRIB_TRY(trib_layers_needed(graph, trib_graph_output(graph, 0)->layer, &needed));
    trib_status s = check_layers(net, graph, needed);
    trib_free(needed);
    return trib_failed(&s) ? s : trib_caffe_check_path(net, graph);
}

/* ---- images ---- */

static bool same_images(const trib_caffe_layer *a, const trib_caffe_layer *b)
{
    return a->mean_count == b->mean_count && !memcmp(a->mean, b->mean, sizeof a->mean) &&
           number(a, TRIB_CAFFE_SCALE, 1) == number(b, TRIB_CAFFE_SCALE, 1);
}

/* Caffe computes (pixel - mean) * scale. */
static trib_status take_images(const trib_caffe_layer *l, trib_preprocess *p)
{
    const double scale = number(l, TRIB_CAFFE_SCALE, 1);
    if (l->mean_count != 0 && l->mean_count != 1 && l->mean_count != 3)
        return TRIB_ERROR(TRIB_BAD_DATA, "%d values of mean_value; 1 or 3 are possible", l->mean_count);
    if (!(scale >= 1e-30 && scale <= 1e30)) return TRIB_ERROR(TRIB_BAD_DATA, "a scale of %g", scale);
    *p = trib_preprocess_caffe();
    for (int c = 0; c < 3; ++c) {
        const double mean = l->mean[l->mean_count == 3 ? c : 0];
        if (!(fabs(mean) <= 1e6)) return TRIB_ERROR(TRIB_BAD_DATA, "a mean_value of %g", mean);
        if (!l->mean_file) p->mean[c] = (float)mean;
        p->std[c] = (float)(1 / scale);
    }
    return trib_success();
}

trib_status trib_caffe_preprocess(const trib_caffe_net *net, trib_preprocess *p, trib_caffe_images *says)
{
    const trib_caffe_layer *first = NULL;
    *says = TRIB_CAFFE_SAYS_NOTHING;
    for (size_t i = 0; i < net->count; ++i) {
        const trib_caffe_layer *l = &net->layers[i];
        if (!l->mean_count && !l->mean_file && isnan(l->numbers[TRIB_CAFFE_SCALE])) continue;
        if (first && !same_images(first, l))
            return TRIB_ERROR(TRIB_BAD_DATA, "two of its layers prepare images in different ways");
        first = l;
    }
    if (!first) return trib_success();
    *says = first->mean_file ? TRIB_CAFFE_NEEDS_MEAN_FILE : TRIB_CAFFE_SAYS_ALL;
    return take_images(first, p);
}

void trib_caffe_size(const trib_caffe_net *net, int *height, int *width)
{
    *height = net->height;
    *width = net->width;
    for (size_t i = 0; i < net->count; ++i) {
        const double crop = net->layers[i].numbers[TRIB_CAFFE_CROP];
        if (crop >= 1 && crop <= INT_MAX) *height = *width = (int)crop;
    }
}
