/* SPDX-License-Identifier: Apache-2.0
 * Tributary: shapes, and tensors as views of memory. */
#ifndef TRIBUTARY_SHAPE_H
#define TRIBUTARY_SHAPE_H

#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/dtype.h"
#include "tributary/status.h"

TRIB_BEGIN_DECLS

enum { TRIB_MAX_RANK = 8, TRIB_SHAPE_TEXT = 160 };

/* Row-major extents, outermost first (activations are N,C,H,W; weights O,I,R,S). Rank 0 is a scalar. */
typedef struct trib_shape {
    int rank;
    int64_t dim[TRIB_MAX_RANK];
} trib_shape;

/* A shape of up to four extents: trib_shape_of(2, 10, 1024, 0, 0) is [10, 1024]. */
trib_shape trib_shape_of(int rank, int64_t d0, int64_t d1, int64_t d2, int64_t d3);

bool trib_shape_equal(const trib_shape *a, const trib_shape *b);

/* Number of elements. Fails with TRIB_BAD_DATA on a negative extent, a rank out of range, or a product over 2^62. */
trib_status trib_shape_count(const trib_shape *shape, int64_t *count);

/* "[2, 3, 224, 224]" into `text` (at least TRIB_SHAPE_TEXT bytes); returns `text`. */
const char *trib_shape_text(const trib_shape *shape, char *text);

/* A named tensor, dense and row-major, in memory that it does not own. `data` need not be aligned. */
typedef struct trib_tensor {
    const char *name;
    trib_dtype dtype;
    trib_shape shape;
    const void *data;
} trib_tensor;

TRIB_END_DECLS
#endif
