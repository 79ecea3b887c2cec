/* SPDX-License-Identifier: Apache-2.0
 * How long OpenMP threads spin while they wait for each other.
 *
 * oneDNN's convolutions end in a barrier. GNU's OpenMP spins there some 300,000 times before it sleeps. When another
 * program takes a core, the missing thread cannot run while the others spin, and a network ran up to 30 times slower.
 * With 1,000 turns it runs 2 to 5 times as fast in that case, and no slower on a quiet machine (benches/results).
 * OpenMP reads its settings when it is loaded: with oneDNN, when the CPU device is first used. */
#include <stdlib.h>

#include "cli.h"

void cli_limit_spinning(void)
{
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY")) return; /* the user has decided */
    setenv("GOMP_SPINCOUNT", "1000", 0);                               /* on failure, the default stays */
}
