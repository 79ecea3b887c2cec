/* SPDX-License-Identifier: Apache-2.0
 * What profile writes beside text and JSON. */
#ifndef TRIBUTARY_CLI_PROFILE_FILES_H
#define TRIBUTARY_CLI_PROFILE_FILES_H

#include "profile_print.h"

/* The iteration in the middle of each schedule, all of its lanes, for Perfetto. */
trib_status cli_profile_write_trace(const cli_profile_results *results, const char *path);
/* All of it as a page. */
trib_status cli_profile_write_html(const cli_profile_heading *heading, const cli_profile_results *results,
                                   const cli_profile_texts *texts, const char *path);

#endif
