/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/detection_names.h"

#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "detect/truth_file.h"
#include "tributary/internal/alloc.h"

static trib_status no_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the names of images"); }

trib_status trib_detection_names_of(const trib_truths *truths, trib_detection_names *out)
{
    trib_keys classes = { 0 };
    TRIB_TRY(trib_keys_of_category_names(truths, &classes));
    *out = (trib_detection_names) { .classes = classes, .found = TRIB_NO_IMAGE };
    out->truths = truths;
    out->called = trib_alloc_zeroed(truths->image_count + 1, sizeof *out->called);
    trib_status s = out->called ? trib_image_names_of(truths, &out->images) : no_memory();
    if (trib_failed(&s)) trib_detection_names_release(out);
    return s;
}

void trib_detection_names_release(trib_detection_names *names)
{
    trib_image_names_release(&names->images);
    trib_keys_release(&names->classes);
    for (size_t i = 0; names->called && i < names->truths->image_count; ++i) trib_free(names->called[i]);
    trib_free(names->called);
    names->called = NULL;
}

static int find_image(trib_detection_names *names, const char *image)
{
    if (*image && !strcmp(names->last, image)) return names->found;
    const int found = trib_find_image(&names->images, image);
    if (strlen(image) < sizeof names->last) {
        strcpy(names->last, image);
        names->found = found;
    }
    return found;
}

const char *trib_class_fault(const trib_truths *truths, const char *label, char text[TRIB_DETECTION_FAULT_TEXT])
{
    const char *similar = trib_similar_category(truths, label);
    snprintf(text, TRIB_DETECTION_FAULT_TEXT, "the truth has no class '%.200s'%s%.200s%s", label,
             similar ? ", but it has '" : "", similar ? similar : "", similar ? "'" : "");
    return text;
}

/* Two names of one image are two images whose folders or endings differ, and their boxes would be mixed. */
static trib_status remember(trib_detection_names *names, int found, const char *image,
                            char fault[TRIB_DETECTION_FAULT_TEXT])
{
    char **called = &names->called[found];
    if (!*called) *called = trib_strdup(image);
    if (!*called) return no_memory();
    if (strcmp(*called, image) != 0)
        snprintf(fault, TRIB_DETECTION_FAULT_TEXT,
                 "'%.150s' and '%.150s' are both the truth's image '%.150s', by their names; leave one out", *called,
                 image, names->truths->images[found].name);
    return trib_success();
}

trib_status trib_name_detection(trib_detection_names *names, const char *image, const char *label, trib_detection *d,
                                char fault[TRIB_DETECTION_FAULT_TEXT])
{
    d->image = find_image(names, image);
    d->category = trib_find_name(&names->classes, label);
    *fault = '\0';
    if (d->image < 0)
        trib_image_fault(d->image, image, fault);
    else if (d->category < 0)
        trib_class_fault(names->truths, label, fault);
    else
        return remember(names, d->image, image, fault);
    return trib_success();
}
