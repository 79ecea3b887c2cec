/* SPDX-License-Identifier: Apache-2.0
 * A source is its inputs, one after another: the kind of each, and what all of them share. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file.h"
#include "data/input.h"
#include "data/outputs.h"
#include "data/recognise.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"
#include "tributary/internal/process.h"

struct trib_source {
    trib_input **inputs;
    size_t count, capacity, current;
    trib_input **folders; /* the inputs that are folders, not owned */
    size_t folder_count, folder_capacity;
    trib_input_context context;
    trib_passed_list passed_over;
    trib_names notes;
    const char *labels_path; /* only while opening */
    trib_outputs outputs;    /* files that must not be read */
    int idx_count;           /* inputs that are IDX files, or pipes that may be */
    int class_count;         /* 0: unknown */
    trib_names class_names;
    int wake[2]; /* a pipe with a byte in it while waiting reads shall end */
    int64_t next_index;
    trib_item returned;  /* comes next; without a name, there is none */
    uint64_t process;    /* process that opened it */
    trib_status failure; /* of an earlier trib_source_next: nothing more can be read */
};

/* ---- opening ---- */

static trib_status add(trib_source *source, trib_input *input)
{
    if (trib_grow((void **)&source->inputs, &source->capacity, source->count + 1, sizeof *source->inputs)) {
        input->kind->close(input);
        return trib_no_memory("inputs");
    }
    source->inputs[source->count++] = input;
    return trib_success();
}

/* Before the first row replaces an output's content, a list that can be read twice is searched for it; ignored names
 * are counted only when the list is really read. In a pipe, an item that is an output is refused at its turn. */
static trib_status check_listed(trib_source *source, const char *path)
{
    struct stat info;
    if (!trib_outputs_held(&source->outputs) || strcmp(path, "-") == 0 || stat(path, &info) != 0 ||
        !S_ISREG(info.st_mode))
        return trib_success();
    trib_input *list = NULL;
    trib_item item = { .label = TRIB_NO_LABEL };
    trib_passed_list not_counted = { .count = 0 };
    trib_input_context context = source->context;
    context.passed_over = &not_counted;
    TRIB_TRY(trib_list_input_open(&context, path, &list));
    trib_status s = trib_success();
    for (bool end = false; !end && !trib_failed(&s);) {
        s = list->kind->next(list, &item, &end);
        if (!trib_failed(&s) && !end && item.path) s = trib_outputs_check(&source->outputs, item.path);
        trib_item_release(&item);
    }
    list->kind->close(list);
    return s;
}

static trib_status add_list(trib_source *source, const char *path)
{
    if (!*path) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "'@': name the list, as in @list.txt");
    trib_input *input = NULL;
    TRIB_TRY(trib_outputs_check(&source->outputs, strcmp(path, "-") == 0 ? "/dev/stdin" : path));
    TRIB_TRY(check_listed(source, path));
    TRIB_TRY(trib_list_input_open(&source->context, path, &input));
    return add(source, input);
}

static trib_status add_folder(trib_source *source, const char *path)
{
    if (trib_grow((void **)&source->folders, &source->folder_capacity, source->folder_count + 1,
                  sizeof *source->folders))
        return trib_no_memory("inputs");
    trib_input *input = NULL;
    TRIB_TRY(trib_folder_input_open(&source->context, path, &input));
    TRIB_TRY(add(source, input));
    source->folders[source->folder_count++] = input;
    return trib_success();
}

static trib_status add_file(trib_source *source, const char *path)
{
    trib_content content = TRIB_CONTENT_IMAGE;
    TRIB_TRY(trib_outputs_check(&source->outputs, path));
    TRIB_TRY(trib_recognise(path, NULL, &content));
    trib_input *input = NULL;
    switch (content) {
    case TRIB_CONTENT_TAR: TRIB_TRY(trib_tar_input_open(&source->context, path, NULL, &input)); break;
    case TRIB_CONTENT_IDX:
        TRIB_TRY(trib_idx_input_open(&source->context, path, NULL, source->labels_path, &input));
        ++source->idx_count;
        break;
    case TRIB_CONTENT_IMAGE: TRIB_TRY(trib_file_input_open(path, &input)); break;
    }
    return add(source, input);
}

static trib_status add_pipe(trib_source *source, const char *path)
{
    trib_input *input = NULL;
    TRIB_TRY(trib_pipe_input_open(&source->context, path, source->labels_path, &input));
    ++source->idx_count;
    return add(source, input);
}

/* Follows links. A dangling link is an image that cannot be read, like others in a folder. */
static trib_status add_path(trib_source *source, const char *path)
{
    struct stat info;
    bool there = stat(path, &info) == 0;
    if (there && S_ISDIR(info.st_mode)) return add_folder(source, path);
    if (there && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode))) return add_pipe(source, path);
    return add_file(source, path);
}

