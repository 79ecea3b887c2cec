/* SPDX-License-Identifier: Apache-2.0
 * Runs a network with each schedule in turn, times every op, and turns the times into numbers. */
#ifndef TRIBUTARY_CLI_PROFILE_MEASURE_H
#define TRIBUTARY_CLI_PROFILE_MEASURE_H

#include "profile/profile.h"
#include "profile_cell.h"
#include "profile_limits.h"
#include "profile_stats.h"

typedef struct cli_profile_request {
    const cli_settings *settings; /* `schedule` is ignored */
    trib_device *device;
    trib_model *model;
    const cli_schedules *schedules; /* the first is serial, to which the others are compared */
    int schedule_count;
    bool leave_out_equals; /* leaves out the last schedule if its ops are those of the one before */
    int batch, iterations, warmup;
    bool train;
    double aux_weight;
} cli_profile_request;

/* One schedule. Runs of the plan are in the order of iterations, and of chunks in each. */
typedef struct cli_profiled {
    char name[CLI_SCHEDULE_TEXT];
    cli_settings settings;
    cli_cell cell;
    cli_cell sequence; /* the same ops, one after another; not opened if serial's are the same */
    bool has_sequence;
    trib_profile_graph graph;
    int64_t *alone; /* of each op, in ns */
    trib_profile *runs;
    trib_profile_medians medians;
    trib_profile_device *batches; /* of each iteration: all its chunks and lanes together */
    double *seconds;              /* of each iteration, as cli_cell_run has them */
    cli_interval wall;            /* of batches, in ns */
    cli_interval gain;            /* serial's wall over this one's, of batches in pairs */
    cli_interval *window_gains;   /* the same for each window, of chunks in pairs */
} cli_profiled;

typedef struct cli_profile_results {
    int schedule_count;
    cli_profiled *schedules;
    cli_limits limits;
    double load;             /* of the machine by all programs, before anything ran: threads that want a core */
    int chunks, lanes;       /* per batch; lanes that compute them */
    int sharing;             /* lanes that share the device's rates: those of a cpu all compute at the same time */
    int iterations, dropped; /* that count; left out, since times were lost */
    trib_status loss;        /* why the first of those was */
    bool automatic, tuned;   /* --schedule auto is among the schedules; there is something stored for it */
    bool tuned_lanes;        /* and all schedules have the lanes, threads and chunks of that */
    bool other_lanes;        /* ... but those that were asked for */
    char left_out[CLI_SCHEDULE_TEXT]; /* a schedule whose ops are those of the one before; "" */
    int paired;                       /* the schedule that also ran without being timed */
    bool untimed_before;              /* that was before all others; else in between */
    cli_cell untimed;
    double *untimed_seconds;
    double *row_seconds; /* with untimed_before and without training: per batch of some in a row, on the device alone */
    cli_interval row_wall; /* of these, in ns; 0 where there are none */
    cli_interval overhead; /* cli_cell_run's seconds with over those without timeline, in pairs */
} cli_profile_results;

/* Release the results also after a failure. Times that contradict the plan are a failure. */
trib_status cli_profile_measure(const cli_profile_request *request, cli_profile_results *out);
void cli_profile_results_release(cli_profile_results *results);

/* The names of window `w`; of a network without modules, which has one window, those of trunk. */
const trib_profile_part *cli_profiled_part(const cli_profiled *schedule, int w);
/* The run to show: the one in the middle. */
const trib_profile *cli_profiled_trace(const cli_profiled *schedule);
/* The times that one of the schedule's runs was made from. */
trib_timeline_run cli_profiled_times_of(const cli_profiled *schedule, const trib_profile *run);

#endif
