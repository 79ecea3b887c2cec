/* SPDX-License-Identifier: Apache-2.0
 * What the reader of safetensors files shares with the writer and with models. */
#ifndef TRIBUTARY_FORMATS_SAFETENSORS_PRIVATE_H
#define TRIBUTARY_FORMATS_SAFETENSORS_PRIVATE_H

#include <stddef.h>

#include "formats/file.h"
#include "formats/json.h"
#include "tributary/safetensors.h"

/* The format's own limits, and its names of element types. */
#define TRIB_SAFETENSORS_MAX_HEADER ((size_t)100 * 1000 * 1000)
#define TRIB_SAFETENSORS_METADATA "__metadata__"
const char *trib_safetensors_dtype_name(trib_dtype dtype);

struct trib_safetensors {
    trib_mapping mapping;        /* empty when the bytes are the caller's */
    cJSON *header;               /* owns every name and value below */
    trib_tensor *tensors;        /* by place in the file */
    const trib_tensor **by_name; /* the same, sorted */
    int count;
    trib_key_value *metadata; /* sorted by key */
    int metadata_count;
};

/* All checks of a header's text against `data_size` bytes at `data`, which are not touched and may be NULL. Fills
 * `file` but the mapping; on failure, trib_safetensors_close must still be called. */
trib_status trib_safetensors_read_header(trib_safetensors *file, const char *text, size_t size, const void *data,
                                         size_t data_size);

/* See trib_model_release_pages. */
void trib_safetensors_release_pages(const trib_safetensors *file);

#endif
