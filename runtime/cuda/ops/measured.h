/* SPDX-License-Identifier: Apache-2.0
 * Results that a device keeps between runs of the program: the fastest implementations of ops, and plans that take long
 * to compile. Stored in a choice cache (choice_cache.h). */
#ifndef TRIBUTARY_RUNTIME_CUDA_OPS_MEASURED_H
#define TRIBUTARY_RUNTIME_CUDA_OPS_MEASURED_H

#include "cuda/device.h"
#include "cuda/streams/stream.h"

/* `path` as in trib_device_options. A useless file is ignored, and replaced when there is something to save. */
trib_status trib_cuda_choices_open(trib_cuda_device *device, const char *path);
/* Saves as much as possible. */
void trib_cuda_choices_close(trib_cuda_device *device);

trib_status trib_cuda_op_recall(trib_device *device, const trib_op_desc *desc, const char **name, int64_t *nanoseconds);
trib_status trib_cuda_op_remember(trib_device *device, const trib_op_desc *desc, const char *name, int64_t nanoseconds);
trib_status trib_cuda_save_choices(trib_device *device);

/* Everything that an op's time depends on, as one line. Returns `text` (at least TRIB_CUDA_OP_KEY bytes). */
enum { TRIB_CUDA_OP_KEY = 512 };
const char *trib_cuda_op_key(const trib_op_desc *desc, char *text);

#endif
