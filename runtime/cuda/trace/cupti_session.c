/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <string.h>

#include "cuda/trace/cupti_process.h"
#include "tributary/internal/alloc.h"

enum { HOLDER_BYTES = 64 }; /* of a subscriber's name, by CUPTI's header */

trib_cupti_process trib_cupti = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Held while observations come and go, which takes calls of CUPTI. */
static pthread_mutex_t coming = PTHREAD_MUTEX_INITIALIZER;

void trib_cupti_lock(void) { pthread_mutex_lock(&trib_cupti.lock); }
void trib_cupti_unlock(void) { pthread_mutex_unlock(&trib_cupti.lock); }

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
        NOTE(cuptiEnableCallback(0, trib_cupti.subscriber, callbacks[i].domain, callbacks[i].id));
    NOTE(cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED)); /* gives back buffers */
}

static trib_status switch_on(void)
{
    for (int i = 0; i < CALLBACK_COUNT; ++i)
        TRY(cuptiEnableCallback(1, trib_cupti.subscriber, callbacks[i].domain, callbacks[i].id));
    for (int i = 0; i < KIND_COUNT; ++i) TRY(cuptiActivityEnable(kinds[i]));
    return trib_success();
}

static void free_memory(void)
{
    while (trib_cupti.buffer_count) trib_free(trib_cupti.buffers[--trib_cupti.buffer_count]);
    trib_free(trib_cupti.works.list);
    trib_cupti.works = (trib_cupti_works) { 0 };
}

/* All that a run needs, so that nothing has to be found while it is measured. */
static trib_status allocate_buffers(void)
{
    while (trib_cupti.buffer_count < TRIB_CUPTI_BUFFERS) {
        uint8_t *buffer = trib_alloc(TRIB_CUPTI_BUFFER_BYTES);
        if (!buffer) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the records of CUPTI");
        trib_cupti.buffers[trib_cupti.buffer_count++] = buffer;
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
    return trib_libcupti.cuptiSubscribe_v2(&trib_cupti.subscriber, trib_cupti_callback, NULL, &params);
}
#else
static CUptiResult subscribe_call(char *holder, size_t size)
{
    (void)holder, (void)size;
    return trib_libcupti.cuptiSubscribe(&trib_cupti.subscriber, trib_cupti_callback, NULL);
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
    return CHECK(cuptiActivityRegisterCallbacks(trib_cupti_buffer_requested, trib_cupti_buffer_completed));
}

static trib_status begin(const trib_cuda_device *device)
{
    if (trib_cupti.device) return trib_success();
    trib_status status = trib_cupti_load();
    if (trib_failed(&status)) status.code = TRIB_UNSUPPORTED;
    TRIB_TRY(status);
    TRY(cuptiGetVersion(&trib_cupti.version));
    TRIB_TRY(subscribe());
    status = prepare();
    if (trib_failed(&status))
        NOTE(cuptiUnsubscribe(trib_cupti.subscriber));
    else
        trib_cupti.device = device;
    return trib_outcome(&status);
}

void trib_cuda_close_cupti(trib_cuda_device *device)
{
    pthread_mutex_lock(&coming);
    const trib_cupti_observation *other = trib_cupti.observations;
    if (trib_cupti.device == device && !other) NOTE(cuptiUnsubscribe(trib_cupti.subscriber));
    if (trib_cupti.device == device) trib_cupti.device = other ? trib_cuda_of(other->base.base.device) : NULL;
    pthread_mutex_unlock(&coming);
}

/* ---- observations ---- */

static void link_in(trib_cupti_observation *o)
{
    trib_cupti_lock();
    o->next = trib_cupti.observations;
    trib_cupti.observations = o;
    trib_cupti_unlock();
}

static bool link_out(const trib_cupti_observation *o)
{
    trib_cupti_lock();
    trib_cupti_observation **link = &trib_cupti.observations;
    while (*link != o) link = &(*link)->next;
    *link = o->next;
    bool last = !trib_cupti.observations;
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
    o->version = trib_cupti.version;
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

/* ---- taking ---- */

trib_status trib_cupti_take(bool by_force)
{
    trib_status status = CHECK(cuptiActivityFlushAll(by_force ? CUPTI_ACTIVITY_FLAG_FLUSH_FORCED : 0));
    trib_cupti_lock();
    trib_cupti_sort_out(trib_cupti.observations, &trib_cupti.works);
    trib_cupti_unlock();
    return trib_outcome(&status);
}

size_t trib_cupti_dropped(void)
{
    size_t by_cupti = 0;
    if (trib_libcupti.cuptiActivityGetNumDroppedRecords(NULL, 0, &by_cupti) != CUPTI_SUCCESS) by_cupti = 0;
    trib_cupti_lock();
    size_t all = trib_cupti.dropped + by_cupti;
    trib_cupti.dropped = 0;
    trib_cupti_unlock();
    return all;
}
