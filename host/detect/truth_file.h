/* SPDX-License-Identifier: Apache-2.0
 * Truth and detections of any format, recognised by what is in a file or folder.
 *
 * Truth is
 *
 *     COCO     a JSON file: an object with images, categories and annotations
 *     VOC      an XML file, or a folder of them, or one that has a folder Annotations
 *     ILSVRC   the same: annotations whose <database> begins with ILSVRC, or, where that says nothing, all of whose
 *              classes are WordNet ids (n and eight digits)
 *     YOLO     a folder of .txt files, one per image, or one that has a folder labels; the list of classes is
 *              classes.txt or obj.names, in the folder or one of the two above; the images, which say what parts of
 *              their size the numbers are, lie beside the .txt files, or in the folder whose path has "images" for
 *              the last "labels"
 *
 * and detections are
 *
 *     COCO     a JSON file: a list of results; names that they have besides numbers come first (detect/coco.h)
 *     VOC      a text file of lines of six words, or a folder of them, one per class and called CLASS.txt or
 *              ANYTHING_CLASS.txt
 *     ILSVRC   a text file of lines of seven words
 *     YOLO     a folder of .txt files of lines of six words, called after the images of the truth
 *     csv      a header that names the columns filename (or image), label, score, and either x, y, width, height or
 *              xmin, ymin, xmax, ymax: pixels from 0 on, xmax and ymax half-open
 *     jsonl    one object per line: {"filename": ..., "detections": [{"label": ..., "score": ..., "bbox": [x, y, width,
 *              height]}]}; a line with "error" has none
 *
 * A file may be a pipe. Images of detections that have names are found by them (detect/image_names.h), those with
 * numbers by COCO's ids; a truth without ids has the places of its images and classes, from 1 on (of YOLO's classes
 * from 0 on). */
#ifndef TRIBUTARY_DETECT_TRUTH_FILE_H
#define TRIBUTARY_DETECT_TRUTH_FILE_H

#include "detect/boxes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum trib_box_format {
    TRIB_BOXES_COCO,
    TRIB_BOXES_VOC,
    TRIB_BOXES_ILSVRC,
    TRIB_BOXES_YOLO,
    TRIB_BOXES_CSV,
    TRIB_BOXES_JSONL
} trib_box_format;
const char *trib_box_format_name(trib_box_format format); /* "COCO JSON", "VOC", ... */

typedef struct trib_truth_options {
    const char *classes; /* a file, NULL: see above. YOLO, VOC: a name per line, in the order of their numbers, and
                            other names are refused; ILSVRC: lines WORDNET-ID NUMBER NAME (map_det.txt, which is also
                            found in the folder or the one above). COCO's files have their own */
    const char *images;  /* YOLO: the folder of the images; NULL: see above */
    const char *list;    /* VOC, ILSVRC: a file; only FIRST-WORD.xml of each line is read, in its order; NULL: all.
                            ILSVRC: second words are the images' numbers; list.txt in the folder names all */
} trib_truth_options;

/* Zero-initialise; close. */
typedef struct trib_truth_file {
    trib_truths truths;
    trib_box_format format;
    bool has_numbers; /* the file gives ids to images or classes */
    char taken[300];  /* "a COCO JSON file: 200 images, 3 classes, 812 boxes (4 difficult)" */
} trib_truth_file;

/* `options` may be NULL. Fails with TRIB_BAD_DATA, TRIB_NOT_FOUND or TRIB_INVALID_ARGUMENT, naming the file and what it
 * is, or saying what is missing. A set without images or boxes is not a failure. *out is changed only on success. */
trib_status trib_truth_open(const char *path, const trib_truth_options *options, trib_truth_file *out);
void trib_truth_close(trib_truth_file *truth);

typedef struct trib_detection_file {
    trib_detections detections;
    trib_box_format format;
    char taken[300]; /* "a csv file: 5120 detections" */
} trib_detection_file;

/* Fails as trib_truth_open does, and where images or classes are not the truth's. An empty file is refused: a set
 * without detections is [] as COCO's, the header alone as csv, or a folder of empty files. */
trib_status trib_detections_open(const char *path, const trib_truth_file *truth, trib_detection_file *out);
void trib_detections_close(trib_detection_file *detections);

/* A name that differs from `name` only in the case of its ASCII letters, or NULL. */
const char *trib_similar_category(const trib_truths *truths, const char *name);

#ifdef __cplusplus
}
#endif
#endif
