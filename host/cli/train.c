/* SPDX-License-Identifier: Apache-2.0
 * tributary train: from labelled images to a model. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "files.h"
#include "text.h"
#include "train_options.h"
#include "train_replay.h"
#include "tributary/internal/alloc.h"
#include "tuned.h"

static const double REFRESH_SECONDS = 0.1;

/* ---- what is shown ---- */

typedef struct view {
    bool terminal, shown;
    double last;
} view;

static void clear(view *v)
{
    if (v->shown) fputs("\r\033[K", stderr);
    v->shown = false;
}

static int terminal_columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
}

static void show_progress(void *context, const trib_progress_report *report)
{
    view *v = context;
    char line[TRIB_REPORT_LINE];
    double now = cli_now();
    if (!v->terminal || now - v->last < REFRESH_SECONDS) return;
    v->last = now;
    v->shown = true;
    fputs("\r\033[K", stderr);
    cli_print_safe(stderr, trib_progress_line(report, terminal_columns(), line));
    fflush(stderr);
}

static void show_message(void *context, const char *text)
{
    clear(context);
    cli_message("%s", text);
}

static void show_preparing(void *context, int64_t done, int64_t images)
{
    view *v = context;
    double now = cli_now();
    if (!v->terminal || now - v->last < REFRESH_SECONDS) return;
    v->last = now;
    v->shown = true;
    fprintf(stderr, "\r\033[Kproposals: image %" PRId64 " of %" PRId64, done, images);
    fflush(stderr);
}

static void show_epoch(void *context, const trib_epoch_report *report)
{
    char line[TRIB_REPORT_LINE];
    clear(context);
    fprintf(stderr, "%s\n", trib_epoch_line(report, line));
}

static trib_train_wish wish(void *context)
{
    (void)context;
    if (cli_stopped()) return TRIB_TRAIN_STOP;
    return cli_save_requested() ? TRIB_TRAIN_SAVE : TRIB_TRAIN_GO_ON;
}

/* ---- running ---- */

typedef struct session {
    const cli_settings *settings;
    trib_train_options options;
    trib_device *device;
    trib_train *train;
    char *tuned; /* a file */
    view view;
} session;

static trib_status open_run(session *s)
{
    trib_train_events events = { .context = &s->view,
                                 .wish = wish,
                                 .message = show_message,
                                 .preparing = show_preparing,
                                 .progress = show_progress,
                                 .epoch = show_epoch };
    TRIB_TRY(cli_open_device(s->settings, &s->device));
    int batch = s->options.plan.batch;
    TRIB_TRY(cli_plan_options(s->settings, s->device, &s->options.plan));
    s->options.plan.batch = batch;
    s->options.launch = (trib_launch)s->settings->launch;
    s->options.raw = cli_wants_raw_pixels(s->settings, s->device);
    if (s->settings->schedule.automatic) TRIB_TRY(cli_tuned_path(s->settings, s->device, false, &s->tuned));
    if (s->settings->schedule.automatic && !s->tuned)
        cli_message("--schedule auto: serial is used, because no file is kept");
    s->options.tuned = s->tuned;
    TRIB_TRY(trib_train_open(s->device, &s->options, &events, &s->train));
    return cli_change_preprocess(s->settings, trib_train_network(s->train), trib_train_preprocess(s->train));
}

static void say_end(const session *s, const trib_train_result *r)
{
    char accuracy[96] = "";
    if (isfinite(r->top1)) snprintf(accuracy, sizeof accuracy, "; top-1 %.2f %%", r->top1);
    if (isfinite(r->averaged_top1))
        snprintf(accuracy, sizeof accuracy, "; top-1 %.2f %% (averaged; %.2f %% without)", r->averaged_top1, r->top1);
    fprintf(stderr, "wrote ");
    cli_print_safe(stderr, s->options.folder);
    fprintf(stderr, "/model.safetensors: %" PRId64 " steps%s\n", r->step, accuracy);
}

/* A failure is followed by what is still there. */
static int end(const session *s, const trib_status *status, const trib_train_result *r)
{
    if (trib_failed(status)) {
        int code = cli_report(status);
        if (r->bad_step)
            cli_message("to see that step again: tributary train --replay %s %" PRId64, s->options.folder, r->bad_step);
        if (r->saved >= 0)
            cli_message("the newest checkpoint is that of step %" PRId64 ": %s/last", r->saved, s->options.folder);
        return code;
    }
    if (r->unprepared) {
        cli_message("stopped before the first step; the same command goes on with the proposals found so far");
        return CLI_STOPPED;
    }
    if (r->stopped) {
        cli_message("stopped after step %" PRId64 ", saved; the same command with --resume continues", r->step);
        return CLI_STOPPED;
    }
    say_end(s, r);
    if (r->damaged) cli_message("%" PRId64 " images could not be read; others took their places", r->damaged);
    if (r->unmeasured)
        cli_message("%" PRId64 " images for validation could not be read, and were left out", r->unmeasured);
    return r->damaged || r->unmeasured ? CLI_SKIPPED : CLI_OK;
}

static int train(session *s)
{
    trib_train_result result = { .saved = -1 };
    s->view.terminal = isatty(STDERR_FILENO);
    cli_catch_training_signals();
    trib_status status = open_run(s);
    if (!trib_failed(&status)) status = trib_train_run(s->train, &result);
    clear(&s->view);
    int code = end(s, &status, &result);
    trib_train_close(s->train);
    trib_free(s->tuned);
    trib_device_close(s->device);
    return code;
}

