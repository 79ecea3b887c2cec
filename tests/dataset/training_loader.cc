// SPDX-License-Identifier: Apache-2.0
// Training loaders: the same bytes whatever the workers, the prefetch and where one began; damaged images; failures.
#include <sys/resource.h>

#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "dataset/training.h"
#include "support/heap.h"
#include "tributary/internal/fault.h"

namespace fs = std::filesystem;
using make::take_batches;
using make::TrainingBatches;
using make::TrainingSet;
using support::TemporaryFolder;
using support::write_file;

namespace
{

trib_training_set_options everything()
{
    trib_training_set_options o = {};
    o.validation_share = -1;
    return o;
}

trib_training_loader_options options(int batch, int workers = 3, int64_t position = 0, const char *sampling = "paper")
{
    trib_training_loader_options o = {};
    o.batch_size = batch;
    o.workers = workers;
    o.layout = TRIB_NHWC;
    o.seed = 42;
    o.position = position;
    o.sampling = trib_sampling_find(sampling);
    return o;
}

// An IDX pair of `count` images of two classes; all pixels of image i are i.
class Idx
{
  public:
    explicit Idx(int count, int side = 4)
    {
        std::vector<int> labels;
        for (int i = 0; i < count; ++i) labels.push_back(i % 2);
        write_file(images(), make::idx_images(uint32_t(count), uint32_t(side), uint32_t(side)));
        write_file(folder_.file("train-labels-idx1-ubyte"), make::idx_labels(labels));
        set = std::make_unique<TrainingSet>(std::vector<std::string> { images() }, everything());
        EXPECT_OK(set->status);
    }
    std::string images() const { return folder_.file("train-images-idx3-ubyte"); }
    const trib_training_set *get() const { return set->set; }
    std::unique_ptr<TrainingSet> set;

  private:
    TemporaryFolder folder_;
};

// A folder of PNGs of two classes and various sizes; each `every`-th one is damaged.
class Pictures
{
  public:
    Pictures(int count, int every)
    {
        for (int i = 0; i < count; ++i) {
            fs::create_directories(folder.file(i % 2 ? "b" : "a"));
            std::string bytes = make::png(5 + i % 40, 6 + i % 23, i);
            if (every && i % every == every - 1) bytes.resize(bytes.size() / 2), damaged.insert(path(i));
            write_file(path(i), bytes);
        }
        set = std::make_unique<TrainingSet>(std::vector<std::string> { folder.path() }, everything());
        EXPECT_OK(set->status);
    }
    std::string path(int i) const { return folder.file((i % 2 ? "b/" : "a/") + std::to_string(1000 + i) + ".png"); }
    const trib_training_set *get() const { return set->set; }
    TemporaryFolder folder;
    std::set<std::string> damaged;
    std::unique_ptr<TrainingSet> set;
};

void expect_equal(const TrainingBatches &a, const TrainingBatches &b)
{
    EXPECT_EQ(a.samples, b.samples);
    EXPECT_EQ(a.labels, b.labels);
    EXPECT_EQ(a.names, b.names);
    EXPECT_EQ(a.pixels == b.pixels, true); // too many to print
    EXPECT_EQ(a.damaged, b.damaged);
}

#define NEEDS_PNG() \
    if (!make::can_decode_png()) GTEST_SKIP() << "this build has no libspng"

} // namespace

