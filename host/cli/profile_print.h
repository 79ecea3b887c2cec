/* SPDX-License-Identifier: Apache-2.0
 * A profile as tables for people, 100 columns wide. */
#ifndef TRIBUTARY_CLI_PROFILE_PRINT_H
#define TRIBUTARY_CLI_PROFILE_PRINT_H

#include <stdio.h>

#include "profile_texts.h"

typedef struct cli_profile_heading {
    const char *model;
    const trib_device_info *device;
    const cli_settings *settings;
    int batch;
    bool train;
} cli_profile_heading;

void cli_profile_print(const cli_profile_heading *heading, const cli_profile_results *results,
                       const cli_profile_texts *texts, FILE *out);
/* Streams, critical path and idle time of a module; window -1: of all. */
void cli_profile_print_details(const cli_profile_results *results, int window, FILE *out);

#endif
