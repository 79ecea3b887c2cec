// SPDX-License-Identifier: Apache-2.0
// How many CPUs this process may use, on made-up machines: folders that stand in for /proc and /sys/fs/cgroup.
#include "tributary/cpus.h"

#include <sched.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>

extern "C" {
#include "cpus/evidence.h"
}
#include "support/support.h"
#include "tributary/internal/fault.h"

namespace
{

// /proc/self and /sys/fs/cgroup, and the mounts that people have.
class Machine
{
  public:
    void write(const std::string &path, const std::string &text)
    {
        for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1))
            mkdir(folder_.file(path.substr(0, end)).c_str(), 0777);
        support::write_file(folder_.file(path), text);
    }
    void groups(const std::string &lines) { write("proc/self/cgroup", lines); }
    void mounts(const std::string &lines) { write("proc/self/mountinfo", other_mounts + lines); }

    trib_cpus read(int affinity = 8, const char *omp = nullptr) const
    {
        trib_cpus cpus = {};
        cpus.affinity = affinity;
        trib_cpus_read_cgroups(folder_.path().c_str(), &cpus);
        trib_cpus_read_omp(omp, &cpus);
        trib_cpus_conclude(&cpus);
        return cpus;
    }

  private:
    const std::string other_mounts = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
                                     "23 22 0:21 / /proc rw,nosuid shared:12 master:1 - proc proc rw\n";
    support::TemporaryFolder folder_;
};

const char *const v2_mount = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
const char *const v1_mounts = "31 30 0:27 / /sys/fs/cgroup/cpuset rw shared:5 - cgroup cgroup rw,cpuset\n"
                              "32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:6 - cgroup cgroup rw,cpu,cpuacct\n"
                              "33 30 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n";

struct Version2 : Machine {
    explicit Version2(const std::string &group)
    {
        groups("0::" + group + "\n");
        mounts(v2_mount);
    }
};

struct Version1 : Machine {
    explicit Version1(const std::string &group)
    {
        groups("12:cpuset:" + group + "\n4:cpu,cpuacct:" + group + "\n1:name=systemd:" + group + "\n");
        mounts(v1_mounts);
    }
};

TEST(Cpus, Version2Quota)
{
    Version2 m("/docker/abc");
    m.write("sys/fs/cgroup/docker/abc/cpu.max", "200000 100000\n");
    trib_cpus cpus = m.read();
    EXPECT_EQ(cpus.count, 2);
    EXPECT_EQ(cpus.limit, 2);
    EXPECT_DOUBLE_EQ(cpus.cgroup_cpus, 2);
    EXPECT_STREQ(cpus.cgroup, "cgroup v2 /docker/abc cpu.max 200000/100000");
    char text[TRIB_CPUS_TEXT_SIZE];
    trib_cpus_describe(&cpus, text);
    EXPECT_STREQ(text, "2 CPUs: affinity 8, cgroup v2 /docker/abc cpu.max 200000/100000, OMP_NUM_THREADS not set");
}

TEST(Cpus, ThePartOfACpuCountsAsOne)
{
    const struct {
        const char *quota;
        int count;
    } cases[] = { { "150000 100000", 2 }, { "100001 100000", 2 }, { "20000 100000", 1 },      { "1000 1000000", 1 },
                  { "300000 100000", 3 }, { "799999 100000", 8 }, { "800001 100000", 8 },     { "4000 1000", 4 },
                  { "1 1", 1 },           { "max 100000", 8 },    { "9999999999999999 1", 8 } };
    for (const auto &c : cases) {
        Version2 m("/a");
        m.write("sys/fs/cgroup/a/cpu.max", std::string(c.quota) + "\n");
        EXPECT_EQ(m.read().count, c.count) << c.quota;
    }
}

TEST(Cpus, TheLeastOfNestedGroupsCounts)
{
    Version2 m("/kubepods/burstable/pod1/c1");
    m.write("sys/fs/cgroup/kubepods/burstable/pod1/c1/cpu.max", "max 100000\n");
    m.write("sys/fs/cgroup/kubepods/burstable/pod1/cpu.max", "300000 100000\n");
    m.write("sys/fs/cgroup/kubepods/burstable/cpu.max", "600000 100000\n");
    m.write("sys/fs/cgroup/kubepods/cpu.max", "max 100000\n");
    EXPECT_EQ(m.read().count, 3);
    EXPECT_STREQ(m.read().cgroup, "cgroup v2 /kubepods/burstable/pod1 cpu.max 300000/100000");
    m.write("sys/fs/cgroup/kubepods/cpu.max", "50000 50000\n");
    EXPECT_EQ(m.read().count, 1);
    EXPECT_STREQ(m.read().cgroup, "cgroup v2 /kubepods cpu.max 50000/50000");
}

