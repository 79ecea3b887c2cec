/* SPDX-License-Identifier: Apache-2.0 */
#include "lowering/measure.h"

#include <stdint.h>
#include <stdlib.h>

#include "lowering/measure_rig.h"

/* Enough for the resolution of events: fewer runs if they take longer. */
static const int64_t long_enough = 2000000;

/* ---- one candidate ---- */

typedef struct subject {
    trib_rig *rig;
    trib_op_handle *op;
    void *packed, *workspace;
    int runs;              /* in sequence */
    trib_capture *capture; /* the captured runs; NULL: enqueued one by one */
} subject;

static trib_status give_runs(const subject *s)
{
    for (int i = 0; i < s->runs; ++i) {
        trib_rig_set *set = &s->rig->sets[i % s->rig->set_count];
        TRIB_TRY(trib_op_run(s->op, s->rig->stream, (const void *const *)set->inputs, set->outputs, s->packed,
                             s->workspace));
    }
    return trib_success();
}

static trib_status time_runs(const subject *s, int64_t *ns)
{
    trib_rig *r = s->rig;
    TRIB_TRY(trib_event_record(r->start, r->stream));
    TRIB_TRY(s->capture ? trib_capture_launch(s->capture, r->stream) : give_runs(s));
    TRIB_TRY(trib_event_record(r->end, r->stream));
    TRIB_TRY(trib_stream_synchronize(r->stream));
    TRIB_TRY(trib_event_elapsed(r->start, r->end, ns));
    *ns = *ns > s->runs ? *ns / s->runs : 1;
    return trib_success();
}

static trib_status record(subject *s)
{
    TRIB_TRY(trib_capture_begin(s->rig->stream));
    trib_status status = give_runs(s);
    trib_status end = trib_capture_end(s->rig->stream, &s->capture);
    TRIB_TRY(status);
    return end;
}

/* The first run loads kernels; the second determines the number of runs; then the graph is uploaded once. A host has no
 * launches to hide, and a clock that is precise enough for one run. */
static trib_status warm_up(subject *s)
{
    const trib_device_info *info = trib_device_get_info(s->rig->device);
    int64_t ns;
    s->runs = 1;
    TRIB_TRY(time_runs(s, &ns));
    if (info->host) return trib_success();
    TRIB_TRY(time_runs(s, &ns));
    s->runs = (int)(long_enough / ns < TRIB_MEASURE_RUNS ? long_enough / ns + 1 : TRIB_MEASURE_RUNS);
    if (s->runs < s->rig->set_count) s->runs = s->rig->set_count;
    if (!info->has_capture) return trib_success();
    TRIB_TRY(record(s));
    return time_runs(s, &ns);
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static trib_status time_repeats(subject *s, trib_measurement *out)
{
    int64_t ns[TRIB_MEASURE_REPEATS];
    TRIB_TRY(warm_up(s));
    for (int i = 0; i < TRIB_MEASURE_REPEATS; ++i) TRIB_TRY(time_runs(s, &ns[i]));
    qsort(ns, TRIB_MEASURE_REPEATS, sizeof *ns, by_size);
    out->ns = ns[TRIB_MEASURE_REPEATS / 2];
    out->noise = ns[TRIB_MEASURE_REPEATS * 3 / 4] - ns[TRIB_MEASURE_REPEATS / 4];
    return trib_success();
}

static trib_status alloc(trib_rig *r, int64_t bytes, void **out)
{
    return bytes ? trib_device_alloc(r->device, r->stream, (size_t)bytes, out) : trib_success();
}

static trib_status pack(subject *s, const trib_implementation *candidate)
{
    trib_rig *r = s->rig;
    void *workspace = NULL;
    if (!candidate->packed_bytes) return trib_success();
    TRIB_TRY(alloc(r, candidate->packed_bytes, &s->packed));
    TRIB_TRY(alloc(r, candidate->packing_bytes, &workspace));
    trib_status status = trib_op_pack(s->op, r->stream, &r->parameters, s->packed, workspace);
    trib_device_free(r->device, r->stream, workspace);
    return trib_outcome(&status);
}

static trib_status measure_one(trib_rig *r, const trib_op_desc *desc, const trib_implementation *candidate,
                               trib_measurement *out)
{
    subject s = { .rig = r };
    trib_status status = alloc(r, candidate->workspace_bytes, &s.workspace);
    if (!trib_failed(&status)) status = trib_op_create(r->device, desc, candidate->name, &s.op);
    if (!trib_failed(&status)) status = pack(&s, candidate);
    if (!trib_failed(&status)) status = time_repeats(&s, out);
    trib_status done = trib_stream_synchronize(r->stream); /* memory of the op is freed now */
    trib_capture_destroy(s.capture);
    trib_op_destroy(s.op);
    trib_device_free(r->device, r->stream, s.packed);
    trib_device_free(r->device, r->stream, s.workspace);
    return trib_failed(&status) ? status : done;
}

/* ---- all of them ---- */

/* A candidate may still fail, or need more memory than there is. */
static bool cannot_be_had(const trib_status *status)
{
    return status->code == TRIB_UNSUPPORTED || status->code == TRIB_OUT_OF_MEMORY;
}

trib_status trib_measure_candidates(trib_device *device, const trib_plan_op *op, const trib_implementation *candidates,
                                    int count, trib_measurement *measured)
{
    trib_rig r = { 0 };
    bool any = false;
    trib_status status = trib_rig_open(&r, device, &op->desc), refusal = trib_success();
    for (int i = 0; i < count && !trib_failed(&status); ++i) {
        measured[i] = (trib_measurement) { 0 };
        status = measure_one(&r, &op->desc, &candidates[i], &measured[i]);
        if (status.code == TRIB_OUT_OF_MEMORY && trib_rig_shrink(&r))
            status = measure_one(&r, &op->desc, &candidates[i], &measured[i]);
        any |= !trib_failed(&status);
        if (!cannot_be_had(&status)) continue;
        refusal = status;
        status = trib_success();
        measured[i] = (trib_measurement) { 0 };
    }
    trib_rig_close(&r);
    if (!trib_failed(&status) && !any) status = refusal;
    trib_add_context(&status, "measuring layer %s", op->name);
    return trib_outcome(&status);
}

/* ---- choosing ---- */

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

int trib_measure_choose(const trib_implementation *candidates, const trib_measurement *m, int count, int *fastest)
{
    int best = -1;
    *fastest = -1;
    for (int i = 0; i < count; ++i)
        if (m[i].ns && (*fastest < 0 || m[i].ns < m[*fastest].ns)) *fastest = i;
    for (int i = 0; *fastest >= 0 && i < count; ++i) {
        const trib_measurement *first = &m[*fastest];
        int64_t tolerance = larger(larger(first->noise, m[i].noise), first->ns / 50);
        if (!m[i].ns || m[i].ns > first->ns + tolerance) continue;
        if (best < 0 || candidates[i].workspace_bytes < candidates[best].workspace_bytes) best = i;
    }
    return best;
}
