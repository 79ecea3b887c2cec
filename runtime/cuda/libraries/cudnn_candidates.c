/* SPDX-License-Identifier: Apache-2.0
 * The candidates for a convolution: cuDNN's list, less what is unsupported, imprecise or too large.
 *
 * The type of the bias decides which engines cuDNN offers for fp16 and bf16 (measured, 9.19): with a bias of the data's
 * type precompiled ones, which copy a sliced x or y through the workspace; with a float32 bias one that is compiled at
 * run time and reads and writes slices in place. Both graphs are asked: for packed tensors the precompiled one first.
 */
#include <stdio.h>
#include <string.h>

#include "cuda/libraries/cudnn_compiled.h"
#include "tributary/internal/alloc.h"

/* The source and the list of candidates. */
typedef struct search {
    const trib_cudnn *library;
    const trib_conv_desc *desc;
    trib_conv_limits limits;
    trib_conv_list *list;
    int ranked[3]; /* number of entries of each rank in the list */
} search;

/* Engines that are less precise than the notes they have. */
typedef struct unnoted_engine {
    trib_conv_direction direction;
    trib_precision precision;
    int64_t engine;
} unnoted_engine;
static const unnoted_engine unnoted[] = {
    /* Measured on an H100 with cuDNN 9.19.0, which does not offer it for a described card: errors of 2e-5 to 1e-4,
     * ten times those of its other engines, as a fast Fourier transform makes them. */
    { TRIB_CONV_WGRAD, TRIB_PRECISION_FP32, 17 },
};

static bool is_unnoted(const trib_conv_desc *d, const trib_cudnn_config *config)
{
    for (size_t i = 0; i < sizeof unnoted / sizeof *unnoted; ++i) {
        const unnoted_engine *u = &unnoted[i];
        if (u->engine == config->engine && u->direction == d->direction && u->precision == d->precision) return true;
    }
    return false;
}

static bool imprecise(const search *s, const trib_cudnn_config *config)
{
    const bool *note = config->notes;
    if (is_unnoted(s->desc, config)) return true;
    if (note[CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC] && !s->limits.any_order) return true;
    if (note[CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION]) return true;
    switch (s->desc->precision) {
    case TRIB_PRECISION_FP32:
        return note[CUDNN_NUMERICAL_NOTE_TENSOR_CORE] || note[CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS];
    case TRIB_PRECISION_TF32: return note[CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS];
    default: return note[CUDNN_NUMERICAL_NOTE_WINOGRAD]; /* its transforms overflow and cancel in 16 bits */
    }
}

/* 0: good; 1: copies; 2: without the tensor cores of the precision, which costs more. */
static int rank_of(const search *s, const trib_compiled_conv_info *info)
{
    if (s->desc->precision != TRIB_PRECISION_FP32 && !info->tensor_cores) return 2;
    return info->hides_copy;
}

/* After those of the same rank. */
static trib_status add(search *s, trib_compiled_conv *compiled)
{
    trib_conv_list *list = s->list;
    size_t capacity = (size_t)list->capacity;
    if (trib_grow((void **)&list->convs, &capacity, (size_t)list->count + 1, sizeof *list->convs))
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "cuDNN candidates: out of host memory");
    list->capacity = (int)capacity;
    int rank = rank_of(s, &compiled->info), at = 0;
    ++s->ranked[rank];
    for (int i = 0; i <= rank; ++i) at += s->ranked[i];
    --at;
    memmove(list->convs + at + 1, list->convs + at, (size_t)(list->count - at) * sizeof *list->convs);
    list->convs[at] = compiled;
    ++list->count;
    return trib_success();
}

static bool within_limits(search *s, const trib_compiled_conv_info *info)
{
    if (info->hides_copy) ++s->list->copies;
    if (s->limits.workspace_bytes && info->workspace_bytes > s->limits.workspace_bytes) {
        ++s->list->too_large;
        return false;
    }
    return !(info->hides_copy && s->limits.no_copies);
}

/* Not everything unsupported is reported as such: a kernel may fail to compile. */
bool trib_conv_refusal(const trib_status *status)
{
    bool compilation =
        status->code == TRIB_DEVICE_ERROR && status->vendor_code == CUDNN_STATUS_INTERNAL_ERROR_COMPILATION_FAILED;
    return status->code == TRIB_UNSUPPORTED || compilation;
}

