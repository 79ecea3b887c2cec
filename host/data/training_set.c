/* SPDX-License-Identifier: Apache-2.0 */
#include "data/training_set.h"

#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/process.h"
#include "tributary/memory.h"

#define DEFAULT_SHARE 0.1

/* ---- checks ---- */

static trib_status check_arguments(const char *const *inputs, int count, const trib_training_set_options *o)
{
    if (!inputs || count < 1)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "no training data: name folders, shards or IDX files");
    for (int i = 0; i < count; ++i)
        if (!inputs[i]) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "input %d of %d is NULL", i, count);
    for (int i = 0; o->validation && i < o->validation_count; ++i)
        if (!o->validation[i])
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "validation input %d of %d is NULL", i, o->validation_count);
    if (o->validation && o->validation_count < 1)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "validation inputs with a count of %d", o->validation_count);
    if (!(o->validation_share < 1))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a validation share of %g; it must be below 1", o->validation_share);
    if (o->kept_bytes < 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "kept_bytes is %lld; it must not be negative",
                          (long long)o->kept_bytes);
    if (o->unlabelled && (o->class_names || o->class_count || o->labels_path))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a set without labels has neither classes nor a file of labels");
    return trib_success();
}

static const char *class_name(const trib_training_set *set, int class, char *text, size_t size)
{
    if (set->class_names.count)
        snprintf(text, size, "'%.80s'", set->class_names.items[class]);
    else
        snprintf(text, size, "%d", class);
    return text;
}

static trib_status no_images_of(const trib_training_set *set, int class, int64_t put_aside)
{
    char name[96];
    class_name(set, class, name, sizeof name);
    if (put_aside)
        return TRIB_ERROR(
            TRIB_BAD_DATA,
            "class %s: all its images (%lld) were put aside for validation; add images, name a validation "
            "set, or set another share",
            name, (long long)put_aside);
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "class %s has no images (there are %d classes); add some, or remove its empty folder, or number "
                      "the labels from 0 without gaps",
                      name, set->class_count);
}

static trib_status check_images(const trib_training_set *set)
{
    if (set->parts[TRIB_TRAINING].count || set->parts[TRIB_VALIDATION].count) return trib_success();
    return TRIB_ERROR(TRIB_NOT_FOUND, "the training data have no images");
}

static trib_status check_counts(const trib_training_set *set, const int64_t *counts[TRIB_PARTS])
{
    char name[96];
    if (set->class_count < 2)
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "all images are of one class, %s: there is nothing to learn; name the folder with a folder "
                          "per class, or give labels of several classes",
                          class_name(set, 0, name, sizeof name));
    for (int c = 0; c < set->class_count; ++c)
        if (!counts[TRIB_TRAINING][c]) return no_images_of(set, c, counts[TRIB_VALIDATION][c]);
    return trib_success();
}

static trib_status check_classes(const trib_training_set *set)
{
    size_t classes = (size_t)set->class_count;
    int64_t *counts = trib_alloc_zeroed(TRIB_PARTS * classes, sizeof *counts);
    if (!counts) return trib_no_memory("classes");
    for (int p = 0; p < TRIB_PARTS; ++p)
        for (size_t i = 0; i < set->parts[p].count; ++i)
            ++counts[(size_t)p * classes + (size_t)set->parts[p].items[i].label];
    trib_status s = check_counts(set, (const int64_t *[]) { counts, counts + classes });
    trib_free(counts);
    return s;
}

/* ---- opening ---- */

static trib_status copy_notes(trib_training_set *set, const trib_source *source)
{
    for (int i = 0; trib_source_note(source, i); ++i)
        TRIB_TRY(trib_names_add(&set->notes, trib_strdup(trib_source_note(source, i)), "notes"));
    return trib_success();
}

static trib_status take_class_names(trib_training_set *set, const char *const *names, int count)
{
    for (int i = 0; i < count; ++i) TRIB_TRY(trib_names_add(&set->class_names, trib_strdup(names[i]), "class names"));
    if (count) set->class_count = count;
    return trib_success();
}

static trib_status open_part(trib_training_set *set, const trib_training_inputs *inputs, trib_training_part part,
                             const trib_training_set_options *o, double share)
{
    const trib_names *names = &inputs->parts[part];
    bool known = part == TRIB_VALIDATION; /* the classes are those of the training images */
    trib_source_options options = { .need_labels = !o->unlabelled,
                                    .class_names = o->class_names,
                                    .class_count = o->class_count,
                                    .labels_path = known ? NULL : o->labels_path };
    if (known) options.class_names = trib_training_set_class_names(set);
    if (known) options.class_count = set->class_count;
    trib_source *source = NULL;
    TRIB_TRY(trib_source_open((const char *const *)names->items, (int)names->count, &options, &source));
    set->sources[part] = set->parts[part].source = source;
    if (!known) set->parts[TRIB_VALIDATION].source = source;
    trib_source_locate(source, o->kept_bytes ? o->kept_bytes : trib_memory_get().bytes / 8);
    int count = 0;
    const char *const *found = trib_source_class_names(source, &count);
    if (!known)
        TRIB_TRY(
            take_class_names(set, o->class_names ? o->class_names : found, o->class_names ? o->class_count : count));
    TRIB_TRY(trib_training_scan(set, source, part, share));
    if (!known && o->class_count) set->class_count = o->class_count;
    return copy_notes(set, source);
}

