/* SPDX-License-Identifier: Apache-2.0
 * Tributary: WebP by libwebp, lossy and lossless; alpha is dropped, not blended. */
#include "image/decoders.h"

#if TRIB_HAVE_WEBP

#include <webp/decode.h>

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

trib_status trib_decode_webp(const uint8_t *bytes, size_t size, int64_t max_pixels, trib_image *out)
{
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "libwebp has another version than the one this was built with");
    VP8StatusCode code = WebPGetFeatures(bytes, size, &config.input);
    if (code != VP8_STATUS_OK) return webp_error(code);
    if (config.input.has_animation)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "it is an animation; extract a frame first (webpmux -get frame 1)");
    trib_image image = { 0 };
    TRIB_TRY(trib_image_create(config.input.width, config.input.height, 3, max_pixels, &image));
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = image.pixels;
    config.output.u.RGBA.stride = image.width * 3;
    config.output.u.RGBA.size = (size_t)image.width * (size_t)image.height * 3;
    code = WebPDecode(bytes, size, &config);
    WebPFreeDecBuffer(&config.output); /* not the pixels: they are ours */
    if (code != VP8_STATUS_OK) {
        trib_image_release(&image);
        return webp_error(code);
    }
    *out = image;
    return trib_success();
}

#else

trib_status trib_decode_webp(const uint8_t *bytes, size_t size, int64_t max_pixels, trib_image *out)
{
    (void)bytes, (void)size, (void)max_pixels, (void)out;
    return trib_decoder_missing("WebP", "libwebp", "libwebp-dev");
}

#endif
