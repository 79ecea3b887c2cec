/* SPDX-License-Identifier: Apache-2.0
 * A large JSON file of lists, one element at a time: its tree would take many times the file's size, and a list of
 * boxes can have more values than formats/json.h accepts at once. */
#ifndef TRIBUTARY_DETECT_JSON_WALK_H
#define TRIBUTARY_DETECT_JSON_WALK_H

#include <stddef.h>

#include "formats/json.h"

typedef struct trib_json_walk {
    const char *bytes;
    size_t size, at;
    const char *name; /* of the file, for messages */
} trib_json_walk;

/* Whether the next value is a list ('['), an object ('{') or something else (0). */
char trib_json_kind(trib_json_walk *walk);
/* Steps into the next value, a list or object. */
void trib_json_enter(trib_json_walk *walk);
/* In an object: the next member's name into *key (trib_json_free), the walk standing at its value; or steps out: *key =
 * NULL. `first`: no member has been read. */
trib_status trib_json_member(trib_json_walk *walk, bool first, cJSON **key);
/* In a list: steps out at its end: *end. Otherwise stands at the next element. */
trib_status trib_json_element(trib_json_walk *walk, bool first, bool *end);
/* Parses the next value as formats/json.h does. */
trib_status trib_json_value(trib_json_walk *walk, cJSON **value);
/* Only finds its end: what is in it may be anything with matching brackets. */
trib_status trib_json_skip(trib_json_walk *walk);
/* Fails unless only space is left. */
trib_status trib_json_at_end(trib_json_walk *walk);
trib_status trib_json_walk_error(const trib_json_walk *walk, const char *what);

#endif
