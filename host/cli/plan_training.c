/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_training.h"

#include <string.h>

#include "training.h"

static double mb(int64_t bytes) { return (double)bytes * 1e-6; }

static void print_fit(const trib_plan *p, const trib_device_info *device, FILE *out)
{
    trib_memory host = trib_memory_get();
    const int64_t there = device->host ? host.bytes : device->memory_bytes, library = cli_library_bytes(p),
                  needed = p->arena_bytes + p->parameter_bytes + library;
    const char *what = device->host ? host.source : device->name;
    if (library)
        fprintf(out, "%.2f MB more for oneDNN: its code, and what it compiles for these ops (an estimate)\n",
                mb(library));
    if (there <= 0) return;
    fprintf(out, "%s: %.2f MB of %.2f MB (%s)%s\n", needed <= there ? "Fits" : "Does not fit", mb(needed), mb(there),
            what, needed <= there ? "" : "; use a smaller batch");
}

/* Half of what the card's measured arithmetic (790 TFLOP/s in bf16) allows the products of a step of bvlc: 9.26 GFLOP
 * per image, 85,313 images/s. An aim, and no bound: most ops are bound by memory. */
static const struct {
    const char *card;
    double images_per_second;
} goal = { "NVIDIA H200", 42000 };

static void print_goal(const trib_plan *p, const trib_device_info *device, FILE *out)
{
    const double seconds = trib_plan_seconds_at_best(p);
    if (strcmp(device->name, goal.card) != 0) return;
    fprintf(out,
            "Goal: %.0f images/s of GoogLeNet at 224 pixels in bf16 on an H200, half of what its arithmetic alone "
            "allows; this plan at best %.0f, %.2f of it\n",
            goal.images_per_second, p->batch / seconds, p->batch / seconds / goal.images_per_second);
}

void cli_print_training_limits(const trib_plan *p, const trib_device_info *device, FILE *out)
{
    print_goal(p, device, out);
    print_fit(p, device, out);
}
