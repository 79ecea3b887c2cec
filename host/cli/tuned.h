/* SPDX-License-Identifier: Apache-2.0
 * --schedule auto: what `tributary tune` found, and where it is kept. */
#ifndef TRIBUTARY_CLI_TUNED_H
#define TRIBUTARY_CLI_TUNED_H

#include <stdio.h>

#include "settings.h"

/* The file of the device's schedules, beside the choice cache; NULL if there is none. With `create`, its folder is
 * made. Release *out with trib_free. */
trib_status cli_tuned_path(const cli_settings *settings, const trib_device *device, bool create, char **out);

/* With --schedule auto, what is stored for these options; without it, or if nothing is, *out is NULL, and the latter is
 * said. `plan->batch`: the most images of a run. */
trib_status cli_find_tuned(const cli_settings *settings, trib_device *device, const trib_graph *graph,
                           const trib_plan_options *plan, trib_launch launch, trib_tuned **out);

/* The schedule of each module or of the network that was tried, its ratio, interval and what became of it. */
void cli_print_tuned(const trib_tuned *tuned, FILE *out);

#endif
