// SPDX-License-Identifier: Apache-2.0
// Panels on every device: the mean that the header writes down, the same bits whichever way batches are made of the
// items, the order of results, and what is refused.
#include <limits>

#include "panel/ask.h"

namespace
{

using ask::Item;
using ask::Way;
using support::devices;
using support::kind_under_test;

// All tests of a program share these.
class Asked : public testing::TestWithParam<std::string>
{
  protected:
    ask::Device device_ = ask::open(GetParam());

    std::vector<ask::Result> results(const std::vector<ask::Model> &models, std::vector<Item> &items, const Way &way)
    {
        ask::Panel panel;
        std::vector<ask::Result> all;
        EXPECT_OK(ask::create(device_.get(), models, way, &panel));
        if (panel) EXPECT_OK(ask::run(panel.get(), items, &all));
        EXPECT_EQ(all.size(), items.size());
        return all;
    }
};

// Two variants, one narrow, two input sizes; each region computed alone in an ordinary session.
TEST_P(Asked, AnswersWithTheMeanOfSingleRuns)
{
    const auto models = ask::models(3);
    auto items = ask::items(2, 3, 3);
    const auto results = this->results(models, items, Way());
    ASSERT_EQ(results.size(), items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        const std::size_t cells = results[i].joint.size();
        std::vector<double> members(3 * cells), joint(cells);
        for (std::size_t m = 0; m < 3; ++m) {
            const auto rows = ask::alone(device_.get(), models[m].get(), items[i], m);
            for (std::size_t r = 0; r < items[i].regions[m].size(); ++r)
                for (std::size_t c = 0; c < ask::kClasses; ++c) {
                    const trib_panel_region &region = items[i].regions[m][r];
                    const double value = region.weight * double(rows[r * ask::kClasses + c]);
                    members[m * cells + std::size_t(region.row) * ask::kClasses + c] += value;
                    joint[std::size_t(region.row) * ask::kClasses + c] += value / 3;
                }
        }
        for (std::size_t c = 0; c < cells; ++c) EXPECT_NEAR(results[i].joint[c], joint[c], 1e-6) << i << " " << c;
        for (std::size_t c = 0; c < 3 * cells; ++c) EXPECT_NEAR(results[i].members[c], members[c], 1e-6) << i;
    }
}

TEST_P(Asked, GivesTheSameBitsWhateverTheBatchesAre)
{
    const auto models = ask::models(2);
    auto items = ask::items(4, 2);
    const auto wanted = results(models, items, Way());
    const Way ways[] = { { 1, 1, {}, false }, { 3, 2, {}, false }, { 64, 0, {}, false }, { 5, 3, { 0, 1 }, false } };
    for (const Way &way : ways) {
        const auto got = results(models, items, way);
        ASSERT_EQ(got.size(), wanted.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
            EXPECT_EQ(got[i].joint, wanted[i].joint) << "batch " << way.batch << ", item " << i;
            EXPECT_EQ(got[i].members, wanted[i].members) << "batch " << way.batch << ", item " << i;
        }
    }
}

TEST_P(Asked, OneModelIsItsOwnMean)
{
    const auto models = ask::models(1);
    auto items = ask::items(3, 1);
    for (const ask::Result &r : results(models, items, Way())) EXPECT_EQ(r.joint, r.members);
}

// Batches are filled across items, and no more pictures stay than their regions need.
TEST_P(Asked, FillsBatchesAcrossItems)
{
    const auto models = ask::models(1);
    ask::Panel panel;
    ASSERT_OK(ask::create(device_.get(), models, { 4, 1, {}, false }, &panel));
    EXPECT_EQ(trib_panel_members(panel.get()), 1);
    EXPECT_EQ(trib_panel_classes(panel.get()), int(ask::kClasses));
    EXPECT_NE(trib_panel_session(panel.get(), 0), nullptr);
    std::vector<Item> items;
    for (unsigned i = 0; i < 6; ++i) {
        items.emplace_back(1);
        items.back().add(ask::picture(32, 32, i));
        for (int again = 0; again < 3; ++again) items.back().ask(0, 0, 0, 0, 32, 32);
    }
    std::vector<ask::Result> all;
    ASSERT_OK(ask::run(panel.get(), items, &all));
    EXPECT_EQ(trib_panel_get_stats(panel.get()).regions, 18);
    EXPECT_EQ(trib_panel_get_stats(panel.get()).batches, 5); // 4 4 4 4 2
}

// Images that could not be read, images without regions: their turn, and an empty result or zeros.
TEST_P(Asked, ItemsWithoutRegionsComeInTheirTurn)
{
    const auto models = ask::models(1);
    std::vector<Item> items;
    for (int rows : { 1, 0, 1, 2, 0 }) {
        items.emplace_back(rows);
        items.back().regions.resize(1);
    }
    items[0].add(ask::picture(40, 40, 1));
    items[0].ask(0, 0, 1, 2, 32, 32);
    items[2] = items[0];
    const auto all = results(models, items, Way());
    ASSERT_EQ(all.size(), 5u);
    EXPECT_EQ(all[0].joint, all[2].joint);
    EXPECT_TRUE(all[1].joint.empty());
    EXPECT_EQ(all[3].joint, std::vector<double>(2 * ask::kClasses));
    EXPECT_TRUE(all[4].joint.empty());
}

TEST_P(Asked, AnImpossibleItemChangesNothing)
{
    const auto models = ask::models(2);
    auto items = ask::items(3, 2);
    const auto wanted = results(models, items, Way());
    ask::Panel panel;
    ASSERT_OK(ask::create(device_.get(), models, Way(), &panel));
    auto refused = [&](const char *text, auto change) {
        Item item(1);
        item.add(ask::picture(40, 40, 1));
        for (std::size_t m = 0; m < 2; ++m) item.ask(m, 0, 0, 0, 32, 32);
        trib_panel_item view = item.view();
        change(item, view);
        EXPECT_FAILS(trib_panel_submit(panel.get(), &view), TRIB_INVALID_ARGUMENT, text);
    };
    const float nan = std::numeric_limits<float>::quiet_NaN();
    auto region = [](Item &item) -> trib_panel_region & { return item.regions[1][0]; };
    const trib_panel_item first = items[0].view(&items[0]);
    ASSERT_OK(trib_panel_submit(panel.get(), &first));
    refused("picture 1", [&](Item &i, auto &) { region(i).region.picture = 1; });
    refused("picture -1", [&](Item &i, auto &) { region(i).region.picture = -1; });
    refused("row 1", [&](Item &i, auto &) { region(i).row = 1; });
    refused("row -1", [&](Item &i, auto &) { region(i).row = -1; });
    refused("weight", [&](Item &i, auto &) { region(i).weight = double(nan); });
    refused("nan", [&](Item &i, auto &) { region(i).region.x = nan; });
    refused("0 x 32", [&](Item &i, auto &) { region(i).region.width = 0; });
    refused("not empty", [&](Item &i, auto &) { region(i).region.height = 1e30f; });
    refused("-1 rows", [](Item &, trib_panel_item &v) { v.rows = -1; });
    refused("not RGB", [](Item &, trib_panel_item &v) { const_cast<trib_image *>(v.pictures)->channels = 1; });
    refused("not RGB", [](Item &, trib_panel_item &v) { const_cast<trib_image *>(v.pictures)->pixels = nullptr; });
    std::vector<Item> rest(items.begin() + 1, items.end());
    for (Item &item : rest) {
        const trib_panel_item view = item.view(&item);
        ASSERT_OK(trib_panel_submit(panel.get(), &view));
    }
    ASSERT_OK(trib_panel_flush(panel.get()));
    for (const ask::Result &w : wanted) {
        const trib_panel_result *r = nullptr;
        ASSERT_OK(trib_panel_next(panel.get(), &r));
        ASSERT_NE(r, nullptr);
        EXPECT_EQ(std::vector<double>(r->joint, r->joint + w.joint.size()), w.joint);
    }
}

// Two pictures of 45 x 45 fit; a third waits until regions of earlier ones are computed, in batches that are not full.
TEST_P(Asked, PicturesStayWithinTheirLimit)
{
    const auto models = ask::models(1);
    std::vector<Item> items;
    for (unsigned i = 0; i < 5; ++i) {
        items.emplace_back(1);
        items.back().add(ask::picture(45, 45, i));
        items.back().ask(0, 0, 3, 4, 32, 32);
    }
    const auto wanted = results(models, items, Way());
    const Way small = { 64, 1, { 2 * 3 * 45 * 45, 0 }, false };
    const auto got = results(models, items, small);
    ASSERT_EQ(got.size(), wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i].joint, wanted[i].joint);

