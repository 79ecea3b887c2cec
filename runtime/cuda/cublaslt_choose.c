/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/cublaslt_choose.h"

#include <stdio.h>

#include "cuda/plan_report.h"

enum { MOST = 8 };

bool trib_matmul_of_conv(const trib_conv_desc *c, trib_matmul_desc *out)
{
    if (c->direction != TRIB_CONV_FORWARD || c->r != 1 || c->s != 1 || c->stride_h != 1 || c->stride_w != 1 ||
        c->pad_top || c->pad_left || c->p != c->h || c->q != c->w)
        return false;
    *out = (trib_matmul_desc) { .precision = c->precision,
                                .rows = (int64_t)c->n * c->h * c->w,
                                .in = c->c,
                                .out = c->k,
                                .x_pitch = c->x_pitch,
                                .y_pitch = c->y_pitch,
                                .has_bias = c->has_bias,
                                .relu = c->relu };
    return true;
}

/* *out stays NULL when nothing usable is remembered. */
static trib_status recall(const trib_cublaslt *library, const trib_matmul_desc *desc, const char *key,
                          int64_t workspace_bytes, trib_plan_cache *cache, trib_report *report, int64_t *nanoseconds,
                          trib_matmul_plan **out)
{
    trib_plan_choice choice;
    trib_matmul_plan *plan = NULL;
    bool found;
    TRIB_TRY(trib_plan_cache_find(cache, key, &found, &choice));
    if (!found) return trib_success();
    trib_status status = trib_matmul_plan_by_name(library, desc, choice.name, &plan);
    trib_plan_choice_clear(&choice);
    if (trib_failed(&status)) return status.code == TRIB_OUT_OF_MEMORY ? status : trib_success();
    const trib_matmul_plan_info *info = trib_matmul_plan_get_info(plan);
    if (workspace_bytes && info->workspace_bytes > workspace_bytes) {
        trib_matmul_plan_destroy(plan);
        return trib_success();
    }
    trib_report_plan(report, info->name, choice.nanoseconds, info->workspace_bytes);
    trib_report_add(report, " (remembered)");
    *nanoseconds = choice.nanoseconds;
    *out = plan;
    return trib_success();
}

typedef struct attempt {
    const trib_matmul_trial *trial;
    const trib_matmul_plan *plan;
} attempt;

static trib_status run_attempt(void *context)
{
    const attempt *a = context;
    return trib_matmul_run(a->plan, a->trial->stream, &a->trial->pointers, a->trial->workspace);
}

/* The index of the fastest, -1 when none can be run. */
static trib_status measure(const trib_matmul_trial *trial, trib_matmul_plan *const *plans, int count,
                           trib_report *report, int *best, int64_t *nanoseconds)
{
    *best = -1;
    for (int i = 0; i < count; ++i) {
        int64_t time;
        attempt a = { trial, plans[i] };
        const trib_matmul_plan_info *info = trib_matmul_plan_get_info(plans[i]);
        trib_status status = trib_time_work(trial->timer, run_attempt, &a, &time);
        if (status.code == TRIB_UNSUPPORTED) continue;
        if (trib_failed(&status)) {
            trib_add_context(&status, "trying %s", info->name);
            return status;
        }
        trib_report_plan(report, info->name, time, info->workspace_bytes);
        if (*best >= 0 && time >= *nanoseconds) continue;
        *best = i;
        *nanoseconds = time;
    }
    return trib_success();
}

static trib_status choose(const trib_cublaslt *library, const trib_matmul_desc *desc, const char *key,
                          int64_t workspace_bytes, trib_plan_cache *cache, const trib_matmul_trial *trial,
                          trib_report *report, int64_t *nanoseconds, trib_matmul_plan **out)
{
    trib_matmul_plan *plans[MOST];
    char reason[TRIB_MESSAGE_SIZE] = "";
    int count = 0, best = 0;
    TRIB_TRY(trib_matmul_candidates(library, desc, workspace_bytes, plans, MOST, &count, reason));
    trib_status status = trib_success();
    if (trial) status = measure(trial, plans, count, report, &best, nanoseconds);
    if (!trib_failed(&status) && (best < 0 || !count))
        status = TRIB_ERROR(TRIB_UNSUPPORTED, "cuBLASLt has no plan for %s: %.200s", key, reason);
    if (!trib_failed(&status)) {
        const trib_matmul_plan_info *info = trib_matmul_plan_get_info(plans[best]);
        trib_plan_choice choice = { .nanoseconds = *nanoseconds };
        snprintf(choice.name, sizeof choice.name, "%s", info->name);
        if (!trial) trib_report_plan(report, info->name, 0, info->workspace_bytes);
        if (trial && cache) status = trib_plan_cache_put(cache, key, &choice);
    }
    for (int i = 0; i < count; ++i) {
        if (i == best && !trib_failed(&status))
            *out = plans[i];
        else
            trib_matmul_plan_destroy(plans[i]);
    }
    return status;
}

trib_status trib_matmul_choose(const trib_cublaslt *library, const trib_matmul_desc *desc, int64_t workspace_bytes,
                               trib_plan_cache *cache, const trib_matmul_trial *trial, char *report,
                               int64_t *nanoseconds, trib_matmul_plan **out)
{
    char key[TRIB_MATMUL_KEY];
    int64_t time = 0;
    trib_report told = trib_report_begin(report);
    trib_matmul_plan *plan = NULL;
    if (trial && !workspace_bytes)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "products are tried within a workspace: say how large it is");
    trib_matmul_key(desc, key);
    if (cache) TRIB_TRY(recall(library, desc, key, workspace_bytes, cache, &told, &time, &plan));
    if (!plan) TRIB_TRY(choose(library, desc, key, workspace_bytes, cache, trial, &told, &time, &plan));
    if (nanoseconds) *nanoseconds = time;
    *out = plan;
    return trib_success();
}
