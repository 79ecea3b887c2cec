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
// ops became another one; where it does not do so, the test fails.
Tally delete_each_record_and_wait(trib_plan *plan);

} // namespace mutants
