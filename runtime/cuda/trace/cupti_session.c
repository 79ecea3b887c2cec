/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/trace/cupti_session.h"

#include <stdio.h>
#include <string.h>

#include "cuda/libraries/cupti_functions.h"
#include "tributary/internal/alloc.h"

enum { BUFFERS = 4, BUFFER_BYTES = 1 << 19, HOLDER_BYTES = 64 }; /* of a subscriber's name, by CUPTI's header */

static struct {
    pthread_mutex_t lock;
    const trib_cuda_device *device; /* subscribed until it is closed; NULL: not subscribed */
    CUpti_SubscriberHandle subscriber;
    uint32_t version;
    trib_cupti_observation *observations;
    uint8_t *buffers[BUFFERS]; /* free ones */
    int buffer_count;
    trib_cupti_works works; /* that arrived and have not been sorted out */
    size_t dropped;
} process = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Held while observations come and go, which takes calls of CUPTI. */
static pthread_mutex_t coming = PTHREAD_MUTEX_INITIALIZER;

static _Thread_local struct {
    trib_cupti_observation *observation; /* NULL: what this thread gives is nobody's */
    trib_cupti_run *run;
    int op, depth;
} giving;

void trib_cupti_lock(void) { pthread_mutex_lock(&process.lock); }
void trib_cupti_unlock(void) { pthread_mutex_unlock(&process.lock); }

static trib_status check(CUptiResult result, const char *call)
{
    const char *text = NULL;
    if (result == CUPTI_SUCCESS) return trib_success();
    trib_libcupti.cuptiGetResultString(result, &text);
    return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: %s (%d)", call, text ? text : "unknown error", (int)result);
}

#define CHECK(call) check(trib_libcupti.call, #call)
#define TRY(call) TRIB_TRY(CHECK(call))
/* For calls that undo something and cannot report a failure. */
#define NOTE(call) ((void)trib_libcupti.call)

/* ---- buffers: callbacks of a thread of CUPTI's own ---- */

static void CUPTIAPI buffer_requested(uint8_t **buffer, size_t *size, size_t *records)
{
    trib_cupti_lock();
    *buffer = process.buffer_count ? process.buffers[--process.buffer_count] : NULL;
    trib_cupti_unlock();
    if (!*buffer) *buffer = trib_alloc(BUFFER_BYTES);
    *size = *buffer ? BUFFER_BYTES : 0;
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
    void *list = process.works.list;
    int grown = trib_grow(&list, &process.works.capacity, process.works.count + 1, sizeof *work);
    process.works.list = list;
    if (grown)
        ++process.dropped;
    else
        process.works.list[process.works.count++] = *work;
}

/* Else records are nobody's: not even memory is needed for them. */
static bool is_in_flight(void)
{
    for (const trib_cupti_observation *o = process.observations; o; o = o->next)
        for (int i = 0; i < o->run_count; ++i)
            if (o->runs[i].run) return true;
    return false;
}

static void CUPTIAPI buffer_completed(CUcontext context, uint32_t stream, uint8_t *buffer, size_t size, size_t valid)
{
    CUpti_Activity *record = NULL;
    trib_cupti_work work;
    (void)context, (void)stream, (void)size;
    trib_cupti_lock();
    bool wanted = is_in_flight();
    while (valid && wanted && trib_libcupti.cuptiActivityGetNextRecord(buffer, valid, &record) == CUPTI_SUCCESS)
        if (read_record(record, &work)) keep_work(&work);
    bool room = process.observations && process.buffer_count < BUFFERS;
    if (room) process.buffers[process.buffer_count++] = buffer;
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
    for (trib_cupti_observation *o = process.observations; o; o = o->next) {
        const trib_cupti_node *node = known ? trib_cupti_find_node(o, original) : NULL;
        if (node) keep_node(o, id, node->op);
        if (!known) o->nodes_lost = true;
    }
    trib_cupti_unlock();
}

static void CUPTIAPI on_callback(void *user, CUpti_CallbackDomain domain, CUpti_CallbackId id, const void *data)
{
    (void)user;
    if (domain == CUPTI_CB_DOMAIN_RESOURCE) {
        const CUpti_GraphData *graph = ((const CUpti_ResourceData *)data)->resourceDescriptor;
        if (id == CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED) on_node(graph);
        if (id == CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED) on_clone(graph);
    } else if (giving.observation)
        on_call(data);
}

