/* SPDX-License-Identifier: Apache-2.0 */
#include "limits.h"

#include <cuda_runtime_api.h>

#include "cuda/libraries/cublaslt_matmul.h"

enum { MOST_PLANS = 8, MOST_WAITS = 101 };

/* ---- copies ---- */

typedef struct copy {
    bench_gpu *gpu;
    void *from, *to;
} copy;

static trib_status copy_once(void *context, int i)
{
    const copy *c = context;
    (void)i;
    return bench_copy(c->gpu, c->to, c->from, c->gpu->sizes.copy_bytes);
}

static trib_status measure_copy(bench_gpu *gpu, double seconds, double *rate)
{
    copy c = { gpu, NULL, NULL };
    bench_times times;
    trib_status status;
    TRIB_TRY_GOTO(status, end, bench_allocate(gpu, gpu->sizes.copy_bytes, &c.from));
    TRIB_TRY_GOTO(status, end, bench_allocate(gpu, gpu->sizes.copy_bytes, &c.to));
    TRIB_TRY_GOTO(status, end, bench_fill(gpu, c.from, gpu->sizes.copy_bytes, TRIB_F32, 1));
    TRIB_TRY_GOTO(status, end, bench_time(gpu, copy_once, &c, 1, seconds, &times));
    *rate = 2 * (double)gpu->sizes.copy_bytes / times.median;
end:
    bench_release(gpu, c.to);
    bench_release(gpu, c.from);
    return status;
}

/* ---- products ---- */

typedef struct product {
    bench_gpu *gpu;
    const trib_matmul_algorithm *plan;
    void *x, *w, *y, *workspace;
} product;

static trib_status multiply(void *context, int i)
{
    const product *p = context;
    (void)i;
    const trib_matmul_pointers pointers = { .x = p->x, .w = p->w, .y = p->y };
    return trib_matmul_run(p->plan, p->gpu->stream, &pointers, p->workspace);
}

static trib_status allocate(product *p, int64_t bytes, trib_dtype dtype)
{
    TRIB_TRY(bench_allocate(p->gpu, bytes, &p->x));
    TRIB_TRY(bench_allocate(p->gpu, bytes, &p->w));
    TRIB_TRY(bench_allocate(p->gpu, bytes, &p->y));
    TRIB_TRY(bench_allocate(p->gpu, p->gpu->sizes.workspace_bytes, &p->workspace));
    TRIB_TRY(bench_fill(p->gpu, p->x, bytes, dtype, 1));
    return bench_fill(p->gpu, p->w, bytes, dtype, 1);
}

/* The fastest of all plans; 0 if none runs. */
static trib_status fastest(product *p, trib_matmul_algorithm *const *plans, int count, double seconds, double *best)
{
    *best = 0;
    for (int i = 0; i < count; ++i) {
        bench_times times;
        p->plan = plans[i];
        const trib_status status = bench_time(p->gpu, multiply, p, 1, seconds / count, &times);
        if (status.code == TRIB_UNSUPPORTED) continue;
        if (trib_failed(&status)) return status;
        if (*best == 0 || times.median < *best) *best = times.median;
    }
    return trib_success();
}

static trib_status measure_product(bench_gpu *gpu, const trib_cublaslt *library, trib_precision precision,
                                   double seconds, double *rate)
{
    const int side = precision == TRIB_PRECISION_FP32 ? gpu->sizes.product_side / 2 : gpu->sizes.product_side;
    const trib_dtype dtype = trib_precision_dtype(precision);
    const trib_matmul_desc desc = { .precision = precision,
                                    .y_dtype = dtype,
                                    .rows = side,
                                    .in = side,
                                    .out = side,
                                    .x_pitch = side,
                                    .y_pitch = side };
    trib_matmul_algorithm *plans[MOST_PLANS];
    product p = { .gpu = gpu };
    double best = 0;
    int count = 0;
    trib_status status;
    TRIB_TRY_GOTO(status, end,
                  trib_matmul_candidates(library, &desc, gpu->sizes.workspace_bytes, plans, MOST_PLANS, &count, NULL));
    TRIB_TRY_GOTO(status, end, allocate(&p, (int64_t)side * side * (int64_t)trib_dtype_size(dtype), dtype));
    TRIB_TRY_GOTO(status, end, fastest(&p, plans, count, seconds, &best));
    if (best > 0) *rate = 2.0 * side * side * side / best;
end:
    for (int i = 0; i < count; ++i) trib_matmul_algorithm_destroy(plans[i]);
    bench_release(gpu, p.workspace);
    bench_release(gpu, p.y);
    bench_release(gpu, p.w);
    bench_release(gpu, p.x);
    return status;
}

