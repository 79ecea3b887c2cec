/* SPDX-License-Identifier: Apache-2.0
 * Tributary: what decoding a JPEG costs, known once its header is read. */
#ifndef TRIBUTARY_IMAGE_JPEG_COST_H
#define TRIBUTARY_IMAGE_JPEG_COST_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h> /* jpeglib.h needs it */

#include <jpeglib.h>

#include "tributary/status.h"

/* Most memory that libjpeg and we take for it at a time. */
int64_t trib_jpeg_decode_bytes(struct jpeg_decompress_struct *jpeg);

/* Fails when the scans so far are more work than a file of `size` bytes can be meant to make. */
trib_status trib_jpeg_check_scans(struct jpeg_decompress_struct *jpeg, size_t size);

#endif
