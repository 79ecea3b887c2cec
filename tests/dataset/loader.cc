// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "data/loader_state.h"
#include "dataset/make.h"

namespace fs = std::filesystem;
using make::Source;
using support::TemporaryFolder;
using support::write_file;

static const int kSide = 4;

// The middle 4x4 pixels as they are, so that a row tells which image it was.
static trib_preprocess as_is()
{
    trib_preprocess p = trib_preprocess_torchvision();
    p.crop_height = p.crop_width = kSide;
    p.resize_mode = TRIB_RESIZE_NONE;
    p.scale = 1;
    for (int c = 0; c < 3; ++c) p.mean[c] = 0, p.std[c] = 1;
    return p;
}

static trib_loader_options options(int batch, int workers = 3, int prefetch = 0, int64_t skip = 0)
{
    trib_loader_options o = {};
    o.batch_size = batch;
    o.workers = workers;
    o.prefetch = prefetch;
    o.layout = TRIB_NHWC;
    o.skip = skip;
    return o;
}

namespace
{

struct Loader {
    Source source;
    trib_preprocess preprocess = as_is();
    trib_loader *loader = nullptr;
    trib_status status;
    Loader(const std::vector<std::string> &inputs, trib_loader_options o) : source(inputs)
    {
        EXPECT_EQ(source.status.code, TRIB_OK) << source.status.message;
        status = trib_loader_create(source.source, &preprocess, &o, &loader);
    }
    ~Loader() { trib_loader_destroy(loader); }
};

// What a loader delivered, and whether each batch was as promised.
struct Delivered {
    std::vector<std::string> names;
    std::vector<int> values; // of the first pixel; -1 for failed items
    std::vector<int> counts; // of images in each batch
};

// Element i of a batch, floats or raw.
float element(const trib_batch *batch, size_t i)
{
    return batch->dtype == TRIB_U8 ? static_cast<const uint8_t *>(batch->pixels)[i]
                                   : static_cast<const float *>(batch->pixels)[i];
}

void take(const trib_batch *batch, Delivered *d)
{
    std::vector<bool> slot_used(size_t(batch->count), false);
    int good = 0;
    for (int i = 0; i < batch->item_count; ++i) {
        const trib_batch_item &item = batch->items[i];
        EXPECT_EQ(item.index, int64_t(d->names.size()));
        d->names.push_back(item.name);
        EXPECT_EQ(item.slot >= 0, item.status.code == TRIB_OK);
        if (item.slot < 0) {
            EXPECT_NE(std::string(item.status.message).find(fs::path(item.name).filename().string()),
                      std::string::npos);
            d->values.push_back(-1);
            continue;
        }
        ++good;
        ASSERT_LT(item.slot, batch->count);
        EXPECT_FALSE(slot_used[size_t(item.slot)]);
        slot_used[size_t(item.slot)] = true;
        size_t row = size_t(item.slot) * kSide * kSide * 3;
        for (size_t p = 1; p < kSide * kSide * 3; ++p) ASSERT_EQ(element(batch, row + p), element(batch, row));
        d->values.push_back(int(element(batch, row)));
    }
    EXPECT_EQ(good, batch->count);
    d->counts.push_back(batch->count);
}

Delivered drain(trib_loader *loader)
{
    Delivered d;
    for (;;) {
        const trib_batch *batch = nullptr;
        trib_status s = trib_loader_next(loader, &batch);
        EXPECT_EQ(s.code, TRIB_OK) << s.message;
        if (trib_failed(&s) || !batch) break;
        take(batch, &d);
        trib_loader_give_back(loader, batch);
    }
    return d;
}

// A folder of PNGs of very different sizes, so that decoding takes different times; some are damaged.
struct Pictures {
    TemporaryFolder folder;
    std::vector<int> wanted;
    Pictures(int count, double damaged, unsigned seed)
    {
        std::mt19937 random(seed);
        for (int i = 0; i < count; ++i) {
            bool bad = random() % 1000 < damaged * 1000;
            int side = random() % 8 == 0 ? 300 : 4 + int(random() % 20);
            std::string png = make::png(side, side, i % 251);
            if (bad) png.resize(random() % 2 ? png.size() / 2 : 20);
            char name[16];
            snprintf(name, sizeof name, "%06d.png", i);
            write_file(folder.file(name), png);
            wanted.push_back(bad ? -1 : i % 251);
        }
    }
};

} // namespace

