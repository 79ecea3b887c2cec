/* SPDX-License-Identifier: Apache-2.0
 * The checkpoints of a run. `last` and `model_best` are hard links to a checkpoint-N: they keep its content when
 * checkpoint-N is removed, so removing never has to ask who points to what, and no crash leaves a link that leads
 * nowhere; and a copy of the folder has them whatever made it, at worst as files of their own. Where there are no hard
 * links they are copies. Both are replaced by a rename. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file.h"
#include "formats/file.h"
#include "train/run_private.h"
#include "tributary/internal/alloc.h"

int64_t trib_run_checkpoint_number(const char *name)
{
    const size_t prefix = sizeof TRIB_RUN_CHECKPOINT - 1;
    char again[32], *end;
    if (strncmp(name, TRIB_RUN_CHECKPOINT, prefix) != 0) return -1;
    errno = 0;
    const int64_t step = strtoll(name + prefix, &end, 10);
    if (errno || step < 0 || strcmp(trib_run_checkpoint_name(step, again), name) != 0) return -1;
    return step;
}

const char *trib_run_checkpoint_name(int64_t step, char *name)
{
    snprintf(name, 32, TRIB_RUN_CHECKPOINT "%" PRId64, step);
    return name;
}

int64_t trib_run_step(const trib_checkpoint *checkpoint)
{
    const char *text = trib_checkpoint_metadata(checkpoint, TRIB_RUN_STEP_KEY);
    char *end = NULL;
    errno = 0;
    const int64_t step = text ? strtoll(text, &end, 10) : -1;
    return !text || errno || end == text || *end || step < 0 ? -1 : step;
}

/* ---- saving ---- */

static trib_status write_checkpoint(const char *path, const trib_run_checkpoint *what)
{
    char step[32];
    const int count = what->metadata_count;
    trib_key_value *metadata = trib_alloc_zeroed((size_t)count + 1, sizeof *metadata);
    if (!metadata) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to write it", trib_shorten(path).text);
    if (count) memcpy(metadata, what->metadata, (size_t)count * sizeof *metadata);
    snprintf(step, sizeof step, "%" PRId64, what->step);
    metadata[count] = (trib_key_value) { TRIB_RUN_STEP_KEY, step };
    trib_status s = trib_checkpoint_write(path, what->tensors, what->count, metadata, count + 1);
    trib_free(metadata);
    return s;
}

static trib_status copy_bytes(trib_blob *from, trib_output *to)
{
    enum { STEP = 1 << 20 };
    void *bytes = NULL;
    size_t got = 0;
    do {
        TRIB_TRY(trib_blob_take(from, STEP, &bytes, &got));
        trib_status s = trib_output_write(to, bytes, got);
        trib_free(bytes);
        if (trib_failed(&s)) return s;
    } while (got == STEP);
    return trib_success();
}

static trib_status copy_file(const char *from, const char *to)
{
    trib_blob source;
    trib_output *copy = NULL;
    TRIB_TRY(trib_blob_open(from, &source));
    trib_status s = trib_output_open(to, &copy);
    if (!trib_failed(&s)) s = copy_bytes(&source, copy);
    trib_blob_close(&source);
    if (!trib_failed(&s)) return trib_output_commit_to_disk(copy);
    trib_output_abandon(copy);
    return s;
}

static bool has_no_links(int error)
{
    return error == EPERM || error == EMLINK || error == EXDEV || error == ENOSYS || error == EOPNOTSUPP;
}

/* Makes `alias` another name of the file `name`. */
static trib_status set_alias(const trib_run_folder *run, const char *name, const char *alias)
{
    char from[TRIB_RUN_PATH], to[TRIB_RUN_PATH], temporary[TRIB_RUN_PATH], text[64];
    snprintf(text, sizeof text, ".tributary-%ld-%s.tmp", (long)getpid(), alias);
    trib_run_folder_file(run, name, from);
    trib_run_folder_file(run, alias, to);
    trib_run_folder_file(run, text, temporary);
    if (unlink(temporary) && errno != ENOENT) return TRIB_FILE_ERROR("unlink", "remove", temporary, errno);
    if (link(from, temporary))
        return has_no_links(errno) ? copy_file(from, to) : TRIB_FILE_ERROR("link", "link", from, errno);
    const int failed = rename(temporary, to) ? errno : 0;
    (void)unlink(temporary); /* a rename to a name of the same file does nothing */
    return failed ? TRIB_FILE_ERROR("rename", "replace", to, failed) : trib_success();
}

