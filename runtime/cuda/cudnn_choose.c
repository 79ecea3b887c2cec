/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/cudnn_choose.h"

#include <stdio.h>

#include "cuda/plan_report.h"

static void tell_plan(trib_report *report, const trib_conv_plan_info *info, int64_t nanoseconds)
{
    trib_report_plan(report, info->name, nanoseconds, info->workspace_bytes);
    if (info->hides_copy) trib_report_add(report, ", hides a copy");
}

/* ---- from the cache ---- */

/* *out stays NULL when nothing usable is remembered: a plan that this library refuses is measured again. */
static trib_status recall(const trib_cudnn *library, const trib_conv_desc *desc, const char *key,
                          const trib_conv_limits *limits, trib_plan_cache *cache, trib_report *report,
                          int64_t *nanoseconds, trib_conv_plan **out)
{
    trib_plan_choice choice;
    trib_conv_plan *plan = NULL;
    bool found;
    TRIB_TRY(trib_plan_cache_find(cache, key, &found, &choice));
    if (!found) return trib_success();
    trib_status status = choice.json
                             ? trib_conv_plan_load(library, desc, choice.name, choice.json, choice.json_bytes, &plan)
                             : trib_conv_plan_by_name(library, desc, choice.name, &plan);
    trib_plan_choice_clear(&choice);
    if (trib_failed(&status)) return status.code == TRIB_OUT_OF_MEMORY ? status : trib_success();
    if (limits && limits->workspace_bytes && trib_conv_plan_get_info(plan)->workspace_bytes > limits->workspace_bytes) {
        trib_conv_plan_destroy(plan);
        return trib_success();
    }
    tell_plan(report, trib_conv_plan_get_info(plan), choice.nanoseconds);
    trib_report_add(report, " (remembered)");
    *nanoseconds = choice.nanoseconds;
    *out = plan;
    return trib_success();
}

/* Runtime-compiled plans are kept whole: making them again means compiling them again. */
static trib_status remember(trib_plan_cache *cache, const char *key, const trib_conv_plan *plan, int64_t nanoseconds)
{
    const trib_conv_plan_info *info = trib_conv_plan_get_info(plan);
    trib_plan_choice choice = { .nanoseconds = nanoseconds };
    snprintf(choice.name, sizeof choice.name, "%s", info->name);
    if (info->runtime_compiled) TRIB_TRY(trib_conv_plan_save(plan, &choice.json, &choice.json_bytes));
    trib_status status = trib_plan_cache_put(cache, key, &choice);
    trib_plan_choice_clear(&choice);
    return status;
}

/* ---- on the device ---- */

typedef struct attempt {
    const trib_conv_trial *trial;
    const trib_conv_plan *plan;
} attempt;

static trib_status run_attempt(void *context)
{
    const attempt *a = context;
    return trib_conv_run(a->plan, a->trial->handle, &a->trial->pointers, a->trial->workspace);
}

/* The index of the fastest. One that fails for not being supported after all is passed over. */
static trib_status measure(const trib_conv_trial *trial, const trib_conv_list *list, trib_report *report, int *best,
                           int64_t *best_nanoseconds)
{
    *best = -1;
    for (int i = 0; i < list->count; ++i) {
        int64_t nanoseconds;
        attempt a = { trial, list->plans[i] };
        trib_status status = trib_time_work(trial->timer, run_attempt, &a, &nanoseconds);
        if (status.code == TRIB_UNSUPPORTED) continue;
        if (trib_failed(&status)) {
            trib_add_context(&status, "trying %s", trib_conv_plan_get_info(list->plans[i])->name);
            return status;
        }
        tell_plan(report, trib_conv_plan_get_info(list->plans[i]), nanoseconds);
        if (*best >= 0 && nanoseconds >= *best_nanoseconds) continue;
        *best = i;
        *best_nanoseconds = nanoseconds;
    }
    return trib_success();
}

static trib_status no_plan(const char *key, const trib_conv_list *list)
{
    return TRIB_ERROR(
        TRIB_UNSUPPORTED,
        "cuDNN has no plan for %s: of %d it refused %d, %d are imprecise, %d need too large a workspace%s%s", key,
        list->configs, list->unsupported, list->imprecise, list->too_large, *list->reason ? "; " : "", list->reason);
}

static trib_status choose(const trib_cudnn *library, const trib_conv_desc *desc, const char *key,
                          const trib_conv_limits *limits, trib_plan_cache *cache, const trib_conv_trial *trial,
                          trib_report *report, int64_t *nanoseconds, trib_conv_plan **out)
{
    trib_conv_list list;
    int best = 0;
    TRIB_TRY(trib_conv_candidates(library, desc, limits, &list));
    trib_status status = trib_success();
    if (!trial && list.count) tell_plan(report, trib_conv_plan_get_info(list.plans[0]), 0);
    if (trial) status = measure(trial, &list, report, &best, nanoseconds);
    if (!trib_failed(&status) && (best < 0 || !list.count)) status = no_plan(key, &list);
    if (!trib_failed(&status) && trial && cache) status = remember(cache, key, list.plans[best], *nanoseconds);
    if (!trib_failed(&status)) *out = trib_conv_list_take(&list, best);
    trib_conv_list_clear(&list);
    return status;
}

trib_status trib_conv_choose(const trib_cudnn *library, const trib_conv_desc *desc, const trib_conv_limits *limits,
                             trib_plan_cache *cache, const trib_conv_trial *trial, char *report, int64_t *nanoseconds,
                             trib_conv_plan **out)
{
    char key[TRIB_CONV_KEY];
    trib_report told = trib_report_begin(report);
    int64_t time = 0;
    trib_conv_plan *plan = NULL;
    if (trial && !(limits && limits->workspace_bytes))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "convolutions are tried within a workspace: say how large it is");
    trib_conv_key(desc, key);
    if (cache) TRIB_TRY(recall(library, desc, key, limits, cache, &told, &time, &plan));
    if (!plan) TRIB_TRY(choose(library, desc, key, limits, cache, trial, &told, &time, &plan));
    if (nanoseconds) *nanoseconds = time;
    *out = plan;
    return trib_success();
}
