/* SPDX-License-Identifier: Apache-2.0
 * An ONNX model as a file of weights: the parameters of the network that its graph is, under the names that the
 * network's own files have. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "data/file.h"
#include "formats/imported.h"
#include "formats/onnx.h"
#include "model/guess.h"
#include "model/metadata.h"
#include "tributary/internal/alloc.h"

#define MAX_BYTES ((size_t)16 << 30)
/* Parameters of one number each are written out: not more of them than a network of any sense has. */
#define MAX_FILLED ((int64_t)16 << 20)

typedef struct onnx_file {
    trib_weights_file base;       /* owns its tensors' names */
    void *bytes;                  /* of the file; NULL after they are released */
    char *path, *folder;          /* of the model; no folder: NULL */
    trib_onnx_parameter *sources; /* of each tensor */
    void **owned;                 /* values of each tensor that are not part of the bytes */
    trib_onnx_model model;
    trib_imported imported;
} onnx_file;

/* ---- tensors ---- */

static bool is_read_as_it_is(const trib_onnx_parameter *p)
{
    return p->constant.kind == TRIB_ONNX_VALUES && !p->constant.transposed && !p->has_minus;
}

static trib_status dtype_of(const trib_onnx_parameter *p, trib_dtype *out)
{
    trib_dtype own = TRIB_F32;
    if (p->constant.kind == TRIB_ONNX_WHOLE) return trib_onnx_dtype(&p->constant.tensor, out);
    if (p->constant.kind == TRIB_ONNX_VALUES) TRIB_TRY(trib_onnx_dtype(&p->constant.tensor, &own));
    if (p->has_minus && p->minus.kind == TRIB_ONNX_VALUES) TRIB_TRY(trib_onnx_dtype(&p->minus.tensor, out));
    *out = is_read_as_it_is(p) ? own : TRIB_F32;
    return trib_success();
}

static bool has_folder(const onnx_file *file, const trib_onnx_constant *c)
{
    return file->folder || c->kind != TRIB_ONNX_VALUES || c->tensor.form != TRIB_ONNX_EXTERNAL;
}

static trib_status add_tensor(onnx_file *file, const trib_onnx_match *match, const trib_dialect *dialect, int i)
{
    const trib_onnx_parameter *p = &match->parameters[i];
    trib_tensor *t = &file->base.tensors[i];
    char name[128];
    t->name = trib_strdup(trib_parameter_file_name(match->graph, dialect, i, name));
    if (!t->name) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of a tensor");
    ++file->base.count;
    file->sources[i] = *p;
    t->shape = p->constant.shape;
    if (!has_folder(file, &p->constant) || (p->has_minus && !has_folder(file, &p->minus)))
        return TRIB_ERROR(TRIB_UNSUPPORTED,
                          "initialiser %.100s is in another file, but a model from a pipe or from memory has no folder",
                          trib_pb_show(&p->constant.tensor.name).text);
    return dtype_of(p, &t->dtype);
}

static trib_status add_tensors(onnx_file *file, const trib_onnx_match *match, const trib_network *network)
{
    const size_t count = (size_t)trib_graph_parameter_count(match->graph);
    file->base.tensors = trib_alloc_zeroed(count, sizeof *file->base.tensors);
    file->sources = trib_alloc_zeroed(count, sizeof *file->sources);
    file->owned = trib_alloc_zeroed(count, sizeof *file->owned);
    if (!file->base.tensors || !file->sources || !file->owned)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its tensors");
    for (size_t i = 0; i < count; ++i) TRIB_TRY(add_tensor(file, match, trib_network_dialect(network), (int)i));
    return trib_success();
}

