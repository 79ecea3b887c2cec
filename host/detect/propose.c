/* SPDX-License-Identifier: Apache-2.0
 * Tributary: selective search: every grouping of every start segmentation, and the order of what they find. */
#include <stdlib.h>

#include "detect/box_set.h"
#include "detect/colour_planes.h"
#include "detect/grouping.h"
#include "detect/propose_options.h"
#include "detect/segments.h"
#include "detect/texture.h"
#include "image/draw.h"
#include "image/preprocess.h"
#include "tributary/internal/alloc.h"

typedef struct search {
    const trib_propose_options *options;
    const trib_image *image; /* as it is searched, maybe reduced */
    int width, height;       /* of the image that was given */
    uint8_t *planes, *texture;
    int32_t *labels;
    int grouping; /* its number */
    trib_box_set found;
} search;

static trib_status out_of_memory(const trib_image *image)
{
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the proposals of an image of %d x %d pixels", image->width,
                      image->height);
}

/* ---- boxes ---- */

/* From the image that was searched to the one that was given: whatever a pixel covers. */
static trib_proposal box_as_given(const search *s, trib_proposal b)
{
    int64_t w = s->image->width, h = s->image->height;
    b.x0 = (int)((int64_t)b.x0 * s->width / w);
    b.y0 = (int)((int64_t)b.y0 * s->height / h);
    b.x1 = (int)(((int64_t)b.x1 * s->width + w - 1) / w);
    b.y1 = (int)(((int64_t)b.y1 * s->height + h - 1) / h);
    return b;
}

/* `count` regions of grouping s->grouping; the last one was merged last. */
static trib_status keep_boxes(search *s, const trib_proposal *boxes, int count)
{
    for (int i = 0; i < count; ++i) {
        trib_proposal box = box_as_given(s, boxes[i]);
        if (box.x1 - box.x0 < s->options->min_side || box.y1 - box.y0 < s->options->min_side) continue;
        uint64_t random = trib_key_with((uint64_t)s->grouping, (uint64_t)i) >> 33;
        TRIB_TRY(trib_box_set_add(&s->found, (uint64_t)(count - i) * (random + 1), box));
    }
    return trib_success();
}

/* ---- loops ---- */

static trib_status search_regions(search *s, const trib_regions *regions)
{
    trib_status status = trib_success();
    int count = 2 * regions->count - 1;
    trib_proposal *boxes = trib_alloc((size_t)count * sizeof *boxes);
    if (!boxes) return out_of_memory(s->image);
    for (int i = 0; i < s->options->set_count; ++i, ++s->grouping) {
        TRIB_TRY_GOTO(status, done, trib_group_regions(regions, s->options->sets[i], boxes));
        TRIB_TRY_GOTO(status, done, keep_boxes(s, boxes, count));
    }
done:
    trib_free(boxes);
    return trib_outcome(&status);
}

static trib_status search_segments(search *s, int channels, const trib_edges *edges, int k)
{
    trib_region_source source = { s->image->width, s->image->height, channels, s->planes, s->texture };
    trib_regions regions;
    int count;
    TRIB_TRY(trib_segments_make(edges, k, s->labels, &count));
    TRIB_TRY(trib_regions_make(&source, s->labels, count, &regions));
    trib_status status = search_regions(s, &regions);
    trib_regions_release(&regions);
    return trib_outcome(&status);
}

static trib_status search_space(search *s, trib_colour_space space)
{
    int width = s->image->width, height = s->image->height, channels = trib_colour_channels(space);
    trib_edges edges;
    TRIB_TRY(trib_colour_planes(s->image, space, s->planes));
    TRIB_TRY(trib_texture_bins(s->planes, width, height, channels, s->texture));
    TRIB_TRY(trib_edges_make(s->planes, width, height, channels, &edges));
    trib_status status = trib_success();
    for (int i = 0; i < s->options->k_count && !trib_failed(&status); ++i)
        status = search_segments(s, channels, &edges, s->options->ks[i]);
    trib_edges_release(&edges);
    return trib_outcome(&status);
}

static trib_status search_image(search *s)
{
    size_t pixels = (size_t)s->image->width * (size_t)s->image->height;
    trib_status status = trib_success();
    s->planes = trib_alloc(3 * pixels);
    s->texture = trib_alloc(3 * TRIB_TEXTURE_AXES * pixels);
    s->labels = trib_alloc(pixels * sizeof *s->labels);
    if (!s->planes || !s->texture || !s->labels) status = out_of_memory(s->image);
    for (int i = 0; i < s->options->space_count && !trib_failed(&status); ++i)
        status = search_space(s, s->options->spaces[i]);
    trib_free(s->planes);
    trib_free(s->texture);
    trib_free(s->labels);
    return trib_outcome(&status);
}

/* ---- the whole ---- */

static trib_status list(trib_box_set *set, trib_proposals *out)
{
    trib_proposals found = { trib_alloc(set->count * sizeof *found.boxes), set->count };
    if (!found.boxes) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu proposals", set->count);
    trib_box_set_sort(set);
    for (size_t i = 0; i < set->count; ++i) found.boxes[i] = set->boxes[i].box;
    *out = found;
    return trib_success();
}

void trib_proposals_release(trib_proposals *proposals)
{
    if (!proposals) return;
    trib_free(proposals->boxes);
    *proposals = (trib_proposals) { 0 };
}

trib_status trib_propose(const trib_propose_options *options, const trib_image *image, trib_proposals *out)
{
    TRIB_TRY(trib_propose_check(options));
    TRIB_TRY(trib_image_check(image));
    if (!out) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_propose: out is NULL");
    trib_image reduced = { 0 };
    trib_status status = trib_success();
    search s = { .options = options, .image = image, .width = image->width, .height = image->height };
    trib_size size = trib_propose_size(options, image->width, image->height);
    if (size.width > TRIB_MAX_IMAGE_PIXELS / size.height)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "an image of %d x %d pixels is too large: 'pixels' of the options says "
                          "what it may be reduced to, up to %d",
                          image->width, image->height, TRIB_MAX_IMAGE_PIXELS);
    if (size.width != image->width || size.height != image->height) {
        TRIB_TRY(trib_image_resize(image, size.width, size.height, TRIB_BILINEAR, TRIB_HORIZONTAL_FIRST, &reduced));
        s.image = &reduced;
    }
    TRIB_TRY_GOTO(status, done, search_image(&s));
    TRIB_TRY_GOTO(status, done, list(&s.found, out));
done:
    trib_image_release(&reduced);
    trib_box_set_release(&s.found);
    return trib_outcome(&status);
}
