/* SPDX-License-Identifier: Apache-2.0
 * Packs parameters into the formats of oneDNN's primitives. */
#include <string.h>

#include "cpu/ops/onednn_op.h"

bool trib_onednn_has_weight(const trib_op_desc *desc) { return desc->kind == TRIB_CONV2D || desc->kind == TRIB_LINEAR; }

trib_dnnl_md trib_onednn_packed_weight(dnnl_primitive_desc_t descriptor)
{
    return trib_dnnl.primitive_desc_query_md(descriptor, dnnl_query_weights_md, 0);
}

trib_packing trib_onednn_packing_of(const trib_op_desc *desc, const trib_onednn_recipe *r,
                                    dnnl_primitive_desc_t descriptor)
{
    if (!trib_onednn_has_weight(desc)) return (trib_packing) { 0 };
    return trib_packing_of((int64_t)trib_dnnl.memory_desc_get_size(trib_onednn_packed_weight(descriptor)),
                           desc->has_bias ? (int64_t)sizeof(float) * r->g.k : 0);
}

/* The weights as oneDNN sees them: a linear layer is a filter of the size of the image. */
static void plain_dims(const trib_op_desc *desc, const trib_onednn_recipe *r, dnnl_dims_t dims)
{
    const trib_dnnl_geometry *g = &r->g;
    bool conv = desc->kind == TRIB_CONV2D;
    dims[0] = g->k;
    dims[1] = g->c;
    dims[2] = conv ? g->r : g->h;
    dims[3] = conv ? g->s : g->w;
}

/* A convolution's weights may have fewer channels than its input. */
static int64_t fit_bytes(const trib_op_desc *desc, const trib_onednn_recipe *r)
{
    bool fits = desc->kind == TRIB_LINEAR && desc->inputs[0].c == r->g.c && desc->outputs[0].c == r->g.k;
    dnnl_dims_t d;
    if (fits) return 0;
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
    trib_dnnl_md from;
    dnnl_dims_t dims;
    int before = trib_cpu_omp_get_threads();
    plain_dims(desc, r, dims);
    trib_cpu_omp_set_threads(r->threads); /* the reorder's scratch memory grows with them */
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl_memory(engine, 4, dims, dnnl_oihw, DNNL_MEMORY_NONE, &plain));
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.memory_get_memory_desc(plain, &from));
    TRIB_TRY_GOTO(status, done, describe_reorder(engine, from, trib_onednn_packed_weight(descriptor), out));
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

/* Converts the weights to the primitive's format. */
static trib_status pack_weight(const trib_cpu_op *op, dnnl_stream_t stream, const float *weight, void *packed,
                               void *workspace)
{
    const trib_onednn_op *own = op->onednn;
    dnnl_engine_t engine = own->device->onednn->engine;
    dnnl_memory_t from = NULL, to = NULL, scratch = NULL;
    trib_dnnl_md scratch_md = trib_dnnl.primitive_desc_query_md(own->packing, dnnl_query_scratchpad_md, 0);
    trib_status status = trib_success();
    dnnl_dims_t dims;
    plain_dims(&op->desc, &own->recipe, dims);
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl_memory(engine, 4, dims, dnnl_oihw, (void *)weight, &from));
    TRIB_DNNL_TRY_GOTO(status, done,
                       trib_dnnl.memory_create(&to, trib_onednn_packed_weight(own->descriptor), engine, packed));
    if (scratch_md && trib_dnnl.memory_desc_get_size(scratch_md))
        TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.memory_create(&scratch, scratch_md, engine, workspace));
    dnnl_exec_arg_t arguments[] = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to }, { DNNL_ARG_SCRATCHPAD, scratch } };
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.primitive_execute(own->packs, stream, scratch ? 3 : 2, arguments));
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.stream_wait(stream));
done:
    if (scratch) trib_dnnl.memory_destroy(scratch);
    if (from) trib_dnnl.memory_destroy(from);
    if (to) trib_dnnl.memory_destroy(to);
    return trib_outcome(&status);
}

trib_status trib_onednn_pack(const trib_cpu_op *op, const trib_cpu_worker *worker, const trib_op_parameters *parameters,
                             void *packed, void *workspace)
{
    const trib_onednn_recipe *r = &op->onednn->recipe;
    float *bias = trib_packed_bias(&op->packing, packed);
    size_t channels = (size_t)op->desc.outputs[0].c;
    if (bias) {
        memset(bias, 0, sizeof(float) * (size_t)r->g.k);
        memcpy(bias, parameters->bias, sizeof(float) * channels);
    }
    const float *weight = fit_weight(&op->desc, r, parameters, workspace);
    void *behind = workspace ? (char *)workspace + fit_bytes(&op->desc, r) : NULL;
    return pack_weight(op, worker->dnnl, weight, packed, behind);
}
