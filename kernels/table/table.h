/* SPDX-License-Identifier: Apache-2.0
 * Every custom kernel in one table: its reference, storage types, tolerance, and edge shapes. The checker
 * (tests/kernels_cuda) and the benchmark are loops over it; shapes of networks they take from plans
 * (benches/kernels/layers.h). */
#ifndef TRIBUTARY_KERNEL_TABLE_H
#define TRIBUTARY_KERNEL_TABLE_H

#include "tributary/internal/kernels_cuda.h"

TRIB_BEGIN_DECLS

enum { TRIB_KERNEL_MAX_INPUTS = 6, TRIB_KERNEL_MAX_OUTPUTS = 4, TRIB_KERNEL_TEXT = 192 };

typedef enum trib_kernel_element {
    TRIB_KERNEL_STORAGE, /* the type the kernel is run with */
    TRIB_KERNEL_F32,
    TRIB_KERNEL_F16,
    TRIB_KERNEL_BF16,
    TRIB_KERNEL_I32,
    TRIB_KERNEL_U8,       /* inputs: 0..255, or below `below` */
    TRIB_KERNEL_CONTROLS, /* the problem's controls, a row of 32-bit words; an output that is updated begins with them
                           */
    TRIB_KERNEL_REGIONS   /* trib_region_rows, as 32-bit words */
} trib_kernel_element;

typedef enum trib_kernel_content {
    TRIB_KERNEL_RESULT,  /* an output is written, and compared with the reference */
    TRIB_KERNEL_UPDATED, /* likewise; beforehand it has values that are drawn as an input's */
    TRIB_KERNEL_SCRATCH  /* an output that is not compared */
} trib_kernel_content;

/* Channels first .. first + c - 1 of rows of `pitch` elements. Nothing else of an output may be written. */
typedef struct trib_kernel_array {
    trib_kernel_element element;
    int64_t rows;
    int c, first, pitch;
    float scale; /* inputs are drawn from -scale .. scale */
    int below;   /* TRIB_KERNEL_U8; 0: 256 */
    trib_kernel_content content;
} trib_kernel_array;

/* Regions of `pictures` pictures that lie behind each other: the first of width x height pixels, each further one a
 * pixel smaller. */
typedef struct trib_kernel_regions {
    trib_regions_geometry geometry;
    int pictures, width, height;
    int seed; /* of the boxes; 0: all within their pictures, of 0.7 times the size */
} trib_kernel_regions;

/* One call of a kernel: of the geometries, those it uses. */
typedef struct trib_kernel_problem {
    char text[TRIB_KERNEL_TEXT]; /* its shape: problems of a kernel with the same text cost the same */
    trib_window_geometry window;
    trib_pixel_geometry pixel;
    trib_lrn_coefficients lrn;
    trib_preprocess_geometry preprocess;
    trib_kernel_regions regions;
    trib_conv1x1_geometry conv1x1;
    trib_reorder_geometry reorder;
    trib_fold_geometry fold;
    trib_pack_geometry pack;
    trib_column_geometry columns;
    trib_gradient_geometry gradient;
    trib_batch_norm_parameters batch_norm; /* its pointers are the run's */
    trib_dropout_geometry dropout;
    trib_cross_entropy_geometry cross_entropy;
    trib_cuda_sgd_rates sgd;
    trib_step_controls controls;
    bool accumulate;
    int k;      /* of top k; of adjust_loss_scale: its interval */
    int beside; /* of fold_batch_norm: which of weight and bias there are */
    int input_count, output_count;
    trib_kernel_array inputs[TRIB_KERNEL_MAX_INPUTS], outputs[TRIB_KERNEL_MAX_OUTPUTS];
    double flops;
} trib_kernel_problem;

typedef struct trib_kernel {
    const char *name;
    unsigned dtypes;                 /* bit 1 << trib_dtype */
    double tolerance[TRIB_BF16 + 1]; /* |y - reference| <= tolerance * (1 + |reference|); indices are exact */
    int edges;
    void (*edge)(int index, trib_kernel_problem *out); /* index >= edges: a random one, the same for an index */
    /* Arrays start at the slice; all are float32, also what the kernel has as bytes or indices. */
    void (*reference)(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs);
    trib_status (*run)(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs, void *const *outputs,
                       void *stream);
} trib_kernel;

/* The rows of a problem of regions, geometry.n of them. */
void trib_region_rows(const trib_kernel_problem *p, trib_region_row *rows);

/* Kernel 0, 1, ...; NULL after the last. */
const trib_kernel *trib_kernel_at(int index);

TRIB_END_DECLS
#endif
