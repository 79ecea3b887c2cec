/* SPDX-License-Identifier: Apache-2.0 */
#include "tributary/trainer.h"

#include <string.h>

#include "graph/graph.h"
#include "plan/one_stream.h"
#include "session/lane.h"
#include "session/ops.h"
#include "trace/trace.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/process.h"

struct trib_trainer {
    trib_device *device;
    trib_graph *graph; /* names and shapes of parameters */
    trib_plan *plan;
    trib_op_handle **ops;  /* one per plan op */
    unsigned char *memory; /* all tensors */
    trib_trace *trace;
    trib_lane lane;
    bool open;   /* the lane is */
    int classes; /* the smallest number among the losses' */
    int64_t steps;
    uint64_t process; /* that created it */
};

/* ---- tensors ---- */

static int64_t elements_of(const trib_view *v) { return (int64_t)v->n * v->c * v->h * v->w; }

/* In the shape of the graph, which has no padding. */
static int64_t values_of(const trib_trainer *t, const trib_plan_tensor *tensor)
{
    const trib_shape *shape = &t->graph->parameters[tensor->parameter].shape;
    int64_t count = 1;
    for (int i = 0; i < shape->rank; ++i) count *= shape->dim[i];
    return count;
}

static unsigned char *address(const trib_trainer *t, const trib_view *v)
{
    return t->memory + t->plan->buffers[v->buffer].offset;
}

/* Between O,I,R,S, the order of the graph, and O,R,S,I, that of a GPU, which may have more channels. */
static void reorder(const trib_view *v, int64_t channels, const float *from, float *to, bool to_graph)
{
    int64_t pixels = (int64_t)v->h * v->w;
    for (int64_t k = 0; k < v->n; ++k)
        for (int64_t c = 0; c < channels; ++c)
            for (int64_t i = 0; i < pixels; ++i) {
                int64_t graph = (k * channels + c) * pixels + i, device = (k * pixels + i) * v->c + c;
                to[to_graph ? graph : device] = from[to_graph ? device : graph];
            }
}

static int64_t channels_of(const trib_trainer *t, const trib_plan_tensor *tensor)
{
    const trib_view *v = &tensor->view;
    return values_of(t, tensor) / ((int64_t)v->n * v->h * v->w);
}

static trib_status no_room(int64_t count)
{
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %lld values", (long long)count);
}

static trib_status copy_in(trib_trainer *t, const trib_view *v, const float *values)
{
    trib_stream *stream = t->lane.streams[0];
    TRIB_TRY(trib_copy_to_device(stream, address(t, v), values, (size_t)elements_of(v) * sizeof *values));
    return trib_stream_synchronize(stream);
}

static trib_status copy_out(trib_trainer *t, const trib_view *v, float *values)
{
    trib_stream *stream = t->lane.streams[0];
    TRIB_TRY(trib_copy_to_host(stream, values, address(t, v), (size_t)elements_of(v) * sizeof *values));
    return trib_stream_synchronize(stream);
}

static trib_status write(trib_trainer *t, const trib_plan_tensor *tensor, const float *values)
{
    const trib_view *v = &tensor->view;
    if (v->layout == TRIB_NCHW) return copy_in(t, v, values);
    float *ordered = trib_alloc_zeroed((size_t)elements_of(v), sizeof *ordered);
    if (!ordered) return no_room(elements_of(v));
    reorder(v, channels_of(t, tensor), values, ordered, false);
    trib_status status = copy_in(t, v, ordered);
    trib_free(ordered);
    return status;
}

static trib_status read(trib_trainer *t, const trib_plan_tensor *tensor, float *values)
{
    const trib_view *v = &tensor->view;
    if (v->layout == TRIB_NCHW) return copy_out(t, v, values);
    float *ordered = trib_alloc((size_t)elements_of(v) * sizeof *ordered);
    if (!ordered) return no_room(elements_of(v));
    trib_status status = copy_out(t, v, ordered);
    if (!trib_failed(&status)) reorder(v, channels_of(t, tensor), ordered, values, true);
    trib_free(ordered);
    return status;
}

static trib_status check_index(const trib_trainer *t, int index, const void *values)
{
    if (!t || !values || index < 0 || index >= t->plan->tensor_count)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "there is no tensor %d to copy", index);
    return trib_made_here(t->process, "trainer");
}

trib_status trib_trainer_read(trib_trainer *t, int index, float *values)
{
    TRIB_TRY(check_index(t, index, values));
    trib_status status = read(t, &t->plan->tensors[index], values);
    trib_add_context(&status, "reading %s", trib_trainer_tensor_at(t, index).name);
    return status;
}