/* Before memory is taken for any of them. */
static trib_status check_shapes(const onnx_file *file, const trib_graph *graph)
{
    char found[TRIB_SHAPE_TEXT], wanted[TRIB_SHAPE_TEXT];
    int64_t filled = 0, count = 0;
    for (int i = 0; i < file->base.count; ++i) {
        const trib_tensor *t = &file->base.tensors[i];
        const trib_parameter *p = trib_graph_parameter(graph, i);
        const trib_onnx_constant *c = &file->sources[i].constant, *minus = &file->sources[i].minus;
        if (!trib_shape_equal(&t->shape, &p->shape))
            return TRIB_ERROR(TRIB_BAD_DATA, "%.100s, the network's %s, has shape %s where the network has %s",
                              trib_pb_show(&c->tensor.name).text, p->name, trib_shape_text(&t->shape, found),
                              trib_shape_text(&p->shape, wanted));
        if (file->sources[i].has_minus && minus->kind != TRIB_ONNX_FILL && !trib_shape_equal(&minus->shape, &p->shape))
            return TRIB_ERROR(TRIB_BAD_DATA, "%.100s, a bias before %s, has shape %s where the network has %s",
                              trib_pb_show(&minus->tensor.name).text, p->name, trib_shape_text(&minus->shape, found),
                              trib_shape_text(&p->shape, wanted));
        TRIB_TRY(trib_shape_count(&t->shape, &count));
        if (c->kind == TRIB_ONNX_FILL) filled += count;
        if (filled > MAX_FILLED)
            return TRIB_ERROR(TRIB_UNSUPPORTED, "its weights are one number, written out too often to be of use");
    }
    return trib_success();
}

/* ---- the network ---- */

static bool has_node(const trib_onnx_model *model, const char *op)
{
    for (size_t i = 0; i < model->node_count; ++i)
        if (trib_onnx_is(&model->nodes[i], op)) return true;
    return false;
}

/* How much of a network that does not fit is there: layers from the end, and LRN or none. */
static int likeness(const trib_onnx_model *model, const trib_onnx_match *match)
{
    bool lrn = false;
    for (int i = 0; match->graph && i < trib_graph_layer_count(match->graph); ++i)
        lrn |= trib_graph_layer(match->graph, i)->kind == TRIB_LRN;
    return 2 * match->matched + (lrn == has_node(model, "LRN"));
}

/* The network whose layers fit; of failures, the one that came furthest. */
static trib_status find_match(const trib_onnx_model *model, const trib_network **network, trib_onnx_match *out)
{
    trib_status s = trib_success();
    int furthest = -1;
    for (int i = 0; trib_network_at(i); ++i) {
        trib_onnx_match match;
        trib_status own = trib_onnx_match_network(model, trib_network_at(i), &match);
        if (!trib_failed(&own)) {
            *network = trib_network_at(i);
            *out = match;
            return own;
        }
        trib_add_context(&own, "compared with %s", trib_network_name(trib_network_at(i)));
        /* Where pools round tells networks apart only if all else fits. */
        const bool variant = trib_network_by_tensors(trib_network_at(i)) != trib_network_at(i);
        const int like = variant ? -1 : likeness(model, &match);
        if (like > furthest || own.code == TRIB_OUT_OF_MEMORY) s = own;
        if (like > furthest) furthest = like;
        trib_onnx_match_release(&match);
        if (own.code == TRIB_OUT_OF_MEMORY) break;
    }
    return s;
}

/* What its arithmetic is for: starting from the usual images of the network, in its order of channels, the numbers tell
 * whether the graph's input has pixels, from 0 to 255 or to 1, or normalised values. */
static trib_preprocess input_of_graph(const trib_onnx_affine *a, trib_preprocess p, const char **range)
{
    bool raw = false, unit = true;
    for (int c = 0; c < 3; ++c) {
        raw |= fabs(a->scale[c]) < 0.1 || fabs(a->shift[c]) > 10 * fabs(a->scale[c]);
        unit &= fabs(a->scale[c]) > 1.2;
    }
    *range = raw ? " from 0 to 255" : " from 0 to 1";
    for (int c = 0; (raw || unit) && c < 3; ++c) {
        p.mean[c] = 0;
        p.std[c] = 1;
    }
    if (raw || unit) {
        p.scale = raw ? 1 : trib_preprocess_torchvision().scale;
    } else if (p.scale == 1) {
        *range = " from 0 to 255 minus 104,117,123";
    } else { /* torchvision's own arithmetic, transform_input, is for these */
        *range = ", normalised with ImageNet's mean and std";
        p = trib_preprocess_torchvision();
    }
    return p;
}

