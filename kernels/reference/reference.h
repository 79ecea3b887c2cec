/* SPDX-License-Identifier: Apache-2.0
 * Shared by the references. */
#ifndef TRIBUTARY_REFERENCE_H
#define TRIBUTARY_REFERENCE_H

#include "tributary/kernels.h"

/* Rounds to float32, after max(0, value) if asked for; NaN stays NaN, as in PyTorch. */
static inline float trib_ref_store(double value, bool relu) { return relu && value < 0 ? 0.0f : (float)value; }

static inline int trib_ref_min(int a, int b) { return a < b ? a : b; }
static inline int trib_ref_max(int a, int b) { return a > b ? a : b; }

/* The pixel (n,h,w) of an NHWC tensor. */
static inline int64_t trib_ref_pixel(int n, int h, int w, int height, int width, int pitch)
{
    return (((int64_t)n * height + h) * width + w) * pitch;
}

#endif
