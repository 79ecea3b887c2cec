/* SPDX-License-Identifier: Apache-2.0
 * A file of weights in any format: tensors by name, and metadata.
 *
 * The first bytes of a file decide its format, never its name. A format is a driver, a row of the table in
 * weights_file.c; readers of weights need not know it.
 *
 *     trib_weights_file *file;
 *     TRIB_TRY(trib_weights_open(path, &file));            names, shapes, element types, metadata; no data yet
 *     TRIB_TRY(trib_weights_load(file, wanted, context));  the data of the wanted tensors
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
    /* What models of other programs say, and leave open. */
    const char *assumed; /* of the preprocessing in the metadata, a sentence for people; NULL: nothing */
    bool mean_assumed;   /* the mean is part of it: that of a file is needed */
    int height, width;   /* of the network's input; 0: any, or it does not say */
} trib_weights_file;

typedef bool (*trib_tensor_wanted)(const void *context, const trib_tensor *tensor);

struct trib_weights_driver {
    const char *format; /* "safetensors" */
    /* Whether this driver opens a file that begins like this: `size` bytes, all of a short file. Opening finds later
     * errors. */
    bool (*recognises)(const unsigned char *head, size_t size);
    /* Reads and checks the descriptions of the tensors. *blob is at its beginning; the driver takes it and leaves a
     * closed one, also on failure. *out is changed only on success. */
    trib_status (*open)(trib_blob *blob, trib_weights_file **out);
    trib_status (*load)(trib_weights_file *file, trib_tensor_wanted wanted, const void *context);
    void (*release_data)(trib_weights_file *file);
    void (*close)(trib_weights_file *file);
};

/* `open` of a driver that is done with the blob when it has opened the file: its own struct, of `size` bytes, begins
 * with zeros, `read` fills it, and close releases what a failed `read` leaves. */
trib_status trib_weights_open_whole(const trib_weights_driver *driver, size_t size,
                                    trib_status (*read)(trib_weights_file *file, trib_blob *blob), trib_blob *blob,
                                    trib_weights_file **out);

extern const trib_weights_driver trib_safetensors_driver, trib_torch_zip_driver, trib_torch_legacy_driver,
    trib_torch_tar_driver, trib_caffe_driver, trib_onnx_driver;

/* Whether one of the drivers opens a file that begins like this: `size` bytes, all of a short file. */
bool trib_weights_recognised(const unsigned char *head, size_t size);

/* Reads the descriptions of the tensors from a file of any size or a pipe, without the data. `path` is copied. The file
 * or pipe stays open until load or close. */
trib_status trib_weights_open(const char *path, trib_weights_file **out);
/* The same for memory, which must outlive load or close; `name` appears in messages. */
trib_status trib_weights_open_memory(const void *bytes, size_t size, const char *name, trib_weights_file **out);

/* Reads the data into new memory, once, and closes the file. `wanted` NULL: all data. Otherwise, in a regular file,
 * tensors for which it is false stay without data if the format allows that. */
trib_status trib_weights_load(trib_weights_file *file, trib_tensor_wanted wanted, const void *context);
/* Frees the data; the tensors have none from then on. */
void trib_weights_release_data(trib_weights_file *file);
void trib_weights_close(trib_weights_file *file); /* NULL is fine */

const char *trib_weights_metadata(const trib_weights_file *file, const char *key); /* NULL when missing */

#ifdef __cplusplus
}
#endif
#endif
