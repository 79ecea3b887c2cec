// SPDX-License-Identifier: Apache-2.0
// What every test needs: readable failures of trib_status, comparisons that fail closed, temporary folders.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "support/sanitized.h"
#include "tributary.h"

// EXPECT that a call succeeds; the message is shown otherwise.
#define EXPECT_OK(expression)                                                                                      \
    do {                                                                                                           \
        trib_status status_ = (expression);                                                                        \
        EXPECT_EQ(status_.code, TRIB_OK) << status_.message << " (" << status_.file << ":" << status_.line << ")"; \
    } while (0)
#define ASSERT_OK(expression)                                                                                      \
    do {                                                                                                           \
        trib_status status_ = (expression);                                                                        \
        ASSERT_EQ(status_.code, TRIB_OK) << status_.message << " (" << status_.file << ":" << status_.line << ")"; \
    } while (0)
// EXPECT a failure with this code whose message contains `text`.
#define EXPECT_FAILS(expression, wanted, text)                                                    \
    do {                                                                                          \
        trib_status status_ = (expression);                                                       \
        EXPECT_EQ(status_.code, wanted) << status_.message;                                       \
        EXPECT_NE(std::string(status_.message).find(text), std::string::npos) << status_.message; \
    } while (0)

namespace support
{

inline const trib_network *const bvlc = trib_network_find("bvlc");
inline const trib_network *const torchvision = trib_network_find("torchvision");

// ||a - b|| / ||b||; infinity when any value is not finite or sizes differ, so that a comparison with a tolerance
// fails.
double relative_error(const float *a, const float *b, std::size_t count);
double relative_error(const std::vector<float> &a, const std::vector<float> &b);

// A folder that is removed with everything in it at the end of the test.
class TemporaryFolder
{
  public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder &) = delete;
    TemporaryFolder &operator=(const TemporaryFolder &) = delete;
    const std::string &path() const { return path_; }
    std::string file(const std::string &name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

std::string read_file(const std::string &path);
void write_file(const std::string &path, const std::string &bytes);
// Writes to a pipe or socket until all is written or the reader has gone away, which is not a failure here. Returns the
// bytes written.
std::size_t write_to_reader(int fd, const std::string &bytes);
// In tests/data; the environment's TRIB_TEST_DATA says where that is on a machine other than the one that built.
std::string data_file(const std::string &name);
// In models/pretrained.
std::string model_file(const std::string &name);

// The kind of device that the tests of this program are about: "cuda" on the simulated CUDA, else "" (any).
const char *kind_under_test();

// Specs of the devices that can be used here, of the kinds that begin with `kind`; the environment's TRIB_TEST_DEVICE
// narrows that ("cuda": only GPUs).
std::vector<std::string> devices(const std::string &kind = "");
// trib_device_open; the environment's TRIB_TEST_CHOICE_CACHE names a file that keeps compiled convolutions from one
// opening, and one program, to the next: each takes half a second on a GPU.
trib_status open_device(const std::string &spec, trib_device **out);

} // namespace support
