/* SPDX-License-Identifier: Apache-2.0
 * Between the files that open truth and detections. */
#ifndef TRIBUTARY_DETECT_TRUTH_PRIVATE_H
#define TRIBUTARY_DETECT_TRUTH_PRIVATE_H

#include "data/names.h"
#include "detect/truth_file.h"

#ifdef __cplusplus
extern "C" {
#endif

bool trib_is_folder(const char *path);
/* The path of what is called `name` in a folder, or NULL if there is nothing; release with trib_free. */
trib_status trib_find_beside(const char *folder, const char *name, char **path);
/* The first byte that is not space, after UTF-8's mark; 0: there is none. */
char trib_first_character(const char *bytes, size_t size);

/* Appends the categories of a list: ILSVRC's map_det.txt, or a name per line. */
trib_status trib_read_class_list(const char *path, bool ilsvrc, trib_truths *truths);
/* The .txt files `names` of a folder. */
trib_status trib_truth_open_yolo(const char *folder, const trib_names *names, const trib_truth_options *options,
                                 trib_truth_file *truth);

/* What trib_truth_open and trib_detections_open do with the bytes of a file. */
trib_status trib_truth_read(const char *bytes, size_t size, const char *path, const trib_truth_options *options,
                            trib_truth_file *out);
trib_status trib_detections_read(const char *bytes, size_t size, const char *path, const trib_truth_file *truth,
                                 trib_detection_file *out);

/* ---- detections ---- */

/* Whether these bytes are csv, or else jsonl, as `detect` writes them. */
bool trib_is_detection_csv(const char *bytes, size_t size);
bool trib_is_detection_jsonl(const char *bytes, size_t size);
trib_status trib_read_detection_csv(const char *bytes, size_t size, const char *name, const trib_truths *truths,
                                    trib_detections *detections);
trib_status trib_read_detection_jsonl(const char *bytes, size_t size, const char *name, const trib_truths *truths,
                                      trib_detections *detections);

#ifdef __cplusplus
}
#endif
#endif
