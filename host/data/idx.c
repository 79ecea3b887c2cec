/* SPDX-License-Identifier: Apache-2.0
 * IDX files, as MNIST and its kin come: big-endian magic (00 00 type dimensions), sizes, then unsigned bytes.
 *
 *     images  00000803  N H W        or  00000804  N H W C with C = 1 or 3
 *     labels  00000801  N
 *
 * Located images are read at their position of a plain file; those of a gzipped file are kept in memory.
 *
 * A plain file must have exactly the size given by its header. The length of a gzipped file or a pipe is known only at
 * its end: if that comes early, the images before it are returned, then one failed item. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "data/outputs.h"
#include "data/stream.h"
#include "tributary/internal/alloc.h"

enum { TYPE_U8 = 8, LABEL_STEP = 1 << 20 };

typedef struct idx_header {
    int dimensions;
    int64_t size[4];
} idx_header;

typedef struct idx_input {
    trib_input base;
    const trib_input_context *context;
    char *path;
    trib_stream stream;
    bool open, finished;
    int64_t count, given;
    int height, width, channels;
    int64_t begin;   /* of the first image's pixels in a plain file */
    uint8_t *labels; /* one per image; NULL: none */
    uint8_t *kept;   /* pixels of all images located so far in a gzipped file */
} idx_input;

static size_t image_bytes(const idx_input *idx)
{
    return (size_t)idx->height * (size_t)idx->width * (size_t)idx->channels;
}

static trib_status read_header(trib_stream *stream, bool labels, idx_header *header)
{
    uint8_t bytes[4 + 4 * 4];
    size_t got = 0;
    trib_short_name name = trib_shorten(stream->reader.path);
    TRIB_TRY(trib_stream_read(stream, bytes, 4, &got));
    if (got < 4 || bytes[0] || bytes[1])
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: not an IDX file: it does not begin with 00 00", name.text);
    if (bytes[2] != TYPE_U8)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: IDX element type %02x; only unsigned bytes (08) can be read",
                          name.text, bytes[2]);
    int n = bytes[3];
    if (labels ? n != 1 : n != 3 && n != 4)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: IDX data of %d dimensions where %s expected%s", name.text, n,
                          labels ? "labels (1) are" : "images (3 or 4) are",
                          n == 1   ? "; is this a file of labels?"
                          : n == 3 ? "; is this a file of images?"
                                   : "");
    TRIB_TRY(trib_stream_read(stream, bytes + 4, 4 * (size_t)n, &got));
    if (got < 4 * (size_t)n) return TRIB_ERROR(TRIB_BAD_DATA, "%s: the file ends inside its IDX header", name.text);
    header->dimensions = n;
    for (int i = 0; i < n; ++i) {
        const uint8_t *b = bytes + 4 + 4 * i;
        header->size[i] = (int64_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
    }
    return trib_success();
}

/* A plain file's size must match the header. `item_bytes` is at most 2^32. */
static trib_status check_size(const trib_stream *stream, const idx_header *header, int64_t item_bytes)
{
    int64_t size = stream->reader.size;
    if (stream->unpacker || size < 0) return trib_success();
    int64_t begin = 4 + 4 * header->dimensions, wanted = begin + header->size[0] * item_bytes;
    if (header->size[0] > INT64_MAX / 2 / item_bytes) wanted = INT64_MAX;
    if (wanted == size) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "%s: the IDX header promises %" PRId64 " items in %" PRId64 " bytes, but the file has %" PRId64
                      " bytes: %s",
                      trib_shorten(stream->reader.path).text, header->size[0], wanted, size,
                      size < wanted ? "is it truncated?" : "is the header damaged?");
}

