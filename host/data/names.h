/* SPDX-License-Identifier: Apache-2.0
 * A growing list of owned strings. */
#ifndef TRIB_DATA_NAMES_H
#define TRIB_DATA_NAMES_H

#include <stddef.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_names {
    char **items;
    size_t count, capacity;
} trib_names;

/* Takes `name`, also on failure; NULL means that a copy failed. `what` names the list in the message. */
trib_status trib_names_add(trib_names *names, char *name, const char *what);
/* The same for a text that is formatted here. */
TRIB_PRINTF(2, 3)
trib_status trib_names_add_text(trib_names *names, const char *format, ...);
void trib_names_free(trib_names *names);

#ifdef __cplusplus
}
#endif

#endif
