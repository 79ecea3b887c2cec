/* SPDX-License-Identifier: Apache-2.0
 * packed[k,tap,c] = w[k,c,tap], in the storage type, padded with channels of zeros. A thread has all taps of one filter
 * plane (k,c) and reads them one after the other, so that a warp uses each cache line completely; at each tap, the
 * threads of a warp write neighbouring channels. Bound by memory; runs when weights change. */
#include "dispatch.cuh"
#include "tributary/internal/kernels_cuda.h"

static constexpr int threads = 256;

template <class T>
__global__ void __launch_bounds__(threads) pack_weights(trib_pack_geometry g, const float *w, T *packed)
{
    const int64_t item = int64_t(blockIdx.x) * threads + threadIdx.x, k = item / g.padded;
    const int c = int(item - k * g.padded);
    if (k >= g.k) return;
    w += (k * g.c + c) * g.taps;
    packed += k * g.taps * g.padded + c;
    for (int tap = 0; tap < g.taps; ++tap) {
        float value = c < g.c ? load<float>(w + tap) : 0.0f;
        if (g.tf32) value = __uint_as_float(to_tf32(__float_as_uint(value)));
        Chunk<T, 1> out;
        from_float(value, &out.v[0]);
        store_chunk(packed + int64_t(tap) * g.padded, out);
    }
}

trib_status trib_cuda_pack_weights(const trib_pack_geometry *g, trib_dtype dtype, const float *w, void *packed,
                                   void *stream)
{
    const char *name = "pack_weights";
    if (g->tf32 && dtype != TRIB_F32)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: tf32 is stored as f32, not as %s", name, trib_dtype_name(dtype));
    return for_type(name, dtype, [&](auto type) {
        using T = typename decltype(type)::type;
        const int64_t items = int64_t(g->k) * g->padded;
        return launch(name, pack_weights<T>, dim3 { unsigned(ceil_div(items, threads)), 1, 1 }, threads, 0, stream, *g,
                      w, static_cast<T *>(packed));
    });
}
