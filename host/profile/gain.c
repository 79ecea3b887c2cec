/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "profile/profile.h"

static double ratio(int64_t of, int64_t to) { return of > 0 && to > 0 ? (double)of / (double)to : NAN; }

trib_profile_gain trib_profile_gain_of(const trib_profile_window *w)
{
    return (trib_profile_gain) {
        .gain = ratio(w->serial, w->wall),
        .serial_gaps = ratio(w->serial, w->alone),
        .stretch = ratio(w->alone, w->sum),
        .concurrency = ratio(w->sum, w->any),
        .device_busy = ratio(w->any, w->wall),
        .bound = ratio(w->serial, w->bounds.best),
        .overlap = w->any > 0 ? (double)w->overlap / (double)w->any : NAN,
        .branch_bound = ratio(w->branch_work, w->branch_largest),
    };
}
