/* SPDX-License-Identifier: Apache-2.0
 * oneDNN 3.x. */
#include "cpu/libraries/onednn_version.h"

#include <stddef.h>

/* Descriptors and attributes of one primitive, freed together. NULL if creation failed: later calls with it fail, and
 * `status` has the reason. */
typedef struct parts {
    dnnl_status_t status;
    dnnl_memory_desc_t source, target, weights, bias;
    dnnl_primitive_attr_t attributes;
} parts;

static const dnnl_dims_t no_dilation;

static dnnl_memory_desc_t describe(parts *p, int rank, const dnnl_dims_t dims, dnnl_format_tag_t format)
{
    dnnl_memory_desc_t md = NULL;
    if (!p->status) p->status = trib_dnnl.memory_desc_create_with_tag(&md, rank, dims, dnnl_f32, format);
    return md;
}

static dnnl_status_t append(const trib_dnnl_geometry *g, dnnl_primitive_attr_t attributes)
{
    dnnl_post_ops_t after = NULL;
    if (!g->relu && !g->accumulate) return dnnl_success;
    dnnl_status_t status = trib_dnnl.post_ops_create(&after);
    if (!status && g->accumulate) status = trib_dnnl.post_ops_append_sum(after, 1.0f, 0, dnnl_data_type_undef);
    if (!status && g->relu) status = trib_dnnl.post_ops_append_eltwise(after, dnnl_eltwise_relu, 0.0f, 0.0f);
    if (!status) status = trib_dnnl.primitive_attr_set_post_ops(attributes, after);
    if (after) trib_dnnl.post_ops_destroy(after);
    return status;
}

/* Source, target and attributes, with what follows the operation if it can be `fused`; the caller adds weights if there
 * are any. */
static parts begin(const trib_dnnl_geometry *g, bool fused)
{
    parts p = { .status = dnnl_success };
    p.source = describe(&p, 4, (dnnl_dims_t) { g->n, g->c, g->h, g->w }, g->source);
    p.target = describe(&p, 4, (dnnl_dims_t) { g->n, g->k, g->p, g->q }, g->target);
    if (g->has_bias) p.bias = describe(&p, 1, (dnnl_dims_t) { g->k }, dnnl_x);
    if (!p.status) p.status = trib_dnnl.primitive_attr_create(&p.attributes);
    if (!p.status) p.status = trib_dnnl.primitive_attr_set_scratchpad_mode(p.attributes, dnnl_scratchpad_mode_user);
    if (!p.status && fused) p.status = append(g, p.attributes);
    return p;
}

static dnnl_status_t end(parts *p, dnnl_status_t status)
{
    if (p->source) trib_dnnl.memory_desc_destroy(p->source);
    if (p->target) trib_dnnl.memory_desc_destroy(p->target);
    if (p->weights) trib_dnnl.memory_desc_destroy(p->weights);
    if (p->bias) trib_dnnl.memory_desc_destroy(p->bias);
    if (p->attributes) trib_dnnl.primitive_attr_destroy(p->attributes);
    return status;
}

/* The first implementation whose name begins with `prefix`, from `found` on, which it takes. */
static dnnl_status_t choose(dnnl_primitive_desc_t found, const char *prefix, dnnl_primitive_desc_t *out)
{
    dnnl_status_t status = dnnl_success;
    while (!status && prefix && !trib_dnnl_name_begins(found, prefix))
        status = trib_dnnl.primitive_desc_next_impl(found);
    if (status)
        trib_dnnl.primitive_desc_destroy(found);
    else
        *out = found;
    return status == dnnl_last_impl_reached ? dnnl_unimplemented : status;
}

static dnnl_status_t conv_forward(dnnl_engine_t engine, const trib_dnnl_geometry *g, dnnl_prop_kind_t kind,
                                  dnnl_alg_kind_t algorithm, const parts *p, trib_dnnl_md weights,
                                  dnnl_primitive_desc_t *out)
{
    return trib_dnnl.convolution_forward_primitive_desc_create(out, engine, kind, algorithm, p->source, weights,
                                                               p->bias, p->target, g->strides, no_dilation, g->before,
                                                               g->after, p->attributes);
}

