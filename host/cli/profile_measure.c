/* SPDX-License-Identifier: Apache-2.0
 * Opens the schedules and runs them. From times to numbers: profile_numbers.c. */
#include "profile_measure.h"

#include <stdlib.h>
#include <string.h>

#include "profile_numbers.h"
#include "tributary/internal/alloc.h"
#include "tuned.h"

/* ---- opening ---- */

static trib_status no_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the results of a profile"); }

static int most(int a, int b) { return a > b ? a : b; }

static trib_status open_cell(const cli_profile_request *q, const cli_settings *settings, bool timed, bool one_stream,
                             cli_cell *cell)
{
    cli_cell_options options = { .settings = settings,
                                 .device = q->device,
                                 .model = q->model,
                                 .batch = q->batch,
                                 .train = q->train,
                                 .aux_weight = q->aux_weight,
                                 .timed_runs = timed ? most(q->warmup, q->iterations) : 0,
                                 .one_stream = one_stream,
                                 .in_flight = timed || trib_device_get_info(q->device)->host ? 1 : 2 };
    return cli_cell_open(&options, cell);
}

/* On a cpu, ops of branches have fewer cores than the same ops in a serial plan. */
static bool same_ops(const trib_plan *a, const trib_plan *b)
{
    if (a->op_count != b->op_count) return false;
    for (int i = 0; i < a->op_count; ++i) {
        const char *x = a->ops[i].implementation, *y = b->ops[i].implementation;
        if (strcmp(a->ops[i].name, b->ops[i].name) != 0) return false;
        if (a->ops[i].desc.threads != b->ops[i].desc.threads) return false;
        if ((x || y) && (!x || !y || strcmp(x, y) != 0)) return false;
    }
    return true;
}

/* With the lanes and chunks of serial, so that chunks are compared with the same chunks. */
static trib_status open_schedule(const cli_profile_request *q, const cli_cell *serial, const cli_schedules *schedule,
                                 cli_profiled *s)
{
    s->settings = *q->settings;
    s->settings.schedule = *schedule;
    if (serial && !q->train) {
        s->settings.lanes = serial->lanes;
        s->settings.chunk = cli_cell_plan(serial)->batch;
    }
    cli_schedule_text(schedule, s->name);
    trib_status status = open_cell(q, &s->settings, true, false, &s->cell);
    trib_add_context(&status, "schedule %s", s->name);
    return status;
}

/* Serial's ops, if they are the same, have run alone already. */
static trib_status open_sequence(const cli_profile_request *q, const cli_profile_results *r, cli_profiled *s)
{
    if (same_ops(cli_cell_plan(&r->schedules[0].cell), cli_cell_plan(&s->cell))) return trib_success();
    s->has_sequence = true;
    trib_status status = open_cell(q, &s->settings, true, true, &s->sequence);
    trib_add_context(&status, "schedule %s, on one stream", s->name);
    return status;
}

/* The last one has nothing new to show if it has the ops of the one before. */
static void leave_out_last(cli_profile_results *r)
{
    if (r->schedule_count < 3) return;
    cli_profiled *last = &r->schedules[r->schedule_count - 1];
    if (!same_ops(cli_cell_plan(&last->cell), cli_cell_plan(&last[-1].cell))) return;
    snprintf(r->left_out, sizeof r->left_out, "%s", last->name);
    cli_cell_close(&last->cell);
    --r->schedule_count;
}

static int with_most_streams(const cli_profile_results *r)
{
    int best = 0;
    for (int i = 1; i < r->schedule_count; ++i)
        if (cli_cell_plan(&r->schedules[i].cell)->stream_count > cli_cell_plan(&r->schedules[best].cell)->stream_count)
            best = i;
    return best;
}

static trib_status open_all(const cli_profile_request *q, cli_profile_results *r)
{
    r->schedules = trib_alloc_zeroed((size_t)q->schedule_count, sizeof *r->schedules);
    if (!r->schedules) return no_memory();
    for (int i = 0; i < q->schedule_count; ++i) {
        r->schedule_count = i + 1;
        TRIB_TRY(open_schedule(q, i ? &r->schedules[0].cell : NULL, &q->schedules[i], &r->schedules[i]));
    }
    if (q->leave_out_equals) leave_out_last(r);
    for (int i = 1; i < r->schedule_count; ++i) TRIB_TRY(open_sequence(q, r, &r->schedules[i]));
    r->chunks = r->schedules[0].cell.chunks;
    r->lanes = r->schedules[0].cell.lanes;
    if (r->untimed_before) return trib_success();
    r->paired = with_most_streams(r);
    return open_cell(q, &r->schedules[r->paired].settings, false, false, &r->untimed);
}

