/* SPDX-License-Identifier: Apache-2.0
 * A loss scale that adapts. A CPU trains in float32, which needs none: these are the references. */
#include <string.h>

#include "cpu/ops/native/training.h"
#include "tributary/training_kernels.h"

static trib_step_controls controls_of(const trib_native_call *call, int input)
{
    trib_step_controls controls;
    memcpy(&controls, call->inputs[input], sizeof controls);
    return controls;
}

trib_status trib_native_scale_controls(const trib_native_call *call)
{
    const trib_step_controls controls = controls_of(call, 0);
    trib_ref_scale_controls(&controls, call->inputs[1], call->outputs[0]);
    return trib_success();
}

trib_status trib_native_check_gradients(const trib_native_call *call)
{
    trib_step_controls controls = controls_of(call, 1);
    trib_ref_check_gradients(call->desc->inputs[0].c, call->inputs[0], &controls);
    memcpy(call->outputs[0], &controls, sizeof controls);
    return trib_success();
}

trib_status trib_native_adjust_loss_scale(const trib_native_call *call)
{
    const trib_step_controls controls = controls_of(call, 0);
    trib_loss_scale scale;
    memcpy(&scale, call->inputs[1], sizeof scale);
    trib_ref_adjust_loss_scale(call->desc->attributes.adjust_loss_scale.growth_interval, &controls, &scale);
    memcpy(call->outputs[0], &scale, sizeof scale);
    return trib_success();
}
