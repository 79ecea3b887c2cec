/* SPDX-License-Identifier: Apache-2.0
 * A checkpoint as a file of weights like any other. */
#ifndef TRIBUTARY_TRAIN_CHECKPOINT_LOAD_H
#define TRIBUTARY_TRAIN_CHECKPOINT_LOAD_H

#include "formats/weights_file.h"

#ifdef __cplusplus
extern "C" {
#endif

/* trib_weights_load; and if the file, called `path` in messages, is a checkpoint whose header is as it was written,
 * what was loaded must have its checksums. A header that another program wrote says nothing about the data. */
trib_status trib_checkpoint_load(trib_weights_file *file, const char *path, trib_tensor_wanted wanted,
                                 const void *context);

#ifdef __cplusplus
}
#endif
#endif
