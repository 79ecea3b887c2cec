/* SPDX-License-Identifier: Apache-2.0
 * A plan's ops as the analysis sees them, and in which windows they lie. A module's window is found from what the plan
 * states: its ops are in its fork, and its last op is where what several branches wrote is read outside of it. */
#include <stdio.h>
#include <string.h>

#include "profile/blocks.h"
#include "profile/profile.h"

/* A module in one direction: a run of ops in the plan's list, with what lies between. */
typedef struct module {
    int fork;
    bool backward;
    int first, end; /* ops [first, end) */
} module;

typedef struct finder {
    const trib_plan *plan;
    trib_profile_graph *out;
    trib_profile_op *ops;
    module *modules;
    int module_count;
    int *module_of; /* of each op, or -1 */
    int losses;     /* index of the first loss: what follows is backward; op_count if there is none */
} finder;

static int outermost(const trib_plan *p, int fork)
{
    while (fork >= 0 && p->forks[fork].parent >= 0) fork = p->forks[fork].parent;
    return fork;
}

/* ---- what reads what ---- */

/* Whether they have channels in common; `covers`: whether a write of `w` leaves nothing of `r` from before. */
static bool meet(const trib_view *w, const trib_view *r, bool *covers)
{
    if (w->buffer < 0 || w->buffer != r->buffer) return false;
    const bool same = w->c_total == r->c_total && w->h == r->h && w->w == r->w;
    *covers = !same || (w->c_offset <= r->c_offset && w->c_offset + w->c >= r->c_offset + r->c);
    return !same || (w->c_offset < r->c_offset + r->c && r->c_offset < w->c_offset + w->c);
}

static bool writes(const trib_plan_op *op, const trib_view *read, bool *covers)
{
    *covers = false;
    bool any = false, one;
    for (int o = 0; o < op->desc.output_count; ++o)
        if (meet(&op->desc.outputs[o], read, &one)) {
            any = true;
            *covers |= one;
        }
    return any;
}

/* ---- modules ---- */

static int find_module(const finder *f, int fork, bool backward)
{
    for (int m = f->module_count - 1; m >= 0; --m)
        if (f->modules[m].fork == fork && f->modules[m].backward == backward) return m;
    return -1;
}

static void find_modules(finder *f)
{
    for (int i = 0; i < f->plan->op_count; ++i) {
        const int fork = outermost(f->plan, f->plan->ops[i].fork);
        if (fork < 0) continue;
        int m = find_module(f, fork, i > f->losses);
        if (m < 0) f->modules[m = f->module_count++] = (module) { fork, i > f->losses, i, i };
        f->module_of[i] = m;
        f->modules[m].end = i + 1;
    }
}

/* The branches of module m that wrote what `read` reads, as bits; the first 64 are told apart. */
static uint64_t writers(const finder *f, int m, int op, const trib_view *read)
{
    uint64_t branches = 0;
    for (int i = op - 1; i >= f->modules[m].first; --i) {
        bool covers;
        if (!writes(&f->plan->ops[i], read, &covers)) continue;
        if (f->module_of[i] != m || f->plan->ops[i].fork < 0) break;
        branches |= UINT64_C(1) << (f->ops[i].branch & 63);
        if (covers) break;
    }
    return branches;
}

static bool joins(const finder *f, int m, int op)
{
    const trib_op_desc *d = &f->plan->ops[op].desc;
    uint64_t branches = 0;
    for (int k = 0; k < d->input_count; ++k) branches |= writers(f, m, op, &d->inputs[k]);
    return branches & (branches - 1);
}

/* The module that op i, outside of all forks, ends: the last one that began before it. */
static void find_joins(finder *f)
{
    int m = -1;
    for (int i = 0; i < f->plan->op_count; ++i) {
        while (m + 1 < f->module_count && f->modules[m + 1].first <= i) ++m;
        if (m < 0 || f->module_of[i] >= 0 || !joins(f, m, i)) continue;
        if (f->modules[m].end < i + 1) f->modules[m].end = i + 1;
    }
    for (int k = 0; k < f->module_count; ++k)
        for (int i = f->modules[k].first; i < f->modules[k].end; ++i)
            if (f->module_of[i] < 0) f->module_of[i] = k;
}

/* Module k has window 2 k + 1, with trunk before and behind it. */
static void place_ops(finder *f)
{
    int begun = 0;
    for (int i = 0; i < f->plan->op_count; ++i) {
        while (begun < f->module_count && f->modules[begun].first <= i) ++begun;
        f->ops[i].window = f->module_of[i] >= 0 ? 2 * f->module_of[i] + 1 : 2 * begun;
    }
}

/* ---- branches ---- */

static bool reads(const trib_plan *p, int op, int writer)
{
    bool covers;
    for (int k = 0; k < p->ops[op].desc.input_count; ++k)
        if (writes(&p->ops[writer], &p->ops[op].desc.inputs[k], &covers)) return true;
    return false;
}

/* The plan does not say in which branch of `parent` a nested fork lies: in that of the first op that reads what one of
 * its ops wrote, its join or what follows; or of one whose output they read, if there is none. */
