/* SPDX-License-Identifier: Apache-2.0
 * Bytes that threads share: each takes what it is about to allocate, waiting while others hold too much, and gives it
 * back. First come, first served, so that a thread that needs much is never starved. A thread that holds bytes of a
 * budget must not wait for more of the same budget. */
#ifndef TRIB_DATA_BUDGET_H
#define TRIB_DATA_BUDGET_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct trib_budget {
    int64_t limit;
    pthread_mutex_t lock; /* the next ticket */
    pthread_cond_t changed;
    int64_t used;
    uint64_t next_ticket, serving;
    bool stopped;
} trib_budget;

/* False: the system provides no lock. */
bool trib_budget_init(trib_budget *budget, int64_t limit);
void trib_budget_destroy(trib_budget *budget);
/* Takes 0 .. limit bytes. False if the budget was stopped; nothing is taken then. */
bool trib_budget_take(trib_budget *budget, int64_t bytes);
void trib_budget_give(trib_budget *budget, int64_t bytes);
/* Current and later waiters get nothing. */
void trib_budget_stop(trib_budget *budget);

#endif
