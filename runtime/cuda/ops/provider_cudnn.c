/* SPDX-License-Identifier: Apache-2.0
 * Convolutions and their gradients through cuDNN: the plans it offers for a shape, best guess first, without compiling
 * them; the first one is made, unless another provider's is ranked before it, so that the best-ranked implementation is
 * known to run. A handle per stream. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "choices/choice_cache.h"
#include "cuda/libraries/cudnn_conv.h"
#include "cuda/memory/copy.h"
#include "cuda/ops/compiled_kept.h"
#include "cuda/ops/conv_columns.h"
#include "cuda/ops/conv_problem.h"
#include "cuda/ops/ops.h"
#include "device/alignment.h"
#include "device/op_check.h"
#include "tributary/internal/alloc.h"

enum { MOST_OFFERED = 10 };

/* Plans with larger workspaces are left out. Some gradients of the first layers have only plans that need 800 MB at
 * batch 256, which the arena shares with everything else. */
static const int64_t most_workspace = (int64_t)4 << 30;

/* ---- the library ---- */

/* What cuDNN offers for a convolution, which is the same whenever it is asked: it is asked once. */
typedef struct offered {
    struct offered *next;
    trib_conv_list list;
    char key[TRIB_CONV_KEY + 16]; /* the convolution, and what else it depends on */
} offered;

typedef struct cudnn_state {
    trib_cudnn *library;
    pthread_mutex_t lock; /* guards `offers`; those that are there never change */
    offered *offers;
    trib_compiled_kept kept; /* of `offer`, and of ops that are gone, for `create` */
} cudnn_state;

static void close_library(trib_cuda_device *device, void *opened)
{
    cudnn_state *state = opened;
    (void)device;
    for (offered *next, *o = state->offers; o; o = next) {
        next = o->next;
        trib_conv_list_clear(&o->list);
        trib_free(o);
    }
    pthread_mutex_destroy(&state->lock);
    trib_compiled_kept_close(&state->kept);
    trib_cudnn_close(state->library);
    trib_free(state);
}

static trib_status open_library(trib_cuda_device *device, void **out, const char **version)
{
    char text[64];
    trib_status status = trib_success();
    cudnn_state *state = trib_alloc_zeroed(1, sizeof *state);
    if (!state) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "cudnn: out of memory");
    trib_compiled_kept_open(&state->kept);
    pthread_mutex_init(&state->lock, NULL); /* cannot fail without attributes */
    TRIB_TRY_GOTO(status, failed,
                  device->described ? trib_cudnn_open_described(device->described, &state->library)
                                    : trib_cudnn_open(device->ordinal, &state->library));
    snprintf(text, sizeof text, "cuDNN %.32s", trib_cudnn_version(state->library));
    TRIB_TRY_GOTO(status, failed, trib_cuda_intern(&device->interned, text, version));
    *out = state;
    return trib_success();
failed:
    close_library(device, state);
    return status;
}

static trib_status open_stream(trib_cuda_device *device, void *state, cudaStream_t stream, void **of_stream)
{
    (void)device, (void)state;
    struct cudnnContext *handle = NULL;
    TRIB_TRY(trib_cudnn_handle_create(stream, &handle));
    *of_stream = handle;
    return trib_success();
}

static void close_stream(trib_cuda_device *device, void *state, void *of_stream)
{
    (void)device, (void)state;
    trib_cudnn_handle_destroy(of_stream);
}

/* ---- offering ---- */

/* The key of the compiled convolution of this name in a choice cache. */
static void compiled_key(const trib_conv_desc *desc, const char *name, char key[TRIB_CHOICE_KEY_SIZE])
{
    char conv[TRIB_CONV_KEY];
    snprintf(key, TRIB_CHOICE_KEY_SIZE, "%s: %s", name, trib_conv_key(desc, conv));
}

/* Loads it from the choice cache if it is there and fits; otherwise *out stays NULL. */
static trib_status load_compiled(trib_cuda_device *device, const trib_cudnn *library, const trib_conv_desc *desc,
                                 const char *name, trib_compiled_conv **out)
{
    char key[TRIB_CHOICE_KEY_SIZE];
    trib_choice saved;
    bool found;
    compiled_key(desc, name, key);
    TRIB_TRY(trib_choice_cache_find(device->choices, key, &found, &saved));
    if (!found || !saved.json) return trib_success();
    trib_status status = trib_compiled_conv_load(library, desc, name, saved.json, saved.json_bytes, out);
    trib_choice_clear(&saved);
    return status.code == TRIB_OUT_OF_MEMORY ? status : trib_success(); /* otherwise make it anew */
}