TEST(TrainingLoader, EveryImageOncePerEpochAcrossBatches)
{
    Idx idx(23);
    TrainingBatches got = take_batches(idx.get(), make::as_is(4), options(5, 3, 0, "none"), 14); // 70 of 69 samples
    ASSERT_OK(got.status);
    for (int epoch = 0; epoch < 3; ++epoch) {
        std::set<int64_t> seen(got.samples.begin() + 23 * epoch, got.samples.begin() + 23 * (epoch + 1));
        EXPECT_EQ(seen.size(), 23u);
    }
    for (size_t i = 0; i < 70; ++i) {
        int64_t image = trib_training_order(42, int64_t(i) / 23, int64_t(i) % 23, 23);
        EXPECT_EQ(got.samples[i], image);
        EXPECT_EQ(got.labels[i], image % 2);
        EXPECT_EQ(got.names[i], idx.images() + "#" + std::to_string(image));
        float pixel = 0;
        memcpy(&pixel, got.pixels.data() + i * 4 * 4 * 3 * sizeof pixel, sizeof pixel);
        EXPECT_EQ(pixel, float(image));
    }
    EXPECT_EQ(got.positions[3], 15);
    EXPECT_EQ(got.steps[3], 3);
    EXPECT_EQ(got.epochs, std::vector<int64_t>({ 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2 }));
    EXPECT_EQ(got.ends_epoch, std::vector<bool>({ 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1 }));
    EXPECT_EQ(got.stats.damaged, 0);
    EXPECT_GE(got.stats.decoded, 70);
}

TEST(TrainingLoader, TheSameBytesForAnyWorkersAndPrefetch)
{
    NEEDS_PNG();
    Pictures pictures(60, 7);
    trib_preprocess p = make::as_is(4);
    p.resize_mode = TRIB_RESIZE_SQUASH;
    p.resize = 5;
    for (int i = 0; trib_sampling_at(i); ++i)
        for (bool raw : { false, true }) {
            trib_training_loader_options o = options(8, 1, 0, trib_sampling_at(i)->name);
            o.raw = raw;
            TrainingBatches one = take_batches(pictures.get(), p, o, 20);
            ASSERT_OK(one.status);
            ASSERT_EQ(one.samples.size(), 160u);
            for (int workers : { 2, 16 })
                for (int prefetch : { 1, 5 }) {
                    o.workers = workers;
                    o.prefetch = prefetch;
                    expect_equal(take_batches(pictures.get(), p, o, 20), one);
                }
        }
}

TEST(TrainingLoader, ResumesAtAnyBatch)
{
    NEEDS_PNG();
    Pictures pictures(31, 5);
    trib_preprocess p = make::as_is(4);
    TrainingBatches whole = take_batches(pictures.get(), p, options(4), 24); // more than three epochs
    ASSERT_OK(whole.status);
    for (int64_t batch = 0; batch < 24; ++batch) {
        TrainingBatches rest = take_batches(pictures.get(), p, options(4, 2, 4 * batch), int(24 - batch));
        ASSERT_OK(rest.status);
        EXPECT_EQ(rest.samples, std::vector<int64_t>(whole.samples.begin() + 4 * batch, whole.samples.end()));
        EXPECT_EQ(rest.pixels ==
                      std::vector<unsigned char>(whole.pixels.begin() + batch * 4 * 4 * 4 * 3 * int64_t(sizeof(float)),
                                                 whole.pixels.end()),
                  true);
        EXPECT_EQ(rest.epochs[0], whole.epochs[size_t(batch)]);
        EXPECT_EQ(rest.steps[0], batch);
    }
}

TEST(TrainingLoader, SeedsAndEpochsDiffer)
{
    Idx idx(100, 9);
    trib_training_loader_options o = options(100, 2);
    TrainingBatches a = take_batches(idx.get(), make::as_is(4), o, 2);
    o.seed = 43;
    TrainingBatches b = take_batches(idx.get(), make::as_is(4), o, 1);
    EXPECT_NE(std::vector<int64_t>(a.samples.begin(), a.samples.begin() + 100), b.samples);
    // An image looks different in each epoch: its pixels are even, so only the distortions tell.
    auto pixel_of = [&](int64_t sample, size_t from) {
        size_t row = size_t(std::find(a.samples.begin() + long(from), a.samples.end(), sample) - a.samples.begin());
        float pixel = 0;
        memcpy(&pixel, a.pixels.data() + row * 4 * 4 * 3 * sizeof pixel, sizeof pixel);
        return pixel;
    };
    int same = 0;
    for (int64_t sample = 50; sample < 100; ++sample) same += pixel_of(sample, 0) == pixel_of(sample, 100);
    EXPECT_LE(same, 12);
}

