/* SPDX-License-Identifier: Apache-2.0
 * Tributary: the custom CUDA kernels. Each enqueues its kernel on `stream` (a cudaStream_t of the current device) and
 * returns; each computes what its C reference in tributary/kernels.h computes, with float32 arithmetic whatever the
 * storage. Activations are NHWC with a row pitch in elements, all in device memory.
 *
 * Storage is TRIB_F32, TRIB_F16 or TRIB_BF16. Where channels, pitches and addresses are multiples of 16 bytes, memory
 * is accessed 16 bytes at a time; pooling, LRN, softmax, scale_shift and reorder also work without that, only slower.
 * No input overlaps an output, unless the function says so.
 *
 * A geometry that a kernel has no code for fails with TRIB_UNSUPPORTED before anything is enqueued; otherwise geometry
 * is trusted, as in kernels.h. TRIB_DEVICE_ERROR carries the cudaError_t of the launch. */
#ifndef TRIBUTARY_INTERNAL_KERNELS_CUDA_H
#define TRIBUTARY_INTERNAL_KERNELS_CUDA_H

#include "tributary/dtype.h"
#include "tributary/kernels.h"
#include "tributary/region_kernels.h"
#include "tributary/step_controls.h"
#include "tributary/training_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

trib_status trib_cuda_max_pool2d(const trib_window_geometry *g, trib_dtype dtype, const void *x, void *y, void *stream);
trib_status trib_cuda_avg_pool2d(const trib_window_geometry *g, trib_dtype dtype, const void *x, void *y, void *stream);
trib_status trib_cuda_adaptive_avg_pool2d(const trib_window_geometry *g, trib_dtype dtype, const void *x, void *y,
                                          void *stream);

/* As in trib_ref_lrn. */
typedef struct trib_lrn_coefficients {
    int size; /* 1 .. TRIB_CUDA_LRN_MAX_SIZE */
    float alpha, beta, k;
} trib_lrn_coefficients;

enum { TRIB_CUDA_LRN_MAX_SIZE = 9 };

trib_status trib_cuda_lrn(const trib_pixel_geometry *g, const trib_lrn_coefficients *lrn, trib_dtype dtype,
                          const void *x, void *y, void *stream);
/* LRN of the pooled values, and the pooled values of LRN: one pass over memory instead of two. ReLU comes last. Both
 * need 16-byte multiples. */
trib_status trib_cuda_max_pool2d_lrn(const trib_window_geometry *g, const trib_lrn_coefficients *lrn, trib_dtype dtype,
                                     const void *x, void *y, void *stream);
trib_status trib_cuda_lrn_max_pool2d(const trib_window_geometry *g, const trib_lrn_coefficients *lrn, trib_dtype dtype,
                                     const void *x, void *y, void *stream);

enum { TRIB_CONV1X1_MAX_OUTPUTS = 4 };

/* Tiles of a matrix product. Results do not depend on them. */
typedef enum trib_conv1x1_tile {
    TRIB_TILE_AUTO = 0, /* from the shape and the device */
    TRIB_TILE_64,       /* 64x64: small batches */
    TRIB_TILE_128       /* 128x128: large ones */
} trib_conv1x1_tile;

/* The 1x1 convolutions that read one input, as one product: rows x c times c x (k[0] + k[1] + ..). */
typedef struct trib_conv1x1_geometry {
    int n, h, w;
    int c, x_pitch;
    int outputs;
    int k[TRIB_CONV1X1_MAX_OUTPUTS], y_pitch[TRIB_CONV1X1_MAX_OUTPUTS];
    bool relu;
    bool tf32; /* with float32 storage: operands are rounded to tf32 for tensor cores, and so are results, for further
                  such products; otherwise products are exact */
    trib_conv1x1_tile tile;
} trib_conv1x1_geometry;

/* Whether the three below support it: c and every k a multiple of 8, pitches a multiple of 16 bytes. */
trib_status trib_cuda_conv1x1_check(const trib_conv1x1_geometry *g, trib_dtype dtype);

/* y[i] = x * w^T + bias, columns k[0] + .. + k[i-1] on: conv2d of a 1x1 window with several destinations. w is O,I of
 * all outputs, concatenated, in the storage type; bias is float32, one per row of w, or NULL. x, w and every y are
 * aligned to 16 bytes, bias to 8. Sums are float32. */
trib_status trib_cuda_conv1x1(const trib_conv1x1_geometry *g, trib_dtype dtype, const void *x, const void *w,
                              const float *bias, void *const *y, void *stream);
