/* SPDX-License-Identifier: Apache-2.0
 * Memory. libjpeg decodes a sequential JPEG with one scan in rows of blocks. One with several scans, progressive or
 * not, is first collected as a whole, as coefficients of 16 bits: two to eight times the bytes of its pixels.
 *
 * Time. Each scan of a progressive JPEG is a pass over the whole image, however few bytes it has. A normal file has at
 * least a bit per block of 64 pixels, and about ten scans: 5,000 scanned pixels per byte. */
#if TRIB_HAVE_JPEG

#include "image/jpeg_cost.h"

enum { MAX_SCANS = 500, PIXELS_PER_BYTE = 1 << 14 };
/* The maximum for files of any size, and the number that every file may have. */
static const int64_t MOST_PIXELS = INT64_C(1) << 33, FREE_PIXELS = INT64_C(1) << 26;

trib_status trib_jpeg_check_scans(struct jpeg_decompress_struct *jpeg, size_t size)
{
    if (!jpeg_has_multiple_scans(jpeg)) return trib_success();
    int64_t scans = jpeg->input_scan_number, pixels = (int64_t)jpeg->image_width * jpeg->image_height;
    int64_t allowed = size < (size_t)(MOST_PIXELS / PIXELS_PER_BYTE) ? (int64_t)size * PIXELS_PER_BYTE : MOST_PIXELS;
    if (allowed < FREE_PIXELS) allowed = FREE_PIXELS;
    if (scans <= MAX_SCANS && pixels <= allowed / (scans > 0 ? scans : 1)) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "%lld scans of %lld pixels in %zu bytes: refused as a decompression bomb, or nearly all of its "
                      "data is missing",
                      (long long)scans, (long long)pixels, size);
}

static int64_t round_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

/* All coefficients of one component, and pointers to their rows. */
static int64_t coefficient_bytes(const jpeg_component_info *c)
{
    int64_t columns = round_up(c->width_in_blocks, c->h_samp_factor);
    int64_t rows = round_up(c->height_in_blocks, c->v_samp_factor);
    return columns * rows * (int64_t)sizeof(JBLOCK) + rows * (int64_t)sizeof(JBLOCKROW);
}

/* Rows of samples between the steps of decoding, the largest with ten per row of blocks (8, and one above and below);
 * and the row of blocks being decoded. */
static int64_t row_bytes(const struct jpeg_decompress_struct *jpeg, const jpeg_component_info *c)
{
    enum { SAMPLE_ROWS = 10, PADDING = 64 };
    int64_t block_rows = c->v_samp_factor, columns = round_up(c->width_in_blocks, c->h_samp_factor) * DCTSIZE + PADDING;
    int64_t full = round_up(jpeg->image_width, jpeg->max_h_samp_factor) + PADDING;
    return block_rows * SAMPLE_ROWS * (columns + 4 * (int64_t)sizeof(JSAMPROW)) + jpeg->max_v_samp_factor * full;
}

int64_t trib_jpeg_decode_bytes(struct jpeg_decompress_struct *jpeg)
{
    enum { TABLES = 256 << 10 }; /* of Huffman codes, colours, and libjpeg's own objects */
    int64_t width = jpeg->image_width, pixels = width * jpeg->image_height, components = jpeg->num_components;
    int64_t bytes = TABLES + pixels * (components == 1 ? 1 : 3) + width * 4 /* a row of CMYK */ + width * components;
    bool whole = jpeg_has_multiple_scans(jpeg);
    for (int i = 0; i < jpeg->num_components; ++i) {
        bytes += row_bytes(jpeg, &jpeg->comp_info[i]);
        if (whole) bytes += coefficient_bytes(&jpeg->comp_info[i]);
    }
    return bytes;
}

#endif
