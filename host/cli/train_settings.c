/* SPDX-License-Identifier: Apache-2.0
 * All options with their values, as args.json has them. */
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "train_options.h"
#include "tributary/internal/alloc.h"
#include "values.h"

/* A copy of `text` that lives as long as the settings; NULL when out of memory. */
static const char *keep(cli_train_settings *s, const char *text)
{
    return cli_texts_add(&s->texts, text, strlen(text)) ? s->texts.items[s->texts.count - 1] : NULL;
}

static const char *join(cli_train_settings *s, const cli_texts *texts)
{
    cli_buffer buffer = { 0 };
    cli_append(&buffer, "", 0);
    for (int i = 0; i < texts->count; ++i) {
        if (i) cli_append(&buffer, ",", 1);
        cli_append(&buffer, texts->items[i], strlen(texts->items[i]));
    }
    const char *text = buffer.failed ? NULL : keep(s, buffer.size ? buffer.data : "");
    cli_buffer_release(&buffer);
    return text;
}

static const char *choice(cli_train_settings *s, const char *words, int index)
{
    char word[64] = "";
    for (; index > 0 && strchr(words, '|'); --index) words = strchr(words, '|') + 1;
    if (index == 0) snprintf(word, sizeof word, "%.*s", (int)strcspn(words, "|"), words);
    return keep(s, word);
}

static const char *triple(cli_train_settings *s, const cli_triple *values)
{
    char text[64] = "";
    if (values->given)
        snprintf(text, sizeof text, "%.9g,%.9g,%.9g", (double)values->values[0], (double)values->values[1],
                 (double)values->values[2]);
    return keep(s, text);
}

/* The value as a text, or as a number; a text that is NULL: out of memory. */
static bool value_of(cli_train_settings *s, const cli_option *o, const void *target, trib_run_setting *out)
{
    char schedule[CLI_SCHEDULE_TEXT];
    const char *text = NULL;
    switch (o->kind) {
    case CLI_FLAG: text = *(const bool *)target ? "yes" : "no"; break;
    case CLI_INT: out->number = *(const int *)target; return true;
    case CLI_REAL:
    case CLI_AMOUNT: out->number = *(const double *)target; return true;
    case CLI_BYTES:
    case CLI_COUNT: out->number = (double)*(const int64_t *)target; return true;
    case CLI_TEXT:
    case CLI_FILE_IN:
    case CLI_FILE_OUT: text = *(const char *const *)target ? *(const char *const *)target : ""; break;
    case CLI_TEXTS: text = join(s, target); break;
    case CLI_INTS:
    case CLI_CHOICES:
    case CLI_SCHEDULE_LIST: text = ""; break; /* no option of training */
    case CLI_TRIPLE: text = triple(s, target); break;
    case CLI_CHOICE: text = choice(s, o->value, *(const int *)target); break;
    case CLI_SCHEDULES: text = keep(s, cli_schedule_text(target, schedule)); break;
    }
    out->text = text;
    return text != NULL;
}

trib_status cli_train_settings_of(const cli_group *groups, cli_train_settings *out)
{
    int count = 0;
    for (int g = 0; groups[g].title; ++g) count += groups[g].count;
    *out = (cli_train_settings) { .items = trib_alloc_zeroed((size_t)count, sizeof *out->items) };
    if (!out->items) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d settings", count);
    for (int g = 0; groups[g].title; ++g)
        for (int i = 0; i < groups[g].count; ++i) {
            const cli_option *option = &groups[g].options[i];
            trib_run_setting *setting = &out->items[out->count++];
            setting->name = option->name;
            if (!value_of(out, option, (const char *)groups[g].target + option->offset, setting))
                return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the settings");
        }
    return trib_success();
}

void cli_train_settings_release(cli_train_settings *settings)
{
    trib_free(settings->items);
    cli_texts_release(&settings->texts);
    *settings = (cli_train_settings) { 0 };
}
