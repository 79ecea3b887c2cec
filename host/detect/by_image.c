/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/by_image.h"

#include "data/input.h"
#include "tributary/internal/alloc.h"

static int image_of(const trib_truths *truths, const trib_detections *detections, size_t i)
{
    return detections ? detections->items[i].image : truths->items[i].image;
}

/* Counting sort. While places are filled in, first[i + 1] is where the next one of image i goes. */
static trib_status sort(const trib_truths *truths, const trib_detections *detections, trib_by_image *out)
{
    const size_t images = truths->image_count, count = detections ? detections->count : truths->count;
    TRIB_TRY(trib_boxes_check(truths, detections));
    out->first = trib_alloc_zeroed(images + 2, sizeof *out->first);
    out->list = trib_realloc_array(NULL, count + 1, sizeof *out->list);
    if (!out->first || !out->list) return trib_no_memory("boxes by image");
    for (size_t i = 0; i < count; ++i) ++out->first[image_of(truths, detections, i) + 2];
    for (size_t i = 2; i < images + 2; ++i) out->first[i] += out->first[i - 1];
    for (size_t i = 0; i < count; ++i) out->list[out->first[image_of(truths, detections, i) + 1]++] = i;
    return trib_success();
}

trib_status trib_truths_by_image(const trib_truths *truths, trib_by_image *out) { return sort(truths, NULL, out); }

trib_status trib_detections_by_image(const trib_truths *truths, const trib_detections *detections, trib_by_image *out)
{
    return sort(truths, detections, out);
}

void trib_by_image_release(trib_by_image *places)
{
    trib_free(places->first);
    trib_free(places->list);
    *places = (trib_by_image) { 0 };
}
