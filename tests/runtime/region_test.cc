// SPDX-License-Identifier: Apache-2.0
// Regions of pictures as a session's images.
#include <cmath>
#include <cstring>
#include <limits>

#include "runtime/regions.h"

namespace
{

using regions::Cut;
using regions::Pictures;

struct Way {
    trib_schedule schedule;
    trib_launch launch;
    int chunk, lanes;
};
const Way ways[] = { { TRIB_SERIAL, TRIB_EAGER, 3, 1 }, { TRIB_BRANCHES, TRIB_GRAPH, 1, 2 },
                     { TRIB_FUSED, TRIB_EAGER, 1, 1 },  { TRIB_BRANCHES, TRIB_EAGER, 3, 2 },
                     { TRIB_FUSED, TRIB_GRAPH, 3, 2 },  { TRIB_SERIAL, TRIB_GRAPH, 7, 1 } };

TEST(Regions, CopiesOfWholePicturesGiveTheBitsOfPixels)
{
    auto device = nets::cpu();
    int count = 0;
    for (const Way &way : ways) {
        const Cut cut(nets::inception(count++ % 2), device.get(), 7);
        trib_session_options o = cut.options(count % 3 ? TRIB_NCHW : TRIB_NHWC);
        o.plan.schedule = way.schedule;
        o.launch = way.launch;
        o.plan.batch = way.chunk;
        o.lanes = way.lanes;
        EXPECT_EQ(cut.from_regions(o), cut.from_pixels(o)) << trib_schedule_name(way.schedule) << way.launch;
    }
}

} // namespace
