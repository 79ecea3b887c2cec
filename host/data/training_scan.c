/* SPDX-License-Identifier: Apache-2.0
 * Finds all images of a source without reading them. It is strict: what is missing now would be missed silently later.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "data/file.h"
#include "data/input.h"
#include "data/training_set.h"
#include "image/draw.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

uint64_t trib_training_hash(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < size; ++i) hash = (hash ^ p[i]) * 1099511628211u; /* FNV-1a */
    return hash;
}

/* The item's name without the path of its input, which may change between runs. */
static const char *name_below(const trib_input *input, const char *name)
{
    size_t root = strnlen(name, input->root);
    while (name[root] == '/') ++root;
    return name + root;
}

static trib_status check_readable_again(const trib_input *input, const trib_item *item)
{
    if (input->kind->load) return trib_success();
    return TRIB_ERROR(TRIB_UNSUPPORTED,
                      "%s: training reads images many times, in any order; name folders, plain tar files or IDX files",
                      trib_shorten(item->name).text);
}

/* A shard's labels beside class folders. */
static trib_status check_label(const trib_training_set *set, const trib_item *item)
{
    int names = (int)set->class_names.count;
    if (!names || item->label < names) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "%s: its label is %d, but there are only %d classes",
                      trib_shorten(item->name).text, item->label, names);
}

/* For the hash: the size of a file tells whether it changed. A link that leads nowhere is a damaged image. */
static trib_status size_of(const trib_item *item, int64_t *size)
{
    struct stat info = { 0 };
    *size = (int64_t)item->size;
    if (!item->path) return trib_success();
    int missing = trib_fault("stat") ? (errno = EIO, -1) : stat(item->path, &info);
    if (missing && errno != ENOENT && errno != ELOOP) return TRIB_FILE_ERROR("stat", "find it", item->path, errno);
    *size = S_ISREG(info.st_mode) ? (int64_t)info.st_size : 0;
    return trib_success();
}

static trib_status add_image(trib_training_set *set, trib_found_images *part, const trib_item *item, size_t input)
{
    size_t length = strlen(item->name) + 1;
    if (trib_grow((void **)&set->text, &set->text_capacity, set->text_size + length, 1) ||
        trib_grow((void **)&part->items, &part->capacity, part->count + 1, sizeof *part->items))
        return trib_no_memory("the list of images");
    memcpy(set->text + set->text_size, item->name, length);
    part->items[part->count++] = (trib_found_image) { .name = set->text_size,
                                                      .place = item->index,
                                                      .size = (int64_t)item->size,
                                                      .input = (int32_t)input,
                                                      .label = item->label };
    set->text_size += length;
    if (item->label >= set->class_count) set->class_count = item->label + 1;
    return trib_success();
}

static trib_status add_to_hash(trib_training_set *set, const trib_item *item, const char *name, trib_training_part part)
{
    int64_t numbers[3] = { 0, item->label, part };
    TRIB_TRY(size_of(item, &numbers[0]));
    set->hash = trib_training_hash(set->hash, name, strlen(name) + 1);
    set->hash = trib_training_hash(set->hash, numbers, sizeof numbers);
    return trib_success();
}

/* The hash of a name decides alone. Images of one sample of a shard stay together. */
static bool put_aside(const trib_input *input, const char *name, double share)
{
    const char *base = trib_base_name(name);
    size_t length = input->samples ? (size_t)(base - name) + strcspn(base, ".") : strlen(name);
    trib_draws draws = trib_draws_of(trib_training_hash(TRIB_HASH_START, name, length));
    return trib_draw_unit(&draws) < share;
}

static trib_status take(trib_training_set *set, trib_source *source, const trib_item *item, trib_training_part part,
                        double share)
{
    size_t current = trib_source_current(source);
    const trib_input *input = trib_source_input(source, current);
    TRIB_TRY(item->status);
    TRIB_TRY(check_readable_again(input, item));
    TRIB_TRY(check_label(set, item));
    const char *name = name_below(input, item->name);
    if (put_aside(input, name, share)) part = TRIB_VALIDATION;
    TRIB_TRY(add_to_hash(set, item, name, part));
    return add_image(set, &set->parts[part], item, current);
}

trib_status trib_training_scan(trib_training_set *set, trib_source *source, trib_training_part part, double share)
{
    trib_status s = trib_success();
    for (bool end = false; !end && !trib_failed(&s);) {
        trib_item item = { .label = TRIB_NO_LABEL };
        s = trib_source_next(source, &item, &end);
        if (!trib_failed(&s) && !end) s = take(set, source, &item, part, share);
        trib_item_release(&item);
    }
    for (size_t i = 0; trib_source_input(source, i); ++i) {
        trib_input *input = trib_source_input(source, i);
        if (input->kind->forget) input->kind->forget(input);
    }
    return s;
}

trib_status trib_training_set_load(const trib_training_set *set, trib_training_part part, int64_t index,
                                   trib_loading *loading, trib_item *item)
{
    const trib_found_image *image = &set->parts[part].items[index];
    const trib_input *input = trib_source_input(set->parts[part].source, (size_t)image->input);
    const char *name = set->text + image->name;
    if (image->size) TRIB_TRY(trib_load_reserve(loading, name, image->size));
    trib_status s = input->kind->load(input, name, image->place, loading->encoded.limit, item);
    if (trib_failed(&s) && image->size) trib_load_unreserve(loading, image->size);
    if (trib_failed(&s) || !image->size) return s;
    return trib_load_check_reserved(loading, item, name, image->size);
}
