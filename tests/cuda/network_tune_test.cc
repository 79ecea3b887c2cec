// SPDX-License-Identifier: Apache-2.0
// The search for the fastest schedule on the simulated CUDA: times mean nothing there, so it is only shown that all of
// it runs, and that what it chooses gives the bits of serial.
#include "cuda/network.h"
#include "runtime/trained.h"
#include "support/form.h"
#include "tributary/tune.h"

using network::Bytes;
using network::Net;
using network::Way;

namespace
{

TEST(Tune, ChoosesForASessionOnCuda)
{
    const Net net(1);
    nets::Device device = network::open();
    for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
        Way way;
        way.launch = launch;
        way.max_batch = 2;
        trib_session_options o = net.options(way);
        trib_tune_options how = {};
        how.seconds = support::by_form(0.5, 8.0);
        trib_tuned *tuned = nullptr;
        ASSERT_OK(trib_tune_session(device.get(), net.graph(), net.parameters(), &o, &how, &tuned));
        EXPECT_EQ(tuned->lanes, 0); // a cpu's
        EXPECT_GT(tuned->runs, 0);
        trib_tuned_apply(tuned, &o.plan);
        trib_session *made = nullptr;
        ASSERT_OK(trib_session_create(device.get(), net.graph(), net.parameters(), &o, &made));
        nets::Session session(made);
        Bytes bytes;
        ASSERT_OK(net.run(made, 3, 1, &bytes));
        EXPECT_EQ(bytes, net.result(Way(), 3));
        trib_tuned_destroy(tuned);
    }
}

TEST(Tune, ChoosesForATrainerOnCuda)
{
    nets::Device device = network::open();
    nets::Graph graph = nets::inception(true);
    nets::Parameters parameters(graph.get());
    trib_training training = training::training_of(training::one_loss, 1);
    trib_trainer_options o = {};
    o.plan = training::options_of(training, 2);
    trib_tune_options how = {};
    how.seconds = support::by_form(0.5, 8.0);
    trib_tuned *tuned = nullptr;
    ASSERT_OK(trib_tune_trainer(device.get(), graph.get(), parameters.data(), &o, &how, &tuned));
    trib_tuned_apply(tuned, &o.plan);
    EXPECT_TRUE(nets::plan(graph.get(), device.get(), o.plan));
    trib_tuned_destroy(tuned);
}

} // namespace
