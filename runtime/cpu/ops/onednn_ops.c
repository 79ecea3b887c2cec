/* SPDX-License-Identifier: Apache-2.0
 * Ops through oneDNN.
 *
 * oneDNN is only ever shown dense tensors (see onednn_version.h). A channel slice of one image is dense in the blocked
 * layouts, so ops run image by image with a moving data pointer, which costs nothing. Where a slice is not dense (NHWC,
 * or several images at once) it goes through a staging buffer in the workspace. In blocked layouts the padding channels
 * are treated as channels like the others: zero weights keep them zero, and oneDNN has nothing to pad.
 *
 * A primitive runs with the number of threads OpenMP had when its descriptor was made. */
#include <stdio.h>
#include <string.h>

#include "cpu/libraries/onednn_library.h"
#include "cpu/ops/op.h"
#include "cpu/ops/pixels.h"
#include "tributary/internal/alloc.h"

enum { ALIGNMENT = 256, MOST_IMAGES_AT_ONCE = 8 };

/* How a desc is shown to oneDNN. */
typedef struct recipe {
    trib_dnnl_geometry g; /* of `images` images */
    int images;           /* per execution */
    int threads;
    bool stage_source, stage_target;
    int64_t source_bytes, target_bytes; /* of `images` images, dense */
    int first_r, first_s;               /* convolution: filter taps left out at the top and left, see crop() */
    dnnl_alg_kind_t algorithm;
    const char *prefix; /* of the implementation's name; NULL: any */
} recipe;

struct trib_onednn_op {
    recipe recipe;
    trib_cpu_device *device;
    dnnl_primitive_desc_t descriptor;
    dnnl_primitive_t primitive, packs; /* packs: from plain weights to those of the primitive; NULL without weights */
    int64_t scratch_bytes;
};

/* ---- recipes ---- */

static int padded(int channels, trib_layout layout)
{
    int block = trib_layout_block(layout);
    return (channels + block - 1) / block * block;
}

