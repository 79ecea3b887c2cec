// SPDX-License-Identifier: Apache-2.0
// What a loader takes is bounded, whatever the images are and however many workers there are.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

extern "C" {
#include "data/budget.h"
}
#include "dataset/make.h"
#include "support/heap.h"

namespace fs = std::filesystem;
using make::Source;
using support::TemporaryFolder;
using support::write_file;

namespace
{

const int64_t MiB = 1 << 20;
const int kSide = 4;

trib_preprocess squashed()
{
    trib_preprocess p = trib_preprocess_torchvision();
    p.crop_height = p.crop_width = p.resize = kSide;
    p.resize_mode = TRIB_RESIZE_SQUASH;
    return p;
}

struct Loader {
    Source source;
    trib_preprocess preprocess = squashed();
    trib_loader *loader = nullptr;
    trib_status status;
    Loader(const std::vector<std::string> &inputs, int64_t limit, int workers = 16, trib_source_options options = {})
        : source(inputs, options)
    {
        trib_loader_options o = {};
        o.batch_size = 4;
        o.workers = workers;
        o.layout = TRIB_NHWC;
        o.memory_limit = limit;
        status = trib_loader_create(source.source, &preprocess, &o, &loader);
    }
    ~Loader() { trib_loader_destroy(loader); }
};

// The messages of all items, in order; "" for good ones.
std::vector<std::string> drain(trib_loader *loader)
{
    std::vector<std::string> messages;
    for (;;) {
        const trib_batch *batch = nullptr;
        trib_status s = trib_loader_next(loader, &batch);
        EXPECT_EQ(s.code, TRIB_OK) << s.message;
        if (trib_failed(&s) || !batch) return messages;
        for (int i = 0; i < batch->item_count; ++i) {
            EXPECT_EQ(batch->items[i].index, int64_t(messages.size())) << "in source order";
            messages.push_back(batch->items[i].status.message);
        }
        trib_loader_give_back(loader, batch);
    }
}

// A progressive JPEG of this size; a little file, most of whose data is missing. As with PIL that is no error.
std::string large_jpeg(int width, int height)
{
    std::string bytes = support::read_file(support::data_file("images/progressive.jpg"));
    const std::size_t frame = bytes.find("\xFF\xC2");
    const int values[] = { height >> 8, height & 255, width >> 8, width & 255 };
    for (std::size_t i = 0; i < 4; ++i) bytes[frame + 5 + i] = char(values[i]);
    return bytes;
}

bool built_with_jpeg()
{
    const std::string bytes = large_jpeg(16, 16);
    trib_image_info info = {};
    return trib_image_inspect(bytes.data(), bytes.size(), nullptr, &info).code == TRIB_OK;
}
#define NEEDS_JPEG() \
    if (!built_with_jpeg()) GTEST_SKIP() << "built without libjpeg"

bool says(const std::string &message, const char *text) { return message.find(text) != std::string::npos; }

// 40 images of 18 MB each, on 16 threads: all of them at once would take 288 MB.
TEST(LoaderMemory, ManyWorkersStayWithinTheLimitAndInOrder)
{
    NEEDS_JPEG();
    TemporaryFolder t;
    for (int i = 10; i < 50; ++i) write_file(t.file(std::to_string(i) + ".jpg"), large_jpeg(2000, 1500));
    for (int64_t limit : { 40 * MiB, 100 * MiB }) {
        support::Heap heap;
        Loader l({ t.path() }, limit);
        ASSERT_OK(l.status);
        EXPECT_EQ(drain(l.loader), std::vector<std::string>(40, ""));
        EXPECT_LE(heap.peak(), limit + 2 * MiB) << "beside images: records, batches of 4 x 4 pixels, threads' stacks";
        EXPECT_GE(heap.peak(), 18 * MiB) << "they were decoded";
    }
}

TEST(LoaderMemory, AnImageThatNeedsMoreThanThereIsFailsAloneAndSaysWhatRaisesTheLimit)
{
    NEEDS_JPEG();
    TemporaryFolder t;
    write_file(t.file("0.jpg"), large_jpeg(300, 200));
    write_file(t.file("1.jpg"), large_jpeg(2000, 1500));
    write_file(t.file("2.jpg"), large_jpeg(300, 200));
    support::Heap heap;
    Loader l({ t.path() }, 8 * MiB);
    ASSERT_OK(l.status);
    auto messages = drain(l.loader);
    ASSERT_EQ(messages.size(), 3u);
    EXPECT_EQ(messages[0] + messages[2], "");
    EXPECT_TRUE(says(messages[1], "1.jpg") && says(messages[1], "2000 x 1500") &&
                says(messages[1], "raise trib_loader_options.memory_limit"))
        << messages[1];
    EXPECT_LE(heap.peak(), 10 * MiB);
}

// A file, a shard's member and an image of an IDX file, each of more than an eighth.
TEST(LoaderMemory, EncodedImagesAreCountedBeforeTheyAreRead)
{
    NEEDS_JPEG();
    TemporaryFolder t;
    const std::string small = large_jpeg(16, 16), padded = small + std::string(3 * MiB, '\0');
    fs::create_directory(t.file("in"));
    write_file(t.file("in/0.jpg"), small);
    write_file(t.file("in/1.jpg"), padded);
    write_file(t.file("idx"), make::idx_images(2, 2000, 1500));
    std::vector<std::string> inputs = { t.file("in"), t.file("idx") };
    if (make::built_with_tar()) {
        write_file(t.file("s.tar"), make::tar({ { "a.jpg", padded }, { "b.jpg", small } }));
        inputs.push_back(t.file("s.tar"));
    }
    support::Heap heap;
    Loader l(inputs, 16 * MiB);
    ASSERT_OK(l.status);
    auto messages = drain(l.loader);
    ASSERT_GE(messages.size(), 3u);
    EXPECT_EQ(messages[0], "");
    EXPECT_TRUE(says(messages[1], "in/1.jpg") && says(messages[1], "raise trib_loader_options.memory_limit"))
        << messages[1];
    EXPECT_TRUE(says(messages[2], "2 of 2 images") && says(messages[2], "raise trib_loader_options.memory_limit"))
        << messages[2];
    if (make::built_with_tar()) {
        ASSERT_EQ(messages.size(), 5u);
        EXPECT_TRUE(says(messages[3], "s.tar/a.jpg") && says(messages[3], "raise trib_loader_options.memory_limit"))
            << messages[3];
        EXPECT_EQ(messages[4], "");
    }
    EXPECT_LE(heap.peak(), 16 * MiB);
}

// Members that wait for their label are given without one when they are too many: what waits is bounded.
TEST(LoaderMemory, MembersThatWaitForTheirLabelAreBounded)
{
    NEEDS_JPEG();
    if (!make::built_with_tar()) GTEST_SKIP() << "built without libarchive";
    TemporaryFolder t;
    const std::string padded = large_jpeg(16, 16) + std::string(MiB, '\0');
    std::vector<std::pair<std::string, std::string>> members;
    for (int i = 0; i < 60; ++i) members.push_back({ "sample." + std::to_string(i) + ".jpg", padded });
    members.push_back({ "sample.cls", "1" });
    write_file(t.file("s.tar"), make::tar(members));
    members.clear();
    trib_source_options options = {};
    options.need_labels = true;
    support::Heap heap;
    Loader l({ t.file("s.tar") }, 24 * MiB, 4, options);
    ASSERT_OK(l.status);
    EXPECT_EQ(drain(l.loader).size(), 60u);
    EXPECT_LE(heap.peak(), 24 * MiB);
}

// The same with links: of a shard that cannot be read again, their members' bytes are kept.
TEST(LoaderMemory, MembersThatLinksMayMeanAreWithinTheLimit)
{
    NEEDS_JPEG();
    if (!make::built_with_tar() || !make::built_with_gzip()) GTEST_SKIP() << "built without libarchive or zlib";
    TemporaryFolder t;
    const std::string bytes = large_jpeg(1800, 1400);
    std::vector<std::pair<std::string, std::string>> members;
    for (int i = 0; i < 60; ++i) {
        const std::size_t padding = (i % 3 == 0 ? 1400 : 650) * 1024;
        const std::string sample = "s" + std::to_string(i / 20);
        if (i % 20 == 0) members.push_back({ sample + ".cls", "1" });
        members.push_back({ sample + "." + std::to_string(i) + ".jpg", bytes + std::string(padding, '\0') });
    }
    write_file(t.file("s.tar.gz"), make::gzip(make::tar(members)));
    members.clear();
    trib_source_options options = {};
    options.need_labels = true;
    support::Heap heap;
    Loader l({ t.file("s.tar.gz") }, 24 * MiB, 8, options);
    ASSERT_OK(l.status);
    EXPECT_EQ(drain(l.loader), std::vector<std::string>(60, ""));
    EXPECT_LE(heap.peak(), 24 * MiB);
}

// libwebp may need much for a file of its kind, and hardly ever does: such an image is decoded, alone.
TEST(LoaderMemory, ALosslessWebPInDoubtIsDecoded)
{
    const std::string bytes = support::read_file(support::data_file("images/lossless.webp"));
    trib_image_info info = {};
    if (trib_image_inspect(bytes.data(), bytes.size(), nullptr, &info).code == TRIB_UNSUPPORTED)
        GTEST_SKIP() << "built without libwebp";
    ASSERT_GT(info.doubtful_bytes, 0);
    TemporaryFolder t;
    for (int i = 0; i < 8; ++i) write_file(t.file(std::to_string(i) + ".webp"), bytes);
    const int64_t certain = info.decode_bytes - info.doubtful_bytes;
    for (int64_t decoding : { certain + 4096, info.decode_bytes + 4096 }) {
        Loader l({ t.path() }, decoding / 5 * 8 + 64);
        ASSERT_OK(l.status);
        EXPECT_EQ(drain(l.loader), std::vector<std::string>(8, ""));
    }
    Loader l({ t.path() }, certain / 5 * 8 / 2);
    EXPECT_TRUE(says(drain(l.loader)[0], "raise trib_loader_options.memory_limit"));
}

TEST(LoaderMemory, WorkersThatWaitForMemoryStop)
{
    NEEDS_JPEG();
    TemporaryFolder t;
    for (int i = 10; i < 50; ++i) write_file(t.file(std::to_string(i) + ".jpg"), large_jpeg(1000, 700));
    for (int round = 0; round < 20; ++round) {
        Loader l({ t.path() }, 8 * MiB, 12); // one is decoded at a time
        ASSERT_OK(l.status);
        std::this_thread::sleep_for(std::chrono::milliseconds(round));
        if (round % 2 == 0) continue; // destroyed
        trib_loader_cancel(l.loader);
        const trib_batch *batch = nullptr;
        EXPECT_FAILS(trib_loader_next(l.loader, &batch), TRIB_CANCELLED, "cancelled");
    }
}

TEST(LoaderMemory, TheLimitIsChecked)
{
    TemporaryFolder t;
    write_file(t.file("idx"), make::idx_images(1, kSide, kSide));
    EXPECT_FAILS(Loader({ t.file("idx") }, -1).status, TRIB_INVALID_ARGUMENT, "memory limit of -1");
    Loader usual({ t.file("idx") }, 0), tiny({ t.file("idx") }, 1);
    EXPECT_EQ(drain(usual.loader), std::vector<std::string>(1, ""));
    EXPECT_TRUE(says(drain(tiny.loader)[0], "raise trib_loader_options.memory_limit"));
}

// One item, as a loader would do it.
TEST(LoaderMemory, AnItemIsLoadedAsByALoader)
{
    NEEDS_JPEG();
    TemporaryFolder t;
    write_file(t.file("a.jpg"), support::read_file(support::data_file("images/progressive.jpg")));
    write_file(t.file("idx"), make::idx_images(1, 5, 6, 77));
    Loader l({ t.file("a.jpg"), t.file("idx") }, 0, 1);
    const trib_batch *batch = nullptr;
    ASSERT_OK(trib_loader_next(l.loader, &batch));
    ASSERT_EQ(batch->count, 2);
    Source source({ t.file("a.jpg"), t.file("idx") });
    trib_loader_options o = {};
    o.layout = TRIB_NHWC;
    trib_preprocess p = squashed();
    const std::size_t row = kSide * kSide * 3;
    for (std::size_t i = 0; i < 2; ++i) {
        trib_item item = {};
        bool end = false;
        std::vector<float> got(row, -1);
        ASSERT_OK(trib_source_next(source.source, &item, &end));
        ASSERT_OK(trib_item_load(&item, &p, &o, got.data()));
        const float *wanted = static_cast<const float *>(batch->pixels) + std::size_t(batch->items[i].slot) * row;
        EXPECT_TRUE(std::equal(got.begin(), got.end(), wanted));
        trib_item_release(&item);
    }
    trib_item item = {};
    std::vector<float> got(row);
    EXPECT_FAILS(trib_item_load(nullptr, &p, &o, got.data()), TRIB_INVALID_ARGUMENT, "NULL");
    std::string name = t.file("a.jpg");
    item.name = item.path = &name[0];
    o.memory_limit = 1000;
    EXPECT_FAILS(trib_item_load(&item, &p, &o, got.data()), TRIB_UNSUPPORTED, "raise trib_loader_options.memory_limit");
}

// An item that is refused gives up what it holds, and one that has failed stays as it is.
TEST(LoaderMemory, AnItemThatHoldsTooMuchIsEmptied)
{
    TemporaryFolder t;
    write_file(t.file("idx"), make::idx_images(1, 50, 60));
    Source source({ t.file("idx") });
    trib_loader_options o = {};
    o.layout = TRIB_NHWC;
    o.memory_limit = 8000; // an eighth of it for encoded images: 3000 bytes are more
    trib_preprocess p = squashed();
    std::vector<float> got(kSide * kSide * 3);
    trib_item item = {};
    bool end = false;
    ASSERT_OK(trib_source_next(source.source, &item, &end));
    ASSERT_NE(item.image.pixels, nullptr);
    EXPECT_FAILS(trib_item_load(&item, &p, &o, got.data()), TRIB_UNSUPPORTED, "raise trib_loader_options.memory_limit");
    EXPECT_EQ(item.image.pixels, nullptr);
    item.status = TRIB_ERROR(TRIB_BAD_DATA, "damaged");
    EXPECT_FAILS(trib_item_load(&item, &p, &o, got.data()), TRIB_BAD_DATA, "damaged");
    item.status = trib_success();
    o.memory_limit = -1;
    EXPECT_FAILS(trib_item_load(&item, &p, &o, got.data()), TRIB_INVALID_ARGUMENT, "memory limit of -1");
    for (int missing = 1; missing <= 3; ++missing)
        EXPECT_FAILS(trib_item_load(&item, missing == 1 ? nullptr : &p, missing == 2 ? nullptr : &o,
                                    missing == 3 ? nullptr : got.data()),
                     TRIB_INVALID_ARGUMENT, "no argument may be NULL");
    trib_item_release(&item);
}

// Who needs much is not passed by others for ever.
TEST(Budget, FirstComeFirstServed)
{
    trib_budget budget;
    ASSERT_TRUE(trib_budget_init(&budget, 10));
    ASSERT_TRUE(trib_budget_take(&budget, 3));
    std::atomic<int> order(0);
    int large = 0, little = 0;
    auto waiting = [&](uint64_t tickets) {
        for (;;) {
            pthread_mutex_lock(&budget.lock);
            bool there = budget.next_ticket == tickets;
            pthread_mutex_unlock(&budget.lock);
            if (there) return;
            std::this_thread::yield();
        }
    };
    std::thread first([&] {
        EXPECT_TRUE(trib_budget_take(&budget, 10));
        large = ++order;
        trib_budget_give(&budget, 10);
    });
    waiting(2);
    std::thread second([&] {
        EXPECT_TRUE(trib_budget_take(&budget, 1));
        little = ++order;
        trib_budget_give(&budget, 1);
    });
    waiting(3);
    EXPECT_EQ(order, 0) << "there is 1 for the second, but it is not its turn";
    trib_budget_give(&budget, 3);
    first.join();
    second.join();
    EXPECT_EQ(large, 1);
    EXPECT_EQ(little, 2);
    EXPECT_EQ(budget.used, 0);
    trib_budget_destroy(&budget);
}

TEST(Budget, StopWakesAllAndRefusesLaterOnes)
{
    trib_budget budget;
    ASSERT_TRUE(trib_budget_init(&budget, 1));
    ASSERT_TRUE(trib_budget_take(&budget, 1));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { EXPECT_FALSE(trib_budget_take(&budget, 1)); });
    trib_budget_stop(&budget);
    for (std::thread &t : threads) t.join();
    EXPECT_FALSE(trib_budget_take(&budget, 0));
    trib_budget_destroy(&budget);
}

} // namespace
