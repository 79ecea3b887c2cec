/* SPDX-License-Identifier: Apache-2.0
 * Regions of pictures. The pictures of a problem lie behind each other, each smaller than the one before; rows name
 * them by their place. */
#include <stdio.h>
#include <string.h>

#include "table/problem.h"
#include "tributary/internal/alloc.h"

/* Picture k of a problem. */
static int side(int of_first, int k) { return of_first > k ? of_first - k : 1; }

static int64_t bytes_before(const trib_kernel_regions *r, int picture)
{
    int64_t bytes = 0;
    for (int k = 0; k < picture; ++k) bytes += 3 * (int64_t)side(r->width, k) * side(r->height, k);
    return bytes;
}

static float between(trib_random_state *r, float low, float high)
{
    return low + (high - low) * (float)trib_random_between(r, 0, 1 << 16) / (1 << 16);
}

typedef struct box {
    float x, y, width, height;
} box;

enum { INSIDE, COPY, PARTLY_OUTSIDE, OUTSIDE, WITHIN_A_PIXEL, THIN, HUGE_BOX, NO_PICTURE, BOXES };

static box box_of(int kind, int w, int h, const trib_regions_geometry *g, trib_random_state *r)
{
    const float width = (float)w, height = (float)h;
    switch (kind) {
    case COPY:
        return (box) { (float)trib_random_between(r, -2, w - 1), (float)trib_random_between(r, -2, h - 1), (float)g->w,
                       (float)g->h };
    case PARTLY_OUTSIDE: return (box) { between(r, -width, 0), between(r, 0, height), 1.5f * width, height };
    case OUTSIDE: return (box) { width + 1, between(r, -height, height), width, height };
    case WITHIN_A_PIXEL: return (box) { between(r, 0, width - 1), between(r, 0, height - 1), 0.01f, 0.25f };
    case THIN: return (box) { between(r, 0, width), -1, 1e-3f, height + 2 };
    case HUGE_BOX: return (box) { -1e6f, -3, 2e6f, 16777216 };
    default: return (box) { between(r, 0, width / 4), between(r, 0, height / 4), 0.7f * width, 0.7f * height };
    }
}

void trib_region_rows(const trib_kernel_problem *p, trib_region_row *rows)
{
    const trib_kernel_regions *regions = &p->regions;
    trib_random_state r = trib_random_from(regions->seed);
    for (int i = 0; i < regions->geometry.n; ++i) {
        const int picture = i % regions->pictures;
        const int w = side(regions->width, picture), h = side(regions->height, picture);
        const int kind = regions->seed ? trib_random_between(&r, 0, BOXES - 1) : INSIDE;
        const box b = box_of(kind, w, h, &regions->geometry, &r);
        rows[i] = (trib_region_row) { .pixels = (uint64_t)bytes_before(regions, picture),
                                      .picture_width = w,
                                      .picture_height = h,
                                      .x = b.x,
                                      .y = b.y,
                                      .width = b.width,
                                      .height = b.height,
                                      .mirror = trib_random_chance(&r, 2) };
        if (kind == NO_PICTURE) memset(&rows[i], 0, sizeof rows[i]);
    }
}

/* NCHW; of one pixel, channels lie side by side either way. */
static bool in_planes(const trib_regions_geometry *g) { return g->pixel < g->channels; }

/* Samples cost three times a multiply-add between two values, then scale and shift. */
static void describe(trib_kernel_problem *p)
{
    const trib_kernel_regions *r = &p->regions;
    const trib_regions_geometry *g = &r->geometry;
    p->flops = 11 * 3 * (double)g->n * g->h * g->w;
    snprintf(p->text, sizeof p->text, "n=%d %dx%d channels=%d %s%s of %d pictures of %dx%d seed %d", g->n, g->h, g->w,
             g->channels, in_planes(g) ? "nchw" : "nhwc", g->bgr ? " bgr" : "", r->pictures, r->width, r->height,
             r->seed);
}

