/* SPDX-License-Identifier: Apache-2.0
 * A team: the threads of a stream that share the work of one op, piece by piece. */
#ifndef TRIBUTARY_RUNTIME_CPU_STREAMS_TEAM_H
#define TRIBUTARY_RUNTIME_CPU_STREAMS_TEAM_H

#include "tributary/status.h"

struct dnnl_stream;
struct trib_onednn;
typedef struct trib_cpu_team trib_cpu_team;

/* A thread that computes: a stream's own, or a helper of its team. */
typedef struct trib_cpu_worker {
    int index;                /* during trib_cpu_team_run: below `threads`, different for all that run at once */
    struct dnnl_stream *dnnl; /* its own; NULL without oneDNN */
    trib_cpu_team *team;      /* helpers it can call; NULL: none */
} trib_cpu_worker;

/* One piece of work. `worker` has no team. */
typedef trib_status (*trib_cpu_task)(void *context, const trib_cpu_worker *worker, int i);

/* Starts `helpers` threads with this name. Each has its own stream of oneDNN (NULL: there is none) and an OpenMP team
 * of one. Fails if the system gives no further thread. */
trib_status trib_cpu_team_create(const char *name, int helpers, struct trib_onednn *onednn, trib_cpu_team **out);
void trib_cpu_team_destroy(trib_cpu_team *team); /* NULL is fine */
/* Runs task(context, worker, i) for i = 0 .. count - 1 on the caller and up to `threads` - 1 helpers of its team, which
 * take indices in order. Returns when all have ended. After a failure no further piece begins; the result is the
 * failure of the lowest index, however many threads there are. */
trib_status trib_cpu_team_run(const trib_cpu_worker *caller, int threads, int count, trib_cpu_task task, void *context);

#endif
