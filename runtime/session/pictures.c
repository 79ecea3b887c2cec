/* SPDX-License-Identifier: Apache-2.0
 * Pictures on a device, by id. */
#include "session/pictures.h"

#include <math.h>
#include <string.h>

#include "tributary/internal/alloc.h"
#include "tributary/internal/process.h"

_Static_assert(sizeof(trib_region_row) == TRIB_REGION_ROW_BYTES, "a row has no padding");

typedef struct picture {
    int64_t id;
    int width, height;
    void *pixels;
} picture;

struct trib_pictures {
    trib_device *device;
    trib_stream *stream; /* copies, beside what the device computes */
    int64_t most_bytes, bytes, last_id;
    picture *list; /* in the order of ids */
    size_t count, capacity;
    uint64_t process;
};

static int64_t bytes_of(const picture *p) { return 3 * (int64_t)p->width * p->height; }

/* ---- life ---- */

trib_status trib_pictures_create(trib_device *device, int64_t most_bytes, trib_pictures **out)
{
    if (!device || !out || most_bytes < 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "pictures need a device, and a limit of 0 bytes or more");
    trib_pictures *p = trib_alloc_zeroed(1, sizeof *p);
    if (!p) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of pictures");
    *p = (trib_pictures) { .device = device, .most_bytes = most_bytes, .process = trib_process() };
    trib_status status =
        trib_stream_create(device, &(trib_stream_options) { .name = "pictures", .threads = 1 }, &p->stream);
    if (trib_failed(&status))
        trib_free(p);
    else
        *out = p;
    return trib_outcome(&status);
}

void trib_pictures_destroy(trib_pictures *p)
{
    if (!p || p->process != trib_process()) return;
    for (size_t i = 0; i < p->count; ++i) trib_device_free(p->device, p->stream, p->list[i].pixels);
    trib_stream_destroy(p->stream);
    trib_free(p->list);
    trib_free(p);
}

/* ---- adding and removing ---- */

static trib_status check_size(const trib_pictures *p, int width, int height)
{
    if (width < 1 || height < 1 || width > TRIB_PICTURE_MOST_SIDE || height > TRIB_PICTURE_MOST_SIDE)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a picture of %d x %d pixels; sides of 1 to %d are possible", width,
                          height, TRIB_PICTURE_MOST_SIDE);
    int64_t bytes = 3 * (int64_t)width * height;
    if (!p->most_bytes || bytes <= p->most_bytes - p->bytes) return trib_success();
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY,
                      "a picture of %d x %d pixels, %lld bytes, does not fit: %zu pictures use %lld of %lld bytes",
                      width, height, (long long)bytes, p->count, (long long)p->bytes, (long long)p->most_bytes);
}

static trib_status copy(trib_pictures *p, picture *new, const uint8_t *rgb)
{
    size_t bytes = (size_t)bytes_of(new);
    TRIB_TRY(trib_device_alloc(p->device, p->stream, bytes, &new->pixels));
    trib_status status = trib_copy_to_device(p->stream, new->pixels, rgb, bytes);
    trib_status copied = trib_stream_synchronize(p->stream); /* also after a failure: `rgb` is the caller's again */
    if (!trib_failed(&status)) status = copied;
    if (trib_failed(&status)) trib_device_free(p->device, p->stream, new->pixels);
    return trib_outcome(&status);
}

trib_status trib_pictures_add(trib_pictures *p, const uint8_t *rgb, int width, int height, int64_t *id)
{
    if (!p || !rgb || !id) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a picture needs a place, pixels and an id");
    TRIB_TRY(trib_made_here(p->process, "list of pictures"));
    TRIB_TRY(check_size(p, width, height));
    if (trib_grow((void **)&p->list, &p->capacity, p->count + 1, sizeof *p->list))
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %zu pictures", p->count + 1);
    picture new = { .id = p->last_id + 1, .width = width, .height = height };
    trib_status status = copy(p, &new, rgb);
    if (trib_failed(&status)) {
        trib_add_context(&status, "a picture of %d x %d pixels, beside %zu of %lld bytes", width, height, p->count,
                         (long long)p->bytes);
        return trib_outcome(&status);
    }
    p->list[p->count++] = new;
    p->bytes += bytes_of(&new);
    *id = p->last_id = new.id;
    return trib_success();
}

