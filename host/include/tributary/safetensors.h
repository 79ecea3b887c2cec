/* SPDX-License-Identifier: Apache-2.0
 * Tributary: safetensors files: u64 little-endian header length, JSON header, tensor data.
 *
 * Reading trusts nothing: every size is checked against the file, or against the bytes that a pipe delivers, before
 * memory is allocated for it. Names must be unique, byte ranges must have neither gaps nor overlaps, and each range
 * must have exactly the size of its shape and dtype. */
#ifndef TRIBUTARY_SAFETENSORS_H
#define TRIBUTARY_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/shape.h"

TRIB_BEGIN_DECLS

/* An open file. */
typedef struct trib_safetensors trib_safetensors;

/* An entry of __metadata__. */
typedef struct trib_key_value {
    const char *key, *value;
} trib_key_value;

/* Reads a whole file or pipe (a FIFO, "/dev/stdin", a shell's <(...)) into memory, at most 16 GiB of data. Later
 * changes to the file have no effect. A file that another program truncates during the call fails with TRIB_BAD_DATA.
 */
trib_status trib_safetensors_open(const char *path, trib_safetensors **out);
/* Reads only the header of a file of any size: tensors have NULL for data, which trib_safetensors_read reads piece by
 * piece. The file or pipe stays open until close. */
trib_status trib_safetensors_open_header(const char *path, trib_safetensors **out);
/* Reads bytes [offset, offset + size) of the data of `tensor`, one of `file`'s, into `buffer`. A pipe can only be read
 * forwards; going back fails with TRIB_INVALID_ARGUMENT. Fails with TRIB_BAD_DATA if the file was truncated or the pipe
 * ends early. */
trib_status trib_safetensors_read(trib_safetensors *file, const trib_tensor *tensor, int64_t offset, void *buffer,
                                  size_t size);
/* Parses a file in memory, with the same checks; the memory must outlive the result. `name` appears in errors. */
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

/* Writes a temporary file in the folder of `path` and renames it when it is complete and on disk (fsync), so that a
 * crash or a full disk never leaves a half-written file at `path`. Tensors are stored in the order given, with data
 * aligned to 8 bytes. Identical input gives identical bytes. */
trib_status trib_safetensors_write(const char *path, const trib_tensor *tensors, int count,
                                   const trib_key_value *metadata, int metadata_count);

TRIB_END_DECLS
#endif
