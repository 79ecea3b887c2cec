/* SPDX-License-Identifier: Apache-2.0
 * CUPTI, which tells when kernels ran, is not linked but loaded when times are first asked for (cupti_load.c). This
 * lists the functions that we use, and the loader checks them against the header. They are called as
 * trib_libcupti.cuptiActivityEnable(kind). */
#ifndef TRIBUTARY_RUNTIME_CUDA_LIBRARIES_CUPTI_FUNCTIONS_H
#define TRIBUTARY_RUNTIME_CUDA_LIBRARIES_CUPTI_FUNCTIONS_H

#include <cupti.h>

#include "tributary/internal/library.h"
#include "tributary/status.h"

/* clang-format off */
#if CUPTI_API_VERSION >= 130000 /* tells who else uses CUPTI */
#define TRIB_CUPTI_SUBSCRIBE(F)                                                                                       \
    F(CUptiResult, cuptiSubscribe_v2,                                                                                 \
      (CUpti_SubscriberHandle *, CUpti_CallbackFunc, void *, CUpti_SubscriberParams *))
#else
#define TRIB_CUPTI_SUBSCRIBE(F)                                                                                       \
    F(CUptiResult, cuptiSubscribe, (CUpti_SubscriberHandle *, CUpti_CallbackFunc, void *))
#endif

#define TRIB_CUPTI_FUNCTIONS(F)                                                                                       \
    TRIB_CUPTI_SUBSCRIBE(F)                                                                                           \
    F(CUptiResult, cuptiUnsubscribe, (CUpti_SubscriberHandle))                                                        \
    F(CUptiResult, cuptiEnableCallback,                                                                               \
      (uint32_t, CUpti_SubscriberHandle, CUpti_CallbackDomain, CUpti_CallbackId))                                     \
    F(CUptiResult, cuptiGetVersion, (uint32_t *))                                                                     \
    F(CUptiResult, cuptiGetResultString, (CUptiResult, const char **))                                                \
    F(CUptiResult, cuptiGetGraphNodeId, (CUgraphNode, uint64_t *))                                                    \
    F(CUptiResult, cuptiActivityEnable, (CUpti_ActivityKind))                                                         \
    F(CUptiResult, cuptiActivityDisable, (CUpti_ActivityKind))                                                        \
    F(CUptiResult, cuptiActivityFlushAll, (uint32_t))                                                                 \
    F(CUptiResult, cuptiActivityGetNextRecord, (uint8_t *, size_t, CUpti_Activity **))                                \
    F(CUptiResult, cuptiActivityGetNumDroppedRecords, (CUcontext, uint32_t, size_t *))                                \
    F(CUptiResult, cuptiActivityRegisterTimestampCallback, (CUpti_TimestampCallbackFunc))                             \
    F(CUptiResult, cuptiActivityRegisterCallbacks,                                                                    \
      (CUpti_BuffersCallbackRequestFunc, CUpti_BuffersCallbackCompleteFunc))
/* clang-format on */

typedef struct trib_cupti_functions {
    TRIB_CUPTI_FUNCTIONS(TRIB_LIBRARY_POINTER)
} trib_cupti_functions;

/* Filled in by the first successful trib_cupti_load; CUPTI then stays loaded until the process ends. A failure says
 * what to do, and is the same each time. */
extern trib_cupti_functions trib_libcupti;
trib_status trib_cupti_load(void);

#endif
