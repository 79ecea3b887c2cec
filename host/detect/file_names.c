/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/file_names.h"

#include <string.h>

#include "data/file.h"
#include "detect/keys.h"

static trib_status check_name(const char *name, const char *taken)
{
    size_t length = 0;
    const char *stem = trib_stem(name, &length);
    if (stem[0] == '.')
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "the image '%s' has a name that begins with a dot, and a file called after it would be "
                          "hidden and not be read again; rename the image, or write coco",
                          trib_shorten(name).text);
    if (taken && strlen(taken) == length && !memcmp(taken, stem, length))
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "the image '%s' has the name of the list %s.txt, which would replace its boxes; rename the "
                          "image, or write coco",
                          trib_shorten(name).text, taken);
    return trib_success();
}

trib_status trib_check_file_names(const trib_truths *truths, const char *taken)
{
    trib_keys stems = { 0 };
    TRIB_TRY(trib_keys_of_stems(truths, &stems));
    trib_keys_release(&stems);
    for (size_t i = 0; i < truths->image_count; ++i) TRIB_TRY(check_name(truths->images[i].name, taken));
    return trib_success();
}
