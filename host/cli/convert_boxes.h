/* SPDX-License-Identifier: Apache-2.0
 * convert --boxes: truth and detections in another format. */
#ifndef TRIBUTARY_CLI_CONVERT_BOXES_H
#define TRIBUTARY_CLI_CONVERT_BOXES_H

#include "settings.h"
#include "truth_options.h"

typedef struct cli_convert_boxes_options {
    const char *truth; /* NULL: not given */
    int format;        /* a trib_box_format up to TRIB_BOXES_YOLO, or CLI_NOT_GIVEN */
    trib_truth_options files;
} cli_convert_boxes_options;

cli_group cli_convert_boxes_group(cli_convert_boxes_options *options);
/* Returns CLI_GO_ON, or reports what does not fit together and returns CLI_USAGE. */
int cli_convert_boxes_check(const cli_command *self, const cli_convert_boxes_options *options,
                            const cli_texts *arguments);
/* The command; an exit code. `arguments`: [DETECTIONS] OUT. */
int cli_convert_boxes(const cli_convert_boxes_options *options, bool overwrite, const cli_group *groups,
                      const cli_settings *settings, const cli_texts *arguments);

#endif
