/* SPDX-License-Identifier: Apache-2.0
 * A model as a file of its own: the tensors by their names in the model's dialect, and what is known about them. */
#include <math.h>
#include <string.h>

#include "data/file.h"
#include "data/names.h"
#include "formats/caffe_write.h"
#include "formats/onnx_write.h"
#include "formats/sha256.h"
#include "formats/torch_write.h"
#include "model/guess.h"
#include "model/metadata.h"
#include "train/class_names.h"
#include "tributary/internal/alloc.h"
#include "tributary/model.h"
#include "tributary/version.h"

enum { NAME_TEXT = 128, MOST_PAIRS = 4 };

typedef struct saved {
    const trib_model *model;
    int count;
    trib_tensor *tensors;
    char (*names)[NAME_TEXT];
    void **converted; /* NULL: the model's own data */
    trib_names labels;
    trib_text labels_text, preprocessing, provenance;
} saved;

static void release(saved *s)
{
    for (int i = 0; s->converted && i < s->count; ++i) trib_free(s->converted[i]);
    trib_free(s->converted);
    trib_free(s->tensors);
    trib_free(s->names);
    trib_names_free(&s->labels);
    trib_text_free(&s->labels_text);
    trib_text_free(&s->preprocessing);
    trib_text_free(&s->provenance);
}

/* ---- tensors ---- */

static trib_status put_element(float value, trib_dtype dtype, void *to)
{
    const uint16_t half = dtype == TRIB_F16 ? trib_f32_to_f16(value) : trib_f32_to_bf16(value);
    const float back = dtype == TRIB_F16 ? trib_f16_to_f32(half) : trib_bf16_to_f32(half);
    if (isinf(back))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%g is too large for %s", (double)value, trib_dtype_name(dtype));
    memcpy(to, &half, sizeof half);
    return trib_success();
}

static trib_status convert_elements(const trib_tensor *tensor, trib_dtype dtype, size_t count, char *to)
{
    const size_t from = trib_dtype_size(tensor->dtype), size = trib_dtype_size(dtype);
    for (size_t i = 0; i < count; ++i, to += size) {
        float value;
        trib_convert_to_f32((const char *)tensor->data + i * from, tensor->dtype, 1, &value);
        if (dtype == TRIB_F32)
            memcpy(to, &value, sizeof value);
        else
            TRIB_TRY(put_element(value, dtype, to));
    }
    return trib_success();
}

static trib_status convert(trib_tensor *tensor, trib_dtype dtype, void **block)
{
    int64_t count = 0;
    if (tensor->dtype == dtype) return trib_success();
    TRIB_TRY(trib_shape_count(&tensor->shape, &count));
    *block = trib_realloc_array(NULL, (size_t)count, trib_dtype_size(dtype));
    if (!*block) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %lld elements", (long long)count);
    TRIB_TRY(convert_elements(tensor, dtype, (size_t)count, *block));
    tensor->data = *block;
    tensor->dtype = dtype;
    return trib_success();
}

static trib_status make_tensors(saved *s, const trib_dtype *dtype)
{
    const trib_graph *graph = trib_model_graph(s->model);
    s->count = trib_graph_parameter_count(graph);
    s->tensors = trib_alloc_zeroed((size_t)s->count, sizeof *s->tensors);
    s->names = trib_alloc_zeroed((size_t)s->count, sizeof *s->names);
    s->converted = trib_alloc_zeroed((size_t)s->count, sizeof *s->converted);
    if (!s->tensors || !s->names || !s->converted)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %d tensors", s->count);
    for (int i = 0; i < s->count; ++i) {
        s->tensors[i] = trib_model_parameters(s->model)[i];
        s->tensors[i].name = trib_parameter_file_name(graph, trib_model_dialect(s->model), i, s->names[i]);
        if (!s->tensors[i].data) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the model's parameters were released");
        if (!dtype) continue;
        trib_status status = convert(&s->tensors[i], *dtype, &s->converted[i]);
        trib_add_context(&status, "tensor %s", s->names[i]);
        if (trib_failed(&status)) return status;
    }
    return trib_success();
}

/* ---- metadata ---- */

static trib_status read_labels(saved *s, const char *path)
{
    const int classes = trib_model_network(s->model)->classes;
    if (!path) {
        for (int i = 0; trib_model_label(s->model, i); ++i)
            TRIB_TRY(trib_names_add_text(&s->labels, "%s", trib_model_label(s->model, i)));
        return trib_success();
    }
    TRIB_TRY(trib_train_read_class_names(path, &s->labels));
    if (s->labels.count == (size_t)classes) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "%s: has %zu names, but the model has %d classes", trib_shorten(path).text,
                      s->labels.count, classes);
}

/* Texts are put together as they are, and may have any length. */
static void add_part(trib_text *t, const char *before, const char *text)
{
    if (!text || !*text) return;
    trib_text_add(t, before);
    trib_text_add(t, text);
}

