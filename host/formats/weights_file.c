/* SPDX-License-Identifier: Apache-2.0
 * The table of drivers, and the choice among them. */
#include "formats/weights_file.h"

#include <stdlib.h>
#include <string.h>

#include "data/file.h"
#include "formats/foreign.h"
#include "tributary/internal/alloc.h"

static const trib_weights_driver *const drivers[] = {
    &trib_safetensors_driver, &trib_torch_zip_driver, &trib_torch_legacy_driver,
    &trib_torch_tar_driver,   &trib_caffe_driver,     &trib_onnx_driver,
};

static const trib_weights_driver *driver_of(const unsigned char *head, size_t size)
{
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; ++i)
        if (drivers[i]->recognises(head, size)) return drivers[i];
    return NULL;
}

bool trib_weights_recognised(const unsigned char *head, size_t size) { return driver_of(head, size) != NULL; }

trib_status trib_weights_open_whole(const trib_weights_driver *driver, size_t size,
                                    trib_status (*read)(trib_weights_file *file, trib_blob *blob), trib_blob *blob,
                                    trib_weights_file **out)
{
    trib_weights_file *file = trib_alloc_zeroed(1, size);
    trib_status s = trib_success();
    if (!file) s = trib_with_name(TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to open it"), blob->path);
    if (file) file->driver = driver;
    if (file) s = read(file, blob);
    trib_blob_close(blob);
    if (trib_failed(&s))
        trib_weights_close(file);
    else
        *out = file;
    return s;
}

/* Takes `blob`. */
static trib_status open_blob(trib_blob *blob, trib_weights_file **out)
{
    const unsigned char *head = NULL;
    size_t size = 0;
    trib_status s = trib_blob_peek(blob, &head, &size);
    const trib_weights_driver *driver = trib_failed(&s) ? NULL : driver_of(head, size);
    if (driver) return driver->open(blob, out);
    if (!trib_failed(&s)) s = trib_with_name(trib_foreign_format(head, size), blob->path);
    trib_blob_close(blob);
    return s;
}

trib_status trib_weights_open(const char *path, trib_weights_file **out)
{
    trib_blob blob;
    TRIB_TRY(trib_blob_open(path, &blob));
    return open_blob(&blob, out);
}

trib_status trib_weights_open_memory(const void *bytes, size_t size, const char *name, trib_weights_file **out)
{
    trib_blob blob;
    TRIB_TRY(trib_blob_of_memory(bytes, size, name, &blob));
    return open_blob(&blob, out);
}

trib_status trib_weights_load(trib_weights_file *file, trib_tensor_wanted wanted, const void *context)
{
    return file->driver->load(file, wanted, context);
}

void trib_weights_release_data(trib_weights_file *file) { file->driver->release_data(file); }

void trib_weights_close(trib_weights_file *file)
{
    if (file) file->driver->close(file);
}

static int compare_key(const void *key, const void *pair) { return strcmp(key, ((const trib_key_value *)pair)->key); }

const char *trib_weights_metadata(const trib_weights_file *file, const char *key)
{
    if (!file->metadata_count) return NULL;
    const trib_key_value *found =
        bsearch(key, file->metadata, (size_t)file->metadata_count, sizeof *file->metadata, compare_key);
    return found ? found->value : NULL;
}
