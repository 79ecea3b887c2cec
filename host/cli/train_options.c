/* SPDX-License-Identifier: Apache-2.0 */
#include "train_options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tables.h"

#define AT(field) offsetof(cli_train_options, field)

/* Of --average and --drop. */
enum { AVERAGE_EMA, AVERAGE_MEAN };
enum { DROP_ON, DROP_OFF };

static const cli_option run_options[] = {
    { 'o', "output", CLI_TEXT, AT(output), "RUN", "the folder of the run (required); created if it is missing", 0, 0 },
    { 'b', "batch-size", CLI_INT, AT(batch), "N", "images that are computed at a time; default 32", 1, 65536 },
    { 0, "grad-accum-steps", CLI_INT, AT(accumulate), "N",
      "a step is N batches: their gradients are summed up, and the update is that of one batch N times as large, "
      "except "
      "that batch norm sees each by itself. Schedules, progress, checkpoints and files count such steps; they may span "
      "epochs, as batches do; default 1",
      1, 65536 },
    { 0, "epochs", CLI_INT, AT(epochs), "N", "passes over the images; default 90", 1, 1000000 },
    { 0, "max-steps", CLI_COUNT, AT(max_steps), "N", "end after N steps, if the epochs do not end before", 0, 0 },
    { 0, "seed", CLI_INT, AT(seed), "N",
      "of initial values, order, views and dropout; the same seed gives the same model, bit for bit; default 1", 0,
      2147483647 },
    { 0, "resume", CLI_FLAG, AT(resume), NULL,
      "continue the run in RUN bit for bit, or start it if nothing is there: one command line for both", 0, 0 },
    { 0, "resume-anyway", CLI_FLAG, AT(resume_anyway), NULL,
      "the same, even if options, data, library or machine differ in ways that change the results; says which", 0, 0 },
    { 0, "checkpoint-every", CLI_COUNT, AT(checkpoint_every), "STEPS",
      "also write a checkpoint every STEPS steps; there always is one at the end of an epoch", 0, 0 },
    { 0, "keep", CLI_INT, AT(keep), "K", "newest checkpoints to keep beside the best; default 2", 1, 1000000 },
    { 0, "log-every", CLI_INT, AT(log_every), "STEPS", "a line of metrics.jsonl every STEPS steps; default 50", 1,
      1000000000 },
    { 0, "replay", CLI_TEXT, AT(replay), "RUN",
      "run step STEP of RUN again from the newest checkpoint before it, and show losses, files, and what is not "
      "finite; "
      "writes nothing",
      0, 0 },
};

/* Not constant: names and explanations come from the library's tables. */
static cli_option network_options[] = {
    { 0, "arch", CLI_TEXT, AT(arch), "NAME", NULL, 0, 0 },
    { 0, "init", CLI_FILE_IN, AT(init), "MODEL",
      "begin with this model (fine-tuning), in place of --arch; with other classes than its own, the classifiers begin "
      "anew",
      0, 0 },
    { 0, "init-rule", CLI_TEXT, AT(init_rule), "RULE", NULL, 0, 0 },
    { 0, "freeze", CLI_TEXTS, AT(frozen), "PREFIX,...",
      "parameters whose names begin so keep their values: conv1, inception_3; may be repeated", 0, 0 },
    { 0, "width-multiplier", CLI_REAL, AT(width), "X",
      "scale channel counts by X, rounded to a multiple of 8; default 1", 0, 16 },
    { 0, "aux-weight", CLI_AMOUNT, AT(aux_weight), "W",
      "weight of the loss of each auxiliary classifier; 0: the network has none; default 0.3", 0, 1000 },
    { 0, "drop", CLI_CHOICE, AT(drop), "on|off", "dropout, with the network's own rates; default on", 0, 0 },
    { 0, "smoothing", CLI_AMOUNT, AT(smoothing), "X", "label smoothing; default 0", 0, 0.99 },
};

