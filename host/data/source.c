/* SPDX-License-Identifier: Apache-2.0
 * A source is its inputs, one after another: which kind each is, and what all of them have in common. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file.h"
#include "data/input.h"
#include "data/stream.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"
#include "tributary/internal/process.h"

struct trib_source {
    trib_input **inputs;
    size_t count, capacity, current;
    trib_input **folders; /* those of the inputs that are folders, not owned */
    size_t folder_count, folder_capacity;
    bool need_labels;
    const char *labels_path; /* only while opening */
    int idx_count;
    int class_count; /* 0: not known */
    trib_names class_names;
    int wake[2]; /* a pipe with a byte in it while waiting reads shall give up; -1: no input waits */
    int64_t next_index;
    uint64_t process;    /* that opened it */
    trib_status failure; /* of an earlier trib_source_next: there is no way on */
};

/* ---- which kind of input ---- */

typedef enum content { CONTENT_OTHER, CONTENT_TAR, CONTENT_IDX } content;

static bool has_tar_name(const char *path)
{
    return trib_ends_with(path, ".tar") || trib_ends_with(path, ".tar.gz") || trib_ends_with(path, ".tgz");
}

/* By its first bytes, and by its name where that leaves no doubt, so that a damaged file gets the right message. */
static trib_status recognise(const char *path, content *out)
{
    *out = has_tar_name(path) ? CONTENT_TAR : strstr(trib_base_name(path), "-idx3-ubyte") ? CONTENT_IDX : CONTENT_OTHER;
    if (*out != CONTENT_OTHER) return trib_success();
    trib_stream stream;
    uint8_t head[262] = { 0 };
    size_t got = 0;
    trib_status s = trib_stream_open(path, &stream);
    /* Unreadable, a pipe ...: taken for an image, it will be reported in its place. */
    if (trib_failed(&s)) return s.code == TRIB_UNSUPPORTED || s.code == TRIB_OUT_OF_MEMORY ? s : trib_success();
    s = trib_stream_read(&stream, head, sizeof head, &got);
    bool gzipped = stream.gzipped;
    trib_stream_close(&stream);
    if (memcmp(head + 257, "ustar", 5) == 0) *out = CONTENT_TAR;
    if (got >= 4 && !head[0] && !head[1] && head[2] == 8 && head[3] >= 1 && head[3] <= 4) *out = CONTENT_IDX;
    return *out == CONTENT_OTHER && gzipped ? s : trib_success();
}

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

static trib_status add_list(trib_source *source, const char *path)
{
    if (!*path) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "'@': name the list, as in @list.txt");
    if (source->wake[0] < 0) {
        if (trib_fault("pipe") ? (errno = EMFILE, -1) : pipe(source->wake)) {
            source->wake[0] = source->wake[1] = -1;
            return trib_file_error("prepare reading", path, errno);
        }
        for (int i = 0; i < 2; ++i) {
            fcntl(source->wake[i], F_SETFD, FD_CLOEXEC);
            fcntl(source->wake[i], F_SETFL, O_NONBLOCK);
        }
    }
    trib_input *input = NULL;
    TRIB_TRY(trib_list_input_open(path, source->wake[0], &input));
    return add(source, input);
}

static trib_status add_shards(trib_source *source, const char *pattern)
{
    trib_names names = { 0 };
    TRIB_TRY(trib_expand_ranges(pattern, &names));
    trib_status s = trib_success();
    for (size_t i = 0; i < names.count && !trib_failed(&s); ++i) {
        trib_input *input = NULL;
        s = trib_tar_input_open(names.items[i], source->need_labels, &input);
        if (!trib_failed(&s)) s = add(source, input);
    }
    trib_names_free(&names);
    return s;
}

static trib_status add_folder(trib_source *source, const char *path)
{
    if (trib_grow((void **)&source->folders, &source->folder_capacity, source->folder_count + 1,
                  sizeof *source->folders))
        return trib_no_memory("inputs");
    trib_input *input = NULL;
    TRIB_TRY(trib_folder_input_open(path, &input));
    TRIB_TRY(add(source, input));
    source->folders[source->folder_count++] = input;
    return trib_success();
}