TEST(TrainingLoader, DamagedImagesAreReplacedAndMoveNoOther)
{
    NEEDS_PNG();
    Pictures good(40, 0), bad(40, 4);
    trib_preprocess p = make::as_is(4);
    TrainingBatches wanted = take_batches(good.get(), p, options(10), 8),
                    got = take_batches(bad.get(), p, options(10), 8);
    ASSERT_OK(wanted.status);
    ASSERT_OK(got.status);
    size_t replaced = 0, row = 4 * 4 * 3 * sizeof(float);
    for (size_t i = 0; i < 80; ++i) {
        EXPECT_EQ(bad.damaged.count(got.names[i]), 0u);
        if (bad.damaged.count(trib_training_set_name(bad.get(), TRIB_TRAINING, wanted.samples[i]))) {
            ++replaced;
            EXPECT_EQ(got.labels[i], trib_training_set_label(bad.get(), TRIB_TRAINING, got.samples[i]));
            continue;
        }
        ASSERT_EQ(got.samples[i], wanted.samples[i]);
        EXPECT_EQ(memcmp(got.pixels.data() + i * row, wanted.pixels.data() + i * row, row), 0);
    }
    EXPECT_EQ(replaced, 20u); // 10 in each of two epochs
    EXPECT_EQ(got.stats.damaged, 10);
    ASSERT_EQ(got.damaged.size(), 10u); // each listed once
    std::set<std::string> listed;
    for (size_t i = 0; i < 10; ++i) {
        listed.insert(trib_training_set_name(bad.get(), TRIB_TRAINING, got.damaged[i]));
        EXPECT_NE(got.reasons[i].find("PNG image"), std::string::npos) << got.reasons[i];
        EXPECT_NE(
            got.reasons[i].find(fs::path(trib_training_set_name(bad.get(), TRIB_TRAINING, got.damaged[i])).filename()),
            std::string::npos);
    }
    EXPECT_EQ(listed, bad.damaged);
}

TEST(TrainingLoader, DamagedShardMembersAreReplacedToo)
{
    NEEDS_PNG();
    if (!make::built_with_tar()) GTEST_SKIP() << "this build has no libarchive";
    TemporaryFolder t;
    std::vector<std::pair<std::string, std::string>> members;
    for (int i = 0; i < 20; ++i) {
        std::string key = "m" + std::to_string(i);
        members.push_back({ key + ".png", i % 5 == 3 ? "not an image" : make::png(7, 7, i) });
        members.push_back({ key + ".cls", std::to_string(i % 2) });
    }
    write_file(t.file("s.tar"), make::tar(members));
    TrainingSet set({ t.file("s.tar") }, everything());
    ASSERT_OK(set.status);
    TrainingBatches one = take_batches(set.set, make::as_is(4), options(6, 1), 10);
    ASSERT_OK(one.status);
    EXPECT_EQ(one.stats.damaged, 4);
    expect_equal(take_batches(set.set, make::as_is(4), options(6, 8), 10), one);
    // A shard that became another one: members are not where they were, or have other sizes.
    members.insert(members.begin(), { "new.png", std::string(3000, 'x') });
    write_file(t.file("s.tar"), make::tar(members));
    EXPECT_FAILS(take_batches(set.set, make::as_is(4), options(6, 3), 10).status, TRIB_BAD_DATA, "s.tar");
}

TEST(TrainingLoader, MoreThanHalfDamagedIsAFailure)
{
    NEEDS_PNG();
    Pictures pictures(30, 0);
    for (int i = 0; i < 16; ++i) write_file(pictures.path(i), "not an image");
    TrainingBatches got = take_batches(pictures.get(), make::as_is(4), options(10), 10);
    EXPECT_FAILS(got.status, TRIB_BAD_DATA, "16 of 30 images cannot be read, more than half");
    EXPECT_EQ(got.stats.damaged, 16);
    write_file(pictures.path(3), make::png(9, 9, 9)); // half of them: goes on
    EXPECT_OK(take_batches(pictures.get(), make::as_is(4), options(10), 10).status);
}

