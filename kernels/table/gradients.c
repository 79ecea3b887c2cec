/* SPDX-License-Identifier: Apache-2.0
 * What training does with each pixel, or sums over pixels: batch norm, ReLU and bias, LRN. */
#include <stdio.h>
#include <string.h>

#include "table/problem.h"

static trib_kernel_array workspace(int64_t rows, int c)
{
    trib_kernel_array array = trib_floats(1, (int)(trib_cuda_row_sums_workspace(rows, c) / (int64_t)sizeof(float)));
    array.content = TRIB_KERNEL_SCRATCH;
    return array;
}

static trib_kernel_array updated(trib_kernel_array array)
{
    array.content = TRIB_KERNEL_UPDATED;
    return array;
}

/* ---- shapes: fewer rows than a block has lines, several parts, several blocks of channels, slices ---- */

typedef struct shape {
    int64_t rows;
    int c, before, after;
    bool relu;
} shape;

static const shape edges[] = {
    { 1, 1, 0, 0, false },     { 2, 8, 0, 0, true },      { 5, 24, 8, 16, true },  { 63, 3, 1, 2, false },
    { 64, 16, 8, 0, false },   { 65, 40, 0, 8, true },    { 700, 8, 0, 0, false }, { 257, 264, 0, 8, true },
    { 131, 1032, 0, 0, true }, { 1000, 12, 4, 4, false }, { 2200, 4, 0, 0, true }, /* more parts than are added up side
                                                                                      by side */
};

static shape shape_at(int index)
{
    trib_random_state r = trib_random_from(index);
    if (index < TRIB_COUNT(edges)) return edges[index];
    const int unit = trib_random_chance(&r, 2) ? 8 : 1;
    return (shape) { .rows = trib_random_between(&r, 1, 600),
                     .c = unit * trib_random_between(&r, 1, 160 / unit),
                     .before = unit * trib_random_between(&r, 0, 2),
                     .after = unit * trib_random_between(&r, 0, 2),
                     .relu = trib_random_chance(&r, 2) };
}

static void describe(trib_kernel_problem *p, const shape *s)
{
    snprintf(p->text, sizeof p->text, "rows=%lld c=%d beside %d+%d%s", (long long)s->rows, s->c, s->before, s->after,
             s->relu ? " relu" : "");
    p->flops = (double)s->rows * s->c;
}

/* dy and the forward's x or y to dx. */
static void gradient_problem(trib_kernel_problem *p, const shape *s, bool in_place)
{
    const int pitch = s->before + s->c + s->after;
    memset(p, 0, sizeof *p);
    p->gradient = (trib_gradient_geometry) { s->rows, s->c, pitch, pitch, pitch };
    p->pixel.relu = s->relu;
    if (!in_place) p->inputs[p->input_count++] = trib_slice(s->rows, s->c, s->before, s->after);
    p->inputs[p->input_count++] = trib_slice(s->rows, s->c, s->after, s->before);
    p->outputs[p->output_count++] = trib_slice(s->rows, s->c, s->before, s->after);
    if (in_place) p->outputs[0] = updated(p->outputs[0]);
    describe(p, s);
}

static bool in_place(const trib_kernel_problem *p) { return p->outputs[0].content == TRIB_KERNEL_UPDATED; }

/* Input i of a problem that has dy among the inputs, or dx in its place. */
static const void *operand(const trib_kernel_problem *p, const void *const *inputs, void *const *outputs, int i)
{
    if (!in_place(p)) return inputs[i];
    return i == 0 ? outputs[0] : inputs[i - 1];
}

/* ---- batch_statistics ---- */

static void statistics_edge(int index, trib_kernel_problem *p)
{
    const shape s = shape_at(index);
    const int pitch = s.before + s.c + s.after;
    memset(p, 0, sizeof *p);
    p->pixel = (trib_pixel_geometry) { s.rows, s.c, pitch, pitch, false };
    p->batch_norm = (trib_batch_norm_parameters) { .eps = 1e-3f, .momentum = 0.1f };
    p->input_count = 3;
    p->inputs[0] = trib_slice(s.rows, s.c, s.before, s.after);
    p->inputs[0].scale = 3;
    p->inputs[1] = p->inputs[2] = trib_floats(1, s.c);
    p->output_count = 4;
    p->outputs[0] = trib_floats(4, s.c);
    p->outputs[1] = p->outputs[2] = updated(trib_floats(1, s.c));
    p->outputs[3] = workspace(s.rows, s.c);
    describe(p, &s);
}

