/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/stages.h"

#include <string.h>

#include "tributary/plan.h"

/* ---- reading ---- */

/* A stage: at least one digit, not all of them zero. Returns the text behind it, or NULL. */
static const char *read_stage(const char *text, trib_stages *s)
{
    const int length = (int)strspn(text, "0123456789");
    int *layers = s->layers[s->count], any = 0;
    if (length < 1 || length > TRIB_MAX_STAGED_BRANCHES || s->count == TRIB_MAX_STAGES) return NULL;
    if (s->count && length != s->branches) return NULL;
    s->branches = length;
    for (int b = 0; b < length; ++b) any |= layers[b] = text[b] - '0';
    ++s->count;
    return any ? text + length : NULL;
}

/* Up to ':' or the end. Returns the text behind, or NULL. */
static const char *read_stages(const char *text, trib_stages *s)
{
    memset(s, 0, sizeof *s);
    while ((text = read_stage(text, s)) && (*text == '-' || *text == '/')) {
        if (s->count < TRIB_MAX_STAGES) s->barrier[s->count] = *text == '/';
        ++text;
    }
    return text;
}

static void reverse(trib_stages *s)
{
    const trib_stages forward = *s;
    for (int i = 0; i < s->count; ++i) {
        memcpy(s->layers[i], forward.layers[s->count - 1 - i], sizeof s->layers[i]);
        s->barrier[i] = i > 0 && forward.barrier[s->count - i];
    }
}

/* Every branch keeps its stream, so that nothing need wait; the others take the lowest that are free. */
static void place_stage(trib_stages *s, int stage, int *last)
{
    bool taken[TRIB_MAX_STAGED_BRANCHES] = { false };
    signed char *slot = s->slot[stage];
    for (int b = 0; b < s->branches; ++b) {
        slot[b] = -1;
        if (!s->layers[stage][b] || last[b] < 0 || taken[last[b]]) continue;
        slot[b] = (signed char)last[b];
        taken[last[b]] = true;
    }
    for (int b = 0; b < s->branches; ++b) {
        int lowest = 0;
        if (!s->layers[stage][b]) continue;
        while (taken[lowest]) ++lowest;
        if (slot[b] < 0) slot[b] = (signed char)lowest;
        taken[(int)slot[b]] = true;
        last[b] = slot[b];
        if (slot[b] >= s->slots) s->slots = slot[b] + 1;
    }
}

bool trib_stages_read(const char *text, bool backward, trib_stages *out)
{
    trib_stages own;
    int last[TRIB_MAX_STAGED_BRANCHES];
    const char *rest = read_stages(text, out);
    if (!rest || (*rest && *rest != ':')) return false;
    if (*rest) {
        const char *end = read_stages(rest + 1, &own);
        if (!end || *end || own.branches != out->branches) return false;
    }
    if (backward && *rest) *out = own;
    if (backward && !*rest) reverse(out);
    for (int b = 0; b < out->branches; ++b) last[b] = -1;
    for (int i = 0; i < out->count; ++i) place_stage(out, i, last);
    return true;
}

bool trib_fork_schedule_read(const char *text, trib_schedule *schedule, const char **stages)
{
    trib_stages s;
    const size_t word = strcspn(text, ":");
    const bool fused = strlen(trib_schedule_name(TRIB_FUSED)) == word && text[word] &&
                       !strncmp(text, trib_schedule_name(TRIB_FUSED), word);
    const int fixed = trib_schedule_find(text);
    *stages = fixed >= 0 ? NULL : fused ? text + word + 1 : text;
    *schedule = fixed >= 0 ? (trib_schedule)fixed : fused ? TRIB_FUSED : TRIB_BRANCHES;
    return fixed >= 0 || trib_stages_read(*stages, false, &s);
}

/* ---- asking ---- */

int trib_stages_layers(const trib_stages *s, int branch)
{
    int layers = 0;
    for (int i = 0; i < s->count; ++i) layers += s->layers[i][branch];
    return layers;
}

trib_stage_place trib_stages_find(const trib_stages *s, int branch, int layer)
{
    trib_stage_place place = { 0 };
    int before = s->layers[0][branch];
    while (before <= layer && place.stage + 1 < s->count) {
        before += s->layers[++place.stage][branch];
        place.level += s->barrier[place.stage];
    }
    place.slot = s->slot[place.stage][branch] < 0 ? 0 : s->slot[place.stage][branch];
    for (int b = 0; b < s->branches; ++b) place.width += s->layers[place.stage][b] > 0;
    return place;
}

size_t trib_stages_text(const trib_stages *s, char *text, size_t size)
{
    size_t used = 0;
    for (int i = 0; i < s->count; ++i)
        for (int b = -1; b < s->branches; ++b) {
            if (b < 0 && !i) continue;
            const char c = b < 0 ? (s->barrier[i] ? '/' : '-') : (char)('0' + s->layers[i][b]);
            if (used + 1 < size) text[used] = c;
            ++used;
        }
    if (size) text[used < size ? used : size - 1] = '\0';
    return used;
}
