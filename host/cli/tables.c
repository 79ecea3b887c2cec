/* SPDX-License-Identifier: Apache-2.0 */
#include "tables.h"

#include <stdio.h>

#include "options.h"

const char *cli_network_names(int i, const char **summary)
{
    const trib_network *network = trib_network_at(i);
    if (!network) return NULL;
    *summary = trib_network_summary(network);
    return trib_network_name(network);
}

const char *cli_init_rule_names(int i, const char **summary)
{
    const trib_init_rule *rule = trib_init_rule_at(i);
    if (!rule) return NULL;
    *summary = trib_init_rule_summary(rule);
    return trib_init_rule_name(rule);
}

const char *cli_lr_schedule_names(int i, const char **summary)
{
    const trib_lr_schedule *schedule = trib_lr_schedule_at(i);
    if (!schedule) return NULL;
    *summary = trib_lr_schedule_summary(schedule);
    return trib_lr_schedule_name(schedule);
}

const char *cli_sampling_names(int i, const char **summary)
{
    const trib_sampling *sampling = trib_sampling_at(i);
    *summary = NULL;
    return sampling ? sampling->name : NULL;
}

const char *cli_table_help(char *text, size_t size, const char *begin, const char *between, cli_table table)
{
    const char *name, *summary;
    size_t used = (size_t)snprintf(text, size, "%s", begin);
    for (int i = 0; (name = table(i, &summary)) != NULL && used < size; ++i)
        used += (size_t)snprintf(text + used, size - used, "%s%s (%s)", i ? between : ": ", name, summary);
    return text;
}

int cli_not_in_table(const cli_command *command, const char *option, const char *given, cli_table table)
{
    char known[256] = "";
    const char *name, *summary;
    size_t used = 0;
    for (int i = 0; (name = table(i, &summary)) != NULL && used < sizeof known; ++i)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", name);
    return cli_usage(command, "--%s does not take '%s'; it takes %s", option, given, known);
}