static int64_t aligned(int64_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static dnnl_format_tag_t format_of(trib_layout layout)
{
    switch (layout) {
    case TRIB_NHWC: return dnnl_nhwc;
    case TRIB_NCHW8C: return dnnl_nChw8c;
    case TRIB_NCHW16C: return dnnl_nChw16c;
    default: return dnnl_nchw;
    }
}

/* What a window really reaches behind the last element; less than nothing counts as nothing. */
static int reach(int outputs, int stride, int window, int before, int size)
{
    int behind = (outputs - 1) * stride + window - before - size;
    return behind > 0 ? behind : 0;
}

static void set_window(trib_dnnl_geometry *g, int r, int s, int stride_h, int stride_w, const trib_pad *pad)
{
    g->r = r;
    g->s = s;
    g->strides[0] = stride_h;
    g->strides[1] = stride_w;
    g->before[0] = pad->top;
    g->before[1] = pad->left;
    g->after[0] = reach(g->p, (int)g->strides[0], g->r, pad->top, g->h);
    g->after[1] = reach(g->q, (int)g->strides[1], g->s, pad->left, g->w);
}

/* Taps of a filter that only ever meet padding, as those of a 5x5 on a 2x2 image: without them the result is the same,
 * and oneDNN, which has nothing fast for filters much larger than the image, does it. Returns the first tap kept. */
static int crop(int *taps, int outputs, int stride, int64_t *before, int size)
{
    int64_t first = *before - (int64_t)(outputs - 1) * stride, last = size - 1 + *before;
    if (first < 0) first = 0;
    if (last > *taps - 1) last = *taps - 1;
    if (last < first) return 0;
    *taps = (int)(last - first + 1);
    *before -= first;
    return (int)first;
}

static void set_images(recipe *r, const trib_op_desc *desc, int images)
{
    const trib_view *x = &desc->inputs[0], *y = &desc->outputs[0];
    r->images = r->g.n = images;
    r->stage_source = !trib_pixels_dense(x, images);
    r->stage_target = !trib_pixels_dense(y, images);
    r->source_bytes = (int64_t)sizeof(float) * images * r->g.c * r->g.h * r->g.w;
    r->target_bytes = (int64_t)sizeof(float) * images * r->g.k * r->g.p * r->g.q;
}

/* The winograd weights of a small image weigh more than the image: they are read once for several. */
static int images_per_winograd(const trib_op_desc *desc)
{
    if ((int64_t)desc->outputs[0].h * desc->outputs[0].w > 400) return 1;
    for (int images = MOST_IMAGES_AT_ONCE; images > 1; --images)
        if (desc->inputs[0].n % images == 0) return images;
    return 1;
}

static bool conv_recipe(recipe *r, const trib_op_desc *desc, const char *name)
{
    const trib_conv2d *conv = &desc->attributes.conv2d;
    set_window(&r->g, conv->r, conv->s, conv->stride_h, conv->stride_w, &conv->pad);
    r->first_r = crop(&r->g.r, r->g.p, (int)r->g.strides[0], &r->g.before[0], r->g.h);
    r->first_s = crop(&r->g.s, r->g.q, (int)r->g.strides[1], &r->g.before[1], r->g.w);
    r->g.after[0] = reach(r->g.p, (int)r->g.strides[0], r->g.r, (int)r->g.before[0], r->g.h);
    r->g.after[1] = reach(r->g.q, (int)r->g.strides[1], r->g.s, (int)r->g.before[1], r->g.w);
    r->algorithm = dnnl_convolution_direct;
    if (!strcmp(name, "onednn:direct")) return true;
    if (r->g.r != 3 || r->g.s != 3 || r->g.strides[0] != 1 || r->g.strides[1] != 1) return false;
    r->algorithm = dnnl_convolution_winograd;
    r->prefix = strcmp(name, "onednn:winograd_4x3") ? "jit_fp32_wino_2x3" : "jit_wino_4x3";
    set_images(r, desc, images_per_winograd(desc));
    return true;
}

/* oneDNN averages over the whole window or over its part inside the image; what is asked for is the part inside the
 * image and its stated padding. */
static bool average_recipe(recipe *r, const trib_pool2d *pool)
{
    const trib_pad *pad = &pool->pad;
    bool overhang = r->g.after[0] > pad->bottom || r->g.after[1] > pad->right;
    bool unpadded = !pad->top && !pad->left && !pad->bottom && !pad->right;
    r->algorithm = unpadded ? dnnl_pooling_avg_exclude_padding : dnnl_pooling_avg_include_padding;
    return unpadded || !overhang;
}

static bool pool_recipe(recipe *r, const trib_op_desc *desc)
{
    const trib_pool2d *pool = &desc->attributes.pool2d;
    set_window(&r->g, pool->r, pool->s, pool->stride_h, pool->stride_w, &pool->pad);
    r->algorithm = dnnl_pooling_max;
    return !desc->relu && (desc->kind == TRIB_MAX_POOL2D || average_recipe(r, pool));
}

/* False: oneDNN is not for this. */
static bool recipe_of(const trib_op_desc *desc, const char *name, recipe *r)
{
    const trib_view *x = &desc->inputs[0], *y = &desc->outputs[0];
    memset(r, 0, sizeof *r);
    r->g = (trib_dnnl_geometry) { .c = padded(x->c, x->layout),
                                  .h = x->h,
                                  .w = x->w,
                                  .k = padded(y->c, y->layout),
                                  .p = y->h,
                                  .q = y->w,
                                  .source = format_of(x->layout),
                                  .target = format_of(y->layout),
                                  .has_bias = desc->has_bias,
                                  .relu = desc->relu };
    set_images(r, desc, 1);
    bool same = x->layout == y->layout;
    bool plain = !strcmp(name, "onednn");
    switch (desc->kind) {
    case TRIB_CONV2D: return conv_recipe(r, desc, name);
    case TRIB_MAX_POOL2D:
    case TRIB_AVG_POOL2D: return plain && same && pool_recipe(r, desc);
    case TRIB_LRN: /* oneDNN centres the window; an even one has no centre. k = 0 makes 0 * inf of the padding */
        return plain && same && !desc->relu && desc->attributes.lrn.size % 2 && desc->attributes.lrn.k > 0;
    case TRIB_LINEAR: set_images(r, desc, x->n); return plain;
    case TRIB_SOFTMAX: /* padding would take part */
        set_images(r, desc, x->n);
        return plain && !desc->relu && r->g.c == x->c && r->g.k == y->c;
    default: return false;
    }
}

static dnnl_status_t describe(dnnl_engine_t engine, const trib_op_desc *desc, const recipe *r,
                              dnnl_primitive_desc_t *out)
{
    switch (desc->kind) {
    case TRIB_CONV2D: return trib_dnnl_conv(engine, &r->g, r->algorithm, r->prefix, out);
    case TRIB_LRN: return trib_dnnl_lrn(engine, &r->g, &desc->attributes.lrn, out);
    case TRIB_LINEAR: return trib_dnnl_linear(engine, &r->g, out);
    case TRIB_SOFTMAX: return trib_dnnl_softmax(engine, &r->g, out);
    default: return trib_dnnl_pool(engine, &r->g, r->algorithm, out);
    }
}

/* With OpenMP set to the threads it will run with. */
static dnnl_status_t describe_for(trib_cpu_device *device, const trib_op_desc *desc, const recipe *r,
                                  dnnl_primitive_desc_t *out)
{
    int before = trib_cpu_omp_get_threads();
    trib_cpu_omp_set_threads(r->threads);
    dnnl_status_t status = TRIB_DNNL(describe(device->onednn->engine, desc, r, out));
    trib_cpu_omp_set_threads(before);
    return status;
}

/* Matrix products divide their sums among threads, and the brgemm convolutions of NHWC choose blocks by their number
 * (seen: 1x4 outputs of 24 channels). Results would depend on a plan's share of the cores: these run on one thread. The
 * jit and Winograd kernels of the blocked layouts do not. */
static bool bits_depend_on_threads(const char *name) { return strstr(name, "gemm") || strstr(name, "brg"); }

/* *out is NULL, and `reason` says why, when oneDNN cannot do this fast. */
static trib_status find_fast(trib_cpu_device *device, const trib_op_desc *desc, const char *name, recipe *r,
                             dnnl_primitive_desc_t *out, char *reason)
{
    *out = NULL;
    if (!device->onednn) {
        trib_status missing = trib_onednn_load();
        snprintf(reason, TRIB_MESSAGE_SIZE, "%s", missing.message);
        return trib_success();
    }
    if (!recipe_of(desc, name, r)) {
        snprintf(reason, TRIB_MESSAGE_SIZE, "oneDNN has no %s of this kind", trib_kind_name(desc->kind));
        return trib_success();
    }
    dnnl_primitive_desc_t found = NULL;
    r->threads = desc->threads;
    dnnl_status_t status = describe_for(device, desc, r, &found);
    if (!status && r->threads > 1 && bits_depend_on_threads(trib_dnnl_name(found))) {
        dnnl_primitive_desc_destroy(found);
        r->threads = 1;
        status = describe_for(device, desc, r, &found);
    }
    if (status == dnnl_unimplemented || status == dnnl_invalid_arguments) {
        snprintf(reason, TRIB_MESSAGE_SIZE, "oneDNN: %s for %s from %s to %s", trib_dnnl_status_name(status),
                 trib_kind_name(desc->kind), trib_layout_name(desc->inputs[0].layout),
                 trib_layout_name(desc->outputs[0].layout));
        return trib_success();
    }
    if (status) return trib_dnnl_failure(status, "dnnl_primitive_desc_create", __FILE__, __LINE__);
    if (trib_dnnl_name_begins(found, "ref")) {
        snprintf(reason, TRIB_MESSAGE_SIZE,
                 "oneDNN: only its slow reference (%s) does %s from %s to %s; use another layout",
                 trib_dnnl_name(found), trib_kind_name(desc->kind), trib_layout_name(desc->inputs[0].layout),
                 trib_layout_name(desc->outputs[0].layout));
        dnnl_primitive_desc_destroy(found);
        return trib_success();
    }
    *out = found;
    return trib_success();
}

/* Scratchpad first, then the staged source, then the staged target. */
static int64_t workspace_of(const recipe *r, dnnl_primitive_desc_t descriptor, int64_t *scratch_bytes)
{
    trib_dnnl_md scratch = dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0);
    *scratch_bytes = scratch ? (int64_t)dnnl_memory_desc_get_size(scratch) : 0;
    return aligned(*scratch_bytes) + (r->stage_source ? aligned(r->source_bytes) : 0) +
           (r->stage_target ? aligned(r->target_bytes) : 0);
}

