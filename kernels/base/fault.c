/* SPDX-License-Identifier: Apache-2.0 */
#include "tributary/internal/fault.h"

#include <stdatomic.h>

static atomic_bool armed;
static atomic_bool persistent;
static atomic_llong target, seen;

bool trib_fault(const char *operation)
{
    (void)operation; /* visible in a debugger and in a trace of the failing call */
    if (!atomic_load_explicit(&armed, memory_order_relaxed)) return false;
    long long now = atomic_fetch_add(&seen, 1) + 1, k = atomic_load(&target);
    return k > 0 && (now == k || (now > k && atomic_load(&persistent)));
}

void trib_fault_arm(int64_t k, bool forever)
{
    atomic_store(&target, k);
    atomic_store(&persistent, forever);
    atomic_store(&seen, 0);
    atomic_store(&armed, true);
}

int64_t trib_fault_disarm(void)
{
    atomic_store(&armed, false);
    return atomic_load(&seen);
}
