// SPDX-License-Identifier: Apache-2.0
// Training sets: what they find, how they split it, what they refuse.
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>

#include "dataset/training.h"
#include "tributary/internal/fault.h"

namespace fs = std::filesystem;
using make::TrainingSet;
using support::TemporaryFolder;
using support::write_file;
using Names = std::vector<std::string>;

namespace
{

void put_image(const TemporaryFolder &t, const std::string &name, const std::string &bytes = "x")
{
    fs::create_directories(fs::path(t.file(name)).parent_path());
    write_file(t.file(name), bytes);
}

trib_training_set_options share(double value)
{
    trib_training_set_options o = {};
    o.validation_share = value;
    return o;
}

// `count` images in each class folder.
void put_classes(const TemporaryFolder &t, const Names &classes, int count, const std::string &below = "")
{
    for (const auto &name : classes)
        for (int i = 0; i < count; ++i) put_image(t, below + name + "/" + std::to_string(i) + ".png");
}

} // namespace

TEST(TrainingSet, ClassFolders)
{
    TemporaryFolder t;
    put_classes(t, { "cat", "dog%2Fwolf" }, 2);
    TrainingSet set({ t.path() }, share(-1));
    ASSERT_OK(set.status);
    EXPECT_EQ(trib_training_set_count(set.set, TRIB_TRAINING), 4);
    EXPECT_EQ(trib_training_set_count(set.set, TRIB_VALIDATION), 0);
    EXPECT_EQ(set.class_names(), Names({ "cat", "dog/wolf" }));
    EXPECT_EQ(set.names(TRIB_TRAINING), Names({ t.file("cat/0.png"), t.file("cat/1.png"), t.file("dog%2Fwolf/0.png"),
                                                t.file("dog%2Fwolf/1.png") }));
    EXPECT_EQ(set.labels(TRIB_TRAINING), std::vector<int>({ 0, 0, 1, 1 }));
}

TEST(TrainingSet, TrainAndValFolders)
{
    for (const char *val : { "val", "validation", "valid", "test" }) {
        TemporaryFolder t;
        put_classes(t, { "a", "b", "c" }, 3, "train/");
        put_classes(t, { "c", "a" }, 1, val + std::string("/"));
        for (const std::string &path : { t.path(), t.path() + "/" }) {
            TrainingSet set({ path });
            ASSERT_OK(set.status);
            EXPECT_EQ(trib_training_set_count(set.set, TRIB_TRAINING), 9);
            EXPECT_EQ(set.labels(TRIB_VALIDATION), std::vector<int>({ 0, 2 })); // by name, not by order
            EXPECT_NE(set.notes().find("/" + std::string(val) + ": 2 images for validation"), std::string::npos);
        }
        TrainingSet some({ t.path() }, share(0.4)), none({ t.path() }, share(-1));
        ASSERT_OK(some.status);
        ASSERT_OK(none.status);
        EXPECT_EQ(some.count(), 9); // what lies in val is used by neither
        EXPECT_EQ(trib_training_set_count(none.set, TRIB_VALIDATION), 0);
        put_image(t, val + std::string("/other/1.png"));
        EXPECT_FAILS(TrainingSet({ t.path() }).status, TRIB_BAD_DATA, "'other' is not a class");
        fs::remove_all(t.file(val));
        EXPECT_FAILS(TrainingSet({ t.path() }).status, TRIB_BAD_DATA, "one class, 'train': there is nothing to learn");
    }
}

TEST(TrainingSet, ValidationDataCanBeNamed)
{
    TemporaryFolder t;
    put_classes(t, { "a", "b" }, 3, "x/");
    put_classes(t, { "b" }, 2, "y/");
    std::string y = t.file("y");
    const char *const validation[] = { y.c_str() };
    trib_training_set_options o = share(0.5); // does not matter
    o.validation = validation;
    o.validation_count = 1;
    TrainingSet set({ t.file("x") }, o);
    ASSERT_OK(set.status);
    EXPECT_EQ(set.labels(TRIB_TRAINING), std::vector<int>({ 0, 0, 0, 1, 1, 1 }));
    EXPECT_EQ(set.labels(TRIB_VALIDATION), std::vector<int>({ 1, 1 }));
}

