/* SPDX-License-Identifier: Apache-2.0
 *
 * A layer opens a row, or adds to one: everything between a fork and its join is one row; batch norm, ReLU and the like
 * belong to the layer they follow; a reduction outside a module shares the row of the convolution it serves, as in the
 * paper. */
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

static int module_column(const char *name)
{
    static const char *const ends[CLI_MODULE_COLUMNS] = { "/1x1",        "/3x3_reduce", "/3x3",
                                                          "/5x5_reduce", "/5x5",        "/pool_proj" };
    for (int i = 0; i < CLI_MODULE_COLUMNS; ++i)
        if (ends_with(name, ends[i])) return i;
    return -1;
}

/* The fork on the trunk that a layer is inside of, or joins; -1 when there is none. */
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

/* A layer on the trunk that has a row of its own. */
static void open_row(const trib_layer *l, cli_table_row *row)
{
    bool conv = l->kind == TRIB_CONV2D;
    row->name = l->name;
    row->type = trib_kind_name(l->kind);
    if (has_window(l)) row->patch = conv ? l->attributes.conv2d.r : l->attributes.pool2d.r;
    if (has_window(l)) row->stride = conv ? l->attributes.conv2d.stride_h : l->attributes.pool2d.stride_h;
    if (row->patch && !row->stride) row->stride = 1;
}

static void add_layer(const trib_graph *graph, int layer, bool module, cli_table_row *row)
{
    const trib_layer *l = trib_graph_layer(graph, layer);
    bool computes = l->kind == TRIB_CONV2D || l->kind == TRIB_LINEAR;
    int column = l->kind == TRIB_CONV2D ? module_column(l->name) : -1;
    if (module && column >= 0) row->channels[column] = l->c;
    row->c = l->c;
    row->h = l->h;
    row->w = l->w;
    /* along the longest branch of a module: a reduction, then a convolution */
    if (module)
        row->depth = 2;
    else
        row->depth += computes;
    row->parameters += trib_layer_parameter_elements(graph, layer);
    row->macs += cli_layer_macs(graph, layer);
}

trib_status cli_table_of(const trib_graph *graph, cli_table *out)
{
    int layers = trib_graph_layer_count(graph), current = -1;
    bool reduction = false; /* the row so far is a reduction, waiting for its convolution */
    cli_table table = { .rows = trib_alloc_zeroed((size_t)layers, sizeof *table.rows) };
    if (!table.rows) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a table of %d layers", layers);
    for (int i = 0; i < layers; ++i) {
        const trib_layer *l = trib_graph_layer(graph, i);
        int module = module_of(graph, i);
        cli_table_row *row = table.count ? &table.rows[table.count - 1] : NULL;
        bool joins = row && ((module >= 0 && module == current) || (module < 0 && follows(l)) ||
                             (reduction && module < 0 && l->kind == TRIB_CONV2D));
        if (!joins) row = &table.rows[table.count++];
        if (module >= 0 && !joins) {
            row->name = trib_graph_fork(graph, module)->name;
            row->type = "inception";
        } else if (module < 0 && (!joins || (reduction && l->kind == TRIB_CONV2D))) {
            open_row(l, row);
        }
        if (module < 0 && !follows(l)) {
            reduction = l->kind == TRIB_CONV2D && ends_with(l->name, "_reduce");
            if (reduction) row->channels[CLI_3X3_REDUCE] = l->c;
            if (joins && l->kind == TRIB_CONV2D) row->channels[CLI_3X3] = l->c;
        }
        current = module;
        add_layer(graph, i, module >= 0, row);
        table.parameters += trib_layer_parameter_elements(graph, i);
        table.macs += cli_layer_macs(graph, i);
    }
    *out = table;
    return trib_success();
}
