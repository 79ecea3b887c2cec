/* SPDX-License-Identifier: Apache-2.0
 * tributary run: raw tensors in, raw tensors out. */
#include <stdio.h>
#include <string.h>

#include "files.h"
#include "output.h"
#include "run_backward.h"
#include "settings.h"
#include "training.h"
#include "tributary/internal/alloc.h"

typedef struct run_options {
    int batch;
    cli_texts outputs;
    cli_backward training; /* the output file, too */
} run_options;
#define AT(field) offsetof(run_options, field)
static const cli_option table[] = {
    { 'o', "output", CLI_FILE_OUT, AT(training.output), "FILE", "the safetensors file to write (required)", 0, 0 },
    CLI_OVERWRITE_OPTION(AT(training.overwrite)),
    { 0, "outputs", CLI_TEXTS, AT(outputs), "NAMES",
      "outputs or layers to write, layer L as trace/L; default logits,probabilities", 0, 0 },
    { 'b', "batch-size", CLI_INT, AT(batch), "N", "images computed at once; default 32", 1, 65536 },
};
static const cli_option backward_table[] = {
    { 0, "backward", CLI_FLAG, AT(training.wanted), NULL,
      "train on the images, all in one batch, with 'labels' (N numbers, i32 or i64): writes logits and aux1, aux2 "
      "before "
      "the first update, loss, and grad/NAME for each parameter, named as in the model file",
      0, 0 },
    { 0, "steps", CLI_INT, AT(training.steps), "N",
      "also make N updates on this batch: writes losses, and after/NAME for each parameter and running statistic", 1,
      1000000 },
    { 0, "lr", CLI_REAL, AT(training.lr), "RATE", "learning rate; default 0.01", 0, 1e6 },
    { 0, "momentum", CLI_AMOUNT, AT(training.momentum), "X", "default 0.9", 0, 0.9999 },
    { 0, "weight-decay", CLI_AMOUNT, AT(training.weight_decay), "X", "default 2e-4", 0, 1000 },
    { 0, "no-dropout", CLI_FLAG, AT(training.no_dropout), NULL, "leave dropout out; otherwise --seed decides it", 0,
      0 },
    { 0, "aux-weight", CLI_AMOUNT, AT(training.aux_weight), "W", CLI_AUX_WEIGHT_HELP, 0, 1000 },
};

typedef struct tensor_run {
    trib_device *device;
    trib_model *model;
    trib_safetensors *file;
    trib_session *session;
    const trib_tensor *input;
    int64_t count; /* images */
    int64_t image; /* elements of one */
    int output_count;
    trib_tensor *tensors; /* the tensors to write; names and data belong to this structure */
    int64_t *elements;    /* of each output, per image */
    void **chunk;         /* where a run puts its outputs */
    float *pixels;        /* of a batch */
    void *stored;         /* the batch in the file's type; NULL if that is float32 */
} tensor_run;

static trib_status find_input(tensor_run *r, const char *path)
{
    TRIB_TRY(trib_safetensors_open_header(path, &r->file));
    const trib_tensor *input = trib_safetensors_find(r->file, "input");
    if (!input) {
        int count = trib_safetensors_count(r->file);
        return TRIB_ERROR(TRIB_NOT_FOUND, "%s: has no tensor 'input'; it has %d tensors%s%s%s", path, count,
                          count ? ", the first is '" : "", count ? trib_safetensors_tensors(r->file)[0].name : "",
                          count ? "'" : "");
    }
    const trib_network_spec *net = trib_model_network(r->model);
    trib_shape shape = input->shape;
    char text[TRIB_SHAPE_TEXT];
    bool fits = shape.rank == 4 && shape.dim[0] > 0 && shape.dim[1] == 3 && shape.dim[2] == net->height &&
                shape.dim[3] == net->width;
    if (!fits)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: 'input' is %s, but %s takes [N, 3, %d, %d] with N of at least 1", path,
                          trib_shape_text(&shape, text), trib_model_path(r->model), net->height, net->width);
    if (!trib_dtype_is_float(input->dtype))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: 'input' is %s; it must be f32, f16 or bf16", path,
                          trib_dtype_name(input->dtype));
    r->input = input;
    r->count = shape.dim[0];
    r->image = 3 * (int64_t)net->height * net->width;
    return trib_success();
}

