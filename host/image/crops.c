/* SPDX-License-Identifier: Apache-2.0 */
#include "image/crops.h"

#include <string.h>

#include "image/preprocess.h"

/* ---- the policy ---- */

/* 256, 288, 320 and 352 are 8, 9, 10 and 11 times 32, and 224 is 7 times 32. */
static void paper_scales(int input, trib_crops *c)
{
    enum { COUNT = 4, FIRST = 8, INPUT = 7 };
    for (int i = 0; i < COUNT; ++i) c->scales[i] = (2 * (FIRST + i) * input + INPUT) / (2 * INPUT);
    c->scale_count = COUNT;
}

static trib_status check_scales(const trib_crops *c)
{
    for (int i = 0; i < c->scale_count; ++i) {
        trib_preprocess p = c->preprocess;
        if (c->scales[i] < p.crop_width)
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                              "a scale of %d pixels is smaller than the model's input of %d x %d", c->scales[i],
                              p.crop_width, p.crop_height);
        p.resize = c->scales[i];
        p.resize_mode = TRIB_RESIZE_SHORT_SIDE;
        TRIB_TRY(trib_preprocess_check(&p));
    }
    return trib_success();
}

static void keep_smallest(trib_crops *c)
{
    for (int i = 1; i < c->scale_count; ++i)
        if (c->scales[i] < c->scales[0]) c->scales[0] = c->scales[i];
    c->scale_count = 1;
}

trib_status trib_crops_init(const trib_preprocess *preprocess, int policy, const int *scales, int scale_count,
                            trib_crops *out)
{
    TRIB_TRY(trib_preprocess_check(preprocess));
    trib_crops c = { .policy = policy, .preprocess = *preprocess };
    int height = preprocess->crop_height, width = preprocess->crop_width;
    if (policy != 1 && policy != 10 && policy != 144)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%d crops are unknown: 1, 10 or 144 are possible", policy);
    if (policy == 1 && scale_count > 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "scales are for 10 or 144 crops: one crop is the model's own");
    if (scale_count < 0 || scale_count > TRIB_MOST_SCALES)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%d scales: 1 to %d are possible", scale_count, TRIB_MOST_SCALES);
    if (policy != 1 && height != width)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "%d crops are of squares, but the model's input is %d x %d; 1 crop is possible", policy,
                          width, height);
    c.scale_count = scale_count;
    if (scale_count > 0) memcpy(c.scales, scales, (size_t)scale_count * sizeof *scales);
    if (policy != 1 && scale_count == 0) paper_scales(width, &c);
    TRIB_TRY(check_scales(&c));
    if (policy == 10) keep_smallest(&c);
    *out = c;
    return trib_success();
}

int trib_crops_evaluations(const trib_crops *crops)
{
    return crops->policy == 144 ? crops->scale_count * TRIB_CROPS_OF_A_SCALE : crops->policy;
}

bool trib_crops_same(const trib_crops *a, const trib_crops *b)
{
    const trib_preprocess *p = &a->preprocess, *q = &b->preprocess;
    if (a->policy != b->policy || p->crop_height != q->crop_height || p->crop_width != q->crop_width ||
        p->interpolation != q->interpolation || p->resample_order != q->resample_order)
        return false;
    if (a->policy == 1) return p->resize_mode == q->resize_mode && p->resize == q->resize;
    return a->scale_count == b->scale_count &&
           !memcmp(a->scales, b->scales, (size_t)a->scale_count * sizeof *a->scales);
}

/* ---- which parts ---- */

static bool same_axis(trib_axis a, trib_axis b)
{
    return a.in == b.in && a.out == b.out && a.first == b.first && a.count == b.count;
}

static bool same_part(trib_image_part a, trib_image_part b)
{
    return a.left == b.left && a.top == b.top && a.width == b.width && a.height == b.height;
}

static int add_picture(trib_crop_layout *l, trib_crop_picture wanted)
{
    int i = 0;
    for (; i < l->picture_count; ++i) {
        const trib_crop_picture *p = &l->pictures[i];
        if (p->from == wanted.from && same_part(p->part, wanted.part) && same_axis(p->x, wanted.x) &&
            same_axis(p->y, wanted.y))
            return i;
    }
    l->pictures[l->picture_count++] = wanted;
    return i;
}

static void add_crop(trib_crop_layout *l, trib_crop wanted)
{
    for (trib_crop *c = l->crops; c < l->crops + l->crop_count; ++c)
        if (c->picture == wanted.picture && c->x == wanted.x && c->y == wanted.y && c->mirror == wanted.mirror) {
            ++c->times;
            return;
        }
    wanted.times = 1;
    l->crops[l->crop_count++] = wanted;
}

/* An input at (x, y) of a picture, and its mirror image. */
static void add_pair(trib_crop_layout *l, int picture, int x, int y, int input)
{
    trib_crop crop = { .picture = picture, .x = x, .y = y, .width = input, .height = input };
    add_crop(l, crop);
    crop.mirror = true;
    add_crop(l, crop);
}

