/* SPDX-License-Identifier: Apache-2.0
 * What stays in memory from step to step: regions of the same order (values, gradients, their sums, momentum, moving
 * averages), so that the update of all parameters is one op on flat memory, or one per pair of multiples of learning
 * rate and weight decay; behind them what no update touches, running statistics and frozen parameters; and with a
 * precision of 16 bits, copies of the weights in that type, in the order of the values.
 *
 * The caller sees one gradient of a parameter: the sum, if there is one. */
#include <stdlib.h>
#include <string.h>

#include "device/alignment.h"
#include "lowering/training.h"
#include "tributary/internal/alloc.h"

/* ---- groups of parameters with the same multiples ---- */

typedef enum group { WEIGHTS = 0, BIASES, NOT_UPDATED } group;

static bool is_statistic(trib_role role) { return role == TRIB_BN_MEAN || role == TRIB_BN_VAR; }

bool trib_is_frozen(const trib_training *t, const char *name)
{
    for (int i = 0; i < t->frozen_count; ++i)
        if (!strncmp(name, t->frozen[i], strlen(t->frozen[i]))) return true;
    return false;
}

static group group_of(const trib_training *t, const trib_parameter *p)
{
    if (is_statistic(p->role) || trib_is_frozen(t, p->name)) return NOT_UPDATED;
    bool bias = p->role == TRIB_BIAS || p->role == TRIB_BN_BIAS;
    return t->caffe_rules && bias ? BIASES : WEIGHTS;
}

/* Layers that no loss needs are gone, and their parameters have no memory. */
static bool is_in_group(const trib_lowering *l, const trib_parameter *p, group which)
{
    return p->layer >= 0 && group_of(l->options.training, p) == which;
}

/* ---- views ---- */

static trib_view flat(int64_t count)
{
    return (trib_view) { .buffer = -1,
                         .dtype = TRIB_F32,
                         .layout = TRIB_NCHW,
                         .n = 1,
                         .c = (int)count,
                         .h = 1,
                         .w = 1,
                         .c_total = (int)count };
}

/* Of a filter. Those for an image's padding are zeros, and stay zeros: so is what such channels hold. */
static int channels_of(const trib_lowering *l, const trib_parameter *p, int input)
{
    return l->graph->layers[input].kind == TRIB_INPUT ? trib_entry_channels(l, input) : (int)p->shape.dim[1];
}

/* A weight is K,C,R,S; of a linear layer, C,R,S is the shape of its input. */
static trib_view view_of(const trib_lowering *l, const trib_parameter *p)
{
    const trib_layer *layer = &l->graph->layers[p->layer];
    trib_view v = flat(p->shape.dim[0]);
    if (p->shape.rank == 1) return v;
    const trib_layer *input = &l->graph->layers[layer->inputs[0]];
    bool filter = p->shape.rank == 4;
    v.layout = trib_device_get_info(l->device)->host ? TRIB_NCHW : TRIB_NHWC;
    v.n = (int)p->shape.dim[0];
    v.c = v.c_total = filter ? channels_of(l, p, layer->inputs[0]) : input->c;
    v.h = filter ? (int)p->shape.dim[2] : input->h;
    v.w = filter ? (int)p->shape.dim[3] : input->w;
    return v;
}

/* ---- regions ---- */

typedef struct region {
    trib_tensor_role role;
    trib_buffer_kind kind;
    const char *name, *suffix;
    bool seen; /* by the caller: it is listed among the plan's tensors */
    int64_t begin;
} region;

enum { VALUES, GRADIENTS, SUMS, MOMENTUM, AVERAGES, REGIONS };

static trib_status add_buffer(trib_lowering *l, const char *name, trib_buffer_kind kind, int64_t offset,
                              trib_view *view)
{
    if (!name) return trib_plan_no_memory();
    TRIB_TRY(trib_lowering_add_buffer(l, name, kind, trib_view_bytes(view), &view->buffer));
    l->plan->buffers[view->buffer].offset = offset;
    int64_t end = offset + trib_aligned(trib_view_bytes(view));
    if (end > l->plan->parameter_bytes) l->plan->parameter_bytes = end;
    return trib_success();
}

