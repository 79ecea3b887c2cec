/* SPDX-License-Identifier: Apache-2.0
 * Shared by the references. */
#ifndef TRIBUTARY_REFERENCE_H
#define TRIBUTARY_REFERENCE_H

#include "tributary/training_kernels.h"

/* Rounds to float32, after max(0, value) if asked for; NaN stays NaN, as in PyTorch. */
static inline float trib_ref_store(double value, bool relu) { return relu && value < 0 ? 0.0f : (float)value; }

static inline int trib_ref_min(int a, int b) { return a < b ? a : b; }
static inline int trib_ref_max(int a, int b) { return a > b ? a : b; }

/* The windows of one side that contain `position` are those from _first_ to _last_; there may be none. */
static inline int trib_ref_first_window(int position, int pad, int window, int stride)
{
    const int behind = position + pad - window + 1;
    return behind > 0 ? (behind + stride - 1) / stride : 0;
}

static inline int trib_ref_last_window(int position, int pad, int stride, int windows)
{
    return trib_ref_min(windows - 1, (position + pad) / stride);
}

/* The pixel (n,h,w) of an NHWC tensor. */
static inline int64_t trib_ref_pixel(int n, int h, int w, int height, int width, int pitch)
{
    return (((int64_t)n * height + h) * width + w) * pitch;
}

#endif
