// SPDX-License-Identifier: Apache-2.0
// summary.csv and metrics.jsonl read as if a run had never been interrupted.
#include <cmath>
#include <filesystem>
#include <limits>

#include "train/calls.h"
#include "train/number.h"
#include "train/run_table.h"
#include "train/runs.h"
#include "tributary/internal/fault.h"

namespace
{

const char *const columns[] = { "eval_top5" };
constexpr int per_epoch = 10;

void epoch(trib_run_folder *run, int n)
{
    for (int step = n * per_epoch + 1; step <= (n + 1) * per_epoch; ++step) {
        const trib_run_number numbers[] = { { "loss", 1.0 / step }, { "lr", step % 3 ? 0.1 : NAN } };
        ASSERT_OK(trib_run_folder_add_step(run, step, numbers, 2));
    }
    const double top5 = 90 + 0.1 * n;
    const trib_run_epoch row = { n, (n + 1) * per_epoch, 2.0 / (n + 1), n == 1 ? NAN : 1.5, 70.5 + n, 0.1, &top5 };
    ASSERT_OK(trib_run_folder_add_epoch(run, &row));
}

trib_status begin(trib_run_folder *run, int step) { return trib_run_folder_begin(run, step, columns, 1); }

class RunTables : public testing::Test
{
  protected:
    RunTables()
    {
        auto r = runs::begun(run);
        EXPECT_OK(begin(r.get(), 0));
        for (int n = 0; n < 3; ++n) epoch(r.get(), n);
        summary = support::read_file(run + "/summary.csv");
        metrics = support::read_file(run + "/metrics.jsonl");
    }

    void expect_as_before()
    {
        EXPECT_EQ(support::read_file(run + "/summary.csv"), summary);
        EXPECT_EQ(support::read_file(run + "/metrics.jsonl"), metrics);
    }

    support::TemporaryFolder folder;
    const std::string run = folder.file("run");
    std::string summary, metrics;
};

} // namespace

TEST(Number, ReadsAsItself)
{
    char text[TRIB_NUMBER_TEXT];
    EXPECT_STREQ(trib_number_text(0.1, text), "0.1");
    EXPECT_STREQ(trib_number_text(3, text), "3");
    EXPECT_STREQ(trib_number_text(1234567, text), "1234567");
    EXPECT_STREQ(trib_number_text(NAN, text), "nan");
    EXPECT_STREQ(trib_number_text(-INFINITY, text), "-inf");
    for (double value : { 1.0 / 3, 1e-300, -2.5e300, double(0.1f), 0x1.fffffffffffffp1023 })
        EXPECT_EQ(std::stod(trib_number_text(value, text)), value);
}

TEST_F(RunTables, Look)
{
    EXPECT_EQ(summary, "epoch,train_loss,eval_loss,eval_top1,lr,step,eval_top5\n"
                       "0,2,1.5,70.5,0.1,10,90\n"
                       "1,1,,71.5,0.1,20,90.1\n"
                       "2,0.6666666666666666,1.5,72.5,0.1,30,90.2\n");
    EXPECT_EQ(metrics.substr(0, metrics.find("{\"step\":4")), "{\"step\":1,\"loss\":1,\"lr\":0.1}\n"
                                                              "{\"step\":2,\"loss\":0.5,\"lr\":0.1}\n"
                                                              "{\"step\":3,\"loss\":0.3333333333333333,\"lr\":null}\n");
}

TEST_F(RunTables, RowsBeyondTheStepAreCutAndComeAgain)
{
    for (int step = 0; step <= 30; ++step) {
        auto r = runs::opened(run, true);
        ASSERT_OK(begin(r.get(), step));
        const double *values;
        ASSERT_EQ(trib_run_folder_history(r.get(), &values), step / per_epoch);
        const std::string kept = support::read_file(run + "/metrics.jsonl");
        EXPECT_EQ(std::count(kept.begin(), kept.end(), '\n'), step);
        ASSERT_OK(begin(r.get(), step / per_epoch * per_epoch));
        for (int n = step / per_epoch; n < 3; ++n) epoch(r.get(), n);
        expect_as_before();
    }
}