    ask::Panel panel;
    ASSERT_OK(ask::create(device_.get(), models, small, &panel));
    Item large(1);
    large.add(ask::picture(200, 100, 1));
    large.ask(0, 0, 3, 4, 32, 32);
    const trib_panel_item view = large.view(), later = items[0].view();
    const trib_panel_result *none = nullptr;
    EXPECT_FAILS(trib_panel_submit(panel.get(), &view), TRIB_OUT_OF_MEMORY, "200 x 100");
    EXPECT_FAILS(trib_panel_submit(panel.get(), &later), TRIB_OUT_OF_MEMORY, "200 x 100"); // good for nothing now
    EXPECT_FAILS(trib_panel_flush(panel.get()), TRIB_OUT_OF_MEMORY, "200 x 100");
    EXPECT_FAILS(trib_panel_next(panel.get(), &none), TRIB_OUT_OF_MEMORY, "200 x 100");
}

TEST_P(Asked, ModelsHaveTheSameNumberOfClasses)
{
    auto models = ask::models(2);
    trib_network_spec net = *trib_model_network(models[1].get());
    net.classes = 9;
    trib_model *other = nullptr;
    ASSERT_OK(trib_model_random(&net, 1, &other));
    models[1].reset(other);
    ask::Panel panel;
    EXPECT_FAILS(ask::create(device_.get(), models, Way(), &panel), TRIB_INVALID_ARGUMENT, "9 classes");
    EXPECT_FAILS(ask::create(device_.get(), {}, Way(), &panel), TRIB_INVALID_ARGUMENT, "0 models");
    EXPECT_FAILS(ask::create(device_.get(), ask::models(1), { -1, 0, {}, false }, &panel), TRIB_INVALID_ARGUMENT, "-1");
}

std::string name(const testing::TestParamInfo<std::string> &info)
{
    std::string text = info.param;
    for (char &c : text) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
    return text;
}
INSTANTIATE_TEST_SUITE_P(Panel, Asked, testing::ValuesIn(devices(kind_under_test())), name);

} // namespace
