/* SPDX-License-Identifier: Apache-2.0
 * Follows a Caffe file's layers from the classifier back to the images, beside the network's: another activation, a
 * layer between two of the network's, or branches joined in another order compute something else with the same
 * weights. */
#include <math.h>
#include <string.h>

#include "formats/caffe.h"
#include "tributary/internal/alloc.h"

enum { UNKNOWN = -2, NO_LAYER = -1 };

typedef struct path {
    const trib_caffe_net *net;
    const trib_graph *graph;
    int *at; /* of each layer of the graph: the file's layer that gives its value */
} path;

static bool gives(const trib_caffe_layer *l, const char *value)
{
    for (size_t i = 0; i < l->tops.count; ++i)
        if (!strcmp(l->tops.items[i], value)) return true;
    return false;
}

/* The last layer before `reader` that gives what it reads: layers may work in place. */
static int producer(const path *p, int reader, size_t bottom)
{
    for (int i = reader; i-- > 0;)
        if (gives(&p->net->layers[i], p->net->layers[reader].bottoms.items[bottom])) return i;
    return NO_LAYER;
}

static trib_pb_shown show(const path *p, int at)
{
    const char *name = at < 0 ? "nothing" : p->net->layers[at].name;
    const trib_pb text = trib_pb_of(name, strlen(name));
    return trib_pb_show(&text);
}

/* The graph's layer `id` stands for what this layer of the file reads; all its readers must agree. */
static trib_status assign(const path *p, int id, int reader, size_t bottom)
{
    int at = producer(p, reader, bottom);
    while (at >= 0 && p->net->layers[at].kind == TRIB_DROPOUT && p->net->layers[at].bottoms.count)
        at = producer(p, at, 0);
    if (p->at[id] == UNKNOWN) p->at[id] = at;
    if (p->at[id] == at) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "it reads the output of %.60s where another branch reads that of %.60s",
                      show(p, at).text, show(p, p->at[id]).text);
}

static bool is_layer(const trib_caffe_layer *l, const trib_layer *layer)
{
    if (layer->kind == TRIB_RELU || layer->kind == TRIB_CONCAT) return l->kind == layer->kind;
    return !strcmp(l->name, layer->name);
}

static double number(const trib_caffe_layer *l, trib_caffe_number slot, double otherwise)
{
    return isnan(l->numbers[slot]) ? otherwise : l->numbers[slot];
}

static trib_status check_step(const path *p, const trib_layer *layer, int at)
{
    const trib_caffe_layer *l = at < 0 ? NULL : &p->net->layers[at];
    if (!l) return TRIB_ERROR(TRIB_BAD_DATA, "no layer before its reader gives what stands in its place");
    if (!is_layer(l, layer))
        return TRIB_ERROR(TRIB_BAD_DATA, "layer %.60s stands in its place, which is no %s of the network",
                          show(p, at).text, trib_kind_name(layer->kind));
    if (l->bottoms.count != (size_t)layer->input_count)
        return TRIB_ERROR(TRIB_BAD_DATA, "layer %.60s reads %zu values where the network's reads %d", show(p, at).text,
                          l->bottoms.count, layer->input_count);
    if (number(l, TRIB_CAFFE_SLOPE, 0) != 0)
        return TRIB_ERROR(TRIB_BAD_DATA, "layer %.60s: negative_slope is %g where the network has 0", show(p, at).text,
                          l->numbers[TRIB_CAFFE_SLOPE]);
    if (number(l, TRIB_CAFFE_AXIS, 1) != 1)
        return TRIB_ERROR(TRIB_BAD_DATA, "layer %.60s: axis is %g where the network has 1", show(p, at).text,
                          l->numbers[TRIB_CAFFE_AXIS]);
    for (int i = 0; i < layer->input_count; ++i) TRIB_TRY(assign(p, layer->inputs[i], at, (size_t)i));
    return trib_success();
}

static trib_status follow(const path *p, int id)
{
    const trib_layer *layer = trib_graph_layer(p->graph, id);
    const int at = p->at[id];
    if (layer->kind == TRIB_INPUT) {
        if (at < 0 || !p->net->layers[at].bottoms.count) return trib_success();
        return TRIB_ERROR(TRIB_BAD_DATA, "layer %.60s stands between the images and the network", show(p, at).text);
    }
    if (layer->kind == TRIB_DROPOUT) { /* copies are passed over */
        int *below = &p->at[layer->inputs[0]];
        if (*below == UNKNOWN) *below = at;
        return trib_success();
    }
    trib_status s = check_step(p, layer, at);
    trib_add_context(&s, "layer %s", layer->name);
    return s;
}

/* UNKNOWN: the file does not say what it reads. */
static int find_last(const trib_caffe_net *net, const char *name)
{
    for (size_t i = net->count; i-- > 0;)
        if (net->layers[i].bottoms.count && !strcmp(net->layers[i].name, name)) return (int)i;
    return UNKNOWN;
}

trib_status trib_caffe_check_path(const trib_caffe_net *net, const trib_graph *graph)
{
    const int count = trib_graph_layer_count(graph), last = trib_graph_output(graph, 0)->layer;
    path p = { .net = net, .graph = graph, .at = trib_alloc_zeroed((size_t)count, sizeof *p.at) };
    trib_status s = trib_success();
    if (!p.at) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to compare %d layers", count);
    for (int i = 0; i < count; ++i) p.at[i] = UNKNOWN;
    p.at[last] = find_last(net, trib_graph_layer(graph, last)->name);
    for (int id = last; id >= 0 && !trib_failed(&s); --id)
        if (p.at[id] != UNKNOWN) s = follow(&p, id);
    trib_free(p.at);
    return s;
}
