/* SPDX-License-Identifier: Apache-2.0
 * Vectorised loops over the pixels of a strip (strips.h). `width` is the strip's, a multiple of `lanes`; `pitch` is the
 * distance of two pixels in elements.
 *
 * One source (loops_body.h) is compiled for several instruction sets. No operation is contracted or reordered, so all
 * of them give the same bits. */
#ifndef TRIBUTARY_RUNTIME_CPU_OPS_NATIVE_LOOPS_H
#define TRIBUTARY_RUNTIME_CPU_OPS_NATIVE_LOOPS_H

#include <stdbool.h>
#include <stdint.h>

/* Pixels of a tensor. */
typedef struct trib_run {
    float *at;
    int64_t pitch;
} trib_run;

/* A batch norm's values of the strip, as its statistics saved them. */
typedef struct trib_norm_values {
    const float *scale, *shift, *mean;
    bool relu; /* dy counts only where x * scale + shift > 0 */
} trib_norm_values;

/* The windows of a pool over one image. */
typedef struct trib_pool_windows {
    int h, w, p, q; /* of x and y */
    int r, s, stride_h, stride_w, pad_top, pad_left;
} trib_pool_windows;

/* LRN at one pixel. Buffers begin at channel 0 and have zeros for `before` + `after` channels on both sides. */
typedef struct trib_lrn_pixel {
    int channels, before, after; /* the window of channel c: c - before .. c + after */
    float factor, beta, k;       /* s = k + factor * (sum of squares) */
    float *x, *dy;               /* dy becomes dx */
    float *squares, *scale, *power;
} trib_lrn_pixel;

typedef struct trib_loops {
    int lanes; /* channels of a vector */
    bool (*usable)(void);
    /* sum[c] += x over `count` pixels; below also square[c] += x^2. */
    void (*sums)(int width, int64_t count, trib_run x, double *sum);
    void (*square_sums)(int width, int64_t count, trib_run x, double *sum, double *square);
    /* y = x * scale + shift, or max(0, that); y may be x. */
    void (*scale_shift)(int width, int64_t count, trib_run x, const trib_norm_values *v, trib_run y);
    /* sum[c] += dy, product[c] += dy * (x - mean). */
    void (*norm_sums)(int width, int64_t count, trib_run dy, trib_run x, const trib_norm_values *v, double *sum,
                      double *product);
    /* dx = scale * (dy - a - (x - mean) * b); dx may be dy. */
    void (*norm_backward)(int width, int64_t count, trib_run dy, trib_run x, const trib_norm_values *v, const float *a,
                          const float *b, trib_run dx);
    /* dx = y > 0 ? dy : 0, sum[c] += dx; dx may be dy. */
    void (*relu_backward)(int width, int64_t count, trib_run dy, trib_run y, trib_run dx, double *sum);
    /* The maxima of all windows and, unless index is NULL, their places r * S + s: the first largest, or the last NaN.
     */
    void (*max_pool)(int width, const trib_pool_windows *g, trib_run x, trib_run y, uint8_t *index,
                     int64_t index_pitch);
    /* dx = [dx +] the sum of dy over the windows whose index is that pixel, in row order. */
    void (*max_pool_backward)(int width, const trib_pool_windows *g, trib_run dy, const uint8_t *index,
                              int64_t index_pitch, trib_run dx, bool accumulate);
    /* dx += dy / divisor for rows x columns of pixels, whose rows are dx_row elements apart; dy is one pixel. */
    void (*spread)(int width, int rows, int columns, const float *dy, float divisor, trib_run dx, int64_t dx_row);
    /* dx = dy s^-beta - 2 factor beta x (the sum of dy x s^(-beta-1) over the windows that contain the channel). */
    void (*lrn_backward)(const trib_lrn_pixel *pixel);
} trib_loops;

extern const trib_loops trib_loops_single, trib_loops_baseline, trib_loops_avx2, trib_loops_avx512;

/* All that were compiled, best first; NULL ends them. */
extern const trib_loops *const trib_loops_all[];
/* The best for strips of this width on this processor. */
const trib_loops *trib_loops_of(int width);

#endif
