/* SPDX-License-Identifier: Apache-2.0
 * YOLO's text files: one per image, STEM.txt, with a line "CLASS CX CY W H" per box: the class counts from 0 in a list
 * of names, centre and size are parts of the image's width and height. Detections have a sixth word, the score.
 *
 * Numbers lose their last bits on the way to parts and back; boxes come back to 1e-9 of the image. */
#ifndef TRIBUTARY_DETECT_YOLO_H
#define TRIBUTARY_DETECT_YOLO_H

#include "detect/by_image.h"
#include "formats/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What tools that round their numbers are beyond 0 .. 1 by. */
#define TRIB_YOLO_ROUNDING 1e-6

static inline bool trib_yolo_is_part(double number)
{
    return number >= -TRIB_YOLO_ROUNDING && number <= 1 + TRIB_YOLO_ROUNDING;
}

/* The list of names, one a line, appended to the set's categories, without space at its ends. Blank lines are
 * refused, except at the end: they would be classes, too. */
trib_status trib_yolo_read_names(const char *bytes, size_t size, const char *name, trib_truths *truths);
/* Boxes of image `image` of the set, whose size must be known. Refuses, with the line, words that are not five numbers,
 * classes without a name, and parts beyond 0 .. 1 by more than TRIB_YOLO_ROUNDING. On failure the set has a part of
 * them. */
trib_status trib_yolo_read(const char *bytes, size_t size, const char *name, int image, trib_truths *truths);
/* The same of detections: six words. */
trib_status trib_yolo_read_results(const char *bytes, size_t size, const char *name, int image,
                                   const trib_truths *truths, trib_detections *detections);
/* FOLDER/STEM.txt of each image in the set, into `detections`, or if that is NULL, into the set. An image without a
 * file has no boxes. Refuses images of the same stem. */
trib_status trib_yolo_read_folder(const char *folder, trib_truths *truths, trib_detections *detections);

/* One image's file; fails if its size is not known. `text` fails when out of memory. `detections` NULL: the set's
 * truth; `places` are those of the boxes that are written. Boxes whose numbers would be beyond 0 .. 1 are clipped to
 * the image, and counted in *clipped. */
trib_status trib_yolo_write(const trib_truths *truths, const trib_detections *detections, const trib_by_image *places,
                            int image, trib_text *text, size_t *clipped);
/* A file for each image; replaces files one by one. Refuses what trib_check_file_names does, of truth also images that
 * are called classes, as the list is. *clipped, which may be NULL: how many boxes were, also on failure. */
trib_status trib_yolo_write_folder(const trib_truths *truths, const trib_detections *detections, const char *folder,
                                   size_t *clipped);

#ifdef __cplusplus
}
#endif
#endif
