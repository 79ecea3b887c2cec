/* SPDX-License-Identifier: Apache-2.0
 * Checkpoints: one safetensors file with the parameters under the names of a model file, so that every checkpoint is a
 * model; all other state under "training/" (TRIB_TRAINING_PREFIX), and texts. README.md describes the format.
 *
 *     trib_checkpoint_write("RUN/checkpoint-1200", tensors, count, metadata, metadata_count);
 *     trib_checkpoint *c;
 *     trib_checkpoint_open("RUN/checkpoint-1200", &c);
 *     const trib_tensor *t = trib_checkpoint_find(c, "training/momentum/conv1.conv.weight");
 *     trib_checkpoint_close(c); */
#ifndef TRIBUTARY_TRAIN_CHECKPOINT_H
#define TRIBUTARY_TRAIN_CHECKPOINT_H

#include "tributary/network.h"
#include "tributary/safetensors.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A checkpoint in memory, complete and undamaged. */
typedef struct trib_checkpoint trib_checkpoint;

/* Success means that the file is complete, under its name, and will be there after a power failure. Until then `path`
 * is what it was before: a temporary file beside it is written, flushed and renamed, and the folder is flushed. Only
 * when that last step fails is `path` the new file all the same. Permissions are those of the umask.
 *
 * Tensors of any dtype, dense, in host memory that does not change during the call. Names and keys must be unique and
 * UTF-8; keys that begin with "tributary.checkpoint" are the format's own. Fails with TRIB_INVALID_ARGUMENT on tensors
 * that could not be read again, before anything is written. */
trib_status trib_checkpoint_write(const char *path, const trib_tensor *tensors, int count,
                                  const trib_key_value *metadata, int metadata_count);

/* Reads and checks all of a regular file. Fails with TRIB_BAD_DATA, naming the section (the header, or a tensor) and
 * its bytes in the file, if any bit was changed or the file is truncated or too long; also for files that are no
 * checkpoints. TRIB_UNSUPPORTED: of a later version. Every size is checked against the file before memory is taken. */
trib_status trib_checkpoint_open(const char *path, trib_checkpoint **out);
/* The same, but reads only the header: tensors have no data, and only their places are checked. */
trib_status trib_checkpoint_open_header(const char *path, trib_checkpoint **out);
void trib_checkpoint_close(trib_checkpoint *checkpoint); /* NULL is fine */

/* Valid until close. The largest element types come first, and tensors of one size in the order they were given. */
int trib_checkpoint_count(const trib_checkpoint *checkpoint);
const trib_tensor *trib_checkpoint_tensors(const trib_checkpoint *checkpoint);
const trib_tensor *trib_checkpoint_find(const trib_checkpoint *checkpoint, const char *name); /* NULL: none */
const char *trib_checkpoint_metadata(const trib_checkpoint *checkpoint, const char *key);     /* NULL: none */

#ifdef __cplusplus
}
#endif
#endif
