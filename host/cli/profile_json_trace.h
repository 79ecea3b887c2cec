/* SPDX-License-Identifier: Apache-2.0
 * One run as JSON: when each op ran, and the sums, which are exact. */
#ifndef TRIBUTARY_CLI_PROFILE_JSON_TRACE_H
#define TRIBUTARY_CLI_PROFILE_JSON_TRACE_H

#include <cjson/cJSON.h>

#include "profile_measure.h"

/* Times are in ns since the begin of the run. */
cJSON *cli_profile_trace_json(const cli_profile_results *results, const cli_profiled *schedule);
/* "idle_ns": { "dependency": ... } */
void cli_json_add_idle(cJSON *json, const int64_t idle[TRIB_IDLE_CAUSE_COUNT]);
/* "at_least_ns": { "critical_path": ... }, "limited_by": ... */
void cli_json_add_bounds(cJSON *json, const trib_profile_bounds *bounds, trib_bound_term binding);

#endif
