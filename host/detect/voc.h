/* SPDX-License-Identifier: Apache-2.0
 * Files of PASCAL VOC, and of ILSVRC DET, which has the same annotations.
 *
 * Truth: an XML file per image. <annotation> has <filename>, <size> (<width>, <height>) and <object>s: <name>,
 * <bndbox> (<xmin>, <ymin>, <xmax>, <ymax>), and where they are set <difficult> (empty or "Unspecified": 0) and
 * <truncated> (which no rule looks at: what is no number is 0). Everything else, such
 * as parts of objects with boxes of their own, is passed over. Results of VOC: a text file per class with lines "STEM
 * SCORE XMIN YMIN XMAX YMAX", the stem being the image's name without extension.
 *
 * Both ends of a box are pixels of it: xmax - xmin + 1 columns. VOC counts pixels from 1, ILSVRC from 0. An empty box
 * is written with xmax = xmin - 1, and read so. */
#ifndef TRIBUTARY_DETECT_VOC_H
#define TRIBUTARY_DETECT_VOC_H

#include "detect/by_image.h"
#include "formats/text.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_voc_options {
    int first_pixel;       /* 1 for VOC, 0 for ILSVRC, whose lists have numbers of images */
    bool known_categories; /* names that are not in the set yet are refused */
} trib_voc_options;

/* One annotation, of `size` bytes from the file `name` (for messages, and for the image's name where <filename> is
 * missing): appends an image, its boxes, and categories that are new. Refuses, saying where, whatever is not XML
 * (detect/xml.h), objects without name or box, numbers that are none, boxes with negative sizes and boxes that lie
 * outside their image. On failure the set has a part of it: release it. */
trib_status trib_voc_read(const char *bytes, size_t size, const char *name, const trib_voc_options *options,
                          trib_truths *truths);
trib_status trib_voc_read_file(const char *path, const trib_voc_options *options, trib_truths *truths);
/* All .xml files of a folder, in the order of their names. `list`, if not NULL: a text file; only FIRST-WORD.xml of
 * each line, in its order, as in VOC's ImageSets/Main. */
trib_status trib_voc_read_folder(const char *folder, const char *list, const trib_voc_options *options,
                                 trib_truths *truths);

/* One image's annotation; a crowd, which VOC has not, is written as difficult. `places` are those of the
 * set's truths. `text` fails when out of memory. */
void trib_voc_write(const trib_truths *truths, const trib_by_image *places, int image, int first_pixel,
                    trib_text *text);
/* FOLDER/STEM.xml for each image; replaces files one by one. Refuses what trib_check_file_names does. */
trib_status trib_voc_write_folder(const trib_truths *truths, int first_pixel, const char *folder);

/* Results of one class, appended. Refuses images that the set does not have. */
trib_status trib_voc_read_results(const char *bytes, size_t size, const char *name, int category, int first_pixel,
                                  const trib_truths *truths, trib_detections *detections);
void trib_voc_write_results(const trib_truths *truths, const trib_detections *detections, int category, int first_pixel,
                            trib_text *text);

#ifdef __cplusplus
}
#endif
#endif
