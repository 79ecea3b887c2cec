// SPDX-License-Identifier: Apache-2.0
// tributary profile: the JSON it writes adds up to the nanosecond, medians have honest intervals, and sentences say
// what their numbers say.
#include <cjson/cJSON.h>

#include <cstdlib>
#include <numeric>

#include "support/support.h"

extern "C" {
#include "host/cli/profile_stats.h"
#include "host/profile/verdict.h"
}

namespace
{

namespace fs = std::filesystem;

// ---- a profile as JSON ----

struct Json {
    cJSON *root = nullptr;
    explicit Json(const std::string &text) : root(cJSON_Parse(text.c_str())) {}
    ~Json() { cJSON_Delete(root); }
    Json(const Json &) = delete;
};

const cJSON *at(const cJSON *object, const char *key)
{
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(object, key);
    EXPECT_TRUE(found) << key;
    return found;
}

// Whole nanoseconds.
std::int64_t ns(const cJSON *object, const char *key)
{
    const cJSON *found = at(object, key);
    EXPECT_TRUE(cJSON_IsNumber(found)) << key;
    const double value = found ? found->valuedouble : -1;
    EXPECT_EQ(value, std::floor(value)) << key;
    return std::int64_t(value);
}

std::int64_t sum_of(const cJSON *object)
{
    std::int64_t sum = 0;
    for (const cJSON *one = object ? object->child : nullptr; one; one = one->next)
        sum += std::int64_t(one->valuedouble);
    return sum;
}

int size_of(const cJSON *object, const char *key) { return cJSON_GetArraySize(at(object, key)); }
const cJSON *element(const cJSON *object, const char *key, int i) { return cJSON_GetArrayItem(at(object, key), i); }
std::string text(const cJSON *object, const char *key)
{
    const cJSON *found = at(object, key);
    return cJSON_IsString(found) ? found->valuestring : "";
}

// A stream's time is busy or idle, for one of the causes; a window's sums are those of its streams with ops.
void expect_streams(const cJSON *window, bool total)
{
    const std::int64_t wall = ns(window, "wall_ns");
    std::int64_t busy = 0, idle = 0;
    int with_ops = 0;
    for (int k = 0; k < size_of(window, "stream"); ++k) {
        const cJSON *stream = element(window, "stream", k);
        const bool has_ops = cJSON_IsTrue(at(stream, "has_ops"));
        EXPECT_EQ(ns(stream, "busy_ns") + sum_of(at(stream, "idle_ns")), wall) << "stream " << k;
        if (!has_ops && !total) continue;
        busy += ns(stream, "busy_ns");
        idle += sum_of(at(stream, "idle_ns"));
        ++with_ops;
    }
    EXPECT_EQ(ns(window, "busy_ns"), busy);
    EXPECT_EQ(sum_of(at(window, "idle_ns")), idle);
    EXPECT_EQ(ns(window, "streams"), with_ops);
    EXPECT_EQ(sum_of(at(window, "ns_with_so_many_streams_busy")), wall);
}

// The path goes from the window's begin to its end, without a hole.
void expect_path(const cJSON *window)
{
    const cJSON *path = at(window, "critical_path");
    EXPECT_EQ(ns(path, "busy_ns") + ns(path, "gaps_ns") + ns(path, "host_ns"), ns(window, "wall_ns"));
    std::int64_t now = ns(window, "from_ns");
    for (int i = 0; i < size_of(path, "steps"); ++i) {
        const cJSON *step = element(path, "steps", i);
        EXPECT_EQ(now + ns(step, "gap_before_ns"), ns(step, "from_ns"));
        now = ns(step, "to_ns");
    }
    if (size_of(path, "steps") > 0) {
        EXPECT_EQ(now, ns(window, "to_ns"));
    }
}

// Pieces of idle time are those that the sums by cause are made of.
void expect_pieces(const cJSON *window)
{
    std::map<std::string, std::int64_t> causes;
    for (int i = 0; i < size_of(window, "idle"); ++i) {
        const cJSON *piece = element(window, "idle", i);
        if (cJSON_IsTrue(at(element(window, "stream", int(ns(piece, "stream"))), "has_ops")))
            causes[text(piece, "cause")] += ns(piece, "to_ns") - ns(piece, "from_ns");
    }
    for (const cJSON *one = at(window, "idle_ns")->child; one; one = one->next)
        EXPECT_EQ(std::int64_t(one->valuedouble), causes[one->string]) << one->string;
}

void expect_window(const cJSON *window)
{
    SCOPED_TRACE(ns(window, "from_ns"));
    EXPECT_EQ(ns(window, "to_ns") - ns(window, "from_ns"), ns(window, "wall_ns"));
    expect_streams(window, false);
    expect_path(window);
    expect_pieces(window);
}

// Windows follow each other, and add up to the run.
void expect_trace(const cJSON *trace)
{
    const cJSON *total = at(trace, "total");
    std::int64_t wall = 0, busy = 0, ops = 0, alone = 0, now = ns(total, "from_ns");
    for (int i = 0; i < size_of(trace, "windows"); ++i) {
        const cJSON *window = element(trace, "windows", i);
        expect_window(window);
        EXPECT_EQ(ns(window, "from_ns"), now);
        now = ns(window, "to_ns");
        wall += ns(window, "wall_ns");
        busy += ns(window, "busy_ns");
        ops += ns(window, "ops_ns");
        alone += ns(window, "ops_alone_ns");
    }
    EXPECT_EQ(now, ns(total, "to_ns"));
    EXPECT_EQ(wall, ns(total, "wall_ns"));
    EXPECT_EQ(busy, ns(total, "busy_ns"));
    EXPECT_EQ(ops, ns(total, "ops_ns"));
    EXPECT_EQ(alone, ns(total, "ops_alone_ns"));
    expect_path(total);
}

// Ops of a stream follow each other, and what they take is what the trace says.
void expect_ops(const cJSON *trace)
{
    std::map<int, std::int64_t> ends;
    std::int64_t sum = 0;
    for (int i = 0; i < size_of(trace, "ops"); ++i) {
        const cJSON *op = element(trace, "ops", i);
        if (!cJSON_IsTrue(at(op, "runs"))) continue;
        std::int64_t &end = ends[int(ns(op, "stream"))];
        EXPECT_GE(ns(op, "start_ns"), end) << text(op, "name");
        end = ns(op, "end_ns");
        sum += end - ns(op, "start_ns");
    }
    EXPECT_EQ(sum, ns(at(trace, "total"), "ops_ns"));
}

void expect_schedule(const cJSON *schedule)
{
    SCOPED_TRACE(text(schedule, "name"));
    expect_trace(at(schedule, "trace"));
    expect_ops(at(schedule, "trace"));
    EXPECT_EQ(size_of(schedule, "windows"), size_of(at(schedule, "trace"), "windows"));
    for (int i = 0; i < size_of(schedule, "windows"); ++i) {
        const cJSON *window = element(schedule, "windows", i);
        const bool module = text(window, "kind") != "trunk", serial = text(schedule, "name") == "serial";
        EXPECT_EQ(cJSON_HasObjectItem(window, "sentence"), module && !serial) << text(window, "name");
    }
}

// G is the product of its four factors, in each run; of medians, in the middle of several, nearly.
void expect_factors(const cJSON *schedule)
{
    const cJSON *total = at(at(schedule, "trace"), "total");
    const double serial = double(ns(total, "serial_wall_ns")), wall = double(ns(total, "wall_ns"));
    const double alone = double(ns(total, "ops_alone_ns")), ops = double(ns(total, "ops_ns"));
    const double any = double(ns(total, "any_busy_ns"));
    const double gain = alone > 0 ? serial / alone * (alone / ops) * (ops / any) * (any / wall) : NAN;
    EXPECT_NEAR(gain, serial / wall, 1e-9 * gain);
}

std::string run(const std::string &program, const std::string &arguments)
{
    support::TemporaryFolder folder;
    const std::string json = folder.file("p.json");
    const std::string command =
        program + " profile " + arguments + " --iterations 2 --warmup 1 --json " + json + " >/dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return support::read_file(json);
}

void expect_profile(const std::string &program, const std::string &arguments, int schedules)
{
    SCOPED_TRACE(arguments);
    Json json(run(program, arguments));
    ASSERT_TRUE(json.root);
    ASSERT_EQ(size_of(json.root, "schedules"), schedules);
    for (int i = 0; i < schedules; ++i) {
        expect_schedule(element(json.root, "schedules", i));
        expect_factors(element(json.root, "schedules", i));
    }
    EXPECT_EQ(text(element(json.root, "schedules", 0), "name"), "serial");
    EXPECT_NE(text(json.root, "verdict"), "");
}

const char small[] = "--device cpu --arch torchvision --img-size 32 --width-multiplier 0.25";

TEST(Profile, SumsAreExact) { expect_profile(TRIB_PROGRAM, std::string(small) + " -b 1 --schedule branches,fused", 3); }

TEST(Profile, SumsAreExactWithSeveralLanes)
{
    expect_profile(TRIB_PROGRAM, std::string(small) + " -b 4 --threads 2 --schedule branches", 2);
}

TEST(Profile, SumsAreExactInTraining)
{
    expect_profile(TRIB_PROGRAM, std::string(small) + " -b 2 --train --launch graph --schedule branches", 2);
}

#ifdef TRIB_SIMULATED
TEST(Profile, SumsAreExactOnASimulatedCard)
{
    const std::string net = "--device cuda --arch bvlc --img-size 32 --width-multiplier 0.1";
    expect_profile(TRIB_SIMULATED, net + " --launch graph --precision bf16", 3);
    expect_profile(TRIB_SIMULATED, net + " -b 2 --schedule fused", 2);
}
#endif

// ---- intervals ----

TEST(ProfileStats, IntervalsAreThoseOfOrderStatistics)
{
    auto interval = [](int count) {
        std::vector<double> values(static_cast<std::size_t>(count));
        std::iota(values.rbegin(), values.rend(), 1.0); // 1, 2, ... backwards
        return cli_interval_of(values.data(), count);
    };
    // n = 12: the third to the tenth; n = 20: the sixth to the fifteenth (binomial distribution)
    EXPECT_EQ(interval(12).low, 3);
    EXPECT_EQ(interval(12).high, 10);
    EXPECT_EQ(interval(20).low, 6);
    EXPECT_EQ(interval(20).high, 15);
    EXPECT_EQ(interval(6).low, 1);
    EXPECT_EQ(interval(6).high, 6);
    EXPECT_TRUE(std::isnan(interval(5).low) && std::isnan(interval(5).high));
    EXPECT_EQ(interval(5).median, 3);
    EXPECT_EQ(interval(4).median, 2);
    EXPECT_NEAR(interval(1000).low, interval(1001).low, 1.5); // two ways to count
    EXPECT_LT(interval(100000).high - interval(100000).low, 700);
    EXPECT_TRUE(std::isnan(interval(0).median));
    double broken[] = { 1, NAN, 2 };
    EXPECT_TRUE(std::isnan(cli_interval_of(broken, 3).median));
}

// ---- sentences ----

// A module of two branches on a CPU with two cores, where all factors are 1 unless a test says otherwise.
class Verdict : public testing::Test
{
  protected:
    Verdict()
    {
        median.wall = 1000;
        median.alone = 2000;
        median.bounds.device = 1000;
        median.binding = TRIB_BOUND_PATH;
        median.gain = { 1, 1, 1, 1, 1, 2, 0, 2 };
        window.wall = 1000;
        window.streams = 2;
        window.branches = branches;
        window.branch_count = 2;
        branches[0].path = 300;
        branches[1].path = 700;
        in = { "branches", { 1, 1, 1 }, &median, &window, &part, 2, 1, false };
        part.name = "inception_3a";
        part.branch_count = 2;
        part.branches = names;
    }
    std::string say(double gain, double low, double high)
    {
        char text[TRIB_VERDICT_SIZE];
        in.gain = { gain, low, high };
        median.gain.gain = gain;
        trib_verdict_of(&in, text);
        return text;
    }
    static void expect_part(const std::string &text, const std::string &part)
    {
        EXPECT_NE(text.find(part), std::string::npos) << text;
    }

