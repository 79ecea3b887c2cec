/* SPDX-License-Identifier: Apache-2.0
 * weight'[k,i] = weight[k,i] * scale[k], bias'[k] = bias[k] * scale[k] + shift[k], with scale and shift of a batch
 * norm, in double: bit for bit the reference, whatever the card's rate for doubles. A block per channel: its
 * first thread computes scale and shift, all threads walk along the row. Bound by memory; runs when weights change. */
#include "dispatch.cuh"
#include "tributary/internal/kernels_cuda.h"

static constexpr int threads = 128;

__device__ __forceinline__ double load_double(const float *p) { return double(load<float>(p)); }

// A template as all kernels are: nvcc would make a plain one a global name of the library.
template <class T>
__global__ void __launch_bounds__(threads) fold_batch_norm(trib_fold_geometry g, trib_fold_inputs x, T *weight, T *bias)
{
    TRIB_SHARED(double, shared, 1);
    const int64_t k = blockIdx.x;
    if (threadIdx.x == 0) {
        const double root = sqrt(double_add(load_double(x.var + k), double(g.eps)));
        const double scale = load_double(x.bn_weight + k) / root;
        const double shift = double_add(load_double(x.bn_bias + k), -double_multiply(load_double(x.mean + k), scale));
        const double before = x.bias ? load_double(x.bias + k) : 0.0;
        store(bias + k, float(double_add(double_multiply(before, scale), shift)));
        shared_store(shared, 0, scale);
    }
    __syncthreads();
    const double scale = shared_load<double>(shared, 0);
    for (int64_t i = threadIdx.x; i < g.row; i += threads) {
        const int64_t at = k * g.row + i;
        store(weight + at, float(x.weight ? double_multiply(load_double(x.weight + at), scale) : scale));
    }
}

trib_status trib_cuda_fold_batch_norm(const trib_fold_geometry *g, const trib_fold_inputs *x, float *weight,
                                      float *bias, void *stream)
{
    return launch("fold_batch_norm", fold_batch_norm<float>, dim3 { unsigned(g->k), 1, 1 }, threads, 0, stream, *g, *x,
                  weight, bias);
}
