// SPDX-License-Identifier: Apache-2.0
// Reads a trace back, as a viewer would.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace trace
{

struct Event {
    char phase;
    int process, track;
    std::int64_t at, duration; // ns
    std::int64_t id;           // of an arrow
    std::string name;
    std::map<std::string, std::string> arguments; // numbers as text
    bool binds_to_enclosing;
};

struct Trace {
    std::vector<Event> events; // in the file's order, without metadata
    std::map<int, std::string> processes;
    std::map<std::pair<int, int>, std::string> tracks;
    std::vector<std::string> instants;

    std::vector<std::string> names(int process, int track) const; // of its slices, in the file's order
    std::vector<Event> slices_of(int process) const;
    const Event &slice(const std::string &name) const; // the only one of that name on a stream's track
    // Names of both ends, in the order of their numbers: the innermost slice at that time that came before in the file.
    std::vector<std::pair<std::string, std::string>> arrows() const;
    std::vector<std::pair<std::int64_t, std::int64_t>> counter(const std::string &name, const std::string &unit) const;
    // The innermost slice on the track of `event` at its time; nullptr if there is none.
    const Event *around(const Event &event) const;
};

// Expects JSON with only known events.
Trace read(const std::string &json);
// Expects that slices of a track lie in or after each other, that both ends of all arrows are inside slices, the
// beginning first, and that each track that is used has a name.
void expect_drawable(const Trace &trace);

} // namespace trace
