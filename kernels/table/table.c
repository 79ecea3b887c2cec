/* SPDX-License-Identifier: Apache-2.0 */
#include "table/table.h"

#include <stdio.h>
#include <string.h>

#include "table/problem.h"

trib_random_state trib_random_from(int index) { return (trib_random_state) { (uint64_t)index * 2 + 1 }; }

/* SplitMix64 (Steele et al. 2014). */
static uint64_t next(trib_random_state *r)
{
    uint64_t z = r->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

int trib_random_between(trib_random_state *r, int low, int high)
{
    return low + (int)(next(r) % (uint64_t)(high - low + 1));
}

bool trib_random_chance(trib_random_state *r, int in) { return trib_random_between(r, 1, in) == 1; }

trib_kernel_array trib_slice(int64_t rows, int c, int before, int after)
{
    return (trib_kernel_array) {
        .element = TRIB_KERNEL_STORAGE, .rows = rows, .c = c, .first = before, .pitch = before + c + after, .scale = 1
    };
}

trib_kernel_array trib_floats(int64_t rows, int c)
{
    trib_kernel_array array = trib_slice(rows, c, 0, 0);
    array.element = TRIB_KERNEL_F32;
    return array;
}

static int behind(const trib_kernel_array *slice) { return slice->pitch - slice->first - slice->c; }

/* Channels beside the slices, where there are any, and ReLU. */
static void describe_ends(trib_kernel_problem *p, bool relu)
{
    const trib_kernel_array *x = &p->inputs[0], *y = &p->outputs[0];
    size_t used = strlen(p->text);
    if (x->pitch > x->c)
        used += (size_t)snprintf(p->text + used, sizeof p->text - used, " x beside %d+%d", x->first, behind(x));
    if (y->pitch > y->c)
        used += (size_t)snprintf(p->text + used, sizeof p->text - used, " y beside %d+%d", y->first, behind(y));
    snprintf(p->text + used, sizeof p->text - used, "%s", relu ? " relu" : "");
}

static trib_kernel_array slice_of(int64_t rows, int c, int first, int pitch)
{
    return trib_slice(rows, c, first, pitch - first - c);
}

void trib_window_problem(trib_kernel_problem *p, const trib_window_geometry *g, int x_first, int y_first)
{
    memset(p, 0, sizeof *p);
    p->input_count = p->output_count = 1;
    p->inputs[0] = slice_of((int64_t)g->n * g->h * g->w, g->c, x_first, g->x_pitch);
    p->outputs[0] = slice_of((int64_t)g->n * g->p * g->q, g->k, y_first, g->y_pitch);
    p->window = *g;
    p->flops = (double)g->n * g->p * g->q * g->c * g->r * g->s;
    snprintf(p->text, sizeof p->text, "n=%d c=%d %dx%d -> %dx%d window %dx%d stride %dx%d pad %d,%d,%d,%d", g->n, g->c,
             g->h, g->w, g->p, g->q, g->r, g->s, g->stride_h, g->stride_w, g->pad_top, g->pad_left, g->pad_bottom,
             g->pad_right);
    describe_ends(p, g->relu);
}

void trib_window_between_slices(trib_kernel_problem *p, const trib_window_geometry *geometry, int before, int after)
{
    trib_window_geometry g = *geometry;
    g.x_pitch = g.c + before + after;
    g.y_pitch = g.k + before + after;
    trib_window_problem(p, &g, after, before);
}

static int outputs_of(int extent, int window, int stride, int pad, bool ceil_mode)
{
    int count = (extent + 2 * pad - window + (ceil_mode ? stride - 1 : 0)) / stride + 1;
    /* The last window starts inside the image or its left padding. */
    return count > 1 && (count - 1) * stride >= extent + pad ? count - 1 : count;
}

trib_window_geometry trib_square_window(int n, int c, int h, int w, int size, int stride, int pad, bool ceil_mode)
{
    return (trib_window_geometry) { .n = n,
                                    .c = c,
                                    .h = h,
                                    .w = w,
                                    .k = c,
                                    .p = outputs_of(h, size, stride, pad, ceil_mode),
                                    .q = outputs_of(w, size, stride, pad, ceil_mode),
                                    .r = size,
                                    .s = size,
                                    .stride_h = stride,
                                    .stride_w = stride,
                                    .pad_top = pad,
                                    .pad_left = pad,
                                    .pad_bottom = pad,
                                    .pad_right = pad };
}

trib_window_geometry trib_random_window(trib_random_state *r, int channel_unit)
{
    const int size = trib_random_between(r, 1, 5);
    trib_window_geometry g =
        trib_square_window(trib_random_between(r, 1, 3), channel_unit * trib_random_between(r, 1, 80 / channel_unit),
                           trib_random_between(r, size, 20), trib_random_between(r, size, 20), size,
                           trib_random_between(r, 1, 3), trib_random_between(r, 0, size / 2), trib_random_chance(r, 2));
    g.relu = trib_random_chance(r, 3);
    return g;
}

void trib_pixel_problem(trib_kernel_problem *p, const trib_pixel_geometry *g, int x_first, int y_first)
{
    memset(p, 0, sizeof *p);
    p->input_count = p->output_count = 1;
    p->inputs[0] = slice_of(g->rows, g->c, x_first, g->x_pitch);
    p->outputs[0] = slice_of(g->rows, g->c, y_first, g->y_pitch);
    p->pixel = *g;
    p->flops = (double)g->rows * g->c;
    snprintf(p->text, sizeof p->text, "rows=%lld c=%d", (long long)g->rows, g->c);
    describe_ends(p, g->relu);
}

void trib_pixels_between_slices(trib_kernel_problem *p, int64_t rows, int c, int before, int after, bool relu)
{
    const int pitch = before + c + after;
    trib_pixel_problem(p, &(trib_pixel_geometry) { rows, c, pitch, pitch, relu }, after, before);
}

const trib_kernel *trib_kernel_at(int index)
{
    const struct {
        const trib_kernel *kernels;
        int count;
    } parts[] = {
        { trib_conv1x1_kernels, trib_conv1x1_kernel_count },
        { trib_pool_kernels, trib_pool_kernel_count },
        { trib_lrn_kernels, trib_lrn_kernel_count },
        { trib_pixel_kernels, trib_pixel_kernel_count },
        { trib_preprocess_kernels, trib_preprocess_kernel_count },
        { trib_region_kernels, trib_region_kernel_count },
        { trib_softmax_kernels, trib_softmax_kernel_count },
        { trib_parameter_kernels, trib_parameter_kernel_count },
        { trib_gradient_kernels, trib_gradient_kernel_count },
        { trib_pool_training_kernels, trib_pool_training_kernel_count },
        { trib_step_kernels, trib_step_kernel_count },
        { trib_loss_scale_kernels, trib_loss_scale_kernel_count },
    };
    for (int i = 0; i < TRIB_COUNT(parts); index -= parts[i].count, ++i)
        if (index < parts[i].count) return &parts[i].kernels[index];
    return NULL;
}
