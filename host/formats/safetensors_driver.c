/* SPDX-License-Identifier: Apache-2.0
 * safetensors as a file of weights. */
#include "formats/safetensors_private.h"

/* The first byte of the header, after its length. */
static bool recognises(const unsigned char *head, size_t size)
{
    return size > TRIB_SAFETENSORS_LENGTH && head[TRIB_SAFETENSORS_LENGTH] == '{';
}

static trib_status open_weights(trib_blob *blob, trib_weights_file **out)
{
    trib_safetensors *file = NULL;
    TRIB_TRY(trib_safetensors_open_blob(blob, &file));
    *out = &file->base;
    return trib_success();
}

static trib_status load(trib_weights_file *file, trib_tensor_wanted wanted, const void *context)
{
    return trib_safetensors_load((trib_safetensors *)file, wanted, context);
}

static void release_data(trib_weights_file *file) { trib_safetensors_release_data((trib_safetensors *)file); }

static void close_weights(trib_weights_file *file) { trib_safetensors_close((trib_safetensors *)file); }

const trib_weights_driver trib_safetensors_driver = { .format = "safetensors",
                                                      .recognises = recognises,
                                                      .open = open_weights,
                                                      .load = load,
                                                      .release_data = release_data,
                                                      .close = close_weights };
