// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

extern "C" {
#include "choices/choice_cache.h"
#include "tributary/internal/fault.h"
}

#include <cstring>
#include <filesystem>

namespace
{

class ChoiceCache : public testing::Test
{
  protected:
    trib_choice_cache *open(const char *library = "cuDNN 9", const char *device = "H200")
    {
        trib_choice_cache *cache = nullptr;
        EXPECT_OK(trib_choice_cache_open(path.c_str(), library, device, note, &cache));
        return cache;
    }
    static void put(trib_choice_cache *cache, const std::string &key, const std::string &name, std::int64_t time,
                    std::string json = "")
    {
        trib_choice choice = {};
        std::strcpy(choice.name, name.c_str());
        choice.nanoseconds = time;
        choice.json = json.empty() ? nullptr : json.data();
        choice.json_bytes = json.size();
        ASSERT_OK(trib_choice_cache_put(cache, key.c_str(), &choice));
    }
    static std::string get(trib_choice_cache *cache, const std::string &key)
    {
        trib_choice choice;
        bool found = false;
        EXPECT_OK(trib_choice_cache_find(cache, key.c_str(), &found, &choice));
        if (!found) return "none";
        std::string text = std::string(choice.name) + " " + std::to_string(choice.nanoseconds) + " " +
                           std::string(choice.json ? choice.json : "", choice.json ? choice.json_bytes : 0);
        trib_choice_clear(&choice);
        return text;
    }
    // A file with three entries, one of them with JSON that looks like more entries.
    std::string make_file()
    {
        trib_choice_cache *cache = open();
        put(cache, "first", "a", 1);
        put(cache, "second", "b", 2, "{\n\"x\": [1]}\nkey: evil\nplan: evil\n");
        put(cache, "third", "c", INT64_MAX, std::string("\0\xff\n", 3));
        EXPECT_OK(trib_choice_cache_save(cache));
        trib_choice_cache_close(cache);
        return support::read_file(path);
    }

    support::TemporaryFolder folder;
    std::string path = folder.file("plans");
    char note[TRIB_MESSAGE_SIZE] = "?";
};

TEST_F(ChoiceCache, KeepsWhatItIsGiven)
{
    make_file();
    trib_choice_cache *cache = open();
    EXPECT_STREQ(note, "");
    EXPECT_EQ(trib_choice_cache_count(cache), 3);
    EXPECT_EQ(get(cache, "first"), "a 1 ");
    EXPECT_EQ(get(cache, "second"), "b 2 {\n\"x\": [1]}\nkey: evil\nplan: evil\n");
    EXPECT_EQ(get(cache, "third"), "c 9223372036854775807 " + std::string("\0\xff\n", 3));
    EXPECT_EQ(get(cache, "fourth"), "none");
    put(cache, "second", "new", 5);
    EXPECT_EQ(get(cache, "second"), "new 5 ");
    EXPECT_OK(trib_choice_cache_save(cache));
    trib_choice_cache_close(cache);
    cache = open();
    EXPECT_EQ(get(cache, "second"), "new 5 ");
    EXPECT_EQ(trib_choice_cache_count(cache), 3);
    trib_choice_cache_close(cache);
}

TEST_F(ChoiceCache, NoFileIsAnEmptyCache)
{
    trib_choice_cache *cache = open();
    EXPECT_STREQ(note, "");
    EXPECT_EQ(trib_choice_cache_count(cache), 0);
    EXPECT_OK(trib_choice_cache_save(cache)); // nothing to save
    trib_choice_cache_close(cache);
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ChoiceCache, OfAnotherLibraryOrCardIsLeftAside)
{
    make_file();
    trib_choice_cache *cache = open("cuDNN 10");
    EXPECT_NE(std::string(note).find("made with other libraries than cuDNN 10; what it holds is measured again"),
              std::string::npos)
        << note;
    EXPECT_EQ(trib_choice_cache_count(cache), 0);
    put(cache, "first", "new", 1);
    EXPECT_OK(trib_choice_cache_save(cache));
    trib_choice_cache_close(cache);
    cache = open();
    EXPECT_EQ(trib_choice_cache_count(cache), 0);
    trib_choice_cache_close(cache);
    cache = open("cuDNN 10", "H100");
    EXPECT_NE(std::string(note).find("another card than H100"), std::string::npos) << note;
    EXPECT_EQ(trib_choice_cache_count(cache), 0);
    trib_choice_cache_close(cache);
}

// Cut anywhere, or with any byte changed: all of it or nothing, and a note when nothing.
TEST_F(ChoiceCache, DamageIsNoticed)
{
    const std::string good = make_file();
    const auto damaged = [&](const std::string &text) {
        support::write_file(path, text);
        trib_choice_cache *cache = open();
        int count = trib_choice_cache_count(cache);
        trib_choice_cache_close(cache);
        return count == 0 && std::strlen(note) > 0;
    };
    // Cut between two entries, a file is a good one with fewer.
    int whole = 0;
    for (std::size_t size = 0; size < good.size(); ++size) whole += !damaged(good.substr(0, size));
    EXPECT_EQ(whole, 3); // after the header, the first, and the second entry
    for (std::size_t i = 0; i < good.size(); ++i)
        for (int bit : { 1, 0x80 }) {
            std::string text = good;
            text[i] = char(text[i] ^ bit);
            EXPECT_TRUE(damaged(text)) << "byte " << i << " of " << good.size();
        }
    EXPECT_TRUE(damaged(good + "x"));
    EXPECT_TRUE(damaged(std::string(100000, 'k')));
    EXPECT_TRUE(damaged(std::string(100000, '\0')));
    std::string text = good;
    text.replace(text.find("json: 0"), 7, "json: 99999999999999999999");
    EXPECT_TRUE(damaged(text));
}

TEST_F(ChoiceCache, WhatIsNoCacheIsNeverReplaced)
{
    for (const char *precious : { "my notes", "tributary choice", "tributary choice cachet" }) {
        support::write_file(path, precious);
        trib_choice_cache *cache = open();
        EXPECT_GT(std::strlen(note), 0u);
        put(cache, "key", "name", 1);
        EXPECT_FAILS(trib_choice_cache_save(cache), TRIB_INVALID_ARGUMENT, "holds something else, and is kept");
        trib_choice_cache_close(cache);
        EXPECT_EQ(support::read_file(path), precious);
    }
    for (const char *ours : { "", "tributary choice cache 0\nof another version\n" }) {
        support::write_file(path, ours);
        trib_choice_cache *cache = open();
        put(cache, "key", "name", 1);
        EXPECT_OK(trib_choice_cache_save(cache));
        trib_choice_cache_close(cache);
    }
}

TEST_F(ChoiceCache, AFolderInItsPlaceIsNoted)
{
    std::filesystem::create_directory(path);
    trib_choice_cache *cache = open();
    EXPECT_GT(std::strlen(note), 0u);
    put(cache, "key", "name", 1);
    EXPECT_FAILS(trib_choice_cache_save(cache), TRIB_IO_ERROR, "cannot read: Is a directory");
    trib_choice_cache_close(cache);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1); // nothing left beside it
}

