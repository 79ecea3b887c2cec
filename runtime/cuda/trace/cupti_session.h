/* SPDX-License-Identifier: Apache-2.0
 * The process's one use of CUPTI: subscribed with the first observation, until its device is closed; records are
 * switched on while there are observations. */
#ifndef TRIBUTARY_RUNTIME_CUDA_TRACE_CUPTI_SESSION_H
#define TRIBUTARY_RUNTIME_CUDA_TRACE_CUPTI_SESSION_H

#include "cuda/trace/cupti_records.h"

/* Guards observations, their runs, and the works that arrived. CUPTI's callbacks take it: no call of CUDA or CUPTI is
 * made while it is held. */
void trib_cupti_lock(void);
void trib_cupti_unlock(void);

/* Begins if this is the first observation. TRIB_UNSUPPORTED: CUPTI cannot be used, and why. */
trib_status trib_cupti_join(trib_cuda_device *device, trib_cupti_observation *observation);
void trib_cupti_leave(trib_cupti_observation *observation);

/* What this thread gives to the device from now on, until NULL, is this op's in this run (NULL: is being recorded, or a
 * launch that nobody asks for). */
void trib_cupti_giving(trib_cupti_observation *observation, trib_cupti_run *run, int op);

/* Takes what CUPTI has complete, or by force all it has, and gives it to runs. */
trib_status trib_cupti_take(bool by_force);
/* Records that CUPTI or we had no room for, since they were last counted. */
size_t trib_cupti_dropped(void);

#endif
