/* SPDX-License-Identifier: Apache-2.0
 * Which network a .caffemodel holds. Caffe itself goes by the names of layers: those that a network does not have are
 * passed over, and fine-tuning asks for another name of the last one. */
#include <inttypes.h>
#include <string.h>

#include "formats/caffe_private.h"
#include "tributary/internal/alloc.h"
#include "tributary/network.h"

static const char *last_dot(const char *name) { return strrchr(name, '.'); }

/* Whether `name` is LAYER.weight or LAYER.bias. */
static bool is_of(const char *name, const char *layer, size_t length)
{
    return !strncmp(name, layer, length) && last_dot(name) == name + length;
}

static bool has_layer(const trib_caffe_file *file, const char *layer, size_t length)
{
    for (int i = 0; i < file->base.count; ++i)
        if (is_of(file->base.tensors[i].name, layer, length)) return true;
    return false;
}

static trib_status check_twice(const trib_caffe_file *file)
{
    for (size_t i = 1; i < file->net.count; ++i) {
        const trib_caffe_layer *l = &file->net.layers[i];
        for (size_t j = 0; l->blob_count && j < i; ++j)
            if (file->net.layers[j].blob_count && !strcmp(l->name, file->net.layers[j].name))
                return TRIB_ERROR(TRIB_BAD_DATA, "layer %.128s is there twice, with blobs", l->name);
    }
    return trib_success();
}

typedef struct detected {
    bool found;
    trib_network_spec spec;
    const trib_dialect *dialect;
} detected;

/* That no network fits is no failure here. */
static trib_status detect(const trib_caffe_file *file, detected *out)
{
    trib_status s = trib_network_detect(file->base.tensors, file->base.count, &out->spec, &out->dialect);
    out->found = !trib_failed(&s);
    return s.code == TRIB_BAD_DATA ? trib_success() : s;
}

/* ---- the classifier ---- */

static const char *classifier_of(const trib_graph *graph)
{
    return trib_graph_layer(graph, trib_graph_output(graph, 0)->layer)->name;
}

static bool in_graph(const trib_graph *graph, const char *name) { return trib_graph_find_parameter(graph, name) >= 0; }

static trib_status rename_layer(trib_caffe_file *file, const char *from, const char *to)
{
    const size_t length = strlen(from);
    for (int i = 0; i < file->base.count; ++i) {
        trib_tensor *t = &file->base.tensors[i];
        if (!is_of(t->name, from, length)) continue;
        const size_t size = strlen(to) + strlen(t->name + length) + 1;
        char *name = trib_alloc(size);
        if (!name) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of a tensor");
        memcpy(name, to, strlen(to));
        memcpy(name + strlen(to), t->name + length, strlen(t->name + length) + 1);
        trib_free((char *)(uintptr_t)t->name);
        t->name = name;
    }
    return trib_success();
}

static bool fits(const trib_caffe_layer *l, const trib_graph *graph, int64_t inputs)
{
    char name[2 * TRIB_SHAPE_TEXT];
    if (l->kind != TRIB_LINEAR || l->blob_count != 2 || strlen(l->name) > TRIB_SHAPE_TEXT) return false;
    memcpy(name, l->name, strlen(l->name) + 1);
    strcat(name, ".weight");
    const trib_shape *shape = &l->blobs[0].shape;
    return !in_graph(graph, name) && shape->rank >= 2 && shape->dim[shape->rank - 1] == inputs;
}

/* The network's classifier is missing: the only other linear layer that reads as many channels as it would. `graph` has
 * auxiliary classifiers. */
static trib_status find_classifier(trib_caffe_file *file, const trib_graph *graph, int64_t inputs)
{
    const char *classifier = classifier_of(graph);
    trib_caffe_layer *found = NULL, *other = NULL;
    int count = 0;
    for (size_t i = 0; i < file->net.count; ++i)
        if (fits(&file->net.layers[i], graph, inputs)) {
            other = found;
            found = &file->net.layers[i];
            ++count;
        }
    if (count == 0)
        return TRIB_ERROR(TRIB_BAD_DATA, "there is no layer %s, nor another that could be the classifier", classifier);
    if (count > 1)
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "there is no layer %s, and %d others could be the classifier, such as %.60s and %.60s; "
                          "rename the one that is it",
                          classifier, count, other->name, found->name);
    trib_text_format(&file->imported.note, "its layer %.60s is taken for the classifier, %s", found->name, classifier);
    TRIB_TRY(rename_layer(file, found->name, classifier));
    trib_free(found->name);
    found->name = trib_strdup(classifier);
    return found->name ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of a layer");
}

/* Channels that the classifier reads: those of the last layer before it with weights, or of the join before it. */
static int64_t inputs_of(const trib_caffe_file *file, const trib_graph *graph)
{
    const trib_layer *layer = trib_graph_layer(graph, trib_graph_output(graph, 0)->layer);
    int64_t sum = 0;
    while (layer->kind != TRIB_CONCAT && layer->input_count == 1) layer = trib_graph_layer(graph, layer->inputs[0]);
    for (int b = 0; b < layer->input_count; ++b) {
        const trib_layer *branch = trib_graph_layer(graph, layer->inputs[b]);
        while (branch->parameters[TRIB_WEIGHT] == TRIB_NO_PARAMETER && branch->input_count == 1)
            branch = trib_graph_layer(graph, branch->inputs[0]);
        for (int i = 0; i < file->base.count; ++i) {
            const trib_tensor *t = &file->base.tensors[i];
            const size_t length = strlen(branch->name);
            if (is_of(t->name, branch->name, length) && !strcmp(t->name + length, ".weight") && t->shape.rank == 4)
                sum += t->shape.dim[0];
        }
    }
    return sum;
}

