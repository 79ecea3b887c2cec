/* SPDX-License-Identifier: Apache-2.0
 * Fault injection: tests make the k-th fallible operation fail, once or from then on.
 *
 * Code that can fail for an external reason (allocation, file, device call) asks trib_fault("name") first and
 * takes its error path on true. Nothing is armed outside tests; the check is then one relaxed atomic load. */
#ifndef TRIBUTARY_INTERNAL_FAULT_H
#define TRIBUTARY_INTERNAL_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* True when this operation must pretend to fail. `operation` names it for tests, e.g. "alloc", "open", "read". */
bool trib_fault(const char *operation);

/* Tests: starts counting from zero; the k-th operation (from 1; 0: none, only count) fails, and with `forever` every
 * later one too. */
void trib_fault_arm(int64_t k, bool forever);
/* Tests: stops failing and counting. Returns the number of operations seen since trib_fault_arm. */
int64_t trib_fault_disarm(void);

#ifdef __cplusplus
}
#endif
#endif
