/* SPDX-License-Identifier: Apache-2.0
 * Where the rows of a training loader's batches come from: the images of a set, or windows of its images.
 *
 * A run is one sequence of rows. What is in a row is a function of its place alone, so that nothing depends on which
 * worker makes it, or when. */
#ifndef TRIB_DATA_TRAINING_ROWS_H
#define TRIB_DATA_TRAINING_ROWS_H

#include "data/load.h"
#include "tributary/training_data.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_row_place {
    uint64_t seed;
    int64_t position; /* in the run, from 0 on */
    int attempt;      /* 0; then the number of choices that could not be read */
    bool in_order;    /* for validation: position is 0 .. count - 1, and there is no other attempt */
} trib_row_place;

typedef struct trib_row_choice {
    int64_t image; /* of the rows' part */
    int64_t item;  /* the kind's own */
    int32_t label;
    uint64_t key; /* for what is random in it */
} trib_row_choice;

typedef struct trib_training_rows trib_training_rows;
struct trib_training_rows {
    const trib_training_set *set;
    trib_training_part part;
    int64_t count;       /* of an epoch */
    const void *context; /* the kind's own */
    trib_row_choice (*choose)(const trib_training_rows *rows, const trib_row_place *place);
    /* (optional) Fills the row from what is kept in memory, with *s as result; false: the image must be read. */
    bool (*recall)(const trib_training_rows *rows, const trib_loading *loading, const trib_row_choice *choice,
                   void *row, trib_status *s);
    /* Fills the row from an item whose data were read, and frees these, as trib_load_item does. */
    trib_status (*load)(const trib_training_rows *rows, trib_loading *loading, trib_item *item, const char *name,
                        const trib_row_choice *choice, void *row);
};

/* All images of a part, each once per epoch. */
trib_training_rows trib_image_rows(const trib_training_set *set, trib_training_part part);

/* trib_training_loader_create for any rows, which are copied; options->part is not used. */
trib_status trib_training_loader_create_for(const trib_training_rows *rows, const trib_preprocess *preprocess,
                                            const trib_training_loader_options *options, trib_training_loader **out);

/* A key of the run's seed, and of what makes the row another than others. */
uint64_t trib_row_key(uint64_t seed, int64_t epoch, int64_t number, int attempt);

#ifdef __cplusplus
}
#endif
#endif
