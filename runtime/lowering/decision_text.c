/* SPDX-License-Identifier: Apache-2.0
 * Explains the choice of an op's implementation. */
#include <stdarg.h>
#include <stdio.h>

#include "lowering/candidates.h"

enum { RIVALS_NAMED = 3 }; /* unmeasured candidates are listed by name only, and not all of them */

/* A text that is cut off at the end of its buffer. */
typedef struct line {
    char text[1024];
    size_t used;
} line;

TRIB_PRINTF(2, 3)
static void say(line *l, const char *format, ...)
{
    va_list arguments;
    if (l->used >= sizeof l->text) return;
    va_start(arguments, format);
    int more = vsnprintf(l->text + l->used, sizeof l->text - l->used, format, arguments);
    va_end(arguments);
    if (more > 0) l->used += (size_t)more;
}

static void say_candidate(line *l, const trib_candidates *c, const trib_decision *d, int i)
{
    const trib_measurement *m = &d->measured[i];
    say(l, "%s", c->list[i].name);
    if (m->ns) say(l, " %.4f ms", (double)m->ns * 1e-6);
    if (m->noise) say(l, " +-%.4f", (double)m->noise * 0.5e-6);
}

static void say_taken(line *l, const trib_candidates *c, const trib_decision *d)
{
    const char *note = c->list[d->best].note;
    say_candidate(l, c, d, d->best);
    if (note) say(l, " (%s)", note);
    if (d->best != d->fastest)
        say(l, " (as fast as the fastest within noise, and %lld bytes of workspace instead of %lld)",
            (long long)c->list[d->best].workspace_bytes, (long long)c->list[d->fastest].workspace_bytes);
}

static void say_rivals(line *l, const trib_candidates *c, const trib_decision *d)
{
    int named = 0, unnamed = 0;
    for (int i = 0; i < c->count; ++i) {
        if (i == d->best) continue;
        if (!d->measured[i].ns && named >= RIVALS_NAMED) {
            ++unnamed;
            continue;
        }
        say(l, "%s", named++ ? ", " : "; not ");
        say_candidate(l, c, d, i);
    }
    if (unnamed) say(l, " and %d more", unnamed);
}

const char *trib_decision_text(trib_strings *strings, const trib_candidates *c, const trib_decision *d)
{
    line why = { .used = 0 };
    say_taken(&why, c, d);
    say_rivals(&why, c, d);
    return trib_strings_format(strings, "%s: %s", d->how, why.text);
}