/* If the names are not those of a network, damage explains it better than what is missing. */
static trib_status explain(const trib_caffe_file *file)
{
    for (int i = 0; i < file->base.count; ++i) {
        int64_t count = 0;
        const trib_tensor *t = &file->base.tensors[i];
        TRIB_TRY(trib_shape_count(&t->shape, &count));
        const int64_t bad = trib_find_non_finite(file->values[i], TRIB_F32, (size_t)count);
        if (bad >= 0)
            return TRIB_ERROR(TRIB_BAD_DATA, "tensor %.128s: element %" PRId64 " is not a finite number", t->name, bad);
    }
    return trib_success();
}

/* Of the first network, if its first weight is there. */
static trib_status complete(trib_caffe_file *file)
{
    detected d = { 0 };
    trib_graph *graph = NULL;
    TRIB_TRY(detect(file, &d));
    if (d.found) return trib_success();
    TRIB_TRY(explain(file));
    TRIB_TRY(trib_network_graph(&(trib_network_spec) { .network = trib_network_at(0), .aux = true }, &graph));
    const char *classifier = classifier_of(graph);
    const char *first = trib_graph_parameter(graph, 0)->name;
    trib_status s = trib_success();
    if (has_layer(file, first, (size_t)(last_dot(first) - first)) && !has_layer(file, classifier, strlen(classifier)))
        s = find_classifier(file, graph, inputs_of(file, graph));
    trib_graph_destroy(graph);
    return s;
}

/* ---- what is left over ---- */

/* The others move up. */
static void drop_others(trib_caffe_file *file, const trib_graph *graph)
{
    trib_text *note = &file->imported.note;
    int kept = 0, dropped = 0;
    for (int i = 0; i < file->base.count; ++i) {
        const trib_tensor t = file->base.tensors[i];
        if (in_graph(graph, t.name)) {
            file->base.tensors[kept] = t;
            file->values[kept++] = file->values[i];
            continue;
        }
        if (!dropped++)
            trib_text_format(note, "%sleft out, as the network does not have it: %.100s", note->size ? "; " : "",
                             t.name);
        trib_free((char *)(uintptr_t)t.name);
    }
    file->base.count = kept;
    if (dropped > 1) trib_text_format(note, " and %d more", dropped - 1);
}

static trib_status fit(trib_caffe_file *file, const trib_network_spec *spec)
{
    trib_graph *graph = NULL;
    TRIB_TRY(trib_network_graph(spec, &graph));
    trib_status s = trib_caffe_check(&file->net, graph);
    if (!trib_failed(&s)) drop_others(file, graph);
    trib_graph_destroy(graph);
    return s;
}

/* Of networks with the same tensors the first whose numbers fit; if none does, what is wrong with the usual one. */
static trib_status fit_any(trib_caffe_file *file, const trib_network_spec *usual)
{
    trib_status s = fit(file, usual);
    for (int i = 0; s.code == TRIB_BAD_DATA && trib_network_at(i); ++i) {
        trib_network_spec spec = *usual;
        spec.network = trib_network_at(i);
        if (spec.network == usual->network || trib_network_by_tensors(spec.network) != usual->network) continue;
        const trib_status own = fit(file, &spec);
        if (own.code == TRIB_BAD_DATA) continue;
        file->imported.variant = spec.network;
        return own;
    }
    return s;
}

static trib_status describe(trib_caffe_file *file)
{
    trib_preprocess preprocess;
    trib_caffe_images says;
    TRIB_TRY(trib_caffe_preprocess(&file->net, &preprocess, &says));
    trib_caffe_size(&file->net, &file->base.height, &file->base.width);
    file->base.mean_assumed = says == TRIB_CAFFE_NEEDS_MEAN_FILE;
    if (file->base.mean_assumed)
        file->base.assumed = "the mean of a file is subtracted from its images, and --mean-file names that file; "
                             "without it 104,117,123, as for BVLC's own weights";
    return trib_imported_finish(&file->imported, says == TRIB_CAFFE_SAYS_NOTHING ? NULL : &preprocess, &file->base);
}

trib_status trib_caffe_find_network(trib_caffe_file *file)
{
    detected d = { 0 };
    trib_text_format(&file->imported.provenance, "Caffe model '%s'%s", file->net.name.text,
                     file->net.v1 ? " (V1 layers)" : "");
    TRIB_TRY(check_twice(file));
    TRIB_TRY(complete(file));
    TRIB_TRY(detect(file, &d));
    /* With other names, another program wrote it. */
    if (d.found && d.dialect == trib_dialect_find("caffe")) TRIB_TRY(fit_any(file, &d.spec));
    return describe(file);
}