// A container with its own namespace sees its group as "/", with a quota; the host's root group has none.
TEST(Cpus, TheRootOfTheMountCounts)
{
    Version2 m("/");
    EXPECT_EQ(m.read().count, 8);
    EXPECT_STREQ(m.read().cgroup, "no cgroup limit");
    m.write("sys/fs/cgroup/cpu.max", "400000 100000\n");
    EXPECT_EQ(m.read().count, 4);
    EXPECT_STREQ(m.read().cgroup, "cgroup v2 / cpu.max 400000/100000");
    m.groups("0::/inner\n");
    EXPECT_EQ(m.read().count, 4);
}

TEST(Cpus, Version1Quota)
{
    Version1 m("/user.slice");
    m.write("sys/fs/cgroup/cpu,cpuacct/user.slice/cpu.cfs_quota_us", "-1\n");
    m.write("sys/fs/cgroup/cpu,cpuacct/user.slice/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(m.read().count, 8);
    EXPECT_STREQ(m.read().cgroup, "no cgroup limit");
    m.write("sys/fs/cgroup/cpu,cpuacct/user.slice/cpu.cfs_quota_us", "250000\n");
    EXPECT_EQ(m.read().count, 3);
    EXPECT_DOUBLE_EQ(m.read().cgroup_cpus, 2.5);
    EXPECT_STREQ(m.read().cgroup, "cgroup v1 /user.slice cpu.cfs_quota_us 250000/100000");
    m.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "10000\n");
    m.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(m.read().count, 1);
}

// Docker with version 1: the group is the host's path, and all that the mount shows.
TEST(Cpus, Version1InAContainer)
{
    Machine m;
    m.groups("12:cpuset:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/system.slice/containerd.service\n");
    m.mounts("41 40 0:28 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
             "42 40 0:29 /docker/abc /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n");
    m.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "200000\n");
    m.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(m.read().count, 2);
    EXPECT_STREQ(m.read().cgroup, "cgroup v1 /docker/abc cpu.cfs_quota_us 200000/100000");
    // A group within, and one that is elsewhere: nothing of it can be seen.
    m.groups("4:cpu,cpuacct:/docker/abc/inner\n");
    m.write("sys/fs/cgroup/cpu,cpuacct/inner/cpu.cfs_quota_us", "100000\n");
    m.write("sys/fs/cgroup/cpu,cpuacct/inner/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(m.read().count, 1);
    for (const char *elsewhere : { "/docker/abcdef", "/docker", "/", "/docker/abc/../other", "/docker/abc/.." }) {
        m.groups(std::string("4:cpu,cpuacct:") + elsewhere + "\n");
        EXPECT_EQ(m.read().count, 8) << elsewhere;
    }
}

