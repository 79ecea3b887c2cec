// SPDX-License-Identifier: Apache-2.0
#include "dataset/make.h"

using make::Source;
using support::TemporaryFolder;
using support::write_file;

static trib_source_options labels(const char *path = nullptr)
{
    trib_source_options options = {};
    options.need_labels = true;
    options.labels_path = path;
    return options;
}

TEST(Idx, ImagesAreRecognisedByTheirFirstBytes)
{
    TemporaryFolder t;
    write_file(t.file("anything.bin"), make::idx_images(3, 4, 5, 7));
    const std::string path = t.file("anything.bin");
    Source source({ path });
    ASSERT_OK(source.status);
    EXPECT_EQ(source.count(), 3);
    for (int i = 0; i < 3; ++i) {
        trib_item item = {};
        bool end = true;
        ASSERT_OK(trib_source_next(source.source, &item, &end));
        ASSERT_FALSE(end);
        EXPECT_EQ(item.name, path + "#" + std::to_string(i));
        EXPECT_EQ(item.image.width, 5);
        EXPECT_EQ(item.image.height, 4);
        EXPECT_EQ(item.image.channels, 1);
        for (int p = 0; p < 20; ++p) EXPECT_EQ(item.image.pixels[p], 7 + i);
        trib_item_release(&item);
    }
    EXPECT_TRUE(source.all().empty());
}

TEST(Idx, ColourImages)
{
    TemporaryFolder t;
    std::string header = make::big_endian(0x804) + make::big_endian(1) + make::big_endian(2) + make::big_endian(2);
    write_file(t.file("c"), header + make::big_endian(3) + std::string(12, 'x'));
    EXPECT_EQ(make::read_all({ t.file("c") }).size(), 1u);
    write_file(t.file("images-idx4-ubyte"), header + make::big_endian(3) + std::string(12, 'x'));
    write_file(t.file("labels-idx1-ubyte"), make::idx_labels({ 7 }));
    EXPECT_EQ(make::read_all({ t.file("images-idx4-ubyte") }, labels())[0].label, 7);
    write_file(t.file("c"), header + make::big_endian(2) + std::string(8, 'x'));
    EXPECT_FAILS(Source({ t.file("c") }).status, TRIB_BAD_DATA, "2 channels");
}

TEST(Idx, LabelsAreFoundBesideTheImages)
{
    if (!make::built_with_gzip()) GTEST_SKIP() << "this build has no zlib";
    for (const char *ending : { "", ".gz" }) {
        TemporaryFolder t;
        std::string images = t.file("train-images-idx3-ubyte");
        write_file(images, make::idx_images(3, 2, 2));
        std::string bytes = make::idx_labels({ 9, 0, 255 });
        write_file(t.file("train-labels-idx1-ubyte") + ending, *ending ? make::gzip(bytes) : bytes);
        auto items = make::read_all({ images }, labels());
        ASSERT_EQ(items.size(), 3u);
        EXPECT_EQ(items[0].label, 9);
        EXPECT_EQ(items[2].label, 255);
        write_file(images + ".gz", make::gzip(make::idx_images(3, 2, 2)));
        EXPECT_EQ(make::read_all({ images + ".gz" }, labels())[0].label, 9);
    }
}

TEST(Idx, LabelsThatDoNotFit)
{
    TemporaryFolder t;
    std::string images = t.file("t10k-images-idx3-ubyte"), other = t.file("other");
    write_file(images, make::idx_images(3, 2, 2));
    EXPECT_FAILS(Source({ images }, labels()).status, TRIB_NOT_FOUND, "t10k-labels-idx1-ubyte");
    write_file(other, make::idx_labels({ 1, 2 }));
    EXPECT_FAILS(Source({ images }, labels(other.c_str())).status, TRIB_BAD_DATA, "2 labels for the 3 images");
    write_file(other, make::idx_labels({ 1, 2, 3 }).substr(0, 10));
    EXPECT_FAILS(Source({ images }, labels(other.c_str())).status, TRIB_BAD_DATA,
                 "3 items in 11 bytes, but the file has 10");
    EXPECT_FAILS(Source({ images }, labels(images.c_str())).status, TRIB_BAD_DATA, "is this a file of images?");
    EXPECT_FAILS(Source({ other }).status, TRIB_BAD_DATA, "is this a file of labels?");
    write_file(other, make::idx_labels({ 1, 2, 3 }));
    EXPECT_FAILS(Source({ images, images }, labels(other.c_str())).status, TRIB_INVALID_ARGUMENT, "there are 2");
    EXPECT_FAILS(Source({ t.file("other") + "/x" }, labels()).status, TRIB_NOT_FOUND, "other/x");
    write_file(t.file("plain"), make::idx_images(1, 2, 2));
    EXPECT_FAILS(Source({ t.file("plain") }, labels()).status, TRIB_NOT_FOUND, "cannot guess");
    trib_source_options options = labels(other.c_str());
    options.class_count = 3;
    auto items = make::read_all({ images }, options);
    EXPECT_EQ(items[1].code, TRIB_OK);
    EXPECT_NE(items[2].message.find("its label is 3, but there are only 3 classes"), std::string::npos);
}

