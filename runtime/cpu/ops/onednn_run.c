/* SPDX-License-Identifier: Apache-2.0
 * Runs an op that was prepared for oneDNN. */
#include <string.h>

#include "cpu/ops/onednn_op.h"
#include "cpu/ops/pixels.h"

/* oneDNN's arguments. Made for each task (measured: well under a microsecond), so that a handle stays immutable. */
typedef struct arguments {
    dnnl_memory_t x, y, weight, bias, scratch;
    int count;
    dnnl_exec_arg_t list[5];
} arguments;

/* A tensor of the op during a task: where its first image lies, and the staging buffer it goes through, or NULL. */
typedef struct side {
    const trib_view *view;
    trib_layout layout;
    float *data, *staging;
    dnnl_memory_t memory;
} side;

/* ---- arguments ---- */

static trib_status add(const trib_onednn_op *own, dnnl_primitive_desc_t descriptor, int which, void *data, arguments *a,
                       dnnl_memory_t *out)
{
    trib_status status = trib_success();
    trib_dnnl_md format = trib_dnnl.primitive_desc_query_md(descriptor, dnnl_query_exec_arg_md, which);
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.memory_create(out, format, own->device->onednn->engine, data));
    a->list[a->count++] = (dnnl_exec_arg_t) { which, *out };
done:
    return trib_outcome(&status);
}

static trib_status add_weights(const trib_onednn_job *job, dnnl_primitive_desc_t descriptor, void *gradient,
                               arguments *a)
{
    const trib_onednn_op *own = job->op->onednn;
    void *bias = trib_packed_bias(&own->parameters, job->parameters);
    if (gradient) return add(own, descriptor, DNNL_ARG_DIFF_WEIGHTS, gradient, a, &a->weight);
    if (!job->parameters) return trib_success();
    TRIB_TRY(add(own, descriptor, DNNL_ARG_WEIGHTS, (void *)job->parameters, a, &a->weight));
    return bias ? add(own, descriptor, DNNL_ARG_BIAS, bias, a, &a->bias) : trib_success();
}

static trib_status make_arguments(const trib_onednn_job *job, dnnl_primitive_desc_t descriptor, char *memory,
                                  void *gradient, arguments *a)
{
    const trib_onednn_op *own = job->op->onednn;
    bool back = own->recipe.g.direction != TRIB_DNNL_FORWARD;
    bool x_is_result = own->recipe.g.direction == TRIB_DNNL_BACKWARD_DATA;
    TRIB_TRY(add(own, descriptor, x_is_result ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, DNNL_MEMORY_NONE, a, &a->x));
    TRIB_TRY(add(own, descriptor, back ? DNNL_ARG_DIFF_DST : DNNL_ARG_DST, DNNL_MEMORY_NONE, a, &a->y));
    if (own->workspace.scratch) TRIB_TRY(add(own, descriptor, DNNL_ARG_SCRATCHPAD, memory, a, &a->scratch));
    return add_weights(job, descriptor, gradient, a);
}

static void destroy_arguments(arguments *a)
{
    const dnnl_memory_t made[] = { a->x, a->y, a->weight, a->bias, a->scratch };
    for (size_t i = 0; i < sizeof made / sizeof *made; ++i)
        if (made[i]) trib_dnnl.memory_destroy(made[i]);
}

/* ---- staging ---- */

/* A dense tensor with the channels of the slice, as oneDNN sees it. */
static trib_pixels dense(const side *s, int images)
{
    trib_view alone = *s->view;
    alone.n = images;
    alone.c_offset = 0;
    alone.c_total = alone.c;
    alone.layout = s->layout;
    return trib_pixels_of(&alone);
}

static trib_pixels some_images(const side *s, int images)
{
    trib_pixels p = trib_pixels_of(s->view);
    p.n = images;
    return p;
}

/* Padding channels are copied with the others, where both sides have them. */
static int channels_of(const side *s)
{
    return s->layout == s->view->layout ? trib_pixels_of(s->view).channels : s->view->c;
}

/* The last execution of a filled recipe has zeros behind its images. */
static void fill(const trib_onednn_recipe *r, const side *x)
{
    int64_t image = dense(x, 1).image;
    memset(x->staging + r->rest * image, 0, (size_t)((r->images - r->rest) * image) * sizeof(float));
}

static void stage(const side *s, int images)
{
    if (!s->staging) return;
    trib_pixels from = some_images(s, images), to = dense(s, images);
    trib_pixels_copy(&from, s->data, 0, &to, s->staging, 0, channels_of(s), false);
    trib_pixels_clear(&to, s->staging, channels_of(s));
}

static void unstage(const side *s, int images, bool accumulate)
{
    if (!s->staging) return;
    trib_pixels from = dense(s, images), to = some_images(s, images);
    if (accumulate) {
        trib_pixels_add(&from, s->staging, &to, s->data, channels_of(s));
        return;
    }
    trib_pixels_copy(&from, s->staging, 0, &to, s->data, 0, channels_of(s), false);
    trib_pixels_clear(&to, s->data, channels_of(s));
}

/* ---- running ---- */

