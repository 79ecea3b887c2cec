/* SPDX-License-Identifier: Apache-2.0
 * Boxes that a format cannot hold, and folders that hold others already. */
#ifndef TRIBUTARY_CLI_CONVERT_BOXES_CHECK_H
#define TRIBUTARY_CLI_CONVERT_BOXES_CHECK_H

#include "detect/truth_file.h"

/* Fails on names that would not be read again as they are. `found` NULL: truth is written. */
trib_status cli_check_box_names(const trib_truths *truths, const trib_detections *found, trib_box_format format);
/* Fails if the folder has files that are read as boxes of this format, but would not be replaced. */
trib_status cli_check_leftovers(const char *folder, const trib_truths *truths, bool detections, trib_box_format format);

#endif
