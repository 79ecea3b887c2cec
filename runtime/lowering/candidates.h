/* SPDX-License-Identifier: Apache-2.0
 * What a device offers for one op, and which of it is taken. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_CANDIDATES_H
#define TRIBUTARY_RUNTIME_LOWERING_CANDIDATES_H

#include "lowering/lowering.h"
#include "lowering/measure.h"

enum { TRIB_MAX_CANDIDATES = 16 };

typedef struct trib_candidates {
    trib_implementation list[TRIB_MAX_CANDIDATES]; /* best first, as the device ranks them */
    int count;
    char reason[TRIB_MESSAGE_SIZE]; /* why there are none */
} trib_candidates;

typedef struct trib_decision {
    int best, fastest; /* of the candidates */
    trib_measurement measured[TRIB_MAX_CANDIDATES];
    const char *how; /* "ranked", "remembered", "measured" */
} trib_decision;

trib_status trib_ask_candidates(const trib_lowering *lowering, const trib_op_desc *desc, trib_candidates *out);
/* Takes the best for `op`: ranks, remembers or measures; sets its implementation, reason and workspace. There is at
 * least one. */
trib_status trib_take_candidate(trib_lowering *lowering, trib_plan_op *op, const trib_candidates *candidates);

/* The decision in words: how it came about, the candidate taken with its note, and what else there was. NULL when out
 * of memory. */
const char *trib_decision_text(trib_strings *strings, const trib_candidates *candidates, const trib_decision *decision);

#endif
