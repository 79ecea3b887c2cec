// SPDX-License-Identifier: Apache-2.0
// Windows of images as rows: which, in what shares, the same for any workers; and the images that are kept for them.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <thread>

#include "data/image_cache.h"
#include "data/training_windows.h"
#include "dataset/training.h"
#include "tributary/internal/fault.h"

namespace fs = std::filesystem;
using make::TrainingSet;
using support::TemporaryFolder;
using support::write_file;

namespace
{

constexpr int kSide = 8;

struct Windows {
    trib_training_windows *windows = nullptr;
    explicit Windows(const trib_training_set *set, double share = 0.25, int context = 0, int64_t kept = 1 << 20)
    {
        const trib_windows_options o = { share, context, 0, kept };
        EXPECT_OK(trib_training_windows_create(set, &o, &windows));
    }
    ~Windows() { trib_training_windows_destroy(windows); }
    Windows(const Windows &) = delete;
    Windows &operator=(const Windows &) = delete;
    void add(int image, int label, float x, float y, float width, float height, trib_training_part part = TRIB_TRAINING)
    {
        const trib_window window = { x, y, width, height, image, label };
        EXPECT_OK(trib_training_windows_add(windows, part, &window));
    }
};

// `count` images of 20 x 10 pixels in one folder, without labels; all pixels of image i are 10 i.
class Images : public testing::Test
{
  protected:
    void SetUp() override
    {
        if (!make::can_decode_png()) GTEST_SKIP() << "this build has no libspng";
        open(5);
    }
    void open(int count, double share = -1)
    {
        fs::create_directories(folder.file("i"));
        for (int i = 0; i < count; ++i)
            write_file(folder.file("i/" + std::to_string(100 + i) + ".png"), make::png(20, 10, 10 * i));
        trib_training_set_options o = {};
        o.unlabelled = true;
        o.validation_share = share;
        set = std::make_unique<TrainingSet>(std::vector<std::string> { folder.file("i") }, o);
        ASSERT_OK(set->status);
    }

    struct Rows {
        std::vector<float> pixels;
        std::vector<int> labels;
        std::vector<int64_t> images;
        trib_training_loader_stats stats;
        trib_status status;
    };
    Rows take(const Windows &windows, int batch, int batches, int workers = 2, int64_t position = 0,
              const char *sampling = "none", trib_training_part part = TRIB_TRAINING, trib_layout layout = TRIB_NHWC)
    {
        Rows out;
        const trib_training_rows rows = trib_window_rows(windows.windows, part);
        const trib_preprocess p = make::as_is(kSide);
        trib_training_loader_options o = {};
        o.batch_size = batch;
        o.workers = workers;
        o.layout = layout;
        o.seed = 7;
        o.position = position;
        o.in_order = part == TRIB_VALIDATION;
        o.sampling = trib_sampling_find(sampling);
        trib_training_loader *loader = nullptr;
        out.status = trib_training_loader_create_for(&rows, &p, &o, &loader);
        const trib_training_batch *b = nullptr;
        for (int i = 0; i < batches && !trib_failed(&out.status); ++i) {
            out.status = trib_training_loader_next(loader, &b);
            if (trib_failed(&out.status) || !b) break;
            const float *pixels = static_cast<const float *>(b->pixels);
            out.pixels.insert(out.pixels.end(), pixels, pixels + b->count * kSide * kSide * 3);
            out.labels.insert(out.labels.end(), b->labels, b->labels + b->count);
            out.images.insert(out.images.end(), b->samples, b->samples + b->count);
            trib_training_loader_give_back(loader, b);
        }
        if (loader) out.stats = trib_training_loader_get_stats(loader);
        trib_training_loader_destroy(loader);
        return out;
    }
    static float pixel(const Rows &rows, size_t row, int i, int j)
    {
        return rows.pixels[(row * kSide * kSide + size_t(i * kSide + j)) * 3];
    }

    TemporaryFolder folder;
    std::unique_ptr<TrainingSet> set;
};

} // namespace

