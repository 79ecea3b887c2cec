/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/draw_boxes.h"

#include <math.h>
#include <string.h>

#include "formats/text.h"
#include "plot/font.h"

/* Half-open, in pixels. */
typedef struct area {
    int x0, y0, x1, y1;
} area;

static int within(double value, int low, int high) { return value < low ? low : value > high ? high : (int)value; }

/* Of a hue, in 6 steps around the circle: 1 where a channel is full. */
static double channel(double distance) { return distance < 0 ? 0 : distance > 1 ? 1 : distance; }

trib_colour trib_class_colour(int klass)
{
    const double golden = 0.61803398874989485, pale = 0.15;
    const double hue = 6 * fmod(0.03 + klass * golden, 1);
    const double c[3] = { channel(fabs(hue - 3) - 1), channel(2 - fabs(hue - 2)), channel(2 - fabs(hue - 4)) };
    uint8_t bytes[3];
    for (int i = 0; i < 3; ++i) bytes[i] = (uint8_t)(255 * (pale + (1 - pale) * c[i]));
    return (trib_colour) { bytes[0], bytes[1], bytes[2] };
}

static void fill(trib_image *picture, area a, trib_colour colour)
{
    const int x0 = a.x0 < 0 ? 0 : a.x0, x1 = a.x1 > picture->width ? picture->width : a.x1;
    const int y0 = a.y0 < 0 ? 0 : a.y0, y1 = a.y1 > picture->height ? picture->height : a.y1;
    for (int y = y0; y < y1; ++y)
        for (int x = x0; x < x1; ++x)
            memcpy(picture->pixels + 3 * ((size_t)y * (size_t)picture->width + (size_t)x),
                   (uint8_t[]) { colour.r, colour.g, colour.b }, 3);
}

static void draw_frame(trib_image *picture, area a, int line, trib_colour colour)
{
    const area sides[4] = { { a.x0, a.y0, a.x1, a.y0 + line },
                            { a.x0, a.y1 - line, a.x1, a.y1 },
                            { a.x0, a.y0, a.x0 + line, a.y1 },
                            { a.x1 - line, a.y0, a.x1, a.y1 } };
    for (int i = 0; i < 4; ++i) fill(picture, sides[i], colour);
}

static void draw_glyph(trib_image *picture, unsigned char character, int x, int y, int scale, trib_colour colour)
{
    for (int row = 0; row < TRIB_GLYPH_HEIGHT; ++row)
        for (int column = 0; column < TRIB_GLYPH_WIDTH; ++column)
            if (trib_glyph_has(character, row, column))
                fill(picture,
                     (area) { x + column * scale, y + row * scale, x + (column + 1) * scale, y + (row + 1) * scale },
                     colour);
}

/* The byte that stands for the next character, after which *text goes on. */
static unsigned char next_character(const char **text)
{
    const int length = trib_utf8_length(*text);
    const unsigned char character = length > 1 ? 0xFF : (unsigned char)**text;
    *text += length > 1 ? length : 1;
    return character;
}

static int count_characters(const char *text)
{
    int count = 0;
    for (; *text; ++count) next_character(&text);
    return count;
}

/* Black or white, whichever is easier to read on it. */
static trib_colour ink_on(trib_colour ground)
{
    const int light = 299 * ground.r + 587 * ground.g + 114 * ground.b > 128 * 1000;
    return light ? (trib_colour) { 0, 0, 0 } : (trib_colour) { 255, 255, 255 };
}

/* With a margin of one `scale` around it. */
static void draw_label(trib_image *picture, area box, int scale, trib_colour ground, const char *text)
{
    const int step = TRIB_GLYPH_STEP * scale, height = (TRIB_GLYPH_HEIGHT + 1) * scale;
    const int room = (picture->width - scale) / step, wanted = count_characters(text);
    const int shown = wanted < room ? wanted : room, width = shown * step + scale;
    const int y = box.y0 >= height ? box.y0 - height : box.y0;
    int x = box.x0 + width > picture->width ? picture->width - width : box.x0;
    if (!shown) return;
    fill(picture, (area) { x, y, x + width, y + height }, ground);
    x += scale;
    for (int i = 0; i < shown; ++i, x += step)
        draw_glyph(picture, next_character(&text), x, y + scale, scale, ink_on(ground));
}

void trib_draw_box(trib_image *picture, const trib_box *box, trib_colour colour, const char *text)
{
    const int w = picture->width, h = picture->height, longest = w > h ? w : h;
    const area a = { within(floor(box->x), 0, w), within(floor(box->y), 0, h), within(ceil(box->x + box->width), 0, w),
                     within(ceil(box->y + box->height), 0, h) };
    draw_frame(picture, a, within(longest / 250., 1, 16), colour);
    draw_label(picture, a, within(longest / 400., 1, 16), colour, text);
}
