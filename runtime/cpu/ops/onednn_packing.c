/* SPDX-License-Identifier: Apache-2.0
 * Packs parameters into the formats of oneDNN's primitives. */
#include <string.h>

#include "cpu/ops/onednn_op.h"

trib_packing trib_onednn_packing_of(const trib_op_desc *desc, const trib_onednn_recipe *r,
                                    dnnl_primitive_desc_t descriptor)
{
    if (!trib_onednn_has_weight(desc)) return (trib_packing) { 0 };
    return trib_packing_of((int64_t)trib_dnnl.memory_desc_get_size(trib_onednn_weight_format(desc, descriptor)),
                           desc->has_bias ? (int64_t)sizeof(float) * r->g.k : 0);
}

/* The weights as oneDNN sees them: a linear layer is a filter of the size of the image. */
static void plain_dims(const trib_op_desc *desc, const trib_onednn_recipe *r, dnnl_dims_t dims)
{
    const trib_dnnl_geometry *g = &r->g;
    bool conv = desc->kind != TRIB_LINEAR;
    dims[0] = g->k;
    dims[1] = g->c;
    dims[2] = conv ? g->r : g->h;
    dims[3] = conv ? g->s : g->w;
}

/* Turned, inputs and outputs of the weights change places. */
static dnnl_format_tag_t plain_format(const trib_onednn_recipe *r) { return r->turned ? dnnl_iohw : dnnl_oihw; }

/* Whether plain weights are as the primitive has them, without further channels and with all taps. */
static bool fits(const trib_op_desc *desc, const trib_onednn_recipe *r)
{
    const trib_conv2d *conv = &desc->attributes.conv2d;
    bool taps = desc->kind == TRIB_LINEAR || (conv->r == r->g.r && conv->s == r->g.s);
    return taps && trib_onednn_x(desc, r)->c == r->g.c && trib_onednn_y(desc, r)->c == r->g.k;
}

/* Packed parameters of a convolution may have fewer channels than its input. */
static int64_t fit_bytes(const trib_op_desc *desc, const trib_onednn_recipe *r)
{
    bool known = desc->kind == TRIB_LINEAR || trib_onednn_trains(desc);
    dnnl_dims_t d;
    if (known && fits(desc, r)) return 0;
    plain_dims(desc, r, d);
    return trib_aligned((int64_t)sizeof(float) * d[0] * d[1] * d[2] * d[3]);
}

/* Scratch memory is the caller's: in oneDNN's default mode each reorder to a Winograd format would keep as much as its
 * weights for as long as it exists. */
static trib_status describe_reorder(dnnl_engine_t engine, trib_dnnl_md from, trib_dnnl_md to,
                                    dnnl_primitive_desc_t *out)
{
    dnnl_primitive_attr_t attributes = NULL;
    trib_status status = trib_success();
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.primitive_attr_create(&attributes));
    TRIB_DNNL_TRY_GOTO(status, done,
                       trib_dnnl.primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user));
    TRIB_DNNL_TRY_GOTO(status, done,
                       trib_dnnl.reorder_primitive_desc_create(out, from, engine, to, engine, attributes));
done:
    if (attributes) trib_dnnl.primitive_attr_destroy(attributes);
    return trib_outcome(&status);
}

trib_status trib_onednn_describe_packing(trib_cpu_device *device, const trib_op_desc *desc, const trib_onednn_recipe *r,
                                         dnnl_primitive_desc_t descriptor, dnnl_primitive_desc_t *out)
{
    dnnl_engine_t engine = device->onednn->engine;
    dnnl_memory_t plain = NULL;
    trib_status status = trib_success();
    trib_dnnl_md from, to;
    dnnl_dims_t dims;
    int before = trib_cpu_omp_get_threads();
    plain_dims(desc, r, dims);
    trib_cpu_omp_set_threads(r->threads); /* the reorder's scratch memory grows with them */
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl_memory(engine, 4, dims, plain_format(r), DNNL_MEMORY_NONE, &plain));
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.memory_get_memory_desc(plain, &from));
    to = trib_onednn_weight_format(desc, descriptor);
    if (desc->kind == TRIB_CONV2D_BACKWARD_WEIGHT)
        TRIB_TRY_GOTO(status, done, describe_reorder(engine, to, from, out));
    else
        TRIB_TRY_GOTO(status, done, describe_reorder(engine, from, to, out));
done:
    trib_cpu_omp_set_threads(before);
    if (plain) trib_dnnl.memory_destroy(plain);
    return trib_outcome(&status);
}

int64_t trib_onednn_packing_scratch(const trib_op_desc *desc, const trib_onednn_recipe *r,
                                    dnnl_primitive_desc_t packing)
{
    trib_dnnl_md scratch = trib_dnnl.primitive_desc_query_md(packing, dnnl_query_scratchpad_md, 0);
    return fit_bytes(desc, r) + (scratch ? (int64_t)trib_dnnl.memory_desc_get_size(scratch) : 0);
}

