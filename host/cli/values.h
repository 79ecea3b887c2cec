/* SPDX-License-Identifier: Apache-2.0
 * Values of options: converts and checks their text. */
#ifndef TRIBUTARY_CLI_VALUES_H
#define TRIBUTARY_CLI_VALUES_H

#include "options.h"

typedef enum cli_value_result { CLI_VALUE_GOOD, CLI_VALUE_BAD, CLI_VALUE_NO_MEMORY } cli_value_result;

/* On CLI_VALUE_BAD, `expected` describes the allowed values. */
cli_value_result cli_read_value(const cli_option *option, const char *text, void *target, char *expected, size_t size);

/* "fused,inception_3a=serial": a schedule for all forks, schedules for some of them, or both. Added to what `out`
 * holds; the last that names a fork counts. */
cli_value_result cli_read_schedules(const char *text, cli_schedules *out);
void cli_schedules_release(cli_schedules *schedules);
/* "serial,fused,inception_3a=serial": a word without '=' begins another element, to which the words up to the next such
 * belong; a list that begins with a fork adds to the last element. */
cli_value_result cli_read_schedule_list(const char *text, cli_schedule_list *out);
void cli_schedule_list_release(cli_schedule_list *list);

/* False if out of memory. */
bool cli_texts_add(cli_texts *texts, const char *text, size_t length);
void cli_texts_release(cli_texts *texts);
void cli_ints_release(cli_ints *ints);

#endif
