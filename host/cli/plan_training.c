/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_training.h"

#include <string.h>

#include "training.h"

enum { SHOWN = 5 };

static double mb(int64_t bytes) { return (double)bytes * 1e-6; }

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
    trib_buffer_kind kind = p->buffers[buffer].kind;
    bool before = false, after = false;
    if (kind != TRIB_BUFFER_ACTIVATION && kind != TRIB_BUFFER_WORKSPACE) return false;
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

static void print_peak(const trib_plan *p, FILE *out)
{
    int peak = 0;
    int64_t most = -1;
    for (int i = 0; i < p->op_count; ++i) {
        int64_t bytes = p->ops[i].implementation ? alive_at(p, i) : -1;
        if (bytes <= most) continue;
        most = bytes;
        peak = i;
    }
    fprintf(out, "At the peak, op %d, %s: %.2f MB of activations and workspaces; the largest:\n", peak,
            p->ops[peak].name, mb(most));
    print_largest(p, peak, out);
}

static int64_t all_bytes(const trib_plan *p) { return p->arena_bytes + p->parameter_bytes + cli_library_bytes(p); }

static void print_fit(const trib_plan *p, const trib_device_info *device, FILE *out)
{
    trib_memory host = trib_memory_get();
    int64_t there = device->host ? host.bytes : device->memory_bytes, needed = all_bytes(p);
    const char *what = device->host ? host.source : device->name;
    if (there <= 0) return;
    fprintf(out, "%s: %.2f MB of %.2f MB (%s)%s\n", needed <= there ? "Fits" : "Does not fit", mb(needed), mb(there),
            what, needed <= there ? "" : "; use a smaller batch");
}

void cli_print_training_memory(const trib_plan *p, const trib_device_info *device, FILE *out)
{
    int64_t roles[TRIB_TENSOR_ROLE_COUNT] = { 0 }, workspace = 0;
    for (int i = 0; i < p->tensor_count; ++i) roles[p->tensors[i].role] += trib_view_bytes(&p->tensors[i].view);
    for (int b = 0; b < p->buffer_count; ++b)
        if (p->buffers[b].kind == TRIB_BUFFER_WORKSPACE && p->buffers[b].bytes > workspace)
            workspace = p->buffers[b].bytes;
    fprintf(
        out,
        "\nMemory of a step:\n  %9.2f MB  parameters and running statistics\n  %9.2f MB  gradients\n"
        "  %9.2f MB  state: momentum, averages\n  %9.2f MB  activations and workspaces, sharing an arena; the largest "
        "workspace has %.2f MB\n",
        mb(roles[TRIB_TENSOR_PARAMETER]), mb(roles[TRIB_TENSOR_GRADIENT]),
        mb(roles[TRIB_TENSOR_MOMENTUM] + roles[TRIB_TENSOR_AVERAGE]), mb(p->arena_bytes), mb(workspace));
    if (cli_library_bytes(p))
        fprintf(out, "  %9.2f MB  oneDNN: its code, and what it compiles for these ops (an estimate)\n",
                mb(cli_library_bytes(p)));
    fprintf(out, "  %9.2f MB  in all\n", mb(all_bytes(p)));
    print_peak(p, out);
    print_fit(p, device, out);
}
