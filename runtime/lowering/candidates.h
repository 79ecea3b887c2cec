/* SPDX-License-Identifier: Apache-2.0
 * The device's candidates for an op, and the choice among them. */
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
    int best, fastest; /* index of the chosen candidate */
    trib_measurement measured[TRIB_MAX_CANDIDATES];
    const char *how; /* "ranked", "remembered", "measured" */
} trib_decision;

trib_status trib_ask_candidates(const trib_lowering *lowering, const trib_op_desc *desc, trib_candidates *out);
/* Takes the best for `op`: ranks, remembers or measures; sets its implementation, reason and workspace. There is at
 * least one. */
trib_status trib_take_candidate(trib_lowering *lowering, trib_plan_op *op, const trib_candidates *candidates);

/* The decision in words: its method, the chosen candidate with its note, and the others. NULL if out of memory. */
const char *trib_decision_text(trib_strings *strings, const trib_candidates *candidates, const trib_decision *decision);

#endif
