/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/step.h"

#include "plan/roofline.h"

enum { SHOWN = 5 };

static double mb(int64_t bytes) { return (double)bytes * 1e-6; }

/* ---- time ---- */

static void print_works(const trib_plan *p, FILE *out)
{
    trib_roofline works[TRIB_WORK_COUNT], all = trib_roofline_of(p, works);
    fprintf(out, "\n%-20s %9s %10s %10s %7s  %s\n", "A step at best:", "GFLOP", "MB", "us", "share", "bound by");
    for (int i = 1; i <= TRIB_WORK_COUNT; ++i) {
        const int work = i % TRIB_WORK_COUNT; /* the others last */
        const trib_roofline *w = &works[work];
        if (w->seconds <= 0) continue;
        fprintf(out, "  %-18s %9.1f %10.2f %10.2f %5.0f %%  %s\n", trib_work_name((trib_work)work),
                (double)w->flops * 1e-9, mb(w->bytes), 1e6 * w->seconds, 100 * w->seconds / all.seconds,
                trib_bound_name(&w->each));
    }
}

static void works_json(const trib_plan *p, FILE *out)
{
    trib_roofline works[TRIB_WORK_COUNT], all = trib_roofline_of(p, works);
    fprintf(out, "    \"seconds_at_best\": %.9g, \"images_per_second_at_best\": %.9g,\n    \"work\": [\n", all.seconds,
            p->batch / all.seconds);
    for (int i = 0; i < TRIB_WORK_COUNT; ++i)
        fprintf(out,
                "      {\"name\": \"%s\", \"flops\": %lld, \"bytes\": %lld, \"seconds_at_best\": %.9g, \"bound\": "
                "\"%s\"}%s\n",
                trib_work_name((trib_work)i), (long long)works[i].flops, (long long)works[i].bytes, works[i].seconds,
                trib_bound_name(&works[i].each), i + 1 < TRIB_WORK_COUNT ? "," : "");
    fputs("    ],\n", out);
}

/* ---- memory ---- */

static bool uses(const trib_plan_op *op, int buffer)
{
    if (op->workspace == buffer) return true;
    for (int i = 0; i < op->desc.input_count; ++i)
        if (op->desc.inputs[i].buffer == buffer) return true;
    for (int i = 0; i < op->desc.output_count; ++i)
        if (op->desc.outputs[i].buffer == buffer) return true;
    return false;
}

/* Between its first and last op, in the order of one stream. */
static bool is_alive(const trib_plan *p, int buffer, int op)
{
    bool before = false, after = false;
    if (trib_buffer_area(p->buffers[buffer].kind) != TRIB_AREA_ARENA) return false;
    for (int i = 0; i <= op && !before; ++i) before = p->ops[i].implementation && uses(&p->ops[i], buffer);
    for (int i = p->op_count - 1; i >= op && !after; --i) after = p->ops[i].implementation && uses(&p->ops[i], buffer);
    return before && after;
}

static int64_t alive_at(const trib_plan *p, int op)
{
    int64_t bytes = 0;
    for (int b = 0; b < p->buffer_count; ++b)
        if (is_alive(p, b, op)) bytes += p->buffers[b].bytes;
    return bytes;
}

/* The op at which most is alive. */
static int peak_of(const trib_plan *p, int64_t *most)
{
    int peak = 0;
    *most = -1;
    for (int i = 0; i < p->op_count; ++i) {
        int64_t bytes = p->ops[i].implementation ? alive_at(p, i) : -1;
        if (bytes <= *most) continue;
        *most = bytes;
        peak = i;
    }
    return peak;
}

/* The largest alive ones. */
static void print_largest(const trib_plan *p, int op, FILE *out)
{
    int64_t below = INT64_MAX;
    int last = -1;
    for (int n = 0; n < SHOWN; ++n) {
        int best = -1;
        for (int b = 0; b < p->buffer_count; ++b) {
            int64_t bytes = p->buffers[b].bytes;
            if (bytes > below || (bytes == below && b <= last) || !is_alive(p, b, op)) continue;
            if (best < 0 || bytes > p->buffers[best].bytes) best = b;
        }
        if (best < 0) return;
        fprintf(out, "  %9.2f MB  %s\n", mb(p->buffers[best].bytes), p->buffers[best].name);
        below = p->buffers[best].bytes;
        last = best;
    }
}