static trib_status read_image_header(idx_input *idx)
{
    idx_header header;
    TRIB_TRY(read_header(&idx->stream, false, &header));
    const int64_t *size = header.size;
    int64_t channels = header.dimensions == 4 ? size[3] : 1;
    trib_short_name name = trib_shorten(idx->path);
    if (size[0] == 0) return TRIB_ERROR(TRIB_BAD_DATA, "%s: an IDX file of 0 images", name.text);
    if (size[1] == 0 || size[2] == 0 || size[1] > TRIB_MAX_IMAGE_PIXELS / size[2])
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: IDX images of %" PRId64 " x %" PRId64 " pixels", name.text, size[2],
                          size[1]);
    if (channels != 1 && channels != 3)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: IDX images of %" PRId64 " channels; 1 or 3 can be read", name.text,
                          channels);
    idx->count = size[0];
    idx->height = (int)size[1];
    idx->width = (int)size[2];
    idx->channels = (int)channels;
    idx->begin = 4 + 4 * header.dimensions;
    return check_size(&idx->stream, &header, size[1] * size[2] * channels);
}

/* Reads idx->count labels, taking memory only as bytes arrive. */
static trib_status read_label_values(idx_input *idx, trib_stream *stream)
{
    int64_t have = 0;
    while (have < idx->count) {
        int64_t step = idx->count - have < LABEL_STEP ? idx->count - have : LABEL_STEP;
        uint8_t *larger = trib_realloc_array(idx->labels, (size_t)(have + step), 1);
        if (!larger) return trib_no_memory(stream->reader.path);
        idx->labels = larger;
        size_t got = 0;
        TRIB_TRY(trib_stream_read(stream, larger + have, (size_t)step, &got));
        have += (int64_t)got;
        if ((int64_t)got < step)
            return TRIB_ERROR(TRIB_BAD_DATA, "%s: truncated: %" PRId64 " of %" PRId64 " labels",
                              trib_shorten(stream->reader.path).text, have, idx->count);
    }
    return trib_success();
}

static trib_status read_labels(idx_input *idx, const char *path)
{
    trib_stream stream;
    idx_header header;
    TRIB_TRY(trib_outputs_check(idx->context->outputs, path));
    trib_status s = trib_stream_open(path, idx->context->wake_fd, &stream);
    if (trib_failed(&s)) {
        trib_add_context(&s, "labels of %s", trib_base_name(trib_shorten(idx->path).text));
        return s;
    }
    TRIB_TRY_GOTO(s, done, read_header(&stream, true, &header));
    TRIB_TRY_GOTO(s, done, check_size(&stream, &header, 1));
    if (header.size[0] != idx->count) {
        s = TRIB_ERROR(TRIB_BAD_DATA, "%s: %" PRId64 " labels for the %" PRId64 " images of %s",
                       trib_shorten(path).text, header.size[0], idx->count, trib_shorten(idx->path).text);
        goto done;
    }
    s = read_label_values(idx, &stream);
done:
    trib_stream_close(&stream);
    return s;
}

/* train-images-idx3-ubyte.gz to train-labels-idx1-ubyte.gz; NULL: the name does not follow the convention, or no memory
 * (then *s is a failure). */
static char *guess_labels_path(const char *path, trib_status *s)
{
    const char *base = trib_base_name(path), *images = strstr(base, "images");
    if (!images) return NULL;
    char *guess = trib_strdup(path);
    if (!guess) {
        *s = trib_no_memory(path);
        return NULL;
    }
    memcpy(guess + (images - path), "labels", 6);
    for (char *idx = guess + (base - path); (idx = strstr(idx, "idx")); ++idx) {
        if (idx[3] == '3' || idx[3] == '4') idx[3] = '1';
    }
    return guess;
}

/* Images may be compressed when labels are not, and vice versa. */
static trib_status read_guessed_labels(idx_input *idx)
{
    trib_status s = trib_success();
    char *guess = guess_labels_path(idx->path, &s), *other = NULL;
    if (trib_failed(&s)) return s;
    if (!guess)
        return TRIB_ERROR(TRIB_NOT_FOUND, "%s: cannot guess its file of labels: no 'images' in its name; name the file",
                          trib_shorten(idx->path).text);
    s = read_labels(idx, guess);
    if (s.code != TRIB_NOT_FOUND) goto done;
    size_t length = strlen(guess);
    other = trib_alloc(length + 4);
    if (!other) {
        s = trib_no_memory(guess);
        goto done;
    }
    memcpy(other, guess, length + 1);
    if (trib_ends_with(other, ".gz"))
        other[length - 3] = '\0';
    else
        memcpy(other + length, ".gz", 4);
    trib_status second = read_labels(idx, other);
    if (second.code != TRIB_NOT_FOUND) s = second; /* otherwise report the first guess */
done:
    trib_free(other);
    trib_free(guess);
    return s;
}

