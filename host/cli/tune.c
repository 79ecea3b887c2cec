/* SPDX-License-Identifier: Apache-2.0
 * tributary tune: measures schedules, for --schedule auto. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "files.h"
#include "training.h"
#include "tributary/internal/alloc.h"
#include "tuned.h"

typedef struct tune_options {
    cli_ints batches;
    double seconds;
    bool train;
    double aux_weight;
} tune_options;
#define AT(field) offsetof(tune_options, field)
static const cli_option table[] = {
    { 'b', "batch-size", CLI_INTS, AT(batches), "N,...", "batch sizes to search for, one after another; default 1", 1,
      65536 },
    { 0, "train", CLI_FLAG, AT(train), NULL, "search for training: forward and backward", 0, 0 },
    { 0, "aux-weight", CLI_AMOUNT, AT(aux_weight), "W", "with --train: " CLI_AUX_WEIGHT_HELP, 0, 1000 },
    { 0, "tune-seconds", CLI_REAL, AT(seconds), "S",
      "about how long the search may take for each batch size; when time is up, what has been found to be faster until "
      "then counts; default 60",
      0, 1e6 },
};

typedef struct tune {
    cli_settings *settings;
    const tune_options *own;
    trib_device *device;
    trib_model *model;
    char *path;
    bool terminal;
} tune;

static bool stopped(void *context)
{
    (void)context;
    return cli_stopped();
}

static void progress(void *context, const char *doing, double seconds, double of_seconds)
{
    const tune *t = context;
    if (t->terminal) fprintf(stderr, "\r\033[K%.0f of %.0f s: %s", seconds, of_seconds, doing);
    if (t->terminal) fflush(stderr);
}

static trib_status search(tune *t, int batch, trib_tuned **out)
{
    const trib_tune_options how = {
        .seconds = t->own->seconds, .stopped = stopped, .progress = progress, .context = t
    };
    const trib_graph *graph = trib_model_graph(t->model);
    const trib_tensor *parameters = trib_model_parameters(t->model);
    if (t->own->train) {
        cli_training training;
        trib_trainer_options options = { .launch = (trib_launch)t->settings->launch };
        cli_training_of(graph, t->settings, t->own->aux_weight, &training);
        TRIB_TRY(cli_plan_options(t->settings, t->device, &options.plan));
        options.plan.batch = batch;
        options.plan.training = &training.training;
        return trib_tune_trainer(t->device, graph, parameters, &options, &how, out);
    }
    trib_session_options options;
    TRIB_TRY(cli_session_options(t->settings, t->device, batch, &options));
    return trib_tune_session(t->device, graph, parameters, &options, &how, out);
}

static trib_status show(int batch, const trib_tuned *tuned)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a text");
    fprintf(out, "batch %d: %s", batch, trib_schedule_name(tuned->schedule));
    for (int i = 0; i < tuned->fork_count; ++i)
        fprintf(out, ",%s=%s%s", tuned->forks[i].fork,
                tuned->forks[i].stages ? "" : trib_schedule_name(tuned->forks[i].schedule),
                tuned->forks[i].stages ? tuned->forks[i].stages : "");
    cli_print_tuned(tuned, out);
    trib_status status =
        fclose(out) ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a text") : cli_write_stdout(text, size);
    free(text); /* the C library's */
    return status;
}

static trib_status tune_batch(tune *t, int batch)
{
    trib_tuned *tuned = NULL;
    trib_status status = search(t, batch, &tuned);
    if (t->terminal) fputs("\r\033[K", stderr);
    if (!trib_failed(&status)) status = show(batch, tuned);
    if (!trib_failed(&status) && t->path) status = trib_tuned_save(tuned, t->path);
    trib_tuned_destroy(tuned);
    return status;
}

/* Lanes and memory are no part of what a choice is stored under: --schedule auto is for runs without limits. */
static bool is_limited(const cli_settings *s) { return s->lanes || s->memory_limit; }

