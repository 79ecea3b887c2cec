/* SPDX-License-Identifier: Apache-2.0
 * A complete plan as JSON: two plans are equal if their JSON is. Attributes are written by name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/kinds.h"
#include "plan/step.h"
#include "tributary/plan.h"

static void string(FILE *out, const char *text)
{
    if (!text) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c; ++c) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20)
            fprintf(out, "\\u%04x", *c);
        else
            fputc(*c, out);
    }
    fputc('"', out);
}

static void view(FILE *out, const trib_view *v)
{
    fprintf(out, "{\"buffer\": %d, \"dtype\": \"%s\", \"layout\": \"%s\", \"shape\": [%d, %d, %d, %d]", v->buffer,
            trib_dtype_name(v->dtype), trib_layout_name(v->layout), v->n, v->c, v->h, v->w);
    if (v->c != v->c_total) fprintf(out, ", \"c_offset\": %d, \"c_total\": %d", v->c_offset, v->c_total);
    fputc('}', out);
}

static void views(FILE *out, const char *key, const trib_view *list, int count)
{
    fprintf(out, ", \"%s\": [", key);
    for (int i = 0; i < count; ++i) {
        if (i) fputs(", ", out);
        view(out, &list[i]);
    }
    fputc(']', out);
}

/* ---- attributes, from the kind's row ---- */

static void ints(void *out, const char *name, const int *values, int count)
{
    fprintf(out, ", \"%s\": %s", name, count > 1 ? "[" : "");
    for (int i = 0; i < count; ++i) fprintf(out, "%s%d", i ? ", " : "", values[i]);
    if (count > 1) fputc(']', out);
}

static void reals(void *out, const char *name, const float *values, int count)
{
    fprintf(out, ", \"%s\": %s", name, count > 1 ? "[" : "");
    for (int i = 0; i < count; ++i) fprintf(out, "%s%.9g", i ? ", " : "", (double)values[i]);
    if (count > 1) fputc(']', out);
}

static void word(void *out, const char *name, const char *value) { fprintf(out, ", \"%s\": \"%s\"", name, value); }

static void kind_attributes(FILE *out, trib_kind kind, const trib_attributes *a)
{
    const trib_kind_row *row = trib_kind_row_of(kind);
    if (row->describe) row->describe(a, &(trib_fields) { .ints = ints, .reals = reals, .word = word, .context = out });
}

/* Its own object: a pool before a convolution also has a window. */
static void stage(FILE *out, const char *which, const trib_op_stage *s)
{
    if (s->kind == TRIB_NO_STAGE) return;
    fprintf(out, ", \"%s\": {\"kind\": \"%s\"", which, trib_kind_name(s->kind));
    kind_attributes(out, s->kind, &s->attributes);
    fputc('}', out);
}

static void attributes(FILE *out, const trib_op_desc *d)
{
    kind_attributes(out, d->kind, &d->attributes);
    stage(out, "before", &d->before);
    stage(out, "after", &d->after);
    fprintf(out, ", \"relu\": %s, \"bias\": %s, \"threads\": %d", d->relu ? "true" : "false",
            d->has_bias ? "true" : "false", d->threads);
    if (d->accumulate) fputs(", \"accumulate\": true", out);
    if (d->any_order) fputs(", \"any_order\": true", out);
    if (d->chunk) fprintf(out, ", \"chunk\": %d", d->chunk);
}

static void op_json(FILE *out, const trib_plan_op *op)
{
    fputs("    {\"name\": ", out);
    string(out, op->name);
    fprintf(out, ", \"kind\": \"%s\", \"implementation\": ", trib_kind_name(op->desc.kind));
    string(out, op->implementation);
    fprintf(out, ", \"fork\": %d, \"branch\": %d, \"stream\": %d, \"record\": %d, \"waits\": [", op->fork, op->branch,
            op->stream, op->record);
    for (int i = 0; i < op->wait_count; ++i) fprintf(out, "%s%d", i ? ", " : "", op->waits[i]);
    fputc(']', out);
    attributes(out, &op->desc);
    views(out, "inputs", op->desc.inputs, op->desc.input_count);
    views(out, "outputs", op->desc.outputs, op->desc.output_count);
    fprintf(out, ", \"workspace\": %d, \"parameters\": %d", op->workspace, op->parameters);
    if (op->consumer >= 0) fprintf(out, ", \"consumer\": %d", op->consumer);
    fprintf(out, ", \"flops\": %lld, \"bytes\": %lld}", (long long)op->flops, (long long)op->bytes);
}

static void buffers_json(FILE *out, const trib_plan *p)
{
    fputs("  \"buffers\": [\n", out);
    for (int i = 0; i < p->buffer_count; ++i) {
        const trib_plan_buffer *b = &p->buffers[i];
        fputs("    {\"name\": ", out);
        string(out, b->name);
        fprintf(out, ", \"kind\": \"%s\", \"bytes\": %lld, \"offset\": %lld}%s\n", trib_buffer_kind_name(b->kind),
                (long long)b->bytes, (long long)b->offset, i + 1 < p->buffer_count ? "," : "");
    }
    fputs("  ],\n", out);
}

