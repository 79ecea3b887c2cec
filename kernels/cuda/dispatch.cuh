/* SPDX-License-Identifier: Apache-2.0
 * From run-time types and addresses to template arguments. */
#ifndef TRIBUTARY_DISPATCH_CUH
#define TRIBUTARY_DISPATCH_CUH

#include <launch.cuh>

#include "chunk.cuh"
#include "tributary/dtype.h"

template <class T>
struct Type {
    using type = T;
};

/* call(Type<T>()) for the storage type; `name` is the kernel's, for the message. */
template <class F>
trib_status for_type(const char *name, trib_dtype dtype, F call)
{
    switch (dtype) {
    case TRIB_F32: return call(Type<float>());
    case TRIB_F16: return call(Type<__half>());
    case TRIB_BF16: return call(Type<__nv_bfloat16>());
    default: break;
    }
    return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: no CUDA kernel for %s", name, trib_dtype_name(dtype));
}

template <int N>
struct Constant {
    static constexpr int value = N;
};

/* Whether accesses of WIDTH elements cover every channel of the slice at `p`. */
template <class T, int WIDTH = full_width<T>>
bool in_chunks(const void *p, int64_t channels, int64_t pitch)
{
    return reinterpret_cast<uintptr_t>(p) % (WIDTH * sizeof(T)) == 0 && channels % WIDTH == 0 && pitch % WIDTH == 0;
}

/* `channels` channels of pixels that lie `pitch` elements apart. */
struct Slice {
    const void *p;
    int pitch;
};

/* call(Type<T>(), Constant<WIDTH>()): WIDTH is 16 bytes' worth if all slices allow it, otherwise 1. */
template <class F, int COUNT>
trib_status for_type_and_width(const char *name, trib_dtype dtype, int channels, const Slice (&slices)[COUNT], F call)
{
    return for_type(name, dtype, [&](auto type) {
        using T = typename decltype(type)::type;
        for (const Slice &slice : slices)
            if (!in_chunks<T>(slice.p, channels, slice.pitch)) return call(type, Constant<1>());
        return call(type, Constant<full_width<T>>());
    });
}

/* The same for an input and an output. */
template <class F>
trib_status for_type_and_width(const char *name, trib_dtype dtype, int channels, const void *x, int x_pitch,
                               const void *y, int y_pitch, F call)
{
    return for_type_and_width(name, dtype, channels, { { x, x_pitch }, { y, y_pitch } }, call);
}

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* The number of blocks wanted, at most the limit for y and z of a grid; kernels loop over the rest. */
inline unsigned grid_rows(int64_t wanted)
{
    return static_cast<unsigned>(wanted < grid_row_limit() ? wanted : grid_row_limit());
}

#endif
