/* SPDX-License-Identifier: Apache-2.0
 * A plan as a table for people. */
#include <stdio.h>
#include <string.h>

#include "tributary/plan.h"

static const char *view_text(const trib_plan *p, const trib_view *v, char *text, size_t size)
{
    int used = snprintf(text, size, "%s %dx%dx%dx%d %s", p->buffers[v->buffer].name, v->n, v->c, v->h, v->w,
                        trib_layout_name(v->layout));
    if (v->c != v->c_total && used > 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, " [%d..%d of %d]", v->c_offset, v->c_offset + v->c, v->c_total);
    return text;
}

static void waits_text(const trib_plan_op *op, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < op->wait_count && used < size; ++i)
        used += (size_t)snprintf(text + used, size - used, "%se%d", i ? "," : "", op->waits[i]);
}

static void print_op(const trib_plan *p, const trib_plan_op *op, int index, bool explain, FILE *out)
{
    char waits[64], record[16] = "", view[256];
    waits_text(op, waits, sizeof waits);
    if (op->record >= 0) snprintf(record, sizeof record, "e%d", op->record);
    fprintf(out, "%4d %2d  %-10s %-5s %-34s %-20s %8.1f %8.2f\n", index, op->stream, waits, record, op->name,
            op->implementation ? op->implementation : "-", (double)op->flops * 1e-6, (double)op->bytes * 1e-6);
    if (!explain || !op->implementation) return;
    for (int i = 0; i < op->desc.input_count; ++i)
        fprintf(out, "          reads  %s\n", view_text(p, &op->desc.inputs[i], view, sizeof view));
    for (int i = 0; i < op->desc.output_count; ++i)
        fprintf(out, "          writes %s\n", view_text(p, &op->desc.outputs[i], view, sizeof view));
    if (op->workspace >= 0)
        fprintf(out, "          workspace %.2f MB\n", (double)p->buffers[op->workspace].bytes * 1e-6);
    if (op->reason) fprintf(out, "          %s\n", op->reason);
}

trib_status trib_plan_print(const trib_plan *p, bool explain, FILE *out)
{
    int64_t flops = 0, bytes = 0;
    fprintf(out, "%s on %s: batch %d, schedule %s, layout %s, %d streams, %d events, %d thread%s\n", p->graph_name,
            p->device_spec, p->batch, trib_schedule_name(p->schedule), trib_layout_name(p->layout), p->stream_count,
            p->event_count, p->threads, p->threads == 1 ? "" : "s");
    fprintf(out, "arena %.2f MB (%.2f MB of activations and workspaces)\n", (double)p->arena_bytes * 1e-6,
            (double)p->activation_bytes * 1e-6);
    for (int i = 0; explain && i < p->note_count; ++i) fprintf(out, "  %s\n", p->notes[i]);
    fprintf(out, "\n%4s %2s  %-10s %-5s %-34s %-20s %8s %8s\n", "op", "st", "waits", "rec", "layer", "implementation",
            "MFLOP", "MB");
    for (int i = 0; i < p->op_count; ++i) {
        print_op(p, &p->ops[i], i, explain, out);
        flops += p->ops[i].flops;
        bytes += p->ops[i].bytes;
    }
    fprintf(out, "%4s %2s  %-10s %-5s %-34s %-20s %8.1f %8.2f\n", "", "", "", "", "total", "", (double)flops * 1e-6,
            (double)bytes * 1e-6);
    return ferror(out) ? TRIB_ERROR(TRIB_IO_ERROR, "the plan cannot be written") : trib_success();
}
