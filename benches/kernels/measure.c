/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <errno.h>
#include <string.h>

#include "limits.h"
#include "tributary/internal/alloc.h"

enum { MOST_LAUNCHES = 16 };

/* ---- one row ---- */

/* A layer, and copies of its arrays that launches use in turn, so that none finds another's data in a cache. */
typedef struct trial {
    bench_gpu *gpu;
    const bench_layer *layer;
    bench_layout layout;
    char *memory;
    int copies;
} trial;

static int64_t first_byte(const trib_kernel_array *array, trib_dtype dtype)
{
    return array->first * (int64_t)trib_dtype_size(bench_stored(array, dtype));
}

static trib_status run_once(void *context, int i)
{
    const trial *t = context;
    const trib_kernel_problem *p = &t->layer->problem;
    const trib_dtype dtype = t->layer->dtype;
    const void *inputs[TRIB_KERNEL_MAX_INPUTS] = { NULL };
    void *outputs[TRIB_KERNEL_MAX_OUTPUTS] = { NULL };
    char *copy = t->memory + i % t->copies * t->layout.bytes;
    for (int k = 0; k < p->input_count; ++k) inputs[k] = copy + t->layout.inputs[k] + first_byte(&p->inputs[k], dtype);
    for (int k = 0; k < p->output_count; ++k)
        outputs[k] = copy + t->layout.outputs[k] + first_byte(&p->outputs[k], dtype);
    return t->layer->kernel->run(p, dtype, inputs, outputs, t->gpu->stream);
}

static trib_status fill_rows(const trial *t, int64_t offset, int64_t bytes)
{
    trib_region_row *rows = trib_alloc((size_t)bytes);
    if (!rows) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "out of host memory");
    trib_region_rows(&t->layer->problem, rows);
    trib_status status = bench_put(t->gpu, t->memory + offset, rows, bytes);
    trib_free(rows);
    return trib_outcome(&status);
}

static trib_status fill_array(const trial *t, const trib_kernel_array *a, int64_t offset)
{
    const trib_dtype dtype = bench_stored(a, t->layer->dtype);
    const int64_t bytes = a->rows * a->pitch * (int64_t)trib_dtype_size(dtype);
    const float scale = dtype != TRIB_U8 ? a->scale : a->below > 0 ? (float)a->below : 256;
    if (a->element == TRIB_KERNEL_CONTROLS)
        return bench_put(t->gpu, t->memory + offset, &t->layer->problem.controls, bytes);
    if (a->element == TRIB_KERNEL_REGIONS) return fill_rows(t, offset, bytes);
    return bench_fill(t->gpu, t->memory + offset, bytes, dtype, scale);
}

/* Inputs, and outputs that are updated; of every copy. */
static trib_status fill(const trial *t)
{
    const trib_kernel_problem *p = &t->layer->problem;
    int64_t filled = t->layout.outputs[0];
    for (int k = 0; k < p->input_count; ++k) TRIB_TRY(fill_array(t, &p->inputs[k], t->layout.inputs[k]));
    for (int k = 0; k < p->output_count; ++k) {
        if (p->outputs[k].content != TRIB_KERNEL_UPDATED) continue;
        TRIB_TRY(fill_array(t, &p->outputs[k], t->layout.outputs[k]));
        filled = t->layout.bytes;
    }
    for (int i = 1; i < t->copies; ++i)
        TRIB_TRY(bench_copy(t->gpu, t->memory + i * t->layout.bytes, t->memory, filled));
    return trib_success();
}

static trib_status run(trial *t, double seconds, bench_times *times)
{
    const int64_t fit = t->gpu->sizes.rotation_bytes / t->layout.bytes;
    void *memory = NULL;
    t->copies = fit < 1 ? 1 : fit > MOST_LAUNCHES ? MOST_LAUNCHES : (int)fit;
    TRIB_TRY(bench_allocate(t->gpu, t->copies * t->layout.bytes, &memory));
    t->memory = memory;
    trib_status status = fill(t);
    if (!trib_failed(&status)) status = bench_time(t->gpu, run_once, t, t->copies, seconds, times);
    bench_release(t->gpu, memory);
    return status;
}

