/* SPDX-License-Identifier: Apache-2.0
 * Images in, results out: decodes on worker threads and computes on this thread until the source ends or the user
 * interrupts. Shared by classify, eval and bench --end-to-end.
 *
 * One model that is asked once about each image has its own way (feed_batches.c): workers make its input, and its
 * device the most likely classes. Several models, or several crops of an image, are a panel (feed_panel.c). */
#ifndef TRIBUTARY_CLI_FEED_H
#define TRIBUTARY_CLI_FEED_H

#include "image/crops.h"
#include "members.h"
#include "notes.h"
#include "progress.h"

typedef struct cli_feed {
    const cli_settings *settings;
    cli_members members; /* none: `device`, `model` and `preprocess` are the caller's */
    trib_device *device;
    trib_model *model; /* of several, the one whose labels count */
    trib_source *source;
    trib_preprocess preprocess;
    int classes;
    int batch_size; /* at most the number of items, if known; of a panel, regions */
    int workers;
    trib_crops *crops; /* what each member is asked about; NULL: one crop, and `device`, `model`, `preprocess` */
    bool rows_on_terminal;
    bool keeps_parameters; /* the model will be used for another session, so cli_feed_run keeps its parameters */
    cli_progress progress;
    int64_t already_done; /* items to skip before the first */
    /* filled by cli_feed_run */
    int64_t good, skipped;
    double seconds;       /* from the first read to the last result, including the preparation of the network */
    double first_seconds; /* from the start of the program to the first result */
    trib_loader_stats loader;
    cli_image_notes notes;
} cli_feed;

/* Opens the first `models` arguments (members.h), and a source of the others. `source_options` as for trib_source_open,
 * but the class names are the models' if they have any. cli_feed_close takes a feed that is zero or filled. */
trib_status cli_feed_open(const cli_settings *settings, const cli_texts *arguments, int models,
                          const trib_source_options *source_options, int batch_size, int workers, cli_feed *feed);
/* The same with a device and a model of the caller's: only the source belongs to the feed. Release it with
 * trib_source_close(feed->source). */
trib_status cli_feed_open_source(cli_feed *feed, const cli_texts *inputs, int first_input,
                                 const trib_source_options *source_options);
void cli_feed_close(cli_feed *feed);

/* Does for one item what a worker would do, and drops the result: whether it can be read. */
trib_status cli_feed_try(cli_feed *feed, trib_item *item);

/* The k most likely classes of an image, surest first, equal ones in the order of their indices. */
typedef struct cli_answer {
    const char *name;
    int label;
    const trib_status *status; /* a failure: the image was skipped and has no classes */
    int k;
    const float *probabilities;
    const int32_t *indices;
    const int32_t *members; /* of each of several models alone: models x k indices; NULL: there is one */
} cli_answer;

typedef struct cli_feed_handler {
    trib_status (*image)(void *context, const cli_answer *answer); /* each image, in the order of the source */
    trib_status (*pause)(void *context); /* (optional) after some images: writes what is pending */
    void *context;
} cli_feed_handler;

/* Calls the handler for every image, with `top_k` classes, or all if there are fewer. Fails with TRIB_CANCELLED when
 * interrupted, after a whole image. At the end, notes on images go to standard error. */
trib_status cli_feed_run(cli_feed *feed, int top_k, const cli_feed_handler *handler);

#endif
