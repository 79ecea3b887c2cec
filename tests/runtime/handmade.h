// SPDX-License-Identifier: Apache-2.0
// Plans written op by op, for what no network asks of the runtime yet: ops that update in place, and memory that is
// written several times.
#pragma once

#include <string>
#include <vector>

#include "runtime/nets.h"

namespace handmade
{

class Builder
{
  public:
    explicit Builder(trib_layout layout = TRIB_NHWC);
    ~Builder();
    Builder(const Builder &) = delete;
    Builder &operator=(const Builder &) = delete;

    // A buffer of `channels` channels; the whole of it, and a slice of it.
    trib_view buffer(const std::string &name, int channels = 16);
    static trib_view slice(trib_view whole, int first, int channels);
    // An op of any kind: its name, stream, reads and writes. Ops come in the order of the calls.
    void op(const std::string &name, int stream, const std::vector<trib_view> &reads,
            const std::vector<trib_view> &writes, trib_kind kind = TRIB_CONCAT);
    void in_place(const std::string &name, int stream, const trib_view &view)
    {
        op(name, stream, { view }, { view }, TRIB_RELU);
    }
    // Records and waits, then places in the arena, as the passes give them.
    nets::Plan finish(bool reuse_memory = true);

  private:
    struct Inside;
    Inside *inside_;
    trib_layout layout_;
};

const trib_plan_op *find(const trib_plan *plan, const std::string &name);
// Whether `op` waits for the event that `earlier` records.
bool waits_for(const trib_plan *plan, const std::string &op, const std::string &earlier);

} // namespace handmade
