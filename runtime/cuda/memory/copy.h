/* SPDX-License-Identifier: Apache-2.0
 * Copies in stream order. */
#ifndef TRIBUTARY_RUNTIME_CUDA_MEMORY_COPY_H
#define TRIBUTARY_RUNTIME_CUDA_MEMORY_COPY_H

#include "device/driver.h"

trib_status trib_cuda_copy_to_device(trib_stream *stream, void *target, const void *source, size_t bytes);
trib_status trib_cuda_copy_to_host(trib_stream *stream, void *target, const void *source, size_t bytes);
trib_status trib_cuda_copy_on_device(trib_stream *stream, void *target, const void *source, size_t bytes);
trib_status trib_cuda_fill_zero(trib_stream *stream, void *target, size_t bytes);

#endif