/* The same for x after 3x3 max pooling of stride 1 and padding 1, which is never materialised: pool_proj. */
trib_status trib_cuda_max_pool2d_conv1x1(const trib_conv1x1_geometry *g, trib_dtype dtype, const void *x, const void *w,
                                         const float *bias, void *const *y, void *stream);
/* The same after 3x3 average pooling, padding counted: every sum is divided by 9, and the average rounded to the
 * storage type. */
trib_status trib_cuda_avg_pool2d_conv1x1(const trib_conv1x1_geometry *g, trib_dtype dtype, const void *x, const void *w,
                                         const float *bias, void *const *y, void *stream);

/* y = x * scale[c] + shift[c]; scale and shift are float32. */
trib_status trib_cuda_scale_shift(const trib_pixel_geometry *g, trib_dtype dtype, const void *x, const float *scale,
                                  const float *shift, void *y, void *stream);

/* A change of layout, type and channel count; x_dtype and y_dtype may be any two. Without a ReLU and a change of type,
 * bits are copied. */
trib_status trib_cuda_reorder(const trib_reorder_geometry *g, trib_dtype x_dtype, trib_dtype y_dtype, const void *x,
                              void *y, void *stream);

/* As trib_ref_fold_batch_norm, bit for bit. */
trib_status trib_cuda_fold_batch_norm(const trib_fold_geometry *g, const trib_fold_inputs *x, float *weight,
                                      float *bias, void *stream);

/* From float32 to the storage type, rounded to nearest, ties to even; g->tf32 needs TRIB_F32. */
trib_status trib_cuda_pack_weights(const trib_pack_geometry *g, trib_dtype dtype, const float *w, void *packed,
                                   void *stream);

/* As above. */
trib_status trib_cuda_pack_columns(const trib_column_geometry *g, trib_dtype dtype, const float *w, void *packed,
                                   void *stream);

enum { TRIB_PREPROCESS_CHANNELS = 8 }; /* of the result; those beyond 3 are 0 */

typedef struct trib_preprocess_geometry {
    int64_t pixels; /* n*h*w, dense */
    int channels;   /* of the source: 1 or 3 */
    bool bgr;       /* destination channel order */
    float scale[3], shift[3];
} trib_preprocess_geometry;

/* y = x * scale[c] + shift[c], c in destination order; y is NHWC with 8 channels, aligned to 16 bytes. */
trib_status trib_cuda_preprocess(const trib_preprocess_geometry *g, trib_dtype dtype, const uint8_t *x, void *y,
                                 void *stream);

/* As trib_ref_regions, with g->channels at most TRIB_REGIONS_MOST_CHANNELS. rows are aligned to 8 bytes. Nothing is
 * read outside of pictures, whatever boxes are. */
trib_status trib_cuda_regions(const trib_regions_geometry *g, trib_dtype dtype, const trib_region_row *rows,
                              const uint8_t *pictures, void *y, void *stream);

trib_status trib_cuda_softmax(const trib_pixel_geometry *g, trib_dtype dtype, const void *x, void *y, void *stream);
/* The k largest of each row of logits, largest first (ties: lower index first; NaN last), as trib_top_k orders them,
 * and their softmax over the row. indices and probabilities are [rows][k]; 1 <= k <= c. */
trib_status trib_cuda_softmax_top_k(const trib_pixel_geometry *g, int k, trib_dtype dtype, const void *x,
                                    float *probabilities, int32_t *indices, void *stream);

/* ---- training: what training_kernels.h says. dy, x, dx, y and logits have the storage type; statistics, parameters
 * and their gradients are float32. Sums are made in an order that follows from geometry, type and alignment: the same
 * call gives the same bits on every card. Where a function says that an output may be an input, both have the same
 * pitch.
 * ---- */

/* Bytes of `workspace`, aligned to 8, of the functions that sum over rows. They enqueue two or three kernels. */
int64_t trib_cuda_row_sums_workspace(int64_t rows, int c);

/* p->weight, p->bias, saved and both running statistics are in device memory. (Applying it is trib_cuda_scale_shift
 * with saved and saved + c.) */
trib_status trib_cuda_batch_statistics(const trib_pixel_geometry *g, trib_dtype dtype, const void *x,
                                       const trib_batch_norm_parameters *p, float *saved, float *running_mean,
                                       float *running_var, void *workspace, void *stream);
/* dx may be dy. */
trib_status trib_cuda_batch_norm_backward(const trib_gradient_geometry *g, bool relu, trib_dtype dtype, const void *dy,
                                          const void *x, const float *saved, void *dx, float *dweight, float *dbias,
                                          void *workspace, void *stream);
