// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <thread>

#include "formats/files.h"
extern "C" {
#include "formats/json.h"
}
#include "support/child.h"

// The lock around cJSON is free in a child, though threads of the parent are reading models while it forks.
TEST(Json, IsReadInAChildThatWasForkedWhileOthersRead)
{
    NEEDS_ALLOCATOR_THAT_FORKS();
    std::string text = "[0";
    for (int i = 1; i < 2000; ++i) text += "," + std::to_string(i);
    text += "]";
    auto parse = [&text] {
        cJSON *json = nullptr;
        trib_status s = trib_json_parse(text.data(), text.size(), &json);
        trib_json_free(json);
        return s;
    };
    std::atomic<bool> stop(false);
    std::thread readers[2];
    for (std::thread &reader : readers)
        reader = std::thread([&] {
            while (!stop) EXPECT_OK(parse());
        });
    for (int i = 0; i < 50 && !testing::Test::HasFailure(); ++i)
        support::expect_in_child([&] { EXPECT_OK(parse()); }, 20);
    stop = true;
    for (std::thread &reader : readers) reader.join();
}
