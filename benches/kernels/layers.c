/* SPDX-License-Identifier: Apache-2.0 */
#include "layers.h"

#include <stdio.h>
#include <string.h>

#include "average_pools.h"
#include "op_problem.h"
#include "tributary/internal/alloc.h"
#include "tributary/network.h"

enum { MOST_NAMES = 6 };

/* One way to run a network. */
typedef struct recipe {
    const char *network; /* NULL: the pool branches of Inception v3 */
    trib_schedule schedule;
    trib_layout input_layout;
    bool from_pixels;              /* as classify and eval do: 8-bit pixels in, the likeliest classes out */
    bool from_regions;             /* likewise, of pictures on the device */
    unsigned disabled_passes;      /* for kernels that others replace otherwise */
    const char *only[MOST_NAMES];  /* take only these kernels, also in tf32; none: all */
    const trib_training *training; /* a plan for it, of all heads if it names no losses; of its kernels those that have
                                      no layers of inference. NULL: inference */
} recipe;

/* These plans have more pools, a float input, and the probabilities of all classes. */
#define MORE_WHERE_SERIAL "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "reorder", "reorder_converting", "softmax"

/* Kernels do less for frozen biases, and where nothing but one head gives what it averages a gradient. */
static const char *const some_biases[] = { "inception_4e/1x1.bias", "conv2/3x3.bias" };
static const trib_training one_update = { .average = true, .clip = true, .accumulate = 2, .loss_scale = 1 },
                           two_updates = { .average = true, .caffe_rules = true },
                           frozen_biases = { .frozen = some_biases, .frozen_count = 2 },
                           one_head = { .losses = &(const trib_loss) { "aux1", 1 }, .loss_count = 1 };

static const recipe recipes[] = {
    { .network = "bvlc",
      .schedule = TRIB_FUSED,
      .disabled_passes = 1u << TRIB_PASS_WIDEN_JOINS,
      .input_layout = TRIB_NHWC,
      .from_pixels = true },
    { .network = "torchvision",
      .schedule = TRIB_FUSED,
      .disabled_passes = 1u << TRIB_PASS_WIDEN_JOINS,
      .input_layout = TRIB_NHWC,
      .from_pixels = true },
    { .network = "bvlc", .schedule = TRIB_SERIAL, .only = { MORE_WHERE_SERIAL } },
    { .network = "torchvision", .schedule = TRIB_SERIAL, .only = { MORE_WHERE_SERIAL } },
    { .network = "bvlc", .from_pixels = true, .from_regions = true, .only = { "regions" } },
    { .network = "bvlc", .disabled_passes = 1u << TRIB_PASS_FUSE_POOL_LRN, .only = { "lrn" } },
    { .network = "torchvision", .disabled_passes = 1u << TRIB_PASS_FOLD_BATCH_NORM, .only = { "scale_shift" } },
    { .network = NULL, .schedule = TRIB_FUSED, .input_layout = TRIB_NHWC, .only = { "avg_pool2d_conv1x1" } },
    { .network = "bvlc", .schedule = TRIB_FUSED, .training = &two_updates },
    { .network = "torchvision", .schedule = TRIB_FUSED, .training = &one_update },
    { .network = "bvlc",
      .training = &frozen_biases,
      .only = { "relu_backward_without_bias", "relu_backward_without_bias_in_place" } },
    { .network = "torchvision", .training = &one_head, .only = { "adaptive_avg_pool2d_backward" } },
};

/* What is being added to. */
typedef struct collector {
    bench_layers *layers;
    trib_device *device;
    const recipe *recipe;
    int batch;
} collector;

/* ---- layers of a plan ---- */

static bool is_wanted(const recipe *r, const char *kernel)
{
    for (int i = 0; i < MOST_NAMES && r->only[i]; ++i) {
        const size_t length = strlen(r->only[i]);
        if (!strncmp(kernel, r->only[i], length) && (!kernel[length] || !strcmp(kernel + length, "_tf32"))) return true;
    }
    return !r->only[0];
}

static bool has_layers_of_inference(const bench_layers *layers, const trib_kernel *kernel)
{
    for (int i = 0; i < layers->count; ++i)
        if (layers->list[i].kernel == kernel && !layers->list[i].training) return true;
    return false;
}

static bool has_shape(const bench_layers *layers, const bench_layer *new)
{
    for (int i = 0; i < layers->count; ++i) {
        const bench_layer *l = &layers->list[i];
        if (l->kernel == new->kernel && l->dtype == new->dtype && !strcmp(l->problem.text, new->problem.text))
            return true;
    }
    return false;
}

