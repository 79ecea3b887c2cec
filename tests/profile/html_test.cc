// SPDX-License-Identifier: Apache-2.0
// The data inside the page, and the page as a document. What its script draws is looked at in a browser, by
// tests/pictures/report.py.
#include "profile/html.h"

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "profile/drawn.h"
#include "support/support.h"
#include "train/calls.h"
#include "tributary/internal/fault.h"

extern "C" {
#include "formats/json.h"
}

namespace
{

struct TwoBranches : drawn::Profile {
    TwoBranches() : Profile(drawn::two_branches(), drawn::two_branch_parts(), drawn::two_branch_buffers())
    {
        steps = { { 1, 0, 1000, 2000, false, -1 }, { 3, 100, 2100, 2500, false, 1 } };
        set_path();
        plan.batch = 8;
    }
    trib_html_schedule schedule(const char *name) const
    {
        trib_html_schedule s = {};
        s.name = name;
        s.plan = &plan;
        s.graph = &graph;
        s.profile = &profile;
        s.times = times.data();
        return s;
    }
};

trib_html_report report_of(const std::vector<trib_html_schedule> &schedules)
{
    trib_html_report r = {};
    r.model = "googlenet";
    r.device = "a device";
    r.schedules = schedules.data();
    r.schedule_count = int(schedules.size());
    return r;
}

std::string page_of(const trib_html_report &report)
{
    support::TemporaryFolder folder;
    EXPECT_OK(trib_html_write(folder.file("r.html").c_str(), &report));
    return support::read_file(folder.file("r.html"));
}

const std::string before_data = "<script type=\"application/json\" id=\"data\">";

std::string data_in(const std::string &page)
{
    const std::size_t from = page.find(before_data) + before_data.size();
    EXPECT_GT(from, before_data.size());
    return page.substr(from, page.find("</script>", from) - from);
}

// JSON of a page, freed with it.
struct Data {
    explicit Data(const std::string &page)
    {
        const std::string text = data_in(page);
        EXPECT_OK(trib_json_parse(text.data(), text.size(), &root));
    }
    ~Data() { trib_json_free(root); }
    Data(const Data &) = delete;
    Data &operator=(const Data &) = delete;
    const cJSON *schedule(int i) const
    {
        return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(root, "schedules"), i);
    }
    std::string text(const char *key) const { return string_of(root, key); }
    static std::string string_of(const cJSON *object, const char *key)
    {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
        return cJSON_IsString(item) ? item->valuestring : "nothing";
    }
    static double number_of(const cJSON *object, const char *key)
    {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
        return cJSON_IsNumber(item) ? item->valuedouble : -1e99;
    }
    static const cJSON *element(const cJSON *object, const char *key, int i)
    {
        return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(object, key), i);
    }
    cJSON *root = nullptr;
};

// Elements of HTML without an end tag.
const std::set<std::string> no_end = { "meta", "link", "br", "!doctype" };

// Every element is closed in order. Attributes have no ">" in this page; scripts and styles are passed over.
void expect_well_formed(const std::string &page)
{
    std::vector<std::string> open;
    for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
        if (page.compare(at, 4, "<!--") == 0) continue;
        const bool end = page[at + 1] == '/';
        const std::size_t from = at + 1 + end, to = page.find_first_of(" >\n", from);
        const std::string name = page.substr(from, to - from);
        ASSERT_FALSE(name.empty()) << page.substr(at, 40);
        if (end) {
            ASSERT_FALSE(open.empty());
            EXPECT_EQ(open.back(), name);
            open.pop_back();
        } else if (!no_end.count(name))
            open.push_back(name);
        if (!end && (name == "script" || name == "style")) at = page.find("</" + name, at) - 1;
    }
    EXPECT_TRUE(open.empty());
}

std::size_t count(const std::string &text, const std::string &part)
{
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
}

} // namespace

