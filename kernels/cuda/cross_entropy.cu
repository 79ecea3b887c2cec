/* SPDX-License-Identifier: Apache-2.0
 * Softmax and cross entropy in one, as trib_ref_cross_entropy: with m the row's maximum, loss = log(sum of exp(x - m))
 * - sum over c of t[c] (x[c] - m), and dx = scale / n * (softmax(x) - t). A block per row, three passes over it, of
 * which all but the first hit the L1 cache. The loss scale is read from device memory. dx may have fewer bits than x:
 * logits keep the float32 of their sums, and what goes back is multiplied by weights of 16 bits. */
#include <type_traits>

#include "softmax.cuh"
#include "tributary/internal/kernels_cuda.h"

/* The sum of t[c] (x[c] - largest), in every thread. */
template <class T>
__device__ __forceinline__ float expected(const trib_cross_entropy_geometry &g, const T *row, int label, float largest,
                                          SharedArray<float> parts)
{
    const float of_all = g.smoothing / float(g.classes), of_label = 1 - g.smoothing;
    float sum = 0;
    for (int c = int(threadIdx.x); c < g.classes; c += threads) {
        const float target = of_all + (c == label ? of_label : 0);
        if (target > 0) sum += target * (channel(row, c) - largest); /* 0 times -infinity is none */
    }
    return reduce(sum, parts, Sum());
}

template <class TX, class TD>
__global__ void __launch_bounds__(threads)
    cross_entropy(trib_cross_entropy_geometry g, const TX *x, const int32_t *labels, const trib_step_controls *controls,
                  TD *dx, float *loss)
{
    TRIB_SHARED(float, parts, warps);
    const int64_t n = blockIdx.x;
    const TX *row = x + n * g.x_pitch;
    const int label = load<int>(labels + n);
    const bool valid = label >= 0 && label < g.classes;
    const Normaliser of_row = normaliser(row, g.classes, parts);
    const float wanted = expected(g, row, label, of_row.largest, parts);
    if (threadIdx.x == 0) store(loss + n, valid ? logf(of_row.sum) - wanted : NAN);
    const float scale = g.scale * load<float>(&controls->loss_scale) / float(g.n);
    for (int c = int(threadIdx.x); c < g.classes; c += threads) {
        const float target = g.smoothing / float(g.classes) + (c == label ? 1 - g.smoothing : 0);
        const float softmax = expf(channel(row, c) - of_row.largest) / of_row.sum;
        const float value = valid ? scale * (softmax - target) : 0;
        store_chunk(dx + n * g.dx_pitch + c, from_floats<TD, 1>(&value));
    }
}

trib_status trib_cuda_cross_entropy(const trib_cross_entropy_geometry *g, trib_dtype x_dtype, trib_dtype dx_dtype,
                                    const void *x, const int32_t *labels, const trib_step_controls *controls, void *dx,
                                    float *loss, void *stream)
{
    const char *name = "cross_entropy";
    return for_type(name, x_dtype, [&](auto x_type) {
        return for_type(name, dx_dtype, [&](auto dx_type) {
            using TX = typename decltype(x_type)::type;
            using TD = typename decltype(dx_type)::type;
            if constexpr (std::is_same<TX, TD>::value || std::is_same<TX, float>::value)
                return launch(name, cross_entropy<TX, TD>, dim3 { unsigned(g->n), 1, 1 }, threads, 0, stream, *g,
                              static_cast<const TX *>(x), labels, controls, static_cast<TD *>(dx), loss);
            else
                return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: no CUDA kernel from %s to %s", name, trib_dtype_name(x_dtype),
                                  trib_dtype_name(dx_dtype));
        });
    });
}
