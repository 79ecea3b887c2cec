/* SPDX-License-Identifier: Apache-2.0
 * Tributary: the decoders behind trib_image_decode, one file each. */
#ifndef TRIBUTARY_IMAGE_DECODERS_H
#define TRIBUTARY_IMAGE_DECODERS_H

#include "tributary/image.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Each gets bytes that begin with its format's signature, and writes to `out` only on success. options->max_pixels is
 * never 0 here. With options->apply_orientation, *orientation is set to EXIF's if the file has one; the caller turns
 * the image. */
trib_status trib_decode_jpeg(const uint8_t *bytes, size_t size, const trib_decode_options *options, trib_image *out,
                             int *orientation);
trib_status trib_decode_png(const uint8_t *bytes, size_t size, const trib_decode_options *options, trib_image *out,
                            int *orientation);
trib_status trib_decode_webp(const uint8_t *bytes, size_t size, const trib_decode_options *options, trib_image *out,
                             int *orientation);

#define TRIB_NOTE_ANIMATION "animation: its first frame is used"

/* The decoders' part of trib_image_inspect, for bytes that begin with the format's signature. On success, the pixels of
 * `info` are within max_pixels; its decode_bytes are for one image, before turning. */
trib_status trib_inspect_jpeg(const uint8_t *bytes, size_t size, int64_t max_pixels, trib_image_info *info);
trib_status trib_inspect_png(const uint8_t *bytes, size_t size, int64_t max_pixels, trib_image_info *info);
trib_status trib_inspect_webp(const uint8_t *bytes, size_t size, int64_t max_pixels, trib_image_info *info);

/* For sizes from files: one that is empty or too large fails with TRIB_BAD_DATA. */
trib_status trib_image_check_size(int64_t width, int64_t height, int64_t max_pixels);
/* After the same check, allocates memory for the pixels, not cleared. */
trib_status trib_image_create(int64_t width, int64_t height, int channels, int64_t max_pixels, trib_image *out);

/* The failure in a build without `library`. */
trib_status trib_decoder_missing(const char *format, const char *library, const char *package);

#ifdef __cplusplus
}
#endif
#endif
