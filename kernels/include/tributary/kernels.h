/* SPDX-License-Identifier: Apache-2.0
 * Tributary: kernels as plain functions of raw pointers and a geometry struct. The C references here define what every
 * faster implementation, on any device, must compute; one table lists them.
 *
 * Activations are NHWC with a row pitch: element (n,h,w,c) of a tensor is at base[((n*H + h)*W + w)*pitch + c], so that
 * a channel slice of a wider tensor is a pointer plus the wide pitch. Everything is float32. Geometry is trusted:
 * callers check it.
 *
 * `relu` replaces every result y by max(0, y); NaN stays NaN. (A library's convolution may turn NaN into 0.) */
#ifndef TRIBUTARY_KERNELS_H
#define TRIBUTARY_KERNELS_H

#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/status.h"

TRIB_BEGIN_DECLS

typedef struct trib_window_geometry {
    int n, c, h, w; /* input */
    int k, p, q;    /* output channels (pooling: = c), height, width */
    int r, s;       /* window */
    int stride_h, stride_w;
    int pad_top, pad_left;
    int pad_bottom, pad_right; /* stated padding, counted by averages; windows may extend beyond it */
    int x_pitch, y_pitch;
    bool relu;
} trib_window_geometry;

/* w is O,I,R,S; bias may be NULL. Accumulates in double. */
void trib_ref_conv2d(const trib_window_geometry *g, const float *x, const float *w, const float *bias, float *y);
void trib_ref_max_pool2d(const trib_window_geometry *g, const float *x, float *y);
/* Divides by the elements inside the image and its stated padding. */
void trib_ref_avg_pool2d(const trib_window_geometry *g, const float *x, float *y);
/* Window i spans floor(i*h/p) .. ceil((i+1)*h/p). */
void trib_ref_adaptive_avg_pool2d(const trib_window_geometry *g, const float *x, float *y);

typedef struct trib_pixel_geometry {
    int64_t rows; /* n*h*w */
    int c;
    int x_pitch, y_pitch;
    bool relu;
} trib_pixel_geometry;

/* y = x * (k + alpha/size * sum over `size` channels of x^2)^-beta. */
void trib_ref_lrn(const trib_pixel_geometry *g, int size, float alpha, float beta, float k, const float *x, float *y);
/* y = x * scale[c] + shift[c] */
void trib_ref_scale_shift(const trib_pixel_geometry *g, const float *scale, const float *shift, const float *x,
                          float *y);
/* Copies a slice: y = x, or max(0, x) with g->relu. */
void trib_ref_copy(const trib_pixel_geometry *g, const float *x, float *y);

/* A change of layout and channel count (on a device, also of type). */
typedef struct trib_reorder_geometry {
    int n, c, h, w;       /* x */
    int y_c;              /* channels of y, >= c */
    bool x_nchw, y_nchw;  /* N,C,H,W, dense per image; otherwise NHWC with a row pitch */
    int x_pitch, y_pitch; /* NHWC: elements from pixel to pixel; N,C,H,W: channels of the whole tensor (a slice: more
                             than its own) */
    bool relu;
} trib_reorder_geometry;

/* y[n,c,h,w] = x[n,c,h,w], or max(0, x[n,c,h,w]), for the channels of x; 0 for those beyond. x and y do not overlap. */
void trib_ref_reorder(const trib_reorder_geometry *g, const float *x, float *y);
/* Softmax of each row, shifted by its maximum. */
void trib_ref_softmax(const trib_pixel_geometry *g, const float *x, float *y);
/* Of each row's softmax the k largest, and their indices, as trib_top_k orders them; y_pitch is that of both. */
void trib_ref_softmax_top_k(const trib_pixel_geometry *g, int k, const float *x, float *y, int32_t *indices);

typedef struct trib_linear_geometry {
    int n, c, h, w; /* input, NHWC with x_pitch */
    int out;
    int x_pitch, y_pitch;
    bool relu;
} trib_linear_geometry;