/* ---- parameters ---- */

static bool has_weight(const trib_op_desc *desc) { return desc->kind == TRIB_CONV2D || desc->kind == TRIB_LINEAR; }

static trib_dnnl_md packed_weight(dnnl_primitive_desc_t descriptor)
{
    return dnnl_primitive_desc_query_md(descriptor, dnnl_query_weights_md, 0);
}

static trib_packing packing_of(const trib_op_desc *desc, const recipe *r, dnnl_primitive_desc_t descriptor)
{
    if (!has_weight(desc)) return (trib_packing) { 0 };
    return trib_packing_of((int64_t)dnnl_memory_desc_get_size(packed_weight(descriptor)),
                           desc->has_bias ? (int64_t)sizeof(float) * r->g.k : 0);
}

/* As oneDNN is shown the weights: a linear layer's filter is the image. */
static void plain_dims(const trib_op_desc *desc, const recipe *r, dnnl_dims_t dims)
{
    const trib_dnnl_geometry *g = &r->g;
    bool conv = desc->kind == TRIB_CONV2D;
    dims[0] = g->k;
    dims[1] = g->c;
    dims[2] = conv ? g->r : g->h;
    dims[3] = conv ? g->s : g->w;
}

/* A convolution's weights may be given for fewer channels than its input has. */
static int64_t packing_scratch(const trib_op_desc *desc, const recipe *r)
{
    bool fits = desc->kind == TRIB_LINEAR && desc->inputs[0].c == r->g.c && desc->outputs[0].c == r->g.k;
    dnnl_dims_t d;
    if (!has_weight(desc) || fits) return 0;
    plain_dims(desc, r, d);
    return (int64_t)sizeof(float) * d[0] * d[1] * d[2] * d[3];
}

