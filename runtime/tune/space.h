/* SPDX-License-Identifier: Apache-2.0
 * The space of schedules of one fork: every way to cut its layers into stages. A schedule is a path from no layer to
 * all of them through sets of layers that begin their branches (down-sets); a step of it is a stage. Stages are far
 * fewer than schedules (a GoogLeNet module: 127 and 7,880), so each is measured once, and the best path follows (IOS,
 * Ding et al. 2021). */
#ifndef TRIBUTARY_RUNTIME_TUNE_SPACE_H
#define TRIBUTARY_RUNTIME_TUNE_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "tributary/status.h"

enum { TRIB_SPACE_LAYERS = 20, TRIB_SPACE_BRANCHES = 16, TRIB_SPACE_STAGES = 4096, TRIB_SPACE_TEXT = 512 };

/* From one set to another. */
typedef struct trib_space_step {
    int from, to, stage;
} trib_space_step;

typedef struct trib_space {
    int branches, layers, lengths[TRIB_SPACE_BRANCHES]; /* layers of each branch, in the order in which they run */
    int set_count, stage_count, step_count;
    uint32_t *sets;              /* one bit per layer, branch by branch; the lowest number is none, the highest all */
    uint32_t *stages;            /* distinct ones */
    trib_space_step *steps;      /* in the order of `from`: all that lead to a set come before those that leave it */
    double *to_here, *from_here; /* scratch: costs of the best paths */
    int *came;
} trib_space;

/* Stages of a path, the first first. */
typedef struct trib_path {
    int count, stages[TRIB_SPACE_LAYERS];
} trib_path;

/* TRIB_UNSUPPORTED if there are too many layers or stages. */
trib_status trib_space_create(const int *lengths, int branches, trib_space **out);
void trib_space_destroy(trib_space *space); /* NULL is fine */

/* The path of least cost, and that cost; `cost` is one per stage, INFINITY where unknown. INFINITY: there is none. */
double trib_space_best(const trib_space *space, const double *cost, trib_path *out);
/* near[stage]: it is on a path that costs at most (1 + slack) times the best. */
void trib_space_near(const trib_space *space, const double *cost, double slack, bool *near);
/* "1110-0112", or with barriers "1110/0112". */
void trib_space_text(const trib_space *space, const trib_path *path, bool barriers, char text[TRIB_SPACE_TEXT]);
/* Branches that run side by side in a stage. */
int trib_space_width(const trib_space *space, int stage);
/* The path of one layer after the other, and that of all at once. */
void trib_space_serial(const trib_space *space, trib_path *out);

#endif