static bool built_with_png()
{
    std::string png = make::png(4, 4, 1);
    trib_image image = {};
    trib_status s = trib_image_decode(png.data(), png.size(), nullptr, &image);
    trib_image_release(&image);
    return s.code != TRIB_UNSUPPORTED;
}

#define NEEDS_PNG() \
    if (!built_with_png()) GTEST_SKIP() << "this build has no libspng"

TEST(Loader, FullBatchesInOrder)
{
    TemporaryFolder t;
    write_file(t.file("idx"), make::idx_images(100, kSide, kSide));
    for (int workers : { 0, 1, 2, 7 }) {
        for (int batch : { 1, 3, 50, 100, 101 }) {
            Loader l({ t.file("idx") }, options(batch, workers, 1 + workers % 3));
            ASSERT_OK(l.status);
            Delivered d = drain(l.loader);
            ASSERT_EQ(d.values.size(), 100u);
            for (int i = 0; i < 100; ++i) EXPECT_EQ(d.values[size_t(i)], i);
            for (size_t b = 0; b + 1 < d.counts.size(); ++b) EXPECT_EQ(d.counts[b], batch);
            EXPECT_EQ(d.counts.size(), size_t(100 + batch - 1) / size_t(batch));
            trib_loader_stats stats = trib_loader_get_stats(l.loader);
            EXPECT_EQ(stats.decoded, 100);
            EXPECT_EQ(stats.failed, 0);
            EXPECT_GT(stats.decode_seconds, 0);
            EXPECT_GT(stats.wait_seconds, 0);
            const trib_batch *batch_after = nullptr;
            EXPECT_OK(trib_loader_next(l.loader, &batch_after)); // the end stays the end
            EXPECT_EQ(batch_after, nullptr);
        }
    }
}

TEST(Loader, Layouts)
{
    TemporaryFolder t;
    std::string header = make::big_endian(0x804) + make::big_endian(1) + make::big_endian(kSide) +
                         make::big_endian(kSide) + make::big_endian(3);
    for (int i = 0; i < kSide * kSide; ++i) header += "\x01\x02\x03";
    write_file(t.file("idx"), header);
    for (trib_layout layout : { TRIB_NCHW, TRIB_NHWC }) {
        trib_loader_options o = options(2);
        o.layout = layout;
        Loader l({ t.file("idx") }, o);
        ASSERT_OK(l.status);
        const trib_batch *batch = nullptr;
        ASSERT_OK(trib_loader_next(l.loader, &batch));
        ASSERT_NE(batch, nullptr);
        EXPECT_EQ(batch->dtype, TRIB_F32);
        EXPECT_EQ(element(batch, 1), layout == TRIB_NCHW ? 1 : 2);
        EXPECT_EQ(element(batch, kSide * kSide), 2);
        EXPECT_EQ(element(batch, kSide * kSide * 2), 3);
        EXPECT_EQ(uintptr_t(batch->pixels) % 64, 0u);
    }
}

// ---- raw pixels ----

static trib_loader_options raw(trib_loader_options o)
{
    o.raw = true;
    return o;
}