/* The last item of a file that was truncated or damaged. */
static trib_status end_early(idx_input *idx, trib_item *item, const trib_status *reason)
{
    if (reason->code == TRIB_CANCELLED) return *reason;
    idx->finished = true;
    trib_status s = *reason;
    int64_t missing = idx->count - idx->given;
    if (missing) trib_add_context(&s, "the last %" PRId64 " of %" PRId64 " images are lost", missing, idx->count);
    return trib_item_set_failure(item, idx->path, &s);
}

/* After the last image: decompressing to the end verifies the checksum, and finds bytes beyond those of the header. */
static trib_status finish(idx_input *idx, trib_item *item, bool *end)
{
    uint8_t more;
    size_t got = 0;
    bool skipped = idx->context->locate && !idx->stream.unpacker; /* and its size is right */
    trib_status s = skipped ? trib_success() : trib_stream_read(&idx->stream, &more, 1, &got);
    if (s.code == TRIB_CANCELLED) return s;
    idx->finished = true;
    if (!trib_failed(&s) && got)
        s = TRIB_ERROR(TRIB_BAD_DATA, "%s: more bytes than the %" PRId64 " images of its IDX header",
                       trib_shorten(idx->path).text, idx->count);
    *end = !trib_failed(&s);
    return *end ? s : end_early(idx, item, &s);
}

static trib_status set_name(const idx_input *idx, trib_item *item)
{
    size_t size = strlen(idx->path) + 32;
    item->name = trib_alloc(size);
    if (!item->name) return trib_no_memory(idx->path);
    snprintf(item->name, size, "%s#%" PRId64, idx->path, idx->given);
    return trib_success();
}

/* Memory for all images of a gzipped file. */
static trib_status make_room(idx_input *idx)
{
    int64_t most = idx->context->most_kept / (int64_t)image_bytes(idx);
    if (idx->count > most)
        return TRIB_ERROR(TRIB_UNSUPPORTED,
                          "%s: unpacked, its pixels take %.3g MiB, more than the %.3g that may be kept in memory "
                          "(trib_training_set_options.kept_bytes); unpack the file with gunzip",
                          trib_shorten(idx->path).text, (double)idx->count * (double)image_bytes(idx) / (1 << 20),
                          (double)idx->context->most_kept / (1 << 20));
    idx->kept = trib_alloc((size_t)idx->count * image_bytes(idx));
    return idx->kept ? trib_success() : trib_no_memory(idx->path);
}

/* Unpacks the next image, or skips it in a plain file. */
static trib_status keep_pixels(idx_input *idx)
{
    size_t size = image_bytes(idx), got = 0;
    if (!idx->stream.unpacker) return trib_success();
    if (!idx->kept) TRIB_TRY(make_room(idx));
    TRIB_TRY(trib_stream_read(&idx->stream, idx->kept + (size_t)idx->given * size, size, &got));
    if (got == size) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "%s: truncated inside image %" PRId64, trib_shorten(idx->path).text, idx->given);
}

static trib_status locate(idx_input *idx, trib_item *item)
{
    trib_status s = keep_pixels(idx);
    if (s.code == TRIB_OUT_OF_MEMORY) return s;
    if (trib_failed(&s)) return end_early(idx, item, &s);
    TRIB_TRY(set_name(idx, item));
    item->index = idx->given;
    item->size = image_bytes(idx);
    if (idx->labels) item->label = idx->labels[idx->given];
    ++idx->given;
    return trib_success();
}

static trib_status read_pixels(const idx_input *idx, int64_t place, uint8_t *pixels)
{
    size_t size = image_bytes(idx), got = 0;
    const trib_reader *file = &idx->stream.reader;
    if (idx->kept) memcpy(pixels, idx->kept + (size_t)place * size, size);
    if (idx->kept) return trib_success();
    trib_reader reader = { .path = idx->path,
                           .fd = file->fd,
                           .wake_fd = -1,
                           .size = file->size,
                           .offset = idx->begin + place * (int64_t)size };
    TRIB_TRY(trib_reader_read(&reader, pixels, size, &got));
    if (got == size) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "%s: has become shorter: image %" PRId64 " is gone", trib_shorten(idx->path).text,
                      place);
}

