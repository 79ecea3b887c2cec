/* SPDX-License-Identifier: Apache-2.0
 * What a report says, as text. */
#ifndef TRIBUTARY_PROFILE_NSYS_PRINT_H
#define TRIBUTARY_PROFILE_NSYS_PRINT_H

#include <stdio.h>

#include "profile/nsys_network.h"
#include "profile/nsys_overlap.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Processes and GPUs with their streams, our networks, NVTX ranges; 100 columns wide. Failures of `out` are its owner's
 * to find. */
void trib_nsys_print(const trib_nsys_report *report, const trib_nsys_overlaps *overlaps,
                     const trib_nsys_networks *networks, FILE *out);
/* Its part about networks; nothing if there are none. */
void trib_nsys_print_networks(const trib_nsys_report *report, const trib_nsys_networks *networks, FILE *out);

/* A report's text without control characters, cut to fit; returns `to`. */
const char *trib_nsys_clean(const char *text, char *to, size_t size);

#ifdef __cplusplus
}
#endif
#endif