static trib_status keep_compiled(trib_cuda_device *device, const trib_conv_desc *desc,
                                 const trib_compiled_conv *compiled)
{
    const trib_compiled_conv_info *info = trib_compiled_conv_get_info(compiled);
    char key[TRIB_CHOICE_KEY_SIZE];
    trib_choice choice = { 0 };
    if (!info->runtime_compiled) return trib_success(); /* making it takes less time than reading it */
    snprintf(choice.name, sizeof choice.name, "%s", info->name);
    compiled_key(desc, info->name, key);
    TRIB_TRY(trib_compiled_conv_save(compiled, &choice.json, &choice.json_bytes));
    trib_status status = trib_choice_cache_put(device->choices, key, &choice);
    trib_choice_clear(&choice);
    return status;
}

static trib_status make_compiled(trib_cuda_device *device, const trib_cudnn *library, const trib_conv_desc *desc,
                                 const char *name, trib_compiled_conv **out)
{
    trib_compiled_conv *compiled = NULL;
    TRIB_TRY(load_compiled(device, library, desc, name, &compiled));
    if (!compiled) {
        trib_status status = trib_compiled_conv_by_name(library, desc, name, &compiled);
        if (trib_conv_refusal(&status)) status.code = TRIB_UNSUPPORTED; /* also a kernel that does not compile */
        TRIB_TRY(status);
        status = keep_compiled(device, desc, compiled);
        if (trib_failed(&status)) {
            trib_compiled_conv_destroy(compiled);
            return status;
        }
    }
    *out = compiled;
    return trib_success();
}

/* Compiled, and kept for `create`. */
static trib_status try_compiled(trib_cuda_device *device, cudnn_state *state, const trib_conv_desc *desc,
                                const char *name)
{
    char key[TRIB_CHOICE_KEY_SIZE];
    trib_compiled_conv *compiled = NULL;
    compiled_key(desc, name, key);
    if (trib_compiled_kept_has(&state->kept, key)) return trib_success();
    TRIB_TRY(make_compiled(device, state->library, desc, name, &compiled));
    trib_compiled_kept_put(&state->kept, key, compiled);
    return trib_success();
}

/* The first plan that can really be made becomes the first of the list; for a described card the list is trusted.
 * Returns its index, list->count if there is none. Compiling takes half a second. */
static trib_status first_that_works(trib_cuda_device *device, cudnn_state *state, const trib_conv_desc *desc,
                                    const trib_conv_list *list, int *first)
{
    for (*first = 0; *first < list->count && !device->described; ++*first) {
        trib_status status = try_compiled(device, state, desc, trib_compiled_conv_get_info(list->convs[*first])->name);
        if (status.code != TRIB_UNSUPPORTED) return status;
    }
    return trib_success();
}

/* Otherwise they are inputs, or it has none. */
static bool has_packed(const trib_op_desc *d) { return d->kind == TRIB_CONV2D && !trib_op_weights_are_inputs(d); }

/* What cuDNN is to compute, and how the filter is packed for it. */
typedef struct problem {
    trib_conv_desc conv;
    trib_column_geometry columns; /* outputs 0: as it is */
} problem;

static bool problem_of(const trib_op_desc *op, problem *out, char *reason)
{
    *out = (problem) { 0 };
    if (!trib_conv_problem_of(op, &out->conv, reason)) return false;
    if (has_packed(op)) trib_conv_join_columns(&out->conv, &out->columns);
    return true;
}

static trib_cuda_packing packing_of(const trib_op_desc *op, const problem *p, const trib_compiled_conv_info *info)
{
    const trib_conv_desc *d = &p->conv;
    if (!has_packed(op)) return (trib_cuda_packing) { 0 };
    if (p->columns.outputs) return trib_cuda_packing_of_columns(d->precision, &p->columns, d->has_bias, info->bias);
    return trib_cuda_packing_of(d->precision, d->k, d->c, d->r * d->s, d->has_bias, info->bias);
}

