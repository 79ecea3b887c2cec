/* SPDX-License-Identifier: Apache-2.0
 * Softmax, and the most likely classes of a row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/problem.h"

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

const trib_kernel trib_softmax_kernels[] = {
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
const int trib_softmax_kernel_count = TRIB_COUNT(trib_softmax_kernels);