static trib_status compose(const trib_onnx_affine *a, const trib_preprocess *usual, trib_preprocess *p,
                           const char **range)
{
    *p = input_of_graph(a, *usual, range);
    for (int c = 0; c < 3; ++c) {
        if (!(fabs(a->scale[c]) >= 1e-9))
            return TRIB_ERROR(TRIB_UNSUPPORTED, "a channel of the image is multiplied by 0");
        const double std = (double)p->std[c] / a->scale[c];
        p->std[c] = (float)std;
        p->mean[c] = (float)((double)p->mean[c] - a->shift[c] * std);
    }
    trib_status s = trib_preprocess_check(p);
    if (s.code == TRIB_INVALID_ARGUMENT) s.code = TRIB_UNSUPPORTED; /* the model asks for it, not the caller */
    return s;
}

/* That the network gets the image's channels in their order, or in reverse. */
static trib_status check_order(const trib_onnx_affine *a, bool *reversed)
{
    *reversed = a->source[0] == 2;
    for (int c = 0; c < 3; ++c)
        if (a->source[c] != (*reversed ? 2 - c : c))
            return TRIB_ERROR(TRIB_UNSUPPORTED,
                              "the channels of the image are in an order that is neither RGB nor BGR");
    return trib_success();
}

/* The network's own order of channels is that of its usual images, so a reversal tells the order of the graph's input.
 * *p changes if values are changed, too. */
static trib_status use_arithmetic(onnx_file *file, const trib_onnx_affine *a, const trib_preprocess *usual,
                                  trib_preprocess *p)
{
    bool reversed;
    const char *range = "";
    trib_imported *text = &file->imported;
    TRIB_TRY(check_order(a, &reversed));
    const char *order = usual->bgr != reversed ? "BGR" : "RGB";
    if (trib_onnx_keeps_values(a)) {
        if (reversed)
            trib_text_format(&text->note,
                             "it reverses the channels of its input, taken for %s, before the first "
                             "convolution; images are prepared in the network's order instead",
                             order);
        return trib_success();
    }
    TRIB_TRY(compose(a, usual, p, &range));
    trib_text_format(&text->note,
                     "its arithmetic before the first convolution has become preprocessing, its input taken for %s%s",
                     order, range);
    trib_text_format(&text->assumed,
                     "its graph has the arithmetic, but does not say what its input is, taken for %s%s, nor how "
                     "images are resized",
                     order, range);
    return trib_success();
}

/* What the file's own metadata say, as Tributary writes them. *said: how images are prepared is among it. */
static trib_status use_metadata(onnx_file *file, trib_preprocess *p, bool *said)
{
    const trib_onnx_model *m = &file->model;
    trib_imported *text = &file->imported;
    trib_text_put(&text->labels, (const char *)m->labels.at, trib_pb_size(&m->labels));
    if (trib_pb_size(&m->provenance)) trib_text_add(&text->provenance, ": ");
    trib_text_put(&text->provenance, (const char *)m->provenance.at, trib_pb_size(&m->provenance));
    *said = trib_pb_size(&m->preprocessing) > 0;
    if (!*said) return trib_success();
    char *json = trib_pb_copy(&m->preprocessing);
    if (!json) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its metadata");
    trib_status s = trib_metadata_read_preprocessing(json, p);
    trib_free(json);
    return s;
}

