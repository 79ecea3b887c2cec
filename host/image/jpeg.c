/* SPDX-License-Identifier: Apache-2.0
 * Tributary: JPEG by libjpeg(-turbo), accepting and refusing what PIL does. As in PIL, the end of the bytes suspends
 * libjpeg: an image whose rows were all read by then is good, with or without an end marker. A progressive one has rows
 * only after the end of its scans. libjpeg's warnings (stray bytes between segments, damaged entropy-coded data) are
 * not errors. */
#include "image/decoders.h"

#if TRIB_HAVE_JPEG

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs it */
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#include "image/exif.h"
#include "image/jpeg_cost.h"
#include "tributary/internal/alloc.h"

typedef struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    trib_status status; /* the reason for the jump */
    int64_t max_pixels;
    size_t size;      /* of the file */
    int *orientation; /* NULL: not wanted */
    trib_image image;
    uint8_t *cmyk; /* one row */
} reader;

static _Noreturn void escape(reader *r, trib_status status)
{
    r->status = status;
    longjmp(r->escape, 1);
}

static trib_code code_of(int libjpeg_code)
{
    switch (libjpeg_code) {
    case JERR_OUT_OF_MEMORY: return TRIB_OUT_OF_MEMORY;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_SOF_UNSUPPORTED: return TRIB_UNSUPPORTED;
    default: return TRIB_BAD_DATA;
    }
}

static void on_error(j_common_ptr jpeg)
{
    reader *r = jpeg->client_data;
    int code = jpeg->err->msg_code;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    escape(r, TRIB_VENDOR_ERROR(code_of(code), code, "libjpeg", "libjpeg says: %s", text));
}

static void on_message(j_common_ptr jpeg, int level)
{
    (void)jpeg;
    (void)level;
}

static void on_source(j_decompress_ptr jpeg) { (void)jpeg; }

static boolean on_end_of_bytes(j_decompress_ptr jpeg)
{
    (void)jpeg;
    return FALSE;
}

static void on_skip(j_decompress_ptr jpeg, long count)
{
    if (count <= 0) return;
    size_t left = jpeg->src->bytes_in_buffer, step = (unsigned long)count < left ? (size_t)count : left;
    jpeg->src->next_input_byte += step;
    jpeg->src->bytes_in_buffer -= step;
}

static void on_progress(j_common_ptr common)
{
    j_decompress_ptr jpeg = (j_decompress_ptr)common;
    reader *r = common->client_data;
    trib_status s = trib_jpeg_check_scans(jpeg, r->size);
    if (trib_failed(&s)) escape(r, s);
}

static int find_orientation(jpeg_saved_marker_ptr marker)
{
    for (; marker; marker = marker->next)
        if (marker->data_length >= 6 && !memcmp(marker->data, "Exif\0", 5))
            return trib_exif_orientation(marker->data, marker->data_length);
    return 1;
}

static void open_reader(reader *r, const uint8_t *bytes, size_t size)
{
    r->size = size;
    r->jpeg.err = jpeg_std_error(&r->errors);
    r->errors.error_exit = on_error;
    r->errors.emit_message = on_message;
    r->jpeg.client_data = r;
    jpeg_create_decompress(&r->jpeg); /* keeps err and client_data */
    r->source = (struct jpeg_source_mgr) { .next_input_byte = bytes,
                                           .bytes_in_buffer = size,
                                           .init_source = on_source,
                                           .fill_input_buffer = on_end_of_bytes,
                                           .skip_input_data = on_skip,
                                           .resync_to_restart = jpeg_resync_to_restart,
                                           .term_source = on_source };
    r->jpeg.src = &r->source;
    r->progress.progress_monitor = on_progress;
    r->jpeg.progress = &r->progress;
}

/* Reads from the header what decoding and inspecting need. */
static void check_header(reader *r)
{
    int components = r->jpeg.num_components;
    if (components != 1 && components != 3 && components != 4)
        escape(r, TRIB_ERROR(TRIB_UNSUPPORTED, "it has %d components; 1 (gray), 3 (colour) and 4 (CMYK) are read",
                             components));
    trib_status s = trib_image_check_size(r->jpeg.image_width, r->jpeg.image_height, r->max_pixels);
    if (!trib_failed(&s)) s = trib_jpeg_check_scans(&r->jpeg, r->size);
    if (trib_failed(&s)) escape(r, s);
}

