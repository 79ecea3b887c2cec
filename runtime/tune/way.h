/* SPDX-License-Identifier: Apache-2.0
 * A way to run a network: a schedule per fork, and lanes. */
#ifndef TRIBUTARY_RUNTIME_TUNE_WAY_H
#define TRIBUTARY_RUNTIME_TUNE_WAY_H

#include "tributary/plan.h"
#include "tune/space.h"

enum { TRIB_WAY_WORD = 2 * TRIB_SPACE_TEXT };

/* Of a session: parts of a batch side by side. */
typedef struct trib_tune_setting {
    int lanes, chunk, threads; /* 0: automatic */
    bool staged;               /* branches can run side by side: a lane has several threads, or it is no cpu */
    char name[64];             /* "1 lane of 2 threads, 8 images per chunk" */
} trib_tune_setting;

typedef struct trib_way {
    trib_schedule all;
    trib_tune_setting setting;
    int fork_count;
    char (*words)[TRIB_WAY_WORD]; /* of each fork: "serial", "1110-0112:0112-1110", or "": as all */
} trib_way;

trib_status trib_way_create(int fork_count, trib_way *out);
trib_status trib_way_copy(const trib_way *from, trib_way *out);
void trib_way_release(trib_way *way);

#endif
