/* SPDX-License-Identifier: Apache-2.0 */
#include "data/budget.h"

#include "tributary/internal/fault.h"

bool trib_budget_init(trib_budget *budget, int64_t limit)
{
    *budget = (trib_budget) { .limit = limit };
    if (trib_fault("lock") || pthread_mutex_init(&budget->lock, NULL)) return false;
    if (!trib_fault("lock") && !pthread_cond_init(&budget->changed, NULL)) return true;
    pthread_mutex_destroy(&budget->lock);
    return false;
}

void trib_budget_destroy(trib_budget *budget)
{
    pthread_mutex_destroy(&budget->lock);
    pthread_cond_destroy(&budget->changed);
}

bool trib_budget_take(trib_budget *budget, int64_t bytes)
{
    pthread_mutex_lock(&budget->lock);
    uint64_t ticket = budget->next_ticket++;
    while (!budget->stopped && (ticket != budget->serving || bytes > budget->limit - budget->used))
        pthread_cond_wait(&budget->changed, &budget->lock);
    bool taken = !budget->stopped;
    if (taken) {
        budget->used += bytes;
        ++budget->serving;
        pthread_cond_broadcast(&budget->changed); /* there may be enough for the next thread as well */
    }
    pthread_mutex_unlock(&budget->lock);
    return taken;
}

void trib_budget_give(trib_budget *budget, int64_t bytes)
{
    if (!bytes) return;
    pthread_mutex_lock(&budget->lock);
    budget->used -= bytes;
    pthread_cond_broadcast(&budget->changed);
    pthread_mutex_unlock(&budget->lock);
}

void trib_budget_stop(trib_budget *budget)
{
    pthread_mutex_lock(&budget->lock);
    budget->stopped = true;
    pthread_cond_broadcast(&budget->changed);
    pthread_mutex_unlock(&budget->lock);
}
