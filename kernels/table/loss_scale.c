/* SPDX-License-Identifier: Apache-2.0
 * A loss scale that adapts: it goes into the controls of a step, a flag there says that gradients are not finite, and
 * it is adjusted by that. */
#include <stdio.h>
#include <string.h>

#include "table/problem.h"

enum { EDGES = 6 };

static trib_kernel_array controls(trib_kernel_content content)
{
    trib_kernel_array array = trib_floats(1, (int)(sizeof(trib_step_controls) / sizeof(float)));
    array.element = TRIB_KERNEL_CONTROLS;
    array.content = content;
    return array;
}

static void begin(int index, trib_kernel_problem *p)
{
    static const uint32_t no_update[] = { 0, 0, 1, TRIB_GRADIENTS_NOT_FINITE };
    memset(p, 0, sizeof *p);
    p->controls = (trib_step_controls) {
        .seed = 0xFEDCBA9876543210u, .step = 7, .lr = 0.03f, .loss_scale = 1.25f, .no_update = no_update[index % 4]
    };
    p->flops = 1;
    snprintf(p->text, sizeof p->text, "no_update=%u", (unsigned)p->controls.no_update);
}

static void scale_edge(int index, trib_kernel_problem *p)
{
    begin(index, p);
    p->input_count = 2;
    p->inputs[0] = controls(TRIB_KERNEL_RESULT);
    p->inputs[1] = trib_floats(1, (int)(sizeof(trib_loss_scale) / sizeof(float)));
    p->inputs[1].scale = 65536;
    p->output_count = 1;
    p->outputs[0] = controls(TRIB_KERNEL_RESULT);
}

static void scale_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_step_controls scaled;
    trib_ref_scale_controls(&p->controls, (const trib_loss_scale *)inputs[1], &scaled);
    memcpy(outputs[0], &scaled, sizeof scaled);
}

static trib_status scale_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                             void *const *outputs, void *stream)
{
    (void)p, (void)dtype;
    return trib_cuda_scale_controls(inputs[0], inputs[1], outputs[0], stream);
}

/* Gradients that are no numbers: the checker draws them, too. */
static void check_edge(int index, trib_kernel_problem *p)
{
    static const int counts[EDGES] = { 1, 4, 1023, 1025, 4100, 64 };
    trib_random_state r = trib_random_from(index);
    const int count = index < EDGES ? counts[index] : trib_random_between(&r, 1, 3000);
    begin(index, p);
    p->input_count = p->output_count = 1;
    p->inputs[0] = trib_floats(1, count);
    p->outputs[0] = controls(TRIB_KERNEL_UPDATED);
    p->flops = count;
    const size_t used = strlen(p->text);
    snprintf(p->text + used, sizeof p->text - used, " count=%d", count);
}

static void check_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    trib_step_controls now;
    memcpy(&now, outputs[0], sizeof now);
    trib_ref_check_gradients(p->inputs[0].c, inputs[0], &now);
    memcpy(outputs[0], &now, sizeof now);
}

static trib_status check_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                             void *const *outputs, void *stream)
{
    (void)dtype;
    return trib_cuda_check_gradients(p->inputs[0].c, inputs[0], outputs[0], stream);
}

/* With an interval of 1 about half of the scales grow. */
static void adjust_edge(int index, trib_kernel_problem *p)
{
    begin(index, p);
    p->k = index % 3 ? 1 : 2000;
    p->input_count = p->output_count = 1;
    p->inputs[0] = controls(TRIB_KERNEL_RESULT);
    p->outputs[0] = trib_floats(1, (int)(sizeof(trib_loss_scale) / sizeof(float)));
    p->outputs[0].content = TRIB_KERNEL_UPDATED;
}

static void adjust_reference(const trib_kernel_problem *p, const float *const *inputs, float *const *outputs)
{
    (void)inputs;
    trib_ref_adjust_loss_scale(p->k, &p->controls, (trib_loss_scale *)outputs[0]);
}

static trib_status adjust_run(const trib_kernel_problem *p, trib_dtype dtype, const void *const *inputs,
                              void *const *outputs, void *stream)
{
    (void)dtype;
    return trib_cuda_adjust_loss_scale(p->k, inputs[0], outputs[0], stream);
}

const trib_kernel trib_loss_scale_kernels[] = {
    { .name = "scale_controls",
      .dtypes = 1 << TRIB_F32,
      .tolerance = { 0 },
      .edges = EDGES,
      .edge = scale_edge,
      .reference = scale_reference,
      .run = scale_run },
    { .name = "check_gradients",
      .dtypes = 1 << TRIB_F32,
      .tolerance = { 0 },
      .edges = EDGES,
      .edge = check_edge,
      .reference = check_reference,
      .run = check_run },
    { .name = "adjust_loss_scale",
      .dtypes = 1 << TRIB_F32,
      .tolerance = { 0 },
      .edges = EDGES,
      .edge = adjust_edge,
      .reference = adjust_reference,
      .run = adjust_run },
};
const int trib_loss_scale_kernel_count = TRIB_COUNT(trib_loss_scale_kernels);