TEST(TrainingLoader, DataThatVanishStopTraining)
{
    NEEDS_PNG();
    Pictures pictures(200, 0);
    trib_preprocess p = make::as_is(4);
    trib_training_loader_options o = options(8, 3);
    trib_training_loader *loader = nullptr;
    ASSERT_OK(trib_training_loader_create(pictures.get(), &p, &o, &loader));
    const trib_training_batch *batch = nullptr;
    ASSERT_OK(trib_training_loader_next(loader, &batch));
    trib_training_loader_give_back(loader, batch);
    fs::remove_all(pictures.folder.file("a"));
    fs::remove_all(pictures.folder.file("b"));
    trib_status s = trib_success();
    for (int i = 0; i < 20 && !trib_failed(&s); ++i) {
        s = trib_training_loader_next(loader, &batch);
        if (!trib_failed(&s)) trib_training_loader_give_back(loader, batch);
    }
    EXPECT_FAILS(s, TRIB_NOT_FOUND, "are the data still there?");
    EXPECT_FAILS(trib_training_loader_next(loader, &batch), TRIB_NOT_FOUND, ".png");
    trib_training_loader_destroy(loader);
}

TEST(TrainingLoader, AFileThatBecomesShorterOrLongerIsFound)
{
    Idx idx(20);
    fs::resize_file(idx.images(), 16 + 10 * 16);
    TrainingBatches got = take_batches(idx.get(), make::as_is(4), options(10), 4);
    ASSERT_OK(got.status); // half of them are left
    EXPECT_EQ(got.stats.damaged, 10);
    EXPECT_NE(got.reasons[0].find("has become shorter: image 1"), std::string::npos) << got.reasons[0];
    if (!make::built_with_tar() || !make::can_decode_png()) return;
    TemporaryFolder t;
    auto tar = [](size_t comment) {
        std::string a = make::png(6, 6, 1) + std::string(comment, ' ');
        return make::tar({ { "a.png", a },
                           { "a.cls", "0" },
                           { "b.png", make::png(6, 6, 2) },
                           { "b.cls", "1" },
                           { "c.png", make::png(6, 6, 2) },
                           { "c.cls", "1" } });
    };
    write_file(t.file("s.tar"), tar(0));
    TrainingSet set({ t.file("s.tar") }, everything());
    ASSERT_OK(set.status);
    write_file(t.file("s.tar"), tar(1));
    got = take_batches(set.set, make::as_is(4), options(3), 1);
    ASSERT_OK(got.status);
    ASSERT_EQ(got.reasons.size(), 1u);
    EXPECT_NE(got.reasons[0].find("when the data were opened"), std::string::npos) << got.reasons[0];
}

TEST(TrainingLoader, AThousandDamagedImagesAreListedAndAllAreCounted)
{
    Idx idx(3000);
    fs::resize_file(idx.images(), 16 + 1500 * 16);
    TrainingBatches got = take_batches(idx.get(), make::as_is(4), options(500, 2, 0, "none"), 6);
    ASSERT_OK(got.status);
    EXPECT_EQ(got.stats.damaged, 1500);
    EXPECT_EQ(got.damaged.size(), 1000u);
}

TEST(TrainingLoader, TooManyOpenFilesAreNotTheImagesFault)
{
    NEEDS_PNG();
    Pictures pictures(20, 0);
    struct rlimit before, none;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    TrainingBatches got = take_batches(pictures.get(), make::as_is(4), options(4), 2);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_FAILS(got.status, TRIB_IO_ERROR, "oo many open files");
    EXPECT_TRUE(got.damaged.empty());
}

