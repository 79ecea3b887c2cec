/* SPDX-License-Identifier: Apache-2.0
 * Shared by the files that make a training run. */
#ifndef TRIBUTARY_TRAIN_TRAIN_PRIVATE_H
#define TRIBUTARY_TRAIN_TRAIN_PRIVATE_H

#include "data/names.h"
#include "train/run_private.h"
#include "train/train.h"
#include "train/train_boxes.h"
#include "tributary/model.h"

enum { TRIB_TRAIN_HEADS = 3 }; /* logits, aux1, aux2 */

/* Sums over the steps of an epoch so far. Stored in checkpoints, as one tensor of doubles. */
typedef struct trib_train_sums {
    double images, right;
    double losses[TRIB_TRAIN_HEADS]; /* of each head, without its weight, times images */
} trib_train_sums;

/* What a checkpoint holds beside tensors of the trainer. */
typedef struct trib_train_state {
    int64_t step; /* steps done; each took trib_train_step_images samples */
    double best;  /* highest top-1 so far, percent; negative: none */
    /* Of the last evaluation, of the weights and of their average; NaN: none. */
    double top1, averaged_top1, eval_loss, averaged_loss;
    bool is_best;          /* it was the best when it was saved */
    bool pending;          /* an epoch ended with this step, and was not evaluated */
    trib_train_sums sums;  /* of this epoch */
    trib_train_sums ended; /* of the epoch that is pending */
} trib_train_state;

struct trib_train {
    trib_device *device;
    trib_train_options o;
    trib_train_events events;
    /* data and network */
    trib_model *init;
    trib_training_set *set;
    trib_train_boxes boxes;
    trib_names class_names; /* of options.class_names */
    int classes;
    const char *const *labels; /* NULL: the classes have no names */
    const char **init_labels;
    trib_network_spec net;
    const trib_dialect *dialect;
    trib_graph *graph;
    trib_tensor *parameters; /* initial values; NULL once the trainer has them */
    void *fresh_values;
    const char **frozen;
    trib_preprocess preprocess;
    trib_normalise normalise;
    /* training */
    trib_loss losses[TRIB_TRAIN_HEADS];
    trib_training training;
    trib_trainer *trainer;
    int64_t images, steps; /* of an epoch, whole ones or windows; of the run */
    float *logits[TRIB_TRAIN_HEADS], *head_losses[TRIB_TRAIN_HEADS]; /* of a step */
    void **outputs;                                                  /* the plan's */
    const char **names;                                              /* of the images of the last step; the set's */
    int named;                                                       /* 0: no step was made */
    trib_run_folder *folder;
    trib_training_loader *loader;
    trib_train_state state;
    trib_plateau plateau;
    trib_pace pace;
    double top1_objects, top1_background; /* of the last evaluation, percent, of windows */
    bool save_wanted;
    int64_t saved, listed, unmeasured, bad_step; /* listed, unmeasured: damaged images, said so */
    bool *told;                                  /* of each validation image: that it is damaged was said */
    double epoch_began;
    trib_training_loader_stats before; /* at the beginning of what the limit is said of */
    double limit_began;
    trib_limit limit;
    char **replayed; /* names of the images of a replayed step */
    int replayed_count;
};

TRIB_PRINTF(2, 3)
void trib_train_say(trib_train *t, const char *format, ...);
trib_train_wish trib_train_ask(trib_train *t);
double trib_train_clock(void);

/* ---- train_network.c ---- */

trib_status trib_train_open_data(trib_train *t);
/* Fails if an epoch has fewer images than a step. */
trib_status trib_train_check_batch(const trib_train *t);
/* Where the images of batches come from. */
trib_training_rows trib_train_rows(const trib_train *t, trib_training_part part);
/* Those of validation; 0: nothing is evaluated. */
int64_t trib_train_measured(const trib_train *t);
trib_status trib_train_build_network(trib_train *t);
/* "aux1" ..., of losses[head]. */
const char *trib_train_head_name(const trib_train *t, int head);

/* ---- train_trainer.c ---- */

/* Options of the plan and of schedules, from those of the run; the trainer with its buffers. */
trib_status trib_train_create_trainer(trib_train *t);
/* Images of a step. The run's images are one sequence over all epochs, cut into steps. */
int64_t trib_train_step_images(const trib_train *t);
/* Batch `part` of the o.accumulate ones of a step, of which the last updates; sums gets its losses. */
trib_status trib_train_part(trib_train *t, int part, const trib_training_batch *batch, trib_train_sums *sums);
void trib_train_add_sums(trib_train_sums *to, const trib_train_sums *sums);
trib_status trib_train_start_loader(trib_train *t);

/* ---- train_values.c ---- */

typedef struct trib_train_copies {
    float **items;
    int count;
} trib_train_copies;
/* Room for copies of at most so many tensors. Freeing is harmless without it. */
trib_status trib_train_copies_allocate(int most, trib_train_copies *out);
/* Of a tensor of the trainer, valid until the next step: its own where they are in host memory, else a copy. */
trib_status trib_train_values(trib_train *t, int index, trib_train_copies *copies, const float **out);
void trib_train_copies_free(trib_train_copies *copies);

/* ---- train_finite.c ---- */

bool trib_train_all_finite(const float *values, int64_t count);
/* The tensor of the trainer in which values first were not finite: running statistics, which are made in the order of
 * the layers, before all others. *index is -1 if all are finite. */
trib_status trib_train_find_bad(trib_train *t, int *index);
/* Fails if a loss of the step just made is not finite, naming head, tensor and files. */
trib_status trib_train_check(trib_train *t, const trib_train_sums *sums);
/* The failure that a tensor is not finite after the last step. */
trib_status trib_train_bad_tensor(trib_train *t, const trib_trainer_tensor *tensor);

/* ---- train_state.c ---- */

/* Fails, writing nothing, if a value is not finite. */
trib_status trib_train_save(trib_train *t, bool best);
trib_status trib_train_restore(trib_train *t, const trib_checkpoint *checkpoint);
/* Where the trainer has a parameter of the graph: that of the average, if there is one and `average` is set. */
int trib_train_find(const trib_train *t, const char *name, bool average);

/* ---- train_model.c ---- */

/* Parameters of the network without auxiliary classifiers. */
typedef struct trib_train_weights {
    trib_graph *graph;
    trib_tensor *tensors; /* one per parameter of the graph, named as in files; valid until the next step */
    trib_train_copies copies;
    char *names;
} trib_train_weights;
trib_status trib_train_weights_read(trib_train *t, bool average, trib_train_weights *out);
void trib_train_weights_free(trib_train_weights *weights);

/* The metadata of a model file. Texts belong to `text`. */
enum { TRIB_TRAIN_METADATA = 4 };
typedef struct trib_train_metadata {
    trib_text labels, preprocessing, provenance;
    trib_key_value items[TRIB_TRAIN_METADATA];
    int count;
} trib_train_metadata;
trib_status trib_train_make_metadata(const trib_train *t, trib_train_metadata *out);
void trib_train_metadata_free(trib_train_metadata *metadata);
/* RUN/model.safetensors. */
trib_status trib_train_write_model(trib_train *t);

/* ---- train_evaluate.c ---- */

/* Fills top1, eval_loss and their averaged twins; *cancelled if a wish to stop came first. */
trib_status trib_train_evaluate(trib_train *t, bool *cancelled);

/* ---- train_resume.c ---- */

/* Opens the folder, and restores its newest checkpoint if it has one. */
trib_status trib_train_open_folder(trib_train *t);

#endif
