/* SPDX-License-Identifier: Apache-2.0 */
#include "data/sample.h"

#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "tributary/internal/alloc.h"

enum { MAX_HELD = 256 };

/* ---- names ---- */

/* Length of the part of a member's name that is common to its sample. */
static size_t key_length(const char *member)
{
    const char *base = trib_base_name(member);
    return (size_t)(base - member) + strcspn(base, ".");
}

/* Length of a member's name without its last extension. */
static size_t stem_length(const char *member)
{
    const char *dot = strrchr(trib_base_name(member), '.');
    return dot ? (size_t)(dot - member) : strlen(member);
}

static bool is_label_of(const trib_sample_label *label, const char *member, size_t stem)
{
    return label->stem && strlen(label->stem) == stem && strncmp(label->stem, member, stem) == 0;
}

static void clear_label(trib_sample_label *label)
{
    trib_free(label->stem);
    *label = (trib_sample_label) { .value = TRIB_NO_LABEL };
}

/* ---- labels of what is held ---- */

static void drop_data(trib_item *item, const trib_status *reason)
{
    trib_free(item->bytes);
    item->bytes = NULL;
    item->size = 0;
    item->status = *reason;
}

static void settle(trib_sample *s, trib_held_item *held, const trib_sample_label *label)
{
    held->settled = true;
    ++s->settled;
    if (!label || trib_failed(&held->item.status)) return;
    held->item.label = label->value;
    if (trib_failed(&label->problem)) drop_data(&held->item, &label->problem);
}

/* A label of the item's own name is final; that of the whole sample may be replaced by a better one. */
static void settle_by_own_label(trib_sample *s, trib_held_item *held)
{
    const char *member = held->item.name + held->member;
    size_t stem = stem_length(member);
    if (trib_failed(&held->item.status))
        settle(s, held, NULL);
    else if (is_label_of(&s->latest, member, stem))
        settle(s, held, &s->latest);
    else if (is_label_of(&s->whole, member, stem))
        settle(s, held, &s->whole);
}

static trib_status no_label(const trib_held_item *held)
{
    const char *member = held->item.name + held->member, *base = trib_base_name(member);
    trib_short_name name = trib_shorten(held->item.name);
    int key = (int)strcspn(base, "."), stem = (int)stem_length(base);
    if (key > 60 || stem > 60)
        return TRIB_ERROR(TRIB_NOT_FOUND, "%s: has no label: there is no .cls member beside it", name.text);
    if (key == stem)
        return TRIB_ERROR(TRIB_NOT_FOUND, "%s: has no label: there is no %.*s.cls beside it", name.text, key, base);
    return TRIB_ERROR(TRIB_NOT_FOUND,
                      "%s: has no label: there is no %.*s.cls or %.*s.cls beside it (members belong together up to the "
                      "first dot of their names)",
                      name.text, stem, base, key, base);
}

static void settle_rest(trib_sample *s)
{
    for (size_t i = s->given; i < s->count; ++i) {
        trib_held_item *held = &s->held[i];
        if (held->settled) continue;
        if (s->whole.stem) {
            settle(s, held, &s->whole);
        } else {
            settle(s, held, NULL);
            trib_status reason = no_label(held);
            drop_data(&held->item, &reason);
        }
    }
}

/* ---- the sample ---- */

trib_status trib_sample_enter(trib_sample *s, const char *member, bool *entered)
{
    size_t length = key_length(member);
    *entered = !s->need_labels || (s->key && strlen(s->key) == length && strncmp(s->key, member, length) == 0);
    if (*entered) return trib_success();
    if (s->count) {
        trib_sample_end(s);
        return trib_success();
    }
    char *key = trib_strdup(member);
    if (!key) return trib_no_memory(member);
    key[length] = '\0';
    trib_free(s->key);
    s->key = key;
    clear_label(&s->whole);
    clear_label(&s->latest);
    s->over = false;
    *entered = true;
    return trib_success();
}

trib_status trib_sample_hold(trib_sample *s, trib_item *item, const char *member)
{
    if (trib_grow((void **)&s->held, &s->capacity, s->count + 1, sizeof *s->held)) {
        trib_item_release(item);
        return trib_no_memory("a sample");
    }
    trib_held_item *held = &s->held[s->count++];
    *held = (trib_held_item) { .item = *item };
    s->bytes += item->size;
    if (!s->need_labels || !member) {
        settle(s, held, NULL);
    } else {
        held->member = strlen(held->item.name) - strlen(member);
        settle_by_own_label(s, held);
    }
    if (s->count >= MAX_HELD || s->bytes >= s->most_bytes) trib_sample_end(s);
    return trib_success();
}

trib_status trib_sample_set_label(trib_sample *s, const char *member, int value, const trib_status *problem)
{
    size_t stem = stem_length(member);
    trib_sample_label *label = stem == key_length(member) ? &s->whole : &s->latest;
    char *copy = trib_strdup(member);
    if (!copy) return trib_no_memory(member);
    copy[stem] = '\0';
    clear_label(label);
    *label = (trib_sample_label) { copy, value, *problem };
    for (size_t i = s->given; i < s->count; ++i) {
        if (!s->held[i].settled) settle_by_own_label(s, &s->held[i]);
    }
    return trib_success();
}

void trib_sample_end(trib_sample *s)
{
    settle_rest(s);
    s->over = true;
}

bool trib_sample_take(trib_sample *s, trib_item *item)
{
    if (!s->count || (!s->over && s->settled < s->count)) return false;
    *item = s->held[s->given++].item;
    if (s->given == s->count) {
        s->given = s->count = s->bytes = s->settled = 0;
        s->over = false;
    }
    return true;
}

void trib_sample_free(trib_sample *s)
{
    for (size_t i = s->given; i < s->count; ++i) trib_item_release(&s->held[i].item);
    trib_free(s->held);
    trib_free(s->key);
    clear_label(&s->whole);
    clear_label(&s->latest);
}