static trib_status execute(const trib_onednn_job *job, dnnl_primitive_t primitive, dnnl_stream_t stream,
                           const arguments *a, const side *x, const side *y, int images)
{
    trib_status status = trib_success();
    trib_dnnl_direction direction = job->op->onednn->recipe.g.direction;
    if (direction != TRIB_DNNL_BACKWARD_DATA) stage(x, images);
    if (direction != TRIB_DNNL_FORWARD) stage(y, images);
    const side *const sides[] = { x, y };
    for (int i = 0; i < 2; ++i)
        TRIB_DNNL_TRY_GOTO(
            status, done,
            trib_dnnl.memory_set_data_handle(sides[i]->memory, sides[i]->staging ? sides[i]->staging : sides[i]->data));
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.primitive_execute(primitive, stream, a->count, a->list));
    TRIB_DNNL_TRY_GOTO(status, done, trib_dnnl.stream_wait(stream));
    if (direction == TRIB_DNNL_BACKWARD_DATA) unstage(x, images, job->op->desc.accumulate);
    if (direction == TRIB_DNNL_FORWARD) unstage(y, images, false);
done:
    return trib_outcome(&status);
}

char *trib_onednn_worker_memory(const trib_onednn_job *job, const trib_cpu_worker *worker)
{
    const trib_onednn_workspace *w = &job->op->onednn->workspace;
    return job->workspace ? job->workspace + w->weights + worker->index * w->worker : NULL;
}

static void *memory_of(const trib_onednn_job *job, const trib_view *view)
{
    const trib_op_desc *desc = &job->op->desc;
    for (int i = 0; i < desc->input_count; ++i)
        if (view == &desc->inputs[i]) return (void *)job->inputs[i];
    return job->outputs[0];
}

static side side_at(const trib_onednn_job *job, const trib_view *view, trib_layout layout, int first)
{
    float *data = memory_of(job, view);
    return (side) { .view = view, .layout = layout, .data = data + first * trib_pixels_of(view).image };
}

/* `times` executions, of the primitive for `rest` images or of the other. */
static trib_status run_part(const trib_onednn_job *job, const trib_cpu_worker *worker, bool rest, int first, int times,
                            void *gradient)
{
    const trib_onednn_op *own = job->op->onednn;
    const trib_onednn_recipe *r = &own->recipe;
    const trib_op_desc *desc = &job->op->desc;
    char *memory = trib_onednn_worker_memory(job, worker);
    int images = rest ? r->rest : r->images;
    arguments a = { 0 };
    side x = side_at(job, trib_onednn_x(desc, r), r->x_layout, first);
    side y = side_at(job, trib_onednn_y(desc, r), r->y_layout, first);
    if (r->stage_x) x.staging = (float *)(memory + own->workspace.scratch);
    if (r->stage_y) y.staging = (float *)(memory + own->workspace.scratch + own->workspace.x);
    const bool other = rest && !r->filled;
    if (rest && r->filled) fill(r, &x);
    trib_status status =
        make_arguments(job, other ? own->descriptors.rest : own->descriptors.all, memory, gradient, &a);
    x.memory = a.x;
    y.memory = a.y;
    for (int i = 0; i < times && !trib_failed(&status); ++i) {
        status = execute(job, other ? own->rest : own->all, worker->dnnl, &a, &x, &y, images);
        x.data += images * trib_pixels_of(x.view).image;
        y.data += images * trib_pixels_of(y.view).image;
    }
    destroy_arguments(&a);
    return trib_outcome(&status);
}

trib_status trib_onednn_run_task(const trib_onednn_job *job, const trib_cpu_worker *worker, int i, void *gradient)
{
    const trib_onednn_recipe *r = &job->op->onednn->recipe;
    int first = i * r->chunk, left = trib_onednn_x(&job->op->desc, r)->n - first;
    int images = left < r->chunk ? left : r->chunk, times = images / r->images;
    if (times) TRIB_TRY(run_part(job, worker, false, first, times, gradient));
    if (images % r->images == 0) return trib_success();
    return run_part(job, worker, true, first + times * r->images, 1, gradient);
}

static trib_status task(void *context, const trib_cpu_worker *worker, int i)
{
    return trib_onednn_run_task(context, worker, i, NULL);
}

/* Weights that are inputs are brought into the primitive's format first. */
static trib_status pack_inputs(trib_onednn_job *job, const trib_cpu_worker *worker)
{
    const trib_op_desc *desc = &job->op->desc;
    trib_op_parameters parameters = { .weight = job->inputs[1], .bias = desc->has_bias ? job->inputs[2] : NULL };
    job->parameters = job->workspace;
    return trib_onednn_pack_parameters(job->op, worker->dnnl, &parameters, job->workspace,
                                       job->workspace + job->op->onednn->workspace.weights);
}

trib_status trib_onednn_run(const trib_cpu_op *op, const trib_cpu_worker *worker, const void *const *inputs,
                            void *const *outputs, const void *packed, void *workspace)
{
    const trib_onednn_op *own = op->onednn;
    trib_onednn_job job = { .op = op,
                            .inputs = inputs,
                            .outputs = outputs,
                            .parameters = op->packing.bytes ? packed : NULL,
                            .workspace = workspace };
    if (op->desc.kind == TRIB_CONV2D_BACKWARD_WEIGHT) return trib_onednn_run_weight_gradient(&job, worker);
    if (trib_onednn_trains(&op->desc)) TRIB_TRY(pack_inputs(&job, worker));
    return trib_cpu_team_run(worker, own->workspace.workers, trib_onednn_tasks(&op->desc, &own->recipe), task, &job);
}
