/* SPDX-License-Identifier: Apache-2.0
 * A team of threads. A job is posted, helpers that are free join it, and all take indices from one counter; the caller
 * takes the job back when the indices are used up, and waits only for helpers that joined. So a helper that the system
 * has not woken yet delays nothing. */
#include "cpu/streams/team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "cpu/libraries/onednn.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

/* How long a thread looks before it sleeps: some 20 microseconds, about as long as waking it takes. */
enum { SPINS = 500 };

typedef struct job {
    trib_cpu_task task;
    void *context;
    int count;
    int places, workers; /* most threads, and those that joined, the caller among them */
    atomic_int next, inside;
    int failed; /* the lowest index that failed, or -1 */
    trib_status failure;
} job;

typedef struct member {
    pthread_t thread;
    trib_cpu_team *team;
    struct dnnl_stream *dnnl;
} member;

struct trib_cpu_team {
    char name[16]; /* the kernel's limit */
    pthread_mutex_t lock;
    pthread_cond_t called, left;
    atomic_uint calls; /* changes when there is something to look at */
    job *job;          /* that helpers may join */
    bool stopping;
    int helpers;
    member members[];
};

static void pause_briefly(void)
{
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}

/* ---- working on a job ---- */

static void note_failure(trib_cpu_team *team, job *j, int i, const trib_status *failure)
{
    pthread_mutex_lock(&team->lock);
    if (j->failed < 0 || i < j->failed) {
        j->failed = i;
        j->failure = *failure;
    }
    pthread_mutex_unlock(&team->lock);
    atomic_store(&j->next, j->count);
}

static void work_on(trib_cpu_team *team, job *j, const trib_cpu_worker *worker)
{
    for (int i; (i = atomic_fetch_add(&j->next, 1)) < j->count;) {
        trib_status status = j->task(j->context, worker, i);
        if (trib_failed(&status)) note_failure(team, j, i, &status);
    }
}

/* ---- helpers; these functions are called with the lock held ---- */

static bool can_join(const trib_cpu_team *team)
{
    const job *j = team->job;
    return j && j->workers < j->places && atomic_load(&j->next) < j->count;
}

static void join(trib_cpu_team *team, struct dnnl_stream *dnnl)
{
    job *j = team->job;
    trib_cpu_worker worker = { .index = j->workers++, .dnnl = dnnl };
    atomic_fetch_add(&j->inside, 1);
    pthread_mutex_unlock(&team->lock);
    work_on(team, j, &worker);
    pthread_mutex_lock(&team->lock);
    if (atomic_fetch_sub(&j->inside, 1) == 1) pthread_cond_signal(&team->left);
}

static void rest(trib_cpu_team *team)
{
    unsigned before = atomic_load(&team->calls);
    pthread_mutex_unlock(&team->lock);
    for (int i = 0; i < SPINS && atomic_load(&team->calls) == before; ++i) pause_briefly();
    pthread_mutex_lock(&team->lock);
    while (atomic_load(&team->calls) == before) pthread_cond_wait(&team->called, &team->lock);
}

static void *helper(void *argument)
{
    member *self = argument;
    trib_cpu_team *team = self->team;
    prctl(PR_SET_NAME, team->name, 0, 0, 0);
    trib_cpu_omp_set_threads(1);
    pthread_mutex_lock(&team->lock);
    while (!team->stopping) {
        if (can_join(team))
            join(team, self->dnnl);
        else
            rest(team);
    }
    pthread_mutex_unlock(&team->lock);
    return NULL;
}

/* ---- calling them ---- */

/* `j` NULL: there is nothing more to do. */
static void post(trib_cpu_team *team, job *j)
{
    pthread_mutex_lock(&team->lock);
    team->job = j;
    if (!j) team->stopping = true;
    atomic_fetch_add(&team->calls, 1);
    pthread_cond_broadcast(&team->called);
    pthread_mutex_unlock(&team->lock);
}

/* Afterwards no helper knows the job. */
static void take_back(trib_cpu_team *team, job *j)
{
    pthread_mutex_lock(&team->lock);
    team->job = NULL;
    pthread_mutex_unlock(&team->lock);
    for (int i = 0; i < SPINS && atomic_load(&j->inside); ++i) pause_briefly();
    pthread_mutex_lock(&team->lock);
    while (atomic_load(&j->inside)) pthread_cond_wait(&team->left, &team->lock);
    pthread_mutex_unlock(&team->lock);
}

static trib_status run_alone(const trib_cpu_worker *worker, int count, trib_cpu_task task, void *context)
{
    for (int i = 0; i < count; ++i) TRIB_TRY(task(context, worker, i));
    return trib_success();
}

trib_status trib_cpu_team_run(const trib_cpu_worker *caller, int threads, int count, trib_cpu_task task, void *context)
{
    trib_cpu_team *team = caller->team;
    trib_cpu_worker self = { .dnnl = caller->dnnl };
    int places = threads < count ? threads : count;
    if (!team || places < 2) return run_alone(&self, count, task, context);
    job j = { .task = task, .context = context, .count = count, .places = places, .workers = 1, .failed = -1 };
    post(team, &j);
    work_on(team, &j, &self);
    take_back(team, &j);
    if (j.failed >= 0) return j.failure;
    return trib_success();
}

/* ---- creating and destroying ---- */

static trib_status start(trib_cpu_team *team, struct trib_onednn *onednn)
{
    member *m = &team->members[team->helpers];
    m->team = team;
    TRIB_TRY(trib_onednn_stream_create(onednn, &m->dnnl));
    int error = trib_fault("pthread_create") ? 11 : pthread_create(&m->thread, NULL, helper, m);
    if (!error) {
        team->helpers++;
        return trib_success();
    }
    trib_onednn_stream_destroy(m->dnnl);
    return TRIB_VENDOR_ERROR(TRIB_OUT_OF_MEMORY, error, "pthread_create",
                             "the system gives no further thread: %s; use fewer threads", strerror(error));
}

trib_status trib_cpu_team_create(const char *name, int helpers, struct trib_onednn *onednn, trib_cpu_team **out)
{
    trib_cpu_team *team = trib_alloc_zeroed(1, sizeof *team + (size_t)helpers * sizeof *team->members);
    if (!team) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "stream \"%s\": no memory for its threads", name);
    snprintf(team->name, sizeof team->name, "%s", name);
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->called, NULL);
    pthread_cond_init(&team->left, NULL);
    trib_status status = trib_success();
    for (int i = 0; i < helpers; ++i) TRIB_TRY_GOTO(status, failed, start(team, onednn));
    *out = team;
    return trib_outcome(&status);
failed:
    trib_cpu_team_destroy(team);
    trib_add_context(&status, "stream \"%s\": threads beside its own", name);
    return status;
}

void trib_cpu_team_destroy(trib_cpu_team *team)
{
    if (!team) return;
    post(team, NULL);
    for (int i = 0; i < team->helpers; ++i) {
        pthread_join(team->members[i].thread, NULL);
        trib_onednn_stream_destroy(team->members[i].dnnl);
    }
    pthread_cond_destroy(&team->left);
    pthread_cond_destroy(&team->called);
    pthread_mutex_destroy(&team->lock);
    trib_free(team);
}