static trib_batch_norm_parameters parameters(const trib_kernel_problem *p, const void *const *inputs)
{
    trib_batch_norm_parameters parameters = p->batch_norm;
    parameters.weight = inputs[1];
    parameters.bias = inputs[2];
    return parameters;
}

static void statistics_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    const trib_batch_norm_parameters of_batch = parameters(p, (const void *const *)inputs);
    trib_ref_batch_statistics(&p->pixel, inputs[0], &of_batch, outputs[0], outputs[1], outputs[2]);
}

static trib_status statistics_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                                  void *const *outputs, void *stream)
{
    const trib_batch_norm_parameters of_batch = parameters(p, inputs);
    return trib_cuda_batch_statistics(&p->pixel, dtype, inputs[0], &of_batch, outputs[0], outputs[1], outputs[2],
                                      outputs[3], stream);
}

/* ---- batch_norm_backward ---- */

static void add_batch_norm(trib_kernel_problem *p)
{
    const trib_gradient_geometry *g = &p->gradient;
    p->inputs[p->input_count++] = trib_floats(4, g->c);
    p->outputs[p->output_count++] = trib_floats(1, g->c);
    p->outputs[p->output_count++] = trib_floats(1, g->c);
    p->outputs[p->output_count++] = workspace(g->rows, g->c);
}

static void batch_norm_edge(int index, trib_kernel_problem *p)
{
    const shape s = shape_at(index);
    gradient_problem(p, &s, false);
    add_batch_norm(p);
}

static void batch_norm_in_place_edge(int index, trib_kernel_problem *p)
{
    const shape s = shape_at(index);
    gradient_problem(p, &s, true);
    add_batch_norm(p);
}

static void batch_norm_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    const void *const *in = (const void *const *)inputs;
    void *const *out = (void *const *)outputs;
    trib_ref_batch_norm_backward(&p->gradient, p->pixel.relu, operand(p, in, out, 0), operand(p, in, out, 1),
                                 operand(p, in, out, 2), outputs[0], outputs[1], outputs[2]);
}

static trib_status batch_norm_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                                  void *const *outputs, void *stream)
{
    return trib_cuda_batch_norm_backward(&p->gradient, p->pixel.relu, dtype, operand(p, inputs, outputs, 0),
                                         operand(p, inputs, outputs, 1), operand(p, inputs, outputs, 2), outputs[0],
                                         outputs[1], outputs[2], outputs[3], stream);
}

/* ---- relu_backward, bias_backward ---- */

static void add_bias(trib_kernel_problem *p)
{
    p->outputs[p->output_count++] = trib_floats(1, p->gradient.c);
    p->outputs[p->output_count++] = workspace(p->gradient.rows, p->gradient.c);
}

static void relu_alone_edge(int index, trib_kernel_problem *p)
{
    const shape s = shape_at(index);
    gradient_problem(p, &s, false);
}

static void relu_edge(int index, trib_kernel_problem *p)
{
    relu_alone_edge(index, p);
    add_bias(p);
}

static void relu_alone_in_place_edge(int index, trib_kernel_problem *p)
{
    const shape s = shape_at(index);
    gradient_problem(p, &s, true);
}

static void relu_in_place_edge(int index, trib_kernel_problem *p)
{
    relu_alone_in_place_edge(index, p);
    add_bias(p);
}

static void relu_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    const void *const *in = (const void *const *)inputs;
    void *const *out = (void *const *)outputs;
    trib_ref_relu_backward(&p->gradient, operand(p, in, out, 0), operand(p, in, out, 1), outputs[0],
                           p->output_count > 1 ? outputs[1] : NULL);
}

