/* SPDX-License-Identifier: Apache-2.0
 * What a source has to say, on standard error. */
#ifndef TRIBUTARY_CLI_NOTES_H
#define TRIBUTARY_CLI_NOTES_H

#include "cli.h"

/* About the class folders: before the run. */
void cli_print_notes(const trib_source *source);
/* "passed over: 3 .gif, 2 hidden", when anything was: after it, when no loader reads. */
void cli_print_passed_over(const trib_source *source);

#endif