/* ---- switching on and off ---- */

/* Calls that give the device work which has a record. */
static const struct {
    CUpti_CallbackDomain domain;
    CUpti_CallbackId id;
} callbacks[] = {
#define RUNTIME(name)                                                \
    {                                                                \
        CUPTI_CB_DOMAIN_RUNTIME_API, CUPTI_RUNTIME_TRACE_CBID_##name \
    }
#define DRIVER(name)                                               \
    {                                                              \
        CUPTI_CB_DOMAIN_DRIVER_API, CUPTI_DRIVER_TRACE_CBID_##name \
    }
    { CUPTI_CB_DOMAIN_RESOURCE, CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED },
    { CUPTI_CB_DOMAIN_RESOURCE, CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED },
    RUNTIME(cudaLaunchKernel_v7000),
    RUNTIME(cudaLaunchKernel_ptsz_v7000),
    RUNTIME(cudaLaunchKernelExC_v11060),
    RUNTIME(cudaLaunchKernelExC_ptsz_v11060),
    RUNTIME(cudaLaunchCooperativeKernel_v9000),
    RUNTIME(cudaMemcpyAsync_v3020),
    RUNTIME(cudaMemcpyAsync_ptsz_v7000),
    RUNTIME(cudaMemcpy2DAsync_v3020),
    RUNTIME(cudaMemsetAsync_v3020),
    RUNTIME(cudaMemsetAsync_ptsz_v7000),
    RUNTIME(cudaGraphLaunch_v10000),
    RUNTIME(cudaGraphLaunch_ptsz_v10000),
    DRIVER(cuLaunchKernel),
    DRIVER(cuLaunchKernel_ptsz),
    DRIVER(cuLaunchKernelEx),
    DRIVER(cuLaunchKernelEx_ptsz),
    DRIVER(cuLaunchCooperativeKernel),
    DRIVER(cuMemcpyAsync),
    DRIVER(cuMemcpyDtoDAsync_v2),
    DRIVER(cuMemsetD8Async),
    DRIVER(cuMemsetD16Async),
    DRIVER(cuMemsetD32Async),
    DRIVER(cuGraphLaunch),
#if CUPTI_API_VERSION >= 130000
    RUNTIME(__cudaLaunchKernel_v13000),
#endif
#undef RUNTIME
#undef DRIVER
};
enum { CALLBACK_COUNT = sizeof callbacks / sizeof *callbacks };

/* GRAPH_TRACE is missing on purpose: it hides the nodes of graphs. */
static const CUpti_ActivityKind kinds[] = { CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL, CUPTI_ACTIVITY_KIND_MEMCPY,
                                            CUPTI_ACTIVITY_KIND_MEMSET };
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

static void switch_off(void)
{
    for (int i = 0; i < KIND_COUNT; ++i) NOTE(cuptiActivityDisable(kinds[i]));
    for (int i = 0; i < CALLBACK_COUNT; ++i)
        NOTE(cuptiEnableCallback(0, process.subscriber, callbacks[i].domain, callbacks[i].id));
    NOTE(cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED)); /* gives back buffers */
}

static trib_status switch_on(void)
{
    for (int i = 0; i < CALLBACK_COUNT; ++i)
        TRY(cuptiEnableCallback(1, process.subscriber, callbacks[i].domain, callbacks[i].id));
    for (int i = 0; i < KIND_COUNT; ++i) TRY(cuptiActivityEnable(kinds[i]));
    return trib_success();
}

static void free_memory(void)
{
    while (process.buffer_count) trib_free(process.buffers[--process.buffer_count]);
    trib_free(process.works.list);
    process.works = (trib_cupti_works) { 0 };
}

/* All that a run needs, so that nothing has to be found while it is measured. */
static trib_status allocate_buffers(void)
{
    while (process.buffer_count < BUFFERS) {
        uint8_t *buffer = trib_alloc(BUFFER_BYTES);
        if (!buffer) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the records of CUPTI");
        process.buffers[process.buffer_count++] = buffer;
    }
    return trib_success();
}

/* ---- subscribing ---- */

static uint64_t CUPTIAPI timestamp(void) { return (uint64_t)trib_cuda_host_time(); }

