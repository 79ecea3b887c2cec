/* SPDX-License-Identifier: Apache-2.0
 * What CUPTI calls: for buffers, around calls that give the device work, and for nodes of graphs. */
#include "cuda/trace/cupti_process.h"
#include "tributary/internal/alloc.h"

static _Thread_local struct {
    trib_cupti_observation *observation; /* NULL: what this thread gives is nobody's */
    trib_cupti_run *run;
    int op, depth;
} giving;

void trib_cupti_giving(trib_cupti_observation *observation, trib_cupti_run *run, int op)
{
    giving.observation = observation;
    giving.run = run;
    giving.op = op;
    giving.depth = 0;
}

/* ---- buffers: callbacks of a thread of CUPTI's own ---- */

void CUPTIAPI trib_cupti_buffer_requested(uint8_t **buffer, size_t *size, size_t *records)
{
    trib_cupti_lock();
    *buffer = trib_cupti.buffer_count ? trib_cupti.buffers[--trib_cupti.buffer_count] : NULL;
    trib_cupti_unlock();
    if (!*buffer) *buffer = trib_alloc(TRIB_CUPTI_BUFFER_BYTES);
    *size = *buffer ? TRIB_CUPTI_BUFFER_BYTES : 0;
    *records = 0; /* as many as fit */
}

static bool read_record(const CUpti_Activity *record, trib_cupti_work *out)
{
/* Newer versions of these structs only add fields at the end. */
#define READ(type)                                                                                         \
    do {                                                                                                   \
        const type *r = (const type *)record;                                                              \
        *out = (trib_cupti_work) { r->graphNodeId, r->correlationId, (int64_t)r->start, (int64_t)r->end }; \
        return true;                                                                                       \
    } while (0)
    switch (record->kind) {
    case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL: READ(CUpti_ActivityKernel5);
    case CUPTI_ACTIVITY_KIND_MEMCPY: READ(CUpti_ActivityMemcpy4);
    case CUPTI_ACTIVITY_KIND_MEMSET: READ(CUpti_ActivityMemset3);
    default: return false;
    }
#undef READ
}

static void keep_work(const trib_cupti_work *work)
{
    void *list = trib_cupti.works.list;
    int grown = trib_grow(&list, &trib_cupti.works.capacity, trib_cupti.works.count + 1, sizeof *work);
    trib_cupti.works.list = list;
    if (grown)
        ++trib_cupti.dropped;
    else
        trib_cupti.works.list[trib_cupti.works.count++] = *work;
}

/* Else records are nobody's: not even memory is needed for them. */
static bool is_in_flight(void)
{
    for (const trib_cupti_observation *o = trib_cupti.observations; o; o = o->next)
        for (int i = 0; i < o->run_count; ++i)
            if (o->runs[i].run) return true;
    return false;
}

void CUPTIAPI trib_cupti_buffer_completed(CUcontext context, uint32_t stream, uint8_t *buffer, size_t size,
                                          size_t valid)
{
    CUpti_Activity *record = NULL;
    trib_cupti_work work;
    (void)context, (void)stream, (void)size;
    trib_cupti_lock();
    bool wanted = is_in_flight();
    while (valid && wanted && trib_libcupti.cuptiActivityGetNextRecord(buffer, valid, &record) == CUPTI_SUCCESS)
        if (read_record(record, &work)) keep_work(&work);
    bool room = trib_cupti.observations && trib_cupti.buffer_count < TRIB_CUPTI_BUFFERS;
    if (room) trib_cupti.buffers[trib_cupti.buffer_count++] = buffer;
    trib_cupti_unlock();
    if (!room) trib_free(buffer);
}

/* ---- callbacks on the thread that gives work ---- */

/* A call of the runtime makes calls of the driver, whose correlation ids may be others: only the outermost counts. */
static void note_call(trib_cupti_run *r, int op, uint32_t correlation, bool outermost, int64_t now)
{
    void *calls = r->calls;
    int grown = trib_grow(&calls, &r->call_capacity, r->call_count + 1, sizeof *r->calls);
    r->calls = calls;
    if (grown) {
        r->incomplete = true;
        return;
    }
    if (!r->call_count || r->calls[r->call_count - 1].correlation != correlation)
        r->calls[r->call_count++] = (trib_cupti_call) { correlation, op };
    if (!outermost) return;
    if (op < 0)
        r->issued = now;
    else if (!r->ops[op].wanted++)
        r->ops[op].issued = now;
}

static void on_call(const CUpti_CallbackData *data)
{
    if (data->callbackSite == CUPTI_API_EXIT) {
        if (giving.depth) --giving.depth;
        return;
    }
    bool outermost = !giving.depth++;
    if (!giving.run && giving.op != TRIB_OBSERVE_LAUNCH) return; /* being recorded: its nodes tell */
    int64_t now = trib_cuda_host_time();
    trib_cupti_lock();
    if (giving.run)
        note_call(giving.run, giving.op, data->correlationId, outermost, now);
    else
        trib_cupti_ignore(giving.observation, data->correlationId);
    trib_cupti_unlock();
}

static void keep_node(trib_cupti_observation *o, uint64_t id, int op)
{
    void *nodes = o->nodes;
    int grown = trib_grow(&nodes, &o->node_capacity, o->node_count + 1, sizeof *o->nodes);
    o->nodes = nodes;
    o->nodes_sorted = false;
    if (grown)
        o->nodes_lost = true;
    else
        o->nodes[o->node_count++] = (trib_cupti_node) { id, op };
}

static bool has_records(CUgraphNodeType type)
{
    return type == CU_GRAPH_NODE_TYPE_KERNEL || type == CU_GRAPH_NODE_TYPE_MEMCPY || type == CU_GRAPH_NODE_TYPE_MEMSET;
}

static void on_node(const CUpti_GraphData *graph)
{
    uint64_t id = 0;
    trib_cupti_observation *o = giving.observation;
    if (!o || giving.run || giving.op < 0 || !has_records(graph->nodeType)) return;
    bool known = trib_libcupti.cuptiGetGraphNodeId(graph->node, &id) == CUPTI_SUCCESS;
    trib_cupti_lock();
    if (known)
        keep_node(o, id, giving.op);
    else
        o->nodes_lost = true;
    ++o->nodes_of[giving.op];
    trib_cupti_unlock();
}

/* An instantiated graph has copies of the nodes, with ids of their own. */
static void on_clone(const CUpti_GraphData *graph)
{
    uint64_t original = 0, id = 0;
    if (!has_records(graph->nodeType)) return;
    bool known = trib_libcupti.cuptiGetGraphNodeId(graph->originalNode, &original) == CUPTI_SUCCESS &&
                 trib_libcupti.cuptiGetGraphNodeId(graph->node, &id) == CUPTI_SUCCESS;
    trib_cupti_lock();
    for (trib_cupti_observation *o = trib_cupti.observations; o; o = o->next) {
        const trib_cupti_node *node = known ? trib_cupti_find_node(o, original) : NULL;
        if (node) keep_node(o, id, node->op);
        if (!known) o->nodes_lost = true;
    }
    trib_cupti_unlock();
}

void CUPTIAPI trib_cupti_callback(void *user, CUpti_CallbackDomain domain, CUpti_CallbackId id, const void *data)
{
    (void)user;
    if (domain == CUPTI_CB_DOMAIN_RESOURCE) {
        const CUpti_GraphData *graph = ((const CUpti_ResourceData *)data)->resourceDescriptor;
        if (id == CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED) on_node(graph);
        if (id == CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED) on_clone(graph);
    } else if (giving.observation)
        on_call(data);
}
