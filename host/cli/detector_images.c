/* SPDX-License-Identifier: Apache-2.0
 * What workers do for an image: proposals, and their regions as each model wants them. */
#include <string.h>

#include "detect/region_classes.h"
#include "detector_private.h"
#include "image/decoders.h"
#include "image/preprocess.h"
#include "tributary/internal/alloc.h"

void cli_detector_release(void *result)
{
    cli_detector_image *image = result;
    if (!image) return;
    trib_image_release(&image->picture);
    trib_proposals_release(&image->proposals);
    trib_free(image->regions);
    trib_free(image->parts);
    trib_free(image);
}

/* ---- regions ---- */

static trib_status region_of(const trib_proposal *p, const trib_preprocess *input, trib_region *out)
{
    const int w = input->crop_width, h = input->crop_height;
    *out = (trib_region) {
        .x = (float)p->x0, .y = (float)p->y0, .width = (float)(p->x1 - p->x0), .height = (float)(p->y1 - p->y0)
    };
    return trib_region_with_context(out, w, h, trib_region_context(w, h), out);
}

trib_status cli_detector_check_inputs(const cli_members *members)
{
    trib_region region;
    for (int m = 0; m < members->count; ++m) {
        trib_status status = region_of(&(trib_proposal) { 0, 0, 1, 1 }, &members->items[m].preprocess, &region);
        if (trib_failed(&status)) {
            trib_add_context(&status, "%.200s", trib_model_path(members->items[m].model));
            return status;
        }
    }
    return trib_success();
}

/* Of each proposal: as it is, and perhaps mirrored. */
static trib_status fill(const trib_proposals *proposals, const trib_preprocess *input, int views,
                        trib_panel_region *out)
{
    for (size_t i = 0; i < proposals->count; ++i, out += views) {
        out[0] = (trib_panel_region) { .row = (int)i, .weight = 1. / views };
        TRIB_TRY(region_of(&proposals->boxes[i], input, &out[0].region));
        if (views == 1) continue;
        out[1] = out[0];
        out[1].region.mirror = true;
    }
    return trib_success();
}

static bool same_input(const cli_member *a, const cli_member *b)
{
    return a->preprocess.crop_width == b->preprocess.crop_width &&
           a->preprocess.crop_height == b->preprocess.crop_height;
}

/* Where the regions of member m are: those of the first one with its input. */
static int owner_of(const cli_members *members, int m)
{
    int first = 0;
    while (!same_input(&members->items[first], &members->items[m])) ++first;
    return first;
}

static size_t count_inputs(const cli_members *members)
{
    size_t count = 0;
    for (int m = 0; m < members->count; ++m) count += owner_of(members, m) == m;
    return count;
}

static trib_status make_regions(const cli_members *members, int views, cli_detector_image *image, int64_t *bytes)
{
    const size_t count = image->proposals.count * (size_t)views;
    const size_t inputs = count_inputs(members), most = inputs * (count + !count);
    image->parts = trib_alloc_zeroed((size_t)members->count, sizeof *image->parts);
    image->regions = trib_realloc_array(NULL, most, sizeof *image->regions);
    if (!image->parts || !image->regions) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu regions", most);
    trib_panel_region *next = image->regions;
    for (int m = 0; m < members->count; ++m) {
        const int owner = owner_of(members, m);
        if (owner < m) {
            image->parts[m] = image->parts[owner];
            continue;
        }
        TRIB_TRY(fill(&image->proposals, &members->items[m].preprocess, views, next));
        image->parts[m] = (trib_panel_part) { next, (int)count };
        next += count;
    }
    *bytes += (int64_t)(most * sizeof *image->regions);
    return trib_success();
}

/* ---- images ---- */

static trib_status copy_picture(const trib_image *from, trib_image *out, int64_t *bytes)
{
    const size_t size = (size_t)from->width * (size_t)from->height * (size_t)from->channels;
    TRIB_TRY(trib_image_create(from->width, from->height, from->channels, INT64_MAX, out));
    memcpy(out->pixels, from->pixels, size);
    *bytes += 3 * (int64_t)from->width * from->height;
    return trib_image_to_rgb(out);
}

static trib_status find_proposals(cli_detector *d, const trib_image_task *task, trib_proposals *out)
{
    const double start = cli_now();
    TRIB_TRY(trib_proposal_source_find(&d->proposals, task, out));
    pthread_mutex_lock(&d->lock);
    d->proposal_seconds += cli_now() - start;
    pthread_mutex_unlock(&d->lock);
    return trib_success();
}

static trib_status make(cli_detector *d, const trib_image_task *task, cli_detector_image *image, int64_t *bytes)
{
    char text[TRIB_MESSAGE_SIZE];
    const char *fault = d->refuse ? d->refuse(d->context, task->name, text) : NULL;
    if (fault) return TRIB_ERROR(TRIB_NOT_FOUND, "%s", fault);
    TRIB_TRY(find_proposals(d, task, &image->proposals));
    image->picture.width = task->image->width;
    image->picture.height = task->image->height;
    if (image->proposals.count || d->keeps_pictures) TRIB_TRY(copy_picture(task->image, &image->picture, bytes));
    return make_regions(&d->members, d->options->mirror ? 2 : 1, image, bytes);
}

trib_status cli_detector_make(void *context, const trib_image_task *task, void **result, int64_t *bytes_kept)
{
    cli_detector_image *image = trib_alloc_zeroed(1, sizeof *image);
    if (!image) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its regions");
    trib_status status = make(context, task, image, bytes_kept);
    if (trib_failed(&status))
        cli_detector_release(image);
    else
        *result = image;
    return status;
}

int64_t cli_detector_make_bytes(void *context, int width, int height)
{
    const cli_detector *d = context;
    return trib_proposal_source_bytes(&d->proposals, width, height) + 4 * (int64_t)width * height;
}
