// SPDX-License-Identifier: Apache-2.0
// What the conformance tests share: a fixture that opens the device under test, owners of device objects.
//
// The suite knows only tributary/device.h. It runs on every device that trib_device_list reports as available.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/support.h"

namespace conformance
{

struct Deleter {
    void operator()(trib_stream *p) const { trib_stream_destroy(p); }
    void operator()(trib_event *p) const { trib_event_destroy(p); }
    void operator()(trib_capture *p) const { trib_capture_destroy(p); }
    void operator()(trib_op_handle *p) const { trib_op_destroy(p); }
    void operator()(trib_device *p) const { trib_device_close(p); }
};
template <typename T>
using Owner = std::unique_ptr<T, Deleter>;
using Device = Owner<trib_device>;
using Stream = Owner<trib_stream>;
using Event = Owner<trib_event>;
using Capture = Owner<trib_capture>;
using Op = Owner<trib_op_handle>;

// Specs of the devices that can be used here, of the kind under test, for INSTANTIATE_TEST_SUITE_P.
std::vector<std::string> available_devices();
// Those of them that this build has operators for.
std::vector<std::string> computing_devices();
// Those whose memory is the host's.
std::vector<std::string> host_devices();

// "cuda_0": a name for the tests of a device.
std::string test_name(const testing::TestParamInfo<std::string> &spec);

// Device memory that frees itself in the order of its stream.
class Memory
{
  public:
    Memory() = default;
    Memory(trib_device *device, trib_stream *stream, std::size_t bytes);
    ~Memory();
    Memory(Memory &&other) noexcept;
    Memory &operator=(Memory &&other) noexcept;
    void *get() const { return data_; }
    float *floats() const { return static_cast<float *>(data_); }

  private:
    trib_device *device_ = nullptr;
    trib_stream *stream_ = nullptr;
    void *data_ = nullptr;
};

class DeviceTest : public testing::TestWithParam<std::string>
{
  protected:
    void SetUp() override;
    void TearDown() override;
    Stream stream(int threads = 0, const char *name = "test");
    Event event();
    Memory alloc(const Stream &stream, std::size_t bytes) { return Memory(device(), stream.get(), bytes); }
    trib_device *device() const { return device_.get(); }
    const trib_device_info &info() const { return *trib_device_get_info(device()); }
    // Gives `stream` something that takes a while: `rounds` fills of 8 MB.
    void keep_busy(const Stream &stream, int rounds = 20);

    Device device_;
};

} // namespace conformance