static bool is_graph_output(const trib_graph *graph, const char *name)
{
    for (int i = 0; i < trib_graph_output_count(graph); ++i)
        if (strcmp(trib_graph_output(graph, i)->name, name) == 0) return true;
    return false;
}

static char *file_name(const trib_graph *graph, const char *name)
{
    size_t size = strlen(name) + sizeof "trace/";
    char *text = trib_alloc(size);
    if (text) snprintf(text, size, "%s%s", is_graph_output(graph, name) ? "" : "trace/", name);
    return text;
}

/* Memory for the results of all images: the file is written in one go. */
static trib_status allocate(tensor_run *r, int batch)
{
    const trib_plan *plan = trib_session_plan(r->session);
    const trib_graph *graph = trib_model_graph(r->model);
    size_t n = (size_t)plan->output_count;
    r->tensors = trib_alloc_zeroed(n, sizeof *r->tensors);
    r->elements = trib_alloc_zeroed(n, sizeof *r->elements);
    r->chunk = trib_alloc_zeroed(n, sizeof *r->chunk);
    r->pixels = trib_realloc_array(NULL, (size_t)batch * (size_t)r->image, sizeof *r->pixels);
    bool same = r->input->dtype == TRIB_F32;
    if (!same) r->stored = trib_realloc_array(NULL, (size_t)batch * (size_t)r->image, trib_dtype_size(r->input->dtype));
    if (!r->tensors || !r->elements || !r->chunk || !r->pixels || (!same && !r->stored))
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a batch of %d images", batch);
    r->output_count = plan->output_count;
    for (int i = 0; i < plan->output_count; ++i) {
        trib_tensor *t = &r->tensors[i];
        t->dtype = TRIB_F32;
        t->shape = plan->outputs[i].shape;
        t->shape.dim[0] = 1;
        TRIB_TRY(trib_shape_count(&t->shape, &r->elements[i]));
        t->shape.dim[0] = r->count;
        int64_t all;
        TRIB_TRY(trib_shape_count(&t->shape, &all));
        t->name = file_name(graph, plan->outputs[i].name);
        t->data = trib_realloc_array(NULL, (size_t)all, sizeof(float));
        if (!t->name || !t->data)
            return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for '%s' of %lld images", plan->outputs[i].name,
                              (long long)r->count);
    }
    return trib_success();
}

/* Runs `n` images, beginning with number `first`. */
static trib_status read_pixels(tensor_run *r, int64_t first, int n)
{
    size_t bytes = trib_dtype_size(r->input->dtype), count = (size_t)n * (size_t)r->image;
    void *place = r->stored ? r->stored : r->pixels;
    TRIB_TRY(trib_safetensors_read(r->file, r->input, first * r->image * (int64_t)bytes, place, count * bytes));
    if (r->stored) trib_convert_to_f32(r->stored, r->input->dtype, count, r->pixels);
    return trib_success();
}

static trib_status run_all(tensor_run *r, int batch)
{
    for (int64_t done = 0; done < r->count; done += batch) {
        int n = r->count - done < batch ? (int)(r->count - done) : batch;
        if (cli_stopped()) return TRIB_ERROR(TRIB_CANCELLED, "interrupted");
        TRIB_TRY(read_pixels(r, done, n));
        for (int i = 0; i < r->output_count; ++i) r->chunk[i] = (float *)r->tensors[i].data + done * r->elements[i];
        TRIB_TRY(trib_session_run(r->session, r->pixels, n, r->chunk));
    }
    return trib_success();
}

static trib_status run_tensors(tensor_run *r, const cli_settings *settings, const run_options *own, const char *model,
                               const char *input)
{
    static const char *const usual[] = { "logits", "probabilities" };
    const char *const *names = own->outputs.count ? (const char *const *)own->outputs.items : usual;
    int name_count = own->outputs.count ? own->outputs.count : 2;
    trib_preprocess unused;
    TRIB_TRY(cli_output_check(own->training.output, own->training.overwrite ? CLI_OUTPUT_OVERWRITE : CLI_OUTPUT_NEW));
    TRIB_TRY(cli_open_device(settings, &r->device));
    TRIB_TRY(cli_load_model(settings, model, &r->model, &unused));
    TRIB_TRY(cli_check_outputs(trib_model_graph(r->model), &own->outputs));
    TRIB_TRY(find_input(r, input));
    cli_catch_signals(); /* not while opening waits for the writer of a pipe */
    int batch = r->count < own->batch ? (int)r->count : own->batch;
    trib_session_options options;
    TRIB_TRY(cli_session_options(settings, r->device, batch, &options));
    options.plan.input_layout = TRIB_NCHW;
    options.plan.outputs = names;
    options.plan.output_count = name_count;
    TRIB_TRY(cli_create_session(settings, r->device, r->model, &options, &r->session));
    trib_model_release_parameters(r->model);
    TRIB_TRY(allocate(r, batch));
    TRIB_TRY(run_all(r, batch));
    return trib_safetensors_write(own->training.output, r->tensors, r->output_count, NULL, 0);
}