trib_status trib_trainer_write(trib_trainer *t, int index, const float *values)
{
    TRIB_TRY(check_index(t, index, values));
    trib_status status = write(t, &t->plan->tensors[index], values);
    trib_add_context(&status, "writing %s", trib_trainer_tensor_at(t, index).name);
    return status;
}

const float *trib_trainer_values(const trib_trainer *t, int index)
{
    const trib_plan_tensor *tensor = &t->plan->tensors[index];
    bool dense = tensor->view.layout == TRIB_NCHW && elements_of(&tensor->view) == values_of(t, tensor);
    return dense && trib_device_get_info(t->device)->host ? (const float *)address(t, &tensor->view) : NULL;
}

/* ---- a loss scale that adapts ---- */

static trib_status check_loss_scale(const trib_trainer *t, const void *values)
{
    if (!t || !values || t->plan->loss_scale < 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "there is no loss scale that adapts");
    return trib_made_here(t->process, "trainer");
}

/* As float32 values. */
static trib_view loss_scale_of(const trib_trainer *t)
{
    return (trib_view) { .buffer = t->plan->loss_scale,
                         .dtype = TRIB_F32,
                         .n = 1,
                         .c = sizeof(trib_loss_scale) / sizeof(float),
                         .h = 1,
                         .w = 1 };
}

trib_status trib_trainer_read_loss_scale(trib_trainer *t, trib_loss_scale *out)
{
    TRIB_TRY(check_loss_scale(t, out));
    const trib_view view = loss_scale_of(t);
    trib_status status = copy_out(t, &view, &out->scale);
    trib_add_context(&status, "reading the loss scale");
    return status;
}

trib_status trib_trainer_write_loss_scale(trib_trainer *t, const trib_loss_scale *scale)
{
    TRIB_TRY(check_loss_scale(t, scale));
    const trib_view view = loss_scale_of(t);
    trib_status status = copy_in(t, &view, &scale->scale);
    trib_add_context(&status, "writing the loss scale");
    return status;
}

int trib_trainer_tensor_count(const trib_trainer *t) { return t->plan->tensor_count; }

trib_trainer_tensor trib_trainer_tensor_at(const trib_trainer *t, int index)
{
    const trib_plan_tensor *tensor = &t->plan->tensors[index];
    const trib_parameter *parameter = &t->graph->parameters[tensor->parameter];
    return (trib_trainer_tensor) { tensor->role, parameter->name, parameter->shape };
}

int trib_trainer_find(const trib_trainer *t, trib_tensor_role role, const char *name)
{
    for (int i = 0; i < t->plan->tensor_count; ++i)
        if (t->plan->tensors[i].role == role && !strcmp(t->graph->parameters[t->plan->tensors[i].parameter].name, name))
            return i;
    return -1;
}

/* ---- building ---- */

static trib_status load_one(trib_trainer *t, const trib_plan_tensor *tensor, const trib_tensor *from)
{
    if (from->dtype == TRIB_F32) return write(t, tensor, from->data);
    int64_t count = values_of(t, tensor);
    float *values = trib_alloc((size_t)count * sizeof *values);
    if (!values) return no_room(count);
    trib_convert_to_f32(from->data, from->dtype, (size_t)count, values);
    trib_status status = write(t, tensor, values);
    trib_free(values);
    return status;
}

/* Capturing may have run ops: all tensors begin as zeros, then parameters get their values, averages those of their
 * parameters, and a loss scale that adapts begins. */
static trib_status load(trib_trainer *t, const trib_tensor *parameters, float loss_scale)
{
    TRIB_TRY(trib_fill_zero(t->lane.streams[0], t->memory, (size_t)t->plan->parameter_bytes));
    for (int i = 0; i < t->plan->tensor_count; ++i) {
        const trib_plan_tensor *tensor = &t->plan->tensors[i];
        const trib_tensor *from = &parameters[tensor->parameter];
        if (tensor->role != TRIB_TENSOR_PARAMETER && tensor->role != TRIB_TENSOR_AVERAGE) continue;
        trib_status status = load_one(t, tensor, from);
        trib_add_context(&status, "parameter %s", t->graph->parameters[tensor->parameter].name);
        if (trib_failed(&status)) return status;
    }
    return t->plan->loss_scale < 0 ? trib_success()
                                   : trib_trainer_write_loss_scale(t, &(trib_loss_scale) { .scale = loss_scale });
}

