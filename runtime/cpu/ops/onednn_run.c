/* SPDX-License-Identifier: Apache-2.0
 * Runs an op that was prepared for oneDNN. */
#include "cpu/ops/onednn_op.h"
#include "cpu/ops/pixels.h"

/* oneDNN's arguments for one run. Made per run (measured: well under a microsecond), so that a handle stays immutable.
 */
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
    TRIB_DNNL_TRY_GOTO(
        status, done,
        trib_dnnl.memory_create(&a->weight, trib_onednn_packed_weight(own->descriptor), engine, (void *)packed));
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
    trib_dnnl_md source = trib_dnnl.primitive_desc_query_md(own->descriptor, dnnl_query_src_md, 0);
    trib_dnnl_md target = trib_dnnl.primitive_desc_query_md(own->descriptor, dnnl_query_dst_md, 0);
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.memory_create(&a->source, source, engine, DNNL_MEMORY_NONE));
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.memory_create(&a->target, target, engine, DNNL_MEMORY_NONE));
    if (own->scratch_bytes) {
        trib_dnnl_md scratch = trib_dnnl.primitive_desc_query_md(own->descriptor, dnnl_query_scratchpad_md, 0);
        TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.memory_create(&a->scratch, scratch, engine, workspace));
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
    const trib_onednn_recipe *r = &own->recipe;
    trib_status status = trib_success();
    float *staged_x = (float *)staging;
    float *staged_y = r->stage_source ? (float *)(staging + trib_aligned(r->source_bytes)) : staged_x;
    trib_pixels from = trib_pixels_of(&op->desc.inputs[0]), to = trib_pixels_of(&op->desc.outputs[0]);
    trib_pixels dense_x = dense(&op->desc.inputs[0], r->images), dense_y = dense(&op->desc.outputs[0], r->images);
    trib_pixels some = from;
    some.n = r->images;
    for (int n = 0; n < op->desc.inputs[0].n; n += r->images) {
        const float *source = x + n * from.image;
        float *target = y + n * to.image;
        if (r->stage_source) trib_pixels_copy(&some, source, 0, &dense_x, staged_x, 0, from.channels, false);
        TRIB_DNNL_TRY_GOTO(status, done,
                           trib_dnnl.memory_set_data_handle(a->source, r->stage_source ? staged_x : (void *)source));
        TRIB_DNNL_TRY_GOTO(status, done,
                           trib_dnnl.memory_set_data_handle(a->target, r->stage_target ? staged_y : target));
        TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.primitive_execute(own->primitive, stream, a->count, a->list));
        TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.stream_wait(stream));
        if (r->stage_target) trib_pixels_copy(&dense_y, staged_y, 0, &to, target, 0, to.channels, false);
    }
done:
    return trib_outcome(&status);
}

static trib_status run_with(const trib_cpu_op *op, dnnl_stream_t stream, arguments *a, const void *x, void *y,
                            const void *packed, void *workspace)
{
    char *staging = workspace ? (char *)workspace + trib_aligned(op->onednn->scratch_bytes) : NULL;
    TRIB_TRY(make_arguments(op, op->packing.bytes ? packed : NULL, workspace, a));
    return run_images(op, stream, a, x, y, staging);
}

trib_status trib_onednn_run(const trib_cpu_op *op, const trib_cpu_worker *worker, const void *const *inputs,
                            void *const *outputs, const void *packed, void *workspace)
{
    arguments a = { 0 };
    trib_status status = run_with(op, worker->dnnl, &a, inputs[0], outputs[0], packed, workspace);
    const dnnl_memory_t made[] = { a.source, a.target, a.weight, a.bias, a.scratch };
    for (size_t i = 0; i < sizeof made / sizeof *made; ++i)
        if (made[i]) trib_dnnl.memory_destroy(made[i]);
    return trib_outcome(&status);
}
