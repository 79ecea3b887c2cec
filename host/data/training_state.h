/* SPDX-License-Identifier: Apache-2.0
 * What the training loader's files share.
 *
 * Batches are numbered from 0, the first of the loader. Batch n is made in buffer n modulo their number, as soon as
 * that was given back. Workers take its rows one after another; it is ready when all are done. Where a row's image
 * comes from is a function of its position alone (data/training_rows.h), so nothing depends on which worker makes it,
 * or when. */
#ifndef TRIB_DATA_TRAINING_STATE_H
#define TRIB_DATA_TRAINING_STATE_H

#include <pthread.h>

#include "data/training_rows.h"
#include "data/training_set.h"
#include "data/workers.h"

enum { TRIB_TRAINING_TRIES = 32, TRIB_MOST_LISTED = 1000 };

typedef enum trib_making { MAKING_FREE = 0, MAKING_STARTED, MAKING_OUT } trib_making;

/* A try to fill a row that failed. */
typedef struct trib_row_problem {
    int row, attempt;
    int64_t sample;
    trib_status reason;
} trib_row_problem;

typedef struct trib_training_buffer {
    trib_training_batch batch; /* what the caller sees */
    unsigned char *pixels;
    int32_t *labels;
    int64_t *samples;
    const char **names;
    trib_making state;
    int taken, done; /* rows that workers took, and those that they finished */
    trib_row_problem *problems;
    size_t problem_count, problem_capacity;
    trib_status failure; /* why the batch cannot be made */
} trib_training_buffer;

typedef struct trib_damaged_image {
    int64_t sample;
    trib_status reason;
} trib_damaged_image;

struct trib_training_loader {
    trib_loader_base base; /* its lock protects buffers, making, given and stats */
    trib_training_rows rows;
    trib_training_loader_options options; /* with defaults filled in */
    trib_sampling sampling;
    int64_t images; /* of the rows' part */
    int buffer_count;

    trib_training_buffer *buffers;
    int64_t making, given; /* numbers of the batch whose rows are being taken, and of the next one for the caller */
    trib_training_loader_stats stats;

    /* Of the thread that takes batches. */
    trib_status failure;    /* of an earlier call */
    unsigned char *damaged; /* a bit per image */
    trib_damaged_image *list;
    size_t list_count, list_capacity;
};

/* The buffer of a batch. */
trib_training_buffer *trib_training_buffer_of(trib_training_loader *loader, int64_t batch);
/* First position of a batch; loader->options.end or more: there is none. */
int64_t trib_training_position_of(const trib_training_loader *loader, int64_t batch);

void *trib_training_worker(void *loader);

/* Enters the problems of a batch into the list, in the order of its rows. Fails if too many images are damaged. */
trib_status trib_training_list_damaged(trib_training_loader *loader, trib_training_buffer *buffer);

#endif