static trib_status place(trib_lowering *l, const region *r, int parameter, int64_t offset, trib_view *view)
{
    const trib_parameter *p = &l->graph->parameters[parameter];
    trib_plan *plan = l->plan;
    *view = view_of(l, p);
    const char *name = trib_strings_format(l->strings, "%s%s", p->name, r->suffix);
    TRIB_TRY(add_buffer(l, name, r->kind, r->begin + offset, view));
    if (r->seen) plan->tensors[plan->tensor_count++] = (trib_plan_tensor) { r->role, parameter, *view };
    return trib_success();
}

static bool sums(const trib_training *t) { return t->accumulate > 1; }

static bool has_region(const trib_training *t, int region)
{
    if (region == SUMS) return sums(t);
    if (region == MOMENTUM) return !t->no_update;
    return region != AVERAGES || t->average;
}

static trib_view *place_of(trib_trained *t, int region)
{
    trib_view *const places[REGIONS] = { &t->value, &t->gradient, &t->sum, &t->momentum, &t->average };
    return places[region];
}

static trib_view *place_in_update(trib_update *u, int region)
{
    trib_view *const places[REGIONS] = { &u->value, &u->gradient, &u->sum, &u->momentum, &u->average };
    return places[region];
}

static trib_status place_parameter(trib_lowering *l, const region *regions, int id, int64_t *offset)
{
    const trib_training *t = l->options.training;
    bool updated = group_of(t, &l->graph->parameters[id]) != NOT_UPDATED;
    for (int r = 0; r < (updated ? REGIONS : GRADIENTS); ++r)
        if (has_region(t, r)) TRIB_TRY(place(l, &regions[r], id, *offset, place_of(&l->trained[id], r)));
    *offset += trib_aligned(trib_view_bytes(&l->trained[id].value));
    return trib_success();
}

/* A weight, or all weights of a merged set one behind the other when its first member is met. */
static trib_status place_in_order(trib_lowering *l, const region *regions, int id, int64_t *offset)
{
    const trib_parameter *p = &l->graph->parameters[id];
    const trib_merged *m = p->role == TRIB_WEIGHT ? trib_merged_of(l, p->layer) : NULL;
    if (l->trained[id].value.buffer >= 0) return trib_success();
    if (!m) return place_parameter(l, regions, id, offset);
    for (int i = 0; i < m->count; ++i)
        TRIB_TRY(place_parameter(l, regions, l->graph->layers[m->layers[i]].parameters[TRIB_WEIGHT], offset));
    return trib_success();
}

/* The parameters of a group, one behind the other in each region; *offset is where they begin and end. */
static trib_status place_group(trib_lowering *l, const region *regions, group which, int64_t *offset)
{
    for (int i = 0; i < (int)l->graph->parameter_count; ++i)
        if (is_in_group(l, &l->graph->parameters[i], which)) TRIB_TRY(place_in_order(l, regions, i, offset));
    return trib_success();
}

/* The same memory as the group's tensors, as one vector in each region. */
static trib_status place_update(trib_lowering *l, const region *regions, int64_t begin, int64_t end, trib_update *out)
{
    if (end == begin) return trib_success();
    if ((end - begin) / (int64_t)sizeof(float) > INT32_MAX)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "parameters of %lld bytes: one update takes at most 8 GB",
                          (long long)(end - begin));
    for (int r = 0; r < REGIONS; ++r) {
        if (!has_region(l->options.training, r)) continue;
        trib_view *view = place_in_update(out, r);
        *view = flat((end - begin) / (int64_t)sizeof(float));
        TRIB_TRY(add_buffer(l, regions[r].name, regions[r].kind, regions[r].begin + begin, view));
    }
    return trib_success();
}

