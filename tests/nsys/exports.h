// SPDX-License-Identifier: Apache-2.0
// Exports of Nsight Systems, made by tests from its own schemas: what a program with kernels, calls, graphs and NVTX
// ranges would leave behind.
#pragma once

#include <cstdint>
#include <map>
#include <string>

struct sqlite3;

namespace exports
{

// Whose schema. 2024's is described, not exported: nodes of graphs have a table of their own, CUDA_GRAPH_EVENTS is
// about whole graphs, and there is a table of graphs recorded in one block.
extern const char *const v2022;
extern const char *const v2023;
extern const char *const v2024;

std::int64_t global_pid(int pid);
std::int64_t global_tid(int pid, int tid);

struct Stream {
    int pid = 7, device = 0, context = 1, stream = 7;
};

class Export
{
  public:
    Export(const std::string &path, const std::string &version);
    ~Export();
    Export(const Export &) = delete;
    Export &operator=(const Export &) = delete;

    void sql(const std::string &text);
    std::int64_t string(const std::string &text); // in StringIds
    // `domain`: 0 has no name.
    void domain(int pid, int domain, const std::string &name);
    void range(int pid, int tid, std::int64_t start, std::int64_t end, const std::string &name, int domain = 0,
               int category = 0, std::int64_t payload = -1);
    void call(int pid, int tid, std::int64_t start, std::int64_t end, std::int64_t correlation, int event_class = 0);
    void kernel(const Stream &stream, std::int64_t start, std::int64_t end, std::int64_t correlation,
                const std::string &name = "kernel", std::int64_t node = 0);
    void copy(const Stream &stream, std::int64_t start, std::int64_t end, std::int64_t correlation, int kind = 1,
              std::int64_t node = 0);
    void set(const Stream &stream, std::int64_t start, std::int64_t end, std::int64_t correlation,
             std::int64_t node = 0);
    void node(int pid, int tid, std::int64_t start, std::int64_t id, std::int64_t original = 0);
    // 2024 only.
    void whole_graph(const Stream &stream, std::int64_t start, std::int64_t end, std::int64_t correlation);
    void stream_name(const Stream &stream, const std::string &name);
    void thread_name(int pid, int tid, const std::string &name);
    void gpu(const std::string &name);

  private:
    sqlite3 *database_ = nullptr;
    std::string version_;
    std::map<std::string, std::int64_t> strings_;
};

} // namespace exports
