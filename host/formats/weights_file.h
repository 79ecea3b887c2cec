/* SPDX-License-Identifier: Apache-2.0
 * A file of weights, whatever its format: tensors by name, and metadata.
 *
 * The first bytes tell which format a file has, never its name. A format is a driver, a row of the table in
 * weights_file.c; whoever reads weights knows of no format.
 *
 *     trib_weights_file *file;
 *     TRIB_TRY(trib_weights_open(path, &file));            names, shapes, element types, metadata; no data yet
 *     TRIB_TRY(trib_weights_load(file, wanted, context));  the data of what is wanted
 *     trib_weights_close(file);
 *
 * Every message names the file. One thread at a time uses a file. */
#ifndef TRIBUTARY_FORMATS_WEIGHTS_FILE_H
#define TRIBUTARY_FORMATS_WEIGHTS_FILE_H

#include "formats/file.h"
#include "tributary/safetensors.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_weights_driver trib_weights_driver;

/* First member of every driver's own struct. The driver owns the lists and their names, until close, and data, until it
 * is released. */
typedef struct trib_weights_file {
    const trib_weights_driver *driver;
    trib_tensor *tensors; /* dense; data is NULL before load and after release */
    int count;
    trib_key_value *metadata; /* sorted by key */
    int metadata_count;
} trib_weights_file;

typedef bool (*trib_tensor_wanted)(const void *context, const trib_tensor *tensor);

struct trib_weights_driver {
    const char *format; /* "safetensors" */
    /* Whether a file that begins like this is to be opened by this driver: `size` bytes, all of a short file. What is
     * wrong behind them, open tells. */
    bool (*recognises)(const unsigned char *head, size_t size);
    /* Reads and checks what says which tensors there are. *blob stands at its beginning; the driver takes it over and
     * leaves a closed one, also on failure. *out is changed only on success. */
    trib_status (*open)(trib_blob *blob, trib_weights_file **out);
    trib_status (*load)(trib_weights_file *file, trib_tensor_wanted wanted, const void *context);
    void (*release_data)(trib_weights_file *file);
    void (*close)(trib_weights_file *file);
};

extern const trib_weights_driver trib_safetensors_driver;

/* What is needed to know the tensors, of a file or a pipe; the data of a file of any size stays where it is. `path` is
 * copied. The file, or the pipe, stays open until load or close. */
trib_status trib_weights_open(const char *path, trib_weights_file **out);
/* The same of memory, which must outlive load or close; `name` appears in messages. */
trib_status trib_weights_open_memory(const void *bytes, size_t size, const char *name, trib_weights_file **out);

/* Once: the data into memory of its own, and the file is closed. `wanted` NULL: all of it. Else tensors that it is
 * false for go without data, where the format can leave them out: in a regular file. */
trib_status trib_weights_load(trib_weights_file *file, trib_tensor_wanted wanted, const void *context);
/* Frees the data; the tensors have none then. */
void trib_weights_release_data(trib_weights_file *file);
void trib_weights_close(trib_weights_file *file); /* NULL is fine */

const char *trib_weights_metadata(const trib_weights_file *file, const char *key); /* NULL when missing */

#ifdef __cplusplus
}
#endif
#endif
