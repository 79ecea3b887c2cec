/* SPDX-License-Identifier: Apache-2.0
 * What runs when weights change: batch norm folded into them, and their packing. */
#include <stdio.h>
#include <string.h>

#include "table/problem.h"

/* ---- fold_batch_norm ---- */

enum { WEIGHT = 1, BIAS = 2 }; /* what there is beside the batch norm */

void trib_fold_problem(trib_kernel_problem *p, int k, int64_t row, bool weight, bool bias)
{
    const int beside = (weight ? WEIGHT : 0) | (bias ? BIAS : 0);
    memset(p, 0, sizeof *p);
    /* With this eps no root is of less than 0, whatever variance is drawn. */
    p->fold = (trib_fold_geometry) { .k = k, .row = row, .eps = 1.5f };
    p->beside = beside;
    if (weight) p->inputs[p->input_count++] = trib_floats(k, (int)row);
    if (bias) p->inputs[p->input_count++] = trib_floats(1, k);
    for (int i = 0; i < 4; ++i) p->inputs[p->input_count++] = trib_floats(1, k);
    p->output_count = 2;
    p->outputs[0] = trib_floats(k, (int)row);
    p->outputs[1] = trib_floats(1, k);
    p->flops = (double)k * row;
    snprintf(p->text, sizeof p->text, "k=%d row=%lld%s%s", k, (long long)row, weight ? "" : " alone",
             bias ? " bias" : "");
}

static void fold_edge(int index, trib_kernel_problem *out)
{
    static const struct {
        int k, row, beside;
    } edges[] = {
        { 1, 1, 0 }, { 7, 1, 0 }, { 3, 1, WEIGHT }, { 5, 127, WEIGHT | BIAS }, { 2, 128, WEIGHT }, { 3, 129, WEIGHT },
    };
    trib_random_state r = trib_random_from(index);
    if (index < TRIB_COUNT(edges)) {
        trib_fold_problem(out, edges[index].k, edges[index].row, edges[index].beside & WEIGHT,
                          edges[index].beside & BIAS);
        return;
    }
    const int k = trib_random_between(&r, 1, 40), beside = trib_random_between(&r, 0, WEIGHT | BIAS);
    trib_fold_problem(out, k, beside & WEIGHT ? trib_random_between(&r, 1, 600) : 1, beside & WEIGHT, beside & BIAS);
}

static trib_fold_inputs fold_inputs(const trib_kernel_problem *p, const void *const *inputs)
{
    trib_fold_inputs x = { 0 };
    if (p->beside & WEIGHT) x.weight = *inputs++;
    if (p->beside & BIAS) x.bias = *inputs++;
    x.bn_weight = inputs[0];
    x.bn_bias = inputs[1];
    x.mean = inputs[2];
    x.var = inputs[3];
    return x;
}

static void fold_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_fold_inputs x = fold_inputs(p, (const void *const *)inputs);
    trib_ref_fold_batch_norm(&p->fold, &x, outputs[0], outputs[1]);
}

static trib_status fold_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                            void *const *outputs, void *stream)
{
    (void)dtype;
    trib_fold_inputs x = fold_inputs(p, inputs);
    return trib_cuda_fold_batch_norm(&p->fold, &x, outputs[0], outputs[1], stream);
}

/* ---- pack_weights ---- */

void trib_pack_problem(trib_kernel_problem *p, const trib_pack_geometry *g)
{
    memset(p, 0, sizeof *p);
    p->pack = *g;
    p->input_count = p->output_count = 1;
    p->inputs[0] = trib_floats((int64_t)g->k * g->c, g->taps);
    p->outputs[0] = trib_slice((int64_t)g->k * g->taps, g->padded, 0, 0);
    snprintf(p->text, sizeof p->text, "k=%d c=%d taps=%d padded=%d%s", g->k, g->c, g->taps, g->padded,
             g->tf32 ? " tf32" : "");
}