TEST(TrainingSet, ShardsAreLocatedWithTheirLinks)
{
    if (!make::built_with_tar()) GTEST_SKIP() << "this build has no libarchive";
    TemporaryFolder t;
    write_file(t.file("s0.tar"), make::tar({ { "a.png", make::png(5, 5, 1) },
                                             { "a.cls", "1" },
                                             { "b.cls", "0" },
                                             { "b.png", make::png(5, 5, 2) },
                                             { "notes.txt", "x" } }));
    write_file(t.file("s1.tar"), make::member("c.png", make::png(5, 5, 3)) + make::member("c.cls", "0") +
                                     make::pax({ { "path", "d.png" } }, make::member("x", make::png(5, 5, 4))) +
                                     make::member("d.cls", "1") + make::member("e.png", "", '1', "c.png") +
                                     make::member("e.cls", "1") + make::tar_end());
    TrainingSet set({ t.file("s{0..1}.tar") }, share(-1));
    ASSERT_OK(set.status);
    EXPECT_EQ(set.labels(TRIB_TRAINING), std::vector<int>({ 1, 0, 0, 1, 1 }));
    EXPECT_EQ(set.names(TRIB_TRAINING)[3], t.file("s1.tar/d.png"));
    EXPECT_EQ(trib_training_set_classes(set.set), 2);
    EXPECT_EQ(trib_training_set_class_names(set.set), nullptr);
    if (make::can_decode_png()) {
        EXPECT_EQ(make::first_pixels(set.set, 5), std::vector<int>({ 1, 2, 3, 4, 3 }));
    }
}

TEST(TrainingSet, WhatIsReadOnceIsRefused)
{
    TemporaryFolder t;
    if (make::built_with_tar() && make::built_with_gzip()) {
        write_file(t.file("s.tar.gz"), make::gzip(make::tar({ { "a.png", make::png(5, 5, 1) }, { "a.cls", "1" } })));
        EXPECT_FAILS(TrainingSet({ t.file("s.tar.gz") }).status, TRIB_UNSUPPORTED, "unpack it with gunzip");
    }
    write_file(t.file("list"), t.file("a.png"));
    write_file(t.file("a.png"), make::png(5, 5, 1));
    EXPECT_FAILS(TrainingSet({ "@" + t.file("list") }).status, TRIB_NOT_FOUND, "has no label");
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    std::string idx = make::idx_images(3, 4, 4), path = "/dev/fd/" + std::to_string(ends[0]);
    ASSERT_EQ(write(ends[1], idx.data(), idx.size()), ssize_t(idx.size()));
    close(ends[1]);
    write_file(t.file("labels"), make::idx_labels({ 0, 1, 2 }));
    std::string labels = t.file("labels");
    trib_training_set_options o = {};
    o.labels_path = labels.c_str();
    EXPECT_FAILS(TrainingSet({ path }, o).status, TRIB_UNSUPPORTED, "in any order");
    close(ends[0]);
}

TEST(TrainingSet, IdxPairsPlainAndGzipped)
{
    for (const char *ending : { "", ".gz" }) {
        if (*ending && !make::built_with_gzip()) continue;
        TemporaryFolder t;
        auto put = [&](const std::string &name, const std::string &bytes) {
            write_file(t.file(name) + ending, *ending ? make::gzip(bytes) : bytes);
        };
        put("train-images-idx3-ubyte", make::idx_images(6, 4, 4, 10));
        put("train-labels-idx1-ubyte", make::idx_labels({ 0, 1, 2, 0, 1, 2 }));
        const std::string images = t.file("train-images-idx3-ubyte") + ending;
        {
            TrainingSet set({ images }, share(-1));
            ASSERT_OK(set.status);
            EXPECT_EQ(set.labels(TRIB_TRAINING), std::vector<int>({ 0, 1, 2, 0, 1, 2 }));
            EXPECT_EQ(set.names(TRIB_TRAINING)[4], images + "#4");
            EXPECT_EQ(make::first_pixels(set.set, 6), std::vector<int>({ 10, 11, 12, 13, 14, 15 }));
        }
        put("t10k-images-idx3-ubyte", make::idx_images(2, 4, 4));
        put("t10k-labels-idx1-ubyte", make::idx_labels({ 2, 0 }));
        TrainingSet pair({ images });
        ASSERT_OK(pair.status);
        EXPECT_EQ(pair.labels(TRIB_VALIDATION), std::vector<int>({ 2, 0 }));
        for (const std::string &folder : { t.path(), t.path() + "/" }) {
            TrainingSet found({ folder });
            ASSERT_OK(found.status);
            EXPECT_EQ(trib_training_set_hash(found.set), trib_training_set_hash(pair.set));
        }
        put("t10k-labels-idx1-ubyte", make::idx_labels({ 3, 0 }));
        EXPECT_FAILS(TrainingSet({ images }).status, TRIB_BAD_DATA, "its label is 3, but there are only 3 classes");
    }
}

