/* SPDX-License-Identifier: Apache-2.0
 * Bytes that threads share: each takes what it is about to allocate, waiting while others have it, and gives it back.
 * First come, first served: a thread that needs much is not overtaken for ever. A thread that holds bytes of a budget
 * must not wait for more of the same one. */
#ifndef TRIB_DATA_BUDGET_H
#define TRIB_DATA_BUDGET_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct trib_budget {
    int64_t limit;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t changed;
    int64_t used;
    uint64_t next_ticket, serving;
    bool stopped;
} trib_budget;

/* False: the system gives no lock. */
bool trib_budget_init(trib_budget *budget, int64_t limit);
void trib_budget_destroy(trib_budget *budget);
/* Takes 0 .. limit bytes. False, with nothing taken: the budget is stopped. */
bool trib_budget_take(trib_budget *budget, int64_t bytes);
void trib_budget_give(trib_budget *budget, int64_t bytes);
/* Threads that wait, or ask later, get nothing. */
void trib_budget_stop(trib_budget *budget);

#endif