/* Unsupported candidates are expected. */
static bool refused(search *s, const trib_status *status)
{
    if (!trib_conv_refusal(status)) return false;
    if (!s->list->unsupported++) snprintf(s->list->reason, sizeof s->list->reason, "%s", status->message);
    return true;
}

static trib_status try_config(search *s, cudnnBackendDescriptor_t descriptor, trib_dtype bias)
{
    trib_cudnn_config config;
    trib_compiled_conv *compiled = NULL;
    TRIB_TRY(trib_cudnn_read_config(descriptor, &config));
    if (imprecise(s, &config)) {
        ++s->list->imprecise;
        return trib_success();
    }
    if (s->limits.no_runtime_compilation && config.behaviours[CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION])
        return trib_success();
    TRIB_TRY(trib_compiled_conv_create(s->desc, &config, bias, &compiled));
    trib_status status = s->limits.describe_only ? trib_compiled_conv_describe(compiled, descriptor)
                                                 : trib_compiled_conv_finalize(s->library, compiled, descriptor);
    if (trib_failed(&status)) {
        if (refused(s, &status)) status = trib_success();
    } else if (within_limits(s, &compiled->info)) {
        status = add(s, compiled);
        if (!trib_failed(&status)) return status;
    }
    trib_compiled_conv_destroy(compiled);
    return status;
}

static bool enough(const search *s) { return s->limits.most && s->ranked[0] >= s->limits.most; }

/* All candidates of one mode with a bias of this type. */
static trib_status search_mode(search *s, cudnnBackendHeurMode_t mode, trib_dtype bias)
{
    trib_cudnn_bag bag = { 0 };
    cudnnBackendDescriptor_t graph, configs[TRIB_CUDNN_MOST_CONFIGS];
    int count = 0;
    trib_status status = trib_cudnn_conv_graph(&bag, s->desc, bias, &graph);
    if (!trib_failed(&status)) status = trib_cudnn_heuristics(s->library, &bag, graph, mode, configs, &count);
    if (trib_failed(&status) && refused(s, &status)) status = trib_success();
    s->list->configs += count;
    for (int i = 0; i < count && !enough(s) && !trib_failed(&status); ++i) status = try_config(s, configs[i], bias);
    trib_cudnn_bag_empty(&bag);
    return status;
}

/* Mode A may offer only what is imprecise (fp32 without a bias: tensor cores alone). The fallbacks hold for every graph
 * that cuDNN supports at all, but are slow. */
static trib_status search_with(search *s, trib_dtype bias)
{
    TRIB_TRY(search_mode(s, CUDNN_HEUR_MODE_A, bias));
    if (s->list->count) return trib_success();
    return search_mode(s, CUDNN_HEUR_MODE_FALLBACK, bias);
}

trib_status trib_conv_candidates(const trib_cudnn *library, const trib_conv_desc *desc, const trib_conv_limits *limits,
                                 trib_conv_list *out)
{
    trib_conv_list list = { 0 };
    search s = { .library = library, .desc = desc, .list = &list };
    TRIB_TRY(trib_conv_check(desc));
    if (limits) s.limits = *limits;
    const trib_dtype dtype = trib_precision_dtype(desc->precision);
    const bool sliced = desc->x_pitch != desc->c || desc->y_pitch != desc->k;
    const bool both = desc->has_bias && dtype != TRIB_F32 && !s.limits.wide_bias;
    const bool wide_first = !both || (sliced && !s.limits.no_runtime_compilation);
    trib_status status = search_with(&s, wide_first ? TRIB_F32 : dtype);
    if (both && !s.limits.no_runtime_compilation && !enough(&s) && !trib_failed(&status))
        status = search_with(&s, wide_first ? dtype : TRIB_F32);
    if (trib_failed(&status)) {
        char key[TRIB_CONV_KEY];
        trib_add_context(&status, "%s", trib_conv_key(desc, key));
        trib_conv_list_clear(&list);
        return status;
    }
    *out = list;
    while (s.limits.most && out->count > s.limits.most) trib_compiled_conv_destroy(out->convs[--out->count]);
    return status;
}

trib_compiled_conv *trib_conv_list_take(trib_conv_list *list, int index)
{
    trib_compiled_conv *compiled = list->convs[index];
    list->convs[index] = NULL;
    return compiled;
}

void trib_conv_list_clear(trib_conv_list *list)
{
    for (int i = 0; i < list->count; ++i) trib_compiled_conv_destroy(list->convs[i]);
    trib_free(list->convs);
    list->convs = NULL;
    list->count = list->capacity = 0;
}