static trib_status relu_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                            void *const *outputs, void *stream)
{
    const bool bias = p->output_count > 1;
    return trib_cuda_relu_backward(&p->gradient, dtype, operand(p, inputs, outputs, 0), operand(p, inputs, outputs, 1),
                                   outputs[0], bias ? outputs[1] : NULL, bias ? outputs[2] : NULL, stream);
}

static void bias_edge(int index, trib_kernel_problem *p)
{
    relu_alone_edge(index, p);
    p->input_count = 1;
    p->output_count = 0;
    add_bias(p);
}

static void bias_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_bias_backward(&p->gradient, inputs[0], outputs[0]);
}

static trib_status bias_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                            void *const *outputs, void *stream)
{
    return trib_cuda_bias_backward(&p->gradient, dtype, inputs[0], outputs[0], outputs[1], stream);
}

/* ---- lrn_backward ---- */

static void lrn_edge(int index, trib_kernel_problem *p)
{
    trib_random_state r = trib_random_from(index);
    const shape s = shape_at(index);
    gradient_problem(p, &s, false);
    p->lrn = (trib_lrn_coefficients) { .size = 5, .alpha = 2, .beta = 0.75f, .k = 1 };
    if (index % 2) {
        p->lrn.size = trib_random_between(&r, 1, TRIB_CUDA_LRN_MAX_SIZE);
        p->lrn.beta = 0.5f;
    }
    const size_t used = strlen(p->text);
    snprintf(p->text + used, sizeof p->text - used, " size=%d", p->lrn.size);
}

static void lrn_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_lrn_backward(&p->gradient, p->lrn.size, p->lrn.alpha, p->lrn.beta, p->lrn.k, inputs[0], inputs[1],
                          outputs[0]);
}

static trib_status lrn_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                           void *const *outputs, void *stream)
{
    return trib_cuda_lrn_backward(&p->gradient, &p->lrn, dtype, inputs[0], inputs[1], outputs[0], stream);
}

const trib_kernel trib_gradient_kernels[] = {
    { .name = "batch_statistics",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-6, 1e-6, 1e-6 },
      .edges = TRIB_COUNT(edges),
      .edge = statistics_edge,
      .reference = statistics_reference,
      .run = statistics_run },
    { .name = "batch_norm_backward",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 2e-6, 1e-3, 8e-3 },
      .edges = TRIB_COUNT(edges),
      .edge = batch_norm_edge,
      .reference = batch_norm_reference,
      .run = batch_norm_run },
    { .name = "batch_norm_backward_in_place",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 2e-6, 1e-3, 8e-3 },
      .edges = TRIB_COUNT(edges),
      .edge = batch_norm_in_place_edge,
      .reference = batch_norm_reference,
      .run = batch_norm_run },
    { .name = "relu_backward",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-6, 1e-6, 1e-6 },
      .edges = TRIB_COUNT(edges),
      .edge = relu_edge,
      .reference = relu_reference,
      .run = relu_run },
    { .name = "relu_backward_in_place",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-6, 1e-6, 1e-6 },
      .edges = TRIB_COUNT(edges),
      .edge = relu_in_place_edge,
      .reference = relu_reference,
      .run = relu_run },
    { .name = "relu_backward_without_bias",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 0, 0, 0 },
      .edges = TRIB_COUNT(edges),
      .edge = relu_alone_edge,
      .reference = relu_reference,
      .run = relu_run },
    { .name = "relu_backward_without_bias_in_place",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 0, 0, 0 },
      .edges = TRIB_COUNT(edges),
      .edge = relu_alone_in_place_edge,
      .reference = relu_reference,
      .run = relu_run },
    { .name = "bias_backward",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-6, 1e-6, 1e-6 },
      .edges = TRIB_COUNT(edges),
      .edge = bias_edge,
      .reference = bias_reference,
      .run = bias_run },
    { .name = "lrn_backward",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 2e-6, 1e-3, 8e-3 },
      .edges = TRIB_COUNT(edges),
      .edge = lrn_edge,
      .reference = lrn_reference,
      .run = lrn_run },
};
const int trib_gradient_kernel_count = TRIB_COUNT(trib_gradient_kernels);
