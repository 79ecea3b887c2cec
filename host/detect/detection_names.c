/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/detection_names.h"

#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "detect/truth_file.h"

trib_status trib_detection_names_of(const trib_truths *truths, trib_detection_names *out)
{
    trib_keys classes = { 0 };
    TRIB_TRY(trib_keys_of_category_names(truths, &classes));
    *out = (trib_detection_names) { .classes = classes, .found = TRIB_NO_IMAGE };
    trib_status s = trib_image_names_of(truths, &out->images);
    if (trib_failed(&s))
        trib_detection_names_release(out);
    else
        out->truths = truths;
    return s;
}

void trib_detection_names_release(trib_detection_names *names)
{
    trib_image_names_release(&names->images);
    trib_keys_release(&names->classes);
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

bool trib_name_detection(trib_detection_names *names, const char *image, const char *label, trib_detection *d,
                         char fault[TRIB_DETECTION_FAULT_TEXT])
{
    d->image = find_image(names, image);
    d->category = trib_find_name(&names->classes, label);
    if (d->image >= 0 && d->category >= 0) return true;
    if (d->image < 0)
        trib_image_fault(d->image, image, fault);
    else
        trib_class_fault(names->truths, label, fault);
    return false;
}
