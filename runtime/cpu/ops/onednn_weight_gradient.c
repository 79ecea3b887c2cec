/* SPDX-License-Identifier: Apache-2.0
 * The gradient of a convolution's weights: a sum over the images of a batch.
 *
 *     chunks of images   0  1 | 2  3 | 4  5      each: a gradient in the primitive's format
 *     lanes                 0 |    1 |    2      the sum of consecutive chunks, in order
 *     weights                   0+1+2            the sum of the lanes, in order, then in the plain format
 *
 * Which chunks a lane has follows from their number alone, so the bits are the same for any number of threads. */
#include "cpu/ops/onednn_op.h"

/* Floats that are summed at a time; they stay in the cache. */
enum { PIECE = 4096 };

static float *partial_of(const trib_onednn_job *job, int lane)
{
    return (float *)(job->workspace + lane * job->op->onednn->workspace.partial);
}

static void add(int64_t count, const float *x, float *sum)
{
    for (int64_t i = 0; i < count; ++i) sum[i] += x[i];
}

static int64_t count_of(const trib_onednn_job *job)
{
    return job->op->onednn->workspace.partial / (int64_t)sizeof(float);
}

static trib_status run_lane(void *context, const trib_cpu_worker *worker, int lane)
{
    const trib_onednn_job *job = context;
    const trib_onednn_op *own = job->op->onednn;
    const trib_onednn_workspace *w = &own->workspace;
    int tasks = trib_onednn_tasks(&job->op->desc, &own->recipe);
    int begin = (int)((int64_t)lane * tasks / w->lanes), end = (int)((int64_t)(lane + 1) * tasks / w->lanes);
    float *sum = partial_of(job, lane);
    float *next = (float *)(trib_onednn_worker_memory(job, worker) + w->scratch + w->x + w->y);
    TRIB_TRY(trib_onednn_run_task(job, worker, begin, sum));
    for (int i = begin + 1; i < end; ++i) {
        TRIB_TRY(trib_onednn_run_task(job, worker, i, next));
        add(count_of(job), next, sum);
    }
    return trib_success();
}

static trib_status sum_piece(void *context, const trib_cpu_worker *worker, int i)
{
    (void)worker;
    const trib_onednn_job *job = context;
    int64_t first = (int64_t)i * PIECE, left = count_of(job) - first;
    for (int lane = 1; lane < job->op->onednn->workspace.lanes; ++lane)
        add(left < PIECE ? left : PIECE, partial_of(job, lane) + first, partial_of(job, 0) + first);
    return trib_success();
}

trib_status trib_onednn_run_weight_gradient(const trib_onednn_job *job, const trib_cpu_worker *worker)
{
    const trib_onednn_workspace *w = &job->op->onednn->workspace;
    int pieces = (int)((count_of(job) + PIECE - 1) / PIECE);
    TRIB_TRY(trib_cpu_team_run(worker, w->workers, w->lanes, run_lane, (void *)job));
    if (w->lanes > 1) TRIB_TRY(trib_cpu_team_run(worker, w->workers, pieces, sum_piece, (void *)job));
    return trib_onednn_unpack_weight(job->op, worker->dnnl, partial_of(job, 0), job->outputs[0],
                                     job->workspace + w->weights);
}
