// SPDX-License-Identifier: Apache-2.0
#include "runtime/mutants.h"

#include <algorithm>
#include <bitset>
#include <string>
#include <vector>

namespace mutants
{

namespace
{

using Order = std::vector<std::bitset<1024>>; // of each op, the ops that it follows

// Computed here from streams and events, op by op: an independent oracle for the order that the checker
// computes.
Order order_of(const trib_plan *p)
{
    Order before(std::size_t(p->op_count));
    EXPECT_LE(before.size(), before[0].size());
    for (std::size_t b = 0; b < before.size(); ++b)
        for (std::size_t a = 0; a < b; ++a) {
            const trib_plan_op &first = p->ops[a], &second = p->ops[b];
            bool follows = first.stream == second.stream;
            for (int k = 0; k < second.wait_count; ++k) follows |= first.record >= 0 && second.waits[k] == first.record;
            if (!follows) continue;
            before[b] |= before[a];
            before[b].set(a);
        }
    return before;
}

// Every op that another no longer follows is on this stream.
bool only_of(const trib_plan *p, int stream, const Order &original, const Order &now)
{
    for (std::size_t b = 0; b < now.size(); ++b)
        for (std::size_t a = 0; a < b; ++a)
            if (original[b][a] && !now[b][a] && p->ops[a].stream != stream) return false;
    return true;
}

void judge(const trib_plan *plan, const Order &original, int lagging, Tally &tally, const std::string &what)
{
    ++tally.mutants;
    trib_status s = trib_plan_check_stream_order(plan);
    const Order now = order_of(plan);
    const bool changed = now != original;
    tally.changed += changed;
    tally.caught += trib_failed(&s);
    if (trib_failed(&s) || !changed || lagging < 0 || !only_of(plan, lagging, original, now)) {
        EXPECT_EQ(trib_failed(&s), changed) << what << ": " << s.message;
    }
    if (trib_failed(&s)) {
        EXPECT_EQ(s.code, TRIB_INTERNAL);
    }
}

} // namespace

Tally delete_each_record_and_wait(trib_plan *p, int lagging)
{
    Tally tally;
    auto original = order_of(p);
    for (int i = 0; i < p->op_count; ++i) {
        trib_plan_op *op = &p->ops[i];
        for (int k = 0; k < op->wait_count; ++k) {
            trib_plan_op kept = *op;
            std::copy(op->waits + k + 1, op->waits + op->wait_count, op->waits + k);
            --op->wait_count;
            judge(p, original, lagging, tally, std::string("without a wait of ") + op->name);
            *op = kept;
        }
        if (op->record < 0) continue;
        int kept = op->record;
        op->record = -1;
        judge(p, original, lagging, tally, std::string("without the record of ") + op->name);
        op->record = kept;
    }
    return tally;
}

} // namespace mutants
