/* SPDX-License-Identifier: Apache-2.0 */
#include "session/parameters.h"

#include <math.h>

#include "tributary/internal/alloc.h"

typedef struct loader {
    const trib_plan *plan;
    trib_op_handle *const *ops;
    const trib_tensor *parameters;
    trib_device *device;
    trib_stream *stream;
    unsigned char *packed, *loading; /* device memory */
} loader;

static const char *consumer_of(const loader *l, const trib_plan_op *op) { return l->plan->ops[op->consumer].name; }

/* ---- to the device ---- */

static void *address(const loader *l, const trib_view *v)
{
    const trib_plan_buffer *b = &l->plan->buffers[v->buffer];
    unsigned char *area = trib_buffer_area(b->kind) == TRIB_AREA_PARAMETERS ? l->packed : l->loading;
    return area + b->offset + trib_view_offset(v);
}

/* Of another type: converted by the host, whose copy is needed until it has been read. */
static trib_status bring_converted(const loader *l, const trib_tensor *t, int64_t count, void *target)
{
    float *values = trib_alloc((size_t)count * sizeof *values);
    if (!values) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to convert %lld values", (long long)count);
    trib_convert_to_f32(t->data, t->dtype, (size_t)count, values);
    trib_status status = trib_copy_to_device(l->stream, target, values, (size_t)count * sizeof *values);
    trib_status done = trib_stream_synchronize(l->stream);
    trib_free(values);
    return trib_failed(&status) ? status : done;
}

static trib_status bring(const loader *l, const trib_plan_load *load)
{
    const trib_tensor *t = &l->parameters[load->parameter];
    int64_t count;
    TRIB_TRY(trib_shape_count(&t->shape, &count));
    if (t->dtype != TRIB_F32) return bring_converted(l, t, count, address(l, &load->view));
    return trib_copy_to_device(l->stream, address(l, &load->view), t->data, (size_t)count * sizeof(float));
}

/* ---- what no device looks at ---- */

static double value_at(const loader *l, int parameter, int i)
{
    const trib_tensor *t = &l->parameters[parameter];
    float value;
    trib_convert_to_f32((const unsigned char *)t->data + (size_t)i * trib_dtype_size(t->dtype), t->dtype, 1, &value);
    return (double)value;
}

/* Scale and shift as a fold computes them. */
static trib_status check_batch_norm(const loader *l, const trib_plan_op *op)
{
    const int *ids = op->parts[0].parameters;
    for (int i = 0; i < op->desc.outputs[0].c; ++i) {
        double root = value_at(l, ids[TRIB_BN_VAR], i) + (double)op->parts[0].bn_eps;
        double scale = value_at(l, ids[TRIB_BN_WEIGHT], i) / sqrt(root);
        double shift = value_at(l, ids[TRIB_BN_BIAS], i) - value_at(l, ids[TRIB_BN_MEAN], i) * scale;
        if (!isfinite(scale) || !isfinite(shift))
            return TRIB_ERROR(TRIB_BAD_DATA, "batch norm of channel %d divides by the root of %g", i, root);
    }
    return trib_success();
}

/* ---- on the device ---- */

static trib_status fold(const loader *l, const trib_plan_op *op)
{
    const void *inputs[TRIB_MAX_INPUTS] = { NULL };
    void *outputs[TRIB_MAX_OUTPUTS] = { NULL };
    trib_op_handle *handle = NULL;
    TRIB_TRY(check_batch_norm(l, op));
    for (int i = 0; i < op->desc.input_count; ++i) inputs[i] = address(l, &op->desc.inputs[i]);
    for (int i = 0; i < op->desc.output_count; ++i) outputs[i] = address(l, &op->desc.outputs[i]);
    TRIB_TRY(trib_op_create(l->device, &op->desc, op->implementation, &handle));
    trib_status status = trib_op_run(handle, l->stream, inputs, outputs, NULL, NULL);
    trib_op_destroy(handle);
    return trib_outcome(&status);
}

static trib_status pack(const loader *l, const trib_plan_op *op)
{
    const trib_op_desc *d = &op->desc;
    trib_op_parameters values = { .weight = address(l, &d->inputs[0]), .channels = d->attributes.pack.channels };
    if (d->input_count > 1) values.bias = address(l, &d->inputs[1]);
    void *workspace = op->workspace >= 0 ? l->loading + l->plan->buffers[op->workspace].offset : NULL;
    return trib_op_pack(l->ops[op->consumer], l->stream, &values, address(l, &d->outputs[0]), workspace);
}

static trib_status prepare(const loader *l)
{
    const trib_plan *p = l->plan;
    int load = 0;
    for (int i = 0; i < p->prepare_count; ++i) {
        const trib_plan_op *op = &p->prepare[i];
        trib_status status = trib_success();
        for (; load < p->load_count && p->loads[load].op == i && !trib_failed(&status); ++load)
            status = bring(l, &p->loads[load]);
        if (!trib_failed(&status)) status = op->desc.kind == TRIB_PACK ? pack(l, op) : fold(l, op);
        trib_add_context(&status, "layer %s", consumer_of(l, op));
        if (trib_failed(&status)) return status;
    }
    return trib_success();
}

/* ---- memory ---- */

static trib_status take(const loader *l, int64_t bytes, unsigned char **out)
{
    void *memory = NULL;
    if (!bytes) return trib_success();
    trib_status status = trib_device_alloc(l->device, l->stream, (size_t)bytes, &memory);
    trib_add_context(&status, "the parameters of %s", l->plan->graph_name);
    *out = memory;
    return trib_outcome(&status);
}

trib_status trib_load_parameters(const trib_plan *plan, trib_op_handle *const *ops, const trib_tensor *parameters,
                                 trib_device *device, trib_stream *stream, void **memory)
{
    loader l = { .plan = plan, .ops = ops, .parameters = parameters, .device = device, .stream = stream };
    trib_status status = take(&l, plan->parameter_bytes, &l.packed);
    *memory = l.packed;
    if (trib_failed(&status)) return status;
    TRIB_TRY(take(&l, plan->loading_bytes, &l.loading));
    status = prepare(&l);
    trib_status done = trib_stream_synchronize(stream); /* the caller's tensors are read until then */
    trib_device_free(device, stream, l.loading);
    trib_stream_synchronize(stream); /* what follows may need that memory */
    return trib_failed(&status) ? status : done;
}
