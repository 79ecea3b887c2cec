/* SPDX-License-Identifier: Apache-2.0
 * A loss scale that adapts, without the host:
 *
 *     scale_controls       first: the run's controls with the scale in them. Loss and updates read these
 *     check_gradients      after the backward ops: a flag in them, if a gradient is not finite
 *     clip, sgd, average   change nothing then
 *     adjust_loss_scale    last
 *
 * So a captured step needs nothing from outside. */
#include "lowering/training.h"

enum { USUAL_GROWTH = 2000 };

trib_status trib_add_scaled_controls(trib_lowering *l)
{
    trib_plan_op op;
    if (l->loss_scale.buffer < 0) return trib_success();
    TRIB_TRY(trib_new_training_op(trib_strings_add(l->strings, "scale_controls"), TRIB_SCALE_CONTROLS, &op));
    trib_add_input_view(&op, l->controls);
    trib_add_input_view(&op, l->loss_scale);
    trib_add_output_view(&op, l->step_controls);
    return trib_lowering_add_op(l, &op);
}

trib_status trib_add_gradient_check(trib_lowering *l, const trib_view *gradient)
{
    trib_plan_op op;
    if (l->loss_scale.buffer < 0) return trib_success();
    TRIB_TRY(trib_new_training_op(trib_strings_add(l->strings, "check"), TRIB_CHECK_GRADIENTS, &op));
    trib_add_input_view(&op, *gradient);
    trib_add_input_view(&op, l->step_controls);
    trib_add_output_view(&op, l->step_controls);
    return trib_lowering_add_op(l, &op);
}

trib_status trib_add_loss_scale_adjustment(trib_lowering *l)
{
    const int growth = l->options.training->loss_scale_growth;
    trib_plan_op op;
    if (l->loss_scale.buffer < 0) return trib_success();
    TRIB_TRY(trib_new_training_op(trib_strings_add(l->strings, "adjust_loss_scale"), TRIB_ADJUST_LOSS_SCALE, &op));
    op.desc.attributes.adjust_loss_scale.growth_interval = growth ? growth : USUAL_GROWTH;
    trib_add_input_view(&op, l->step_controls);
    trib_add_input_view(&op, l->loss_scale);
    trib_add_output_view(&op, l->loss_scale);
    return trib_lowering_add_op(l, &op);
}
