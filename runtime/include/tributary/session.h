/* SPDX-License-Identifier: Apache-2.0
 * Tributary: a network ready to run: plan, packed parameters, and lanes (arena + streams).
 *
 *     trib_session_options o = trib_session_default_options();
 *     o.max_batch = 32;
 *     trib_session_create(device, graph, parameters, &o, &session);
 *     trib_session_run(session, pixels, 32, (float *const[]){ logits });
 *
 * Lanes are independent copies of arena and streams that share packed parameters. On a CPU a batch is cut into chunks
 * that the lanes run side by side, one core each: faster than all cores working on one convolution. On a GPU a lane has
 * two batches in flight: while one is computed, the next is copied to the device and the one before it back, each
 * direction on a stream of its own. Memory of trib_host_alloc is copied as it lies; other memory is copied by the host
 * into page-locked blocks first, during the call.
 *
 *     o.in_flight = 2;
 *     trib_session_submit(session, first, 32, first_outputs, &a);
 *     trib_session_submit(session, second, 32, second_outputs, &b);
 *     trib_session_wait(session, a); // first_outputs are there, and `first` may be filled again
 *
 * After fork() a session works in the parent only, as its device does (device.h). The child creates a device and a
 * session of its own. */
#ifndef TRIBUTARY_SESSION_H
#define TRIBUTARY_SESSION_H

#include "tributary/declare.h"
#include "tributary/plan.h"

TRIB_BEGIN_DECLS

typedef enum trib_launch { TRIB_EAGER = 0, TRIB_GRAPH } trib_launch;

typedef struct trib_session_options {
    trib_plan_options plan; /* plan.batch: images per chunk, 0: chosen; plan.threads: cores per lane, 0: chosen */
    int max_batch;          /* most images per trib_session_run, 0: 1 */
    int lanes;              /* 0: chosen: cpu, one for each of plan.threads cores; GPU, one for two batches in flight */
    int in_flight;          /* batches that are submitted before the first of them is waited for, 0: 1 */
    trib_launch launch;
} trib_session_options;
trib_session_options trib_session_default_options(void);

/* A network ready to run. */
typedef struct trib_session trib_session;

/* `parameters`: one tensor per parameter of `graph`, in its order; f32, f16 or bf16; only read during this call.
 * `graph` is only read during this call. The device must outlive the session. */
trib_status trib_session_create(trib_device *device, const trib_graph *graph, const trib_tensor *parameters,
                                const trib_session_options *options, trib_session **out);
void trib_session_destroy(trib_session *session);

/* The plan of one chunk: shapes of input and outputs with N = images per chunk. Owned by the session. */
const trib_plan *trib_session_plan(const trib_session *session);
int trib_session_lanes(const trib_session *session);

/* Gives `n` images to the session and returns while they are computed; `input` and `outputs` as for trib_session_run,
 * and theirs until the job has been waited for. Waits itself when a lane it needs has too much to do, and fails when it
 * finds then that an earlier job has failed. On failure nothing of the job is in use any more, and there is none to
 * wait for. */
trib_status trib_session_submit(trib_session *session, const void *input, int n, void *const *outputs, int64_t *job);
/* Computes `n` images that lie on the device already, those of earlier jobs (zeros before the first), and leaves the
 * results there: for measuring what a device can do when nothing is copied. TRIB_UNSUPPORTED where device memory is
 * host memory (trib_device_info.host). */
trib_status trib_session_submit_resident(trib_session *session, int n, int64_t *job);
/* Returns when the job's results are there, or why there are none: its own failure, or one before it in its lane. Jobs
 * may be waited for in any order, and again. */
trib_status trib_session_wait(trib_session *session, int64_t job);

/* Runs `n` images (1 .. max_batch). `input`: host memory, of plan->input_dtype, dense in plan->input_layout, N = n.
 * `outputs[i]`: host memory for output i of the plan, of its dtype, dense N,C,H,W or N,C with N = n. Returns when the
 * results are there: submit and wait. One call of the session at a time. */
trib_status trib_session_run(trib_session *session, const void *input, int n, void *const *outputs);

TRIB_END_DECLS
#endif