/* ---- offering ---- */

/* Measured: F(4x4,3x3) wins where there are enough tiles, and F(2x2,3x3) then loses to direct; at 7x7 and few images
 * the weights of F(4x4,3x3) are too heavy. */
static void candidates_of(const trib_op_desc *desc, const char *names[3])
{
    names[0] = "onednn", names[1] = names[2] = NULL;
    if (desc->kind != TRIB_CONV2D) return;
    const trib_view *y = &desc->outputs[0];
    bool large = (int64_t)y->h * y->w >= 100 || images_per_winograd(desc) >= 4;
    names[0] = large ? "onednn:winograd_4x3" : "onednn:winograd_2x3";
    names[1] = "onednn:direct";
    names[2] = large ? "onednn:winograd_2x3" : "onednn:winograd_4x3";
}

static trib_status offer(trib_cpu_device *device, const trib_op_desc *desc, trib_implementation *out, int capacity,
                         int *count, char *reason)
{
    const char *names[3];
    candidates_of(desc, names);
    for (int i = 0; i < 3 && names[i] && *count < capacity; ++i) {
        recipe r;
        dnnl_primitive_desc_t found;
        int64_t scratch_bytes;
        TRIB_TRY(find_fast(device, desc, names[i], &r, &found, reason));
        if (!found) continue;
        out[(*count)++] = (trib_implementation) {
            .name = names[i],
            .workspace_bytes = workspace_of(&r, found, &scratch_bytes),
            .note = r.stage_source || r.stage_target ? "copies its slice: not dense in this layout" : NULL,
            .packed_bytes = packing_of(desc, &r, found).bytes,
            .packing_bytes = packing_scratch(desc, &r),
        };
        dnnl_primitive_desc_destroy(found);
    }
    return trib_success();
}

/* ---- packing ---- */

/* The filter of one pair of channels; of a linear layer, the weights of one input channel. */
static void copy_taps(const trib_dnnl_geometry *g, const recipe *r, const trib_op_desc *desc, const float *from,
                      float *to)
{
    if (desc->kind == TRIB_LINEAR) {
        memcpy(to, from, sizeof(float) * (size_t)g->h * (size_t)g->w);
        return;
    }
    int row = desc->attributes.conv2d.s;
    for (int i = 0; i < g->r; ++i)
        memcpy(to + (int64_t)i * g->s, from + (int64_t)(r->first_r + i) * row + r->first_s,
               sizeof(float) * (size_t)g->s);
}

