/* SPDX-License-Identifier: Apache-2.0
 * Tributary: WebP by libwebp, lossy and lossless; alpha is dropped, not blended. An animation gives its first frame. As
 * in PIL, libwebpdemux decides whether the file is complete, and finds its frames. */
#include "image/decoders.h"

#if TRIB_HAVE_WEBP

#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

#include "image/exif.h"

static trib_status webp_error(VP8StatusCode code)
{
    switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return TRIB_VENDOR_ERROR(TRIB_OUT_OF_MEMORY, code, "libwebp", "libwebp is out of memory");
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, code, "libwebp", "truncated: the file ends before the image does");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return TRIB_VENDOR_ERROR(TRIB_UNSUPPORTED, code, "libwebp", "it uses a feature that libwebp does not decode");
    default:
        return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, code, "libwebp", "its data is damaged (libwebp status %d)", (int)code);
    }
}

static trib_status open_file(const uint8_t *bytes, size_t size, WebPDemuxer **out)
{
    WebPData data = { bytes, size };
    *out = WebPDemux(&data);
    if (*out) return trib_success();
    WebPDemuxState state;
    WebPDemuxDelete(WebPDemuxPartial(&data, &state)); /* accepts the start of a good file */
    if (state != WEBP_DEMUX_PARSE_ERROR) return webp_error(VP8_STATUS_NOT_ENOUGH_DATA);
    return TRIB_ERROR(TRIB_BAD_DATA, "libwebp cannot read its container: it is damaged, or memory is short");
}

/* A frame may cover a part of the canvas; the rest is black. */
static trib_status decode_frame(const WebPIterator *frame, trib_image *canvas)
{
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "libwebp has another version than the one this was built with");
    size_t stride = (size_t)canvas->width * 3, bytes = stride * (size_t)canvas->height;
    size_t start = (size_t)frame->y_offset * stride + (size_t)frame->x_offset * 3;
    if (frame->width < canvas->width || frame->height < canvas->height) memset(canvas->pixels, 0, bytes);
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = canvas->pixels + start;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = bytes - start;
    VP8StatusCode code = WebPDecode(frame->fragment.bytes, frame->fragment.size, &config);
    WebPFreeDecBuffer(&config.output); /* frees all but the pixels, which are ours */
    return code == VP8_STATUS_OK ? trib_success() : webp_error(code);
}

static trib_status decode_first(const WebPDemuxer *file, int64_t max_pixels, trib_image *out)
{
    WebPIterator frame;
    trib_image canvas = { 0 };
    TRIB_TRY(trib_image_create(WebPDemuxGetI(file, WEBP_FF_CANVAS_WIDTH), WebPDemuxGetI(file, WEBP_FF_CANVAS_HEIGHT), 3,
                               max_pixels, &canvas));
    bool found = WebPDemuxGetFrame(file, 1, &frame) != 0;
    trib_status s = found ? decode_frame(&frame, &canvas) : TRIB_ERROR(TRIB_BAD_DATA, "it holds no image");
    if (found) WebPDemuxReleaseIterator(&frame);
    if (trib_failed(&s)) {
        trib_image_release(&canvas);
        return s;
    }
    if (WebPDemuxGetI(file, WEBP_FF_FRAME_COUNT) > 1) canvas.note = TRIB_NOTE_ANIMATION;
    *out = canvas;
    return trib_outcome(&s);
}

static int find_orientation(const WebPDemuxer *file)
{
    WebPChunkIterator exif;
    if (!WebPDemuxGetChunk(file, "EXIF", 1, &exif)) return 1;
    int orientation = trib_exif_orientation(exif.chunk.bytes, exif.chunk.size);
    WebPDemuxReleaseChunkIterator(&exif);
    return orientation;
}

trib_status trib_decode_webp(const uint8_t *bytes, size_t size, const trib_decode_options *options, trib_image *out,
                             int *orientation)
{
    WebPDemuxer *file = NULL;
    trib_status s = open_file(bytes, size, &file);
    if (!trib_failed(&s)) s = decode_first(file, options->max_pixels, out);
    if (!trib_failed(&s) && options->apply_orientation) *orientation = find_orientation(file);
    WebPDemuxDelete(file); /* NULL is fine */
    return s;
}

#else

trib_status trib_decode_webp(const uint8_t *bytes, size_t size, const trib_decode_options *options, trib_image *out,
                             int *orientation)
{
    (void)bytes, (void)size, (void)options, (void)out, (void)orientation;
    return trib_decoder_missing("WebP", "libwebp", "libwebp-dev");
}

#endif
