/* SPDX-License-Identifier: Apache-2.0
 * The windows of average pools. */
#ifndef TRIBUTARY_RUNTIME_CPU_OPS_NATIVE_POOL_WINDOWS_H
#define TRIBUTARY_RUNTIME_CPU_OPS_NATIVE_POOL_WINDOWS_H

#include "cpu/ops/native/loops.h"
#include "tributary/op.h"

/* The input pixels of one output pixel, and the divisor of their sum. */
typedef struct trib_pool_window {
    int top, bottom, left, right; /* inside the image; bottom and right exclusive */
    float divisor;
} trib_pool_window;

/* Of output pixel (p,q); x and y are the views of the forward. */
trib_pool_window trib_pool_window_at(const trib_op_desc *desc, const trib_view *x, const trib_view *y, int p, int q);
/* As the loops of max pools take them. */
trib_pool_windows trib_pool_windows_of(const trib_op_desc *desc, const trib_view *x, const trib_view *y);

#endif
