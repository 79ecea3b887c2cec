/* SPDX-License-Identifier: Apache-2.0 */
#include "data/window_row.h"

#include <string.h>

#include "data/input.h"
#include "tributary/internal/alloc.h"
#include "tributary/region.h"
#include "tributary/region_kernels.h"

static trib_regions_geometry geometry_of(const trib_loading *loading)
{
    const trib_preprocess *p = loading->preprocess;
    const trib_normalise normalise = trib_preprocess_normalise(p);
    const bool planes = loading->layout == TRIB_NCHW;
    const int64_t area = (int64_t)p->crop_height * p->crop_width;
    trib_regions_geometry g = { .n = 1,
                                .h = p->crop_height,
                                .w = p->crop_width,
                                .channels = 3,
                                .image = 3 * area,
                                .pixel = planes ? 1 : 3,
                                .channel = planes ? area : 1,
                                .bgr = normalise.bgr };
    memcpy(g.scale, normalise.scale, sizeof g.scale);
    memcpy(g.shift, normalise.shift, sizeof g.shift);
    return g;
}

/* Gray as R = G = B; NULL: no memory. */
static uint8_t *colours_of(const trib_image *image)
{
    const size_t pixels = (size_t)image->width * (size_t)image->height;
    uint8_t *rgb = trib_alloc(3 * pixels);
    for (size_t i = 0; rgb && i < pixels; ++i) memset(rgb + 3 * i, image->pixels[i], 3);
    return rgb;
}

trib_status trib_window_row(const trib_window *window, int context, bool mirror, const trib_loading *loading,
                            const trib_image *image, float *row)
{
    const trib_region box = { .x = window->x, .y = window->y, .width = window->width, .height = window->height };
    const trib_regions_geometry g = geometry_of(loading);
    trib_region region;
    if (loading->dtype != TRIB_F32) return TRIB_ERROR(TRIB_INTERNAL, "windows are made as float32 pixels only");
    TRIB_TRY(trib_region_with_context(&box, g.w, g.h, context, &region));
    uint8_t *colours = image->channels == 1 ? colours_of(image) : NULL;
    if (image->channels == 1 && !colours) return trib_no_memory("a gray image in colours");
    const trib_region_row what = { .picture_width = image->width,
                                   .picture_height = image->height,
                                   .x = region.x,
                                   .y = region.y,
                                   .width = region.width,
                                   .height = region.height,
                                   .mirror = mirror };
    trib_ref_regions(&g, &what, colours ? colours : image->pixels, row);
    trib_free(colours);
    return trib_success();
}