static int branch_around(const trib_plan *p, int fork, int parent)
{
    int before = 0;
    for (int i = 0; i < p->op_count; ++i) {
        if (p->ops[i].fork != parent) continue;
        for (int k = 0; k < p->op_count; ++k) {
            if (p->ops[k].fork != fork) continue;
            if (k < i && reads(p, i, k)) return p->ops[i].branch;
            if (k > i && reads(p, k, i)) before = p->ops[i].branch;
        }
    }
    return before;
}

static int branch_of(const trib_plan *p, int i)
{
    const trib_plan_op *op = &p->ops[i];
    if (op->fork < 0 || op->part_count > 1) return -1; /* a merged op is of several branches */
    int branch = op->branch;
    for (int fork = op->fork; p->forks[fork].parent >= 0; fork = p->forks[fork].parent)
        branch = branch_around(p, fork, p->forks[fork].parent);
    return branch;
}

/* "3x3" of "inception_3a/3x3/backward_data". */
static const char *short_name(void **storage, const char *name, const char *fork)
{
    const size_t prefix = strlen(fork);
    if (!strncmp(name, fork, prefix) && name[prefix] == '/') name += prefix + 1;
    const size_t length = strcspn(name, "/+");
    char *out = trib_blocks_add(storage, length + 1, 1);
    if (out) memcpy(out, name, length);
    return out;
}

/* Of the ops with work, the heaviest of the branch; else a merged op that begins with it; NULL: neither. */
static const trib_plan_op *names_branch(const finder *f, int m, int branch)
{
    const trib_plan_op *heaviest = NULL, *merged = NULL;
    for (int i = 0; i < f->plan->op_count; ++i) {
        const trib_plan_op *op = &f->plan->ops[i];
        if (f->module_of[i] != m || !op->implementation) continue;
        if (op->part_count > 1 && op->branch == branch) merged = op;
        if (f->ops[i].branch == branch && (!heaviest || op->flops > heaviest->flops)) heaviest = op;
    }
    return heaviest ? heaviest : merged;
}

/* "pool_proj" of the fused op "inception_3a/pool+inception_3a/pool_proj", "1x1" of the merged
 * "inception_3a/1x1+3x3_reduce". */
static const char *branch_name(const finder *f, int m, int branch)
{
    const trib_plan_op *op = names_branch(f, m, branch);
    if (op) {
        const char *last = op->part_count > 1 ? NULL : strrchr(op->name, '+');
        return short_name(&f->out->storage, last ? last + 1 : op->name, f->plan->forks[f->modules[m].fork].name);
    }
    char *out = trib_blocks_add(&f->out->storage, 24, 1);
    if (out) snprintf(out, 24, "branch %d", branch);
    return out;
}

static trib_status name_branches(const finder *f, int m, trib_profile_part *part)
{
    for (int i = 0; i < f->plan->op_count; ++i)
        if (f->module_of[i] == m && f->ops[i].branch >= part->branch_count) part->branch_count = f->ops[i].branch + 1;
    const char **names = trib_blocks_add(&f->out->storage, (size_t)part->branch_count, sizeof *names);
    if (!names) return trib_blocks_no_memory();
    for (int b = 0; b < part->branch_count; ++b)
        if (!(names[b] = branch_name(f, m, b))) return trib_blocks_no_memory();
    part->branches = names;
    return trib_success();
}

/* ---- windows ---- */

/* Nothing of the module's work waits for these: they may end long after it. */
static bool is_beside(const trib_plan_op *op)
{
    return op->desc.kind == TRIB_CONV2D_BACKWARD_WEIGHT || op->desc.kind == TRIB_LINEAR_BACKWARD_WEIGHT ||
           op->desc.kind == TRIB_BIAS_BACKWARD;
}

static int last_op(const finder *f, int m)
{
    int last = f->modules[m].first;
    for (int i = last; i < f->plan->op_count; ++i)
        if (f->module_of[i] == m && !is_beside(&f->plan->ops[i])) last = i;
    return last;
}

/* Of the ops before the module that wrote what it reads, the last one: what is older lies ready. */
static int input_op(const finder *f, int m)
{
    const int first = f->modules[m].first;
    int input = -1;
    for (int i = first; i < f->plan->op_count; ++i) {
        const trib_op_desc *d = &f->plan->ops[i].desc;
        for (int k = 0; k < d->input_count && f->module_of[i] == m; ++k) {
            int j = i - 1;
            bool covers;
            while (j > input && !writes(&f->plan->ops[j], &d->inputs[k], &covers)) --j;
            if (j > input && j < first) input = j;
        }
    }
    return input >= 0 ? input : 0;
}

static trib_status name_trunk(const finder *f, int window, trib_profile_part *part)
{
    const char *first = NULL, *last = NULL;
    for (int i = 0; i < f->plan->op_count; ++i) {
        if (f->ops[i].window != window || !f->ops[i].runs) continue;
        if (!first) first = f->ops[i].name;
        last = f->ops[i].name;
    }
    part->name = first ? first : "";
    if (first == last) return trib_success();
    const size_t size = strlen(first) + strlen(last) + 6;
    char *name = trib_blocks_add(&f->out->storage, size, 1);
    if (!name) return trib_blocks_no_memory();
    snprintf(name, size, "%s ... %s", first, last);
    part->name = name;
    return trib_success();
}

