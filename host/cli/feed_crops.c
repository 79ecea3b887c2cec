/* SPDX-License-Identifier: Apache-2.0 */
#include "feed_crops.h"

#include "tributary/internal/alloc.h"

trib_status cli_feed_open_crops(cli_feed *feed)
{
    const cli_settings *s = feed->settings;
    const int policy = cli_crops_policy(s);
    const cli_members *members = &feed->members;
    if (policy > 1 && (s->crop_pct > 0 || s->crop_mode != CLI_NOT_GIVEN))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "%s is for one crop: %d crops are cut from scales of their own; leave it out, or say with "
                          "--scales how large images become",
                          s->crop_pct > 0 ? "--crop-pct" : "--crop-mode", policy);
    feed->crops = trib_alloc_zeroed((size_t)members->count, sizeof *feed->crops);
    if (!feed->crops) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the crops of %d models", members->count);
    for (int i = 0; i < members->count; ++i) {
        trib_status status =
            trib_crops_init(&members->items[i].preprocess, policy, s->scales.items, s->scales.count, &feed->crops[i]);
        trib_add_context(&status, "%.200s", trib_model_path(members->items[i].model));
        if (trib_failed(&status)) return status;
    }
    if (members->count > 1 || policy > 1) return trib_success();
    trib_free(feed->crops);
    feed->crops = NULL;
    return trib_success();
}

int cli_feed_evaluations(const cli_feed *feed, int member)
{
    return feed->crops ? trib_crops_evaluations(&feed->crops[member]) : 1;
}

int cli_feed_scale_count(const cli_feed *feed, int member)
{
    if (feed->crops && feed->crops[member].scale_count) return feed->crops[member].scale_count;
    return feed->members.items[member].preprocess.resize_mode == TRIB_RESIZE_SHORT_SIDE;
}

int cli_feed_scale(const cli_feed *feed, int member, int i)
{
    if (feed->crops && feed->crops[member].scale_count) return feed->crops[member].scales[i];
    return feed->members.items[member].preprocess.resize;
}

/* The first member with the same crops. */
static int first_alike(const cli_feed *feed, int member)
{
    int i = 0;
    while (!trib_crops_same(&feed->crops[i], &feed->crops[member])) ++i;
    return i;
}

trib_image_loader_options cli_feed_loader_options(const cli_feed *feed)
{
    return (trib_image_loader_options) { .workers = feed->workers,
                                         .decode = feed->settings->decode,
                                         .memory_limit = feed->settings->loader_memory,
                                         .make_bytes = cli_feed_crops_bytes };
}

/* ---- one image ---- */

static trib_status grow(cli_image_crops *made, int pictures, int regions)
{
    trib_image *more = trib_realloc_array(made->pictures, (size_t)(made->picture_count + pictures), sizeof *more);
    if (more) made->pictures = more;
    trib_panel_region *room = trib_realloc_array(made->regions, (size_t)(made->region_count + regions), sizeof *room);
    if (room) made->regions = room;
    return more && room ? trib_success()
                        : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d crops of an image", regions);
}

static trib_status add_crops(const trib_crops *crops, const trib_image *image, cli_image_crops *made)
{
    trib_crop_layout layout;
    TRIB_TRY(trib_crops_layout(crops, image->width, image->height, &layout));
    TRIB_TRY(grow(made, layout.picture_count, layout.crop_count));
    TRIB_TRY(trib_crops_pictures(crops, &layout, image, made->pictures + made->picture_count));
    for (const trib_crop *c = layout.crops; c < layout.crops + layout.crop_count; ++c)
        made->regions[made->region_count++] =
            (trib_panel_region) { .region = { .picture = made->picture_count + c->picture,
                                              .x = (float)c->x,
                                              .y = (float)c->y,
                                              .width = (float)c->width,
                                              .height = (float)c->height,
                                              .mirror = c->mirror },
                                  .weight = c->weight };
    made->picture_count += layout.picture_count;
    return trib_success();
}

static trib_status make(const cli_feed *feed, const trib_image *image, cli_image_crops *made)
{
    int first[TRIB_MOST_MEMBERS]; /* regions of each member; the array moves while it grows */
    const int members = feed->members.count;
    made->parts = trib_alloc_zeroed((size_t)members, sizeof *made->parts);
    if (!made->parts) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the crops of an image");
    for (int i = 0; i < members; ++i) {
        const int alike = first_alike(feed, i);
        first[i] = alike < i ? first[alike] : made->region_count;
        if (alike == i) TRIB_TRY(add_crops(&feed->crops[i], image, made));
        made->parts[i].count = alike < i ? made->parts[alike].count : made->region_count - first[i];
    }
    for (int i = 0; i < members; ++i) made->parts[i].regions = made->regions + first[i];
    return trib_success();
}

static int64_t bytes_of(const cli_image_crops *made)
{
    int64_t bytes = made->region_count * (int64_t)sizeof *made->regions;
    for (int i = 0; i < made->picture_count; ++i)
        bytes += 3 * (int64_t)made->pictures[i].width * made->pictures[i].height;
    return bytes;
}

trib_status cli_feed_make_crops(void *feed, const trib_image_task *task, void **result, int64_t *bytes_kept)
{
    cli_image_crops *made = trib_alloc_zeroed(1, sizeof *made);
    if (!made) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the crops of an image");
    trib_status status = make(feed, task->image, made);
    if (trib_failed(&status)) {
        cli_feed_release_crops(made);
        return status;
    }
    *bytes_kept = bytes_of(made);
    *result = made;
    return status;
}

int64_t cli_feed_crops_bytes(void *context, int width, int height)
{
    const cli_feed *feed = context;
    int64_t gray = 0, rgb = 0;
    for (int i = 0; i < feed->members.count; ++i) {
        if (first_alike(feed, i) != i) continue;
        gray += trib_crops_bytes(&feed->crops[i], width, height, 1);
        rgb += trib_crops_bytes(&feed->crops[i], width, height, 3);
    }
    return gray > rgb ? gray : rgb;
}

void cli_feed_release_crops(void *result)
{
    cli_image_crops *made = result;
    for (int i = 0; i < made->picture_count; ++i) trib_image_release(&made->pictures[i]);
    trib_free(made->pictures);
    trib_free(made->regions);
    trib_free(made->parts);
    trib_free(made);
}