static trib_status sync_folder(const trib_run_folder *run)
{
    int fd, failed = 0;
    while ((fd = open(run->path, O_RDONLY | O_CLOEXEC)) < 0 && errno == EINTR) continue;
    if (fd < 0) return TRIB_FILE_ERROR("open", "open", run->path, errno);
    while ((failed = fsync(fd)) != 0 && errno == EINTR) continue;
    if (failed) failed = errno;
    close(fd);
    return failed && failed != EINVAL ? TRIB_FILE_ERROR("fsync", "bring to the disk", run->path, failed)
                                      : trib_success();
}

/* ---- the newest stay ---- */

/* Steps of the checkpoints in the folder. */
typedef struct numbers {
    int64_t *items;
    size_t count, capacity;
} numbers;

static trib_status add_number(void *context, const char *name)
{
    numbers *n = context;
    const int64_t step = trib_run_checkpoint_number(name);
    if (step < 0) return trib_success();
    void *block = n->items;
    if (trib_grow(&block, &n->capacity, n->count + 1, sizeof *n->items))
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of checkpoints");
    n->items = block;
    n->items[n->count++] = step;
    return trib_success();
}

static int newest_first(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x > y ? -1 : x < y;
}

/* Those beyond `step` could not be loaded when the run was resumed; they are replaced when it gets there again. */
static trib_status remove_old(const trib_run_folder *run, int64_t step)
{
    numbers n = { 0 };
    char name[32], path[TRIB_RUN_PATH];
    trib_status s = trib_run_each_name(run->path, add_number, &n);
    if (!trib_failed(&s) && n.count) qsort(n.items, n.count, sizeof *n.items, newest_first);
    int kept = 0;
    for (size_t i = 0; i < n.count && !trib_failed(&s); ++i) {
        if (n.items[i] > step || kept++ < run->keep) continue;
        trib_run_folder_file(run, trib_run_checkpoint_name(n.items[i], name), path);
        if (unlink(path) && errno != ENOENT) s = TRIB_FILE_ERROR("unlink", "remove the old checkpoint", path, errno);
    }
    trib_free(n.items);
    return s;
}

static trib_status set_aliases(const trib_run_folder *run, const char *name, bool best)
{
    TRIB_TRY(set_alias(run, name, TRIB_RUN_LAST));
    if (best) TRIB_TRY(set_alias(run, name, TRIB_RUN_BEST));
    return sync_folder(run);
}

