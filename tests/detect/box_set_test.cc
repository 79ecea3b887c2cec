// SPDX-License-Identifier: Apache-2.0
// A set of boxes keeps each once, with its lowest rank, in order.
#include <algorithm>
#include <map>

#include "detect/pictures.h"
#include "host/detect/box_set.h"

namespace
{

struct Set {
    trib_box_set set = {};
    ~Set() { trib_box_set_release(&set); }
};

TEST(BoxSet, OfEqualRanksIsFromTheTopLeft)
{
    Set s;
    const std::vector<trib_proposal> wanted = {
        { 9, 0, 10, 1 }, { 2, 1, 5, 3 }, { 4, 1, 5, 2 }, { 4, 1, 5, 3 }, { 4, 1, 6, 3 }
    };
    for (int i : { 3, 0, 4, 2, 1, 3 }) ASSERT_OK(trib_box_set_add(&s.set, 7, wanted[std::size_t(i)]));
    ASSERT_OK(trib_box_set_add(&s.set, 6, { 50, 50, 60, 60 }));
    trib_box_set_sort(&s.set);
    ASSERT_EQ(s.set.count, wanted.size() + 1);
    EXPECT_EQ(s.set.boxes[0].box, (trib_proposal { 50, 50, 60, 60 }));
    for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(s.set.boxes[i + 1].box, wanted[i]);
}

TEST(BoxSet, KeepsTheLowestRank)
{
    Set s;
    std::map<trib_proposal, uint64_t> wanted;
    uint32_t state = 5;
    for (int i = 0; i < 20000; ++i) {
        state = state * 1664525u + 1013904223u;
        int v = int(state >> 16) % 3000;
        trib_proposal box = { v % 7, v % 11, v % 7 + 1 + v % 13, v % 11 + 1 + v % 3 };
        uint64_t rank = state >> 8;
        ASSERT_OK(trib_box_set_add(&s.set, rank, box));
        auto at = wanted.emplace(box, rank).first;
        at->second = std::min(at->second, rank);
    }
    trib_box_set_sort(&s.set);
    ASSERT_EQ(s.set.count, wanted.size());
    for (std::size_t i = 0; i < s.set.count; ++i) {
        EXPECT_EQ(s.set.boxes[i].rank, wanted[s.set.boxes[i].box]);
        EXPECT_TRUE(!i || s.set.boxes[i - 1].rank <= s.set.boxes[i].rank);
    }
}

} // namespace