static cli_option optimiser_options[] = {
    { 0, "lr", CLI_REAL, AT(lr), "RATE", "learning rate; the peak of onecycle; default 0.01", 0, 1e6 },
    { 0, "momentum", CLI_AMOUNT, AT(momentum), "X", "of SGD; default 0.9, with onecycle what its options say", 0,
      0.9999 },
    { 0, "weight-decay", CLI_AMOUNT, AT(weight_decay), "X", "default 2e-4", 0, 1000 },
    { 0, "clip-grad", CLI_REAL, AT(clip_norm), "NORM",
      "all gradients together are made at most this long, as by PyTorch's clip_grad_norm_; default: they are not", 0,
      1e12 },
    { 0, "loss-scale", CLI_TEXT, AT(loss_scale), "N|dynamic",
      "multiply losses by N, so that small gradients do not vanish in 16 bits; dynamic: by a scale that begins with "
      "65536, "
      "doubles after 2000 good steps, and is halved by a step whose gradients are not finite, which is skipped; "
      "default "
      "dynamic with --precision fp16, otherwise 1",
      0, 0 },
    { 0, "nesterov", CLI_FLAG, AT(nesterov), NULL, "Nesterov's momentum", 0, 0 },
    { 0, "caffe-rules", CLI_FLAG, AT(caffe_rules), NULL, "biases: twice the learning rate, no weight decay", 0, 0 },
    { 0, "sched", CLI_TEXT, AT(schedule), "NAME", NULL, 0, 0 },
    { 0, "warmup-epochs", CLI_AMOUNT, AT(warmup_epochs), "X", "epochs in which the learning rate rises; default 0", 0,
      1e6 },
    { 0, "warmup-lr", CLI_REAL, AT(warmup_lr), "RATE", "where it rises from; default 1e-5", 0, 1e6 },
    { 0, "min-lr", CLI_AMOUNT, AT(min_lr), "RATE", "poly, cosine: at the end; default 0", 0, 1e6 },
    { 0, "decay-epochs", CLI_REAL, AT(decay_epochs), "X", "step: default 90; paper: 8", 0, 1e6 },
    { 0, "decay-rate", CLI_REAL, AT(decay_rate), "X", "step: default 0.1; paper: 0.96; poly: its power, 0.5", 0, 1000 },
    { 0, "pct-start", CLI_REAL, AT(pct_start), "X", "onecycle: share of the run in which the rate rises; default 0.3",
      0, 1 },
    { 0, "div-factor", CLI_REAL, AT(div_factor), "X", "onecycle: begins at the peak / X; default 25", 0, 1e12 },
    { 0, "final-div-factor", CLI_REAL, AT(final_div_factor), "X", "onecycle: ends at the first rate / X; default 1e4",
      0, 1e12 },
    { 0, "base-momentum", CLI_REAL, AT(base_momentum), "X", "onecycle: at the peak; default 0.85", 0, 0.9999 },
    { 0, "max-momentum", CLI_REAL, AT(max_momentum), "X", "onecycle: at the ends; default 0.95", 0, 0.9999 },
    { 0, "fixed-momentum", CLI_FLAG, AT(fixed_momentum), NULL, "onecycle: --momentum throughout", 0, 0 },
    { 0, "model-ema", CLI_FLAG, AT(ema), NULL, "the same as --average ema", 0, 0 },
    { 0, "model-ema-decay", CLI_REAL, AT(ema_decay), "X", "default 0.9998", 0, 0.9999999 },
    { 0, "average", CLI_CHOICE, AT(average), "ema|mean",
      "keep an average of the weights, evaluate it beside them, and write it as the model: an exponential moving one, "
      "or "
      "the plain mean",
      0, 0 },
    { 0, "average-start", CLI_COUNT, AT(average_start), "STEPS", "steps before the average begins; default 0", 0, 0 },
};

