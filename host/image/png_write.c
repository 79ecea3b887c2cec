/* SPDX-License-Identifier: Apache-2.0 */
#include "image/png_write.h"

#include <string.h>

#include "image/png_chunks.h"

/* The text is an uncompressed chunk in front of the pixels: "tEXt", "Software", a zero byte, the text. */
static const char keyword[] = "tEXtSoftware";

bool trib_png_is_by(const uint8_t *bytes, size_t size, const char *software)
{
    const size_t name = sizeof keyword, length = strlen(software), all = name + length;
    for (size_t i = TRIB_PNG_SIGNATURE_BYTES; i + all <= size; ++i)
        if (memcmp(bytes + i, keyword, name) == 0 && memcmp(bytes + i + name, software, length) == 0) return true;
    return false;
}

#if TRIB_HAVE_SPNG

#include <spng.h>

#include "tributary/internal/alloc.h"

static void *allocate(size_t bytes) { return trib_alloc(bytes); }
static void *reallocate(void *block, size_t bytes) { return trib_realloc_array(block, bytes, 1); }
static void *allocate_zeroed(size_t count, size_t size) { return trib_alloc_zeroed(count, size); }

/* All that matters is how large screenshots get and how long they take: level 4 is a third of the time of zlib's
 * default, and a few per cent larger. */
enum { COMPRESSION_LEVEL = 4 };

static int encode(spng_ctx *png, const trib_image *picture, const char *software)
{
    struct spng_ihdr header = { .width = (uint32_t)picture->width,
                                .height = (uint32_t)picture->height,
                                .bit_depth = 8,
                                .color_type =
                                    picture->channels == 1 ? SPNG_COLOR_TYPE_GRAYSCALE : SPNG_COLOR_TYPE_TRUECOLOR };
    struct spng_text text = { .type = SPNG_TEXT, .length = strlen(software) };
    char mutable_text[TRIB_PNG_SOFTWARE_BYTES / 2];
    const size_t bytes = (size_t)picture->width * (size_t)picture->height * (size_t)picture->channels;
    if (text.length >= sizeof mutable_text) return SPNG_ETEXT;
    memcpy(mutable_text, software, text.length + 1);
    strcpy(text.keyword, "Software");
    text.text = mutable_text;
    int code = spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1);
    if (!code) code = spng_set_option(png, SPNG_IMG_COMPRESSION_LEVEL, COMPRESSION_LEVEL);
    if (!code) code = spng_set_ihdr(png, &header);
    if (!code) code = spng_set_text(png, &text, 1);
    if (!code) code = spng_encode_image(png, picture->pixels, bytes, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
    return code;
}

static trib_status png_error(int code)
{
    /* zlib's start fails only without memory. */
    if (code == SPNG_EMEM || code == SPNG_EZLIB_INIT)
        return TRIB_VENDOR_ERROR(TRIB_OUT_OF_MEMORY, code, "libspng", "no memory for a picture as PNG");
    return TRIB_VENDOR_ERROR(TRIB_INVALID_ARGUMENT, code, "libspng", "libspng cannot write the picture: %s",
                             spng_strerror(code));
}

trib_status trib_png_can_write(void) { return trib_success(); }

trib_status trib_png_write(const trib_image *picture, const char *software, uint8_t **bytes, size_t *size)
{
    struct spng_alloc memory = { allocate, reallocate, allocate_zeroed, trib_free };
    spng_ctx *png = spng_ctx_new2(&memory, SPNG_CTX_ENCODER);
    if (!png) return png_error(SPNG_EMEM);
    int code = encode(png, picture, software);
    if (!code) *bytes = spng_get_png_buffer(png, size, &code);
    spng_ctx_free(png);
    return code ? png_error(code) : trib_success();
}

#else

trib_status trib_png_can_write(void)
{
    return TRIB_ERROR(TRIB_UNSUPPORTED, "this build cannot write PNG: it was made without libspng; install it (Debian: "
                                        "libspng-dev) and rebuild");
}

trib_status trib_png_write(const trib_image *picture, const char *software, uint8_t **bytes, size_t *size)
{
    (void)picture, (void)software, (void)bytes, (void)size;
    return trib_png_can_write();
}

#endif