static trib_status add_shards(trib_source *source, const char *pattern)
{
    trib_names names = { 0 };
    TRIB_TRY(trib_expand_ranges(pattern, &names));
    trib_status s = trib_success();
    for (size_t i = 0; i < names.count && !trib_failed(&s); ++i) s = add_path(source, names.items[i]);
    trib_names_free(&names);
    return s;
}

/* A shell expands "photos/" and a star to all names in the folder. So only the last part of a path counts. */
static const char *unwanted_input(const char *path)
{
    size_t n = strlen(path);
    while (n && path[n - 1] == '/') --n;
    while (n && path[n - 1] != '/') --n;
    return trib_unwanted_in_list(path + n);
}

static trib_status add_input(trib_source *source, const char *path)
{
    if (strcmp(path, "-") == 0) return add_list(source, path);
    if (*path == '@') return add_list(source, path + 1);
    struct stat info;
    int missing = trib_fault("stat") ? (errno = EIO, -1) : lstat(path, &info);
    if (missing && errno == ENOENT && trib_has_tar_name(path) && strchr(path, '{')) return add_shards(source, path);
    if (missing) return TRIB_FILE_ERROR("lstat", "find it", *path ? path : "''", errno);
    const char *unwanted = unwanted_input(path);
    if (!unwanted) return add_path(source, path);
    trib_pass_over(&source->passed_over, unwanted);
    return trib_success();
}

static trib_status check_arguments(const char *const *inputs, int count, const trib_source_options *options)
{
    if (!inputs || count < 1) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "no inputs: name images, folders or @lists");
    for (int i = 0; i < count; ++i) {
        if (!inputs[i]) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "input %d of %d is NULL", i, count);
    }
    if (options->class_count < 0 || (options->class_names && options->class_count == 0))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "class names with a count of %d", options->class_count);
    return trib_success();
}

static trib_status check_inputs_left(const trib_source *source, const char *first)
{
    if (source->count) return trib_success();
    return TRIB_ERROR(TRIB_NOT_FOUND, "%s: ignored, because it has the name of a system file; there is no other input",
                      trib_shorten(first).text);
}

static trib_status check_labels_path(const trib_source *source)
{
    if (!source->labels_path || source->idx_count == 1) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                      "%s: a file of labels belongs to one IDX file of images, but there are %d among the inputs",
                      trib_shorten(source->labels_path).text, source->idx_count);
}

/* Comes first: later, a file opened here could get the number of a closed descriptor. */
static trib_status check_descriptors(const char *const *inputs, int count)
{
    for (int i = 0; i < count; ++i) {
        const char *path = inputs[i] + (*inputs[i] == '@');
        bool standard_input = strcmp(path, "-") == 0;
        int fd = standard_input ? STDIN_FILENO : trib_descriptor_of(path);
        if (fd >= 0) TRIB_TRY(trib_check_readable(fd, standard_input ? "standard input" : path));
    }
    return trib_success();
}

static trib_status make_wake_pipe(trib_source *source)
{
    if (trib_fault("pipe") ? (errno = EMFILE, -1) : pipe(source->wake)) {
        source->wake[0] = source->wake[1] = -1;
        return TRIB_FILE_ERROR("pipe", "prepare reading", "inputs", errno);
    }
    for (int i = 0; i < 2; ++i) {
        source->wake[i] = trib_above_standard(source->wake[i]);
        if (source->wake[i] < 0) return TRIB_FILE_ERROR("fcntl", "prepare reading", "inputs", errno);
        fcntl(source->wake[i], F_SETFD, FD_CLOEXEC);
        fcntl(source->wake[i], F_SETFL, O_NONBLOCK);
    }
    source->context.wake_fd = source->wake[0];
    return trib_success();
}

trib_status trib_source_open(const char *const *inputs, int count, const trib_source_options *options,
                             trib_source **out)
{
    static const trib_source_options no_options = { 0 };
    if (!options) options = &no_options;
    TRIB_TRY(check_arguments(inputs, count, options));
    TRIB_TRY(check_descriptors(inputs, count));
    if (options->labels_path) TRIB_TRY(check_descriptors(&options->labels_path, 1));
    trib_source *source = trib_alloc_zeroed(1, sizeof *source);
    if (!source) return trib_no_memory("inputs");
    source->process = trib_process();
    source->wake[0] = source->wake[1] = -1;
    source->context = (trib_input_context) { .need_labels = options->need_labels,
                                             .wake_fd = -1,
                                             .passed_over = &source->passed_over,
                                             .outputs = &source->outputs };
    source->labels_path = options->labels_path;
    source->class_count = options->class_count;
    trib_status s = trib_success();
    TRIB_TRY_GOTO(s, failed, make_wake_pipe(source));
    TRIB_TRY_GOTO(s, failed, trib_outputs_copy(options->outputs, options->output_count, &source->outputs));
    for (int i = 0; i < count; ++i) TRIB_TRY_GOTO(s, failed, add_input(source, inputs[i]));
    TRIB_TRY_GOTO(s, failed, check_inputs_left(source, inputs[0]));
    TRIB_TRY_GOTO(s, failed, check_labels_path(source));
    source->labels_path = NULL;
    if (options->need_labels && source->folder_count)
        s = trib_assign_classes(source->folders, source->folder_count, options, &source->class_names, &source->notes);
    if (trib_failed(&s)) goto failed;
    *out = source;
    return s;
failed:
    trib_source_close(source);
    return s;
}

