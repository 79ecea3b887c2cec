/* SPDX-License-Identifier: Apache-2.0
 * tributary plan: how a network will run. Runs nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "files.h"
#include "plan_training.h"
#include "settings.h"
#include "training.h"
#include "tuned.h"

typedef struct plan_options {
    int batch, accumulate;
    bool explain, json, train;
    double aux_weight;
} plan_options;
static const cli_option table[] = {
    { 'b', "batch-size", CLI_INT, offsetof(plan_options, batch), "N", "images per run of the plan; default 1", 1,
      65536 },
    { 0, "train", CLI_FLAG, offsetof(plan_options, train), NULL,
      "plan a step of training: forward, losses, backward, update; also prints memory by kind, the op at the peak, and "
      "whether it fits",
      0, 0 },
    { 0, "grad-accum-steps", CLI_INT, offsetof(plan_options, accumulate), "N",
      "with --train: a step is N runs of the plan, which needs memory for the sum of their gradients; default 1", 1,
      65536 },
    { 0, "aux-weight", CLI_AMOUNT, offsetof(plan_options, aux_weight), "W", "with --train: " CLI_AUX_WEIGHT_HELP, 0,
      1000 },
    { 0, "explain", CLI_FLAG, offsetof(plan_options, explain), NULL,
      "also show what each pass did and why each implementation was chosen", 0, 0 },
    { 0, "json", CLI_FLAG, offsetof(plan_options, json), NULL, "the whole plan as JSON", 0, 0 },
};

/* Prints into memory first, so that a failure of standard output is reported as everywhere else. */
static trib_status show_plan(const trib_plan *plan, const plan_options *own, const trib_device_info *device,
                             const trib_tuned *tuned)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the text of a plan");
    trib_status status = own->json ? trib_plan_print_json(plan, out) : trib_plan_print(plan, own->explain, out);
    if (tuned && own->explain && !own->json && !trib_failed(&status)) cli_print_tuned(tuned, out);
    if (own->train && !own->json && !trib_failed(&status)) cli_print_training_limits(plan, device, out);
    if (fclose(out) != 0 && !trib_failed(&status))
        status = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the text of a plan");
    if (!trib_failed(&status)) status = cli_write_stdout(text, size);
    free(text); /* the C library's */
    return status;
}

static trib_status print_plan(cli_settings *settings, const plan_options *own, const char *path)
{
    trib_device *device = NULL;
    trib_model *model = NULL;
    trib_plan *plan = NULL;
    trib_preprocess preprocess;
    trib_plan_options options;
    cli_training training;
    trib_tuned *tuned = NULL;
    if (own->train) cli_training_settings(settings, own->aux_weight);
    trib_status status = cli_open_device(settings, &device);
    if (trib_failed(&status)) return status;
    TRIB_TRY_GOTO(status, done, cli_load_model(settings, path, &model, &preprocess));
    TRIB_TRY_GOTO(status, done, cli_plan_options(settings, device, &options));
    options.batch = own->batch;
    options.threads = settings->threads;
    if (own->train) cli_training_of(trib_model_graph(model), settings, own->aux_weight, &training);
    if (own->train) training.training.accumulate = own->accumulate;
    if (own->train) options.training = &training.training;
    TRIB_TRY_GOTO(
        status, done,
        cli_find_tuned(settings, device, trib_model_graph(model), &options, (trib_launch)settings->launch, &tuned));
    if (tuned) trib_tuned_apply(tuned, &options);
    if (tuned && tuned->threads && !settings->threads) options.threads = tuned->threads;
    TRIB_TRY_GOTO(status, done, trib_plan_create(trib_model_graph(model), device, &options, &plan));
    cli_save_choices(settings, device);
    cli_say_order(settings, plan);
    status = show_plan(plan, own, trib_device_get_info(device), tuned);
done:
    trib_tuned_destroy(tuned);
    trib_plan_destroy(plan);
    trib_model_destroy(model);
    trib_device_close(device);
    return status;
}

static int run(const cli_command *self, int argc, char **argv)
{
    cli_settings settings = cli_default_settings();
    plan_options own = { .batch = 1, .accumulate = 1, .aux_weight = CLI_AUX_WEIGHT };
    cli_group groups[] = { CLI_GROUP("Options", table, &own),
                           cli_target_group(&settings),
                           cli_compute_group(&settings),
                           cli_order_group(&settings),
                           cli_size_group(&settings),
                           cli_random_group(&settings),
                           CLI_GROUPS_END };
    cli_texts arguments = { 0 };
    int code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON) code = cli_expect(self, &settings, &arguments, 0, 0, NULL);
    if (code == CLI_GO_ON && settings.target && settings.measure)
        code = cli_usage(self, "--measure needs the card itself: leave out --target");
    if (code == CLI_GO_ON && own.accumulate > 1 && !own.train)
        code = cli_usage(self, "--grad-accum-steps is for training: add --train");
    if (code == CLI_GO_ON && settings.fast && !own.train) code = cli_usage(self, "--fast is for training: add --train");
    if (code == CLI_GO_ON) {
        cli_files files = cli_files_of(groups, &settings, &arguments);
        trib_status status = cli_files_check(&files);
        if (!trib_failed(&status)) status = print_plan(&settings, &own, !settings.arch ? arguments.items[0] : NULL);
        code = trib_failed(&status) ? cli_report(&status) : CLI_OK;
    }
    cli_options_release(groups, &arguments);
    return code;
}

const cli_command cli_plan = {
    .name = "plan",
    .summary = "show how a network will run: ops, streams, memory, implementations",
    .synopsis = "MODEL|--arch ARCH [-b N] [--train] [--explain] [--json] [--target NAME]",
    .description =
        "Lowers the network for a device and batch size and prints the result: ops in order, with their streams, "
        "waits, memory and implementations. Proves that no two ops can touch the same bytes out of order. Runs nothing "
        "unless --measure asks for timings. With --target, the card need not be in this machine.",
    .examples = "  $ tributary plan model.safetensors -b 32\n"
                "  $ tributary plan --arch googlenet --schedule branches --explain\n"
                "  $ tributary plan --arch googlenet --train -b 32\n"
                "  $ tributary plan --arch googlenet --target h200 --precision bf16 -b 256 --explain\n"
                "  $ tributary plan --arch bvlc -b 256 --json > plan.json\n",
    .run = run,
};
