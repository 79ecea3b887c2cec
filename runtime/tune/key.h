/* SPDX-License-Identifier: Apache-2.0
 * What a choice holds for, as texts. */
#ifndef TRIBUTARY_RUNTIME_TUNE_KEY_H
#define TRIBUTARY_RUNTIME_TUNE_KEY_H

#include "tributary/session.h"

enum { TRIB_KEY_TEXT = 256 };

/* Of the network's layers, shapes, attributes and forks; names of forks count, other names and values do not. */
uint64_t trib_graph_hash(const trib_graph *graph);

/* One line: purpose, network, batch (of a session: the most images of a run), precision, launch, threads. */
void trib_tune_key(const trib_device *device, const trib_graph *graph, const trib_plan_options *options,
                   trib_launch launch, char key[TRIB_KEY_TEXT]);
/* One line each: this program's version with the device's libraries; the device with its instructions. */
void trib_tune_versions(const trib_device *device, char library[TRIB_KEY_TEXT], char name[TRIB_KEY_TEXT]);

#endif
