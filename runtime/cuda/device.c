/* SPDX-License-Identifier: Apache-2.0
 * Opens, describes and closes CUDA devices. */
#include "device/cuda_device.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/cards.h"
#include "cuda/device.h"
#include "cuda/memory/copy.h"
#include "cuda/ops/measured.h"
#include "cuda/ops/ops.h"
#include "cuda/streams/capture.h"
#include "cuda/streams/event.h"
#include "cuda/streams/stream.h"
#include "cuda/target.h"
#include "cuda/trace/observation.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/process.h"

static const trib_driver driver;

enum { LEAST_CAPABILITY = 8 }; /* the kernels' tensor core and asynchronous copy instructions */

/* ---- what there is ---- */

/* The process that first used CUDA; 0: none. CUDA's calls fail in its children, or never return. */
static _Atomic uint64_t user;

static trib_status check_fork(void)
{
    uint64_t first = atomic_load(&user);
    if (!first || first == trib_process()) return trib_success();
    return TRIB_ERROR(TRIB_UNSUPPORTED,
                      "CUDA was used before fork() and does not work in the child; use it only in the "
                      "children, start them with exec, or open device cpu");
}

static trib_status count_devices(int *count)
{
    TRIB_TRY(check_fork());
    cudaError_t error = cudaGetDeviceCount(count);
    if (error == cudaSuccess && *count > 0) {
        atomic_store(&user, trib_process());
        return trib_success();
    }
    if (error == cudaSuccess || error == cudaErrorNoDevice) {
        cudaGetLastError();
        return TRIB_ERROR(TRIB_NOT_FOUND, "no CUDA device is visible here (nvidia-smi lists them, CUDA_VISIBLE_DEVICES "
                                          "hides them); open device cpu instead");
    }
    trib_status status = trib_cuda_status(NULL, error, "cudaGetDeviceCount", __FILE__, __LINE__);
    if (error == cudaErrorInsufficientDriver || error == cudaErrorStubLibrary)
        return TRIB_VENDOR_ERROR(TRIB_UNSUPPORTED, (int)error, "cudaGetDeviceCount",
                                 "no NVIDIA driver that is new enough for CUDA %d.%d is installed; install one or open "
                                 "device cpu",
                                 CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
    return status;
}

/* `spec` is "cuda" or "cuda:N". */
static trib_status find_device(const char *spec, int *ordinal)
{
    const char *index = spec[4] ? spec + 5 : "0";
    long wanted = strlen(index) < 9 ? strtol(index, NULL, 10) : 999999999;
    int count = 0;
    TRIB_TRY(count_devices(&count));
    if (wanted >= count) return TRIB_ERROR(TRIB_NOT_FOUND, "the last CUDA device here is cuda:%d", count - 1);
    *ordinal = (int)wanted;
    return trib_success();
}

static trib_status describe(trib_device_info *info, int ordinal)
{
    struct cudaDeviceProp properties;
    int driver_version = 0, library_version = 0;
    TRIB_CUDA_TRY(NULL, cudaGetDeviceProperties(&properties, ordinal));
    TRIB_CUDA_TRY(NULL, cudaDriverGetVersion(&driver_version));
    TRIB_CUDA_TRY(NULL, cudaRuntimeGetVersion(&library_version));
    snprintf(info->spec, sizeof info->spec, "cuda:%d", ordinal);
    snprintf(info->name, sizeof info->name, "%.120s", properties.name);
    snprintf(info->instructions, sizeof info->instructions, "sm_%d%d", properties.major, properties.minor);
    snprintf(info->library, sizeof info->library, "CUDA %d.%d (driver %d.%d)", library_version / 1000,
             library_version % 1000 / 10, driver_version / 1000, driver_version % 1000 / 10);
    info->cores = properties.multiProcessorCount;
    info->memory_bytes = (int64_t)properties.totalGlobalMem;
    info->cache_bytes = properties.l2CacheSize;
    trib_cuda_describe_abilities(info);
    trib_card_rates(info);
    if (properties.major < LEAST_CAPABILITY)
        return TRIB_ERROR(TRIB_UNSUPPORTED,
                          "%s (%s, %s) is too old: compute capability %d.0 or newer is needed; open "
                          "device cpu",
                          info->spec, info->name, info->instructions, LEAST_CAPABILITY);
    return trib_success();
}

int trib_cuda_device_list(trib_device_listing *listings, int capacity)
{
    int count = 0;
    trib_status status = count_devices(&count);
    if (trib_failed(&status)) {
        if (capacity < 1) return 1;
        snprintf(listings[0].spec, sizeof listings[0].spec, "cuda");
        snprintf(listings[0].description, sizeof listings[0].description, "%.250s", status.message);
        return 1;
    }
    for (int i = 0; i < count && i < capacity; ++i) {
        trib_device_info info;
        memset(&info, 0, sizeof info);
        status = describe(&info, i);
        snprintf(listings[i].spec, sizeof listings[i].spec, "cuda:%d", i);
        listings[i].available = !trib_failed(&status);
        if (trib_failed(&status))
            snprintf(listings[i].description, sizeof listings[i].description, "%.250s", status.message);
        else
            snprintf(listings[i].description, sizeof listings[i].description,
                     "%.100s, %.20s, %d multiprocessors, %.1f GiB, %.80s", info.name, info.instructions, info.cores,
                     (double)info.memory_bytes / (1 << 30), info.library);
    }
    return count;
}

/* ---- opening and closing ---- */

/* The caller has destroyed its streams, events, captures and ops; only idle ones kept for reuse remain. */
static void close_device(trib_device *base)
{
    trib_cuda_device *device = trib_cuda_of(base);
    trib_cuda_enter(device); /* later calls see a failure */
    trib_cuda_close_cupti(device);
    if (device->side) trib_cuda_stream_destroy(&device->side->base);
    trib_cuda_streams_close(device);
    trib_cuda_ops_close(device);
    trib_cuda_choices_close(device);
    trib_cuda_interned_close(&device->interned);
    trib_cuda_events_close(device);
    trib_cuda_host_memory_close(device);
    trib_cuda_staging_close(device);
    trib_cuda_memory_close(device);
    pthread_mutex_destroy(&device->capture_lock);
    pthread_mutex_destroy(&device->memory.lock);
    pthread_mutex_destroy(&device->objects_lock);
    pthread_mutex_destroy(&device->failure_lock);
    trib_free(device);
}

static trib_status prepare(trib_cuda_device *device, const char *choices_path)
{
    int pools = 0;
    TRIB_TRY(describe(&device->base.info, device->ordinal));
    TRIB_TRY(trib_cuda_enter(device));
    TRIB_CUDA_TRY(device, cudaDeviceGetAttribute(&pools, cudaDevAttrMemoryPoolsSupported, device->ordinal));
    if (!pools)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s (%s) has no memory pools; a newer driver or device is needed",
                          device->base.info.spec, device->base.info.name);
    TRIB_CUDA_TRY(device, cudaDeviceGetStreamPriorityRange(&device->least_priority, &device->greatest_priority));
    TRIB_TRY(trib_cuda_ops_open(device));
    TRIB_TRY(trib_cuda_choices_open(device, choices_path));
    trib_stream *side;
    TRIB_TRY(trib_cuda_stream_create(&device->base, &(trib_stream_options) { .name = "memory" }, &side));
    device->side = (trib_cuda_stream *)side;
    return trib_cuda_memory_open(device);
}

