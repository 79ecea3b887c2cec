// SPDX-License-Identifier: Apache-2.0
// Operations that fail, one after the other.
#pragma once

#include <string>

#include "support/support.h"
#include "tributary/internal/fault.h"

namespace files
{

// Runs `call` with the k-th operation failing, for every k until one run sees no fault; returns how many there were.
template <class Call>
int fail_each(Call call, bool forever)
{
    for (int k = 1; k < 100000; ++k) {
        trib_fault_arm(k, forever);
        trib_status s = call(k);
        std::int64_t seen = trib_fault_disarm();
        if (seen < k) {
            EXPECT_EQ(s.code, TRIB_OK) << s.message;
            return k - 1;
        }
        EXPECT_TRUE(s.code == TRIB_OUT_OF_MEMORY || s.code == TRIB_IO_ERROR)
            << "operation " << k << " failed with " << trib_code_name(s.code) << ": " << s.message;
        EXPECT_GT(std::string(s.message).size(), 10u) << "operation " << k;
    }
    ADD_FAILURE() << "never ran to the end";
    return 0;
}

} // namespace files