TEST_F(RunTables, AnEpochThatIsEvaluatedAgainHasOneRow)
{
    auto r = runs::opened(run, true);
    ASSERT_OK(begin(r.get(), 30));
    const double top5 = 0;
    const trib_run_epoch again = { 2, 30, 0, 0, 0, 0, &top5 };
    ASSERT_OK(trib_run_folder_add_epoch(r.get(), &again));
    expect_as_before();
}

TEST_F(RunTables, HistoryHasTheRowsOfEarlierProcesses)
{
    auto r = runs::opened(run, true);
    ASSERT_OK(begin(r.get(), 20));
    epoch(r.get(), 2);
    const double *values;
    ASSERT_EQ(trib_run_folder_history(r.get(), &values), 3);
    const int width = TRIB_RUN_COLUMNS + 1;
    EXPECT_EQ(values[0 * width + 3], 70.5);
    EXPECT_TRUE(std::isnan(values[1 * width + 2]));
    EXPECT_EQ(values[1 * width + 5], 20);
    EXPECT_EQ(values[2 * width + 6], 90 + 0.1 * 2);
}

TEST_F(RunTables, ATornRowIsRepairedWhereverItWasTorn)
{
    for (const char *name : { "/summary.csv", "/metrics.jsonl" }) {
        const std::string whole = support::read_file(run + name);
        for (std::size_t size = 0; size < whole.size(); ++size) {
            std::filesystem::resize_file(run + name, size);
            auto r = runs::opened(run, true);
            ASSERT_OK(begin(r.get(), 30));
            const std::string kept = support::read_file(run + name);
            ASSERT_EQ(kept, std::max(whole.substr(0, size).rfind('\n') == std::string::npos
                                         ? std::string()
                                         : whole.substr(0, whole.substr(0, size).rfind('\n') + 1),
                                     name[1] == 's' ? summary.substr(0, summary.find('\n') + 1) : std::string()))
                << name << " torn at " << size;
            support::write_file(run + name, whole);
        }
    }
}

TEST_F(RunTables, WhatAPowerFailureLeavesIsCutOff)
{
    for (const std::string &tail :
         { std::string(40, '\0'), std::string(40, '\0') + "\n", std::string("3,1,2\n"), std::string("3,,,,,x,\n"),
           std::string("{\"step\":-1}\n"), std::string("{\"step\":\n"), std::string("{}\n") }) {
        support::write_file(run + "/summary.csv", summary + tail);
        support::write_file(run + "/metrics.jsonl", metrics + tail);
        auto r = runs::opened(run, true);
        ASSERT_OK(begin(r.get(), 30));
        expect_as_before();
    }
    support::write_file(run + "/summary.csv", std::string(100, '\0') + "\n");
    auto r = runs::opened(run, true);
    ASSERT_OK(begin(r.get(), 30));
    EXPECT_EQ(support::read_file(run + "/summary.csv"), summary.substr(0, summary.find('\n') + 1));
}

TEST_F(RunTables, OtherColumnsAreNotOverwritten)
{
    auto r = runs::opened(run, true);
    EXPECT_FAILS(trib_run_folder_begin(r.get(), 0, nullptr, 0), TRIB_INVALID_ARGUMENT, "its columns are not those");
    expect_as_before();
}

TEST_F(RunTables, NothingIsAddedBeforeTheBegin)
{
    auto r = runs::opened(run, true);
    const trib_run_epoch row = {};
    EXPECT_FAILS(trib_run_folder_add_epoch(r.get(), &row), TRIB_INVALID_ARGUMENT, "not open");
    EXPECT_FAILS(trib_run_folder_add_step(r.get(), 1, nullptr, 0), TRIB_INVALID_ARGUMENT, "not open");
}

TEST_F(RunTables, AFullDiskLeavesWholeRows)
{
    auto r = runs::opened(run, true);
    ASSERT_OK(begin(r.get(), 30));
    const trib_run_number loss = { "loss", 1 };
    for (auto trouble : { calls::Trouble::no_space, calls::Trouble::broken }) {
        calls::arm(1, trouble);
        trib_status s = trib_run_folder_add_step(r.get(), 31, &loss, 1);
        calls::disarm();
        EXPECT_EQ(s.code, TRIB_IO_ERROR) << s.message;
        expect_as_before();
    }
    calls::arm(1, calls::Trouble::half);
    EXPECT_OK(trib_run_folder_add_step(r.get(), 31, &loss, 1));
    calls::disarm();
    EXPECT_EQ(support::read_file(run + "/metrics.jsonl"), metrics + "{\"step\":31,\"loss\":1}\n");
}

