/* SPDX-License-Identifier: Apache-2.0
 * How long OpenMP threads wait for one another by turning in circles.
 *
 * oneDNN's convolutions end in a barrier. GNU's OpenMP spins there for some 300,000 turns before it sleeps; when
 * another program takes a core, the thread that is missing cannot come while the others spin, and a network ran up to
 * 30 times slower. With 1,000 turns it runs 2 to 5 times as fast in that case, and not slower on a quiet machine
 * (measured: benches/results). The run time reads its settings when it is loaded: with oneDNN, when the CPU device is
 * first used. */
#include <stdlib.h>

#include "cli.h"

void cli_limit_spinning(void)
{
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY")) return; /* somebody has decided */
    setenv("GOMP_SPINCOUNT", "1000", 0); /* where there is no memory for it, it goes on as it is */
}
