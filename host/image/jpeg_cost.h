/* SPDX-License-Identifier: Apache-2.0
 * Tributary: the cost of decoding a JPEG, known once its header is read. */
#ifndef TRIBUTARY_IMAGE_JPEG_COST_H
#define TRIBUTARY_IMAGE_JPEG_COST_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h> /* jpeglib.h needs it */

#include <jpeglib.h>

#include "tributary/status.h"

/* Peak memory of libjpeg and of our own buffers. */
int64_t trib_jpeg_decode_bytes(struct jpeg_decompress_struct *jpeg);

/* Fails if the scans so far are implausibly much work for a file of `size` bytes. */
trib_status trib_jpeg_check_scans(struct jpeg_decompress_struct *jpeg, size_t size);

#endif
