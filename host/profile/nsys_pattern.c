/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/nsys_pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile/blocks.h"
#include "tributary/internal/alloc.h"

enum { LAYERS_OF_A_MODULE = 4 };

/* An op of the run, and where it was issued. */
typedef struct issued {
    int64_t order; /* of the layer: its range; on a CPU, when it ran */
    int64_t start;
    uint32_t index; /* in run->ops */
} issued;

/* Ops [first, end) of the order of issue. */
typedef struct part {
    uint32_t first, end;
    int streams;
    bool module, backward;
    size_t prefix; /* length of the module's name in its ops' names */
} part;

typedef struct maker {
    const trib_nsys_report *report;
    const trib_nsys_run *run;
    trib_nsys_pattern *pattern;
    trib_profile_graph *graph;
    issued *ops;
    part *parts;
    int part_count;
    int *last; /* op of the graph that is the latest of each stream; -1: none in this part */
    trib_profile_op *out;
    int out_count, end; /* the op that ended the part before; -1: none */
} maker;

static const trib_nsys_op *op_of(const maker *m, uint32_t i)
{
    return &m->report->ops[m->run->ops[m->ops[i].index].op];
}
static const char *name_of(const maker *m, uint32_t i)
{
    return trib_nsys_name_text(&m->report->names, m->run->ops[m->ops[i].index].name);
}
static uint32_t stream_of(const maker *m, uint32_t i) { return m->run->ops[m->ops[i].index].stream; }

static bool is_backward(const char *name) { return strstr(name, "/backward") || strstr(name, "/again"); }

/* ---- the order ---- */

