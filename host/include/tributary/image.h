/* SPDX-License-Identifier: Apache-2.0
 * Tributary: image files to 8-bit RGB, and the way from there to a network's input, as PIL and torchvision do it. */
#ifndef TRIBUTARY_IMAGE_H
#define TRIBUTARY_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/op.h"
#include "tributary/status.h"

TRIB_BEGIN_DECLS

/* Interleaved, rows without padding, top row first. channels is 1 (gray) or 3 (RGB). */
typedef struct trib_image {
    int width, height, channels;
    uint8_t *pixels;  /* owned; trib_image_release */
    const char *note; /* a remark for the user ("animation: ..."), a static string; NULL: none */
} trib_image;
void trib_image_release(trib_image *image); /* leaves an empty image; NULL is fine */

/* PIL refuses larger images as decompression bombs (it is twice its MAX_IMAGE_PIXELS). */
enum { TRIB_MAX_IMAGE_PIXELS = 178956970 };

typedef struct trib_decode_options {
    int64_t max_pixels;     /* larger images fail with TRIB_BAD_DATA before memory is allocated; 0:
                               TRIB_MAX_IMAGE_PIXELS */
    bool apply_orientation; /* turn and mirror according to EXIF, like PIL's ImageOps.exif_transpose() */
} trib_decode_options;

/* Decodes a JPEG, PNG or WebP file held in memory, recognised by its first bytes, with the result of PIL's (Pillow
 * 12's) open().convert("RGB"): gray stays one channel (equal R, G and B), palettes are looked up, alpha is dropped,
 * CMYK and YCCK are converted, 16 bits are scaled to 8; an animation gives its first frame, with a note. A truncated or
 * damaged image fails with TRIB_BAD_DATA, a format this build lacks with TRIB_UNSUPPORTED, naming the library.
 * `options` may be NULL.
 *
 * It reads what PIL reads: a JPEG may lack its end marker if all its rows are there (unless progressive), a PNG may end
 * with its pixels, and its checksums matter up to the pixels. Intended differences:
 *
 *   16-bit gray       the high byte is taken; PIL clips to 255, which makes most images nearly white
 *   scans of a JPEG   more than 500, or too many for the size of the file, are refused as a decompression bomb
 *   pixels of a PNG   missing rows or a missing palette are an error; PIL makes those pixels black
 *   other PNG chunks  profiles, texts and animation chunks are not read; PIL refuses some that are damaged or huge
 *   orientation       only EXIF data count; PIL's exif_transpose() falls back on XMP data and PNG texts
 *
 * host/image/README.md has the results for known sets of test images. */
trib_status trib_image_decode(const void *bytes, size_t size, const trib_decode_options *options, trib_image *out);

/* What is known of an image before it is decoded. */
typedef struct trib_image_info {
    int width, height, channels; /* of the decoded image, before it is turned according to EXIF */
    /* Peak memory of decoding: the image's pixels, coefficients of a progressive JPEG, samples of a 16-bit PNG, buffers
     * of the libraries. The bytes of the file are not included. */
    int64_t decode_bytes;
    /* The part of it that only the data can tell: an upper bound for the code tables of a lossless WebP, or of lossless
     * alpha. Files of libwebp's own encoder need less than 60 MB of it. 0 for all other images. */
    int64_t doubtful_bytes;
} trib_image_info;

/* Reads only headers, in little time whatever the size of the image. Fails where trib_image_decode with the same
 * options would fail because of the headers. */
trib_status trib_image_inspect(const void *bytes, size_t size, const trib_decode_options *options,
                               trib_image_info *out);

/* True if the bytes begin like a JPEG, PNG or WebP file, whether or not this build can decode it. */
bool trib_image_recognised(const void *bytes, size_t size);

/* TRIB_AREA: the mean of the pixels that an output pixel covers, PIL's BOX. */
typedef enum trib_interpolation { TRIB_BILINEAR = 0, TRIB_BICUBIC, TRIB_NEAREST, TRIB_AREA } trib_interpolation;
const char *trib_interpolation_name(trib_interpolation interpolation);

/* Which pass of a resize comes first, unless it takes the nearest pixels. Rounding between the passes makes the results
 * for tall images differ by 1 (bilinear, area) or a few (bicubic) of 255. */
typedef enum trib_resample_order {
    TRIB_HORIZONTAL_FIRST = 0, /* Pillow up to 12 */
    TRIB_CHEAPER_FIRST         /* Pillow 13: vertical first if the height shrinks by more than twice as many pixels as
                                  the width */
} trib_resample_order;
const char *trib_resample_order_name(trib_resample_order order);

/* Bit-exact with PIL's Image.resize for 8-bit images, in Pillow 12 or Pillow 13 depending on `order`: separable,
 * antialiased when reducing, fixed-point. */
trib_status trib_image_resize(const trib_image *in, int width, int height, trib_interpolation interpolation,
                              trib_resample_order order, trib_image *out);

typedef enum trib_resize_mode {
    TRIB_RESIZE_SHORT_SIDE = 0, /* short side to `resize`, long side int(resize * long / short) */
    TRIB_RESIZE_SQUASH,         /* to resize x resize, aspect ratio lost */
    TRIB_RESIZE_NONE            /* only crop; smaller images are an error */
} trib_resize_mode;
const char *trib_resize_mode_name(trib_resize_mode mode);

/* How an image becomes the input of a network. Stored in the model file. */
typedef struct trib_preprocess {
    /* Centre crop, the network's input; at int(round((size - crop) / 2)), half to even. */
    int crop_height, crop_width;
    trib_resize_mode resize_mode;
    int resize;
    trib_interpolation interpolation;
    trib_resample_order resample_order;
    bool bgr;              /* channel order the network was trained with */
    float scale;           /* value = pixel * scale; 1/255 or 1 */
    float mean[3], std[3]; /* then (value - mean) / std, in the network's channel order */
} trib_preprocess;

/* Short side to 256, bilinear; centre crop 224; RGB / 255; mean and std of ImageNet. */
trib_preprocess trib_preprocess_torchvision(void);
/* Squashed to 256; centre crop 224; BGR 0 .. 255 minus 104, 117, 123. */
trib_preprocess trib_preprocess_caffe(void);
/* Fails with TRIB_INVALID_ARGUMENT, naming the field, on sizes out of range, a crop larger than the resized image, a
 * std of 0, NaN and the like. */
trib_status trib_preprocess_check(const trib_preprocess *preprocess);

/* Resizes, crops, turns gray to RGB, orders channels and normalises: crop_height x crop_width x 3 floats in `layout`
 * (TRIB_NCHW or TRIB_NHWC) at `out`. Only rows and columns inside the crop are computed. */
trib_status trib_preprocess_image(const trib_preprocess *preprocess, const trib_image *image, trib_layout layout,
                                  float *out);
/* Only resizes and crops, to an 8-bit RGB image of crop_width x crop_height. */
trib_status trib_preprocess_pixels(const trib_preprocess *preprocess, const trib_image *image, trib_image *out);
/* Peak memory of trib_preprocess_image or trib_preprocess_pixels for such an image, without the image and `out`; 0 if
 * they would refuse it. */
int64_t trib_preprocess_bytes(const trib_preprocess *preprocess, int width, int height, int channels);
/* The steps after trib_preprocess_pixels, channel order and normalisation, for a device that does them
 * (trib_plan_options.normalise). The numbers are those of trib_preprocess_image. */
trib_normalise trib_preprocess_normalise(const trib_preprocess *preprocess);

TRIB_END_DECLS
#endif