TEST(TrainingLoader, ValidationIsOnePassInOrder)
{
    NEEDS_PNG();
    Pictures pictures(25, 6);
    trib_training_loader_options o = options(10, 3, 0, "none");
    o.in_order = true;
    TrainingBatches got = take_batches(pictures.get(), make::as_is(4), o);
    ASSERT_OK(got.status);
    ASSERT_EQ(got.samples.size(), 25u); // the last batch has five
    EXPECT_EQ(got.ends_epoch, std::vector<bool>({ false, false, true }));
    for (size_t i = 0; i < 25; ++i) {
        EXPECT_EQ(got.samples[i], int64_t(i));
        bool damaged = pictures.damaged.count(got.names[i]);
        EXPECT_EQ(got.labels[i] == TRIB_NO_LABEL, damaged);
        const unsigned char *row = got.pixels.data() + i * 4 * 4 * 3 * sizeof(float);
        if (damaged) {
            EXPECT_EQ(std::count(row, row + 4 * 4 * 3 * sizeof(float), 0), long(4 * 4 * 3 * sizeof(float)));
        }
    }
    EXPECT_EQ(got.stats.damaged, 4);
    EXPECT_EQ(got.stats.decoded, 21);
    o.batch_size = 100; // larger than the part
    EXPECT_EQ(take_batches(pictures.get(), make::as_is(4), o).samples.size(), 25u);
    o.position = 20;
    EXPECT_EQ(take_batches(pictures.get(), make::as_is(4), o).samples.size(), 5u);
    o.position = 30;
    EXPECT_EQ(take_batches(pictures.get(), make::as_is(4), o).samples.size(), 0u);
}

TEST(TrainingLoader, StopsAtTheEndAsked)
{
    Idx idx(10);
    trib_training_loader_options o = options(4, 2, 8, "none");
    o.end = 30;
    TrainingBatches got = take_batches(idx.get(), make::as_is(4), o);
    ASSERT_OK(got.status);
    EXPECT_EQ(got.positions, std::vector<int64_t>({ 8, 12, 16, 20, 24, 28 }));
    EXPECT_EQ(got.samples.size(), 22u);
}

TEST(TrainingLoader, OptionsAreChecked)
{
    Idx idx(10);
    auto fails = [&](trib_training_loader_options o, trib_code code, const char *text) {
        EXPECT_FAILS(take_batches(idx.get(), make::as_is(4), o, 1).status, code, text);
    };
    fails(options(11), TRIB_INVALID_ARGUMENT, "10 images are fewer than a batch of 11");
    fails(options(0), TRIB_INVALID_ARGUMENT, "batch size 0");
    fails(options(1, -1), TRIB_INVALID_ARGUMENT, "-1 loader workers");
    fails(options(1, 1, -1), TRIB_INVALID_ARGUMENT, "position -1");
    trib_training_loader_options o = options(1);
    o.part = TRIB_VALIDATION;
    fails(o, TRIB_NOT_FOUND, "no images for validation");
    o.part = trib_training_part(2);
    fails(o, TRIB_INVALID_ARGUMENT, "part 2");
    o = options(1);
    o.raw = true;
    o.layout = TRIB_NCHW;
    fails(o, TRIB_INVALID_ARGUMENT, "raw pixels");
    o = options(1);
    trib_sampling odd = *o.sampling;
    odd.max_area = 2;
    o.sampling = &odd;
    fails(o, TRIB_INVALID_ARGUMENT, "area");
    o = options(1);
    o.prefetch = -1;
    fails(o, TRIB_INVALID_ARGUMENT, "-1 batches");
    o = options(1);
    o.layout = TRIB_NCHW8C;
    fails(o, TRIB_INVALID_ARGUMENT, "NCHW or NHWC");
}