static cli_option data_options[] = {
    { 0, "sampling", CLI_TEXT, AT(sampling), "PRESET",
      "random views: none; mirror (default with --boxes); caffe: a window of the image, mirrored; paper (default): 8 "
      "to 100 % of the area, "
      "aspect ratio 3/4 to 4/3, mirrored, any interpolation, distorted colours",
      0, 0 },
    { 0, "val-data", CLI_TEXTS, AT(validation), "DATA,...",
      "labelled images for validation; default: val beside train, t10k-... beside an IDX file, or --val-split", 0, 0 },
    { 0, "val-split", CLI_AMOUNT, AT(validation_share), "SHARE",
      "put this share of the images aside for validation, chosen by a hash of their names; 0: none; default 0.1, if "
      "there "
      "is no other validation data",
      0, 0.99 },
    { 0, "labels", CLI_FILE_IN, AT(labels), "FILE", "the IDX file of labels, if it is not beside the images", 0, 0 },
    { 0, "class-names", CLI_FILE_IN, AT(class_names), "FILE",
      "names of the classes, one per line, class 0 first, for data that have numbers only (IDX files, shards); class "
      "folders must have these names or numbers",
      0, 0 },
    { 'j', "workers", CLI_INT, AT(workers), "N",
      "threads that read and decode; default: one per CPU this process may use, or OMP_NUM_THREADS if lower", 1, 1024 },
};

static const cli_option region_options[] = {
    { 0, "boxes", CLI_TEXT, AT(boxes), "TRUTH",
      "train on regions: boxes of the objects in DATA, as COCO's JSON, a folder of VOC's or ILSVRC's XML or of YOLO's "
      "text. The classes are the truth's, and 'background'; folders do not count. Images are found in the truth by "
      "their names",
      0, 0 },
    { 0, "val-boxes", CLI_TEXT, AT(validation_boxes), "TRUTH",
      "boxes of the objects in --val-data, of the same classes; default: --boxes has those images, too", 0, 0 },
    { 0, "proposals", CLI_FILE_IN, AT(proposals), "FILE",
      "regions to choose from, as 'tributary propose' wrote them; default: they are computed when the run starts, and "
      "kept in RUN",
      0, 0 },
    { 0, "strategy", CLI_CHOICE, AT(strategy), "single|fast|quality|paper",
      "by which proposals are computed; default paper, as of 'tributary propose' and 'detect'", 0, 0 },
    { 0, "positives", CLI_REAL, AT(objects), "SHARE",
      "of the windows of a batch that show an object: its own box, or a proposal with an IoU of at least 0.5; the "
      "others show background, with less. Neither are proposals that only match a difficult object, or lie in a crowd. "
      "Default 0.25, R-CNN's 32 of 128",
      0, 1 },
};

cli_train_options cli_train_defaults(void)
{
    return (cli_train_options) { .arch = "torchvision",
                                 .schedule = "cosine",
                                 .batch = 32,
                                 .accumulate = 1,
                                 .epochs = 90,
                                 .keep = 2,
                                 .log_every = 50,
                                 .seed = 1,
                                 .average = CLI_NOT_GIVEN,
                                 .drop = DROP_ON,
                                 .width = 1,
                                 .lr = 0.01,
                                 .momentum = 0.9,
                                 .weight_decay = 2e-4,
                                 .aux_weight = 0.3,
                                 .validation_share = CLI_NOT_GIVEN,
                                 .strategy = TRIB_STRATEGY_PAPER,
                                 .objects = 0.25 };
}

void cli_train_fill_in(cli_train_options *own)
{
    if (!own->sampling) own->sampling = own->boxes ? "mirror" : "paper";
}

/* ---- help from the library's tables ---- */

static void explain_tables(void)
{
    static char archs[1536], rules[1536], schedules[1536];
    if (archs[0]) return;
    cli_table_help(archs, sizeof archs, "the network (default torchvision)", ", ", cli_network_names);
    cli_table_help(rules, sizeof rules, "initial values (default: the network's own)", "; ", cli_init_rule_names);
    cli_table_help(schedules, sizeof schedules, "the learning rate over the run (default cosine)", "; ",
                   cli_lr_schedule_names);
    for (size_t i = 0; i < sizeof network_options / sizeof *network_options; ++i) {
        if (!strcmp(network_options[i].name, "arch")) network_options[i].help = archs;
        if (!strcmp(network_options[i].name, "init-rule")) network_options[i].help = rules;
    }
    for (size_t i = 0; i < sizeof optimiser_options / sizeof *optimiser_options; ++i)
        if (!strcmp(optimiser_options[i].name, "sched")) optimiser_options[i].help = schedules;
}

