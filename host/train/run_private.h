/* SPDX-License-Identifier: Apache-2.0
 * Shared by the files that make a run folder. */
#ifndef TRIBUTARY_TRAIN_RUN_PRIVATE_H
#define TRIBUTARY_TRAIN_RUN_PRIVATE_H

#include "train/run_folder.h"
#include "train/run_table.h"

#define TRIB_RUN_ARGS "args.json"
#define TRIB_RUN_LOCK ".lock"
#define TRIB_RUN_LAST "last"
#define TRIB_RUN_BEST "model_best"
#define TRIB_RUN_MODEL "model.safetensors" /* finished */
#define TRIB_RUN_CHECKPOINT "checkpoint-"
#define TRIB_RUN_PROPOSALS "proposals-" /* and the strategy; may be there before args.json */

struct trib_run_folder {
    char *path;
    bool is_new, is_locked;
    int keep;
    int lock; /* descriptor; -1: none */
    trib_run_table summary, metrics;
    trib_text header; /* of the summary: names of columns with commas between them */
    int columns;
    double *history; /* its rows */
    size_t rows, history_capacity;
};

void trib_run_tables_free(trib_run_folder *run);

/* Locks the folder; *locked is false where that is not supported. */
trib_status trib_run_lock(const char *folder, int *fd, bool *locked);

/* Calls `found` with each name in the folder but "." and "..", until it fails. */
trib_status trib_run_each_name(const char *folder, trib_status (*found)(void *context, const char *name),
                               void *context);
/* N of "checkpoint-N"; -1 for other names. */
int64_t trib_run_checkpoint_number(const char *name);
/* "checkpoint-N" into `name`, at least 32 bytes; returns it. */
const char *trib_run_checkpoint_name(int64_t step, char *name);
/* Fails unless args.json in `folder` is one of ours. */
trib_status trib_run_check_args(const char *path);

#endif
