/* SPDX-License-Identifier: Apache-2.0
 * What trib_propose_options say. */
#ifndef TRIBUTARY_DETECT_PROPOSE_OPTIONS_H
#define TRIBUTARY_DETECT_PROPOSE_OPTIONS_H

#include "tributary/proposals.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fails with TRIB_INVALID_ARGUMENT, naming the option. */
trib_status trib_propose_check(const trib_propose_options *options);

typedef struct trib_size {
    int width, height;
} trib_size;
/* At which an image is searched. */
trib_size trib_propose_size(const trib_propose_options *options, int width, int height);

#ifdef __cplusplus
}
#endif
#endif
