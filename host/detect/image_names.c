/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/image_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "tributary/internal/alloc.h"

static int compare(const trib_key *a, const trib_key *b)
{
    const int order = memcmp(a->name, b->name, a->length < b->length ? a->length : b->length);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

static int by_text(const void *first, const void *second) { return compare(first, second); }

trib_status trib_image_names_of(const trib_truths *truths, trib_image_names *out)
{
    const size_t count = truths->image_count;
    trib_image_names names = { truths, trib_alloc_zeroed(count + 1, sizeof *names.stems),
                               trib_alloc_zeroed(count + 1, sizeof *names.whole) };
    if (!names.stems || !names.whole) {
        trib_image_names_release(&names);
        return trib_no_memory("an index of images");
    }
    for (size_t i = 0; i < count; ++i) {
        const char *name = truths->images[i].name;
        names.whole[i] = (trib_key) { .name = name, .length = strlen(name), .index = (int)i };
        names.stems[i].name = trib_stem(name, &names.stems[i].length);
        names.stems[i].index = (int)i;
    }
    qsort(names.stems, count, sizeof *names.stems, by_text);
    qsort(names.whole, count, sizeof *names.whole, by_text);
    *out = names;
    return trib_success();
}

void trib_image_names_release(trib_image_names *names)
{
    trib_free(names->stems);
    trib_free(names->whole);
    *names = (trib_image_names) { 0 };
}

/* How much of two names of the same stem agrees: twice the folders in common from the last one on, and one for the same
 * extension. */
static int agreement(const char *a, const char *b)
{
    const char *end_a = trib_base_name(a), *end_b = trib_base_name(b);
    int same = strcmp(end_a, end_b) == 0;
    while (end_a > a && end_b > b) {
        const char *from_a = end_a - 1, *from_b = end_b - 1; /* the slashes */
        while (from_a > a && from_a[-1] != '/') --from_a;
        while (from_b > b && from_b[-1] != '/') --from_b;
        if (end_a - from_a != end_b - from_b || memcmp(from_a, from_b, (size_t)(end_a - from_a)) != 0) break;
        end_a = from_a;
        end_b = from_b;
        same += 2;
    }
    return same;
}

static size_t first_of(const trib_key *keys, size_t count, const trib_key *key)
{
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare(&keys[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int find_whole(const trib_image_names *names, const char *name)
{
    const size_t count = names->truths->image_count;
    const trib_key key = { .name = name, .length = strlen(name) };
    const size_t i = first_of(names->whole, count, &key);
    if (i == count || compare(&names->whole[i], &key) != 0) return TRIB_NO_IMAGE;
    const bool twice = i + 1 < count && compare(&names->whole[i + 1], &key) == 0;
    return twice ? TRIB_SEVERAL_IMAGES : names->whole[i].index;
}

int trib_find_image(const trib_image_names *names, const char *name)
{
    const size_t count = names->truths->image_count;
    trib_key key = { 0 };
    int best = -1, found = find_whole(names, name);
    if (found != TRIB_NO_IMAGE) return found;
    key.name = trib_stem(name, &key.length);
    for (size_t i = first_of(names->stems, count, &key); i < count; ++i) {
        if (compare(&names->stems[i], &key) != 0) break;
        const int index = names->stems[i].index, same = agreement(names->truths->images[index].name, name);
        if (same == best) found = TRIB_SEVERAL_IMAGES;
        if (same <= best) continue;
        best = same;
        found = index;
    }
    return found;
}

const char *trib_image_fault(int found, const char *name, char text[TRIB_IMAGE_FAULT_TEXT])
{
    const trib_short_name shown = trib_shorten(name);
    if (found == TRIB_NO_IMAGE)
        snprintf(text, TRIB_IMAGE_FAULT_TEXT, "the truth has no image '%s'", shown.text);
    else
        snprintf(text, TRIB_IMAGE_FAULT_TEXT, "'%s' could be several images of the truth; name its folder as well",
                 shown.text);
    return text;
}
