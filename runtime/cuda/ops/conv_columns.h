/* SPDX-License-Identifier: Apache-2.0
 * The first layer's convolution as one that tensor cores like: several columns side by side (trib_column_geometry). */
#ifndef TRIBUTARY_RUNTIME_CUDA_OPS_CONV_COLUMNS_H
#define TRIBUTARY_RUNTIME_CUDA_OPS_CONV_COLUMNS_H

#include <stdbool.h>

#include "cuda/libraries/cudnn_conv.h"
#include "tributary/kernels.h"

/* A convolution over images in 16 bits becomes the same over wide columns, and *out says how its filter is packed.
 * Others stay what they are, and out->outputs is 0. For packed parameters only. */
void trib_conv_join_columns(trib_conv_desc *conv, trib_column_geometry *out);

#endif
