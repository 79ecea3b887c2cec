/* SPDX-License-Identifier: Apache-2.0
 * --schedule: one for all forks, and others for some. */
#include <stdio.h>
#include <string.h>

#include "settings.h"
#include "tributary/internal/alloc.h"
#include "values.h"

static cli_value_result add_fork(cli_schedules *out, const char *name, size_t length, const char *word)
{
    trib_fork_schedule *grown = trib_realloc_array(out->forks, (size_t)out->names.count + 1, sizeof *grown);
    if (!grown) return CLI_VALUE_NO_MEMORY;
    out->forks = grown;
    if (!cli_texts_add(&out->words, word, strlen(word))) return CLI_VALUE_NO_MEMORY;
    if (!cli_texts_add(&out->names, name, length)) return CLI_VALUE_NO_MEMORY;
    int last = out->names.count - 1;
    trib_fork_schedule one = { .fork = out->names.items[last] };
    bool good = trib_fork_schedule_read(out->words.items[out->words.count - 1], &one.schedule, &one.stages);
    grown[last] = one;
    return good ? CLI_VALUE_GOOD : CLI_VALUE_BAD;
}

/* "fused", only at the beginning, or "inception_3a=fused", "inception_3a=1110-0112". */
static cli_value_result read_part(const char *text, size_t length, bool first, cli_schedules *out)
{
    char word[256];
    const char *equals = memchr(text, '=', length);
    size_t name = equals ? (size_t)(equals - text) : 0, begin = equals ? name + 1 : 0;
    if (length - begin >= sizeof word || (equals ? name == 0 : !first)) return CLI_VALUE_BAD;
    memcpy(word, text + begin, length - begin);
    word[length - begin] = '\0';
    if (equals) return out->automatic ? CLI_VALUE_BAD : add_fork(out, text, name, word);
    out->automatic = strcmp(word, "auto") == 0;
    int schedule = out->automatic ? TRIB_SERIAL : trib_schedule_find(word);
    if (schedule < 0) return CLI_VALUE_BAD;
    out->all = schedule;
    return CLI_VALUE_GOOD;
}

cli_value_result cli_read_schedules(const char *text, cli_schedules *out)
{
    for (bool first = true;; first = false) {
        size_t length = strcspn(text, ",");
        cli_value_result result = read_part(text, length, first, out);
        if (result != CLI_VALUE_GOOD || !text[length]) return result;
        text += length + 1;
    }
}

void cli_schedules_release(cli_schedules *schedules)
{
    trib_free(schedules->forks);
    cli_texts_release(&schedules->names);
    cli_texts_release(&schedules->words);
    *schedules = (cli_schedules) { 0 };
}

/* The element that a part belongs to; NULL: no memory. */
static cli_schedules *element_for(cli_schedule_list *list, bool begins)
{
    if (!begins && list->count) return &list->items[list->count - 1];
    cli_schedules *grown = trib_realloc_array(list->items, (size_t)list->count + 1, sizeof *grown);
    if (!grown) return NULL;
    list->items = grown;
    grown[list->count] = (cli_schedules) { 0 };
    return &grown[list->count++];
}

cli_value_result cli_read_schedule_list(const char *text, cli_schedule_list *out)
{
    for (;;) {
        size_t length = strcspn(text, ",");
        bool begins = memchr(text, '=', length) == NULL;
        cli_schedules *element = element_for(out, begins);
        cli_value_result result = element ? read_part(text, length, begins, element) : CLI_VALUE_NO_MEMORY;
        if (result != CLI_VALUE_GOOD || !text[length]) return result;
        text += length + 1;
    }
}

void cli_schedule_list_release(cli_schedule_list *list)
{
    for (int i = 0; i < list->count; ++i) cli_schedules_release(&list->items[i]);
    trib_free(list->items);
    *list = (cli_schedule_list) { 0 };
}

const char *cli_schedule_text(const cli_schedules *schedules, char text[CLI_SCHEDULE_TEXT])
{
    const char *all = schedules->automatic ? "auto" : trib_schedule_name((trib_schedule)schedules->all);
    size_t used = (size_t)snprintf(text, CLI_SCHEDULE_TEXT, "%s", all);
    for (int i = 0; i < schedules->names.count && used < CLI_SCHEDULE_TEXT; ++i)
        used += (size_t)snprintf(text + used, CLI_SCHEDULE_TEXT - used, ",%s=%s", schedules->forks[i].fork,
                                 schedules->words.items[i]);
    return text;
}
