/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIBUTARY_FORMATS_NEEDED_H
#define TRIBUTARY_FORMATS_NEEDED_H

#include "tributary/graph.h"

/* (*out)[i]: whether layer i is `layer`, or one that it reads, directly or through others. Free it with trib_free. */
trib_status trib_layers_needed(const trib_graph *graph, int layer, bool **out);

#endif
