/* SPDX-License-Identifier: Apache-2.0
 * The search of tune.h, on whatever measures: tests give it costs and noise of their own. */
#ifndef TRIBUTARY_RUNTIME_TUNE_SEARCH_H
#define TRIBUTARY_RUNTIME_TUNE_SEARCH_H

#include "tributary/tune.h"
#include "tune/way.h"

/* The part of a run from the beginning of a fork on the trunk to its join, forward or backward. A fork with too many
 * stages to search has none. */
typedef struct trib_tune_window {
    int fork;
    bool backward;
    trib_space *space;
} trib_tune_window;

/* Of one run, in seconds. */
typedef struct trib_tune_times {
    double network;
    double *windows;                     /* one each; NAN: not known */
    double (*stages)[TRIB_SPACE_LAYERS]; /* of each window that has stages */
} trib_tune_times;

typedef struct trib_tune_measurer {
    /* Makes *runner for `way`. With `timed`, its runs tell the times of windows and stages. */
    trib_status (*open)(void *context, const trib_way *way, bool timed, void **runner);
    trib_status (*run)(void *context, void *runner, trib_tune_times *times);
    void (*close)(void *context, void *runner);
    double (*now)(void *context); /* seconds */
    void *context;
} trib_tune_measurer;

typedef struct trib_search {
    const trib_tune_measurer *measurer;
    int fork_count;
    const char *const *forks; /* names */
    const int *parents;       /* of each fork, or -1 */
    int window_count;
    const trib_tune_window *windows;
    int setting_count;
    const trib_tune_setting *settings; /* the first is the session's own */
    trib_tune_options how;
} trib_search;

/* Fills in all of `out` but its key; zero before. Destroy it also after a failure. */
trib_status trib_search_run(const trib_search *search, trib_tuned *out);

#endif
