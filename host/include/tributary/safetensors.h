/* SPDX-License-Identifier: Apache-2.0
 * Tributary: safetensors files: u64 little-endian header length, JSON header, tensor data.
 *
 * Reading trusts nothing: every size is checked against the file, or against what a pipe really gives, before memory is
 * taken for it; names are unique, byte ranges have no holes and no overlaps, each range is exactly shape x dtype.
 */
#ifndef TRIBUTARY_SAFETENSORS_H
#define TRIBUTARY_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/shape.h"

TRIB_BEGIN_DECLS

typedef struct trib_safetensors trib_safetensors;

typedef struct trib_key_value {
    const char *key, *value;
} trib_key_value;

/* Reads all of a file, or of a pipe until its end (a named one, "/dev/stdin", a shell's <(...)), into memory: at most
 * 16 GiB of data. What happens to the file afterwards changes nothing. One that another program cuts short meanwhile
 * fails with TRIB_BAD_DATA. */
trib_status trib_safetensors_open(const char *path, trib_safetensors **out);
/* Reads the header alone: tensors have NULL for data, and trib_safetensors_read gets what is wanted of it, of files of
 * any size. The file, or the pipe, stays open until close. */
trib_status trib_safetensors_open_header(const char *path, trib_safetensors **out);
/* Bytes [offset, offset + size) of the data of `tensor`, which is one of `file`'s, into `buffer`. A pipe is read
 * forwards only: what lies before the last byte read is gone, and asking for it is TRIB_INVALID_ARGUMENT. Fails with
 * TRIB_BAD_DATA when the file was cut short or the pipe ends early. */
trib_status trib_safetensors_read(trib_safetensors *file, const trib_tensor *tensor, int64_t offset, void *buffer,
                                  size_t size);
/* The same checks on memory that must outlive the result; `name` appears in errors. */
trib_status trib_safetensors_parse(const void *bytes, size_t size, const char *name, trib_safetensors **out);
void trib_safetensors_close(trib_safetensors *file); /* NULL is fine */

/* Tensors in file order; their names and data are valid until close. */
int trib_safetensors_count(const trib_safetensors *file);
const trib_tensor *trib_safetensors_tensors(const trib_safetensors *file);
const trib_tensor *trib_safetensors_find(const trib_safetensors *file, const char *name); /* NULL when missing */

/* __metadata__, sorted by key. */
int trib_safetensors_metadata_count(const trib_safetensors *file);
const trib_key_value *trib_safetensors_metadata(const trib_safetensors *file);
const char *trib_safetensors_metadata_get(const trib_safetensors *file, const char *key); /* NULL when missing */

/* Writes to `path` through a temporary file in the same folder that is renamed when complete and on disk (fsync), so
 * that a crash or a full disk never leaves a half-written file under the name. Tensors are stored in the order given,
 * data aligned to 8 bytes. Identical input gives identical bytes. */
trib_status trib_safetensors_write(const char *path, const trib_tensor *tensors, int count,
                                   const trib_key_value *metadata, int metadata_count);

TRIB_END_DECLS
#endif
