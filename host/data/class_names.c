/* SPDX-License-Identifier: Apache-2.0
 * Names of class folders as people write them: "T-shirt%2Ftop", "007". */
#include <stdlib.h>
#include <string.h>

#include "data/input.h"

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) % 16 : -1;
}

bool trib_decode_class_name(char *name)
{
    char *to = name;
    for (const char *from = name; *from; ++from, ++to) {
        int high = *from == '%' ? hex_digit(from[1]) : -1, low = high >= 0 ? hex_digit(from[2]) : -1;
        bool byte = low >= 0 && high + low > 0; /* a zero byte would end the name */
        *to = byte ? (char)(high * 16 + low) : *from;
        if (byte) from += 2;
    }
    bool changed = *to != '\0';
    *to = '\0';
    return changed;
}

int trib_class_index(const char *name, int limit)
{
    size_t digits = strspn(name, "0123456789");
    if (digits == 0 || digits > 9 || name[digits] != '\0') return -1;
    int index = atoi(name);
    return index < limit ? index : -1;
}
