/* SPDX-License-Identifier: Apache-2.0
 * Tributary: the C references of kernels for training. Conventions as in kernels.h: NHWC with row pitches, float32,
 * trusted geometry. A d before a name is the gradient of the loss with respect to it. Sums are made in double, in the
 * order of memory. With `accumulate` a result is added to what its memory holds.
 *
 * Sources: batch norm is Ioffe and Szegedy 2015, algorithm 1 and section 3; LRN Krizhevsky et al. 2012, 3.3; the update
 * is PyTorch's SGD. */
#ifndef TRIBUTARY_TRAINING_KERNELS_H
#define TRIBUTARY_TRAINING_KERNELS_H

#include "tributary/kernels.h"
#include "tributary/step_controls.h"

TRIB_BEGIN_DECLS

/* ---- convolutions and linear layers: the geometry is the forward's; dx has x_pitch, dy has y_pitch; relu is ignored
 * ---- */

void trib_ref_conv2d_backward_data(const trib_window_geometry *g, const float *dy, const float *w, float *dx,
                                   bool accumulate);
/* dw is O,I,R,S. */
void trib_ref_conv2d_backward_weight(const trib_window_geometry *g, const float *x, const float *dy, float *dw);
void trib_ref_linear_backward_data(const trib_linear_geometry *g, const float *dy, const float *w, float *dx,
                                   bool accumulate);
/* dw is [out, c*h*w], columns in C,H,W order. */
void trib_ref_linear_backward_weight(const trib_linear_geometry *g, const float *x, const float *dy, float *dw);

/* ---- pixels: dy and another input have pitches of their own ---- */

typedef struct trib_gradient_geometry {
    int64_t rows; /* n*h*w */
    int c;
    int dy_pitch, x_pitch, dx_pitch; /* x: the forward's input, or for a ReLU its output */
} trib_gradient_geometry;

/* db[c] = sum over rows of dy. Uses rows, c and dy_pitch. */
void trib_ref_bias_backward(const trib_gradient_geometry *g, const float *dy, float *db);
/* dx = y > 0 ? dy : 0; NaN in y gives 0. db NULL, or the sum of dx over rows. dx may be dy. */
void trib_ref_relu_backward(const trib_gradient_geometry *g, const float *dy, const float *y, float *dx, float *db);
/* With s = k + alpha/size * (sum over the window of x^2):
 * dx[c] = dy[c] s[c]^-beta - 2 alpha beta / size * x[c] * (sum over windows that contain c of dy x s^(-beta-1)). */
void trib_ref_lrn_backward(const trib_gradient_geometry *g, int size, float alpha, float beta, float k, const float *dy,
                           const float *x, float *dx);

/* ---- batch norm; saved: four rows of c values, scale, shift, mean, 1/sqrt(var + eps) ---- */

typedef struct trib_batch_norm_parameters {
    const float *weight, *bias;
    float eps, momentum;
} trib_batch_norm_parameters;

/* Statistics of x over rows; var is the biased one. running = (1 - momentum) running + momentum batch, with var * rows
 * / (rows - 1); one row: with var itself. */
void trib_ref_batch_statistics(const trib_pixel_geometry *g, const float *x, const trib_batch_norm_parameters *p,
                               float *saved, float *running_mean, float *running_var);
/* y = x * scale + shift, or max(0, that) with g->relu. */
void trib_ref_batch_norm_apply(const trib_pixel_geometry *g, const float *x, const float *saved, float *y);
/* With x^ = (x - mean) / sqrt(var + eps), and dy as 0 where relu and x * scale + shift <= 0:
 * dbias = sum of dy; dweight = sum of dy x^; dx = scale * (dy - dbias / rows - x^ dweight / rows). dx may be dy. */
void trib_ref_batch_norm_backward(const trib_gradient_geometry *g, bool relu, const float *dy, const float *x,
                                  const float *saved, float *dx, float *dweight, float *dbias);

/* ---- pools: the geometry is the forward's; dx has x_pitch, y, dy have y_pitch; index has the pitch of i_pitch ---- */

/* index = r * S + s of the first largest element of the window, counted from the window's corner, padding included; the
 * last NaN wins, as in PyTorch. Channels are neighbours in index as in y. */