TEST_F(Images, OfWindowsOneInFourRowsShowsAnObjectAndEachComesOncePerEpoch)
{
    Windows w(set->set);
    for (int i = 0; i < 5; ++i) w.add(i, 1 + i % 2, 2, 2, 8, 8);
    for (int i = 0; i < 30; ++i) w.add(i % 5, 0, float(i % 10), 1, 8, 8);
    ASSERT_OK(trib_training_windows_finish(w.windows, 100));
    EXPECT_EQ(trib_training_windows_objects(w.windows, TRIB_TRAINING), 5);
    EXPECT_EQ(trib_training_windows_background(w.windows, TRIB_TRAINING), 30);
    EXPECT_EQ(trib_window_rows(w.windows, TRIB_TRAINING).count, 20);
    EXPECT_EQ(trib_window_rows(w.windows, TRIB_VALIDATION).count, 0);
    const Rows got = take(w, 8, 10);
    ASSERT_OK(got.status);
    for (int batch = 0; batch < 10; ++batch)
        EXPECT_EQ(std::count_if(&got.labels[size_t(batch) * 8], &got.labels[size_t(batch) * 8] + 8,
                                [](int label) { return label > 0; }),
                  2);
    for (int epoch = 0; epoch < 4; ++epoch) {
        std::map<int64_t, int> seen;
        for (size_t i = size_t(epoch) * 20; i < size_t(epoch + 1) * 20; ++i)
            if (got.labels[i]) {
                ++seen[got.images[i]];
                EXPECT_EQ(got.labels[i], 1 + got.images[i] % 2);
            }
        EXPECT_EQ(seen, (std::map<int64_t, int> { { 0, 1 }, { 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 1 } }));
    }
    for (size_t i = 0; i < got.images.size(); ++i) EXPECT_EQ(pixel(got, i, 3, 3), float(10 * got.images[i]));
}

TEST_F(Images, OfWindowsAnyShareHoldsInAnyBatch)
{
    for (double share : { 0.1, 0.3, 0.5, 0.999, 1.0 }) {
        Windows w(set->set, share);
        for (int i = 0; i < 7; ++i) w.add(i % 5, 1, 0, 0, 8, 8);
        w.add(0, 0, 5, 0, 8, 8);
        ASSERT_OK(trib_training_windows_finish(w.windows, 100));
        EXPECT_EQ(trib_window_rows(w.windows, TRIB_TRAINING).count, int64_t(std::ceil(7 / share)));
        const Rows got = take(w, 7, 30);
        for (size_t n = 1; n <= got.labels.size(); ++n)
            EXPECT_EQ(std::count(got.labels.begin(), got.labels.begin() + long(n), 1),
                      long(std::floor(double(n) * share + 1e-9)))
                << share;
    }
}

// The part of the image, in the middle of the context; beyond the image is the mean, and mirrors swap columns.
TEST_F(Images, WindowsAreWhatRegionsAre)
{
    write_file(folder.file("i/100.png"), make::png(20, 10, 200));
    Windows w(set->set, 1, 2);
    w.add(0, 1, 16, 2, 4, 4); // with context 8 x 8, from 14, 0: the last two columns are beyond the image
    ASSERT_OK(trib_training_windows_finish(w.windows, 100));
    for (trib_layout layout : { TRIB_NHWC, TRIB_NCHW }) {
        const Rows got = take(w, 1, 1, 1, 0, "none", TRIB_TRAINING, layout);
        ASSERT_OK(got.status);
        for (int i = 0; i < kSide; ++i)
            for (int j = 0; j < kSide; ++j)
                for (int c = 0; c < 3; ++c) {
                    const int at = layout == TRIB_NHWC ? (i * kSide + j) * 3 + c : (c * kSide + i) * kSide + j;
                    EXPECT_EQ(got.pixels[size_t(at)], j < 6 ? 200 : 0) << i << ' ' << j;
                }
    }
    const Rows mirrored = take(w, 1, 64, 2, 0, "mirror");
    int swapped = 0;
    for (size_t row = 0; row < 64; ++row) {
        const bool is = pixel(mirrored, row, 0, 0) == 0;
        swapped += is;
        EXPECT_EQ(pixel(mirrored, row, 0, 7), is ? 200 : 0);
    }
    EXPECT_GT(swapped, 16);
    EXPECT_LT(swapped, 48);
}

