/* SPDX-License-Identifier: Apache-2.0
 * Tributary: the version of these headers and of the library that runs. */
#ifndef TRIBUTARY_VERSION_H
#define TRIBUTARY_VERSION_H

#include "tributary/declare.h"

#define TRIB_VERSION_MAJOR 0
#define TRIB_VERSION_MINOR 1
#define TRIB_VERSION_PATCH 0
#define TRIB_VERSION "0.1.0"

TRIB_BEGIN_DECLS

/* "0.1.0": the version of the library, which may differ from TRIB_VERSION if it is shared. */
const char *trib_version(void);

TRIB_END_DECLS
#endif
