/* SPDX-License-Identifier: Apache-2.0
 * Boxes in images: what is there (truth), and what was found (detections), whatever the file they come from.
 *
 * Coordinates are pixels, from 0 at the left and top edge, and half-open: pixel column 3 alone is x = 3, width = 1.
 * Readers and writers convert. Left edge and size, as in COCO's files, so that overlaps are those of its tools to the
 * last bit. */
#ifndef TRIBUTARY_DETECT_BOXES_H
#define TRIBUTARY_DETECT_BOXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_MAX_CATEGORIES = 10000, TRIB_MAX_BOX_NAME = 1000 };

typedef struct trib_box {
    double x, y, width, height; /* finite; sizes are at least 0 */
} trib_box;

typedef struct trib_truth {
    int image, category; /* indices into the set's lists */
    trib_box box;
    double area;    /* of the object, at most that of its box where an outline is known */
    bool difficult; /* VOC: hard to recognise; finding it is neither right nor wrong */
    bool truncated; /* VOC: the object goes on beyond the box. No rule looks at it */
    bool crowd;     /* COCO: a group of objects in one box */
} trib_truth;

typedef struct trib_boxed_image {
    char *name;        /* of the file */
    int64_t id;        /* COCO's and ILSVRC's number; else its place from 1 on */
    int width, height; /* 0: not known */
} trib_boxed_image;

typedef struct trib_category {
    char *name;
    int64_t id; /* as of an image */
} trib_category;

/* Zero-initialise; release. Owns everything in it. */
typedef struct trib_truths {
    trib_boxed_image *images;
    size_t image_count, image_capacity;
    trib_category *categories;
    size_t category_count, category_capacity;
    trib_truth *items;
    size_t count, capacity;
} trib_truths;

typedef struct trib_detection {
    int image, category; /* of the set of truth that they are compared with */
    trib_box box;
    double score; /* finite; higher is surer */
} trib_detection;

/* Zero-initialise; release. */
typedef struct trib_detections {
    trib_detection *items;
    size_t count, capacity;
} trib_detections;

void trib_truths_release(trib_truths *truths);
void trib_detections_release(trib_detections *detections);

/* Append. Names are copied; those that are empty, too long or have control characters are refused with TRIB_BAD_DATA.
 * The ids of images and of categories are the caller's to keep distinct. */
trib_status trib_truths_add_image(trib_truths *truths, const char *name, int64_t id, int width, int height);
trib_status trib_truths_add_category(trib_truths *truths, const char *name, int64_t id);
/* Another name for an image. */
trib_status trib_truths_name_image(trib_truths *truths, size_t image, const char *name);
trib_status trib_truths_add(trib_truths *truths, const trib_truth *truth);
trib_status trib_detections_add(trib_detections *detections, const trib_detection *detection);
/* The index of the category of this name, which is appended if it is new, with its place as id. */
trib_status trib_truths_category(trib_truths *truths, const char *name, int *index);

/* Fails with TRIB_BAD_DATA, saying which item and why, on indices outside the lists, numbers that are not finite and
 * negative sizes. `detections` may be NULL. What computes from a set calls it first. */
trib_status trib_boxes_check(const trib_truths *truths, const trib_detections *detections);
/* NULL, or what is wrong with a box in words. */
const char *trib_box_fault(const trib_box *box);

double trib_box_area(const trib_box *box);
double trib_box_intersection(const trib_box *a, const trib_box *b); /* area; 0 where they only touch */
/* Intersection over union; 0 where both boxes are empty. */
double trib_box_iou(const trib_box *a, const trib_box *b);

#ifdef __cplusplus
}
#endif
#endif