TEST_F(Images, WindowsAreTheSameForAnyWorkersAndAnyBeginning)
{
    for (int64_t kept : { int64_t(0), int64_t(2 * 20 * 10 * 3), int64_t(1 << 20) }) { // none, two images, all
        Windows w(set->set, 0.4, 1, kept);
        for (int i = 0; i < 11; ++i) w.add(i % 5, 1, float(i), 0, 6, 9);
        for (int i = 0; i < 40; ++i) w.add(i % 5, 0, float(i % 12), 1, 7, 8);
        ASSERT_OK(trib_training_windows_finish(w.windows, 100));
        const Rows all = take(w, 10, 12, 1, 0, "mirror");
        ASSERT_OK(all.status);
        ASSERT_EQ(all.labels.size(), 120u);
        for (int workers : { 2, 5 }) {
            const Rows again = take(w, 10, 12, workers, 0, "mirror");
            EXPECT_EQ(again.labels, all.labels);
            EXPECT_EQ(again.pixels == all.pixels, true);
        }
        const Rows rest = take(w, 10, 5, 3, 70, "mirror");
        EXPECT_EQ(rest.labels, std::vector<int>(all.labels.begin() + 70, all.labels.end()));
        EXPECT_EQ(rest.pixels == std::vector<float>(all.pixels.begin() + 70 * kSide * kSide * 3, all.pixels.end()),
                  true);
    }
}

TEST_F(Images, WindowsThatAreMeasuredAreTheSameEachTimeAndInOrderOfImages)
{
    open(40, 0.3);
    const int count = int(trib_training_set_count(set->set, TRIB_VALIDATION));
    ASSERT_GT(count, 3);
    Windows w(set->set, 0.25, 0);
    w.add(0, 1, 0, 0, 8, 8);
    w.add(0, 0, 8, 0, 8, 8);
    for (int i = 0; i < count; ++i) w.add(i, 2, 1, 1, 8, 8, TRIB_VALIDATION);
    for (int i = 0; i < 5 * count; ++i) w.add(i % count, 0, float(i % 10), 0, 8, 8, TRIB_VALIDATION);
    ASSERT_OK(trib_training_windows_finish(w.windows, 1000));
    const Rows all = take(w, 16, 100, 3, 0, "none", TRIB_VALIDATION);
    ASSERT_OK(all.status);
    EXPECT_EQ(all.labels.size(), size_t(4 * count));
    EXPECT_EQ(std::count(all.labels.begin(), all.labels.end(), 2), count);
    EXPECT_TRUE(std::is_sorted(all.images.begin(), all.images.end()));
    EXPECT_EQ(take(w, 7, 100, 1, 0, "none", TRIB_VALIDATION).labels, all.labels);
}

TEST_F(Images, WithoutWindowsOfEitherKindThereIsNothingToLearn)
{
    Windows none(set->set), objects(set->set), only(set->set, 1);
    none.add(0, 0, 0, 0, 8, 8);
    trib_status s = trib_training_windows_finish(none.windows, 10);
    EXPECT_EQ(s.code, TRIB_BAD_DATA);
    EXPECT_NE(std::string(s.message).find("no image to train on has an object"), std::string::npos);
    objects.add(0, 1, 0, 0, 8, 8);
    s = trib_training_windows_finish(objects.windows, 10);
    EXPECT_EQ(s.code, TRIB_BAD_DATA);
    EXPECT_NE(std::string(s.message).find("no proposal shows background"), std::string::npos);
    only.add(0, 1, 0, 0, 8, 8);
    EXPECT_OK(trib_training_windows_finish(only.windows, 10));
    for (double share : { 0.0, -1.0, 1.5, std::nan(""), 1e-9 }) {
        const trib_windows_options o = { share, 0, 0, 0 };
        trib_training_windows *windows = nullptr;
        EXPECT_EQ(trib_training_windows_create(set->set, &o, &windows).code, TRIB_INVALID_ARGUMENT);
    }
}

TEST_F(Images, ThatAreDamagedGiveTheirRowsToOthers)
{
    write_file(folder.file("i/102.png"), "\x89PNG\r\n\x1a\nnot one");
    Windows w(set->set, 0.5);
    for (int i = 0; i < 5; ++i) w.add(i, 1, 0, 0, 8, 8), w.add(i, 0, 8, 0, 8, 8);
    ASSERT_OK(trib_training_windows_finish(w.windows, 10));
    const Rows got = take(w, 10, 8, 3, 0, "none"), again = take(w, 10, 8, 1, 0, "none");
    ASSERT_OK(got.status);
    EXPECT_EQ(got.images, again.images);
    EXPECT_EQ(std::count(got.images.begin(), got.images.end(), 2), 0);
    EXPECT_EQ(std::count(got.labels.begin(), got.labels.end(), 1), 40);
    EXPECT_EQ(got.stats.damaged, 1);
}

