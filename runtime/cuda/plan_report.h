/* SPDX-License-Identifier: Apache-2.0
 * What there was to choose from, as one line of text for `plan --explain`. */
#ifndef TRIBUTARY_RUNTIME_CUDA_PLAN_REPORT_H
#define TRIBUTARY_RUNTIME_CUDA_PLAN_REPORT_H

#include <stdint.h>

#include "tributary/status.h"

/* Text of at most TRIB_MESSAGE_SIZE bytes, cut when it is full. */
typedef struct trib_report {
    char *text; /* NULL: nobody wants it */
    int used;
} trib_report;

trib_report trib_report_begin(char *text);
TRIB_PRINTF(2, 3)
void trib_report_add(trib_report *report, const char *format, ...);
/* "NAME 12.3 us 0.5 MB workspace"; nanoseconds 0: not measured. */
void trib_report_plan(trib_report *report, const char *name, int64_t nanoseconds, int64_t workspace_bytes);

#endif
