/* SPDX-License-Identifier: Apache-2.0
 * Tributary: pictures on a device, and regions of them as a network's images.
 *
 * A session whose plan takes regions (trib_plan_options.regions) is given parts of pictures instead of pixels. The
 * picture is copied to the device once, however many of its regions are asked for; the first op of the plan cuts,
 * warps, mirrors and normalises them there.
 *
 *     options.plan.normalise = &normalise; // trib_preprocess_normalise
 *     options.plan.regions = true;
 *     trib_session_create(device, graph, parameters, &options, &session);
 *     trib_pictures_create(device, 256 << 20, &pictures);
 *     trib_pictures_add(pictures, rgb, width, height, &id);
 *     const trib_region region[] = { { .picture = id, .x = 16, .y = 0, .width = 224, .height = 224 } };
 *     trib_session_submit_regions(session, pictures, region, 1, (void *[]) { logits }, &job);
 *     trib_session_wait(session, job);
 *     trib_pictures_remove(pictures, id);
 *
 * Calls with one trib_pictures, trib_session_submit_regions among them, are made by one thread at a time. After fork()
 * they work only in the parent, like their device (device.h). */
#ifndef TRIBUTARY_REGION_H
#define TRIBUTARY_REGION_H

#include <stdbool.h>
#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/device.h"

TRIB_BEGIN_DECLS

/* A part of a picture that becomes one image of a batch. Row i, column j of the image (H x W) is the picture, sampled
 * bilinearly, without antialiasing, at
 *
 *     x + (j + 0.5) * width / W - 0.5        y + (i + 0.5) * height / H - 0.5
 *
 * where the centre of pixel (0, 0) is at 0, 0, and that of the last one at its picture's width - 1, height - 1; a
 * mirrored one has its columns in reverse. So a region of W x H pixels at whole coordinates is a copy, and its numbers
 * are those of trib_preprocess_image bit for bit. Samples whose point lies outside of the picture, by more than half a
 * pixel from the outermost centres, are 0, which is the mean; inside, neighbours beyond the edge are the edge. */
typedef struct trib_region {
    int64_t picture;           /* of trib_pictures_add */
    float x, y, width, height; /* pixels of the picture; the corner may lie outside of it */
    bool mirror;
} trib_region;

/* Of the numbers of a region. */
enum { TRIB_REGION_MOST = 1 << 24 };
/* Whether a device can cut the region's box: finite numbers up to TRIB_REGION_MOST, sizes above 0. Its picture is not
 * looked at. */
bool trib_region_is_possible(const trib_region *region);

/* `box` with `pixels` of context around it on each side of an image of image_width x image_height pixels, as in R-CNN:
 * enlarged about its centre by image_width / (image_width - 2 * pixels), and likewise in height. TRIB_INVALID_ARGUMENT
 * if nothing of the image would be left for the box. `out` may be `box`. */
trib_status trib_region_with_context(const trib_region *box, int image_width, int image_height, int pixels,
                                     trib_region *out);

/* 8-bit RGB pictures in a device's memory. */
typedef struct trib_pictures trib_pictures;

/* `most_bytes`: of all pictures together, which have 3 * width * height each; 0: whatever the device has. The device
 * must outlive it. */
trib_status trib_pictures_create(trib_device *device, int64_t most_bytes, trib_pictures **out);
/* Frees all pictures, of which no job may be reading any: wait for the jobs, or destroy the sessions, first. NULL is
 * fine. */
void trib_pictures_destroy(trib_pictures *pictures);

/* Copies `rgb`, height rows of width pixels of 3 bytes, to the device; complete when it returns, so that every later
 * job may read it. It has a stream of its own: meanwhile the device computes on. The picture's id is above 0 and is
 * never given again. TRIB_OUT_OF_MEMORY, naming what is used and what was wanted, if it does not fit; nothing has
 * changed then. */
trib_status trib_pictures_add(trib_pictures *pictures, const uint8_t *rgb, int width, int height, int64_t *picture);
/* Frees a picture once the jobs that read it have been waited for. An id that is not there is ignored. */
void trib_pictures_remove(trib_pictures *pictures, int64_t picture);

/* Bytes of the pictures that are there; and how many they are. */
int64_t trib_pictures_bytes(const trib_pictures *pictures);
int trib_pictures_count(const trib_pictures *pictures);

TRIB_END_DECLS
#endif
