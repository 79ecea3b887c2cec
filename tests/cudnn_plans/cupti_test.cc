// SPDX-License-Identifier: Apache-2.0
// The real CUPTI, which without a driver can be loaded and asked for its version, and says no to everything else.
#include "cudnn_plans/real_cupti.h"

#include <cstring>

#include "support/support.h"

namespace
{

TEST(RealCupti, IsLoadedAndRefusesWithoutADriver)
{
    std::uint32_t version = 0;
    trib_status status = try_real_cupti(&version);
    if (trib_failed(&status) && std::strstr(status.message, "cannot be loaded")) GTEST_SKIP() << status.message;
    EXPECT_GE(version, 18u);
    if (!trib_failed(&status)) return; // a machine with a GPU
    EXPECT_EQ(status.code, TRIB_UNSUPPORTED);
    EXPECT_TRUE(std::strstr(status.message, "CUPTI")) << status.message;
    std::printf("%s\n", status.message);
}

} // namespace