/* Arithmetic in the graph says how images are prepared even if metadata say something else: it is computed. */
static trib_status describe(onnx_file *file, const trib_onnx_match *match, const trib_preprocess *usual)
{
    trib_onnx_affine a;
    trib_preprocess p;
    int64_t size[2];
    bool said;
    trib_imported *text = &file->imported;
    TRIB_TRY(trib_onnx_arithmetic(&file->model, &match->image, &a));
    trib_text_format(&text->provenance, "ONNX model by '%s', operator set %lld%s", file->model.producer.text,
                     (long long)file->model.opset, match->folded ? ", batch norms folded into convolutions" : "");
    TRIB_TRY(use_metadata(file, &p, &said));
    TRIB_TRY(use_arithmetic(file, &a, usual, &p));
    if (trib_onnx_image_size(&file->model, size)) {
        file->base.height = (int)size[0];
        file->base.width = (int)size[1];
    }
    return trib_imported_finish(text, said || !trib_onnx_keeps_values(&a) ? &p : NULL, &file->base);
}

static trib_status use_match(onnx_file *file, const trib_onnx_match *match, const trib_network *network)
{
    trib_network_spec spec;
    const trib_dialect *dialect = NULL;
    trib_graph *graph = NULL;
    TRIB_TRY(add_tensors(file, match, network));
    TRIB_TRY(trib_network_detect(file->base.tensors, file->base.count, &spec, &dialect));
    if (network != spec.network) file->imported.variant = network;
    TRIB_TRY(trib_network_graph(&spec, &graph));
    trib_status s = check_shapes(file, graph);
    trib_graph_destroy(graph);
    const trib_preprocess usual = trib_guess_preprocess(dialect, spec.classes, NULL);
    return trib_failed(&s) ? s : describe(file, match, &usual);
}

/* Another Inception is told by the number of its convolutions. */
static trib_status count_convolutions(const trib_onnx_model *model, trib_status s)
{
    enum { GOOGLENET = 57, BN_INCEPTION = 69, INCEPTION_V3 = 94 };
    int count = 0;
    for (size_t i = 0; i < model->node_count; ++i) count += trib_onnx_is(&model->nodes[i], "Conv");
    const char *name = count == BN_INCEPTION   ? ", as BN-Inception (Inception v2) has"
                       : count == INCEPTION_V3 ? ", as Inception v3 has"
                                               : "";
    if (count != GOOGLENET && s.code != TRIB_OUT_OF_MEMORY)
        trib_add_context(&s, "it is no GoogLeNet, which has %d convolutions, but has %d%s", GOOGLENET, count, name);
    return s;
}

static trib_status understand(onnx_file *file, size_t size)
{
    const trib_network *network = NULL;
    trib_onnx_match match = { 0 };
    TRIB_TRY(trib_onnx_read(trib_pb_of(file->bytes, size), &file->model));
    trib_status s = find_match(&file->model, &network, &match);
    if (trib_failed(&s)) return count_convolutions(&file->model, s);
    s = use_match(file, &match, network);
    trib_onnx_match_release(&match);
    return s;
}

/* ---- the driver ---- */

static trib_status take_folder(onnx_file *file, const trib_blob *blob)
{
    const char *slash = strrchr(blob->path, '/');
    file->path = trib_strdup(blob->path);
    if (!file->path) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to open it");
    if (blob->bytes || trib_blob_size(blob) < 0) return trib_success();
    file->folder = trib_strdup(slash ? blob->path : ".");
    if (!file->folder) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to open it");
    if (slash) file->folder[slash == blob->path ? 1 : slash - blob->path] = '\0';
    return trib_success();
}

static trib_status read_all(trib_weights_file *base, trib_blob *blob)
{
    onnx_file *file = (onnx_file *)base;
    size_t size = 0;
    TRIB_TRY(trib_with_name(take_folder(file, blob), blob->path));
    TRIB_TRY(trib_blob_take(blob, MAX_BYTES, &file->bytes, &size));
    trib_status s = trib_success();
    if (size == MAX_BYTES) s = TRIB_ERROR(TRIB_UNSUPPORTED, "it is larger than 16 GiB");
    if (!trib_failed(&s)) s = understand(file, size);
    trib_add_context(&s, "ONNX model");
    return trib_with_name(s, blob->path);
}

