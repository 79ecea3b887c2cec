/* SPDX-License-Identifier: Apache-2.0 */
#include "lowering/options.h"

#include <float.h>

#include "lowering/passes.h"

enum { MAX_BATCH = 1 << 20, MAX_OPS = 4096 };

trib_plan_options trib_complete_options(const trib_plan_options *options, const trib_device *device)
{
    trib_plan_options o = options ? *options : trib_plan_default_options();
    if (o.batch == 0) o.batch = 1;
    if (o.threads == 0 && device && trib_device_get_info(device)->host) o.threads = trib_device_get_info(device)->cores;
    return o;
}

static trib_status check_abilities(const trib_device_info *info, const trib_plan_options *o)
{
    if ((unsigned)o->precision >= TRIB_PRECISION_COUNT)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "precision %d does not exist", (int)o->precision);
    if (!(info->precisions >> o->precision & 1u))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "device %s does not compute in %s; use fp32", info->spec,
                          trib_precision_name(o->precision));
    if (o->reference && !info->host)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "device %s has no reference: plain C runs on the cpu device only",
                          info->spec);
    if (o->regions && (!o->normalise || o->training))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "regions %s",
                          o->training ? "are not for training: cut them on the host"
                                      : "need what normalises them (trib_plan_options.normalise)");
    if (o->normalise && !o->regions && (!info->normalises || o->input_layout != TRIB_NHWC))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "8-bit pixels: device %s takes %s", info->spec,
                          info->normalises ? "them in nhwc only" : "float32 only");
    if (o->top_k < 0 || (o->top_k > 0 && o->output_count > 1))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the %d most likely classes of %d outputs; one output is possible",
                          o->top_k, o->output_count);
    return trib_success();
}

static trib_status check_training(const trib_training *t, const trib_plan_options *o)
{
    if (t->loss_count < 1 || t->loss_count > TRIB_MAX_PLAN_OUTPUTS / 2 || !t->losses)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "training with %d losses; 1 to %d are possible", t->loss_count,
                          TRIB_MAX_PLAN_OUTPUTS / 2);
    if (o->outputs || o->top_k)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "in training the outputs are those of the losses: give no others");
    if (!(t->loss_scale >= 0 && t->loss_scale <= FLT_MAX) || t->loss_scale_growth < 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a loss scale of %g that doubles after %d steps",
                          (double)t->loss_scale, t->loss_scale_growth);
    if (t->accumulate < 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a step of %d runs; 1 or more are possible", t->accumulate);
    if (t->frozen_count < 0 || (t->frozen_count && !t->frozen))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%d frozen prefixes, and no list of them", t->frozen_count);
    for (int i = 0; i < t->loss_count; ++i)
        if (!t->losses[i].output) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "loss %d names no output", i);
    return trib_success();
}

trib_status trib_check_options(const trib_graph *g, trib_device *device, const trib_plan_options *o)
{
    if (!g || !device) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a plan needs a graph and a device");
    if (o->batch < 1 || o->batch > MAX_BATCH)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "batch size %d is not in 1..%d", o->batch, MAX_BATCH);
    if ((unsigned)o->schedule >= TRIB_SCHEDULE_COUNT)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "schedule %d does not exist", (int)o->schedule);
    if (o->fork_schedule_count < 0 || (o->fork_schedule_count > 0 && !o->fork_schedules))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%d schedules of forks, and no list of them", o->fork_schedule_count);
    TRIB_TRY(trib_check_disabled_passes(o->disabled_passes, o->training));
    TRIB_TRY(check_abilities(trib_device_get_info(device), o));
    if (o->training) TRIB_TRY(check_training(o->training, o));
    if (o->input_layout != TRIB_NCHW && o->input_layout != TRIB_NHWC)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the input's layout must be nchw or nhwc");
    if (o->output_count < 0 || o->output_count > TRIB_MAX_PLAN_OUTPUTS)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%d outputs; at most %d can be returned", o->output_count,
                          TRIB_MAX_PLAN_OUTPUTS);
    if (g->layer_count == 0 || g->layer_count > MAX_OPS)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a graph of %zu layers; 1 to %d are possible", g->layer_count,
                          MAX_OPS);
    return trib_success();
}