static dnnl_status_t conv_backward(dnnl_engine_t engine, const trib_dnnl_geometry *g, dnnl_alg_kind_t algorithm,
                                   const parts *p, trib_dnnl_md weights, dnnl_primitive_desc_t *out)
{
    dnnl_primitive_desc_t forward;
    dnnl_status_t status =
        conv_forward(engine, g, dnnl_forward_training, dnnl_convolution_direct, p, p->weights, &forward);
    if (status) return status;
    if (g->direction == TRIB_DNNL_BACKWARD_DATA)
        status = trib_dnnl.convolution_backward_data_primitive_desc_create(out, engine, algorithm, p->source, weights,
                                                                           p->target, g->strides, no_dilation,
                                                                           g->before, g->after, forward, p->attributes);
    else
        status = trib_dnnl.convolution_backward_weights_primitive_desc_create(
            out, engine, algorithm, p->source, weights, NULL, p->target, g->strides, no_dilation, g->before, g->after,
            forward, p->attributes);
    trib_dnnl.primitive_desc_destroy(forward);
    return status;
}

dnnl_status_t trib_dnnl_conv(dnnl_engine_t engine, const trib_dnnl_geometry *g, dnnl_alg_kind_t algorithm,
                             const char *prefix, dnnl_primitive_desc_t *out)
{
    dnnl_primitive_desc_t found = NULL;
    parts p = begin(g, g->direction == TRIB_DNNL_FORWARD);
    p.weights = describe(&p, 4, (dnnl_dims_t) { g->k, g->c, g->r, g->s }, dnnl_format_tag_any);
    if (p.status) return end(&p, p.status);
    trib_dnnl_md weights = g->weight ? g->weight : p.weights;
    dnnl_status_t status = g->direction == TRIB_DNNL_FORWARD
                               ? conv_forward(engine, g, g->training ? dnnl_forward_training : dnnl_forward_inference,
                                              algorithm, &p, weights, &found)
                               : conv_backward(engine, g, algorithm, &p, weights, &found);
    return end(&p, status ? status : choose(found, prefix, out));
}

dnnl_status_t trib_dnnl_pool(dnnl_engine_t engine, const trib_dnnl_geometry *g, dnnl_alg_kind_t algorithm,
                             dnnl_primitive_desc_t *out)
{
    parts p = begin(g, false);
    if (p.status) return end(&p, p.status);
    return end(&p, trib_dnnl.pooling_forward_primitive_desc_create(
                       out, engine, dnnl_forward_inference, algorithm, p.source, p.target, g->strides,
                       (dnnl_dims_t) { g->r, g->s }, no_dilation, g->before, g->after, p.attributes));
}

dnnl_status_t trib_dnnl_lrn(dnnl_engine_t engine, const trib_dnnl_geometry *g, const trib_lrn *lrn,
                            dnnl_primitive_desc_t *out)
{
    parts p = begin(g, false);
    if (p.status) return end(&p, p.status);
    return end(&p, trib_dnnl.lrn_forward_primitive_desc_create(out, engine, dnnl_forward_inference,
                                                               dnnl_lrn_across_channels, p.source, p.target, lrn->size,
                                                               lrn->alpha, lrn->beta, lrn->k, p.attributes));
}

/* [n,k] instead of the four dimensions `begin` described. */
static void make_rows(parts *p, dnnl_memory_desc_t *which, int n, int k)
{
    if (*which) trib_dnnl.memory_desc_destroy(*which);
    *which = describe(p, 2, (dnnl_dims_t) { n, k }, dnnl_nc);
}

dnnl_status_t trib_dnnl_linear(dnnl_engine_t engine, const trib_dnnl_geometry *g, dnnl_primitive_desc_t *out)
{
    parts p = begin(g, true);
    make_rows(&p, &p.target, g->n, g->k);
    p.weights = describe(&p, 4, (dnnl_dims_t) { g->k, g->c, g->h, g->w }, dnnl_format_tag_any);
    if (p.status) return end(&p, p.status);
    return end(&p, trib_dnnl.inner_product_forward_primitive_desc_create(out, engine, dnnl_forward_inference, p.source,
                                                                         p.weights, p.bias, p.target, p.attributes));
}

dnnl_status_t trib_dnnl_softmax(dnnl_engine_t engine, const trib_dnnl_geometry *g, dnnl_primitive_desc_t *out)
{
    parts p = begin(g, false);
    make_rows(&p, &p.source, g->n, g->c);
    make_rows(&p, &p.target, g->n, g->c);
    if (p.status) return end(&p, p.status);
    return end(&p, trib_dnnl.softmax_forward_primitive_desc_create(out, engine, dnnl_forward_inference,
                                                                   dnnl_softmax_accurate, p.source, p.target, 1,
                                                                   p.attributes));
}

dnnl_status_t trib_dnnl_memory(dnnl_engine_t engine, int rank, const dnnl_dims_t dims, dnnl_format_tag_t format,
                               void *data, dnnl_memory_t *out)
{
    parts p = { .status = dnnl_success };
    p.source = describe(&p, rank, dims, format);
    return end(&p, p.status ? p.status : trib_dnnl.memory_create(out, p.source, engine, data));
}