TEST(TrainingSet, GzippedPixelsAreBounded)
{
    if (!make::built_with_gzip()) GTEST_SKIP() << "this build has no zlib";
    TemporaryFolder t;
    write_file(t.file("train-images-idx3-ubyte.gz"), make::gzip(make::idx_images(40, 8, 8)));
    write_file(t.file("train-labels-idx1-ubyte"), make::idx_labels(std::vector<int>(40, 1)));
    trib_training_set_options o = share(-1);
    o.kept_bytes = 40 * 64 - 1;
    EXPECT_FAILS(TrainingSet({ t.file("train-images-idx3-ubyte.gz") }, o).status, TRIB_UNSUPPORTED, "gunzip");
    std::string whole = support::read_file(t.file("train-images-idx3-ubyte.gz"));
    write_file(t.file("train-images-idx3-ubyte.gz"), make::gzip(make::idx_images(40, 8, 8).substr(0, 1000)));
    EXPECT_FAILS(TrainingSet({ t.file("train-images-idx3-ubyte.gz") }).status, TRIB_BAD_DATA,
                 "truncated inside image 15");
    write_file(t.file("train-images-idx3-ubyte.gz"), whole.substr(0, whole.size() - 5));
    EXPECT_FAILS(TrainingSet({ t.file("train-images-idx3-ubyte.gz") }).status, TRIB_BAD_DATA, "truncated");
}

TEST(TrainingSet, TheSplitIsStable)
{
    TemporaryFolder t;
    put_classes(t, { "a", "b", "c", "d" }, 250);
    std::map<std::string, bool> aside;
    {
        TrainingSet set({ t.path() });
        ASSERT_OK(set.status);
        EXPECT_NEAR(double(trib_training_set_count(set.set, TRIB_VALIDATION)), 100, 45); // deviation 9.5
        for (const auto &name : set.names(TRIB_TRAINING)) aside[name] = false;
        for (const auto &name : set.names(TRIB_VALIDATION)) aside[name] = true;
        EXPECT_EQ(aside.size(), 1000u);
        EXPECT_NE(set.notes().find("of 1000 images, chosen by their names"), std::string::npos);
    }
    for (int i = 0; i < 300; ++i) put_image(t, "b/new" + std::to_string(i) + ".png");
    fs::remove(t.file("c/7.png"));
    // Reached by another path, with more images, fewer, and a larger share.
    std::string other = t.path() + "/../" + fs::path(t.path()).filename().string() + "/";
    for (double value : { 0.0, 0.3 }) {
        TrainingSet set({ other }, share(value));
        ASSERT_OK(set.status);
        std::set<std::string> now;
        for (const auto &name : set.names(TRIB_VALIDATION)) now.insert(t.path() + "/" + name.substr(other.size()));
        for (const auto &[name, was] : aside) {
            if (name == t.file("c/7.png")) continue;
            if (value == 0 || was) {
                EXPECT_EQ(now.count(name), size_t(was)) << name;
            }
        }
    }
}

TEST(TrainingSet, ASampleOfAShardIsNotSplit)
{
    if (!make::built_with_tar()) GTEST_SKIP() << "this build has no libarchive";
    TemporaryFolder t;
    std::vector<std::pair<std::string, std::string>> members;
    for (int i = 0; i < 100; ++i) {
        std::string key = "some.folder/k" + std::to_string(i);
        for (const char *view : { ".left.png", ".right.png" }) members.push_back({ key + view, "x" });
        members.push_back({ key + ".cls", std::to_string(i % 2) });
    }
    write_file(t.file("s.tar"), make::tar(members));
    TrainingSet set({ t.file("s.tar") }, share(0.5));
    ASSERT_OK(set.status);
    std::map<std::string, int> views;
    for (const auto &name : set.names(TRIB_VALIDATION)) ++views[fs::path(name).stem().stem().string()];
    EXPECT_NEAR(double(views.size()), 50, 25);
    for (const auto &[key, count] : views) EXPECT_EQ(count, 2) << key;
}

