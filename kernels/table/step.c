/* SPDX-License-Identifier: Apache-2.0
 * What reads the controls of a step: dropout, the loss, and updates of parameters. */
#include <stdio.h>
#include <string.h>

#include "table/problem.h"

const trib_step_controls trib_some_controls = { .seed = 0xFEDCBA9876543210u,
                                                .step = 0x100000007u,
                                                .lr = 0.03f,
                                                .momentum = 0.9f,
                                                .weight_decay = 2e-4f,
                                                .average_decay = 0.99f,
                                                .loss_scale = 1.25f,
                                                .clip_norm = 2 };

static trib_kernel_array controls(void)
{
    trib_kernel_array array = trib_floats(1, (int)(sizeof(trib_step_controls) / sizeof(float)));
    array.element = TRIB_KERNEL_CONTROLS;
    return array;
}

static trib_kernel_array updated(trib_kernel_array array)
{
    array.content = TRIB_KERNEL_UPDATED;
    return array;
}

/* ---- dropout ---- */

static const struct {
    int n, c, pixels, before, after;
} dropouts[] = {
    { 1, 1, 1, 0, 0 }, { 3, 24, 1, 0, 0 }, { 2, 16, 9, 8, 0 }, { 2, 7, 5, 1, 2 }, { 5, 1024, 1, 0, 0 },
};

static void dropout_edge(int index, trib_kernel_problem *p)
{
    trib_random_state r = trib_random_from(index);
    int n = trib_random_between(&r, 1, 4), pixels = trib_random_between(&r, 1, 30);
    const int unit = trib_random_chance(&r, 2) ? 8 : 1;
    int c = unit * trib_random_between(&r, 1, 80 / unit), before = unit * trib_random_between(&r, 0, 2), after = unit;
    if (index < TRIB_COUNT(dropouts)) {
        n = dropouts[index].n, c = dropouts[index].c, pixels = dropouts[index].pixels;
        before = dropouts[index].before, after = dropouts[index].after;
    }
    memset(p, 0, sizeof *p);
    p->controls = trib_some_controls;
    const int pitch = before + c + after;
    p->dropout = (trib_dropout_geometry) {
        .n = n, .c = c, .pixels = pixels, .x_pitch = pitch, .y_pitch = pitch, .p = 0.4f, .salt = 0x51u + (uint32_t)index
    };
    p->input_count = 2;
    p->output_count = 1;
    p->inputs[0] = trib_slice((int64_t)n * pixels, c, after, before);
    p->inputs[1] = controls();
    p->outputs[0] = trib_slice((int64_t)n * pixels, c, before, after);
    p->flops = (double)n * pixels * c;
    snprintf(p->text, sizeof p->text, "n=%d pixels=%d c=%d beside %d+%d", n, pixels, c, before, after);
}

static void dropout_in_place_edge(int index, trib_kernel_problem *p)
{
    dropout_edge(index, p);
    p->input_count = 1;
    p->inputs[0] = p->inputs[1];
    p->outputs[0] = updated(p->outputs[0]);
}

static void dropout_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_dropout_geometry g = p->dropout;
    g.seed = p->controls.seed;
    g.step = p->controls.step;
    trib_ref_dropout(&g, p->input_count == 1 ? outputs[0] : inputs[0], outputs[0]);
}

static trib_status dropout_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                               void *const *outputs, void *stream)
{
    return trib_cuda_dropout(&p->dropout, dtype, p->input_count == 1 ? outputs[0] : inputs[0],
                             inputs[p->input_count - 1], outputs[0], stream);
}

/* ---- cross_entropy ---- */

enum { MAX_ROWS = 16 };

