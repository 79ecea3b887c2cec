/* SPDX-License-Identifier: Apache-2.0
 * Files of torch.save as files of weights. */
#include <string.h>

#include "data/file.h"
#include "formats/torch_private.h"
#include "tributary/internal/alloc.h"

/* More would not be read from a file either. */
#define MOST_OF_A_PIPE ((size_t)16 << 30)

static bool is_zip(const unsigned char *head, size_t size) { return size > 4 && !memcmp(head, "PK\3\4", 4); }

/* The magic number as a pickle of protocol 2 to 5; from 4 on a frame comes first. */
static bool is_legacy(const unsigned char *head, size_t size)
{
    static const char magic[] = "\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.";
    enum { LENGTH = sizeof magic - 1, FRAME = 9 };
    if (size < 2 || head[0] != 0x80 || head[1] < 2 || head[1] > 5) return false;
    const size_t at = size > 2 && head[2] == 0x95 ? 2 + FRAME : 2;
    return size >= at + LENGTH && !memcmp(head + at, magic, LENGTH);
}

static bool is_tar(const unsigned char *head, size_t size)
{
    enum { MARK_AT = 257 };
    return size >= MARK_AT + 5 && !memcmp(head + MARK_AT, "ustar", 5);
}

static void close_weights(trib_weights_file *base)
{
    trib_torch_file *file = (trib_torch_file *)base;
    trib_torch_release_data(file);
    trib_blob_close(&file->blob);
    trib_pickle_free(&file->pickle);
    trib_zip_free(&file->zip);
    trib_free(file->pickle_bytes);
    trib_free(file->piped);
    trib_free(file->folder);
    trib_free(file->storages);
    trib_free(file->stored);
    trib_free(file->views);
    trib_free(file->base.tensors);
    trib_text_free(&file->names);
    trib_imported_release(&file->imported);
    trib_free(file->path);
    trib_free(file);
}

/* Messages of a blob name the file already. */
static trib_status named(trib_status s, const char *path)
{
    return trib_failed(&s) && strstr(s.message, trib_shorten(path).text) ? s : trib_with_name(s, path);
}

/* Storages are read by position, in any order: of a pipe, all is read first. */
static trib_status take_pipe(trib_torch_file *file)
{
    size_t size = 0;
    if (trib_blob_size(&file->blob) >= 0) return trib_success();
    TRIB_TRY(trib_blob_take(&file->blob, MOST_OF_A_PIPE, &file->piped, &size));
    trib_blob_close(&file->blob);
    return trib_blob_of_memory(file->piped, size, file->path, &file->blob);
}

static trib_status open_file(trib_blob *blob, const trib_weights_driver *driver, trib_status (*read)(trib_torch_file *),
                             trib_weights_file **out)
{
    trib_torch_file *file = trib_alloc_zeroed(1, sizeof *file);
    if (file) file->path = trib_strdup(blob->path);
    if (!file || !file->path) {
        trib_status s = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to open it", trib_shorten(blob->path).text);
        trib_blob_close(blob);
        trib_free(file);
        return s;
    }
    file->base.driver = driver;
    file->blob = *blob;
    *blob = trib_closed_blob();
    trib_status s = take_pipe(file);
    if (!trib_failed(&s)) s = read(file);
    s = named(s, file->path);
    if (trib_failed(&s))
        close_weights(&file->base);
    else
        *out = &file->base;
    return s;
}

static trib_status open_zip(trib_blob *blob, trib_weights_file **out)
{
    return open_file(blob, &trib_torch_zip_driver, trib_torch_open_zip, out);
}

static trib_status open_legacy(trib_blob *blob, trib_weights_file **out)
{
    return open_file(blob, &trib_torch_legacy_driver, trib_torch_open_legacy, out);
}

static trib_status open_tar(trib_blob *blob, trib_weights_file **out)
{
    return open_file(blob, &trib_torch_tar_driver, trib_torch_open_tar, out);
}

static trib_status load(trib_weights_file *base, trib_tensor_wanted wanted, const void *context)
{
    trib_torch_file *file = (trib_torch_file *)base;
    return named(trib_torch_load(file, wanted, context), file->path);
}

static void release_data(trib_weights_file *base) { trib_torch_release_data((trib_torch_file *)base); }

const trib_weights_driver trib_torch_zip_driver = { .format = "PyTorch",
                                                    .recognises = is_zip,
                                                    .open = open_zip,
                                                    .load = load,
                                                    .release_data = release_data,
                                                    .close = close_weights };

const trib_weights_driver trib_torch_legacy_driver = { .format = "PyTorch before 1.6",
                                                       .recognises = is_legacy,
                                                       .open = open_legacy,
                                                       .load = load,
                                                       .release_data = release_data,
                                                       .close = close_weights };

const trib_weights_driver trib_torch_tar_driver = { .format = "PyTorch before 0.1.11",
                                                    .recognises = is_tar,
                                                    .open = open_tar,
                                                    .load = load,
                                                    .release_data = release_data,
                                                    .close = close_weights };