static void release(tensor_run *r)
{
    for (int i = 0; r->tensors && i < r->output_count; ++i) {
        trib_free((void *)r->tensors[i].name);
        trib_free((void *)r->tensors[i].data);
    }
    trib_free(r->tensors);
    trib_free(r->elements);
    trib_free(r->chunk);
    trib_free(r->pixels);
    trib_free(r->stored);
    trib_session_destroy(r->session);
    trib_safetensors_close(r->file);
    trib_model_destroy(r->model);
    trib_device_close(r->device);
}

static int check_training(const cli_command *self, const run_options *own)
{
    if (own->training.wanted && own->outputs.count)
        return cli_usage(self, "--outputs is for inference: with --backward all there is is written");
    if (!own->training.wanted && (own->training.steps || own->training.no_dropout))
        return cli_usage(self, "--%s is for training: add --backward", own->training.steps ? "steps" : "no-dropout");
    return CLI_GO_ON;
}

static int run(const cli_command *self, int argc, char **argv)
{
    cli_settings settings = cli_default_settings();
    run_options own = {
        .batch = 32, .training = { .lr = 0.01, .momentum = 0.9, .weight_decay = 2e-4, .aux_weight = CLI_AUX_WEIGHT }
    };
    cli_group groups[] = { CLI_GROUP("Options", table, &own), CLI_GROUP("Training", backward_table, &own),
                           cli_compute_group(&settings),      cli_size_group(&settings),
                           cli_random_group(&settings),       CLI_GROUPS_END };
    cli_texts arguments = { 0 };
    int code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON) code = cli_expect(self, &settings, &arguments, 1, 1, "input file");
    if (code == CLI_GO_ON) code = check_training(self, &own);
    if (code == CLI_GO_ON && !own.training.output) code = cli_usage(self, "no output file: add -o FILE");
    if (code == CLI_GO_ON) {
        bool random = settings.arch != NULL;
        const char *input = arguments.items[!random];
        tensor_run r = { 0 };
        cli_files files = cli_files_of(groups, &settings, &arguments);
        files.prints = false;
        cli_files_add(&files.reads, "IN", input);
        trib_status status = cli_files_check(&files);
        const char *model = random ? NULL : arguments.items[0];
        if (!trib_failed(&status))
            status = own.training.wanted ? cli_run_backward(&settings, &own.training, model, input)
                                         : run_tensors(&r, &settings, &own, model, input);
        if (status.code == TRIB_CANCELLED) cli_message("interrupted; nothing was written");
        code = trib_failed(&status) ? cli_report(&status) : CLI_OK;
        release(&r);
    }
    cli_options_release(groups, &arguments);
    return code;
}

const cli_command cli_run = {
    .name = "run",
    .summary = "run the network on raw tensors: safetensors in, safetensors out",
    .synopsis = "MODEL|--arch ARCH IN.safetensors -o OUT.safetensors [--outputs NAMES]",
    .description =
        "Reads the tensor 'input' (N,C,H,W in f32, f16 or bf16, any N), runs the network on it without preprocessing, "
        "and writes float32 tensors: 'logits' and 'probabilities', or those that --outputs names. The output of an "
        "inner layer is written as N,C,H,W under trace/LAYER.\n\n"
        "With --backward, it writes losses and gradients instead, to compare with another program's.",
    .examples =
        "  $ tributary run model.safetensors in.safetensors -o out.safetensors\n"
        "  $ tributary run model.safetensors in.safetensors -o out.safetensors --outputs logits,inception_3a/output\n"
        "  $ tributary run --arch bvlc --seed 7 in.safetensors -o out.safetensors --reference\n"
        "  $ tributary run model.safetensors in.safetensors -o grads.safetensors --backward --steps 5 --lr 0.001 "
        "--no-dropout\n",
    .run = run,
};