/* The square of `side` at (x, y) of a picture. */
static void add_square(trib_crop_layout *l, int picture, int x, int y, int side, int input, bool whole)
{
    int far = side - input, centre = trib_centre_offset(side, input);
    add_pair(l, picture, x, y, input);
    add_pair(l, picture, x + far, y, input);
    add_pair(l, picture, x, y + far, input);
    add_pair(l, picture, x + far, y + far, input);
    add_pair(l, picture, x + centre, y + centre, input);
    if (!whole) return;
    trib_axis axis = { side, input, 0, input };
    if (far == 0) /* a resize to its own size */
        add_pair(l, picture, x, y, input);
    else
        add_pair(l, add_picture(l, (trib_crop_picture) { picture, { x, y, side, side }, axis, axis }), 0, 0, input);
}

/* Of a scale, 10 crops need the centre square, 144 crops all three. Those of an elongated image become a picture each,
 * so that the columns between them are not computed. */
static trib_status add_scale(const trib_crops *c, int scale, int width, int height, trib_crop_layout *l)
{
    trib_preprocess p = c->preprocess;
    p.resize_mode = TRIB_RESIZE_SHORT_SIDE;
    p.resize = p.crop_width = p.crop_height = scale;
    trib_axis x, y; /* of the centre square */
    TRIB_TRY(trib_preprocess_axes(&p, width, height, &x, &y));
    bool all = c->policy == 144, upright = x.out < y.out;
    trib_axis *along = upright ? &y : &x;
    int end = along->out - scale, centre = along->first, input = c->preprocess.crop_width;
    int squares[] = { all ? 0 : centre, centre, end }, count = all ? 3 : 1;
    bool apart = !all || end > 2 * scale;
    for (int i = 0; i < count; ++i) {
        along->first = apart ? squares[i] : 0;
        along->count = apart ? scale : along->out;
        int at = squares[i] - along->first;
        int picture = add_picture(l, (trib_crop_picture) { -1, { 0, 0, width, height }, x, y });
        add_square(l, picture, upright ? 0 : at, upright ? at : 0, scale, input, all);
    }
    return trib_success();
}

static trib_status add_own(const trib_crops *c, int width, int height, trib_crop_layout *l)
{
    trib_axis x, y;
    TRIB_TRY(trib_preprocess_axes(&c->preprocess, width, height, &x, &y));
    int picture = add_picture(l, (trib_crop_picture) { -1, { 0, 0, width, height }, x, y });
    add_crop(l, (trib_crop) { .picture = picture, .width = x.count, .height = y.count });
    return trib_success();
}

trib_status trib_crops_layout(const trib_crops *crops, int width, int height, trib_crop_layout *out)
{
    out->picture_count = out->crop_count = 0;
    if (width < 1 || height < 1)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "an image of %d x %d pixels has no crops", width, height);
    if (crops->policy == 1) TRIB_TRY(add_own(crops, width, height, out));
    for (int i = 0; i < crops->scale_count; ++i) TRIB_TRY(add_scale(crops, crops->scales[i], width, height, out));
    for (int i = 0; i < out->crop_count; ++i)
        out->crops[i].weight = (double)out->crops[i].times / trib_crops_evaluations(crops);
    return trib_success();
}

/* ---- their pixels ---- */

static trib_status make_picture(const trib_crops *c, const trib_crop_picture *how, const trib_image *from,
                                trib_image *out)
{
    const trib_preprocess *p = &c->preprocess;
    trib_image picture;
    TRIB_TRY(trib_resample_box(from, how->part, how->x, how->y, p->interpolation, p->resample_order, &picture));
    trib_status s = trib_image_to_rgb(&picture);
    if (trib_failed(&s))
        trib_image_release(&picture);
    else
        *out = picture;
    return trib_outcome(&s);
}

trib_status trib_crops_pictures(const trib_crops *crops, const trib_crop_layout *layout, const trib_image *image,
                                trib_image *pictures)
{
    TRIB_TRY(trib_image_check(image));
    for (int i = 0; i < layout->picture_count; ++i) pictures[i] = (trib_image) { 0 };
    for (int i = 0; i < layout->picture_count; ++i) {
        const trib_crop_picture *how = &layout->pictures[i];
        trib_status s = make_picture(crops, how, how->from < 0 ? image : &pictures[how->from], &pictures[i]);
        if (!trib_failed(&s)) continue;
        for (int k = 0; k < i; ++k) trib_image_release(&pictures[k]);
        return s;
    }
    return trib_success();
}

int64_t trib_crops_bytes(const trib_crops *crops, int width, int height, int channels)
{
    trib_crop_layout layout;
    trib_status s = trib_crops_layout(crops, width, height, &layout);
    if (trib_failed(&s)) return 0;
    int64_t kept = 0, peak = 0;
    for (int i = 0; i < layout.picture_count; ++i) {
        const trib_crop_picture *p = &layout.pictures[i];
        int given = p->from < 0 ? channels : 3;
        int64_t pixels = (int64_t)p->x.count * p->y.count, gray = given == 1 ? pixels : 0;
        int64_t resize = trib_resample_bytes(p->x, p->y, given, crops->preprocess.interpolation);
        if (kept + resize > peak) peak = kept + resize;
        kept += 3 * pixels;
        if (kept + gray > peak) peak = kept + gray;
    }
    return peak;
}
