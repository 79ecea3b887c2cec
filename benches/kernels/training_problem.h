/* SPDX-License-Identifier: Apache-2.0
 * An op of training as a problem of the kernel table. */
#ifndef TRIBUTARY_BENCHES_KERNELS_TRAINING_PROBLEM_H
#define TRIBUTARY_BENCHES_KERNELS_TRAINING_PROBLEM_H

#include "table/table.h"
#include "tributary/plan.h"

/* Of an op that one of our kernels runs. Arrays follow from the op's views, whatever its kind; among the kernels of
 * the table that have the implementation's name, alone or with an ending ("_in_place"), it is the one whose problems
 * have such arrays. NULL: there is none. */
const trib_kernel *bench_training_problem(const trib_plan *plan, const trib_plan_op *op, trib_dtype *dtype,
                                          trib_kernel_problem *out);

#endif
