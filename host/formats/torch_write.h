/* SPDX-License-Identifier: Apache-2.0
 * Writes a state_dict as torch.save does since 1.6. */
#ifndef TRIBUTARY_FORMATS_TORCH_WRITE_H
#define TRIBUTARY_FORMATS_TORCH_WRITE_H

#include "tributary/safetensors.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An OrderedDict of dense tensors in this order; `torch.load(path, weights_only=True)` reads it. Elements are in this
 * machine's byte order, and the file says so. The same tensors give the same bytes. A file at `path` is replaced only
 * on success. */
trib_status trib_torch_write(const char *path, const trib_tensor *tensors, int count);

#ifdef __cplusplus
}
#endif
#endif