TEST_F(Images, WithoutLabelsHaveNoClasses)
{
    EXPECT_EQ(trib_training_set_classes(set->set), 0);
    EXPECT_EQ(trib_training_set_class_names(set->set), nullptr);
    EXPECT_EQ(set->labels(TRIB_TRAINING), std::vector<int>(5, TRIB_NO_LABEL));
    trib_training_set_options o = {};
    o.unlabelled = true;
    o.class_count = 3;
    EXPECT_EQ(TrainingSet({ folder.file("i") }, o).status.code, TRIB_INVALID_ARGUMENT);
    o.class_count = 0;
    fs::create_directories(folder.file("empty"));
    EXPECT_EQ(TrainingSet({ folder.file("empty") }, o).status.code, TRIB_NOT_FOUND);
}

TEST_F(Images, WindowsWithoutMemoryFail)
{
    for (int64_t k = 1;; ++k) {
        trib_fault_arm(k, false);
        trib_training_windows *windows = nullptr;
        const trib_windows_options o = { 0.5, 0, 0, 1000 };
        const trib_window object = { 0, 0, 8, 8, 0, 1 }, background = { 0, 0, 8, 8, 0, 0 };
        trib_status s = trib_training_windows_create(set->set, &o, &windows);
        for (auto part : { TRIB_TRAINING, TRIB_VALIDATION }) {
            if (!trib_failed(&s)) s = trib_training_windows_add(windows, part, &object);
            if (!trib_failed(&s)) s = trib_training_windows_add(windows, part, &background);
        }
        if (!trib_failed(&s)) s = trib_training_windows_finish(windows, 10);
        trib_training_windows_destroy(windows);
        if (trib_fault_disarm() < k) break;
        EXPECT_EQ(s.code, TRIB_OUT_OF_MEMORY);
        ASSERT_LT(k, 100);
    }
}

// ---- images that are kept ----

namespace
{

trib_image image_of(std::vector<uint8_t> &pixels, int width, uint8_t value)
{
    pixels.assign(size_t(width), value);
    return { width, 1, 1, pixels.data(), nullptr };
}

} // namespace

TEST(ImageCache, KeepsWhatWasAskedForLately)
{
    trib_image_cache *cache = nullptr;
    ASSERT_OK(trib_image_cache_create(10, 30, &cache));
    std::vector<uint8_t> pixels;
    for (uint8_t i = 0; i < 3; ++i) {
        const trib_image image = image_of(pixels, 10, i);
        trib_image_cache_keep(cache, i, &image);
    }
    EXPECT_EQ(trib_image_cache_bytes(cache), 30);
    const trib_image *first = trib_image_cache_hold(cache, 0);
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(first->pixels[9], 0);
    const trib_image more = image_of(pixels, 10, 7), large = { 31, 1, 1, pixels.data(), nullptr };
    trib_image_cache_keep(cache, 9, &large); // larger than all
    trib_image_cache_keep(cache, 7, &more);  // for image 1: image 0 is held
    EXPECT_EQ(trib_image_cache_hold(cache, 1), nullptr);
    const trib_image *kept = trib_image_cache_hold(cache, 7), *second = trib_image_cache_hold(cache, 2);
    ASSERT_TRUE(kept && second);
    EXPECT_EQ(kept->pixels[0], 7);
    trib_image_cache_keep(cache, 3, &more); // all are held: no room
    EXPECT_EQ(trib_image_cache_hold(cache, 3), nullptr);
    EXPECT_EQ(trib_image_cache_bytes(cache), 30);
    for (int number : { 0, 7, 2 }) trib_image_cache_let_go(cache, number);
    trib_image_cache_keep(cache, 7, &more); // is there already
    EXPECT_EQ(trib_image_cache_bytes(cache), 30);
    trib_image_cache_destroy(cache);
    trib_image_cache_destroy(nullptr);
}

TEST(ImageCache, IsSharedByThreads)
{
    trib_image_cache *cache = nullptr;
    ASSERT_OK(trib_image_cache_create(16, 50, &cache));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([cache, t] {
            std::vector<uint8_t> pixels;
            for (int i = 0; i < 2000; ++i) {
                const int number = (i * 7 + t * 3) % 16;
                if (const trib_image *image = trib_image_cache_hold(cache, number)) {
                    EXPECT_EQ(image->pixels[0], number);
                    trib_image_cache_let_go(cache, number);
                } else {
                    const trib_image made = image_of(pixels, 5 + number % 7, uint8_t(number));
                    trib_image_cache_keep(cache, number, &made);
                }
            }
        });
    for (auto &thread : threads) thread.join();
    EXPECT_LE(trib_image_cache_bytes(cache), 50);
    trib_image_cache_destroy(cache);
}
