/* SPDX-License-Identifier: Apache-2.0
 * Shared by the reader of safetensors files, the writer, and models. */
#ifndef TRIBUTARY_FORMATS_SAFETENSORS_PRIVATE_H
#define TRIBUTARY_FORMATS_SAFETENSORS_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

#include "formats/json.h"
#include "formats/text.h"
#include "formats/weights_file.h"

/* The format's own limits, and its names of element types. */
enum { TRIB_SAFETENSORS_LENGTH = 8 }; /* the length of the header takes the first 8 bytes of a file */
#define TRIB_SAFETENSORS_MAX_HEADER ((size_t)100 * 1000 * 1000)
#define TRIB_SAFETENSORS_METADATA "__metadata__"
const char *trib_safetensors_dtype_name(trib_dtype dtype);

/* Limit of data read into memory at once: a model of 16 times GoogLeNet's width has 7 GB. */
#define TRIB_SAFETENSORS_MAX_DATA ((int64_t)16 << 30)

struct trib_safetensors {
    trib_weights_file base;      /* tensors by position in the file */
    trib_blob blob;              /* open until the data is read */
    int64_t data_at;             /* offset in the file */
    void *data;                  /* all data, owned; NULL before it is read, and if the bytes are the caller's */
    cJSON *header;               /* owns every name and value below */
    int64_t *places;             /* offset of each in the data */
    const trib_tensor **by_name; /* the tensors, sorted by name */
    int64_t data_size;           /* in the header's order */
};

/* Reads the header of a file or memory, as trib_safetensors_open_header does; takes *blob, also on failure. */
trib_status trib_safetensors_open_blob(trib_blob *blob, trib_safetensors **out);

/* Makes all checks of a header's text. Fills `file` with tensors that have no data yet; call trib_safetensors_close
 * also on failure. */
trib_status trib_safetensors_read_header(trib_safetensors *file, const char *text, size_t size);
/* Checks that the data is as long as the header says. */
trib_status trib_safetensors_check_data(const trib_safetensors *file, uint64_t data_size);

/* Bytes of a tensor's data; fails if it cannot be written. */
trib_status trib_safetensors_tensor_bytes(const trib_tensor *tensor, uint64_t *bytes);
/* The header of a file to be written, its length in front: `tensors` in this order, `metadata` first and in this order.
 * Makes all checks of a reader. Free *text also on failure. */
trib_status trib_safetensors_make_header(trib_text *text, const trib_tensor *tensors, int count,
                                         const trib_key_value *metadata, int metadata_count);

/* After trib_safetensors_open_header: reads the data into memory and closes the file. `wanted` NULL: all of it;
 * otherwise, in a regular file, only the tensors for which it is true; the others stay without data. */
trib_status trib_safetensors_load(trib_safetensors *file, trib_tensor_wanted wanted, const void *context);
/* Frees the data; the tensors have none from then on. */
void trib_safetensors_release_data(trib_safetensors *file);

#endif
