// SPDX-License-Identifier: Apache-2.0
#include "conformance/conformance.h"

#include <utility>

namespace conformance
{

std::vector<std::string> available_devices()
{
    std::vector<trib_device_listing> all(16);
    all.resize(std::size_t(trib_device_list(all.data(), int(all.size()))));
    std::vector<std::string> specs;
    for (const trib_device_listing &listing : all)
        if (listing.available) specs.push_back(listing.spec);
    return specs;
}

Memory::Memory(trib_device *device, trib_stream *stream, std::size_t bytes) : device_(device), stream_(stream)
{
    EXPECT_OK(trib_device_alloc(device, stream, bytes, &data_));
}

Memory::~Memory()
{
    if (data_) trib_device_free(device_, stream_, data_);
}

Memory::Memory(Memory &&other) noexcept { *this = std::move(other); }

Memory &Memory::operator=(Memory &&other) noexcept
{
    std::swap(device_, other.device_);
    std::swap(stream_, other.stream_);
    std::swap(data_, other.data_);
    return *this;
}

void DeviceTest::SetUp()
{
    trib_device *opened = nullptr;
    ASSERT_OK(trib_device_open(GetParam().c_str(), nullptr, &opened));
    device_.reset(opened);
}

void DeviceTest::TearDown()
{
    if (!device_) return;
    EXPECT_EQ(trib_device_memory(device()).current_bytes, 0) << "the test left device memory behind";
}

Stream DeviceTest::stream(int threads, const char *name)
{
    trib_stream_options options = {};
    options.name = name;
    options.threads = threads;
    trib_stream *made = nullptr;
    EXPECT_OK(trib_stream_create(device(), &options, &made));
    return Stream(made);
}

Event DeviceTest::event()
{
    trib_event *made = nullptr;
    EXPECT_OK(trib_event_create(device(), &made));
    return Event(made);
}

void DeviceTest::keep_busy(const Stream &stream, int rounds)
{
    const std::size_t bytes = std::size_t(8) << 20;
    void *memory = nullptr;
    ASSERT_OK(trib_device_alloc(device(), stream.get(), bytes, &memory));
    for (int i = 0; i < rounds; ++i) EXPECT_OK(trib_fill_zero(stream.get(), memory, bytes));
    trib_device_free(device(), stream.get(), memory);
}

} // namespace conformance
