/* SPDX-License-Identifier: Apache-2.0
 * A plan as a table for people. */
#include <stdio.h>
#include <string.h>

#include "plan/roofline.h"
#include "plan/step.h"

static const char *view_text(const trib_plan *p, const trib_view *v, char *text, size_t size)
{
    int used = snprintf(text, size, "%s %dx%dx%dx%d %s %s", p->buffers[v->buffer].name, v->n, v->c, v->h, v->w,
                        trib_dtype_name(v->dtype), trib_layout_name(v->layout));
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

static const char *bound_text(const trib_plan *p, const trib_plan_op *op, char *text, size_t size)
{
    trib_bound b = trib_bound_of(p, op);
    text[0] = '\0';
    if (p->copy_rate > 0) snprintf(text, size, " %9.2f %s", 1e6 * trib_bound_seconds(&b), trib_bound_name(&b));
    return text;
}

/* ---- the table ---- */

static void print_details(const trib_plan *p, const trib_plan_op *op, FILE *out)
{
    char view[256];
    for (int i = 0; i < op->desc.input_count; ++i)
        fprintf(out, "          reads  %s\n", view_text(p, &op->desc.inputs[i], view, sizeof view));
    for (int i = 0; i < op->desc.output_count; ++i)
        fprintf(out, "          writes %s\n", view_text(p, &op->desc.outputs[i], view, sizeof view));
    if (op->workspace >= 0)
        fprintf(out, "          workspace %.2f MB\n", (double)p->buffers[op->workspace].bytes * 1e-6);
    if (op->reason) fprintf(out, "          %s\n", op->reason);
}

/* Columns as wide as their content. */
typedef struct columns {
    int layer, implementation;
} columns;

static int wider(int width, const char *text)
{
    int length = text ? (int)strlen(text) : 0;
    return length > width ? length : width;
}

static columns columns_of(const trib_plan *p)
{
    columns c = { 24, 14 };
    for (int i = 0; i < p->op_count; ++i) {
        c.layer = wider(c.layer, p->ops[i].name);
        c.implementation = wider(c.implementation, p->ops[i].implementation);
    }
    return c;
}

static void print_op(const trib_plan *p, columns c, int index, bool explain, FILE *out)
{
    const trib_plan_op *op = &p->ops[index];
    char waits[64], record[16] = "", bound[32] = "";
    waits_text(op, waits, sizeof waits);
    if (op->record >= 0) snprintf(record, sizeof record, "e%d", op->record);
    if (op->implementation) bound_text(p, op, bound, sizeof bound);
    fprintf(out, "%4d %2d  %-10s %-5s %-*s %-*s %8.1f %8.2f%s\n", index, op->stream, waits, record, c.layer, op->name,
            c.implementation, op->implementation ? op->implementation : "-", (double)op->flops * 1e-6,
            (double)op->bytes * 1e-6, bound);
    if (explain && op->implementation) print_details(p, op, out);
}

static void print_totals(const trib_plan *p, columns c, FILE *out)
{
    trib_roofline t = trib_roofline_of(p, NULL);
    char roofline[32] = "";
    if (p->copy_rate > 0) snprintf(roofline, sizeof roofline, " %9.2f", 1e6 * t.seconds);
    fprintf(out, "%4s %2s  %-10s %-5s %-*s %-*s %8.1f %8.2f%s\n", "", "", "", "", c.layer, "total", c.implementation,
            "", (double)t.flops * 1e-6, (double)t.bytes * 1e-6, roofline);
    if (p->copy_rate <= 0) return;
    fprintf(out, "\nPer image: %.2f MB moved, %.3f GFLOP. At best, images/s: %.0f by memory (%.2f TB/s)",
            (double)t.bytes * 1e-6 / p->batch, (double)t.flops * 1e-9 / p->batch, p->batch / t.each.memory,
            p->copy_rate * 1e-12);
    if (p->math_rate > 0)
        fprintf(out, ", %.0f by arithmetic (%.0f TFLOP/s)", p->batch / t.each.math, p->math_rate * 1e-12);
    fprintf(out, ", %.0f op by op, one after the other.\nRates: %s.\n", p->batch / t.seconds, p->rates_source);
}

static void print_memory(const trib_plan *p, FILE *out)
{
    fprintf(out,
            "\narena %.2f MB (%.2f MB of activations and workspaces), parameters %.2f MB (%.2f MB more while they "
            "are loaded)\n",
            (double)p->arena_bytes * 1e-6, (double)p->activation_bytes * 1e-6, (double)p->parameter_bytes * 1e-6,
            (double)p->loading_bytes * 1e-6);
}

/* What runs when parameters change. */
static void print_preparation(const trib_plan *p, columns c, FILE *out)
{
    fprintf(out, "\nWhen parameters change, on stream 0:\n");
    for (int i = 0; i < p->prepare_count; ++i) {
        const trib_plan_op *op = &p->prepare[i];
        fprintf(out, "%4d  %-*s %-*s %8.2f MB\n", i, c.layer + 5, op->name, c.implementation, op->implementation,
                (double)op->bytes * 1e-6);
    }
}

trib_status trib_plan_print(const trib_plan *p, bool explain, FILE *out)
{
    char schedule[1024];
    if (trib_plan_schedule_text(p, schedule, sizeof schedule) >= sizeof schedule)
        memcpy(schedule + sizeof schedule - 4, "...", 4);
    fprintf(out, "%s on %s: batch %d, schedule %s, precision %s, layout %s, %d streams, %d events", p->graph_name,
            p->device_spec, p->batch, schedule, trib_precision_name(p->precision), trib_layout_name(p->layout),
            p->stream_count, p->event_count);
    if (p->threads > 0) fprintf(out, ", %d thread%s", p->threads, p->threads == 1 ? "" : "s");
    print_memory(p, out);
    for (int i = 0; explain && i < p->note_count; ++i) fprintf(out, "  %s\n", p->notes[i]);
    columns c = columns_of(p);
    fprintf(out, "\n%4s %2s  %-10s %-5s %-*s %-*s %8s %8s%s\n", "op", "st", "waits", "rec", c.layer, "layer",
            c.implementation, "implementation", "MFLOP", "MB", p->copy_rate > 0 ? "  us, best bound by" : "");
    for (int i = 0; i < p->op_count; ++i) print_op(p, c, i, explain, out);
    print_totals(p, c, out);
    if (explain && p->prepare_count) print_preparation(p, c, out);
    if (p->training) trib_print_step(p, out);
    return ferror(out) ? TRIB_ERROR(TRIB_IO_ERROR, "the plan cannot be written") : trib_success();
}