/* Whether pixels are normalised as was guessed, whatever else was given. */
static bool is_guess(const trib_model *model, const trib_preprocess *p)
{
    const trib_preprocess *own = trib_model_preprocess(model);
    return trib_model_preprocess_guess(model) && p->bgr == own->bgr && !memcmp(p->mean, own->mean, sizeof p->mean) &&
           !memcmp(p->std, own->std, sizeof p->std);
}

static trib_status make_provenance(saved *s, bool guessed)
{
    char sum[TRIB_SHA256_TEXT];
    const char *guess =
        trib_model_mean_is_known(s->model) ? "its preprocessing but for mean and std" : "its preprocessing";
    const char *path = trib_model_path(s->model);
    trib_text *t = &s->provenance;
    TRIB_TRY(trib_sha256_of_file(path, sum));
    add_part(t, "converted with Tributary ", trib_version());
    add_part(t, " from ", trib_base_name(path));
    add_part(t, " (SHA-256 ", sum);
    trib_text_add(t, *sum ? ")" : "");
    add_part(t, ": ", trib_model_provenance(s->model));
    add_part(t, "; ", trib_model_note(s->model));
    add_part(t, "; ", guessed ? guess : NULL);
    trib_text_add(t, guessed ? " was guessed" : "");
    return trib_success();
}

static trib_status make_metadata(saved *s, const trib_model_save_options *o, trib_key_value *pairs, int *count)
{
    const trib_preprocess *preprocess = o->preprocess ? o->preprocess : trib_model_preprocess(s->model);
    TRIB_TRY(read_labels(s, o->labels));
    TRIB_TRY(make_provenance(s, is_guess(s->model, preprocess)));
    trib_metadata_write_preprocessing(preprocess, &s->preprocessing);
    pairs[(*count)++] =
        (trib_key_value) { "tributary.variant", trib_network_name(trib_model_network(s->model)->network) };
    pairs[(*count)++] = (trib_key_value) { "tributary.preprocessing", s->preprocessing.bytes };
    pairs[(*count)++] = (trib_key_value) { "tributary.provenance", s->provenance.bytes };
    if (s->labels.count) {
        trib_metadata_write_labels((const char *const *)s->labels.items, (int)s->labels.count, &s->labels_text);
        pairs[(*count)++] = (trib_key_value) { "tributary.labels", s->labels_text.bytes };
    }
    if (s->preprocessing.failed || s->provenance.failed || s->labels_text.failed)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the metadata of a model");
    return trib_success();
}

/* A state_dict does not name its network. */
static trib_status check_told_by_tensors(const trib_model *model)
{
    const trib_network *network = trib_model_network(model)->network;
    if (trib_network_by_tensors(network) == network) return trib_success();
    return TRIB_ERROR(TRIB_UNSUPPORTED,
                      "a PyTorch file has no place for the network's name, and %s has the tensors of %s; write "
                      "safetensors or ONNX",
                      trib_network_name(network), trib_network_name(trib_network_by_tensors(network)));
}

/* A guess of scale and mean would be read back as what the file says. */
static trib_status save_caffe(const saved *s, const char *path, const trib_model_save_options *o)
{
    const trib_preprocess *p = o->preprocess ? o->preprocess : trib_model_preprocess(s->model);
    return trib_caffe_write(path, o->prototxt, trib_model_graph(s->model), s->tensors,
                            is_guess(s->model, p) && !trib_model_mean_is_known(s->model) ? NULL : p);
}

static trib_status save(saved *s, const char *path, const trib_model_save_options *o)
{
    trib_key_value pairs[MOST_PAIRS];
    int count = 0;
    TRIB_TRY(make_tensors(s, o->dtype));
    if (o->format == TRIB_MODEL_PYTORCH) TRIB_TRY(check_told_by_tensors(s->model));
    if (o->format == TRIB_MODEL_PYTORCH) return trib_torch_write(path, s->tensors, s->count);
    if (o->format == TRIB_MODEL_CAFFE) return save_caffe(s, path, o);
    TRIB_TRY(make_metadata(s, o, pairs, &count));
    if (o->format == TRIB_MODEL_ONNX)
        return trib_onnx_write(path, trib_model_graph(s->model), s->tensors, pairs, count);
    return trib_safetensors_write(path, s->tensors, s->count, pairs, count);
}

trib_status trib_model_save(const trib_model *model, const char *path, const trib_model_save_options *options)
{
    const trib_model_save_options defaults = { 0 };
    if (!model || !path) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_model_save: an argument is NULL");
    saved s = { .model = model };
    if (options && options->dtype && !trib_dtype_is_float(*options->dtype))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_model_save: parameters are f32, f16 or bf16");
    trib_status status = save(&s, path, options ? options : &defaults);
    release(&s);
    return status;
}