static void pack_edge(int index, trib_kernel_problem *out)
{
    static const trib_pack_geometry edges[] = {
        { .k = 1, .c = 1, .taps = 1, .padded = 1 },     { .k = 300, .c = 1, .taps = 1, .padded = 1 },
        { .k = 5, .c = 3, .taps = 49, .padded = 8 },    { .k = 16, .c = 16, .taps = 1, .padded = 16 },
        { .k = 2, .c = 65, .taps = 9, .padded = 72 },   { .k = 10, .c = 8, .taps = 16, .padded = 8 },
        { .k = 1, .c = 256, .taps = 2, .padded = 257 },
    };
    trib_random_state r = trib_random_from(index);
    if (index < TRIB_COUNT(edges)) {
        trib_pack_problem(out, &edges[index]);
        return;
    }
    trib_pack_geometry g = { .k = trib_random_between(&r, 1, 40), .c = trib_random_between(&r, 1, 80) };
    g.taps = trib_random_between(&r, 1, 25);
    g.padded = g.c + (trib_random_chance(&r, 2) ? trib_random_between(&r, 1, 8) : 0);
    trib_pack_problem(out, &g);
}

static void round_to_tf32(trib_kernel_problem *p)
{
    trib_pack_geometry g = p->pack;
    g.tf32 = true;
    trib_pack_problem(p, &g);
}

static void tf32_edge(int index, trib_kernel_problem *out)
{
    pack_edge(index, out);
    round_to_tf32(out);
}

static void pack_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_pack_weights(&p->pack, inputs[0], outputs[0]);
}

static trib_status pack_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                            void *const *outputs, void *stream)
{
    return trib_cuda_pack_weights(&p->pack, dtype, inputs[0], outputs[0], stream);
}

/* ---- pack_columns ---- */

void trib_column_problem(trib_kernel_problem *p, const trib_column_geometry *g)
{
    memset(p, 0, sizeof *p);
    p->columns = *g;
    p->input_count = p->output_count = 1;
    p->inputs[0] = trib_floats((int64_t)g->k * g->c, g->r * g->s);
    p->outputs[0] = trib_slice((int64_t)g->outputs * g->k * g->r * g->taps, g->columns * g->padded, 0, 0);
    snprintf(p->text, sizeof p->text, "k=%d c=%d of %d %dx%d stride=%d outputs=%d pad=%d", g->k, g->c, g->padded, g->r,
             g->s, g->stride, g->outputs, g->pad);
}

static void column_edge(int index, trib_kernel_problem *out)
{
    trib_random_state r = trib_random_from(index);
    trib_column_geometry g = trib_columns_of(64, 3, 7, 7, 8, 2, 2, 3); /* the first layer of GoogLeNet */
    if (index == 1) g = trib_columns_of(32, 3, 3, 3, 8, 2, 2, 0);      /* of Inception v3 */
    if (index == 2) g = trib_columns_of(1, 1, 1, 1, 1, 1, 1, 0);
    if (index > 2) {
        const int k = trib_random_between(&r, 1, 20), c = trib_random_between(&r, 1, 5);
        const int rows = trib_random_between(&r, 1, 5), s = trib_random_between(&r, 1, 7);
        const int padded = c + trib_random_between(&r, 0, 3), stride = trib_random_between(&r, 1, 3);
        const int outputs = trib_random_between(&r, 1, 3);
        g = trib_columns_of(k, c, rows, s, padded, stride, outputs, trib_random_between(&r, 0, s - 1));
    }
    trib_column_problem(out, &g);
}

static void column_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_ref_pack_columns(&p->columns, inputs[0], outputs[0]);
}

static trib_status column_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                              void *const *outputs, void *stream)
{
    return trib_cuda_pack_columns(&p->columns, dtype, inputs[0], outputs[0], stream);
}

const trib_kernel trib_parameter_kernels[] = {
    { .name = "fold_batch_norm",
      .dtypes = 1 << TRIB_F32,
      .tolerance = { 0 },
      .edges = 6,
      .edge = fold_edge,
      .reference = fold_reference,
      .run = fold_run },
    { .name = "pack_weights",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 0, 1e-3, 8e-3 },
      .edges = 7,
      .edge = pack_edge,
      .reference = pack_reference,
      .run = pack_run },
    { .name = "pack_weights_tf32",
      .dtypes = 1 << TRIB_F32,
      .tolerance = { 0 },
      .edges = 7,
      .edge = tf32_edge,
      .reference = pack_reference,
      .run = pack_run },
    { .name = "pack_columns",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 0, 1e-3, 8e-3 },
      .edges = 3,
      .edge = column_edge,
      .reference = column_reference,
      .run = column_run },
};
const int trib_parameter_kernel_count = TRIB_COUNT(trib_parameter_kernels);