static void release_data(trib_weights_file *base)
{
    onnx_file *file = (onnx_file *)base;
    for (int i = 0; i < base->count; ++i) {
        base->tensors[i].data = NULL;
        trib_free(file->owned[i]);
        file->owned[i] = NULL;
    }
    trib_free(file->bytes);
    file->bytes = NULL;
}

static void close_weights(trib_weights_file *base)
{
    onnx_file *file = (onnx_file *)base;
    release_data(base);
    for (int i = 0; i < base->count; ++i) trib_free((char *)(uintptr_t)base->tensors[i].name);
    trib_free(base->tensors);
    trib_free(file->sources);
    trib_free(file->owned);
    trib_free(file->path);
    trib_free(file->folder);
    trib_onnx_release(&file->model);
    trib_imported_release(&file->imported);
    trib_free(file);
}

static trib_status open_weights(trib_blob *blob, trib_weights_file **out)
{
    return trib_weights_open_whole(&trib_onnx_driver, sizeof(onnx_file), read_all, blob, out);
}

/* ---- values ---- */

/* out[i] += factor * value i. */
static trib_status add_values(const onnx_file *file, const trib_onnx_constant *c, float factor, int64_t count,
                              float *out)
{
    const void *values = NULL;
    void *owned = NULL;
    trib_dtype dtype;
    if (c->kind == TRIB_ONNX_FILL) {
        for (int64_t i = 0; i < count; ++i) out[i] += factor * (float)c->fill;
        return trib_success();
    }
    TRIB_TRY(trib_onnx_dtype(&c->tensor, &dtype));
    TRIB_TRY(trib_onnx_take(&c->tensor, file->folder, &values, &owned));
    const int64_t columns = c->transposed ? c->shape.dim[1] : 1, rows = c->transposed ? c->shape.dim[0] : count;
    for (int64_t i = 0; i < count; ++i) {
        const int64_t from = c->transposed ? i % columns * rows + i / columns : i;
        float value;
        trib_convert_to_f32((const char *)values + (size_t)from * trib_dtype_size(dtype), dtype, 1, &value);
        out[i] += factor * value;
    }
    trib_free(owned);
    return trib_success();
}

static trib_status compute(onnx_file *file, int i)
{
    const trib_onnx_parameter *p = &file->sources[i];
    int64_t count = 0;
    TRIB_TRY(trib_shape_count(&file->base.tensors[i].shape, &count));
    float *values = trib_alloc_zeroed((size_t)count, sizeof *values);
    if (!values) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for tensor %.100s", file->base.tensors[i].name);
    file->owned[i] = values;
    file->base.tensors[i].data = values;
    TRIB_TRY(add_values(file, &p->constant, 1, count, values));
    return p->has_minus ? add_values(file, &p->minus, -1, count, values) : trib_success();
}

static trib_status load_all(onnx_file *file, trib_tensor_wanted wanted, const void *context)
{
    for (int i = 0; i < file->base.count; ++i) {
        trib_tensor *t = &file->base.tensors[i];
        if (wanted && !wanted(context, t)) continue;
        if (is_read_as_it_is(&file->sources[i]))
            TRIB_TRY(trib_onnx_take(&file->sources[i].constant.tensor, file->folder, &t->data, &file->owned[i]));
        else
            TRIB_TRY(compute(file, i));
    }
    return trib_success();
}

static trib_status load(trib_weights_file *base, trib_tensor_wanted wanted, const void *context)
{
    onnx_file *file = (onnx_file *)base;
    trib_status s = load_all(file, wanted, context);
    trib_add_context(&s, "ONNX model");
    return trib_with_name(s, file->path);
}

const trib_weights_driver trib_onnx_driver = { .format = "ONNX",
                                               .recognises = trib_onnx_recognises,
                                               .open = open_weights,
                                               .load = load,
                                               .release_data = release_data,
                                               .close = close_weights };