// Pixels as they are in the file, in the file's order of channels whatever the network's is, gray or not.
TEST(Loader, RawPixelsAreTheImages)
{
    TemporaryFolder t;
    std::string pixels, header = make::big_endian(0x804) + make::big_endian(2) + make::big_endian(kSide) +
                                 make::big_endian(kSide) + make::big_endian(3);
    for (int i = 0; i < 2 * kSide * kSide * 3; ++i) pixels += char(i * 2 + 1);
    write_file(t.file("colour"), header + pixels);
    write_file(t.file("gray"), make::idx_images(1, kSide, kSide, 200));
    Source source({ t.file("colour"), t.file("gray") });
    ASSERT_OK(source.status);
    trib_preprocess p = trib_preprocess_caffe(); // BGR, means: all of it left to the device
    p.crop_height = p.crop_width = kSide;
    p.resize_mode = TRIB_RESIZE_NONE;
    trib_loader_options o = raw(options(3));
    trib_loader *loader = nullptr;
    ASSERT_OK(trib_loader_create(source.source, &p, &o, &loader));
    const trib_batch *batch = nullptr;
    ASSERT_OK(trib_loader_next(loader, &batch));
    ASSERT_NE(batch, nullptr);
    EXPECT_EQ(batch->dtype, TRIB_U8);
    ASSERT_EQ(batch->count, 3);
    std::string all(3 * kSide * kSide * 3, '\0'), wanted = pixels + std::string(kSide * kSide * 3, char(200));
    for (int i = 0; i < 3; ++i) {
        size_t row = size_t(kSide) * kSide * 3;
        const char *from = static_cast<const char *>(batch->pixels) + size_t(batch->items[i].slot) * row;
        all.replace(size_t(i) * row, row, from, row);
    }
    EXPECT_EQ(all, wanted);
    trib_loader_destroy(loader);
}

// A device that normalises raw pixels gets what the loader would have given: every bit.
TEST(Loader, RawPixelsNormalisedAreTheFloats)
{
    NEEDS_PNG();
    Pictures pictures(40, 0.2, 7);
    trib_preprocess p = trib_preprocess_torchvision();
    p.resize = p.crop_height = p.crop_width = 20;
    std::vector<float> got, wanted;
    for (bool bgr : { false, true }) {
        p.bgr = bgr;
        trib_normalise n = trib_preprocess_normalise(&p);
        for (bool is_raw : { false, true }) {
            Source source({ pictures.folder.path() });
            trib_loader_options o = options(8, 1); // one worker: slots go by order
            o.raw = is_raw;
            trib_loader *loader = nullptr;
            ASSERT_OK(trib_loader_create(source.source, &p, &o, &loader));
            for (const trib_batch *batch = nullptr;; trib_loader_give_back(loader, batch)) {
                ASSERT_OK(trib_loader_next(loader, &batch));
                if (!batch) break;
                std::vector<float> y(size_t(batch->count) * 20 * 20 * 3);
                trib_normalise_geometry g = { 20 * batch->count, 20, 3, 60, n.bgr, false };
                if (is_raw)
                    trib_normalise_u8(&g, static_cast<const uint8_t *>(batch->pixels), n.scale, n.shift, y.data());
                else
                    for (size_t i = 0; i < y.size(); ++i) y[i] = element(batch, i);
                (is_raw ? got : wanted).insert((is_raw ? got : wanted).end(), y.begin(), y.end());
            }
            trib_loader_destroy(loader);
        }
    }
    EXPECT_GT(wanted.size(), size_t(2 * 20 * 20 * 20 * 3));
    EXPECT_EQ(got, wanted);
}

TEST(Loader, RawBatchesTakeAQuarterOfTheMemory)
{
    TemporaryFolder t;
    write_file(t.file("idx"), make::idx_images(1, 224, 224));
    trib_preprocess p = as_is();
    p.crop_height = p.crop_width = 224;
    for (bool is_raw : { false, true }) {
        Source source({ t.file("idx") });
        trib_loader_options o = options(16, 1, 1);
        o.raw = is_raw;
        trib_loader *loader = nullptr;
        ASSERT_OK(trib_loader_create(source.source, &p, &o, &loader));
        const trib_batch *batch = nullptr;
        ASSERT_OK(trib_loader_next(loader, &batch));
        ASSERT_NE(batch, nullptr);
        size_t wanted = size_t(16) * 224 * 224 * 3 * (is_raw ? 1 : 4);
        size_t taken = malloc_usable_size(const_cast<void *>(batch->pixels));
        EXPECT_GE(taken, wanted);
        EXPECT_LE(taken, wanted + 65536); // the allocator's own: pages, alignment
        trib_loader_destroy(loader);
    }
}

