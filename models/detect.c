/* SPDX-License-Identifier: Apache-2.0
 * Which GoogLeNet a file of weights holds: the variant from its names, classes from its classifier, aux heads from
 * their presence, and the width from the channels of all its convolutions together. */
#include <math.h>
#include <string.h>

#include "inception.h"
#include "names.h"

static const char *const first_weight = "conv1/7x7_s2.weight";
static const char *const classifier = "loss3/classifier.weight";

static const trib_tensor *find(const trib_tensor_index *index, trib_variant variant, const char *canonical)
{
    char name[TRIB_NAME_TEXT];
    const trib_tensor_entry *entry = trib_tensor_index_find(index, trib_file_name(variant, canonical, name));
    return entry ? entry->tensor : NULL;
}

static trib_status detect_variant(const trib_tensor_index *index, trib_variant *out)
{
    char caffe[TRIB_NAME_TEXT], torchvision[TRIB_NAME_TEXT];
    for (int v = 0; v < TRIB_VARIANT_COUNT; ++v) {
        if (!find(index, (trib_variant)v, first_weight)) continue;
        *out = (trib_variant)v;
        return trib_success();
    }
    if (!index->count) return TRIB_ERROR(TRIB_BAD_DATA, "there are no tensors, so this is not a GoogLeNet");
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "this is not a GoogLeNet: neither %s (torchvision) nor %s (Caffe) is among its %zu tensors, of "
                      "which the first by name is %.128s",
                      trib_file_name(TRIB_TORCHVISION, first_weight, torchvision),
                      trib_file_name(TRIB_BVLC, first_weight, caffe), index->count, index->entries[0].tensor->name);
}

static trib_status detect_classes(const trib_tensor_index *index, trib_variant variant, int *classes)
{
    char name[TRIB_NAME_TEXT], shape[TRIB_SHAPE_TEXT];
    const trib_tensor *t = find(index, variant, classifier);
    if (!t) return TRIB_ERROR(TRIB_BAD_DATA, "tensor %s is missing", trib_file_name(variant, classifier, name));
    if (t->shape.rank != 2 || t->shape.dim[0] < 1 || t->shape.dim[0] > TRIB_MAX_CLASSES)
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "tensor %.128s has shape %s where [classes, channels] with 1 to %d classes is needed",
                          t->name, trib_shape_text(&t->shape, shape), TRIB_MAX_CLASSES);
    *classes = (int)t->shape.dim[0];
    return trib_success();
}

static bool detect_aux(const trib_tensor_index *index, trib_variant variant)
{
    for (size_t i = 0; i < index->count; ++i)
        if (trib_is_auxiliary(variant, index->entries[i].bare_name)) return true;
    return false;
}

/* ---- width ---- */

/* Width multipliers in [low, high) are still possible. */
typedef struct range {
    double low, high;
} range;

/* The multipliers that make `channels` of `base`: channels = 8 * floor(base * m / 8 + 1/2), at least 8. */
static range multipliers_of(int64_t base, int64_t channels)
{
    if (channels < 8 || channels % 8) return (range) { 1, 0 };
    return (range) { channels == 8 ? 0 : (double)(channels - 4) / (double)base, (double)(channels + 4) / (double)base };
}

/* The number in the range with the fewest decimals: what somebody would have typed. */
static double simplest_in(range r)
{
    for (double unit = 1; unit <= 1e9; unit *= 10) {
        double candidate = ceil(r.low * unit) / unit;
        if (candidate > 0 && candidate < r.high) return candidate;
        candidate += 1 / unit; /* the lowest was 0, or excluded by rounding */
        if (candidate > 0 && candidate < r.high) return candidate;
    }
    return (r.low + r.high) / 2;
}

static trib_status no_width_fits(const trib_parameter *parameter, const trib_tensor *tensor, double width)
{
    char shape[TRIB_SHAPE_TEXT];
    return TRIB_ERROR(
        TRIB_BAD_DATA,
        "tensor %.128s has shape %s where a GoogLeNet %g times as wide as the paper's has %d output channels",
        tensor->name, trib_shape_text(&tensor->shape, shape), width,
        trib_scaled_channels((int)parameter->shape.dim[0], width));
}

/* Narrows the range by every weight's output channels, against the graph of width 1. */
static trib_status narrow(const trib_graph *graph, trib_variant variant, const trib_tensor_index *index, range *width)
{
    char name[TRIB_NAME_TEXT];
    for (int i = 0; i < trib_graph_parameter_count(graph); ++i) {
        const trib_parameter *p = trib_graph_parameter(graph, i);
        if (p->role != TRIB_WEIGHT || strstr(p->name, "/classifier.")) continue; /* classes do not scale */
        const trib_tensor *t = find(index, variant, p->name);
        if (!t) return TRIB_ERROR(TRIB_BAD_DATA, "tensor %s is missing", trib_file_name(variant, p->name, name));
        if (t->shape.rank != p->shape.rank) return no_width_fits(p, t, simplest_in(*width));
        range own = multipliers_of(p->shape.dim[0], t->shape.dim[0]);
        range both = { fmax(width->low, own.low), fmin(width->high, own.high) };
        if (!(both.low < both.high)) return no_width_fits(p, t, simplest_in(*width));
        *width = both;
    }
    return trib_success();
}

static trib_status detect_width(const trib_tensor_index *index, trib_googlenet *net)
{
    trib_graph *graph = NULL;
    range width = { 0, nextafter(TRIB_MAX_WIDTH_MULTIPLIER, INFINITY) };
    TRIB_TRY(trib_googlenet_graph(net, &graph));
    trib_status status = narrow(graph, net->variant, index, &width);
    trib_graph_destroy(graph);
    if (!trib_failed(&status)) net->width_multiplier = simplest_in(width);
    return status;
}

trib_status trib_googlenet_detect(const trib_tensor *tensors, int count, trib_googlenet *out)
{
    trib_googlenet net = { .height = 224, .width = 224, .width_multiplier = 1 };
    trib_tensor_index index = { 0 };
    trib_status status;
    TRIB_TRY_GOTO(status, done, trib_tensor_index_build(tensors, count, &index));
    TRIB_TRY_GOTO(status, done, detect_variant(&index, &net.variant));
    TRIB_TRY_GOTO(status, done, detect_classes(&index, net.variant, &net.classes));
    net.aux = detect_aux(&index, net.variant);
    TRIB_TRY_GOTO(status, done, detect_width(&index, &net));
    *out = net;
done:
    trib_tensor_index_release(&index);
    return status;
}