static void inputs_json(FILE *out, const trib_plan *p)
{
    char shape[TRIB_SHAPE_TEXT];
    fputs("  \"inputs\": [", out);
    for (int i = 0; i < p->input_count; ++i) {
        const trib_plan_input *input = &p->inputs[i];
        fputs(i ? ", {\"name\": " : "{\"name\": ", out);
        string(out, input->name);
        fprintf(out, ", \"buffer\": %d, \"shape\": %s, \"dtype\": \"%s\", \"layout\": \"%s\"}", input->buffer,
                trib_shape_text(&input->shape, shape), trib_dtype_name(input->dtype), trib_layout_name(input->layout));
    }
    fputs("],\n", out);
}

static void outputs_json(FILE *out, const trib_plan *p)
{
    char shape[TRIB_SHAPE_TEXT];
    fputs("  \"outputs\": [", out);
    for (int i = 0; i < p->output_count; ++i) {
        fputs(i ? ", {\"name\": " : "{\"name\": ", out);
        string(out, p->outputs[i].name);
        fprintf(out, ", \"buffer\": %d, \"shape\": %s, \"dtype\": \"%s\"}", p->outputs[i].buffer,
                trib_shape_text(&p->outputs[i].shape, shape), trib_dtype_name(p->outputs[i].dtype));
    }
    fputs("],\n", out);
}

static void forks_json(FILE *out, const trib_plan *p)
{
    fputs("  \"forks\": [", out);
    for (int i = 0; i < p->fork_count; ++i) {
        fputs(i ? ", {\"name\": " : "{\"name\": ", out);
        string(out, p->forks[i].name);
        fprintf(out, ", \"parent\": %d, \"schedule\": \"%s\"", p->forks[i].parent,
                trib_schedule_name(p->forks[i].schedule));
        if (p->forks[i].stages) fprintf(out, ", \"stages\": \"%s\"", p->forks[i].stages);
        fputc('}', out);
    }
    fputs("],\n", out);
}

static void ops_json(FILE *out, const char *key, const trib_plan_op *ops, int count, const char *end)
{
    fprintf(out, "  \"%s\": [\n", key);
    for (int i = 0; i < count; ++i) {
        op_json(out, &ops[i]);
        fputs(i + 1 < count ? ",\n" : "\n", out);
    }
    fprintf(out, "  ]%s\n", end);
}

static void loads_json(FILE *out, const trib_plan *p)
{
    fputs("  \"loads\": [\n", out);
    for (int i = 0; i < p->load_count; ++i) {
        fprintf(out, "    {\"parameter\": %d, \"before\": %d, \"to\": ", p->loads[i].parameter, p->loads[i].op);
        view(out, &p->loads[i].view);
        fputs(i + 1 < p->load_count ? "},\n" : "}\n", out);
    }
    fputs("  ],\n", out);
}

trib_status trib_plan_print_json(const trib_plan *p, FILE *out)
{
    fputs("{\n  \"graph\": ", out);
    string(out, p->graph_name);
    fputs(", \"device\": ", out);
    string(out, p->device_spec);
    fprintf(out, ", \"batch\": %d, \"schedule\": \"%s\", \"precision\": \"%s\", \"layout\": \"%s\",\n", p->batch,
            trib_schedule_name(p->schedule), trib_precision_name(p->precision), trib_layout_name(p->layout));
    fprintf(out, "  \"threads\": %d, \"disabled_passes\": %u, \"streams\": %d, \"events\": %d,\n", p->threads,
            p->disabled_passes, p->stream_count, p->event_count);
    fprintf(out, "  \"arena_bytes\": %lld, \"activation_bytes\": %lld,\n", (long long)p->arena_bytes,
            (long long)p->activation_bytes);
    if (p->any_order_ops) fprintf(out, "  \"any_order_ops\": %d,\n", p->any_order_ops);
    forks_json(out, p);
    fprintf(out, "  \"parameter_bytes\": %lld, \"loading_bytes\": %lld,\n", (long long)p->parameter_bytes,
            (long long)p->loading_bytes);
    if (p->training) trib_step_json(p, out);
    buffers_json(out, p);
    inputs_json(out, p);
    outputs_json(out, p);
    loads_json(out, p);
    ops_json(out, "prepare", p->prepare, p->prepare_count, ",");
    ops_json(out, "ops", p->ops, p->op_count, "");
    fputs("}\n", out);
    return ferror(out) ? TRIB_ERROR(TRIB_IO_ERROR, "the plan cannot be written") : trib_success();
}

static char *json_text(const trib_plan *p)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    trib_status status = trib_plan_print_json(p, out);
    if (fclose(out) || trib_failed(&status)) {
        free(text);
        return NULL;
    }
    return text;
}

bool trib_plan_equal(const trib_plan *a, const trib_plan *b)
{
    char *x = json_text(a), *y = json_text(b);
    bool equal = x && y && !strcmp(x, y);
    free(x);
    free(y);
    return equal;
}
