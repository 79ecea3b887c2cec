/* SPDX-License-Identifier: Apache-2.0
 * Nodes of graphs. A node's work runs when the graph is launched, but its layer is that in whose range it was captured.
 * What is launched are clones; each row of a clone names the node it was made from. */
#include "profile/nsys_private.h"
#include "tributary/internal/alloc.h"

enum { MOST_CLONES = 64 };

enum { START, THREAD, NODE, ORIGINAL, COLUMNS };
static const trib_nsys_column columns[COLUMNS] = {
    [START] = { "start", TRIB_NSYS_NUMBER, false },
    [THREAD] = { "globalTid", TRIB_NSYS_NUMBER, true },
    [NODE] = { "graphNodeId", TRIB_NSYS_NUMBER, false },
    [ORIGINAL] = { "originalGraphNodeId", TRIB_NSYS_NUMBER, true },
};

typedef struct node_key {
    const trib_nsys_node *nodes;
    int64_t process, id;
} node_key;

static bool same_node(const void *key, uint32_t value)
{
    const node_key *k = key;
    return k->nodes[value].process == k->process && k->nodes[value].id == k->id;
}

uint32_t trib_nsys_node_find(const trib_nsys_report *report, int64_t process, int64_t id)
{
    const node_key key = { report->nodes, process, id };
    return trib_nsys_map_get(&report->node_map, trib_nsys_hash(process, id), same_node, &key);
}

/* A second row of the same node adds nothing. */
static trib_status take(const trib_nsys_rows *rows, trib_nsys_report *report)
{
    int64_t thread = trib_nsys_number(rows, THREAD, 0);
    trib_nsys_node node = { .process = trib_nsys_process_of(thread),
                            .id = trib_nsys_number(rows, NODE, 0),
                            .original = trib_nsys_number(rows, ORIGINAL, 0),
                            .start = trib_nsys_number(rows, START, 0),
                            .layer = TRIB_NSYS_NONE };
    if (trib_nsys_node_find(report, node.process, node.id) != TRIB_NSYS_NONE) return trib_success();
    TRIB_TRY(trib_nsys_thread_of(report, thread, &node.thread));
    TRIB_TRY(trib_nsys_room((void **)&report->nodes, &report->node_capacity, report->node_count, sizeof *report->nodes,
                            "nodes of graphs"));
    uint32_t index = (uint32_t)report->node_count;
    report->nodes[report->node_count++] = node;
    if (trib_nsys_map_add(&report->node_map, trib_nsys_hash(node.process, node.id), index) == 0) return trib_success();
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the report's nodes of graphs");
}

/* The node that `index` was cloned from, directly or not, as far as the report has it. 0 as original means none. */
static trib_status find_first(const trib_nsys_report *report, uint32_t index, uint32_t *out)
{
    int clones = 0;
    for (; clones <= MOST_CLONES; ++clones) {
        const trib_nsys_node *node = &report->nodes[index];
        uint32_t from = node->original ? trib_nsys_node_find(report, node->process, node->original) : TRIB_NSYS_NONE;
        *out = index;
        if (from == TRIB_NSYS_NONE) return trib_success();
        index = from;
    }
    return TRIB_ERROR(
        TRIB_BAD_DATA,
        "the report's nodes of graphs contradict each other: node %lld is a clone of a clone, %d times, or "
        "of itself",
        (long long)report->nodes[index].id, MOST_CLONES);
}

static trib_status find_layers(trib_nsys_report *report)
{
    for (uint32_t i = 0; i < report->node_count; ++i) {
        uint32_t first = 0;
        TRIB_TRY(find_first(report, i, &first));
        const trib_nsys_node *made = &report->nodes[first];
        const uint32_t range = trib_nsys_range_at(report, made->thread, made->start);
        report->nodes[i].layer = trib_nsys_layer_of(report, range, made->start);
    }
    return trib_success();
}

/* Since 2024 CUDA_GRAPH_EVENTS is about whole graphs, and nodes have a table of their own. */
trib_status trib_nsys_read_nodes(trib_nsys_database *database, trib_nsys_report *report)
{
    static const char *const tables[] = { "CUDA_GRAPH_NODE_EVENTS", "CUDA_GRAPH_EVENTS" };
    for (int i = 0; i < 2; ++i) {
        bool has = false;
        TRIB_TRY(trib_nsys_has_column(database, tables[i], columns[NODE].name, &has));
        if (has) TRIB_TRY(trib_nsys_each(database, tables[i], columns, COLUMNS, take, report));
    }
    return find_layers(report);
}
