// SPDX-License-Identifier: Apache-2.0
#include "plot/curves.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "plot/ticks.h"
#include "support/support.h"
#include "train/calls.h"
#include "tributary/internal/fault.h"

namespace
{

constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<std::string> ticks(double low, double high, int wanted = 4, bool whole = false)
{
    const trib_ticks t = trib_ticks_for(low, high, wanted, whole);
    std::vector<std::string> all;
    char text[TRIB_TICK_TEXT];
    for (int i = 0; i < t.count; ++i) all.push_back(trib_tick_text(&t, i, text));
    return all;
}

using Texts = std::vector<std::string>;

// A curve over 1, 2, 3, ...
struct Curve {
    explicit Curve(std::vector<double> values, const char *name = "loss") : y(std::move(values))
    {
        for (std::size_t i = 0; i < y.size(); ++i) x.push_back(double(i + 1));
        curve = { name, 0, false, x.data(), y.data(), y.size(), 0, false };
    }
    std::vector<double> x, y;
    trib_curve curve;
};

std::string svg(const std::vector<trib_curve> &curves, const char *title = "run")
{
    const trib_curve_panel panel = { "Loss", curves.data(), int(curves.size()), false };
    const trib_curves all = { title, "epoch", &panel, 1, nullptr, 0, false };
    trib_text text = {};
    trib_curves_svg(&all, &text);
    EXPECT_FALSE(text.failed);
    std::string copy(text.bytes, text.size);
    trib_text_free(&text);
    return copy;
}

std::size_t count(const std::string &text, const std::string &part)
{
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
}

// The d of the curve's path: the only one longer than those of the legend.
std::string path(const std::string &picture)
{
    const std::size_t legend = picture.find("h26"), at = picture.find("d=\"", legend) + 3;
    return legend == std::string::npos || at < 3 ? "" : picture.substr(at, picture.find('"', at) - at);
}

// Coordinates of the path are inside the picture.
void expect_inside(const std::string &d)
{
    for (std::size_t at = 0; at < d.size();) {
        const std::size_t next = d.find_first_of("ML", at + 1);
        double x = -1, y = -1;
        if (d[at] == 'M' || d[at] == 'L') sscanf(d.c_str() + at + 1, "%lf %lf", &x, &y);
        EXPECT_TRUE(x >= 60 && x <= 520 && y >= 0 && y <= 500) << d.substr(at, next - at);
        at = next == std::string::npos ? d.size() : next;
    }
}

} // namespace

TEST(Ticks, AreRound)
{
    EXPECT_EQ(ticks(0.3, 6.91), (Texts { "0", "2", "4", "6", "8" }));
    EXPECT_EQ(ticks(0, 100), (Texts { "0", "50", "100" }));
    EXPECT_EQ(ticks(61.2, 70.9), (Texts { "60", "65", "70", "75" }));
    EXPECT_EQ(ticks(-0.3, 0.31), (Texts { "-0.4", "-0.2", "0.0", "0.2", "0.4" }));
    EXPECT_EQ(ticks(0.0064, 0.01), (Texts { "0.006", "0.007", "0.008", "0.009", "0.010" }));
    EXPECT_EQ(ticks(2e-6, 8e-6), (Texts { "2e-06", "4e-06", "6e-06", "8e-06" }));
    EXPECT_EQ(ticks(0, 3e6), (Texts { "0", "1e+06", "2e+06", "3e+06" }));
    EXPECT_EQ(ticks(1, 2, 6, true), (Texts { "1", "2" }));
    EXPECT_EQ(ticks(1, 10000, 6, true), (Texts { "0", "2000", "4000", "6000", "8000", "10000" }));
}

TEST(Ticks, OfAConstantAreAroundIt)
{
    EXPECT_EQ(ticks(0.1, 0.1), (Texts { "0.09", "0.10", "0.11" }));
    EXPECT_EQ(ticks(0, 0), (Texts { "-1.0", "-0.5", "0.0", "0.5", "1.0" }));
    EXPECT_EQ(ticks(1, 1, 6, true), (Texts { "0", "1", "2" }));
    EXPECT_EQ(ticks(1, std::nextafter(1, 2)).size(), 3u);
}

TEST(Ticks, AreFewForAnyRange)
{
    for (double low : { -1e30, -123.456, -1e-30, 0.0, 1e-30, 0.7, 9.99e29 })
        for (double size : { 0.0, 1e-300, 1e-30, 0.013, 1.0, 99.9, 1e12, 1e30 })
            for (bool whole : { false, true }) {
                const trib_ticks t = trib_ticks_for(low, low + size, 4, whole);
                EXPECT_TRUE(t.count >= 2 && t.count <= 7) << low << " " << size << ": " << t.count;
                EXPECT_TRUE(t.low <= low + 1e-6 * t.step && t.high >= low + size - 1e-6 * t.step) << low << " " << size;
                EXPECT_TRUE(t.high > t.low && t.step > 0);
            }
}

TEST(Curves, SayWhatTheyShow)
{
    const std::string picture = svg({ Curve({ 3, 2, 1.5 }).curve });
    EXPECT_NE(picture.find("<title id=\"title\">run</title>"), std::string::npos);
    EXPECT_NE(picture.find("Loss by epoch. loss: 3 points, lowest 1.5, highest 3, last 1.5."), std::string::npos);
    EXPECT_NE(picture.find("role=\"img\" aria-labelledby=\"title desc\""), std::string::npos);
    EXPECT_NE(picture.find("@media screen and (prefers-color-scheme:dark)"), std::string::npos);
    EXPECT_NE(picture.find(">loss 1.5</text>"), std::string::npos);
}