/* O,I,R,S with zeros for all channels that `weight` does not have, and the taps that are used; made in `scratch`,
 * unless `weight` is that already. */
static const float *fit_weight(const trib_op_desc *desc, const recipe *r, const trib_op_parameters *parameters,
                               float *scratch)
{
    const trib_conv2d *conv = &desc->attributes.conv2d;
    int k = desc->outputs[0].c, c = parameters->channels ? parameters->channels : desc->inputs[0].c;
    dnnl_dims_t d;
    plain_dims(desc, r, d);
    int64_t taps = d[2] * d[3], given = desc->kind == TRIB_LINEAR ? taps : (int64_t)conv->r * conv->s;
    if (k == d[0] && c == d[1] && taps == given) return parameters->weight;
    memset(scratch, 0, sizeof(float) * (size_t)(d[0] * d[1] * taps));
    for (int o = 0; o < k; ++o)
        for (int i = 0; i < c; ++i)
            copy_taps(&r->g, r, desc, parameters->weight + ((int64_t)o * c + i) * given,
                      scratch + (o * d[1] + i) * taps);
    return scratch;
}

/* Brings the weights into the format the primitive wants. */
static trib_status pack_weight(const trib_cpu_op *op, dnnl_stream_t stream, const float *weight, void *packed)
{
    const trib_onednn_op *own = op->onednn;
    dnnl_engine_t engine = own->device->onednn->engine;
    dnnl_memory_t from = NULL, to = NULL;
    trib_status status = trib_success();
    dnnl_dims_t dims;
    plain_dims(&op->desc, &own->recipe, dims);
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl_memory(engine, 4, dims, dnnl_oihw, (void *)weight, &from));
    TRIB_DNNL_TRY_GOTO(status, done, dnnl_memory_create(&to, packed_weight(own->descriptor), engine, packed));
    dnnl_exec_arg_t arguments[] = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } };
    TRIB_DNNL_TRY_GOTO(status, done, dnnl_primitive_execute(own->packs, stream, 2, arguments));
    TRIB_DNNL_TRY_GOTO(status, done, dnnl_stream_wait(stream));
done:
    if (from) dnnl_memory_destroy(from);
    if (to) dnnl_memory_destroy(to);
    return trib_outcome(&status);
}

static trib_status pack(const trib_cpu_op *op, dnnl_stream_t stream, const trib_op_parameters *parameters, void *packed,
                        void *workspace)
{
    const recipe *r = &op->onednn->recipe;
    float *bias = trib_packed_bias(&op->packing, packed);
    size_t channels = (size_t)op->desc.outputs[0].c;
    if (bias) {
        memset(bias, 0, sizeof(float) * (size_t)r->g.k);
        memcpy(bias, parameters->bias, sizeof(float) * channels);
    }
    return pack_weight(op, stream, fit_weight(&op->desc, r, parameters, workspace), packed);
}

/* ---- preparing ---- */

static trib_status execute(const trib_cpu_op *op, dnnl_stream_t stream, const void *const *inputs, void *const *outputs,
                           const void *packed, void *workspace);

static trib_status build_packing(trib_onednn_op *own, const trib_op_desc *desc)
{
    dnnl_engine_t engine = own->device->onednn->engine;
    dnnl_memory_t plain = NULL;
    dnnl_primitive_desc_t descriptor = NULL;
    trib_status status = trib_success();
    trib_dnnl_md from;
    dnnl_dims_t dims;
    plain_dims(desc, &own->recipe, dims);
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl_memory(engine, 4, dims, dnnl_oihw, DNNL_MEMORY_NONE, &plain));
    TRIB_DNNL_TRY_GOTO(status, done, dnnl_memory_get_memory_desc(plain, &from));
    TRIB_DNNL_TRY_GOTO(
        status, done,
        dnnl_reorder_primitive_desc_create(&descriptor, from, engine, packed_weight(own->descriptor), engine, NULL));
    TRIB_DNNL_TRY_GOTO(status, done, dnnl_primitive_create(&own->packs, descriptor));