// Pixels that a device copies as they lie are its to count and to refuse.
TEST(Loader, PixelsLieInTheDevicesHostMemory)
{
    TemporaryFolder t;
    write_file(t.file("idx"), make::idx_images(3, 4, 4));
    trib_preprocess p = as_is();
    trib_device *device = nullptr;
    ASSERT_OK(trib_device_open("cpu", nullptr, &device));
    trib_loader_options o = options(2, 1, 1);
    o.device = device;
    const int64_t bytes = 2 * 2 * (4 * 4 * 3) * int64_t(sizeof(float)); // two batches of two images
    trib_loader *loader = nullptr;
    {
        Source source({ t.file("idx") });
        ASSERT_OK(trib_loader_create(source.source, &p, &o, &loader));
        EXPECT_EQ(trib_host_memory(device).current_bytes, bytes);
        const trib_batch *batch = nullptr;
        ASSERT_OK(trib_loader_next(loader, &batch));
        ASSERT_NE(batch, nullptr);
        EXPECT_EQ(batch->count, 2);
        trib_loader_destroy(loader);
    }
    EXPECT_EQ(trib_host_memory(device).current_bytes, 0);
    trib_host_set_memory_limit(device, bytes - 1);
    Source source({ t.file("idx") });
    EXPECT_FAILS(trib_loader_create(source.source, &p, &o, &loader), TRIB_OUT_OF_MEMORY, "a batch of 2 images");
    EXPECT_EQ(trib_host_memory(device).current_bytes, 0);
    trib_device_close(device);
}

// The heart of it: whatever fails and however long each takes, every image keeps its place.
TEST(Loader, FailuresNeverShiftAnImage)
{
    NEEDS_PNG();
    for (unsigned seed = 0; seed < 12; ++seed) {
        double damaged = seed % 4 == 0 ? 0.02 : seed % 4 == 1 ? 0.3 : seed % 4 == 2 ? 0.9 : 1;
        Pictures pictures(150, damaged, seed);
        int good = int(pictures.wanted.size() - size_t(std::count(pictures.wanted.begin(), pictures.wanted.end(), -1)));
        for (int batch : { 1, 4, 16 }) {
            trib_loader_options o = options(batch, 1 + int(seed) % 5, 1 + int(seed) % 4);
            o.raw = seed % 2;
            Loader l({ pictures.folder.path() }, o);
            ASSERT_OK(l.status);
            Delivered d = drain(l.loader);
            EXPECT_EQ(d.values, pictures.wanted) << "seed " << seed << " batch " << batch;
            for (size_t b = 0; b + 1 < d.counts.size(); ++b) EXPECT_EQ(d.counts[b], batch);
            trib_loader_stats stats = trib_loader_get_stats(l.loader);
            EXPECT_EQ(stats.decoded, good);
            EXPECT_EQ(stats.decoded + stats.failed, 150);
        }
    }
}

TEST(Loader, HoldingBatchesBackDoesNotLockUp)
{
    NEEDS_PNG();
    for (unsigned seed = 0; seed < 6; ++seed) {
        Pictures pictures(120, 0.3, 100 + seed);
        Loader l({ pictures.folder.path() }, options(4, 4, 2)); // three buffers
        ASSERT_OK(l.status);
        Delivered d;
        std::vector<const trib_batch *> held;
        std::mt19937 random(seed);
        for (;;) {
            const trib_batch *batch = nullptr;
            ASSERT_OK(trib_loader_next(l.loader, &batch));
            if (!batch) break;
            take(batch, &d);
            held.push_back(batch);
            while (held.size() > random() % 3) { // one or two stay out, given back in any order
                size_t i = random() % held.size();
                trib_loader_give_back(l.loader, held[i]);
                held.erase(held.begin() + long(i));
            }
        }
        EXPECT_EQ(d.values, pictures.wanted);
    }
}