void trib_source_close(trib_source *source)
{
    /* In a child, a thread of the parent may have been in the middle of reading. */
    if (!source || source->process != trib_process()) return;
    for (size_t i = 0; i < source->count; ++i) source->inputs[i]->kind->close(source->inputs[i]);
    trib_item_release(&source->returned);
    trib_free(source->inputs);
    trib_free(source->folders);
    trib_names_free(&source->class_names);
    trib_names_free(&source->notes);
    trib_outputs_free(&source->outputs);
    for (int i = 0; i < 2; ++i) {
        if (source->wake[i] >= 0) close(source->wake[i]);
    }
    trib_free(source);
}

/* ---- reading ---- */

int64_t trib_source_count(const trib_source *source)
{
    int64_t total = 0;
    for (size_t i = 0; i < source->count; ++i) {
        const trib_input *input = source->inputs[i];
        if (!input->kind->count) return -1;
        total += input->kind->count(input);
    }
    return total;
}

const char *const *trib_source_class_names(const trib_source *source, int *count)
{
    *count = (int)source->class_names.count;
    return (const char *const *)source->class_names.items;
}

const char *trib_source_note(const trib_source *source, int i)
{
    return i >= 0 && (size_t)i < source->notes.count ? source->notes.items[i] : NULL;
}

const trib_passed_over *trib_source_passed_over(const trib_source *source, int *count)
{
    *count = source->passed_over.count;
    return source->passed_over.kinds;
}

/* If labels are needed, an item without a valid one is useless. */
static trib_status check_label(const trib_source *source, const trib_item *item)
{
    if (!source->context.need_labels) return trib_success();
    trib_short_name name = trib_shorten(item->name);
    if (item->label == TRIB_NO_LABEL)
        return TRIB_ERROR(TRIB_NOT_FOUND,
                          "%s: has no label; labels come from class folders, .cls members or IDX files of labels",
                          name.text);
    if (source->class_count && item->label >= source->class_count)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: its label is %d, but there are only %d classes", name.text, item->label,
                          source->class_count);
    return trib_success();
}

/* An item that must not be read keeps only its name. */
static void check_item(trib_source *source, trib_item *item)
{
    if (trib_failed(&item->status)) return;
    trib_status s = check_label(source, item);
    if (!trib_failed(&s) && item->path) s = trib_outputs_check(&source->outputs, item->path);
    if (!trib_failed(&s)) return;
    char *kept = item->name;
    item->name = NULL;
    trib_item_release(item);
    item->name = kept;
    item->status = s;
}

trib_status trib_source_check_process(const trib_source *source) { return trib_made_here(source->process, "source"); }

trib_status trib_source_next(trib_source *source, trib_item *item, bool *end)
{
    TRIB_TRY(trib_source_check_process(source));
    if (source->returned.name) {
        *item = source->returned;
        source->returned = (trib_item) { .label = TRIB_NO_LABEL };
        *end = false;
        return trib_success();
    }
    if (trib_failed(&source->failure)) return source->failure;
    trib_item found = { .label = TRIB_NO_LABEL };
    while (source->current < source->count) {
        trib_input *input = source->inputs[source->current];
        bool over = false;
        trib_status s = input->kind->next(input, &found, &over);
        if (trib_failed(&s)) {
            trib_item_release(&found);
            if (s.code != TRIB_CANCELLED) source->failure = s;
            return s;
        }
        if (!over) {
            check_item(source, &found);
            if (!source->context.locate) found.index = source->next_index++;
            *item = found;
            *end = false;
            return trib_success();
        }
        ++source->current;
    }
    *end = true;
    return trib_success();
}

void trib_source_return(trib_source *source, trib_item *item)
{
    trib_item_release(&source->returned);
    source->returned = *item;
    *item = (trib_item) { .label = TRIB_NO_LABEL };
}

void trib_source_limit(trib_source *source, int64_t most_bytes) { source->context.most_bytes = most_bytes; }

void trib_source_locate(trib_source *source, int64_t most_kept)
{
    source->context.locate = true;
    source->context.most_kept = most_kept;
}

size_t trib_source_current(const trib_source *source) { return source->current; }

trib_input *trib_source_input(const trib_source *source, size_t i)
{
    return i < source->count ? source->inputs[i] : NULL;
}

void trib_source_interrupt(trib_source *source)
{
    /* The pipe is never full: it is cleared before the next loader, and one byte is enough. */
    if (write(source->wake[1], "", 1) < 0) return;
}

void trib_source_clear_interrupt(trib_source *source)
{
    char bytes[64];
    while (read(source->wake[0], bytes, sizeof bytes) > 0) continue;
}
