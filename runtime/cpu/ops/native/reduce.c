/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu/ops/native/reduce.h"

#include <string.h>

typedef struct reduction {
    const trib_native_call *call;
    trib_native_sum sum;
    int chunk; /* images */
    int64_t channels;
    double *workspace;
} reduction;

static int chunk_of(const trib_op_desc *desc)
{
    int n = desc->inputs[0].n;
    return desc->chunk > 0 && desc->chunk < n ? desc->chunk : n;
}

static int chunks_of(const trib_op_desc *desc) { return (desc->inputs[0].n + chunk_of(desc) - 1) / chunk_of(desc); }

int64_t trib_native_reduce_bytes(const trib_op_desc *desc)
{
    return 2 * (int64_t)sizeof(double) * trib_pixels_of(&desc->inputs[0]).channels * chunks_of(desc);
}

static trib_status sum_chunk(void *context, const trib_cpu_worker *worker, int i)
{
    const reduction *r = context;
    const trib_view *x = &r->call->desc->inputs[0];
    trib_pixels p = trib_pixels_of(x);
    double *first = r->workspace + 2 * r->channels * i, *second = first + r->channels;
    int begin = i * r->chunk, end = begin + r->chunk < x->n ? begin + r->chunk : x->n;
    (void)worker;
    memset(first, 0, (size_t)(2 * r->channels) * sizeof *first);
    for (int n = begin; n < end; ++n)
        TRIB_FOR_STRIPS(s, &p, x->c) r->sum(r->call, n, &s, first + s.first, second + s.first);
    return trib_success();
}

trib_status trib_native_reduce(const trib_native_call *call, trib_native_sum sum, double *workspace)
{
    const trib_op_desc *desc = call->desc;
    reduction r = { call, sum, chunk_of(desc), trib_pixels_of(&desc->inputs[0]).channels, workspace };
    TRIB_TRY(trib_cpu_team_run(call->worker, trib_native_threads(desc), chunks_of(desc), sum_chunk, &r));
    for (int64_t i = 1; i < chunks_of(desc); ++i)
        for (int64_t c = 0; c < 2 * r.channels; ++c) workspace[c] += workspace[2 * r.channels * i + c];
    return trib_success();
}