TEST(Loader, AllBatchesOutIsAnErrorNotAHang)
{
    TemporaryFolder t;
    write_file(t.file("idx"), make::idx_images(20, kSide, kSide));
    Loader l({ t.file("idx") }, options(2, 2, 1));
    ASSERT_OK(l.status);
    const trib_batch *a = nullptr, *b = nullptr, *c = nullptr;
    ASSERT_OK(trib_loader_next(l.loader, &a));
    ASSERT_OK(trib_loader_next(l.loader, &b));
    EXPECT_FAILS(trib_loader_next(l.loader, &c), TRIB_INVALID_ARGUMENT, "all 2 batches are in use");
    EXPECT_EQ(a->items[0].index, 0);
    EXPECT_EQ(b->items[1].index, 3);
    trib_loader_give_back(l.loader, a);
    ASSERT_OK(trib_loader_next(l.loader, &c));
    EXPECT_EQ(c->items[0].index, 4);
}

TEST(Loader, ManyFailuresInARowStayBounded)
{
    TemporaryFolder t;
    const int n = 5000;
    std::string list;
    for (int i = 0; i < n; ++i) list += t.file("gone-" + std::to_string(i) + ".png") + "\n";
    write_file(t.file("l"), list);
    write_file(t.file("idx"), make::idx_images(5, kSide, kSide));
    Loader l({ "@" + t.file("l"), t.file("idx") }, options(4, 3, 2));
    ASSERT_OK(l.status);
    Delivered d;
    for (;;) {
        const trib_batch *batch = nullptr;
        ASSERT_OK(trib_loader_next(l.loader, &batch));
        if (!batch) break;
        EXPECT_LE(batch->item_count, TRIB_LOADER_SPARE_RECORDS + 12);
        take(batch, &d);
        trib_loader_give_back(l.loader, batch);
    }
    ASSERT_EQ(d.values.size(), size_t(n + 5));
    for (int i = 0; i < n; ++i) ASSERT_EQ(d.values[size_t(i)], -1);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(d.values[size_t(n + i)], i);
}

TEST(Loader, EveryKindOfBadFileIsAFailedItem)
{
    NEEDS_PNG();
    TemporaryFolder t;
    write_file(t.file("0.png"), make::png(5, 5, 10));
    fs::create_symlink("nowhere", t.file("1.png"));
    write_file(t.file("2.png"), "");
    write_file(t.file("3.png"), "no image at all");
    write_file(t.file("4.png"), make::png(3, 3, 1)); // smaller than the crop
    write_file(t.file("5.png"), make::png(5, 5, 50));
    fs::create_directory(t.file("folder.png"));
    write_file(t.file("l"), [&] {
        std::string s;
        for (int i = 0; i < 6; ++i) s += t.file(std::to_string(i) + ".png") + "\n";
        return s + t.file("folder.png") + "\n";
    }());
    Loader l({ "@" + t.file("l") }, options(2));
    ASSERT_OK(l.status);
    EXPECT_EQ(drain(l.loader).values, std::vector<int>({ 10, -1, -1, -1, -1, 50, -1 }));
}

TEST(Loader, SkipPassesOver)
{
    TemporaryFolder t;
    write_file(t.file("idx"), make::idx_images(10, kSide, kSide));
    for (int64_t skip : { 1, 7, 10, 11 }) {
        Loader l({ t.file("idx") }, options(2, 2, 0, skip));
        ASSERT_OK(l.status);
        std::vector<int64_t> got, wanted;
        for (int64_t i = skip; i < 10; ++i) wanted.push_back(i);
        const trib_batch *batch = nullptr;
        while (trib_loader_next(l.loader, &batch).code == TRIB_OK && batch) {
            for (int i = 0; i < batch->item_count; ++i) got.push_back(batch->items[i].index);
            trib_loader_give_back(l.loader, batch);
        }
        EXPECT_EQ(got, wanted);
        EXPECT_EQ(trib_loader_get_stats(l.loader).decoded, int64_t(wanted.size()));
    }
}

