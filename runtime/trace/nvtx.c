/* SPDX-License-Identifier: Apache-2.0
 * Named ranges for profilers. NVTX 3 is headers only: a tool that listens brings the library, which the first call
 * looks for. Without one the domain is NULL, and nothing is registered, allocated or formatted.
 *
 * The domain is the process's and is never destroyed, since tools show a new domain for each one created. Its strings
 * live as long, so each text is registered once, however many sessions use it. */
#include <nvtx3/nvToolsExt.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "trace/sink.h"
#include "tributary/internal/alloc.h"

typedef struct registered {
    char *text;
    nvtxStringHandle_t handle;
} registered;

static struct {
    pthread_mutex_t lock;
    bool asked; /* true if a tool listens */
    nvtxDomainHandle_t domain;
    registered *strings;
    size_t count, capacity;
} process = { .lock = PTHREAD_MUTEX_INITIALIZER };

typedef struct range {
    nvtxStringHandle_t name;
    uint32_t category;
} range;

typedef struct nvtx_names {
    nvtxDomainHandle_t domain;
    bool threads_report; /* the ops: what the host gives to streams has no range then */
    range chunk, capture, launch;
    range ops[];
} nvtx_names;

/* Category 0 means none. */
static uint32_t category_of(trib_kind kind) { return (uint32_t)kind + 1; }

/* ---- the process's domain and strings ---- */

static nvtxDomainHandle_t find_domain(void)
{
    pthread_mutex_lock(&process.lock);
    if (!process.asked) {
        process.asked = true;
        process.domain = nvtxDomainCreateA("tributary");
        for (int kind = 0; process.domain && kind < TRIB_KIND_COUNT; ++kind)
            nvtxDomainNameCategoryA(process.domain, category_of((trib_kind)kind), trib_kind_name((trib_kind)kind));
    }
    nvtxDomainHandle_t domain = process.domain;
    pthread_mutex_unlock(&process.lock);
    return domain;
}

static trib_status find_string(const char *text, nvtxStringHandle_t *out)
{
    for (size_t i = 0; i < process.count; ++i)
        if (!strcmp(process.strings[i].text, text)) {
            *out = process.strings[i].handle;
            return trib_success();
        }
    void *list = process.strings;
    int grown = trib_grow(&list, &process.capacity, process.count + 1, sizeof *process.strings);
    process.strings = list;
    char *copy = grown ? NULL : trib_strdup(text);
    if (!copy) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the range \"%s\"", text);
    *out = nvtxDomainRegisterStringA(process.domain, copy);
    process.strings[process.count++] = (registered) { copy, *out };
    return trib_success();
}

static trib_status name_range(const char *text, uint32_t category, range *out)
{
    out->category = category;
    pthread_mutex_lock(&process.lock);
    trib_status status = find_string(text, &out->name);
    pthread_mutex_unlock(&process.lock);
    return status;
}

/* ---- a session's ranges ---- */

static trib_status name_ranges(const trib_plan *plan, nvtx_names *names)
{
    char text[256];
    snprintf(text, sizeof text, "%.200s batch %d", plan->graph_name, plan->batch);
    TRIB_TRY(name_range(text, 0, &names->chunk));
    snprintf(text, sizeof text, "%.200s batch %d capture", plan->graph_name, plan->batch);
    TRIB_TRY(name_range(text, 0, &names->capture));
    snprintf(text, sizeof text, "%.200s batch %d launch", plan->graph_name, plan->batch);
    TRIB_TRY(name_range(text, 0, &names->launch));
    for (int i = 0; i < plan->op_count; ++i)
        TRIB_TRY(name_range(plan->ops[i].name, category_of(plan->ops[i].desc.kind), &names->ops[i]));
    return trib_success();
}

static trib_status open_names(void *context, const trib_trace_subject *subject, void **out)
{
    (void)context;
    const trib_plan *plan = subject->plan;
    nvtxDomainHandle_t domain = find_domain();
    if (!domain) return trib_success();
    nvtx_names *names = trib_alloc_zeroed(1, sizeof *names + (size_t)plan->op_count * sizeof names->ops[0]);
    if (!names) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the ranges of %d ops", plan->op_count);
    names->domain = domain;
    names->threads_report = trib_trace_threads_report(subject->device);
    trib_status status = name_ranges(plan, names);
    if (trib_failed(&status))
        trib_free(names);
    else
        *out = names;
    return status;
}

static void close_names(void *names) { trib_free(names); }

/* NULL: none for this. */
static const range *find_range(const nvtx_names *names, const trib_trace_range *r)
{
    switch (r->what) {
    case TRIB_TRACE_CHUNK: return &names->chunk;
    case TRIB_TRACE_CAPTURE: return &names->capture;
    case TRIB_TRACE_LAUNCH: return &names->launch;
    case TRIB_TRACE_OP: break;
    }
    return names->threads_report ? NULL : &names->ops[r->op];
}

/* payload -1: none. */
static void push_range(const nvtx_names *names, const range *r, int64_t payload)
{
    nvtxEventAttributes_t attributes = { .version = NVTX_VERSION, .size = NVTX_EVENT_ATTRIB_STRUCT_SIZE };
    attributes.category = r->category;
    attributes.messageType = NVTX_MESSAGE_TYPE_REGISTERED;
    attributes.message.registered = r->name;
    if (payload >= 0) {
        attributes.payloadType = NVTX_PAYLOAD_TYPE_UNSIGNED_INT64;
        attributes.payload.ullValue = (uint64_t)payload;
    }
    nvtxDomainRangePushEx(names->domain, &attributes);
}

/* The number of the chunk; of an op that is captured, and is of no chunk, its stream: a graph's work runs on streams
 * that the driver chooses, and only this tells a reader of the report where the plan has it. */
static int64_t payload_of(const trib_trace_range *what)
{
    return what->chunk < 0 && what->what == TRIB_TRACE_OP ? what->stream : what->chunk;
}

static void push(void *state, const trib_trace_range *what)
{
    const range *r = find_range(state, what);
    if (r) push_range(state, r, payload_of(what));
}

static void pop(void *state, const trib_trace_range *what)
{
    const nvtx_names *names = state;
    if (find_range(names, what)) nvtxDomainRangePop(names->domain);
}

static void begin_op(void *state, const trib_trace_run *run, int op)
{
    const nvtx_names *names = state;
    push_range(names, &names->ops[op], run->chunk);
}

static void end_op(void *state, const trib_trace_run *run, int op)
{
    (void)run, (void)op;
    nvtxDomainRangePop(((const nvtx_names *)state)->domain);
}

/* Streams are named by their devices: CUDA's objects by the driver, the CPU's worker threads by their own names. */
const trib_trace_sink trib_nvtx_sink = { .name = "nvtx",
                                         .open = open_names,
                                         .close = close_names,
                                         .push = push,
                                         .pop = pop,
                                         .begin_op = begin_op,
                                         .end_op = end_op };
