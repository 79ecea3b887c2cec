/* SPDX-License-Identifier: Apache-2.0
 * Images in, boxes of objects out: proposals on worker threads, their regions through the models, and what remains of
 * them. Shared by detect and by eval --boxes. */
#ifndef TRIBUTARY_CLI_DETECTOR_H
#define TRIBUTARY_CLI_DETECTOR_H

#include <pthread.h>

#include "detect/nms.h"
#include "detect/proposal_source.h"
#include "image_run.h"
#include "members.h"

typedef struct cli_detector_options {
    int strategy;          /* a trib_strategy, or CLI_NOT_GIVEN: the paper's */
    const char *proposals; /* a file of them in its place; NULL: none */
    int most_regions;      /* of an image, the best; 0: all */
    double threshold;      /* least score of a box */
    double overlap;        /* trib_nms_options.overlap */
    bool mirror;           /* each region also mirrored; the mean of both counts */
    bool vote;             /* regions that nearly coincide vote on classes and boxes (detect/votes.h) */
    int most_boxes;        /* of an image, all classes together */
    int batch, workers;
} cli_detector_options;

cli_detector_options cli_default_detector_options(void);
cli_group cli_detector_group(cli_detector_options *options);
/* The same without --proposals, --batch-size and --workers, for a command that has them itself. */
cli_group cli_detector_search_group(cli_detector_options *options);
/* Returns CLI_GO_ON, or reports options that contradict each other and returns CLI_USAGE. */
int cli_detector_check(const cli_command *command, const cli_detector_options *options);

/* What an image gave. Valid during the call that gets it. */
typedef struct cli_found {
    const char *name;
    int64_t index;             /* in the inputs, from 0 */
    const trib_status *status; /* a failure: the image was skipped, and has nothing of what follows */
    int width, height;
    size_t regions;
    const trib_scored_box *boxes; /* the surest first */
    size_t count;
    trib_image *picture; /* 8-bit RGB, to draw on; NULL unless the detector keeps pictures */
} cli_found;

typedef struct cli_detector {
    /* Set before cli_detector_run. */
    bool keeps_pictures;
    /* (optional) Why an image cannot be used, or NULL; it may be written to `text`. Called by workers. */
    const char *(*refuse)(void *context, const char *name, char text[TRIB_MESSAGE_SIZE]);
    trib_status (*handle)(void *context, const cli_found *image); /* each image, in the order of the source */
    void *context;
    cli_image_run images; /* its `rows_on_terminal` and `already_done`; the rest is cli_detector_run's */

    /* Set by cli_detector_open. */
    const cli_settings *settings;
    const cli_detector_options *options;
    cli_members members;
    const char **labels;     /* of the classes; a number where the models have none */
    int classes, background; /* background: TRIB_NO_BACKGROUND where the models have none; a note says so */
    trib_proposal_store *store;
    trib_proposal_source proposals;

    /* Set by cli_detector_run; the first two also in the middle of it. Images that failed are not counted. */
    int64_t good, skipped, regions, boxes;
    double seconds; /* of the whole run; and of them: */
    double waiting_seconds, preparing_seconds, network_seconds, nms_seconds, handling_seconds;
    double proposal_seconds; /* of all workers together; they change it under `lock` */
    pthread_mutex_t lock;
} cli_detector;

/* Opens the first `models` arguments and a source of the others, and the file of proposals. cli_detector_close takes a
 * detector that is zero or filled, also by a failure. `settings` and `options` have to live as long. */
trib_status cli_detector_open(const cli_settings *settings, const cli_detector_options *options,
                              const cli_texts *arguments, int models, const trib_source_options *source,
                              cli_detector *detector);
void cli_detector_close(cli_detector *detector);

/* Fails with TRIB_CANCELLED when interrupted; images that are not finished then are lost. */
trib_status cli_detector_run(cli_detector *detector);

#endif
