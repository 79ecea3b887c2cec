// SPDX-License-Identifier: Apache-2.0
// Votes of regions that nearly coincide, by hand and by the definition.
#include "detect/votes.h"

#include <cmath>
#include <random>

#include "support/support.h"

namespace
{

struct Votes {
    std::vector<trib_proposal> boxes;
    int classes;
    std::vector<double> votes;

    Votes(std::vector<trib_proposal> regions, int class_count, const std::vector<double> &probabilities)
        : boxes(std::move(regions)), classes(class_count), votes(probabilities.size(), 77)
    {
        const trib_proposals list = all();
        trib_votes_count(&list, classes, probabilities.data(), votes.data());
    }
    trib_proposals all() { return { boxes.data(), boxes.size() }; }
    trib_box box(std::size_t region, int klass)
    {
        const trib_proposals list = all();
        const trib_proposal &p = boxes[region];
        const trib_box own = { double(p.x0), double(p.y0), double(p.x1 - p.x0), double(p.y1 - p.y0) };
        return trib_voted_box(&list, &own, classes, votes.data(), klass);
    }
};

void expect_box(const trib_box &box, double x, double y, double width, double height)
{
    EXPECT_NEAR(box.x, x, 1e-12);
    EXPECT_NEAR(box.y, y, 1e-12);
    EXPECT_NEAR(box.width, width, 1e-12);
    EXPECT_NEAR(box.height, height, 1e-12);
}

TEST(Votes, OfNoRegionsThereAreNone)
{
    Votes v({}, 3, {});
    EXPECT_TRUE(v.votes.empty());
}

TEST(Votes, ARegionThatStandsAloneCountsHalf)
{
    Votes v({ { 0, 0, 10, 10 }, { 20, 0, 30, 10 } }, 2, { .8, .2, .5, 0 });
    EXPECT_EQ(v.votes, (std::vector<double> { .4, .1, .25, 0 }));
    expect_box(v.box(0, 0), 0, 0, 10, 10);
    expect_box(v.box(1, 1), 20, 0, 10, 10); // no votes
}

TEST(Votes, NeighboursCountByTheFourthPowerOfTheirOverlap)
{
    // Overlaps: 8/10 of the first two, 4/8 of the last two, and 4/10, which is too little.
    Votes v({ { 0, 0, 10, 10 }, { 0, 0, 8, 10 }, { 0, 0, 4, 10 } }, 1, { .9, .5, .4 });
    const double w = std::pow(.8, 4), u = std::pow(.5, 4);
    EXPECT_NEAR(v.votes[0], (.9 + w * .5) / (2 + w), 1e-15);
    EXPECT_NEAR(v.votes[1], (.5 + w * .9 + u * .4) / (2 + w + u), 1e-15);
    EXPECT_NEAR(v.votes[2], (.4 + u * .5) / (2 + u), 1e-15);
    const double a = v.votes[0], b = v.votes[1];
    expect_box(v.box(0, 0), 0, 0, (10 * a + 8 * b) / (a + b), 10);
}

TEST(Votes, RandomRegionsVoteAsTheDefinitionSays)
{
    std::mt19937 random(4);
    auto below = [&](int limit) { return (int)(random() % (unsigned)limit); };
    for (int turn = 0; turn < 50; ++turn) {
        std::vector<trib_proposal> boxes;
        std::vector<double> p;
        for (int i = 0, count = 1 + below(40); i < count; ++i) {
            const int x = below(12), y = below(12);
            boxes.push_back({ x, y, x + 1 + below(20), y + 1 + below(20) });
            for (int c = 0; c < 3; ++c) p.push_back(below(100) / 100.);
        }
        Votes v(boxes, 3, p);
        for (std::size_t i = 0; i < boxes.size(); ++i)
            for (std::size_t c = 0; c < 3; ++c) {
                double sum = 0, weights = 1;
                for (std::size_t j = 0; j < boxes.size(); ++j) {
                    const trib_proposal &a = boxes[i], &b = boxes[j];
                    int both = 0, either = 0;
                    for (int x = 0; x < 32; ++x)
                        for (int y = 0; y < 32; ++y) {
                            const bool in_a = x >= a.x0 && x < a.x1 && y >= a.y0 && y < a.y1;
                            const bool in_b = x >= b.x0 && x < b.x1 && y >= b.y0 && y < b.y1;
                            both += in_a && in_b;
                            either += in_a || in_b;
                        }
                    if (2 * both < either) continue;
                    const double weight = std::pow((double)both / either, 4);
                    sum += weight * p[3 * j + c];
                    weights += weight;
                }
                ASSERT_NEAR(v.votes[3 * i + c], sum / weights, 1e-12) << turn << ", " << i << ", " << c;
            }
    }
}

} // namespace
