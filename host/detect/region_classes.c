/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/region_classes.h"

#include <string.h>

int trib_region_context(int width, int height)
{
    const int64_t side = width < height ? width : height;
    return (int)((16 * side + 112) / 224);
}

bool trib_is_background(const char *label)
{
    return label && (strcmp(label, TRIB_BACKGROUND_LABEL) == 0 || strcmp(label, "__background__") == 0);
}

int trib_background_class(const trib_model *model)
{
    const int classes = trib_model_network(model)->classes;
    for (int i = 0; i < classes; ++i)
        if (trib_is_background(trib_model_label(model, i))) return i;
    return TRIB_NO_BACKGROUND;
}
