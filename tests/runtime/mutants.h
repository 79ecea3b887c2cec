// SPDX-License-Identifier: Apache-2.0
// Plans with something missing, shown to the stream-order checker.
#pragma once

#include "support/support.h"

namespace mutants
{

struct Tally {
    int mutants = 0, changed = 0, caught = 0;
};

// Deletes every record and every wait of the plan, one at a time. The checker must object exactly where the order of
// ops became another one; where it does not do so, the test fails. Of a lagging stream, others wait for ops that may
// have touched no memory of theirs: it need not object where only their order is lost.
Tally delete_each_record_and_wait(trib_plan *plan, int lagging = -1);

} // namespace mutants