/* The filter of one pair of channels; of a linear layer, the weights of one input channel. */
static void copy_taps(const trib_dnnl_geometry *g, const trib_onednn_recipe *r, const trib_op_desc *desc,
                      const float *from, float *to)
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

/* O,I,R,S with zeros for channels missing in `weight`, and only the used taps; written to `scratch`, unless `weight`
 * already has this form. */
static const float *fit_weight(const trib_op_desc *desc, const trib_onednn_recipe *r,
                               const trib_op_parameters *parameters, float *scratch)
{
    const trib_conv2d *conv = &desc->attributes.conv2d;
    int k = trib_onednn_y(desc, r)->c, c = parameters->channels ? parameters->channels : trib_onednn_x(desc, r)->c;
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

/* The reverse, for a convolution: taps that were left out only meet padding, so their gradient is 0. */
static void unfit_weight(const trib_op_desc *desc, const trib_onednn_recipe *r, const float *from, float *weight)
{
    const trib_conv2d *conv = &desc->attributes.conv2d;
    int k = trib_onednn_y(desc, r)->c, c = trib_onednn_x(desc, r)->c;
    int64_t given = (int64_t)conv->r * conv->s, taps = (int64_t)r->g.r * r->g.s;
    memset(weight, 0, sizeof(float) * (size_t)(k * c * given));
    for (int o = 0; o < k; ++o)
        for (int i = 0; i < c; ++i)
            for (int row = 0; row < r->g.r; ++row)
                memcpy(weight + ((int64_t)o * c + i) * given + (int64_t)(r->first_r + row) * conv->s + r->first_s,
                       from + ((int64_t)o * r->g.c + i) * taps + (int64_t)row * r->g.s, sizeof(float) * (size_t)r->g.s);
}

/* Runs the reorder between plain weights and those of the primitive. */
static trib_status convert(const trib_cpu_op *op, dnnl_stream_t stream, float *plain, void *packed, void *workspace)
{
    const trib_onednn_op *own = op->onednn;
    dnnl_engine_t engine = own->device->onednn->engine;
    dnnl_memory_t memory = NULL, other = NULL, scratch = NULL;
    trib_dnnl_md format = trib_onednn_weight_format(&op->desc, own->descriptors.all);
    trib_dnnl_md scratch_md = trib_dnnl.primitive_desc_query_md(own->packing, dnnl_query_scratchpad_md, 0);
    bool back = op->desc.kind == TRIB_CONV2D_BACKWARD_WEIGHT;
    trib_status status = trib_success();
    dnnl_dims_t dims;
    plain_dims(&op->desc, &own->recipe, dims);
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl_memory(engine, 4, dims, plain_format(&own->recipe), plain, &memory));
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.memory_create(&other, format, engine, packed));
    if (scratch_md && trib_dnnl.memory_desc_get_size(scratch_md))
        TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.memory_create(&scratch, scratch_md, engine, workspace));
    dnnl_exec_arg_t arguments[] = { { DNNL_ARG_FROM, back ? other : memory },
                                    { DNNL_ARG_TO, back ? memory : other },
                                    { DNNL_ARG_SCRATCHPAD, scratch } };
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.primitive_execute(own->packs, stream, scratch ? 3 : 2, arguments));
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.stream_wait(stream));
done:
    if (scratch) trib_dnnl.memory_destroy(scratch);
    if (memory) trib_dnnl.memory_destroy(memory);
    if (other) trib_dnnl.memory_destroy(other);
    return trib_outcome(&status);
}

static void *behind_fit(const trib_cpu_op *op, void *workspace)
{
    return workspace ? (char *)workspace + fit_bytes(&op->desc, &op->onednn->recipe) : NULL;
}

trib_status trib_onednn_pack_parameters(const trib_cpu_op *op, dnnl_stream_t stream,
                                        const trib_op_parameters *parameters, void *packed, void *workspace)
{
    const trib_onednn_recipe *r = &op->onednn->recipe;
    float *bias = trib_packed_bias(&op->onednn->parameters, packed);
    if (bias) {
        memset(bias, 0, sizeof(float) * (size_t)r->g.k);
        memcpy(bias, parameters->bias, sizeof(float) * (size_t)op->desc.outputs[0].c);
    }
    const float *weight = fit_weight(&op->desc, r, parameters, workspace);
    return convert(op, stream, (float *)weight, packed, behind_fit(op, workspace));
}

trib_status trib_onednn_unpack_weight(const trib_cpu_op *op, dnnl_stream_t stream, const void *packed, float *weight,
                                      void *workspace)
{
    const trib_onednn_recipe *r = &op->onednn->recipe;
    bool fitting = fits(&op->desc, r);
    float *plain = fitting ? weight : workspace;
    TRIB_TRY(convert(op, stream, plain, (void *)packed, behind_fit(op, workspace)));
    if (!fitting) unfit_weight(&op->desc, r, plain, weight);
    return trib_success();
}

trib_status trib_onednn_pack(const trib_cpu_op *op, const trib_cpu_worker *worker, const trib_op_parameters *parameters,
                             void *packed, void *workspace)
{
    return trib_onednn_pack_parameters(op, worker->dnnl, parameters, packed, workspace);
}
