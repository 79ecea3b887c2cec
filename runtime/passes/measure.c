/* SPDX-License-Identifier: Apache-2.0 */
#include "passes/measure.h"

#include <stdint.h>

#include "graph/kinds.h"
#include "tributary/internal/alloc.h"

enum { WARM_UPS = 1, RUNS = 5 };

/* Memory and parameters an op can run on; values do not matter for its time (zeros, which are not denormal). */
typedef struct rig {
    trib_device *device;
    trib_stream *stream;
    trib_event *start, *end;
    void *inputs[TRIB_MAX_INPUTS], *outputs[TRIB_MAX_OUTPUTS], *workspace;
    float *weight, *bias;
} rig;

static trib_status rig_memory(rig *r, int64_t bytes, void **out)
{
    TRIB_TRY(trib_device_alloc(r->device, r->stream, (size_t)bytes, out));
    return trib_fill_zero(r->stream, *out, (size_t)bytes);
}

static trib_status rig_parameters(rig *r, const trib_op_desc *d)
{
    size_t channels = 0, weights = (size_t)trib_op_weight_elements(d);
    if (!weights) return trib_success();
    for (int i = 0; i < d->output_count; ++i) channels += (size_t)d->outputs[i].c;
    r->weight = trib_alloc_zeroed(weights, sizeof(float));
    r->bias = trib_alloc_zeroed(channels, sizeof(float));
    return r->weight && r->bias ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to measure");
}

static trib_status rig_open(rig *r, trib_device *device, const trib_op_desc *d)
{
    r->device = device;
    TRIB_TRY(
        trib_stream_create(device, &(trib_stream_options) { .name = "measure", .threads = d->threads }, &r->stream));
    TRIB_TRY(trib_event_create(device, &r->start));
    TRIB_TRY(trib_event_create(device, &r->end));
    for (int i = 0; i < d->input_count; ++i) TRIB_TRY(rig_memory(r, trib_view_bytes(&d->inputs[i]), &r->inputs[i]));
    for (int i = 0; i < d->output_count; ++i) TRIB_TRY(rig_memory(r, trib_view_bytes(&d->outputs[i]), &r->outputs[i]));
    return rig_parameters(r, d);
}

static void rig_close(rig *r)
{
    for (int i = 0; i < TRIB_MAX_INPUTS; ++i) trib_device_free(r->device, r->stream, r->inputs[i]);
    for (int i = 0; i < TRIB_MAX_OUTPUTS; ++i) trib_device_free(r->device, r->stream, r->outputs[i]);
    trib_event_destroy(r->start);
    trib_event_destroy(r->end);
    trib_stream_destroy(r->stream);
    trib_free(r->weight);
    trib_free(r->bias);
}

static trib_status time_runs(rig *r, trib_op_handle *op, int64_t *best)
{
    *best = INT64_MAX;
    for (int i = 0; i < WARM_UPS + RUNS; ++i) {
        int64_t ns = 0;
        TRIB_TRY(trib_event_record(r->start, r->stream));
        TRIB_TRY(trib_op_run(op, r->stream, (const void *const *)r->inputs, r->outputs, r->workspace));
        TRIB_TRY(trib_event_record(r->end, r->stream));
        TRIB_TRY(trib_stream_synchronize(r->stream));
        TRIB_TRY(trib_event_elapsed(r->start, r->end, &ns));
        if (i >= WARM_UPS && ns < *best) *best = ns;
    }
    return trib_success();
}

static trib_status measure_one(rig *r, const trib_op_desc *desc, const trib_implementation *candidate, int64_t *ns)
{
    trib_op_handle *op = NULL;
    trib_status status = trib_success();
    r->workspace = NULL;
    if (candidate->workspace_bytes) status = rig_memory(r, candidate->workspace_bytes, &r->workspace);
    trib_op_parameters parameters = { r->weight, r->bias };
    if (!trib_failed(&status)) status = trib_op_create(r->device, desc, candidate->name, &parameters, &op);
    if (!trib_failed(&status)) status = time_runs(r, op, ns);
    trib_op_destroy(op);
    trib_device_free(r->device, r->stream, r->workspace);
    return status;
}

/* What a device offers may still turn out not to be possible, or to need more memory than there is. */
static bool cannot_be_had(const trib_status *status)
{
    return status->code == TRIB_UNSUPPORTED || status->code == TRIB_OUT_OF_MEMORY;
}

trib_status trib_measure_candidates(trib_device *device, const trib_plan_op *op, const trib_implementation *candidates,
                                    int count, int64_t *ns, int *best)
{
    rig r = { 0 };
    *best = -1;
    trib_status status = rig_open(&r, device, &op->desc), refusal = trib_success();
    for (int i = 0; i < count && !trib_failed(&status); ++i) {
        status = measure_one(&r, &op->desc, &candidates[i], &ns[i]);
        if (cannot_be_had(&status)) {
            refusal = status;
            status = trib_success();
            ns[i] = 0;
        } else if (!trib_failed(&status) && (*best < 0 || ns[i] < ns[*best]))
            *best = i;
    }
    rig_close(&r);
    if (!trib_failed(&status) && *best < 0) status = refusal;
    trib_add_context(&status, "measuring layer %s", op->name);
    return status;
}
