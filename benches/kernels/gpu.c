/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu.h"

#include <cuda_runtime_api.h>
#include <string.h>
#include <time.h>

trib_status bench_cuda_status(int error, const char *call, const char *file, int line)
{
    if (error == cudaSuccess) return trib_success();
    cudaGetLastError(); /* otherwise the next launch reports it again */
    const trib_code code = error == cudaErrorMemoryAllocation ? TRIB_OUT_OF_MEMORY : TRIB_DEVICE_ERROR;
    return trib_make_error(code, error, file, line, call, "%.*s: %s", (int)strcspn(call, "("), call,
                           cudaGetErrorString((cudaError_t)error));
}

double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- opening ---- */

static trib_status find(bench_card *card)
{
    struct cudaDeviceProp p;
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess || !count)
        return TRIB_VENDOR_ERROR(TRIB_NOT_FOUND, (int)error, "cudaGetDeviceCount", "there is no GPU to measure: %s",
                                 error == cudaSuccess ? "no device is visible" : cudaGetErrorString(error));
    TRIB_TRY(BENCH_CUDA(cudaSetDevice(0)));
    TRIB_TRY(BENCH_CUDA(cudaGetDeviceProperties(&p, 0)));
    TRIB_TRY(BENCH_CUDA(cudaRuntimeGetVersion(&card->runtime_version)));
    TRIB_TRY(BENCH_CUDA(cudaDriverGetVersion(&card->driver_version)));
    snprintf(card->name, sizeof card->name, "%.255s", p.name);
    snprintf(card->instructions, sizeof card->instructions, "sm_%d%d", p.major, p.minor);
    card->multiprocessors = p.multiProcessorCount;
    card->memory_bytes = (int64_t)p.totalGlobalMem;
    card->l2_bytes = p.l2CacheSize;
    return trib_success();
}

static int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }

/* Reading four times the size of the L2 cache empties it, and takes long enough to enqueue a round. */
static bench_sizes sizes_for(const bench_card *card)
{
    const int64_t share = card->memory_bytes / 8 / 256 * 256;
    return (bench_sizes) { .flush_bytes = at_most(share, at_most(4 * card->l2_bytes, INT64_C(1) << 30) / 256 * 256),
                           .rotation_bytes = at_most(share, INT64_C(1) << 30),
                           .copy_bytes = at_most(share, INT64_C(1) << 30),
                           .product_side = 8192,
                           .workspace_bytes = 32 << 20, /* as much as cuBLASLt asks for on Hopper */
                           .repeats = 1000 };
}

static trib_status prepare(bench_gpu *gpu)
{
    const struct cudaMemPoolProps properties = { .allocType = cudaMemAllocationTypePinned,
                                                 .location = { .type = cudaMemLocationTypeDevice } };
    TRIB_TRY(BENCH_CUDA(cudaStreamCreateWithFlags(&gpu->stream, cudaStreamNonBlocking)));
    TRIB_TRY(BENCH_CUDA(cudaEventCreateWithFlags(&gpu->start, cudaEventDefault)));
    TRIB_TRY(BENCH_CUDA(cudaEventCreateWithFlags(&gpu->stop, cudaEventDefault)));
    TRIB_TRY(BENCH_CUDA(cudaMemPoolCreate(&gpu->pool, &properties)));
    TRIB_TRY(BENCH_CUDA(cudaHostAlloc(&gpu->staging, BENCH_STAGING, cudaHostAllocDefault)));
    TRIB_TRY(bench_allocate(gpu, gpu->sizes.flush_bytes + 256, &gpu->flush));
    TRIB_TRY(BENCH_CUDA(cudaMemsetAsync(gpu->flush, 0, (size_t)gpu->sizes.flush_bytes + 256, gpu->stream)));
    return bench_wait(gpu);
}

trib_status bench_gpu_open(const bench_sizes *sizes, bench_gpu *gpu)
{
    memset(gpu, 0, sizeof *gpu);
    TRIB_TRY(find(&gpu->card));
    gpu->sizes = sizes ? *sizes : sizes_for(&gpu->card);
    return prepare(gpu);
}

void bench_gpu_close(bench_gpu *gpu)
{
    bench_release(gpu, gpu->flush);
    if (gpu->stream) cudaStreamSynchronize(gpu->stream);
    if (gpu->staging) cudaFreeHost(gpu->staging);
    if (gpu->pool) cudaMemPoolDestroy(gpu->pool);
    if (gpu->stop) cudaEventDestroy(gpu->stop);
    if (gpu->start) cudaEventDestroy(gpu->start);
    if (gpu->stream) cudaStreamDestroy(gpu->stream);
    memset(gpu, 0, sizeof *gpu);
}

/* ---- memory ---- */