static void choose_output(reader *r)
{
    switch (r->jpeg.num_components) {
    case 1: r->jpeg.out_color_space = JCS_GRAYSCALE; break;
    case 3: r->jpeg.out_color_space = JCS_RGB; break;
    default: r->jpeg.out_color_space = JCS_CMYK; break;
    }
    trib_status s = trib_image_create(r->jpeg.image_width, r->jpeg.image_height, r->jpeg.num_components == 1 ? 1 : 3,
                                      r->max_pixels, &r->image);
    if (trib_failed(&s)) escape(r, s);
    if (r->jpeg.num_components != 4) return;
    r->cmyk = trib_alloc((size_t)r->image.width * 4);
    if (!r->cmyk) escape(r, TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a row of CMYK pixels"));
}

static int divide_by_255(int value) /* rounded, for 0 .. 255 * 255 */
{
    int t = value + 128;
    return (t + (t >> 8)) >> 8;
}

/* Like PIL: four components are taken for Adobe's inverted CMYK, whatever the markers say, without colour management.
 */
static void cmyk_to_rgb(const uint8_t *cmyk, int width, uint8_t *rgb)
{
    for (int x = 0; x < width; ++x)
        for (int c = 0; c < 3; ++c) {
            int light = cmyk[4 * x + 3], ink = 255 - cmyk[4 * x + c];
            rgb[3 * x + c] = (uint8_t)(light - divide_by_255(ink * light));
        }
}

static void read_rows(reader *r)
{
    size_t row_bytes = (size_t)r->image.width * (size_t)r->image.channels;
    while (r->jpeg.output_scanline < r->jpeg.output_height) {
        uint8_t *row = r->image.pixels + r->jpeg.output_scanline * row_bytes;
        JSAMPROW target = r->cmyk ? r->cmyk : row;
        if (jpeg_read_scanlines(&r->jpeg, &target, 1) != 1)
            escape(r, TRIB_ERROR(TRIB_BAD_DATA, "truncated: the file ends before row %u of %u can be decoded",
                                 r->jpeg.output_scanline + 1, r->jpeg.output_height));
        if (r->cmyk) cmyk_to_rgb(r->cmyk, r->image.width, row);
    }
}

/* A file may begin with tables before the image. */
static void read_header(reader *r)
{
    int found;
    do found = jpeg_read_header(&r->jpeg, FALSE);
    while (found == JPEG_HEADER_TABLES_ONLY);
    if (found == JPEG_SUSPENDED) escape(r, TRIB_ERROR(TRIB_BAD_DATA, "truncated: the file ends in its header"));
}

static void start_rows(reader *r)
{
    if (jpeg_start_decompress(&r->jpeg)) return;
    escape(r, TRIB_ERROR(TRIB_BAD_DATA,
                         "truncated: the file ends without an end marker, in scan %d of a progressive "
                         "image",
                         r->jpeg.input_scan_number));
}

/* The only frame that libjpeg's errors jump to; everything that must survive the jump is in `*r`. */
static bool run(reader *r, const uint8_t *bytes, size_t size)
{
    if (setjmp(r->escape)) return false;
    open_reader(r, bytes, size);
    if (r->orientation) jpeg_save_markers(&r->jpeg, JPEG_APP0 + 1, 0xFFFF);
    read_header(r);
    if (r->orientation) *r->orientation = find_orientation(r->jpeg.marker_list);
    check_header(r);
    choose_output(r);
    start_rows(r);
    read_rows(r);
    (void)jpeg_finish_decompress(&r->jpeg); /* looks for errors up to the end marker, which may be missing */
    return true;
}

trib_status trib_decode_jpeg(const uint8_t *bytes, size_t size, const trib_decode_options *options, trib_image *out,
                             int *orientation)
{
    reader r = { .status = trib_success(),
                 .max_pixels = options->max_pixels,
                 .orientation = options->apply_orientation ? orientation : NULL };
    if (run(&r, bytes, size))
        *out = r.image;
    else
        trib_image_release(&r.image);
    trib_free(r.cmyk);
    jpeg_destroy_decompress(&r.jpeg);
    return r.status;
}

static bool run_header(reader *r, const uint8_t *bytes, size_t size)
{
    if (setjmp(r->escape)) return false;
    open_reader(r, bytes, size);
    read_header(r);
    check_header(r);
    return true;
}

trib_status trib_inspect_jpeg(const uint8_t *bytes, size_t size, int64_t max_pixels, trib_image_info *info)
{
    reader r = { .status = trib_success(), .max_pixels = max_pixels };
    if (run_header(&r, bytes, size))
        *info = (trib_image_info) { .width = (int)r.jpeg.image_width,
                                    .height = (int)r.jpeg.image_height,
                                    .channels = r.jpeg.num_components == 1 ? 1 : 3,
                                    .decode_bytes = trib_jpeg_decode_bytes(&r.jpeg) };
    jpeg_destroy_decompress(&r.jpeg);
    return r.status;
}

#else

trib_status trib_inspect_jpeg(const uint8_t *bytes, size_t size, int64_t max_pixels, trib_image_info *info)
{
    (void)bytes, (void)size, (void)max_pixels, (void)info;
    return trib_decoder_missing("JPEG", "libjpeg", "libjpeg62-turbo-dev");
}

trib_status trib_decode_jpeg(const uint8_t *bytes, size_t size, const trib_decode_options *options, trib_image *out,
                             int *orientation)
{
    (void)bytes, (void)size, (void)options, (void)out, (void)orientation;
    return trib_decoder_missing("JPEG", "libjpeg", "libjpeg62-turbo-dev");
}

#endif
