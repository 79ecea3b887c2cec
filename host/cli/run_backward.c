/* SPDX-License-Identifier: Apache-2.0 */
#include "run_backward.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "output.h"
#include "training.h"
#include "tributary/internal/alloc.h"

enum { NAME = 160 };

typedef struct backward {
    const cli_backward *options;
    uint64_t seed;
    trib_device *device;
    trib_model *model;
    trib_safetensors *file;
    const float *input;
    float *converted; /* of an input that is not float32 */
    int32_t *labels;
    int count; /* images: one batch */
    cli_training training;
    trib_trainer *trainer;
    void **outputs; /* of the plan */
    trib_tensor *tensors;
    int tensor_count;
} backward;

/* ---- the batch ---- */

static trib_status find(const backward *b, const char *path, const char *name, const trib_tensor **out)
{
    *out = trib_safetensors_find(b->file, name);
    return *out ? trib_success() : TRIB_ERROR(TRIB_NOT_FOUND, "%s: has no tensor '%s'", path, name);
}

static trib_status read_input(backward *b, const char *path)
{
    const trib_tensor *t;
    const trib_network_spec *net = trib_model_network(b->model);
    char text[TRIB_SHAPE_TEXT];
    TRIB_TRY(find(b, path, "input", &t));
    const int64_t *dim = t->shape.dim;
    if (t->shape.rank != 4 || dim[0] < 1 || dim[0] > 65536 || dim[1] != 3 || dim[2] != net->height ||
        dim[3] != net->width)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: 'input' is %s, but %s takes [N, 3, %d, %d] with N of 1 to 65536", path,
                          trib_shape_text(&t->shape, text), trib_model_path(b->model), net->height, net->width);
    if (!trib_dtype_is_float(t->dtype))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: 'input' is %s; it must be f32, f16 or bf16", path,
                          trib_dtype_name(t->dtype));
    b->count = (int)dim[0];
    b->input = t->data;
    if (t->dtype == TRIB_F32) return trib_success();
    size_t elements = (size_t)b->count * 3 * (size_t)net->height * (size_t)net->width;
    b->input = b->converted = trib_realloc_array(NULL, elements, sizeof *b->converted);
    if (!b->converted) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a batch of %d images", b->count);
    trib_convert_to_f32(t->data, t->dtype, elements, b->converted);
    return trib_success();
}

/* The trainer checks that they are classes. */
static trib_status read_labels(backward *b, const char *path)
{
    const trib_tensor *t;
    TRIB_TRY(find(b, path, "labels", &t));
    if ((t->dtype != TRIB_I32 && t->dtype != TRIB_I64) || t->shape.rank != 1 || t->shape.dim[0] != b->count)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: 'labels' must be %d numbers, i32 or i64", path, b->count);
    b->labels = trib_realloc_array(NULL, (size_t)b->count, sizeof *b->labels);
    if (!b->labels) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d labels", b->count);
    for (int i = 0; i < b->count; ++i) {
        int64_t wide = t->dtype == TRIB_I64 ? ((const int64_t *)t->data)[i] : ((const int32_t *)t->data)[i];
        b->labels[i] = wide >= 0 && wide <= INT32_MAX ? (int32_t)wide : -1;
    }
    return trib_success();
}

/* ---- results ---- */

static trib_status add(backward *b, const char *name, const trib_shape *shape, float **values)
{
    int64_t elements;
    trib_tensor *t = &b->tensors[b->tensor_count];
    TRIB_TRY(trib_shape_count(shape, &elements));
    *t = (trib_tensor) { .dtype = TRIB_F32, .shape = *shape };
    t->name = trib_strdup(name);
    *values = trib_realloc_array(NULL, (size_t)elements, sizeof **values);
    t->data = *values;
    ++b->tensor_count; /* what there is of it is released */
    return t->name && t->data ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for '%s'", name);
}

/* Logits of step 0. */
static trib_status add_outputs(backward *b)
{
    const trib_plan *plan = trib_trainer_plan(b->trainer);
    for (int i = 0; i < plan->output_count; ++i) {
        const trib_plan_output *output = &plan->outputs[i];
        float *values;
        int64_t elements;
        if (strncmp(output->name, "loss/", 5) == 0) continue;
        TRIB_TRY(add(b, output->name, &output->shape, &values));
        TRIB_TRY(trib_shape_count(&output->shape, &elements));
        memcpy(values, b->outputs[i], (size_t)elements * sizeof *values);
    }
    return trib_success();
}

static trib_status add_tensors(backward *b, trib_tensor_role role, const char *prefix)
{
    const trib_graph *graph = trib_model_graph(b->model);
    char name[NAME], file_name[128];
    for (int i = 0; i < trib_trainer_tensor_count(b->trainer); ++i) {
        trib_trainer_tensor tensor = trib_trainer_tensor_at(b->trainer, i);
        float *values;
        if (tensor.role != role) continue;
        trib_parameter_file_name(graph, trib_model_dialect(b->model), trib_graph_find_parameter(graph, tensor.name),
                                 file_name);
        snprintf(name, sizeof name, "%s%s", prefix, file_name);
        TRIB_TRY(add(b, name, &tensor.shape, &values));
        TRIB_TRY(trib_trainer_read(b->trainer, i, values));
    }
    return trib_success();
}

/* ---- steps ---- */