TEST(Curves, OnePointIsADot)
{
    Curve one({ 2 });
    const std::string d = path(svg({ one.curve }));
    EXPECT_EQ(count(d, "M"), 1u);
    EXPECT_EQ(count(d, "h0"), 1u);
}

TEST(Curves, ValuesThatAreNotFiniteAreGaps)
{
    Curve curve({ NAN, NAN, 3, NAN, 2, infinity, 1, 1, -infinity, 1e31, 2 });
    const std::string picture = svg({ curve.curve }), d = path(picture);
    EXPECT_EQ(count(d, "M"), 4u);  // 3; 2; 1 1; 2
    EXPECT_EQ(count(d, "h0"), 3u); // those alone
    expect_inside(d.substr(0, d.find("h0")));
    EXPECT_NE(picture.find("loss: 4 values are not finite: gaps"), std::string::npos); // the first two have not begun
    EXPECT_EQ(picture.find("nan"), std::string::npos);
    EXPECT_EQ(picture.find("inf"), std::string::npos);
}

TEST(Curves, WithoutAPointThereIsAPictureThatSaysSo)
{
    Curve none({}), gaps({ NAN, infinity });
    for (const std::string &picture : { svg({}), svg({ none.curve }), svg({ gaps.curve, none.curve }) }) {
        EXPECT_NE(picture.find("nothing was measured yet"), std::string::npos);
        EXPECT_EQ(picture.find("nan"), std::string::npos);
        EXPECT_NE(picture.find("</svg>"), std::string::npos);
    }
}

TEST(Curves, ManyPointsAreThinnedAndKeepTheirExtremes)
{
    std::vector<double> values(10000, 1);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += 0.001 * double(i % 7);
    values[5003] = 9; // one step of 10,000
    values[7003] = -4;
    Curve curve(values);
    const std::string picture = svg({ curve.curve }), d = path(picture);
    EXPECT_LT(count(d, "L"), 1000u);
    EXPECT_LT(picture.size(), 25000u);
    expect_inside(d);
    double top = 1e9, bottom = 0, x, y;
    for (std::size_t at = d.find_first_of("ML"); at != std::string::npos; at = d.find_first_of("ML", at + 1)) {
        ASSERT_EQ(sscanf(d.c_str() + at + 1, "%lf %lf", &x, &y), 2);
        top = std::min(top, y);
        bottom = std::max(bottom, y);
    }
    EXPECT_GT(bottom - top, 100); // of 170
}

TEST(Curves, AConstantIsALineInTheMiddle)
{
    Curve curve({ 0.1, 0.1, 0.1 });
    const std::string d = path(svg({ curve.curve }));
    EXPECT_EQ(count(d, "M"), 1u);
    expect_inside(d);
}

TEST(Curves, NamesAreEscaped)
{
    Curve curve({ 1, 2 }, "a<b>&\"c\"\x01\xFF\xC3\xA9");
    const std::string picture = svg({ curve.curve }, "</title><script>");
    EXPECT_NE(picture.find("a&lt;b&gt;&amp;&quot;c&quot;\xEF\xBF\xBD\xEF\xBF\xBD\xC3\xA9"), std::string::npos);
    EXPECT_EQ(picture.find("<script>"), std::string::npos);
}

TEST(Curves, LongLegendsHaveRows)
{
    Curve curve({ 1, 2 }, "a loss with quite a long name");
    const std::string one = svg({ curve.curve }), four = svg(std::vector<trib_curve>(4, curve.curve));
    auto height = [](const std::string &s) { return std::stod(s.substr(s.find("viewBox=\"0 0 520 ") + 17)); };
    EXPECT_EQ(height(four) - height(one), 3 * 22);
}

// Places with names, evenly spaced, whatever the numbers in the names.
TEST(Curves, StandOverNames)
{
    const double x[] = { 0, 2 }, y[] = { 40, 60 };
    const trib_curve curve = { "serial", 0, false, x, y, 2, 0, true };
    const trib_curve_panel panel = { "Images per second", &curve, 1, true };
    const char *const names[] = { "1", "8", "<32>" };
    const trib_curves all = { "bench", "batch size", &panel, 1, names, 3, false };
    trib_text text = {};
    trib_curves_svg(&all, &text);
    const std::string picture(text.bytes, text.size);
    trib_text_free(&text);
    for (const char *tick : { ">1</text>", ">8</text>", ">&lt;32&gt;</text>", ">0</text>", ">60</text>" })
        EXPECT_EQ(count(picture, tick), 1u) << tick;
    EXPECT_NE(picture.find("serial: 40 at 1, 60 at &lt;32&gt;."), std::string::npos) << picture;
    // 426 wide from 68: a third for each name; the axis begins at 0, so 40 of 60 is two thirds up
    EXPECT_EQ(count(picture, "M139.0 "), 2u) << "the line and its dot";
    EXPECT_EQ(count(picture, "M423.0 "), 1u) << "its other dot";
    EXPECT_EQ(count(picture, "h0"), 2u);
}

TEST(Curves, AreReplacedAsAWholeOrNotAtAll)
{
    support::TemporaryFolder folder;
    const std::string file = folder.file("curves.svg");
    Curve curve({ 1, 2 });
    const trib_curve_panel panel = { "Loss", &curve.curve, 1, false };
    const trib_curves all = { "run", "epoch", &panel, 1, nullptr, 0, false };
    for (int k = 1;; ++k) {
        support::write_file(file, "old");
        trib_fault_arm(k, false);
        trib_status s = trib_curves_write(file.c_str(), &all);
        const std::int64_t seen = trib_fault_disarm();
        EXPECT_EQ(trib_failed(&s), seen >= k) << s.message;
        EXPECT_EQ(support::read_file(file) == "old", trib_failed(&s));
        if (seen < k) break;
    }
    EXPECT_EQ(support::read_file(file), svg({ curve.curve }));
}
