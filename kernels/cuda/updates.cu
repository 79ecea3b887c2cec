/* SPDX-License-Identifier: Apache-2.0
 * Updates of parameters, flat, in float32: every operation is rounded by itself, in the references' order, so that a
 * step has the same bits on every device. What changes from step to step is read from device memory.
 *
 * Bound by memory. */
#include "flat.cuh"
#include "tributary/internal/kernels_cuda.h"

static constexpr int threads = flat_threads, width = flat_width;

__device__ __forceinline__ float control(const float *member) { return load<float>(member); }
__device__ __forceinline__ bool flag(const uint32_t *member) { return load<uint32_t>(member) != 0; }

struct Sgd {
    float lr, momentum, weight_decay, loss_scale;
    bool nesterov;
    __device__ void update(float g, float *w, float *v) const
    {
        const float gradient = float_add(g / loss_scale, float_multiply(weight_decay, *w));
        *v = float_add(float_multiply(momentum, *v), gradient);
        const float step = nesterov ? float_add(gradient, float_multiply(momentum, *v)) : *v;
        *w = float_add(*w, -float_multiply(lr, step));
    }
};

/* WIDTH elements at `at`. */
template <int WIDTH>
__device__ __forceinline__ void sgd_chunk(const Sgd &sgd, int64_t at, const float *g, float *w, float *v)
{
    const auto gradients = load_chunk<float, WIDTH>(g + at);
    auto weights = load_own_chunk<float, WIDTH>(w + at), velocities = load_own_chunk<float, WIDTH>(v + at);
#pragma unroll
    for (int j = 0; j < WIDTH; ++j) sgd.update(gradients.v[j], &weights.v[j], &velocities.v[j]);
    store_chunk(w + at, weights);
    store_chunk(v + at, velocities);
}

template <int WIDTH>
__device__ __forceinline__ void sum_chunk(bool add, int64_t at, const float *g, float *sum)
{
    auto result = load_chunk<float, WIDTH>(g + at);
    if (add) {
        const auto before = load_own_chunk<float, WIDTH>(sum + at);
#pragma unroll
        for (int j = 0; j < WIDTH; ++j) result.v[j] = float_add(before.v[j], result.v[j]);
    }
    store_chunk(sum + at, result);
}

template <int WIDTH>
__device__ __forceinline__ void average_chunk(float decay, int64_t at, const float *w, float *a)
{
    const auto weights = load_chunk<float, WIDTH>(w + at);
    auto averages = load_own_chunk<float, WIDTH>(a + at);
#pragma unroll
    for (int j = 0; j < WIDTH; ++j)
        averages.v[j] = float_add(float_multiply(decay, averages.v[j]), float_multiply(1 - decay, weights.v[j]));
    store_chunk(a + at, averages);
}

template <class T>
__global__ void __launch_bounds__(threads) sgd(int64_t count, bool aligned, trib_cuda_sgd_rates rates, const T *g,
                                               const trib_step_controls *controls, T *w, T *v)
{
    if (flag(&controls->no_update)) return;
    const Sgd step = { float_multiply(control(&controls->lr), rates.rate), control(&controls->momentum),
                       float_multiply(control(&controls->weight_decay), rates.decay), control(&controls->loss_scale),
                       rates.nesterov };
    own_elements(
        count, aligned, [&](int64_t at) { sgd_chunk<width>(step, at, g, w, v); },
        [&](int64_t at) { sgd_chunk<1>(step, at, g, w, v); });
}

template <class T>
__global__ void __launch_bounds__(threads)
    sum_gradients(int64_t count, bool aligned, const T *g, const trib_step_controls *controls, T *sum)
{
    const bool add = flag(&controls->add_to_sum);
    own_elements(
        count, aligned, [&](int64_t at) { sum_chunk<width>(add, at, g, sum); },
        [&](int64_t at) { sum_chunk<1>(add, at, g, sum); });
}

template <class T>
__global__ void __launch_bounds__(threads)
    moving_average(int64_t count, bool aligned, const T *w, const trib_step_controls *controls, T *a)
{
    if (flag(&controls->no_update)) return;
    const float decay = control(&controls->average_decay);
    own_elements(
        count, aligned, [&](int64_t at) { average_chunk<width>(decay, at, w, a); },
        [&](int64_t at) { average_chunk<1>(decay, at, w, a); });
}

trib_status trib_cuda_sgd(int64_t count, const trib_cuda_sgd_rates *rates, const float *g,
                          const trib_step_controls *controls, float *w, float *v, void *stream)
{
    return launch("sgd", sgd<float>, flat_grid(count), threads, 0, stream, count,
                  flat_aligned(g) && flat_aligned(w) && flat_aligned(v), *rates, g, controls, w, v);
}

trib_status trib_cuda_sum_gradients(int64_t count, const float *g, const trib_step_controls *controls, float *sum,
                                    void *stream)
{
    return launch("sum_gradients", sum_gradients<float>, flat_grid(count), threads, 0, stream, count,
                  flat_aligned(g) && flat_aligned(sum), g, controls, sum);
}

trib_status trib_cuda_moving_average(int64_t count, const float *w, const trib_step_controls *controls, float *a,
                                     void *stream)
{
    return launch("moving_average", moving_average<float>, flat_grid(count), threads, 0, stream, count,
                  flat_aligned(w) && flat_aligned(a), w, controls, a);
}
