// SPDX-License-Identifier: Apache-2.0
#include "tributary/internal/alloc.h"

#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "support/support.h"
#include "tributary/internal/fault.h"

namespace
{

TEST(Alloc, ZeroBytesAreAPointer)
{
    void *blocks[] = { trib_alloc(0), trib_alloc_zeroed(0, 8), trib_alloc_zeroed(8, 0), trib_alloc_aligned(0, 64),
                       trib_realloc_array(nullptr, 0, 4) };
    for (void *block : blocks) {
        EXPECT_NE(block, nullptr);
        trib_free(block);
    }
    trib_free(nullptr);
}

TEST(Alloc, ZeroedIsZero)
{
    auto *bytes = static_cast<unsigned char *>(trib_alloc_zeroed(100, 7));
    ASSERT_NE(bytes, nullptr);
    for (int i = 0; i < 700; ++i) EXPECT_EQ(bytes[i], 0);
    trib_free(bytes);
}

TEST(Alloc, AlignedIsAligned)
{
    for (std::size_t alignment : { 8, 64, 4096 })
        for (std::size_t bytes : { 1, 63, 64, 65, 5000 }) {
            void *block = trib_alloc_aligned(bytes, alignment);
            ASSERT_NE(block, nullptr);
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignment, 0u);
            std::memset(block, 1, bytes);
            trib_free(block);
        }
}

TEST(Alloc, OverflowIsNull)
{
    EXPECT_EQ(trib_realloc_array(nullptr, SIZE_MAX / 2, 4), nullptr);
    EXPECT_EQ(trib_alloc_aligned(SIZE_MAX - 3, 64), nullptr);
}

TEST(Alloc, GrowDoublesAndKeeps)
{
    void *block = nullptr;
    std::size_t capacity = 0;
    for (std::size_t i = 0; i < 100; ++i) {
        ASSERT_EQ(trib_grow(&block, &capacity, i + 1, sizeof(int)), 0);
        ASSERT_GE(capacity, i + 1);
        static_cast<int *>(block)[i] = int(i);
    }
    EXPECT_EQ(capacity, 128u);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(static_cast<int *>(block)[i], i);
    void *before = block;
    EXPECT_EQ(trib_grow(&block, &capacity, SIZE_MAX, sizeof(int)), -1);
    EXPECT_EQ(trib_grow(&block, &capacity, SIZE_MAX / 4, sizeof(int) * 4), -1);
    trib_fault_arm(1, false);
    EXPECT_EQ(trib_grow(&block, &capacity, 1000, sizeof(int)), -1);
    trib_fault_disarm();
    EXPECT_EQ(block, before) << "a failure changes nothing";
    EXPECT_EQ(capacity, 128u);
    trib_free(block);
}

TEST(Alloc, StrdupCopies)
{
    const char text[] = "inception_3a";
    char *copy = trib_strdup(text);
    ASSERT_NE(copy, nullptr);
    EXPECT_STREQ(copy, text);
    EXPECT_NE(copy, text);
    trib_free(copy);
}

TEST(Fault, EveryWayToAllocateCanFail)
{
    const std::vector<std::function<void *()>> ways = {
        [] { return trib_alloc(8); },
        [] { return trib_alloc_zeroed(2, 8); },
        [] { return trib_realloc_array(nullptr, 2, 8); },
        [] { return trib_alloc_aligned(8, 64); },
        [] { return static_cast<void *>(trib_strdup("x")); },
    };
    for (std::size_t i = 0; i < ways.size(); ++i) {
        trib_fault_arm(1, false);
        void *failed = ways[i](), *worked = ways[i]();
        EXPECT_EQ(trib_fault_disarm(), 2);
        EXPECT_EQ(failed, nullptr) << i;
        EXPECT_NE(worked, nullptr) << i;
        trib_free(failed);
        trib_free(worked);
    }
}

TEST(Fault, FailsTheKthOnceOrForGood)
{
    for (bool forever : { false, true })
        for (int k = 1; k <= 4; ++k) {
            trib_fault_arm(k, forever);
            for (int i = 1; i <= 6; ++i) EXPECT_EQ(trib_fault("read"), i == k || (forever && i > k)) << k << " " << i;
            EXPECT_EQ(trib_fault_disarm(), 6);
        }
}

TEST(Fault, CountsWithoutFailing)
{
    trib_fault_arm(0, true);
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(trib_fault("open"));
    EXPECT_EQ(trib_fault_disarm(), 5);
    EXPECT_FALSE(trib_fault("open"));
    EXPECT_EQ(trib_fault_disarm(), 5) << "nothing is counted when not armed";
}

} // namespace
