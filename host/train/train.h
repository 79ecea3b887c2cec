/* SPDX-License-Identifier: Apache-2.0
 * A training run: from images to a model, in a folder that a later process can continue.
 *
 *     trib_train *train;
 *     trib_train_open(device, &options, &events, &train);    data and network
 *     trib_train_preprocess(train)->...                      may be changed
 *     trib_train_run(train, &result);                        to the end, or until events.wish says so
 *     trib_train_close(train);
 *
 * Nothing is printed: what people should know goes to the events. */
#ifndef TRIBUTARY_TRAIN_TRAIN_H
#define TRIBUTARY_TRAIN_TRAIN_H

#include "train/report.h"
#include "train/run_folder.h"
#include "tributary/proposals.h"
#include "tributary/train_schedule.h"
#include "tributary/trainer.h"
#include "tributary/training_data.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Pointers must stay valid until trib_train_close. */
typedef struct trib_train_options {
    /* data */
    const char *const *inputs;
    int input_count;
    const char *class_names; /* a file with a name per line, in the order of the classes; NULL: those of the data */
    trib_training_set_options data; /* its class names are set here */
    const trib_sampling *sampling;
    int workers;
    trib_decode_options decode;
    int64_t loader_memory;
    /* Regions in place of whole images: the network learns what proposals show, and background is a class of its own
     * (detect/region_classes.h, data/training_windows.h). `sampling` counts for mirrors only. */
    const char *boxes;            /* truth: a file or folder (detect/truth_file.h); NULL: whole images */
    const char *validation_boxes; /* the same of data.validation; NULL: `boxes` has those images, too */
    const char *proposals;        /* a file of them; NULL: they are computed, and kept in the run's folder */
    trib_strategy strategy;       /* by which they are computed */
    double objects;               /* share of windows that show objects; 0: a quarter */
    int context;                  /* pixels of the input around a box; 0: trib_region_context, as in detection */
    /* network */
    trib_network_spec net;      /* its classes are those of the data; network and width are those of `init`, if given */
    const char *init;           /* a model to begin with; NULL: none */
    const trib_init_rule *rule; /* for what `init` does not have; NULL: the network's own */
    const char *const *frozen;  /* prefixes, as for trib_parameters_select */
    int frozen_count;
    /* training */
    trib_plan_options plan; /* schedule, precision, ...; the batch size */
    trib_launch launch;
    const char *tuned;         /* a file of trib_tuned_save, whose schedule is used if it has one; NULL: none */
    bool raw;                  /* the device normalises 8-bit pixels */
    int64_t epochs, max_steps; /* the first to be reached ends the run; max_steps 0: none */
    trib_lr_options lr;        /* without the numbers of steps */
    int accumulate;            /* batches per step, as trib_training.accumulate; 0: 1 */
    double weight_decay, smoothing, aux_weight;
    double loss_scale;     /* what losses are multiplied by; 0: 1 */
    bool adapt_loss_scale; /* beginning with `loss_scale`; 0: TRIB_FIRST_LOSS_SCALE */
    double clip_norm;      /* of all gradients together; 0: not clipped */
    bool nesterov, caffe_rules, no_dropout;
    trib_average average;
    uint64_t seed;
    /* the run */
    const char *folder;
    bool resume, resume_anyway;
    int64_t checkpoint_every; /* steps; 0: at the end of each epoch only, where there always is one */
    int keep;
    int64_t log_every; /* steps */
    const char *const *command;
    int command_words;
    /* For args.json. Those in `harmless` may differ when a run is resumed: the results do not depend on them. */
    const trib_run_setting *settings;
    int setting_count;
    const char *const *harmless; /* ends with NULL */
} trib_train_options;

typedef enum trib_train_wish { TRIB_TRAIN_GO_ON = 0, TRIB_TRAIN_SAVE, TRIB_TRAIN_STOP } trib_train_wish;

/* All are called by the thread that calls trib_train_run. */
typedef struct trib_train_events {
    void *context;
    /* Asked after each step, and while evaluating. TRIB_TRAIN_SAVE: a checkpoint now, once; TRIB_TRAIN_STOP: a
     * checkpoint, then the end. */
    trib_train_wish (*wish)(void *context);
    void (*message)(void *context, const char *text);
    void (*progress)(void *context, const trib_progress_report *report); /* after each step */
    void (*epoch)(void *context, const trib_epoch_report *report);
    /* While proposals are looked for: images done, of how many. */
    void (*preparing)(void *context, int64_t done, int64_t images);
} trib_train_events;

typedef struct trib_train_result {
    bool stopped;         /* by a wish, before the end */
    bool unprepared;      /* that was before the first step, while proposals were looked for: they are kept */
    int64_t step;         /* steps done, by earlier processes, too */
    int64_t saved;        /* the step of the newest checkpoint, written or gone on from; -1: none */
    int64_t bad_step;     /* counted from 1: a loss or a parameter was not finite then; 0: none */
    int64_t damaged;      /* images to train on that could not be read; others took their places */
    int64_t unmeasured;   /* validation images that could not be read, and were left out */
    double top1;          /* of the last evaluation, percent; NaN: none */
    double averaged_top1; /* of averaged weights */
} trib_train_result;

typedef struct trib_train trib_train;

trib_status trib_train_open(trib_device *device, const trib_train_options *options, const trib_train_events *events,
                            trib_train **out);
void trib_train_close(trib_train *train); /* NULL is fine */

const trib_network_spec *trib_train_network(const trib_train *train);
/* May be changed until trib_train_run, except for the size of the crop. */
trib_preprocess *trib_train_preprocess(trib_train *train);

/* Trains until the end or a wish to stop, and writes FOLDER/model.safetensors at the end. After a failure, the newest
 * checkpoint is what it was. *result is filled in every case. */
trib_status trib_train_run(trib_train *train, trib_train_result *result);

/* What one step did. */
typedef struct trib_train_replay {
    int64_t step, from; /* counted from 1; steps done at the checkpoint */
    double lr;
    int heads;
    const char *names[TRIB_PLATEAU_HEADS];
    double losses[TRIB_PLATEAU_HEADS];
    const char *bad_role, *bad_name; /* of a tensor that is not finite after the step; NULL: all are */
    int images;
    const char *const *files; /* of the batch */
} trib_train_replay;

/* In place of trib_train_run: runs the steps from the newest checkpoint before `step` up to it, and writes nothing.
 * *out is valid until trib_train_close. */
trib_status trib_train_again(trib_train *train, int64_t step, trib_train_replay *out);

#ifdef __cplusplus
}
#endif
#endif
