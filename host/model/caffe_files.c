/* SPDX-License-Identifier: Apache-2.0 */
#include "model/caffe_files.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "data/file.h"
#include "formats/file.h"
#include "formats/foreign.h"
#include "formats/weights_file.h"
#include "tributary/internal/alloc.h"

/* A network's text has some hundred kilobytes, a mean image about one megabyte. */
enum { MAX_BYTES = 64 << 20 };

static trib_status take(const char *path, void **bytes, size_t *size)
{
    trib_blob blob;
    TRIB_TRY(trib_blob_open(path, &blob));
    trib_status s = trib_blob_take(&blob, MAX_BYTES, bytes, size);
    trib_blob_close(&blob);
    if (trib_failed(&s) || *size < MAX_BYTES) return s;
    trib_free(*bytes);
    return trib_with_name(TRIB_ERROR(TRIB_BAD_DATA, "is larger than 64 MB, so it is not what it should be"), path);
}

trib_status trib_prototxt_read(const char *path, trib_caffe_net *net)
{
    void *bytes = NULL;
    size_t size = 0;
    TRIB_TRY(take(path, &bytes, &size));
    trib_status s = trib_success();
    if (!trib_is_text(bytes, size)) s = TRIB_ERROR(TRIB_BAD_DATA, "is not a text file; a prototxt is one");
    if (!trib_failed(&s)) s = trib_caffe_read_text(bytes, size, net);
    trib_free(bytes);
    return trib_with_name(s, path);
}

static trib_status channel_means(const void *bytes, size_t size, float mean[3], bool *even)
{
    trib_caffe_blob blob;
    char text[TRIB_SHAPE_TEXT];
    TRIB_TRY(trib_caffe_read_blob(trib_pb_of(bytes, size), &blob));
    trib_caffe_lower_rank(&blob.shape, 3);
    if (blob.shape.rank != 3 || blob.shape.dim[0] != 3 || blob.count < 3)
        return TRIB_ERROR(TRIB_BAD_DATA, "has shape %s where a mean image has 3 channels, [3, height, width]",
                          trib_shape_text(&blob.shape, text));
    const int64_t pixels = blob.count / 3;
    const char *values = trib_caffe_settle(&blob);
    *even = true;
    for (int c = 0; c < 3; ++c) {
        double sum = 0;
        for (int64_t i = 0; i < pixels; ++i) {
            float value;
            memcpy(&value, values + sizeof value * (size_t)(c * pixels + i), sizeof value);
            sum += (double)value;
            *even &= !memcmp(&value, values + sizeof value * (size_t)(c * pixels), sizeof value);
        }
        if (!(fabs(sum / (double)pixels) <= 1e6))
            return TRIB_ERROR(TRIB_BAD_DATA, "the mean of channel %d is %g; the file is damaged", c,
                              sum / (double)pixels);
        mean[c] = (float)(sum / (double)pixels);
    }
    return trib_success();
}

#define WANTED "--mean-file takes Caffe's mean image (mean.binaryproto)"

/* Other files that people have beside a model. */
static trib_status check_kind(const unsigned char *bytes, size_t size)
{
    const bool is_blob = size > 2 && bytes[0] == 0x08 && bytes[2] == 0x10;
    if (trib_is_text(bytes, size))
        return TRIB_ERROR(TRIB_BAD_DATA, "is a text file; " WANTED ", and --prototxt the text of a network");
    if (!is_blob && trib_weights_recognised(bytes, size)) return TRIB_ERROR(TRIB_BAD_DATA, "is a model; " WANTED);
    return trib_success();
}

static trib_status read_means(const void *bytes, size_t size, float mean[3], bool *even)
{
    TRIB_TRY(check_kind(bytes, size));
    trib_status s = channel_means(bytes, size, mean, even);
    trib_add_context(&s, "mean image");
    return s;
}

trib_status trib_mean_image_read(const char *path, float mean[3], bool *even)
{
    void *bytes = NULL;
    size_t size = 0;
    TRIB_TRY(take(path, &bytes, &size));
    trib_status s = read_means(bytes, size, mean, even);
    trib_free(bytes);
    return trib_with_name(s, path);
}
