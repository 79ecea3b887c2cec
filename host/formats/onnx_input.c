/* SPDX-License-Identifier: Apache-2.0
 * Arithmetic between the image and the first convolution, such as torchvision's transform_input or a division by 255:
 * for each channel a factor and a summand. It becomes preprocessing: before a convolution that pads with zeros, a
 * summand cannot be part of the weights. */
#include <math.h>
#include <string.h>

#include "formats/onnx.h"

enum { MOST_STEPS = 60 };

typedef struct walker {
    const trib_onnx_model *model;
    int steps;
} walker;

static trib_status walk(walker *w, const trib_pb *name, trib_onnx_affine *out);

static trib_status unsupported(const trib_onnx_node *node, const char *why)
{
    return TRIB_ERROR(TRIB_UNSUPPORTED, "%s, before the first convolution: %s", trib_onnx_show(node).text, why);
}

/* One number, or one per channel: [C], [C, 1, 1] or [1, C, 1, 1]. */
static trib_status numbers(walker *w, const trib_onnx_node *node, int i, int channels, double out[3])
{
    trib_onnx_constant c;
    int count = 0;
    double values[3];
    TRIB_TRY(trib_onnx_fold(w->model, trib_onnx_input(w->model, node, i), &c));
    if (c.kind == TRIB_ONNX_FILL) {
        count = 1;
        values[0] = c.fill;
    } else if (c.kind == TRIB_ONNX_WHOLE && c.count == 1) {
        count = 1;
        values[0] = (double)c.whole[0];
    } else if (c.kind != TRIB_ONNX_VALUES || !trib_onnx_numbers(&c.tensor, values, 3, &count)) {
        return unsupported(node, "a constant is not one number, nor one for each channel");
    }
    const int axis = c.shape.rank - 3; /* of the channels */
    const bool per_channel = count == channels && axis >= 0 && axis <= 1 && c.shape.dim[axis] == count;
    if (count != 1 && !per_channel) return unsupported(node, "a constant is not one number, nor one for each channel");
    for (int k = 0; k < channels; ++k) {
        out[k] = values[count == 1 ? 0 : k];
        if (!(fabs(out[k]) <= 1e6)) return unsupported(node, "a constant is not a number, or is out of range");
    }
    return trib_success();
}

static bool is_constant(const walker *w, const trib_pb *name)
{
    trib_onnx_constant c;
    const trib_status s = trib_onnx_fold(w->model, name, &c);
    return !trib_failed(&s);
}

static trib_status arithmetic(walker *w, const trib_onnx_node *node, trib_onnx_affine *out)
{
    double k[3];
    if (node->input_count != 2) return unsupported(node, "has not two inputs");
    const int variable = is_constant(w, trib_onnx_input(w->model, node, 0)) ? 1 : 0;
    const bool product = trib_onnx_is(node, "Mul"), quotient = trib_onnx_is(node, "Div"),
               difference = trib_onnx_is(node, "Sub");
    TRIB_TRY(walk(w, trib_onnx_input(w->model, node, variable), out));
    TRIB_TRY(numbers(w, node, !variable, out->channels, k));
    if (variable && quotient) return unsupported(node, "divides by the image");
    for (int c = 0; c < out->channels; ++c) {
        if (quotient && fabs(k[c]) < 1e-6) return unsupported(node, "divides by nothing");
        const double factor = product ? k[c] : quotient ? 1 / k[c] : variable && difference ? -1 : 1;
        const double summand = product || quotient ? 0 : difference && !variable ? -k[c] : k[c];
        out->scale[c] *= factor;
        out->shift[c] = out->shift[c] * factor + summand;
    }
    return trib_success();
}

