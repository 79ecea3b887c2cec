/* SPDX-License-Identifier: Apache-2.0
 * A profile as JSON: everything that is printed and more, with units in the names. Sums of the trace are exact. */
#ifndef TRIBUTARY_CLI_PROFILE_JSON_H
#define TRIBUTARY_CLI_PROFILE_JSON_H

#include "profile_print.h"
#include "text.h"

/* Appends the text; `out` says whether memory sufficed. */
void cli_profile_json(const cli_profile_heading *heading, const cli_profile_results *results,
                      const cli_profile_texts *texts, cli_buffer *out);

#endif