typedef struct memory {
    int64_t roles[TRIB_TENSOR_ROLE_COUNT], copies; /* of weights, rounded to the precision */
    int64_t workspace;                             /* the largest */
    bool sums; /* a step is several runs: gradients are those of a run, and their sum, which is the plan's tensor */
} memory;

static int64_t copies_by(const trib_plan *p, const trib_plan_op *op)
{
    const trib_plan_buffer *to = &p->buffers[op->desc.outputs[0].buffer];
    return op->desc.kind == TRIB_REORDER && trib_buffer_area(to->kind) == TRIB_AREA_PARAMETERS ? to->bytes : 0;
}

static memory memory_of(const trib_plan *p)
{
    memory m = { 0 };
    for (int i = 0; i < p->tensor_count; ++i) m.roles[p->tensors[i].role] += trib_view_bytes(&p->tensors[i].view);
    for (int i = 0; i < p->op_count; ++i) m.copies += copies_by(p, &p->ops[i]);
    for (int b = 0; b < p->buffer_count; ++b)
        if (p->buffers[b].kind == TRIB_BUFFER_WORKSPACE && p->buffers[b].bytes > m.workspace)
            m.workspace = p->buffers[b].bytes;
    for (int i = 0; i < p->op_count; ++i) m.sums |= p->ops[i].desc.kind == TRIB_SUM_GRADIENTS;
    if (m.sums) m.roles[TRIB_TENSOR_GRADIENT] *= 2;
    return m;
}

static void print_memory(const trib_plan *p, FILE *out)
{
    const memory m = memory_of(p);
    fprintf(out,
            "\nMemory of a step:\n  %9.2f MB  parameters and running statistics\n  %9.2f MB  gradients%s\n"
            "  %9.2f MB  state: momentum, averages\n",
            mb(m.roles[TRIB_TENSOR_PARAMETER]), mb(m.roles[TRIB_TENSOR_GRADIENT]),
            m.sums ? " of a run, and their sum" : "", mb(m.roles[TRIB_TENSOR_MOMENTUM] + m.roles[TRIB_TENSOR_AVERAGE]));
    if (m.copies) fprintf(out, "  %9.2f MB  weights in %s\n", mb(m.copies), trib_precision_name(p->precision));
    fprintf(out,
            "  %9.2f MB  activations and workspaces, sharing an arena; the largest workspace has %.2f MB\n"
            "  %9.2f MB  in all\n",
            mb(p->arena_bytes), mb(m.workspace), mb(p->arena_bytes + p->parameter_bytes));
    int64_t most;
    const int peak = peak_of(p, &most);
    fprintf(out, "At the peak, op %d, %s: %.2f MB of activations and workspaces; the largest:\n", peak,
            p->ops[peak].name, mb(most));
    print_largest(p, peak, out);
}

static void memory_json(const trib_plan *p, FILE *out)
{
    const memory m = memory_of(p);
    int64_t most;
    const int peak = peak_of(p, &most);
    for (int role = 0; role < TRIB_TENSOR_ROLE_COUNT; ++role)
        fprintf(out, "%s\"%s_bytes\": %lld", role ? ", " : "    ", trib_tensor_role_name((trib_tensor_role)role),
                (long long)m.roles[role]);
    fprintf(out, ", \"copies_bytes\": %lld", (long long)m.copies);
    if (p->device_memory_bytes > 0)
        fprintf(out, ", \"device_memory_bytes\": %lld, \"fits\": %s", (long long)p->device_memory_bytes,
                p->arena_bytes + p->parameter_bytes <= p->device_memory_bytes ? "true" : "false");
    fprintf(out, ",\n    \"largest_workspace_bytes\": %lld, \"peak_op\": %d, \"peak_bytes\": %lld\n",
            (long long)m.workspace, peak, (long long)most);
}

void trib_print_step(const trib_plan *p, FILE *out)
{
    if (p->copy_rate > 0) print_works(p, out);
    print_memory(p, out);
}

void trib_step_json(const trib_plan *p, FILE *out)
{
    fputs("  \"step\": {\n", out);
    if (p->copy_rate > 0) works_json(p, out);
    memory_json(p, out);
    fputs("  },\n", out);
}