static trib_status allocate(backward *b)
{
    const trib_plan *plan = trib_trainer_plan(b->trainer);
    b->outputs = trib_alloc_zeroed((size_t)plan->output_count, sizeof *b->outputs);
    /* outputs, gradients and parameters, loss and losses */
    b->tensors = trib_alloc_zeroed((size_t)(plan->output_count + plan->tensor_count) + 2, sizeof *b->tensors);
    if (!b->outputs || !b->tensors) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the results");
    for (int i = 0; i < plan->output_count; ++i) {
        int64_t elements;
        TRIB_TRY(trib_shape_count(&plan->outputs[i].shape, &elements));
        b->outputs[i] = trib_realloc_array(NULL, (size_t)elements, sizeof(float));
        if (!b->outputs[i])
            return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for '%s' of %d images", plan->outputs[i].name, b->count);
    }
    return trib_success();
}

/* The sum of weight * mean over the heads. */
static float total_loss(const backward *b)
{
    const trib_plan *plan = trib_trainer_plan(b->trainer);
    double total = 0;
    for (int i = 0; i < plan->output_count; ++i)
        for (int head = 0; head < b->training.training.loss_count; ++head) {
            const char *name = plan->outputs[i].name;
            if (strncmp(name, "loss/", 5) != 0 || strcmp(name + 5, b->training.losses[head].output) != 0) continue;
            double sum = 0;
            for (int k = 0; k < b->count; ++k) sum += (double)((const float *)b->outputs[i])[k];
            total += (double)b->training.losses[head].weight * sum / b->count;
        }
    return (float)total;
}

static trib_status run_step(backward *b, int step)
{
    const cli_backward *o = b->options;
    trib_step_controls controls = { .seed = b->seed,
                                    .step = (uint64_t)step,
                                    .lr = (float)o->lr,
                                    .momentum = (float)o->momentum,
                                    .weight_decay = (float)o->weight_decay,
                                    .loss_scale = 1 };
    if (cli_stopped()) return TRIB_ERROR(TRIB_CANCELLED, "interrupted");
    return trib_trainer_step(b->trainer, b->input, b->labels, &controls, b->outputs);
}

static trib_status run_all(backward *b)
{
    int steps = b->options->steps ? b->options->steps : 1;
    float *first, *losses = NULL;
    const trib_shape one = { .rank = 1, .dim = { 1 } }, all = { .rank = 1, .dim = { steps } };
    TRIB_TRY(run_step(b, 0));
    TRIB_TRY(add_outputs(b));
    TRIB_TRY(add(b, "loss", &one, &first));
    *first = total_loss(b);
    TRIB_TRY(add_tensors(b, TRIB_TENSOR_GRADIENT, "grad/"));
    if (!b->options->steps) return trib_success();
    TRIB_TRY(add(b, "losses", &all, &losses));
    losses[0] = *first;
    for (int step = 1; step < steps; ++step) {
        TRIB_TRY(run_step(b, step));
        losses[step] = total_loss(b);
    }
    return add_tensors(b, TRIB_TENSOR_PARAMETER, "after/");
}

/* ---- the whole ---- */

static trib_status prepare(backward *b, const cli_settings *settings, const char *model, const char *input)
{
    trib_trainer_options options = { .launch = (trib_launch)settings->launch };
    trib_preprocess unused;
    TRIB_TRY(cli_output_check(b->options->output, b->options->overwrite ? CLI_OUTPUT_OVERWRITE : CLI_OUTPUT_NEW));
    TRIB_TRY(cli_open_device(settings, &b->device));
    TRIB_TRY(cli_load_model(settings, model, &b->model, &unused));
    TRIB_TRY(trib_safetensors_open(input, &b->file));
    TRIB_TRY(read_input(b, input));
    TRIB_TRY(read_labels(b, input));
    cli_catch_signals(); /* not while opening waits for the writer of a pipe */
    cli_training_of(trib_model_graph(b->model), settings, b->options->aux_weight, &b->training);
    b->training.training.loss_scale = 0; /* gradients are those of the loss itself */
    b->training.training.no_dropout = b->options->no_dropout;
    b->training.training.no_update = !b->options->steps;
    TRIB_TRY(cli_plan_options(settings, b->device, &options.plan));
    options.plan.input_layout = TRIB_NCHW;
    options.plan.batch = b->count;
    options.plan.training = &b->training.training;
    TRIB_TRY(trib_trainer_create(b->device, trib_model_graph(b->model), trib_model_parameters(b->model), &options,
                                 &b->trainer));
    cli_save_choices(settings, b->device);
    trib_model_release_parameters(b->model);
    return allocate(b);
}

static void release(backward *b)
{
    for (int i = 0; i < b->tensor_count; ++i) {
        trib_free((void *)b->tensors[i].name);
        trib_free((void *)b->tensors[i].data);
    }
    trib_free(b->tensors);
    for (int i = 0; b->outputs && i < trib_trainer_plan(b->trainer)->output_count; ++i) trib_free(b->outputs[i]);
    trib_free(b->outputs);
    trib_trainer_destroy(b->trainer);
    trib_free(b->labels);
    trib_free(b->converted);
    trib_safetensors_close(b->file);
    trib_model_destroy(b->model);
    trib_device_close(b->device);
}

trib_status cli_run_backward(cli_settings *settings, const cli_backward *options, const char *model, const char *input)
{
    backward b = { .options = options, .seed = (uint64_t)settings->seed };
    cli_training_settings(settings, options->aux_weight);
    trib_status s = prepare(&b, settings, model, input);
    if (!trib_failed(&s)) s = run_all(&b);
    if (!trib_failed(&s)) s = trib_safetensors_write(options->output, b.tensors, b.tensor_count, NULL, 0);
    release(&b);
    return s;
}
