// SPDX-License-Identifier: Apache-2.0
#include "panel/ask.h"

#include <random>

namespace ask
{

Device open(const std::string &spec)
{
    trib_device *device = nullptr;
    EXPECT_OK(support::open_device(spec, &device));
    return Device(device);
}

std::vector<Model> models(int count)
{
    std::vector<Model> all;
    for (int i = 0; i < count; ++i) {
        trib_network_spec net = {};
        net.network = i == 1 ? support::torchvision : support::bvlc;
        net.classes = kClasses;
        net.height = net.width = i == 2 ? 40 : 32;
        net.width_multiplier = i == 2 ? 0.25 : 0.125;
        trib_model *model = nullptr;
        EXPECT_OK(trib_model_random(&net, std::uint64_t(i + 1), &model));
        all.emplace_back(model);
    }
    return all;
}

Picture picture(int width, int height, unsigned seed)
{
    std::mt19937 random(seed);
    Picture p { width, height, std::vector<uint8_t>(std::size_t(width) * std::size_t(height) * 3) };
    for (uint8_t &value : p.rgb) value = uint8_t(random());
    return p;
}

int Item::add(Picture p)
{
    pictures.push_back(std::move(p));
    return int(pictures.size()) - 1;
}

void Item::ask(std::size_t member, int picture, int x, int y, int width, int height, int row, double weight,
               bool mirror)
{
    if (regions.size() <= member) regions.resize(member + 1);
    trib_panel_region region = {};
    region.region = { picture, float(x), float(y), float(width), float(height), mirror };
    region.row = row;
    region.weight = weight;
    regions[member].push_back(region);
}

trib_panel_item Item::view(void *context)
{
    images_.clear();
    parts_.clear();
    for (Picture &p : pictures) images_.push_back({ p.width, p.height, 3, p.rgb.data(), nullptr });
    for (const auto &r : regions) parts_.push_back({ r.data(), int(r.size()) });
    trib_panel_item item = {};
    item.context = context;
    item.rows = rows_;
    item.pictures = images_.data();
    item.picture_count = int(images_.size());
    item.parts = parts_.data();
    return item;
}

std::vector<Item> items(int count, int members, unsigned seed)
{
    std::mt19937 random(seed);
    auto upto = [&](int most) { return int(random() % unsigned(most + 1)); };
    std::vector<Item> all;
    for (int i = 0; i < count; ++i) {
        const int rows = 1 + upto(2);
        Item item(rows);
        for (int p = 0; p < 2; ++p) item.add(picture(40 + upto(30), 40 + upto(30), unsigned(random())));
        item.regions.resize(std::size_t(members));
        for (int m = 0; m < members; ++m)
            for (int r = upto(9); r > 0; --r) {
                const int which = upto(1), size = m == 2 ? 40 : 32;
                const Picture &from = item.pictures[std::size_t(which)];
                item.ask(std::size_t(m), which, upto(from.width - size), upto(from.height - size), size, size,
                         upto(rows - 1), 1.0 / (1 + upto(8)), upto(1) == 1);
            }
        all.push_back(std::move(item));
    }
    return all;
}

trib_status create(trib_device *device, const std::vector<Model> &models, const Way &way, Panel *out)
{
    std::vector<trib_panel_member> members(models.size());
    trib_session_options session = trib_session_default_options();
    session.max_batch = way.batch;
    session.in_flight = way.in_flight;
    session.plan.batch = 1; // chunks of the same size compute with the same implementations
    session.plan.reference = way.reference;
    for (std::size_t m = 0; m < models.size(); ++m) {
        members[m].device = device;
        members[m].model = models[m].get();
        members[m].session = &session;
    }
    trib_panel *panel = nullptr;
    TRIB_TRY(trib_panel_create(members.data(), int(members.size()), &way.options, &panel));
    out->reset(panel);
    return trib_success();
}

static trib_status take(trib_panel *panel, const std::vector<Item> &items, std::vector<Result> *out)
{
    for (;;) {
        const trib_panel_result *r = nullptr;
        TRIB_TRY(trib_panel_next(panel, &r));
        if (!r) return trib_success();
        EXPECT_EQ(r->context, &items[out->size()]);
        EXPECT_EQ(r->classes, kClasses);
        const std::size_t cells = std::size_t(r->rows) * std::size_t(r->classes);
        out->push_back({ { r->joint, r->joint + cells },
                         { r->members, r->members + cells * std::size_t(trib_panel_members(panel)) } });
    }
}

trib_status run(trib_panel *panel, std::vector<Item> &items, std::vector<Result> *out)
{
    out->clear();
    for (Item &item : items) {
        const trib_panel_item view = item.view(&item);
        TRIB_TRY(trib_panel_submit(panel, &view));
        TRIB_TRY(take(panel, items, out));
    }
    TRIB_TRY(trib_panel_flush(panel));
    return take(panel, items, out);
}

// The pixels of a region, normalised by the library's own preprocessing.
static std::vector<float> input_of(const trib_preprocess &whole, const Item &item, const trib_panel_region &r)
{
    const Picture &from = item.pictures[std::size_t(r.region.picture)];
    const int size = int(r.region.width);
    std::vector<uint8_t> rgb;
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x) {
            const int column = int(r.region.x) + (r.region.mirror ? size - 1 - x : x), row = int(r.region.y) + y;
            const uint8_t *pixel = &from.rgb[std::size_t(row * from.width + column) * 3];
            rgb.insert(rgb.end(), pixel, pixel + 3);
        }
    trib_preprocess p = whole;
    p.resize_mode = TRIB_RESIZE_NONE;
    std::vector<float> out(rgb.size());
    const trib_image image = { size, size, 3, rgb.data(), nullptr };
    EXPECT_OK(trib_preprocess_image(&p, &image, TRIB_NCHW, out.data()));
    return out;
}

std::vector<float> alone(trib_device *device, const trib_model *model, const Item &item, std::size_t member)
{
    const char *const outputs[] = { "probabilities" };
    trib_session_options o = trib_session_default_options();
    o.plan.outputs = outputs;
    o.plan.output_count = 1;
    o.lanes = 1;
    if (trib_device_get_info(device)->host) o.plan.threads = 1;
    trib_session *made = nullptr;
    EXPECT_OK(trib_session_create(device, trib_model_graph(model), trib_model_parameters(model), &o, &made));
    Session session(made);
    std::vector<float> all;
    for (const trib_panel_region &r : item.regions[member]) {
        const std::vector<float> input = input_of(*trib_model_preprocess(model), item, r);
        std::vector<float> row(kClasses);
        void *const to[] = { row.data() };
        EXPECT_OK(trib_session_run(session.get(), input.data(), 1, to));
        all.insert(all.end(), row.begin(), row.end());
    }
    return all;
}

} // namespace ask
