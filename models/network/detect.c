/* SPDX-License-Identifier: Apache-2.0
 * Recognises the network in a file of weights and its dialect: the one of whose parameters the file has the most. Then
 * the number of classes from the classifier, auxiliary classifiers by their presence, and the width from the channels
 * of all weights together. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "network/row.h"
#include "network/tensor_index.h"

typedef struct candidate {
    const trib_network *network;
    const trib_dialect *dialect;
    int found, missing; /* number of its parameters, without auxiliary classifiers */
} candidate;

static const trib_tensor *find(const trib_tensor_index *index, const trib_dialect *dialect, const char *canonical)
{
    char name[TRIB_NAME_TEXT];
    const trib_tensor_entry *entry = trib_tensor_index_find(index, dialect->file_name(canonical, name));
    return entry ? entry->tensor : NULL;
}

static void count_names(const trib_graph *graph, const trib_tensor_index *index, candidate *c)
{
    c->found = c->missing = 0;
    for (int i = 0; i < trib_graph_parameter_count(graph); ++i)
        ++*(find(index, c->dialect, trib_graph_parameter(graph, i)->name) ? &c->found : &c->missing);
}

/* Complete networks win: a network may contain all parameters of a smaller one. */
static bool better(const candidate *a, const candidate *b)
{
    if (!a->missing != !b->missing) return !a->missing;
    return a->found > b->found;
}

/* The network's best dialect, if it is better than the best so far. */
static trib_status consider(const trib_network *network, const trib_tensor_index *index, candidate *best)
{
    trib_graph *graph = NULL;
    TRIB_TRY(trib_network_graph(&(trib_network_spec) { .network = network }, &graph));
    for (const trib_dialect *const *d = network->dialects; *d; ++d) {
        candidate c = { .network = network, .dialect = *d };
        count_names(graph, index, &c);
        if (find(index, *d, network->first_weight) && (!best->network || better(&c, best))) *best = c;
    }
    trib_graph_destroy(graph);
    return trib_success();
}

/* Networks whose files people have, told by a tensor's beginning. */
static const struct {
    const char *beginning, *name;
} others[] = { { "Conv2d_1a_3x3.", "Inception v3" }, { "Mixed_5b.", "Inception v3" } };

static const char *other_network(const trib_tensor_index *index)
{
    for (size_t i = 0; i < index->count; ++i)
        for (size_t k = 0; k < sizeof others / sizeof *others; ++k)
            if (!strncmp(index->entries[i].bare_name, others[k].beginning, strlen(others[k].beginning)))
                return others[k].name;
    return NULL;
}

static trib_status nothing_known(const trib_tensor_index *index)
{
    char text[256] = "", name[TRIB_NAME_TEXT];
    const char *other = other_network(index);
    if (!index->count) return TRIB_ERROR(TRIB_BAD_DATA, "the file has no tensors, so it is not a network");
    if (other) return TRIB_ERROR(TRIB_UNSUPPORTED, "its tensors are those of %s, which is not a known network", other);
    for (int i = 0; trib_network_at(i); ++i) {
        const trib_network *n = trib_network_at(i);
        size_t used = strlen(text);
        if (n->tensors_of) continue;
        snprintf(text + used, sizeof text - used, "%s%s (%s)", used ? ", nor " : "",
                 n->dialects[0]->file_name(n->first_weight, name), n->name);
    }
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "not a known network: neither %s is among its %zu tensors, of which the first by name is %.128s",
                      text, index->count, index->entries[0].tensor->name);
}

static trib_status detect_network(const trib_tensor_index *index, candidate *best)
{
    for (int i = 0; trib_network_at(i); ++i)
        if (!trib_network_at(i)->tensors_of) TRIB_TRY(consider(trib_network_at(i), index, best));
    return best->network ? trib_success() : nothing_known(index);
}

static trib_status detect_classes(const candidate *c, const trib_tensor_index *index, int *classes)
{
    char name[TRIB_NAME_TEXT], shape[TRIB_SHAPE_TEXT];
    const trib_tensor *t = find(index, c->dialect, c->network->classifier);
    if (!t)
        return TRIB_ERROR(TRIB_BAD_DATA, "tensor %s is missing", c->dialect->file_name(c->network->classifier, name));
    if (t->shape.rank != 2 || t->shape.dim[0] < 1 || t->shape.dim[0] > TRIB_MAX_CLASSES)
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "tensor %.128s has shape %s where [classes, channels] with 1 to %d classes is needed",
                          t->name, trib_shape_text(&t->shape, shape), TRIB_MAX_CLASSES);
    *classes = (int)t->shape.dim[0];
    return trib_success();
}

