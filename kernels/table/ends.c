/* SPDX-License-Identifier: Apache-2.0
 * The two ends of a network: pixels in, predictions out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/problem.h"

/* ---- preprocess ---- */

static void preprocess_shape(int index, trib_kernel_problem *out)
{
    static const int64_t counts[] = { 1, 5, 1023, 1024, 1025, 224 * 224 };
    trib_random_state r = trib_random_from(index);
    const int64_t pixels = index < TRIB_COUNT(counts) ? counts[index] : trib_random_between(&r, 1, 5000);
    const int channels = index == TRIB_COUNT(counts) - 1 || trib_random_chance(&r, 2) ? 3 : 1;
    memset(out, 0, sizeof *out);
    out->input_count = out->output_count = 1;
    out->inputs[0] = trib_slice(pixels, channels, 0, 0);
    out->inputs[0].element = TRIB_KERNEL_U8;
    out->outputs[0] = trib_slice(pixels, TRIB_PREPROCESS_CHANNELS, 0, 0);
    out->preprocess = (trib_preprocess_geometry) {
        pixels, channels, trib_random_chance(&r, 2), { 0.0171f, 0.0175f, 0.0174f }, { -2.1f, -2.0f, -1.8f }
    };
    out->flops = 6 * (double)pixels;
    snprintf(out->text, sizeof out->text, "pixels=%lld channels=%d%s", (long long)pixels, channels,
             out->preprocess.bgr ? " bgr" : "");
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

/* ---- softmax and top k ---- */

static void softmax_shape(int index, trib_kernel_problem *out)
{
    static const struct {
        int rows, c, k;
    } shapes[] = { { 1, 1, 1 }, { 2, 2, 2 }, { 3, 255, 5 }, { 1, 257, 257 }, { 1, 1000, 5 }, { 2, 1008, 1 } };
    trib_random_state r = trib_random_from(index);
    const bool fixed = index < TRIB_COUNT(shapes);
    const int c = fixed ? shapes[index].c : trib_random_between(&r, 1, 600);
    trib_pixel_problem(out, fixed ? shapes[index].rows : trib_random_between(&r, 1, 4), c,
                       trib_random_between(&r, 0, 3), trib_random_between(&r, 0, 3), false);
    out->inputs[0].scale = 8;
    const int some = trib_random_between(&r, 1, c < 10 ? c : 10);
    out->k = fixed ? shapes[index].k : trib_random_chance(&r, 4) ? c : some;
}

static void top_k_shape(int index, trib_kernel_problem *out)
{
    softmax_shape(index, out);
    const size_t used = strlen(out->text);
    snprintf(out->text + used, sizeof out->text - used, " k=%d", out->k);
    out->output_count = 2;
    out->outputs[0] = out->outputs[1] = trib_slice(out->pixel.rows, out->k, 0, 0);
    out->outputs[0].element = TRIB_KERNEL_F32;
    out->outputs[1].element = TRIB_KERNEL_I32;
}

static void softmax_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_softmax(&p->pixel, inputs[0], outputs[0]);
}

static trib_status softmax_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                               void *const *outputs, void *stream)
{
    return trib_cuda_softmax(&p->pixel, dtype, inputs[0], outputs[0], stream);
}

static void top_k_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    const trib_pixel_geometry one = { 1, p->pixel.c, p->pixel.c, p->pixel.c, false };
    float *probabilities = malloc(sizeof(float) * (size_t)p->pixel.c);
    int *indices = malloc(sizeof(int) * (size_t)p->k);
    for (int64_t row = 0; probabilities && indices && row < p->pixel.rows; ++row) {
        const float *x = inputs[0] + row * p->pixel.x_pitch;
        trib_ref_softmax(&one, x, probabilities);
        trib_top_k(x, p->pixel.c, p->k, indices);
        for (int i = 0; i < p->k; ++i) {
            outputs[0][row * p->k + i] = probabilities[indices[i]];
            outputs[1][row * p->k + i] = (float)indices[i];
        }
    }
    free(indices);
    free(probabilities);
}

static trib_status top_k_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                             void *const *outputs, void *stream)
{
    return trib_cuda_softmax_top_k(&p->pixel, p->k, dtype, inputs[0], outputs[0], outputs[1], stream);
}

const trib_kernel trib_end_kernels[] = {
    { "preprocess", TRIB_ALL_FLOATS, { 1e-6, 1e-3, 8e-3 }, 6, preprocess_shape, preprocess_reference, preprocess_run },
    { "softmax", TRIB_ALL_FLOATS, { 2e-6, 1e-3, 8e-3 }, 6, softmax_shape, softmax_reference, softmax_run },
    { "softmax_top_k", TRIB_ALL_FLOATS, { 2e-6, 2e-6, 2e-6 }, 6, top_k_shape, top_k_reference, top_k_run },
};
const int trib_end_kernel_count = TRIB_COUNT(trib_end_kernels);
