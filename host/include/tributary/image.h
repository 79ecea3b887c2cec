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
    const char *note; /* what its user should know ("animation: ..."), never released; NULL: nothing */
} trib_image;
void trib_image_release(trib_image *image); /* leaves an empty image; NULL is fine */

/* Beyond twice its MAX_IMAGE_PIXELS, which is this, PIL refuses an image as a decompression bomb. */
enum { TRIB_MAX_IMAGE_PIXELS = 178956970 };

typedef struct trib_decode_options {
    int64_t max_pixels;     /* images with more are refused (TRIB_BAD_DATA) before memory is taken for them; 0:
                               TRIB_MAX_IMAGE_PIXELS */
    bool apply_orientation; /* turn and mirror as EXIF says, like PIL's ImageOps.exif_transpose() */
} trib_decode_options;

/* Decodes a JPEG, PNG or WebP file held in memory, recognised by its first bytes, to what PIL's (Pillow 12's)
 * open().convert("RGB") gives: gray is kept as one channel (equal R, G and B), palettes are looked up, alpha is
 * dropped, CMYK and YCCK are converted, 16 bits are scaled to 8; of an animation the first frame is taken, with a note.
 * A truncated or damaged image fails with TRIB_BAD_DATA; a format this build lacks with TRIB_UNSUPPORTED naming the
 * library. `options` may be NULL.
 *
 * What can be read is what PIL reads: a JPEG may lack its end marker when all its rows are there (a progressive one may
 * not), a PNG may end with its pixels, and its checksums count up to the pixels. Intended differences:
 *
 *   16-bit gray       its high byte is taken; PIL clips to 255, which makes nearly all of it white
 *   scans of a JPEG   too many for the file's size, or over 500, are refused as a decompression bomb
 *   pixels of a PNG   missing rows are an error, and so is a missing palette; PIL makes those pixels black
 *   the rest of it    profiles, texts and animation chunks are not read; PIL refuses some that are damaged or huge
 *   orientation       EXIF data alone say it; PIL's exif_transpose() falls back on XMP data and PNG texts
 *
 * host/image/README.md has the numbers for known sets of test images. */
trib_status trib_image_decode(const void *bytes, size_t size, const trib_decode_options *options, trib_image *out);

/* What is known of an image before it is decoded. */
typedef struct trib_image_info {
    int width, height, channels; /* of the image that trib_image_decode makes, before it is turned as EXIF says */
    /* Most memory that decoding takes at a time, the image's pixels among it: coefficients of a progressive JPEG,
     * samples of a 16-bit PNG, the libraries' buffers. The file's own bytes are not counted. */
    int64_t decode_bytes;
    /* Of these, what nothing but the data can tell: a lossless WebP, or its alpha, takes at most this for its code
     * tables. libwebp's own encoder makes files that take less than 60 MB of it. 0 for all other images. */
    int64_t doubtful_bytes;
} trib_image_info;

/* Reads headers only: costs next to nothing, whatever the image's size. Fails where trib_image_decode would fail for
 * what is in the headers, with the same options. */
trib_status trib_image_inspect(const void *bytes, size_t size, const trib_decode_options *options,
                               trib_image_info *out);

/* True when the bytes begin like an image format we know, whether built in or not. */
bool trib_image_recognised(const void *bytes, size_t size);

typedef enum trib_interpolation { TRIB_BILINEAR = 0, TRIB_BICUBIC, TRIB_NEAREST } trib_interpolation;
const char *trib_interpolation_name(trib_interpolation interpolation);

/* Which pass of a bilinear or bicubic resize comes first. The rounding between the two makes the results of tall images
 * differ: by 1 (bilinear) or a few (bicubic) of 255. */
typedef enum trib_resample_order {
    TRIB_HORIZONTAL_FIRST = 0, /* Pillow up to 12 */
    TRIB_CHEAPER_FIRST         /* Pillow 13: vertical when the height shrinks by more than twice as many pixels as the
                                  width */
} trib_resample_order;
const char *trib_resample_order_name(trib_resample_order order);

/* Bit-exact with PIL's Image.resize for 8-bit images, that of Pillow 12 or of Pillow 13 as `order` says: separable,
 * antialiased when reducing, fixed-point. */
trib_status trib_image_resize(const trib_image *in, int width, int height, trib_interpolation interpolation,
                              trib_resample_order order, trib_image *out);

typedef enum trib_resize_mode {
    TRIB_RESIZE_SHORT_SIDE = 0, /* short side to `resize`, long side int(resize * long / short) */
    TRIB_RESIZE_SQUASH,         /* to resize x resize, aspect ratio lost */
    TRIB_RESIZE_NONE            /* only crop; smaller images are an error */
} trib_resize_mode;
const char *trib_resize_mode_name(trib_resize_mode mode);

/* What happens to an image before the network sees it. Travels in the model file. */
typedef struct trib_preprocess {
    int crop_height,
        crop_width; /* centre crop = the network's input; offset int(round((size - crop) / 2)), half to even */
    trib_resize_mode resize_mode;
    int resize;
    trib_interpolation interpolation;
    trib_resample_order resample_order;
    bool bgr;              /* channel order the network was trained with */
    float scale;           /* first: value = pixel * scale, 1/255 or 1 */
    float mean[3], std[3]; /* then: (value - mean) / std, in the network's channel order */
} trib_preprocess;

/* Short side 256 bilinear, centre 224, RGB/255, ImageNet mean and std. */
trib_preprocess trib_preprocess_torchvision(void);
/* Squashed to 256, centre 224, BGR 0..255 minus 104, 117, 123. */
trib_preprocess trib_preprocess_caffe(void);
/* Fails with TRIB_INVALID_ARGUMENT, naming the field, on sizes out of range, a crop larger than the resize, std of 0,
 * NaN ... */
trib_status trib_preprocess_check(const trib_preprocess *preprocess);

/* Resize, crop, gray to RGB, channel order and normalisation, to crop_height x crop_width x 3 floats in `layout`
 * (TRIB_NCHW or TRIB_NHWC) at `out`. Only the rows and columns that survive the crop are computed. */
trib_status trib_preprocess_image(const trib_preprocess *preprocess, const trib_image *image, trib_layout layout,
                                  float *out);
/* Resize and crop only, to an 8-bit RGB image of crop_width x crop_height. */
trib_status trib_preprocess_pixels(const trib_preprocess *preprocess, const trib_image *image, trib_image *out);
/* Most memory that trib_preprocess_image or trib_preprocess_pixels takes at a time for such an image, besides the image
 * and `out`; 0 for what they refuse. */
int64_t trib_preprocess_bytes(const trib_preprocess *preprocess, int width, int height, int channels);
/* What is left to do after trib_preprocess_pixels: channel order and normalisation, for a device that does them
 * (trib_plan_options.normalise). The same numbers as trib_preprocess_image uses. */
trib_normalise trib_preprocess_normalise(const trib_preprocess *preprocess);

TRIB_END_DECLS
#endif
