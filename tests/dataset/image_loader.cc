// SPDX-License-Identifier: Apache-2.0
// A function applied to every image of a source: order, limits, failures, and other threads and processes.
#include "tributary/image_loader.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "dataset/make.h"
#include "support/child.h"
#include "support/heap.h"
#include "tributary/internal/fault.h"

namespace fs = std::filesystem;
using make::Source;
using support::TemporaryFolder;
using support::write_file;

namespace
{

const int64_t MiB = 1 << 20;

// What the workers do, and what they saw.
struct Work {
    std::atomic<int> calls { 0 }, alive { 0 }, most_alive { 0 };
    int64_t kept = 0;                 // bytes of a result
    int fails_at = -1;                // index of the item ...
    trib_code code = TRIB_BAD_DATA;   // ... and how
    int delay_ms = 0;                 // of every third item
    std::atomic<bool> hold { false }; // nobody goes on
};

// Of an image of the tests.
struct Result {
    Work *work;
    int first_pixel, width;
    std::size_t encoded;
    std::vector<char> weight;
};

trib_status work_on(void *context, const trib_image_task *task, void **result, int64_t *bytes_kept)
{
    Work *w = static_cast<Work *>(context);
    ++w->calls;
    if (w->delay_ms && task->index % 3 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(w->delay_ms));
    while (w->hold) std::this_thread::yield();
    if (task->index == w->fails_at) return TRIB_ERROR(w->code, "not this one");
    int alive = ++w->alive, most = w->most_alive;
    while (most < alive && !w->most_alive.compare_exchange_weak(most, alive)) continue;
    *result = new Result { w, task->image->pixels[0], task->image->width, task->bytes ? task->size : 0,
                           std::vector<char>(std::size_t(w->kept)) };
    *bytes_kept = w->kept;
    return trib_success();
}

void release(void *result)
{
    Result *r = static_cast<Result *>(result);
    --r->work->alive;
    delete r;
}

trib_image_loader_options options(int workers, int ahead = 0)
{
    trib_image_loader_options o = {};
    o.workers = workers;
    o.ahead = ahead;
    return o;
}

struct Loader {
    Source source;
    trib_image_loader *loader = nullptr;
    trib_status status;
    Loader(const std::vector<std::string> &inputs, const trib_image_loader_options &o, Work *work,
           trib_source_options source_options = {})
        : source(inputs, source_options)
    {
        EXPECT_EQ(source.status.code, TRIB_OK) << source.status.message;
        status = trib_image_loader_create(source.source, &o, work_on, release, work, &loader);
    }
    ~Loader() { trib_image_loader_destroy(loader); }
    Loader(const Loader &) = delete;
    Loader &operator=(const Loader &) = delete;
};

struct Delivered {
    std::vector<int> pixels; // -1: no result
    std::vector<int64_t> indices;
    std::vector<std::string> names, messages, notes;
    std::vector<int> labels;
    trib_status end = trib_success();
};

Delivered drain(trib_image_loader *loader)
{
    Delivered d;
    for (;;) {
        const trib_image_item *item = nullptr;
        d.end = trib_image_loader_next(loader, &item);
        if (trib_failed(&d.end) || !item) return d;
        d.indices.push_back(item->index);
        d.names.push_back(item->name);
        d.labels.push_back(item->label);
        d.notes.push_back(item->note ? item->note : "");
        d.messages.push_back(item->status.message);
        d.pixels.push_back(item->result ? static_cast<Result *>(item->result)->first_pixel : -1);
        EXPECT_EQ(item->result == nullptr, item->status.code != TRIB_OK);
        trib_image_loader_give_back(loader, item);
    }
}

std::vector<int> numbers(int first, int count)
{
    std::vector<int> n;
    for (int i = 0; i < count; ++i) n.push_back(first + i);
    return n;
}

class ImageLoader : public testing::Test
{
  protected:
    TemporaryFolder t;
    Work work;
    std::string idx(int count, int side = 4)
    {
        write_file(t.file("idx"), make::idx_images(uint32_t(count), uint32_t(side), uint32_t(side)));
        return t.file("idx");
    }
    // PNGs 000.png ..., pixels of image i being i; every fifth is damaged if wanted.
    std::string folder(int count, bool damaged = false)
    {
        fs::create_directory(t.file("in"));
        for (int i = 0; i < count; ++i) {
            std::string png = make::png(i % 7 == 0 ? 200 : 5, 5, i);
            if (damaged && i % 5 == 2) png.resize(png.size() / 2);
            char name[32];
            snprintf(name, sizeof name, "in/%03d.png", i);
            write_file(t.file(name), png);
        }
        return t.file("in");
    }
    static bool has_png()
    {
        std::string png = make::png(4, 4, 1);
        trib_image_info info = {};
        return trib_image_inspect(png.data(), png.size(), nullptr, &info).code == TRIB_OK;
    }
};
#define NEEDS_PNG() \
    if (!has_png()) GTEST_SKIP() << "built without libspng"

TEST_F(ImageLoader, ResultsComeInTheOrderOfTheSourceWhateverTheThreads)
{
    work.delay_ms = 1;
    for (int workers : { 1, 2, 9 })
        for (int ahead : { 0, 1, 5 }) {
            Loader l({ idx(60) }, options(workers, ahead), &work);
            ASSERT_OK(l.status);
            Delivered d = drain(l.loader);
            EXPECT_OK(d.end);
            EXPECT_EQ(d.pixels, numbers(0, 60));
            EXPECT_EQ(d.indices.back(), 59);
            EXPECT_EQ(d.names.back(), t.file("idx") + "#59");
            EXPECT_EQ(work.alive, 0) << "all were given back";
            trib_image_loader_stats stats = trib_image_loader_get_stats(l.loader);
            EXPECT_EQ(stats.made, 60);
            EXPECT_EQ(stats.failed, 0);
            EXPECT_OK(drain(l.loader).end); // the end stays the end
        }
}

TEST_F(ImageLoader, ADamagedImageComesOnceAtItsPlaceWithItsReason)
{
    NEEDS_PNG();
    Loader l({ folder(40, true), t.file("in/007.png") }, options(3), &work);
    ASSERT_OK(l.status);
    Delivered d = drain(l.loader);
    EXPECT_OK(d.end);
    ASSERT_EQ(d.pixels.size(), 41u);
    for (int i = 0; i < 40; ++i) {
        const bool bad = i % 5 == 2;
        EXPECT_EQ(d.pixels[std::size_t(i)], bad ? -1 : i);
        EXPECT_EQ(d.messages[std::size_t(i)].find(d.names[std::size_t(i)]) == 0, bad) << d.messages[std::size_t(i)];
    }
    EXPECT_EQ(d.pixels[40], -1) << "7 % 5 is 2";
    EXPECT_EQ(trib_image_loader_get_stats(l.loader).failed, 9);
    EXPECT_EQ(work.calls, 32);
}

TEST_F(ImageLoader, WorkersSeeTheEncodedImageOrPixelsThatNeverWere)
{
    NEEDS_PNG();
    const std::string file = folder(1) + "/000.png";
    Loader l({ file, idx(1, 6) }, options(2), &work);
    const trib_image_item *first = nullptr, *second = nullptr;
    ASSERT_OK(trib_image_loader_next(l.loader, &first));
    ASSERT_OK(trib_image_loader_next(l.loader, &second));
    ASSERT_TRUE(first && second);
    const Result *a = static_cast<Result *>(first->result), *b = static_cast<Result *>(second->result);
    EXPECT_EQ(a->encoded, fs::file_size(file));
    EXPECT_EQ(a->width, 200);
    EXPECT_EQ(b->encoded, 0u);
    EXPECT_EQ(b->width, 6);
} // both are still held

TEST_F(ImageLoader, LabelsAndNotesAreDelivered)
{
    write_file(t.file("train-images-idx3-ubyte"), make::idx_images(3, 4, 4));
    write_file(t.file("train-labels-idx1-ubyte"), make::idx_labels({ 7, 8, 9 }));
    trib_source_options with_labels = {};
    with_labels.need_labels = true;
    {
        Loader l({ t.file("train-images-idx3-ubyte") }, options(2), &work, with_labels);
        EXPECT_EQ(drain(l.loader).labels, (std::vector<int> { 7, 8, 9 }));
    }
    const std::string animated = support::data_file("images/animated.webp");
    Loader l({ animated }, options(1), &work);
    Delivered d = drain(l.loader);
    ASSERT_EQ(d.notes.size(), 1u);
    if (d.pixels[0] == -1) GTEST_SKIP() << "built without libwebp";
    EXPECT_NE(d.notes[0].find("animation"), std::string::npos);
}

TEST_F(ImageLoader, AFunctionThatFailsIsThatItemsStatus)
{
    work.fails_at = 5;
    Loader l({ idx(12) }, options(4), &work);
    Delivered d = drain(l.loader);
    EXPECT_OK(d.end);
    std::vector<int> wanted = numbers(0, 12);
    wanted[5] = -1;
    EXPECT_EQ(d.pixels, wanted);
    EXPECT_EQ(d.messages[5], t.file("idx") + "#5: not this one");
}

TEST_F(ImageLoader, WithoutMemoryTheRunEndsAfterAllEarlierItems)
{
    for (trib_code code : { TRIB_OUT_OF_MEMORY, TRIB_CANCELLED }) {
        work.fails_at = 7;
        work.code = code;
        Loader l({ idx(200) }, options(4, 6), &work);
        Delivered d = drain(l.loader);
        EXPECT_EQ(d.pixels, numbers(0, 7));
        EXPECT_FAILS(d.end, code, "#7: not this one");
        EXPECT_FAILS(drain(l.loader).end, code, "#7: not this one");
    }
    EXPECT_EQ(work.alive, 0) << "results of later items are released, too";
}

TEST_F(ImageLoader, SkippedItemsAreNotDecoded)
{
    for (int skip : { 0, 3, 20, 25 }) {
        trib_image_loader_options o = options(2);
        o.skip = skip;
        work.calls = 0;
        Loader l({ idx(20) }, o, &work);
        EXPECT_EQ(drain(l.loader).pixels, numbers(skip, std::max(0, 20 - skip)));
        EXPECT_EQ(work.calls, std::max(0, 20 - skip));
    }
}

TEST_F(ImageLoader, NoMoreImagesAreBegunThanAhead)
{
    Loader l({ idx(50) }, options(8, 3), &work);
    const trib_image_item *item = nullptr;
    ASSERT_OK(trib_image_loader_next(l.loader, &item));
    for (int i = 0; i < 200 && work.calls < 4; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(work.calls, 4) << "one was taken, three wait";
    trib_image_loader_give_back(l.loader, item);
    EXPECT_EQ(drain(l.loader).pixels, numbers(1, 49));
}

// 60 results of 1 MiB, on 4 threads: at most the limit and one for each thread at a time.
TEST_F(ImageLoader, ResultsThatWaitAreBounded)
{
    work.kept = MiB;
    trib_image_loader_options o = options(4, 1000);
    o.results_limit = 5 * MiB;
    o.memory_limit = 8 * MiB;
    const std::string input = idx(60);
    support::Heap heap;
    Loader l({ input }, o, &work);
    Delivered d = drain(l.loader);
    EXPECT_EQ(d.pixels, numbers(0, 60));
    EXPECT_LE(work.most_alive, 6 + 4) << "more than 5 MiB, and one more for each thread";
    EXPECT_LE(heap.peak(), 13 * MiB);
}

// Each result alone is more than the limit, and the caller holds them all: it gets one after the other.
TEST_F(ImageLoader, ACallerWhoWaitsGetsAnImageHoweverMuchItHolds)
{
    work.kept = MiB;
    trib_image_loader_options o = options(3);
    o.results_limit = 1;
    Loader l({ idx(9) }, o, &work);
    std::vector<const trib_image_item *> held;
    for (const trib_image_item *item = nullptr;; held.push_back(item)) {
        ASSERT_OK(trib_image_loader_next(l.loader, &item));
        if (!item) break;
    }
    ASSERT_EQ(held.size(), 9u);
    std::swap(held[0], held[5]);
    for (const trib_image_item *item : held) {
        trib_image_loader_give_back(l.loader, item);
        trib_image_loader_give_back(l.loader, nullptr);
    }
    EXPECT_EQ(work.alive, 0);
}

TEST_F(ImageLoader, MemoryOfTheFunctionCountsAsDecoding)
{
    trib_image_loader_options o = options(8);
    o.memory_limit = 16 * MiB; // ten for decoding
    static std::atomic<int> asked;
    asked = 0;
    o.make_bytes = [](void *, int width, int height) {
        ++asked;
        return int64_t(width) * height * MiB / 2; // 8 MiB for 4 x 4: one at a time
    };
    work.delay_ms = 1;
    Loader l({ idx(20) }, o, &work);
    EXPECT_EQ(drain(l.loader).pixels, numbers(0, 20));
    EXPECT_GE(asked, 20);
    write_file(t.file("idx2"), make::idx_images(2, 5, 5));
    Loader large({ t.file("idx2") }, o, &work);
    Delivered d = drain(large.loader);
    EXPECT_OK(d.end);
    ASSERT_EQ(d.messages.size(), 2u);
    EXPECT_NE(d.messages[0].find("5 x 5 pixels takes up to"), std::string::npos) << d.messages[0];
    EXPECT_NE(d.messages[0].find("memory_limit"), std::string::npos) << d.messages[0];
}

TEST_F(ImageLoader, CancellingAndDestroyingEndWorkAtOnce)
{
    const std::string input = idx(500);
    for (int round = 0; round < 12; ++round) {
        work.delay_ms = 1;
        Loader l({ input }, options(4, 8), &work);
        ASSERT_OK(l.status);
        const trib_image_item *item = nullptr;
        for (int i = 0; i < round; ++i) ASSERT_OK(trib_image_loader_next(l.loader, &item));
        if (round % 2) continue; // destroyed with items held
        std::thread other([&] { trib_image_loader_cancel(l.loader); });
        trib_status end = drain(l.loader).end;
        other.join();
        EXPECT_EQ(end.code, TRIB_CANCELLED);
        EXPECT_FAILS(trib_image_loader_next(l.loader, &item), TRIB_CANCELLED, "cancelled");
    }
    EXPECT_EQ(work.alive, 0);
}

TEST_F(ImageLoader, OptionsAreChecked)
{
    const std::string input = idx(1);
    auto fails = [&](auto change, const char *text) {
        trib_image_loader_options o = {};
        change(o);
        EXPECT_FAILS(Loader({ input }, o, &work).status, TRIB_INVALID_ARGUMENT, text);
    };
    fails([](auto &o) { o.workers = -1; }, "-1 loader workers");
    fails([](auto &o) { o.workers = 5000; }, "5000 loader workers");
    fails([](auto &o) { o.ahead = -2; }, "-2 images ahead");
    fails([](auto &o) { o.ahead = 1 << 30; }, "images ahead");
    fails([](auto &o) { o.skip = -3; }, "-3 items to skip");
    fails([](auto &o) { o.memory_limit = -4; }, "memory limit of -4");
    fails([](auto &o) { o.results_limit = -5; }, "limit of -5");
    trib_image_loader_destroy(nullptr);
}

trib_status nothing(void *, const trib_image_task *, void **, int64_t *) { return trib_success(); }

TEST_F(ImageLoader, AFunctionWithoutAResultIsFine)
{
    Source source({ idx(3) });
    trib_image_loader *loader = nullptr;
    ASSERT_OK(trib_image_loader_create(source.source, nullptr, nothing, nullptr, nullptr, &loader));
    for (int i = 0; i < 3; ++i) {
        const trib_image_item *item = nullptr;
        ASSERT_OK(trib_image_loader_next(loader, &item));
        ASSERT_NE(item, nullptr);
        EXPECT_OK(item->status);
        EXPECT_EQ(item->result, nullptr);
    }
    trib_image_loader_destroy(loader);
}

// One item, as a loader would do it.
TEST_F(ImageLoader, AnItemIsMadeOnTheCallingThread)
{
    Source source({ idx(3) });
    work.fails_at = 1;
    for (int i = 0; i < 3; ++i) {
        trib_item item = {};
        bool end = false;
        void *result = nullptr;
        int64_t kept = -1;
        ASSERT_OK(trib_source_next(source.source, &item, &end));
        trib_status s = trib_item_make(&item, nullptr, work_on, &work, &result, &kept);
        EXPECT_EQ(item.image.pixels, nullptr);
        if (i == 1) {
            EXPECT_FAILS(s, TRIB_BAD_DATA, "#1: not this one");
            EXPECT_EQ(result, nullptr);
        } else {
            EXPECT_OK(s);
            ASSERT_NE(result, nullptr);
            EXPECT_EQ(static_cast<Result *>(result)->first_pixel, i);
            EXPECT_EQ(kept, 0);
            release(result);
        }
        item.status = TRIB_ERROR(TRIB_BAD_DATA, "damaged");
        EXPECT_FAILS(trib_item_make(&item, nullptr, work_on, &work, &result, &kept), TRIB_BAD_DATA, "damaged");
        trib_item_release(&item);
    }
}

TEST_F(ImageLoader, IsRefusedInAChildAndWorksInTheParent)
{
    NEEDS_ALLOCATOR_THAT_FORKS();
    Loader l({ idx(50) }, options(2), &work);
    const trib_image_item *item = nullptr;
    ASSERT_OK(trib_image_loader_next(l.loader, &item));
    support::expect_in_child([&] {
        const trib_image_item *another = nullptr;
        trib_image_loader *second = nullptr;
        EXPECT_FAILS(trib_image_loader_next(l.loader, &another), TRIB_INVALID_ARGUMENT, "created before fork()");
        EXPECT_FAILS(trib_image_loader_create(l.source.source, nullptr, work_on, release, &work, &second),
                     TRIB_INVALID_ARGUMENT, "created before fork()");
        EXPECT_EQ(trib_image_loader_get_stats(l.loader).made, 0);
        trib_image_loader_cancel(l.loader);
        trib_image_loader_give_back(l.loader, item);
        trib_image_loader_destroy(l.loader);
    });
    trib_image_loader_give_back(l.loader, item);
    EXPECT_EQ(drain(l.loader).pixels, numbers(1, 49));
}

// Every allocation, file and thread call made to fail: an error or failed items, never a wrong or a missing image.
TEST_F(ImageLoader, EveryCallFailsOnce)
{
    NEEDS_PNG();
    const std::string input = folder(4);
    for (bool forever : { false, true })
        for (int workers : { 1, 3 })
            for (int64_t k = 1;; ++k) {
                ASSERT_LT(k, 2000);
                trib_source *source = nullptr;
                trib_image_loader *loader = nullptr;
                trib_image_loader_options o = options(workers);
                const char *path = input.c_str();
                Delivered d;
                trib_fault_arm(k, forever);
                trib_status s = trib_source_open(&path, 1, nullptr, &source);
                if (!trib_failed(&s)) s = trib_image_loader_create(source, &o, work_on, release, &work, &loader);
                if (!trib_failed(&s)) d = drain(loader);
                trib_image_loader_destroy(loader);
                trib_source_close(source);
                int64_t seen = trib_fault_disarm();
                EXPECT_EQ(work.alive, 0);
                for (std::size_t i = 0; i < d.pixels.size(); ++i) {
                    EXPECT_TRUE(d.pixels[i] == int(i) || (d.pixels[i] == -1 && d.messages[i] != ""));
                }
                if (!trib_failed(&s) && !trib_failed(&d.end)) {
                    EXPECT_EQ(d.pixels.size(), 4u) << "fault " << k;
                }
                if (seen < k) break;
            }
}

} // namespace