void trib_ref_max_pool2d_indexed(const trib_window_geometry *g, const float *x, float *y, uint8_t *index, int i_pitch);
/* dx[i] = sum of dy over the windows whose index is i, windows in row order. */
void trib_ref_max_pool2d_backward(const trib_window_geometry *g, const float *dy, const uint8_t *index, int i_pitch,
                                  float *dx, bool accumulate);
void trib_ref_avg_pool2d_backward(const trib_window_geometry *g, const float *dy, float *dx, bool accumulate);
void trib_ref_adaptive_avg_pool2d_backward(const trib_window_geometry *g, const float *dy, float *dx, bool accumulate);

/* ---- random numbers ---- */

/* Uniform in [0, 1), a function of its arguments only: the same on every device. Philox 4x32-10 (Salmon et al. 2011)
 * with counter { index / 4, step } and key { seed's low word, its high word xor salt }, low words first; the upper 24
 * bits of word index % 4 of what it gives, divided by 2^24. */
float trib_random_uniform(uint64_t seed, uint64_t step, uint32_t salt, uint64_t index);

typedef struct trib_dropout_geometry {
    int n, c;
    int64_t pixels; /* h*w */
    int x_pitch, y_pitch;
    float p;
    uint64_t seed, step;
    uint32_t salt;
} trib_dropout_geometry;

/* y = u < p ? 0 : x * (1 / (1 - p)), in float32, u the random number of element (n*c + channel)*pixels + pixel. y may
 * be x. */
void trib_ref_dropout(const trib_dropout_geometry *g, const float *x, float *y);

/* ---- loss and updates ---- */

typedef struct trib_cross_entropy_geometry {
    int n, classes;
    int x_pitch, dx_pitch;
    float smoothing;
    float scale; /* weight times loss scale; the mean's 1/n is applied here as well */
} trib_cross_entropy_geometry;

/* loss[n] = log(sum exp(x - m)) + m - sum over c of t[c] x[c], with t[c] = smoothing / classes, plus 1 - smoothing for
 * the label, and m the row's maximum; dx = scale / n * (softmax(x) - t). With a label outside 0 .. classes - 1 the
 * row's loss is NaN and its dx 0: whoever reads the loss sees it, and the weights are still good. */
void trib_ref_cross_entropy(const trib_cross_entropy_geometry *g, const float *x, const int32_t *labels, float *dx,
                            float *loss);

typedef struct trib_sgd_step {
    float lr, momentum, weight_decay; /* multiples for these parameters already applied */
    float loss_scale;                 /* gradients are divided by it */
    bool nesterov;
} trib_sgd_step;

/* g' = g / loss_scale + weight_decay w; v = momentum v + g'; w -= lr (nesterov ? g' + momentum v : v). In float32. */
void trib_ref_sgd(int64_t count, const trib_sgd_step *step, const float *g, float *w, float *v);
/* What gradients whose squares sum up to `squares` are multiplied by: clip_norm / length if the length, without the
 * loss scale, is above clip_norm; otherwise, and with clip_norm = 0, by 1. Gradients that are not finite stay so. */
float trib_ref_clip_factor(double squares, float clip_norm, float loss_scale);
/* The sum of the squares of g, in double. */
double trib_ref_squares(int64_t count, const float *g);
/* sum = g, or, with `add`, sum + g */
void trib_ref_sum_gradients(int64_t count, bool add, const float *g, float *sum);
/* What the other ops of a step read: the same controls with the scale multiplied in. */
void trib_ref_scale_controls(const trib_step_controls *controls, const trib_loss_scale *scale,
                             trib_step_controls *scaled);
/* no_update becomes TRIB_GRADIENTS_NOT_FINITE if it is 0 and an element is not finite. */
void trib_ref_check_gradients(int64_t count, const float *g, trib_step_controls *controls);
/* At the end of a step; nothing happens with a no_update of 1. */
void trib_ref_adjust_loss_scale(int growth_interval, const trib_step_controls *controls, trib_loss_scale *scale);
/* a = decay a + (1 - decay) w */
void trib_ref_moving_average(int64_t count, float decay, const float *w, float *a);

TRIB_END_DECLS
#endif
