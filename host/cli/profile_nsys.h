/* SPDX-License-Identifier: Apache-2.0
 * What a report of Nsight Systems says about streams, our networks, and NVTX ranges. */
#ifndef TRIBUTARY_CLI_PROFILE_NSYS_H
#define TRIBUTARY_CLI_PROFILE_NSYS_H

#include "cli.h"

/* Prints the report in file `path`. `range`: of NVTX ranges only those of this name; NULL: those with most work.
 * Catches signals. */
trib_status cli_profile_nsys(const char *path, const char *range);

#endif