TEST(Cpus, BothVersionsSideBySide)
{
    Machine m;
    m.groups("4:cpu,cpuacct:/a\n0::/b\n");
    m.mounts(std::string(v1_mounts) + "34 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    m.write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "300000\n");
    m.write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
    m.write("sys/fs/cgroup/unified/b/cgroup.procs", "1\n");
    EXPECT_EQ(m.read().count, 3);
    m.write("sys/fs/cgroup/unified/b/cpu.max", "200000 100000\n");
    EXPECT_EQ(m.read().count, 2);
}

// The kernel keeps the mask inside the set; if the mask has more, the set still counts.
TEST(Cpus, Sets)
{
    const struct {
        const char *list;
        int count;
    } cases[] = { { "0-3", 4 },     { "5", 1 },
                  { "0,2,4-5", 4 }, { "0-127", 8 },
                  { "", 8 },        { "0-", 8 },
                  { "3-1", 8 },     { "0 1", 8 },
                  { "a", 8 },       { ",", 8 },
                  { "0,", 8 },      { "-3", 8 },
                  { "0-1,x", 8 },   { "0-99999999999999999999", 8 },
                  { "0-1\n7", 2 } };
    for (const auto &c : cases) {
        Version2 two("/a");
        Version1 one("/a");
        two.write("sys/fs/cgroup/a/cpuset.cpus.effective", std::string(c.list) + "\n");
        one.write("sys/fs/cgroup/cpuset/a/cpuset.effective_cpus", std::string(c.list) + "\n");
        EXPECT_EQ(two.read().count, c.count) << c.list;
        EXPECT_EQ(one.read().count, c.count) << c.list;
    }
    Version2 m("/a");
    m.write("sys/fs/cgroup/a/cpuset.cpus.effective", "0-5\n");
    EXPECT_STREQ(m.read().cgroup, "cgroup v2 /a cpuset.cpus.effective of 6");
    m.write("sys/fs/cgroup/a/cpu.max", "700000 100000\n");
    EXPECT_EQ(m.read().count, 6);
    m.write("sys/fs/cgroup/a/cpu.max", "100000 100000\n");
    EXPECT_EQ(m.read().count, 1);
    EXPECT_EQ(m.read(4).count, 1);
    // As many as the mask has: nothing to tell.
    m.write("sys/fs/cgroup/a/cpu.max", "max 100000\n");
    EXPECT_STREQ(m.read(6).cgroup, "no cgroup limit");
}

TEST(Cpus, NamesWithSpacesAndLongOnes)
{
    Machine m;
    m.groups("0::/my group:1\n");
    m.mounts("30 23 0:26 / /sys/fs/c\\040group rw - cgroup2 cgroup2 rw\n");
    m.write("sys/fs/c group/my group:1/cpu.max", "100000 100000\n");
    EXPECT_STREQ(m.read().cgroup, "cgroup v2 /my group:1 cpu.max 100000/100000");

    std::string pod = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + std::string(36, '7') +
                      ".slice/cri-containerd-" + std::string(64, 'f') + ".scope";
    Version2 k(pod);
    k.write("sys/fs/cgroup" + pod + "/cpu.max", "100000 100000\n");
    EXPECT_EQ(k.read().count, 1);
    std::string told = k.read().cgroup;
    EXPECT_NE(told.find("cgroup v2 ...7777"), std::string::npos) << told;
    EXPECT_NE(told.find("fff.scope cpu.max 100000/100000"), std::string::npos) << told;

    std::string deep;
    for (int i = 0; i < 300; ++i) deep += "/0123456789abcdef";
    EXPECT_EQ(Version2(deep).read().count, 8);
}

// What other mounts have in that line may be longer than anything looked for.
TEST(Cpus, LongLinesArePassedOver)
{
    Machine m;
    m.groups("0::/a\n");
    m.mounts("50 23 0:50 / /long rw - overlay overlay rw,lowerdir=" + std::string(20000, 'x') +
             "\n30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    m.write("sys/fs/cgroup/a/cpu.max", "100000 100000\n");
    EXPECT_EQ(m.read().count, 1);
}

TEST(Cpus, WhatIsMissingOrMakesNoSenseIsNoLimit)
{
    EXPECT_EQ(Machine().read().count, 8);
    Machine no_mounts;
    no_mounts.groups("0::/\n");
    EXPECT_EQ(no_mounts.read().count, 8);
    const struct {
        const char *lines;
        int count;
    } groups[] = { { "", 8 },           { "\n", 8 },  { "0\n", 8 },    { "0:\n", 8 },  { "0::\n", 8 },
                   { "::", 8 },         { ":::", 8 }, { "0::a\n", 8 }, { "0::/a", 1 }, { "\nx\n0::/a\n\n", 1 },
                   { "x:cpu:/a\nx", 8 } };
    for (const auto &g : groups) {
        Version2 m("/a");
        m.groups(g.lines);
        m.write("sys/fs/cgroup/a/cpu.max", "100000 100000\n");
        EXPECT_EQ(m.read().count, g.count) << g.lines;
    }
    for (const char *mounts :
         { "", "x\n", "30 23 0:26 / /sys/fs/cgroup\n", "30 23 0:26 / /sys/fs/cgroup rw -\n", "- - - -",
           "30 23 0:26 / /sys/fs/cgroup rw - cgroup2\n", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 x\n",
           "30 23 0:26 / /sys/fs/c\\04 rw - cgroup2 cgroup2 rw\n", "     -    " }) {
        Version2 m("/a");
        m.mounts(mounts);
        m.write("sys/fs/cgroup/a/cpu.max", "100000 100000\n");
        EXPECT_EQ(m.read().count, 8) << mounts;
    }
    for (const char *quota : { "", "max", "200000", "0 100000", "-1 100000", "200000 0", "200000 -5", "a b",
                               "99999999999999999999999 100000", "200000 max" }) {
        Version2 m("/a");
        m.write("sys/fs/cgroup/a/cpu.max", quota);
        EXPECT_EQ(m.read().count, 8) << quota;
    }
    Version1 half("/a"); // a quota without its period
    half.write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "100000\n");
    EXPECT_EQ(half.read().count, 8);
}

TEST(Cpus, OmpNumThreads)
{
    const struct {
        const char *value;
        int threads;
        bool ignored;
        int count;
    } cases[] = { { nullptr, 0, false, 8 },      { "", 0, false, 8 },
                  { "4", 4, false, 4 },          { "4,2", 4, false, 4 },
                  { " 3 , 2", 3, false, 3 },     { "8", 8, false, 8 },
                  { "64", 64, false, 8 },        { "1", 1, false, 1 },
                  { "0", 0, true, 8 },           { "-2", 0, true, 8 },
                  { "many", 0, true, 8 },        { "4x", 0, true, 8 },
                  { ",4", 0, true, 8 },          { "2.5", 0, true, 8 },
                  { "99999999999", 0, true, 8 }, { "99999999999999999999", 0, true, 8 } };
    for (const auto &c : cases) {
        trib_cpus cpus = Machine().read(8, c.value);
        EXPECT_EQ(cpus.omp_num_threads, c.threads) << c.value;
        EXPECT_EQ(cpus.omp_ignored, c.ignored) << c.value;
        EXPECT_EQ(cpus.count, c.count) << c.value;
        EXPECT_EQ(cpus.limit, 8) << c.value;
    }
    EXPECT_STREQ(Machine().read(8, "4").omp, "OMP_NUM_THREADS 4");
    EXPECT_STREQ(Machine().read(8, "many").omp, "OMP_NUM_THREADS=many is ignored: it is not a number from 1");
    Version2 m("/a");
    m.write("sys/fs/cgroup/a/cpu.max", "200000 100000\n");
    EXPECT_EQ(m.read(8, "4").count, 2);
    EXPECT_EQ(m.read(8, "1").count, 1);
    EXPECT_EQ(m.read(8, "1").limit, 2);
}

// A kernel for 4,096 CPUs refuses masks that are smaller; 1,500 of them are allowed.
int read_large_mask(std::size_t bytes, void *mask)
{
    if (bytes * 8 < 4096) return errno = EINVAL, -1;
    for (int cpu = 0; cpu < 1500; ++cpu) CPU_SET_S(cpu, bytes, static_cast<cpu_set_t *>(mask));
    return 0;
}
int refuse_mask(std::size_t, void *) { return errno = ENOSYS, -1; }
int refuse_every_size(std::size_t, void *) { return errno = EINVAL, -1; }

TEST(Cpus, MasksOfAnySize)
{
    EXPECT_EQ(trib_cpus_affinity(read_large_mask), 1500);
    EXPECT_GE(trib_cpus_affinity(refuse_mask), 1);
    EXPECT_GE(trib_cpus_affinity(refuse_every_size), 1);
    trib_fault_arm(1, true);
    int without_memory = trib_cpus_affinity(read_large_mask);
    trib_fault_disarm();
    EXPECT_GE(without_memory, 1);
}

// The real mask of this thread and the real environment, for the device as well.
TEST(Cpus, TheDeviceFollows)
{
    cpu_set_t before, one;
    ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    int first = 0;
    while (!CPU_ISSET(first, &before)) ++first;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    EXPECT_EQ(trib_cpus_get().affinity, CPU_COUNT(&before));
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    trib_cpus cpus = trib_cpus_get();
    trib_device *device = nullptr;
    trib_device_options options = {};
    options.threads = 64;
    EXPECT_OK(trib_device_open("cpu", &options, &device));
    int cores = device ? trib_device_get_info(device)->cores : 0;
    trib_device_close(device);
    ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
    EXPECT_EQ(cpus.affinity, 1);
    EXPECT_EQ(cpus.count, 1);
    EXPECT_EQ(cores, 1);
}

TEST(Cpus, AnOptionTakesThePlaceOfOmpNumThreads)
{
    const char *set = std::getenv("OMP_NUM_THREADS");
    std::string before = set ? set : "";
    auto cores = [](int threads) {
        trib_device *device = nullptr;
        trib_device_options options = {};
        options.threads = threads;
        EXPECT_OK(trib_device_open("cpu", &options, &device));
        int found = device ? trib_device_get_info(device)->cores : 0;
        trib_device_close(device);
        return found;
    };
    setenv("OMP_NUM_THREADS", "1", 1);
    int as_set = cores(0), as_asked = cores(2), limit = trib_cpus_get().limit;
    set ? setenv("OMP_NUM_THREADS", before.c_str(), 1) : unsetenv("OMP_NUM_THREADS");
    EXPECT_EQ(as_set, 1);
    EXPECT_EQ(as_asked, limit < 2 ? limit : 2);
}

} // namespace
