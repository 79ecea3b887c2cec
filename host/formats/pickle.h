/* SPDX-License-Identifier: Apache-2.0
 * Python's pickles, read as data.
 *
 * A pickle is a program for a small stack machine, and what it calls may be anything that Python can import. Here
 * nothing is imported or called: a name is two strings, and a call is a value that holds the name and the arguments.
 * Whoever looks for tensors compares names.
 *
 *     trib_pickle pickle = { 0 };
 *     TRIB_TRY(trib_pickle_read(bytes, size, &pickle));
 *     ... trib_pickle_at(&pickle, pickle.result) ...
 *     trib_pickle_free(&pickle);
 *
 * Values are referred to by index. Each opcode makes at most one, containers hold indices, and nothing is recursive: a
 * reader's memory is a multiple of the pickle's size, whatever is in it. Containers may contain themselves. */
#ifndef TRIBUTARY_FORMATS_PICKLE_H
#define TRIBUTARY_FORMATS_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum trib_pickle_kind {
    TRIB_PICKLE_NONE,
    TRIB_PICKLE_BOOL,
    TRIB_PICKLE_INTEGER,
    TRIB_PICKLE_LONG, /* an integer of more than 64 bits: text, little-endian */
    TRIB_PICKLE_FLOAT,
    TRIB_PICKLE_STRING, /* text; may have any bytes, zeros included */
    TRIB_PICKLE_BYTES,  /* text */
    TRIB_PICKLE_TUPLE,
    TRIB_PICKLE_LIST,
    TRIB_PICKLE_DICT,     /* also OrderedDict and defaultdict */
    TRIB_PICKLE_SET,      /* its items are not kept */
    TRIB_PICKLE_NAME,     /* a class or function */
    TRIB_PICKLE_CALL,     /* what a call of a name would have made */
    TRIB_PICKLE_REFERENCE /* what is stored outside of the pickle under `id` */
} trib_pickle_kind;

typedef struct trib_pickle_value {
    uint8_t kind;   /* trib_pickle_kind */
    uint8_t nested; /* containers inside each other, this one included */
    uint32_t count; /* bytes of text; items of a container; twice the pairs of a dict */
    union {
        int64_t integer; /* also a bool's */
        double number;
        const char *text; /* in the pickle's bytes */
        struct {
            uint32_t first, last; /* parts */
            uint32_t source;      /* of a dict: a list of pairs that come first; 0: none */
        } items;
        struct {
            uint32_t module, name; /* strings */
        } global;
        struct {
            uint32_t callee;    /* a name */
            uint32_t arguments; /* a tuple */
            uint32_t state;     /* what BUILD adds; 0: nothing */
        } call;
        uint32_t id;
    } as;
} trib_pickle_value;

/* Items that were added together. */
typedef struct trib_pickle_part {
    uint32_t first, count, next; /* next 0: none */
} trib_pickle_part;

/* Zero-initialise. */
typedef struct trib_pickle {
    trib_pickle_value *values;
    trib_pickle_part *parts;
    uint32_t *items;
    size_t count, capacity, part_count, part_capacity, item_count, item_capacity;
    uint32_t result;
    size_t used;    /* bytes up to its end */
    bool cut_short; /* after a failure: there are too few bytes */
} trib_pickle;

/* The value that every pickle has as its first: None. */
enum { TRIB_PICKLE_NOTHING = 0 };

/* Reads one pickle of protocol 2 to 5, or what Python 2 wrote with protocol 2, from the beginning of `bytes`, which
 * must outlive it and be followed by a zero byte. Fails for a pickle that calls what no file of weights needs, such as
 * os.system: a courtesy to whoever would open it with another program. Free *out in any case. */
trib_status trib_pickle_read(const void *bytes, size_t size, trib_pickle *out);
void trib_pickle_free(trib_pickle *pickle);

static inline const trib_pickle_value *trib_pickle_at(const trib_pickle *pickle, uint32_t index)
{
    return &pickle->values[index];
}
static inline trib_pickle_kind trib_pickle_kind_of(const trib_pickle *pickle, uint32_t index)
{
    return (trib_pickle_kind)pickle->values[index].kind;
}

/* Item `i` of a tuple; TRIB_PICKLE_NOTHING if it is none, or has fewer. */
uint32_t trib_pickle_item(const trib_pickle *pickle, uint32_t tuple, uint32_t i);
bool trib_pickle_integer(const trib_pickle *pickle, uint32_t value, int64_t *out);
/* Whether it is the string `text`. */
bool trib_pickle_is_text(const trib_pickle *pickle, uint32_t value, const char *text);
/* Whether it is the name `name` of `module`. */
bool trib_pickle_is_name(const trib_pickle *pickle, uint32_t value, const char *module, const char *name);

/* Goes through the items of a tuple or a list, or the pairs of a dict, in order; other values have none. */
typedef struct trib_pickle_walk {
    const trib_pickle *pickle;
    uint32_t part, at;
    uint32_t source_part, source_at; /* of a dict that begins with a list */
} trib_pickle_walk;
trib_pickle_walk trib_pickle_walk_over(const trib_pickle *pickle, uint32_t container);
bool trib_pickle_next(trib_pickle_walk *walk, uint32_t *item);
bool trib_pickle_next_pair(trib_pickle_walk *walk, uint32_t *key, uint32_t *value);

/* Text for messages: what is unprintable becomes '?', and only the beginning of a long one stands. */
typedef struct trib_pickle_text {
    char text[100];
} trib_pickle_text;
trib_pickle_text trib_pickle_show(const trib_pickle *pickle, uint32_t value); /* a string, or "module.name" */

#ifdef __cplusplus
}
#endif
#endif
