/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void cli_files_add(cli_file_list *list, const char *what, const char *path)
{
    if (list->count == CLI_MOST_FILES) return; /* more than any command has */
    list->what[list->count] = what;
    list->path[list->count++] = path;
}

void cli_files_add_models(cli_files *files, const cli_texts *arguments, int models)
{
    for (int i = 1; i < models; ++i) cli_files_add(&files->reads, "MODEL", arguments->items[i]);
}

/* "FILE|none": the word stands for no file. */
static bool is_word(const cli_option *option, const char *value)
{
    const char *bar = strchr(option->value, '|');
    return bar && strcmp(bar + 1, value) == 0;
}

static void add_option(cli_files *files, const cli_option *option, const void *target)
{
    bool in = option->kind == CLI_FILE_IN, out = option->kind == CLI_FILE_OUT;
    const char *value = in || out ? *(const char *const *)target : NULL;
    if (value && !is_word(option, value)) cli_files_add(in ? &files->reads : &files->writes, option->name, value);
}

static const char standard_output[] = "/dev/stdout", standard_error[] = "/dev/stderr";

cli_files cli_files_of(const cli_group *groups, const cli_settings *settings, const cli_texts *arguments)
{
    cli_files files = { .prints = true };
    if (settings && !settings->arch && arguments->count) cli_files_add(&files.reads, "MODEL", arguments->items[0]);
    cli_files_add(&files.writes, "standard output", standard_output);
    cli_files_add(&files.writes, "standard error", standard_error);
    for (int g = 0; groups[g].title; ++g)
        for (int i = 0; i < groups[g].count; ++i) {
            const cli_option *option = &groups[g].options[i];
            add_option(&files, option, (const char *)groups[g].target + option->offset);
        }
    return files;
}

static bool is_stream(const char *path) { return path == standard_output || path == standard_error; }

/* "--errors skipped.csv", "MODEL net.safetensors", "standard output" */
static const char *full_name(const cli_file_list *list, int i, char text[300])
{
    bool option = list->what[i][0] >= 'a' && list->what[i][0] <= 'z';
    if (is_stream(list->path[i])) return list->what[i];
    snprintf(text, 300, "%s%s %.200s", option ? "--" : "", list->what[i], list->path[i]);
    return text;
}

static trib_status check_read(const cli_files *files, int read, int written)
{
    char first[300], second[300];
    const char *input = full_name(&files->reads, read, first), *output = full_name(&files->writes, written, second);
    struct stat info;
    if (!trib_same_file(files->reads.path[read], files->writes.path[written])) return trib_success();
    if (is_stream(files->writes.path[written]) && stat(files->reads.path[read], &info) == 0 && info.st_size == 0)
        return TRIB_ERROR(
            TRIB_INVALID_ARGUMENT,
            "%s is the file that %s goes to, and the shell's '>' has emptied it; redirect to another file", input,
            output);
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s would be lost: %s is the same file; name another one to write", input,
                      output);
}

static trib_status check_written(const cli_files *files, int i, int j)
{
    char first[300], second[300];
    const cli_file_list *list = &files->writes;
    if (is_stream(list->path[i]) && is_stream(list->path[j])) return trib_success(); /* > log 2>&1 */
    if (!files->prints && list->path[i] == standard_output) return trib_success();
    if (!trib_same_file(list->path[i], list->path[j])) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s and %s are the same file; name another one", full_name(list, i, first),
                      full_name(list, j, second));
}

trib_status cli_files_check(const cli_files *files)
{
    for (int i = 0; i < files->writes.count; ++i) {
        for (int j = 0; j < files->reads.count; ++j) TRIB_TRY(check_read(files, j, i));
        for (int j = i + 1; j < files->writes.count; ++j) TRIB_TRY(check_written(files, i, j));
    }
    return trib_success();
}
