/* SPDX-License-Identifier: Apache-2.0
 * Tributary: a network ready to run: plan, packed parameters, and lanes (arena + streams).
 *
 *     trib_session_options o = trib_session_default_options();
 *     o.max_batch = 32;
 *     trib_session_create(device, graph, parameters, &o, &session);
 *     trib_session_run(session, pixels, 32, (void *[]){ logits });
 *
 * Lanes are independent copies of arena and streams that share packed parameters. On a CPU a batch is split into chunks
 * that the lanes run side by side, one core each, which is faster than all cores working on one convolution. On a GPU a
 * lane has two batches in flight: while one is computed, the next is copied to the device and the previous one back,
 * each direction on its own stream. Memory of trib_host_alloc is copied directly; other memory is first copied by the
 * host into page-locked blocks, during the call.
 *
 *     o.in_flight = 2;
 *     trib_session_submit(session, first, 32, first_outputs, &a);
 *     trib_session_submit(session, second, 32, second_outputs, &b);
 *     trib_session_wait(session, a); // first_outputs are complete, and `first` may be reused
 *
 * Creating a session brings the parameters to the device and packs them there, those of one op at a time: this needs
 * plan->loading_bytes in addition to the packed parameters (plan->parameter_bytes), which lanes share.
 *
 * After fork() a session works only in the parent, like its device (device.h). The child creates its own device and
 * session. */
#ifndef TRIBUTARY_SESSION_H
#define TRIBUTARY_SESSION_H

#include "tributary/declare.h"
#include "tributary/plan.h"
#include "tributary/region.h"
#include "tributary/timeline.h"

TRIB_BEGIN_DECLS

typedef enum trib_launch { TRIB_EAGER = 0, TRIB_GRAPH } trib_launch;

typedef struct trib_session_options {
    trib_plan_options plan; /* plan.batch: images per chunk, 0: automatic; plan.threads: cores per lane, 0: automatic */
    int max_batch;          /* maximum images per trib_session_run; 0: 1 */
    int lanes;     /* 0: automatic: on a CPU one per plan.threads cores, on a GPU one per two batches in flight */
    int in_flight; /* batches submitted before the first is waited for; 0: 1 */
    trib_launch launch;
    trib_timeline *timeline; /* gets the times of ops (see timeline.h); NULL: none. It must outlive the session */
    bool one_stream;         /* runs all ops on one stream, in the plan's order, whatever its schedule: how long each of
                                the same ops takes alone. trib_session_plan is then the plan without other streams,
                                events and waits; ops keep their index */
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

/* Submits `n` images and returns while they are computed; `input` and `outputs` are as for trib_session_run, and in use
 * until the job has been waited for. Waits if a lane it needs is full, and fails if it then finds that an earlier job
 * failed. On failure the job does not exist, and its memory is no longer in use. */
trib_status trib_session_submit(trib_session *session, const void *input, int n, void *const *outputs, int64_t *job);
/* The same for a plan that takes regions (trib_plan_options.regions), which submits nothing else: image i is regions[i]
 * of a picture in `pictures`, of the session's device. `regions` is only read during this call; the pictures must stay
 * until the job has been waited for. TRIB_INVALID_ARGUMENT, naming the region by its index, and no job, if a picture is
 * unknown or removed, or if a box is not finite, empty, or beyond TRIB_REGION_MOST: so no device reads outside of a
 * picture. */
trib_status trib_session_submit_regions(trib_session *session, const trib_pictures *pictures,
                                        const trib_region *regions, int n, void *const *outputs, int64_t *job);
/* Computes `n` images that are already on the device, those of earlier jobs (zeros before the first), and leaves the
 * results there: for measuring a device without copies. TRIB_UNSUPPORTED if device memory is host memory
 * (trib_device_info.host), or of a plan that takes regions: their pictures may be gone. */
trib_status trib_session_submit_resident(trib_session *session, int n, int64_t *job);
/* Waits for the job's results. Fails if the job, or an earlier one in its lane, failed. Jobs may be waited for in any
 * order, and repeatedly. */
trib_status trib_session_wait(trib_session *session, int64_t job);

/* Runs `n` images (1 .. max_batch). `input`: host memory, dense, in the dtype and layout of plan->inputs[0], N = n.
 * `outputs[i]`: host memory for output i of the plan, of its dtype, dense N,C,H,W or N,C with N = n. Submits and waits.
 * One call of a session at a time. */
trib_status trib_session_run(trib_session *session, const void *input, int n, void *const *outputs);

TRIB_END_DECLS
#endif