static void cross_entropy_edge(int index, trib_kernel_problem *p)
{
    static const struct {
        int n, classes, beside;
        float smoothing;
    } edges[] = { { 1, 1, 0, 0 }, { 3, 2, 6, 0.1f }, { 4, 10, 0, 0 }, { 2, 256, 0, 0.1f }, { 5, 1000, 24, 0 } };
    trib_random_state r = trib_random_from(index);
    int n = trib_random_between(&r, 1, MAX_ROWS), classes = trib_random_between(&r, 1, 600);
    int beside = trib_random_between(&r, 0, 8);
    float smoothing = 0.1f * (float)trib_random_between(&r, 0, 2);
    if (index < TRIB_COUNT(edges)) {
        n = edges[index].n, classes = edges[index].classes, beside = edges[index].beside;
        smoothing = edges[index].smoothing;
    }
    memset(p, 0, sizeof *p);
    p->controls = trib_some_controls;
    p->cross_entropy =
        (trib_cross_entropy_geometry) { n, classes, classes + beside, classes + beside, smoothing, 0.3f };
    p->input_count = 3;
    p->inputs[0] = trib_slice(n, classes, 0, beside);
    p->inputs[0].scale = 8;
    p->inputs[1] = trib_floats(n, 1);
    p->inputs[1].element = TRIB_KERNEL_I32;
    p->inputs[1].scale = (float)classes + 0.5f; /* half of the labels are none */
    p->inputs[2] = controls();
    p->output_count = 2;
    p->outputs[0] = trib_slice(n, classes, beside, 0);
    p->outputs[1] = trib_floats(n, 1);
    p->flops = 2.0 * n * classes;
    snprintf(p->text, sizeof p->text, "n=%d classes=%d beside %d smoothing=%g", n, classes, beside, (double)smoothing);
}

/* Logits in float32, whatever the type of their gradient. */
static void wide_cross_entropy_edge(int index, trib_kernel_problem *p)
{
    cross_entropy_edge(index, p);
    p->inputs[0].element = TRIB_KERNEL_F32;
}

static void cross_entropy_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_cross_entropy_geometry g = p->cross_entropy;
    int32_t labels[MAX_ROWS];
    for (int i = 0; i < g.n; ++i) labels[i] = (int32_t)inputs[1][i];
    g.scale *= p->controls.loss_scale;
    trib_ref_cross_entropy(&g, inputs[0], labels, outputs[0], outputs[1]);
}

static trib_status cross_entropy_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                                     void *const *outputs, void *stream)
{
    const trib_dtype x = p->inputs[0].element == TRIB_KERNEL_F32 ? TRIB_F32 : dtype;
    return trib_cuda_cross_entropy(&p->cross_entropy, x, dtype, inputs[0], inputs[1], inputs[2], outputs[0], outputs[1],
                                   stream);
}

/* ---- updates ---- */

/* Element `skipped` is the first, so that an odd one leaves addresses no multiples of 16 bytes. */
static int count_of(int index, int *skipped)
{
    static const int counts[][2] = {
        { 1, 0 }, { 4, 0 }, { 1023, 0 }, { 1024, 0 }, { 1025, 0 }, { 4099, 4 }, { 64, 1 }
    };
    trib_random_state r = trib_random_from(index);
    *skipped = index < TRIB_COUNT(counts) ? counts[index][1] : trib_random_between(&r, 0, 5);
    return index < TRIB_COUNT(counts) ? counts[index][0] : trib_random_between(&r, 1, 3000);
}

enum { COUNTS = 7 };

static trib_kernel_array flat(int count, int skipped)
{
    trib_kernel_array array = trib_slice(1, count, skipped, 0);
    array.element = TRIB_KERNEL_F32;
    return array;
}

/* Inputs: a flat array and the controls. */
static void flat_problem(int index, trib_kernel_problem *p, int outputs)
{
    int skipped;
    const int count = count_of(index, &skipped);
    memset(p, 0, sizeof *p);
    p->controls = trib_some_controls;
    p->input_count = 2;
    p->inputs[0] = flat(count, skipped);
    p->inputs[1] = controls();
    for (int i = 0; i < outputs; ++i) p->outputs[p->output_count++] = updated(flat(count, skipped));
    p->flops = 4.0 * count;
    snprintf(p->text, sizeof p->text, "count=%d after %d", count, skipped);
}

