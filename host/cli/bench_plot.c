/* SPDX-License-Identifier: Apache-2.0
 * bench --plot: two panels over the batch sizes, evenly spaced, with a curve for each configuration. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "plot/curves.h"
#include "tributary/internal/alloc.h"

enum { THROUGHPUT, LATENCY, PANELS };

typedef struct picture {
    const bench *bench;
    int *batches; /* without repetition, in order */
    int batch_count;
    char (*names)[16]; /* of batches */
    const char **name_pointers;
    double *x, *y; /* grid.count of x for each panel, and of y: those of a configuration are next to each other */
    char labels[BENCH_MOST_PLOTTED][CLI_CELL_TEXT];
    trib_curve curves[PANELS][BENCH_MOST_PLOTTED];
} picture;

static int by_size(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static void collect_batches(picture *p)
{
    const bench *b = p->bench;
    const int step = b->grid.configurations, count = b->grid.count / step;
    for (int i = 0; i < count; ++i) p->batches[i] = b->grid.items[i * step].batch;
    qsort(p->batches, (size_t)count, sizeof *p->batches, by_size);
    for (int i = 0; i < count; ++i)
        if (i == 0 || p->batches[i] != p->batches[i - 1]) p->batches[p->batch_count++] = p->batches[i];
    for (int i = 0; i < p->batch_count; ++i) {
        snprintf(p->names[i], sizeof p->names[i], "%d", p->batches[i]);
        p->name_pointers[i] = p->names[i];
    }
}

static trib_status value_of(const bench *b, const bench_cell *c, int panel, double *out)
{
    const bool train = b->options->train;
    cli_bench_summary s = { 0 };
    *out = 0;
    if (trib_failed(&c->status)) return trib_success();
    if (panel == THROUGHPUT) *out = bench_spread(b, c).median;
    if (panel == THROUGHPUT || b->options->end_to_end) return trib_success();
    TRIB_TRY(
        cli_samples_summarise(train ? &c->train.samples : &c->rates.samples, train ? CLI_STEP : c->rates.latency, &s));
    if (s.count) *out = s.percentile[0];
    return trib_success();
}

/* What was not measured has no point. */
static trib_status draw_curve(picture *p, int panel, int configuration)
{
    const bench *b = p->bench;
    const int step = b->grid.configurations;
    const size_t begin = (size_t)(panel * b->grid.count + configuration * (b->grid.count / step));
    trib_curve *curve = &p->curves[panel][configuration];
    *curve = (trib_curve) { .name = p->labels[configuration],
                            .color = configuration % TRIB_CURVE_COLORS,
                            .dashed = configuration >= TRIB_CURVE_COLORS,
                            .x = p->x + begin,
                            .y = p->y + begin,
                            .dots = true };
    for (int k = 0; k < p->batch_count; ++k)
        for (int i = configuration; i < b->grid.count; i += step) {
            double value;
            if (b->grid.items[i].batch != p->batches[k]) continue;
            TRIB_TRY(value_of(b, &b->cells[i], panel, &value));
            if (!(value > 0)) continue;
            p->x[begin + curve->count] = k;
            p->y[begin + curve->count++] = value;
        }
    return trib_success();
}

static trib_status draw_curves(picture *p)
{
    const bench *b = p->bench;
    for (int k = 0; k < b->grid.configurations; ++k) {
        cli_cell_name(&b->options->lists, &b->grid.items[k], p->labels[k]);
        for (int panel = 0; panel < PANELS; ++panel) TRIB_TRY(draw_curve(p, panel, k));
    }
    return trib_success();
}

static void write_svg(const picture *p, trib_text *text)
{
    const bench *b = p->bench;
    const trib_device_info *info = trib_device_get_info(b->device);
    const char *path = trib_model_path(b->model), *slash = strrchr(path, '/');
    char title[80], throughput[96], axis[160];
    snprintf(title, sizeof title, "%.40s on %.30s", slash ? slash + 1 : path, info->spec);
    snprintf(axis, sizeof axis, "batch size, on %s", info->name);
    snprintf(throughput, sizeof throughput, "Images per second%s%s", b->options->train ? ", steps of training" : "",
             b->rounds > 1 ? ", median of the rounds" : "");
    const trib_curve_panel panels[PANELS] = {
        { throughput, p->curves[THROUGHPUT], b->grid.configurations, true },
        { b->options->train ? "A step, milliseconds, p50" : "Latency of a batch, milliseconds, p50", p->curves[LATENCY],
          b->grid.configurations, true },
    };
    trib_curves_svg(&(trib_curves) { .title = title,
                                     .x_title = axis,
                                     .panels = panels,
                                     .count = PANELS,
                                     .x_names = p->name_pointers,
                                     .x_name_count = p->batch_count },
                    text);
}

static trib_status make_picture(picture *p, trib_text *text)
{
    const size_t count = (size_t)p->bench->grid.count;
    p->batches = trib_realloc_array(NULL, count, sizeof *p->batches);
    p->names = trib_realloc_array(NULL, count, sizeof *p->names);
    p->name_pointers = trib_realloc_array(NULL, count, sizeof *p->name_pointers);
    p->x = trib_realloc_array(NULL, PANELS * count, sizeof *p->x);
    p->y = trib_realloc_array(NULL, PANELS * count, sizeof *p->y);
    if (!p->batches || !p->names || !p->name_pointers || !p->x || !p->y)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to draw %zu measurements", count);
    collect_batches(p);
    TRIB_TRY(draw_curves(p));
    write_svg(p, text);
    return text->failed ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to draw %zu measurements", count) : trib_success();
}

trib_status bench_plot(const bench *b, cli_output *file)
{
    picture p = { .bench = b };
    trib_text text = { 0 };
    cli_buffer buffer = { 0 };
    trib_status status = make_picture(&p, &text);
    if (!trib_failed(&status)) {
        cli_append(&buffer, text.bytes, text.size);
        status = cli_output_write(file, &buffer);
    }
    cli_buffer_release(&buffer);
    trib_text_free(&text);
    trib_free(p.batches);
    trib_free(p.names);
    trib_free((void *)p.name_pointers);
    trib_free(p.x);
    trib_free(p.y);
    return trib_failed(&status) ? status : cli_output_close(file);
}
