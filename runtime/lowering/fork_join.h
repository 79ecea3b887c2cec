/* SPDX-License-Identifier: Apache-2.0
 * Record/wait pairs: the only place that makes work on one stream follow work on another. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_FORK_JOIN_H
#define TRIBUTARY_RUNTIME_LOWERING_FORK_JOIN_H

#include "lowering/stages.h"
#include "lowering/weight_gradients.h"

/* Ops have streams. Adds the events that make every op follow earlier ones whose results it reads, or that read or
 * wrote memory it overwrites (an op may update its input in place), those that keep `lag` and `barriers`, and no
 * redundant ones; begins with the first op, and ends with everything joined on stream 0. */
trib_status trib_connect_streams(trib_lowering *lowering, const trib_lag *lag, const trib_barriers *barriers);

/* Whether an op reads the earlier one's output or, if both run, overwrites memory that the earlier one read or wrote. A
 * join runs nothing: it reads its slices in order to follow all their writers, and readers of the joined output follow
 * the join. */
bool trib_must_follow(const trib_plan *plan, const trib_plan_op *op, const trib_plan_op *earlier);

#endif
