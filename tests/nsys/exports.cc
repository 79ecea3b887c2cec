// SPDX-License-Identifier: Apache-2.0
#include "nsys/exports.h"

#include <sqlite3.h>

#include <stdexcept>

#include "support/support.h"

namespace exports
{

const char *const v2022 = "2022.4.2";
const char *const v2023 = "2023.4.4";
const char *const v2024 = "2024";

std::int64_t global_pid(int pid) { return (std::int64_t(1) << 48) | (std::int64_t(pid) << 24); }
std::int64_t global_tid(int pid, int tid) { return global_pid(pid) | tid; }

namespace
{

std::string text(std::int64_t x) { return std::to_string(x); }
std::string text(const std::string &x) { return "'" + x + "'"; }
std::string or_null(std::int64_t x, std::int64_t none) { return x == none ? "NULL" : text(x); }

const char *const changes_of_2024 = R"(
    ALTER TABLE CUDA_GRAPH_EVENTS RENAME TO CUDA_GRAPH_NODE_EVENTS;
    CREATE TABLE CUDA_GRAPH_EVENTS (start INTEGER NOT NULL, end INTEGER NOT NULL, eventClass INTEGER NOT NULL,
        globalTid INTEGER, nameId INTEGER NOT NULL, graphId INTEGER, originalGraphId INTEGER, graphExecId INTEGER);
    INSERT INTO CUDA_GRAPH_EVENTS VALUES (1, 2, 0, 3, 0, 1, NULL, 2);
    CREATE TABLE CUPTI_ACTIVITY_KIND_GRAPH_TRACE (start INTEGER NOT NULL, end INTEGER NOT NULL, deviceId INTEGER NOT
        NULL, graphId INTEGER NOT NULL, graphExecId INTEGER NOT NULL, contextId INTEGER NOT NULL, greenContextId
        INTEGER, streamId INTEGER NOT NULL, correlationId INTEGER, globalPid INTEGER);
    ALTER TABLE CUPTI_ACTIVITY_KIND_KERNEL ADD COLUMN graphId INTEGER;
)";

} // namespace

Export::Export(const std::string &path, const std::string &version) : version_(version)
{
    if (sqlite3_open(path.c_str(), &database_) != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(database_));
    const std::string schema = version == v2024 ? v2023 : version;
    sql("PRAGMA synchronous = OFF; BEGIN;");
    sql(support::read_file(support::data_file("nsys/schema-" + schema + ".sql")));
    if (version == v2024) sql(changes_of_2024);
    string("");
}

Export::~Export()
{
    sqlite3_exec(database_, "COMMIT", nullptr, nullptr, nullptr);
    sqlite3_close(database_);
}

void Export::sql(const std::string &text)
{
    char *message = nullptr;
    if (sqlite3_exec(database_, text.c_str(), nullptr, nullptr, &message) == SQLITE_OK) return;
    const std::string what = message;
    sqlite3_free(message);
    throw std::runtime_error(what + " in: " + text);
}

std::int64_t Export::string(const std::string &value)
{
    const auto found = strings_.find(value);
    if (found != strings_.end()) return found->second;
    const auto id = std::int64_t(strings_.size());
    sql("INSERT INTO StringIds VALUES (" + text(id) + ", " + text(value) + ")");
    return strings_[value] = id;
}

void Export::domain(int pid, int domain, const std::string &name)
{
    sql("INSERT INTO NVTX_EVENTS (start, eventType, text, globalTid, domainId) VALUES (-5, 75, " + text(name) + ", " +
        text(global_tid(pid, pid)) + ", " + text(domain) + ")");
}

void Export::range(int pid, int tid, std::int64_t start, std::int64_t end, const std::string &name, int domain,
                   int category, std::int64_t payload)
{
    sql("INSERT INTO NVTX_EVENTS (start, end, eventType, category, globalTid, textId, domainId, uint64Value) VALUES (" +
        text(start) + ", " + or_null(end, -1) + ", 59, " + or_null(category, 0) + ", " + text(global_tid(pid, tid)) +
        ", " + text(string(name)) + ", " + text(domain) + ", " + or_null(payload, -1) + ")");
}