/* Where the result will be kept; what is impossible is said before the search. */
static trib_status find_file(tune *t)
{
    if (is_limited(t->settings)) return trib_success();
    TRIB_TRY(cli_tuned_path(t->settings, t->device, true, &t->path));
    return t->path ? trib_tuned_check(t->path) : trib_success();
}

static void say_what_is_kept(const tune *t)
{
    if (cli_stopped() && t->path) cli_message("interrupted: what had been found to be faster until then is kept");
    if (is_limited(t->settings))
        cli_message("the result is shown and not kept: --schedule auto is for runs without --lanes and --memory-limit");
    else if (!t->path)
        cli_message("no file is kept: %s",
                    t->settings->choice_cache ? "--choice-cache is none" : "the environment names no folder");
}

static trib_status tune_all(tune *t, const char *model)
{
    static const int usual[] = { 1 };
    const int count = t->own->batches.count ? t->own->batches.count : 1;
    const int *batches = t->own->batches.count ? t->own->batches.items : usual;
    trib_preprocess unused;
    if (t->own->train) cli_training_settings(t->settings, t->own->aux_weight);
    TRIB_TRY(cli_open_device(t->settings, &t->device));
    TRIB_TRY(cli_load_model(t->settings, model, &t->model, &unused));
    TRIB_TRY(find_file(t));
    cli_catch_signals();
    for (int i = 0; i < count && !cli_stopped(); ++i) TRIB_TRY(tune_batch(t, batches[i]));
    say_what_is_kept(t);
    return trib_success();
}

static int run(const cli_command *self, int argc, char **argv)
{
    cli_settings settings = cli_default_settings();
    tune_options own = { .seconds = 60, .aux_weight = CLI_AUX_WEIGHT };
    cli_group groups[] = { CLI_GROUP("Options", table, &own), cli_compute_group(&settings), cli_size_group(&settings),
                           cli_random_group(&settings), CLI_GROUPS_END };
    cli_texts arguments = { 0 };
    int code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON) code = cli_expect(self, &settings, &arguments, 0, 0, NULL);
    if (code == CLI_GO_ON) {
        tune t = { .settings = &settings, .own = &own, .terminal = isatty(STDERR_FILENO) };
        trib_status status = tune_all(&t, !settings.arch ? arguments.items[0] : NULL);
        code = trib_failed(&status) ? cli_report(&status) : CLI_OK;
        trib_free(t.path);
        trib_model_destroy(t.model);
        trib_device_close(t.device);
    }
    cli_options_release(groups, &arguments);
    return code;
}

const cli_command cli_tune = {
    .name = "tune",
    .summary = "find the fastest schedule by measuring, for --schedule auto",
    .synopsis = "MODEL|--arch ARCH [-b 1,8] [--train] [--tune-seconds S]",
    .description =
        "Measures schedules of the network on this device: serial, branches and fused, any stages of each module "
        "(see --schedule), and on a cpu lanes, threads and images per chunk; with --train, one setting of these. "
        "Something else than serial is chosen only "
        "where in pairs of runs the 95 % interval of the ratio of their times is below 0.99, module by module and then "
        "for the whole network; on a busy machine that is seldom. What is chosen is kept in a file beside the choice "
        "cache (schedules-DEVICE.txt; with --choice-cache FILE, FILE.schedules-DEVICE.txt), per network, batch size, "
        "precision, launch and number of cores; other commands "
        "use it with --schedule auto and the same batch size, and serial where there is nothing. A file of other "
        "versions of this program, of libraries or of another device is not used. With --lanes or --memory-limit the "
        "result is shown and not kept.\n\n"
        "An interruption (Ctrl-C) ends the search early. 'tributary plan --schedule auto --explain' shows the ratios.",
    .examples = "  $ tributary tune model.safetensors -b 1,32\n"
                "  $ tributary classify model.safetensors photos/ --batch-size 32 --schedule auto\n"
                "  $ tributary tune --arch bvlc --train -b 32 --tune-seconds 300\n"
                "  $ tributary plan --arch bvlc --train -b 32 --schedule auto --explain\n",
    .run = run,
};