/* ---- without being timed ---- */

enum { IN_A_ROW = 8 };

/* As many as the timed ones, of several batches each. */
static trib_status run_in_rows(const cli_profile_request *q, cli_profile_results *r)
{
    r->row_seconds = trib_alloc_zeroed((size_t)q->iterations, sizeof *r->row_seconds);
    if (!r->row_seconds) return no_memory();
    for (int i = 0; i < q->iterations; ++i) {
        TRIB_TRY(cli_run_in_a_row(r->untimed.session, q->batch, IN_A_ROW, &r->row_seconds[i]));
        r->row_seconds[i] /= IN_A_ROW;
    }
    return trib_success();
}

/* What takes the times of a GPU watches the whole process: runs without it come before all others, on a card whose
 * speed drifts little. On a cpu they come in between. */
static trib_status run_untimed(const cli_profile_request *q, cli_profile_results *r)
{
    cli_settings settings = *q->settings;
    r->paired = q->schedule_count > 1 ? 1 : 0;
    settings.schedule = q->schedules[r->paired];
    TRIB_TRY(open_cell(q, &settings, false, false, &r->untimed));
    for (int i = 0; i < q->warmup; ++i) TRIB_TRY(cli_cell_run(&r->untimed, NULL));
    for (int i = 0; i < q->iterations; ++i) TRIB_TRY(cli_cell_run(&r->untimed, &r->untimed_seconds[i]));
    if (!q->train) TRIB_TRY(run_in_rows(q, r));
    cli_cell_close(&r->untimed);
    return trib_success();
}

/* ---- running ---- */

static trib_status run_schedule(cli_profile_results *r, int index, bool backwards, int iteration)
{
    cli_profiled *s = &r->schedules[index];
    double *untimed = &r->untimed_seconds[iteration];
    bool paired = index == r->paired && !r->untimed_before;
    if (paired && backwards) TRIB_TRY(cli_cell_run(&r->untimed, untimed));
    TRIB_TRY(cli_cell_run(&s->cell, &s->seconds[iteration]));
    if (paired && !backwards) TRIB_TRY(cli_cell_run(&r->untimed, untimed));
    return s->has_sequence ? cli_cell_run(&s->sequence, NULL) : trib_success();
}

/* All schedules in turn, the next time in the opposite order: a machine that becomes slower or faster does so for all.
 */
static trib_status run_iteration(cli_profile_results *r, int iteration)
{
    bool backwards = iteration % 2 == 1;
    for (int i = 0; i < r->schedule_count; ++i)
        TRIB_TRY(run_schedule(r, backwards ? r->schedule_count - 1 - i : i, backwards, iteration));
    return trib_success();
}

static void forget_runs(cli_profile_results *r)
{
    for (int i = 0; i < r->schedule_count; ++i) {
        trib_timeline_clear(r->schedules[i].cell.timeline);
        if (r->schedules[i].has_sequence) trib_timeline_clear(r->schedules[i].sequence.timeline);
    }
}

static trib_status make_room(cli_profile_results *r, int iterations)
{
    for (int i = 0; i < r->schedule_count; ++i) {
        r->schedules[i].seconds = trib_alloc_zeroed((size_t)iterations, sizeof *r->schedules[i].seconds);
        if (!r->schedules[i].seconds) return no_memory();
    }
    return trib_success();
}

static trib_status run_all(const cli_profile_request *q, cli_profile_results *r)
{
    TRIB_TRY(make_room(r, most(q->warmup, q->iterations)));
    for (int i = 0; i < q->warmup; ++i) TRIB_TRY(run_iteration(r, i));
    forget_runs(r);
    for (int i = 0; i < q->iterations; ++i) TRIB_TRY(run_iteration(r, i));
    return trib_success();
}

/* ---- what was tuned ---- */

