/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/space.h"

#include <math.h>
#include <string.h>

#include "tributary/internal/alloc.h"

enum { MOST_SETS = 4096, MOST_STEPS = 1 << 20 };

static int first_of(const trib_space *s, int branch)
{
    int first = 0;
    for (int b = 0; b < branch; ++b) first += s->lengths[b];
    return first;
}

/* Of a branch's layers, those that a set of layers has. */
static int taken(const trib_space *s, uint32_t set, int branch)
{
    int count = 0;
    for (int k = 0; k < s->lengths[branch]; ++k) count += set >> (first_of(s, branch) + k) & 1u;
    return count;
}

/* ---- building ---- */

/* All counts of layers per branch, in the order of a number whose digits they are. A set comes before those that
 * contain it. */
static void list_sets(trib_space *s)
{
    int counts[TRIB_SPACE_BRANCHES] = { 0 };
    for (int i = 0; i < s->set_count; ++i) {
        uint32_t set = 0;
        for (int b = 0; b < s->branches; ++b) set |= ((UINT32_C(1) << counts[b]) - 1) << first_of(s, b);
        s->sets[i] = set;
        for (int b = 0; b < s->branches && ++counts[b] > s->lengths[b]; ++b) counts[b] = 0;
    }
}

static int find_stage(trib_space *s, uint32_t layers)
{
    for (int i = 0; i < s->stage_count; ++i)
        if (s->stages[i] == layers) return i;
    s->stages[s->stage_count] = layers;
    return s->stage_count++;
}

static bool contains(uint32_t set, uint32_t other) { return (other & ~set) == 0; }

static int count_steps(const trib_space *s)
{
    int count = 0;
    for (int a = 0; a < s->set_count; ++a)
        for (int b = a + 1; b < s->set_count; ++b) count += contains(s->sets[b], s->sets[a]);
    return count;
}

/* Distinct stages of chains: a range of each branch, not all empty. */
static double count_stages(const trib_space *s)
{
    double product = 1;
    for (int b = 0; b < s->branches; ++b) product *= 1 + s->lengths[b] * (s->lengths[b] + 1) / 2.0;
    return product - 1;
}

static double count_sets(const trib_space *s)
{
    double product = 1;
    for (int b = 0; b < s->branches; ++b) product *= 1 + s->lengths[b];
    return product;
}

static trib_status fill(trib_space *s)
{
    s->set_count = (int)count_sets(s);
    s->sets = trib_alloc_zeroed((size_t)s->set_count, sizeof *s->sets);
    s->stages = trib_alloc_zeroed((size_t)count_stages(s), sizeof *s->stages);
    s->to_here = trib_alloc_zeroed((size_t)s->set_count, sizeof *s->to_here);
    s->from_here = trib_alloc_zeroed((size_t)s->set_count, sizeof *s->from_here);
    s->came = trib_alloc_zeroed((size_t)s->set_count, sizeof *s->came);
    if (!s->sets || !s->stages || !s->to_here || !s->from_here || !s->came) goto no_memory;
    list_sets(s);
    const int steps = count_steps(s);
    if (steps > MOST_STEPS) return TRIB_ERROR(TRIB_UNSUPPORTED, "a fork with too many ways to run: %d steps", steps);
    s->steps = trib_alloc_zeroed((size_t)steps, sizeof *s->steps);
    if (!s->steps) goto no_memory;
    for (int a = 0; a < s->set_count; ++a)
        for (int b = a + 1; b < s->set_count; ++b)
            if (contains(s->sets[b], s->sets[a]))
                s->steps[s->step_count++] = (trib_space_step) { a, b, find_stage(s, s->sets[b] & ~s->sets[a]) };
    return trib_success();
no_memory:
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a fork's schedules");
}

