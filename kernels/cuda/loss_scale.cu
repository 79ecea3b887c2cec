/* SPDX-License-Identifier: Apache-2.0
 * A loss scale that adapts, as the references: the host learns nothing of it, so that a step is one graph.
 *
 *     scale_controls       a thread per word of the controls
 *     check_gradients      a thread per 4 neighbours; any one of them may set the flag. Bound by memory
 *     adjust_loss_scale    one thread */
#include <cfloat>
#include <cstddef>

#include "flat.cuh"
#include "tributary/internal/kernels_cuda.h"

static constexpr int words = int(sizeof(trib_step_controls) / sizeof(uint32_t));

template <class T>
__global__ void __launch_bounds__(words)
    scale_controls(const trib_step_controls *controls, const T *scale, trib_step_controls *scaled)
{
    constexpr int scaled_word = int(offsetof(trib_step_controls, loss_scale) / sizeof(uint32_t));
    const int i = int(threadIdx.x);
    if (i == scaled_word)
        store(&scaled->loss_scale, float_multiply(load<float>(&controls->loss_scale), load<float>(scale)));
    else
        store(reinterpret_cast<uint32_t *>(scaled) + i,
              load<uint32_t>(reinterpret_cast<const uint32_t *>(controls) + i));
}

template <int WIDTH>
__device__ __forceinline__ bool finite(const float *g)
{
    const auto values = load_chunk<float, WIDTH>(g);
    bool all = true;
#pragma unroll
    for (int j = 0; j < WIDTH; ++j) all = all && fabsf(values.v[j]) <= FLT_MAX;
    return all;
}

template <class T>
__global__ void __launch_bounds__(flat_threads)
    check_gradients(int64_t count, bool aligned, const T *g, trib_step_controls *controls)
{
    bool good = true;
    if (load_own<uint32_t>(&controls->no_update)) return;
    own_elements(
        count, aligned, [&](int64_t at) { good = good && finite<flat_width>(g + at); },
        [&](int64_t at) { good = good && finite<1>(g + at); });
    if (!good) store(&controls->no_update, uint32_t(TRIB_GRADIENTS_NOT_FINITE));
}

template <class T>
__global__ void __launch_bounds__(1)
    adjust_loss_scale(float growth_interval, const trib_step_controls *controls, T *scale, T *good, T *skipped)
{
    const uint32_t no_update = load<uint32_t>(&controls->no_update);
    const float now = load_own<float>(scale), steps = load_own<float>(good) + 1, doubled = now * 2;
    if (no_update == TRIB_GRADIENTS_NOT_FINITE) {
        store(scale, now * 0.5f);
        store(good, 0.0f);
        store(skipped, load_own<float>(skipped) + 1);
    } else if (no_update == 0) {
        const bool grows = steps >= growth_interval;
        if (grows && doubled <= FLT_MAX) store(scale, doubled);
        store(good, grows ? 0.0f : steps);
    }
}

trib_status trib_cuda_scale_controls(const trib_step_controls *controls, const trib_loss_scale *scale,
                                     trib_step_controls *scaled, void *stream)
{
    return launch("scale_controls", scale_controls<float>, dim3 { 1, 1, 1 }, words, 0, stream, controls, &scale->scale,
                  scaled);
}

trib_status trib_cuda_check_gradients(int64_t count, const float *g, trib_step_controls *controls, void *stream)
{
    return launch("check_gradients", check_gradients<float>, flat_grid(count), flat_threads, 0, stream, count,
                  flat_aligned(g), g, controls);
}

trib_status trib_cuda_adjust_loss_scale(int growth_interval, const trib_step_controls *controls, trib_loss_scale *scale,
                                        void *stream)
{
    return launch("adjust_loss_scale", adjust_loss_scale<float>, dim3 { 1, 1, 1 }, 1, 0, stream, float(growth_interval),
                  controls, &scale->scale, &scale->good_steps, &scale->skipped_steps);
}