static void sgd_edge(int index, trib_kernel_problem *p)
{
    flat_problem(index, p, 2);
    p->controls.no_update = index % 5 == 4;
    p->sgd = (trib_cuda_sgd_rates) { .rate = index % 3 ? 1 : 2, .decay = index % 3 ? 1 : 0, .nesterov = index % 2 };
}

static void sgd_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    const trib_step_controls *c = &p->controls;
    const trib_sgd_step step = { .lr = c->lr * p->sgd.rate,
                                 .momentum = c->momentum,
                                 .weight_decay = c->weight_decay * p->sgd.decay,
                                 .loss_scale = c->loss_scale,
                                 .nesterov = p->sgd.nesterov };
    if (!c->no_update) trib_ref_sgd(p->inputs[0].c, &step, inputs[0], outputs[0], outputs[1]);
}

static trib_status sgd_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                           void *const *outputs, void *stream)
{
    (void)dtype;
    return trib_cuda_sgd(p->inputs[0].c, &p->sgd, inputs[0], inputs[1], outputs[0], outputs[1], stream);
}

static void average_edge(int index, trib_kernel_problem *p)
{
    flat_problem(index, p, 1);
    p->controls.no_update = index % 5 == 4;
}

static void average_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    if (!p->controls.no_update)
        trib_ref_moving_average(p->inputs[0].c, p->controls.average_decay, inputs[0], outputs[0]);
}

static trib_status average_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                               void *const *outputs, void *stream)
{
    (void)dtype;
    return trib_cuda_moving_average(p->inputs[0].c, inputs[0], inputs[1], outputs[0], stream);
}

static void sum_edge(int index, trib_kernel_problem *p)
{
    flat_problem(index, p, 1);
    p->controls.add_to_sum = index % 2;
}

static void sum_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_sum_gradients(p->inputs[0].c, p->controls.add_to_sum, inputs[0], outputs[0]);
}

static trib_status sum_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                           void *const *outputs, void *stream)
{
    (void)dtype;
    return trib_cuda_sum_gradients(p->inputs[0].c, inputs[0], inputs[1], outputs[0], stream);
}

/* ---- clipping: the controls, then gradients and a workspace ---- */

static const struct {
    int gradients, counts[TRIB_CUDA_CLIP_MOST], skipped;
    float scale; /* of gradients */
} clips[] = {
    { 1, { 1 }, 0, 4 },        { 1, { 4 }, 0, 1e-3f },           { 2, { 8192, 3 }, 0, 1 },   { 2, { 8193, 1 }, 1, 1 },
    { 2, { 9000, 40 }, 4, 1 }, { 3, { 20000, 64, 8191 }, 0, 1 }, { 1, { 70000 }, 2, 1e19f },
};

static int clip_counts(const trib_kernel_problem *p, int64_t *counts)
{
    for (int i = 0; i + 1 < p->output_count; ++i) counts[i] = p->outputs[i].c;
    return p->output_count - 1;
}

static void clip_edge(int index, trib_kernel_problem *p)
{
    trib_random_state r = trib_random_from(index);
    const bool edge = index < TRIB_COUNT(clips);
    const int gradients = edge ? clips[index].gradients : trib_random_between(&r, 1, TRIB_CUDA_CLIP_MOST);
    int64_t counts[TRIB_CUDA_CLIP_MOST], sum = 0;
    memset(p, 0, sizeof *p);
    p->controls = trib_some_controls;
    p->controls.no_update = index % 7 == 6 && !edge;
    if (index % 5 == 4) p->controls.clip_norm = 0;
    p->input_count = 1;
    p->inputs[0] = controls();
    for (int i = 0; i < gradients; ++i) {
        const int skipped = edge ? clips[index].skipped : trib_random_between(&r, 0, 5);
        p->outputs[i] = updated(flat(edge ? clips[index].counts[i] : trib_random_between(&r, 1, 12000), skipped));
        p->outputs[i].scale = edge ? clips[index].scale : 1;
        counts[i] = p->outputs[i].c;
        sum += counts[i];
    }
    p->outputs[gradients] =
        trib_floats(1, (int)(trib_cuda_clip_gradients_workspace(gradients, counts) / (int64_t)sizeof(float)));
    p->outputs[gradients].content = TRIB_KERNEL_SCRATCH;
    p->output_count = gradients + 1;
    p->flops = 3.0 * (double)sum;
    snprintf(p->text, sizeof p->text, "gradients=%d of %lld", gradients, (long long)sum);
}