TEST(Html, HasAllModulesAndOps)
{
    TwoBranches p;
    const Data data(page_of(report_of({ p.schedule("serial"), p.schedule("branches") })));
    EXPECT_EQ(data.text("model"), "googlenet");
    EXPECT_EQ(data.text("verdict"), "nothing");
    EXPECT_EQ(Data::number_of(data.root, "best"), -1); // unknown
    const cJSON *schedule = data.schedule(1);
    EXPECT_EQ(Data::string_of(schedule, "name"), "branches");
    EXPECT_EQ(Data::number_of(schedule, "batch"), 8);
    EXPECT_EQ(Data::number_of(schedule, "wall"), 4000);
    EXPECT_EQ(Data::number_of(data.root, "batch"), 8);
    EXPECT_EQ(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(schedule, "windows")), 3);
    const cJSON *window = Data::element(schedule, "windows", 1);
    EXPECT_EQ(Data::string_of(window, "name"), "in");
    EXPECT_EQ(Data::string_of(window, "kind"), "forward");
    EXPECT_EQ(Data::number_of(window, "from"), 1000);
    EXPECT_EQ(Data::number_of(window, "wall"), 2400);
    EXPECT_EQ(Data::string_of(Data::element(window, "branches", 1), "name"), "3x3");
    EXPECT_EQ(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(schedule, "ops")), 7);
    const cJSON *op = Data::element(schedule, "ops", 4);
    EXPECT_EQ(Data::string_of(op, "name"), "in/3x3");
    EXPECT_EQ(Data::number_of(op, "from"), 1500);
    EXPECT_EQ(Data::number_of(op, "to"), 3400);
    EXPECT_EQ(Data::number_of(op, "issued"), 1495);
    EXPECT_TRUE(
        cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(window, "gain"), "gain")));
}

TEST(Html, TakesSentencesAndMedians)
{
    TwoBranches p;
    trib_html_schedule s = p.schedule("branches");
    const char *sentences[] = { nullptr, "The 3x3 branch decides.", nullptr };
    std::vector<trib_profile_median> windows(3);
    trib_profile_medians medians = {};
    windows[1].wall = 2300;
    medians.windows = windows.data();
    medians.run_count = 5;
    medians.window_count = 3;
    medians.total.wall = 3900;
    s.sentences = sentences;
    s.sentence = "A schedule.";
    s.medians = &medians;
    s.wall = 8123;
    s.gain = { 1.25, 1.125, NAN };
    trib_html_report report = report_of({ s });
    const std::vector<trib_html_schedule> one = { s };
    report.schedules = one.data();
    const char *notes[] = { "first", "second" };
    report.notes = notes;
    report.note_count = 2;
    report.verdict = "It is fast.";
    report.headline = "Faster.";
    report.fastest = { 1, 0, true, TRIB_EQUAL };
    report.batch = 16; // in two lanes
    const Data data(page_of(report));
    EXPECT_EQ(data.text("verdict"), "It is fast.");
    EXPECT_EQ(data.text("headline"), "Faster.");
    EXPECT_EQ(Data::number_of(data.root, "other"), 1);
    EXPECT_EQ(Data::number_of(data.root, "best"), 0);
    EXPECT_EQ(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(data.root, "notes")), 2);
    const cJSON *schedule = data.schedule(0), *window = Data::element(schedule, "windows", 1);
    EXPECT_EQ(Data::string_of(schedule, "sentence"), "A schedule.");
    EXPECT_EQ(Data::number_of(schedule, "wall"), 8123);
    EXPECT_EQ(Data::element(schedule, "overSerial", 1)->valuedouble, 1.125);
    EXPECT_TRUE(cJSON_IsNull(Data::element(schedule, "overSerial", 2)));
    EXPECT_EQ(Data::number_of(data.root, "batch"), 16);
    EXPECT_EQ(Data::number_of(schedule, "runs"), 5);
    EXPECT_EQ(Data::number_of(cJSON_GetObjectItemCaseSensitive(schedule, "total"), "wall"), 3900);
    EXPECT_EQ(Data::string_of(window, "sentence"), "The 3x3 branch decides.");
    EXPECT_EQ(Data::number_of(window, "wall"), 2300);
    EXPECT_EQ(Data::number_of(window, "to"), 3400); // what is drawn is the run's
}

TEST(Html, IsOneDocumentThatNeedsNoOther)
{
    TwoBranches p;
    const std::string page = page_of(report_of({ p.schedule("branches") }));
    expect_well_formed(page);
    EXPECT_EQ(page.compare(0, 15, "<!doctype html>"), 0);
    for (const char *part : { "http:", "https:", "//www", "src=", "@import", "url(\"", "fetch(", "XMLHttpRequest",
                              "import(", "@DATA@", "@STYLE@", "@SCRIPT@", "innerHTML", "eval(" })
        EXPECT_EQ(count(page, part), 0u) << part;
    EXPECT_EQ(count(page, "<script"), 2u);
    EXPECT_EQ(count(page, "default-src 'none'"), 1u);
    EXPECT_EQ(count(page, "<html lang=\"en\">"), 1u);
    EXPECT_LT(page.size(), 100000u);
}

