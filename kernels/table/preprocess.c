/* SPDX-License-Identifier: Apache-2.0
 * 8-bit pixels to normalised, padded channels. */
#include <stdio.h>
#include <string.h>

#include "table/problem.h"

void trib_preprocess_problem(trib_kernel_problem *p, int64_t pixels, int channels, bool bgr)
{
    memset(p, 0, sizeof *p);
    p->input_count = p->output_count = 1;
    p->inputs[0] = trib_slice(pixels, channels, 0, 0);
    p->inputs[0].element = TRIB_KERNEL_U8;
    p->outputs[0] = trib_slice(pixels, TRIB_PREPROCESS_CHANNELS, 0, 0);
    p->preprocess =
        (trib_preprocess_geometry) { pixels, channels, bgr, { 0.0171f, 0.0175f, 0.0174f }, { -2.1f, -2.0f, -1.8f } };
    p->flops = 6 * (double)pixels;
    snprintf(p->text, sizeof p->text, "pixels=%lld channels=%d%s", (long long)pixels, channels, bgr ? " bgr" : "");
}

static void preprocess_edge(int index, trib_kernel_problem *out)
{
    static const int64_t counts[] = { 1, 5, 1023, 1024, 1025 };
    trib_random_state r = trib_random_from(index);
    const int64_t pixels = index < TRIB_COUNT(counts) ? counts[index] : trib_random_between(&r, 1, 5000);
    const int channels = trib_random_chance(&r, 2) ? 3 : 1;
    trib_preprocess_problem(out, pixels, channels, trib_random_chance(&r, 2));
}

static void preprocess_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    const trib_preprocess_geometry *g = &p->preprocess;
    const trib_normalise_geometry one = { 1, 1, g->channels, g->channels, g->bgr, false };
    for (int64_t i = 0; i < g->pixels; ++i) {
        uint8_t pixel[3];
        for (int c = 0; c < g->channels; ++c) pixel[c] = (uint8_t)inputs[0][i * g->channels + c];
        float *y = outputs[0] + i * TRIB_PREPROCESS_CHANNELS;
        trib_normalise_u8(&one, pixel, g->scale, g->shift, y);
        memset(y + 3, 0, sizeof(float) * (TRIB_PREPROCESS_CHANNELS - 3));
    }
}

static trib_status preprocess_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                                  void *const *outputs, void *stream)
{
    return trib_cuda_preprocess(&p->preprocess, dtype, inputs[0], outputs[0], stream);
}

const trib_kernel trib_preprocess_kernels[] = {
    { .name = "preprocess",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-6, 1e-3, 8e-3 },
      .edges = 5,
      .edge = preprocess_edge,
      .reference = preprocess_reference,
      .run = preprocess_run },
};
const int trib_preprocess_kernel_count = TRIB_COUNT(trib_preprocess_kernels);
