/* SPDX-License-Identifier: Apache-2.0
 * Record/wait pairs: the only place that knows how work on one stream is made to follow work on another. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_FORK_JOIN_H
#define TRIBUTARY_RUNTIME_LOWERING_FORK_JOIN_H

#include "lowering/lowering.h"

/* Ops have streams. Adds the events that make every op follow the ops whose results it reads, and none that follows
 * from others already; ends with everything joined on stream 0. */
trib_status trib_connect_streams(trib_lowering *lowering);

#endif