    const char *names[2] = { "1x1", "3x3" };
    trib_profile_branch branches[2] {};
    trib_profile_part part {};
    trib_profile_window window {};
    trib_profile_median median {};
    trib_verdict_input in {};
};

TEST_F(Verdict, FasterOnlyIfTheWholeIntervalIs)
{
    auto compare = [](double gain, double low, double high) {
        const trib_verdict_gain g = { gain, low, high };
        return trib_compare(&g);
    };
    EXPECT_EQ(compare(1.3, 1.02, 1.4), TRIB_FASTER);
    EXPECT_EQ(compare(1.3, 1.0, 1.4), TRIB_EQUAL);
    EXPECT_EQ(compare(0.7, 0.6, 0.98), TRIB_SLOWER);
    EXPECT_EQ(compare(0.7, 0.6, 1.0), TRIB_EQUAL);
    EXPECT_EQ(compare(1.04, NAN, NAN), TRIB_EQUAL); // few runs
    EXPECT_EQ(compare(1.06, NAN, NAN), TRIB_FASTER);
    EXPECT_EQ(compare(NAN, NAN, NAN), TRIB_EQUAL);
}

TEST_F(Verdict, OneChoiceOfSeveralSchedules)
{
    auto find = [](const std::vector<trib_verdict_gain> &gains) {
        return trib_find_fastest(gains.data(), int(gains.size()));
    };
    auto headline = [](const trib_fastest &f) {
        char text[TRIB_VERDICT_SIZE];
        trib_verdict_headline(&f, 1.34, text);
        return std::string(text);
    };
    const trib_verdict_gain serial = { 1, 1, 1 }, clear = { 1.3, 1.2, 1.4 }, unclear = { 1.6, 0.9, 2.0 };
    const trib_verdict_gain slow = { 0.8, 0.7, 0.9 }, few = { 1.5, NAN, NAN };
    trib_fastest f =
        find({ serial, unclear, clear, slow }); // more in the median is no reason to prefer what is unclear
    EXPECT_EQ(f.other, 2);
    EXPECT_EQ(f.best, 2);
    EXPECT_EQ(
        headline(f),
        "On this device, running the branches of a module at the same time makes the network 1.34 times as fast.");
    f = find({ serial, slow, unclear });
    EXPECT_EQ(f.other, 2);
    EXPECT_EQ(f.best, 0);
    EXPECT_TRUE(f.known);
    expect_part(headline(f), "does not make the network clearly faster.");
    f = find({ serial, slow });
    EXPECT_EQ(f.compared, TRIB_SLOWER);
    expect_part(headline(f), "makes the network slower.");
    f = find({ serial, few }); // by 50 %, and yet nothing is claimed
    EXPECT_EQ(f.other, 1);
    EXPECT_EQ(f.best, 0);
    EXPECT_FALSE(f.known);
    expect_part(headline(f), "too few iterations");
    f = find({ serial });
    EXPECT_EQ(f.other, 0);
    EXPECT_FALSE(f.known);
    EXPECT_EQ(headline(f), "");
}

TEST_F(Verdict, NotCertain)
{
    branches[1].path = 350;
    EXPECT_EQ(say(1.05, 0.97, 1.09),
              "branches may be no faster than serial: 1.05 times in the median, but between 0.97 and 1.09.");
}

TEST_F(Verdict, NearTheBound)
{
    median.gain.bound = 1.45;
    expect_part(say(1.4, 1.38, 1.42), "1.40 times as fast as serial, nearly all of the 1.45 that its longest chain");
}

TEST_F(Verdict, FarFromTheBoundItSaysWhatIsMissing)
{
    median.idle[TRIB_IDLE_LAUNCH] = 800;
    median.path_host = 600;
    const std::string said = say(1.2, 1.18, 1.22);
    expect_part(said, "of at most 2.00");
    expect_part(said,
                "for 60 % of its time, the critical path waits for the host to issue the next op: record them once");
    in.recorded = true;
    EXPECT_EQ(say(1.2, 1.18, 1.22).find("record"), std::string::npos);
}

TEST_F(Verdict, AboveTheBoundItDoesNotClaimOne)
{
    median.gain.bound = 0.9;
    median.gain.concurrency = 1.6;
    const std::string said = say(1.2, 1.18, 1.22);
    expect_part(said, "1.6 streams are busy on average");
    EXPECT_EQ(said.find("at most"), std::string::npos) << said;
    EXPECT_EQ(say(1.0, 0.99, 1.01).find("cannot"), std::string::npos);
}

TEST_F(Verdict, OpsThatFillTheDevice)
{
    median.bounds.device = 2000;
    expect_part(say(1, 0.99, 1.01), "each op already computes on all 2 cores");
    in.cores = 1;
    expect_part(say(1, 0.99, 1.01), "there is one core, on which branches take turns");
    in.cores = 0;
    expect_part(say(1, 0.99, 1.01), "each op already fills the GPU");
}

TEST_F(Verdict, FewerCoresForEachOp)
{
    median.gain.serial_gaps = 0.5;
    median.gain.concurrency = 1.8;
    const std::string slower = say(0.8, 0.78, 0.82);
    expect_part(slower, "takes 1.25 times as long as serial");
    expect_part(slower, "alone they take 2.00 times as long as serial; 1.8 streams at a time do not make up for that");
    expect_part(slower, "Keep serial here.");
    expect_part(say(1, 0.99, 1.01), "1.8 streams at a time make up for that, and hardly more");
    expect_part(say(0.9, 0.7, 1.2), "may not make up for that");
    expect_part(say(1.2, 1.1, 1.3), "more than make up for that");
    median.gain.stretch = 0.5;
    expect_part(say(1, 0.99, 1.01), "hardly more: side by side they take 2.00 times as long as alone");
    median.gain.concurrency = 1;
    expect_part(say(0.8, 0.78, 0.82), "as long as serial, and streams hardly overlap: branch 3x3 alone takes 70 %");
}

TEST_F(Verdict, Stretch)
{
    median.gain.stretch = 0.5;
    median.gain.concurrency = 2;
    expect_part(say(1, 0.99, 1.01), "2.0 streams are busy on average, but side by side an op takes 2.00 times as long");
}

TEST_F(Verdict, OneBranchIsMostOfTheModule)
{
    median.idle[TRIB_IDLE_IMBALANCE] = 500;
    expect_part(say(1, 0.99, 1.01), "branch 3x3 alone takes 70 % of the module's time");
    median.gain.bound = 1.01;
    expect_part(say(1, 0.99, 1.01), "and cannot: at most 1.01");
    median.gain.bound = 2;
    branches[1].path = 350; // no longer most of it: nothing stands out
    EXPECT_EQ(say(1, 0.99, 1.01), "branches gains nothing over serial.");
    EXPECT_EQ(say(0.5, 0.49, 0.51), "branches takes 2.00 times as long as serial. Keep serial here.");
    expect_part(say(1.5, 1.49, 1.51), "of at most 2.00 that its longest chain of ops allows.");
}

TEST_F(Verdict, OneStream)
{
    window.streams = 1;
    expect_part(say(1, 0.99, 1.01), "all of its ops are on one stream");
}

TEST_F(Verdict, LatencyAndContention)
{
    median.path_gaps = 600;
    median.idle[TRIB_IDLE_LATENCY] = 600;
    expect_part(say(1, 0.99, 1.01),
                "for 60 % of its time, the next op of the critical path is about to start: a larger batch");
    median.idle[TRIB_IDLE_CONTENTION] = 700;
    expect_part(say(1, 0.99, 1.01),
                "for 60 % of its time, the next op of the critical path is ready and waits for a free core");
    in.cores = 0;
    expect_part(say(1, 0.99, 1.01), "waits for free multiprocessors");
}

} // namespace