static trib_status idx_load(const trib_input *input, const char *name, int64_t place, int64_t most_bytes,
                            trib_item *item)
{
    const idx_input *idx = (const idx_input *)input;
    trib_image image = { .width = idx->width, .height = idx->height, .channels = idx->channels };
    TRIB_TRY(trib_input_check_size(most_bytes, name, (int64_t)image_bytes(idx)));
    image.pixels = trib_alloc(image_bytes(idx));
    if (!image.pixels) return trib_no_memory(name);
    trib_status s = read_pixels(idx, place, image.pixels);
    if (trib_failed(&s))
        trib_image_release(&image);
    else
        item->image = image;
    return trib_outcome(&s);
}

static trib_status idx_next(trib_input *input, trib_item *item, bool *end)
{
    idx_input *idx = (idx_input *)input;
    *end = idx->finished;
    if (*end) return trib_success();
    if (idx->given == idx->count) return finish(idx, item, end);
    if (idx->context->locate) return locate(idx, item);
    size_t size = image_bytes(idx), got = 0;
    trib_status fits = trib_input_check_size(idx->context->most_bytes, idx->path, (int64_t)size);
    if (trib_failed(&fits)) return end_early(idx, item, &fits);
    uint8_t *pixels = trib_alloc(size);
    if (!pixels) return trib_no_memory(idx->path);
    trib_status s = trib_stream_read(&idx->stream, pixels, size, &got);
    if (!trib_failed(&s) && got < size)
        s = TRIB_ERROR(TRIB_BAD_DATA, "%s: truncated inside image %" PRId64, trib_shorten(idx->path).text, idx->given);
    if (trib_failed(&s)) {
        trib_free(pixels);
        return end_early(idx, item, &s);
    }
    s = set_name(idx, item);
    if (trib_failed(&s)) {
        trib_free(pixels);
        return s;
    }
    item->image =
        (trib_image) { .width = idx->width, .height = idx->height, .channels = idx->channels, .pixels = pixels };
    if (idx->labels) item->label = idx->labels[idx->given];
    ++idx->given;
    return trib_success();
}

static int64_t idx_count(const trib_input *input) { return ((const idx_input *)input)->count; }

static void idx_close(trib_input *input)
{
    idx_input *idx = (idx_input *)input;
    if (idx->open) trib_stream_close(&idx->stream);
    trib_free(idx->labels);
    trib_free(idx->kept);
    trib_free(idx->path);
    trib_free(idx);
}

trib_status trib_idx_input_open(const trib_input_context *context, const char *path, trib_reader *opened,
                                const char *labels_path, trib_input **out)
{
    static const trib_input_kind kind = { .next = idx_next, .count = idx_count, .load = idx_load, .close = idx_close };
    idx_input *idx = trib_alloc_zeroed(1, sizeof *idx);
    trib_status s = idx ? trib_success() : trib_no_memory(path);
    if (trib_failed(&s)) goto failed;
    idx->base = (trib_input) { .kind = &kind, .root = strlen(path), .one_size = true };
    idx->context = context;
    idx->path = trib_strdup(path);
    if (!idx->path) TRIB_TRY_GOTO(s, failed, trib_no_memory(path));
    if (opened) {
        opened->path = idx->path;
        s = trib_stream_take(opened, &idx->stream);
    } else {
        s = trib_stream_open(idx->path, context->wake_fd, &idx->stream);
    }
    if (trib_failed(&s)) goto failed;
    idx->open = true;
    TRIB_TRY_GOTO(s, failed, read_image_header(idx));
    if (labels_path)
        s = read_labels(idx, labels_path);
    else if (context->need_labels)
        s = read_guessed_labels(idx);
    if (trib_failed(&s)) goto failed;
    *out = &idx->base;
    return s;
failed:
    if (opened) trib_reader_close(opened);
    if (idx) idx_close(&idx->base);
    return s;
}