static trib_status place_tensors(trib_lowering *l)
{
    static const trib_sgd multiples[] = { { .rate = 1, .decay = 1 }, { .rate = 2, .decay = 0 } };
    region regions[REGIONS] = {
        { TRIB_TENSOR_PARAMETER, TRIB_BUFFER_PARAMETER, "parameters", "", true, 0 },
        { TRIB_TENSOR_GRADIENT, TRIB_BUFFER_GRADIENT, "gradients", "/gradient", !sums(l->options.training), 0 },
        { TRIB_TENSOR_GRADIENT, TRIB_BUFFER_GRADIENT, "sums", "/sum", true, 0 },
        { TRIB_TENSOR_MOMENTUM, TRIB_BUFFER_STATE, "momentum", "/momentum", true, 0 },
        { TRIB_TENSOR_AVERAGE, TRIB_BUFFER_STATE, "averages", "/average", true, 0 },
    };
    int64_t size = 0, offset = 0;
    for (int i = 0; i < (int)l->graph->parameter_count; ++i) {
        const trib_parameter *p = &l->graph->parameters[i];
        if (!is_in_group(l, p, WEIGHTS) && !is_in_group(l, p, BIASES)) continue;
        trib_view v = view_of(l, p);
        size += trib_aligned(trib_view_bytes(&v));
    }
    for (int r = 1; r < REGIONS; ++r)
        regions[r].begin = regions[r - 1].begin + (has_region(l->options.training, r - 1) ? size : 0);
    for (group g = WEIGHTS; g <= BIASES; ++g) {
        int64_t begin = offset;
        TRIB_TRY(place_group(l, regions, g, &offset));
        l->updates[g].attributes = multiples[g];
        l->updates[g].attributes.nesterov = l->options.training->nesterov;
        TRIB_TRY(place_update(l, regions, begin, offset, &l->updates[g]));
    }
    offset = l->plan->parameter_bytes;
    return place_group(l, regions, NOT_UPDATED, &offset);
}

/* ---- copies of 16 bits: of ranges of values that begin and end where memory of a device begins ---- */

static bool has_copy(const trib_lowering *l, const trib_parameter *p, bool frozen)
{
    bool updated = is_in_group(l, p, WEIGHTS);
    return p->role == TRIB_WEIGHT && (frozen ? is_in_group(l, p, NOT_UPDATED) : updated);
}

static trib_status place_copy(trib_lowering *l, int parameter, const trib_copied *c)
{
    trib_trained *t = &l->trained[parameter];
    const trib_plan_buffer *buffers = l->plan->buffers;
    const int64_t begin = buffers[c->copies.buffer].offset, from = buffers[c->values.buffer].offset;
    const int64_t offset = begin + (buffers[t->value.buffer].offset - from) / 2;
    t->copy = t->value;
    t->copy.dtype = c->copies.dtype;
    return add_buffer(l, trib_strings_format(l->strings, "%s/copy", l->graph->parameters[parameter].name),
                      TRIB_BUFFER_STATE, offset, &t->copy);
}

/* Of weights that are updated, or of those that are frozen: all that lies between the first and the last. */
static trib_status place_copies(trib_lowering *l, bool frozen, trib_copied *c)
{
    const int count = (int)l->graph->parameter_count;
    int64_t begin = INT64_MAX, end = 0;
    for (int i = 0; i < count; ++i) {
        if (!has_copy(l, &l->graph->parameters[i], frozen)) continue;
        const trib_plan_buffer *b = &l->plan->buffers[l->trained[i].value.buffer];
        if (b->offset < begin) begin = b->offset;
        if (b->offset + b->bytes > end) end = b->offset + b->bytes;
    }
    if (!end) return trib_success();
    c->values = c->copies = flat((end - begin) / (int64_t)sizeof(float));
    c->copies.dtype = trib_precision_dtype(l->options.precision);
    const char *values = frozen ? "frozen weights" : "weights", *copies = frozen ? "frozen copies" : "copies";
    TRIB_TRY(add_buffer(l, values, TRIB_BUFFER_PARAMETER, begin, &c->values));
    TRIB_TRY(add_buffer(l, copies, TRIB_BUFFER_STATE, l->plan->parameter_bytes, &c->copies));
    for (int i = 0; i < count; ++i)
        if (has_copy(l, &l->graph->parameters[i], frozen)) TRIB_TRY(place_copy(l, i, c));
    return trib_success();
}

trib_status trib_add_weight_copies(trib_lowering *l)
{
    for (int i = 0; i < TRIB_COPIED; ++i) {
        trib_plan_op op;
        if (l->copied[i].copies.buffer < 0) continue;
        TRIB_TRY(trib_new_training_op(trib_strings_add(l->strings, i ? "copy_frozen_weights" : "copy_weights"),
                                      TRIB_REORDER, &op));
        trib_add_input_view(&op, l->copied[i].values);
        trib_add_output_view(&op, l->copied[i].copies);
        TRIB_TRY(trib_lowering_add_op(l, &op));
    }
    return trib_success();
}

/* ---- what ops read ---- */

trib_view trib_view_read(const trib_trained *t) { return t->copy.buffer >= 0 ? t->copy : t->value; }

