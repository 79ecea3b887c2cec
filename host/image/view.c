/* SPDX-License-Identifier: Apache-2.0 */
#include "image/view.h"

#include <math.h>
#include <string.h>

#include "image/draw.h"
#include "image/preprocess.h"

enum { TRIES = 10 };

static const trib_sampling presets[] = {
    { .name = "none", .crop = TRIB_CROP_EVALUATION },
    { .name = "mirror", .crop = TRIB_CROP_EVALUATION, .mirror = true },
    { .name = "caffe", .crop = TRIB_CROP_WINDOW, .mirror = true },
    { .name = "paper",
      .crop = TRIB_CROP_AREA,
      .min_area = 0.08,
      .max_area = 1,
      .min_aspect = 3.0 / 4,
      .max_aspect = 4.0 / 3,
      .any_interpolation = true,
      .mirror = true,
      .distortion = 0.5,
      .lighting = 0.1 },
};

const trib_sampling *trib_sampling_at(int i)
{
    return i >= 0 && (size_t)i < sizeof presets / sizeof *presets ? &presets[i] : NULL;
}

const trib_sampling *trib_sampling_find(const char *name)
{
    for (int i = 0; name && trib_sampling_at(i); ++i) {
        if (strcmp(presets[i].name, name) == 0) return &presets[i];
    }
    return NULL;
}

static trib_status check_range(const char *field, double low, double high, double most)
{
    if (low > 0 && low <= high && high <= most) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "sampling: %s is %g to %g; it must be above 0, at most %g, and in order",
                      field, low, high, most);
}

trib_status trib_sampling_check(const trib_sampling *s)
{
    if (!s) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "sampling: NULL");
    if (s->crop != TRIB_CROP_EVALUATION && s->crop != TRIB_CROP_WINDOW && s->crop != TRIB_CROP_AREA)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "sampling: crop is %d, which is unknown", (int)s->crop);
    if (s->crop == TRIB_CROP_AREA) {
        TRIB_TRY(check_range("area", s->min_area, s->max_area, 1));
        TRIB_TRY(check_range("aspect", s->min_aspect, s->max_aspect, 1000));
    }
    if (!(s->distortion >= 0 && s->distortion <= 1))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "sampling: distortion is %g, must be 0 to 1", s->distortion);
    if (!(s->lighting >= 0 && s->lighting <= 10))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "sampling: lighting is %g, must be 0 to 10", s->lighting);
    return trib_success();
}

/* ---- crops ---- */

static int at_least_one(double side) { return side < 1 ? 1 : (int)side; }

/* The largest part in the middle whose aspect ratio is permitted. */
static trib_image_part central_box(const trib_sampling *s, int w, int h)
{
    double aspect = (double)w / h;
    trib_image_part box = { 0, 0, w, h };
    if (aspect < s->min_aspect) box.height = at_least_one(round(w / s->min_aspect));
    if (aspect > s->max_aspect) box.width = at_least_one(round(h * s->max_aspect));
    box.left = (w - box.width) / 2;
    box.top = (h - box.height) / 2;
    return box;
}

/* Every try takes the same count of numbers, so that later ones do not depend on how many were needed. */
static trib_image_part draw_box(const trib_sampling *s, int w, int h, trib_draws draws)
{
    for (int i = 0; i < TRIES; ++i) {
        double area = trib_draw_between(&draws, s->min_area, s->max_area) * w * h;
        double aspect = exp(trib_draw_between(&draws, log(s->min_aspect), log(s->max_aspect)));
        double width = round(sqrt(area * aspect)), height = round(sqrt(area / aspect));
        double left = trib_draw_unit(&draws), top = trib_draw_unit(&draws);
        if (!(width >= 1 && width <= w && height >= 1 && height <= h)) continue;
        return (trib_image_part) { (int)(left * (w - width + 1)), (int)(top * (h - height + 1)), (int)width,
                                   (int)height };
    }
    return central_box(s, w, h);
}

