// SPDX-License-Identifier: Apache-2.0
// Grouping: by hand, against the definition, and its heap.
#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "detect/pictures.h"
#include "host/detect/grouping.h"
#include "host/detect/pair_heap.h"
#include "host/detect/segments.h"
#include "host/detect/texture.h"
#include "support/form.h"

namespace
{

TEST(PairHeap, GivesTheMostSimilarThenTheLowest)
{
    std::vector<trib_similar_pair> pairs;
    for (int a = 0; a < 6; ++a)
        for (int b = a + 1; b < 9; ++b) pairs.push_back({ float((a * 5 + b) % 4) / 4, a, b });
    auto sorted = pairs;
    std::sort(sorted.begin(), sorted.end(), [](auto &x, auto &y) {
        return std::make_tuple(-x.similarity, x.a, x.b) < std::make_tuple(-y.similarity, y.a, y.b);
    });
    std::mt19937 random(4);
    for (int round = 0; round < 20; ++round) {
        std::shuffle(pairs.begin(), pairs.end(), random);
        std::vector<trib_similar_pair> memory = pairs;
        trib_pair_heap heap = { memory.data(), std::size_t(round) };
        trib_pair_heap_build(&heap);
        for (std::size_t i = std::size_t(round); i < pairs.size(); ++i) trib_pair_heap_push(&heap, pairs[i]);
        for (const trib_similar_pair &wanted : sorted) {
            trib_similar_pair is = trib_pair_heap_pop(&heap);
            EXPECT_EQ(is.a, wanted.a);
            EXPECT_EQ(is.b, wanted.b);
        }
        EXPECT_EQ(heap.count, 0u);
    }
}

// Start regions of a picture.
struct Start {
    trib_regions regions = {};
    std::vector<int32_t> labels;
    Start(const Picture &picture, int channels, std::vector<int32_t> given, int count) : labels(std::move(given))
    {
        std::vector<uint8_t> bins(picture.pixels().size() * TRIB_TEXTURE_AXES);
        EXPECT_OK(trib_texture_bins(picture.pixels().data(), picture.width(), picture.height(), channels, bins.data()));
        trib_region_source source = { picture.width(), picture.height(), channels, picture.pixels().data(),
                                      bins.data() };
        EXPECT_OK(trib_regions_make(&source, labels.data(), count, &regions));
    }
    ~Start() { trib_regions_release(&regions); }