TEST(Loader, BadOptions)
{
    TemporaryFolder t;
    write_file(t.file("idx"), make::idx_images(1, kSide, kSide));
    EXPECT_FAILS(Loader({ t.file("idx") }, options(0)).status, TRIB_INVALID_ARGUMENT, "batch size 0");
    EXPECT_FAILS(Loader({ t.file("idx") }, options(1, -1)).status, TRIB_INVALID_ARGUMENT, "-1 loader workers");
    EXPECT_FAILS(Loader({ t.file("idx") }, options(1, 1, -1)).status, TRIB_INVALID_ARGUMENT, "-1 batches");
    EXPECT_FAILS(Loader({ t.file("idx") }, options(1, 1, 1, -1)).status, TRIB_INVALID_ARGUMENT, "-1 items");
    Source source({ t.file("idx") });
    trib_preprocess p = as_is();
    trib_loader_options o = raw(options(1));
    o.layout = TRIB_NCHW;
    trib_loader *loader = nullptr;
    EXPECT_FAILS(Loader({ t.file("idx") }, options((1 << 20) + 1)).status, TRIB_INVALID_ARGUMENT, "1048577");
    EXPECT_FAILS(Loader({ t.file("idx") }, options(1, 1025)).status, TRIB_INVALID_ARGUMENT, "1025 loader workers");
    EXPECT_FAILS(Loader({ t.file("idx") }, options(1, 1, 1025)).status, TRIB_INVALID_ARGUMENT, "1025 batches");
    EXPECT_FAILS(trib_loader_create(source.source, &p, &o, &loader), TRIB_INVALID_ARGUMENT, "raw pixels");
    o.layout = TRIB_NCHW8C;
    EXPECT_FAILS(trib_loader_create(source.source, &p, &o, &loader), TRIB_INVALID_ARGUMENT,
                 "images are loaded as NCHW or NHWC");
    p.std[0] = 0;
    o = options(1);
    EXPECT_FAILS(trib_loader_create(source.source, &p, &o, &loader), TRIB_INVALID_ARGUMENT, "std");
    EXPECT_EQ(loader, nullptr);
}

TEST(Loader, CanBeDestroyedAtAnyMoment)
{
    TemporaryFolder t;
    write_file(t.file("idx"), make::idx_images(5000, kSide, kSide));
    for (int taken = 0; taken < 40; ++taken) {
        Loader l({ t.file("idx") }, options(8, 3, 2));
        ASSERT_OK(l.status);
        for (int i = 0; i < taken; ++i) {
            const trib_batch *batch = nullptr;
            ASSERT_OK(trib_loader_next(l.loader, &batch));
            if (i + 1 < taken) trib_loader_give_back(l.loader, batch); // the last one stays out
        }
        if (taken % 3) std::this_thread::sleep_for(std::chrono::microseconds(taken * 50));
    }
}

TEST(Loader, CancelWakesAWaitingCaller)
{
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    int saved = dup(STDIN_FILENO);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    {
        Loader l({ "-" }, options(2)); // a standard input that never says anything
        ASSERT_OK(l.status);
        std::thread other([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            trib_loader_cancel(l.loader);
        });
        const trib_batch *batch = nullptr;
        EXPECT_FAILS(trib_loader_next(l.loader, &batch), TRIB_CANCELLED, "cancelled");
        other.join();
        EXPECT_FAILS(trib_loader_next(l.loader, &batch), TRIB_CANCELLED, "cancelled");
    }
    {
        Loader l({ "-" }, options(2)); // and destroying alone does not wait for it either
        ASSERT_OK(l.status);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(ends[1]);
}

TEST(Loader, CancelFromManyThreadsWhileRunning)
{
    TemporaryFolder t;
    write_file(t.file("idx"), make::idx_images(3000, kSide, kSide));
    for (int round = 0; round < 20; ++round) {
        Loader l({ t.file("idx") }, options(4, 3, 2));
        ASSERT_OK(l.status);
        std::vector<std::thread> others;
        for (int i = 0; i < 3; ++i)
            others.emplace_back([&, i] {
                std::this_thread::sleep_for(std::chrono::microseconds(100 * round + 30 * i));
                trib_loader_get_stats(l.loader);
                trib_loader_cancel(l.loader);
            });
        for (;;) {
            const trib_batch *batch = nullptr;
            trib_status s = trib_loader_next(l.loader, &batch);
            if (trib_failed(&s) || !batch) {
                EXPECT_TRUE(!trib_failed(&s) || s.code == TRIB_CANCELLED) << s.message;
                break;
            }
            trib_loader_give_back(l.loader, batch);
        }
        for (auto &thread : others) thread.join();
    }
}
