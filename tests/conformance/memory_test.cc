// SPDX-License-Identifier: Apache-2.0
// Device memory: alignment, statistics, limit, freeing in stream order.
#include <cstring>

#include "conformance/conformance.h"

using namespace conformance;

namespace
{

class DeviceMemory : public DeviceTest
{
};

TEST_P(DeviceMemory, IsAlignedAndUsableToItsLastByte)
{
    Stream s = stream();
    for (std::size_t bytes : { 1, 3, 255, 256, 257, 4096, 5 << 20 }) {
        Memory m = alloc(s, bytes);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(m.get()) % 256, 0u) << bytes;
        std::vector<unsigned char> source(bytes, 0xab), seen(bytes, 0);
        ASSERT_OK(trib_copy_to_device(s.get(), m.get(), source.data(), bytes));
        ASSERT_OK(trib_copy_to_host(s.get(), seen.data(), m.get(), bytes));
        ASSERT_OK(trib_stream_synchronize(s.get()));
        EXPECT_EQ(seen, source);
    }
    ASSERT_OK(trib_stream_synchronize(s.get()));
}

TEST_P(DeviceMemory, ZeroBytesGiveAPointerThatCanBeFreed)
{
    Stream s = stream();
    void *memory = nullptr;
    ASSERT_OK(trib_device_alloc(device(), s.get(), 0, &memory));
    EXPECT_NE(memory, nullptr);
    trib_device_free(device(), s.get(), memory);
    trib_device_free(device(), s.get(), nullptr);
    ASSERT_OK(trib_stream_synchronize(s.get()));
}

TEST_P(DeviceMemory, StatisticsCountWhatIsInUseAndThePeak)
{
    Stream s = stream();
    trib_memory_stats before = trib_device_memory(device());
    EXPECT_EQ(before.current_bytes, 0);
    EXPECT_EQ(before.limit_bytes, 0);
    {
        Memory a = alloc(s, 1000), b = alloc(s, 2000);
        trib_memory_stats now = trib_device_memory(device());
        EXPECT_GE(now.current_bytes, 3000);
        EXPECT_EQ(now.allocation_count, before.allocation_count + 2);
    }
    ASSERT_OK(trib_stream_synchronize(s.get()));
    trib_memory_stats after = trib_device_memory(device());
    EXPECT_EQ(after.current_bytes, 0);
    EXPECT_GE(after.peak_bytes, 3000);
}

TEST_P(DeviceMemory, TheLimitRefusesClearlyAndRecovers)
{
    Stream s = stream();
    trib_device_set_memory_limit(device(), 1 << 20);
    EXPECT_EQ(trib_device_memory(device()).limit_bytes, 1 << 20);
    {
        Memory half = alloc(s, 600000);
        void *more = nullptr;
        trib_status refused = trib_device_alloc(device(), s.get(), 700001, &more);
        EXPECT_EQ(refused.code, TRIB_OUT_OF_MEMORY);
        std::string message = refused.message;
        EXPECT_NE(message.find("700001"), std::string::npos) << message;  // asked for
        EXPECT_NE(message.find("1048576"), std::string::npos) << message; // the limit
        EXPECT_NE(message.find("60"), std::string::npos) << message;      // in use (may be rounded)
        EXPECT_EQ(more, nullptr);
        EXPECT_FAILS(trib_device_alloc(device(), s.get(), SIZE_MAX - 100, &more), TRIB_OUT_OF_MEMORY, "limit");
    }
    // What the stream freed before is available to it at once, though the work before the free may still run.
    Memory again = alloc(s, 1000000);
    EXPECT_NE(again.get(), nullptr);
    trib_device_set_memory_limit(device(), 0);
    Memory large = alloc(s, 2 << 20);
    EXPECT_NE(large.get(), nullptr);
    again = Memory();
    large = Memory();
    ASSERT_OK(trib_stream_synchronize(s.get()));
}

TEST_P(DeviceMemory, ImpossibleSizesFailWithoutALimitToo)
{
    Stream s = stream();
    void *memory = nullptr;
    EXPECT_FAILS(trib_device_alloc(device(), s.get(), SIZE_MAX, &memory), TRIB_OUT_OF_MEMORY, "asked for");
    EXPECT_FAILS(trib_device_alloc(device(), s.get(), SIZE_MAX / 4, &memory), TRIB_OUT_OF_MEMORY, "asked for");
    EXPECT_EQ(trib_device_memory(device()).current_bytes, 0);
}

TEST_P(DeviceMemory, FreeingWhileWorkIsQueuedWaitsForTheWork)
{
    Stream s = stream();
    for (int round = 0; round < 20; ++round) {
        std::vector<int> values(100000, round + 1), seen(100000, 0);
        Memory a = alloc(s, 400000);
        Memory b = alloc(s, 400000);
        ASSERT_OK(trib_copy_to_device(s.get(), a.get(), values.data(), 400000));
        ASSERT_OK(trib_copy_on_device(s.get(), b.get(), a.get(), 400000));
        a = Memory(); // queued after the copies
        Memory c = alloc(s, 400000);
        ASSERT_OK(trib_fill_zero(s.get(), c.get(), 400000)); // may reuse what was freed, must not disturb it
        ASSERT_OK(trib_copy_to_host(s.get(), seen.data(), b.get(), 400000));
        ASSERT_OK(trib_stream_synchronize(s.get()));
        ASSERT_EQ(seen, values);
    }
    ASSERT_OK(trib_stream_synchronize(s.get()));
}

// ---- host memory ----