trib_status trib_merged_view(trib_lowering *l, const trib_merged *m, bool gradients, trib_view *out)
{
    const trib_trained *first = &l->trained[l->graph->layers[m->layers[0]].parameters[TRIB_WEIGHT]];
    *out = gradients ? first->gradient : trib_view_read(first);
    const trib_plan_buffer *at = &l->plan->buffers[out->buffer];
    const trib_buffer_kind kind = at->kind;
    const int64_t offset = at->offset;
    const char *name = trib_strings_format(l->strings, "%s+%d", at->name, m->count - 1);
    out->n = 0;
    for (int i = 0; i < m->count; ++i) out->n += l->graph->layers[m->layers[i]].c;
    return add_buffer(l, name, kind, offset, out);
}

/* ---- inputs ---- */

static trib_status add_input(trib_lowering *l, const char *name, trib_shape shape, trib_view *view)
{
    trib_plan *p = l->plan;
    TRIB_TRY(trib_lowering_add_buffer(l, name, TRIB_BUFFER_INPUT, trib_view_bytes(view), &view->buffer));
    p->inputs[p->input_count++] = (trib_plan_input) { .name = p->buffers[view->buffer].name,
                                                      .buffer = view->buffer,
                                                      .shape = shape,
                                                      .dtype = view->dtype,
                                                      .layout = view->layout };
    return trib_success();
}

/* What stays of a loss scale that adapts, and a run's controls with it. */
static trib_status place_loss_scale(trib_lowering *l)
{
    const trib_training *t = l->options.training;
    trib_plan *p = l->plan;
    l->step_controls = l->controls;
    l->loss_scale.buffer = -1;
    if (!(t->loss_scale > 0) || t->no_update) return trib_success();
    l->loss_scale = flat(sizeof(trib_loss_scale) / sizeof(float));
    TRIB_TRY(add_buffer(l, "loss_scale", TRIB_BUFFER_STATE, p->parameter_bytes, &l->loss_scale));
    TRIB_TRY(add_buffer(l, "scaled_controls", TRIB_BUFFER_STATE, p->parameter_bytes, &l->step_controls));
    p->loss_scale = l->loss_scale.buffer;
    return trib_success();
}

static trib_status add_inputs(trib_lowering *l)
{
    l->labels = flat(1);
    l->labels.dtype = TRIB_I32;
    l->labels.n = l->options.batch;
    l->controls = flat((int64_t)sizeof(trib_step_controls));
    l->controls.dtype = TRIB_U8;
    TRIB_TRY(add_input(l, "labels", trib_shape_of(4, l->labels.n, 1, 1, 1), &l->labels));
    TRIB_TRY(add_input(l, "controls", trib_shape_of(4, 1, l->controls.c, 1, 1), &l->controls));
    return place_loss_scale(l);
}

/* Those of one role in the order of the graph's parameters, whatever their order in memory. */
static int by_role(const void *x, const void *y)
{
    const trib_plan_tensor *a = x, *b = y;
    if (a->role != b->role) return (int)a->role - (int)b->role;
    return a->parameter - b->parameter;
}

static void sort_tensors(trib_plan *p) { qsort(p->tensors, (size_t)p->tensor_count, sizeof *p->tensors, by_role); }

trib_status trib_place_training(trib_lowering *l)
{
    size_t count = l->graph->parameter_count;
    l->trained = trib_alloc_zeroed(count + 1, sizeof *l->trained);
    l->plan->tensors = trib_alloc_zeroed(REGIONS * count + 1, sizeof *l->plan->tensors);
    if (!l->trained || !l->plan->tensors) return trib_plan_no_memory();
    for (size_t i = 0; i < count; ++i) {
        for (int r = 0; r < REGIONS; ++r) place_of(&l->trained[i], r)->buffer = -1;
        l->trained[i].copy.buffer = -1;
    }
    for (int g = 0; g < TRIB_UPDATES; ++g)
        for (int r = 0; r < REGIONS; ++r) place_in_update(&l->updates[g], r)->buffer = -1;
    TRIB_TRY(trib_find_merged(l));
    TRIB_TRY(place_tensors(l));
    for (int i = 0; i < TRIB_COPIED; ++i) {
        l->copied[i].values.buffer = l->copied[i].copies.buffer = -1;
        if (trib_precision_dtype(l->options.precision) != TRIB_F32) TRIB_TRY(place_copies(l, i, &l->copied[i]));
    }
    sort_tensors(l->plan);
    return add_inputs(l);
}