trib_status trib_run_folder_save(trib_run_folder *run, const trib_run_checkpoint *what)
{
    char name[32], path[TRIB_RUN_PATH];
    if (what->step < 0 || what->metadata_count < 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_run_folder_save: a number is negative");
    trib_run_folder_file(run, trib_run_checkpoint_name(what->step, name), path);
    TRIB_TRY(trib_run_table_sync(&run->summary)); /* a resumed run finds the rows of all its steps */
    TRIB_TRY(trib_run_table_sync(&run->metrics));
    TRIB_TRY(write_checkpoint(path, what));
    trib_status s = set_aliases(run, name, what->best);
    if (!trib_failed(&s)) s = remove_old(run, what->step);
    trib_add_context(&s, "saved, but");
    return s;
}

trib_status trib_run_folder_set_names(trib_run_folder *run, int64_t step, bool best)
{
    char name[32], path[TRIB_RUN_PATH];
    trib_run_folder_file(run, trib_run_checkpoint_name(step, name), path);
    if (access(path, F_OK)) return trib_success();
    return set_aliases(run, name, best);
}

/* ---- resuming ---- */

typedef struct candidate {
    char name[32];
    int64_t step; /* INT64_MAX: unknown */
    dev_t device;
    ino_t inode;
} candidate;

typedef struct candidates {
    const trib_run_folder *run;
    candidate *items;
    size_t count, capacity;
} candidates;

static int64_t step_in_header(const char *path)
{
    trib_checkpoint *c = NULL;
    trib_status s = trib_checkpoint_open_header(path, &c);
    const int64_t step = trib_failed(&s) ? -1 : trib_run_step(c);
    trib_checkpoint_close(c);
    return step < 0 ? INT64_MAX : step; /* what is wrong with it is said when it is loaded */
}

static trib_status add_candidate(void *context, const char *name)
{
    candidates *list = context;
    char path[TRIB_RUN_PATH];
    struct stat info;
    candidate c = { .step = trib_run_checkpoint_number(name) };
    if (c.step < 0 && strcmp(name, TRIB_RUN_LAST) != 0 && strcmp(name, TRIB_RUN_BEST) != 0) return trib_success();
    snprintf(c.name, sizeof c.name, "%.31s", name);
    trib_run_folder_file(list->run, name, path);
    if (c.step < 0) c.step = step_in_header(path);
    if (!stat(path, &info)) {
        c.device = info.st_dev;
        c.inode = info.st_ino;
    }
    void *block = list->items;
    if (trib_grow(&block, &list->capacity, list->count + 1, sizeof c))
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of checkpoints");
    list->items = block;
    list->items[list->count++] = c;
    return trib_success();
}

static int newest_candidate_first(const void *pa, const void *pb)
{
    const candidate *a = pa, *b = pb;
    if (a->step != b->step) return a->step > b->step ? -1 : 1;
    return strcmp(a->name, b->name);
}

static bool same_file(const candidate *a, const candidate *b)
{
    return a->inode && a->inode == b->inode && a->device == b->device;
}

/* A file with several names is tried once, as checkpoint-N if that is one of them. */
static bool is_tried_by_another_name(const candidates *list, size_t i)
{
    const bool alias = trib_run_checkpoint_number(list->items[i].name) < 0;
    for (size_t k = 0; k < list->count && alias; ++k) {
        const bool numbered = trib_run_checkpoint_number(list->items[k].name) >= 0;
        if (k != i && same_file(&list->items[k], &list->items[i]) && (numbered || k < i)) return true;
    }
    return false;
}

static trib_status load(const trib_run_folder *run, const candidate *c, trib_checkpoint **out)
{
    char path[TRIB_RUN_PATH];
    TRIB_TRY(trib_checkpoint_open(trib_run_folder_file(run, c->name, path), out));
    if (trib_run_step(*out) >= 0) return trib_success();
    trib_checkpoint_close(*out);
    *out = NULL;
    return TRIB_ERROR(TRIB_BAD_DATA, "%s: is no checkpoint of a run: '" TRIB_RUN_STEP_KEY "' is missing",
                      trib_shorten(path).text);
}

static trib_status load_newest(const candidates *list, trib_text *passed_over, trib_checkpoint **out)
{
    trib_status first = trib_success();
    for (size_t i = 0; i < list->count; ++i) {
        if (is_tried_by_another_name(list, i)) continue;
        trib_status s = load(list->run, &list->items[i], out);
        if (!trib_failed(&s) || s.code == TRIB_OUT_OF_MEMORY) return s;
        if (!trib_failed(&first)) first = s;
        trib_text_add(passed_over, s.message);
        trib_text_add(passed_over, "\n");
    }
    trib_add_context(&first, "no checkpoint of the run can be loaded");
    return first;
}

trib_status trib_run_folder_newest(trib_run_folder *run, trib_text *passed_over, trib_checkpoint **out)
{
    candidates list = { .run = run };
    trib_checkpoint *found = NULL;
    trib_status s = trib_run_each_name(run->path, add_candidate, &list);
    if (!trib_failed(&s) && list.count) qsort(list.items, list.count, sizeof *list.items, newest_candidate_first);
    if (!trib_failed(&s)) s = load_newest(&list, passed_over, &found);
    trib_free(list.items);
    if (!trib_failed(&s)) *out = found;
    return s;
}