TEST(Html, NoNameCanEndTheScript)
{
    std::vector<drawn::Op> ops = drawn::two_branches();
    ops[1].name = "</script><script>alert(1)</script><!--";
    ops[2].name = "\xff quoted \" \\ \x01 & <b>";
    drawn::Profile p(ops, drawn::two_branch_parts(), {});
    trib_html_schedule s = {};
    s.name = "</SCRIPT >";
    s.plan = &p.plan;
    s.graph = &p.graph;
    s.profile = &p.profile;
    trib_html_report report = report_of({});
    report.schedules = &s;
    report.schedule_count = 1;
    report.model = "caf\xc3\xa9 <!-- \xe2\x82";
    const std::string page = page_of(report);
    expect_well_formed(page);
    EXPECT_EQ(data_in(page).find('<'), std::string::npos);
    const Data data(page);
    EXPECT_EQ(data.text("model"), "caf\xc3\xa9 <!-- \xef\xbf\xbd\xef\xbf\xbd");
    EXPECT_EQ(Data::string_of(data.schedule(0), "name"), "</SCRIPT >");
    EXPECT_EQ(Data::string_of(Data::element(data.schedule(0), "ops", 1), "name"), ops[1].name);
    EXPECT_EQ(Data::string_of(Data::element(data.schedule(0), "ops", 2), "name"),
              "\xef\xbf\xbd quoted \" \\ \x01 & <b>");
}

TEST(Html, OfManyOpsIsWrittenInPieces)
{
    std::vector<drawn::Op> ops;
    for (int i = 0; i < 5000; ++i) ops.push_back({ "op" + std::to_string(i), i % 3, 0, -1, 10 * i, 10 * i + 25, {} });
    drawn::Profile p(ops, { { "", TRIB_PROFILE_TRUNK, 0, 50000, {} } });
    trib_html_schedule s = {};
    s.name = "branches";
    s.plan = &p.plan;
    s.graph = &p.graph;
    s.profile = &p.profile;
    trib_html_report report = report_of({});
    report.schedules = &s;
    report.schedule_count = 1;
    const Data data(page_of(report));
    EXPECT_EQ(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(data.schedule(0), "ops")), 5000);
}

TEST(Html, RefusesSchedulesThatCannotBeCompared)
{
    support::TemporaryFolder folder;
    TwoBranches p;
    drawn::Profile other(drawn::two_branches(), { { "all", TRIB_PROFILE_TRUNK, 1000, 5000, {} } });
    trib_html_schedule s = p.schedule("branches");
    s.plan = &other.plan;
    s.graph = &other.graph;
    s.profile = &other.profile;
    const std::vector<trib_html_schedule> two = { p.schedule("serial"), s };
    const trib_html_report report = report_of(two), none = report_of({});
    EXPECT_FAILS(trib_html_write(folder.file("r.html").c_str(), &report), TRIB_INVALID_ARGUMENT,
                 "schedule branches has 1 modules and pieces of trunk, and schedule serial has 3");
    EXPECT_FAILS(trib_html_write(folder.file("r.html").c_str(), &none), TRIB_INVALID_ARGUMENT, "at least one");
}

TEST(Html, FailuresLeaveTheOldFile)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("r.html");
    support::write_file(path, "old");
    TwoBranches p;
    const std::vector<trib_html_schedule> one = { p.schedule("branches") };
    const trib_html_report report = report_of(one);
    for (calls::Trouble trouble : { calls::Trouble::no_space, calls::Trouble::broken }) {
        calls::arm(1, trouble, true);
        const trib_status s = trib_html_write(path.c_str(), &report);
        calls::disarm();
        EXPECT_TRUE(trib_failed(&s));
        EXPECT_NE(std::string(s.message).find("r.html"), std::string::npos) << s.message;
        EXPECT_EQ(support::read_file(path), "old");
    }
}

TEST(Html, IsReplacedAsAWholeOrNotAtAll)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("r.html");
    TwoBranches p;
    const std::vector<trib_html_schedule> one = { p.schedule("branches") };
    const trib_html_report report = report_of(one);
    for (int k = 1;; ++k) {
        support::write_file(path, "old");
        trib_fault_arm(k, false);
        const trib_status s = trib_html_write(path.c_str(), &report);
        const std::int64_t seen = trib_fault_disarm();
        EXPECT_EQ(trib_failed(&s), seen >= k) << s.message;
        EXPECT_EQ(support::read_file(path) == "old", trib_failed(&s));
        if (seen < k) break;
        ASSERT_LT(k, 1000);
    }
    expect_well_formed(support::read_file(path));
}