void trib_regions_problem(trib_kernel_problem *p, const trib_regions_geometry *g, int pictures, int width, int height,
                          int seed)
{
    memset(p, 0, sizeof *p);
    p->regions = (trib_kernel_regions) { *g, pictures, width, height, seed };
    p->input_count = 2;
    p->output_count = 1;
    p->inputs[0] = trib_floats(g->n, TRIB_REGION_ROW_BYTES / (int)sizeof(float));
    p->inputs[0].element = TRIB_KERNEL_REGIONS;
    p->inputs[1] = trib_slice(bytes_before(&p->regions, pictures), 1, 0, 0);
    p->inputs[1].element = TRIB_KERNEL_U8;
    p->outputs[0] = in_planes(g) ? trib_slice((int64_t)g->n * g->channels, g->h * g->w, 0, 0)
                                 : trib_slice((int64_t)g->n * g->h * g->w, g->channels, 0, (int)g->pixel - g->channels);
    describe(p);
}

static const struct {
    int n, h, w, channels, pictures, width, height;
} edges[] = {
    { 1, 1, 1, 3, 1, 1, 1 },    { 8, 5, 7, 8, 1, 1, 1 },     { 8, 3, 2, 8, 3, 2, 40 },    { 9, 16, 16, 8, 4, 40, 3 },
    { 16, 7, 9, 3, 5, 30, 20 }, { 16, 6, 43, 8, 2, 64, 64 }, { 3, 1, 300, 4, 1, 9, 500 }, { 2, 257, 1, 8, 2, 100, 5 },
};

static void edge(int index, trib_kernel_problem *p)
{
    trib_random_state r = trib_random_from(index);
    int n = trib_random_between(&r, 1, 9), h = trib_random_between(&r, 1, 40), w = trib_random_between(&r, 1, 40);
    int channels = trib_random_chance(&r, 2) ? 8 : trib_random_between(&r, 3, 8);
    int pictures = trib_random_between(&r, 1, 4), width = trib_random_between(&r, 1, 60);
    int height = trib_random_between(&r, 1, 60);
    if (index < 2 * TRIB_COUNT(edges)) {
        n = edges[index / 2].n, h = edges[index / 2].h, w = edges[index / 2].w, channels = edges[index / 2].channels;
        pictures = edges[index / 2].pictures, width = edges[index / 2].width, height = edges[index / 2].height;
    }
    const bool planes = index % 2;
    const int beside = trib_random_chance(&r, 4) && !planes ? 8 : 0;
    trib_regions_geometry g = { .n = n, .h = h, .w = w, .channels = channels, .bgr = trib_random_chance(&r, 2) };
    g.pixel = planes ? 1 : channels + beside;
    g.channel = planes ? h * w : 1;
    g.image = planes ? channels * g.channel : h * w * g.pixel;
    memcpy(g.scale, (const float[]) { 0.0171f, 0.0175f, 0.0174f }, sizeof g.scale);
    memcpy(g.shift, (const float[]) { -2.1f, -2.0f, -1.8f }, sizeof g.shift);
    trib_regions_problem(p, &g, pictures, width, height, index + 1);
}

static void reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    const trib_regions_geometry *g = &p->regions.geometry;
    const int64_t bytes = p->inputs[1].rows;
    trib_region_row *rows = trib_alloc_zeroed((size_t)g->n, sizeof *rows);
    uint8_t *pictures = trib_alloc((size_t)bytes);
    if (rows && pictures) { /* else what is unwritten shows */
        for (int64_t i = 0; i < bytes; ++i) pictures[i] = (uint8_t)inputs[1][i];
        trib_region_rows(p, rows);
        trib_ref_regions(g, rows, pictures, outputs[0]);
    }
    trib_free(rows);
    trib_free(pictures);
}

static trib_status run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs, void *const *outputs,
                       void *stream)
{
    return trib_cuda_regions(&p->regions.geometry, dtype, inputs[0], inputs[1], outputs[0], stream);
}

const trib_kernel trib_region_kernels[] = {
    { .name = "regions",
      .dtypes = TRIB_ALL_FLOATS,
      .tolerance = { 1e-6, 1e-3, 8e-3 },
      .edges = 2 * TRIB_COUNT(edges),
      .edge = edge,
      .reference = reference,
      .run = run },
};
const int trib_region_kernel_count = TRIB_COUNT(trib_region_kernels);