/* A result of more rows than the op's lies behind what the plan needs. */
static int64_t workspace_of(const trib_op_desc *op, const problem *p, const trib_compiled_conv_info *info)
{
    const int64_t wide = trib_conv_problem_wide_result(op, &p->conv);
    return wide ? trib_aligned(info->workspace_bytes) + wide : info->workspace_bytes;
}

/* Why it comes so late, or what to know of it. */
static trib_status note_of(trib_cuda_device *device, const problem *p, const trib_compiled_conv_info *info,
                           const char **out)
{
    char text[200];
    const char *columns = p->columns.outputs ? "two columns side by side" : "";
    const char *copies = !info->hides_copy   ? ""
                         : device->described ? "hides a copy; where there is a CUDA driver, cuDNN also offers "
                                               "engines that do not"
                                             : "hides a copy";
    const char *other = info->runtime_compiled && !info->hides_copy ? "compiled at run time" : "";
    const char *parts[] = { columns, info->any_order ? "sums in any order" : "", copies, other };
    int used = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; ++i)
        if (*parts[i]) used += snprintf(text + used, sizeof text - (size_t)used, "%s%s", used ? ", " : "", parts[i]);
    text[used] = '\0';
    *out = NULL;
    return *text ? trib_cuda_intern(&device->interned, text, out) : trib_success();
}

static trib_status add(trib_cuda_device *device, const trib_op_desc *op, const problem *p,
                       const trib_compiled_conv_info *info, trib_implementation *out)
{
    out->workspace_bytes = workspace_of(op, p, info);
    out->packed_bytes = packing_of(op, p, info).place.bytes;
    out->any_order = info->any_order;
    TRIB_TRY(note_of(device, p, info, &out->note));
    return trib_cuda_intern(&device->interned, info->name, &out->name);
}

/* Without a CUDA driver, cuDNN leaves out engines that are compiled at run time, and may have no others: none of fp16
 * and bf16 takes a float32 bias. A card that is only described has a driver. */
static bool is_undecided(const trib_cuda_device *device, const trib_conv_list *list)
{
    if (!device->described || list->configs) return false;
    void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (driver) dlclose(driver);
    return !driver;
}

static trib_implementation undecided(const trib_op_desc *op, const problem *p)
{
    const trib_compiled_conv_info info = { .bias = TRIB_F32 };
    return (trib_implementation) { .name = "cudnn:undecided",
                                   .note = "compiled at run time, chosen where there is a CUDA driver",
                                   .packed_bytes = packing_of(op, p, &info).place.bytes };
}

static const offered *find_offered(cudnn_state *state, const char *key)
{
    pthread_mutex_lock(&state->lock);
    const offered *o = state->offers;
    while (o && strcmp(o->key, key) != 0) o = o->next;
    pthread_mutex_unlock(&state->lock);
    return o;
}

/* Two threads may ask at the same time: then it is there twice. */
static const offered *keep_offered(cudnn_state *state, offered *o)
{
    pthread_mutex_lock(&state->lock);
    o->next = state->offers;
    state->offers = o;
    pthread_mutex_unlock(&state->lock);
    return o;
}

static trib_status candidates(cudnn_state *state, const trib_op_desc *desc, const trib_conv_desc *conv,
                              const offered **out)
{
    trib_conv_limits limits = { .workspace_bytes = most_workspace,
                                .wide_bias = !has_packed(desc),
                                .any_order = desc->any_order,
                                .describe_only = true };
    char key[TRIB_CONV_KEY], wanted[sizeof((offered *)0)->key];
    snprintf(wanted, sizeof wanted, "%s%s%s", trib_conv_key(conv, key), limits.wide_bias ? " wide" : "",
             limits.any_order ? " any" : "");
    *out = find_offered(state, wanted);
    if (*out) return trib_success();
    offered *o = trib_alloc_zeroed(1, sizeof *o);
    if (!o) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "cudnn: out of memory");
    memcpy(o->key, wanted, sizeof wanted);
    trib_status status = trib_conv_candidates(state->library, conv, &limits, &o->list);
    if (trib_failed(&status))
        trib_free(o);
    else
        *out = keep_offered(state, o);
    return status;
}

