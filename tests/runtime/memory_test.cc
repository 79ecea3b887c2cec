// SPDX-License-Identifier: Apache-2.0
// How much memory this process may use, on made-up machines: folders that stand in for /proc and /sys/fs/cgroup.
#include "tributary/memory.h"

#include <sys/resource.h>
#include <sys/stat.h>

extern "C" {
#include "memory/evidence.h"
}
#include "support/child.h"
#include "support/support.h"

namespace
{

const int64_t GiB = int64_t(1) << 30;

class Machine
{
  public:
    Machine(const std::string &groups, const std::string &mounts)
    {
        write("proc/self/cgroup", groups);
        write("proc/self/mountinfo", "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n" + mounts);
    }
    void write(const std::string &path, const std::string &text)
    {
        for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1))
            mkdir(folder_.file(path.substr(0, end)).c_str(), 0777);
        support::write_file(folder_.file(path), text);
    }
    trib_memory read(int64_t machine = 16 * GiB) const
    {
        trib_memory memory = { machine, "the machine's memory" };
        trib_memory_read_cgroups(folder_.path().c_str(), &memory);
        return memory;
    }

  private:
    support::TemporaryFolder folder_;
};

struct Version2 : Machine {
    explicit Version2(const std::string &group)
        : Machine("0::" + group + "\n", "30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n")
    {
    }
};

struct Version1 : Machine {
    explicit Version1(const std::string &group, const std::string &root = "/")
        : Machine("4:cpu,cpuacct:/other\n3:memory:" + group + "\n0::/\n",
                  "31 30 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
                  "32 30 0:28 " +
                      root + " /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n")
    {
    }
};

TEST(Memory, Version2)
{
    Version2 m("/docker/abc");
    m.write("sys/fs/cgroup/docker/abc/memory.max", "536870912\n");
    trib_memory memory = m.read();
    EXPECT_EQ(memory.bytes, 536870912);
    EXPECT_STREQ(memory.source, "cgroup v2 /docker/abc memory.max 536870912");
    m.write("sys/fs/cgroup/docker/abc/memory.high", "400000000\n");
    EXPECT_STREQ(m.read().source, "cgroup v2 /docker/abc memory.high 400000000");
}

TEST(Memory, TheLeastOfNestedGroupsCounts)
{
    Version2 m("/a/b/c");
    m.write("sys/fs/cgroup/a/b/c/memory.max", "max\n");
    m.write("sys/fs/cgroup/a/b/memory.max", "1000000\n");
    m.write("sys/fs/cgroup/a/memory.max", "2000000\n");
    EXPECT_STREQ(m.read().source, "cgroup v2 /a/b memory.max 1000000");
    Version1 n("/a/b");
    n.write("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
    n.write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "3000000\n");
    EXPECT_STREQ(n.read().source, "cgroup v1 /a memory.limit_in_bytes 3000000");
}

// As a container of version 1 sees it: only its own group is mounted.
TEST(Memory, Version1InAContainer)
{
    Version1 m("/docker/abc", "/docker/abc");
    m.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n");
    EXPECT_EQ(m.read().bytes, 536870912);
    EXPECT_EQ(m.read(1 << 20).bytes, 1 << 20) << "more than the machine has is no limit";
}

TEST(Memory, WhatIsNoLimit)
{
    for (const char *text : { "max\n", "0\n", "-1\n", "", "many\n", "99999999999999999999999\n" }) {
        Version2 m("/a");
        m.write("sys/fs/cgroup/a/memory.max", text);
        EXPECT_EQ(m.read().bytes, 16 * GiB) << text;
        EXPECT_STREQ(m.read().source, "the machine's memory");
    }
    EXPECT_EQ(Version2("/nowhere").read().bytes, 16 * GiB);
}

TEST(Memory, LimitsOfTheProcessCount)
{
    const trib_memory before = trib_memory_get();
    EXPECT_GT(before.bytes, 0);
    support::expect_in_child([&] {
        const rlim_t limit = rlim_t(before.bytes / 2);
        const rlimit data = { limit, limit };
        ASSERT_EQ(setrlimit(RLIMIT_DATA, &data), 0);
        trib_memory memory = trib_memory_get();
        EXPECT_EQ(memory.bytes, int64_t(limit));
        EXPECT_EQ(std::string(memory.source), "ulimit -d " + std::to_string(limit / 1024));
    });
}

} // namespace