static trib_status add_op(collector *c, const trib_plan *plan, const trib_plan_op *op)
{
    bench_layers *layers = c->layers;
    bench_layer new = { .batch = c->batch, .training = c->recipe->training != NULL };
    TRIB_TRY(bench_op_problem(plan, op, &new.kernel, &new.dtype, &new.problem));
    if (!new.kernel || !is_wanted(c->recipe, new.kernel->name) || has_shape(layers, &new)) return trib_success();
    if (new.training && has_layers_of_inference(layers, new.kernel)) return trib_success();
    snprintf(new.name, sizeof new.name, "%s", op->name);
    if (trib_grow((void **)&layers->list, &layers->capacity, (size_t)layers->count + 1, sizeof *layers->list))
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "out of host memory");
    layers->list[layers->count++] = new;
    return trib_success();
}

static trib_status add_ops(collector *c, const trib_plan *plan)
{
    for (int i = 0; i < plan->op_count; ++i) TRIB_TRY(add_op(c, plan, &plan->ops[i]));
    for (int i = 0; i < plan->prepare_count; ++i) TRIB_TRY(add_op(c, plan, &plan->prepare[i]));
    return trib_success();
}

/* ---- plans ---- */

static trib_plan_options options_of(const collector *c, trib_precision precision)
{
    trib_plan_options options = trib_plan_default_options();
    options.batch = c->batch;
    options.schedule = c->recipe->schedule;
    options.precision = precision;
    options.disabled_passes = c->recipe->disabled_passes;
    options.forced_passes = 1u << TRIB_PASS_FUSE_POOL_PROJECTION;
    options.input_layout = c->recipe->input_layout;
    return options;
}

static int losses_of(const trib_graph *graph, trib_loss *losses)
{
    int count = 0;
    for (int i = 0; i < trib_graph_output_count(graph); ++i) {
        const char *name = trib_graph_output(graph, i)->name;
        if (strcmp(name, "probabilities") != 0) losses[count++] = (trib_loss) { name, 1 };
    }
    return count;
}

static trib_status add_training(collector *c, const trib_graph *graph, trib_precision precision)
{
    trib_loss losses[TRIB_MAX_PLAN_OUTPUTS];
    trib_training training = *c->recipe->training;
    trib_plan_options options = options_of(c, precision);
    trib_plan *plan;
    if (!training.loss_count) {
        training.losses = losses;
        training.loss_count = losses_of(graph, losses);
    }
    options.training = &training;
    TRIB_TRY(trib_plan_create(graph, c->device, &options, &plan));
    const trib_status status = add_ops(c, plan);
    trib_plan_destroy(plan);
    return status;
}

static trib_status add_inference(collector *c, const trib_graph *graph, trib_precision precision)
{
    const trib_normalise normalise = { .scale = { 1, 1, 1 } };
    const char *outputs[TRIB_MAX_PLAN_OUTPUTS];
    trib_plan_options options = options_of(c, precision);
    trib_plan *plan;
    if (c->recipe->from_pixels) {
        options.normalise = &normalise;
        options.regions = c->recipe->from_regions;
        options.top_k = 5;
    } else {
        options.outputs = outputs;
        for (; options.output_count < trib_graph_output_count(graph); ++options.output_count)
            outputs[options.output_count] = trib_graph_output(graph, options.output_count)->name;
    }
    TRIB_TRY(trib_plan_create(graph, c->device, &options, &plan));
    const trib_status status = add_ops(c, plan);
    trib_plan_destroy(plan);
    return status;
}

/* In every precision; destroys the graph. */
static trib_status add_graph(collector *c, trib_graph *graph)
{
    trib_status status = trib_success();
    for (int precision = 0; precision < TRIB_PRECISION_COUNT && !trib_failed(&status); ++precision)
        status = (c->recipe->training ? add_training : add_inference)(c, graph, (trib_precision)precision);
    trib_graph_destroy(graph);
    return status;
}

static trib_status add_recipe(collector *c)
{
    trib_graph *graph;
    if (c->recipe->network) {
        const trib_network_spec spec = { .network = trib_network_find(c->recipe->network), .aux = true };
        TRIB_TRY(trib_network_graph(&spec, &graph));
        return add_graph(c, graph);
    }
    for (int i = 0; i < BENCH_AVERAGE_POOLS; ++i) {
        TRIB_TRY(bench_average_pool(i, &graph));
        TRIB_TRY(add_graph(c, graph));
    }
    return trib_success();
}

trib_status bench_layers_add(bench_layers *layers, int batch)
{
    collector c = { .layers = layers, .batch = batch };
    const trib_device_options card = { .target = "h200" };
    TRIB_TRY(trib_device_open("cuda", &card, &c.device));
    trib_status status = trib_success();
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes && !trib_failed(&status); ++i) {
        c.recipe = &recipes[i];
        status = add_recipe(&c);
    }
    trib_device_close(c.device);
    return status;
}

void bench_layers_destroy(bench_layers *layers)
{
    trib_free(layers->list);
    *layers = (bench_layers) { 0 };
}