static trib_status note_validation(trib_training_set *set, const trib_training_inputs *inputs, double share)
{
    long long count = (long long)set->parts[TRIB_VALIDATION].count;
    if (inputs->paired)
        return trib_names_add_text(&set->notes, "%s: %lld images for validation",
                                   trib_shorten(inputs->parts[TRIB_VALIDATION].items[0]).text, count);
    if (share > 0)
        return trib_names_add_text(&set->notes,
                                   "%lld of %lld images, chosen by their names, are put aside for validation", count,
                                   count + (long long)set->parts[TRIB_TRAINING].count);
    return trib_success();
}

static trib_status fill(trib_training_set *set, const trib_training_set_options *o)
{
    const trib_training_inputs *inputs = &set->inputs;
    bool given = inputs->parts[TRIB_VALIDATION].count > 0;
    double share = given || o->validation_share < 0 ? 0 : o->validation_share > 0 ? o->validation_share : DEFAULT_SHARE;
    TRIB_TRY(open_part(set, inputs, TRIB_TRAINING, o, share));
    TRIB_TRY(check_images(set));
    if (!o->unlabelled) TRIB_TRY(check_classes(set));
    if (given) TRIB_TRY(open_part(set, inputs, TRIB_VALIDATION, o, 0));
    for (size_t i = 0; i < set->class_names.count; ++i)
        set->hash = trib_training_hash(set->hash, set->class_names.items[i], strlen(set->class_names.items[i]) + 1);
    return note_validation(set, inputs, share);
}

trib_status trib_training_set_open(const char *const *inputs, int count, const trib_training_set_options *options,
                                   trib_training_set **out)
{
    static const trib_training_set_options no_options = { 0 };
    trib_training_inputs found;
    if (!options) options = &no_options;
    TRIB_TRY(check_arguments(inputs, count, options));
    TRIB_TRY(trib_training_inputs_find(inputs, count, options, &found));
    trib_training_set *set = trib_alloc_zeroed(1, sizeof *set);
    trib_status s = set ? trib_success() : trib_no_memory("training data");
    if (set) {
        set->process = trib_process();
        set->hash = TRIB_HASH_START;
        set->inputs = found;
        s = fill(set, options);
    } else {
        trib_training_inputs_free(&found);
    }
    if (trib_failed(&s))
        trib_training_set_close(set);
    else
        *out = set;
    return s;
}

void trib_training_set_close(trib_training_set *set)
{
    if (!set || set->process != trib_process()) return;
    for (int p = 0; p < TRIB_PARTS; ++p) {
        trib_source_close(set->sources[p]);
        trib_free(set->parts[p].items);
    }
    trib_free(set->text);
    trib_names_free(&set->class_names);
    trib_names_free(&set->notes);
    trib_training_inputs_free(&set->inputs);
    trib_free(set);
}

trib_status trib_training_set_reopen(const trib_training_set *set, trib_training_part part, trib_source **out)
{
    const trib_names *names = &set->inputs.parts[part];
    *out = NULL;
    return names->count ? trib_source_open((const char *const *)names->items, (int)names->count, NULL, out)
                        : trib_success();
}

/* ---- what is known ---- */

int64_t trib_training_set_count(const trib_training_set *set, trib_training_part part)
{
    return (int64_t)set->parts[part].count;
}

int trib_training_set_classes(const trib_training_set *set) { return set->class_count; }

const char *const *trib_training_set_class_names(const trib_training_set *set)
{
    return set->class_names.count ? (const char *const *)set->class_names.items : NULL;
}

int trib_training_set_label(const trib_training_set *set, trib_training_part part, int64_t index)
{
    return set->parts[part].items[index].label;
}

const char *trib_training_set_name(const trib_training_set *set, trib_training_part part, int64_t index)
{
    return set->text + set->parts[part].items[index].name;
}

uint64_t trib_training_set_hash(const trib_training_set *set) { return set->hash; }

const char *trib_training_set_note(const trib_training_set *set, int i)
{
    return i >= 0 && (size_t)i < set->notes.count ? set->notes.items[i] : NULL;
}

bool trib_training_set_has_one_size(const trib_training_set *set)
{
    const trib_input *input;
    for (size_t i = 0; (input = trib_source_input(set->parts[TRIB_TRAINING].source, i)); ++i)
        if (!input->one_size) return false;
    return true;
}
