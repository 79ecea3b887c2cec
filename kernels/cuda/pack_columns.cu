/* SPDX-License-Identifier: Apache-2.0
 * The filter of a convolution that computes several columns of its output side by side, as channels, from as many
 * columns of its input (trib_column_geometry). One thread per value, in the order of the result, most of which is
 * zeros. Runs when weights change. */
#include "dispatch.cuh"
#include "tributary/internal/kernels_cuda.h"

static constexpr int threads = 256;

template <class T>
__global__ void __launch_bounds__(threads)
    pack_columns(trib_column_geometry g, int64_t count, const float *w, T *packed)
{
    const int64_t item = int64_t(blockIdx.x) * threads + threadIdx.x;
    if (item >= count) return;
    int64_t rest = item;
    const int c = int(rest % g.padded);
    rest /= g.padded;
    const int column = int(rest % g.columns);
    rest /= g.columns;
    const int tap = int(rest % g.taps);
    rest /= g.taps;
    const int r = int(rest % g.r);
    rest /= g.r;
    const int64_t k = rest % g.k;
    const int s = (tap - g.before) * g.columns + column - g.stride * int(rest / g.k) + g.pad;
    float value = 0;
    if (c < g.c && s >= 0 && s < g.s) value = load<float>(w + ((k * g.c + c) * g.r + r) * g.s + s);
    Chunk<T, 1> out;
    from_float(value, &out.v[0]);
    store_chunk(packed + item, out);
}

trib_status trib_cuda_pack_columns(const trib_column_geometry *g, trib_dtype dtype, const float *w, void *packed,
                                   void *stream)
{
    const char *name = "pack_columns";
    return for_type(name, dtype, [&](auto type) {
        using T = typename decltype(type)::type;
        const int64_t count = trib_column_values(g);
        return launch(name, pack_columns<T>, dim3 { unsigned(ceil_div(count, threads)), 1, 1 }, threads, 0, stream, *g,
                      count, w, static_cast<T *>(packed));
    });
}
