/* SPDX-License-Identifier: Apache-2.0
 * A loss scale that adapts to what float16 can hold, as PyTorch's GradScaler does. */
#include <math.h>

#include "reference/reference.h"

void trib_ref_scale_controls(const trib_step_controls *controls, const trib_loss_scale *s, trib_step_controls *scaled)
{
    *scaled = *controls;
    scaled->loss_scale = controls->loss_scale * s->scale;
}

void trib_ref_check_gradients(int64_t count, const float *g, trib_step_controls *controls)
{
    for (int64_t i = 0; i < count && !controls->no_update; ++i)
        if (!isfinite(g[i])) controls->no_update = TRIB_GRADIENTS_NOT_FINITE;
}

void trib_ref_adjust_loss_scale(int growth_interval, const trib_step_controls *controls, trib_loss_scale *s)
{
    if (controls->no_update == TRIB_GRADIENTS_NOT_FINITE) {
        s->scale *= 0.5f;
        s->good_steps = 0;
        s->skipped_steps += 1;
    } else if (!controls->no_update) {
        s->good_steps += 1;
        if (!(s->good_steps >= (float)growth_interval)) return;
        if (isfinite(s->scale * 2)) s->scale *= 2;
        s->good_steps = 0;
    }
}