/* Caffe resizes to 256 for a crop of 224. */
static int window_side(int crop) { return (crop * 8 + 3) / 7; }

static trib_axis draw_window(int in, int crop, trib_draws *draws)
{
    int out = window_side(crop);
    return (trib_axis) { in, out, (int)trib_draw_below(draws, out - crop + 1), crop };
}

static trib_status draw_crop(const trib_sampling *s, const trib_preprocess *p, int w, int h, trib_draws draws,
                             trib_image_view *v)
{
    v->box = (trib_image_part) { 0, 0, w, h };
    switch (s->crop) {
    case TRIB_CROP_EVALUATION: return trib_preprocess_axes(p, w, h, &v->x, &v->y);
    case TRIB_CROP_WINDOW:
        v->x = draw_window(w, p->crop_width, &draws);
        v->y = draw_window(h, p->crop_height, &draws);
        break;
    case TRIB_CROP_AREA:
        v->box = draw_box(s, w, h, draws);
        v->x = (trib_axis) { v->box.width, p->crop_width, 0, p->crop_width };
        v->y = (trib_axis) { v->box.height, p->crop_height, 0, p->crop_height };
        break;
    }
    return trib_success();
}

/* ---- colours ---- */

static void draw_distortions(const trib_sampling *s, trib_draws draws, trib_image_view *v)
{
    for (int i = 0; i < TRIB_DISTORTIONS; ++i) {
        v->order[i] = (trib_distortion)i;
        v->factor[i] = (float)trib_draw_between(&draws, 1 - s->distortion, 1 + s->distortion);
    }
    for (int i = TRIB_DISTORTIONS - 1; i > 0; --i) {
        int j = (int)trib_draw_below(&draws, i + 1);
        trib_distortion other = v->order[i];
        v->order[i] = v->order[j];
        v->order[j] = other;
    }
}

static double draw_normal(trib_draws *draws)
{
    double radius = sqrt(-2 * log(1 - trib_draw_unit(draws)));
    return radius * cos(2 * 3.14159265358979323846 * trib_draw_unit(draws));
}

/* Principal components of ImageNet's RGB values of 0 to 1, and the deviation along each. */
static void draw_lighting(const trib_sampling *s, trib_draws draws, trib_image_view *v)
{
    static const double deviation[3] = { 0.2175, 0.0188, 0.0045 };
    static const double component[3][3] = { { -0.5675, -0.5808, -0.5836 }, /* of R, G, B */
                                            { 0.7192, -0.0045, -0.6948 },
                                            { 0.4009, -0.8140, 0.4203 } };
    for (int i = 0; i < 3; ++i) {
        double along = 255 * deviation[i] * s->lighting * draw_normal(&draws);
        for (int c = 0; c < 3; ++c) v->shift[c] += along * component[i][c];
    }
}

/* ---- all of it ---- */

trib_status trib_image_view_draw(const trib_sampling *s, const trib_preprocess *p, int width, int height, uint64_t key,
                                 trib_image_view *out)
{
    enum { CROP, INTERPOLATION, MIRROR, DISTORTION, LIGHTING }; /* each has its own numbers */
    trib_image_view v = { .interpolation = p->interpolation };
    TRIB_TRY(trib_sampling_check(s));
    TRIB_TRY(trib_preprocess_check(p));
    TRIB_TRY(draw_crop(s, p, width, height, trib_draws_of(trib_key_with(key, CROP)), &v));
    trib_draws which = trib_draws_of(trib_key_with(key, INTERPOLATION));
    if (s->any_interpolation) v.interpolation = (trib_interpolation)trib_draw_below(&which, TRIB_AREA + 1);
    trib_draws side = trib_draws_of(trib_key_with(key, MIRROR));
    v.mirror = s->mirror && trib_draw_below(&side, 2);
    draw_distortions(s, trib_draws_of(trib_key_with(key, DISTORTION)), &v);
    if (s->lighting > 0) draw_lighting(s, trib_draws_of(trib_key_with(key, LIGHTING)), &v);
    *out = v;
    return trib_success();
}
