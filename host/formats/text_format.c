/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/text_format.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

trib_tf trib_tf_of(const char *text, size_t size) { return (trib_tf) { .at = text, .end = text + size, .line = 1 }; }

static bool fail(trib_tf *tf, const char *problem)
{
    if (!tf->problem) tf->problem = problem;
    return false;
}

/* ---- characters ---- */

static bool more(const trib_tf *tf) { return tf->at < tf->end; }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/* Passes over blanks, comments and separators. */
static void skip_blanks(trib_tf *tf)
{
    for (; more(tf); ++tf->at) {
        if (*tf->at == '#')
            while (more(tf) && *tf->at != '\n') ++tf->at;
        if (!more(tf)) return;
        if (*tf->at == '\n') ++tf->line;
        if (!*tf->at || !strchr(" \t\r\n,;", *tf->at)) return;
    }
}

static bool take(trib_tf *tf, char c)
{
    skip_blanks(tf);
    if (!more(tf) || *tf->at != c) return false;
    ++tf->at;
    return true;
}

static void put(char *text, size_t size, size_t *used, char c)
{
    if (*used + 1 < size) text[(*used)++] = c;
    text[*used] = '\0';
}

/* ---- values ---- */

static void read_word(trib_tf *tf, char *text, size_t size)
{
    size_t used = 0;
    for (text[0] = '\0'; more(tf) && (is_letter(*tf->at) || is_digit(*tf->at) || *tf->at == '.'); ++tf->at)
        put(text, size, &used, *tf->at);
}

static int digit_of(char c, int base)
{
    const int d = is_digit(c)            ? c - '0'
                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                         : 99;
    return d < base ? d : -1;
}

/* \n, \x41, \101 and the like, after the backslash. */
static bool read_escape(trib_tf *tf, char *c)
{
    static const char letters[] = "abfnrtv\\'\"?", meanings[] = "\a\b\f\n\r\t\v\\'\"?";
    if (!more(tf)) return fail(tf, "a string has no closing quote");
    const char *found = *tf->at ? strchr(letters, *tf->at) : NULL;
    const int base = *tf->at == 'x' || *tf->at == 'X' ? 16 : 8;
    if (found || base == 16) ++tf->at;
    if (found) {
        *c = meanings[found - letters];
        return true;
    }
    int value = 0, digits = 0;
    for (; digits < (base == 16 ? 2 : 3) && more(tf) && digit_of(*tf->at, base) >= 0; ++digits)
        value = value * base + digit_of(*tf->at++, base);
    if (!digits) return fail(tf, "a string has an unknown escape after \\");
    *c = (char)value;
    return true;
}

/* Neighbouring strings are one. */
static bool read_string(trib_tf *tf, trib_tf_field *f)
{
    size_t used = 0;
    f->text[0] = '\0';
    for (char quote; skip_blanks(tf), more(tf) && (*tf->at == '"' || *tf->at == '\'');) {
        quote = *tf->at++;
        while (more(tf) && *tf->at != quote) {
            char c = *tf->at++;
            if (c == '\n') return fail(tf, "a string has no closing quote on its line");
            if (c == '\\' && !read_escape(tf, &c)) return false;
            put(f->text, sizeof f->text, &used, c);
        }
        if (!more(tf)) return fail(tf, "a string has no closing quote");
        ++tf->at;
    }
    f->kind = TRIB_TF_STRING;
    return true;
}

static bool read_whole(trib_tf *tf, int base, double *out)
{
    uint64_t value = 0;
    int digits = 0;
    for (; more(tf) && digit_of(*tf->at, base) >= 0; ++tf->at, ++digits) {
        const uint64_t digit = (uint64_t)digit_of(*tf->at, base);
        if (value > (UINT64_MAX - digit) / (uint64_t)base) return fail(tf, "a number has more than 64 bits");
        value = value * (uint64_t)base + digit;
    }
    *out = (double)value;
    return digits > 0 || fail(tf, "a number has no digits");
}

