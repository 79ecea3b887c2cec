/* SPDX-License-Identifier: Apache-2.0 */
#include "tributary/shape.h"

#include <stdio.h>

trib_shape trib_shape_of(int rank, int64_t d0, int64_t d1, int64_t d2, int64_t d3)
{
    trib_shape s = { .rank = rank, .dim = { d0, d1, d2, d3 } };
    for (int i = rank < 0 ? 0 : rank; i < 4; ++i) s.dim[i] = 0;
    return s;
}

bool trib_shape_equal(const trib_shape *a, const trib_shape *b)
{
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; ++i)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

trib_status trib_shape_count(const trib_shape *shape, int64_t *count)
{
    const int64_t limit = (int64_t)1 << 62;
    int64_t product = 1;
    bool empty = false;
    if (shape->rank < 0 || shape->rank > TRIB_MAX_RANK)
        return TRIB_ERROR(TRIB_BAD_DATA, "a shape of rank %d; at most %d is supported", shape->rank, TRIB_MAX_RANK);
    for (int i = 0; i < shape->rank; ++i) {
        int64_t d = shape->dim[i];
        if (d < 0) return TRIB_ERROR(TRIB_BAD_DATA, "a shape with the negative extent %lld", (long long)d);
        if (d == 0) {
            empty = true;
            continue;
        }
        if (product > limit / d) return TRIB_ERROR(TRIB_BAD_DATA, "a shape with more than 2^62 elements");
        product *= d;
    }
    *count = empty ? 0 : product;
    return trib_success();
}

const char *trib_shape_text(const trib_shape *shape, char *text)
{
    size_t used = (size_t)snprintf(text, TRIB_SHAPE_TEXT, "[");
    for (int i = 0; i < shape->rank && i < TRIB_MAX_RANK && used < TRIB_SHAPE_TEXT; ++i)
        used +=
            (size_t)snprintf(text + used, TRIB_SHAPE_TEXT - used, "%s%lld", i ? ", " : "", (long long)shape->dim[i]);
    if (used < TRIB_SHAPE_TEXT) snprintf(text + used, TRIB_SHAPE_TEXT - used, "]");
    return text;
}
