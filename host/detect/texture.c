/* SPDX-License-Identifier: Apache-2.0
 * Tributary: derivatives of a Gaussian in four directions, in integers. That of any direction is a sum of two:
 *
 *     d/d(angle) = cos(angle) d/dx + sin(angle) d/dy */
#include "detect/texture.h"

#include <stdlib.h>

#include "tributary/internal/alloc.h"

/* A Gaussian of sigma 1 and its derivative, in 1/256, to either side. */
enum { SMOOTH0 = 102, SMOOTH1 = 62, SMOOTH2 = 14, SMOOTH3 = 1, SLOPE1 = 62, SLOPE2 = 28, SLOPE3 = 3, RADIUS = 3 };

/* Both vertical passes for one row, with RADIUS pixels to either side: end pixels repeated. In 1/256. */
typedef struct texture_rows {
    int32_t *smooth, *slope;
} texture_rows;

static void filter_down(const uint8_t *const r[2 * RADIUS + 1], int count, texture_rows out)
{
    for (int i = 0; i < count; ++i)
        out.smooth[i] = (uint16_t)(SMOOTH0 * r[3][i] + SMOOTH1 * (r[2][i] + r[4][i]) + SMOOTH2 * (r[1][i] + r[5][i]) +
                                   SMOOTH3 * (r[0][i] + r[6][i]));
    for (int i = 0; i < count; ++i)
        out.slope[i] =
            (int16_t)(SLOPE1 * (r[4][i] - r[2][i]) + SLOPE2 * (r[5][i] - r[1][i]) + SLOPE3 * (r[6][i] - r[0][i]));
}

static void pad(int32_t *row, int count, int channels)
{
    for (int i = 1; i <= RADIUS; ++i)
        for (int c = 0; c < channels; ++c) {
            row[c - (ptrdiff_t)i * channels] = row[c];
            row[count + c + (ptrdiff_t)(i - 1) * channels] = row[count - channels + c];
        }
}

/* Of a derivative in 1/256. A bin is 65536 / 28 / 256 = 9.14 grey levels wide; the steepest edge, from 0 to 255, gives
 * 92.6. */
static uint8_t bin(int32_t derivative)
{
    int32_t size = (derivative < 0 ? -derivative : derivative) * 28 >> 16;
    if (size > TRIB_TEXTURE_BINS - 1) size = TRIB_TEXTURE_BINS - 1;
    return (uint8_t)(size + (size && derivative < 0 ? TRIB_TEXTURE_BINS : 0));
}

/* x / sqrt(2). */
static int32_t shortened(int32_t x) { return (x * 181 + 128) >> 8; }

static void filter_across(texture_rows in, int count, int channels, int32_t *restrict across, int32_t *restrict down)
{
    const int32_t *s = in.smooth, *d = in.slope;
    const ptrdiff_t one = channels, two = 2 * one, three = 3 * one;
    for (ptrdiff_t i = 0; i < count; ++i) {
        int32_t x = SLOPE1 * (s[i + one] - s[i - one]) + SLOPE2 * (s[i + two] - s[i - two]) +
                    SLOPE3 * (s[i + three] - s[i - three]);
        int32_t y = SMOOTH0 * d[i] + SMOOTH1 * (d[i - one] + d[i + one]) + SMOOTH2 * (d[i - two] + d[i + two]) +
                    SMOOTH3 * (d[i - three] + d[i + three]);
        across[i] = (x + 128) >> 8, down[i] = (y + 128) >> 8;
    }
}

/* `out`: four rows. */
static void find_bins(const int32_t *across, const int32_t *down, int count, uint8_t *restrict out)
{
    for (int i = 0; i < count; ++i) out[i] = bin(across[i]);
    for (int i = 0; i < count; ++i) out[count + i] = bin(down[i]);
    for (int i = 0; i < count; ++i) out[2 * (ptrdiff_t)count + i] = bin(shortened(across[i] + down[i]));
    for (int i = 0; i < count; ++i) out[3 * (ptrdiff_t)count + i] = bin(shortened(across[i] - down[i]));
}

static int within(int y, int height) { return y < 0 ? 0 : y >= height ? height - 1 : y; }

trib_status trib_texture_bins(const uint8_t *planes, int width, int height, int channels, uint8_t *out)
{
    int count = width * channels, margin = RADIUS * channels;
    size_t padded = (size_t)count + 2 * (size_t)margin;
    int32_t *memory = trib_alloc(4 * padded * sizeof *memory);
    if (!memory) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the texture of an image");
    texture_rows rows = { memory + margin, memory + padded + margin };
    int32_t *across = memory + 2 * padded, *down = memory + 3 * padded;
    for (int y = 0; y < height; ++y) {
        const uint8_t *r[2 * RADIUS + 1];
        for (int i = 0; i <= 2 * RADIUS; ++i) r[i] = planes + (size_t)within(y + i - RADIUS, height) * (size_t)count;
        filter_down(r, count, rows);
        pad(rows.smooth, count, channels);
        pad(rows.slope, count, channels);
        filter_across(rows, count, channels, across, down);
        find_bins(across, down, count, out + (size_t)y * (size_t)count * TRIB_TEXTURE_AXES);
    }
    trib_free(memory);
    return trib_success();
}
