// SPDX-License-Identifier: Apache-2.0
// tributary train as a process: killed at any instant it loses nothing that it saved, other signals do what --help
// says, and a step takes the memory that is planned.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <random>
#include <set>
#include <sstream>

#include "support/form.h"
#include "support/sanitized.h"
#include "support/support.h"
#include "train/checkpoint.h"
#include "tributary/device.h"

namespace fs = std::filesystem;

namespace
{

using Words = std::vector<std::string>;

// The program in the background, ended with this object.
class Process
{
  public:
    Process(Words words, const std::string &messages)
    {
        words.insert(words.begin(), TRIB_PROGRAM);
        std::vector<char *> argv;
        for (auto &word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        pid_ = fork();
        if (pid_ != 0) return;
        const int file = open(messages.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
        signal(SIGINT, SIG_DFL); // which a shell may have told its jobs to ignore, as nohup
        signal(SIGHUP, SIG_DFL);
        if (file < 0 || dup2(file, 2) < 0 || dup2(file, 1) < 0) _exit(127);
        execv(argv[0], argv.data());
        _exit(127);
    }
    ~Process() { wait(SIGKILL); }
    Process(const Process &) = delete;

    void send(int number) const
    {
        if (pid_ > 0) kill(pid_, number);
    }
    bool has_ended() const
    {
        siginfo_t info = {};
        return pid_ <= 0 || (waitid(P_PID, id_t(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_);
    }
    // Sends a signal, unless it is 0, and waits for the end: the exit code, or 128 + the number of the signal that
    // ended it.
    int wait(int number = 0)
    {
        int status = 0;
        if (pid_ <= 0) return code_;
        if (number) send(number);
        while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
        pid_ = 0;
        return code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }

  private:
    pid_t pid_ = 0;
    int code_ = -1;
};

// Steps of the checkpoints in a folder, the last one highest; empty: there is none.
std::set<int> checkpoints_in(const std::string &folder)
{
    std::set<int> steps;
    if (!fs::exists(folder)) return steps;
    for (auto &entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string(), start = "checkpoint-";
        if (name.compare(0, start.size(), start) == 0) steps.insert(std::stoi(name.substr(start.size())));
    }
    return steps;
}

void expect_whole(const std::string &path)
{
    trib_checkpoint *c = nullptr;
    EXPECT_OK(trib_checkpoint_open(path.c_str(), &c));
    trib_checkpoint_close(c);
}

// Of the first "name": number in a file.
double number_in(const std::string &path, const std::string &name)
{
    const std::string text = support::read_file(path);
    const std::size_t at = text.find('"' + name + "\":");
    return at == std::string::npos ? NAN : std::strtod(&text[at + name.size() + 3], nullptr);
}

class TrainProcess : public testing::Test
{
  protected:
    // A tiny network, 53 images, a checkpoint after each step, and more epochs than any machine does meanwhile.
    Words every_step(const std::string &run) const
    {
        return { "train",
                 support::data_file("fashion-64-images-idx3-ubyte.gz"),
                 "-o",
                 run,
                 "-b",
                 "4",
                 "--epochs",
                 "100000",
                 "--img-size",
                 "32",
                 "--width-multiplier",
                 "0.06",
                 "--val-split",
                 "0.2",
                 "--sampling",
                 "mirror",
                 "--sched",
                 "constant",
                 "--average",
                 "mean",
                 "--checkpoint-every",
                 "1",
                 "--log-every",
                 "1",
                 "--resume" };
    }
    // Steps that take a while, in an epoch that does not end: only signals write checkpoints.
    Words long_epoch(const std::string &run)
    {
        const int images = 3000;
        std::string pixels("\0\0\x08\x03\0\0\x0B\xB8\0\0\0\x08\0\0\0\x08", 16), labels("\0\0\x08\x01\0\0\x0B\xB8", 8);
        for (int i = 0; i < images; ++i) labels += char(i % 4);
        for (int i = 0; i < 64 * images; ++i) pixels += char(i * 7919 >> 5);
        support::write_file(folder.file("train-images-idx3-ubyte"), pixels);
        support::write_file(folder.file("train-labels-idx1-ubyte"), labels);
        return { "train",
                 folder.file("train-images-idx3-ubyte"),
                 "-o",
                 run,
                 "-b",
                 "32",
                 "--img-size",
                 "64",
                 "--width-multiplier",
                 "0.25",
                 "--val-split",
                 "0",
                 "--sampling",
                 "none",
                 "--sched",
                 "constant",
                 "--log-every",
                 "1",
                 "--keep",
                 "9" };
    }
    static Words with(Words words, const Words &more)
    {
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }
    int finished(const Words &words) { return Process(words, messages).wait(); }
    std::string said() const { return support::read_file(messages); }
    // Waits, for a minute at most, until the file has `lines` lines.
    static bool has_lines(const std::string &path, int lines)
    {
        for (int tries = 0; tries < 12000; ++tries, usleep(5000)) {
            const std::string text = fs::exists(path) ? support::read_file(path) : "";
            if (std::count(text.begin(), text.end(), '\n') >= lines) return true;
        }
        return false;
    }
    static int lines_of(const std::string &path)
    {
        const std::string text = support::read_file(path);
        return int(std::count(text.begin(), text.end(), '\n'));
    }

    support::TemporaryFolder folder;
    const std::string run = folder.file("run"), messages = folder.file("messages");
};

// metrics.jsonl without the last number of each line, which a clock decides about.
std::string without_speed(const std::string &path)
{
    std::istringstream lines(support::read_file(path));
    std::string text;
    for (std::string line; std::getline(lines, line);)
        text += line.substr(0, line.find("\"images_per_second\"")) + "\n";
    return text;
}

} // namespace

// Killed again and again, in the middle of reading, starting, computing and writing: what was there stays, each process
// goes on from the newest, and the end is that of a run that nobody disturbed.
TEST_F(TrainProcess, KilledAtAnyInstantLosesNothingThatWasSaved)
{
    std::mt19937 random(3);
    int newest = 0, inside = 0;
    for (int i = support::by_form(8, 200); i-- > 0 && !HasFailure();) {
        {
            Process process(every_step(run), messages);
            usleep(unsigned(random() % (support::sanitized ? 3000000 : 500000)));
            ASSERT_EQ(process.wait(SIGKILL), 128 + SIGKILL) << said();
        }
        const std::set<int> steps = checkpoints_in(run);
        EXPECT_EQ(said().find("warning"), std::string::npos) << said();
        if (steps.empty()) {
            EXPECT_EQ(newest, 0);
            continue;
        }
        EXPECT_GE(*steps.rbegin(), newest);
        newest = *steps.rbegin();
        for (int step : steps) expect_whole(run + "/checkpoint-" + std::to_string(step));
        for (const char *name : { "/last", "/model_best" })
            if (fs::exists(run + name)) expect_whole(run + name);
        for (auto &entry : fs::directory_iterator(run)) inside += entry.path().extension() == ".tmp";
    }
    RecordProperty("killed_while_writing", inside);
    RecordProperty("steps", newest);
    const Words end = { "--max-steps", std::to_string(newest + 2) };
    ASSERT_EQ(finished(with(every_step(run), end)), 0) << said();
    const std::string resumed = newest ? "resumed after step " + std::to_string(newest) + " of " : "";
    EXPECT_NE(said().find(resumed), std::string::npos) << said();
    const std::string alone = folder.file("alone");
    ASSERT_EQ(finished(with(every_step(alone), end)), 0) << said();
    for (const char *name : { "/model.safetensors", "/last", "/model_best", "/summary.csv" })
        EXPECT_EQ(support::read_file(run + name) == support::read_file(alone + name), true) << name;
    EXPECT_EQ(without_speed(run + "/metrics.jsonl"), without_speed(alone + "/metrics.jsonl"));
}

// SIGUSR1 saves and goes on; SIGTERM, SIGINT and SIGHUP save and end with exit code 4: each after the step that it
// interrupts.
TEST_F(TrainProcess, SavesAfterTheNextStepWhenASignalAsksForIt)
{
    const std::string table = run + "/metrics.jsonl";
    int steps = 0;
    {
        Process process(long_epoch(run), messages);
        ASSERT_TRUE(has_lines(table, 1)) << said();
        EXPECT_TRUE(checkpoints_in(run).empty());
        const int before = lines_of(table);
        process.send(SIGUSR1);
        ASSERT_TRUE(has_lines(table, before + 3)) << said();
        ASSERT_EQ(checkpoints_in(run).size(), 1u);
        const int saved = *checkpoints_in(run).begin();
        EXPECT_TRUE(saved >= before && saved <= before + 2) << saved << ", after " << before;
        EXPECT_EQ(process.wait(SIGTERM), 4) << said();
        steps = *checkpoints_in(run).rbegin();
        EXPECT_GT(steps, saved);
    }
    EXPECT_EQ(lines_of(table), steps);
    EXPECT_NE(said().find("stopped after step " + std::to_string(steps) + ", saved"), std::string::npos) << said();
    for (int number : { SIGINT, SIGHUP }) {
        Process process(with(long_epoch(run), { "--resume" }), messages);
        ASSERT_TRUE(has_lines(table, steps + 1)) << said();
        if (number == SIGHUP) process.send(number); // from the shell, and again from the kernel when that has ended
        usleep(1000);
        EXPECT_EQ(process.wait(number), 4) << said();
        EXPECT_GT(*checkpoints_in(run).rbegin(), steps);
        steps = *checkpoints_in(run).rbegin();
        EXPECT_EQ(lines_of(table), steps);
    }
}

// The step takes longer than the time between the signals.
TEST_F(TrainProcess, ASecondInterruptEndsItAtOnce)
{
    Process process(with(long_epoch(run), { "-b", "256" }), messages);
    ASSERT_TRUE(has_lines(run + "/metrics.jsonl", 1)) << said();
    // One after another: on a busy machine two could arrive as one, or the second one only after the step.
    while (!process.has_ended()) {
        process.send(SIGINT);
        usleep(2000);
    }
    EXPECT_EQ(process.wait(), 128 + SIGINT) << said();
    EXPECT_TRUE(checkpoints_in(run).empty());
}

// What a step adds to resident memory is what `plan --train` and `bench --train` say, within 5 %.
TEST_F(TrainProcess, AStepTakesTheMemoryThatIsPlanned)
{
    trib_device *device = nullptr;
    ASSERT_OK(trib_device_open("cpu", nullptr, &device));
    const std::string library = trib_device_get_info(device)->library;
    const std::string instructions = trib_device_get_info(device)->instructions;
    trib_device_close(device);
    if (support::sanitized) GTEST_SKIP() << "a sanitizer's memory is not planned";
    if (library.rfind("oneDNN 2.6", 0) != 0 || instructions.rfind("avx512", 0) != 0)
        GTEST_SKIP() << "what " << library << " compiles for " << instructions << " was not measured";
    const std::vector<Words> steps = { { "32", "64" }, { "8", "224" }, { "32", "224" } };
    for (int i = 0; i < support::by_form(1, 3); ++i) {
        const std::string json = folder.file("json");
        ASSERT_EQ(finished({ "bench", "--train", "--arch", "torchvision", "-b", steps[i][0], "--img-size", steps[i][1],
                             "--threads", "2", "--iterations", "1", "--warmup", "1", "--overwrite", "--json", json }),
                  0)
            << said();
        const double grew = number_in(json, "peak_rss_bytes") - number_in(json, "rss_before_bytes");
        EXPECT_NEAR(grew / number_in(json, "plan_bytes"), 1, 0.05) << said();
    }
}
