/* SPDX-License-Identifier: Apache-2.0
 * An op of a plan as a problem of the kernel table. */
#ifndef TRIBUTARY_BENCHES_KERNELS_OP_PROBLEM_H
#define TRIBUTARY_BENCHES_KERNELS_OP_PROBLEM_H

#include "table/table.h"
#include "tributary/plan.h"

/* Fills kernel, type and problem of an op in plan->ops or plan->prepare. *kernel = NULL: a library runs it, or nothing
 * does. Fails with TRIB_NOT_FOUND, naming the file to add it to, if one of our kernels runs the op and is not known
 * here. */
trib_status bench_op_problem(const trib_plan *plan, const trib_plan_op *op, const trib_kernel **kernel,
                             trib_dtype *dtype, trib_kernel_problem *out);

#endif
