/* SPDX-License-Identifier: Apache-2.0
 * COCO's JSON: {"images": [{id, file_name, width, height}], "categories": [{id, name}], "annotations": [{image_id,
 * category_id, bbox: [x, y, width, height], area, iscrowd}]}, and results: [{image_id, category_id, bbox, score}].
 *
 * Coordinates are those of detect/boxes.h. Without `area` a box has its own; without `file_name`, width or height an
 * image has its number as a name and no size. `ignore` is VOC's difficult (some converters write it; COCO's own tools
 * overwrite it). Outlines and everything else are passed over. */
#ifndef TRIBUTARY_DETECT_COCO_H
#define TRIBUTARY_DETECT_COCO_H

#include "detect/boxes.h"
#include "formats/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Into an empty set: images and categories in the order of their numbers, as COCO's tools go through them. Refuses,
 * saying where, whatever is not JSON, numbers of images or categories that appear twice or are not known, boxes that
 * are missing, have negative sizes or lie outside their image. On failure the set has a part of it: release it. */
trib_status trib_coco_read(const char *bytes, size_t size, const char *name, trib_truths *truths);
trib_status trib_coco_read_file(const char *path, trib_truths *truths);
/* Results, appended, in the order of the file. Those that name both image and class, as "file_name" and "category",
 * which 'detect' writes besides the numbers, are found by the names. On failure a part has been. */
trib_status trib_coco_read_results(const char *bytes, size_t size, const char *name, const trib_truths *truths,
                                   trib_detections *detections);
trib_status trib_coco_read_results_file(const char *path, const trib_truths *truths, trib_detections *detections);

/* `text` fails when out of memory. Numbers are written with the digits that read back as the same bits. */
void trib_coco_write(const trib_truths *truths, trib_text *text);
void trib_coco_write_results(const trib_truths *truths, const trib_detections *detections, trib_text *text);

#ifdef __cplusplus
}
#endif
#endif
