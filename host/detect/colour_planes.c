/* SPDX-License-Identifier: Apache-2.0
 * Tributary: colour spaces, in integers: tables of roots and powers are rounded once, so that results do not depend on
 * how a compiler orders floating-point operations. */
#include "detect/colour_planes.h"

#include <math.h>

#include "tributary/internal/alloc.h"

int trib_colour_channels(trib_colour_space space)
{
    return space == TRIB_COLOURS_HUE || space == TRIB_COLOURS_INTENSITY ? 1 : 3;
}

/* a / b to the nearest, halves up; neither is negative. */
static int ratio(int a, int b) { return (2 * a + b) / (2 * b); }

static int intensity(const uint8_t *rgb) { return (299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000; }

typedef struct extremes {
    int most, range;
} extremes;

static extremes extremes_of(const uint8_t *rgb)
{
    int most = rgb[0] > rgb[1] ? rgb[0] : rgb[1], least = rgb[0] < rgb[1] ? rgb[0] : rgb[1];
    if (rgb[2] > most) most = rgb[2];
    if (rgb[2] < least) least = rgb[2];
    return (extremes) { most, most - least };
}

/* A turn is 0 .. 255. */
static uint8_t hue(const uint8_t *rgb, extremes e)
{
    if (!e.range) return 0;
    int sixths; /* of a turn, times the range */
    if (rgb[0] == e.most)
        sixths = rgb[1] - rgb[2] + (rgb[1] < rgb[2] ? 6 * e.range : 0);
    else if (rgb[1] == e.most)
        sixths = rgb[2] - rgb[0] + 2 * e.range;
    else
        sixths = rgb[0] - rgb[1] + 4 * e.range;
    return (uint8_t)ratio(255 * sixths, 6 * e.range);
}

static void to_hsv(const void *unused, const uint8_t *rgb, uint8_t *out)
{
    (void)unused;
    extremes e = extremes_of(rgb);
    out[0] = hue(rgb, e);
    out[1] = (uint8_t)(e.most ? ratio(255 * e.range, e.most) : 0);
    out[2] = (uint8_t)e.most;
}

static void to_rgi(const void *unused, const uint8_t *rgb, uint8_t *out)
{
    (void)unused;
    int sum = rgb[0] + rgb[1] + rgb[2];
    out[0] = (uint8_t)(sum ? ratio(255 * rgb[0], sum) : 85);
    out[1] = (uint8_t)(sum ? ratio(255 * rgb[1], sum) : 85);
    out[2] = (uint8_t)intensity(rgb);
}

static void to_hue(const void *unused, const uint8_t *rgb, uint8_t *out)
{
    (void)unused;
    out[0] = hue(rgb, extremes_of(rgb));
}

static void to_intensity(const void *unused, const uint8_t *rgb, uint8_t *out)
{
    (void)unused;
    out[0] = (uint8_t)intensity(rgb);
}

/* ---- CIE Lab ---- */

/* LINEAR is light of 1, ROOT an f(1). */
enum { LINEAR = 1 << 15, STEPS = 1 << 13, ROOT = 1 << 15 };

typedef struct lab_tables {
    int linear[256];   /* sRGB to light */
    int32_t matrix[9]; /* light to X / Xn, Y, Z / Zn; rows add up to LINEAR */
    int root[STEPS + 1];
} lab_tables;

static void make_lab_tables(lab_tables *t)
{
    static const int32_t matrix[9] = { 14220, 12328, 6220, 6969, 23434, 2365, 582, 3587, 28599 };
    for (int i = 0; i < 9; ++i) t->matrix[i] = matrix[i];
    for (int v = 0; v < 256; ++v) {
        double c = v / 255.0;
        t->linear[v] = (int)(LINEAR * (c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4)) + 0.5);
    }
    for (int i = 0; i <= STEPS; ++i) {
        double x = (double)i / STEPS;
        t->root[i] = (int)(ROOT * (x > 216.0 / 24389 ? cbrt(x) : (24389.0 / 27 * x + 16) / 116) + 0.5);
    }
}

/* f(x) of row `row` of the matrix. */
static int lab_root(const lab_tables *t, int row, const int light[3])
{
    const int32_t *m = t->matrix + (ptrdiff_t)3 * row;
    int64_t sum = (int64_t)m[0] * light[0] + (int64_t)m[1] * light[1] + (int64_t)m[2] * light[2];
    return t->root[(sum + (1 << 16)) >> 17];
}

/* value / ROOT to the nearest, within a byte. */
static uint8_t rooted_byte(int64_t value)
{
    int64_t rounded = (value + ROOT / 2) >> 15;
    return (uint8_t)(rounded < 0 ? 0 : rounded > 255 ? 255 : rounded);
}

static void to_lab(const void *tables, const uint8_t *rgb, uint8_t *out)
{
    const lab_tables *t = tables;
    int light[3] = { t->linear[rgb[0]], t->linear[rgb[1]], t->linear[rgb[2]] };
    int x = lab_root(t, 0, light), y = lab_root(t, 1, light), z = lab_root(t, 2, light);
    out[0] = rooted_byte(((int64_t)116 * y - (int64_t)16 * ROOT) * 255 / 100);
    out[1] = rooted_byte((int64_t)500 * (x - y) + (int64_t)128 * ROOT);
    out[2] = rooted_byte((int64_t)200 * (y - z) + (int64_t)128 * ROOT);
}

/* ---- images ---- */

typedef void convert_pixel(const void *tables, const uint8_t *rgb, uint8_t *out);

static void convert(convert_pixel *pixel, const void *tables, const trib_image *image, int channels, uint8_t *out)
{
    size_t count = (size_t)image->width * (size_t)image->height;
    for (size_t i = 0; i < count; ++i) {
        if (image->channels == 3) {
            pixel(tables, image->pixels + 3 * i, out + (size_t)channels * i);
            continue;
        }
        uint8_t v = image->pixels[i], rgb[3] = { v, v, v };
        pixel(tables, rgb, out + (size_t)channels * i);
    }
}

trib_status trib_colour_planes(const trib_image *image, trib_colour_space space, uint8_t *out)
{
    static convert_pixel *const pixels[TRIB_COLOUR_SPACES] = {
        [TRIB_COLOURS_HSV] = to_hsv,
        [TRIB_COLOURS_LAB] = to_lab,
        [TRIB_COLOURS_RGI] = to_rgi,
        [TRIB_COLOURS_HUE] = to_hue,
        [TRIB_COLOURS_INTENSITY] = to_intensity,
    };
    lab_tables *tables = NULL;
    if (space == TRIB_COLOURS_LAB) {
        tables = trib_alloc(sizeof *tables);
        if (!tables) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the tables of a colour space");
        make_lab_tables(tables);
    }
    convert(pixels[space], tables, image, trib_colour_channels(space), out);
    trib_free(tables);
    return trib_success();
}
