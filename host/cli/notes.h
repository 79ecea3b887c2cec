/* SPDX-License-Identifier: Apache-2.0
 * Notes of a source, on standard error. */
#ifndef TRIBUTARY_CLI_NOTES_H
#define TRIBUTARY_CLI_NOTES_H

#include "cli.h"

/* On class folders: before the run. */
void cli_print_notes(const trib_source *source);
/* "passed over: 3 .gif, 2 hidden", if any were: after the run, when no loader is reading. */
void cli_print_passed_over(const trib_source *source);

#endif
