/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/trace/cupti_records.h"

#include <stdlib.h>

#include "tributary/internal/alloc.h"

enum { CLOCK_ERROR = 20000 }; /* ns: the device's times are brought to the host's clock by interpolation */

/* ---- finding ---- */

static int compare_works(const void *a, const void *b)
{
    const trib_cupti_work *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

static int compare_nodes(const void *a, const void *b)
{
    const trib_cupti_node *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static int compare_calls(const void *a, const void *b)
{
    const trib_cupti_call *x = a, *y = b;
    return (x->correlation > y->correlation) - (x->correlation < y->correlation);
}

const trib_cupti_node *trib_cupti_find_node(trib_cupti_observation *o, uint64_t id)
{
    const trib_cupti_node wanted = { .id = id };
    if (!o->node_count) return NULL;
    if (!o->nodes_sorted) qsort(o->nodes, o->node_count, sizeof *o->nodes, compare_nodes);
    o->nodes_sorted = true;
    return bsearch(&wanted, o->nodes, o->node_count, sizeof *o->nodes, compare_nodes);
}

static const trib_cupti_call *find_call(const trib_cupti_run *r, uint32_t correlation)
{
    const trib_cupti_call wanted = { .correlation = correlation };
    if (!r->run || !r->call_count) return NULL;
    return bsearch(&wanted, r->calls, r->call_count, sizeof *r->calls, compare_calls);
}

/* ---- giving ---- */

static void add(trib_cupti_seen *seen, const trib_cupti_work *w)
{
    if (!w->start || !w->end)
        ++seen->untimed;
    else {
        if (!seen->start || w->start < seen->start) seen->start = w->start;
        if (w->end > seen->end) seen->end = w->end;
    }
    ++seen->found;
}

static void keep_stray(trib_cupti_observation *o, const trib_cupti_work *w)
{
    void *list = o->strays.list;
    int grown = trib_grow(&list, &o->strays.capacity, o->strays.count + 1, sizeof *w);
    o->strays.list = list;
    if (!grown) o->strays.list[o->strays.count++] = *w;
}

void trib_cupti_ignore(trib_cupti_observation *o, uint32_t correlation)
{
    o->ignored[o->ignored_count++ % TRIB_CUPTI_IGNORED] = correlation;
}

static bool is_ignored(const trib_cupti_observation *o, uint32_t correlation)
{
    for (size_t i = 0; i < o->ignored_count && i < TRIB_CUPTI_IGNORED; ++i)
        if (o->ignored[i] == correlation) return true;
    return false;
}

/* Nodes belong to one observation. */
static bool give_node(trib_cupti_observation *o, const trib_cupti_work *w)
{
    const trib_cupti_node *node = trib_cupti_find_node(o, w->node);
    if (!node) return false;
    for (int i = 0; i < o->run_count && !o->by_order; ++i) {
        trib_cupti_run *r = &o->runs[i];
        if (!r->launched || !find_call(r, w->correlation)) continue;
        if (r->ops[node->op].found == r->ops[node->op].wanted) continue;
        add(&r->ops[node->op], w);
        return true;
    }
    if (o->by_order || !is_ignored(o, w->correlation)) keep_stray(o, w);
    return true;
}

static bool nothing_found(const trib_cupti_observation *o, const trib_cupti_run *r)
{
    for (int i = 0; i < o->op_count; ++i)
        if (r->ops[i].found) return false;
    return true;
}

static void suspect_runs(trib_cupti_observation *o)
{
    for (int i = 0; i < o->run_count && o->strays.count && !o->by_order; ++i)
        if (o->runs[i].run && o->runs[i].launched && !nothing_found(o, &o->runs[i])) o->runs[i].suspect = true;
    for (int i = 0; i < o->run_count; ++i)
        if (o->runs[i].run && o->runs[i].suspect) o->by_order = true;
}

static bool give_call(trib_cupti_observation *o, const trib_cupti_work *w)
{
    for (int i = 0; i < o->run_count; ++i) {
        const trib_cupti_call *call = find_call(&o->runs[i], w->correlation);
        if (!call || call->op < 0) continue;
        add(&o->runs[i].ops[call->op], w);
        return true;
    }
    return false;
}

void trib_cupti_sort_out(trib_cupti_observation *observations, trib_cupti_works *works)
{
    if (works->count) qsort(works->list, works->count, sizeof *works->list, compare_works);
    for (size_t i = 0; i < works->count; ++i) {
        const trib_cupti_work *w = &works->list[i];
        trib_cupti_observation *o = observations;
        while (o && !(w->node ? give_node(o, w) : give_call(o, w))) o = o->next;
    }
    works->count = 0;
    for (trib_cupti_observation *o = observations; o; o = o->next) suspect_runs(o);
}

/* ---- guessing ---- */

static bool is_stray_of(trib_cupti_observation *o, const trib_cupti_run *r, size_t i, int op)
{
    const trib_cupti_work *w = &o->strays.list[i];
    return w->start >= r->issued - CLOCK_ERROR && trib_cupti_find_node(o, w->node)->op == op;
}

/* Takes as many strays of an op as the run wants, or only counts them: the oldest first. */
static int take_strays(trib_cupti_observation *o, trib_cupti_run *r, int op, bool take)
{
    int found = 0;
    size_t kept = 0;
    for (size_t i = 0; i < o->strays.count; ++i) {
        bool its = found < r->ops[op].wanted && is_stray_of(o, r, i, op);
        found += its;
        if (!take) continue;
        if (its)
            add(&r->ops[op], &o->strays.list[i]);
        else
            o->strays.list[kept++] = o->strays.list[i];
    }
    if (take) o->strays.count = kept;
    return found;
}

bool trib_cupti_guess(trib_cupti_observation *o, trib_cupti_run *r)
{
    if (!r->launched || !o->strays.count || !nothing_found(o, r)) return false;
    qsort(o->strays.list, o->strays.count, sizeof *o->strays.list, compare_works);
    for (int i = 0; i < o->op_count; ++i)
        if (take_strays(o, r, i, false) < r->ops[i].wanted) return false;
    for (int i = 0; i < o->op_count; ++i) take_strays(o, r, i, true);
    return true;
}

void trib_cupti_forget_strays(trib_cupti_observation *o, const trib_cupti_run *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < o->strays.count; ++i)
        if (o->strays.list[i].start >= r->issued) o->strays.list[kept++] = o->strays.list[i];
    o->strays.count = kept;
}

/* ---- judging ---- */

bool trib_cupti_complete(const trib_cupti_observation *o, const trib_cupti_run *r)
{
    for (int i = 0; i < o->op_count; ++i)
        if (r->ops[i].found < r->ops[i].wanted) return false;
    return true;
}

static trib_status judge_op(const trib_cupti_seen *seen, int op)
{
    if (seen->given && !seen->wanted)
        return TRIB_ERROR(TRIB_DEVICE_ERROR, "CUPTI saw no work of op %d being given", op);
    if (seen->found < seen->wanted)
        return TRIB_ERROR(TRIB_DEVICE_ERROR, "CUPTI lost %d of %d records of op %d", seen->wanted - seen->found,
                          seen->wanted, op);
    if (seen->untimed)
        return TRIB_ERROR(TRIB_DEVICE_ERROR, "CUPTI has no times in %d of %d records of op %d", seen->untimed,
                          seen->found, op);
    return trib_success();
}

trib_status trib_cupti_verdict(const trib_cupti_observation *o, const trib_cupti_run *r)
{
    if (r->incomplete || o->nodes_lost)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for what CUPTI tells about a run");
    for (int i = 0; i < o->op_count; ++i) TRIB_TRY(judge_op(&r->ops[i], i));
    if (r->suspect)
        return TRIB_ERROR(TRIB_DEVICE_ERROR, "CUPTI gave a launch's records the correlation id of another one");
    return trib_success();
}
