/* SPDX-License-Identifier: Apache-2.0
 * What the models of a feed are asked about an image: the crops of each, made by the workers of an image loader. */
#ifndef TRIBUTARY_CLI_FEED_CROPS_H
#define TRIBUTARY_CLI_FEED_CROPS_H

#include "feed.h"
#include "tributary/image_loader.h"

/* Fills feed->crops, of each member, as --crops and --scales say; leaves it NULL for one model and one crop. */
trib_status cli_feed_open_crops(cli_feed *feed);
/* How often a member's network is asked about an image, by the policy: crops that coincide count each. */
int cli_feed_evaluations(const cli_feed *feed, int member);

/* The lengths of the short side that a member's crops are cut at; none if it does not resize the short side. */
int cli_feed_scale_count(const cli_feed *feed, int member);
int cli_feed_scale(const cli_feed *feed, int member, int i);

/* Pictures and regions of one image. Members with the same preprocessing share theirs. */
typedef struct cli_image_crops {
    trib_image *pictures;
    trib_panel_region *regions;
    trib_panel_part *parts; /* of each member */
    int picture_count, region_count;
} cli_image_crops;

trib_image_loader_options cli_feed_loader_options(const cli_feed *feed);
/* For an image loader, whose context is the feed (trib_image_make ...). Results are cli_image_crops. */
trib_status cli_feed_make_crops(void *feed, const trib_image_task *task, void **result, int64_t *bytes_kept);
int64_t cli_feed_crops_bytes(void *feed, int width, int height);
void cli_feed_release_crops(void *result);

#endif