static void clip_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    const trib_step_controls *c = &p->controls;
    int64_t counts[TRIB_CUDA_CLIP_MOST];
    const int gradients = clip_counts(p, counts);
    double squares = 0;
    (void)inputs;
    for (int i = 0; i < gradients; ++i) squares += trib_ref_squares(counts[i], outputs[i]);
    const float factor = c->no_update ? 1 : trib_ref_clip_factor(squares, c->clip_norm, c->loss_scale);
    for (int i = 0; i < gradients; ++i)
        for (int64_t k = 0; k < counts[i]; ++k) outputs[i][k] *= factor;
}

static trib_status clip_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                            void *const *outputs, void *stream)
{
    int64_t counts[TRIB_CUDA_CLIP_MOST];
    float *g[TRIB_CUDA_CLIP_MOST] = { 0 };
    const int gradients = clip_counts(p, counts);
    (void)dtype;
    for (int i = 0; i < gradients; ++i) g[i] = outputs[i];
    return trib_cuda_clip_gradients(gradients, counts, g, inputs[0], outputs[gradients], stream);
}

const trib_kernel trib_step_kernels[] = {
    { .name = "dropout",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 0, 1e-3, 8e-3 },
      .edges = TRIB_COUNT(dropouts),
      .edge = dropout_edge,
      .reference = dropout_reference,
      .run = dropout_run },
    { .name = "dropout_in_place",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 0, 1e-3, 8e-3 },
      .edges = TRIB_COUNT(dropouts),
      .edge = dropout_in_place_edge,
      .reference = dropout_reference,
      .run = dropout_run },
    { .name = "cross_entropy",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 2e-6, 1e-3, 8e-3 },
      .edges = 5,
      .edge = cross_entropy_edge,
      .reference = cross_entropy_reference,
      .run = cross_entropy_run },
    { .name = "cross_entropy_of_floats",
      .dtypes = 1 << TRIB_F16 | 1 << TRIB_BF16,
      .tolerance = { 0, 1e-3, 8e-3 },
      .edges = 5,
      .edge = wide_cross_entropy_edge,
      .reference = cross_entropy_reference,
      .run = cross_entropy_run },
    { .name = "sum_gradients",
      .dtypes = 1 << TRIB_F32,
      .tolerance = { 0 },
      .edges = COUNTS,
      .edge = sum_edge,
      .reference = sum_reference,
      .run = sum_run },
    { .name = "clip_gradients",
      .dtypes = 1 << TRIB_F32,
      .tolerance = { 2e-7 },
      .edges = TRIB_COUNT(clips),
      .edge = clip_edge,
      .reference = clip_reference,
      .run = clip_run },
    { .name = "sgd",
      .dtypes = 1 << TRIB_F32,
      .tolerance = { 0 },
      .edges = COUNTS,
      .edge = sgd_edge,
      .reference = sgd_reference,
      .run = sgd_run },
    { .name = "moving_average",
      .dtypes = 1 << TRIB_F32,
      .tolerance = { 0 },
      .edges = COUNTS,
      .edge = average_edge,
      .reference = average_reference,
      .run = average_run },
};
const int trib_step_kernel_count = TRIB_COUNT(trib_step_kernels);
