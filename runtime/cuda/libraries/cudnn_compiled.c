/* SPDX-License-Identifier: Apache-2.0
 * Plans: made from an engine configuration, saved, loaded, run. */
#include <stdio.h>
#include <string.h>

#include "cuda/libraries/cudnn_compiled.h"
#include "tributary/internal/alloc.h"

/* ---- describing ---- */

const char *trib_conv_key(const trib_conv_desc *d, char *text)
{
    static const char *const directions[] = { "fwd", "dgrad", "wgrad" };
    snprintf(text, TRIB_CONV_KEY, "%s %s n%d c%d %dx%d k%d %dx%d s%dx%d p%d+%d %dx%d x%d y%d%s%s%s%s",
             directions[d->direction], trib_precision_name(d->precision), d->n, d->c, d->h, d->w, d->k, d->r, d->s,
             d->stride_h, d->stride_w, d->pad_top, d->pad_left, d->p, d->q, d->x_pitch, d->y_pitch,
             d->has_bias ? " bias" : "", d->relu ? " relu" : "", d->add ? " add" : "", d->wide_w ? " f32" : "");
    return text;
}

trib_status trib_conv_check(const trib_conv_desc *d)
{
    char key[TRIB_CONV_KEY];
    bool sizes = d->n > 0 && d->c > 0 && d->h > 0 && d->w > 0 && d->k > 0 && d->p > 0 && d->q > 0 && d->r > 0 &&
                 d->s > 0 && d->stride_h > 0 && d->stride_w > 0 && d->pad_top >= 0 && d->pad_left >= 0;
    bool valid = d->direction <= TRIB_CONV_WGRAD && d->precision < TRIB_PRECISION_COUNT && sizes &&
                 d->x_pitch >= d->c && d->y_pitch >= d->k;
    if (d->direction > TRIB_CONV_WGRAD) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "no such direction of a convolution");
    bool forward = d->direction == TRIB_CONV_FORWARD || (!d->has_bias && !d->relu);
    bool backward = (!d->add || d->direction == TRIB_CONV_DGRAD) && (!d->wide_w || d->direction == TRIB_CONV_WGRAD);
    if (valid && forward && backward) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "not a convolution: %s", trib_conv_key(d, key));
}

/* ---- what a workspace is for ---- */

typedef struct tensor_bytes {
    int64_t x, y, w; /* packed */
} tensor_bytes;

static tensor_bytes packed(const trib_conv_desc *d)
{
    int64_t size = (int64_t)trib_dtype_size(trib_precision_dtype(d->precision));
    return (tensor_bytes) { size * d->n * d->c * d->h * d->w, size * d->n * d->k * d->p * d->q,
                            size * d->k * d->r * d->s * d->c };
}

/* Copies of x or y, in this type or one twice as wide, perhaps of w, and little else. */
static bool is_whole_tensors(const tensor_bytes *t, int64_t bytes)
{
    enum { LITTLE = 1024 };
    for (int i = 0; i < 27; ++i) {
        const int of_x = i % 3, of_y = i / 3 % 3, of_w = i / 9;
        const int64_t rest = bytes - of_x * t->x - of_y * t->y - of_w * t->w;
        if (of_x + of_y && rest >= 0 && rest < LITTLE) return true;
    }
    return false;
}

/* Partial sums where the inner dimension is split, as small batches need it: float32 tiles of at least 64x64, and a few
 * counters. (cuDNN 9.19, of all plans for GoogLeNet: engines 41 and 51.) */
static bool is_whole_tiles(int64_t bytes)
{
    enum { TILE = 64 * 64 * 4, COUNTERS = 512 };
    return bytes % TILE < COUNTERS;
}

/* cuDNN does not say what a workspace is for: this is a guess from its size. An engine that reads and writes slices in
 * place needs no room for them; dense tensors are copied if an engine needs another layout or type. */
static bool hides_copy(const trib_conv_desc *d, int64_t bytes)
{
    const tensor_bytes t = packed(d);
    if (bytes < (t.x < t.y ? t.x : t.y)) return false;
    const bool sliced = d->x_pitch != d->c || d->y_pitch != d->k;
    return sliced || is_whole_tensors(&t, bytes) || !is_whole_tiles(bytes);
}

/* ---- making ---- */

static void set_notes(trib_compiled_conv *compiled, const trib_cudnn_config *config)
{
    compiled->info.runtime_compiled = config->behaviours[CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION];
    compiled->info.native_graph = config->behaviours[CUDNN_BEHAVIOR_NOTE_SUPPORTS_CUDA_GRAPH_NATIVE_API];
    compiled->info.tensor_cores = config->notes[CUDNN_NUMERICAL_NOTE_TENSOR_CORE];
    compiled->info.any_order = config->notes[CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC];
}

