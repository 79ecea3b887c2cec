/* SPDX-License-Identifier: Apache-2.0
 * A pipe: an image, a tar shard or an IDX file that can be read only once, from its beginning, as it comes. */
#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "data/recognise.h"
#include "tributary/internal/alloc.h"

enum { FIRST_BYTES = 64 << 10 };

typedef struct pipe_input {
    trib_input base;
    const trib_input_context *context;
    char *path, *labels_path;
    trib_reader reader;
    bool open, recognised, finished;
    trib_input *inner; /* the shard or the IDX file; NULL: an image, or not recognised yet */
    uint8_t *bytes;    /* of the image, as far as they have arrived */
    size_t size, capacity;
} pipe_input;

static trib_status open_inner(pipe_input *in, trib_content content)
{
    if (in->labels_path && content != TRIB_CONTENT_IDX)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: labels belong to an IDX file of images, but this is %s",
                          trib_shorten(in->path).text, content == TRIB_CONTENT_TAR ? "a tar shard" : "no IDX file");
    if (content == TRIB_CONTENT_IMAGE) return trib_success();
    in->open = false; /* passes the reader on */
    if (content == TRIB_CONTENT_TAR) return trib_tar_input_open(in->context, in->path, &in->reader, &in->inner);
    return trib_idx_input_open(in->context, in->path, &in->reader, in->labels_path, &in->inner);
}

static trib_status recognise(pipe_input *in)
{
    trib_content content = TRIB_CONTENT_IMAGE;
    if (!in->open) TRIB_TRY(trib_reader_open(in->path, in->context->wake_fd, &in->reader));
    in->open = true;
    TRIB_TRY(trib_recognise(in->path, &in->reader, &content));
    TRIB_TRY(open_inner(in, content));
    in->recognised = true;
    return trib_success();
}

/* The whole image, of at most TRIB_MAX_FILE_BYTES. */
static trib_status read_image(pipe_input *in)
{
    for (size_t got = 1; got; in->size += got) {
        if (in->size > TRIB_MAX_FILE_BYTES)
            return TRIB_ERROR(TRIB_BAD_DATA, "%s: more than %d bytes are too many for an image file",
                              trib_shorten(in->path).text, TRIB_MAX_FILE_BYTES);
        TRIB_TRY(trib_input_check_size(in->context->most_bytes, in->path, (int64_t)in->size));
        size_t wanted = in->size < FIRST_BYTES ? FIRST_BYTES : in->size + 1;
        if (trib_grow((void **)&in->bytes, &in->capacity, wanted, 1)) return trib_no_memory(in->path);
        TRIB_TRY(trib_reader_read_some(&in->reader, in->bytes + in->size, in->capacity - in->size, &got));
    }
    if (!in->size)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: the pipe is empty; it can be read only once",
                          trib_shorten(in->path).text);
    return trib_success();
}

static trib_status give_image(pipe_input *in, trib_item *item)
{
    TRIB_TRY(read_image(in));
    item->name = trib_strdup(in->path);
    if (!item->name) return trib_no_memory(in->path);
    item->bytes = in->bytes;
    item->size = in->size;
    in->bytes = NULL;
    in->finished = true;
    return trib_success();
}

static trib_status pipe_next(trib_input *input, trib_item *item, bool *end)
{
    pipe_input *in = (pipe_input *)input;
    if (in->finished) {
        *end = true;
        return trib_success();
    }
    trib_status s = in->recognised ? trib_success() : recognise(in);
    if (!trib_failed(&s) && in->inner) return in->inner->kind->next(in->inner, item, end);
    if (!trib_failed(&s)) s = give_image(in, item);
    if (!trib_failed(&s) || s.code == TRIB_CANCELLED) return s;
    in->finished = true;
    return trib_item_set_failure(item, in->path, &s);
}

static void pipe_close(trib_input *input)
{
    pipe_input *in = (pipe_input *)input;
    if (in->inner) in->inner->kind->close(in->inner);
    if (in->open) trib_reader_close(&in->reader);
    trib_free(in->bytes);
    trib_free(in->labels_path);
    trib_free(in->path);
    trib_free(in);
}

trib_status trib_pipe_input_open(const trib_input_context *context, const char *path, const char *labels_path,
                                 trib_input **out)
{
    static const trib_input_kind kind = { .next = pipe_next, .close = pipe_close };
    pipe_input *in = trib_alloc_zeroed(1, sizeof *in);
    if (!in) return trib_no_memory(path);
    in->base.kind = &kind;
    in->context = context;
    in->path = trib_strdup(path);
    in->labels_path = labels_path ? trib_strdup(labels_path) : NULL;
    if (!in->path || (labels_path && !in->labels_path)) {
        pipe_close(&in->base);
        return trib_no_memory(path);
    }
    *out = &in->base;
    return trib_success();
}