#if CUPTI_API_VERSION >= 130000
static CUptiResult subscribe_call(char *holder, size_t size)
{
    CUpti_SubscriberParams params = { .structSize = CUpti_SubscriberParams_STRUCT_SIZE,
                                      .subscriberName = "Tributary",
                                      .oldSubscriberName = holder,
                                      .oldSubscriberSize = size };
    return trib_libcupti.cuptiSubscribe_v2(&process.subscriber, on_callback, NULL, &params);
}
#else
static CUptiResult subscribe_call(char *holder, size_t size)
{
    (void)holder, (void)size;
    return trib_libcupti.cuptiSubscribe(&process.subscriber, on_callback, NULL);
}
#endif

static trib_status subscribe(void)
{
    char holder[HOLDER_BYTES] = "";
    CUptiResult result = subscribe_call(holder, sizeof holder);
    if (result == CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "CUPTI is used by %.63s", *holder ? holder : "another profiler");
    return check(result, "cuptiSubscribe");
}

/* The clock comes before anything is switched on: records then have its times. */
static trib_status prepare(void)
{
    TRY(cuptiActivityRegisterTimestampCallback(timestamp));
    return CHECK(cuptiActivityRegisterCallbacks(buffer_requested, buffer_completed));
}

static trib_status begin(const trib_cuda_device *device)
{
    if (process.device) return trib_success();
    trib_status status = trib_cupti_load();
    if (trib_failed(&status)) status.code = TRIB_UNSUPPORTED;
    TRIB_TRY(status);
    TRY(cuptiGetVersion(&process.version));
    TRIB_TRY(subscribe());
    status = prepare();
    if (trib_failed(&status))
        NOTE(cuptiUnsubscribe(process.subscriber));
    else
        process.device = device;
    return trib_outcome(&status);
}

void trib_cuda_close_cupti(trib_cuda_device *device)
{
    pthread_mutex_lock(&coming);
    const trib_cupti_observation *other = process.observations;
    if (process.device == device && !other) NOTE(cuptiUnsubscribe(process.subscriber));
    if (process.device == device) process.device = other ? trib_cuda_of(other->base.base.device) : NULL;
    pthread_mutex_unlock(&coming);
}

/* ---- observations ---- */

static void link_in(trib_cupti_observation *o)
{
    trib_cupti_lock();
    o->next = process.observations;
    process.observations = o;
    trib_cupti_unlock();
}

static bool link_out(const trib_cupti_observation *o)
{
    trib_cupti_lock();
    trib_cupti_observation **link = &process.observations;
    while (*link != o) link = &(*link)->next;
    *link = o->next;
    bool last = !process.observations;
    trib_cupti_unlock();
    return last;
}

static trib_status join(const trib_cuda_device *device, trib_cupti_observation *o)
{
    TRIB_TRY(begin(device));
    link_in(o);
    if (o->next) return trib_success();
    trib_status status = allocate_buffers();
    if (!trib_failed(&status)) status = switch_on();
    if (!trib_failed(&status)) return status;
    link_out(o);
    switch_off();
    free_memory();
    return status;
}

trib_status trib_cupti_join(trib_cuda_device *device, trib_cupti_observation *o)
{
    pthread_mutex_lock(&coming);
    trib_status status = join(device, o);
    o->version = process.version;
    pthread_mutex_unlock(&coming);
    return trib_outcome(&status);
}

void trib_cupti_leave(trib_cupti_observation *o)
{
    pthread_mutex_lock(&coming);
    if (link_out(o)) {
        switch_off();
        free_memory();
    }
    pthread_mutex_unlock(&coming);
}

void trib_cupti_giving(trib_cupti_observation *observation, trib_cupti_run *run, int op)
{
    giving.observation = observation;
    giving.run = run;
    giving.op = op;
    giving.depth = 0;
}

/* ---- taking ---- */

trib_status trib_cupti_take(bool by_force)
{
    trib_status status = CHECK(cuptiActivityFlushAll(by_force ? CUPTI_ACTIVITY_FLAG_FLUSH_FORCED : 0));
    trib_cupti_lock();
    trib_cupti_sort_out(process.observations, &process.works);
    trib_cupti_unlock();
    return trib_outcome(&status);
}

size_t trib_cupti_dropped(void)
{
    size_t by_cupti = 0;
    if (trib_libcupti.cuptiActivityGetNumDroppedRecords(NULL, 0, &by_cupti) != CUPTI_SUCCESS) by_cupti = 0;
    trib_cupti_lock();
    size_t all = process.dropped + by_cupti;
    process.dropped = 0;
    trib_cupti_unlock();
    return all;
}
