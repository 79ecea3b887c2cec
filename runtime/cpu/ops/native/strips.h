/* SPDX-License-Identifier: Apache-2.0
 * Strips: 16, 8, 4 or 1 adjacent channels of an image, in any layout: what vectorised loops (loops.h) work on. */
#ifndef TRIBUTARY_RUNTIME_CPU_OPS_NATIVE_STRIPS_H
#define TRIBUTARY_RUNTIME_CPU_OPS_NATIVE_STRIPS_H

#include "cpu/ops/native/loops.h"
#include "cpu/ops/pixels.h"

enum { TRIB_WIDEST_STRIP = 16 };

typedef struct trib_strip {
    int first, width; /* channels; block padding counts */
    int used;         /* without that padding */
} trib_strip;

/* The strip that begins at channel `first` of a view of `channels`; its width is 0 behind the last one. Views of the
 * same layout and channels have the same strips. */
static inline trib_strip trib_strip_at(const trib_pixels *p, int channels, int first)
{
    int left = p->channels - first, used = channels - first;
    int width = p->width < left ? p->width : left;
    width = width >= 16 ? 16 : width >= 8 ? 8 : width >= 4 ? 4 : width >= 1;
    return (trib_strip) { first, width, used < width ? used : width };
}

#define TRIB_FOR_STRIPS(s, pixels, channels)                                    \
    for (trib_strip s = trib_strip_at((pixels), (channels), 0); (s).width != 0; \
         s = trib_strip_at((pixels), (channels), (s).first + (s).width))

/* Elements from the start of the view to the strip in image n. */
static inline int64_t trib_strip_offset(const trib_pixels *p, const trib_strip *s, int n)
{
    return n * p->image + s->first / p->width * p->group + s->first % p->width;
}

/* The strip's pixels in image n of the view at `memory`, which a const view's loops only read. */
static inline trib_run trib_strip_run(const trib_pixels *p, const void *memory, const trib_strip *s, int n)
{
    return (trib_run) { (float *)memory + trib_strip_offset(p, s, n), p->pitch };
}

static inline int64_t trib_image_pixels(const trib_pixels *p) { return (int64_t)p->h * p->w; }

/* One value per channel of a strip. */
typedef struct trib_strip_values {
    float value[TRIB_WIDEST_STRIP];
} trib_strip_values;

/* The strip's part of a vector; zeros for the padding. */
static inline trib_strip_values trib_strip_load(const float *vector, const trib_strip *s)
{
    trib_strip_values v = { { 0 } };
    for (int c = 0; c < s->used; ++c) v.value[c] = vector[s->first + c];
    return v;
}

#endif