void Export::call(int pid, int tid, std::int64_t start, std::int64_t end, std::int64_t correlation, int event_class)
{
    sql("INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME (start, end, eventClass, globalTid, correlationId, nameId, "
        "returnValue) "
        "VALUES (" +
        text(start) + ", " + text(end) + ", " + text(event_class) + ", " + text(global_tid(pid, tid)) + ", " +
        text(correlation) + ", " + text(string("cudaLaunchKernel_v7000")) + ", 0)");
}

namespace
{

std::string where(const Stream &s)
{
    return text(s.device) + ", " + text(s.context) + ", " + text(s.stream) + ", " + text(global_pid(s.pid));
}

} // namespace

void Export::kernel(const Stream &stream, std::int64_t start, std::int64_t end, std::int64_t correlation,
                    const std::string &name, std::int64_t node)
{
    const std::string id = text(string(name));
    sql("INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL (start, end, deviceId, contextId, streamId, globalPid, correlationId, "
        "demangledName, shortName, registersPerThread, gridX, gridY, gridZ, blockX, blockY, blockZ, "
        "staticSharedMemory, "
        "dynamicSharedMemory, localMemoryPerThread, localMemoryTotal, gridId, graphNodeId) VALUES (" +
        text(start) + ", " + text(end) + ", " + where(stream) + ", " + text(correlation) + ", " + id + ", " + id +
        ", 32, 8, 1, 1, 128, 1, 1, 0, 0, 0, 0, 1, " + or_null(node, 0) + ")");
}

void Export::copy(const Stream &stream, std::int64_t start, std::int64_t end, std::int64_t correlation, int kind,
                  std::int64_t node)
{
    sql("INSERT INTO CUPTI_ACTIVITY_KIND_MEMCPY (start, end, deviceId, contextId, streamId, globalPid, correlationId, "
        "bytes, copyKind, graphNodeId) VALUES (" +
        text(start) + ", " + text(end) + ", " + where(stream) + ", " + text(correlation) + ", 4096, " + text(kind) +
        ", " + or_null(node, 0) + ")");
}

void Export::set(const Stream &stream, std::int64_t start, std::int64_t end, std::int64_t correlation,
                 std::int64_t node)
{
    sql("INSERT INTO CUPTI_ACTIVITY_KIND_MEMSET (start, end, deviceId, contextId, streamId, globalPid, correlationId, "
        "value, bytes, graphNodeId) VALUES (" +
        text(start) + ", " + text(end) + ", " + where(stream) + ", " + text(correlation) + ", 0, 64, " +
        or_null(node, 0) + ")");
}

void Export::node(int pid, int tid, std::int64_t start, std::int64_t id, std::int64_t original)
{
    sql(std::string("INSERT INTO ") + (version_ == v2024 ? "CUDA_GRAPH_NODE_EVENTS" : "CUDA_GRAPH_EVENTS") +
        " VALUES (" + text(start) + ", " + text(start + 1) + ", 0, " + text(global_tid(pid, tid)) + ", " +
        text(string("cudaGraphAddNode")) + ", " + text(id) + ", " + or_null(original, 0) + ")");
}

void Export::whole_graph(const Stream &stream, std::int64_t start, std::int64_t end, std::int64_t correlation)
{
    sql("INSERT INTO CUPTI_ACTIVITY_KIND_GRAPH_TRACE (start, end, deviceId, contextId, streamId, globalPid, "
        "correlationId, graphId, graphExecId) VALUES (" +
        text(start) + ", " + text(end) + ", " + where(stream) + ", " + text(correlation) + ", 1, 2)");
}

void Export::stream_name(const Stream &s, const std::string &name)
{
    sql("INSERT INTO TARGET_INFO_NVTX_CUDA_STREAM VALUES (" + text(name) + ", 0, 0, " + text(s.pid) + ", " +
        text(s.device) + ", " + text(s.context) + ", " + text(s.stream) + ")");
}

void Export::thread_name(int pid, int tid, const std::string &name)
{
    sql("INSERT INTO ThreadNames VALUES (" + text(string(name)) + ", 1, " + text(global_tid(pid, tid)) + ")");
}

void Export::gpu(const std::string &name)
{
    sql("INSERT INTO TARGET_INFO_GPU (vmId, id, name) VALUES (0, 0, " + text(name) + ")");
}

} // namespace exports
