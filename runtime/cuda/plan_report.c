/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/plan_report.h"

#include <stdarg.h>
#include <stdio.h>

trib_report trib_report_begin(char *text)
{
    if (text) *text = 0;
    return (trib_report) { text, 0 };
}

void trib_report_add(trib_report *report, const char *format, ...)
{
    if (!report->text || report->used >= TRIB_MESSAGE_SIZE - 1) return;
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(report->text + report->used, (size_t)(TRIB_MESSAGE_SIZE - report->used), format, arguments);
    va_end(arguments);
    if (more > 0) report->used += more;
}

void trib_report_plan(trib_report *report, const char *name, int64_t nanoseconds, int64_t workspace_bytes)
{
    trib_report_add(report, "%s%s", report->used ? "; " : "", name);
    if (nanoseconds) trib_report_add(report, " %.1f us", (double)nanoseconds / 1000);
    if (workspace_bytes) trib_report_add(report, " %.1f MB workspace", (double)workspace_bytes / 1e6);
}
