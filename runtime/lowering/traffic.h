/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIBUTARY_RUNTIME_LOWERING_TRAFFIC_H
#define TRIBUTARY_RUNTIME_LOWERING_TRAFFIC_H

#include "graph/graph.h"
#include "tributary/plan.h"

/* Bytes that an op must read and write at least, parameters included. */
int64_t trib_op_traffic(const trib_graph *graph, const trib_plan_op *op);

#endif
