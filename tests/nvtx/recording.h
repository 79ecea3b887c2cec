// SPDX-License-Identifier: Apache-2.0
// What the recorder wrote, read back. A program that links this is recorded from its first test on.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace recording
{

struct Range {
    std::string name, category, payload; // category "" and payload "none" where it has none
    std::string thread, thread_name;
    int depth; // how many ranges of its thread are around it
};

struct Name {
    std::string handle, name;
};

struct Recording {
    std::vector<std::string> domains, strings;     // in the order they were created
    std::map<std::string, std::string> categories; // by number
    std::vector<Range> ranges;                     // in the order they were pushed
    std::vector<Name> streams, events;             // in the order they were given
};

// Everything since the program started, up to this call; the next call may add to it.
const Recording &all();
// What no tool can make sense of, as of the latest all(): pops without push, ranges left open, unknown handles.
std::vector<std::string> problems();
// The ranges alone, without the first `skip`.
std::vector<Range> ranges_after(std::size_t skip);

} // namespace recording
