/* SPDX-License-Identifier: Apache-2.0
 * The library itself: its engine, its failures. */
#ifndef TRIBUTARY_RUNTIME_CPU_LIBRARIES_ONEDNN_LIBRARY_H
#define TRIBUTARY_RUNTIME_CPU_LIBRARIES_ONEDNN_LIBRARY_H

#include "cpu/libraries/onednn.h"
#include "cpu/libraries/onednn_version.h"
#include "tributary/internal/fault.h"

struct trib_onednn {
    dnnl_engine_t engine;
};

/* Calls oneDNN, or pretends that it ran out of memory when a test wants that. */
#define TRIB_DNNL(call) (trib_fault("dnnl") ? dnnl_out_of_memory : (call))

const char *trib_dnnl_status_name(dnnl_status_t status);
trib_status trib_dnnl_failure(dnnl_status_t status, const char *call, const char *file, int line);

#define TRIB_DNNL_TRY_GOTO(status, label, call)                                  \
    do {                                                                         \
        dnnl_status_t trib_dnnl_ = TRIB_DNNL(call);                              \
        if (trib_dnnl_ != dnnl_success) {                                        \
            (status) = trib_dnnl_failure(trib_dnnl_, #call, __FILE__, __LINE__); \
            goto label;                                                          \
        }                                                                        \
    } while (0)

const char *trib_dnnl_name(dnnl_primitive_desc_t descriptor);

#endif