static trib_status describe_windows(finder *f)
{
    f->out->part_count = 2 * f->module_count + 1;
    trib_profile_part *parts = trib_blocks_add(&f->out->storage, (size_t)f->out->part_count, sizeof *parts);
    if (!parts) return trib_blocks_no_memory();
    f->out->parts = parts;
    for (int w = 0; w < f->out->part_count; w += 2) {
        parts[w] = (trib_profile_part) { .fork = -1, .last = f->plan->op_count - 1 };
        if (w / 2 < f->module_count) parts[w].last = input_op(f, w / 2);
        TRIB_TRY(name_trunk(f, w, &parts[w]));
    }
    for (int m = 0; m < f->module_count; ++m) {
        const module *from = &f->modules[m];
        parts[2 * m + 1] = (trib_profile_part) { .name = f->plan->forks[from->fork].name,
                                                 .kind = from->backward ? TRIB_PROFILE_BACKWARD : TRIB_PROFILE_FORWARD,
                                                 .fork = from->fork,
                                                 .last = last_op(f, m) };
        TRIB_TRY(name_branches(f, m, &parts[2 * m + 1]));
    }
    return trib_success();
}

/* ---- ops ---- */

static int share_of(const trib_plan *p, const trib_plan_op *op, int cores)
{
    if (cores <= 0 || p->threads <= 0 || op->desc.threads <= 0) return 0;
    if (op->desc.threads >= cores) return TRIB_WHOLE_DEVICE;
    return (int)((int64_t)TRIB_WHOLE_DEVICE * op->desc.threads / cores);
}

static int recorder(const trib_plan *p, int event, int op)
{
    while (op-- > 0)
        if (p->ops[op].record == event) return op;
    return -1;
}

/* What was never recorded is not waited for. */
static trib_status fill_op(finder *f, int i, int cores)
{
    const trib_plan_op *from = &f->plan->ops[i];
    trib_profile_op *op = &f->ops[i];
    *op = (trib_profile_op) { .name = from->name,
                              .stream = from->stream,
                              .branch = branch_of(f->plan, i),
                              .runs = from->implementation != NULL,
                              .bytes = from->bytes,
                              .flops = from->flops,
                              .share = share_of(f->plan, from, cores) };
    int *waits = trib_blocks_add(&f->out->storage, (size_t)from->wait_count, sizeof *waits);
    if (!waits) return trib_blocks_no_memory();
    for (int w = 0; w < from->wait_count; ++w)
        if ((waits[op->wait_count] = recorder(f->plan, from->waits[w], i)) >= 0) ++op->wait_count;
    op->waits = waits;
    return trib_success();
}

static trib_status build(finder *f, int cores, void **scratch)
{
    const size_t ops = (size_t)f->plan->op_count;
    f->out->ops = f->ops = trib_blocks_add(&f->out->storage, ops, sizeof *f->ops);
    f->modules = trib_blocks_add(scratch, 2 * (size_t)f->plan->fork_count, sizeof *f->modules);
    f->module_of = trib_blocks_add(scratch, ops, sizeof *f->module_of);
    if (!f->ops || !f->modules || !f->module_of) return trib_blocks_no_memory();
    f->out->op_count = f->plan->op_count;
    f->out->stream_count = f->plan->stream_count;
    for (f->losses = 0; f->losses < f->plan->op_count; ++f->losses)
        if (f->plan->ops[f->losses].desc.kind == TRIB_CROSS_ENTROPY) break;
    for (int i = 0; i < f->plan->op_count; ++i) {
        f->module_of[i] = -1;
        TRIB_TRY(fill_op(f, i, cores));
    }
    find_modules(f);
    find_joins(f);
    place_ops(f);
    return describe_windows(f);
}

trib_status trib_profile_graph_of_plan(const trib_plan *plan, int cores, trib_profile_graph *out)
{
    if (!plan || !out || plan->op_count <= 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "profile: no plan, or a plan without ops");
    trib_profile_graph graph;
    memset(&graph, 0, sizeof graph);
    finder f = { .plan = plan, .out = &graph };
    void *scratch = NULL;
    trib_status status = build(&f, cores > 0 ? cores : plan->threads, &scratch);
    trib_blocks_release(&scratch);
    if (trib_failed(&status))
        trib_profile_graph_release(&graph);
    else
        *out = graph;
    return status;
}

void trib_profile_graph_release(trib_profile_graph *graph)
{
    if (!graph) return;
    trib_blocks_release(&graph->storage);
    memset(graph, 0, sizeof *graph);
}

int trib_profile_part_find(const trib_profile_graph *graph, const char *name, trib_profile_kind kind)
{
    for (int w = 0; w < graph->part_count; ++w)
        if (graph->parts[w].kind == kind && graph->parts[w].fork >= 0 && !strcmp(graph->parts[w].name, name)) return w;
    return -1;
}
