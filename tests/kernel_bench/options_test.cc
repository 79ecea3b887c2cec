// SPDX-License-Identifier: Apache-2.0
#include "benches/kernels/options.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "text_file.h"

namespace
{

struct Parsed {
    std::vector<std::string> words; // options.json points into them: moved with the vector, never copied
    int code;
    bench_options options;
    std::string out, error;
};

Parsed parse(std::initializer_list<const char *> arguments)
{
    Parsed parsed = {};
    parsed.words = { "kernel_bench" };
    parsed.words.insert(parsed.words.end(), arguments.begin(), arguments.end());
    std::vector<char *> argv;
    for (std::string &word : parsed.words) argv.push_back(word.data());
    argv.push_back(nullptr);
    TextFile out, error;
    parsed.code = bench_parse(int(parsed.words.size()), argv.data(), out.file, error.file, &parsed.options);
    parsed.out = out.text();
    parsed.error = error.text();
    return parsed;
}

TEST(Options, Defaults)
{
    const Parsed p = parse({});
    EXPECT_EQ(p.code, BENCH_GO_ON);
    ASSERT_EQ(p.options.batch_count, 3);
    EXPECT_EQ(p.options.batches[0], 1);
    EXPECT_EQ(p.options.batches[1], 32);
    EXPECT_EQ(p.options.batches[2], 256);
    EXPECT_EQ(p.options.kernel, nullptr);
    EXPECT_EQ(p.options.json, nullptr);
    EXPECT_GT(p.options.seconds, 0);
}

TEST(Options, AllGiven)
{
    const Parsed p = parse({ "--batch", "8,4096", "--kernel=lrn", "--seconds", "0.5", "--json", "out.json" });
    EXPECT_EQ(p.code, BENCH_GO_ON) << p.error;
    ASSERT_EQ(p.options.batch_count, 2);
    EXPECT_EQ(p.options.batches[0], 8);
    EXPECT_EQ(p.options.batches[1], 4096);
    EXPECT_STREQ(p.options.kernel->name, "lrn");
    EXPECT_EQ(p.options.seconds, 0.5);
    EXPECT_STREQ(p.options.json, "out.json");
}

TEST(Options, HelpHasExamples)
{
    const Parsed p = parse({ "--help" });
    EXPECT_EQ(p.code, 0);
    EXPECT_NE(p.out.find("examples:"), std::string::npos);
    for (const char *option : { "--batch", "--kernel", "--seconds", "--json" })
        EXPECT_NE(p.out.find(option), std::string::npos);
    EXPECT_EQ(p.error, "");
}

TEST(Options, WrongUsageIsSaidAndIs2)
{
    const auto refuse = [](std::initializer_list<const char *> arguments, const std::string &text) {
        const Parsed p = parse(arguments);
        EXPECT_EQ(p.code, 2) << text;
        EXPECT_NE(p.error.find(text), std::string::npos) << p.error;
        EXPECT_EQ(p.out, "");
    };
    for (const char *batch : { "", "0", "4097", "-1", "1,", ",1", "1;2", "x", "99999999999999999999", " 1",
                               "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1" })
        refuse({ "--batch", batch }, "--batch takes");
    for (const char *seconds : { "", "0", "-1", "nan", "inf", "1s", "3601" })
        refuse({ "--seconds", seconds }, "--seconds takes");
    refuse({ "--kernel", "conv3x3" }, "there is no kernel conv3x3");
    refuse({ "--kernel", "conv3x3" }, "conv1x1_tf32"); // which there are
    refuse({ "--json" }, "missing after --json");
    refuse({ "--nonsense" }, "not an option: --nonsense");
    refuse({ "file" }, "not an option: file");
}

} // namespace
