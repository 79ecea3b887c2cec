/* SPDX-License-Identifier: Apache-2.0
 * Opens and describes the CPU device. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cpu/device.h"
#include "cpu/libraries/onednn.h"
#include "cpu/memory.h"
#include "cpu/ops/op.h"
#include "cpu/streams/capture.h"
#include "cpu/streams/event.h"
#include "cpu/streams/observe.h"
#include "cpu/streams/stream.h"
#include "tributary/cpus.h"
#include "tributary/internal/alloc.h"

/* ---- what the machine has ---- */

static void find_name(char *name, size_t size)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];
    snprintf(name, size, "CPU");
    while (file && fgets(line, sizeof line, file)) {
        const char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) || !value) continue;
        value += strspn(value, ": \t");
        snprintf(name, size, "%.*s", (int)strcspn(value, "\n"), value);
        break;
    }
    if (file) fclose(file);
}

/* `wanted`: as in trib_device_options.threads. */
static int choose_cores(int wanted)
{
    trib_cpus cpus = trib_cpus_get();
    if (wanted <= 0) return cpus.count;
    return wanted < cpus.limit ? wanted : cpus.limit;
}

static void describe(trib_device_info *info, int threads)
{
    snprintf(info->spec, sizeof info->spec, "cpu");
    find_name(info->name, sizeof info->name);
    info->cores = choose_cores(threads);
    info->memory_bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    info->has_capture = true;
    info->host = true;
    info->channel_multiple = 1;
    info->precisions = 1u << TRIB_PRECISION_FP32;
    snprintf(info->instructions, sizeof info->instructions, "baseline");
    info->layouts[info->layout_count++] = TRIB_NHWC;
    trib_onednn_describe(info);
}

/* ---- the driver ---- */

static void close_device(trib_device *base)
{
    trib_cpu_device *device = trib_cpu_of(base);
    trib_onednn_close(device->onednn);
    pthread_mutex_destroy(&device->capture_lock);
    pthread_mutex_destroy(&device->memory_lock);
    trib_cpu_tokens_destroy(&device->tokens);
    trib_free(device);
}

static const trib_driver driver = {
    .name = "cpu",
    .close = close_device,
    .alloc = trib_cpu_alloc,
    .free = trib_cpu_free,
    .memory = trib_cpu_memory,
    .set_memory_limit = trib_cpu_set_memory_limit,
    .host_alloc = trib_cpu_host_alloc,
    .host_free = trib_cpu_host_free,
    .host_memory = trib_cpu_host_memory,
    .host_set_memory_limit = trib_cpu_host_set_memory_limit,
    .stream_create = trib_cpu_stream_create,
    .stream_destroy = trib_cpu_stream_destroy,
    .stream_synchronize = trib_cpu_stream_synchronize,
    .stream_wait = trib_cpu_stream_wait,
    .event_create = trib_cpu_event_create,
    .event_destroy = trib_cpu_event_destroy,
    .event_record = trib_cpu_event_record,
    .event_synchronize = trib_cpu_event_synchronize,
    .event_elapsed = trib_cpu_event_elapsed,
    .copy_to_device = trib_cpu_copy,
    .copy_to_host = trib_cpu_copy,
    .copy_on_device = trib_cpu_copy,
    .fill_zero = trib_cpu_fill_zero,
    .capture_begin = trib_cpu_capture_begin,
    .capture_end = trib_cpu_capture_end,
    .capture_replace = trib_cpu_capture_replace,
    .capture_launch = trib_cpu_capture_launch,
    .capture_destroy = trib_cpu_capture_destroy,
    .op_implementations = trib_cpu_op_implementations,
    .op_create = trib_cpu_op_create,
    .op_destroy = trib_cpu_op_destroy,
    .op_detail = trib_cpu_op_detail,
    .op_pack = trib_cpu_op_pack,
    .op_run = trib_cpu_op_run,
    .observation_open = trib_cpu_observation_open,
    .observation_close = trib_cpu_observation_close,
    .observe_begin = trib_cpu_observe_begin,
    .observe_end = trib_cpu_observe_end,
    .observation_collect = trib_cpu_observation_collect,
    .observation_drop = trib_cpu_observation_drop,
};

trib_status trib_cpu_device_open(const trib_device_options *options, trib_device **out)
{
    trib_cpu_device *device = trib_alloc_zeroed(1, sizeof *device);
    if (!device) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "cpu device: out of memory");
    device->base.driver = &driver;
    pthread_mutex_init(&device->memory_lock, NULL);
    pthread_mutex_init(&device->capture_lock, NULL);
    trib_status status = trib_onednn_open(&device->onednn);
    if (!trib_failed(&status)) describe(&device->base.info, options ? options->threads : 0);
    if (options) device->memory.limit_bytes = options->memory_limit;
    trib_cpu_tokens_init(&device->tokens, device->base.info.cores);
    if (trib_failed(&status)) {
        close_device(&device->base);
        return status;
    }
    *out = &device->base;
    return status;
}

void trib_cpu_device_describe(trib_device_listing *listing)
{
    trib_device_info info = { 0 };
    describe(&info, 0);
    listing->available = true;
    snprintf(listing->spec, sizeof listing->spec, "%s", info.spec);
    snprintf(listing->description, sizeof listing->description, "%.100s, %d cores, %.32s, %.80s", info.name, info.cores,
             info.instructions, info.library);
}
