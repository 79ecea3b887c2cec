/* SPDX-License-Identifier: Apache-2.0
 * Whether files that are called after images can be written and found again. */
#ifndef TRIBUTARY_DETECT_FILE_NAMES_H
#define TRIBUTARY_DETECT_FILE_NAMES_H

#include "detect/boxes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fails with TRIB_BAD_DATA, naming the image, on two images of the same stem, on one whose stem begins with a dot
 * (files that are hidden are not read), and on one whose stem is `taken`, that of another file of the folder; NULL:
 * none. */
trib_status trib_check_file_names(const trib_truths *truths, const char *taken);

#ifdef __cplusplus
}
#endif
#endif
