// SPDX-License-Identifier: Apache-2.0
// Files that are no exports, damaged, or made to mislead: each fails with a message that says what is wrong, and
// quickly.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>

#include "nsys/exports.h"
#include "profile/nsys_overlap.h"
#include "profile/nsys_report.h"
#include "support/support.h"
#include "tributary/internal/fault.h"

namespace
{

using exports::Export;

class NsysHostile : public testing::Test
{
  protected:
    support::TemporaryFolder folder;
    std::string path = folder.file("report.sqlite");

    trib_status read(trib_nsys_stop stop = nullptr)
    {
        trib_nsys_report *report = nullptr;
        const trib_status status = trib_nsys_read(path.c_str(), stop, &report);
        EXPECT_EQ(trib_failed(&status), report == nullptr);
        trib_nsys_release(report);
        return status;
    }
    // An export with a few kernels, and what `sql` changes.
    trib_status read_with(const std::string &sql, const char *version = exports::v2023)
    {
        std::filesystem::remove(path);
        {
            Export out(path, version);
            out.domain(7, 1, "tributary");
            out.range(7, 70, 100, 200, "conv1", 1, 4);
            out.call(7, 70, 110, 120, 5);
            out.node(7, 70, 150, 1001);
            out.kernel({}, 150, 500, 5);
            out.copy({}, 500, 600, 5);
            out.sql(sql);
        }
        return read();
    }
};

TEST_F(NsysHostile, FilesThatAreNoDatabases)
{
    EXPECT_FAILS(read(), TRIB_NOT_FOUND, "report.sqlite: No such file");
    support::write_file(path, "");
    EXPECT_FAILS(read(), TRIB_BAD_DATA, "is empty");
    support::write_file(path, std::string(5000, 'x'));
    EXPECT_FAILS(read(), TRIB_BAD_DATA, "is no SQLite database");
    path = folder.path();
    EXPECT_FAILS(read(), TRIB_INVALID_ARGUMENT, "no regular file");
    path = "/dev/null";
    EXPECT_FAILS(read(), TRIB_INVALID_ARGUMENT, "no regular file");
}

TEST_F(NsysHostile, DatabasesThatAreNoExports)
{
    sqlite3 *database = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    sqlite3_exec(database, "CREATE TABLE bookmarks (url TEXT)", nullptr, nullptr, nullptr);
    sqlite3_close(database);
    EXPECT_FAILS(read(), TRIB_BAD_DATA, "no export of Nsight Systems: it has no table StringIds");
}

TEST_F(NsysHostile, ExportsWithoutWork)
{
    {
        Export out(path, exports::v2022);
    }
    EXPECT_FAILS(read(), TRIB_BAD_DATA, "neither kernels and copies of a GPU nor ranges of this program");
    EXPECT_FAILS(read_with("DELETE FROM CUPTI_ACTIVITY_KIND_KERNEL; DELETE FROM NVTX_EVENTS; UPDATE "
                           "CUPTI_ACTIVITY_KIND_MEMCPY SET start = 0, end = 0"),
                 TRIB_BAD_DATA, "are without times");
}

// However a file is cut off, it fails or has whole rows.
TEST_F(NsysHostile, FilesThatAreCutOff)
{
    ASSERT_OK(read_with(""));
    const std::string whole = support::read_file(path);
    for (std::size_t size :
         { std::size_t(1), std::size_t(15), std::size_t(99), std::size_t(100), std::size_t(4095), std::size_t(4096),
           std::size_t(8192), whole.size() / 2, whole.size() - 4096, whole.size() - 1 }) {
        support::write_file(path, whole.substr(0, size));
        const trib_status status = read();
        EXPECT_EQ(status.code, TRIB_BAD_DATA) << size << ": " << status.message;
    }
}

// Every byte of the schema and of the rows, changed: no crash, no endless loop.
TEST_F(NsysHostile, BytesThatChange)
{
    ASSERT_OK(read_with(""));
    const std::string whole = support::read_file(path);
    unsigned random = 1;
    for (int i = 0; i < 150; ++i) {
        std::string changed = whole;
        for (int k = 0; k < 1 + i % 40; ++k) {
            random = random * 1664525u + 1013904223u;
            const std::size_t at = 100 + (random >> 8) % (changed.size() - 100);
            changed[at] = char(random >> 24);
        }
        support::write_file(path, changed);
        const trib_status status = read();
        EXPECT_TRUE(!trib_failed(&status) || status.message[0]) << i;
    }
}

TEST_F(NsysHostile, ViewsAndVirtualTables)
{
    EXPECT_FAILS(read_with("ALTER TABLE CUPTI_ACTIVITY_KIND_KERNEL RENAME TO hidden; CREATE VIEW "
                           "CUPTI_ACTIVITY_KIND_KERNEL AS SELECT * FROM hidden"),
                 TRIB_BAD_DATA, "CUPTI_ACTIVITY_KIND_KERNEL is no table");
    EXPECT_FAILS(read_with("DROP TABLE NVTX_EVENTS; CREATE INDEX NVTX_EVENTS ON StringIds(value)"), TRIB_BAD_DATA,
                 "NVTX_EVENTS is no table");
    EXPECT_FAILS(
        read_with(
            "PRAGMA writable_schema = 1; INSERT INTO sqlite_master VALUES ('table', 'StringIds2', "
            "'StringIds2', 0, 'CREATE VIRTUAL TABLE StringIds2 USING no_such_module'); UPDATE sqlite_master SET "
            "name = 'CUPTI_ACTIVITY_KIND_GRAPH_TRACE', tbl_name = 'CUPTI_ACTIVITY_KIND_GRAPH_TRACE', sql = "
            "'CREATE VIRTUAL TABLE CUPTI_ACTIVITY_KIND_GRAPH_TRACE USING no_such_module' WHERE name = 'StringIds2'"),
        TRIB_BAD_DATA, "CUPTI_ACTIVITY_KIND_GRAPH_TRACE is no table");
}

// Their expressions would be run by reading them.
TEST_F(NsysHostile, GeneratedColumnsAreNone)
{
    EXPECT_FAILS(read_with("DROP TABLE CUPTI_ACTIVITY_KIND_RUNTIME; CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start "
                           "INTEGER, end INTEGER AS (length(hex(zeroblob(start)))))"),
                 TRIB_BAD_DATA, "CUPTI_ACTIVITY_KIND_RUNTIME has no column end");
}

TEST_F(NsysHostile, ColumnsThatAreMissingOrOfAnotherType)
{
    EXPECT_FAILS(read_with("ALTER TABLE CUPTI_ACTIVITY_KIND_KERNEL DROP COLUMN streamId"), TRIB_BAD_DATA,
                 "CUPTI_ACTIVITY_KIND_KERNEL has no column streamId");
    EXPECT_FAILS(read_with("UPDATE CUPTI_ACTIVITY_KIND_KERNEL SET start = 'soon'"), TRIB_BAD_DATA,
                 "row 1 of CUPTI_ACTIVITY_KIND_KERNEL has text in column start, where a whole number is expected");
    EXPECT_FAILS(read_with("UPDATE CUPTI_ACTIVITY_KIND_MEMCPY SET globalPid = 0.5"), TRIB_BAD_DATA,
                 "a fraction in column globalPid");
    EXPECT_FAILS(read_with("UPDATE NVTX_EVENTS SET text = x'00ff'"), TRIB_BAD_DATA, "bytes in column text");
    EXPECT_FAILS(read_with("DROP TABLE CUPTI_ACTIVITY_KIND_RUNTIME; CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start, "
                           "end); INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (1, NULL)"),
                 TRIB_BAD_DATA, "NULL in column end");
}

TEST_F(NsysHostile, ColumnsThatAreOptional)
{
    EXPECT_OK(read_with("ALTER TABLE CUPTI_ACTIVITY_KIND_KERNEL DROP COLUMN graphNodeId; ALTER TABLE "
                        "CUPTI_ACTIVITY_KIND_KERNEL DROP COLUMN shortName; ALTER TABLE CUPTI_ACTIVITY_KIND_KERNEL DROP "
                        "COLUMN correlationId; ALTER TABLE NVTX_EVENTS DROP COLUMN uint64Value; UPDATE NVTX_EVENTS SET "
                        "textId = 999999; ALTER TABLE CUPTI_ACTIVITY_KIND_RUNTIME DROP COLUMN eventClass"));
}

TEST_F(NsysHostile, NodesThatAreClonesOfThemselves)
{
    for (const char *version : { exports::v2022, exports::v2024 }) {
        const std::string table = version == exports::v2024 ? "CUDA_GRAPH_NODE_EVENTS" : "CUDA_GRAPH_EVENTS";
        EXPECT_FAILS(read_with("UPDATE " + table + " SET originalGraphNodeId = 1001", version), TRIB_BAD_DATA,
                     "node 1001 is a clone of a clone");
        EXPECT_FAILS(read_with("UPDATE " + table + " SET originalGraphNodeId = 1002; INSERT INTO " + table +
                                   " SELECT start, end, eventClass, globalTid, nameId, 1002, 1001 FROM " + table,
                               version),
                     TRIB_BAD_DATA, "contradict each other");
    }
}

TEST_F(NsysHostile, RangesThatNestWithoutEnd)
{
    EXPECT_OK(read_with("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO "
                        "NVTX_EVENTS (start, end, eventType, globalTid) SELECT i, 1000000 - i, 59, 5 FROM n"));
}

TEST_F(NsysHostile, TextsThatAreTooLong)
{
    EXPECT_FAILS(read_with("UPDATE StringIds SET value = hex(zeroblob(4000000)) WHERE id = 1"), TRIB_BAD_DATA,
                 "StringIds cannot be read (string or blob too big)");
}

TEST_F(NsysHostile, MoreStreamsThanThereCanBe)
{
    EXPECT_FAILS(
        read_with("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO "
                  "CUPTI_ACTIVITY_KIND_MEMSET (start, end, deviceId, contextId, streamId, value, bytes) SELECT "
                  "i, i + 1, 0, 0, i, 0, 0 FROM n"),
        TRIB_UNSUPPORTED, "more than 16384 streams");
}

TEST_F(NsysHostile, AJournalBesideItIsNotPlayed)
{
    ASSERT_OK(read_with(""));
    support::write_file(path + "-journal", std::string(4096, 'j'));
    support::write_file(path + "-wal", std::string(4096, 'w'));
    const std::string before = support::read_file(path);
    EXPECT_OK(read());
    EXPECT_EQ(support::read_file(path), before);
    EXPECT_TRUE(std::filesystem::exists(path + "-journal"));
}

TEST_F(NsysHostile, NamesThatMeanSomethingToSqlite)
{
    path = folder.file("a?mode=rwc&b#c%41 \xc3\xa4.sqlite");
    EXPECT_OK(read_with(""));
}

TEST_F(NsysHostile, StopsWhenAsked)
{
    ASSERT_OK(read_with("WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) INSERT INTO "
                        "StringIds SELECT i, 'text' FROM n"));
    EXPECT_FAILS(read([] { return true; }), TRIB_CANCELLED, "report.sqlite: interrupted");
}

// ---- every allocation and every call of SQLite fails, one after another ----

TEST_F(NsysHostile, WhateverFailsIsSaid)
{
    ASSERT_OK(read_with(""));
    bool more = true;
    for (std::int64_t k = 1; more; ++k) {
        trib_nsys_report *report = nullptr;
        trib_nsys_overlaps overlaps = {};
        trib_fault_arm(k, false);
        trib_status status = trib_nsys_read(path.c_str(), nullptr, &report);
        if (!trib_failed(&status)) status = trib_nsys_overlaps_of(report, nullptr, &overlaps);
        more = trib_fault_disarm() >= k;
        EXPECT_EQ(trib_failed(&status), more) << k << ": " << status.message;
        EXPECT_TRUE(!more || status.code == TRIB_OUT_OF_MEMORY || status.code == TRIB_IO_ERROR) << status.message;
        trib_nsys_overlaps_release(&overlaps);
        trib_nsys_release(report);
    }
}

// ---- reports that nsys has to export ----

class NsysExport : public NsysHostile
{
  protected:
    std::string old_path = std::getenv("PATH");
    void SetUp() override
    {
        path = folder.file("run.nsys-rep");
        support::write_file(path, "NVIDIA Tegra Profiler Report 1..\n");
        setenv("TMPDIR", folder.file("tmp").c_str(), 1);
        std::filesystem::create_directory(folder.file("tmp"));
    }
    void TearDown() override
    {
        setenv("PATH", old_path.c_str(), 1);
        unsetenv("TMPDIR");
        EXPECT_TRUE(!std::filesystem::exists(folder.file("tmp")) || std::filesystem::is_empty(folder.file("tmp")));
    }
    void nsys(const std::string &script)
    {
        const std::string file = folder.file("nsys");
        support::write_file(file, "#!/bin/sh\n" + script + "\n");
        std::filesystem::permissions(file, std::filesystem::perms::owner_all);
        setenv("PATH", (folder.path() + ":" + old_path).c_str(), 1);
    }
};

TEST_F(NsysExport, IsReadAndRemoved)
{
    const std::string made = folder.file("made.sqlite");
    {
        Export out(made, exports::v2022);
        out.kernel({}, 150, 500, 5);
    }
    nsys("[ \"$1 $2 $3 $4\" = \"export -t sqlite -o\" ] && [ \"$6\" = '" + path + "' ] && cp " + made + " \"$5\"");
    EXPECT_OK(read());
    support::write_file(path, "a format of later years"); // known by its name
    EXPECT_OK(read());
    support::write_file(path, support::read_file(made)); // a database, whatever its name
    nsys("exit 9");
    EXPECT_OK(read());
}

TEST_F(NsysExport, NamesTheCommandWhereItCannotBeDone)
{
    setenv("PATH", folder.path().c_str(), 1);
    EXPECT_FAILS(read(), TRIB_UNSUPPORTED, "is not on PATH; where it is: nsys export -t sqlite");
    nsys("exit 3");
    EXPECT_FAILS(read(), TRIB_BAD_DATA, "nsys could not export it (status 3)");
    nsys("kill -9 $$");
    EXPECT_FAILS(read(), TRIB_BAD_DATA, "nsys could not export it (status 9)");
    nsys("exit 0"); // without a file
    EXPECT_FAILS(read(), TRIB_BAD_DATA, "nsys could not export it");
    nsys("printf nothing >\"$5\"");
    EXPECT_FAILS(read(), TRIB_BAD_DATA, "is no SQLite database");
    setenv("TMPDIR", folder.file("nowhere").c_str(), 1);
    EXPECT_FAILS(read(), TRIB_IO_ERROR, "no temporary folder");
}

TEST_F(NsysExport, StopsWhenAsked)
{
    nsys("exec sleep 100");
    EXPECT_FAILS(read([] { return true; }), TRIB_CANCELLED, "interrupted");
}

TEST_F(NsysExport, ANameIsNoOption)
{
    const std::filesystem::path here = std::filesystem::current_path();
    std::filesystem::current_path(folder.path());
    std::filesystem::rename(path, "-o.nsys-rep");
    path = "-o.nsys-rep";
    nsys("[ \"$6\" = ./-o.nsys-rep ] && exit 5");
    EXPECT_FAILS(read(), TRIB_BAD_DATA, "status 5");
    std::filesystem::current_path(here);
}

} // namespace