static bool detect_aux(const candidate *c, const trib_tensor_index *index)
{
    for (size_t i = 0; i < index->count; ++i)
        if (trib_is_auxiliary(c->network, c->dialect, index->entries[i].bare_name)) return true;
    return false;
}

/* ---- width ---- */

/* Width multipliers in [low, high) are still possible. */
typedef struct range {
    double low, high;
} range;

/* The multipliers that make `channels` of `base`: channels = 8 * floor(base * m / 8 + 1/2), at least 8. */
static range multipliers_of(int64_t base, int64_t channels)
{
    if (channels < 8 || channels % 8) return (range) { 1, 0 };
    return (range) { channels == 8 ? 0 : (double)(channels - 4) / (double)base, (double)(channels + 4) / (double)base };
}

/* The number in the range with the fewest decimals, as a person would have typed it. */
static double simplest_in(range r)
{
    for (double unit = 1; unit <= 1e9; unit *= 10) {
        double candidate = ceil(r.low * unit) / unit;
        if (candidate > 0 && candidate < r.high) return candidate;
        candidate += 1 / unit; /* the lowest was 0, or excluded by rounding */
        if (candidate > 0 && candidate < r.high) return candidate;
    }
    return (r.low + r.high) / 2;
}

static trib_status no_width_fits(const candidate *c, const trib_parameter *parameter, const trib_tensor *tensor,
                                 double width)
{
    char shape[TRIB_SHAPE_TEXT];
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "tensor %.128s has shape %s where a %s %g times as wide as the original has %d output channels",
                      tensor->name, trib_shape_text(&tensor->shape, shape), c->network->family, width,
                      trib_scaled_channels((int)parameter->shape.dim[0], width));
}

/* Narrows the range by the output channels of every weight, compared with the graph of width 1. */
static trib_status narrow(const trib_graph *graph, const candidate *c, const trib_tensor_index *index, range *width)
{
    char name[TRIB_NAME_TEXT];
    for (int i = 0; i < trib_graph_parameter_count(graph); ++i) {
        const trib_parameter *p = trib_graph_parameter(graph, i);
        if (p->role != TRIB_WEIGHT || trib_is_classifier(graph, p->layer)) continue; /* classes do not scale */
        const trib_tensor *t = find(index, c->dialect, p->name);
        if (!t) return TRIB_ERROR(TRIB_BAD_DATA, "tensor %s is missing", c->dialect->file_name(p->name, name));
        if (t->shape.rank != p->shape.rank) return no_width_fits(c, p, t, simplest_in(*width));
        range own = multipliers_of(p->shape.dim[0], t->shape.dim[0]);
        range both = { fmax(width->low, own.low), fmin(width->high, own.high) };
        if (!(both.low < both.high)) return no_width_fits(c, p, t, simplest_in(*width));
        *width = both;
    }
    return trib_success();
}

static trib_status detect_width(const candidate *c, const trib_tensor_index *index, trib_network_spec *spec)
{
    trib_graph *graph = NULL;
    range width = { 0, nextafter(TRIB_MAX_WIDTH_MULTIPLIER, INFINITY) };
    TRIB_TRY(trib_network_graph(spec, &graph));
    trib_status status = narrow(graph, c, index, &width);
    trib_graph_destroy(graph);
    if (!trib_failed(&status)) spec->width_multiplier = simplest_in(width);
    return status;
}

trib_status trib_network_detect(const trib_tensor *tensors, int count, trib_network_spec *out,
                                const trib_dialect **dialect)
{
    trib_network_spec spec = { 0 };
    trib_tensor_index index = { 0 };
    candidate best = { 0 };
    trib_status status;
    TRIB_TRY_GOTO(status, done, trib_tensor_index_build(tensors, count, &index));
    TRIB_TRY_GOTO(status, done, detect_network(&index, &best));
    spec.network = best.network;
    TRIB_TRY_GOTO(status, done, trib_network_resolve(&spec, &spec));
    TRIB_TRY_GOTO(status, done, detect_classes(&best, &index, &spec.classes));
    spec.aux = detect_aux(&best, &index);
    TRIB_TRY_GOTO(status, done, detect_width(&best, &index, &spec));
    *out = spec;
    *dialect = best.dialect;
done:
    trib_tensor_index_release(&index);
    return status;
}
