/* SPDX-License-Identifier: Apache-2.0
 * The stages of a fork, as trib_fork_schedule.stages has them. */
#ifndef TRIBUTARY_RUNTIME_PLAN_STAGES_H
#define TRIBUTARY_RUNTIME_PLAN_STAGES_H

#include <stdbool.h>
#include <stddef.h>

enum { TRIB_MAX_STAGES = 48, TRIB_MAX_STAGED_BRANCHES = 16, TRIB_MAX_STAGED_LAYERS = 48 };

/* How the layers of a fork's branches run, forward or backward. */
typedef struct trib_stages {
    int branches, count;
    bool barrier[TRIB_MAX_STAGES];                               /* before the stage; not before the first */
    int layers[TRIB_MAX_STAGES][TRIB_MAX_STAGED_BRANCHES];       /* of the branch in the stage */
    signed char slot[TRIB_MAX_STAGES][TRIB_MAX_STAGED_BRANCHES]; /* its stream: 0 is the fork's own */
    int slots;                                                   /* streams in all */
} trib_stages;

/* Where a layer is. */
typedef struct trib_stage_place {
    int stage, slot;
    int width; /* branches that run side by side */
    int level; /* barriers before it */
} trib_stage_place;

/* False if the text does not describe stages, or more than fit. */
bool trib_stages_read(const char *text, bool backward, trib_stages *out);
/* Layers of a branch, all stages together. */
int trib_stages_layers(const trib_stages *stages, int branch);
/* `layer`: number in the branch, in the order in which they run. */
trib_stage_place trib_stages_find(const trib_stages *stages, int branch, int layer);
/* "1110-0112". Like snprintf: returns the length of the whole, which may not fit. */
size_t trib_stages_text(const trib_stages *stages, char *text, size_t size);

#endif