/* Channels, by number. */
static trib_status gather(walker *w, const trib_onnx_node *node, trib_onnx_affine *out)
{
    trib_onnx_affine from;
    trib_onnx_constant index;
    if (node->input_count != 2 || trib_onnx_int(node, "axis", 0) != 1)
        return unsupported(node, "does not pick channels");
    TRIB_TRY(walk(w, trib_onnx_input(w->model, node, 0), &from));
    TRIB_TRY(trib_onnx_fold(w->model, trib_onnx_input(w->model, node, 1), &index));
    if (index.kind != TRIB_ONNX_WHOLE || index.count < 1 || index.count > 3)
        return unsupported(node, "does not pick channels");
    *out = from;
    out->channels = index.count;
    for (int c = 0; c < index.count; ++c) {
        const int64_t at = index.whole[c] < 0 ? index.whole[c] + from.channels : index.whole[c];
        if (at < 0 || at >= from.channels) return unsupported(node, "picks a channel that the image does not have");
        out->source[c] = from.source[at];
        out->scale[c] = from.scale[at];
        out->shift[c] = from.shift[at];
    }
    return trib_success();
}

static trib_status concat(walker *w, const trib_onnx_node *node, trib_onnx_affine *out)
{
    trib_onnx_affine all = { 0 }, part;
    if (trib_onnx_int(node, "axis", 0) != 1) return unsupported(node, "does not join channels (axis)");
    for (int i = 0; i < node->input_count; ++i) {
        TRIB_TRY(walk(w, trib_onnx_input(w->model, node, i), &part));
        if (i && (part.image.at != all.image.at)) return unsupported(node, "joins channels of two inputs");
        if (all.channels + part.channels > 3) return unsupported(node, "joins more than three channels");
        for (int c = 0; c < part.channels; ++c, ++all.channels) {
            all.source[all.channels] = part.source[c];
            all.scale[all.channels] = part.scale[c];
            all.shift[all.channels] = part.shift[c];
        }
        all.image = part.image;
    }
    *out = all;
    return all.channels ? trib_success() : unsupported(node, "joins nothing");
}

static trib_status compute(walker *w, const trib_onnx_node *node, trib_onnx_affine *out)
{
    static const char *const copies[] = { "Identity", "Cast", "Dropout", "Unsqueeze" };
    static const char *const sums[] = { "Mul", "Div", "Add", "Sub" };
    const char *changes = trib_onnx_changes(w->model, node);
    if (changes) return unsupported(node, changes);
    for (size_t i = 0; i < sizeof copies / sizeof *copies; ++i)
        if (trib_onnx_is(node, copies[i]) && node->input_count) return walk(w, trib_onnx_input(w->model, node, 0), out);
    for (size_t i = 0; i < sizeof sums / sizeof *sums; ++i)
        if (trib_onnx_is(node, sums[i])) return arithmetic(w, node, out);
    if (trib_onnx_is(node, "Gather")) return gather(w, node, out);
    if (trib_onnx_is(node, "Concat")) return concat(w, node, out);
    return unsupported(node, "only arithmetic with constants, and channels in another order, can become preprocessing");
}

static trib_status walk(walker *w, const trib_pb *name, trib_onnx_affine *out)
{
    const trib_onnx_node *node = trib_onnx_producer(w->model, name);
    int64_t size[2];
    trib_pb image;
    if (++w->steps > MOST_STEPS)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "more than %d nodes before the first convolution", MOST_STEPS);
    if (node) return compute(w, node, out);
    if (trib_onnx_find(w->model, name) || !trib_onnx_image(w->model, name, &image, size))
        return TRIB_ERROR(TRIB_BAD_DATA, "the first convolution reads %.60s, which is no input of the graph",
                          trib_pb_show(name).text);
    *out = (trib_onnx_affine) { .channels = 3, .source = { 0, 1, 2 }, .scale = { 1, 1, 1 }, .image = image };
    return trib_success();
}

/* Recursion is bounded: each node comes after those it reads, and steps are counted. */
trib_status trib_onnx_arithmetic(const trib_onnx_model *model, const trib_pb *name, trib_onnx_affine *out)
{
    walker w = { .model = model };
    TRIB_TRY(walk(&w, name, out));
    if (out->channels == 3) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "the first convolution reads %d channels; an image has 3", out->channels);
}

bool trib_onnx_keeps_values(const trib_onnx_affine *a)
{
    for (int c = 0; c < 3; ++c)
        if (a->scale[c] != 1 || a->shift[c] != 0) return false;
    return true;
}
