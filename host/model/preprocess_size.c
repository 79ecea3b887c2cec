/* SPDX-License-Identifier: Apache-2.0 */
#include "model/preprocess_size.h"

#include <limits.h>

/* round(size * to / from) */
static int scaled(int size, int to, int from)
{
    int64_t value = (2 * (int64_t)size * to + from) / (2 * (int64_t)from);
    return value > INT_MAX ? INT_MAX : (int)value;
}

trib_status trib_preprocess_set_size(trib_preprocess *preprocess, int height, int width)
{
    if (height < 0 || width < 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "an input of %d x %d pixels is impossible; give positive numbers",
                          height, width);
    trib_preprocess p = *preprocess;
    if (height) p.crop_height = height;
    if (width) p.crop_width = width;
    if (p.resize_mode != TRIB_RESIZE_NONE) {
        int by_height = scaled(p.resize, p.crop_height, preprocess->crop_height);
        int by_width = scaled(p.resize, p.crop_width, preprocess->crop_width);
        p.resize = by_height > by_width ? by_height : by_width;
    }
    TRIB_TRY(trib_preprocess_check(&p));
    *preprocess = p;
    return trib_success();
}
