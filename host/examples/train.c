/* SPDX-License-Identifier: Apache-2.0 */
/* train DATA STEPS MODEL: trains GoogLeNet on labelled images, 64 x 64 pixels, and writes a model file. */
#include <stdio.h>
#include <stdlib.h>
#include <tributary.h>

enum { BATCH = 16, SIZE = 64 };

static void check(trib_status s)
{
    if (trib_failed(&s)) exit((fprintf(stderr, "%s\n", s.message), 1));
}

/* Parameters as PyTorch names them; running statistics are among them. */
static void write_model(trib_trainer *trainer, const trib_graph *graph, const char *path)
{
    const trib_dialect *names = trib_dialect_find("torchvision");
    int count = trib_graph_parameter_count(graph);
    trib_tensor *tensors = calloc((size_t)count, sizeof *tensors);
    if (!tensors) exit(1);
    for (int i = 0; i < count; ++i) {
        const trib_parameter *parameter = trib_graph_parameter(graph, i);
        int64_t values;
        check(trib_shape_count(&parameter->shape, &values));
        float *data = malloc((size_t)values * sizeof *data);
        char *name = malloc(128);
        if (!data || !name) exit(1);
        check(trib_trainer_read(trainer, trib_trainer_find(trainer, TRIB_TENSOR_PARAMETER, parameter->name), data));
        tensors[i] = (trib_tensor) { .name = trib_parameter_file_name(graph, names, i, name),
                                     .dtype = TRIB_F32,
                                     .shape = parameter->shape,
                                     .data = data };
    }
    check(trib_safetensors_write(path, tensors, count, NULL, 0));
    for (int i = 0; i < count; ++i) {
        free((void *)tensors[i].name);
        free((void *)tensors[i].data);
    }
    free(tensors);
}

int main(int argc, char **argv)
{
    if (argc != 4) return fprintf(stderr, "usage: train DATA STEPS MODEL\n"), 2;
    int steps = atoi(argv[2]);
    trib_training_set *set;
    check(trib_training_set_open((const char *const *)&argv[1], 1, NULL, &set));

    /* the network, and what training begins with */
    trib_network_spec spec = { .network = trib_network_find("torchvision"),
                               .classes = trib_training_set_classes(set),
                               .height = SIZE,
                               .width = SIZE };
    trib_graph *graph;
    void *storage;
    check(trib_network_graph(&spec, &graph));
    trib_tensor *parameters = calloc((size_t)trib_graph_parameter_count(graph), sizeof *parameters);
    if (!parameters) return 1;
    check(trib_parameters_initialise(graph, trib_network_init_rule(spec.network), 1, NULL, parameters, &storage));

    /* a step is one run of one plan: forward, loss, backward, update */
    trib_device *device;
    trib_trainer *trainer;
    trib_loss loss = { "logits", 1 };
    trib_training training = { .losses = &loss, .loss_count = 1 };
    trib_trainer_options options = { .plan = trib_plan_default_options() };
    options.plan.batch = BATCH;
    options.plan.training = &training;
    check(trib_device_open("auto", NULL, &device));
    check(trib_trainer_create(device, graph, parameters, &options, &trainer));
    trib_parameters_free(storage);
    free(parameters);

    trib_preprocess preprocess = trib_preprocess_torchvision();
    preprocess.resize = preprocess.crop_height = preprocess.crop_width = SIZE;
    trib_training_loader_options loading = { .batch_size = BATCH,
                                             .seed = 1,
                                             .layout = trib_trainer_plan(trainer)->inputs[0].layout,
                                             .sampling = trib_sampling_find("mirror") };
    trib_training_loader *loader;
    check(trib_training_loader_create(set, &preprocess, &loading, &loader));

    float *logits = malloc(BATCH * (size_t)spec.classes * sizeof *logits), losses[BATCH];
    if (!logits) return 1;
    trib_step_controls controls = { .lr = 0.01f, .momentum = 0.9f, .weight_decay = 2e-4f, .loss_scale = 1 };
    for (controls.step = 0; controls.step < (uint64_t)steps; ++controls.step) {
        const trib_training_batch *batch;
        double sum = 0;
        check(trib_training_loader_next(loader, &batch));
        check(trib_trainer_step(trainer, batch->pixels, batch->labels, &controls, (void *[]) { logits, losses }));
        trib_training_loader_give_back(loader, batch);
        for (int i = 0; i < BATCH; ++i) sum += (double)losses[i];
        printf("step %d: loss %.3f\n", (int)controls.step + 1, sum / BATCH);
    }
    write_model(trainer, graph, argv[3]);
    free(logits);
    trib_training_loader_destroy(loader);
    trib_trainer_destroy(trainer);
    trib_device_close(device);
    trib_graph_destroy(graph);
    trib_training_set_close(set);
    return 0;
}
