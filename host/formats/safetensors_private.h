/* SPDX-License-Identifier: Apache-2.0
 * What the reader of safetensors files shares with the writer and with models. */
#ifndef TRIBUTARY_FORMATS_SAFETENSORS_PRIVATE_H
#define TRIBUTARY_FORMATS_SAFETENSORS_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

#include "formats/json.h"
#include "formats/weights_file.h"

/* The format's own limits, and its names of element types. */
enum { TRIB_SAFETENSORS_LENGTH = 8 }; /* bytes of the header's length, with which a file begins */
#define TRIB_SAFETENSORS_MAX_HEADER ((size_t)100 * 1000 * 1000)
#define TRIB_SAFETENSORS_METADATA "__metadata__"
const char *trib_safetensors_dtype_name(trib_dtype dtype);

/* Most data that is read into memory at once: a model of 16 times GoogLeNet's width has 7 GB. */
#define TRIB_SAFETENSORS_MAX_DATA ((int64_t)16 << 30)

struct trib_safetensors {
    trib_weights_file base;      /* tensors by place in the file */
    trib_blob blob;              /* open while the data is still to be read */
    int64_t data_at;             /* where it begins in the file */
    void *data;                  /* all of it, owned; NULL while it is not read, and when the bytes are the caller's */
    cJSON *header;               /* owns every name and value below */
    int64_t *places;             /* where each begins in the data */
    const trib_tensor **by_name; /* the tensors, sorted */
    int64_t data_size;           /* as the header has it */
};

/* The header of a file or memory, as trib_safetensors_open_header; takes *blob over, also on failure. */
trib_status trib_safetensors_open_blob(trib_blob *blob, trib_safetensors **out);

/* All checks of a header's text. Fills `file` with tensors that have no data yet; on failure, trib_safetensors_close
 * must still be called. */
trib_status trib_safetensors_read_header(trib_safetensors *file, const char *text, size_t size);
/* Whether the data is as long as the header says. */
trib_status trib_safetensors_check_data(const trib_safetensors *file, uint64_t data_size);

/* After trib_safetensors_open_header: the data into memory, where the tensors then have it. Closes the file. `wanted`
 * NULL: all of it; else, out of a regular file, only what it is true for, and the others go on without data. */
trib_status trib_safetensors_load(trib_safetensors *file, trib_tensor_wanted wanted, const void *context);
/* Frees the data again; the tensors have none then. */
void trib_safetensors_release_data(trib_safetensors *file);

#endif
