/* SPDX-License-Identifier: Apache-2.0
 * Images in, results out: decodes on worker threads and computes on this thread until the source ends or the user
 * interrupts. Shared by classify, eval and bench --end-to-end. */
#ifndef TRIBUTARY_CLI_FEED_H
#define TRIBUTARY_CLI_FEED_H

#include "notes.h"
#include "progress.h"
#include "settings.h"

typedef struct cli_feed {
    const cli_settings *settings;
    trib_device *device;
    trib_model *model;
    trib_source *source;
    trib_preprocess preprocess;
    int classes;
    int batch_size; /* at most the number of items, if known */
    int workers;
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

/* Opens device, model (NULL: --arch) and source. `source_options` as for trib_source_open, but the class names are the
 * model's if it has any. cli_feed_close takes a feed that is zero or filled. */
trib_status cli_feed_open(const cli_settings *settings, const char *model, const cli_texts *inputs, int first_input,
                          const trib_source_options *source_options, int batch_size, int workers, cli_feed *feed);
/* The same with a device and a model of the caller's: only the source belongs to the feed. Release it with
 * trib_source_close(feed->source). */
trib_status cli_feed_open_source(cli_feed *feed, const cli_texts *inputs, int first_input,
                                 const trib_source_options *source_options);
void cli_feed_close(cli_feed *feed);

/* The k most likely classes of each image, in order: row i is slot i of the batch. */
typedef trib_status (*cli_batch_function)(void *context, const trib_batch *batch, int k, const float *probabilities,
                                          const int32_t *indices);
/* Calls `handle` for every batch in order, with `top_k` classes, or all if there are fewer. Fails with TRIB_CANCELLED
 * when interrupted, after a whole batch. At the end, notes on images go to standard error. */
trib_status cli_feed_run(cli_feed *feed, int top_k, cli_batch_function handle, void *context);

#endif
