/* SPDX-License-Identifier: Apache-2.0
 * Protocol buffers as text (.prototxt), field by field, without a schema:
 *
 *     name: "net"  layer { type: 'Pooling' pooling_param < kernel_size: 3 > }  # a comment
 *
 * gives a value, the beginning of a message, a value, the beginning of another, a value, and two ends. */
#ifndef TRIBUTARY_FORMATS_TEXT_FORMAT_H
#define TRIBUTARY_FORMATS_TEXT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_TF_DEPTH = 32, TRIB_TF_TEXT = 256 };

typedef enum trib_tf_kind { TRIB_TF_NUMBER, TRIB_TF_WORD, TRIB_TF_STRING, TRIB_TF_OPEN, TRIB_TF_CLOSE } trib_tf_kind;

typedef struct trib_tf_field {
    trib_tf_kind kind;
    char name[64];           /* cut if longer; empty at the end of a message */
    double number;           /* of a number; NaN and infinity are words */
    char text[TRIB_TF_TEXT]; /* of a word or string, without quotes and escapes; cut if longer */
} trib_tf_field;

typedef struct trib_tf {
    const char *at, *end;
    int line, depth;
    char closing[TRIB_TF_DEPTH]; /* the bracket that ends each open message */
    bool in_list;                /* after '[' and a value: more values of the same field follow */
    const char *problem;         /* NULL: none so far */
} trib_tf;

trib_tf trib_tf_of(const char *text, size_t size);
/* False at the end and at an error. In a list, `field` must still have the name of the value before. */
bool trib_tf_next(trib_tf *tf, trib_tf_field *field);
/* TRIB_BAD_DATA, with the line, if the loop ended at an error. */
trib_status trib_tf_end(const trib_tf *tf, const trib_tf_field *field);

#ifdef __cplusplus
}
#endif
#endif
