// SPDX-License-Identifier: Apache-2.0
#include "profile/read_trace.h"

#include <cmath>

#include "support/support.h"

extern "C" {
#include "formats/json.h"
}

namespace trace
{

static const char *text_of(const cJSON *event, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(event, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static double number_of(const cJSON *event, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(event, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static std::int64_t ns_of(const cJSON *event, const char *key)
{
    const double us = number_of(event, key);
    return std::isnan(us) ? -1 : std::int64_t(std::llround(us * 1000));
}

static std::map<std::string, std::string> arguments_of(const cJSON *event)
{
    std::map<std::string, std::string> all;
    const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(event, "args");
    cJSON_ArrayForEach(item, list) all[item->string] =
        cJSON_IsString(item) ? item->valuestring : std::to_string(std::llround(item->valuedouble));
    return all;
}

static void add(Trace &t, const cJSON *item)
{
    Event e = { *text_of(item, "ph"),  int(number_of(item, "pid")), int(number_of(item, "tid")),
                ns_of(item, "ts"),     ns_of(item, "dur"),          -1,
                text_of(item, "name"), arguments_of(item),          *text_of(item, "bp") == 'e' };
    EXPECT_GE(e.at, 0) << e.name;
    if (e.phase == 's' || e.phase == 'f') e.id = std::int64_t(number_of(item, "id"));
    if (e.phase == 'M') {
        if (e.name == "process_name") t.processes[e.process] = e.arguments["name"];
        if (e.name == "thread_name") t.tracks[{ e.process, e.track }] = e.arguments["name"];
        return;
    }
    EXPECT_NE(std::string("XisfC").find(e.phase), std::string::npos) << e.phase;
    EXPECT_TRUE(e.phase != 'X' || e.duration > 0) << e.name;
    if (e.phase == 'i') t.instants.push_back(e.name);
    t.events.push_back(e);
}

Trace read(const std::string &json)
{
    Trace t;
    cJSON *root = nullptr;
    EXPECT_OK(trib_json_parse(json.data(), json.size(), &root));
    const cJSON *item, *events = cJSON_GetObjectItemCaseSensitive(root, "traceEvents");
    EXPECT_TRUE(cJSON_IsArray(events));
    cJSON_ArrayForEach(item, events) add(t, item);
    trib_json_free(root);
    return t;
}

std::vector<std::string> Trace::names(int process, int track) const
{
    std::vector<std::string> all;
    for (const Event &e : events)
        if (e.phase == 'X' && e.process == process && e.track == track) all.push_back(e.name);
    return all;
}

std::vector<Event> Trace::slices_of(int process) const
{
    std::vector<Event> all;
    for (const Event &e : events)
        if (e.phase == 'X' && e.process == process) all.push_back(e);
    return all;
}

const Event &Trace::slice(const std::string &name) const
{
    static const Event none = {};
    const Event *found = nullptr;
    for (const Event &e : events)
        if (e.phase == 'X' && e.track > 2 && e.name == name) {
            EXPECT_EQ(found, nullptr) << name;
            found = &e;
        }
    EXPECT_NE(found, nullptr) << name;
    return found ? *found : none;
}

const Event *Trace::around(const Event &event) const
{
    const Event *found = nullptr;
    for (const Event &e : events) {
        if (&e == &event) break;
        if (e.phase == 'X' && e.process == event.process && e.track == event.track && e.at <= event.at &&
            event.at < e.at + e.duration)
            found = &e; // slices come after those around them
    }
    return found;
}

std::vector<std::pair<std::string, std::string>> Trace::arrows() const
{
    std::map<std::int64_t, std::pair<std::string, std::string>> all;
    for (const Event &e : events) {
        if (e.phase != 's' && e.phase != 'f') continue;
        const Event *slice = around(e);
        (e.phase == 's' ? all[e.id].first : all[e.id].second) = slice ? slice->name : "nothing";
    }
    std::vector<std::pair<std::string, std::string>> list;
    for (const auto &a : all) list.push_back(a.second);
    return list;
}

std::vector<std::pair<std::int64_t, std::int64_t>> Trace::counter(const std::string &name,
                                                                  const std::string &unit) const
{
    std::vector<std::pair<std::int64_t, std::int64_t>> all;
    for (const Event &e : events)
        if (e.phase == 'C' && e.name == name) all.push_back({ e.at, std::stoll(e.arguments.at(unit)) });
    return all;
}

static void expect_nested(const Trace &t)
{
    std::map<std::pair<int, int>, std::vector<const Event *>> open; // slices around the current one, by track
    for (const Event &e : t.events) {
        if (e.phase != 'X') continue;
        auto &stack = open[{ e.process, e.track }];
        EXPECT_TRUE(t.tracks.count({ e.process, e.track })) << e.name;
        while (!stack.empty() && stack.back()->at + stack.back()->duration <= e.at) stack.pop_back();
        if (!stack.empty()) {
            EXPECT_GE(e.at, stack.back()->at) << e.name << " and " << stack.back()->name;
            EXPECT_LE(e.at + e.duration, stack.back()->at + stack.back()->duration)
                << e.name << " and " << stack.back()->name;
        }
        stack.push_back(&e);
    }
}

static void expect_arrows(const Trace &t)
{
    std::map<std::int64_t, std::int64_t> begun;
    std::size_t ended = 0;
    for (const Event &e : t.events) {
        if (e.phase == 's') {
            EXPECT_FALSE(begun.count(e.id)) << e.id;
            begun[e.id] = e.at;
        } else if (e.phase == 'f') {
            ASSERT_TRUE(begun.count(e.id)) << e.id;
            EXPECT_LT(begun[e.id], e.at);
            EXPECT_TRUE(e.binds_to_enclosing);
            ++ended;
        } else
            continue;
        const Event *slice = t.around(e);
        ASSERT_NE(slice, nullptr);
        EXPECT_TRUE(slice->arguments.count("operations")) << "an arrow is bound to a bar, " << slice->name;
    }
    EXPECT_EQ(begun.size(), ended);
}

void expect_drawable(const Trace &t)
{
    expect_nested(t);
    expect_arrows(t);
    for (const auto &track : t.tracks) EXPECT_FALSE(t.processes.count(track.first.second)) << track.second;
}

} // namespace trace