TEST(TrainingLoader, AllBatchesOutIsAnErrorNotAHang)
{
    Idx idx(20);
    trib_preprocess p = make::as_is(4);
    trib_training_loader_options o = options(2, 2, 0, "none");
    o.prefetch = 1;
    trib_training_loader *loader = nullptr;
    ASSERT_OK(trib_training_loader_create(idx.get(), &p, &o, &loader));
    const trib_training_batch *a = nullptr, *b = nullptr, *c = nullptr;
    ASSERT_OK(trib_training_loader_next(loader, &a));
    ASSERT_OK(trib_training_loader_next(loader, &b));
    EXPECT_FAILS(trib_training_loader_next(loader, &c), TRIB_INVALID_ARGUMENT, "all 2 batches are in use");
    EXPECT_EQ(b->position, 2);
    trib_training_loader_give_back(loader, a);
    ASSERT_OK(trib_training_loader_next(loader, &c));
    EXPECT_EQ(c->position, 4);
    trib_training_loader_destroy(loader);
    trib_training_loader_destroy(nullptr);
}

TEST(TrainingLoader, CanBeCancelledAndDestroyedAtAnyMoment)
{
    Idx idx(500);
    trib_preprocess p = make::as_is(4);
    for (int round = 0; round < 40; ++round) {
        trib_training_loader_options o = options(8, 1 + round % 4);
        trib_training_loader *loader = nullptr;
        ASSERT_OK(trib_training_loader_create(idx.get(), &p, &o, &loader));
        std::thread other([&] {
            std::this_thread::sleep_for(std::chrono::microseconds(100 * round));
            trib_training_loader_get_stats(loader);
            if (round % 2) trib_training_loader_cancel(loader);
        });
        trib_status s = trib_success();
        for (int i = 0; !trib_failed(&s) && (round % 2 || i < round); ++i) {
            const trib_training_batch *batch = nullptr;
            s = trib_training_loader_next(loader, &batch);
            if (!trib_failed(&s) && i + 1 != round) trib_training_loader_give_back(loader, batch);
        }
        other.join();
        if (round % 2) {
            EXPECT_TRUE(s.code == TRIB_CANCELLED || s.code == TRIB_INVALID_ARGUMENT) << s.message;
        }
        trib_training_loader_destroy(loader);
    }
}

TEST(TrainingLoader, TwoLoadersShareASet)
{
    Idx idx(50);
    TrainingBatches alone = take_batches(idx.get(), make::as_is(4), options(7, 0), 30), a, b;
    std::thread other([&] { a = take_batches(idx.get(), make::as_is(4), options(7, 2), 30); });
    b = take_batches(idx.get(), make::as_is(4), options(7, 2), 30);
    other.join();
    expect_equal(a, alone);
    expect_equal(b, alone);
}

TEST(TrainingLoader, PixelsLieInTheDevicesHostMemory)
{
    Idx idx(10);
    trib_preprocess p = make::as_is(4);
    trib_device *device = nullptr;
    ASSERT_OK(trib_device_open("cpu", nullptr, &device));
    trib_training_loader_options o = options(2, 1);
    o.device = device;
    trib_training_loader *loader = nullptr;
    ASSERT_OK(trib_training_loader_create(idx.get(), &p, &o, &loader));
    EXPECT_EQ(trib_host_memory(device).current_bytes, 3 * 2 * (4 * 4 * 3) * int64_t(sizeof(float)));
    trib_training_loader_destroy(loader);
    EXPECT_EQ(trib_host_memory(device).current_bytes, 0);
    trib_device_close(device);
}