static trib_status offer(trib_cuda_device *device, void *state, const trib_op_desc *desc, trib_implementation *out,
                         int capacity, int *count, char *reason)
{
    problem p;
    const offered *found;
    int first = 0;
    if (!problem_of(desc, &p, reason)) return trib_success();
    TRIB_TRY(candidates(state, desc, &p.conv, &found));
    const trib_conv_list list = found->list;
    /* After another provider's it runs only if it was measured to be faster, and so has been made. */
    trib_status status = *count > 0 ? trib_success() : first_that_works(device, state, &p.conv, &list, &first);
    for (int i = first; i < list.count && i < first + MOST_OFFERED && *count < capacity && !trib_failed(&status); ++i) {
        out[*count] = (trib_implementation) { 0 };
        status = add(device, desc, &p, trib_compiled_conv_get_info(list.convs[i]), &out[*count]);
        *count += !trib_failed(&status);
    }
    if (!trib_failed(&status) && !*count && capacity > 0 && is_undecided(device, &list))
        out[(*count)++] = undecided(desc, &p);
    else if (first == list.count)
        snprintf(reason, TRIB_MESSAGE_SIZE, "cudnn: of %d plans %d are refused, %d imprecise, %d too large: %.200s",
                 list.configs, list.unsupported, list.imprecise, list.too_large, list.reason);
    return status;
}

/* ---- preparing and running ---- */

/* What `offer` compiled or an op had, or compiled now. */
static trib_status take_compiled(trib_cuda_device *device, cudnn_state *state, const trib_conv_desc *desc,
                                 const char *name, trib_compiled_conv **out)
{
    char key[TRIB_CHOICE_KEY_SIZE];
    compiled_key(desc, name, key);
    *out = trib_compiled_kept_take(&state->kept, key);
    if (*out) return trib_success();
    return make_compiled(device, state->library, desc, name, out);
}

/* `prepared` is the compiled convolution. */
static trib_status create(trib_cuda_device *device, void *state, trib_cuda_op *op, const char *name)
{
    char reason[TRIB_MESSAGE_SIZE];
    problem p;
    trib_compiled_conv *compiled;
    if (!problem_of(&op->desc, &p, reason)) return TRIB_ERROR(TRIB_UNSUPPORTED, "%.240s", reason);
    TRIB_TRY(take_compiled(device, state, &p.conv, name, &compiled));
    op->prepared = compiled;
    const trib_compiled_conv_info *info = trib_compiled_conv_get_info(compiled);
    if (op->desc.has_bias && !has_packed(&op->desc) && info->bias != TRIB_F32)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: its bias is an input, and so float32", info->name);
    op->base.workspace_bytes = workspace_of(&op->desc, &p, info);
    op->packing = packing_of(&op->desc, &p, info);
    snprintf(op->detail, sizeof op->detail, "engine %d%s", info->engine, info->hides_copy ? ", hides a copy" : "");
    return trib_success();
}

/* For the next session: a search of schedules opens a hundred of them. */
static void destroy(trib_cuda_device *device, void *state, trib_cuda_op *op)
{
    char key[TRIB_CHOICE_KEY_SIZE], reason[TRIB_MESSAGE_SIZE];
    problem p;
    (void)device;
    if (!op->prepared || !problem_of(&op->desc, &p, reason)) return;
    compiled_key(&p.conv, trib_compiled_conv_get_info(op->prepared)->name, key);
    trib_compiled_kept_put(&((cudnn_state *)state)->kept, key, op->prepared);
}

static trib_status run(trib_cuda_op *op, trib_cuda_stream *stream, const void *const *inputs, void *const *outputs,
                       const void *packed, void *workspace)
{
    const void *bias = trib_packed_bias(&op->packing.place, packed);
    const int64_t own_workspace = trib_compiled_conv_get_info(op->prepared)->workspace_bytes;
    const bool wide = op->base.workspace_bytes > own_workspace;
    trib_conv_pointers pointers = trib_conv_problem_pointers(&op->desc, inputs, outputs, packed, bias);
    if (wide) pointers.w = (char *)workspace + trib_aligned(own_workspace);
    TRIB_TRY(trib_conv_run(op->prepared, stream->providers[op->provider_index], &pointers, workspace));
    if (!wide) return trib_success();
    return trib_cuda_copy_on_device(&stream->base, outputs[0], pointers.w,
                                    (size_t)trib_view_bytes(&op->desc.outputs[0]));
}

const trib_cuda_provider trib_cuda_cudnn_provider = {
    .prefix = "cudnn:",
    .open = open_library,
    .close = close_library,
    .open_stream = open_stream,
    .close_stream = close_stream,
    .offer = offer,
    .create = create,
    .destroy = destroy,
    .run = run,
};
