// SPDX-License-Identifier: Apache-2.0
// Probabilities averaged over crops and networks, against PyTorch's (tests/data/crops/make_probabilities.py).
#include <cmath>
#include <cstring>
#include <memory>

#include "golden/golden.h"
#include "host/image/crops.h"
#include "host/panel/panel.h"
#include "tributary/internal/alloc.h"

namespace
{

enum { CLASSES = 10 };

struct Spec {
    const char *network;
    double width;
    int size, short_side;
    bool bgr;
    float mean[3], std[3];
};
const Spec specs[] = { { "torchvision", 0.25, 40, 45, false, { 0.5f, 0.5f, 0.5f }, { 0.5f, 0.5f, 0.5f } },
                       { "bvlc", 0.125, 40, 40, true, { 0.4f, 0.5f, 0.6f }, { 0.25f, 0.25f, 0.25f } },
                       { "torchvision", 0.25, 33, 36, false, { 0.45f, 0.45f, 0.4f }, { 0.2f, 0.3f, 0.25f } } };
enum { MEMBERS = sizeof specs / sizeof *specs };

// A network of narrow modules, and what it is asked about.
struct Member {
    trib_model *model = nullptr;
    trib_preprocess preprocess = trib_preprocess_torchvision();

    explicit Member(const Spec &s)
    {
        trib_network_spec net {};
        net.network = trib_network_find(s.network);
        net.height = net.width = s.size;
        net.classes = CLASSES;
        net.width_multiplier = s.width;
        EXPECT_OK(trib_model_random(&net, 1, &model));
        preprocess.crop_height = preprocess.crop_width = s.size;
        preprocess.resize = s.short_side;
        preprocess.bgr = s.bgr;
        memcpy(preprocess.mean, s.mean, sizeof s.mean);
        memcpy(preprocess.std, s.std, sizeof s.std);
    }
    ~Member() { trib_model_destroy(model); }
};

// The networks, on the CPU, in batches that an image's crops do not fill.
class CropGolden : public testing::Test
{
  protected:
    void SetUp() override
    {
        ASSERT_OK(trib_device_open("cpu", nullptr, &device_));
        trib_session_options options = trib_session_default_options();
        options.max_batch = 25;
        std::vector<trib_panel_member> list;
        for (const Spec &s : specs) {
            members_.emplace_back(new Member(s));
            trib_panel_member m {};
            m.device = device_;
            m.model = members_.back()->model;
            m.preprocess = &members_.back()->preprocess;
            m.session = &options;
            list.push_back(m);
        }
        ASSERT_OK(trib_panel_create(list.data(), MEMBERS, nullptr, &panel_));
    }
    void TearDown() override
    {
        trib_panel_destroy(panel_);
        trib_device_close(device_);
    }
    void submit(int width, int height, int policy);
    void compare(const std::vector<float> &expected);

  private:
    std::vector<std::unique_ptr<Member>> members_;
    trib_device *device_ = nullptr;
    trib_panel *panel_ = nullptr;
};

// The image of make_crops.py.
trib_image picture(int width, int height)
{
    trib_image image = { width, height, 3, static_cast<uint8_t *>(trib_alloc(std::size_t(3 * width * height))),
                         nullptr };
    for (int y = 0, i = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < 3; ++c) image.pixels[i++] = uint8_t(x * 7 + y * 3 + x * y / 5 + 85 * c);
    return image;
}

void CropGolden::submit(int width, int height, int policy)
{
    trib_image image = picture(width, height);
    std::vector<trib_image> pictures;
    std::vector<trib_panel_region> regions[MEMBERS];
    trib_panel_part parts[MEMBERS];
    for (int i = 0; i < MEMBERS; ++i) {
        trib_crops crops;
        trib_crop_layout layout;
        const std::size_t first = pictures.size();
        ASSERT_OK(trib_crops_init(&members_[std::size_t(i)]->preprocess, policy, nullptr, 0, &crops));
        ASSERT_OK(trib_crops_layout(&crops, width, height, &layout));
        pictures.resize(first + std::size_t(layout.picture_count));
        ASSERT_OK(trib_crops_pictures(&crops, &layout, &image, &pictures[first]));
        for (const trib_crop *c = layout.crops; c < layout.crops + layout.crop_count; ++c) {
            trib_panel_region r {};
            r.region = {
                int64_t(first) + c->picture, float(c->x), float(c->y), float(c->width), float(c->height), c->mirror
            };
            r.weight = c->weight;
            regions[i].push_back(r);
        }
        parts[i] = { regions[i].data(), int(regions[i].size()) };
    }
    trib_panel_item item {};
    item.rows = 1;
    item.pictures = pictures.data();
    item.picture_count = int(pictures.size());
    item.parts = parts;
    EXPECT_OK(trib_panel_submit(panel_, &item));
    EXPECT_OK(trib_panel_flush(panel_));
    for (trib_image &p : pictures) trib_image_release(&p);
    trib_image_release(&image);
}

void expect_near(const double *got, const float *expected)
{
    for (int c = 0; c < CLASSES; ++c)
        EXPECT_TRUE(std::fabs(got[c] - double(expected[c])) <= 1e-6) << got[c] << " " << c;
}

void CropGolden::compare(const std::vector<float> &expected)
{
    const trib_panel_result *result = nullptr;
    ASSERT_OK(trib_panel_next(panel_, &result));
    ASSERT_TRUE(result);
    ASSERT_EQ(result->rows, 1);
    ASSERT_EQ(result->classes, CLASSES);
    ASSERT_EQ(expected.size(), std::size_t((MEMBERS + 1) * CLASSES));
    for (int m = 0; m < MEMBERS; ++m) {
        SCOPED_TRACE(specs[m].network);
        expect_near(result->members + m * CLASSES, &expected[std::size_t(m * CLASSES)]);
    }
    SCOPED_TRACE("all");
    expect_near(result->joint, &expected[std::size_t(MEMBERS * CLASSES)]);
}

TEST_F(CropGolden, AveragesAreThoseOfPyTorch)
{
    golden::File file("crops/probabilities.safetensors");
    const int shapes[][2] = { { 60, 45 }, { 28, 28 }, { 30, 75 }, { 260, 40 } };
    for (const auto &shape : shapes)
        for (int policy : { 1, 10, 144 }) {
            std::string name = std::to_string(shape[0]) + "x" + std::to_string(shape[1]) + "/" + std::to_string(policy);
            SCOPED_TRACE(name);
            ASSERT_NO_FATAL_FAILURE(submit(shape[0], shape[1], policy));
            ASSERT_NO_FATAL_FAILURE(compare(file.floats(name)));
        }
}

} // namespace