TEST(TrainingLoader, MemoryIsBounded)
{
    NEEDS_PNG();
    TemporaryFolder t;
    for (const char *name : { "a/1.png", "a/2.png", "b/1.png", "b/2.png" }) {
        fs::create_directories(fs::path(t.file(name)).parent_path());
        write_file(t.file(name), make::png(600, 500, 77)); // 0.9 MB each, encoded or not
    }
    TrainingSet set({ t.path() }, everything());
    ASSERT_OK(set.status);
    trib_training_loader_options o = options(4, 8);
    o.memory_limit = 8 << 20; // of eight workers, one holds an encoded image, and few decode
    trib_preprocess p = make::as_is(32);
    const int64_t batches = 3 * 4 * 32 * 32 * 3 * 4;
    support::Heap heap;
    trib_training_loader *loader = nullptr;
    ASSERT_OK(trib_training_loader_create(set.set, &p, &o, &loader));
    for (int i = 0; i < 6; ++i) {
        const trib_training_batch *batch = nullptr;
        ASSERT_OK(trib_training_loader_next(loader, &batch));
        trib_training_loader_give_back(loader, batch);
    }
    trib_training_loader_destroy(loader);
    if (!support::sanitized) {
        EXPECT_LE(heap.peak(), o.memory_limit + batches + (1 << 18));
    }
    o.memory_limit = 4 << 20; // none fits
    EXPECT_FAILS(take_batches(set.set, p, o, 1).status, TRIB_UNSUPPORTED, "memory_limit");
}

// Every allocation, file and thread call made to fail in turn: a failure or a damaged image, never a wrong row or a
// leak.
TEST(TrainingLoader, EveryFaultIsReported)
{
    NEEDS_PNG();
    TemporaryFolder t;
    std::vector<std::string> inputs;
    for (int i = 0; i < 6; ++i) {
        fs::create_directories(t.file(i % 2 ? "c/b" : "c/a"));
        write_file(t.file((i % 2 ? "c/b/" : "c/a/") + std::to_string(i) + ".png"), make::png(6, 6, i));
    }
    write_file(t.file("c/b/damaged.png"), "not an image");
    inputs.push_back(t.file("c"));
    std::string tar;
    for (int i = 6; i < 9; ++i)
        tar += make::member("m" + std::to_string(i) + ".png", make::png(5, 5, i)) +
               make::member("m" + std::to_string(i) + ".cls", "1");
    write_file(t.file("s.tar"), tar + make::tar_end());
    if (make::built_with_tar()) inputs.push_back(t.file("s.tar"));
    const std::string pair = t.file("train-images-idx3-ubyte") + (make::built_with_gzip() ? ".gz" : "");
    std::string idx = make::idx_images(2, 6, 6, 9);
    write_file(pair, make::built_with_gzip() ? make::gzip(idx) : idx);
    write_file(t.file("train-labels-idx1-ubyte"), make::idx_labels({ 0, 1 }));
    inputs.push_back(pair);
    auto number_of = [](const std::string &name) {
        size_t number = name.find('#');
        return number != std::string::npos ? 9 + std::stoi(name.substr(number + 1))
                                           : fs::path(name).stem().string().back() - '0';
    };
    auto run = [&](TrainingBatches *out) {
        TrainingSet set(inputs, everything());
        if (trib_failed(&set.status)) out->status = set.status;
        if (trib_failed(&set.status)) return;
        trib_training_loader_options o = options(4, 2, 0, "none");
        o.raw = true;
        *out = take_batches(set.set, make::as_is(4), o, 3);
        for (size_t i = 0; i < out->samples.size(); ++i) // the pixels are the digits of the names
            EXPECT_EQ(out->pixels[i * 4 * 4 * 3], number_of(out->names[i])) << out->names[i];
    };
    TrainingBatches good;
    run(&good);
    ASSERT_OK(good.status);
    ASSERT_EQ(good.damaged.size(), 1u);
    for (bool forever : { false, true }) {
        int noticed = 0;
        for (int64_t k = 1;; ++k) {
            TrainingBatches got = {};
            trib_fault_arm(k, forever);
            run(&got);
            if (trib_fault_disarm() < k) break;
            ASSERT_LT(k, 3000);
            if (trib_failed(&got.status)) {
                EXPECT_STRNE(got.status.message, "");
            }
            bool as_usual = !trib_failed(&got.status) && got.damaged == good.damaged;
            noticed += !as_usual;
            if (as_usual) {
                EXPECT_EQ(got.samples, good.samples) << k;
            }
        }
        EXPECT_GT(noticed, 20);
    }
}