TEST_F(RunTables, AFolderInPlaceOfATable)
{
    std::filesystem::remove(run + "/summary.csv");
    std::filesystem::create_directory(run + "/summary.csv");
    auto r = runs::opened(run, true);
    EXPECT_FAILS(begin(r.get(), 0), TRIB_IO_ERROR, "summary.csv");
}

// ---- curves ----

TEST_F(RunTables, CurvesAreDrawnByEpoch)
{
    auto r = runs::opened(run, true);
    ASSERT_OK(begin(r.get(), 30));
    ASSERT_OK(trib_run_folder_draw(r.get()));
    const std::string picture = support::read_file(run + "/curves.svg");
    EXPECT_NE(picture.find("Loss by epoch. train: 3 points, lowest 0.6667, highest 2, last 0.6667. "
                           "eval: 2 points, lowest 1.5, highest 1.5, last 1.5. "
                           "Top-1, percent by epoch. eval: 3 points, lowest 70.5, highest 72.5, last 72.5. "
                           "Learning rate by epoch. lr: 3 points, lowest 0.1, highest 0.1, last 0.1. "),
              std::string::npos)
        << picture.substr(0, 1000);
    EXPECT_NE(picture.find("eval: 1 value is not finite: gap"), std::string::npos);
    EXPECT_NE(picture.find("class=\"c s0 d\""), std::string::npos); // the validation's loss has the color of its head
}

TEST_F(RunTables, CurvesOfTheFirstEpochAreDrawnByStep)
{
    auto r = runs::opened(run, true);
    for (int step : { 0, 1, 10 }) {
        ASSERT_OK(begin(r.get(), step));
        ASSERT_OK(trib_run_folder_draw(r.get()));
        const std::string picture = support::read_file(run + "/curves.svg");
        const std::string wanted = step == 0   ? "nothing was measured yet"
                                   : step == 1 ? "Loss by step. loss: 1 point, "
                                               : "Loss by step. loss: 10 points, ";
        EXPECT_NE(picture.find(wanted), std::string::npos) << step << picture.substr(0, 600);
        ASSERT_OK(begin(r.get(), 0));
        for (int n = 0; n < 3; ++n) epoch(r.get(), n);
    }
}

TEST_F(RunTables, CurvesFailInTurn)
{
    auto r = runs::opened(run, true);
    for (int step : { 30, 10 }) {
        ASSERT_OK(begin(r.get(), step));
        for (int k = 1;; ++k) {
            trib_fault_arm(k, false);
            trib_status s = trib_run_folder_draw(r.get());
            const std::int64_t seen = trib_fault_disarm();
            EXPECT_EQ(trib_failed(&s), seen >= k) << s.message;
            if (seen < k) break;
        }
    }
}

TEST(RunCurves, LossesOfOneHeadStandTogetherInItsColor)
{
    support::TemporaryFolder folder;
    auto r = runs::begun(folder.file("run"));
    const char *const heads[] = { "train_loss_aux1", "train_loss_aux2", "eval_top1_average", "eval_loss_aux1",
                                  "images_per_second" };
    ASSERT_OK(trib_run_folder_begin(r.get(), 0, heads, 5));
    for (int n = 0; n < 2; ++n) {
        const double more[] = { 3, 5, 60, 4, 800 };
        const trib_run_epoch row = { n, n + 1, 1, 2, 50, 0.1, more };
        ASSERT_OK(trib_run_folder_add_epoch(r.get(), &row));
    }
    ASSERT_OK(trib_run_folder_draw(r.get()));
    const std::string picture = support::read_file(folder.file("run/curves.svg"));
    std::size_t at = 0;
    for (const char *part :
         { "class=\"c s0\"", ">train 1<", "class=\"c s0 d\"", ">eval 2<", "class=\"c s1\"", ">train aux1 3<",
           "class=\"c s1 d\"", ">eval aux1 4<", "class=\"c s2\"", ">train aux2 5<", ">Top-1, percent<", ">eval 50<",
           "class=\"c s1\"", ">eval average 60<", ">Learning rate<", ">lr 0.1<" }) {
        at = picture.find(part, at);
        ASSERT_NE(at, std::string::npos) << part;
    }
    EXPECT_EQ(picture.find("images per second"), std::string::npos);
}