/* NULL: it is not there. */
static picture *find(const trib_pictures *p, int64_t id)
{
    size_t first = 0, end = p->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (p->list[middle].id < id)
            first = middle + 1;
        else
            end = middle;
    }
    return first < p->count && p->list[first].id == id ? &p->list[first] : NULL;
}

void trib_pictures_remove(trib_pictures *p, int64_t id)
{
    if (!p || p->process != trib_process()) return;
    picture *old = find(p, id);
    if (!old) return;
    p->bytes -= bytes_of(old);
    trib_device_free(p->device, p->stream, old->pixels);
    size_t behind = (size_t)(p->list + --p->count - old);
    memmove(old, old + 1, behind * sizeof *old);
}

int64_t trib_pictures_bytes(const trib_pictures *p) { return p->bytes; }
int trib_pictures_count(const trib_pictures *p) { return (int)p->count; }

/* ---- regions ---- */

/* Fails for NaN. */
static bool is_within(float value) { return fabsf(value) <= (float)TRIB_REGION_MOST; }

bool trib_region_is_possible(const trib_region *r)
{
    return r->width > 0 && r->height > 0 && is_within(r->x) && is_within(r->y) && is_within(r->width) &&
           is_within(r->height);
}

static trib_status check_region(const trib_pictures *p, const trib_region *r)
{
    if (!find(p, r->picture))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "there is no picture %lld%s", (long long)r->picture,
                          r->picture > 0 && r->picture <= p->last_id ? " any more" : "");
    if (!trib_region_is_possible(r))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "a box of %g x %g pixels at %g, %g; sizes above 0, and numbers up to %d are possible",
                          (double)r->width, (double)r->height, (double)r->x, (double)r->y, TRIB_REGION_MOST);
    return trib_success();
}

trib_status trib_pictures_check(const trib_pictures *p, const trib_device *device, const trib_region *regions, int n)
{
    TRIB_TRY(trib_made_here(p->process, "list of pictures"));
    if (p->device != device) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the pictures are on another device");
    for (int i = 0; i < n; ++i) {
        trib_status status = check_region(p, &regions[i]);
        trib_add_context(&status, "region %d", i);
        if (trib_failed(&status)) return trib_outcome(&status);
    }
    return trib_success();
}

void trib_pictures_rows(const trib_pictures *p, const trib_region *regions, int n, trib_region_row *rows)
{
    for (int i = 0; i < n; ++i) {
        const trib_region *r = &regions[i];
        const picture *from = find(p, r->picture);
        rows[i] = (trib_region_row) { .pixels = (uint64_t)(uintptr_t)from->pixels,
                                      .picture_width = from->width,
                                      .picture_height = from->height,
                                      .x = r->x,
                                      .y = r->y,
                                      .width = r->width,
                                      .height = r->height,
                                      .mirror = r->mirror };
    }
}

static float enlarged(float extent, int image, int pixels)
{
    return (float)((double)extent * image / (image - 2.0 * pixels));
}

trib_status trib_region_with_context(const trib_region *box, int image_width, int image_height, int pixels,
                                     trib_region *out)
{
    if (!box || !out) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_region_with_context needs a box and a result");
    if (pixels < 0 || image_width < 1 || image_height < 1 || pixels > (image_width - 1) / 2 ||
        pixels > (image_height - 1) / 2)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%d pixels of context leave nothing of images of %d x %d pixels",
                          pixels, image_width, image_height);
    trib_region r = *box;
    r.width = enlarged(box->width, image_width, pixels);
    r.height = enlarged(box->height, image_height, pixels);
    r.x = (float)(box->x + ((double)box->width - r.width) / 2);
    r.y = (float)(box->y + ((double)box->height - r.height) / 2);
    *out = r;
    return trib_success();
}