done:
    if (descriptor) dnnl_primitive_desc_destroy(descriptor);
    if (plain) dnnl_memory_destroy(plain);
    return trib_outcome(&status);
}

static trib_status build(trib_onednn_op *own, const trib_op_desc *desc)
{
    trib_status status = trib_success();
    TRIB_DNNL_TRY_GOTO(status, done, dnnl_primitive_create(&own->primitive, own->descriptor));
    if (has_weight(desc)) TRIB_TRY_GOTO(status, done, build_packing(own, desc));
done:
    return trib_outcome(&status);
}

static trib_status prepare(trib_cpu_device *device, trib_cpu_op *op, const char *name)
{
    char reason[TRIB_MESSAGE_SIZE] = "";
    trib_onednn_op *own = trib_alloc_zeroed(1, sizeof *own);
    if (!own) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: out of memory", trib_kind_name(op->desc.kind));
    op->onednn = own; /* released with the op, whatever happens from here on */
    own->device = device;
    TRIB_TRY(find_fast(device, &op->desc, name, &own->recipe, &own->descriptor, reason));
    if (!own->descriptor)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: no implementation \"%s\" here: %.300s", trib_kind_name(op->desc.kind),
                          name, reason);
    op->base.workspace_bytes = workspace_of(&own->recipe, own->descriptor, &own->scratch_bytes);
    op->base.packing_bytes = packing_scratch(&op->desc, &own->recipe);
    op->packing = packing_of(&op->desc, &own->recipe, own->descriptor);
    snprintf(op->detail, sizeof op->detail, "%s", trib_dnnl_name(own->descriptor));
    op->run = execute;
    op->pack = pack;
    op->cores = own->recipe.threads;
    int before = trib_cpu_omp_get_threads();
    trib_cpu_omp_set_threads(own->recipe.threads);
    trib_status status = build(own, &op->desc);
    trib_cpu_omp_set_threads(before);
    return trib_outcome(&status);
}

void trib_onednn_op_destroy(trib_onednn_op *op)
{
    if (!op) return;
    if (op->packs) dnnl_primitive_destroy(op->packs);
    if (op->primitive) dnnl_primitive_destroy(op->primitive);
    if (op->descriptor) dnnl_primitive_desc_destroy(op->descriptor);
    trib_free(op);
}

/* ---- running ---- */

/* What one run hands to oneDNN. Made per run (measured: well under a microsecond) so that a handle stays immutable. */
typedef struct arguments {
    dnnl_memory_t source, target, weight, bias, scratch;
    int count;
    dnnl_exec_arg_t list[5];
} arguments;

static void add(arguments *a, int which, dnnl_memory_t memory)
{
    if (memory) a->list[a->count++] = (dnnl_exec_arg_t) { which, memory };
}

static trib_status add_parameters(const trib_cpu_op *op, const void *packed, arguments *a)
{
    trib_status status = trib_success();
    const trib_onednn_op *own = op->onednn;
    dnnl_engine_t engine = own->device->onednn->engine;
    void *bias = trib_packed_bias(&op->packing, packed);
    TRIB_DNNL_TRY_GOTO(status, done,
                       dnnl_memory_create(&a->weight, packed_weight(own->descriptor), engine, (void *)packed));
    if (bias)
        TRIB_DNNL_TRY_GOTO(status, done,
                           trib_dnnl_memory(engine, 1, (dnnl_dims_t) { own->recipe.g.k }, dnnl_x, bias, &a->bias));
    add(a, DNNL_ARG_WEIGHTS, a->weight);
    add(a, DNNL_ARG_BIAS, a->bias);
done:
    return trib_outcome(&status);
}

