/* SPDX-License-Identifier: Apache-2.0
 * Which image of a set a file name means, where other files call it otherwise: "photos/val/a/1.jpg" or "1" for
 * "a/1.jpg".
 *
 * An image is known by its name without folders and without an image's extension. Where several have that in common,
 * the one whose name as a whole is the same is meant, or else the one that has the most last components in common (with
 * its extension, of those); if that leaves several, none is. */
#ifndef TRIBUTARY_DETECT_IMAGE_NAMES_H
#define TRIBUTARY_DETECT_IMAGE_NAMES_H

#include "detect/keys.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero-initialise; release. Valid as long as the set's list of images does not change. */
typedef struct trib_image_names {
    const trib_truths *truths;
    trib_key *stems, *whole; /* sorted; several may be equal */
} trib_image_names;

trib_status trib_image_names_of(const trib_truths *truths, trib_image_names *out);
void trib_image_names_release(trib_image_names *names);

enum { TRIB_NO_IMAGE = -1, TRIB_SEVERAL_IMAGES = -2 };
/* The index of the image, or one of these. Safe from any thread. */
int trib_find_image(const trib_image_names *names, const char *name);
/* What is wrong if that is negative, for a message about the file that has the name: "there is no image 'b/2.jpg' in
 * the truth". Returns `text`. */
enum { TRIB_IMAGE_FAULT_TEXT = 400 };
const char *trib_image_fault(int found, const char *name, char text[TRIB_IMAGE_FAULT_TEXT]);

#ifdef __cplusplus
}
#endif
#endif