static trib_status find_choice(const cli_profile_request *q, const cli_settings *settings, trib_tuned **out)
{
    const trib_graph *graph = trib_model_graph(q->model);
    trib_plan_options plan;
    cli_training training;
    TRIB_TRY(cli_plan_options(settings, q->device, &plan));
    plan.batch = q->batch;
    if (q->train) {
        cli_training_of(graph, settings, q->aux_weight, &training);
        plan.training = &training.training;
    }
    return cli_find_tuned(settings, q->device, graph, &plan, (trib_launch)settings->launch, out);
}

/* A choice of `tune` is a schedule on certain lanes. Chunks are compared with the same chunks, so that all schedules
 * get these lanes, unless others are asked for. */
static trib_status follow_tune(const cli_profile_request *q, cli_settings *settings, cli_profile_results *r)
{
    trib_tuned *tuned = NULL;
    for (int i = 0; i < q->schedule_count; ++i)
        if (q->schedules[i].automatic) settings->schedule = q->schedules[i], r->automatic = true;
    if (!r->automatic) return trib_success();
    TRIB_TRY(find_choice(q, settings, &tuned));
    r->tuned = tuned != NULL;
    r->tuned_lanes = tuned && tuned->lanes && !settings->lanes;
    r->other_lanes = tuned && tuned->lanes && settings->lanes;
    if (r->tuned_lanes) {
        settings->lanes = tuned->lanes;
        settings->chunk = tuned->chunk;
        settings->lane_threads = tuned->threads;
    }
    trib_tuned_destroy(tuned);
    return trib_success();
}

static trib_status measure(const cli_profile_request *q, cli_profile_results *r)
{
    if (getloadavg(&r->load, 1) != 1) r->load = 0;
    r->untimed_seconds = trib_alloc_zeroed((size_t)most(q->warmup, q->iterations), sizeof *r->untimed_seconds);
    if (!r->untimed_seconds) return no_memory();
    if (r->untimed_before) TRIB_TRY(run_untimed(q, r));
    TRIB_TRY(cli_limits_measure(q->settings, q->device, &r->limits));
    TRIB_TRY(open_all(q, r));
    trib_model_release_parameters(q->model);
    TRIB_TRY(run_all(q, r));
    TRIB_TRY(cli_limits_again(q->settings, q->device, &r->limits));
    return cli_profile_numbers(q->device, q->warmup, q->iterations, r);
}

trib_status cli_profile_measure(const cli_profile_request *request, cli_profile_results *r)
{
    cli_settings settings = *request->settings;
    cli_profile_request q = *request;
    *r = (cli_profile_results) { .untimed_before = !trib_device_get_info(q.device)->host };
    q.settings = &settings;
    TRIB_TRY(follow_tune(&q, &settings, r));
    return measure(&q, r);
}

/* ---- the end ---- */

static void release_schedule(cli_profiled *s, int runs)
{
    for (int i = 0; s->runs && i < runs; ++i) trib_profile_release(&s->runs[i]);
    trib_profile_medians_release(&s->medians);
    trib_profile_graph_release(&s->graph);
    trib_free(s->window_gains);
    trib_free(s->batches);
    trib_free(s->seconds);
    trib_free(s->alone);
    trib_free(s->runs);
    if (s->has_sequence) cli_cell_close(&s->sequence);
    cli_cell_close(&s->cell);
}

void cli_profile_results_release(cli_profile_results *r)
{
    for (int i = 0; i < r->schedule_count; ++i) release_schedule(&r->schedules[i], r->iterations * r->chunks);
    cli_cell_close(&r->untimed);
    trib_free(r->untimed_seconds);
    trib_free(r->row_seconds);
    trib_free(r->schedules);
    *r = (cli_profile_results) { 0 };
}

const trib_profile_part *cli_profiled_part(const cli_profiled *s, int w)
{
    static const trib_profile_part all = { .name = "", .kind = TRIB_PROFILE_TRUNK, .fork = -1 };
    return w < s->graph.part_count ? &s->graph.parts[w] : &all;
}

const trib_profile *cli_profiled_trace(const cli_profiled *s) { return &s->runs[s->medians.trace]; }

trib_timeline_run cli_profiled_times_of(const cli_profiled *s, const trib_profile *run)
{
    const trib_timeline *timeline = s->cell.timeline;
    int i = 0;
    while (trib_timeline_at(timeline, i).chunk != run->chunk) ++i;
    return trib_timeline_at(timeline, i);
}
