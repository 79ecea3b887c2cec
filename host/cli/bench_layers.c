/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_layers.h"

#include <stdio.h>
#include <stdlib.h>

#include "tributary/internal/alloc.h"

trib_status cli_layers_begin(cli_layers *layers, int room)
{
    *layers = (cli_layers) { 0 };
    return trib_timeline_create(room, &layers->timeline);
}

void cli_layers_pass(cli_layers *layers) { trib_timeline_clear(layers->timeline); }

void cli_layers_release(cli_layers *layers)
{
    trib_timeline_destroy(layers->timeline);
    trib_free(layers->ops);
    trib_free(layers->times);
    *layers = (cli_layers) { 0 };
}

/* ---- taking runs ---- */

static void describe_op(const trib_plan *plan, const trib_plan_op *op, cli_layer *out)
{
    const bool of_branch = op->fork >= 0 && op->part_count <= 1; /* a merged op is of several */
    *out = (cli_layer) { .branch = of_branch ? op->branch : -1, .stream = op->stream };
    snprintf(out->name, sizeof out->name, "%s", op->name);
    snprintf(out->op, sizeof out->op, "%s", trib_kind_name(op->desc.kind));
    if (op->implementation) snprintf(out->implementation, sizeof out->implementation, "%s", op->implementation);
    if (op->fork >= 0) snprintf(out->module, sizeof out->module, "%s", plan->forks[op->fork].name);
}

static trib_status describe(cli_layers *l, const trib_plan *plan)
{
    if (l->ops) return trib_success();
    l->ops = trib_realloc_array(NULL, (size_t)plan->op_count, sizeof *l->ops);
    if (!l->ops) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the names of %d ops", plan->op_count);
    l->op_count = plan->op_count;
    l->images = plan->batch;
    for (int i = 0; i < plan->op_count; ++i) describe_op(plan, &plan->ops[i], &l->ops[i]);
    return trib_success();
}

static int64_t first_start(const cli_layers *l, const trib_op_time *times)
{
    int64_t first = INT64_MAX;
    for (int i = 0; i < l->op_count; ++i)
        if (*l->ops[i].implementation && times[i].start < first) first = times[i].start;
    return first;
}

static trib_status take_run(cli_layers *l, const trib_plan *plan, const trib_timeline_run *run)
{
    const size_t ops = (size_t)l->op_count;
    TRIB_TRY(trib_timeline_check(plan, run));
    if (trib_grow((void **)&l->times, &l->capacity, 2 * ops * (l->runs + 1), sizeof *l->times) != 0)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the times of %d ops in %zu runs", l->op_count,
                          l->runs + 1);
    int64_t *starts = l->times + 2 * ops * l->runs++, *durations = starts + ops;
    const int64_t first = first_start(l, run->ops);
    for (size_t i = 0; i < ops; ++i) {
        const bool ran = *l->ops[i].implementation != '\0';
        starts[i] = ran ? run->ops[i].start - first : 0;
        durations[i] = ran ? run->ops[i].end - run->ops[i].start : 0;
    }
    return trib_success();
}

trib_status cli_layers_take(cli_layers *l, const trib_plan *plan)
{
    if (trib_timeline_lost(l->timeline)) return trib_timeline_loss(l->timeline);
    TRIB_TRY(describe(l, plan));
    for (int i = 0; i < trib_timeline_count(l->timeline); ++i) {
        const trib_timeline_run run = trib_timeline_at(l->timeline, i);
        TRIB_TRY(take_run(l, plan, &run));
    }
    trib_timeline_clear(l->timeline);
    return trib_success();
}

/* ---- what they say ---- */

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double median_ms(const int64_t *sorted, size_t count)
{
    return 0.5e-6 * ((double)sorted[(count - 1) / 2] + (double)sorted[count / 2]);
}

/* Those of an op from all runs, sorted: `at` is its index among the times of a run. */
static void collect(const cli_layers *l, size_t at, int64_t *out)
{
    for (size_t run = 0; run < l->runs; ++run) out[run] = l->times[2 * (size_t)l->op_count * run + at];
    qsort(out, l->runs, sizeof *out, by_size);
}

trib_status cli_layers_times(const cli_layers *l, int i, cli_layer_times *out)
{
    *out = (cli_layer_times) { 0 };
    if (l->runs == 0) return trib_success();
    int64_t *values = trib_realloc_array(NULL, l->runs, sizeof *values);
    if (!values) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to sort the times of %zu runs", l->runs);
    collect(l, (size_t)i, values);
    out->start = median_ms(values, l->runs);
    collect(l, (size_t)l->op_count + (size_t)i, values);
    out->median = median_ms(values, l->runs);
    out->min = 1e-6 * (double)values[0];
    out->max = 1e-6 * (double)values[l->runs - 1];
    trib_free(values);
    return trib_success();
}
