// SPDX-License-Identifier: Apache-2.0
// Sources and loaders belong to the process that made them.
#include "dataset/training.h"
#include "support/child.h"

namespace
{

using make::Source;
using support::TemporaryFolder;
using support::write_file;

const char refused[] = "created before fork()";

trib_status create(trib_source *source, trib_loader **out)
{
    static trib_preprocess as_is = [] {
        trib_preprocess p = trib_preprocess_torchvision();
        p.crop_height = p.crop_width = 2;
        p.resize_mode = TRIB_RESIZE_NONE;
        return p;
    }();
    trib_loader_options o = {};
    o.batch_size = 2;
    o.workers = 2;
    return trib_loader_create(source, &as_is, &o, out);
}

int count_items(trib_loader *loader)
{
    int items = 0;
    const trib_batch *batch = nullptr;
    for (;;) {
        trib_status s = trib_loader_next(loader, &batch);
        EXPECT_EQ(s.code, TRIB_OK) << s.message;
        if (trib_failed(&s) || !batch) return items;
        items += batch->item_count;
        trib_loader_give_back(loader, batch);
    }
}

TEST(AfterFork, ALoaderIsRefusedInTheChildAndWorksInTheParent)
{
    NEEDS_ALLOCATOR_THAT_FORKS();
    TemporaryFolder t;
    write_file(t.file("idx"), make::idx_images(100, 2, 2));
    Source source({ t.file("idx") });
    trib_loader *loader = nullptr;
    ASSERT_OK(create(source.source, &loader));
    const trib_batch *batch = nullptr;
    ASSERT_OK(trib_loader_next(loader, &batch));
    support::expect_in_child([&] {
        const trib_batch *another = nullptr;
        EXPECT_FAILS(trib_loader_next(loader, &another), TRIB_INVALID_ARGUMENT, refused);
        EXPECT_EQ(trib_loader_get_stats(loader).decoded, 0);
        trib_loader_cancel(loader);
        trib_loader_give_back(loader, batch);
        trib_loader_destroy(loader);
        trib_loader *second = nullptr;
        EXPECT_FAILS(create(source.source, &second), TRIB_INVALID_ARGUMENT, refused);
    });
    trib_loader_give_back(loader, batch);
    EXPECT_EQ(count_items(loader), 98);
    trib_loader_destroy(loader);
}

// The child would read on where the parent is, and move the parent's place: a list, a shard, an IDX file.
TEST(AfterFork, ASourceIsRefusedInTheChildAndKeepsItsPlace)
{
    if (!make::built_with_tar()) GTEST_SKIP() << "built without libarchive";
    TemporaryFolder t;
    write_file(t.file("shard.tar"), make::tar({ { "a.png", make::png(2, 2, 1) }, { "b.png", make::png(2, 2, 2) } }));
    write_file(t.file("list"), t.file("x.png") + "\n" + t.file("y.png") + "\n");
    Source source({ t.file("shard.tar"), "@" + t.file("list") });
    trib_item item = {};
    for (int i = 0; i < 4; ++i) {
        support::expect_in_child([&] {
            bool end = false;
            EXPECT_FAILS(trib_source_next(source.source, &item, &end), TRIB_INVALID_ARGUMENT, refused);
            trib_source_close(source.source);
        });
        bool end = true;
        ASSERT_OK(trib_source_next(source.source, &item, &end));
        EXPECT_FALSE(end);
        trib_item_release(&item);
    }
}

TEST(AfterFork, AChildLoadsWithASourceAndALoaderOfItsOwn)
{
    NEEDS_ALLOCATOR_THAT_FORKS();
    TemporaryFolder t;
    write_file(t.file("idx"), make::idx_images(100, 2, 2));
    Source source({ t.file("idx") });
    trib_loader *loader = nullptr;
    ASSERT_OK(create(source.source, &loader));
    support::expect_in_child([&] {
        Source own({ t.file("idx") });
        trib_loader *mine = nullptr;
        ASSERT_OK(create(own.source, &mine));
        EXPECT_EQ(count_items(mine), 100);
        trib_loader_destroy(mine);
    });
    EXPECT_EQ(count_items(loader), 100);
    trib_loader_destroy(loader);
}

TEST(AfterFork, TrainingDataAreRefusedInTheChildAndGoOnInTheParent)
{
    NEEDS_ALLOCATOR_THAT_FORKS();
    TemporaryFolder t;
    write_file(t.file("train-images-idx3-ubyte"), make::idx_images(20, 2, 2));
    std::vector<int> labels(20);
    labels[3] = 1;
    write_file(t.file("train-labels-idx1-ubyte"), make::idx_labels(labels));
    trib_training_set_options all = {};
    all.validation_share = -1;
    make::TrainingSet set({ t.path() }, all);
    ASSERT_OK(set.status);
    trib_preprocess p = make::as_is(2);
    trib_training_loader_options o = {};
    o.batch_size = 5;
    o.workers = 2;
    trib_training_loader *loader = nullptr;
    ASSERT_OK(trib_training_loader_create(set.set, &p, &o, &loader));
    const trib_training_batch *batch = nullptr;
    ASSERT_OK(trib_training_loader_next(loader, &batch));
    support::expect_in_child([&] {
        const trib_training_batch *another = nullptr;
        trib_training_loader *second = nullptr;
        EXPECT_FAILS(trib_training_loader_next(loader, &another), TRIB_INVALID_ARGUMENT, refused);
        EXPECT_FAILS(trib_training_loader_create(set.set, &p, &o, &second), TRIB_INVALID_ARGUMENT, refused);
        EXPECT_EQ(trib_training_loader_get_stats(loader).decoded, 0);
        trib_training_loader_cancel(loader);
        trib_training_loader_give_back(loader, batch);
        trib_training_loader_destroy(loader);
        trib_training_set_close(set.set);
    });
    trib_training_loader_give_back(loader, batch);
    for (int i = 0; i < 10; ++i) {
        ASSERT_OK(trib_training_loader_next(loader, &batch));
        trib_training_loader_give_back(loader, batch);
    }
    trib_training_loader_destroy(loader);
}

} // namespace