trib_status trib_compiled_conv_create(const trib_conv_desc *desc, const trib_cudnn_config *config, trib_dtype bias,
                                      trib_compiled_conv **out)
{
    trib_compiled_conv *compiled = trib_alloc_zeroed(1, sizeof *compiled);
    if (!compiled) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "a cuDNN plan: out of host memory");
    char engine[TRIB_CONV_NAME - 16];
    trib_cudnn_config_name(config, engine, sizeof engine);
    snprintf(compiled->info.name, sizeof compiled->info.name, "cudnn:%s:%s", trib_dtype_name(bias), engine);
    compiled->desc = *desc;
    compiled->info.bias = bias;
    compiled->info.engine = (int)config->engine;
    set_notes(compiled, config);
    *out = compiled;
    return trib_success();
}

static void set_workspace(trib_compiled_conv *compiled, int64_t bytes)
{
    compiled->info.workspace_bytes = bytes;
    compiled->info.hides_copy = hides_copy(&compiled->desc, bytes);
}

/* Sets one attribute beside the card and finalizes: an engine configuration, or saved JSON. */
static trib_status finalize(const trib_cudnn *library, trib_compiled_conv *compiled, cudnnBackendAttributeName_t name,
                            cudnnBackendAttributeType_t type, int64_t count, const void *value)
{
    trib_cudnn_bag bag = { 0 };
    trib_status status;
    cudnnBackendDescriptor_t d;
    int64_t one, workspace = 0;
    TRIB_TRY_GOTO(status, done, trib_cudnn_make(&bag, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &d));
    TRIB_TRY_GOTO(status, done, trib_cudnn_set_descriptor(d, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, library->card));
    TRIB_TRY_GOTO(status, done, trib_cudnn_set(d, name, type, count, value));
    TRIB_TRY_GOTO(status, done, trib_cudnn_finalize(d));
    TRIB_TRY_GOTO(status, done,
                  trib_cudnn_get(d, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &one, &workspace));
    set_workspace(compiled, workspace);
    compiled->descriptor = trib_cudnn_bag_take(&bag);
done:
    trib_cudnn_bag_empty(&bag);
    return status;
}

trib_status trib_compiled_conv_finalize(const trib_cudnn *library, trib_compiled_conv *compiled,
                                        cudnnBackendDescriptor_t config)
{
    return finalize(library, compiled, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                    &config);
}

trib_status trib_compiled_conv_describe(trib_compiled_conv *compiled, cudnnBackendDescriptor_t config)
{
    int64_t one, workspace = 0;
    TRIB_TRY(trib_cudnn_get(config, CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &one, &workspace));
    set_workspace(compiled, workspace);
    return trib_success();
}

/* "cudnn:f32:41:2=0" */
static bool parse_name(const char *name, trib_dtype *bias, trib_cudnn_config *config)
{
    static const trib_dtype biases[] = { TRIB_F32, TRIB_F16, TRIB_BF16 };
    for (size_t i = 0; i < sizeof biases / sizeof *biases; ++i) {
        char prefix[16];
        int size = snprintf(prefix, sizeof prefix, "cudnn:%s:", trib_dtype_name(biases[i]));
        *bias = biases[i];
        if (!strncmp(name, prefix, (size_t)size)) return trib_cudnn_config_parse(name + size, config);
    }
    return false;
}

static trib_status start_named(const trib_conv_desc *desc, const char *name, trib_cudnn_config *config,
                               trib_compiled_conv **out)
{
    trib_dtype bias;
    TRIB_TRY(trib_conv_check(desc));
    if (!parse_name(name, &bias, config) || (bias != TRIB_F32 && bias != trib_precision_dtype(desc->precision)))
        return TRIB_ERROR(TRIB_BAD_DATA, "\"%.80s\" is no name of a %s convolution plan", name,
                          trib_precision_name(desc->precision));
    return trib_compiled_conv_create(desc, config, bias, out);
}

trib_status trib_compiled_conv_by_name(const trib_cudnn *library, const trib_conv_desc *desc, const char *name,
                                       trib_compiled_conv **out)
{
    trib_cudnn_bag bag = { 0 };
    trib_cudnn_config config, complete;
    trib_compiled_conv *parsed = NULL, *compiled = NULL;
    cudnnBackendDescriptor_t graph, descriptor;
    trib_status status;
    TRIB_TRY_GOTO(status, done, start_named(desc, name, &config, &parsed));
    TRIB_TRY_GOTO(status, done, trib_cudnn_conv_graph(&bag, desc, parsed->info.bias, &graph));
    TRIB_TRY_GOTO(status, done, trib_cudnn_write_config(library, &bag, graph, &config, &descriptor));
    TRIB_TRY_GOTO(status, done, trib_cudnn_read_config(descriptor, &complete)); /* the notes */
    TRIB_TRY_GOTO(status, done, trib_compiled_conv_create(desc, &complete, parsed->info.bias, &compiled));
    TRIB_TRY_GOTO(status, done, trib_compiled_conv_finalize(library, compiled, descriptor));
    *out = compiled;
    compiled = NULL;
done:
    trib_compiled_conv_destroy(compiled);
    trib_compiled_conv_destroy(parsed);
    trib_cudnn_bag_empty(&bag);
    return status;
}

