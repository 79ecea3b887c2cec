// SPDX-License-Identifier: Apache-2.0
// Start regions: edges in order, segments against the definition, and what no image can break.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "detect/pictures.h"
#include "host/detect/segments.h"
#include "tributary/internal/fault.h"

namespace
{

struct Edges {
    trib_edges edges = {};
    ~Edges() { trib_edges_release(&edges); }
};

double grey_levels(const trib_edge &edge) { return edge.weight / 65536.0; }

std::vector<int32_t> segments(const Picture &picture, int channels, int k, int *count)
{
    Edges e;
    std::vector<int32_t> labels(std::size_t(picture.width()) * std::size_t(picture.height()));
    EXPECT_OK(trib_edges_make(picture.pixels().data(), picture.width(), picture.height(), channels, &e.edges));
    EXPECT_OK(trib_segments_make(&e.edges, k, labels.data(), count));
    return labels;
}

TEST(Edges, OfOneRowAreInOrderOfWeight)
{
    // With (6, 58, 128, 58, 6) / 256, pixels 0 0 0 0 80 80 80 80 become 0 0 1.875 20 60 78.125 80 80.
    Picture picture(8, 1, 1);
    picture.fill({ 4, 0, 8, 1 }, { 80 });
    Edges e;
    ASSERT_OK(trib_edges_make(picture.pixels().data(), 8, 1, 1, &e.edges));
    ASSERT_EQ(e.edges.count, 7u);
    std::vector<double> edges, weights;
    for (std::size_t i = 0; i < 7; ++i) {
        edges.push_back(e.edges.list[i].edge);
        weights.push_back(grey_levels(e.edges.list[i]));
    }
    EXPECT_EQ(edges, (std::vector<double> { 0, 12, 2, 10, 4, 8, 6 }));
    EXPECT_EQ(weights, (std::vector<double> { 0, 0, 1.875, 1.875, 18.125, 18.125, 40 }));
}

TEST(Edges, OfThreeChannelsAreEuclidean)
{
    Picture picture(1, 12);
    picture.fill({ 0, 6, 1, 12 }, { 30, 40, 120 });
    Edges e;
    ASSERT_OK(trib_edges_make(picture.pixels().data(), 1, 12, 3, &e.edges));
    ASSERT_EQ(e.edges.count, 11u);
    EXPECT_EQ(e.edges.list[10].edge, 11u);          // pixel 5 to the one below
    EXPECT_EQ(grey_levels(e.edges.list[10]), 65.0); // of 130, half are left
}

// Whatever the weights: ascending, equal ones by number, each edge once.
TEST(Edges, AreSorted)
{
    for (int channels : { 1, 3 }) {
        Picture picture = scene(2, 37, 23, channels);
        Edges e;
        ASSERT_OK(trib_edges_make(picture.pixels().data(), 37, 23, channels, &e.edges));
        std::set<uint32_t> seen;
        for (std::size_t i = 0; i < e.edges.count; ++i) {
            const trib_edge &x = e.edges.list[i];
            seen.insert(x.edge);
            if (!i) continue;
            const trib_edge &before = e.edges.list[i - 1];
            EXPECT_LT(std::make_pair(before.weight, before.edge), std::make_pair(x.weight, x.edge));
        }
        EXPECT_EQ(seen.size(), e.edges.count);
        EXPECT_EQ(e.edges.count, std::size_t(36 * 23 + 37 * 22));
    }
}

TEST(Edges, OfOnePixelAreNone)
{
    Picture picture(1, 1);
    Edges e;
    ASSERT_OK(trib_edges_make(picture.pixels().data(), 1, 1, 3, &e.edges));
    EXPECT_EQ(e.edges.count, 0u);
    int count = 0;
    EXPECT_EQ(segments(picture, 3, 50, &count), std::vector<int32_t> { 0 });
    EXPECT_EQ(count, 1);
}

TEST(Segments, AreTheFlatParts)
{
    Picture picture(40, 20, 1);
    picture.fill({ 15, 0, 40, 20 }, { 100 }).fill({ 25, 0, 40, 20 }, { 255 });
    int count = 0;
    auto labels = segments(picture, 1, 50, &count);
    ASSERT_EQ(count, 3);
    for (int x : { 0, 13, 17, 22, 27, 39 })
        for (int y : { 0, 19 }) EXPECT_EQ(labels[std::size_t(y * 40 + x)], x < 15 ? 0 : x < 25 ? 1 : 2) << x;
}

TEST(Segments, SmallOnesJoinAlongTheirLightestEdge)
{
    // 3 x 3 pixels between 40 and 200, nearer to 200.
    Picture picture(30, 12, 1);
    picture.fill({ 0, 0, 15, 12 }, { 40 }).fill({ 15, 0, 30, 12 }, { 200 }).fill({ 15, 3, 18, 6 }, { 160 });
    int count = 0;
    auto labels = segments(picture, 1, 60, &count);
    EXPECT_EQ(count, 2);
    EXPECT_EQ(labels[4 * 30 + 16], 1);
}

// Kruskal's order and the two rules, written down as they are in the paper, in floating point, on the same weights.
std::vector<int> by_definition(const trib_edges &e, int k)
{
    int pixels = e.width * e.height;
    std::vector<int> component(std::size_t(pixels), 0);
    std::map<int, std::pair<double, int>> known; // heaviest edge and size
    for (int p = 0; p < pixels; ++p) component[std::size_t(p)] = p, known[p] = { 0, 1 };
    auto join = [&](int a, int b, double weight) {
        for (int &c : component)
            if (c == b) c = a;
        known[a] = { weight, known[a].second + known[b].second };
        known.erase(b);
    };
    for (int round = 0; round < 2; ++round)
        for (std::size_t i = 0; i < e.count; ++i) {
            int from = int(e.list[i].edge / 2), to = from + (e.list[i].edge % 2 ? e.width : 1);
            int a = component[std::size_t(from)], b = component[std::size_t(to)];
            if (a == b) continue;
            double weight = grey_levels(e.list[i]);
            auto [a_most, a_size] = known[a];
            auto [b_most, b_size] = known[b];
            bool similar = weight <= std::min(a_most + double(k) / a_size, b_most + double(k) / b_size);
            if (round ? a_size < k || b_size < k : similar) join(a, b, weight);
        }
    std::map<int, int> number;
    for (int &c : component) c = number.emplace(c, int(number.size())).first->second;
    return component;
}

TEST(Segments, EqualTheDefinition)
{
    for (uint32_t seed = 1; seed <= 12; ++seed)
        for (int k : { 1, 3, 20, 300 }) {
            int channels = seed % 2 ? 3 : 1;
            Picture picture = scene(seed, 5 + int(seed) * 2, 30 - int(seed) * 2, channels);
            Edges e;
            ASSERT_OK(trib_edges_make(picture.pixels().data(), picture.width(), picture.height(), channels, &e.edges));
            auto wanted = by_definition(e.edges, k);
            int count = 0;
            auto labels = segments(picture, channels, k, &count);
            ASSERT_EQ(std::vector<int>(labels.begin(), labels.end()), wanted) << "seed " << seed << ", k " << k;
            EXPECT_EQ(count, *std::max_element(wanted.begin(), wanted.end()) + 1);
        }
}

TEST(Segments, HaveAtLeastKPixels)
{
    for (uint32_t seed = 1; seed <= 6; ++seed) {
        Picture picture = scene(seed, 90, 70);
        int count = 0;
        auto labels = segments(picture, 3, 50, &count);
        std::vector<int> sizes(std::size_t(count), 0);
        for (int32_t l : labels) ++sizes[std::size_t(l)];
        EXPECT_GE(*std::min_element(sizes.begin(), sizes.end()), 50);
    }
}

TEST(Segments, EveryAllocationMayFail)
{
    Picture picture = scene(3, 20, 10);
    std::vector<int32_t> labels(200);
    auto all = [&] {
        Edges e;
        int count = 0;
        TRIB_TRY(trib_edges_make(picture.pixels().data(), 20, 10, 3, &e.edges));
        return trib_segments_make(&e.edges, 20, labels.data(), &count);
    };
    trib_fault_arm(0, false);
    EXPECT_OK(all());
    int64_t allocations = trib_fault_disarm();
    EXPECT_GE(allocations, 8);
    for (int64_t i = 1; i <= allocations; ++i) {
        trib_fault_arm(i, false);
        trib_status s = all();
        trib_fault_disarm();
        EXPECT_EQ(s.code, TRIB_OUT_OF_MEMORY) << s.message;
    }
}

} // namespace
