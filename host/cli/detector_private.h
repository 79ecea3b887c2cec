/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIBUTARY_CLI_DETECTOR_PRIVATE_H
#define TRIBUTARY_CLI_DETECTOR_PRIVATE_H

#include "detector.h"
#include "tributary/image_loader.h"

/* What a worker makes of an image. */
typedef struct cli_detector_image {
    trib_image picture; /* 8-bit RGB; empty if nobody needs it */
    trib_proposals proposals;
    trib_panel_region *regions; /* owned; of members with the same input the same ones */
    trib_panel_part *parts;     /* owned; one per member */
} cli_detector_image;

/* For an image loader whose context is the detector; results are cli_detector_image. */
trib_status cli_detector_make(void *context, const trib_image_task *task, void **result, int64_t *bytes_kept);
int64_t cli_detector_make_bytes(void *context, int width, int height);
void cli_detector_release(void *result);

/* Fails if a model's input has no room for an object and what is around it. */
trib_status cli_detector_check_inputs(const cli_members *members);

#endif
