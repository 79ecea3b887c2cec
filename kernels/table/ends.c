/* SPDX-License-Identifier: Apache-2.0
 * The two ends of a network: pixels in, predictions out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/problem.h"

/* ---- preprocess ---- */

static void preprocess_problem(trib_kernel_problem *p, int64_t pixels, int channels, bool bgr)
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
    preprocess_problem(out, pixels, channels, trib_random_chance(&r, 2));
}

static void preprocess_layer(int index, int batch, trib_kernel_problem *out)
{
    (void)index;
    preprocess_problem(out, (int64_t)batch * 224 * 224, 3, false);
    trib_name_layer(out, "", "data");
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

static void softmax_edge(int index, trib_kernel_problem *out)
{
    static const struct {
        int rows, c, k;
    } edges[] = { { 1, 1, 1 }, { 2, 2, 2 }, { 3, 255, 5 }, { 1, 257, 257 }, { 2, 1008, 1 } };
    trib_random_state r = trib_random_from(index);
    const bool fixed = index < TRIB_COUNT(edges);
    const int c = fixed ? edges[index].c : trib_random_between(&r, 1, 600);
    trib_pixel_problem(out, fixed ? edges[index].rows : trib_random_between(&r, 1, 4), c, trib_random_between(&r, 0, 3),
                       trib_random_between(&r, 0, 3), false);
    out->inputs[0].scale = 8;
    const int some = trib_random_between(&r, 1, c < 10 ? c : 10);
    out->k = fixed ? edges[index].k : trib_random_chance(&r, 4) ? c : some;
}

static void softmax_layer(int index, int batch, trib_kernel_problem *out)
{
    (void)index;
    trib_pixel_problem(out, batch, 1000, 0, 0, false);
    out->inputs[0].scale = 8;
    out->k = 5;
    trib_name_layer(out, "", "prob");
}

static void add_top_k(trib_kernel_problem *p)
{
    const size_t used = strlen(p->text);
    snprintf(p->text + used, sizeof p->text - used, " k=%d", p->k);
    p->output_count = 2;
    p->outputs[0] = p->outputs[1] = trib_slice(p->pixel.rows, p->k, 0, 0);
    p->outputs[0].element = TRIB_KERNEL_F32;
    p->outputs[1].element = TRIB_KERNEL_I32;
}

static void top_k_edge(int index, trib_kernel_problem *out)
{
    softmax_edge(index, out);
    add_top_k(out);
}

static void top_k_layer(int index, int batch, trib_kernel_problem *out)
{
    softmax_layer(index, batch, out);
    add_top_k(out);
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
    { "preprocess",
      TRIB_ALL_FLOATS,
      { 1e-6, 1e-3, 8e-3 },
      5,
      preprocess_edge,
      1,
      preprocess_layer,
      preprocess_reference,
      preprocess_run },
    { "softmax",
      TRIB_ALL_FLOATS,
      { 2e-6, 1e-3, 8e-3 },
      5,
      softmax_edge,
      1,
      softmax_layer,
      softmax_reference,
      softmax_run },
    { "softmax_top_k",
      TRIB_ALL_FLOATS,
      { 2e-6, 2e-6, 2e-6 },
      5,
      top_k_edge,
      1,
      top_k_layer,
      top_k_reference,
      top_k_run },
};
const int trib_end_kernel_count = TRIB_COUNT(trib_end_kernels);
