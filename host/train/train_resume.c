/* SPDX-License-Identifier: Apache-2.0
 * The folder of a run, and whether what is asked now continues bit for bit what is in it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "train/train_private.h"
#include "tributary/internal/alloc.h"
#include "tributary/version.h"

enum { IDENTITIES = 5, HASH_TEXT = 24, LISTED = 240 };

/* ---- what decides about bits beside the options ---- */

static uint64_t add(uint64_t hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; ++i) hash = (hash ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
    return hash;
}

static uint64_t add_text(uint64_t hash, const char *text)
{
    return add(hash, text ? text : "", text ? strlen(text) + 1 : 1);
}

/* Which ops there are, what computes them, and in which chunks of a batch. Threads and streams do not count. */
static uint64_t hash_plan(const trib_plan *plan)
{
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < plan->op_count; ++i) {
        const trib_plan_op *op = &plan->ops[i];
        const int numbers[] = {
            (int)op->desc.kind,        op->desc.chunk,           op->desc.relu,          op->desc.accumulate,
            (int)op->desc.before.kind, (int)op->desc.after.kind, (int)op->desc.precision
        };
        hash = add_text(hash, op->name);
        hash = add_text(hash, op->implementation);
        hash = add(hash, numbers, sizeof numbers);
    }
    return hash;
}

/* With regions, of their classes and windows, too. */
static uint64_t hash_data(const trib_train *t)
{
    uint64_t hash = trib_training_set_hash(t->set);
    if (!t->o.boxes) return hash;
    const uint64_t windows = trib_training_windows_hash(t->boxes.windows);
    for (int i = 0; i < t->boxes.classes; ++i) hash = add_text(hash, t->boxes.labels[i]);
    return add(hash, &windows, sizeof windows);
}

typedef struct settings {
    trib_run_setting *items;
    int count;
    char data[HASH_TEXT], plan[HASH_TEXT];
} settings;

static trib_status collect(const trib_train *t, settings *s)
{
    const trib_device_info *info = trib_device_get_info(t->device);
    s->items = trib_alloc_zeroed((size_t)t->o.setting_count + IDENTITIES, sizeof *s->items);
    if (!s->items) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the settings of a run");
    for (int i = 0; i < t->o.setting_count; ++i) s->items[s->count++] = t->o.settings[i];
    snprintf(s->data, sizeof s->data, "%016" PRIx64, hash_data(t));
    snprintf(s->plan, sizeof s->plan, "%016" PRIx64, hash_plan(trib_trainer_plan(t->trainer)));
    s->items[s->count++] = (trib_run_setting) { "data hash", s->data, 0 };
    s->items[s->count++] = (trib_run_setting) { "program version", trib_version(), 0 };
    s->items[s->count++] = (trib_run_setting) { "library", info->library, 0 };
    s->items[s->count++] = (trib_run_setting) { "instruction set", info->instructions, 0 };
    s->items[s->count++] = (trib_run_setting) { "hash of implementations", s->plan, 0 };
    return trib_success();
}

/* ---- differences ---- */

static bool is_harmless(const trib_train *t, const char *line)
{
    for (const char *const *name = t->o.harmless; name && *name; ++name) {
        size_t length = strlen(*name);
        if (strncmp(line, *name, length) == 0 && line[length] == ':') return true;
    }
    return false;
}

/* Lines that matter go to `serious`, with "; " between them. */
static void sort_differences(const trib_train *t, char *lines, trib_text *serious)
{
    for (char *end; (end = strchr(lines, '\n')); lines = end + 1) {
        *end = '\0';
        if (is_harmless(t, lines)) continue;
        if (serious->size) trib_text_add(serious, "; ");
        trib_text_add(serious, lines);
    }
}

static trib_status judge(trib_train *t, const trib_text *serious)
{
    if (serious->failed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to compare settings");
    if (!serious->size) return trib_success();
    if (!t->o.resume_anyway)
        return TRIB_ERROR(
            TRIB_INVALID_ARGUMENT,
            "%.80s: resuming would not continue this run bit for bit: %.*s%s; undo the change, or resume it anyway",
            t->o.folder, LISTED, serious->bytes, serious->size > LISTED ? " ..." : "");
    trib_train_say(t, "note: resumed with changes, so from here on results differ: %s", serious->bytes);
    return trib_success();
}

static trib_status check_settings(trib_train *t, const settings *s)
{
    trib_text lines = { 0 }, serious = { 0 };
    trib_status status = trib_run_folder_compare_args(t->folder, s->items, s->count, &lines);
    bool changed = lines.size > 0;
    if (!trib_failed(&status) && changed) sort_differences(t, lines.bytes, &serious);
    if (!trib_failed(&status)) status = judge(t, &serious);
    if (!trib_failed(&status) && changed)
        status = trib_run_folder_write_args(t->folder, t->o.command, t->o.command_words, s->items, s->count);
    trib_text_free(&lines);
    trib_text_free(&serious);
    return status;
}

/* One message for each line. */
static void say_passed_over(trib_train *t, char *lines)
{
    for (char *end; lines && (end = strchr(lines, '\n')); lines = end + 1) {
        *end = '\0';
        trib_train_say(t, "warning: passed over %s", lines);
    }
}

static trib_status restore_newest(trib_train *t)
{
    trib_text passed_over = { 0 };
    trib_checkpoint *checkpoint = NULL;
    trib_status s = trib_run_folder_newest(t->folder, &passed_over, &checkpoint);
    if (!trib_failed(&s)) say_passed_over(t, passed_over.bytes); /* else the first of them is the failure's reason */
    trib_text_free(&passed_over);
    if (trib_failed(&s)) return s;
    if (!checkpoint) return trib_success();
    s = trib_train_restore(t, checkpoint);
    trib_add_context(&s, "%s: checkpoint of step %" PRId64, t->o.folder, trib_run_step(checkpoint));
    trib_checkpoint_close(checkpoint);
    if (!trib_failed(&s)) s = trib_run_folder_set_names(t->folder, t->state.step, t->state.is_best);
    if (trib_failed(&s)) return s;
    t->saved = t->state.step;
    trib_train_say(t, "resumed after step %" PRId64 " of %" PRId64, t->state.step, t->steps);
    return trib_success();
}

static void say_order(trib_train *t)
{
    const trib_plan *plan = trib_trainer_plan(t->trainer);
    if (!t->o.plan.any_order) return;
    if (plan->any_order_ops)
        trib_train_say(t,
                       "note: %d of %d ops may sum in any order: repeated or resumed, this run does not have the same "
                       "bits",
                       plan->any_order_ops, plan->op_count);
    else
        trib_train_say(t, "note: the device has nothing that is faster in another order of sums: bits stay the same");
}

trib_status trib_train_open_folder(trib_train *t)
{
    settings s = { 0 };
    trib_status status = collect(t, &s);
    bool is_new = trib_run_folder_is_new(t->folder);
    say_order(t);
    if (!trib_run_folder_is_locked(t->folder))
        trib_train_say(t, "warning: %s cannot be locked: let no other process use it", t->o.folder);
    if (!trib_failed(&status))
        status = is_new ? trib_run_folder_write_args(t->folder, t->o.command, t->o.command_words, s.items, s.count)
                        : check_settings(t, &s);
    trib_free(s.items);
    if (!trib_failed(&status) && !is_new) status = restore_newest(t);
    return status;
}