static trib_status measure_products(bench_gpu *gpu, double seconds, bench_limits *limits)
{
    double *const rates[] = { &limits->fp32, &limits->tf32, &limits->fp16, &limits->bf16 };
    trib_cublaslt *library = NULL;
    trib_status status = trib_cublaslt_open(&library);
    for (int i = 0; i < TRIB_PRECISION_COUNT && !trib_failed(&status); ++i) {
        status = measure_product(gpu, library, (trib_precision)i, seconds, rates[i]);
        trib_add_context(&status, "a %s product", trib_precision_name((trib_precision)i));
    }
    trib_cublaslt_close(library);
    return status;
}

/* ---- latencies ---- */

static trib_status measure_launches(bench_gpu *gpu, bench_limits *limits)
{
    const int count = gpu->sizes.repeats < MOST_WAITS ? gpu->sizes.repeats : MOST_WAITS;
    double waits[MOST_WAITS];
    TRIB_TRY(bench_launch_empty(gpu->stream));
    TRIB_TRY(bench_wait(gpu));
    const double begin = bench_now();
    for (int i = 0; i < gpu->sizes.repeats; ++i) TRIB_TRY(bench_launch_empty(gpu->stream));
    TRIB_TRY(bench_wait(gpu));
    limits->launch = (bench_now() - begin) / gpu->sizes.repeats;
    for (int i = 0; i < count; ++i) {
        waits[i] = bench_now();
        TRIB_TRY(bench_launch_empty(gpu->stream));
        TRIB_TRY(bench_wait(gpu));
        waits[i] = bench_now() - waits[i];
    }
    limits->launch_and_wait = bench_median(waits, count);
    return trib_success();
}

/* An empty kernel on `from`, and a wait for it on `to`. */
static trib_status hop(cudaStream_t from, cudaStream_t to, cudaEvent_t event)
{
    TRIB_TRY(bench_launch_empty(from));
    TRIB_TRY(BENCH_CUDA(cudaEventRecord(event, from)));
    return BENCH_CUDA(cudaStreamWaitEvent(to, event, 0));
}

static trib_status measure_hops(bench_gpu *gpu, bench_limits *limits)
{
    const int count = gpu->sizes.repeats;
    cudaStream_t other = NULL;
    cudaEvent_t event = NULL;
    double begin = 0;
    trib_status status;
    TRIB_TRY_GOTO(status, end, BENCH_CUDA(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking)));
    TRIB_TRY_GOTO(status, end, BENCH_CUDA(cudaEventCreateWithFlags(&event, cudaEventDisableTiming)));
    for (int i = -1; i < count; ++i) { /* the first round trip is a warm-up */
        if (i == 0) TRIB_TRY_GOTO(status, end, bench_wait(gpu));
        if (i == 0) begin = bench_now();
        TRIB_TRY_GOTO(status, end, hop(gpu->stream, other, event));
        TRIB_TRY_GOTO(status, end, hop(other, gpu->stream, event));
    }
    TRIB_TRY_GOTO(status, end, bench_wait(gpu));
    limits->hop = (bench_now() - begin) / (2 * count);
end:
    if (other) cudaStreamSynchronize(other);
    if (event) cudaEventDestroy(event);
    if (other) cudaStreamDestroy(other);
    return status;
}

trib_status bench_measure_limits(bench_gpu *gpu, double seconds, bench_limits *limits)
{
    *limits = (bench_limits) { 0 };
    trib_status status = measure_copy(gpu, seconds, &limits->copy);
    trib_add_context(&status, "a large copy");
    TRIB_TRY(status);
    TRIB_TRY(measure_products(gpu, seconds, limits));
    TRIB_TRY(measure_launches(gpu, limits));
    return measure_hops(gpu, limits);
}
