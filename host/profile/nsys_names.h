/* SPDX-License-Identifier: Apache-2.0
 * The texts of a report: most rows have a number in place of a text, and only texts that are used are read. */
#ifndef TRIBUTARY_PROFILE_NSYS_NAMES_H
#define TRIBUTARY_PROFILE_NSYS_NAMES_H

#include "profile/nsys_database.h"
#include "profile/nsys_map.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longer texts are cut off here. */
enum { TRIB_NSYS_NAME_SIZE = 512 };

typedef struct trib_nsys_name {
    int64_t id;     /* in StringIds; of no meaning for others */
    char *text;     /* NULL: not known */
    uint32_t first; /* the first name of the same text, once they are resolved */
} trib_nsys_name;

typedef struct trib_nsys_names {
    trib_nsys_name *items;
    size_t count, capacity;
    trib_nsys_map ids, texts;
} trib_nsys_names;

trib_status trib_nsys_name_of_id(trib_nsys_names *names, int64_t id, uint32_t *out);
trib_status trib_nsys_name_of_text(trib_nsys_names *names, const char *text, uint32_t *out);
/* Reads StringIds once; afterwards `first` is equal where texts are. */
trib_status trib_nsys_names_resolve(trib_nsys_names *names, trib_nsys_database *database);
/* Never NULL. */
const char *trib_nsys_name_text(const trib_nsys_names *names, uint32_t name);
/* The first name with this text, or TRIB_NSYS_NONE. */
uint32_t trib_nsys_name_find(const trib_nsys_names *names, const char *text);
void trib_nsys_names_release(trib_nsys_names *names);

#ifdef __cplusplus
}
#endif
#endif
