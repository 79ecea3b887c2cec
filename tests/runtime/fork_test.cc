// SPDX-License-Identifier: Apache-2.0
// Sessions and fork(): older objects are refused in the child, and the child computes with its own.
#include <dlfcn.h>

#include <atomic>
#include <limits>

#include "runtime/nets.h"
#include "support/child.h"

namespace
{

using nets::Session;

std::vector<float> run(trib_session *s, const std::vector<float> &input, int n)
{
    std::vector<float> y(std::size_t(n) * 10, std::numeric_limits<float>::quiet_NaN());
    void *outputs[] = { y.data() };
    EXPECT_OK(trib_session_run(s, input.data(), n, outputs));
    return y;
}

struct Net {
    nets::Graph graph = nets::inception(true);
    std::vector<float> input = nets::input_for(graph.get(), 4);
    nets::Device device;
    Session session;
    explicit Net(trib_launch launch = TRIB_EAGER, int lanes = 0, int threads = 0) : device(nets::cpu())
    {
        trib_session_options o = trib_session_default_options();
        o.max_batch = 4;
        o.launch = launch;
        o.lanes = lanes;
        o.plan.threads = threads;
        session = nets::session(graph.get(), device.get(), o);
    }
};

TEST(PicturesAfterFork, AreRefusedInTheChildAndStayInTheParent)
{
    const nets::Device device = nets::cpu();
    trib_pictures *p = nullptr;
    std::int64_t id = 0, other = 0;
    const std::uint8_t pixel[3] = { 1, 2, 3 };
    ASSERT_OK(trib_pictures_create(device.get(), 0, &p));
    ASSERT_OK(trib_pictures_add(p, pixel, 1, 1, &id));
    support::expect_in_child([&] {
        EXPECT_FAILS(trib_pictures_add(p, pixel, 1, 1, &other), TRIB_INVALID_ARGUMENT,
                     "list of pictures: created before fork()");
        trib_pictures_remove(p, id);
        EXPECT_EQ(trib_pictures_count(p), 1);
        trib_pictures_destroy(p);
    });
    EXPECT_OK(trib_pictures_add(p, pixel, 1, 1, &other));
    trib_pictures_destroy(p);
}

TEST(SessionAfterFork, IsRefusedInTheChildAndWorksInTheParent)
{
    for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
        Net net(launch);
        ASSERT_TRUE(net.session);
        std::vector<float> y(4 * 10), expected = run(net.session.get(), net.input, 4);
        void *outputs[] = { y.data() };
        int64_t job = 0;
        ASSERT_OK(trib_session_submit(net.session.get(), net.input.data(), 4, outputs, &job)); // in flight
        support::expect_in_child([&] {
            int64_t other = 0;
            EXPECT_FAILS(trib_session_run(net.session.get(), net.input.data(), 4, outputs), TRIB_INVALID_ARGUMENT,
                         "session: created before fork()");
            EXPECT_FAILS(trib_session_submit(net.session.get(), net.input.data(), 4, outputs, &other),
                         TRIB_INVALID_ARGUMENT, "created before fork()");
            EXPECT_FAILS(trib_session_wait(net.session.get(), job), TRIB_INVALID_ARGUMENT, "created before fork()");
            EXPECT_GE(trib_session_lanes(net.session.get()), 1);
            trib_session *made = nullptr;
            nets::Parameters parameters(net.graph.get());
            EXPECT_FAILS(trib_session_create(net.device.get(), net.graph.get(), parameters.data(), nullptr, &made),
                         TRIB_INVALID_ARGUMENT, "created before fork()");
            net.session.reset();
            net.device.reset();
        });
        ASSERT_OK(trib_session_wait(net.session.get(), job));
        EXPECT_EQ(y, expected);
        EXPECT_EQ(run(net.session.get(), net.input, 4), expected);
    }
}

// Convolutions on one core each and on all of them, in children of children, while the parent computes.
TEST(SessionAfterFork, AChildsOwnComputesTheSameBits)
{
    for (int lanes : { 0, 1 })
        for (int threads : { 1, 2 }) {
            Net net(TRIB_EAGER, lanes, threads);
            ASSERT_TRUE(net.session);
            std::vector<float> expected = run(net.session.get(), net.input, 4);
            support::expect_in_child([&] {
                Net own(TRIB_EAGER, lanes, threads);
                ASSERT_TRUE(own.session);
                EXPECT_EQ(run(own.session.get(), net.input, 4), expected);
                support::expect_in_child([&] {
                    Net grandchild(TRIB_GRAPH, lanes, threads);
                    ASSERT_TRUE(grandchild.session);
                    EXPECT_EQ(run(grandchild.session.get(), net.input, 4), expected);
                });
                EXPECT_EQ(run(own.session.get(), net.input, 4), expected);
            });
            EXPECT_EQ(run(net.session.get(), net.input, 4), expected);
        }
}

// GNU OpenMP keeps a pool of threads for each thread that asked for some, and would wait for those that fork() left
// behind: nothing of ours may ask for more than one thread on a thread of the caller's.
TEST(SessionAfterFork, TheCallersOwnOpenMPPoolDoesNotHangIt)
{
    Net net;
    using Parallel = void (*)(void (*)(void *), void *, unsigned, unsigned);
    Parallel parallel = nullptr;
    void *openmp = dlopen("libgomp.so.1", RTLD_LAZY | RTLD_NOLOAD); // that oneDNN has loaded
    if (openmp) *reinterpret_cast<void **>(&parallel) = dlsym(openmp, "GOMP_parallel");
    if (!parallel) GTEST_SKIP() << "oneDNN here does not run on GNU OpenMP";
    std::atomic<int> calls(0); // ThreadSanitizer does not see that OpenMP has waited for its threads
    parallel([](void *count) { ++*static_cast<std::atomic<int> *>(count); }, &calls, 2, 0);
    ASSERT_EQ(calls.load(), 2);
    std::vector<float> expected = run(net.session.get(), net.input, 4);
    support::expect_in_child([&] {
        Net own(TRIB_EAGER, 1, 2);
        ASSERT_TRUE(own.session);
        EXPECT_EQ(run(own.session.get(), net.input, 4), expected);
    });
}

} // namespace