trib_status bench_measure_row(bench_gpu *gpu, const bench_limits *limits, const bench_layer *layer, double seconds,
                              bench_row *row)
{
    const trib_kernel_problem *p = &layer->problem;
    const trib_dtype dtype = layer->dtype;
    trial t = { .gpu = gpu, .layer = layer, .layout = bench_layout_of(p, dtype) };
    bench_times times = { 0 };
    *row = (bench_row) { .kernel = layer->kernel->name, .dtype = dtype, .batch = layer->batch };
    memcpy(row->layer, layer->name, sizeof row->layer);
    memcpy(row->text, p->text, sizeof row->text);
    row->bytes = bench_bytes(p, dtype);
    row->flops = p->flops;
    row->floor = bench_floor(limits, p, dtype);
    trib_status status = run(&t, seconds, &times);
    if (status.code == TRIB_OUT_OF_MEMORY || status.code == TRIB_UNSUPPORTED) {
        memcpy(row->missing, status.message, sizeof row->missing);
        return trib_success();
    }
    trib_add_context(&status, "%s %s, %s", row->kernel, trib_dtype_name(dtype), p->text);
    row->seconds = times.median;
    row->least = times.least;
    row->rounds = times.rounds;
    row->launches = t.copies;
    return status;
}

/* ---- all rows ---- */

typedef struct table {
    const bench_options *options;
    const bench_layers *layers;
    bench_gpu *gpu;
    bench_limits limits;
    bench_row *rows;
    int count;
    FILE *out;
} table;

static trib_status measure_kernel(table *t, const trib_kernel *kernel, trib_dtype dtype)
{
    for (int i = 0; i < t->layers->count; ++i) {
        const bench_layer *layer = &t->layers->list[i];
        if (layer->kernel != kernel || layer->dtype != dtype) continue;
        bench_row *row = &t->rows[t->count];
        TRIB_TRY(bench_measure_row(t->gpu, &t->limits, layer, t->options->seconds, row));
        ++t->count;
        bench_print_row(t->out, row);
        fflush(t->out);
    }
    return trib_success();
}

static trib_status measure_all(table *t)
{
    const trib_kernel *only = t->options->kernel;
    TRIB_TRY(bench_measure_limits(t->gpu, 10 * t->options->seconds, &t->limits));
    bench_print_card(t->out, &t->gpu->card, &t->limits);
    bench_print_header(t->out);
    for (int i = 0; trib_kernel_at(i); ++i)
        for (int dtype = TRIB_F32; dtype <= TRIB_BF16; ++dtype)
            if (!only || only == trib_kernel_at(i)) TRIB_TRY(measure_kernel(t, trib_kernel_at(i), (trib_dtype)dtype));
    bench_print_notes(t->out);
    return trib_success();
}

static trib_status file_error(const char *path)
{
    const int number = errno;
    return TRIB_VENDOR_ERROR(TRIB_IO_ERROR, number, NULL, "%s could not be written: %s", path, strerror(number));
}

/* Whether all of it was written. */
static bool close_written(FILE *file)
{
    const bool written = !fflush(file) && !ferror(file);
    const int number = errno; /* of the first failure */
    const bool closed = !fclose(file);
    if (!written) errno = number;
    return written && closed;
}

trib_status bench_measure(const bench_options *options, const bench_sizes *sizes, const bench_layers *layers, FILE *out)
{
    bench_gpu gpu;
    FILE *json = NULL;
    table t = { .options = options, .layers = layers, .gpu = &gpu, .out = out };
    trib_status status;
    TRIB_TRY_GOTO(status, end, bench_gpu_open(sizes, &gpu));
    t.rows = trib_alloc_zeroed((size_t)layers->count, sizeof *t.rows);
    if (!t.rows) status = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "out of host memory");
    /* Before anything is measured, so that no results are lost. */
    if (t.rows && options->json && !(json = fopen(options->json, "w"))) status = file_error(options->json);
    if (!trib_failed(&status)) status = measure_all(&t);
    if (json && !trib_failed(&status)) bench_write_json(json, &gpu.card, &t.limits, t.rows, t.count);
    if (json && !close_written(json) && !trib_failed(&status)) status = file_error(options->json);
end:
    trib_free(t.rows);
    bench_gpu_close(&gpu);
    return status;
}

trib_status bench_run(const bench_options *options, const bench_sizes *sizes, FILE *out)
{
    bench_layers layers = { 0 };
    trib_status status = trib_success();
    for (int b = 0; b < options->batch_count && !trib_failed(&status); ++b)
        status = bench_layers_add(&layers, options->batches[b]);
    if (!trib_failed(&status)) status = bench_measure(options, sizes, &layers, out);
    bench_layers_destroy(&layers);
    return status;
}