/* ---- saving ---- */

trib_status trib_compiled_conv_save(const trib_compiled_conv *compiled, char **json, size_t *bytes)
{
    int64_t size = 0, got;
    if (!compiled->descriptor) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: only described", compiled->info.name);
    TRIB_CUDNN_TRY(cudnnBackendGetAttribute(compiled->descriptor, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION,
                                            CUDNN_TYPE_CHAR, 0, &size, NULL));
    char *text = trib_alloc((size_t)size + 1);
    if (!text) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "saving a cuDNN plan: out of host memory");
    trib_status status = trib_cudnn_get(compiled->descriptor, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION,
                                        CUDNN_TYPE_CHAR, size, &got, text);
    if (trib_failed(&status)) {
        trib_free(text);
        return status;
    }
    text[got] = 0;
    *json = text;
    *bytes = (size_t)got;
    return status;
}

/* The engine's notes, which are not part of the name. */
static trib_status recall_notes(trib_compiled_conv *compiled)
{
    trib_cudnn_bag bag = { 0 };
    trib_cudnn_config config;
    trib_status status;
    cudnnBackendDescriptor_t d;
    int64_t one;
    TRIB_TRY_GOTO(status, done, trib_cudnn_make(&bag, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &d));
    TRIB_TRY_GOTO(status, done,
                  trib_cudnn_get(compiled->descriptor, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG,
                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &one, &d));
    TRIB_TRY_GOTO(status, done, trib_cudnn_read_config(d, &config));
    set_notes(compiled, &config);
    if (config.engine != compiled->info.engine)
        status = TRIB_ERROR(TRIB_BAD_DATA, "a saved cuDNN plan is of engine %d, not %s", (int)config.engine,
                            compiled->info.name);
done:
    trib_cudnn_bag_empty(&bag);
    return status;
}

trib_status trib_compiled_conv_load(const trib_cudnn *library, const trib_conv_desc *desc, const char *name,
                                    const char *json, size_t bytes, trib_compiled_conv **out)
{
    trib_cudnn_config config;
    trib_compiled_conv *compiled = NULL;
    TRIB_TRY(start_named(desc, name, &config, &compiled));
    trib_status status = finalize(library, compiled, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                                  (int64_t)bytes, json);
    if (!trib_failed(&status)) status = recall_notes(compiled);
    if (trib_failed(&status))
        trib_compiled_conv_destroy(compiled);
    else
        *out = compiled;
    return status;
}

const trib_compiled_conv_info *trib_compiled_conv_get_info(const trib_compiled_conv *compiled)
{
    return &compiled->info;
}

void trib_compiled_conv_destroy(trib_compiled_conv *compiled)
{
    if (!compiled) return;
    if (compiled->descriptor) trib_libcudnn.cudnnBackendDestroyDescriptor(compiled->descriptor);
    trib_free(compiled);
}

/* ---- running ---- */

trib_status trib_conv_run(const trib_compiled_conv *compiled, struct cudnnContext *handle,
                          const trib_conv_pointers *pointers, void *workspace)
{
    trib_cudnn_bag bag = { 0 };
    trib_status status;
    cudnnBackendDescriptor_t pack;
    const int64_t ids[] = { TRIB_CUDNN_X, TRIB_CUDNN_W, TRIB_CUDNN_Y, TRIB_CUDNN_BIAS };
    const void *const data[] = { pointers->x, pointers->w, pointers->y, pointers->bias };
    int count = compiled->desc.has_bias ? 4 : 3;
    if (!compiled->descriptor) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: only described", compiled->info.name);
    TRIB_TRY_GOTO(status, done, trib_cudnn_make(&bag, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack));
    TRIB_TRY_GOTO(status, done, trib_cudnn_set(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, count, ids));
    TRIB_TRY_GOTO(status, done,
                  trib_cudnn_set(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, count, data));
    TRIB_TRY_GOTO(status, done,
                  trib_cudnn_set(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace));
    TRIB_TRY_GOTO(status, done, trib_cudnn_finalize(pack));
    cudnnStatus_t failed = trib_libcudnn.cudnnBackendExecute(handle, compiled->descriptor, pack);
    if (failed) status = trib_cudnn_failure(failed, "cudnnBackendExecute", __FILE__, __LINE__);
done:
    trib_cudnn_bag_empty(&bag);
    return trib_outcome(&status);
}
