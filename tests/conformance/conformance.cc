// SPDX-License-Identifier: Apache-2.0
#include "conformance/conformance.h"

#include <algorithm>
#include <utility>

namespace conformance
{

std::vector<std::string> available_devices() { return support::devices(support::kind_under_test()); }

std::vector<std::string> computing_devices()
{
    std::vector<std::string> specs;
    for (const std::string &spec : available_devices()) {
        trib_device *opened = nullptr;
        EXPECT_OK(support::open_device(spec, &opened));
        Device device(opened);
        if (!device) continue;
        trib_op_desc desc = {};
        desc.kind = TRIB_RELU;
        desc.input_count = desc.output_count = 1;
        trib_view &view = desc.inputs[0];
        view.layout = trib_device_get_info(opened)->layouts[0];
        view.n = view.h = view.w = 1;
        view.c = view.c_total = 16;
        desc.outputs[0] = view;
        trib_implementation any[1];
        int count = 0;
        EXPECT_OK(trib_op_implementations(opened, &desc, true, any, 1, &count, nullptr));
        if (count > 0) specs.push_back(spec);
    }
    return specs;
}

std::vector<std::string> host_devices()
{
    std::vector<std::string> specs;
    for (const std::string &spec : computing_devices())
        if (spec == "cpu") specs.push_back(spec);
    return specs;
}

std::string test_name(const testing::TestParamInfo<std::string> &spec)
{
    std::string name = spec.param;
    std::replace(name.begin(), name.end(), ':', '_');
    return name;
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
    ASSERT_OK(support::open_device(GetParam(), &opened));
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
