/* SPDX-License-Identifier: Apache-2.0
 * The pool branches of Inception v3, whose averages are convolved: models/ has no network with such branches yet, and
 * their kernel no other layers. Once it has one, this goes. */
#ifndef TRIBUTARY_BENCHES_KERNELS_AVERAGE_POOLS_H
#define TRIBUTARY_BENCHES_KERNELS_AVERAGE_POOLS_H

#include "tributary/graph.h"

enum { BENCH_AVERAGE_POOLS = 6 };

/* Branch `index` in a module of its own: the rest of the module is one 3x3 convolution. */
trib_status bench_average_pool(int index, trib_graph **out);

#endif