/* In place of training. */
static int replay(session *s, int64_t step)
{
    trib_train_replay result;
    trib_status status = open_run(s);
    cli_catch_signals();
    if (!trib_failed(&status)) status = trib_train_again(s->train, step, &result);
    if (!trib_failed(&status)) status = cli_print_replay(&result);
    int code = trib_failed(&status) ? cli_report(&status) : CLI_OK;
    trib_train_close(s->train);
    trib_free(s->tuned);
    trib_device_close(s->device);
    return code;
}

static int check(const cli_command *self, const cli_train_options *own, const cli_texts *arguments)
{
    if (!arguments->count)
        return cli_usage(self, "which DATA? Name a folder of class folders, tar shards, or an IDX file");
    if (!own->output) return cli_usage(self, "no folder for the run: add -o RUN");
    return CLI_GO_ON;
}

static int replay_run(const cli_command *self, const cli_train_options *own, const cli_texts *arguments);

/* Reads the command line and trains, or with `step` runs that step of its run again. */
static int run_words(const cli_command *self, int argc, char **argv, int64_t step, const char *folder)
{
    cli_settings settings = cli_default_settings();
    cli_train_options own = cli_train_defaults();
    cli_group groups[CLI_TRAIN_GROUPS];
    cli_texts arguments = { 0 };
    cli_train_settings recorded = { 0 };
    session s = { .settings = &settings };
    cli_train_groups(&own, &settings, groups);
    int code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON && step) own.output = folder; /* it may have been moved */
    cli_train_fill_in(&own);
    if (code == CLI_GO_ON && own.replay) code = replay_run(self, &own, &arguments);
    if (code == CLI_GO_ON) code = check(self, &own, &arguments);
    if (code == CLI_GO_ON) code = cli_train_resolve(self, &own, &settings, &s.options);
    if (code == CLI_GO_ON) {
        trib_status status = cli_train_settings_of(groups, &recorded);
        s.options.inputs = (const char *const *)arguments.items;
        s.options.input_count = arguments.count;
        s.options.plan.batch = own.batch;
        s.options.command = (const char *const *)argv;
        s.options.command_words = argc;
        s.options.settings = recorded.items;
        s.options.setting_count = recorded.count;
        code = trib_failed(&status) ? cli_report(&status) : step ? replay(&s, step) : train(&s);
    }
    cli_train_settings_release(&recorded);
    cli_options_release(groups, &arguments);
    return code;
}

static int replay_run(const cli_command *self, const cli_train_options *own, const cli_texts *arguments)
{
    char **words = NULL;
    int count = 0;
    int64_t step;
    if (arguments->count != 1 || !cli_read_step(arguments->items[0], &step))
        return cli_usage(self, "--replay RUN takes one argument, the number of a STEP, from 1");
    trib_status status = trib_run_read_command(own->replay, &words, &count);
    int code = trib_failed(&status) ? cli_report(&status) : run_words(self, count, words, step, own->replay);
    trib_free(words);
    return code;
}

static int run(const cli_command *self, int argc, char **argv) { return run_words(self, argc, argv, 0, NULL); }

const cli_command cli_train = {
    .name = "train",
    .summary = "train a network on labelled images, from scratch or from a model",
    .synopsis = "DATA... -o RUN [--init MODEL] [-b N] [--epochs N] [--lr RATE] [--sched NAME] [--resume]",
    .description =
        "Trains GoogLeNet with SGD and writes RUN/model.safetensors, a model for every other command.\n\n"
        "DATA is a folder with one subfolder of images per class, a folder with train and val of such, tar shards in "
        "which each image has a .cls file beside it, or an IDX file of images with its labels. An image that cannot be "
        "read is reported, and another one takes its place (not in validation); the exit code is then 3. IDX images "
        "are resized whole; of others, evaluation and --sampling none and mirror take the centre (--crop-pct).\n\n"
        "With --boxes, the network learns what regions of the images show, as R-CNN's does, for 'tributary detect': "
        "DATA "
        "are images, the truth has boxes of their objects, and a class 'background' is added. An epoch is as many "
        "windows as have each one with an object once; top-1 is that of windows of the images put aside, objects and "
        "background in the same shares.\n\n"
        "RUN gets args.json, summary.csv (a row per epoch, timm's columns), metrics.jsonl, curves.svg, checkpoint-N, "
        "last and model_best. A checkpoint is a model, too, and RUN stands for its model, or before the end for its "
        "best "
        "checkpoint: 'tributary eval RUN DATASET'.\n\n"
        "SIGTERM, SIGINT (Ctrl-C) and SIGHUP (a terminal that closes) end the run after the next step with a "
        "checkpoint and exit code 4; a second SIGTERM or SIGINT ends it at once. SIGUSR1 writes a checkpoint and goes "
        "on. With --resume, the same command continues bit for "
        "bit, with any number of threads and workers.\n\n"
        "A loss that is not finite stops the run; --replay RUN with the number of a step as its only argument shows "
        "that "
        "step again.",
    .examples =
        "  $ tributary train photos/ -o run --epochs 30 --lr 0.02 --sched onecycle\n"
        "  $ tributary train photos/ -o run --init googlenet.safetensors --freeze conv1,conv2 --lr 0.001\n"
        "  $ tributary train 'train-{000000..000099}.tar' --val-data val.tar -o run -b 256 --resume\n"
        "  $ tributary train train-images-idx3-ubyte.gz -o run --img-size 64 --sampling mirror --model-ema\n"
        "  $ tributary train photos/ --boxes annotations.json -o run --init googlenet.safetensors --lr 0.001 -b "
        "128\n"
        "  $ tributary train --replay run 1234\n",
    .run = run,
};
