/* SPDX-License-Identifier: Apache-2.0
 * oneDNN 2.x. */
#include "cpu/libraries/onednn_version.h"

#include <string.h>

static dnnl_memory_desc_t describe(int rank, const dnnl_dims_t dims, dnnl_format_tag_t format)
{
    dnnl_memory_desc_t md;
    memset(&md, 0, sizeof md); /* later calls with an invalid descriptor fail as well */
    trib_dnnl.memory_desc_init_by_tag(&md, rank, dims, dnnl_f32, format);
    return md;
}

static dnnl_memory_desc_t source_of(const trib_dnnl_geometry *g)
{
    return describe(4, (dnnl_dims_t) { g->n, g->c, g->h, g->w }, g->source);
}

static dnnl_memory_desc_t target_of(const trib_dnnl_geometry *g)
{
    return describe(4, (dnnl_dims_t) { g->n, g->k, g->p, g->q }, g->target);
}

static dnnl_memory_desc_t bias_of(const trib_dnnl_geometry *g) { return describe(1, (dnnl_dims_t) { g->k }, dnnl_x); }

/* What follows the operation itself; `g` NULL: nothing. */
static dnnl_status_t append(const trib_dnnl_geometry *g, dnnl_primitive_attr_t attributes)
{
    dnnl_post_ops_t after = NULL;
    if (!g || (!g->relu && !g->accumulate)) return dnnl_success;
    dnnl_status_t status = trib_dnnl.post_ops_create(&after);
    if (!status && g->accumulate) status = trib_dnnl.post_ops_append_sum(after, 1.0f);
    if (!status && g->relu) status = trib_dnnl.post_ops_append_eltwise(after, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
    if (!status) status = trib_dnnl.primitive_attr_set_post_ops(attributes, after);
    if (after) trib_dnnl.post_ops_destroy(after);
    return status;
}

static dnnl_status_t attributes_of(const trib_dnnl_geometry *g, dnnl_primitive_attr_t *out)
{
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_status_t status = trib_dnnl.primitive_attr_create(&attributes);
    if (!status) status = trib_dnnl.primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (!status) status = append(g, attributes);
    if (status && attributes) trib_dnnl.primitive_attr_destroy(attributes);
    if (!status) *out = attributes;
    return status;
}

/* The first implementation whose name begins with `prefix`. `after`: for what follows it, or
 * NULL; `forward`: of a backward operation. */
static dnnl_status_t find_with(const_dnnl_op_desc_t operation, dnnl_engine_t engine, const trib_dnnl_geometry *after,
                               const char *prefix, dnnl_primitive_desc_t forward, dnnl_primitive_desc_t *out)
{
    dnnl_primitive_attr_t attributes;
    dnnl_primitive_desc_iterator_t candidates = NULL;
    dnnl_primitive_desc_t found = NULL;
    dnnl_status_t status = attributes_of(after, &attributes);
    if (status) return status;
    status = trib_dnnl.primitive_desc_iterator_create(&candidates, operation, attributes, engine, forward);
    while (!status) {
        found = trib_dnnl.primitive_desc_iterator_fetch(candidates);
        if (!found) status = dnnl_out_of_memory;
        if (status || !prefix || trib_dnnl_name_begins(found, prefix)) break;
        trib_dnnl.primitive_desc_destroy(found);
        status = trib_dnnl.primitive_desc_iterator_next(candidates);
        if (status == dnnl_iterator_ends) status = dnnl_unimplemented;
    }
    if (candidates) trib_dnnl.primitive_desc_iterator_destroy(candidates);
    trib_dnnl.primitive_attr_destroy(attributes);
    if (!status) *out = found;
    return status;
}

static dnnl_status_t find(const_dnnl_op_desc_t operation, dnnl_engine_t engine, const trib_dnnl_geometry *after,
                          const char *prefix, dnnl_primitive_desc_t *out)
{
    return find_with(operation, engine, after, prefix, NULL, out);
}

static dnnl_memory_desc_t weights_of(const trib_dnnl_geometry *g)
{
    return g->weight ? *g->weight : describe(4, (dnnl_dims_t) { g->k, g->c, g->r, g->s }, dnnl_format_tag_any);
}

static dnnl_status_t conv_forward(dnnl_engine_t engine, const trib_dnnl_geometry *g, dnnl_prop_kind_t kind,
                                  dnnl_alg_kind_t algorithm, const char *prefix, dnnl_primitive_desc_t *out)
{
    dnnl_memory_desc_t source = source_of(g), target = target_of(g), bias = bias_of(g), weights = weights_of(g);
    dnnl_convolution_desc_t operation;
    dnnl_status_t status =
        trib_dnnl.convolution_forward_desc_init(&operation, kind, algorithm, &source, &weights,
                                                g->has_bias ? &bias : NULL, &target, g->strides, g->before, g->after);
    return status ? status : find(&operation, engine, g, prefix, out);
}

static dnnl_status_t conv_backward(dnnl_engine_t engine, const trib_dnnl_geometry *g, dnnl_alg_kind_t algorithm,
                                   const char *prefix, dnnl_primitive_desc_t forward, dnnl_primitive_desc_t *out)
{
    dnnl_memory_desc_t source = source_of(g), target = target_of(g), weights = weights_of(g);
    dnnl_convolution_desc_t operation;
    dnnl_status_t status;
    if (g->direction == TRIB_DNNL_BACKWARD_DATA)
        status = trib_dnnl.convolution_backward_data_desc_init(&operation, algorithm, &source, &weights, &target,
                                                               g->strides, g->before, g->after);
    else
        status = trib_dnnl.convolution_backward_weights_desc_init(&operation, algorithm, &source, &weights, NULL,
                                                                  &target, g->strides, g->before, g->after);
    return status ? status : find_with(&operation, engine, NULL, prefix, forward, out);
}

dnnl_status_t trib_dnnl_conv(dnnl_engine_t engine, const trib_dnnl_geometry *g, dnnl_alg_kind_t algorithm,
                             const char *prefix, dnnl_primitive_desc_t *out)
{
    if (g->direction == TRIB_DNNL_FORWARD)
        return conv_forward(engine, g, g->training ? dnnl_forward_training : dnnl_forward_inference, algorithm, prefix,
                            out);
    dnnl_primitive_desc_t forward;
    trib_dnnl_geometry plain = *g;
    plain.weight = NULL;
    dnnl_status_t status = conv_forward(engine, &plain, dnnl_forward_training, dnnl_convolution_direct, NULL, &forward);
    if (status) return status;
    status = conv_backward(engine, g, algorithm, prefix, forward, out);
    trib_dnnl.primitive_desc_destroy(forward);
    return status;
}

dnnl_status_t trib_dnnl_pool(dnnl_engine_t engine, const trib_dnnl_geometry *g, dnnl_alg_kind_t algorithm,
                             dnnl_primitive_desc_t *out)
{
    dnnl_memory_desc_t source = source_of(g), target = target_of(g);
    dnnl_pooling_desc_t operation;
    dnnl_status_t status =
        trib_dnnl.pooling_forward_desc_init(&operation, dnnl_forward_inference, algorithm, &source, &target, g->strides,
                                            (dnnl_dims_t) { g->r, g->s }, g->before, g->after);
    return status ? status : find(&operation, engine, NULL, NULL, out);
}

dnnl_status_t trib_dnnl_lrn(dnnl_engine_t engine, const trib_dnnl_geometry *g, const trib_lrn *lrn,
                            dnnl_primitive_desc_t *out)
{
    dnnl_memory_desc_t source = source_of(g);
    dnnl_lrn_desc_t operation;
    dnnl_status_t status = trib_dnnl.lrn_forward_desc_init(&operation, dnnl_forward_inference, dnnl_lrn_across_channels,
                                                           &source, lrn->size, lrn->alpha, lrn->beta, lrn->k);
    return status ? status : find(&operation, engine, NULL, NULL, out);
}

dnnl_status_t trib_dnnl_linear(dnnl_engine_t engine, const trib_dnnl_geometry *g, dnnl_primitive_desc_t *out)
{
    dnnl_memory_desc_t source = source_of(g), bias = bias_of(g);
    dnnl_memory_desc_t weights = describe(4, (dnnl_dims_t) { g->k, g->c, g->h, g->w }, dnnl_format_tag_any);
    dnnl_memory_desc_t target = describe(2, (dnnl_dims_t) { g->n, g->k }, dnnl_nc);
    dnnl_inner_product_desc_t operation;
    dnnl_status_t status = trib_dnnl.inner_product_forward_desc_init(&operation, dnnl_forward_inference, &source,
                                                                     &weights, g->has_bias ? &bias : NULL, &target);
    return status ? status : find(&operation, engine, g, NULL, out);
}

dnnl_status_t trib_dnnl_softmax(dnnl_engine_t engine, const trib_dnnl_geometry *g, dnnl_primitive_desc_t *out)
{
    dnnl_memory_desc_t rows = describe(2, (dnnl_dims_t) { g->n, g->c }, dnnl_nc);
    dnnl_softmax_desc_t operation;
    dnnl_status_t status = trib_dnnl.softmax_forward_desc_init(&operation, dnnl_forward_inference, &rows, 1);
    return status ? status : find(&operation, engine, NULL, NULL, out);
}

dnnl_status_t trib_dnnl_memory(dnnl_engine_t engine, int rank, const dnnl_dims_t dims, dnnl_format_tag_t format,
                               void *data, dnnl_memory_t *out)
{
    dnnl_memory_desc_t md = describe(rank, dims, format);
    return trib_dnnl.memory_create(out, &md, engine, data);
}
