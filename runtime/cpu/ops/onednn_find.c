/* SPDX-License-Identifier: Apache-2.0
 * From recipes to oneDNN's descriptors: what it has for an op, and with how many threads. */
#include <stdio.h>
#include <string.h>

#include "cpu/ops/onednn_recipe.h"

trib_dnnl_md trib_onednn_weight_format(const trib_op_desc *desc, dnnl_primitive_desc_t descriptor)
{
    bool result = desc->kind == TRIB_CONV2D_BACKWARD_WEIGHT;
    return trib_dnnl.primitive_desc_query_md(descriptor, dnnl_query_exec_arg_md,
                                             result ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS);
}

static dnnl_status_t describe(dnnl_engine_t engine, const trib_op_desc *desc, const trib_onednn_recipe *r,
                              dnnl_primitive_desc_t *out)
{
    switch (desc->kind) {
    case TRIB_CONV2D:
    case TRIB_CONV2D_BACKWARD_DATA:
    case TRIB_CONV2D_BACKWARD_WEIGHT: return trib_dnnl_conv(engine, &r->g, r->algorithm, r->prefix, out);
    case TRIB_LRN: return trib_dnnl_lrn(engine, &r->g, &desc->attributes.lrn, out);
    case TRIB_LINEAR: return trib_dnnl_linear(engine, &r->g, out);
    case TRIB_SOFTMAX: return trib_dnnl_softmax(engine, &r->g, out);
    default: return trib_dnnl_pool(engine, &r->g, r->algorithm, out);
    }
}

/* Called with OpenMP set to the threads that the op will use. */
static dnnl_status_t describe_for(trib_cpu_device *device, const trib_op_desc *desc, const trib_onednn_recipe *r,
                                  dnnl_primitive_desc_t *out)
{
    int before = trib_cpu_omp_get_threads();
    trib_cpu_omp_set_threads(r->threads);
    dnnl_status_t status = TRIB_DNNL(describe(device->onednn->engine, desc, r, out));
    trib_cpu_omp_set_threads(before);
    return status;
}

/* Matrix products divide their sums among threads, and the brgemm convolutions of NHWC choose blocks by their number
 * (seen: 1x4 outputs of 24 channels). Their results would depend on a plan's share of the cores, so they run on one
 * thread. Those of the jit and Winograd kernels of the blocked layouts do not, but for the gradient of weights, which
 * every implementation sums per thread. */
static bool bits_depend_on_threads(const trib_op_desc *desc, const char *name)
{
    return desc->kind == TRIB_CONV2D_BACKWARD_WEIGHT || strstr(name, "gemm") || strstr(name, "brg");
}

static dnnl_status_t describe_all(trib_cpu_device *device, const trib_op_desc *desc, trib_onednn_recipe *r,
                                  dnnl_primitive_desc_t *out)
{
    r->threads = desc->chunk > 0 ? 1 : desc->threads;
    dnnl_status_t status = describe_for(device, desc, r, out);
    if (status || r->threads == 1 || !bits_depend_on_threads(desc, trib_dnnl_name(*out))) return status;
    trib_dnnl.primitive_desc_destroy(*out);
    *out = NULL;
    r->threads = 1;
    return describe_for(device, desc, r, out);
}

/* The remaining images read the same weights. */
static dnnl_status_t describe_rest(trib_cpu_device *device, const trib_op_desc *desc, const trib_onednn_recipe *r,
                                   trib_onednn_descriptors *out)
{
    trib_onednn_recipe rest = *r;
    rest.g.n = r->rest;
    if (trib_onednn_has_weight(desc)) rest.g.weight = trib_onednn_weight_format(desc, out->all);
    return describe_for(device, desc, &rest, &out->rest);
}

void trib_onednn_descriptors_destroy(trib_onednn_descriptors *d)
{
    if (d->all) trib_dnnl.primitive_desc_destroy(d->all);
    if (d->rest) trib_dnnl.primitive_desc_destroy(d->rest);
    *d = (trib_onednn_descriptors) { 0 };
}

/* Empty, with the reason, when oneDNN has nothing, or only its reference. */
static trib_status describe_both(trib_cpu_device *device, const trib_op_desc *desc, trib_onednn_recipe *r,
                                 trib_onednn_descriptors *out, char *reason)
{
    const char *kind = trib_kind_name(desc->kind), *from = trib_layout_name(desc->inputs[0].layout),
               *to = trib_layout_name(desc->outputs[0].layout);
    dnnl_status_t status = describe_all(device, desc, r, &out->all);
    if (!status && r->rest && !r->filled) status = describe_rest(device, desc, r, out);
    if (status)
        snprintf(reason, TRIB_MESSAGE_SIZE, "oneDNN: %s for %s from %s to %s", trib_dnnl_status_name(status), kind,
                 from, to);
    bool slow =
        !status && (trib_dnnl_name_begins(out->all, "ref") || (out->rest && trib_dnnl_name_begins(out->rest, "ref")));
    if (slow)
        snprintf(reason, TRIB_MESSAGE_SIZE,
                 "oneDNN: only its slow reference (%s) does %s from %s to %s; use another layout",
                 trib_dnnl_name(out->all), kind, from, to);
    if (status || slow) trib_onednn_descriptors_destroy(out);
    if (!status || status == dnnl_unimplemented || status == dnnl_invalid_arguments) return trib_success();
    return trib_dnnl_failure(status, "dnnl_primitive_desc_create", __FILE__, __LINE__);
}

trib_status trib_onednn_find(trib_cpu_device *device, const trib_op_desc *desc, const char *name, trib_onednn_recipe *r,
                             trib_onednn_descriptors *out, char *reason)
{
    *out = (trib_onednn_descriptors) { 0 };
    if (!device->onednn) {
        trib_status missing = trib_onednn_load();
        snprintf(reason, TRIB_MESSAGE_SIZE, "%s", missing.message);
        return trib_success();
    }
    trib_onednn_way ways[TRIB_ONEDNN_WAYS];
    int count = trib_onednn_ways(desc, ways);
    for (int i = 0; i < count && !out->all; ++i) {
        if (!trib_onednn_recipe_of(desc, name, &ways[i], r)) {
            snprintf(reason, TRIB_MESSAGE_SIZE, "oneDNN has no %s of this kind", trib_kind_name(desc->kind));
            return trib_success();
        }
        TRIB_TRY(describe_both(device, desc, r, out, reason));
    }
    return trib_success();
}
