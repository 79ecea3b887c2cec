/* SPDX-License-Identifier: Apache-2.0
 * The card as the benchmark uses it: memory, a stream, and the time of work with nothing in the L2 cache. */
#ifndef TRIBUTARY_BENCHES_KERNELS_GPU_H
#define TRIBUTARY_BENCHES_KERNELS_GPU_H

#include "report.h"

TRIB_BEGIN_DECLS

struct CUstream_st;
struct CUevent_st;
struct CUmemPoolHandle_st;

/* Sizes of the work that measures limits, and of the reads that empty the L2 cache. */
typedef struct bench_sizes {
    int64_t flush_bytes;     /* read to empty the L2 cache */
    int64_t rotation_bytes;  /* limit for the copies of a problem, which launches use in turn */
    int64_t copy_bytes;      /* a "large" copy */
    int product_side;        /* a "large" product; fp32 without tensor cores: half of it */
    int64_t workspace_bytes; /* for a product */
    int repeats;             /* launches, and hops, timed together */
} bench_sizes;

typedef struct bench_gpu {
    bench_card card;
    bench_sizes sizes;
    struct CUstream_st *stream;
    struct CUmemPoolHandle_st *pool;
    struct CUevent_st *start, *stop;
    void *flush, *staging; /* flush_bytes of zeros and a sum; pinned host memory */
} bench_gpu;

enum { BENCH_STAGING = 1 << 20 };

/* `sizes` NULL: chosen for the card. TRIB_NOT_FOUND if there is no GPU. Close it also after a failure. */
trib_status bench_gpu_open(const bench_sizes *sizes, bench_gpu *gpu);
void bench_gpu_close(bench_gpu *gpu);

trib_status bench_allocate(bench_gpu *gpu, int64_t bytes, void **out);
void bench_release(bench_gpu *gpu, void *memory); /* NULL is fine */
/* With random values from -scale to scale, so that products draw as much power as in use; integers from 0 to less than
 * scale. */
trib_status bench_fill(bench_gpu *gpu, void *memory, int64_t bytes, trib_dtype dtype, float scale);
/* From the host: at most BENCH_STAGING bytes. */
trib_status bench_put(bench_gpu *gpu, void *memory, const void *from, int64_t bytes);
trib_status bench_copy(bench_gpu *gpu, void *to, const void *from, int64_t bytes);
trib_status bench_wait(bench_gpu *gpu);

/* Enqueues launch i of a round on gpu->stream. */
typedef trib_status (*bench_work)(void *context, int i);

enum { BENCH_LEAST_ROUNDS = 5, BENCH_MOST_ROUNDS = 1000 };

typedef struct bench_times {
    double median, least; /* seconds per launch */
    int rounds;
} bench_times;

/* Runs rounds of `launches` for `seconds`; each begins with an emptied L2 cache. While the cache is being emptied the
 * host enqueues the launches, so that its speed does not matter. One round before is a warm-up. */
trib_status bench_time(bench_gpu *gpu, bench_work work, void *context, int launches, double seconds, bench_times *out);

/* The host's clock, in seconds. */
double bench_now(void);

/* The status for a CUDA error. */
trib_status bench_cuda_status(int error, const char *call, const char *file, int line);
#define BENCH_CUDA(call) bench_cuda_status((int)(call), #call, __FILE__, __LINE__)

/* idle.cu */
trib_status bench_launch_empty(void *stream);
trib_status bench_launch_read(const void *zeros, int64_t bytes, unsigned *sum, void *stream);

TRIB_END_DECLS
#endif
