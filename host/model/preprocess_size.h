/* SPDX-License-Identifier: Apache-2.0
 * Changes the input size of a model's preprocessing. */
#ifndef TRIBUTARY_MODEL_INPUT_SIZE_H
#define TRIBUTARY_MODEL_INPUT_SIZE_H

#include "tributary/image.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Sets the crop to height x width (0: unchanged). `resize` keeps its proportion to the crop (to the larger one, if
 * height and width change differently), so that the network sees the same part of the image: 256 with a crop of 224
 * becomes 183 with a crop of 160. Fails with TRIB_INVALID_ARGUMENT on an impossible size. */
trib_status trib_preprocess_set_size(trib_preprocess *preprocess, int height, int width);

#ifdef __cplusplus
}
#endif
#endif
