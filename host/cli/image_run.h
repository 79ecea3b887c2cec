/* SPDX-License-Identifier: Apache-2.0
 * A function applied to every image of the inputs: an image loader with what a command owes its user around it, which
 * are progress, signals, notes on images and on names that were passed over. */
#ifndef TRIBUTARY_CLI_IMAGE_RUN_H
#define TRIBUTARY_CLI_IMAGE_RUN_H

#include "progress.h"
#include "settings.h"

typedef struct cli_image_run {
    trib_source *source;
    trib_image_loader_options loading;
    bool rows_on_terminal;
    int64_t already_done; /* items of the source that an earlier run finished; the source is past them */
    /* trib_image_loader_create's */
    trib_image_make make;
    trib_image_release_result release;
    void *make_context;
    /* Takes each image in the order of the source. */
    trib_status (*handle)(void *context, const trib_image_item *item);
    void *context;
    /* filled in */
    cli_progress progress;
    int64_t good, skipped;
    double seconds; /* from the first read to the last image */
} cli_image_run;

/* Fails with TRIB_CANCELLED when interrupted, after a whole image. */
trib_status cli_image_run_all(cli_image_run *run);

#endif