TEST(TrainingSet, TheHashTellsWhatChanged)
{
    TemporaryFolder t;
    put_classes(t, { "a", "b" }, 10);
    auto hash = [&](const std::string &path, double value = 0) {
        TrainingSet set({ path }, share(value));
        EXPECT_OK(set.status);
        return set.set ? trib_training_set_hash(set.set) : 0;
    };
    const uint64_t before = hash(t.path());
    EXPECT_EQ(hash(t.path() + "/"), before);
    EXPECT_NE(hash(t.path(), 0.5), before); // images change sides
    put_image(t, "a/new.png");
    const uint64_t more = hash(t.path());
    EXPECT_NE(more, before);
    put_image(t, "a/new.png", "xx");
    EXPECT_NE(hash(t.path()), more); // another size
    fs::rename(t.file("a/new.png"), t.file("b/new.png"));
    EXPECT_NE(hash(t.path()), before);
    fs::remove(t.file("b/new.png"));
    EXPECT_EQ(hash(t.path()), before);
    fs::rename(t.file("b"), t.file("c"));
    EXPECT_NE(hash(t.path()), before); // another class name
    TemporaryFolder moved;
    fs::rename(t.file("c"), t.file("b"));
    fs::copy(t.path(), moved.file("x"), fs::copy_options::recursive);
    EXPECT_EQ(hash(moved.file("x")), before);
}

TEST(TrainingSet, ClassesOfANetworkThatExists)
{
    TemporaryFolder t;
    put_classes(t, { "dog", "cat" }, 2);
    const char *const names[] = { "dog", "cat" };
    trib_training_set_options o = share(-1);
    o.class_names = names;
    o.class_count = 2;
    TrainingSet set({ t.path() }, o);
    ASSERT_OK(set.status);
    EXPECT_EQ(set.class_names(), Names({ "dog", "cat" }));
    EXPECT_EQ(set.labels(TRIB_TRAINING), std::vector<int>({ 1, 1, 0, 0 }));
    put_image(t, "bird/1.png");
    EXPECT_FAILS(TrainingSet({ t.path() }, o).status, TRIB_BAD_DATA, "'bird' is not a class");
}

TEST(TrainingSet, LabelsOutsideTheClasses)
{
    TemporaryFolder t;
    write_file(t.file("train-images-idx3-ubyte"), make::idx_images(3, 4, 4));
    write_file(t.file("train-labels-idx1-ubyte"), make::idx_labels({ 0, 1, 2 }));
    trib_training_set_options o = share(-1);
    o.class_count = 2;
    EXPECT_FAILS(TrainingSet({ t.file("train-images-idx3-ubyte") }, o).status, TRIB_BAD_DATA,
                 "#2: its label is 2, but there are only 2 classes");
    put_classes(t, { "a", "b" }, 1, "folders/"); // names two classes, for the IDX file too
    EXPECT_FAILS(TrainingSet({ t.file("folders"), t.file("train-images-idx3-ubyte") }, share(-1)).status, TRIB_BAD_DATA,
                 "#2: its label is 2, but there are only 2 classes");
}

TEST(TrainingSet, ASingleClassAndEmptyClasses)
{
    TemporaryFolder t;
    put_classes(t, { "only" }, 20);
    EXPECT_FAILS(TrainingSet({ t.path() }).status, TRIB_BAD_DATA, "all images are of one class, 'only'");
    fs::create_directory(t.file("empty"));
    EXPECT_FAILS(TrainingSet({ t.path() }).status, TRIB_BAD_DATA, "class 'empty' has no images");
    write_file(t.file("train-images-idx3-ubyte"), make::idx_images(3, 4, 4));
    write_file(t.file("train-labels-idx1-ubyte"), make::idx_labels({ 0, 3, 1 }));
    EXPECT_FAILS(TrainingSet({ t.file("train-images-idx3-ubyte") }, share(-1)).status, TRIB_BAD_DATA,
                 "class 2 has no images");
    fs::remove(t.file("empty"));
    put_classes(t, { "few" }, 1);
    EXPECT_FAILS(TrainingSet({ t.path() }, share(0.999999)).status, TRIB_BAD_DATA, "put aside for validation");
    TemporaryFolder nothing;
    EXPECT_FAILS(TrainingSet({ nothing.path() }).status, TRIB_NOT_FOUND, "without images");
}