/* Zeros, on a stream that ends before the lane begins. */
static trib_status take_memory(trib_trainer *t)
{
    size_t bytes = (size_t)t->plan->parameter_bytes;
    trib_stream *stream = NULL;
    void *memory = NULL;
    TRIB_TRY(trib_stream_create(t->device, &(trib_stream_options) { .name = "tensors" }, &stream));
    trib_status status = trib_device_alloc(t->device, stream, bytes, &memory);
    t->memory = memory;
    trib_add_context(&status, "parameters, gradients and state of %s", t->plan->graph_name);
    if (!trib_failed(&status)) status = trib_fill_zero(stream, memory, bytes);
    if (!trib_failed(&status)) status = trib_stream_synchronize(stream);
    trib_stream_destroy(stream);
    return trib_outcome(&status);
}

static int fewest_classes(const trib_plan *p)
{
    int64_t fewest = INT32_MAX;
    for (int i = 0; i < p->output_count; ++i)
        if (p->outputs[i].shape.rank == 2 && p->outputs[i].shape.dim[1] < fewest) fewest = p->outputs[i].shape.dim[1];
    return (int)fewest;
}

static trib_status build(trib_trainer *t, const trib_graph *graph, const trib_tensor *parameters,
                         const trib_trainer_options *o)
{
    TRIB_TRY(trib_check_parameters(graph, parameters));
    TRIB_TRY(trib_graph_clone(graph, &t->graph));
    TRIB_TRY(trib_plan_create(graph, t->device, &o->plan, &t->plan));
    if (o->one_stream) trib_plan_use_one_stream(t->plan);
    TRIB_TRY(trib_ops_create(t->device, t->plan, &t->ops));
    const trib_trace_subject subject = { t->device, t->plan, 1, TRIB_CHUNKS_IN_FLIGHT, o->timeline };
    TRIB_TRY(trib_trace_create(&subject, trib_trace_default_sinks(), &t->trace));
    TRIB_TRY(take_memory(t));
    t->classes = fewest_classes(t->plan);
    t->lane =
        (trib_lane) { .device = t->device, .plan = t->plan, .ops = t->ops, .parameters = t->memory, .trace = t->trace };
    t->open = true;
    TRIB_TRY(trib_lane_open(&t->lane, o->launch, 1));
    return load(t, parameters, o->plan.training->loss_scale);
}

trib_status trib_trainer_create(trib_device *device, const trib_graph *graph, const trib_tensor *parameters,
                                const trib_trainer_options *options, trib_trainer **out)
{
    if (!device || !graph || !options || !options->plan.training)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a trainer needs a device, a graph, and options with what to train");
    trib_trainer *t = trib_alloc_zeroed(1, sizeof *t);
    if (!t) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a trainer");
    t->process = trib_process();
    t->device = device;
    trib_status status = build(t, graph, parameters, options);
    if (trib_failed(&status)) {
        trib_add_context(&status, "preparing to train %s", trib_graph_name(graph));
        trib_trainer_destroy(t);
        return status;
    }
    *out = t;
    return trib_success();
}

void trib_trainer_destroy(trib_trainer *t)
{
    if (!t || t->process != trib_process()) return;
    if (t->open) trib_lane_close(&t->lane);
    trib_device_free(t->device, NULL, t->memory); /* the lane has waited for its work */
    trib_ops_destroy(t->plan, t->ops);
    trib_trace_destroy(t->trace);
    trib_plan_destroy(t->plan);
    trib_graph_destroy(t->graph);
    trib_free(t);
}

const trib_plan *trib_trainer_plan(const trib_trainer *t) { return t->plan; }

/* ---- a step ---- */

static trib_status check_labels(const trib_trainer *t, const int32_t *labels)
{
    for (int i = 0; i < t->plan->batch; ++i)
        if (labels[i] < 0 || labels[i] >= t->classes)
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "label %d of image %d is not one of the %d classes",
                              (int)labels[i], i, t->classes);
    return trib_success();
}

static trib_status step(trib_trainer *t, const void *const *inputs, void *const *outputs)
{
    int64_t chunk = t->lane.submitted;
    t->lane.serial = t->steps++;
    trib_status status = trib_lane_submit(&t->lane, inputs, t->plan->batch, outputs);
    if (!trib_failed(&status)) return trib_lane_wait(&t->lane, chunk, chunk + 1);
    trib_lane_drain(&t->lane); /* the caller's memory must not be in use on return */
    return status;
}

trib_status trib_trainer_step(trib_trainer *t, const void *images, const int32_t *labels,
                              const trib_step_controls *controls, void *const *outputs)
{
    if (!t || !images || !labels || !controls || !outputs)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a step needs a trainer, images, labels, controls and outputs");
    TRIB_TRY(trib_made_here(t->process, "trainer"));
    TRIB_TRY(check_labels(t, labels));
    trib_status status = step(t, (const void *[]) { images, labels, controls }, outputs);
    trib_add_context(&status, "step %lld of %s", (long long)controls->step, t->plan->graph_name);
    return trib_outcome(&status);
}