static int by_issue(const void *a, const void *b)
{
    const issued *x = a, *y = b;
    if (x->order != y->order) return x->order < y->order ? -1 : 1;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static void find_order(maker *m)
{
    for (uint32_t i = 0; i < m->run->count; ++i) {
        const trib_nsys_op *op = &m->report->ops[m->run->ops[i].op];
        m->ops[i] = (issued) { m->report->on_cpu ? op->start : (int64_t)op->layer, op->start, i };
    }
    qsort(m->ops, m->run->count, sizeof *m->ops, by_issue);
}

/* ---- parts ---- */

static bool same_part(const maker *m, uint32_t a, uint32_t b)
{
    const char *x = name_of(m, a), *y = name_of(m, b);
    size_t size = strcspn(x, "/");
    return x[size] == '/' && strcspn(y, "/") == size && y[size] == '/' && !memcmp(x, y, size) &&
           is_backward(x) == is_backward(y);
}

static bool is_module(const maker *m, uint32_t first, uint32_t end)
{
    int layers = 1;
    for (uint32_t i = first + 1; i < end; ++i) {
        if (stream_of(m, i) != stream_of(m, first)) return true;
        layers += m->run->ops[m->ops[i].index].name != m->run->ops[m->ops[i - 1].index].name;
    }
    return layers >= LAYERS_OF_A_MODULE;
}

/* Trunks are what lies between modules. */
static void cut(maker *m)
{
    for (uint32_t i = 0, end; i < m->run->count; i = end) {
        for (end = i + 1; end < m->run->count && same_part(m, i, end);) ++end;
        bool module = is_module(m, i, end);
        part *before = m->part_count ? &m->parts[m->part_count - 1] : NULL;
        if (!module && before && !before->module)
            before->end = end;
        else
            m->parts[m->part_count++] =
                (part) { i, end, 0, module, is_backward(name_of(m, i)), strcspn(name_of(m, i), "/") };
    }
}

/* ---- the graph ---- */

static void *add(maker *m, size_t count, size_t size) { return trib_blocks_add(&m->graph->storage, count, size); }

static const char *copy_name(maker *m, const char *text, size_t size)
{
    char *copy = add(m, size + 1, 1);
    if (copy) memcpy(copy, text, size);
    return copy;
}

/* Waits for the end of the part before, if that was on another stream. */
static bool add_op(maker *m, uint32_t i, int window)
{
    uint32_t stream = stream_of(m, i);
    trib_profile_op *op = &m->out[m->out_count];
    *op = (trib_profile_op) {
        .name = name_of(m, i), .stream = (int)stream, .window = window, .branch = -1, .runs = true
    };
    if (m->last[stream] < 0 && m->end >= 0 && m->out[m->end].stream != op->stream) {
        int *wait = add(m, 1, sizeof *wait);
        if (!wait) return false;
        *wait = m->end;
        op->waits = wait;
        op->wait_count = 1;
    }
    m->pattern->place[m->ops[i].index] = m->out_count;
    m->last[stream] = m->out_count++;
    return true;
}

/* Where the streams of a part meet. */
static bool add_join(maker *m, int window, int stream)
{
    trib_profile_op *op = &m->out[m->out_count];
    int *waits = add(m, m->run->stream_count, sizeof *waits);
    if (!waits) return false;
    *op = (trib_profile_op) { .name = "join", .stream = stream, .window = window, .branch = -1, .waits = waits };
    for (uint32_t s = 0; s < m->run->stream_count; ++s)
        if (m->last[s] >= 0 && (int)s != stream) waits[op->wait_count++] = m->last[s];
    m->end = m->out_count++;
    return true;
}

/* Whether its streams are branches is known only now. */
static void find_branches(maker *m, part *p, int from)
{
    for (uint32_t s = 0; s < m->run->stream_count; ++s) p->streams += m->last[s] >= 0;
    if (p->module && p->streams > 1)
        for (int i = from; i < m->out_count; ++i) m->out[i].branch = m->out[i].stream;
}

/* The rest of a layer's name behind its module's, of the longest op of each branch. */
static bool name_branches(maker *m, const part *p, trib_profile_part *out)
{
    const char **names = add(m, m->run->stream_count, sizeof *names);
    if (!names) return false;
    for (uint32_t s = 0; s < m->run->stream_count; ++s) {
        int64_t longest = -1;
        names[s] = "";
        for (uint32_t i = p->first; i < p->end; ++i) {
            const trib_nsys_op *op = op_of(m, i);
            if (stream_of(m, i) != s || op->end - op->start <= longest) continue;
            longest = op->end - op->start;
            names[s] = name_of(m, i) + p->prefix + 1;
        }
    }
    out->branches = names;
    out->branch_count = (int)m->run->stream_count;
    return true;
}

static bool name_part(maker *m, const part *p, trib_profile_part *out)
{
    const char *first = name_of(m, p->first);
    *out = (trib_profile_part) { .kind = TRIB_PROFILE_TRUNK, .fork = -1, .name = first };
    if (!p->module) return true;
    out->kind = p->backward ? TRIB_PROFILE_BACKWARD : TRIB_PROFILE_FORWARD;
    out->fork = 0;
    out->name = copy_name(m, first, p->prefix);
    return out->name && (p->streams < 2 || name_branches(m, p, out));
}

static bool add_part(maker *m, int window, trib_profile_part *out)
{
    part *p = &m->parts[window];
    for (uint32_t s = 0; s < m->run->stream_count; ++s) m->last[s] = -1;
    int from = m->out_count;
    for (uint32_t i = p->first; i < p->end; ++i)
        if (!add_op(m, i, window)) return false;
    find_branches(m, p, from);
    m->end = m->out_count - 1;
    if (p->streams > 1 && !add_join(m, window, (int)stream_of(m, p->first))) return false;
    if (!name_part(m, p, out)) return false;
    out->last = m->end;
    return true;
}

static bool make(maker *m)
{
    uint32_t count = m->run->count, streams = m->run->stream_count;
    m->ops = trib_alloc_zeroed(count, sizeof *m->ops);
    m->parts = trib_alloc_zeroed(count, sizeof *m->parts);
    m->last = trib_alloc_zeroed(streams, sizeof *m->last);
    m->pattern->place = trib_alloc_zeroed(count, sizeof *m->pattern->place);
    if (!m->ops || !m->parts || !m->last || !m->pattern->place) return false;
    find_order(m);
    cut(m);
    trib_profile_part *parts = add(m, (size_t)m->part_count, sizeof *parts);
    m->out = add(m, count + (size_t)m->part_count, sizeof *m->out);
    if (!parts || !m->out) return false;
    for (int w = 0; w < m->part_count; ++w)
        if (!add_part(m, w, &parts[w])) return false;
    m->pattern->op_count = m->graph->op_count = m->out_count;
    m->graph->part_count = m->part_count;
    m->graph->stream_count = (int)streams;
    m->graph->ops = m->out;
    m->graph->parts = parts;
    return true;
}

trib_status trib_nsys_pattern_of(const trib_nsys_report *report, const trib_nsys_run *run, trib_nsys_pattern *pattern,
                                 trib_profile_graph *graph)
{
    maker m = { .report = report, .run = run, .pattern = pattern, .graph = graph, .end = -1 };
    bool made = make(&m);
    trib_free(m.ops);
    trib_free(m.parts);
    trib_free(m.last);
    return made ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a run of %u ops", run->count);
}

void trib_nsys_pattern_release(trib_nsys_pattern *pattern)
{
    trib_free(pattern->place);
    *pattern = (trib_nsys_pattern) { 0 };
}