TEST_P(DeviceMemory, HostMemoryIsCopiedFromAndTo)
{
    Stream s = stream();
    for (std::size_t bytes : { 1, 257, 3 << 20 }) {
        void *from = nullptr, *to = nullptr;
        ASSERT_OK(trib_host_alloc(device(), bytes, &from));
        ASSERT_OK(trib_host_alloc(device(), bytes, &to));
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(from) % 256, 0u);
        std::memset(from, 0x5a, bytes);
        std::memset(to, 0, bytes);
        Memory m = alloc(s, bytes);
        ASSERT_OK(trib_copy_to_device(s.get(), m.get(), from, bytes));
        ASSERT_OK(trib_copy_to_host(s.get(), to, m.get(), bytes));
        ASSERT_OK(trib_stream_synchronize(s.get()));
        EXPECT_EQ(std::memcmp(from, to, bytes), 0) << bytes;
        trib_host_free(device(), from);
        trib_host_free(device(), to);
    }
    ASSERT_OK(trib_stream_synchronize(s.get()));
}

TEST_P(DeviceMemory, HostMemoryIsCountedAndLimitedApart)
{
    void *half = nullptr, *more = nullptr, *nothing = nullptr;
    EXPECT_EQ(trib_host_memory(device()).current_bytes, 0);
    trib_host_set_memory_limit(device(), 1 << 20);
    ASSERT_OK(trib_host_alloc(device(), 600000, &half));
    trib_status refused = trib_host_alloc(device(), 700001, &more);
    EXPECT_EQ(refused.code, TRIB_OUT_OF_MEMORY);
    const std::string message = refused.message;
    for (const char *part : { "host memory", "700001 bytes asked for", "600000 in use", "limit 1048576" })
        EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_FAILS(trib_host_alloc(device(), SIZE_MAX - 100, &more), TRIB_OUT_OF_MEMORY, "limit");
    EXPECT_EQ(more, nullptr);
    trib_memory_stats now = trib_host_memory(device());
    EXPECT_EQ(now.current_bytes, 600000);
    EXPECT_EQ(now.allocation_count, 1);
    EXPECT_EQ(trib_device_memory(device()).current_bytes, 0) << "it is not the device's";
    trib_host_free(device(), half);
    trib_host_free(device(), nullptr);
    ASSERT_OK(trib_host_alloc(device(), 0, &nothing));
    EXPECT_NE(nothing, nullptr);
    trib_host_free(device(), nothing);
    trib_host_set_memory_limit(device(), 0);
    EXPECT_FAILS(trib_host_alloc(device(), SIZE_MAX / 4, &more), TRIB_OUT_OF_MEMORY, "asked for");
    EXPECT_EQ(trib_host_memory(device()).current_bytes, 0);
    EXPECT_EQ(trib_host_memory(device()).peak_bytes, 600000);
    EXPECT_FAILS(trib_host_alloc(nullptr, 1, &more), TRIB_INVALID_ARGUMENT, "NULL");
}

TEST(DeviceOpen, UnknownSpecsAreRefused)
{
    trib_device *device = nullptr;
    EXPECT_FAILS(trib_device_open("gpu", nullptr, &device), TRIB_INVALID_ARGUMENT, "gpu");
    EXPECT_FAILS(trib_device_open("", nullptr, &device), TRIB_INVALID_ARGUMENT, "no such device");
    EXPECT_FAILS(trib_device_open("cuda:", nullptr, &device), TRIB_INVALID_ARGUMENT, "cuda:N");
    EXPECT_FAILS(trib_device_open("cuda:x", nullptr, &device), TRIB_INVALID_ARGUMENT, "cuda:N");
    EXPECT_FAILS(trib_device_open(nullptr, nullptr, &device), TRIB_INVALID_ARGUMENT, "NULL");
    trib_device_options options = {};
    options.threads = -1;
    EXPECT_FAILS(trib_device_open("cpu", &options, &device), TRIB_INVALID_ARGUMENT, "negative");
    EXPECT_EQ(device, nullptr);
}

TEST(DeviceOpen, EveryListedDeviceIsAvailableOrSaysWhyNot)
{
    std::vector<trib_device_listing> all(16);
    int count = trib_device_list(all.data(), 16);
    ASSERT_GE(count, 2);
    EXPECT_EQ(trib_device_list(nullptr, 0), count);
    for (int i = 0; i < count; ++i) {
        const trib_device_listing &listing = all[std::size_t(i)];
        EXPECT_NE(listing.description[0], '\0');
        trib_device *device = nullptr;
        trib_status opened = trib_device_open(listing.spec, nullptr, &device);
        EXPECT_EQ(!trib_failed(&opened), listing.available) << listing.spec << ": " << opened.message;
        trib_device_close(device);
    }
}

TEST(DeviceOpen, CoresAndMemoryAreLimitedOnRequest)
{
    trib_device_options options = {};
    options.threads = 1;
    options.memory_limit = 12345;
    trib_device *device = nullptr;
    ASSERT_OK(trib_device_open("cpu", &options, &device));
    EXPECT_EQ(trib_device_get_info(device)->cores, 1);
    EXPECT_EQ(trib_device_memory(device).limit_bytes, 12345);
    EXPECT_GE(trib_device_get_info(device)->layout_count, 1);
    trib_device_close(device);
}

TEST(DeviceOpen, AutoFindsADevice)
{
    trib_device *device = nullptr;
    ASSERT_OK(trib_device_open("auto", nullptr, &device));
    EXPECT_NE(trib_device_get_info(device)->name[0], '\0');
    trib_device_close(device);
}

INSTANTIATE_TEST_SUITE_P(Devices, DeviceMemory, testing::ValuesIn(available_devices()), test_name);

} // namespace
