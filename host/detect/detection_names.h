/* SPDX-License-Identifier: Apache-2.0
 * Detections that name their image and class, one after the other. */
#ifndef TRIBUTARY_DETECT_DETECTION_NAMES_H
#define TRIBUTARY_DETECT_DETECTION_NAMES_H

#include "detect/image_names.h"

enum { TRIB_DETECTION_FAULT_TEXT = 600 };

/* Zero-initialise; release. */
typedef struct trib_detection_names {
    trib_image_names images;
    trib_keys classes;
    const trib_truths *truths;
    /* Rows of one image follow one another: the name that was looked up last, and what was found. */
    char last[TRIB_MAX_BOX_NAME + 1];
    int found;
    char **called; /* owned; what the rows call each image of the truth, NULL: nothing yet */
} trib_detection_names;

trib_status trib_detection_names_of(const trib_truths *truths, trib_detection_names *out);
void trib_detection_names_release(trib_detection_names *names);
/* Sets d->image and d->category, or `fault` (else "") where the truth does not have one of them, and where rows before
 * had another name for the image, which then may be two images. Fails when out of memory. */
trib_status trib_name_detection(trib_detection_names *names, const char *image, const char *label, trib_detection *d,
                                char fault[TRIB_DETECTION_FAULT_TEXT]);
/* "the truth has no class 'Cat', but it has 'cat'". Returns `text`. */
const char *trib_class_fault(const trib_truths *truths, const char *label, char text[TRIB_DETECTION_FAULT_TEXT]);

#endif
