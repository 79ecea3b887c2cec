/* SPDX-License-Identifier: Apache-2.0
 * Options for truth that does not say everything itself, of all commands that read it. */
#ifndef TRIBUTARY_CLI_TRUTH_OPTIONS_H
#define TRIBUTARY_CLI_TRUTH_OPTIONS_H

#include "detect/truth_file.h"
#include "options.h"

cli_group cli_truth_group(trib_truth_options *options);
/* The name of the first of them that was given, or NULL. */
const char *cli_truth_option_given(const trib_truth_options *options);

#endif
