/* SPDX-License-Identifier: Apache-2.0
 * The files that Caffe's models come with: the network as text, and the mean image. */
#ifndef TRIBUTARY_MODEL_CAFFE_FILES_H
#define TRIBUTARY_MODEL_CAFFE_FILES_H

#include "formats/caffe.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero-initialise `net`; release it with trib_caffe_release also after a failure. */
trib_status trib_prototxt_read(const char *path, trib_caffe_net *net);
/* The mean of each channel of a mean image (.binaryproto), in its order, which is BGR. Caffe subtracts the image's
 * pixels, each at its place; the means of its channels are nearly the same, or exactly where *even: all pixels of a
 * channel are equal. */
trib_status trib_mean_image_read(const char *path, float mean[3], bool *even);

#ifdef __cplusplus
}
#endif
#endif