/* dx may be dy. db NULL: no sum is made, and workspace may be NULL. */
trib_status trib_cuda_relu_backward(const trib_gradient_geometry *g, trib_dtype dtype, const void *dy, const void *y,
                                    void *dx, float *db, void *workspace, void *stream);
trib_status trib_cuda_bias_backward(const trib_gradient_geometry *g, trib_dtype dtype, const void *dy, float *db,
                                    void *workspace, void *stream);

/* Windows of at most 256 positions: TRIB_UNSUPPORTED otherwise. */
trib_status trib_cuda_max_pool2d_indexed(const trib_window_geometry *g, trib_dtype dtype, const void *x, void *y,
                                         uint8_t *index, int i_pitch, void *stream);
/* With `accumulate` the sum is added in float32 and rounded once, here and below. */
trib_status trib_cuda_max_pool2d_backward(const trib_window_geometry *g, trib_dtype dtype, const void *dy,
                                          const uint8_t *index, int i_pitch, void *dx, bool accumulate, void *stream);
trib_status trib_cuda_avg_pool2d_backward(const trib_window_geometry *g, trib_dtype dtype, const void *dy, void *dx,
                                          bool accumulate, void *stream);
trib_status trib_cuda_adaptive_avg_pool2d_backward(const trib_window_geometry *g, trib_dtype dtype, const void *dy,
                                                   void *dx, bool accumulate, void *stream);

trib_status trib_cuda_lrn_backward(const trib_gradient_geometry *g, const trib_lrn_coefficients *lrn, trib_dtype dtype,
                                   const void *dy, const void *x, void *dx, void *stream);

/* `controls` are in device memory, here and below, and are read when the kernel runs. */

/* As trib_ref_dropout, with seed and step of the controls; those of g are ignored. y may be x. */
trib_status trib_cuda_dropout(const trib_dropout_geometry *g, trib_dtype dtype, const void *x,
                              const trib_step_controls *controls, void *y, void *stream);

/* g->scale is the weight of the loss; the kernel multiplies it by the controls' loss scale. x is of the type of dx or
 * float32; loss[n] is float32. */
trib_status trib_cuda_cross_entropy(const trib_cross_entropy_geometry *g, trib_dtype x_dtype, trib_dtype dx_dtype,
                                    const void *x, const int32_t *labels, const trib_step_controls *controls, void *dx,
                                    float *loss, void *stream);

/* sum = g, or, with the controls' add_to_sum, sum + g; float32, bit for bit as the reference. */
trib_status trib_cuda_sum_gradients(int64_t count, const float *g, const trib_step_controls *controls, float *sum,
                                    void *stream);

/* Multiplies all gradients, in place, by trib_ref_clip_factor of their length together; changes nothing with the
 * controls' no_update, or without a clip_norm. At most TRIB_CUDA_CLIP_MOST of them; gradient i has counts[i] elements.
 * `workspace` is aligned to 8. Three kernels: the host learns nothing of the length. */
enum { TRIB_CUDA_CLIP_MOST = 3 };
int64_t trib_cuda_clip_gradients_workspace(int gradients, const int64_t *counts);
trib_status trib_cuda_clip_gradients(int gradients, const int64_t *counts, float *const *g,
                                     const trib_step_controls *controls, void *workspace, void *stream);

/* As the references; all arguments are in device memory. */
trib_status trib_cuda_scale_controls(const trib_step_controls *controls, const trib_loss_scale *scale,
                                     trib_step_controls *scaled, void *stream);
trib_status trib_cuda_check_gradients(int64_t count, const float *g, trib_step_controls *controls, void *stream);
trib_status trib_cuda_adjust_loss_scale(int growth_interval, const trib_step_controls *controls, trib_loss_scale *scale,
                                        void *stream);

/* The two below change nothing with the controls' no_update.
 *
 * Multiples of the controls' learning rate and weight decay. */
typedef struct trib_cuda_sgd_rates {
    float rate, decay;
    bool nesterov;
} trib_cuda_sgd_rates;

/* w and v in place, all float32; as the references, bit for bit. */
trib_status trib_cuda_sgd(int64_t count, const trib_cuda_sgd_rates *rates, const float *g,
                          const trib_step_controls *controls, float *w, float *v, void *stream);
trib_status trib_cuda_moving_average(int64_t count, const float *w, const trib_step_controls *controls, float *a,
                                     void *stream);

#ifdef __cplusplus
}
#endif
#endif