TEST_F(ChoiceCache, OnlyLinesAreTaken)
{
    trib_choice_cache *cache = open();
    trib_choice choice = {};
    std::strcpy(choice.name, "name");
    for (std::string key : { std::string(), std::string("two\nlines"), std::string(TRIB_CHOICE_KEY_SIZE, 'k') })
        EXPECT_FAILS(trib_choice_cache_put(cache, key.c_str(), &choice), TRIB_INVALID_ARGUMENT, "one short line");
    std::strcpy(choice.name, "two\nlines");
    EXPECT_FAILS(trib_choice_cache_put(cache, "key", &choice), TRIB_INVALID_ARGUMENT, "one short line");
    EXPECT_EQ(trib_choice_cache_count(cache), 0);
    trib_choice_cache_close(cache);
}

// Whatever fails: the file is the old one or the new one, and nothing is left beside it.
TEST_F(ChoiceCache, FailuresLeaveTheOldFileOrTheNewOne)
{
    const std::string old = make_file();
    for (bool forever : { false, true })
        for (int k = 1;; ++k) {
            support::write_file(path, old);
            trib_fault_arm(k, forever);
            trib_choice_cache *cache = nullptr;
            trib_status status = trib_choice_cache_open(path.c_str(), "cuDNN 9", "H200", note, &cache);
            if (!trib_failed(&status)) {
                trib_choice choice = {};
                std::strcpy(choice.name, "new");
                status = trib_choice_cache_put(cache, "first", &choice);
                if (!trib_failed(&status)) status = trib_choice_cache_save(cache);
            }
            std::int64_t seen = trib_fault_disarm();
            trib_choice_cache_close(cache);
            const std::string now = support::read_file(path);
            EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
            if (trib_failed(&status)) {
                EXPECT_EQ(now, old) << "operation " << k;
                EXPECT_NE(std::string(status.message).find("choice cache"), std::string::npos) << status.message;
            } else
                EXPECT_NE(now.find("plan: new"), std::string::npos);
            if (seen < k) {
                EXPECT_GT(k, 8);
                break;
            }
        }
}

} // namespace
