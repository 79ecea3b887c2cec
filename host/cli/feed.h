/* SPDX-License-Identifier: Apache-2.0
 * Images in, results out: decoding on worker threads, computing on this one, until the source ends or somebody says
 * stop. What classify, eval and bench --end-to-end have in common. */
#ifndef TRIBUTARY_CLI_FEED_H
#define TRIBUTARY_CLI_FEED_H

#include "progress.h"
#include "settings.h"

/* Something that is said of images by trib_image.note, and of how many. */
typedef struct cli_note {
    const char *text;
    int64_t images;
} cli_note;
enum { CLI_MOST_NOTES = 4 };

typedef struct cli_feed {
    const cli_settings *settings;
    trib_device *device;
    trib_model *model;
    trib_source *source;
    trib_preprocess preprocess;
    int classes;
    int batch_size; /* at most what the source has */
    int workers;
    bool rows_on_terminal;
    cli_progress progress;
    int64_t already_done; /* items before the first one that runs */
    /* filled by cli_feed_run */
    int64_t good, skipped;
    double seconds;       /* from the first read to the last result handled, preparing the network included */
    double first_seconds; /* from the program's start to the first result */
    trib_loader_stats loader;
    cli_note notes[CLI_MOST_NOTES];
} cli_feed;

/* Opens device, model (NULL: --arch) and source. `source_options` as for trib_source_open, but class names come from
 * the model when it has them. Zero or filled, cli_feed_close takes it. */
trib_status cli_feed_open(const cli_settings *settings, const char *model, const cli_texts *inputs, int first_input,
                          const trib_source_options *source_options, int batch_size, int workers, cli_feed *feed);
void cli_feed_close(cli_feed *feed);

/* The k likeliest classes of each image, likeliest first: row i is slot i of the batch. */
typedef trib_status (*cli_batch_function)(void *context, const trib_batch *batch, int k, const float *probabilities,
                                          const int32_t *indices);
/* Calls `handle` for every batch in order, with `top_k` classes, or all when there are fewer. Fails with TRIB_CANCELLED
 * when interrupted, after a whole batch. At the end, notes on images are said on standard error. */
trib_status cli_feed_run(cli_feed *feed, int top_k, cli_batch_function handle, void *context);

#endif