void cli_train_groups(cli_train_options *own, cli_settings *settings, cli_group groups[CLI_TRAIN_GROUPS])
{
    explain_tables();
    const cli_group all[CLI_TRAIN_GROUPS] = { CLI_GROUP("Options", run_options, own),
                                              CLI_GROUP("Data", data_options, own),
                                              CLI_GROUP("Regions", region_options, own),
                                              CLI_GROUP("Network", network_options, own),
                                              CLI_GROUP("Optimiser", optimiser_options, own),
                                              cli_size_group(settings),
                                              cli_compute_group(settings),
                                              cli_order_group(settings),
                                              cli_decode_group(settings),
                                              cli_preprocess_group(settings),
                                              CLI_GROUPS_END };
    memcpy(groups, all, sizeof all);
}

/* ---- from words to tables ---- */

static int resolve_names(const cli_command *command, const cli_train_options *own, trib_train_options *out)
{
    out->net.network = trib_network_find(own->arch);
    out->rule = own->init_rule ? trib_init_rule_find(own->init_rule) : NULL;
    out->lr.schedule = trib_lr_schedule_find(own->schedule);
    out->sampling = trib_sampling_find(own->sampling);
    if (!out->net.network) return cli_not_in_table(command, "arch", own->arch, cli_network_names);
    if (own->init_rule && !out->rule)
        return cli_not_in_table(command, "init-rule", own->init_rule, cli_init_rule_names);
    if (!out->lr.schedule) return cli_not_in_table(command, "sched", own->schedule, cli_lr_schedule_names);
    if (!out->sampling) return cli_not_in_table(command, "sampling", own->sampling, cli_sampling_names);
    return CLI_GO_ON;
}

static int resolve_regions(const cli_command *command, const cli_train_options *own, trib_train_options *out)
{
    const cli_train_options usual = cli_train_defaults();
    const bool asked = own->proposals || own->strategy != usual.strategy || own->objects < usual.objects ||
                       own->objects > usual.objects;
    if (!own->boxes && asked) return cli_usage(command, "--proposals, --strategy and --positives need --boxes TRUTH");
    if (own->validation_boxes && (!own->boxes || !own->validation.count))
        return cli_usage(command, "--val-boxes is the truth of --val-data beside --boxes: give all three");
    if (own->boxes && (own->class_names || own->labels))
        return cli_usage(command, "--boxes has classes of its own: leave --class-names and --labels out");
    if (own->boxes && out->sampling->crop != TRIB_CROP_EVALUATION)
        return cli_usage(command, "with --boxes, --sampling is mirror (the default) or none");
    out->boxes = own->boxes;
    out->validation_boxes = own->validation_boxes;
    out->proposals = own->proposals;
    out->strategy = (trib_strategy)own->strategy;
    out->objects = own->objects;
    return CLI_GO_ON;
}

static int resolve_average(const cli_command *command, const cli_train_options *own, trib_average *out)
{
    bool ema = own->ema || own->average == AVERAGE_EMA;
    if (own->ema && own->average == AVERAGE_MEAN)
        return cli_usage(command, "--model-ema and --average mean are two averages: leave one out");
    if (own->ema_decay > 0 && !ema) return cli_usage(command, "--model-ema-decay needs --model-ema");
    if (own->average_start && !ema && own->average != AVERAGE_MEAN)
        return cli_usage(command, "--average-start needs --average or --model-ema");
    out->kind = ema ? TRIB_AVERAGE_EMA : own->average == AVERAGE_MEAN ? TRIB_AVERAGE_MEAN : TRIB_AVERAGE_NONE;
    out->decay = own->ema_decay;
    out->start = own->average_start;
    return CLI_GO_ON;
}

