/* SPDX-License-Identifier: Apache-2.0
 * Files of ILSVRC DET. Annotations are VOC's (detect/voc.h) with WordNet ids for names and pixels from 0 on:
 *
 *     trib_ilsvrc_read_classes(map_det, ...);               the classes and their numbers
 *     trib_voc_read_folder("DET/val", "val.txt", &(trib_voc_options) { .known_categories = true }, &truths);
 *     trib_ilsvrc_read_results(...);
 *
 * An image's number is the list's second column, or its place in the list where that does not tell images apart: lists
 * of a class, as in ImageSets, have 1 or -1 there. Results are lines "IMAGE-NUMBER CLASS-NUMBER SCORE XMIN YMIN XMAX
 * YMAX", both ends of a box being pixels of it. */
#ifndef TRIBUTARY_DETECT_ILSVRC_H
#define TRIBUTARY_DETECT_ILSVRC_H

#include "detect/boxes.h"
#include "formats/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the list of classes and that of images are called in the folder of the annotations. */
#define TRIB_ILSVRC_CLASSES "map_det.txt"
#define TRIB_ILSVRC_LIST "list.txt"

/* `text` fails when out of memory.
 *
 * Lines "n02672831 1 accordion": appended as categories with the WordNet id as name. */
trib_status trib_ilsvrc_read_classes(const char *bytes, size_t size, const char *name, trib_truths *truths);
void trib_ilsvrc_write_classes(const trib_truths *truths, trib_text *text);
/* Lines "STEM NUMBER" of all images. */
void trib_ilsvrc_write_list(const trib_truths *truths, trib_text *text);
/* Gives the set's images, which are those of this list in its order, its numbers; their places where a line has none,
 * or two have the same. */
trib_status trib_ilsvrc_read_numbers(const char *bytes, size_t size, const char *name, trib_truths *truths);
/* Appended. Refuses, with the line, numbers that the set does not have, and words that are no numbers. */
trib_status trib_ilsvrc_read_results(const char *bytes, size_t size, const char *name, const trib_truths *truths,
                                     trib_detections *detections);
void trib_ilsvrc_write_results(const trib_truths *truths, const trib_detections *detections, trib_text *text);

#ifdef __cplusplus
}
#endif
#endif