/* w is [out, c*h*w], columns in C,H,W order; bias may be NULL. Accumulates in double. */
void trib_ref_linear(const trib_linear_geometry *g, const float *x, const float *w, const float *bias, float *y);

/* ---- parameters: what runs when weights change ---- */

typedef struct trib_fold_geometry {
    int k;       /* channels */
    int64_t row; /* weights of one channel: C*R*S; 1 for a batch norm alone */
    float eps;
} trib_fold_geometry;

typedef struct trib_fold_inputs {
    const float *weight; /* [k][row]; NULL: a batch norm alone, whose weight is the scale and whose bias the shift */
    const float *bias;   /* [k], as all below; NULL: none */
    const float *bn_weight, *bn_bias, *mean, *var;
} trib_fold_inputs;

/* Batch norm as a part of the weights it follows: with scale = bn_weight / sqrt(var + eps) and shift = bn_bias - mean *
 * scale, weight' = weight * scale and bias' = bias * scale + shift. All in double, rounded to float32 once. */
void trib_ref_fold_batch_norm(const trib_fold_geometry *g, const trib_fold_inputs *x, float *weight, float *bias);

/* [k][c][taps] to [k][taps][padded]: for a filter taps = r*s, for a linear layer the pixels of the image before it, for
 * a bias c = taps = 1. */
typedef struct trib_pack_geometry {
    int k, c, taps;
    int padded; /* >= c: channels beyond c are 0 */
    bool tf32;  /* rounded to 10 bits of fraction, to nearest, ties away from zero; stays float32 */
} trib_pack_geometry;

void trib_ref_pack_weights(const trib_pack_geometry *g, const float *w, float *packed);

/* A convolution with few input channels, as one with more of them, and with more outputs: `columns` neighbouring
 * columns of x are the channels of one wide column, and so are `outputs` of y. Memory does not change where x and y are
 * dense NHWC; the filter does, and most of it is zeros:
 *
 *     x  |c0 c1 c2 0 ...|c0 c1 c2 0 ...|...    columns = stride * outputs of them, `padded` values each
 *     y  |k0 k1 ...|k0 k1 ...|                 outputs
 *
 * Tensor cores want 32 channels and 128 outputs, and have an image's 3 and 64. */
typedef struct trib_column_geometry {
    int k, c, r, s;      /* the filter, K,C,R,S in float32 */
    int padded;          /* >= c: values of a pixel of x; those beyond c are multiplied by 0 */
    int stride, outputs; /* of columns */
    int pad;             /* columns before the first */
    int columns, before; /* of x that are one; wide columns before the first */
    int taps;            /* wide columns that the filter covers */
} trib_column_geometry;

/* With columns, before and taps filled in. */
trib_column_geometry trib_columns_of(int k, int c, int r, int s, int padded, int stride, int outputs, int pad);
/* Values of the filter: [outputs][k][r][taps][columns][padded]. */
int64_t trib_column_values(const trib_column_geometry *g);
void trib_ref_pack_columns(const trib_column_geometry *g, const float *w, float *packed);

/* Indices of the k largest of `count` values, largest first, ties by lower index; NaN counts as smallest. k <= count.
 */
void trib_top_k(const float *values, int count, int k, int *indices);

typedef struct trib_normalise_geometry {
    int height, width;
    int channels;      /* of the source: 1 or 3 */
    int64_t row_bytes; /* from one source row to the next */
    bool bgr;          /* destination channel order */
    bool nchw;         /* destination layout, else NHWC with 3 channels */
} trib_normalise_geometry;

/* One pass from 8-bit pixels to float: y = x * scale[c] + shift[c], c in destination order. */
void trib_normalise_u8(const trib_normalise_geometry *g, const uint8_t *pixels, const float scale[3],
                       const float shift[3], float *y);

TRIB_END_DECLS
#endif