static trib_status add_file(trib_source *source, const char *path)
{
    content kind = CONTENT_OTHER;
    TRIB_TRY(recognise(path, &kind));
    trib_input *input = NULL;
    switch (kind) {
    case CONTENT_TAR: TRIB_TRY(trib_tar_input_open(path, source->need_labels, &input)); break;
    case CONTENT_IDX:
        TRIB_TRY(trib_idx_input_open(path, source->need_labels, source->labels_path, &input));
        ++source->idx_count;
        break;
    case CONTENT_OTHER: TRIB_TRY(trib_file_input_open(path, &input)); break;
    }
    return add(source, input);
}

static trib_status add_input(trib_source *source, const char *path)
{
    if (strcmp(path, "-") == 0) return add_list(source, path);
    if (*path == '@') return add_list(source, path + 1);
    struct stat info;
    int missing = trib_fault("stat") ? (errno = EIO, -1) : lstat(path, &info);
    if (missing && errno == ENOENT && has_tar_name(path) && strchr(path, '{')) return add_shards(source, path);
    if (missing) return trib_file_error("find it", *path ? path : "''", errno);
    /* A link that leads nowhere is an image that cannot be read, like others found in a folder. */
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return add_folder(source, path);
    return add_file(source, path);
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

static trib_status check_labels_path(const trib_source *source)
{
    if (!source->labels_path || source->idx_count == 1) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                      "%s: a file of labels belongs to one IDX file of images, but there are %d among the inputs",
                      trib_shorten(source->labels_path).text, source->idx_count);
}

trib_status trib_source_open(const char *const *inputs, int count, const trib_source_options *options,
                             trib_source **out)
{
    static const trib_source_options no_options = { 0 };
    if (!options) options = &no_options;
    TRIB_TRY(check_arguments(inputs, count, options));
    trib_source *source = trib_alloc_zeroed(1, sizeof *source);
    if (!source) return trib_no_memory("inputs");
    source->process = trib_process();
    source->wake[0] = source->wake[1] = -1;
    source->need_labels = options->need_labels;
    source->labels_path = options->labels_path;
    source->class_count = options->class_count;
    trib_status s = trib_success();
    for (int i = 0; i < count; ++i) TRIB_TRY_GOTO(s, failed, add_input(source, inputs[i]));
    TRIB_TRY_GOTO(s, failed, check_labels_path(source));
    source->labels_path = NULL;
    if (source->need_labels && source->folder_count)
        s = trib_assign_classes(source->folders, source->folder_count, options, &source->class_names);
    if (trib_failed(&s)) goto failed;
    *out = source;
    return s;
failed:
    trib_source_close(source);
    return s;
}

void trib_source_close(trib_source *source)
{
    /* In a child, a thread of the parent's may have been in the middle of reading. */
    if (!source || source->process != trib_process()) return;
    for (size_t i = 0; i < source->count; ++i) source->inputs[i]->kind->close(source->inputs[i]);
    trib_free(source->inputs);
    trib_free(source->folders);
    trib_names_free(&source->class_names);
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

/* When labels are needed, an item without a usable one has no use. */
static void check_label(const trib_source *source, trib_item *item)
{
    if (!source->need_labels || trib_failed(&item->status)) return;
    trib_status s = trib_success();
    trib_short_name name = trib_shorten(item->name);
    if (item->label == TRIB_NO_LABEL)
        s = TRIB_ERROR(TRIB_NOT_FOUND,
                       "%s: has no label; labels come from class folders, .cls members or IDX files of labels",
                       name.text);
    else if (source->class_count && item->label >= source->class_count)
        s = TRIB_ERROR(TRIB_BAD_DATA, "%s: its label is %d, but there are only %d classes", name.text, item->label,
                       source->class_count);
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
    TRIB_TRY(source->failure);
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
            check_label(source, &found);
            found.index = source->next_index++;
            *item = found;
            *end = false;
            return s;
        }
        ++source->current;
    }
    *end = true;
    return trib_success();
}

void trib_source_limit(trib_source *source, int64_t most_bytes)
{
    for (size_t i = 0; i < source->count; ++i) source->inputs[i]->most_bytes = most_bytes;
}

void trib_source_interrupt(trib_source *source)
{
    /* The pipe is never full: it is cleared before the next loader, and one byte is enough. */
    if (source->wake[1] >= 0 && write(source->wake[1], "", 1) < 0) return;
}

void trib_source_clear_interrupt(trib_source *source)
{
    char bytes[64];
    while (source->wake[0] >= 0 && read(source->wake[0], bytes, sizeof bytes) > 0) continue;
}
