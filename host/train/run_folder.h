/* SPDX-License-Identifier: Apache-2.0
 * The folder of a training run: what was asked, checkpoints, and what was measured. README.md lists its files.
 *
 *     trib_run_folder *run;
 *     trib_run_folder_open("RUN", &(trib_run_options) { .resume = true, .keep = 3 }, &run);
 *     if (trib_run_folder_is_new(run)) trib_run_folder_write_args(run, argv, argc, settings, count);
 *     trib_checkpoint *c;
 *     trib_run_folder_newest(run, &passed_over, &c);         NULL: begin at step 0
 *     trib_run_folder_begin(run, c ? its step : 0, columns, column_count);
 *     each step:  trib_run_folder_add_step(run, step, numbers, count);
 *     each epoch: trib_run_folder_add_epoch(run, values);
 *     sometimes:  trib_run_folder_save(run, &what);
 *     trib_run_folder_close(run);
 *
 * One thread at a time uses a run. */
#ifndef TRIBUTARY_TRAIN_RUN_FOLDER_H
#define TRIBUTARY_TRAIN_RUN_FOLDER_H

#include "formats/text.h"
#include "train/checkpoint.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_run_folder trib_run_folder;

typedef struct trib_run_options {
    bool resume; /* the folder may hold a run that is to be continued */
    int keep;    /* newest checkpoints that stay beside `last` and `model_best`; 0: 2 */
} trib_run_options;

/* Creates the folder and those above it if they are missing, and locks it until close, or until the process ends in any
 * way. Removes unfinished files of processes that are gone. Fails with TRIB_INVALID_ARGUMENT, before anything is
 * changed, if the folder holds other things than a run, or a run and `resume` is false; if another process has it
 * locked, its id is in the message. */
trib_status trib_run_folder_open(const char *path, const trib_run_options *options, trib_run_folder **out);
void trib_run_folder_close(trib_run_folder *run); /* NULL is fine */

const char *trib_run_folder_path(const trib_run_folder *run);
/* No args.json was written yet. */
bool trib_run_folder_is_new(const trib_run_folder *run);
/* False where the file system has no locks: two processes could then use the folder. */
bool trib_run_folder_is_locked(const trib_run_folder *run);
/* "RUN/name" into `path`, which has TRIB_RUN_PATH bytes; returns it. */
enum { TRIB_RUN_PATH = 4096 };
const char *trib_run_folder_file(const trib_run_folder *run, const char *name, char *path);

/* ---- what was asked ---- */

/* A setting after defaults were filled in: a text, or a number if `text` is NULL. */
typedef struct trib_run_setting {
    const char *name, *text;
    double number;
} trib_run_setting;

/* Writes args.json: the command as given, and the settings. Bytes that are not UTF-8 become U+FFFD. */
trib_status trib_run_folder_write_args(trib_run_folder *run, const char *const *command, int words,
                                       const trib_run_setting *settings, int count);
/* Compares args.json with `settings`: one line for each that is different, missing or new, "name: was 32, is 64",
 * into *differences. Settings whose order or spelling alone differ are equal. */
trib_status trib_run_folder_compare_args(const trib_run_folder *run, const trib_run_setting *settings, int count,
                                         trib_text *differences);

/* The command in args.json of the folder `path`, which need not be open. Free *words with trib_free: one block. */
trib_status trib_run_read_command(const char *path, char ***words, int *count);

/* ---- checkpoints ---- */

#define TRIB_RUN_STEP_KEY "training.step"

typedef struct trib_run_checkpoint {
    int64_t step; /* stored under TRIB_RUN_STEP_KEY, too */
    bool best;    /* so far */
    const trib_tensor *tensors;
    int count;
    const trib_key_value *metadata;
    int metadata_count;
} trib_run_checkpoint;

/* Writes checkpoint-STEP, then `last` and, if it is the best, `model_best`, flushes rows of the tables before, and
 * removes checkpoints older than the newest `keep`. Success means all of that is on disk; a message that begins with
 * "saved, but" means that only the checkpoint is. */
trib_status trib_run_folder_save(trib_run_folder *run, const trib_run_checkpoint *what);

/* Makes `last`, and of the best one `model_best`, names of checkpoint-STEP: a process that was killed may not have come
 * to that. Harmless if there is no such file. */
trib_status trib_run_folder_set_names(trib_run_folder *run, int64_t step, bool best);

/* Loads the newest checkpoint that is whole. *passed_over gets a line with the reason for each newer one that is not.
 * *out is NULL when the run has no checkpoint yet; if none of several can be loaded, this fails with the reason of the
 * newest. */
trib_status trib_run_folder_newest(trib_run_folder *run, trib_text *passed_over, trib_checkpoint **out);
/* The step of a checkpoint; -1 if it has none. */
int64_t trib_run_step(const trib_checkpoint *checkpoint);

/* ---- tables ---- */

/* Opens summary.csv, which has the columns of timm, "step", and `columns`, and metrics.jsonl. Rows beyond `step`, of
 * steps that are trained again, are cut off, and so is a row that a crash left unfinished. Fails if a summary.csv with
 * other columns exists. */
trib_status trib_run_folder_begin(trib_run_folder *run, int64_t step, const char *const *columns, int count);

/* Values of an epoch; NaN: not measured, the field stays empty. timm's columns, the loss in the units of the training,
 * top-1 in percent. */
typedef struct trib_run_epoch {
    int64_t epoch; /* from 0 */
    int64_t step;  /* at its end */
    double train_loss, eval_loss, eval_top1, lr;
    const double *more; /* one per column of trib_run_folder_begin */
} trib_run_epoch;
/* Does nothing if the last row is of this epoch and step: after a checkpoint at the end of an epoch, an interrupted run
 * evaluates again what it may have written already. */
trib_status trib_run_folder_add_epoch(trib_run_folder *run, const trib_run_epoch *row);

typedef struct trib_run_number {
    const char *name;
    double value; /* one that is not finite becomes null */
} trib_run_number;
/* One JSON object a line: "step", then the numbers in this order. */
trib_status trib_run_folder_add_step(trib_run_folder *run, int64_t step, const trib_run_number *numbers, int count);

/* The rows of summary.csv, those of earlier processes included. Row i has TRIB_RUN_COLUMNS + count values from
 * *values + i * (TRIB_RUN_COLUMNS + count) on: epoch, train_loss, eval_loss, eval_top1, lr, step, more. Valid until the
 * next row. */
enum { TRIB_RUN_COLUMNS = 6 };
int64_t trib_run_folder_history(const trib_run_folder *run, const double **values);

/* Draws curves.svg anew: columns that begin with "train_loss" and "eval_loss" (of one head, if they end alike, in one
 * color), those with "top1" in their name, and "lr", by epoch; before the second epoch ends, numbers of metrics.jsonl
 * with "loss", "top1" or "lr" in their name, by step. Needs trib_run_folder_begin. */
trib_status trib_run_folder_draw(const trib_run_folder *run);

#ifdef __cplusplus
}
#endif
#endif
