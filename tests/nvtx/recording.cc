// SPDX-License-Identifier: Apache-2.0
#include "nvtx/recording.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "support/support.h"

namespace recording
{

namespace
{

// NVTX looks for a tool once, at its first call.
class Recorded : public testing::Environment
{
    void SetUp() override
    {
        ::setenv("NVTX_RECORD", folder_.file("record").c_str(), 1);
        ::setenv("NVTX_INJECTION64_PATH", NVTX_RECORDER, 1);
    }
    support::TemporaryFolder folder_;
};

testing::Environment *const environment = testing::AddGlobalTestEnvironment(new Recorded);

class Reader
{
  public:
    void line(const std::string &text)
    {
        std::istringstream in(text);
        std::vector<std::string> f;
        for (std::string field; std::getline(in, field, '\t');) f.push_back(field);
        f.resize(7);
        if (f[0] == "domain")
            r.domains.push_back(f[2]);
        else if (f[0] == "string")
            r.strings.push_back(strings_[f[2]] = f[3]);
        else if (f[0] == "category")
            r.categories[f[2]] = f[3];
        else if (f[0] == "push")
            push(text, f);
        else if (f[0] == "pop")
            pop(text, f);
        else if (f[0] == "stream")
            r.streams.push_back({ f[1], f[2] });
        else if (f[0] == "event")
            r.events.push_back({ f[1], f[2] });
        else
            problems_.push_back(text);
    }
    const Recording &so_far() const { return r; }
    std::vector<std::string> problems() const
    {
        std::vector<std::string> all = problems_;
        for (const auto &thread : depths_)
            if (thread.second) all.push_back("thread " + thread.first + " has ranges left open");
        return all;
    }

  private:
    void push(const std::string &text, const std::vector<std::string> &f)
    {
        bool category = f[4] == "0" || r.categories.count(f[4]);
        if (f[2] != "1" || !strings_.count(f[3]) || !category) problems_.push_back(text);
        r.ranges.push_back(
            { strings_[f[3]], f[4] == "0" ? "" : r.categories[f[4]], f[5], f[1], f[6], depths_[f[1]]++ });
    }
    void pop(const std::string &text, const std::vector<std::string> &f)
    {
        if (f[2] != "1" || depths_[f[1]]-- <= 0) problems_.push_back(text);
    }

    Recording r;
    std::vector<std::string> problems_;
    std::map<std::string, std::string> strings_; // by handle
    std::map<std::string, int> depths_;          // by thread
};

Reader reader;
std::ifstream file;

} // namespace

const Recording &all()
{
    if (!file.is_open()) file.open(std::getenv("NVTX_RECORD"));
    file.clear(); // it was at its end
    for (std::string line; std::getline(file, line);) reader.line(line);
    return reader.so_far();
}

std::vector<std::string> problems() { return reader.problems(); }

std::vector<Range> ranges_after(std::size_t skip)
{
    const std::vector<Range> &ranges = all().ranges;
    return { ranges.begin() + std::ptrdiff_t(std::min(skip, ranges.size())), ranges.end() };
}

} // namespace recording