trib_status trib_cuda_device_open(const char *spec, const trib_device_options *options, trib_device **out)
{
    int ordinal = 0;
    if (options && options->target) return trib_cuda_target_open(options->target, options->choices_path, out);
    trib_status status = find_device(spec, &ordinal);
    trib_add_context(&status, "device \"%.32s\"", spec);
    TRIB_TRY(status);
    trib_cuda_device *device = trib_alloc_zeroed(1, sizeof *device);
    if (!device) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "device \"%.32s\": out of memory", spec);
    device->base.driver = &driver;
    device->ordinal = ordinal;
    pthread_mutex_init(&device->failure_lock, NULL);
    pthread_mutex_init(&device->objects_lock, NULL);
    pthread_mutex_init(&device->memory.lock, NULL);
    pthread_mutex_init(&device->capture_lock, NULL);
    trib_cuda_interned_open(&device->interned);
    trib_cuda_host_memory_open(device);
    trib_cuda_staging_open(device);
    if (options) device->memory.stats.limit_bytes = options->memory_limit;
    status = prepare(device, options ? options->choices_path : NULL);
    if (trib_failed(&status)) {
        trib_add_context(&status, "device \"%.32s\"", spec);
        close_device(&device->base);
        return status;
    }
    *out = &device->base;
    return status;
}

static const trib_driver driver = {
    .name = "cuda",
    .close = close_device,
    .alloc = trib_cuda_alloc,
    .free = trib_cuda_free,
    .memory = trib_cuda_memory_stats,
    .set_memory_limit = trib_cuda_set_memory_limit,
    .host_alloc = trib_cuda_host_alloc,
    .host_free = trib_cuda_host_free,
    .host_memory = trib_cuda_host_memory_stats,
    .host_set_memory_limit = trib_cuda_host_set_memory_limit,
    .stream_create = trib_cuda_stream_create,
    .stream_destroy = trib_cuda_stream_destroy,
    .stream_synchronize = trib_cuda_stream_synchronize,
    .stream_wait = trib_cuda_stream_wait,
    .event_create = trib_cuda_event_create,
    .event_destroy = trib_cuda_event_destroy,
    .event_record = trib_cuda_event_record,
    .event_synchronize = trib_cuda_event_synchronize,
    .event_elapsed = trib_cuda_event_elapsed,
    .copy_to_device = trib_cuda_copy_to_device,
    .copy_to_host = trib_cuda_copy_to_host,
    .copy_on_device = trib_cuda_copy_on_device,
    .fill_zero = trib_cuda_fill_zero,
    .capture_begin = trib_cuda_capture_begin,
    .capture_end = trib_cuda_capture_end,
    .capture_replace = trib_cuda_capture_replace,
    .capture_launch = trib_cuda_capture_launch,
    .capture_destroy = trib_cuda_capture_destroy,
    .op_implementations = trib_cuda_op_implementations,
    .op_recall = trib_cuda_op_recall,
    .op_remember = trib_cuda_op_remember,
    .save_choices = trib_cuda_save_choices,
    .op_create = trib_cuda_op_create,
    .op_destroy = trib_cuda_op_destroy,
    .op_detail = trib_cuda_op_detail,
    .op_pack = trib_cuda_op_pack,
    .op_run = trib_cuda_op_run,
    .observation_open = trib_cuda_observation_open,
    .observation_close = trib_cuda_observation_close,
    .observe_begin = trib_cuda_observe_begin,
    .observe_end = trib_cuda_observe_end,
    .observation_collect = trib_cuda_observation_collect,
    .observation_drop = trib_cuda_observation_drop,
};
