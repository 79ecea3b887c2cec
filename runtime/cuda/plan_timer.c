/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/plan_timer.h"

enum { SAMPLES = 3, MOST_CALLS = 16, SAMPLE_NANOSECONDS = 500000 };

static trib_status sample(const trib_timer *timer, trib_timed_work work, void *context, int calls, int64_t *nanoseconds)
{
    TRIB_TRY(timer->start(timer->context));
    for (int i = 0; i < calls; ++i) TRIB_TRY(work(context));
    return timer->stop(timer->context, nanoseconds);
}

trib_status trib_time_work(const trib_timer *timer, trib_timed_work work, void *context, int64_t *nanoseconds)
{
    int64_t least = INT64_MAX, once, some;
    TRIB_TRY(sample(timer, work, context, 1, &once)); /* loads the kernel */
    TRIB_TRY(sample(timer, work, context, 1, &once));
    int64_t calls = SAMPLE_NANOSECONDS / (once > 0 ? once : 1);
    if (calls > MOST_CALLS) calls = MOST_CALLS;
    if (calls < 1) calls = 1;
    for (int i = 0; i < SAMPLES; ++i) {
        TRIB_TRY(sample(timer, work, context, (int)calls, &some));
        if (some < least) least = some;
    }
    *nanoseconds = least / calls;
    return trib_success();
}