TEST(TrainingSet, WhatCannotBeFoundIsRefused)
{
    TemporaryFolder t;
    EXPECT_FAILS(TrainingSet({ t.file("gone") }).status, TRIB_NOT_FOUND, "gone");
    put_classes(t, { "a", "b" }, 2);
    put_image(t, "stray.png");
    EXPECT_FAILS(TrainingSet({ t.path() }).status, TRIB_NOT_FOUND, "stray.png: has no label");
    fs::remove(t.file("stray.png"));
    fs::permissions(t.file("b"), fs::perms::none);
    if (access(t.file("b").c_str(), R_OK) != 0) {
        EXPECT_FAILS(TrainingSet({ t.path() }).status, TRIB_IO_ERROR, "/b: cannot");
    }
    fs::permissions(t.file("b"), fs::perms::owner_all);
    fs::create_directory_symlink(t.path(), t.file("a/loop")); // without rights to take away: root's unreadable folder
    EXPECT_FAILS(TrainingSet({ t.path() }).status, TRIB_BAD_DATA, "a loop");
    fs::remove(t.file("a/loop"));
    if (!make::built_with_tar()) return;
    write_file(t.file("none.tar"), make::tar({ { "notes.txt", "x" } }));
    EXPECT_FAILS(TrainingSet({ t.file("none.tar") }).status, TRIB_NOT_FOUND, "no images");
    std::string tar = make::tar({ { "a.png", "x" }, { "a.cls", "0" }, { "b.png", "x" }, { "b.cls", "1" } });
    write_file(t.file("cut.tar"), tar.substr(0, tar.size() - make::tar_end().size()));
    EXPECT_FAILS(TrainingSet({ t.file("cut.tar") }).status, TRIB_BAD_DATA, "no end marker");
    write_file(t.file("odd.tar"), make::tar({ { "a.png", "x" }, { "a.cls", "cat" } }));
    EXPECT_FAILS(TrainingSet({ t.file("odd.tar") }).status, TRIB_BAD_DATA, "not a class number");
    write_file(t.file("link.tar"),
               make::member("a.png", "", '2', "gone.png") + make::member("a.cls", "1") + make::tar_end());
    EXPECT_FAILS(TrainingSet({ t.file("link.tar") }).status, TRIB_NOT_FOUND, "gone.png");
}

// Every allocation and file call made to fail in turn: a failure, or the whole set.
TEST(TrainingSet, EveryFaultOfOpeningIsReported)
{
    if (!make::built_with_gzip()) GTEST_SKIP() << "this build has no zlib";
    TemporaryFolder t;
    put_classes(t, { "a", "b" }, 2, "folders/train/");
    put_classes(t, { "b" }, 1, "folders/val/");
    fs::create_symlink("nowhere", t.file("folders/train/a/dangling.png"));
    fs::create_directory(t.file("idx"));
    for (const char *part : { "train", "t10k" }) {
        write_file(t.file("idx/" + std::string(part) + "-images-idx3-ubyte.gz"), make::gzip(make::idx_images(3, 2, 2)));
        write_file(t.file("idx/" + std::string(part) + "-labels-idx1-ubyte"), make::idx_labels({ 0, 1, 0 }));
    }
    const std::string val = t.file("folders/val");
    const char *const names[] = { "b", "a" }, *const validation[] = { val.c_str() };
    trib_training_set_options given = {};
    given.class_names = names;
    given.class_count = 2;
    given.validation = validation;
    given.validation_count = 1;
    for (const auto &options : { trib_training_set_options {}, given, share(0.2) }) {
        const Names inputs = { t.file("folders"), t.file("idx") };
        TrainingSet whole(inputs, options);
        ASSERT_OK(whole.status);
        for (bool forever : { false, true })
            for (int64_t k = 1;; ++k) {
                ASSERT_LT(k, 2000);
                trib_fault_arm(k, forever);
                TrainingSet set(inputs, options);
                if (trib_fault_disarm() < k) break;
                EXPECT_TRUE(!set.set || trib_training_set_hash(set.set) == trib_training_set_hash(whole.set)) << k;
                EXPECT_EQ(set.set == nullptr, *set.status.message != 0) << k;
            }
    }
}

TEST(TrainingSet, ArgumentsAreChecked)
{
    trib_training_set *set = nullptr;
    const char *const none[] = { nullptr };
    EXPECT_FAILS(trib_training_set_open(nullptr, 1, nullptr, &set), TRIB_INVALID_ARGUMENT, "no training data");
    EXPECT_FAILS(trib_training_set_open(none, 1, nullptr, &set), TRIB_INVALID_ARGUMENT, "input 0 of 1");
    trib_training_set_options o = share(1);
    EXPECT_FAILS(TrainingSet({ "x" }, o).status, TRIB_INVALID_ARGUMENT, "share of 1");
    o = {};
    o.kept_bytes = -1;
    EXPECT_FAILS(TrainingSet({ "x" }, o).status, TRIB_INVALID_ARGUMENT, "kept_bytes");
    o = {};
    o.validation = none;
    EXPECT_FAILS(TrainingSet({ "x" }, o).status, TRIB_INVALID_ARGUMENT, "count of 0");
    o.validation_count = 1;
    EXPECT_FAILS(TrainingSet({ "x" }, o).status, TRIB_INVALID_ARGUMENT, "validation input 0 of 1");
    EXPECT_EQ(set, nullptr);
    trib_training_set_close(nullptr);
}
