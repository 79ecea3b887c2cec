/* SPDX-License-Identifier: Apache-2.0
 * Tributary: strategies of selective search, and what a search needs. */
#include "detect/propose_options.h"

#include <math.h>

#include "detect/segments.h"

enum {
    ALL = TRIB_BY_COLOUR | TRIB_BY_TEXTURE | TRIB_BY_SIZE | TRIB_BY_FILL,
    COLOURLESS = ALL & ~TRIB_BY_COLOUR,
    PIXELS = 250000,
    MIN_SIDE = 20
};

static const struct {
    const char *name;
    trib_propose_options options;
} strategies[TRIB_STRATEGIES] = {
    [TRIB_STRATEGY_SINGLE] = { "single",
                               { .space_count = 1,
                                 .spaces = { TRIB_COLOURS_HSV },
                                 .set_count = 1,
                                 .sets = { ALL },
                                 .k_count = 1,
                                 .ks = { 100 } } },
    [TRIB_STRATEGY_FAST] = { "fast",
                             { .space_count = 2,
                               .spaces = { TRIB_COLOURS_HSV, TRIB_COLOURS_LAB },
                               .set_count = 2,
                               .sets = { ALL, COLOURLESS },
                               .k_count = 2,
                               .ks = { 50, 100 } } },
    [TRIB_STRATEGY_QUALITY] = { "quality",
                                { .space_count = 5,
                                  .spaces = { TRIB_COLOURS_HSV, TRIB_COLOURS_LAB, TRIB_COLOURS_RGI, TRIB_COLOURS_HUE,
                                              TRIB_COLOURS_INTENSITY },
                                  .set_count = 4,
                                  .sets = { ALL, COLOURLESS, TRIB_BY_FILL, TRIB_BY_SIZE },
                                  .k_count = 4,
                                  .ks = { 50, 100, 150, 300 } } },
    [TRIB_STRATEGY_PAPER] = { "paper",
                              { .space_count = 2,
                                .spaces = { TRIB_COLOURS_HSV, TRIB_COLOURS_LAB },
                                .set_count = 2,
                                .sets = { ALL, COLOURLESS },
                                .k_count = 2,
                                .ks = { 100, 200 } } },
};

static bool known(trib_strategy strategy) { return (int)strategy >= 0 && strategy < TRIB_STRATEGIES; }

const char *trib_strategy_name(trib_strategy strategy) { return known(strategy) ? strategies[strategy].name : NULL; }

trib_propose_options trib_propose_as(trib_strategy strategy)
{
    trib_propose_options options = strategies[known(strategy) ? strategy : TRIB_STRATEGY_FAST].options;
    options.pixels = PIXELS;
    options.min_side = MIN_SIDE;
    return options;
}

static trib_status check_count(const char *what, int count, int most)
{
    if (count >= 1 && count <= most) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_propose_options: %s is %d, 1 to %d are possible", what, count, most);
}

static trib_status check_lists(const trib_propose_options *o)
{
    for (int i = 0; i < o->space_count; ++i)
        if ((int)o->spaces[i] < 0 || o->spaces[i] >= TRIB_COLOUR_SPACES)
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_propose_options: spaces[%d] is %d, which is no colour space",
                              i, (int)o->spaces[i]);
    for (int i = 0; i < o->set_count; ++i)
        if (!o->sets[i] || o->sets[i] & ~(unsigned)ALL)
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                              "trib_propose_options: sets[%d] is %u, a sum of TRIB_BY_... is needed", i, o->sets[i]);
    for (int i = 0; i < o->k_count; ++i)
        if (o->ks[i] < 1 || o->ks[i] > TRIB_MAX_SEGMENT_K)
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_propose_options: ks[%d] is %d, 1 to %d are possible", i,
                              o->ks[i], TRIB_MAX_SEGMENT_K);
    return trib_success();
}

trib_status trib_propose_check(const trib_propose_options *options)
{
    if (!options) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_propose_options are NULL");
    TRIB_TRY(check_count("space_count", options->space_count, TRIB_PROPOSE_SPACES));
    TRIB_TRY(check_count("set_count", options->set_count, TRIB_PROPOSE_SETS));
    TRIB_TRY(check_count("k_count", options->k_count, TRIB_PROPOSE_KS));
    TRIB_TRY(check_lists(options));
    if (options->pixels < 0 || options->min_side < 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_propose_options: %s is negative",
                          options->pixels < 0 ? "pixels" : "min_side");
    return trib_success();
}

static int bounded(double value, int most) { return value < 1 ? 1 : value < most ? (int)value : most; }

trib_size trib_propose_size(const trib_propose_options *options, int width, int height)
{
    int64_t pixels = (int64_t)width * height;
    if (!options->pixels || pixels <= options->pixels) return (trib_size) { width, height };
    double scale = sqrt((double)options->pixels / (double)pixels);
    trib_size size = { bounded(width * scale, width), bounded(height * scale, height) };
    /* Of a narrow strip, whose short side is one pixel and cannot shrink in proportion. */
    if (size.height == 1) size.width = bounded(size.width, options->pixels);
    if (size.width == 1) size.height = bounded(size.height, options->pixels);
    return size;
}

/* ---- memory ---- */

/* Of `regions` start regions while they are grouped: twice the histograms; sizes, boxes, neighbours and their lists,
 * the heap. */
static int64_t region_bytes(int64_t regions) { return regions * (2 * 320 * 4 + 280); }

/* Per pixel: planes, texture and labels; edges; and what is larger, a copy of these to sort them or trees. */
static int64_t pixel_bytes(int64_t pixels) { return pixels * (3 + 12 + 4 + 16 + 20); }

/* A box, and its entry in the table; both may be twice as large as needed, beside half as large a copy. */
static int64_t box_bytes(int64_t boxes) { return boxes * 3 * (24 + 16); }

int64_t trib_propose_bytes(const trib_propose_options *options, int width, int height)
{
    trib_status status = trib_propose_check(options);
    if (trib_failed(&status) || width < 1 || height < 1 || width > TRIB_MAX_IMAGE_PIXELS / height) return 0;
    trib_size size = trib_propose_size(options, width, height);
    int64_t pixels = (int64_t)size.width * size.height, most = 0, boxes = 0;
    for (int i = 0; i < options->k_count; ++i) {
        int64_t regions = pixels / options->ks[i] + 1;
        if (regions > most) most = regions;
        boxes += options->space_count * regions * (1 + options->set_count);
    }
    int64_t fixed = 400000,
            reduced = pixels < (int64_t)width * height ? 3 * pixels + 32 * ((int64_t)width + height) : 0;
    return fixed + reduced + pixel_bytes(pixels) + region_bytes(most) + box_bytes(boxes) + 32 * (int64_t)size.width;
}
