/* SPDX-License-Identifier: Apache-2.0
 * Device memory and the host memory of callers: both are host memory, counted separately, each with a limit. */
#ifndef TRIBUTARY_RUNTIME_CPU_MEMORY_H
#define TRIBUTARY_RUNTIME_CPU_MEMORY_H

#include "cpu/device.h"

trib_status trib_cpu_alloc(trib_device *device, trib_stream *stream, size_t bytes, void **out);
void trib_cpu_free(trib_device *device, trib_stream *stream, void *memory);
/* At once, not in stream order. */
void trib_cpu_free_now(trib_cpu_device *device, void *memory);
trib_memory_stats trib_cpu_memory(const trib_device *device);
void trib_cpu_set_memory_limit(trib_device *device, int64_t bytes);
trib_status trib_cpu_host_alloc(trib_device *device, size_t bytes, void **out);
void trib_cpu_host_free(trib_device *device, void *memory);
trib_memory_stats trib_cpu_host_memory(const trib_device *device);
void trib_cpu_host_set_memory_limit(trib_device *device, int64_t bytes);

#endif
