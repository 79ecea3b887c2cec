/* SPDX-License-Identifier: Apache-2.0
 *
 * A layer begins a row, or is added to one: everything between a fork and its join is one row; batch norm, ReLU and the
 * like belong to the layer they follow; a reduction outside a module shares the row of the convolution it serves, as in
 * the paper. */
#include "table1.h"

#include <string.h>

#include "tributary/internal/alloc.h"

int64_t cli_layer_macs(const trib_graph *graph, int layer)
{
    trib_kind kind = trib_graph_layer(graph, layer)->kind;
    if (kind != TRIB_CONV2D && kind != TRIB_LINEAR) return 0;
    return trib_layer_flops(graph, layer) / 2;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The column of a convolution called .../LEAF, or -1. */
static int column_of(const cli_table *table, const char *name)
{
    const char *slash = strrchr(name, '/');
    for (int i = 0; slash && i < table->column_count; ++i)
        if (strcmp(slash + 1, table->columns[i].leaf) == 0) return i;
    return -1;
}

/* The fork on the trunk that contains or ends at a layer; -1 if none. */
static int module_of(const trib_graph *graph, int layer)
{
    int fork = trib_graph_layer(graph, layer)->fork;
    while (fork >= 0 && trib_graph_fork(graph, fork)->parent >= 0) fork = trib_graph_fork(graph, fork)->parent;
    for (int f = 0; fork < 0 && f < trib_graph_fork_count(graph); ++f) {
        const trib_fork_info *info = trib_graph_fork(graph, f);
        if (info->parent < 0 && info->join == layer) fork = f;
    }
    return fork;
}

static bool follows(const trib_layer *layer) { return layer->kind == TRIB_BATCH_NORM || layer->kind == TRIB_RELU; }

static bool has_window(const trib_layer *l)
{
    return l->kind == TRIB_CONV2D || l->kind == TRIB_MAX_POOL2D || l->kind == TRIB_AVG_POOL2D;
}

static bool computes(const trib_layer *l) { return l->kind == TRIB_CONV2D || l->kind == TRIB_LINEAR; }

/* Convolutions and linear layers on the longest path to each layer, itself included. */
static void measure_depths(const trib_graph *graph, int *depths)
{
    for (int i = 0; i < trib_graph_layer_count(graph); ++i) {
        const trib_layer *l = trib_graph_layer(graph, i);
        depths[i] = 0;
        for (int k = 0; k < l->input_count; ++k)
            if (depths[l->inputs[k]] > depths[i]) depths[i] = depths[l->inputs[k]];
        depths[i] += computes(l);
    }
}

/* A layer on the trunk that has a row of its own. */
static void open_row(const trib_layer *l, cli_table_row *row)
{
    const trib_attributes *a = &l->attributes;
    bool conv = l->kind == TRIB_CONV2D;
    row->name = l->name;
    row->type = trib_kind_name(l->kind);
    if (!has_window(l)) return;
    row->patch_h = conv ? a->conv2d.r : a->pool2d.r;
    row->patch_w = conv ? a->conv2d.s : a->pool2d.s;
    row->stride = conv ? a->conv2d.stride_h : a->pool2d.stride_h;
}

/* Adds a layer to its row; `before` is the depth where the row's module begins. */
static void add_layer(const trib_graph *graph, int layer, int depth, int before, bool module, cli_table_row *row)
{
    const trib_layer *l = trib_graph_layer(graph, layer);
    row->c = l->c;
    row->h = l->h;
    row->w = l->w;
    if (!module)
        row->depth += computes(l);
    else if (depth - before > row->depth)
        row->depth = depth - before;
    row->parameters += trib_layer_parameter_elements(graph, layer);
    row->macs += cli_layer_macs(graph, layer);
}

/* Fills the rows of a table that has room for one per layer. */
static void fill(const trib_graph *graph, const int *depths, cli_table *table)
{
    int current = -1;
    bool reduction = false; /* the row so far is a reduction, waiting for its convolution */
    for (int i = 0; i < trib_graph_layer_count(graph); ++i) {
        const trib_layer *l = trib_graph_layer(graph, i);
        int module = module_of(graph, i);
        cli_table_row *row = table->count ? &table->rows[table->count - 1] : NULL;
        bool conv = l->kind == TRIB_CONV2D, serves = reduction && module < 0 && conv;
        bool joins = row && ((module >= 0 && module == current) || (module < 0 && follows(l)) || serves);
        int column = conv ? column_of(table, l->name) : -1;
        if (!joins) row = &table->rows[table->count++];
        if (module >= 0 && !joins) {
            row->name = trib_graph_fork(graph, module)->name;
            row->type = "inception";
        } else if (module < 0 && (!joins || serves)) {
            open_row(l, row);
        }
        if (module < 0 && !follows(l)) reduction = conv && ends_with(l->name, "_reduce");
        if (column >= 0 && (module >= 0 || reduction || serves)) row->channels[column] = l->c;
        add_layer(graph, i, depths[i], module >= 0 ? depths[trib_graph_fork(graph, module)->input] : 0, module >= 0,
                  row);
        current = module;
        table->parameters += trib_layer_parameter_elements(graph, i);
        table->macs += cli_layer_macs(graph, i);
    }
}

trib_status cli_table_of(const trib_graph *graph, const trib_network *network, cli_table *out)
{
    int layers = trib_graph_layer_count(graph);
    cli_table table = { .rows = trib_alloc_zeroed((size_t)layers, sizeof *table.rows) };
    int *depths = trib_alloc_zeroed((size_t)layers, sizeof *depths);
    if (!table.rows || !depths) {
        trib_free(table.rows);
        trib_free(depths);
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a table of %d layers", layers);
    }
    table.columns = trib_network_columns(network, &table.column_count);
    measure_depths(graph, depths);
    fill(graph, depths, &table);
    trib_free(depths);
    *out = table;
    return trib_success();
}