    std::vector<trib_proposal> group(unsigned set) const
    {
        std::vector<trib_proposal> boxes(std::size_t(2 * regions.count - 1), { -1, -1, -1, -1 });
        EXPECT_OK(trib_group_regions(&regions, set, boxes.data()));
        return boxes;
    }
};

using Boxes = std::vector<trib_proposal>;

// Four stripes of columns 0-4, 5-6, 7-13 and 14-15, 4 rows high.
Start stripes()
{
    Picture picture(16, 4, 1);
    std::vector<int32_t> labels(64);
    for (std::size_t p = 0; p < 64; ++p) labels[p] = p % 16 < 5 ? 0 : p % 16 < 7 ? 1 : p % 16 < 14 ? 2 : 3;
    picture.fill({ 5, 0, 7, 4 }, { 250 }).fill({ 14, 0, 16, 4 }, { 250 });
    return Start(picture, 1, labels, 4);
}

TEST(Grouping, BySizeMergesTheSmallest)
{
    Start s = stripes();
    // 5 + 2 columns, then 7 + 2.
    EXPECT_EQ(s.group(TRIB_BY_SIZE), (Boxes { { 0, 0, 5, 4 },
                                              { 5, 0, 7, 4 },
                                              { 7, 0, 14, 4 },
                                              { 14, 0, 16, 4 },
                                              { 0, 0, 7, 4 },
                                              { 7, 0, 16, 4 },
                                              { 0, 0, 16, 4 } }));
}

TEST(Grouping, OfEqualPairsTakesTheLowest)
{
    Start s = stripes();
    // Every pair of neighbours fills its box.
    EXPECT_EQ(s.group(TRIB_BY_FILL), (Boxes { { 0, 0, 5, 4 },
                                              { 5, 0, 7, 4 },
                                              { 7, 0, 14, 4 },
                                              { 14, 0, 16, 4 },
                                              { 0, 0, 7, 4 },
                                              { 7, 0, 16, 4 },
                                              { 0, 0, 16, 4 } }));
}

TEST(Grouping, ByColourMergesEqualColours)
{
    // Two halves of one colour around a column of another; a corner of the first colour touches the right half alone.
    Picture picture(9, 6, 1);
    picture.fill({ 4, 0, 5, 6 }, { 200 });
    std::vector<int32_t> labels(54);
    for (std::size_t p = 0; p < 54; ++p) labels[p] = p % 9 < 4 ? 0 : p % 9 == 4 ? 1 : p % 9 > 6 && p / 9 > 3 ? 3 : 2;
    Start s(picture, 1, labels, 4);
    EXPECT_EQ(s.group(TRIB_BY_COLOUR)[4], (trib_proposal { 5, 0, 9, 6 }));
}

TEST(Grouping, OfOneRegionIsThatRegion)
{
    Picture picture(3, 2, 1);
    Start s(picture, 1, std::vector<int32_t>(6, 0), 1);
    EXPECT_EQ(s.group(TRIB_BY_COLOUR | TRIB_BY_FILL), Boxes({ { 0, 0, 3, 2 } }));
}

// A region as the definition has it, histograms counted in double.
struct Region {
    int number;
    double size;
    trib_proposal box;
    std::vector<double> histogram;
    std::set<int> neighbours; // their numbers
};

double similarity(const trib_regions &r, unsigned set, const Region &a, const Region &b)
{
    double sum = 0, together = a.size + b.size;
    trib_proposal box = { std::min(a.box.x0, b.box.x0), std::min(a.box.y0, b.box.y0), std::max(a.box.x1, b.box.x1),
                          std::max(a.box.y1, b.box.y1) };
    for (int i = 0; i < r.colour_bins + r.texture_bins; ++i) {
        double both = std::min(a.histogram[std::size_t(i)] / a.size, b.histogram[std::size_t(i)] / b.size);
        if (i < r.colour_bins ? set & TRIB_BY_COLOUR : set & TRIB_BY_TEXTURE)
            sum += both / (i < r.colour_bins ? r.channels : 8 * r.channels);
    }
    if (set & TRIB_BY_SIZE) sum += 1 - together / r.pixels;
    if (set & TRIB_BY_FILL) sum += 1 - ((box.x1 - box.x0) * (box.y1 - box.y0) - together) / r.pixels;
    return sum;
}

Region merged(const Region &a, const Region &b, int number)
{
    Region m = a;
    m.number = number;
    m.size += b.size;
    m.box = { std::min(a.box.x0, b.box.x0), std::min(a.box.y0, b.box.y0), std::max(a.box.x1, b.box.x1),
              std::max(a.box.y1, b.box.y1) };
    for (std::size_t i = 0; i < m.histogram.size(); ++i) m.histogram[i] += b.histogram[i];
    m.neighbours.insert(b.neighbours.begin(), b.neighbours.end());
    m.neighbours.erase(a.number);
    m.neighbours.erase(b.number);
    return m;
}

// All pairs are compared anew before each merge. `close`: the least difference between the best and the second pair.
Boxes by_definition(const trib_regions &r, unsigned set, double *close)
{
    std::map<int, Region> regions;
    Boxes boxes(r.boxes, r.boxes + r.count);
    const int stride = r.colour_bins + r.texture_bins;
    for (int i = 0; i < r.count; ++i)
        regions[i] = {
            i, double(r.sizes[i]), r.boxes[i], { r.histograms + i * stride, r.histograms + (i + 1) * stride }, {}
        };
    for (std::size_t i = 0; i < r.pair_count; ++i) {
        regions[r.pairs[i].a].neighbours.insert(r.pairs[i].b);
        regions[r.pairs[i].b].neighbours.insert(r.pairs[i].a);
    }
    while (regions.size() > 1) {
        double best = -1, second = -1;
        int a = -1, b = -1;
        for (auto &[number, region] : regions)
            for (int other : region.neighbours) {
                if (other < number) continue;
                double s = similarity(r, set, region, regions[other]);
                if (s > best)
                    second = best, best = s, a = number, b = other;
                else
                    second = std::max(second, s);
            }
        *close = std::min(*close, best - second);
        int made = int(boxes.size());
        Region m = merged(regions[a], regions[b], made);
        for (int n : m.neighbours) {
            regions[n].neighbours.erase(a);
            regions[n].neighbours.erase(b);
            regions[n].neighbours.insert(made);
        }
        regions.erase(a);
        regions.erase(b);
        boxes.push_back(m.box);
        regions[made] = m;
    }
    return boxes;
}

Start start_of(const Picture &picture, int k)
{
    trib_edges edges = {};
    std::vector<int32_t> labels(std::size_t(picture.width() * picture.height()));
    int count = 0;
    EXPECT_OK(trib_edges_make(picture.pixels().data(), picture.width(), picture.height(), 3, &edges));
    EXPECT_OK(trib_segments_make(&edges, k, labels.data(), &count));
    trib_edges_release(&edges);
    return Start(picture, 3, labels, count);
}

TEST(Grouping, EqualsTheDefinition)
{
    const unsigned sets[] = { 15, 14, TRIB_BY_COLOUR, TRIB_BY_TEXTURE, 5, 9 };
    int compared = 0;
    for (uint32_t seed = 1; seed <= support::by_form(4u, 30u); ++seed) {
        Start s = start_of(scene(seed, 60, 45), 12);
        for (unsigned set : sets) {
            double close = 1;
            Boxes wanted = by_definition(s.regions, set, &close);
            if (close < 1e-6) continue; // ties, which double and float need not see alike
            ++compared;
            EXPECT_EQ(s.group(set), wanted) << "seed " << seed << ", set " << set << ", " << s.regions.count;
        }
    }
    EXPECT_GE(compared, 12);
}

// A large region with many small ones inside: each merge makes a pair with every other one, and the heap fills up
// often.
TEST(Grouping, OfAStarOfRegions)
{
    const int n = 40;
    Picture picture(2 * n + 1, 2 * n + 1, 1);
    std::vector<int32_t> labels(picture.pixels().size(), 0);
    int count = 1;
    for (int y = 1; y < 2 * n; y += 2)
        for (int x = 1; x < 2 * n; x += 2, ++count) {
            labels[std::size_t(y * (2 * n + 1) + x)] = count;
            picture.at(x, y, 0) = uint8_t(count % 251);
        }
    Start s(picture, 1, labels, count);
    ASSERT_EQ(s.regions.pair_count, std::size_t(n * n));
    for (unsigned set : { 15u, unsigned(TRIB_BY_FILL) }) {
        Boxes boxes = s.group(set);
        for (std::size_t i = std::size_t(count); i < boxes.size(); ++i)
            ASSERT_EQ(boxes[i], (trib_proposal { 0, 0, 2 * n + 1, 2 * n + 1 }));
    }
}

} // namespace