static trib_status make_arguments(const trib_cpu_op *op, const void *packed, char *workspace, arguments *a)
{
    trib_status status = trib_success();
    const trib_onednn_op *own = op->onednn;
    dnnl_engine_t engine = own->device->onednn->engine;
    trib_dnnl_md source = dnnl_primitive_desc_query_md(own->descriptor, dnnl_query_src_md, 0);
    trib_dnnl_md target = dnnl_primitive_desc_query_md(own->descriptor, dnnl_query_dst_md, 0);
    TRIB_DNNL_TRY_GOTO(status, done, dnnl_memory_create(&a->source, source, engine, DNNL_MEMORY_NONE));
    TRIB_DNNL_TRY_GOTO(status, done, dnnl_memory_create(&a->target, target, engine, DNNL_MEMORY_NONE));
    if (own->scratch_bytes) {
        trib_dnnl_md scratch = dnnl_primitive_desc_query_md(own->descriptor, dnnl_query_scratchpad_md, 0);
        TRIB_DNNL_TRY_GOTO(status, done, dnnl_memory_create(&a->scratch, scratch, engine, workspace));
    }
    add(a, DNNL_ARG_SRC, a->source);
    add(a, DNNL_ARG_DST, a->target);
    add(a, DNNL_ARG_SCRATCHPAD, a->scratch);
    if (packed) TRIB_TRY_GOTO(status, done, add_parameters(op, packed, a));
done:
    return trib_outcome(&status);
}

/* A dense tensor of the same images and channels as the slice. */
static trib_pixels dense(const trib_view *view, int images)
{
    trib_view alone = *view;
    alone.n = images;
    alone.c_offset = 0;
    alone.c_total = alone.c;
    return trib_pixels_of(&alone);
}

static trib_status run_images(const trib_cpu_op *op, dnnl_stream_t stream, arguments *a, const float *x, float *y,
                              char *staging)
{
    const trib_onednn_op *own = op->onednn;
    const recipe *r = &own->recipe;
    trib_status status = trib_success();
    float *staged_x = (float *)staging;
    float *staged_y = r->stage_source ? (float *)(staging + aligned(r->source_bytes)) : staged_x;
    trib_pixels from = trib_pixels_of(&op->desc.inputs[0]), to = trib_pixels_of(&op->desc.outputs[0]);
    trib_pixels dense_x = dense(&op->desc.inputs[0], r->images), dense_y = dense(&op->desc.outputs[0], r->images);
    trib_pixels some = from;
    some.n = r->images;
    for (int n = 0; n < op->desc.inputs[0].n; n += r->images) {
        const float *source = x + n * from.image;
        float *target = y + n * to.image;
        if (r->stage_source) trib_pixels_copy(&some, source, 0, &dense_x, staged_x, 0, from.channels, false);
        TRIB_DNNL_TRY_GOTO(status, done,
                           dnnl_memory_set_data_handle(a->source, r->stage_source ? staged_x : (void *)source));
        TRIB_DNNL_TRY_GOTO(status, done, dnnl_memory_set_data_handle(a->target, r->stage_target ? staged_y : target));
        TRIB_DNNL_TRY_GOTO(status, done, dnnl_primitive_execute(own->primitive, stream, a->count, a->list));
        TRIB_DNNL_TRY_GOTO(status, done, dnnl_stream_wait(stream));
        if (r->stage_target) trib_pixels_copy(&dense_y, staged_y, 0, &to, target, 0, to.channels, false);
    }
done:
    return trib_outcome(&status);
}

static trib_status run_with(const trib_cpu_op *op, dnnl_stream_t stream, arguments *a, const void *x, void *y,
                            const void *packed, void *workspace)
{
    char *staging = workspace ? (char *)workspace + aligned(op->onednn->scratch_bytes) : NULL;
    TRIB_TRY(make_arguments(op, op->packing.bytes ? packed : NULL, workspace, a));
    return run_images(op, stream, a, x, y, staging);
}

static trib_status execute(const trib_cpu_op *op, dnnl_stream_t stream, const void *const *inputs, void *const *outputs,
                           const void *packed, void *workspace)
{
    arguments a = { 0 };
    trib_status status = run_with(op, stream, &a, inputs[0], outputs[0], packed, workspace);
    const dnnl_memory_t made[] = { a.source, a.target, a.weight, a.bias, a.scratch };
    for (size_t i = 0; i < sizeof made / sizeof *made; ++i)
        if (made[i]) dnnl_memory_destroy(made[i]);
    return trib_outcome(&status);
}

const trib_cpu_backend trib_cpu_onednn_backend = { offer, prepare };
