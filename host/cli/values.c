/* SPDX-License-Identifier: Apache-2.0 */
#include "values.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tributary/internal/alloc.h"

bool cli_texts_add(cli_texts *texts, const char *text, size_t length)
{
    char *copy = trib_alloc(length + 1);
    char **grown = copy ? trib_realloc_array(texts->items, (size_t)texts->count + 1, sizeof *grown) : NULL;
    if (!grown) {
        trib_free(copy);
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    texts->items = grown;
    grown[texts->count++] = copy;
    return true;
}

void cli_texts_release(cli_texts *texts)
{
    for (int i = 0; i < texts->count; ++i) trib_free(texts->items[i]);
    trib_free(texts->items);
    *texts = (cli_texts) { 0 };
}

void cli_ints_release(cli_ints *ints)
{
    trib_free(ints->items);
    *ints = (cli_ints) { 0 };
}

/* Reads a whole number that ends at `*end`. */
static bool read_int(const char *text, const cli_option *o, const char **end, int *out)
{
    char *stop;
    errno = 0;
    long long value = strtoll(text, &stop, 10);
    if (stop == text || errno || (double)value < o->low || (double)value > o->high) return false;
    *end = stop;
    *out = (int)value;
    return true;
}

static bool read_real(const char *text, const char **end, double *out)
{
    char *stop;
    double value = strtod(text, &stop);
    if (stop == text || !isfinite(value)) return false;
    *end = stop;
    *out = value;
    return true;
}

/* `kilo`: 1024 or 1000. */
static bool read_large(const char *text, double kilo, int64_t *out)
{
    const char *end;
    double value;
    if (!read_real(text, &end, &value) || !(value > 0)) return false;
    switch (*end) {
    case 'K': value *= kilo, ++end; break;
    case 'M': value *= kilo * kilo, ++end; break;
    case 'G': value *= kilo * kilo * kilo, ++end; break;
    }
    if (*end || value < 1 || value >= 9e18) return false;
    *out = (int64_t)value;
    return true;
}

static bool read_triple(const char *text, cli_triple *out)
{
    cli_triple triple = { .given = true };
    for (int i = 0; i < 3; ++i) {
        double value;
        if (!read_real(text, &text, &value) || !(fabs(value) <= FLT_MAX) || *text != (i < 2 ? ',' : '\0')) return false;
        triple.values[i] = (float)value;
        ++text;
    }
    *out = triple;
    return true;
}

static bool read_choice(const char *words, const char *text, size_t wanted, int *out)
{
    for (int i = 0;; ++i) {
        size_t length = strcspn(words, "|");
        if (length == wanted && strncmp(words, text, length) == 0) {
            *out = i;
            return true;
        }
        if (!words[length]) return false;
        words += length + 1;
    }
}

static cli_value_result read_texts(const char *text, cli_texts *out)
{
    for (;;) {
        size_t length = strcspn(text, ",");
        if (length == 0) return CLI_VALUE_BAD;
        if (!cli_texts_add(out, text, length)) return CLI_VALUE_NO_MEMORY;
        if (!text[length]) return CLI_VALUE_GOOD;
        text += length + 1;
    }
}

static cli_value_result add_int(cli_ints *out, int value)
{
    int *grown = trib_realloc_array(out->items, (size_t)out->count + 1, sizeof *grown);
    if (!grown) return CLI_VALUE_NO_MEMORY;
    out->items = grown;
    grown[out->count++] = value;
    return CLI_VALUE_GOOD;
}

static cli_value_result read_choices(const char *text, const char *words, cli_ints *out)
{
    for (;;) {
        size_t length = strcspn(text, ",");
        int value;
        if (!read_choice(words, text, length, &value)) return CLI_VALUE_BAD;
        cli_value_result result = add_int(out, value);
        if (result != CLI_VALUE_GOOD || !text[length]) return result;
        text += length + 1;
    }
}

static cli_value_result read_ints(const char *text, const cli_option *o, cli_ints *out)
{
    for (;;) {
        int value;
        if (!read_int(text, o, &text, &value) || (*text && *text != ',')) return CLI_VALUE_BAD;
        cli_value_result result = add_int(out, value);
        if (result != CLI_VALUE_GOOD || !*text++) return result;
    }
}

static void say_expected(const cli_option *o, char *expected, size_t size)
{
    switch (o->kind) {
    case CLI_INT: snprintf(expected, size, "a whole number from %.0f to %.0f", o->low, o->high); break;
    case CLI_REAL: snprintf(expected, size, "a number above %g, at most %g", o->low, o->high); break;
    case CLI_AMOUNT: snprintf(expected, size, "a number from %g to %g", o->low, o->high); break;
    case CLI_BYTES: snprintf(expected, size, "a number of bytes above 0, such as 512M or 2G"); break;
    case CLI_COUNT: snprintf(expected, size, "a number above 0, such as 500M or 2G"); break;
    case CLI_TRIPLE: snprintf(expected, size, "three numbers with commas between, such as 0.5,0.5,0.5"); break;
    case CLI_INTS:
        snprintf(expected, size, "whole numbers from %.0f to %.0f with commas between", o->low, o->high);
        break;
    case CLI_TEXTS: snprintf(expected, size, "names with commas between"); break;
    case CLI_SCHEDULE_LIST:
    case CLI_SCHEDULES:
        snprintf(expected, size,
                 "auto, serial, branches or fused, and for single forks FORK=SCHEDULE or FORK=STAGES, such as "
                 "inception_3a=1110-0112, with commas between");
        break;
    case CLI_CHOICE:
    case CLI_CHOICES: {
        size_t used = 0;
        for (const char *word = o->value; used + 1 < size; ++word) {
            int length = (int)strcspn(word, "|");
            const char *last = o->kind == CLI_CHOICES ? " and " : " or ";
            const char *between = used == 0 ? "" : word[length] ? ", " : last;
            used += (size_t)snprintf(expected + used, size - used, "%s%.*s", between, length, word);
            word += length;
            if (!*word) break;
        }
        break;
    }
    default: snprintf(expected, size, "a text that is not empty"); break;
    }
}

cli_value_result cli_read_value(const cli_option *o, const char *text, void *target, char *expected, size_t size)
{
    const char *end = "";
    int whole;
    double real;
    cli_value_result result = CLI_VALUE_BAD;
    bool good = false;
    switch (o->kind) {
    case CLI_FLAG: break; /* takes no value */
    case CLI_INT:
        good = read_int(text, o, &end, &whole) && !*end;
        if (good) *(int *)target = whole;
        break;
    case CLI_REAL:
        good = read_real(text, &end, &real) && !*end && real > o->low && real <= o->high;
        if (good) *(double *)target = real;
        break;
    case CLI_AMOUNT:
        good = read_real(text, &end, &real) && !*end && real >= o->low && real <= o->high;
        if (good) *(double *)target = real;
        break;
    case CLI_BYTES: good = read_large(text, 1024, target); break;
    case CLI_COUNT: good = read_large(text, 1000, target); break;
    case CLI_TEXT:
    case CLI_FILE_IN:
    case CLI_FILE_OUT:
        good = *text != '\0';
        if (good) *(const char **)target = text;
        break;
    case CLI_TEXTS: result = read_texts(text, target); break;
    case CLI_INTS: result = read_ints(text, o, target); break;
    case CLI_SCHEDULES: result = cli_read_schedules(text, target); break;
    case CLI_TRIPLE: good = read_triple(text, target); break;
    case CLI_CHOICE: good = read_choice(o->value, text, strlen(text), target); break;
    case CLI_CHOICES: result = read_choices(text, o->value, target); break;
    case CLI_SCHEDULE_LIST: result = cli_read_schedule_list(text, target); break;
    }
    if (good) result = CLI_VALUE_GOOD;
    if (result == CLI_VALUE_BAD) say_expected(o, expected, size);
    return result;
}
