/* SPDX-License-Identifier: Apache-2.0
 * This program's own networks in a report: which ops belong to one run of a network, and what the branches of its
 * modules did, by the definitions of profile.h.
 *
 * A report names layers and streams but has no plan. So a module here is what shares the name in front of the first '/'
 * and has four layers or more, or several streams; its branches are its streams; and what it waits for is the end of
 * what came before it, as its successor waits for all its branches. Events within a module are not known: a wait for
 * one counts as contention. Times alone and serial times are not known, either, so that there are no gains. */
#ifndef TRIBUTARY_PROFILE_NSYS_NETWORK_H
#define TRIBUTARY_PROFILE_NSYS_NETWORK_H

#include "profile/nsys_report.h"
#include "profile/profile.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_NSYS_MOST_RUNS = 500 };

/* Runs with the same ops on the same streams. */
typedef struct trib_nsys_network {
    int64_t process;
    uint32_t name;      /* of the range around a run: "googlenet-bvlc batch 32"; or TRIB_NSYS_NONE */
    bool in_graph;      /* launched as a graph */
    bool streams_known; /* false: of a graph whose captured ranges do not name streams: the driver chose them */
    trib_profile_graph graph;
    int64_t total; /* runs in the report; of more than TRIB_NSYS_MOST_RUNS some are analysed, evenly spread */
    trib_profile *runs;
    int run_count;
    int contradicting;            /* further runs whose times contradict what a network is */
    trib_status contradiction;    /* the first of them */
    trib_profile_medians medians; /* if run_count > 0 */
} trib_nsys_network;

typedef struct trib_nsys_networks {
    trib_nsys_network *items; /* those with most runs first */
    int count;
} trib_nsys_networks;

/* None is fine: then the report is another program's. */
trib_status trib_nsys_networks_of(const trib_nsys_report *report, trib_nsys_networks *out);
void trib_nsys_networks_release(trib_nsys_networks *networks); /* zeroed is fine */

#ifdef __cplusplus
}
#endif
#endif