/* Digits with a point and an exponent, whatever the locale. */
static bool read_decimal(trib_tf *tf, double *out)
{
    double value = 0;
    int digits = 0, scale = 0, exponent = 0, sign = 1;
    for (bool fraction = false; more(tf) && (is_digit(*tf->at) || (*tf->at == '.' && !fraction)); ++tf->at) {
        if (*tf->at == '.') {
            fraction = true;
        } else {
            value = value * 10 + (*tf->at - '0');
            ++digits;
            scale += fraction;
        }
    }
    if (!digits) return fail(tf, "a number has no digits");
    if (more(tf) && (*tf->at == 'e' || *tf->at == 'E')) {
        ++tf->at;
        if (more(tf) && (*tf->at == '-' || *tf->at == '+')) sign = *tf->at++ == '-' ? -1 : 1;
        for (digits = 0; more(tf) && is_digit(*tf->at) && digits < 4; ++digits)
            exponent = exponent * 10 + (*tf->at++ - '0');
        if (!digits) return fail(tf, "a number has no exponent after e");
    }
    exponent = sign * exponent - scale;
    *out = exponent < 0 ? value / pow(10, -exponent) : value * pow(10, exponent);
    return isfinite(*out) || fail(tf, "a number is out of range");
}

static bool read_number(trib_tf *tf, trib_tf_field *f)
{
    const bool minus = take(tf, '-');
    skip_blanks(tf);
    const char *begin = tf->at, *point = begin;
    while (point < tf->end && is_digit(*point)) ++point;
    const bool decimal = point < tf->end && *point && strchr(".eE", *point);
    const bool prefixed = tf->end - begin > 1 && begin[0] == '0' && !decimal;
    const bool hex = prefixed && (begin[1] == 'x' || begin[1] == 'X');
    if (hex) tf->at += 2;
    if (!(decimal ? read_decimal(tf, &f->number) : read_whole(tf, hex ? 16 : prefixed ? 8 : 10, &f->number)))
        return false;
    if (more(tf) && (*tf->at == 'f' || *tf->at == 'F')) ++tf->at;
    if (more(tf) && (is_letter(*tf->at) || is_digit(*tf->at))) return fail(tf, "a number is followed by letters");
    if (minus) f->number = -f->number;
    f->kind = TRIB_TF_NUMBER;
    return true;
}

static bool read_value(trib_tf *tf, trib_tf_field *f)
{
    skip_blanks(tf);
    if (!more(tf)) return fail(tf, "a field has no value before the end");
    if (*tf->at == '"' || *tf->at == '\'') return read_string(tf, f);
    if (!is_letter(*tf->at)) return read_number(tf, f);
    read_word(tf, f->text, sizeof f->text);
    f->kind = TRIB_TF_WORD;
    return true;
}

/* ---- messages ---- */

static bool open_message(trib_tf *tf, trib_tf_field *f, char closing)
{
    if (tf->depth == TRIB_TF_DEPTH) return fail(tf, "braces are nested more than 32 deep");
    tf->closing[tf->depth++] = closing;
    f->kind = TRIB_TF_OPEN;
    return true;
}

static bool close_message(trib_tf *tf, trib_tf_field *f)
{
    if (!tf->depth || *tf->at != tf->closing[tf->depth - 1]) return fail(tf, "a brace closes what was not opened");
    ++tf->at;
    --tf->depth;
    f->kind = TRIB_TF_CLOSE;
    f->name[0] = '\0';
    return true;
}

static bool next_of_list(trib_tf *tf, trib_tf_field *f)
{
    if (!read_value(tf, f)) return false;
    if (take(tf, ']')) tf->in_list = false;
    return true;
}

static bool read_field(trib_tf *tf, trib_tf_field *f)
{
    if (!is_letter(*tf->at)) return fail(tf, "a field's name is missing; this is not the text form of a network");
    read_word(tf, f->name, sizeof f->name);
    const bool colon = take(tf, ':');
    if (take(tf, '{')) return open_message(tf, f, '}');
    if (take(tf, '<')) return open_message(tf, f, '>');
    if (!colon) return fail(tf, "a field has neither ':' nor a brace after its name");
    if (!take(tf, '[')) return read_value(tf, f);
    tf->in_list = true;
    return next_of_list(tf, f);
}

bool trib_tf_next(trib_tf *tf, trib_tf_field *f)
{
    if (tf->problem) return false;
    skip_blanks(tf);
    if (tf->in_list) return next_of_list(tf, f);
    if (!more(tf)) return tf->depth ? fail(tf, "the end comes before a closing brace") : false;
    if (*tf->at == '}' || *tf->at == '>') return close_message(tf, f);
    return read_field(tf, f);
}

trib_status trib_tf_end(const trib_tf *tf, const trib_tf_field *field)
{
    if (!tf->problem) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "line %d: %s%s%s%s", tf->line, tf->problem, field->name[0] ? " (at '" : "",
                      field->name, field->name[0] ? "')" : "");
}
