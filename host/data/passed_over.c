/* SPDX-License-Identifier: Apache-2.0 */
#include "data/passed_over.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "data/file.h"

static const char other[] = "other", hidden[] = "hidden", apple_double[] = "._*";

/* ---- counting ---- */

void trib_pass_over(trib_passed_list *list, const char *kind)
{
    int at = 0, order = 1;
    while (at < list->count && (order = strcmp(kind, list->kinds[at].kind)) > 0) ++at;
    if (at == list->count || order != 0) {
        /* The last place is for "other". */
        if (list->count >= TRIB_MAX_PASSED_KINDS - 1 && strcmp(kind, other) != 0) {
            trib_pass_over(list, other);
            return;
        }
        memmove(list->kinds + at + 1, list->kinds + at, (size_t)(list->count - at) * sizeof *list->kinds);
        memset(&list->kinds[at], 0, sizeof *list->kinds);
        memcpy(list->kinds[at].kind, kind, strnlen(kind, sizeof list->kinds[at].kind - 1));
        ++list->count;
    }
    ++list->kinds[at].count;
}

void trib_pass_over_file(trib_passed_list *list, const char *name)
{
    char kind[8];
    const char *dot = strrchr(trib_base_name(name), '.');
    size_t length = dot ? strlen(dot) : 0;
    bool usual = length >= 2 && length < sizeof kind;
    for (size_t i = 0; usual && i <= length; ++i) {
        kind[i] = (char)tolower((unsigned char)dot[i]);
        usual = i == 0 || i == length || (isascii((unsigned char)dot[i]) && isalnum((unsigned char)dot[i]));
    }
    trib_pass_over(list, usual ? kind : other);
}

void trib_passed_over_text(const trib_passed_over *kinds, int count, char *text, size_t size)
{
    size_t used = 0;
    if (size) *text = '\0';
    for (int i = 0; i < count && used < size; ++i) {
        int n = snprintf(text + used, size - used, "%s%" PRId64 " %s", i ? ", " : "", kinds[i].count, kinds[i].kind);
        used += n > 0 ? (size_t)n : 0;
    }
}

/* ---- names ---- */

/* System files; `archived`: also found in archives that people make of their folders. */
static const struct {
    const char *name;
    bool archived;
} litter[] = {
    { "__MACOSX", true },    { "Thumbs.db", true },     { "desktop.ini", true }, { "@eaDir", true },
    { "lost+found", false }, { "$RECYCLE.BIN", false }, { "#recycle", false },   { "System Volume Information", false },
};

/* One part of a path. */
static const char *unwanted_part(const char *part, size_t length, bool listed)
{
    if (length > 2 && strncmp(part, "._", 2) == 0) return apple_double;
    bool dots = (length == 1 && *part == '.') || (length == 2 && strncmp(part, "..", 2) == 0);
    if (!listed && length && *part == '.' && !dots) return hidden;
    for (size_t i = 0; i < sizeof litter / sizeof *litter; ++i) {
        bool same = strlen(litter[i].name) == length && strncasecmp(part, litter[i].name, length) == 0;
        if (same && (litter[i].archived || !listed)) return litter[i].name;
    }
    return NULL;
}

static const char *unwanted(const char *path, bool listed)
{
    const char *kind = NULL;
    for (size_t length; !kind && *path; path += length + (path[length] == '/')) {
        length = strcspn(path, "/");
        kind = unwanted_part(path, length, listed);
    }
    return kind;
}

const char *trib_unwanted(const char *path) { return unwanted(path, false); }

const char *trib_unwanted_in_list(const char *path) { return unwanted(path, true); }
