/* SPDX-License-Identifier: Apache-2.0
 * Tributary: derivatives of a Gaussian in four directions, in integers. That of any direction is a sum of two:
 *
 *     d/d(angle) = cos(angle) d/dx + sin(angle) d/dy */
#include "detect/texture.h"

#include <stdlib.h>

#include "tributary/internal/alloc.h"

/* A Gaussian of sigma 1 and its derivative, in 1/256, to either side. STEEPEST: what the derivative gives across an
 * edge from 0 to 255, in 1/256. */
enum { SMOOTH0 = 102, SMOOTH1 = 62, SMOOTH2 = 14, SMOOTH3 = 1, SLOPE1 = 62, SLOPE2 = 28, SLOPE3 = 3, RADIUS = 3 };
enum { STEEPEST = 255 * (SLOPE1 + SLOPE2 + SLOPE3) };

/* Both vertical passes for one row, with RADIUS pixels to either side: end pixels repeated. In 1/256. */
typedef struct texture_rows {
    int32_t *smooth, *slope;
} texture_rows;

static void filter_down(const uint8_t *const r[2 * RADIUS + 1], int count, texture_rows out)
{
    for (int i = 0; i < count; ++i) {
        out.smooth[i] = SMOOTH0 * r[3][i] + SMOOTH1 * (r[2][i] + r[4][i]) + SMOOTH2 * (r[1][i] + r[5][i]) +
                        SMOOTH3 * (r[0][i] + r[6][i]);
        out.slope[i] = SLOPE1 * (r[4][i] - r[2][i]) + SLOPE2 * (r[5][i] - r[1][i]) + SLOPE3 * (r[6][i] - r[0][i]);
    }
}

static void pad(int32_t *row, int count, int channels)
{
    for (int i = 1; i <= RADIUS; ++i)
        for (int c = 0; c < channels; ++c) {
            row[c - (ptrdiff_t)i * channels] = row[c];
            row[count + c + (ptrdiff_t)(i - 1) * channels] = row[count - channels + c];
        }
}

/* `derivative` in 1/256. */
static uint8_t bin(int32_t derivative)
{
    int32_t size = abs(derivative) * TRIB_TEXTURE_BINS / STEEPEST;
    if (size >= TRIB_TEXTURE_BINS) size = TRIB_TEXTURE_BINS - 1;
    return (uint8_t)(size && derivative < 0 ? size + TRIB_TEXTURE_BINS : size);
}

/* x / sqrt(2). */
static int32_t shortened(int32_t x) { return x * 181 / 256; }

static void filter_across(texture_rows in, int count, int channels, uint8_t *out)
{
    const int32_t *s = in.smooth, *d = in.slope;
    const ptrdiff_t one = channels, two = 2 * one, three = 3 * one;
    for (ptrdiff_t i = 0; i < count; ++i) {
        int32_t across = SLOPE1 * (s[i + one] - s[i - one]) + SLOPE2 * (s[i + two] - s[i - two]) +
                         SLOPE3 * (s[i + three] - s[i - three]);
        int32_t down = SMOOTH0 * d[i] + SMOOTH1 * (d[i - one] + d[i + one]) + SMOOTH2 * (d[i - two] + d[i + two]) +
                       SMOOTH3 * (d[i - three] + d[i + three]);
        across /= 256, down /= 256;
        out[TRIB_TEXTURE_AXES * i] = bin(across);
        out[TRIB_TEXTURE_AXES * i + 1] = bin(down);
        out[TRIB_TEXTURE_AXES * i + 2] = bin(shortened(across + down));
        out[TRIB_TEXTURE_AXES * i + 3] = bin(shortened(across - down));
    }
}

static int within(int y, int height) { return y < 0 ? 0 : y >= height ? height - 1 : y; }

trib_status trib_texture_bins(const uint8_t *planes, int width, int height, int channels, uint8_t *out)
{
    int count = width * channels, margin = RADIUS * channels;
    size_t padded = (size_t)count + 2 * (size_t)margin;
    int32_t *memory = trib_alloc(2 * padded * sizeof *memory);
    if (!memory) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the texture of an image");
    texture_rows rows = { memory + margin, memory + padded + margin };
    for (int y = 0; y < height; ++y) {
        const uint8_t *r[2 * RADIUS + 1];
        for (int i = 0; i <= 2 * RADIUS; ++i) r[i] = planes + (size_t)within(y + i - RADIUS, height) * (size_t)count;
        filter_down(r, count, rows);
        pad(rows.smooth, count, channels);
        pad(rows.slope, count, channels);
        filter_across(rows, count, channels, out + (size_t)y * (size_t)count * TRIB_TEXTURE_AXES);
    }
    trib_free(memory);
    return trib_success();
}