trib_status trib_space_create(const int *lengths, int branches, trib_space **out)
{
    trib_space shape = { .branches = branches };
    bool short_ones = true; /* a digit each */
    for (int b = 0; b < branches && b < TRIB_SPACE_BRANCHES; ++b) {
        shape.layers += shape.lengths[b] = lengths[b];
        short_ones &= lengths[b] < 10;
    }
    if (!short_ones || branches > TRIB_SPACE_BRANCHES || shape.layers > TRIB_SPACE_LAYERS ||
        count_sets(&shape) > MOST_SETS || count_stages(&shape) > TRIB_SPACE_STAGES)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "a fork of %d branches and %d layers has too many stages to measure",
                          branches, shape.layers);
    trib_space *s = trib_alloc_zeroed(1, sizeof *s);
    if (!s) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a fork's schedules");
    *s = shape;
    trib_status status = fill(s);
    if (trib_failed(&status))
        trib_space_destroy(s);
    else
        *out = s;
    return status;
}

void trib_space_destroy(trib_space *s)
{
    if (!s) return;
    trib_free(s->sets);
    trib_free(s->stages);
    trib_free(s->steps);
    trib_free(s->to_here);
    trib_free(s->from_here);
    trib_free(s->came);
    trib_free(s);
}

/* ---- paths ---- */

static void walk(const trib_space *s, const double *cost)
{
    for (int i = 0; i < s->set_count; ++i) s->to_here[i] = i ? INFINITY : 0;
    for (int i = 0; i < s->step_count; ++i) {
        const trib_space_step *step = &s->steps[i];
        const double there = s->to_here[step->from] + cost[step->stage];
        if (!(there < s->to_here[step->to])) continue;
        s->to_here[step->to] = there;
        s->came[step->to] = i;
    }
}

double trib_space_best(const trib_space *s, const double *cost, trib_path *out)
{
    walk(s, cost);
    const double best = s->to_here[s->set_count - 1];
    out->count = 0;
    if (!(best < INFINITY)) return INFINITY;
    for (int set = s->set_count - 1; set; set = s->steps[s->came[set]].from) ++out->count;
    int i = out->count;
    for (int set = s->set_count - 1; set; set = s->steps[s->came[set]].from)
        out->stages[--i] = s->steps[s->came[set]].stage;
    return best;
}

void trib_space_near(const trib_space *s, const double *cost, double slack, bool *near)
{
    walk(s, cost);
    const double limit = s->to_here[s->set_count - 1] * (1 + slack);
    memset(near, 0, (size_t)s->stage_count * sizeof *near);
    for (int i = 0; i < s->set_count; ++i) s->from_here[i] = i == s->set_count - 1 ? 0 : INFINITY;
    for (int i = s->step_count; i-- > 0;) {
        const trib_space_step *step = &s->steps[i];
        const double rest = cost[step->stage] + s->from_here[step->to];
        if (rest < s->from_here[step->from]) s->from_here[step->from] = rest;
        if (s->to_here[step->from] + rest <= limit) near[step->stage] = true;
    }
}

/* ---- their form ---- */

void trib_space_text(const trib_space *s, const trib_path *path, bool barriers, char text[TRIB_SPACE_TEXT])
{
    size_t used = 0;
    for (int i = 0; i < path->count; ++i) {
        if (i) text[used++] = barriers ? '/' : '-';
        for (int b = 0; b < s->branches; ++b) text[used++] = (char)('0' + taken(s, s->stages[path->stages[i]], b));
    }
    text[used] = '\0';
}

int trib_space_width(const trib_space *s, int stage)
{
    int width = 0;
    for (int b = 0; b < s->branches; ++b) width += taken(s, s->stages[stage], b) > 0;
    return width;
}

static int stage_of(const trib_space *s, uint32_t layers)
{
    int i = 0;
    while (s->stages[i] != layers) ++i;
    return i;
}

void trib_space_serial(const trib_space *s, trib_path *out)
{
    out->count = s->layers;
    for (int i = 0; i < s->layers; ++i) out->stages[i] = stage_of(s, UINT32_C(1) << i);
}