trib_status bench_allocate(bench_gpu *gpu, int64_t bytes, void **out)
{
    return BENCH_CUDA(cudaMallocFromPoolAsync(out, (size_t)bytes, gpu->pool, gpu->stream));
}

void bench_release(bench_gpu *gpu, void *memory)
{
    if (memory) cudaFreeAsync(memory, gpu->stream);
}

trib_status bench_wait(bench_gpu *gpu) { return BENCH_CUDA(cudaStreamSynchronize(gpu->stream)); }

trib_status bench_copy(bench_gpu *gpu, void *to, const void *from, int64_t bytes)
{
    return BENCH_CUDA(cudaMemcpyAsync(to, from, (size_t)bytes, cudaMemcpyDeviceToDevice, gpu->stream));
}

static void put_element(unsigned char *out, trib_dtype dtype, float value, float scale)
{
    const uint16_t half = dtype == TRIB_F16 ? trib_f32_to_f16(value) : trib_f32_to_bf16(value);
    const int32_t integer = (int32_t)((value + scale) / 2);
    switch (dtype) {
    case TRIB_F32: memcpy(out, &value, sizeof value); break;
    case TRIB_U8: *out = (unsigned char)integer; break;
    case TRIB_I32: memcpy(out, &integer, sizeof integer); break;
    default: memcpy(out, &half, sizeof half);
    }
}

static void random_elements(unsigned char *out, int64_t bytes, trib_dtype dtype, float scale)
{
    const int64_t size = (int64_t)trib_dtype_size(dtype);
    uint64_t state = 88172645463325252u;
    for (int64_t at = 0; at + size <= bytes; at += size) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        const float value = ((float)(state >> 40) * (2.0f / 16777216.0f) - 1.0f) * scale;
        put_element(out + at, dtype, value, scale);
    }
}

trib_status bench_put(bench_gpu *gpu, void *memory, const void *from, int64_t bytes)
{
    TRIB_TRY(bench_wait(gpu)); /* the last fill has left `staging` */
    memcpy(gpu->staging, from, (size_t)bytes);
    return BENCH_CUDA(cudaMemcpyAsync(memory, gpu->staging, (size_t)bytes, cudaMemcpyHostToDevice, gpu->stream));
}

/* Copies a piece from the host, which is then doubled on the card. */
trib_status bench_fill(bench_gpu *gpu, void *memory, int64_t bytes, trib_dtype dtype, float scale)
{
    int64_t filled = at_most(bytes, BENCH_STAGING);
    TRIB_TRY(bench_wait(gpu)); /* the last fill has left `staging` */
    random_elements(gpu->staging, filled, dtype, scale);
    TRIB_TRY(BENCH_CUDA(cudaMemcpyAsync(memory, gpu->staging, (size_t)filled, cudaMemcpyHostToDevice, gpu->stream)));
    for (; filled < bytes; filled += at_most(filled, bytes - filled))
        TRIB_TRY(bench_copy(gpu, (char *)memory + filled, memory, at_most(filled, bytes - filled)));
    return trib_success();
}

/* ---- time ---- */

static trib_status time_round(bench_gpu *gpu, bench_work work, void *context, int launches, double *seconds)
{
    float milliseconds = 0;
    unsigned *sum = (unsigned *)((char *)gpu->flush + gpu->sizes.flush_bytes);
    TRIB_TRY(bench_launch_read(gpu->flush, gpu->sizes.flush_bytes, sum, gpu->stream));
    TRIB_TRY(BENCH_CUDA(cudaEventRecord(gpu->start, gpu->stream)));
    for (int i = 0; i < launches; ++i) TRIB_TRY(work(context, i));
    TRIB_TRY(BENCH_CUDA(cudaEventRecord(gpu->stop, gpu->stream)));
    TRIB_TRY(BENCH_CUDA(cudaEventSynchronize(gpu->stop)));
    TRIB_TRY(BENCH_CUDA(cudaEventElapsedTime(&milliseconds, gpu->start, gpu->stop)));
    *seconds = 1e-3 * (double)milliseconds / launches;
    return trib_success();
}

trib_status bench_time(bench_gpu *gpu, bench_work work, void *context, int launches, double seconds, bench_times *out)
{
    double times[BENCH_MOST_ROUNDS], warm_up;
    int rounds = 0;
    TRIB_TRY(time_round(gpu, work, context, launches, &warm_up));
    const double begin = bench_now();
    while (rounds < BENCH_MOST_ROUNDS && (rounds < BENCH_LEAST_ROUNDS || bench_now() - begin < seconds)) {
        TRIB_TRY(time_round(gpu, work, context, launches, &times[rounds]));
        ++rounds;
    }
    out->median = bench_median(times, rounds);
    out->least = times[0]; /* sorted */
    out->rounds = rounds;
    return trib_success();
}