TEST(Idx, LabelsThatEndEarly)
{
    if (!make::built_with_gzip()) GTEST_SKIP() << "this build has no zlib";
    TemporaryFolder t;
    const std::string images = t.file("images"), other = t.file("labels.gz");
    write_file(images, make::idx_images(3, 2, 2));
    write_file(other, make::gzip(make::idx_labels({ 1, 2, 3 }).substr(0, 10)));
    EXPECT_FAILS(Source({ images }, labels(other.c_str())).status, TRIB_BAD_DATA,
                 "labels.gz: truncated: 2 of 3 labels");
    write_file(other, make::gzip(make::idx_labels({ 1, 2, 3 }).substr(0, 6)));
    EXPECT_FAILS(Source({ images }, labels(other.c_str())).status, TRIB_BAD_DATA, "ends inside its IDX header");
}

TEST(Idx, EveryTruncationOfAPlainFileFailsAtOnce)
{
    TemporaryFolder t;
    std::string whole = make::idx_images(2, 3, 3), path = t.file("x-images-idx3-ubyte");
    for (size_t n = 0; n < whole.size(); ++n) {
        write_file(path, whole.substr(0, n));
        EXPECT_FAILS(Source({ path }).status, TRIB_BAD_DATA, path);
    }
    write_file(path, whole + "x");
    EXPECT_FAILS(Source({ path }).status, TRIB_BAD_DATA, "in 34 bytes, but the file has 35");
}

TEST(Idx, LyingHeaders)
{
    TemporaryFolder t;
    auto header = [](uint32_t n, uint32_t h, uint32_t w) {
        return make::big_endian(0x803) + make::big_endian(n) + make::big_endian(h) + make::big_endian(w);
    };
    const std::string path = t.file("idx");
    const struct {
        std::string header;
        const char *reason;
    } cases[] = {
        { header(0, 2, 2), "0 images" },
        { header(1, 0, 2), "2 x 0 pixels" },
        { header(1, 2, 0), "0 x 2 pixels" },
        { header(1, 0xFFFFFFFFu, 0xFFFFFFFFu), "4294967295 x 4294967295" },
        { header(0xFFFFFFFFu, 13000, 13000), "is it truncated?" },
        { header(0x80000000u, 1, 1), "is it truncated?" },
    };
    for (const auto &c : cases) {
        write_file(path, c.header + "1234");
        EXPECT_FAILS(Source({ path }).status, TRIB_BAD_DATA, c.reason);
        if (std::string(c.reason) == "is it truncated?" || !make::built_with_gzip()) continue;
        write_file(path, make::gzip(c.header + "1234"));
        EXPECT_FAILS(Source({ path }).status, TRIB_BAD_DATA, c.reason);
    }
    std::string floats = header(1, 1, 1) + "x", name = t.file("f-images-idx3-ubyte");
    floats[2] = 0x0D;
    write_file(name, floats);
    EXPECT_FAILS(Source({ name }).status, TRIB_UNSUPPORTED, "element type 0d");
}

TEST(Idx, GzippedFilesGiveWhatIsWholeThenOneFailure)
{
    if (!make::built_with_gzip()) GTEST_SKIP() << "this build has no zlib";
    TemporaryFolder t;
    std::string plain = make::idx_images(5, 8, 8), whole = make::gzip(plain), path = t.file("x.gz");
    write_file(path, whole);
    EXPECT_EQ(make::read_all({ path }).size(), 5u);
    for (size_t n = 40; n < whole.size(); ++n) { // behind gzip's and IDX's headers
        write_file(path, whole.substr(0, n));
        auto items = make::read_all({ path });
        ASSERT_FALSE(items.empty()) << n;
        size_t good = std::min<size_t>(5, (n - 15 - 16) / 64); // 15: gzip's and deflate's headers
        bool only_the_sum_is_cut = n >= whole.size() - 8;
        ASSERT_LE(items.size(), 6u);
        for (size_t i = 0; i < items.size(); ++i) EXPECT_EQ(items[i].index, int64_t(i));
        EXPECT_NE(items.back().code, TRIB_OK) << n;
        EXPECT_NE(items.back().message.find(path), std::string::npos);
        if (!only_the_sum_is_cut) {
            EXPECT_LE(items.size() - 1, good) << n;
            EXPECT_NE(items.back().message.find("of 5 images are lost"), std::string::npos) << items.back().message;
        }
    }
    write_file(path, make::gzip(plain + "x"));
    auto items = make::read_all({ path });
    ASSERT_EQ(items.size(), 6u);
    EXPECT_NE(items[5].message.find("more bytes than the 5 images"), std::string::npos);
}

TEST(Idx, AWrongCheckSumIsReportedAfterTheImages)
{
    if (!make::built_with_gzip()) GTEST_SKIP() << "this build has no zlib";
    TemporaryFolder t;
    std::string bytes = make::gzip(make::idx_images(1000, 32, 32)), path = t.file("x.gz");
    bytes[bytes.size() - 6] ^= 1;
    write_file(path, bytes);
    auto items = make::read_all({ path });
    ASSERT_GT(items.size(), 500u);
    EXPECT_EQ(items.back().code, TRIB_BAD_DATA);
    EXPECT_NE(items.back().message.find(path + ": damaged gzip data: incorrect data check"), std::string::npos)
        << items.back().message;
}

TEST(Idx, AGzipFileThatIsNoneOfOursIsLeftToTheDecoder)
{
    if (!make::built_with_gzip()) GTEST_SKIP() << "this build has no zlib";
    TemporaryFolder t;
    write_file(t.file("a.jpg.gz"), make::gzip("not an image"));
    EXPECT_EQ(make::read_all({ t.file("a.jpg.gz") }).size(), 1u);
    write_file(t.file("bad.gz"), make::gzip("x").substr(0, 10) + "\x07garbage");
    EXPECT_FAILS(Source({ t.file("bad.gz") }).status, TRIB_BAD_DATA, "damaged gzip");
}
