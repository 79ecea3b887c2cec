// SPDX-License-Identifier: Apache-2.0
#include "runtime/mutants.h"

#include <algorithm>
#include <string>
#include <vector>

namespace mutants
{

namespace
{

// ordered[a][b], worked out here by following edges one at a time: an oracle of its own for the order the checker
// computes.
std::vector<std::vector<bool>> closure(const trib_plan *p)
{
    const int n = p->op_count;
    const auto size = static_cast<std::size_t>(n);
    std::vector<std::vector<bool>> before(size, std::vector<bool>(size));
    for (int b = 0; b < n; ++b)
        for (int a = 0; a < b; ++a) {
            bool waits = false;
            for (int k = 0; k < p->ops[b].wait_count; ++k) waits |= p->ops[b].waits[k] == p->ops[a].record;
            before[std::size_t(a)][std::size_t(b)] =
                p->ops[a].stream == p->ops[b].stream || (waits && p->ops[a].record >= 0);
        }
    for (std::size_t via = 0; via < size; ++via)
        for (std::size_t a = 0; a < via; ++a)
            for (std::size_t b = via + 1; b < size; ++b)
                if (before[a][via] && before[via][b]) before[a][b] = true;
    return before;
}

void judge(const trib_plan *plan, const std::vector<std::vector<bool>> &original, Tally &tally, const std::string &what)
{
    ++tally.mutants;
    trib_status s = trib_plan_check_stream_order(plan);
    bool changed = closure(plan) != original;
    tally.changed += changed;
    tally.caught += trib_failed(&s);
    EXPECT_EQ(trib_failed(&s), changed) << what << ": " << s.message;
    if (trib_failed(&s)) {
        EXPECT_EQ(s.code, TRIB_INTERNAL);
    }
}

} // namespace

Tally delete_each_record_and_wait(trib_plan *p)
{
    Tally tally;
    auto original = closure(p);
    for (int i = 0; i < p->op_count; ++i) {
        trib_plan_op *op = &p->ops[i];
        for (int k = 0; k < op->wait_count; ++k) {
            trib_plan_op kept = *op;
            std::copy(op->waits + k + 1, op->waits + op->wait_count, op->waits + k);
            --op->wait_count;
            judge(p, original, tally, std::string("without a wait of ") + op->name);
            *op = kept;
        }
        if (op->record < 0) continue;
        int kept = op->record;
        op->record = -1;
        judge(p, original, tally, std::string("without the record of ") + op->name);
        op->record = kept;
    }
    return tally;
}

} // namespace mutants