/* As in PyTorch: float16 needs a scale, and bfloat16, with the range of float32, does not. */
static int resolve_loss_scale(const cli_command *command, const cli_train_options *own, const cli_settings *settings,
                              trib_train_options *out)
{
    const char *text = own->loss_scale;
    char *end = NULL;
    out->adapt_loss_scale = text ? !strcmp(text, "dynamic") : settings->precision == TRIB_PRECISION_FP16;
    if (!text || out->adapt_loss_scale) return CLI_GO_ON;
    out->loss_scale = strtod(text, &end);
    bool number = end != text && !*end && out->loss_scale > 0 && out->loss_scale <= 0x1p100;
    return number ? CLI_GO_ON : cli_usage(command, "--loss-scale does not take '%s'; it takes N or dynamic", text);
}

static void resolve_schedule(const cli_train_options *own, trib_lr_options *lr)
{
    lr->lr = own->lr;
    lr->momentum = own->momentum;
    lr->warmup_epochs = own->warmup_epochs;
    lr->warmup_lr = own->warmup_lr;
    lr->min_lr = own->min_lr;
    lr->decay_epochs = own->decay_epochs;
    lr->decay_rate = own->decay_rate;
    lr->pct_start = own->pct_start;
    lr->div_factor = own->div_factor;
    lr->final_div_factor = own->final_div_factor;
    lr->base_momentum = own->base_momentum;
    lr->max_momentum = own->max_momentum;
    lr->fixed_momentum = own->fixed_momentum;
}

static void resolve_data(const cli_train_options *own, const cli_settings *settings, trib_train_options *out)
{
    out->class_names = own->class_names;
    out->data.labels_path = own->labels;
    out->data.validation = (const char *const *)own->validation.items;
    out->data.validation_count = own->validation.count;
    if (own->validation_share >= 0) out->data.validation_share = own->validation_share > 0 ? own->validation_share : -1;
    out->workers = own->workers;
    out->decode = settings->decode;
    out->loader_memory = settings->loader_memory;
}

/* A run of any other length has the same steps as far as both go. */
static bool needs_length(const trib_lr_options *lr)
{
    trib_lr_options endless = *lr, out;
    endless.steps_per_epoch = 1;
    endless.steps = 0;
    trib_status s = trib_lr_resolve(&endless, &out);
    return trib_failed(&s);
}

static const char *const harmless[] = { "epochs",    "max-steps", /* first: see below */
                                        "output",    "resume",    "resume-anyway", "checkpoint-every", "keep",
                                        "log-every", "replay",    "workers",       "labels",           "class-names",
                                        "val-data",  "val-split", "device",        "launch",           "schedule",
                                        "threads",   "lanes",     "memory-limit",  "loader-memory",    "choice-cache",
                                        "fast",      "boxes",     "val-boxes",     "proposals",        "strategy",
                                        NULL };

int cli_train_resolve(const cli_command *command, const cli_train_options *own, const cli_settings *settings,
                      trib_train_options *out)
{
    int code = resolve_names(command, own, out);
    if (code == CLI_GO_ON) code = resolve_regions(command, own, out);
    if (code == CLI_GO_ON) code = resolve_average(command, own, &out->average);
    if (code == CLI_GO_ON) code = resolve_loss_scale(command, own, settings, out);
    if (code != CLI_GO_ON) return code;
    resolve_schedule(own, &out->lr);
    resolve_data(own, settings, out);
    out->net.width_multiplier = own->width;
    out->net.height = out->net.width = settings->image_size;
    out->init = own->init;
    out->frozen = (const char *const *)own->frozen.items;
    out->frozen_count = own->frozen.count;
    out->epochs = own->epochs;
    out->max_steps = own->max_steps;
    out->weight_decay = own->weight_decay;
    out->smoothing = own->smoothing;
    out->clip_norm = own->clip_norm;
    out->accumulate = own->accumulate;
    out->aux_weight = own->aux_weight;
    out->nesterov = own->nesterov;
    out->caffe_rules = own->caffe_rules;
    out->no_dropout = own->drop == DROP_OFF;
    out->seed = (uint64_t)own->seed;
    out->folder = own->output;
    out->resume = own->resume || own->resume_anyway;
    out->resume_anyway = own->resume_anyway;
    out->checkpoint_every = own->checkpoint_every;
    out->keep = own->keep;
    out->log_every = own->log_every;
    out->harmless = harmless + (needs_length(&out->lr) ? 2 : 0);
    return CLI_GO_ON;
}
