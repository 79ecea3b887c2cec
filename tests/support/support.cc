// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

namespace support
{

double relative_error(const float *a, const float *b, std::size_t count)
{
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return std::numeric_limits<double>::infinity();
        difference += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
        norm += double(b[i]) * b[i];
    }
    return norm > 0 ? std::sqrt(difference / norm) : difference > 0 ? std::numeric_limits<double>::infinity() : 0;
}

double relative_error(const std::vector<float> &a, const std::vector<float> &b)
{
    if (a.size() != b.size() || a.empty()) return std::numeric_limits<double>::infinity();
    return relative_error(a.data(), b.data(), a.size());
}

TemporaryFolder::TemporaryFolder()
{
    std::string pattern = (std::filesystem::temp_directory_path() / "tributary-test-XXXXXX").string();
    if (!mkdtemp(pattern.data())) abort();
    path_ = pattern;
}

TemporaryFolder::~TemporaryFolder()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string read_file(const std::string &path)
{
    std::ifstream in(path, std::ios::binary);
    EXPECT_TRUE(in.good()) << "cannot read " << path;
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

void write_file(const std::string &path, const std::string &bytes)
{
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), std::streamsize(bytes.size()));
    EXPECT_TRUE(out.good()) << "cannot write " << path;
}

std::size_t write_to_reader(int fd, const std::string &bytes)
{
    // A thread that writes after its reader has closed would end the whole program.
    static const bool ignored = signal(SIGPIPE, SIG_IGN) != SIG_ERR;
    EXPECT_TRUE(ignored);
    std::size_t at = 0;
    while (at < bytes.size()) {
        ssize_t n = write(fd, bytes.data() + at, bytes.size() - at);
        if (n <= 0) break;
        at += std::size_t(n);
    }
    return at;
}

static std::string environment(const char *name)
{
    const char *value = std::getenv(name);
    return value ? value : "";
}

std::string data_file(const std::string &name)
{
    const std::string folder = environment("TRIB_TEST_DATA");
    return (folder.empty() ? TRIB_TEST_DATA : folder) + "/" + name;
}

std::string model_file(const std::string &name) { return std::string(TRIB_MODELS) + "/" + name; }

} // namespace support
